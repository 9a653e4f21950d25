"""The pages of screening: they work, refuse the stranger and the reader, and keep the second person blind."""

from __future__ import annotations

import json
import re

import pytest
from django.db import transaction

from balm.actions.team.screening import open_stage
from balm.store.screening.models import Vote
from tests.web.conftest import Someone, Team
from tests.web.test_screening_actions import FT, TA, vote, with_records

PAGES = ["", f"{TA}/", f"{TA}/next/", f"{TA}/mine/", f"{TA}/conflicts/", f"{TA}/agreement/", f"{FT}/conflicts/"]


@pytest.fixture
def screening(team: Team) -> Team:
    """Twelve records, title and abstract open to tariq and sofia."""
    with_records(team.review)
    open_stage(team.owner.acting, TA, ["tariq", "sofia"])
    return team


def get(who: Someone, team: Team, page: str) -> tuple[int, str]:
    response = who.client.get(f"/reviews/{team.review.slug}/screening/{page}")
    return response.status_code, response.content.decode()


def post(who: Someone, team: Team, page: str, **data: object) -> tuple[int, str]:
    accept = data.pop("accept", "text/html")
    response = who.client.post(f"/reviews/{team.review.slug}/screening/{page}", data, headers={"accept": accept})
    return response.status_code, response.content.decode()


def sitting_of(page: str) -> dict[str, object]:
    found = re.search(r'<script id="sitting" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_a_reviewer_reads_votes_and_sees_the_next(screening: Team) -> None:
    code, page = get(screening.teammate, screening, f"{TA}/")
    assert code == 200
    records = sitting_of(page)["records"]
    assert len(records) == 12
    given = {"record": records[0]["id"], "batch": 1, "decision": "include", "submission": "from-a-form-1", "note": "n"}
    assert post(screening.teammate, screening, f"{TA}/votes/", **given)[0] == 302
    _, page = get(screening.teammate, screening, f"{TA}/")
    assert sitting_of(page)["records"][0]["vote"] == {"decision": "include", "reason": "", "note": "n"}
    assert "1 of 12 decided" in page
    code, counted = post(screening.teammate, screening, f"{TA}/votes/", accept="application/json", **given)
    assert json.loads(counted) == {"counted": "from-a-form-1"}
    assert Vote.objects.count() == 1
    assert "Ketamine infusion" in get(screening.teammate, screening, f"{TA}/mine/?q=ketamine")[1]
    assert "Nothing is found" in get(screening.teammate, screening, f"{TA}/mine/?q=nowhere")[1]


@pytest.mark.parametrize("page", PAGES)
def test_strangers_see_nothing_and_readers_do_not_screen(screening: Team, page: str) -> None:
    assert get(screening.stranger, screening, page)[0] == 404
    assert screening.anonymous.get(f"/reviews/{screening.review.slug}/screening/{page}").status_code == 302
    wanted = 403 if page in (f"{TA}/", f"{TA}/next/", f"{TA}/mine/") else 200
    assert get(screening.reader, screening, page)[0] == wanted
    assert get(screening.teammate, screening, page)[0] == 200


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"decision": "yes"}, "decision must be one of"),
        ({"record": "r99"}, "was not given to you"),
        ({"batch": "9"}, "was not given to you"),
        ({"batch": "x"}, "whole number"),
        ({"submission": ""}, "required"),
        ({"submission": "x"}, "8 to 64"),
        ({"note": "x" * 6000}, "at most 5001"),
        ({"decision": "exclude", "reason": "wrong population"}, "a reason belongs to"),
        ({"seconds": "nan"}, "Enter a number"),
    ],
)
def test_a_wrong_vote_is_one_clear_message_and_saves_nothing(screening: Team, given: dict[str, str], why: str) -> None:
    get(screening.teammate, screening, f"{TA}/")
    data = {"record": "r1", "batch": "1", "decision": "include", "submission": "from-a-form-1"} | given
    with transaction.atomic():
        code, answer = post(screening.teammate, screening, f"{TA}/votes/", accept="application/json", **data)
    assert code == 422
    assert why in json.loads(answer)["problem"]
    with transaction.atomic():
        assert post(screening.teammate, screening, f"{TA}/votes/", **data)[0] == 422
    assert Vote.objects.count() == 0


