"""The PRISMA flow of a package: counted from its rows where they are kept, taken from ``[flow]`` where it says more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from balm.review.deduplication.decided import set_aside
from balm.review.flow import Flow, from_keys, named
from balm.review.package import Package
from balm.vocabulary.evidence import Vote

#: Scopes of the studies a review includes; those of sensitivity analyses only are not among them.
INCLUDED_SCOPES = ("included", "single-arm")

_COLUMNS = {"website": "website_results", "organisation": "organisation_results", "citation": "citations_results"}


def flow_of(package: Package, pooled: Iterable[str] = ()) -> Flow:
    """The flow of ``package``; a count that neither its rows nor its plan give stays not known.

    ``pooled``: the studies that stand in at least one analysis. Counts under ``[flow]`` of ``review.toml`` win over
    counted rows, so that a search kept elsewhere can be reported.
    """
    counts: dict[str, Any] = {}
    if package.searches:
        for kind, total, specific in (
            ("database", "database_results", "database_specific_results"),
            ("register", "register_results", "register_specific_results"),
        ):
            counts[specific], counts[total] = named((s.source, s.retrieved) for s in package.searches if s.kind == kind)
            if not counts[specific]:
                counts[total] = 0
        for kind, key in _COLUMNS.items():
            rows, total_found = named((s.source, s.retrieved) for s in package.searches if s.kind == kind)
            counts[key] = total_found if rows else 0
    if package.duplicates:
        counts["duplicates"] = len(set_aside(package.duplicates))
    votes = [v for v in package.screening if v.stage == "title-abstract"]
    if votes:
        outcomes = screening_outcomes(votes)
        counts["records_screened"] = len(outcomes)
        if "conflict" not in outcomes.values():
            counts["records_excluded"] = sum(o == "exclude" for o in outcomes.values())
    included = {s.study for s in package.studies if s.scope in INCLUDED_SCOPES}
    counts["new_studies"] = len(included)
    if package.reports:
        counts["new_reports"] = sum(bool(included & set(r.studies)) for r in package.reports)
    pooled = included & set(pooled)
    if pooled:
        counts["total_studies_ma"] = len(pooled)
    return from_keys(counts | dict(package.meta.flow))


def screening_outcomes(votes: Iterable[Vote]) -> dict[str, str]:
    """Each record's outcome at one stage: ``include``, ``exclude`` or ``conflict``.

    An adjudication decides; a person's later vote replaces the earlier. All votes exclude: out. None does: forward.
    """
    last: dict[str, dict[str, str]] = {}
    settled: dict[str, str] = {}
    for vote in votes:
        last.setdefault(vote.record, {})
        if vote.kind == "adjudication":
            settled[vote.record] = "exclude" if vote.decision == "exclude" else "include"
        else:
            last[vote.record][vote.reviewer] = vote.decision
    outcomes = {}
    for record, by in last.items():
        out = [d == "exclude" for d in by.values()]
        outcomes[record] = settled.get(record) or ("exclude" if all(out) else "conflict" if any(out) else "include")
    return outcomes
