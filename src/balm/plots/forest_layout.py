"""Where everything on a forest plot goes: rows, columns, texts and marks as plain values, before anything is drawn.

The layout is RevMan's: study, data of both arms, weight, effect as text, the plot, risk of bias. Column widths come
from the texts themselves (:mod:`balm.plots.text_width`), so nothing overlaps whatever the names and numbers; a long
study name takes two lines, and what cannot fit is cut with an ellipsis and kept whole as a tooltip. Tests read the
layout, not the picture.
"""

from __future__ import annotations

from math import inf, log, sqrt

from balm.plots.axis import Axis
from balm.plots.forest_axis import forest_axis, under_axis
from balm.plots.forest_content import POOLED_KINDS, Content, Row
from balm.plots.forest_headings import letters, places_of, write_headings
from balm.plots.forest_options import ForestOptions
from balm.plots.forest_placed import Dot, Layout, Mark, Text
from balm.plots.text_width import fit, text_width, widest, wrap
from balm.vocabulary.problems import InputError

#: The plot's own width and its least, in font sizes.
_PLOT, _LEAST_PLOT = 22.0, 13.0
#: The distance between the lines of one study's name, in font sizes.
_NAME_LINE = 1.15
_STUDY_KINDS = ("study", "series")


def lay_out(content: Content, options: ForestOptions) -> Layout:
    """Arrange ``content``."""
    size = options.font_size
    margin, gap = round(size), round(1.1 * size)
    rows = content.rows

    # Columns: the study column, then one column after another, then the plot.
    names_width = widest([row.label for row in rows if row.kind in _STUDY_KINDS], size)
    label_width = max(
        min(names_width, options.label_width or 19 * size),
        widest(
            [row.label for row in rows if row.kind in ("subtotal", "total", "prediction", "events")], size, bold=True
        ),
        text_width(content.study_heading, size, bold=True),
    )
    places = places_of(content, options, margin + label_width, gap)
    plot_left = (places[-1].end if places else margin + label_width) + 1.6 * gap
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
    axis = forest_axis(content, options, plot_left, plot_right)

    layout = Layout(width, axis, margin, [place.cells for place in places])
    y = float(margin)
    if options.title is not None:
        for line in wrap(options.title, width - 2 * margin, size * 1.15, bold=True, lines=3):
            y += 1.35 * size
            layout.written.append(Text(margin, y, line, bold=True, size=size * 1.15))
        y += 0.6 * size
    y = write_headings(layout, content, places, y, (plot_left, plot_right), size)
    layout.rule_y = y + 0.5 * size
    layout.plot_top = layout.rule_y
    y = layout.rule_y + 0.35 * size
    for value, label in options.references:
        if axis.holds(value):
            x = axis.position(value)
            layout.reference_x.append(x)
            if label:
                y += size
                layout.written.append(_centred(label, x, y, plot_left, plot_right, size))
                y += 0.3 * size
                layout.plot_top = y

    room = label_width if names_width > label_width else inf
    y = _rows(layout, content, options, room, plot_left - margin - 0.8 * size, plot_right + 1.6 * size, y)

    # Under the rows: the axis on the right, the lines of text on the left.
    layout.axis_y = y + 0.3 * size
    bottom = under_axis(layout, options, content, axis, plot_left, plot_right, size)
    y = _under_rows(layout, content, options, max(plot_left - margin - gap, 8 * size), bottom)
    layout.height = y + margin
    if content.null is not None and axis.holds(content.null):
        layout.null_x = axis.position(content.null)
    if options.pooled_line:
        pooled = [row.estimate for row in rows if row.kind == "total" and row.estimate == row.estimate]
        if pooled and axis.holds(pooled[0]):
            layout.pooled_x = axis.position(pooled[0])
    return layout