def test_the_lead_opens_and_closes(team: Team) -> None:
    with_records(team.review)
    assert "not opened yet" in get(team.owner, team, "")[1]
    form = {f"{TA}-screeners": ["tariq", "sofia"], f"{TA}-size": "5"}
    assert post(team.teammate, team, f"{TA}/open/", **form)[0] == 403
    assert post(team.owner, team, f"{TA}/open/", **form | {f"{TA}-size": "0"})[0] == 422
    assert post(team.owner, team, f"{TA}/open/", **form)[0] == 302
    assert "Read by tariq, sofia" in get(team.owner, team, "")[1]
    assert post(team.owner, team, f"{TA}/close/")[0] == 302
    assert "closed" in get(team.owner, team, "")[1]


def test_a_conflict_is_discussed_and_settled_on_its_page(screening: Team) -> None:
    get(screening.teammate, screening, f"{TA}/")
    vote(screening.teammate, "r1", "include", note="dose <b>fine</b>")
    vote(screening.second, "r1", "exclude")
    page = get(screening.arbiter, screening, f"{TA}/conflicts/")[1]
    assert "sofia, tariq" in page
    assert "badge exclude" not in page and "badge include" not in page
    page = get(screening.arbiter, screening, f"{TA}/records/r1/")[1]
    assert "dose &lt;b&gt;fine&lt;/b&gt;" in page and "<b>fine" not in page
    said = {"note": "Rats.", "submission": "remark-01"}
    assert post(screening.teammate, screening, f"{TA}/records/r1/remark/", **said)[0] == 302
    assert post(screening.reader, screening, f"{TA}/records/r1/remark/", **said)[0] == 403
    decided = {"decision": "exclude", "note": "Rats, so out.", "submission": "decision-1", "turn": "1"}
    assert post(screening.teammate, screening, f"{TA}/records/r1/settle/", **decided)[0] == 403
    assert post(screening.arbiter, screening, f"{TA}/records/r1/settle/", **decided)[0] == 302
    assert "Rats, so out." in get(screening.reader, screening, f"{TA}/records/r1/")[1]
    assert "tariq and sofia: 1 record" in get(screening.reader, screening, f"{TA}/agreement/")[1].replace(
        "sofia and tariq", "tariq and sofia"
    )


def test_full_text_buttons_exclude_for_a_reason(screening: Team) -> None:
    get(screening.teammate, screening, f"{TA}/")
    vote(screening.teammate, "r1", "include")
    vote(screening.second, "r1", "maybe")
    open_stage(screening.owner.acting, FT, ["tariq", "sofia"])
    page = get(screening.teammate, screening, f"{FT}/")[1]
    assert 'name="excluded_for" value="wrong population"' in page
    given = {"record": "r1", "batch": 1, "excluded_for": "wrong population", "submission": "from-a-form-1"}
    assert post(screening.teammate, screening, f"{FT}/votes/", **given)[0] == 302
    assert Vote.objects.get(stage=FT).reason == "wrong population"


def everything(who: Someone, team: Team) -> dict[str, str]:
    """Every page of one person, without what is drawn anew for each request."""
    found = {}
    pages = [*PAGES, f"{FT}/", f"{TA}/mine/?decision=exclude", f"{FT}/agreement/"]
    pages += [f"{TA}/records/r{k}/" for k in range(1, 13)]
    for page in pages:
        code, text = get(who, team, page)
        text = re.sub(r'"X-CSRFToken": "\w+"|name="csrfmiddlewaretoken" value="\w+"', "", text)
        text = re.sub(r'name="submission" value="\w+"', "", text)
        found[page] = f"{code} {text}"
    for address in ELSEWHERE:
        answer = who.client.get(f"/reviews/{team.review.slug}/{address}")
        text = (
            answer.content.decode() if answer.get("Content-Type", "").startswith(("text/", "application/json")) else ""
        )
        text = re.sub(r'"X-CSRFToken": "\w+"|name="csrfmiddlewaretoken" value="\w+"', "", text)
        found[f"../{address}"] = f"{answer.status_code} " + re.sub(r'name="submission" value="[\w-]+"', "", text)
    return found


