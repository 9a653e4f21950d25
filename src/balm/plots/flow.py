"""PRISMA 2020 flow diagram, drawn from counts; what is not known says so in its box.

Layout after Page MJ et al., BMJ 2021;372:n71, figure 1: databases and registers on the left, other methods on the
right, one box a stage, exclusions beside the stage they leave.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from balm.plots.figure import Figure
from balm.plots.svg import Drawing
from balm.plots.text_width import text_width, wrap
from balm.review.flow import Count, Flow, Named
from balm.vocabulary.problems import check_option

INK, QUIET, EDGE, BAND, HEAD = "#1b232d", "#5b6673", "#7b8794", "#e3e9ed", "#f0f3f5"
SIZE, LEADING, PAD = 11.5, 15.0, 9.0
BOX, GAP, ROW_GAP, BAND_WIDTH = 206.0, 26.0, 26.0, 24.0
#: Levels that can be left out, with the boxes each of them is.
LEVELS = {
    "previous studies": ("previous heading", "previous", "total"),
    "other methods": ("other heading", "other identified", "other sought", "other not retrieved", "other assessed",
                      "other reports excluded"),
    "removed before screening": ("removed",),
    "retrieval": ("sought", "not retrieved", "other sought", "other not retrieved"),
    "meta-analysis": ("synthesised",),
}  # fmt: skip
#: Printed where a count is missing. Never 0.
NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a box: a heading or a count with its name."""

    text: str
    bold: bool = False
    quiet: bool = False
    indent: float = 0.0


@dataclass(frozen=True, slots=True)
class Box:
    """A box at a grid place: ``column`` from the left, ``row`` from the top."""

    column: int
    row: int
    lines: tuple[Line, ...]

    @property
    def height(self) -> float:
        return PAD * 2 + LEADING * len(self.lines) - 3


def counted(name: str, n: Count) -> str:
    """``name`` with its count as printed.

    >>> counted("Records screened", 250), counted("Records screened", None)
    ('Records screened (n = 250)', 'Records screened (n not known)')
    """
    return f"{name} (n {NOT_KNOWN})" if n is None else f"{name} (n = {n:,})".replace(",", "\u202f")


def flow_diagram(
    flow: Flow,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
    synthesis_box: bool = True,
    zero_reasons: bool = False,
    hide: Collection[str] = (),
    contradictions: str = "refuse",
) -> Figure:
    """Draw ``flow``, and write it to ``path`` (.svg, .png or .pdf) when one is given.

    synthesis_box  : a last box with the studies in meta-analyses.
    zero_reasons   : also list reasons that excluded nothing.
    hide           : rows of :data:`LEVELS` to leave out; what stays keeps its arrows.
    contradictions : counts that contradict each other are refused (:meth:`balm.review.flow.Flow.checked`), or drawn
                     with each contradiction printed under the diagram ("show"): a review under way can be looked at.

    >>> figure = flow_diagram(Flow(records_screened=250))
    >>> "Records screened (n = 250)" in figure.svg, "Records excluded (n not known)" in figure.svg
    (True, True)
    """
    check_option("contradictions", contradictions, ("refuse", "show"))
    hidden = {name for level in hide for name in LEVELS[check_option("hide", level, list(LEVELS))]}
    wrong = flow.problems()
    if contradictions == "refuse":
        flow = flow.checked()
    every = _boxes(flow, synthesis_box=synthesis_box, zero_reasons=zero_reasons)
    boxes, bands = _closed_up({name: box for name, box in every.items() if name not in hidden})
    columns = 1 + max(b.column for b in boxes.values())
    rows = 1 + max(b.row for b in boxes.values())
    heights = [max((b.height for b in boxes.values() if b.row == r), default=0.0) for r in range(rows)]
    top = 10.0 if title is None else 40.0
    tops = [top]
    for h in heights:
        tops.append(tops[-1] + h + ROW_GAP)
    left = 10 + BAND_WIDTH + 14
    width = left + columns * BOX + (columns - 1) * GAP + 10
    note = wrap(flow.note, width - left - 10, SIZE, lines=4) if flow.note else []
    for problem in wrong:
        note += wrap(f"Does not add up: {problem.reason}.", width - left - 10, SIZE, lines=3)
    height = tops[-1] - ROW_GAP + 12 + (len(note) * LEADING + 6 if note else 0)
    drawing = Drawing(
        width,
        height,
        title=title or "PRISMA 2020 flow diagram",
        description=_description(flow, boxes),
        font_size=SIZE,
        ink=INK,
    )
    if title is not None:
        drawing.text(left, 22, title, bold=True, size=15)

    def frame(box: Box) -> tuple[float, float, float, float]:
        tall = box.height if box.row == 0 else heights[box.row]
        return left + box.column * (BOX + GAP), tops[box.row], BOX, tall

    _bands(drawing, bands, tops, heights)
    for start, end in _arrows(boxes):
        _arrow(drawing, frame(boxes[start]), frame(boxes[end]))
    for box in boxes.values():
        _draw(drawing, box, *frame(box))
    for i, line in enumerate(note):
        drawing.text(left, tops[-1] - ROW_GAP + 22 + LEADING * i, line, fill=QUIET)
    figure = drawing.figure()
    if path is not None:
        figure.save(path)
    return figure


