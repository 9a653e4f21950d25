"""From reports to studies in the flow: what is not grouped yet, and what no search here has found."""

from __future__ import annotations

from collections.abc import Collection

from balm.review.package import Package


def grouping(
    package: Package, kept: Collection[str] | None, scopes: Collection[str], previous: object = None, *,
    by_record: bool = False,
) -> dict[str, int]:  # fmt: skip
    """``reports_ungrouped`` and ``reports_elsewhere``, where the reports of the studies are not those that were kept.

    kept      : the records whose reports are included at full text; ``None``: not known.
    scopes    : of the studies that are included.
    previous  : reports of the version before, where this is an update.
    by_record : reports carry the ids of their records, even where no id shows it yet.

    A report carries the id of the record that found it. Between full text and the grouping into studies a report is
    included and of no study yet; and a review that began elsewhere has studies whose reports no search here found.
    Both are counted, so that the sum from reports assessed to reports of studies holds at any moment. A report that was
    excluded here and stands in an included study all the same stays a contradiction.
    """
    if kept is None or (not package.reports and not by_record):
        return {}
    included = {s.study for s in package.studies if s.scope in scopes}
    reports = {r.report for r in package.reports if included & set(r.studies)}
    records = {r.record for r in package.records}
    before = int(previous) if isinstance(previous, int) else 0
    if len(kept) == len(reports) - before or not (by_record or records & {r.report for r in package.reports}):
        return {}
    counts = {
        "reports_ungrouped": len(set(kept) - reports),
        "reports_elsewhere": max(len(reports - records) - before, 0),
    }
    return {name: n for name, n in counts.items() if n}
