"""The pages of extraction: with and without script, refusing whom they should, the second person kept blind."""

from __future__ import annotations

import re
from itertools import count

import pytest
from django.http import HttpResponse
from django.test import Client

from balm.actions.team.extraction import add_row, enter, finish, take
from balm.review.extraction.sheets import Given
from balm.store.extraction.current import sheet_of
from balm.store.extraction.models import Entry
from balm.store.reviews.models import Row
from tests.web.conftest import Someone, Team

STUDY, RESULTS = "sigtermans2009", "results.csv"
_numbers = count(1)


def new() -> str:
    return f"page-submission-{next(_numbers)}"


def at(team: Team, rest: str = "", study: str = STUDY) -> str:
    return f"/reviews/{team.review.slug}/extraction/{study}/{rest}"


def adding(arms: tuple[str, ...] = ("ket", "pbo"), **more: str) -> dict[str, object]:
    return {
        "table": RESULTS, "outcome": "pain-intensity", "time": "9", "time_unit": "d", "form": "mean-sd",
        "arm": list(arms), "submission": new(),
    } | more  # fmt: skip


def text(response: HttpResponse) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def test_take_add_enter_finish_without_script(team: Team) -> None:
    c = team.teammate.client
    assert "Extract this study" in text(c.get(at(team)))
    assert c.post(at(team, "take/"), {"submission": new()}).status_code == 302
    assert c.post(at(team, "add/"), adding()).status_code == 302
    sent = {
        "table": RESULTS, "key": "pain-intensity_ket_9d", "submission": new(), "v.n": "30", "v.mean": "2.68",
        "v.se": "0.51", "v.page": "p. 4",
    }  # fmt: skip
    assert c.post(at(team, "enter/"), sent).status_code == 302
    sheet = sheet_of(team.review, STUDY, "tariq")
    assert sheet[RESULTS, "pain-intensity_ket_9d"]["mean"].value == "2.68"
    assert sheet[RESULTS, "pain-intensity_pbo_9d"]["scale"].value == "nrs"
    page = text(c.get(at(team)))
    assert "sd from se" in page and "SD = SE × √n" in page and "2.7934" in page
    assert "no number is entered" in text(c.post(at(team, "finish/"), {"submission": new()}))
    taken = {"table": RESULTS, "key": "pain-intensity_pbo_9d", "submission": new()}
    assert c.post(at(team, "remove/"), taken).status_code == 302
    assert c.post(at(team, "finish/"), {"submission": new()}).status_code == 302
    assert "You have finished this study" in text(c.get(at(team)))
    assert c.post(at(team, "reopen/"), {"submission": new()}).status_code == 302


def test_a_script_saves_one_field_and_gets_the_remarks_back(team: Team) -> None:
    c = team.teammate.client
    c.post(at(team, "take/"), {"submission": new()})
    c.post(at(team, "add/"), adding())
    sent = {"table": RESULTS, "key": "pain-intensity_ket_9d", "submission": new(), "v.mean": "35", "p.mean": "p. 3"}
    response = c.post(at(team, "enter/"), sent, headers={"X-Requested-With": "balm"})
    assert response.status_code == 200 and "35 lies outside numeric rating scale" in text(response)
    assert "<html" not in text(response)
    assert sheet_of(team.review, STUDY, "tariq")[RESULTS, sent["key"]]["mean"].page == "p. 3"
    bad = c.post(at(team, "enter/"), sent | {"submission": new(), "v.mean": "x"}, headers={"X-Requested-With": "balm"})
    assert bad.status_code == 422
    assert bad.json() == {"problems": [{"column": "mean", "text": "must be a number; got x"}]}


def test_a_wrong_value_stays_in_its_field_with_one_message_and_nothing_is_saved(team: Team) -> None:
    c = team.teammate.client
    c.post(at(team, "take/"), {"submission": new()})
    c.post(at(team, "add/"), adding())
    before = Entry.objects.count()
    sent = {"table": RESULTS, "key": "pain-intensity_ket_9d", "submission": new(), "v.n": "30", "v.sd": "<b>-1</b>"}
    response = c.post(at(team, "enter/"), sent)
    assert response.status_code == 422 and Entry.objects.count() == before
    assert 'value="&lt;b&gt;-1&lt;/b&gt;"' in text(response) and "must be a number" in text(response)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"arm": []}, "tick at least one arm"),
        ({"arm": ["nobody"]}, "must be one of ket, pbo, all, either"),
        ({"outcome": ""}, "must be chosen"),
        ({"outcome": "nothing"}, "must be one of pain-intensity"),
        ({"time": "soon"}, "must be a number"),
        ({"time": ""}, "come together"),
        ({"form": "guess"}, "form must be one of"),
        ({"submission": ""}, "submission"),
    ],
)
def test_a_result_that_cannot_be_named_is_refused_whole(team: Team, change: dict[str, object], why: str) -> None:
    c = team.teammate.client
    c.post(at(team, "take/"), {"submission": new()})
    response = c.post(at(team, "add/"), adding() | change)
    assert response.status_code == 422 and why in text(response)
    assert not Entry.objects.exists()


