"""Specification curve: the estimates of a multiverse in order, over a chart of the choices behind each.

Simonsohn, Simmons & Nelson (2020), Nat Hum Behav 4:1208 (the curve and the chart below it); Voracek, Kossmeier & Tran
(2019), Z Psychol 227:64 (in meta-analysis).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import exp, isfinite, log
from typing import Any

import numpy as np

from balm.plots.axis import Axis, linear_axis, log_axis
from balm.plots.figure import Figure
from balm.plots.svg import Drawing, number
from balm.plots.text_width import fit
from balm.stats.measures import MEASURES
from balm.stats.multiverse.multiverse import AXES, Multiverse
from balm.vocabulary.numbers import plain
from balm.vocabulary.problems import InputError, check_option

INK, QUIET, MARK, PALE = "#1b232d", "#55606d", "#17577a", "#9aa7b2"
#: More columns than this cannot be told apart at a page's width: evenly spaced ones of the ordered curve are drawn.
MOST_DRAWN = 2000
#: More values of one choice than this are summed up in two rows, the first and all others.
MOST_ROWS = 10
ROW, LABELS = 15.0, 190.0


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """One line of the chart: a choice, one of its values, and where in the curve it was made."""

    choice: str
    value: str
    made: Any


def specification_curve(
    result: Multiverse,
    path: str | os.PathLike[str] | None = None,
    *,
    y: str | None = None,
    title: str | None = None,
    width: float = 860.0,
    height: float = 300.0,
) -> Figure:
    """Draw the specification curve of a multiverse, and write it to ``path`` (.svg, .png or .pdf) when one is given.

    Above, each specification's estimate with its interval, smallest first; dark where the interval excludes no effect,
    pale where it holds it. Below, a mark for each choice that was made.

    y      : "estimate", or "statistic" (estimate less no effect, over its standard error), which is the default where
             measures on different scales are mixed.
    height : of the curve; the chart below adds a line a value.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.multiverse.multiverse import multiverse
    >>> es = EffectSizes(effect=[0.1, 0.3, 0.5], variance=[0.01, 0.02, 0.02])
    >>> specification_curve(multiverse(es, tau2=["REML", "DL"])).title
    'Specification curve of 24 analyses'
    """
    if not isinstance(result, Multiverse):
        raise InputError(f"specification_curve draws a result of balm.multiverse; got {type(result).__name__}")
    several = len(result.measures) > 1
    settled = ("statistic" if several else "estimate") if y is None else y
    check_option("y", settled, ("estimate", "statistic"))
    if settled == "estimate" and several:
        raise InputError(
            f"estimates of {', '.join(result.measures)} are on different scales: draw y='statistic', or one measure "
            "with .where(measure=...)"
        )
    ratio = settled == "estimate" and MEASURES[result.measures[0]].scale.ratio
    values, low, high = _heights(result, settled)
    usable = np.flatnonzero(np.isfinite(values))
    if len(usable) == 0:
        raise InputError("no specification has a value to draw")
    order = usable[np.argsort(values[usable], kind="stable")]
    total = len(order)
    if total > MOST_DRAWN:
        order = order[np.linspace(0, total - 1, MOST_DRAWN).round().astype(np.int64)]
    rows = _rows(result, order)
    heading = f"Specification curve of {total:,} analyses" if title is None else title
    top, left, right = 50.0, LABELS, width - 20.0
    bottom = top + height
    headings = len(dict.fromkeys(r.choice for r in rows))
    whole = bottom + 26.0 + ROW * (len(rows) + headings) + 12.0
    drawing = Drawing(
        width, whole, title=heading, description=_description(result, settled, total, len(order)), ink=INK
    )
    drawing.text(left, 22, fit(heading, right - left, 15, bold=True), bold=True, size=15)

    null = _null(result, settled)
    if null is not None:
        said = "Dark: the interval excludes no effect (the dashed line). Pale: it holds it."
        drawing.text(left, 38, fit(said, right - left, 11), fill=QUIET, size=11)

    axis = _axis(values[order], low[order], high[order], ratio, bottom, top)

    def at(value: float) -> float:
        edge = min(max(exp(value) if ratio else value, axis.low), axis.high)
        return axis.position(edge)

    step = (right - left) / len(order)
    for tick in axis.ticks:
        drawing.line(left, axis.position(tick), right, axis.position(tick), stroke="#e3e8ec")
        drawing.text(left - 8, axis.position(tick) + 4, axis.label(tick), anchor="end", size=11)
    if null is not None and axis.holds(exp(null) if ratio else null):
        drawing.line(left, at(null), right, at(null), stroke=QUIET, dash="4 3")
    drawing.text(16, (top + bottom) / 2, _axis_title(result, settled), anchor="middle", rotate=-90, size=12)
    says = result.excludes_null[order]
    for dark, colour in ((False, PALE), (True, MARK)):
        bars, dots = [], []
        for i in np.flatnonzero((says == 1.0) == dark).tolist():
            x, j = left + (i + 0.5) * step, order[i]
            if isfinite(low[j]) and isfinite(high[j]):
                bars.append(f"M{number(x)} {number(at(low[j]))}V{number(at(high[j]))}")
            dots.append(_dot(x, at(values[j]), max(min(step, 4.0), 1.0)))
        thin = max(min(0.35 * step, 1.6), 0.25)
        if bars:
            drawing.open_group("intervals that exclude no effect" if dark else "intervals that hold no effect")
            drawing.path("".join(bars), stroke=colour, stroke_width=thin)
            drawing.close_group()
        if dots:
            drawing.path("".join(dots), fill=INK if dark else QUIET)
    _chart(drawing, rows, bottom + 26.0, left, right, step)
    figure = drawing.figure()
    if path is not None:
        figure.save(path)
    return figure


def _dot(x: float, y: float, size: float) -> str:
    half = 0.5 * size
    return f"M{number(x - half)} {number(y - half)}h{number(size)}v{number(size)}h-{number(size)}z"


def _heights(result: Multiverse, y: str) -> tuple[Any, Any, Any]:
    if y == "estimate":
        return result.estimate, result.low, result.high
    with np.errstate(divide="ignore", invalid="ignore"):
        null = np.nan_to_num(result.null)
        return tuple((v - null) / result.se for v in (result.estimate, result.low, result.high))  # type: ignore[return-value]


def _null(result: Multiverse, y: str) -> float | None:
    value = 0.0 if y == "statistic" else float(result.null[0])
    return value if isfinite(value) else None


def _axis(values: Any, low: Any, high: Any, ratio: bool, start: float, end: float) -> Axis:
    """All estimates are inside; intervals far longer than most (k = 2) are cut."""
    ends = np.concatenate((low[np.isfinite(low)], high[np.isfinite(high)], values))
    inner = np.quantile(ends, [0.02, 0.98])
    bottom, top = min(float(inner[0]), float(values.min())), max(float(inner[1]), float(values.max()))
    room = 0.04 * (top - bottom) or 0.1
    bottom, top = bottom - room, top + room
    if ratio:
        limit = log(1e100)
        return log_axis(exp(max(bottom, -limit)), exp(min(top, limit)), start=start, end=end)
    return linear_axis(bottom, top, start=start, end=end)


def _axis_title(result: Multiverse, y: str) -> str:
    if y == "statistic":
        return "Estimate / standard error"
    return "Effect" if result.measures[0] == "GEN" else MEASURES[result.measures[0]].name


def _rows(result: Multiverse, order: Any) -> list[ChoiceRow]:
    """The lines of the chart: choices with more than one value."""
    rows = []
    for name, heading in AXES.items():
        column = result.settings[name]
        values = list(dict.fromkeys(column.tolist()))
        if len(values) < 2:
            continue
        chosen = column[order].tolist()
        if len(values) > MOST_ROWS:
            first = values[0]
            rows.append(ChoiceRow(heading, _shown(first), np.array([v == first for v in chosen])))
            rows.append(ChoiceRow(heading, f"{len(values) - 1} others", np.array([v != first for v in chosen])))
            continue
        rows += [ChoiceRow(heading, _shown(v), np.array([c == v for c in chosen])) for v in values]
    return rows


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    return plain(value, 4) if isinstance(value, float) else str(value)


def _chart(drawing: Drawing, rows: list[ChoiceRow], top: float, left: float, right: float, step: float) -> None:
    y, last = top, ""
    for row in rows:
        if row.choice != last:
            drawing.text(12, y + 11, row.choice, bold=True, size=11)
            y, last = y + ROW, row.choice
        shown = fit(row.value, left - 34, 11)
        drawing.text(24, y + 11, shown, size=11, full=None if shown == row.value else row.value)
        drawing.line(left, y + ROW / 2, right, y + ROW / 2, stroke="#eef2f4")
        marks = [
            f"M{number(left + (i + 0.5) * step)} {number(y + 3)}V{number(y + ROW - 3)}"
            for i in np.flatnonzero(row.made).tolist()
        ]
        if marks:
            drawing.path("".join(marks), stroke=MARK, stroke_width=max(min(0.7 * step, 3.0), 0.3))
        y += ROW


def _description(result: Multiverse, y: str, total: int, drawn: int) -> str:
    parts = [f"{total:,} analyses of {len(result.effects)} studies, ordered by {y}."]
    for row in result.summary:
        if row.measure == "all":
            continue
        text = f"{MEASURES[row.measure].name}: estimates from {row.low:.3g} to {row.high:.3g}"
        text += " on the logarithmic scale" if MEASURES[row.measure].scale.ratio else ""
        if isfinite(row.excludes_null):
            text += f"; {100 * row.excludes_null:.0f}% of intervals exclude no effect"
        parts.append(text + ".")
    if drawn < total:
        parts.append(f"{drawn:,} evenly spaced ones are drawn.")
    return " ".join(parts)
