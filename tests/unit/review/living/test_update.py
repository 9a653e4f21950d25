"""An update screens what is new and nothing else; its flow adds up beside what was there before."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given, settings

from balm.review.flow_counts import flow_of
from balm.review.living.history import as_of, record_versions, report_versions, study_versions, version_problems
from balm.review.living.update import begin_update, flow_of_version, living_flow, update_of
from balm.review.package import Package
from balm.vocabulary.evidence import DuplicateDecision, Report, Vote
from balm.vocabulary.problems import InputError
from tests.unit.review.living.test_history import KETAMINE, living, record, search, version

BARE = replace(KETAMINE, meta=replace(KETAMINE.meta, flow=MappingProxyType({})), studies=(), reports=(), arms=(),
               results=(), contrasts=(), risk_of_bias=(), cohorts=())  # fmt: skip


def vote(name: str, decision: str, stage: str = "title-abstract") -> Vote:
    reason = "other design" if decision == "exclude" and stage == "full-text" else None
    return Vote(name, stage, "ana", decision, "vote", reason, None)


def two_runs() -> Package:
    """Run 1 found r1 (included) and r2 (excluded); run 2 found r1 again, r2 again, and r3, r3b (a copy) and r4."""
    study, report = KETAMINE.studies[0], KETAMINE.reports[0]
    return replace(
        BARE,
        versions=(version("1", searches=("a",)), version("2", searches=("b",))),
        searches=(replace(search("a"), retrieved=2), replace(search("b"), retrieved=5)),
        records=(
            record("r1", "a"), record("r2", "a"), record("r1-again", "b"), record("r2-again", "b"), record("r3", "b"),
            record("r3b", "b"), record("r4", "b"),
        ),
        duplicates=tuple(
            DuplicateDecision(a, b, "duplicate", "same DOI", None, None)
            for a, b in (("r1", "r1-again"), ("r2-again", "r2"), ("r3", "r3b"))
        ),
        screening=(
            vote("r1", "include"), vote("r2", "exclude"), vote("r3", "include"),
            vote("r1", "include", "full-text"), vote("r3", "include", "full-text"),
        ),
        studies=tuple(replace(study, study=f"s-{r}", scope="included") for r in ("r1", "r3")),
        reports=tuple(replace(report, report=r, studies=(f"s-{r}",)) for r in ("r1", "r3")),
    )  # fmt: skip


def test_only_records_of_new_reports_are_screened() -> None:
    package = two_runs()
    update = update_of(package, package.versions[1])
    assert (update.found, update.known, update.copies) == (5, 2, 1)
    assert update.new == ("r3", "r4") and update.to_screen == ("r4",)


def test_the_flow_shows_previous_and_new() -> None:
    package = two_runs()
    flow = living_flow(package)
    assert flow.is_update and (flow.previous_studies, flow.new_studies, flow.total_studies) == (1, 1, 2)
    assert (flow.previous_reports, flow.new_reports, flow.total_reports) == (1, 1, 2)
    assert (flow.database_results, flow.duplicates, flow.records_screened, flow.records_waiting) == (5, 3, 1, 1)
    assert (flow.dbr_sought_reports, flow.dbr_assessed, flow.dbr_excluded) == (1, 1, 0)
    assert flow.problems() == ()
    first = flow_of_version(package, package.versions[0])
    assert not first.is_update and (first.database_results, first.records_excluded, first.new_studies) == (2, 1, 1)
    assert first.problems() == ()


def test_a_new_report_of_a_study_that_was_included_before_is_a_new_report() -> None:
    package = two_runs()
    package = replace(package, studies=package.studies[:1], reports=(
        package.reports[0], replace(package.reports[1], studies=("s-r1",)), replace(package.reports[0], report="x"),
    ))  # fmt: skip
    assert report_versions(package) == {"r1": "1", "r3": "2", "x": "1"}, "what no search found came with its study"
    flow = living_flow(package, by_record=True)
    assert (flow.previous_studies, flow.new_studies, flow.total_studies) == (1, 0, 1)
    assert (flow.previous_reports, flow.new_reports, flow.total_reports) == (2, 1, 3)
    assert flow.note == "One of the new reports is of a study that was included before." and flow.problems() == ()
    first = flow_of_version(package, package.versions[0])
    assert (first.new_studies, first.new_reports, first.note) == (1, 2, ""), "the new report was not there yet"


def test_a_study_left_out_later_leaves_its_report_excluded_and_the_sums_hold() -> None:
    package = two_runs()
    one, two = package.studies
    now = living_flow(replace(package, studies=(one, replace(two, scope="excluded"))), by_record=True)
    assert (now.dbr_assessed, now.dbr_excluded, now.new_studies, now.reports_ungrouped) == (1, 1, 0, None)
    assert ("Study excluded later", 1) in now.dbr_excluded_reasons and now.problems() == () and not now.note
    before = replace(package, studies=(replace(one, scope="excluded"), two))
    flow = living_flow(before, by_record=True)
    assert (flow.previous_studies, flow.new_studies, flow.total_studies) == (0, 1, 1) and flow.problems() == ()
    assert flow.note == f"Included by an earlier version and excluded since: {one.label}."
    first = flow_of_version(before, before.versions[0], by_record=True)
    assert (first.dbr_excluded, first.new_studies) == (1, 0) and first.problems() == ()


def test_a_version_without_a_search_found_nothing() -> None:
    package = two_runs()
    flow = living_flow(replace(package, versions=(*package.versions, version("3"))), by_record=True)
    assert (flow.database_results, flow.records_screened, flow.dbr_assessed, flow.total_studies) == (0, 0, 0, 2)
    assert flow.note == "No search of this version is on record." and flow.problems() == ()
    assert not flow.uses_other_methods and flow.unknown() == ("total_studies_ma", "total_reports_ma")


def test_a_study_of_a_list_had_its_reports_before_any_search_found_them() -> None:
    package = two_runs()
    named = replace(package.versions[0], studies=("s-r3",))
    assert report_versions(replace(package, versions=(named, package.versions[1])))["r3"] == "1"


def test_a_run_that_finds_nothing_new_leaves_nothing_to_screen() -> None:
    package = two_runs()
    old = tuple(r for r in package.records if r.record in ("r1", "r2", "r1-again", "r2-again"))
    known = replace(package, records=old, studies=package.studies[:1], reports=package.reports[:1],
                    searches=(package.searches[0], replace(package.searches[1], retrieved=2)))  # fmt: skip
    flow = living_flow(known)
    assert (flow.duplicates, flow.records_screened, flow.new_studies, flow.total_studies) == (2, 0, 0, 1)
    assert flow.problems() == ()


def test_nobody_has_read_a_record_of_the_update_yet() -> None:
    package = two_runs()
    votes = tuple(v for v in package.screening if v.record != "r3")
    flow = living_flow(replace(package, screening=votes))
    assert (flow.records_screened, flow.records_excluded, flow.records_waiting) == (0, 0, 2)
    assert flow.problems() == ()


def test_what_the_plan_says_of_previous_studies_stands() -> None:
    package = two_runs()
    said = replace(package, meta=replace(package.meta, flow=MappingProxyType({"previous_studies": 7})))
    assert living_flow(said).previous_studies == 7
    assert living_flow(replace(package, versions=package.versions[:1])) == flow_of(package)


@settings(max_examples=60, deadline=None)
@given(living())
def test_found_is_known_and_copies_and_new(package: Package) -> None:
    wrong = []
    before: set[str] = set()
    for at in package.versions:
        update = update_of(package, at)
        if update.found != update.known + update.copies + len(update.new):
            wrong.append(update)
        if set(update.new) & before or not set(update.to_screen) <= set(update.new):
            wrong.append(update)
        before |= set(update.new)
    found = sum(update_of(package, v).found for v in package.versions)
    assert not wrong and found == len(package.records)


@settings(max_examples=60, deadline=None)
@given(living())
def test_previous_and_new_are_the_total_at_every_version(package: Package) -> None:
    wrong = []
    for before, at in zip(package.versions, package.versions[1:], strict=False):
        flow = flow_of_version(package, at)
        past = flow_of_version(package, before)
        total = past.total_studies if past.is_update else past.new_studies
        if flow.previous_studies != total or flow.total_studies != (flow.previous_studies or 0) + (
            flow.new_studies or 0
        ):
            wrong.append((at.version, flow))
    assert not wrong


@settings(max_examples=60, deadline=None)
@given(living())
def test_beginning_an_update_moves_nothing_that_came_before(package: Package) -> None:
    begun = replace(package, versions=begin_update(package, version("next")))
    assert study_versions(begun) == study_versions(package) and record_versions(begun) == record_versions(package)
    assert version_problems(begun.versions) == []
    late = replace(begun, searches=(*begun.searches, search("late")), records=(*begun.records, record("new", "late")))
    assert record_versions(late)["new"] == "next"
    assert len(as_of(late, begun.versions[-2]).records) == len(package.records)


def test_an_update_needs_a_name_of_its_own_and_begins_empty() -> None:
    with pytest.raises(InputError, match=r"has a version '0\.1' already"):
        begin_update(KETAMINE, version("0.1"))
    with pytest.raises(InputError, match="begins empty"):
        begin_update(KETAMINE, version("0.2", studies=("x",)))
    first = begin_update(replace(KETAMINE, versions=()), version("2"))
    assert [v.version for v in first] == ["0.1", "2"] and len(first[0].studies) == len(KETAMINE.studies)
    with pytest.raises(InputError, match="give the update another"):
        begin_update(replace(KETAMINE, versions=()), version(KETAMINE.meta.version))


def test_a_report_without_studies_is_counted_nowhere() -> None:
    package = replace(two_runs(), reports=(*two_runs().reports, _other()))
    assert living_flow(package).total_reports == 2


def _other() -> Report:
    return replace(KETAMINE.reports[0], report="elsewhere", studies=())
