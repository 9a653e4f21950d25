"""Where everything on a forest plot goes: rows, columns, texts and marks as plain values, before anything is drawn.

The layout is RevMan's: study, data of both arms, weight, effect as text, the plot, risk of bias. Column widths come
from the texts themselves (:mod:`balm.plots.text_width`), so nothing overlaps whatever the names and numbers; what
cannot fit is cut with an ellipsis and kept whole as a tooltip. Tests read the layout, not the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf, isfinite, log, sqrt

from balm.plots.axis import Axis, linear_axis, log_axis
from balm.plots.forest_content import POOLED_KINDS, Content
from balm.plots.forest_options import ForestOptions
from balm.plots.text_width import fit, text_width, widest, wrap
from balm.vocabulary.problems import InputError

#: The plot's own width and its least, in font sizes.
_PLOT, _LEAST_PLOT = 22.0, 13.0
#: How far the axis follows the interval ends, and the estimates, beyond the range that all but a fifth of the studies
#: at either end keep to, as a multiple of that range; what lies further out ends in an arrow.
_BEYOND, _ESTIMATES = 1.0, 4.0
#: Each side of the line of no effect gets at least this share of the axis.
_LEAST_SIDE = 0.22


@dataclass(slots=True, eq=False, repr=False)
class Text:
    """A text with its baseline at (x, y)."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    bold: bool = False
    full: str | None = None
    link: str | None = None
    size: float = 0.0

    def box(self, size: float) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the letters, for a font of ``size`` unless the text has its own."""
        own = self.size or size
        width = text_width(self.text, own, bold=self.bold)
        left = self.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * width
        return left, self.y - 0.74 * own, left + width, self.y + 0.22 * own


@dataclass(slots=True, eq=False, repr=False)
class Mark:
    """An interval in the plot, in pixels. ``kind``: "square", "diamond", "bar"; a clipped end is an arrow.

    ``half`` is half the side of a square, or half the height of a diamond. The ends and the middle of a
    diamond may lie beyond the plot: the drawing cuts it at the edge.
    """

    kind: str
    y: float
    middle: float
    low: float
    high: float
    half: float
    clipped_low: bool = False
    clipped_high: bool = False


@dataclass(slots=True, eq=False, repr=False)
class Dot:
    """A risk-of-bias judgement."""

    x: float
    y: float
    judgement: str


@dataclass(slots=True, eq=False, repr=False)
class Layout:
    """The finished arrangement; everything in pixels, y downwards."""

    width: float
    height: float
    axis: Axis
    axis_y: float
    plot_top: float
    rule_y: float
    texts: list[Text] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    dots: list[Dot] = field(default_factory=list)
    rules: list[tuple[float, float, float]] = field(default_factory=list)  # x1, x2, y: under an arm's name
    null_x: float | None = None
    pooled_x: float | None = None
    reference_x: list[float] = field(default_factory=list)
    tick_x: list[float] = field(default_factory=list)


def lay_out(content: Content, options: ForestOptions) -> Layout:
    """Arrange ``content``."""
    size = options.font_size
    row_height = max(options.row_height or 1.6 * size, 1.15 * size)
    margin, gap = round(size), round(1.1 * size)
    rows = content.rows

    # Columns: the study column, then one right-aligned column after another, then the plot.
    studies = [row.label for row in rows if row.kind in ("study", "series")]
    pooled = [row.label for row in rows if row.kind in ("subtotal", "total", "prediction", "events")]
    cap = options.label_width or 19 * size
    label_width = max(
        min(widest(studies, size), cap),
        widest(pooled, size, bold=True),
        text_width(content.study_heading, size, bold=True),
    )
    ends, texts_at, heading_lines = _column_ends(content, margin + label_width, gap, size)
    right_of_columns = ends[-1] if ends else margin + label_width
    plot_left = right_of_columns + 1.6 * gap
    dots_width = (len(content.bias_domains) * 1.55 + 1.0) * size if content.bias_domains else 0.0
    if options.width is not None:
        plot_width = options.width - plot_left - dots_width - 1.6 * gap
        if plot_width < _LEAST_PLOT * size * 0.5:
            least = plot_left + dots_width + 1.6 * gap + _LEAST_PLOT * size * 0.5
            raise InputError(f"width must be at least {least:.0f} for these columns; got {options.width!r}")
    else:
        plot_width = _PLOT * size
    plot_right = plot_left + plot_width
    width = options.width or plot_right + dots_width + 1.6 * gap
    axis = _axis(content, options, plot_left, plot_right)

    layout = Layout(width, 0.0, axis, 0.0, 0.0, 0.0)
    texts = layout.texts
    y = float(margin)
    if options.title is not None:
        for line in wrap(options.title, width - 2 * margin, size * 1.15, bold=True, lines=3):
            y += 1.35 * size
            texts.append(Text(margin, y, line, bold=True, size=size * 1.15))
        y += 0.6 * size
    y = _headings(layout, content, ends, texts_at, heading_lines, margin, y, plot_left, plot_right, size)
    layout.rule_y = y + 0.5 * size
    layout.plot_top = layout.rule_y
    y = layout.rule_y + 0.35 * size
    for value, label in options.references:
        if axis.holds(value):
            x = axis.position(value)
            layout.reference_x.append(x)
            if label:
                y = _clamped(texts, label, x, y + size, plot_left, plot_right, size) + 0.3 * size
                layout.plot_top = y

    y = _rows(layout, content, options, ends, texts_at, margin, label_width, plot_left, plot_right, y, row_height)
    y_rows = y + 0.3 * size

    # Under the rows: the axis on the right, the lines of text on the left.
    layout.axis_y = y_rows
    bottom = _under_axis(layout, options, content, axis, plot_left, plot_right, size)
    room = max(plot_left - margin - gap, 8 * size)
    y = y_rows + 0.15 * size
    below: list[str] = []
    for footer in content.footers:
        longest = text_width(footer, size)
        if longest > 3 * room:
            below.append(footer)
            continue
        for line in wrap(footer, room, size, lines=4):
            y += 1.3 * size
            texts.append(Text(margin, y, line))
    y = max(y, bottom)
    for footer in below:
        for line in wrap(footer, width - 2 * margin, size, lines=6):
            y += 1.3 * size
            texts.append(Text(margin, y, line))
    if any(content.bias_domains):
        y += 0.6 * size
        for letter, name in zip(_letters(len(content.bias_domains)), content.bias_domains, strict=True):
            line = fit(f"{letter}: {name}", width - 2 * margin, size)
            y += 1.3 * size
            texts.append(Text(margin, y, line))
    layout.height = y + margin
    for mark in ("null", "pooled"):
        value = content.null if mark == "null" else _pooled_value(content, options)
        if value is not None and axis.holds(value):
            setattr(layout, f"{mark}_x", axis.position(value))
    return layout


def _column_ends(
    content: Content, left: float, gap: float, size: float
) -> tuple[list[float], list[float], list[list[str]]]:
    """Right edges of the columns, the right edges of their texts, and the lines of their headings."""
    columns = content.columns
    plain = [row.cells for row in content.rows if row.cells and row.kind not in ("subtotal", "total")]
    bold = [row.cells for row in content.rows if row.cells and row.kind in ("subtotal", "total")]
    ends: list[float] = []
    text_ends: list[float] = []
    headings: list[list[str]] = []
    widths = []
    for i, column in enumerate(columns):
        own = max(widest([r[i] for r in plain], size), widest([r[i] for r in bold], size, bold=True))
        if column.key == "effect":
            name = wrap(content.measure_name, max(own, 13.5 * size), size, bold=True, lines=2)
            method = wrap(content.method, max(own, 13.5 * size), size, bold=True, lines=2)
            lines = [*name, *method]
        elif column.key.startswith("weight:") and "\n" in column.heading:
            first, second = column.heading.split("\n")
            lines = [first, *wrap(second, max(own, 9 * size), size, bold=True, lines=2)]
        elif column.key.startswith(("extra:", "analysis")):
            lines = wrap(column.heading, max(own, 7 * size), size, bold=True, lines=2)
        else:
            lines = [column.heading]
        headings.append(lines)
        widths.append((max(own, widest(lines, size, bold=True)), own))
    x = left
    previous = None
    for i, column in enumerate(columns):
        total, own = widths[i]
        if column.group >= 0 and column.group != previous:  # an arm's columns are at least as wide as its name
            members = [j for j, c in enumerate(columns) if c.group == column.group]
            span = sum(widths[j][0] for j in members) + gap * (len(members) - 1)
            name = widest(_arm_lines(content, column.group, span, size), size, bold=True)
            x += max(0.0, name - span) + (0.5 * gap if previous is not None else 0.0)
        previous = column.group
        x += gap + total
        ends.append(x)
        # Numbers stand under the right end of a heading as wide as they are, and under its middle when it is wider.
        text_ends.append(x - (total - own) / 2 if column.key == "effect" else x)
    return ends, text_ends, headings


def _arm_lines(content: Content, group: int, span: float, size: float) -> list[str]:
    return wrap(content.groups[group], max(span, 10 * size), size, bold=True, lines=2)


def _headings(
    layout: Layout,
    content: Content,
    ends: list[float],
    text_ends: list[float],
    headings: list[list[str]],
    margin: float,
    y: float,
    plot_left: float,
    plot_right: float,
    size: float,
) -> float:
    """The heading over every column; returns the baseline of the last line."""
    line_height = 1.3 * size
    over_plot = wrap(content.measure_name, plot_right - plot_left, size, bold=True) + wrap(
        content.method, plot_right - plot_left, size, bold=True
    )
    arms: dict[int, list[str]] = {}
    spans: dict[int, tuple[float, float]] = {}
    size_of_column = [max(widest(lines, size, bold=True), 0.0) for lines in headings]
    for group in range(len(content.groups)):
        members = [i for i, c in enumerate(content.columns) if c.group == group]
        if members:
            first, last = members[0], members[-1]
            cells = [row.cells[first] for row in content.rows if row.cells]
            left = ends[first] - max(size_of_column[first], widest(cells, size, bold=True))
            arms[group] = _arm_lines(content, group, ends[last] - left, size)
            needed = widest(arms[group], size, bold=True)
            spans[group] = (min(left, ends[last] - needed), ends[last])
    lines = max(
        [1, len(over_plot), *map(len, headings), *[len(arm) + 1 for arm in arms.values()]],
    )
    last = y + lines * line_height
    texts = layout.texts

    def write(x: float, anchor: str, block: Sequence[str], bottom: float) -> None:
        for i, line in enumerate(block):
            at = bottom - (len(block) - 1 - i) * line_height
            texts.append(Text(x, at, line, anchor, True))

    write(margin, "start", [content.study_heading], last)
    for group, (left, right) in spans.items():
        write((left + right) / 2, "middle", arms[group], last - line_height)
        layout.rules.append((left, right, last - line_height + 0.32 * size))
    for column, end, block, own in zip(content.columns, ends, headings, size_of_column, strict=True):
        if column.key == "effect":
            middle = text_ends[content.columns.index(column)]
            cells = [row.cells[-1] for row in content.rows if row.cells]
            widest_cell = max(widest(cells, size), 0.0)
            centre = end - max(own, widest_cell) / 2 if own >= widest_cell else middle - widest_cell / 2
            write(centre, "middle", block, last)
        else:
            write(end, "end", block, last)
    write((plot_left + plot_right) / 2, "middle", over_plot, last)
    if content.bias_domains:
        x = plot_right + 1.6 * size
        for letter in _letters(len(content.bias_domains)):
            texts.append(Text(x, last, letter, "middle", True))
            x += 1.55 * size
    return last


def _rows(
    layout: Layout,
    content: Content,
    options: ForestOptions,
    ends: list[float],
    text_ends: list[float],
    margin: float,
    label_width: float,
    plot_left: float,
    plot_right: float,
    y: float,
    row_height: float,
) -> float:
    """Place every row; returns the bottom of the last one."""
    size = options.font_size
    axis = layout.axis
    position = _placing(axis)
    low_edge, high_edge, log_scale = axis.low, axis.high, axis.log
    add_text, add_mark = layout.texts.append, layout.marks.append
    room = plot_left - margin - 0.8 * size
    shares = [row.share for row in content.rows if row.kind == "study" and row.share == row.share]
    side_per_root = min(0.74 * row_height, 1.15 * size) / sqrt(max(shares, default=1.0) or 1.0)
    half_diamond = 0.36 * row_height
    baseline = 0.5 * row_height + 0.35 * size
    dot_x = plot_right + 1.6 * size
    some_too_wide = widest([row.label for row in content.rows if row.kind in ("study", "series")], size) > label_width
    previous = ""
    for row in content.rows:
        kind = row.kind
        if previous and kind != previous and (kind == "heading" or (kind == "total" and previous != "prediction")):
            y += 0.45 * row_height
        previous = kind
        bold = kind in ("subtotal", "total", "heading")
        if kind == "words" or kind == "heading":
            for line in wrap(row.label, room, size, bold=bold, lines=1 if bold else 3):
                full = row.label if bold and line != row.label else None
                add_text(Text(margin, y + baseline, line, "start", bold, full))
                y += row_height if bold else max(1.25 * size, 0.85 * row_height)
            continue
        at, middle = y + baseline, y + 0.5 * row_height
        label = row.label
        full = None
        if some_too_wide and kind in ("study", "series"):
            short = fit(label, label_width, size)
            if short != label:
                full, label = label, short
        add_text(Text(margin, at, label, "start", bold, full, row.link))
        for end, text in zip(text_ends, row.cells, strict=True):
            if text:
                add_text(Text(end, at, text, "end", bold))
        for i, judgement in enumerate(row.bias):
            layout.dots.append(Dot(dot_x + 1.55 * size * i, middle, judgement))
        low, high, estimate = row.low, row.high, row.estimate
        if kind in ("study", "series"):
            if estimate == estimate:
                if low != low or high != high:
                    low = high = estimate
                half = max(side_per_root * sqrt(row.share), 2.0) / 2 if row.share == row.share else 0.22 * size
                hidden = estimate < low_edge or estimate > high_edge
                add_mark(
                    Mark(
                        "square",
                        middle,
                        position(estimate),
                        position(low),
                        position(high),
                        0.0 if hidden else half,
                        low < low_edge,
                        high > high_edge,
                    )
                )
        elif kind in POOLED_KINDS:
            if estimate == estimate:
                if low != low or high != high:
                    low = high = estimate
                place = [_unbounded(axis, v, log_scale) for v in (estimate, low, high)]
                add_mark(
                    Mark(
                        "diamond", middle, place[0], place[1], place[2], half_diamond, low < low_edge, high > high_edge
                    )
                )
        elif kind == "prediction" and low == low and high == high:
            add_mark(Mark("bar", middle, 0.0, position(low), position(high), 0.0, low < low_edge, high > high_edge))
        y += row_height
    return y


def _placing(axis: Axis) -> Callable[[float], float]:
    """:meth:`Axis.position` with everything that is the same for all rows worked out once."""
    low, high, start, end = axis.low, axis.high, axis.start, axis.end
    if not axis.log:
        return axis.position
    base = log(low)
    factor = (end - start) / (log(high) - base)

    def place(value: float) -> float:
        return start if value <= low else end if value >= high else start + (log(value) - base) * factor

    return place


def _unbounded(axis: Axis, value: float, log_scale: bool) -> float:
    """The pixel of ``value`` on the axis continued beyond its edges, but never so far as to overflow."""
    if log_scale:
        share = -inf if value <= 0 else log(value / axis.low) / log(axis.high / axis.low) if value < inf else inf
    else:
        share = (value - axis.low) / (axis.high - axis.low)
    return axis.start + min(max(share, -50.0), 50.0) * (axis.end - axis.start)


def _axis(content: Content, options: ForestOptions, left: float, right: float) -> Axis:
    """The axis: as asked, or from the intervals, with the far ends of a few left to arrows."""
    size = options.font_size
    inset = 0.6 * size
    if options.limits is not None:
        low, high = options.limits
        if not (isfinite(low) and isfinite(high) and low < high and (low > 0 or not content.log)):
            need = "above 0, the lower first" if content.log else "the lower first"
            raise InputError(f"limits must be two finite values, {need}; got {options.limits!r}")
    else:
        low, high = _range(content, options)
    make = log_axis if content.log else linear_axis
    for count in (7, 5, 4, 3, 2, 1):
        axis = make(low, high, start=left + inset, end=right - inset, ticks=options.ticks, count=count)
        edges = sorted([(axis.position(t), text_width(axis.label(t), size)) for t in axis.ticks])
        clear = all(b - wb / 2 - (a + wa / 2) > 0.5 * size for (a, wa), (b, wb) in pairwise(edges))
        if clear:
            return axis
        if options.ticks is not None:
            kept: list[tuple[float, float]] = []
            marks = []
            for tick in axis.ticks:
                x, w = axis.position(tick), text_width(axis.label(tick), size)
                if not kept or x - w / 2 - (kept[-1][0] + kept[-1][1] / 2) > 0.5 * size:
                    kept.append((x, w))
                    marks.append(tick)
            return make(low, high, start=left + inset, end=right - inset, ticks=marks)
    return make(low, high, start=left + inset, end=right - inset, ticks=axis.ticks[:1])


def _range(content: Content, options: ForestOptions) -> tuple[float, float]:
    def on(value: float) -> float:
        return log(value) if content.log else value

    def usable(value: float) -> bool:
        return isfinite(value) and (value > 0 or not content.log)

    marks = [row for row in content.rows if row.estimate == row.estimate and usable(row.estimate)]
    null = content.null
    if not marks:
        if content.log:
            return 0.1, 10.0
        return (-1.0, 1.0) if null == 0 else (0.0, 1.0)
    studies = [row for row in marks if row.kind in ("study", "series")] or marks
    if content.log:
        middles = sorted([log(row.estimate) for row in studies])
        lows = sorted([log(row.low if 0 < row.low < inf else row.estimate) for row in studies])
        highs = sorted([log(row.high if 0 < row.high < inf else row.estimate) for row in studies])
    else:
        middles = sorted([row.estimate for row in studies])
        lows = sorted([row.low if -inf < row.low < inf else row.estimate for row in studies])
        highs = sorted([row.high if -inf < row.high < inf else row.estimate for row in studies])
    k = len(studies)
    core_low, core_high = lows[k // 5 if k > 4 else 0], highs[-1 - (k // 5 if k > 4 else 0)]
    span = max(core_high - core_low, 1e-12)
    low = min(max(lows[0], core_low - _BEYOND * span), max(middles[0], core_low - _ESTIMATES * span))
    high = max(min(highs[-1], core_high + _BEYOND * span), min(middles[-1], core_high + _ESTIMATES * span))
    span = high - low
    low = lows[0] if low - lows[0] < 0.25 * span else low
    high = highs[-1] if highs[-1] - high < 0.25 * span else high
    edge_low, edge_high = low, high
    for row in content.rows:
        if row.kind in ("subtotal", "total", "prediction"):
            for end in (row.low, row.high):
                if usable(end):
                    far = span if row.kind != "prediction" else 0.4 * span
                    low = min(low, max(on(end), edge_low - far))
                    high = max(high, min(on(end), edge_high + far))
    for value, _ in options.references:
        if usable(value):
            low, high = min(low, max(on(value), edge_low - span)), max(high, min(on(value), edge_high + span))
    if null is not None:
        centre = on(null)
        low, high = min(low, centre), max(high, centre)
        span = (high - low) or (0.5 if content.log else abs(high) or 1.0)
        low = min(low, centre - _LEAST_SIDE / (1 - _LEAST_SIDE) * (high - centre))
        high = max(high, centre + _LEAST_SIDE / (1 - _LEAST_SIDE) * (centre - low))
    if high - low <= 1e-12 * max(abs(low), abs(high), 1e-300):
        half = 0.5 if content.log else (abs(low) * 0.5 or 1.0)
        low, high = low - half, high + half
    pad = 0.03 * (high - low)
    low, high = low - pad, high + pad
    if content.log:
        from math import exp

        return exp(max(low, -300.0)), exp(min(high, 300.0))
    if null is None and all(row.low >= 0 for row in studies if row.low == row.low):
        low = max(low, 0.0)  # proportions and rates do not go below zero
        if all(row.high <= 1 for row in studies if row.high == row.high) and high > 0.6:
            high = 1.0
    return low, high


def _clamped(texts: list[Text], label: str, x: float, y: float, left: float, right: float, size: float) -> float:
    """A label centred at ``x`` but kept between ``left`` and ``right``; returns its baseline."""
    short = fit(label, right - left, size)
    wide = text_width(short, size)
    x = min(max(x, left + wide / 2), right - wide / 2)
    texts.append(Text(x, y, short, "middle", full=label if short != label else None))
    return y


def _under_axis(
    layout: Layout, options: ForestOptions, content: Content, axis: Axis, left: float, right: float, size: float
) -> float:
    """Tick labels and the favours labels; returns the lowest baseline used."""
    texts = layout.texts
    y = layout.axis_y + 1.35 * size
    for tick in axis.ticks:
        label = axis.label(tick)
        x = axis.position(tick)
        layout.tick_x.append(x)
        texts.append(Text(x, y, label, "middle"))
    sides = options.favours_labels
    if sides is None:
        return y
    null = content.null
    centre = axis.position(null) if null is not None else (left + right) / 2
    bottom = y
    spans = ((left, centre - 0.5 * size), (centre + 0.5 * size, right))
    blocks = [
        wrap(text, b - a, size, lines=3) if b - a > 2 * size else [] for text, (a, b) in zip(sides, spans, strict=True)
    ]
    if any(
        not block or (block[-1] != text.split(" ")[-1] and not text.endswith(block[-1]))
        for block, text in zip(blocks, sides, strict=True)
    ):
        # One side is too narrow: a line for each, the whole plot wide.
        room = right - left - 1.5 * size
        for text, form, anchor, x in ((sides[0], "← {}", "start", left), (sides[1], "{} →", "end", right)):
            short = fit(text, room, size)
            bottom += 1.3 * size
            texts.append(Text(x, bottom, form.format(short), anchor, full=text if short != text else None))
        return bottom
    for block, (a, b) in zip(blocks, spans, strict=True):
        wide = widest(block, size)
        x = (a + b) / 2
        x = max(min(x, b - wide / 2), a + wide / 2)
        for i, line in enumerate(block):
            at = y + 1.3 * size * (i + 1)
            texts.append(Text(x, at, line, "middle"))
            bottom = max(bottom, at)
    return bottom


def _pooled_value(content: Content, options: ForestOptions) -> float | None:
    if not options.pooled_line:
        return None
    return next((row.estimate for row in content.rows if row.kind == "total" and row.estimate == row.estimate), None)


def _letters(count: int) -> list[str]:
    return [chr(ord("A") + i) if i < 26 else str(i + 1) for i in range(count)]