def _boxes(flow: Flow, *, synthesis_box: bool, zero_reasons: bool) -> dict[str, Box]:
    shift = 1 if flow.is_update else 0
    a, b, c, d = shift, shift + 1, shift + 2, shift + 3
    boxes: dict[str, Box] = {}

    def add(name: str, column: int, row: int, *lines: Line | list[Line]) -> None:
        flat = [line for item in lines for line in (item if isinstance(item, list) else [item])]
        boxes[name] = Box(column, row, tuple(part for line in flat for part in _wrapped(line)))

    if flow.is_update:
        add("previous heading", 0, 0, Line("Previous studies", bold=True))
        add(
            "previous",
            0,
            1,
            _count("Studies in the previous version", flow.previous_studies),
            _count("Reports of them", flow.previous_reports),
        )
    add("heading", a, 0, Line("Databases and registers", bold=True))
    add(
        "identified",
        a,
        1,
        Line("Records identified from", bold=True),
        _count("Databases", flow.database_results),
        _named(flow.database_specific_results, zero=True),
        _count("Registers", flow.register_results),
        _named(flow.register_specific_results, zero=True),
    )
    add(
        "removed",
        b,
        1,
        Line("Removed before screening", bold=True),
        _count("Duplicates", flow.duplicates),
        _count("Ineligible by automation", flow.excluded_automatic),
        _count("Other reasons", flow.excluded_other),
    )
    add("screened", a, 2, _count("Records screened", flow.records_screened), _waiting(flow.records_waiting))
    by = [
        _count(name, n, indent=10)
        for name, n in (
            ("by a person", flow.records_excluded_by_person),
            ("by automation", flow.records_excluded_by_automation),
        )
        if n is not None
    ]
    add("excluded", b, 2, _count("Records excluded", flow.records_excluded), by)
    links = [] if flow.record_links is None else [_count("Record-to-report links", flow.record_links)]
    for side, first, second in (("dbr", a, b), ("other", c, d)):
        if side == "other" and not flow.uses_other_methods:
            continue
        prefix = "" if side == "dbr" else "other "
        if side == "other":
            add("other heading", c, 0, Line("Other methods", bold=True))
            add(
                "other identified",
                c,
                1,
                Line("Records identified from", bold=True),
                _count("Websites", flow.website_results),
                _count("Organisations", flow.organisation_results),
                _count("Citation searching", flow.citations_results),
            )
        add(
            f"{prefix}sought",
            first,
            3,
            _count("Reports sought for retrieval", getattr(flow, f"{side}_sought_reports")),
            links if side == "dbr" else [],
        )
        lost = getattr(flow, f"{side}_notretrieved_reports")
        add(f"{prefix}not retrieved", second, 3, _count("Reports not retrieved", lost))
        assessed = getattr(flow, f"{side}_assessed")
        waiting = _waiting(getattr(flow, f"{side}_waiting"))
        add(f"{prefix}assessed", first, 4, _count("Reports assessed for eligibility", assessed), waiting)
        reasons = _named(getattr(flow, f"{side}_excluded_reasons"), zero=zero_reasons)
        add(
            f"{prefix}reports excluded",
            second,
            4,
            _count("Reports excluded", getattr(flow, f"{side}_excluded")),
            reasons,
        )
    word = "New studies" if flow.is_update else "Studies"
    add(
        "included",
        a,
        5,
        _count(f"{word} included in the review", flow.new_studies, bold=True),
        _count("Reports of included studies", flow.new_reports),
        *_grouping(flow),
    )
    last = 6
    if flow.is_update:
        add(
            "total",
            a,
            last,
            _count("Total studies included", flow.total_studies, bold=True),
            _count("Reports of them", flow.total_reports),
        )
        last += 1
    if synthesis_box:
        add("synthesised", a, last, _count("Studies in a meta-analysis", flow.total_studies_ma, bold=True))
    return boxes


def _count(name: str, n: Count, *, bold: bool = False, indent: float = 0.0) -> Line:
    return Line(counted(name, n), bold=bold, quiet=n is None, indent=indent)


def _waiting(n: Count) -> list[Line]:
    return [] if n is None else [_count("waiting for a decision", n, indent=10)]


def _grouping(flow: Flow) -> list[Line]:
    """What stands between reports assessed and reports of studies while a review is under way."""
    lines = []
    if flow.reports_elsewhere:
        lines.append(_count("found by no search here", flow.reports_elsewhere, indent=10))
    if flow.reports_ungrouped:
        lines.append(_count("Reports not grouped into studies yet", flow.reports_ungrouped))
    return lines


def _named(rows: Named, *, zero: bool) -> list[Line]:
    return [_count(name, n, indent=10) for name, n in rows if zero or n != 0]


