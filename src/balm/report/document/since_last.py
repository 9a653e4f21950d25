"""What changed since the last version of a living review, as a section of its report."""

from __future__ import annotations

from balm.report.document.parts import Block, Listing, Paragraph, Run, Section, said
from balm.report.html_report.links import anchor
from balm.report.version_words import ROWS, changes_parts, compared_with, grouped
from balm.review.living.changed import Changes
from balm.review.package import Package


def since_last_section(changes: Changes | None, package: Package) -> Section | None:
    """The section; ``None`` for a review without an earlier version. Rows of the tables are left to the command."""
    if changes is None:
        return None
    title = f"What changed since {changes.since}"
    parts = [(name, lines) for name, lines in changes_parts(changes, package) if name != ROWS]
    how = f"Compared with {compared_with(changes)}."
    if not parts:
        return Section("since-last", title, (said("Nothing has changed in searches, studies and results.", how),))
    lead = said(how, "Under each result stand its new trials, the one that moved it first: each is left out of today's "
                     "analysis in turn.")  # fmt: skip
    inner = tuple(Section(anchor("since", name.lower()), name, tuple(_blocks(lines))) for name, lines in parts)
    return Section("since-last", title, (lead,), inner)


def _blocks(lines: list[str]) -> list[Block]:
    """Lines with nothing below them in one list; the others each above a list of their own."""
    found: list[Block] = []
    alone: list[tuple[Run, ...]] = []
    for line, inner in grouped(lines):
        if not inner:
            alone.append((Run(line),))
            continue
        if alone:
            found.append(Listing(tuple(alone)))
            alone = []
        found += [Paragraph((Run(line, bold=True),)), Listing(tuple((Run(text),) for text in inner))]
    return [*found, Listing(tuple(alone))] if alone else found
