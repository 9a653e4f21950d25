"""Versions and milestones: what each had, in which order, and that every count adds up from one to the next."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balm.actions.review import Review
from balm.review.living.changed import screened
from balm.review.living.history import (
    as_of,
    record_versions,
    search_versions,
    studies_as_of,
    study_versions,
    timeline,
    version_called,
    version_problems,
)
from balm.review.living.tables import table_changes
from balm.review.package import Package
from balm.review.schema import TABLE_BY_FILE, TABLES
from balm.review.tables import read_cell
from balm.vocabulary.evidence import DuplicateDecision, Record, ReviewVersion, Search, Vote
from balm.vocabulary.problems import InputError

KETAMINE = Review.load(Path(__file__).parents[4] / "reviews" / "ketamine-chronic-pain").package


def version(name: str, kind: str = "version", **about: object) -> ReviewVersion:
    return ReviewVersion(name, kind, f"Version {name}", None, **{"searched": None, **about})  # type: ignore[arg-type]


def search(name: str) -> Search:
    return Search(name, "database", name, None, None, None, None, None, None, None)


def record(name: str, found_by: str, report: str | None = None) -> Record:
    return Record(name, found_by, None, None, None, None, None, None, None, report)


@st.composite
def living(draw: st.DrawFn) -> Package:
    """A review with up to three versions; its searches, records, duplicates and studies came whenever they came."""
    own = [f"v{i}" for i in range(draw(st.integers(1, 3)))]
    searches = [f"s{i}" for i in range(draw(st.integers(0, 4)))]
    named = {s: draw(st.sampled_from([*own, None])) for s in searches}
    studies = [s.study for s in KETAMINE.studies[:8]]
    came = {s: draw(st.sampled_from([*own, None])) for s in studies}
    reports = [r.report for r in KETAMINE.reports if set(r.studies) & set(studies)]
    records = [
        record(f"r{i}", draw(st.sampled_from(searches)), draw(st.sampled_from([*reports, None])))
        for i in range(draw(st.integers(0, 8)) if searches else 0)
    ]
    ids = [r.record for r in records]
    pairs = draw(st.lists(st.tuples(st.sampled_from(ids), st.sampled_from(ids)), max_size=4)) if ids else []
    voted = draw(st.lists(st.sampled_from(ids), max_size=5, unique=True)) if ids else []
    return replace(
        KETAMINE,
        versions=tuple(
            version(
                v,
                searches=tuple(s for s in searches if named[s] == v),
                studies=tuple(s for s in studies if came[s] == v),
            )
            for v in own
        ),
        searches=tuple(search(s) for s in searches),
        records=tuple(records),
        duplicates=tuple(DuplicateDecision(a, b, "duplicate", None, "ana", None) for a, b in pairs if a != b),
        screening=tuple(Vote(r, "title-abstract", "ana", "include", "vote", None, None) for r in voted),
    )


@settings(max_examples=60, deadline=None)
@given(living())
def test_every_count_adds_up_from_version_to_version(package: Package) -> None:
    wrong: list[object] = []
    states = [as_of(package, v) for v in package.versions]
    assert {s.study for s in states[-1].studies} == {s.study for s in package.studies}, "the latest version has all"
    assert len(states[-1].records) == len(package.records)
    for before, after in pairwise(states):
        for name, t in table_changes(before, after).items():
            if t.before + len(t.added) - len(t.removed) != t.after or t.removed or t.changed:
                wrong.append((name, t))
    for state in states:
        s = screened(state)
        if s.forward + s.excluded + s.conflict + s.waiting != s.records or s.waiting < 0:
            wrong.append(("screened", s))
    came = study_versions(package)
    if sum(list(came.values()).count(v.version) for v in package.versions) != len(package.studies):
        wrong.append(("studies", came))
    assert not wrong


def test_a_study_comes_with_the_version_that_names_it_else_with_its_first_search_else_with_the_latest() -> None:
    one, two, three = (s.study for s in KETAMINE.studies[:3])
    report = next(r.report for r in KETAMINE.reports if two in r.studies)
    package = replace(
        KETAMINE,
        versions=(version("1", searches=("a",), studies=(one,)), version("2", searches=("b",))),
        searches=(search("a"), search("b"), search("c")),
        records=(record("r1", "a", report), record("r2", "b", report), record("r3", "b"), record("r4", "c")),
        duplicates=(DuplicateDecision("r3", "r1", "duplicate", None, "ana", None),),
    )
    came = study_versions(package)
    assert (came[one], came[two], came[three]) == ("1", "1", "2")
    assert search_versions(package) == {"a": "1", "b": "2", "c": "2"}
    assert record_versions(package) == {"r1": "1", "r2": "2", "r3": "1", "r4": "2"}, "a copy is no new report"


def test_a_milestone_holds_the_studies_published_by_its_year() -> None:
    at = version_called(KETAMINE, "orhurhu-2019")
    here = studies_as_of(KETAMINE, at)
    assert {s.year for s in KETAMINE.studies if s.study in here} <= set(range(1990, 2018))
    assert "rigo2017" in here and "fallon2018" not in here
    state = as_of(KETAMINE, at)
    assert all(
        r.study in here for t in TABLES if t.attribute in ("arms", "results") for r in getattr(state, t.attribute)
    )


def test_a_version_was_last_searched_when_its_row_says_else_at_the_latest_of_its_searches() -> None:
    dated = [replace(search(name), date=date) for name, date in (("a", "2024-03"), ("b", "2025-01-16"), ("c", "2026"))]
    told = version("2", searches=("c",), searched="2026-10-02")
    package = replace(KETAMINE, searches=tuple(dated), records=(), versions=(version("1", searches=("a", "b")), told))
    assert [v.searched for v in timeline(package)] == ["2025-01-16", "2026-10-02"]
    assert {v.version: v.searched for v in timeline(replace(package, searches=()))} == {"1": None, "2": "2026-10-02"}


def test_the_timeline_goes_by_the_search_and_then_by_the_date() -> None:
    names = [v.version for v in timeline(KETAMINE)]
    assert (
        names[0] == "orhurhu-2019"
        and names[-1] == "0.1"
        and names.index("guimaraes-2022") < names.index("cochrane-2025")
    )


WRONG = [
    ([version("m", "milestone")], "date", "a milestone needs the date"),
    ([version("m", "milestone", searched="2020", studies=("a",))], "studies", "belongs to a version of this review"),
    ([version("1", studies=("a",)), version("2", studies=("a",))], "studies", "'a' came with version 1 already"),
    ([version("1", searched="2024-05"), version("2", searched="2024-04-30")], "searched", "oldest first"),
]


@pytest.mark.parametrize(("rows", "column", "said"), WRONG)
def test_what_contradicts_itself_is_named(rows: list[ReviewVersion], column: str, said: str) -> None:
    (problem,) = version_problems(rows)
    assert problem.column == column and said in problem.reason and problem.file == "versions.csv"


@pytest.mark.parametrize("text", ["2024-13", "24", "2024-1", "2024-02-30x", "May 2024", "2024-00-01"])
def test_a_date_is_one_as_far_as_it_is_known(text: str) -> None:
    column = TABLE_BY_FILE["versions.csv"].column("searched")
    assert read_cell(text, column) == (None, "must be a date as YYYY, YYYY-MM or YYYY-MM-DD")
    assert [read_cell(one, column)[0] for one in ("2024", "2024-12", "2024-12-31")] == ["2024", "2024-12", "2024-12-31"]


def test_dates_are_compared_as_far_as_both_are_known() -> None:
    assert not version_problems([version("1", searched="2024-05-02"), version("2", searched="2024")])


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(InputError, match="the version must be one of"):
        version_called(KETAMINE, "9")
    with pytest.raises(InputError, match="has no versions yet"):
        version_called(replace(KETAMINE, versions=()), "1")
