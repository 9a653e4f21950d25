"""The columns of a forest plot: how wide each is, where its texts stand, and the headings over them."""

from __future__ import annotations

from balm.plots.forest_content import Column, Content
from balm.plots.forest_options import ForestOptions
from balm.plots.forest_placed import Layout, Text
from balm.plots.text_width import widest, wrap

_ANCHORS = {"left": "start", "centre": "middle", "right": "end"}


class Place:
    """Where a column stands: its right ``end`` and its ``width``, that of its widest cell or heading line.

    ``cells`` is the position and anchor of its texts, ``over`` of its heading; ``heading`` its lines.
    """

    __slots__ = ("anchor", "cells", "end", "heading", "heading_width", "over", "own", "regular", "width")

    def __init__(self, heading: list[str], own: float, regular: float, size: float, anchor: str) -> None:
        self.heading = heading
        self.own = own
        self.regular = regular  # of the cells without bold letters
        self.heading_width = widest(heading, size, bold=True)
        self.width = max(own, self.heading_width)
        self.anchor = anchor

    def stand(self, end: float, *, effect: bool) -> None:
        """Put the column's right edge at ``end``.

        Effect texts stand under the middle of a heading wider than they are, other texts under the heading's own end.
        """
        self.end = end
        left, right = end - self.width, end
        if effect:
            right -= (self.width - self.own) / 2
            left = right - self.own
        self.cells = {"start": left, "middle": (left + right) / 2, "end": right}[self.anchor], self.anchor
        self.over = self.cells
        if effect:
            cells_wider = self.heading_width < self.regular
            self.over = (right - self.regular / 2 if cells_wider else end - self.heading_width / 2), "middle"


def places_of(content: Content, options: ForestOptions, left: float, gap: float) -> list[Place]:
    """The columns of ``content`` side by side, from ``left``."""
    size = options.font_size
    columns = content.columns
    plain = [row.cells for row in content.rows if row.cells and row.kind not in ("subtotal", "total")]
    bold = [row.cells for row in content.rows if row.cells and row.kind in ("subtotal", "total")]
    plain_columns = list(zip(*plain, strict=True)) or [()] * len(columns)
    bold_columns = list(zip(*bold, strict=True)) or [()] * len(columns)
    places: list[Place] = []
    for column, cells, bold_cells in zip(columns, plain_columns, bold_columns, strict=True):
        own = regular = widest(cells, size)
        if bold_cells:
            own = max(own, widest(bold_cells, size, bold=True))
            regular = max(regular, widest(bold_cells, size)) if column.key == "effect" else regular
        places.append(Place(_heading(column, content, own, size), own, regular, size, _anchor(column, options)))
    x = left
    previous = None
    for column, place in zip(columns, places, strict=True):
        if column.group >= 0 and column.group != previous:  # an arm's columns are at least as wide as its name
            members = [one.width for one, c in zip(places, columns, strict=True) if c.group == column.group]
            span = sum(members) + gap * (len(members) - 1)
            name = widest(_arm_lines(content, column.group, span, size), size, bold=True)
            x += max(0.0, name - span) + (0.5 * gap if previous is not None else 0.0)
        previous = column.group
        x += gap + place.width
        place.stand(x, effect=column.key == "effect")
    return places


def _anchor(column: Column, options: ForestOptions) -> str:
    if not options.align:
        return "end"
    kind, _, rest = column.key.partition(":")
    name = rest if kind == "extra" else kind if kind in ("weight", "effect") else "data"
    return _ANCHORS[options.align.get(name, "right")]


def _heading(column: Column, content: Content, own: float, size: float) -> list[str]:
    """The lines of a column's heading, for cells that are ``own`` wide."""
    key, heading = column.key, column.heading
    if key == "effect":
        room = max(own, 13.5 * size)
        return wrap(content.measure_name, room, size, bold=True) + wrap(content.method, room, size, bold=True)
    if key.startswith("weight:") and "\n" in heading:
        first, second = heading.split("\n")
        return [first, *wrap(second, max(own, 9 * size), size, bold=True)]
    if key.startswith(("extra:", "analysis")):
        return wrap(heading, max(own, 7 * size), size, bold=True)
    return [heading]


def _arm_lines(content: Content, group: int, span: float, size: float) -> list[str]:
    return wrap(content.groups[group], max(span, 10 * size), size, bold=True)


def write_headings(
    layout: Layout, content: Content, places: list[Place], y: float, plot: tuple[float, float], size: float
) -> float:
    """The heading over every column and over the plot; returns the baseline of the last line."""
    line_height = 1.3 * size
    plot_left, plot_right = plot
    over_plot = wrap(content.measure_name, plot_right - plot_left, size, bold=True) + wrap(
        content.method, plot_right - plot_left, size, bold=True
    )
    arms: dict[int, list[str]] = {}
    spans: dict[int, tuple[float, float]] = {}
    for group in range(len(content.groups)):
        members = [i for i, c in enumerate(content.columns) if c.group == group]
        if members:
            first, last = members[0], places[members[-1]].end
            cells = [row.cells[first] for row in content.rows if row.cells]
            left = places[first].end - max(places[first].heading_width, widest(cells, size, bold=True))
            arms[group] = _arm_lines(content, group, last - left, size)
            needed = widest(arms[group], size, bold=True)
            spans[group] = (min(left, last - needed), last)
    deepest = max(1, len(over_plot), *[len(place.heading) for place in places], *[len(a) + 1 for a in arms.values()])
    base = y + deepest * line_height

    add = layout.written.append

    def write(x: float, anchor: str, block: list[str], bottom: float) -> None:
        at = bottom - (len(block) - 1) * line_height
        for line in block:
            add(Text(x, at, line, anchor, True))
            at += line_height

    add(Text(layout.margin, base, content.study_heading, "start", True))
    for group, (left, right) in spans.items():
        write((left + right) / 2, "middle", arms[group], base - line_height)
        layout.rules.append((left, right, base - line_height + 0.32 * size))
    for place in places:
        write(*place.over, place.heading, base)
    write((plot_left + plot_right) / 2, "middle", over_plot, base)
    for i, letter in enumerate(letters(len(content.bias_domains))):
        layout.written.append(Text(plot_right + (1.6 + 1.55 * i) * size, base, letter, "middle", True))
    return base


def letters(count: int) -> list[str]:
    """A, B, C ...: the headings of the risk-of-bias domains."""
    return [chr(ord("A") + i) if i < 26 else str(i + 1) for i in range(count)]
