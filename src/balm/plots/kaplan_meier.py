"""Kaplan-Meier curve: steps with their band, marks where following ended, and how many were still followed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from math import isfinite

from balm.plots.figure import Figure
from balm.plots.panel import ALARM, BAND, INK, MARK, QUIET, Panel, finished, heading
from balm.plots.svg import Drawing
from balm.stats.kaplan_meier import Survival
from balm.vocabulary.problems import InputError


def kaplan_meier_figure(
    curve: Survival,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
    x_title: str = "Days",
    y_title: str = "Still without the event (%)",
    fewest: int = 0,
    width: float = 660.0,
    height: float = 440.0,
) -> Figure:
    """Draw a survival curve in per cent, with the number at risk under it.

    fewest : the curve ends where fewer people than this are at risk, and smaller numbers at risk are not written.

    >>> from balm.stats.kaplan_meier import kaplan_meier
    >>> kaplan_meier_figure(kaplan_meier([5, 8, 8, 12], [True, True, False, False])).title
    'Kaplan-Meier curve of 4 people'
    """
    rows = [
        row
        for row in zip(curve.times, curve.survival, curve.low, curve.high, curve.censored, curve.at_risk, strict=True)
        if row[5] >= fewest
    ]
    if not rows:
        raise InputError(f"there is nothing to draw: fewer than {fewest} people at risk")
    end = max(rows[-1][0], 1.0)
    panel = Panel((70.0, 20.0 if title is None else 44.0, width - 24, height - 92), (0.0, end), (0.0, 100.0))
    median = f"{curve.median:g}" if isfinite(curve.median) else "not reached"
    drawing = Drawing(
        width,
        height,
        title=f"Kaplan-Meier curve of {curve.n} people" if title is None else title,
        description=f"{y_title} against {x_title.lower()}: {sum(curve.events)} events; median {median}; at the end "
        f"{100 * rows[-1][1]:.0f}%.",
        ink=INK,
    )
    heading(drawing, title, panel.left, panel.right)
    low, high = (_steps([(t, s) for t, s in pairs]) for pairs in (
        [(r[0], r[2]) for r in rows], [(r[0], r[3]) for r in rows]))  # fmt: skip
    panel.band(drawing, low, high, BAND)
    half = panel.up.position(50.0)
    drawing.line(panel.left, half, panel.right, half, stroke=QUIET, dash="4 4")
    steps = _steps([(r[0], r[1]) for r in rows])
    drawing.polyline([panel.at(*p) for p in steps], stroke=MARK, width=2.0)
    for time, survival, _, _, censored, _ in rows:
        if censored:
            x, y = panel.at(time, 100 * survival)
            drawing.line(x, y - 4, x, y + 4, stroke=MARK, width=1.5)
    if isfinite(curve.median) and curve.median <= end:
        x = panel.across.position(curve.median)
        drawing.line(x, half, x, panel.bottom, stroke=ALARM, dash="4 4")
        drawing.text(x + 5, half - 6, f"median {median}", size=11.5, fill=ALARM)
    panel.frame(drawing, x_title, y_title)
    drawing.text(panel.left, panel.bottom + 58, "At risk", size=11.5, bold=True)
    for tick in panel.across.ticks:
        n = curve.at_risk_at(tick)
        said = str(n) if n == 0 or n >= fewest else f"<{fewest}"
        drawing.text(panel.across.position(tick), panel.bottom + 74, said, anchor="middle", size=11.5)
    return finished(drawing, path)


def _steps(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """A step curve in per cent from time 0; a value that is not defined keeps the last one."""
    found, last = [(0.0, 100.0)], 100.0
    for time, share in points:
        found.append((time, last))
        last = 100 * share if isfinite(share) else last
        found.append((time, last))
    return found