def test_rows_come_and_go_in_place_once_each(team: Team) -> None:
    c, here = team.teammate.client, {"HX-Request": "true"}
    c.post(at(team, "take/"), {"submission": new()})
    sent = adding(("ket",))
    for _ in range(2):  # a second click sends the same submission
        page = text(c.post(at(team, "add/"), sent, headers=here))
        assert 'id="results-pain-intensity_ket_9d" data-added' in page and page.count("data-added") == 1
    assert list(sheet_of(team.review, STUDY, "tariq")) == [(RESULTS, "pain-intensity_ket_9d")]
    ids = re.findall(r'name="submission" value="([^"]+)"', page)
    assert len(ids) == len(set(ids)) > 4, "each form of the page counts for itself"

    refused = c.post(at(team, "add/"), adding(("ket",), time=""), headers=here)
    sheet = text(refused).partition('<div class="sheet"')[2]
    assert refused.status_code == 422 and "come together" in sheet.partition("data-focus>")[2][:200]

    gone = {"table": RESULTS, "key": "pain-intensity_ket_9d", "submission": new()}
    for _ in range(2):
        page = text(c.post(at(team, "remove/"), gone, headers=here))
        assert 'pain-intensity_ket_9d was taken out. <button class="plain" data-focus>Put it back' in page
    assert "data-added" not in page
    back = text(c.post(at(team, "remove/"), gone | {"back": "yes", "submission": new()}, headers=here))
    assert 'id="results-pain-intensity_ket_9d" data-added' in back and "was taken out" not in back


def both(team: Team, sd: str = "0.51") -> str:
    for who, value in ((team.teammate, "2.1"), (team.second, sd)):
        take(who.acting, STUDY)
        key = add_row(
            who.acting, STUDY, RESULTS, {"outcome": "pain-intensity", "arm": "ket", "time": "9", "time_unit": "d"},
            submission=new(),
        )  # fmt: skip
        values = {"n": "30", "mean": "2.68", "sd": value, "page": "p. 4"}
        enter(who.acting, STUDY, RESULTS, key, {c: Given(v) for c, v in values.items()}, submission=new())
        finish(who.acting, STUDY, submission=new())
    return key


def test_the_arbiter_settles_and_writes_on_the_page(team: Team) -> None:
    key = both(team)
    c = team.arbiter.client
    page = text(c.get(at(team, "compare/")))
    assert "1</strong> to settle" in page and "2.1" in page and "0.51" in page
    sent = {"table": RESULTS, "key": key, "column": "sd", "value": "=2.1", "reason": "", "submission": new()}
    refused = c.post(at(team, "settle/"), sent)
    assert refused.status_code == 422 and "a decision needs its reason" in text(refused)
    other = text(c.post(at(team, "settle/"), sent | {"value": "other:", "other": "2.25"}))
    assert 'value="other:" checked' in other and 'value="2.25"' in other
    swapped = c.post(at(team, "settle/"), sent | {"reason": "table 2"}, headers={"HX-Request": "true"})
    assert swapped.status_code == 200 and "<html" not in text(swapped) and "Nothing is left to settle" in text(swapped)
    assert c.post(at(team, "write/")).status_code == 302
    assert Row.objects.get(review=team.review, table=RESULTS, key=f"{STUDY}-{key}").cells["sd"] == "2.1"
    assert "agreed and written" in text(c.get(f"/reviews/{team.review.slug}/extraction/"))
    assert c.post(at(team, "write/"), {"reason": "again"}).status_code == 302


def test_an_extractor_proposes_another_value(team: Team) -> None:
    key = both(team)
    sent = {
        "table": RESULTS, "key": key, "column": "sd", "value": "other:", "other": "2.2", "reason": "figure 2",
        "submission": new(),
    }  # fmt: skip
    assert team.teammate.client.post(at(team, "settle/"), sent).status_code == 302
    assert "tariq proposes <strong>2.2</strong>: figure 2" in text(team.second.client.get(at(team, "compare/")))


