"""What contradicts itself in the flow of a package, each with the rows or the counts that settle it."""

from __future__ import annotations

from dataclasses import replace

from balm.review.flow import Flow
from balm.review.package import Package
from balm.vocabulary.problems import Problem

_GIVEN = "correct the counts under [flow] of review.toml, or leave out those that rows give"
_ROWS = "correct the rows, or give the counts that are true under [flow] of review.toml"
_IDS = (
    "give each report that the search found the id of its record (reports.csv, column report): others then count as "
    "found elsewhere"
)


def flow_problems(package: Package, flow: Flow) -> tuple[Problem, ...]:
    """Every contradiction of ``flow`` with its way out; a report of the package cannot be written before."""
    records = {r.record for r in package.records}
    apart = bool(records) and not records & {r.report for r in package.reports}
    found = []
    for problem in flow.problems():
        way = _GIVEN if package.meta.flow else _ROWS
        if apart and "reports of new studies" in problem.reason:
            way = _IDS
        found.append(replace(problem, reason=f"{problem.reason}; {way}"))
    return tuple(found)
