"""The flow counted from decisions: its identities hold at every moment of any review; counts follow an undo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balm.actions.review import Review
from balm.plots.flow import flow_diagram
from balm.review.deduplication.decided import reports_of
from balm.review.flow import Flow
from balm.review.flow_counts import NO_FULL_TEXT, flow_of, screening_outcomes
from balm.review.package import Package, ScreeningPlan
from balm.vocabulary.evidence import DuplicateDecision, Record, Report, Search, Study, Vote

KETAMINE = Review.load(Path(__file__).parents[3] / "reviews" / "ketamine-chronic-pain").package
KINDS = {"medline": "database", "embase": "database", "ictrp": "register", "web": "website", "cited": "citation"}
REASONS = ("wrong population", "wrong comparator", NO_FULL_TEXT)
TA, FT = "title-abstract", "full-text"


def package(
    records: list[str],
    duplicates: list[DuplicateDecision] = [],  # noqa: B006
    votes: list[Vote] = [],  # noqa: B006
    kept: list[str] = [],  # noqa: B006
    **flow: int,
) -> Package:
    """A package with records from the named sources and, for each record of ``kept``, one report of one study."""
    found = Counter(records)
    meta = replace(KETAMINE.meta, flow=MappingProxyType(flow), screening=ScreeningPlan(exclusion_reasons=REASONS))
    study, report = KETAMINE.studies[0], KETAMINE.reports[0]
    return replace(
        KETAMINE,
        meta=meta,
        searches=tuple(
            Search(name, kind, name, None, None, None, None, found[name], None, None)
            for name, kind in KINDS.items()
            if name in found
        ),
        records=tuple(
            Record(f"r{i}", source, None, None, None, None, None, None, None, None) for i, source in enumerate(records)
        ),
        duplicates=tuple(duplicates),
        screening=tuple(votes),
        studies=tuple(replace(study, study=f"s-{r}", scope="included") for r in kept),
        reports=tuple(replace(report, report=f"p-{r}", studies=(f"s-{r}",)) for r in kept) or (_elsewhere(report),),
    )


def _elsewhere(report: Report) -> Report:
    return replace(report, report="other", studies=())


def ballot(record: str, decisions: tuple[str, str], stage: str = TA, reasons: tuple[str, str] = ("", "")) -> list[Vote]:
    return [
        Vote(record, stage, who, what, "vote", why if what == "exclude" and stage == FT else None, None)
        for who, what, why in zip(("ana", "ben"), decisions, reasons, strict=True)
    ]


decision = st.sampled_from(["include", "exclude", "maybe"])
pair = st.tuples(decision, decision)


@st.composite
def reviews(draw: st.DrawFn) -> Package:
    """A review stopped at any moment: records merged, some read by both, some conflicts settled, some reports read."""
    records = draw(st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=12))
    ids = [f"r{i}" for i in range(len(records))]
    merges = draw(st.lists(st.tuples(st.sampled_from(ids), st.sampled_from(ids), st.sampled_from(["duplicate", "not duplicate"])), max_size=6))  # noqa: E501  # fmt: skip
    duplicates = [DuplicateDecision(a, b, what, "same title", None, None) for a, b, what in merges if a != b]
    removed = {r for report in reports_of(duplicates) for r in report[1:]}
    kept = [i for i in ids if i not in removed]
    votes: list[Vote] = []
    for record in kept:
        if draw(st.booleans()):
            votes += ballot(record, draw(pair))
            if screening_outcomes(votes)[record] == "conflict" and draw(st.booleans()):
                votes.append(Vote(record, TA, "cem", draw(st.sampled_from(["include", "exclude"])), "adjudication", None, None))  # noqa: E501  # fmt: skip
    forward = [r for r, o in screening_outcomes(votes).items() if o == "include"]
    final: list[Vote] = []
    for record in forward:
        if draw(st.booleans()):
            final += ballot(record, draw(pair), FT, draw(st.tuples(st.sampled_from(REASONS), st.sampled_from(REASONS))))
    into = [r for r, o in screening_outcomes(final).items() if o == "include"]
    return package(records, duplicates, votes + final, into)


@settings(max_examples=300, deadline=None)
@given(reviews())
def test_every_identity_holds_at_any_moment(review: Package) -> None:
    flow = flow_of(review)
    assert [str(p) for p in flow.problems()] == []
    flow_diagram(flow)  # which refuses what does not add up


@settings(max_examples=100, deadline=None)
@given(reviews(), st.randoms(use_true_random=False))
def test_the_order_of_records_changes_nothing(review: Package, random: object) -> None:
    rows = list(review.records)
    random.shuffle(rows)  # type: ignore[attr-defined]
    again = flow_of(replace(review, records=tuple(rows)))
    assert again == flow_of(review)


@settings(max_examples=100, deadline=None)
@given(reviews())
def test_nothing_is_counted_in_two_columns(review: Package) -> None:
    flow = flow_of(review)
    sums = [flow.records_screened, flow.records_waiting]
    if flow.records_screened is not None:
        bases = {r.record for r in review.records if KINDS[r.search or ""] in ("database", "register")}
        assert sum(n or 0 for n in sums) + (flow.duplicates or 0) == len(bases)


def test_a_review_from_search_to_inclusion() -> None:
    records = ["medline"] * 4 + ["embase"] * 2 + ["cited"] * 2
    same = [DuplicateDecision("r0", "r4", "duplicate", "same DOI", None, None),
            DuplicateDecision("r5", "r6", "duplicate", "same DOI", None, None)]  # fmt: skip
    votes = (
        ballot("r0", ("include", "maybe")) + ballot("r1", ("exclude", "exclude")) + ballot("r2", ("include", "exclude"))
    )
    votes += ballot("r5", ("include", "include")) + ballot("r3", ("include", "include"))
    votes += ballot("r0", ("include", "include"), FT)
    votes += ballot("r5", ("exclude", "exclude"), FT, ("wrong comparator", "wrong population"))
    votes += ballot("r3", ("exclude", "exclude"), FT, (NO_FULL_TEXT, NO_FULL_TEXT))
    flow = flow_of(package(records, same, votes, ["r0"]))
    assert (flow.database_results, flow.duplicates, flow.records_screened, flow.records_waiting) == (6, 1, 4, 1)
    assert (flow.records_excluded, flow.dbr_sought_reports, flow.dbr_notretrieved_reports) == (1, 3, 1)
    assert (flow.dbr_assessed, flow.dbr_excluded, flow.dbr_waiting) == (2, 1, None)
    assert flow.dbr_excluded_reasons == (("wrong population", 1), ("wrong comparator", 0))
    assert (flow.citations_results, flow.website_results, flow.other_sought_reports) == (1, 0, 1)
    assert (flow.other_assessed, flow.other_waiting) == (0, 1)
    assert flow.problems() == ()


def test_every_count_follows_an_undo() -> None:
    merged = DuplicateDecision("r0", "r1", "duplicate", "same title", None, None)
    undone = DuplicateDecision("r0", "r1", "not duplicate", "not the same", "ana", None)
    before = flow_of(package(["medline", "medline"], [], ballot("r0", ("include", "include"))))
    after = flow_of(package(["medline", "medline"], [merged, undone], ballot("r0", ("include", "include"))))
    assert flow_of(package(["medline", "medline"], [merged], [])).duplicates == 1
    assert after == before


def test_a_report_that_could_not_be_had_is_not_assessed() -> None:
    votes = ballot("r0", ("include", "include")) + ballot("r1", ("include", "include"))
    votes += ballot("r0", ("include", "include"), FT)
    flow = flow_of(package(["medline", "medline"], [], votes, ["r0"]), not_retrieved={"r1"})
    assert (flow.dbr_sought_reports, flow.dbr_notretrieved_reports, flow.dbr_assessed) == (2, 1, 1)
    assert flow.problems() == ()


def grouped(into: list[str], brought: Sequence[str] = (), **plan: int) -> Flow:
    """Two reports included at full text and one excluded; ``into`` and ``brought`` are reports of included studies."""
    votes = [v for r in ("r0", "r1", "r2") for v in ballot(r, ("include", "include"))]
    votes += ballot("r0", ("include", "include"), FT) + ballot("r1", ("include", "include"), FT)
    votes += ballot("r2", ("exclude", "exclude"), FT, ("wrong population", "wrong population"))
    review = package(["medline"] * 3, [], votes, [*into, *brought], **plan)
    named = tuple(replace(r, report=r.report.removeprefix("p-")) for r in review.reports)
    return flow_of(replace(review, reports=named), by_record=True)


@pytest.mark.parametrize(
    ("into", "brought", "ungrouped", "elsewhere"),
    [
        ([], [], 2, None), (["r0"], [], 1, None), (["r0", "r1"], [], None, None), ([], ["old"], 2, 1),
        (["r1"], ["old", "older", "oldest"], 1, 3), (["r0", "r1"], ["old"], None, 1),
    ],
)  # fmt: skip
def test_between_full_text_and_grouping_every_sum_holds(
    into: list[str], brought: list[str], ungrouped: int | None, elsewhere: int | None
) -> None:
    flow = grouped(into, brought)
    assert (flow.reports_ungrouped, flow.reports_elsewhere) == (ungrouped, elsewhere)
    assert (flow.dbr_assessed, flow.dbr_excluded, flow.new_reports or 0) == (3, 1, len(into) + len(brought))
    assert flow.problems() == ()
    flow_diagram(flow)


def test_a_report_excluded_here_and_included_all_the_same_is_a_contradiction() -> None:
    assert "must be reports of new studies" in str(grouped(["r0", "r1", "r2"]).problems()[0])
    assert grouped(["r0", "r2"], ["old"]).problems() != ()


def test_reports_of_the_version_before_are_not_found_by_a_search_here() -> None:
    flow = grouped(["r0", "r1"], ["old", "older"], previous_studies=2, previous_reports=2)
    assert (flow.new_reports, flow.total_reports, flow.reports_elsewhere) == (2, 4, None)
    assert flow.problems() == ()


def test_an_update_splits_new_from_previous() -> None:
    flow = flow_of(package(["medline"], [], [], ["r0"], previous_studies=0, previous_reports=0))
    assert flow.is_update
    assert (flow.previous_studies, flow.new_studies, flow.total_studies) == (0, 1, 1)
    assert flow.problems() == ()


def test_a_search_that_says_more_than_was_brought_in_is_a_contradiction() -> None:
    review = package(["medline", "medline"], [], ballot("r0", ("exclude", "exclude")))
    review = replace(review, searches=(replace(review.searches[0], retrieved=5),))
    assert "records identified (5)" in str(flow_of(review).problems()[0])


def test_what_the_plan_says_wins() -> None:
    votes = ballot("r0", ("exclude", "exclude"))
    flow = flow_of(package(["medline", "medline"], [], votes, [], database_results=90, records_screened=90,
                           records_excluded=90))  # fmt: skip
    assert (flow.database_results, flow.records_screened, flow.records_waiting) == (90, 90, None)


def test_studies_are_given() -> None:
    assert isinstance(KETAMINE.studies[0], Study)
    assert flow_of(KETAMINE, pooled=["noppers2011"]).total_studies_ma == 1


@pytest.mark.parametrize("missing", ["records"])
def test_without_records_the_votes_alone_are_counted(missing: str) -> None:
    review = package(["medline", "medline"], [], ballot("r0", ("exclude", "exclude")))
    flow = flow_of(replace(review, **{missing: ()}))
    assert (flow.records_screened, flow.records_excluded, flow.records_waiting) == (1, 1, None)
