"""Every address, as every kind of person: who is let in and who is refused; no view escapes the walk."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from balm.registry.roles import MAY as IN_CLINICS
from balm.review.members.roles import MAY, may
from balm.store.reviews.models import Review
from tests.web.conftest import Someone, Team
from tests.web.walking import Address, addresses

#: Pages that are kept or printed by themselves, with a title of their own.
OF_THEIR_OWN = {"reviews/<slug:slug>/report/", "reviews/<slug:slug>/guidance/print/"}
#: What a view outside reviews says.
OUTSIDE = {"signed in", "anyone", *IN_CLINICS}


def in_reviews() -> list[Address]:
    return [a for a in addresses() if "slug" in a.asks and not a.of_a_library]


def listed(wrong: list[tuple[object, ...]]) -> str:
    return "\n".join(str(one) for one in wrong)


def send(client: Client, method: str, path: str) -> int:
    client.raise_request_exception = False
    return client.get(path).status_code if method == "GET" else client.post(path, {}).status_code


def test_every_view_says_who_may() -> None:
    silent = [a.route for a in addresses() if not a.of_a_library and a.act not in MAY and a.act not in OUTSIDE]
    assert silent == [], "decorate these with in_review(...), signed_in or anyone"


def test_the_walk_reaches_the_stages() -> None:
    routes = {a.route for a in addresses()}
    assert {"", "reviews/new/", "reviews/<slug:slug>/", "reviews/<slug:slug>/members/", "account/login/"} <= routes
    assert len(in_reviews()) > 10


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_has_not_signed_in_is_sent_to_sign_in(team: Team, method: str) -> None:
    wrong = []
    for a in addresses():
        if a.of_a_library or a.act == "anyone":
            continue
        response = (
            team.anonymous.get(a.path(team.review)) if method == "GET" else team.anonymous.post(a.path(team.review))
        )
        led = response.headers.get("Location", "")
        if response.status_code != 405 and not (response.status_code == 302 and led.startswith("/account/login/")):
            wrong.append((a.route, response.status_code, led))
    assert not wrong, listed(wrong)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_stranger_learns_nothing(team: Team, method: str) -> None:
    """The answer about a review one does not belong to is the answer about no review: the same bytes."""
    wrong = []
    nowhere = Review(slug="no-such-review")
    for a in in_reviews():
        if a.act == "anyone":
            continue
        there, not_there = (
            team.stranger.client.generic(method, path)
            for path in (a.path(team.review), a.path(team.review).replace(team.review.slug, nowhere.slug))
        )
        allowed = {404, 405}
        if there.status_code not in allowed or (there.status_code, there.content) != (
            not_there.status_code,
            not_there.content,
        ):
            wrong.append((a.route, there.status_code, not_there.status_code))
    assert not wrong, listed(wrong)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("who", ["owner", "teammate", "arbiter", "statistician", "reader"])
def test_a_member_gets_in_where_the_role_allows_it_and_nowhere_else(team: Team, who: str, method: str) -> None:
    someone: Someone = getattr(team, who)
    assert someone.member is not None
    role, wrong = someone.member.role, []
    for a in in_reviews():
        if a.act == "anyone":
            continue
        got = send(someone.client, method, a.path(team.review))
        refused = not may(role, a.act)
        if got >= 500 or (refused and got not in (403, 405)) or (who == "owner" and not refused and got == 403):
            wrong.append((a.route, a.act, got))
        someone.member.refresh_from_db()
        assert someone.member.role == role, f"{a.route} changed a role without being told to"
    assert not wrong, listed(wrong)


def test_no_form_is_taken_without_its_token(team: Team) -> None:
    """CSRF: a POST from another site, with the person's cookies, does nothing."""
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = team.owner.client.cookies
    wrong = []
    for a in addresses():
        if a.route.startswith("api/"):
            continue  # tokens in a header, no cookies: its own tests say so
        got = strict.post(a.path(team.review), {"reason": "x"}).status_code
        if got not in (403, 405):
            wrong.append((a.route, got))
    assert not wrong, listed(wrong)


def test_headers_and_title_of_every_page(team: Team) -> None:
    wrong, titles = [], []
    for a in addresses():
        if a.route == "account/logout/":
            continue
        team.owner.client.raise_request_exception = False
        response = team.owner.client.get(a.path(team.review))
        policy = response.headers.get("Content-Security-Policy", "")
        if (
            titled := re.search(rb"<title>(.*?)</title>", response.content, re.DOTALL)
            if not response.streaming
            else None
        ):
            titles.append((a.route, response.status_code, " ".join(html.unescape(titled[1].decode()).split())))
        sound = (
            re.search(r"default-src 'none'", policy)
            and "unsafe" not in policy.split("script-src", 1)[-1].split(";")[0]
            and response.headers.get("X-Content-Type-Options") == "nosniff"
            and response.headers.get("Referrer-Policy") == "same-origin"
            and response.headers.get("X-Frame-Options") in ("DENY", "SAMEORIGIN")
            and re.search("no-store|private", response.headers.get("Cache-Control", ""))
        )
        if not sound:
            wrong.append((a.route, dict(response.headers)))
    assert not wrong, listed(wrong)
    ours = [(route, title) for route, code, title in titles if code == 200 and route not in OF_THEIR_OWN]
    of_review = [(r, t) for r, t in ours if r.startswith("reviews/<slug:slug>/")]
    assert len(of_review) > 30
    assert [r for r, t in of_review if not re.fullmatch(rf"(\S.* · )?{re.escape(team.review.title)} · balm", t)] == []
    assert [(r, t) for r, t in ours if not re.fullmatch(r"\S.*\S · balm", t)] == []
