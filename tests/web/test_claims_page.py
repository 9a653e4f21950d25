"""The claims page: a pasted text comes back marked and escaped; nothing is kept; members only."""

from __future__ import annotations

from html import unescape

import pytest

from tests.web.conftest import Team

TEXT = (
    "Pain fell (MD \u22121.05; 95% CI \u22121.72, \u22120.39; p = 0.02) "
    "<script>alert(1)</script> in 23/45 (51.1%).\nLess white subject."
)


def address(team: Team) -> str:
    return f"/reviews/{team.review.slug}/claims/"


def test_a_text_comes_back_marked_with_the_evidence_beside(team: Team) -> None:
    response = team.reader.client.post(address(team), {"text": TEXT, "year": "2018"})
    page = response.content.decode()
    assert response.status_code == 200
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    assert 'class="claim inconsistent" href="#claim-1"' in page and 'class="claim consistent"' in page
    assert "10 times larger" in page and "white matter" in page
    assert "newer: Orhurhu 2019" in unescape(page)


@pytest.mark.parametrize(
    "given,said",
    [
        ({"text": "  "}, "Paste a text first"),
        ({"text": "x" * 200_001}, "at most 200,000"),
        ({"text": TEXT, "year": "last"}, "The year must be a number"),
        ({}, "Paste a text first"),
    ],
)
def test_what_cannot_be_checked_says_why(team: Team, given: dict[str, str], said: str) -> None:
    response = team.reader.client.post(address(team), given)
    assert response.status_code == 422 and said in response.content.decode()


def test_only_members_come_in(team: Team) -> None:
    assert team.reader.client.get(address(team)).status_code == 200
    assert team.stranger.client.get(address(team)).status_code == 404
    assert team.anonymous.get(address(team)).status_code == 302