def _wrapped(line: Line) -> Sequence[Line]:
    """The line broken to the width of a box, its count kept in one piece."""
    room = BOX - 2 * PAD - line.indent
    name, opened, rest = line.text.rpartition(" (n ")
    if not opened or text_width(line.text, SIZE, bold=line.bold) <= room:
        parts = wrap(line.text, room, SIZE, bold=line.bold, lines=3)
    else:
        parts = wrap(name, room, SIZE, bold=line.bold, lines=3)
        if text_width(joined := f"{parts[-1]} (n {rest}", SIZE, bold=line.bold) <= room:
            parts[-1] = joined
        else:
            parts.append(f"(n {rest}")
    return [Line(part, line.bold, line.quiet, line.indent) for part in parts]


def _arrows(boxes: dict[str, Box]) -> list[tuple[str, str]]:
    wanted = [
        ("identified", "removed"),
        ("screened", "excluded"),
        ("sought", "not retrieved"),
        ("assessed", "reports excluded"),
        ("other sought", "other not retrieved"),
        ("other assessed", "other reports excluded"),
        ("previous", "total"),
        ("total" if "total" in boxes else "included", "synthesised"),
    ]
    for chain in (
        ("identified", "screened", "sought", "assessed", "included", "total"),
        ("other identified", "other sought", "other assessed", "included"),
    ):
        wanted += itertools.pairwise([name for name in chain if name in boxes])
    return [(start, end) for start, end in wanted if start in boxes and end in boxes]


def _arrow(drawing: Drawing, start: tuple[float, float, float, float], end: tuple[float, float, float, float]) -> None:
    """From box to box: down, across, or down and then across."""
    (x1, y1, w1, h1), (x2, y2, w2, h2) = start, end
    if x1 == x2:
        middle = x1 + w1 / 2
        drawing.line(middle, y1 + h1, middle, y2 - 5, stroke=EDGE)
        drawing.polygon([(middle, y2), (middle - 4, y2 - 7), (middle + 4, y2 - 7)], fill=EDGE)
    elif y1 == y2:
        level = y1 + min(h1, h2) / 2
        drawing.line(x1 + w1, level, x2 - 5, level, stroke=EDGE)
        drawing.polygon([(x2, level), (x2 - 7, level - 4), (x2 - 7, level + 4)], fill=EDGE)
    else:
        middle, level = x1 + w1 / 2, y2 + h2 / 2
        edge, sign = (x2 + w2, 1) if x1 > x2 else (x2, -1)
        drawing.polyline([(middle, y1 + h1), (middle, level), (edge + sign * 5, level)], stroke=EDGE)
        drawing.polygon([(edge, level), (edge + sign * 7, level - 4), (edge + sign * 7, level + 4)], fill=EDGE)


def _closed_up(boxes: dict[str, Box]) -> tuple[dict[str, Box], list[tuple[str, int, int]]]:
    """The boxes without empty rows and columns, and the first and last row of each band."""
    rows = {old: new for new, old in enumerate(sorted({b.row for b in boxes.values()}))}
    columns = {old: new for new, old in enumerate(sorted({b.column for b in boxes.values()}))}
    bands = []
    for name, first, last in (("Identification", 1, 1), ("Screening", 2, 4), ("Included", 5, max(rows))):
        inside = [new for old, new in rows.items() if first <= old <= last]
        if inside:
            bands.append((name, min(inside), max(inside)))
    return {name: Box(columns[b.column], rows[b.row], b.lines) for name, b in boxes.items()}, bands


def _bands(drawing: Drawing, bands: list[tuple[str, int, int]], tops: list[float], heights: list[float]) -> None:
    for name, first, final in bands:
        y, bottom = tops[first], tops[final] + heights[final]
        drawing.rect(10, y, BAND_WIDTH, bottom - y, fill=BAND, radius=3)
        room = bottom - y - 8
        size = SIZE if text_width(name, SIZE, bold=True) <= room else SIZE * room / text_width(name, SIZE, bold=True)
        drawing.text(10 + BAND_WIDTH / 2 + 4, (y + bottom) / 2, name, anchor="middle", bold=True, rotate=-90, size=size)


def _draw(drawing: Drawing, box: Box, x: float, y: float, width: float, height: float) -> None:
    heading = box.row == 0
    drawing.rect(x, y, width, height, fill=HEAD if heading else "#ffffff", stroke=None if heading else EDGE, radius=2)
    text_top = y + (height - LEADING * len(box.lines)) / 2 + 11
    for i, line in enumerate(box.lines):
        px = x + width / 2 if heading else x + PAD + line.indent
        drawing.text(
            px,
            text_top + i * LEADING,
            line.text,
            anchor="middle" if heading else "start",
            bold=line.bold,
            fill=QUIET if line.quiet else None,
        )


def _description(flow: Flow, boxes: dict[str, Box]) -> str:
    said = "; ".join(
        " ".join(line.text for line in box.lines) for name, box in boxes.items() if not name.endswith("heading")
    )
    unknown = len(flow.unknown())
    tail = f" {unknown} counts are not known." if unknown else " Every count is known."
    return f"Flow of records, reports and studies: {said}.{tail}"
