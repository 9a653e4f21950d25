"""Rows of duplicates.csv from what was found: the record kept stays, nothing is asked twice, a person stands above."""

from __future__ import annotations

import pytest

from balm.review.deduplication.canonical import canonical
from balm.review.deduplication.decided import SAME_STUDY
from balm.review.deduplication.duplicates import find_duplicates
from balm.review.deduplication.side_by_side import DIFFERENT, MOST_WORDS, ONE_SIDE, SAME, side_by_side
from balm.review.deduplication.standing_rows import NO_LONGER, kept_by, open_questions, rows_in_place
from balm.review.records.withdrawal import why_it_stays
from balm.vocabulary.evidence import DuplicateDecision
from balm.vocabulary.record import Record

TITLE = "Ketamine for chronic neuropathic pain of adults: a randomised trial"


def record(name: str, title: str = TITLE, pages: str = "221-228", **more: object) -> Record:
    return Record(
        id=name, title=title, authors=("Lynch, Mary",), year=2015, journal="Pain", volume="16", pages=pages, **more
    )  # type: ignore[arg-type]


def said(one: str, two: str, decision: str, person: str | None = None, rule: str | None = None) -> DuplicateDecision:
    return DuplicateDecision(one, two, decision, rule, person, "1")


def rows(records: list[Record], decisions: list[DuplicateDecision]) -> list[DuplicateDecision]:
    place = {r.id: k for k, r in enumerate(records)}
    return rows_in_place(find_duplicates(records, decisions=decisions), decisions, place, time="2")


def test_the_earliest_record_is_kept_however_complete_a_later_one_is() -> None:
    poor, rich = record("poor"), record("rich", doi="10.1000/x", abstract="A trial.", pmid="1")
    (first,) = rows([poor, rich], [])
    assert (first.record_1, first.record_2, first.decision, first.person) == ("poor", "rich", "duplicate", None)
    assert rows([poor, rich], [first]) == []


def test_two_reports_that_turn_out_to_be_one_keep_the_earlier_name() -> None:
    records = [record("a"), record("b"), record("c")]
    before = [said("c", "b", "duplicate", rule="same DOI")]
    made = rows(records, before)
    assert [(r.record_1, r.record_2) for r in made] == [("a", "c")]
    assert set(kept_by([*before, *made]).values()) == {"a"}


def test_a_merge_by_rule_that_no_longer_holds_is_taken_back() -> None:
    records = [record("a"), record("b", "Lidocaine in sciatica", pages="1-4")]
    (made,) = rows(records, [said("a", "b", "duplicate", rule="same DOI")])
    assert (made.decision, made.rule) == ("undecided", NO_LONGER)
    assert open_questions([said("a", "b", "duplicate", rule="same DOI"), made]) == []


def test_a_question_is_asked_once_and_closed_for_both_groups() -> None:
    records = [record("a"), record("b"), record("c", TITLE.split(":")[0], pages="900-905")]
    made = rows(records, [])
    assert [r.decision for r in made] == ["duplicate", "undecided"]
    assert rows(records, made) == []
    (question,) = open_questions(made)
    assert {question.record_1, question.record_2} == {"a", "c"}
    for answer in ("duplicate", "not duplicate"):
        assert open_questions([*made, said("b", "c", answer, "Ada")]) == []
        assert open_questions([*made, said("b", "c", answer, "Ada"), said("b", "c", "undecided", "Ada")]) == [question]


def test_a_person_stands_above_what_is_found() -> None:
    records = [record("a"), record("b")]
    assert rows(records, [said("a", "b", "not duplicate", "Ada")]) == []


def test_a_decision_on_a_record_that_is_not_there_changes_nothing() -> None:
    assert [c.ids for c in canonical([{"record": "a"}], [said("a", "gone", "duplicate")])] == [("a",)]


def test_fields_side_by_side() -> None:
    left = record("a", language="en", abstract="word " * (MOST_WORDS + 1))
    right = record("b", TITLE.upper() + ".", pages="221-9", abstract="another " * (MOST_WORDS + 1))
    state = {c.field: c.state for c in side_by_side(left, right)}
    assert (state["title"], state["pages"], state["language"], state["abstract"]) == (
        SAME,
        DIFFERENT,
        ONE_SIDE,
        DIFFERENT,
    )
    pages = next(c for c in side_by_side(left, right) if c.field == "pages")
    assert [text for text, differs in pages.right if differs] == ["9"]
    assert "".join(text for text, _ in pages.left) == "221-228"


@pytest.mark.parametrize(
    ("decisions", "batches", "linked", "why"),
    [
        ([], set(), set(), ""),
        ([said("a", "x", "duplicate", rule="same DOI")], set(), set(), ""),
        (
            [said("a", "x", "duplicate", rule="same DOI")],
            {"x"},
            set(),
            "a record of it (x) was handed out for screening",
        ),
        ([], set(), {"a"}, "a record of it (a) leads to a report already"),
        ([said("a", "x", "not duplicate", "Ada", SAME_STUDY)], set(), set(), "Ada decided on a and x"),
        ([said("x", "y", "not duplicate", "Ada")], {"x"}, {"x"}, ""),
    ],
)
def test_an_import_stays_as_soon_as_something_rests_on_it(decisions, batches, linked, why) -> None:  # type: ignore[no-untyped-def]
    assert why_it_stays({"a", "b"}, decisions, in_batches=batches, linked=linked).startswith(why or "")
    assert bool(why_it_stays({"a", "b"}, decisions, in_batches=batches, linked=linked)) == bool(why)
