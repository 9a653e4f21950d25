"""Means with intervals over time, with how many answered under each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from math import log1p

from balm.plots.axis import Axis
from balm.plots.figure import Figure
from balm.plots.panel import INK, MARK, Panel, finished, heading
from balm.plots.svg import Drawing
from balm.plots.text_width import fit, text_width
from balm.vocabulary.problems import InputError


def means_over_time(
    days: Sequence[float],
    labels: Sequence[str],
    means: Sequence[tuple[float, float, float]],
    answered: Sequence[str],
    path: str | os.PathLike[str] | None = None,
    *,
    scale: tuple[float, float] = (0.0, 10.0),
    y_title: str = "Pain, 0 to 10",
    title: str | None = None,
    width: float = 700.0,
    height: float = 420.0,
) -> Figure:
    """Draw (mean, low, high) at each visit; visits stand by the logarithm of their day, so that weeks and a year fit.

    >>> means_over_time([0, 30], ["Baseline", "1 month"], [(7, 6.5, 7.5), (5, 4.2, 5.8)], ["40", "35"]).title
    'Mean by visit'
    """
    if not means or not len(days) == len(labels) == len(means) == len(answered):
        raise InputError("days, labels, means and answered must have one length of 1 or more")
    at = [log1p(d) for d in days]
    panel = Panel((70.0, 20.0 if title is None else 44.0, width - 34, height - 100), (0.0, max(max(at), 1.0)), scale)
    panel.across = Axis(-0.25, max(max(at), 1.0) + 0.25, panel.left, panel.right)
    said = "; ".join(
        f"{label} {m:.1f} ({low:.1f} to {high:.1f})" for label, (m, low, high) in zip(labels, means, strict=True)
    )
    drawing = Drawing(width, height, title=title or "Mean by visit", description=f"{y_title}: {said}.", ink=INK)
    heading(drawing, title, panel.left, panel.right)
    points = [panel.at(x, m[0]) for x, m in zip(at, means, strict=True)]
    drawing.polyline(points, stroke=MARK, width=1.5)
    drawing.line(panel.left, panel.bottom, panel.right, panel.bottom, stroke=INK)
    drawing.line(panel.left, panel.top, panel.left, panel.bottom, stroke=INK)
    for tick in panel.up.ticks:
        y = panel.up.position(tick)
        drawing.line(panel.left - 5, y, panel.left, y, stroke=INK)
        drawing.text(panel.left - 9, y + 4, panel.up.label(tick), anchor="end", size=12)
    middle = (panel.top + panel.bottom) / 2
    drawing.text(
        panel.left - 40, middle, fit(y_title, panel.bottom - panel.top, 12), anchor="middle", size=12, rotate=-90
    )
    room = (panel.right - panel.left) / max(len(days), 2)
    drawing.text(14, panel.bottom + 62, "Answered", size=11.5, bold=True)
    edge = -1e9
    for (x, y), (_, low, high), label, n in zip(points, means, labels, answered, strict=True):
        words = fit(label, max(room, 52), 11.5)
        half = text_width(words, 11.5) / 2
        drop = 15 if x - half < edge + 6 else 0  # a name that would touch the one before stands a line lower
        edge = x + half if not drop else edge
        top, bottom = (panel.up.position(min(max(v, scale[0]), scale[1])) for v in (high, low))
        drawing.line(x, top, x, bottom, stroke=MARK, width=2.0)
        for end in (top, bottom):
            drawing.line(x - 4, end, x + 4, end, stroke=MARK, width=1.5)
        drawing.circle(x, y, 4.5, fill=MARK)
        drawing.line(x, panel.bottom, x, panel.bottom + 5, stroke=INK)
        drawing.text(x, panel.bottom + 20 + drop, words, anchor="middle", size=11.5)
        drawing.text(x, panel.bottom + 62, n, anchor="middle", size=11.5)
    return finished(drawing, path)