def _rows(
    layout: Layout, content: Content, options: ForestOptions, names: float, words: float, dots: float, y: float
) -> float:
    """Place every row from ``y`` down; returns the bottom of the last one.

    ``names`` is the room for a study's name (infinite when all fit), ``words`` that for a line of text, and ``dots``
    where the risk of bias begins.
    """
    size = options.font_size
    row_height = max(options.row_height or 1.6 * size, 1.15 * size)
    axis, margin = layout.axis, layout.margin
    low_edge, high_edge = axis.low, axis.high
    write, add_square, add_shape = layout.written.append, layout.squares.append, layout.shapes.append
    rows = content.rows
    shares = [row.share for row in rows if row.kind == "study" and row.share == row.share]
    side_per_root = min(0.74 * row_height, 1.15 * size) / sqrt(max(shares, default=1.0) or 1.0)
    half_row, to_baseline = 0.5 * row_height, 0.35 * size
    middles = _positions(axis, [row.estimate for row in rows])
    lows, highs = _positions(axis, [row.low for row in rows]), _positions(axis, [row.high for row in rows])
    previous = ""
    for row, middle, low, high in zip(rows, middles, lows, highs, strict=True):
        kind, label, estimate = row.kind, row.label, row.estimate
        if kind != previous:
            if previous and (kind == "heading" or (kind == "total" and previous != "prediction")):
                y += 0.45 * row_height
            previous = kind
        if kind == "words" or kind == "heading":
            y = _words(layout, row, words, size, row_height, y)
            continue
        centre, bottom = y + half_row, y + row_height
        link = options.total_link if kind == "total" else row.link
        if link is not None or (names < inf and kind in _STUDY_KINDS and text_width(label, size) > names):
            lines = wrap(label, names, size, lines=options.label_lines)
            extra = (len(lines) - 1) * _NAME_LINE * size
            centre, bottom = centre + extra / 2, bottom + extra
            full = label if " ".join(lines) != label else None
            first = centre + to_baseline - extra / 2
            for i, line in enumerate(lines):
                at = first + i * _NAME_LINE * size
                write(Text(margin, at, line, bold=kind in POOLED_KINDS, full=full, link=link))
            label = ""
        write((centre + to_baseline, label, row.cells, kind in POOLED_KINDS))
        if row.bias:
            layout.dots += [Dot(dots + 1.55 * size * i, centre, judged) for i, judged in enumerate(row.bias)]
        known = low == low and high == high
        if estimate != estimate:
            if kind == "prediction" and known:
                add_shape(Mark("bar", centre, 0.0, low, high, 0.0, row.low < low_edge, row.high > high_edge))
        elif kind in POOLED_KINDS:
            add_shape(_diamond(row, axis, centre, 0.36 * row_height))
        else:
            end_low, end_high = row.low, row.high
            if not known:
                low = high = middle
                end_low = end_high = estimate
            half = 0.0
            if low_edge <= estimate <= high_edge:
                root = row.share**0.5
                half = max(0.5 * (side_per_root * root), 1.0) if root == root else 0.22 * size
            add_square((centre, middle, low, high, half, end_low < low_edge, end_high > high_edge))
        y = bottom
    return y


def _words(layout: Layout, row: Row, room: float, size: float, row_height: float, y: float) -> float:
    """A heading of a subgroup, or a line of text under its rows."""
    bold = row.kind == "heading"
    for line in wrap(row.label, room, size, bold=bold, lines=1 if bold else 3):
        full = row.label if bold and line != row.label else None
        layout.written.append(Text(layout.margin, y + 0.5 * row_height + 0.35 * size, line, "start", bold, full))
        y += row_height if bold else max(1.25 * size, 0.85 * row_height)
    return y


def _under_rows(layout: Layout, content: Content, options: ForestOptions, room: float, bottom: float) -> float:
    """The lines of text beside the axis and, if they are long, under it; returns the lowest baseline."""
    size, margin = options.font_size, layout.margin
    whole = layout.width - 2 * margin
    long = [text_width(footer, size) > 3 * room for footer in content.footers]
    y = layout.axis_y + 0.15 * size
    for beside in (True, False):
        for footer, too_long in zip(content.footers, long, strict=True):
            if too_long is not beside:
                for line in wrap(footer, room if beside else whole, size, lines=4 if beside else 6):
                    y += 1.3 * size
                    layout.written.append(Text(margin, y, line))
        y = max(y, bottom)
    if any(content.bias_domains):
        y += 0.6 * size
        for letter, name in zip(letters(len(content.bias_domains)), content.bias_domains, strict=True):
            y += 1.3 * size
            layout.written.append(Text(margin, y, fit(f"{letter}: {name}", whole, size)))
    return y


def _positions(axis: Axis, values: list[float]) -> list[float]:
    """:meth:`Axis.position` of every value."""
    low, high, start, end = axis.low, axis.high, axis.start, axis.end
    if not axis.log:
        span, length = high - low, end - start
        return [
            start if value <= low else end if value >= high else start + (value - low) / span * length
            for value in values
        ]
    base = log(low)
    factor = (end - start) / (log(high) - base)
    return [
        start if value <= low else end if value >= high else start + (log(value) - base) * factor for value in values
    ]


def _diamond(row: Row, axis: Axis, y: float, half: float) -> Mark:
    low, high = (row.low, row.high) if row.low == row.low and row.high == row.high else (row.estimate, row.estimate)
    middle, left, right = (_unbounded(axis, value) for value in (row.estimate, low, high))
    return Mark("diamond", y, middle, left, right, half, low < axis.low, high > axis.high)


def _unbounded(axis: Axis, value: float) -> float:
    """The pixel of ``value`` on the axis continued beyond its edges, but never so far as to overflow."""
    if axis.log:
        share = -inf if value <= 0 else log(value / axis.low) / log(axis.high / axis.low) if value < inf else inf
    else:
        share = (value - axis.low) / (axis.high - axis.low)
    return axis.start + min(max(share, -50.0), 50.0) * (axis.end - axis.start)


def _centred(label: str, x: float, y: float, left: float, right: float, size: float) -> Text:
    """A label centred at ``x`` but kept between ``left`` and ``right``."""
    short = fit(label, right - left, size)
    wide = text_width(short, size)
    x = min(max(x, left + wide / 2), right - wide / 2)
    return Text(x, y, short, "middle", full=label if short != label else None)
