"""Extraction as acts: taken by two, blind until both have finished, settled with a reason, written with its source."""

from __future__ import annotations

from itertools import count

import pytest
from django.db import DatabaseError, connection, transaction

from balm.actions.team.acting import Acting, Refused
from balm.actions.team.archive import archive, bring_archive
from balm.actions.team.extraction import (
    add_row,
    comparison,
    enter,
    finish,
    remove_row,
    reopen,
    settle,
    take,
    write_agreed,
)
from balm.actions.team.rows import put_row
from balm.review.extraction.differences import AGREED, DIFFERS
from balm.review.extraction.sheets import Given
from balm.store.events.chain import broken_links
from balm.store.events.models import Event
from balm.store.extraction.current import sheet_of, standing_of
from balm.store.extraction.models import Consensus, Entry
from balm.store.reviews.models import Member, Row
from balm.store.reviews.package_rows import package_of
from balm.vocabulary.problems import InputError
from tests.web.conftest import Someone, Team, person
from tests.web.test_archive import _forget_chain as forget_chain
from tests.web.test_archive import moved

STUDY, RESULTS = "sigtermans2009", "results.csv"
_numbers = count(1)


def new() -> str:
    return f"submission-{next(_numbers)}"


def put(who: Someone, key: str, **values: str) -> None:
    enter(who.acting, STUDY, RESULTS, key, {c: Given(v) for c, v in values.items()}, submission=new())


def result(who: Someone, arm: str = "ket", **values: str) -> str:
    cells = {"outcome": "pain-intensity", "arm": arm, "time": "9", "time_unit": "d"}
    key = add_row(who.acting, STUDY, RESULTS, cells, form="mean-sd", submission=new())
    put(who, key, **({"n": "30", "mean": "2.68", "sd": "2.1", "page": "p. 4, table 2"} | values))
    return key


def both_finish(team: Team, **second: str) -> str:
    for who, values in ((team.teammate, {}), (team.second, second)):
        take(who.acting, STUDY)
        key = result(who, **values)
        finish(who.acting, STUDY, submission=new())
    return key


def test_what_both_enter_alike_is_agreed_and_written_with_page_and_report(team: Team) -> None:
    key = both_finish(team, mean="2.680")
    found = comparison(team.review, STUDY)
    assert {c.state for c in found.cells} == {AGREED} and found.open == 0
    write_agreed(team.teammate.acting, STUDY)
    row = next(r for r in package_of(team.review).results if r.result == f"{STUDY}-{key}")
    assert (row.mean, row.sd, row.n, row.time, row.scale) == (2.68, 2.1, 30, 9.0, "nrs")
    assert (row.how_read, row.usable, row.verified, row.page) == ("reported", True, True, "p. 4, table 2")
    assert row.source == "sigtermans2009, p. 4, table 2" and row.report == "sigtermans2009"
    assert list(broken_links(team.review.key)) == []


def test_a_study_counts_as_verified_with_its_first_number_that_names_its_page(team: Team) -> None:
    row = Row.objects.get(review=team.review, table="studies.csv", key=STUDY)
    plain = {name: value for name, value in row.cells.items() if name not in ("source", "verified")}
    put_row(team.owner.acting, "studies.csv", plain | {"verified": "no"}, reason="as a study that was begun here")
    both_finish(team)
    write_agreed(team.teammate.acting, STUDY)
    study = package_of(team.review).study(STUDY)
    assert study.verified and study.source == "sigtermans2009, p. 4, table 2" and study.label == row.cells["label"]


def test_a_difference_is_decided_by_the_arbiter_with_a_reason(team: Team) -> None:
    key = both_finish(team, sd="0.51")
    with pytest.raises(InputError, match="SD differs and is not settled yet"):
        write_agreed(team.arbiter.acting, STUDY)
    with pytest.raises(InputError, match="a decision needs its reason"):
        settle(team.arbiter.acting, STUDY, RESULTS, key, "sd", "2.1", reason=" ", submission=new())
    with pytest.raises(InputError, match="must be above 0; got -1"):
        settle(team.arbiter.acting, STUDY, RESULTS, key, "sd", "-1", reason="x", submission=new())
    settle(team.arbiter.acting, STUDY, RESULTS, key, "sd", "2.1", reason="table 2 says SD", submission=new())
    write_agreed(team.arbiter.acting, STUDY)
    assert next(r for r in package_of(team.review).results if r.result == f"{STUDY}-{key}").sd == 2.1
    event = Event.objects.get(chain=team.review.key, action="decision on differing cell")
    assert (event.before, event.after, event.reason) == ({"tariq": "2.1", "sofia": "0.51"}, "2.1", "table 2 says SD")


