"""The history of the review as a table: its versions, and the searches of reviews that others published."""

from __future__ import annotations

from balm.report.html_report.study_tables import sources
from balm.report.html_report.table import Cell, Row, Table, columns, filled, value
from balm.review.living.history import IN_REVIEW, MILESTONE, labels_of, studies_as_of, study_versions, timeline
from balm.review.package import Package


def version_history(package: Package, numbers: dict[str, int]) -> Table:
    """One row a version or milestone in the order of time, with the studies of this review there were by then."""
    heads = columns("#Version", "What it is", "Date", "Last search", ">Studies by then", "Trigger and methods",
                    "+Came with it, and notes", "@Source")  # fmt: skip
    came = study_versions(package)
    made = []
    for at in timeline(package):
        here = studies_as_of(package, at)
        counted = [s for s in package.studies if s.study in here and s.scope in IN_REVIEW]
        new = labels_of(package, (s.study for s in counted if came.get(s.study) == at.version))
        own = at.kind != MILESTONE
        told = [f"{len(new)} of {len(counted)} came with it" if own and len(counted) > len(new) > 0 else "", at.notes]
        made.append(
            Row(
                (
                    Cell(at.label),
                    Cell("version of this review" if own else "search of a published review"),
                    value(at.date),
                    value(at.searched),
                    Cell(str(len(counted))),
                    Cell("; ".join(text for text in (at.trigger, at.changes) if text)),
                    Cell(". ".join(text for text in told if text)),
                    sources(package, at.source, at.report, numbers) if at.source or at.report else Cell(),
                )
            )
        )
    shown, rows = filled(heads, made)
    note = "At a milestone: this review's studies published by the year of that search, not what was pooled there."
    return Table("version-history", "Versions and milestones", shown, rows, note=note, cards=True)
