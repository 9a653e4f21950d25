"""The axis of a forest plot: how far it reaches, which values it marks, and what stands under it."""

from __future__ import annotations

from itertools import pairwise
from math import exp, inf, isfinite, log

from balm.plots.axis import Axis, linear_axis, log_axis
from balm.plots.forest_content import Content
from balm.plots.forest_options import ForestOptions
from balm.plots.forest_placed import Layout, Text
from balm.plots.text_width import fit, text_width, widest, wrap
from balm.vocabulary.problems import InputError

#: How far the axis follows the interval ends, and the estimates, beyond the range that all but a fifth of the studies
#: at either end keep to, as a multiple of that range; what lies further out ends in an arrow.
_BEYOND, _ESTIMATES = 1.0, 4.0
#: How far beyond the studies the axis follows other intervals, as a multiple of what the studies take; a subtotal of
#: two or three studies can be far wider than anything that a reader compares.
_FURTHER = {"total": 1.0, "prediction": 0.4, "subtotal": 0.2}
#: Each side of the line of no effect gets at least this share of the axis.
_LEAST_SIDE = 0.22


def forest_axis(content: Content, options: ForestOptions, left: float, right: float) -> Axis:
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
        if all([b - wb / 2 - (a + wa / 2) > 0.5 * size for (a, wa), (b, wb) in pairwise(edges)]):  # noqa: C419
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
    """The lowest and the highest value of the axis, on the displayed scale."""
    on, floor = (log, 0.0) if content.log else (float, -inf)
    marks = [row for row in content.rows if floor < row.estimate < inf]
    null = content.null
    if not marks:
        if content.log:
            return 0.1, 10.0
        return (-1.0, 1.0) if null == 0 else (0.0, 1.0)
    studies = [row for row in marks if row.kind in ("study", "series")] or marks
    middles = sorted([on(row.estimate) for row in studies])
    lows = sorted([on(row.low if floor < row.low < inf else row.estimate) for row in studies])
    highs = sorted([on(row.high if floor < row.high < inf else row.estimate) for row in studies])
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
        if row.kind in _FURTHER:
            for end in (row.low, row.high):
                if floor < end < inf:
                    far = _FURTHER[row.kind] * span
                    low = min(low, max(on(end), edge_low - far))
                    high = max(high, min(on(end), edge_high + far))
    for value, _ in options.references:
        if floor < value < inf:
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
        return exp(max(low, -300.0)), exp(min(high, 300.0))
    if null is None and all(row.low >= 0 for row in studies if row.low == row.low):
        low = max(low, 0.0)  # proportions and rates do not go below zero
        if all(row.high <= 1 for row in studies if row.high == row.high) and high > 0.6:
            high = 1.0
    return low, high


def under_axis(
    layout: Layout, options: ForestOptions, content: Content, axis: Axis, left: float, right: float, size: float
) -> float:
    """Tick labels and the favours labels; returns the lowest baseline used."""
    texts = layout.written
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
