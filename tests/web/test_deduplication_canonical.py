"""One record a report, as every other stage sees it: laid over its records, and current with the package's rows."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from balm.actions.team.deduplication import answer_question, canonical_ids, canonical_record, canonical_records
from balm.actions.team.rows import append_rows
from balm.vocabulary.problems import InputError
from tests.web.conftest import Team

ROWS = [
    {"record": "a", "search": "s1", "title": "KETAMINE FOR PAIN", "authors": "Lynch ME; Clark AJ", "year": "2015"},
    {"record": "b", "search": "s2", "title": "Ketamine for pain", "doi": "10.1/x", "abstract": "A trial."},
    {"record": "c", "search": "s1", "title": "=sum"},
]


def imported(team: Team) -> None:
    searches = [{"search": s, "kind": "database", "source": s} for s in ("s1", "s2")]
    append_rows(team.owner.acting, "searches.csv", searches)
    append_rows(team.owner.acting, "records.csv", ROWS)


def decide(team: Team, one: str, two: str, decision: str, person: str = "", time: str = "1") -> None:
    row = {"record_1": one, "record_2": two, "decision": decision, "rule": "same DOI", "person": person, "time": time}
    append_rows(team.owner.acting, "duplicates.csv", [row])


def test_without_decisions_every_record_stands_for_itself(team: Team) -> None:
    assert canonical_records(team.review) == []
    imported(team)
    assert canonical_ids(team.review) == ["a", "b", "c"]
    only = canonical_record(team.review, "c")
    assert only is not None
    assert (only.title, only.ids, only.searches, only.provenance) == ("=sum", ("c",), ("s1",), {})
    assert canonical_record(team.review, "d") is None


def test_the_records_of_one_report_are_one_with_the_best_of_each(team: Team) -> None:
    imported(team)
    assert len(canonical_ids(team.review)) == 3
    decide(team, "a", "b", "duplicate")
    one, other = canonical_records(team.review)
    assert (one.id, one.ids, one.searches) == ("a", ("a", "b"), ("s1", "s2"))
    assert (one.title, one.doi, one.year, one.authors) == (
        "Ketamine for pain",
        "10.1/x",
        2015,
        ("Lynch ME", "Clark AJ"),
    )
    assert (one.provenance["title"], one.provenance["year"], other.id) == (("b",), ("a",), "c")
    decide(team, "a", "b", "not duplicate", "olga", "2")
    assert canonical_ids(team.review) == ["a", "b", "c"]


def test_nothing_is_made_again_while_nothing_has_changed(team: Team) -> None:
    imported(team)
    canonical_ids(team.review)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        canonical_ids(team.review)
    assert len(queries) == 3


def test_what_was_kept_apart_is_not_joined_through_a_third_record(team: Team) -> None:
    imported(team)
    decide(team, "a", "b", "duplicate")
    decide(team, "b", "c", "not duplicate", "olga", "2")
    assert canonical_ids(team.review) == ["a", "c"]
    with pytest.raises(InputError, match="a and c cannot become one"):
        answer_question(team.owner.acting, "a", "c", "duplicate")
    with pytest.raises(InputError, match="a and b stand in one group"):
        answer_question(team.owner.acting, "a", "b", "not duplicate")
    with pytest.raises(InputError, match="no record 'x'"):
        answer_question(team.owner.acting, "a", "x", "duplicate")
    assert canonical_ids(team.review) == ["a", "c"]