def test_the_pdf_of_the_report_stands_beside_the_form(team: Team) -> None:
    take(team.teammate.acting, STUDY)
    assert "<iframe" not in text(team.teammate.client.get(at(team)))
    team.review.files.create(path="full-texts/sigtermans2009.pdf", content=b"%PDF-1.4 x", sha256="0" * 64)
    address = at(team, "paper/sigtermans2009/")
    assert f'<iframe src="{address}#' in text(team.teammate.client.get(at(team)))
    response = team.teammate.client.get(address)
    assert (response.content, response["Content-Type"]) == (b"%PDF-1.4 x", "application/pdf")
    assert response["X-Frame-Options"] == "SAMEORIGIN" and "default-src 'none'" in response["Content-Security-Policy"]
    assert team.stranger.client.get(address).status_code == 404
    assert team.teammate.client.get(at(team, "paper/noppers2011/")).status_code == 404


PAGES = ["", "compare/"]
ACTS = ["take/", "enter/", "add/", "remove/", "finish/", "reopen/", "settle/", "write/"]


def test_strangers_readers_and_nobody_are_refused(team: Team) -> None:
    both(team)
    for rest in ("", *ACTS):
        ask = (lambda c, r=rest: c.post(at(team, r))) if rest else (lambda c: c.get(at(team)))
        assert ask(team.stranger.client).status_code == 404, rest
        assert ask(team.reader.client).status_code == 403, rest
        assert ask(team.anonymous).status_code == 302, rest
    assert team.reader.client.get(at(team, "compare/")).status_code == 200
    assert team.stranger.client.get(at(team, "compare/")).status_code == 404
    assert team.owner.client.get(at(team, study="no-such-study")).status_code == 404


def test_nobody_compares_before_both_have_finished(team: Team) -> None:
    take(team.teammate.acting, STUDY)
    for who in (team.teammate, team.second, team.arbiter, team.owner, team.reader):
        assert who.client.get(at(team, "compare/")).status_code == 409
        assert who.client.post(at(team, "write/")).status_code in (403, 409)


def _pages_of(someone: Someone | Client, team: Team) -> dict[str, bytes]:
    """Everything a person is shown about extraction, without what differs from request to request."""
    client = someone if isinstance(someone, Client) else someone.client
    found = {}
    addresses = [f"/reviews/{team.review.slug}/extraction/", f"/reviews/{team.review.slug}/"]
    addresses += [at(team, rest) for rest in PAGES] + [at(team, rest, "noppers2011") for rest in PAGES]
    for address in addresses:
        response = client.get(address)
        body = re.sub(
            rb'(csrfmiddlewaretoken"? value="|X-CSRFToken&quot;: &quot;|X-CSRFToken": ")[^"&]+', b"", response.content
        )
        found[address] = str(response.status_code).encode() + re.sub(rb'name="submission" value="[^"]*"', b"", body)
    return found


@pytest.mark.parametrize("how_far", ["taken", "entered", "entered otherwise", "finished"])
def test_no_page_of_anybody_changes_with_what_the_other_has_entered(team: Team, how_far: str) -> None:
    """Two worlds that differ in what sofia did after taking the study; everybody else's pages are the same bytes."""
    for who in (team.teammate, team.second):
        take(who.acting, STUDY)
    key = add_row(
        team.teammate.acting, STUDY, RESULTS,
        {"outcome": "pain-intensity", "arm": "ket", "time": "9", "time_unit": "d"}, submission=new(),
    )  # fmt: skip
    enter(team.teammate.acting, STUDY, RESULTS, key, {"mean": Given("3")}, submission=new())
    everybody = (team.teammate, team.owner, team.arbiter, team.statistician, team.reader)
    before = [_pages_of(who, team) for who in everybody]
    if how_far != "taken":
        cells = {"outcome": "pain-intensity", "arm": "pbo", "time": "9", "time_unit": "d"}
        other = add_row(team.second.acting, STUDY, RESULTS, cells, submission=new())
        mean = "7" if how_far == "entered" else "5.45"
        values = {"n": "30", "mean": mean, "sd": "2", "page": "p. 4"}
        enter(team.second.acting, STUDY, RESULTS, other, {c: Given(v) for c, v in values.items()}, submission=new())
    if how_far == "finished":
        finish(team.second.acting, STUDY, submission=new())
    assert [_pages_of(who, team) for who in everybody] == before
