"""The pages of certainty: they work, refuse, keep the second rater blind, and show the summary at any baseline risk."""

from __future__ import annotations

import io
import re

import docx
import pytest
from django.db import transaction

from balm.actions.team import certainty as actions
from balm.actions.team.certainty import one_to_rate
from balm.store.certainty.models import Agreed, Rating
from balm.store.synthesis.current import forget
from balm.web.certainty.forms import key_of
from tests.web.conftest import Someone, Team
from tests.web.test_certainty import ANALYSIS, differ, given, rate, standing, two_raters


def address(team: Team, rest: str = "") -> str:
    return f"/reviews/{team.review.slug}/certainty/{rest}"


def text(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def form(team: Team, analysis: str = ANALYSIS, **changes: str) -> dict[str, str]:
    now = given(team, analysis=analysis)
    filled = {f"rating-{key_of(d)}": r for d, r in now["ratings"].items()}
    return filled | {"submission": "s1", "basis": now["basis"]} | changes


def test_every_analysis_is_listed_with_what_is_decided_and_proposed(team: Team) -> None:
    page = text(team.reader.client.get(address(team)))
    assert "⊕◯◯◯ very low" in page and "Rate" not in page.split("Analyses and", 1)[-1].split("State")[-1]
    assert "Rate" in text(team.teammate.client.get(address(team)))
    one = text(team.reader.client.get(address(team, f"of/{ANALYSIS}/")))
    assert "Target: any effect: the threshold is no effect" in one
    assert "Half or more of the weight is not known to be at low risk of bias" in one


def test_a_rating_is_saved_with_what_was_proposed(team: Team) -> None:
    client = team.teammate.client
    page = client.get(address(team, f"of/{ANALYSIS}/rate/")).content.decode()
    assert 'name="place" inputmode="numeric" size="3" value="3"' in page, "its row of the summary stays as it was"
    assert page.count("checked") == 3, "only what would raise certainty begins chosen: none"
    sent = form(team, **{"rating-indirectness": "serious", "reason-indirectness": "Hours only"})
    assert client.post(address(team, f"of/{ANALYSIS}/rate/"), sent).status_code == 302
    assert standing(team)["indirectness"].reason == "Hours only"
    assert "Hours only" in client.get(address(team, f"of/{ANALYSIS}/rate/")).content.decode()


def test_what_is_wrong_stands_at_its_field_and_what_was_typed_is_kept(team: Team) -> None:
    sent = form(team, **{"rating-imprecision": "not serious", "baseline": "2000", "reason-inconsistency": "typed"})
    response = team.teammate.client.post(address(team, f"of/{ANALYSIS}/rate/"), sent)
    assert response.status_code == 422
    page = text(response)
    assert "Say why: &#x27;not serious&#x27; is decided" in page and "between 0 and 1000" in page and "typed" in page
    assert Rating.objects.count() == 0


def test_the_proposal_follows_the_baseline_risk_and_saves_nothing(team: Team) -> None:
    low = team.teammate.client.post(address(team, f"of/{ANALYSIS}/proposal/"), form(team, baseline="10"))
    assert "baseline risk 0.01" in text(low) and "these ratings lead to very low" in text(low)
    assert Rating.objects.count() == 0


def test_nothing_to_rate_is_said(team: Team) -> None:
    page = text(team.teammate.client.get(address(team, "of/pain-immediate/rate/")))
    assert "Nothing is rated, which is not the same as very low certainty" in page
    assert team.teammate.client.get(address(team, "of/no-such/rate/")).status_code == 404


def test_consensus_shows_both_and_settles_with_a_reason(team: Team) -> None:
    assert "One person rates certainty" in text(team.arbiter.client.get(address(team, f"of/{ANALYSIS}/consensus/")))
    differ(team)
    client = team.arbiter.client
    page = client.get(address(team, f"of/{ANALYSIS}/consensus/"))
    assert "Clear enough" in text(page) and "differ" in text(page)
    told = re.findall(r'<td data-label="([^"]+)">', page.content.decode())
    assert len(set(told)) == 2 and told[:2] == told[2:4], "on a phone each rating says whose it is"
    assert 'name="rating-imprecision" value="serious" checked' not in page.content.decode(), "what differs is open"
    sent = form(team, seen="0")
    refused = client.post(address(team, f"of/{ANALYSIS}/consensus/"), sent)
    assert refused.status_code == 422 and "Say why it is settled so" in text(refused)
    assert client.post(address(team, f"of/{ANALYSIS}/consensus/"), sent | {"why": "Wide"}).status_code == 302
    assert Agreed.objects.get().reason == "Wide"
    assert team.statistician.client.get(address(team, f"of/{ANALYSIS}/consensus/")).status_code == 403


def test_the_summary_shows_absolute_effects_at_the_risks_that_the_reader_chooses(team: Team) -> None:
    client = team.reader.client
    page = text(client.get(address(team, "summary/")))
    assert "109 per 1000 (control groups of the trials used)" in page and "NNTB" in page
    chosen = client.get(address(team, "summary/"), {f"risk-{ANALYSIS}": "50, 200"})
    assert "50 per 1000 (chosen by the reader)" in text(chosen) and "200 per 1000 (chosen by the reader)" in text(
        chosen
    )
    assert f"risk-{ANALYSIS}=50%2C+200" in chosen.content.decode(), "files are taken at the same risks"
    part = client.get(address(team, "summary/"), {f"risk-{ANALYSIS}": "50"}, headers={"HX-Request": "true"})
    assert b"<html" not in part.content
    for wrong in ({f"risk-{ANALYSIS}": "0"}, {f"risk-{ANALYSIS}": "1,2,3,4"}, {"risk-nothing": "5"}):
        response = client.get(address(team, "summary/"), wrong)
        assert response.status_code == 422 and "109 per 1000" in text(response), "the table stands, with the message"


def test_files_of_the_summary(team: Team) -> None:
    query = {f"risk-{ANALYSIS}": "50"}
    client = team.reader.client
    table = client.get(address(team, "summary/summary.csv"), query)
    assert "50 per 1000" in table.content.decode() and "attachment" in table.headers["Content-Disposition"]
    word = docx.Document(io.BytesIO(client.get(address(team, "summary/summary.docx"), query).content))
    assert [t.rows[0].cells[0].text for t in word.tables] == ["Outcome", "Note", "Outcome"]
    assert "50 per 1000" in word.tables[0].rows[3].cells[1].text
    assert "Risk of bias" in client.get(address(team, "summary/evidence-profile.csv")).content.decode()
    assert client.get(address(team, "summary/evidence-profile.pdf")).status_code == 404
    handed = client.get(address(team, "summary/gradepro.rm5"))
    assert handed.headers["Content-Disposition"].endswith('-gradepro.rm5"') and b"<COCHRANE_REVIEW" in handed.content
    assert "summary/gradepro.rm5" in client.get(address(team, "summary/")).content.decode()
    assert client.get(address(team, "summary/gradepro.csv")).status_code == 404
    assert client.get(address(team, "summary/summary.csv"), {f"risk-{ANALYSIS}": "x"}).status_code == 422


def pages_of(someone: Someone, team: Team) -> dict[str, bytes]:
    """Every page that could tell, as this person gets it, without the tokens made anew for each page."""
    rest = ["", f"of/{ANALYSIS}/", f"of/{ANALYSIS}/rate/", f"of/{ANALYSIS}/consensus/", "summary/",
            "summary/summary.csv", "summary/evidence-profile.csv"]  # fmt: skip
    paths = [address(team, r) for r in rest]
    paths += [f"/reviews/{team.review.slug}/{r}" for r in ("", "audit/", "archive/", "audit/verify/", "report/")]
    found = {path: someone.client.get(path) for path in paths}
    token = re.compile(rb'name="(csrfmiddlewaretoken|submission)" value="[^"]+"|"X-CSRFToken": "[^"]+"')
    return {path: str(r.status_code).encode() + token.sub(b"", r.content) for path, r in found.items()}


@pytest.mark.parametrize("reader", ["teammate", "owner", "arbiter", "reader"])
def test_no_page_before_the_reveal_changes_with_the_other_rating(team: Team, reader: str) -> None:
    """Not with what the other said, nor with whether they have rated at all."""
    two_raters(team)
    if reader == "teammate":
        rate(team, team.teammate)
    worlds = []
    for said in ({}, {"imprecision": "serious", "why_imprecision": "Clear"}, None):
        with transaction.atomic():
            if said is not None and reader != "teammate":
                rate(team, team.second, **said)
            worlds.append(pages_of(getattr(team, reader), team))
            transaction.set_rollback(True)
        forget()
    if reader == "teammate":  # the two would be compared: another analysis of the other rater must not tell either
        other = "pain-week-1"
        now = given(team, analysis=other)
        actions.rate(team.second.acting, other, **now)  # type: ignore[arg-type]
        worlds.append(pages_of(team.teammate, team))
        assert not Agreed.objects.exists()
    for world in worlds[1:]:
        assert {p for p in world if world[p] != worlds[0][p]} == set()


def test_a_stranger_and_a_viewer_are_refused(team: Team) -> None:
    for rest in ("", "summary/", f"of/{ANALYSIS}/", f"of/{ANALYSIS}/rate/"):
        assert team.stranger.client.get(address(team, rest)).status_code == 404
    assert team.reader.client.get(address(team, f"of/{ANALYSIS}/rate/")).status_code == 403
    assert team.reader.client.post(address(team, f"of/{ANALYSIS}/rate/"), form(team)).status_code == 403
    assert one_to_rate(team.review, ANALYSIS).certainty.overall is not None


def test_certainty_through_the_interface(team: Team) -> None:
    from tests.web.test_api import Program
    from tests.web.test_api import address as calls

    two_raters(team)
    tariq, sofia, arno = (Program(p) for p in (team.teammate, team.second, team.arbiter))
    listed = tariq.get(calls(team, "/certainty")).json()
    assert {c["analysis"] for c in listed} >= {ANALYSIS} and not any(c["stale"] for c in listed)
    of = f"/certainty/of/{ANALYSIS}"
    body = {k: v for k, v in given(team, place="3").items() if k != "submission"}
    assert tariq.post(calls(team, f"{of}/ratings"), body | {"submission": "tariq-one"}).json() == {"done": "very low"}
    assert sofia.get(calls(team, of)).json()["own"] is None
    assert arno.get(calls(team, f"{of}/consensus")).status_code == 422
    other = body | {"ratings": body["ratings"] | {"imprecision": "serious"}, "reasons": {"imprecision": "Clear"}}
    assert sofia.post(calls(team, f"{of}/ratings"), other | {"submission": "sofia-one"}).status_code == 200
    both = arno.get(calls(team, f"{of}/consensus")).json()
    assert set(both["ratings"]) == {"tariq", "sofia"} and both["agreed"] is None
    done = arno.post(calls(team, f"{of}/agreements"), body | {"submission": "arno-one", "why": "Wide", "seen": 0})
    assert done.json() == {"done": "very low"}
    assert Program(team.reader).post(calls(team, f"{of}/ratings"), body | {"submission": "rita-one"}).status_code == 403
    rows = tariq.get(calls(team, "/certainty/summary")).json()["findings"]
    assert any(row["analysis"] == ANALYSIS for row in rows)
    assert tariq.get(calls(team, "/certainty/of/none")).status_code == 404