#: The first pages of the other stages: nothing of a hidden vote reaches them either.
ELSEWHERE = (
    "",
    "flow/",
    "report/",
    "audit/",
    "records/",
    "deduplication/",
    "full-texts/",
    "archive/",
    "members/",
    "set-up/",
)


class Undone(Exception):
    """Ends one world."""


def world(team: Team, others: list[tuple[str, str]], who: Someone | None = None) -> dict[str, str]:
    """What ``who`` (tariq) sees where sofia has voted so; then it never happened."""
    found: dict[str, str] = {}
    try:
        with transaction.atomic():
            for record, decision in others:
                vote(team.second, record, decision, note=f"sofia says {decision}", seconds=9.0)
            found = everything(who or team.teammate, team)
            raise Undone
    except Undone:
        return found


def test_no_page_changes_with_a_vote_that_is_hidden(screening: Team) -> None:
    get(screening.teammate, screening, f"{TA}/")
    vote(screening.teammate, "r1", "include")
    vote(screening.teammate, "r2", "exclude")
    hidden = [f"r{k}" for k in range(3, 13)]
    nothing = world(screening, [])
    for one in (
        [(r, "include") for r in hidden],
        [(r, "exclude") for r in hidden],
        [(r, "maybe") for r in hidden[:4]] + [("r3", "withdrawn")],
    ):
        seen = world(screening, one)
        assert {page for page in seen if seen[page] != nothing[page]} == set()


def test_a_lead_who_screens_is_as_blind_as_anybody(team: Team) -> None:
    with_records(team.review)
    open_stage(team.owner.acting, TA, ["olga", "sofia"])
    get(team.owner, team, f"{TA}/")
    vote(team.owner, "r1", "include")
    nothing = world(team, [], team.owner)
    for decision in ("include", "exclude"):
        seen = world(team, [(f"r{k}", decision) for k in range(2, 13)], team.owner)
        assert {page for page in seen if seen[page] != nothing[page]} == set()


def test_what_is_revealed_is_seen(screening: Team) -> None:
    """The test above can fail: a revealed vote does change pages."""
    get(screening.teammate, screening, f"{TA}/")
    vote(screening.teammate, "r1", "include")
    assert world(screening, [("r1", "exclude")]) != world(screening, [])


def test_the_paper_is_beside_the_full_text_vote(screening: Team) -> None:
    from tests.web.test_full_texts import pdf, send

    for who in (screening.teammate, screening.second):
        get(who, screening, f"{TA}/")
        for record in ("r1", "r2"):
            vote(who, record, "include", batch=1)
    open_stage(screening.owner.acting, FT, ["tariq", "sofia"])
    _, before = get(screening.teammate, screening, f"{FT}/")
    assert [r["paper"] for r in sitting_of(before)["records"]] == ["", ""]
    assert "There is no PDF of this report here yet" in before
    assert send(screening.second, screening, pdf("Methods"))[0] == 302
    response = screening.teammate.client.get(f"/reviews/{screening.review.slug}/screening/{FT}/")
    address = f"/reviews/{screening.review.slug}/full-texts/reports/r1/paper/"
    assert {r["id"]: r["paper"] for r in sitting_of(response.content.decode())["records"]} == {"r1": address, "r2": ""}
    assert f'src="{address}#' in response.content.decode()
    assert "frame-src 'self';" in response.headers["Content-Security-Policy"], "a frame of our own and no other"
    assert address in get(screening.reader, screening, f"{FT}/records/r1/")[1]
    assert "paper" not in sitting_of(get(screening.teammate, screening, f"{TA}/")[1])["records"][0]
