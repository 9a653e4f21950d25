"""The flow across the versions of a living review: one row a version, and the studies it leaves for the next.

PRISMA-LSR (Akl et al., BMJ 2024;387:e079183) asks for the results of search and selection in the different versions;
its diagram adds the flow of each version to that of PRISMA 2020. Here every version keeps its own counts, from records
identified to new studies, and the total is carried from row to row (Kahale et al., F1000Research 2021;10:192).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from balm.plots.figure import Figure
from balm.plots.flow import BAND, EDGE, QUIET, counted
from balm.plots.svg import Drawing
from balm.plots.text_width import wrap
from balm.review.flow import Count, Flow
from balm.vocabulary.problems import InputError

STAGES = ("Version", "Identification", "Screening", "Reports", "New in this version", "In the review")
SIZE, LEADING, PAD = 11.0, 14.0, 7.0
WIDTHS = (96.0, 128.0, 128.0, 132.0, 118.0, 118.0)
GAP, ROW_GAP, MARGIN, HEAD = 14.0, 22.0, 10.0, 22.0


def living_flow_diagram(
    versions: Iterable[tuple[str, str, Flow]],
    path: str | os.PathLike[str] | None = None,
    *,
    title: str = "Flow across the versions of the review",
) -> Figure:
    """Draw the flow of each version, the first first; write it to ``path`` (.svg, .png or .pdf) when one is given.

    versions : label, when it was searched (or empty), and its own flow: its searches alone, with the studies before it
               as previous ones (:func:`balm.review.living.update.flow_of_version`).

    A count that is not known says so in its box.

    >>> first = Flow(database_results=9, register_results=0, new_studies=2, uses_other_methods=False)
    >>> "In the review" in living_flow_diagram([("1", "", first)]).svg
    True
    """
    rows = [(label, when, _cells(flow)) for label, when, flow in versions]
    if not rows:
        raise InputError("versions: there is no version to draw; give label, date and flow of each")
    boxes = [
        [_wrapped(lines, i) for i, lines in enumerate(([label, when] if when else [label], *cells))]
        for label, when, cells in rows
    ]
    heights = [max(len(lines) for lines in row) * LEADING + 2 * PAD - 3 for row in boxes]
    lefts = [MARGIN + sum(WIDTHS[:i]) + GAP * i for i in range(len(WIDTHS))]
    width = lefts[-1] + WIDTHS[-1] + MARGIN
    height = 2 * MARGIN + HEAD + sum(heights) + ROW_GAP * (len(rows) - 0.5)
    told = "; ".join(f"{label}: " + ", ".join(line for lines in cells for line in lines) for label, _, cells in rows)
    drawing = Drawing(width, height, title=title, description=f"{title}. {told}.", font_size=SIZE)
    for x, wide, name in zip(lefts, WIDTHS, STAGES, strict=True):
        drawing.rect(x, MARGIN, wide, HEAD, fill=BAND, radius=3)
        drawing.text(x + wide / 2, MARGIN + HEAD / 2 + 4, name, anchor="middle", bold=True)
    y = MARGIN + HEAD + ROW_GAP / 2
    for i, (row, high) in enumerate(zip(boxes, heights, strict=True)):
        for j, (lines, x, wide) in enumerate(zip(row, lefts, WIDTHS, strict=True)):
            if j:
                drawing.rect(x, y, wide, high, fill="#ffffff", stroke=EDGE, radius=2)
            top = y + (high - LEADING * len(lines)) / 2 + 10.5
            for k, line in enumerate(lines):
                bold, quiet = j == 0 and k == 0, j == 0 and k > 0
                drawing.text(x + (PAD if j else 0), top + k * LEADING, line, bold=bold, fill=QUIET if quiet else None)
            if j > 1:
                _across(drawing, lefts[j - 1] + WIDTHS[j - 1], x, y + high / 2)
        if i + 1 < len(boxes):
            _down(drawing, lefts[-1] + WIDTHS[-1] / 2, y + high, y + high + ROW_GAP)
        y += high + ROW_GAP
    figure = drawing.figure()
    if path is not None:
        figure.write(path)
    return figure


def _cells(flow: Flow) -> tuple[list[str], ...]:
    """The lines of each stage after the first column."""
    removed = _sum(flow.duplicates, flow.excluded_automatic, flow.excluded_other)
    identified = [
        counted("Databases and registers", _sum(flow.database_results, flow.register_results)),
        counted("Removed before screening", removed),
    ]
    reports = [
        counted("Sought", flow.dbr_sought_reports),
        counted("Not retrieved", flow.dbr_notretrieved_reports),
        counted("Assessed", flow.dbr_assessed),
        counted("Excluded", flow.dbr_excluded),
    ]
    if flow.uses_other_methods:
        others = _sum(flow.website_results, flow.organisation_results, flow.citations_results)
        identified.insert(1, counted("Other methods", others))
        reports += [
            counted("Other methods: assessed", flow.other_assessed),
            counted("Other methods: excluded", flow.other_excluded),
        ]
    screened = [counted("Screened", flow.records_screened), counted("Excluded", flow.records_excluded)]
    screened += [counted("Waiting", flow.records_waiting)] if flow.records_waiting else []
    waiting = _sum(flow.dbr_waiting or 0, flow.other_waiting or 0)
    reports += [counted("Waiting", waiting)] if waiting else []
    total = (flow.total_studies, flow.total_reports) if flow.is_update else (flow.new_studies, flow.new_reports)
    return (
        identified,
        screened,
        reports,
        [counted("Studies", flow.new_studies), counted("Reports", flow.new_reports)],
        [counted("Studies", total[0]), counted("Reports", total[1])],
    )


def _sum(*counts: Count) -> Count:
    known = [n for n in counts if n is not None]
    return sum(known) if len(known) == len(counts) else None


def _wrapped(lines: Sequence[str], column: int) -> list[str]:
    room = WIDTHS[column] - (2 * PAD if column else 0)
    kept = [line.replace("(n ", "(n\u00a0").replace(" = ", "\u00a0=\u00a0") for line in lines]
    return [part for i, line in enumerate(kept) for part in wrap(line, room, SIZE, bold=column + i == 0, lines=4)]


def _across(drawing: Drawing, start: float, end: float, y: float) -> None:
    drawing.line(start, y, end - 5, y, stroke=EDGE)
    drawing.polygon([(end, y), (end - 7, y - 4), (end - 7, y + 4)], fill=EDGE)


def _down(drawing: Drawing, x: float, start: float, end: float) -> None:
    drawing.line(x, start, x, end - 5, stroke=EDGE)
    drawing.polygon([(x, end), (x - 4, end - 7), (x + 4, end - 7)], fill=EDGE)