def test_the_two_settle_in_discussion_when_they_propose_the_same(team: Team) -> None:
    key = both_finish(team, sd="0.51")
    first = settle(team.teammate.acting, STUDY, RESULTS, key, "sd", "2.1", reason="it is the SD", submission=new())
    assert first.method == "proposal" and comparison(team.review, STUDY).open == 1
    again = settle(team.teammate.acting, STUDY, RESULTS, key, "sd", "2.1", reason="surely", submission=new())
    assert again.method == "proposal"
    other = settle(team.second.acting, STUDY, RESULTS, key, "sd", "2.10", reason="yes", submission=new())
    assert other.method == "discussion" and comparison(team.review, STUDY).open == 0


def test_a_row_of_one_person_is_one_difference_and_may_be_left_out(team: Team) -> None:
    for who in (team.teammate, team.second):
        take(who.acting, STUDY)
        result(who)
    extra = result(team.second, arm="pbo")
    for who in (team.teammate, team.second):
        finish(who.acting, STUDY, submission=new())
    (cell,) = [c for c in comparison(team.review, STUDY).cells if c.state == DIFFERS]
    assert (cell.key, cell.column) == (extra, "(row)")
    settle(team.arbiter.acting, STUDY, RESULTS, extra, "(row)", "removed", reason="figure only", submission=new())
    write_agreed(team.arbiter.acting, STUDY)
    assert not Row.objects.filter(review=team.review, table=RESULTS, key__contains=extra).exists()


def test_neither_sees_nor_compares_before_both_have_finished(team: Team) -> None:
    for who in (team.teammate, team.second):
        take(who.acting, STUDY)
        result(who)
    finish(team.teammate.acting, STUDY, submission=new())
    for who in (team.teammate, team.second, team.arbiter, team.owner):
        with pytest.raises(InputError, match="once everybody who extracts the study has finished"):
            comparison(team.review, STUDY)
        with pytest.raises(InputError, match="once everybody"):
            write_agreed(who.acting, STUDY)
    reopen(team.teammate.acting, STUDY, submission=new())
    assert standing_of(team.review, STUDY).finished == frozenset()


def test_after_the_comparison_nothing_is_entered_any_more(team: Team) -> None:
    key = both_finish(team)
    with pytest.raises(InputError, match="have been compared"):
        put(team.teammate, key, sd="3")
    with pytest.raises(InputError, match="stay as they were"):
        reopen(team.teammate.acting, STUDY, submission=new())


def test_a_third_person_finds_the_study_taken_and_a_viewer_may_not(team: Team) -> None:
    take(team.teammate.acting, STUDY)
    take(team.second.acting, STUDY)
    with pytest.raises(InputError, match="is extracted by tariq and sofia already"):
        take(team.owner.acting, STUDY)
    with pytest.raises(Refused, match="a viewer may not extract"):
        take(team.reader.acting, STUDY)
    with pytest.raises(InputError, match="take it first"):
        put(team.owner, "x", sd="1")


def test_the_same_submission_counts_once(team: Team) -> None:
    take(team.teammate.acting, STUDY)
    cells = {"outcome": "pain-intensity", "arm": "ket", "time": "9", "time_unit": "d"}
    once = new()
    keys = {add_row(team.teammate.acting, STUDY, RESULTS, cells, submission=once) for _ in range(2)}
    twice = new()
    for _ in range(2):
        enter(team.teammate.acting, STUDY, RESULTS, min(keys), {"mean": Given("3")}, submission=twice)
    assert len(keys) == 1 and Entry.objects.filter(submission=twice).count() == 1


