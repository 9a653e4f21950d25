"""PRISMA 2020 flow diagram, drawn from counts; what is not known says so in its box.

Layout after Page MJ et al., BMJ 2021;372:n71, figure 1: databases and registers on the left, other methods on the
right, one box a stage, exclusions beside the stage they leave.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Collection, Mapping
from typing import Any

from balm.plots.figure import Figure
from balm.plots.flow_boxes import BOX, KEYS, LEADING, LEVELS, PAD, SIZE, Box, boxes_of, counted
from balm.plots.svg import Drawing
from balm.plots.text_width import text_width, wrap
from balm.review.flow import Flow
from balm.review.plain_flow import plain_flow
from balm.vocabulary.problems import InputError, check_option

__all__ = ["LEVELS", "counted", "flow_diagram"]

INK, QUIET, EDGE, BAND, HEAD = "#1b232d", "#5b6673", "#7b8794", "#e3e9ed", "#f0f3f5"
GAP, ROW_GAP, BAND_WIDTH = 26.0, 26.0, 24.0


def flow_diagram(
    data: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
    synthesis_box: bool | None = None,
    zero_reasons: bool = False,
    hide: Collection[str] = (),
    contradictions: str = "refuse",
    links: bool | Mapping[str, str] = False,
) -> Figure:
    """Draw a PRISMA 2020 flow diagram, and write it to ``path`` (.svg, .png or .pdf) when one is given.

    data           : a CSV file, data frame, dict of columns or list of dicts with ``data`` (the key) and ``n``, as the
                     template of the PRISMA2020 package has them; a dict of counts by key; or the flow of a review
                     (:meth:`balm.Review.flow`). A count that is missing or empty is "not known", never 0. Previous
                     studies and other methods are drawn where a count of theirs is given, also where it is 0.
    synthesis_box  : a last box with the studies in meta-analyses; by default where the table gives their number.
    zero_reasons   : also list reasons that excluded nothing.
    hide           : levels to leave out: "previous studies", "other methods", "removed before screening", "retrieval",
                     "meta-analysis"; what stays keeps its arrows.
    contradictions : counts that contradict each other are refused, each one named, or drawn with each contradiction
                     printed under the diagram ("show").
    links          : a box of the SVG leads to an address: those of the table's column ``url`` (True), or your own by
                     key, ``{"records_screened": "screened.html"}``.

    Keys: previous_studies, previous_reports, database_results, database_specific_results, register_results,
    register_specific_results, website_results, organisation_results, citations_results, duplicates,
    excluded_automatic, excluded_other, records_screened, records_excluded, dbr_sought_reports,
    dbr_notretrieved_reports, dbr_assessed, dbr_excluded, other_sought_reports, other_notretrieved_reports,
    other_assessed, other_excluded, new_studies, new_reports, total_studies, total_reports, total_studies_ma,
    total_reports_ma. Reasons and sources stand in one cell with their numbers: "wrong population, 11; acute pain, 7".

    >>> figure = flow_diagram({"database_results": 300, "duplicates": 50, "records_screened": 250})
    >>> "Records screened (n = 250)" in figure.svg, "Records excluded (n not known)" in figure.svg
    (True, True)
    """
    if isinstance(data, Flow):
        flow, addresses = data, {}
    else:
        read = plain_flow(data)
        flow, addresses = read.flow, dict(read.addresses)
    if synthesis_box is None:
        synthesis_box = isinstance(data, Flow) or flow.total_studies_ma is not None
    addresses = _addresses(links, addresses)
    check_option("contradictions", contradictions, ("refuse", "show"))
    hidden = {name for level in hide for name in LEVELS[check_option("hide", level, list(LEVELS))]}
    wrong = flow.problems()
    if contradictions == "refuse":
        flow = flow.checked()
    every = boxes_of(flow, synthesis_box=synthesis_box, zero_reasons=zero_reasons)
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
    for name, box in boxes.items():
        address = addresses.get(KEYS.get(name, ""))
        if address:
            drawing.open_link(address)
        _draw(drawing, box, *frame(box))
        if address:
            drawing.close_link()
    for i, line in enumerate(note):
        drawing.text(left, tops[-1] - ROW_GAP + 22 + LEADING * i, line, fill=QUIET)
    figure = drawing.figure()
    if path is not None:
        figure.save(path)
    return figure


def _addresses(links: bool | Mapping[str, str], of_table: dict[str, str]) -> dict[str, str]:
    """Key -> address of the boxes that lead somewhere."""
    if not isinstance(links, Mapping):
        if links and not of_table:
            raise InputError("links=True needs a column url with addresses; or give links={'records_screened': '...'}")
        return of_table if links else {}
    for key in links:
        check_option("links", key, tuple(KEYS.values()))
    return dict(links)


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
    missing = "1 count is not known" if unknown == 1 else f"{unknown} counts are not known"
    tail = f" {missing}." if unknown else " Every count is known."
    return f"Flow of records, reports and studies: {said}.{tail}"