def test_a_correction_is_a_new_entry_and_the_audit_trail_holds_no_hidden_value(team: Team) -> None:
    take(team.teammate.acting, STUDY)
    key = result(team.teammate, mean="2.68")
    put(team.teammate, key, mean="2.86")
    assert sheet_of(team.review, STUDY, "tariq")[RESULTS, key]["mean"].value == "2.86"
    assert list(Entry.objects.filter(column="mean").order_by("pk").values_list("value", flat=True)) == ["2.68", "2.86"]
    assert not Event.objects.filter(chain=team.review.key, action="enter values", after__icontains="2.86").exists()


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("sd", "0", "must be above 0"),
        ("p", "1.2", "must be between 0 and 1"),
        ("events", "2.5", "must be a whole number"),
        ("mean", "3,4", "a decimal point, not a comma"),
        ("scale", "kelvin", "must be one of nrs"),
        ("icc", "2", "must lie between 0 and 1"),
        ("study", "other", "is no field of this form"),
        ("verified", "yes", "is no field of this form"),
    ],
)
def test_what_cannot_be_is_refused_at_the_field_and_nothing_is_saved(
    team: Team, column: str, value: str, why: str
) -> None:
    take(team.teammate.acting, STUDY)
    key = result(team.teammate)
    before = Entry.objects.count()
    with pytest.raises(InputError, match=why) as caught:
        put(team.teammate, key, **{"n": "31", column: value})
    assert caught.value.problems[0].column == column
    assert Entry.objects.count() == before


def test_a_study_is_not_finished_while_a_number_cannot_be_or_a_page_is_missing(team: Team) -> None:
    take(team.teammate.acting, STUDY)
    key = result(team.teammate, ci_low="3", ci_high="4", page="")
    with pytest.raises(InputError) as caught:
        finish(team.teammate.acting, STUDY, submission=new())
    said = str(caught.value)
    assert "the interval does not contain the mean" in said and "page, table or figure is missing" in said
    put(team.teammate, key, ci_low="2", ci_high="3.5", page="p. 4")
    assert finish(team.teammate.acting, STUDY, submission=new()).finished == {"tariq"}


def test_one_extractor_is_enough_where_the_plan_says_so_and_each_row_says_it(team: Team) -> None:
    plan = team.review.files.get(path="review.toml")
    plan.content = bytes(plan.content) + b"\n[extraction]\nextractors = 1\n"
    plan.sha256 = "one extractor"
    plan.save()
    take(team.teammate.acting, STUDY)
    key = result(team.teammate)
    finish(team.teammate.acting, STUDY, submission=new())
    write_agreed(team.teammate.acting, STUDY)
    row = next(r for r in package_of(team.review).results if r.result == f"{STUDY}-{key}")
    assert row.how_read == "reported; one extractor"


def test_a_removed_row_comes_back_as_it_was(team: Team) -> None:
    take(team.teammate.acting, STUDY)
    key = result(team.teammate)
    remove_row(team.teammate.acting, STUDY, RESULTS, key, submission=new())
    assert (RESULTS, key) not in sheet_of(team.review, STUDY, "tariq")
    remove_row(team.teammate.acting, STUDY, RESULTS, key, back=True, submission=new())
    assert sheet_of(team.review, STUDY, "tariq")[RESULTS, key]["mean"].value == "2.68"


@pytest.mark.parametrize("table", ["entry", "taken", "finished", "consensus", "written"])
def test_the_database_refuses_to_change_what_was_entered(team: Team, table: str) -> None:
    key = both_finish(team, sd="3")
    settle(team.arbiter.acting, STUDY, RESULTS, key, "sd", "3", reason="x", submission=new())
    write_agreed(team.arbiter.acting, STUDY)
    assert Consensus.objects.exists()
    for verb in (f"UPDATE extraction_{table} SET study = 'x'", f"DELETE FROM extraction_{table}"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(verb)


def test_who_still_extracts_does_not_take_the_hidden_entries_home(team: Team) -> None:
    archive(team.owner.acting)
    take(team.owner.acting, STUDY)
    with pytest.raises(Refused, match="olga extracts sigtermans2009, which is not compared yet"):
        archive(team.owner.acting)


def test_everything_leaves_and_comes_back_in_the_archive(team: Team) -> None:
    key = both_finish(team, sd="3")
    settle(team.arbiter.acting, STUDY, RESULTS, key, "sd", "3", reason="x", submission=new())
    write_agreed(team.arbiter.acting, STUDY)
    first = archive(team.owner.acting)
    review_key = team.review.key
    moved(team.review)
    forget_chain(review_key)
    someone = person("new@example.org", "New")
    review = bring_archive(first, user=someone.user, claim="olga")
    assert comparison(review, STUDY).open == 0 and Entry.objects.filter(review=review).count() > 10
    assert archive(Acting(review, Member.objects.get(review=review, user=someone.user))) == first
