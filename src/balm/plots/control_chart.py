"""A control chart: points in order of time, centre, limits, and which rules each point breaks."""

from __future__ import annotations

import os
from collections.abc import Sequence

from balm.plots.axis import Axis
from balm.plots.figure import Figure
from balm.plots.panel import ALARM, BAND, INK, MARK, QUIET, Panel, finished, heading, padded
from balm.plots.svg import Drawing
from balm.plots.text_width import fit
from balm.stats.control_charts import RULES, ControlChart
from balm.vocabulary.problems import InputError


def control_chart_figure(
    chart: ControlChart,
    labels: Sequence[str],
    path: str | os.PathLike[str] | None = None,
    *,
    hidden: Sequence[bool] | None = None,
    per_cent: bool = False,
    y_title: str = "",
    title: str | None = None,
    width: float = 660.0,
    height: float = 380.0,
) -> Figure:
    """Draw a p chart or an XmR chart. ``hidden`` points are left out (small numbers); their place stays.

    >>> from balm.stats.control_charts import p_chart
    >>> control_chart_figure(p_chart([12, 15, 8], [50, 50, 50]), ["a", "b", "c"], per_cent=True).title
    'p chart of 3 periods'
    """
    if len(labels) != len(chart.values):
        raise InputError(f"labels must be one for each of the {len(chart.values)} points; got {len(labels)}")
    unseen = list(hidden) if hidden is not None else [False] * len(labels)
    times = 100.0 if per_cent else 1.0
    values = [times * v for v in chart.values]
    low, high = [times * v for v in chart.low], [times * v for v in chart.high]
    seen = [v for v, h in zip(values, unseen, strict=True) if not h]
    span = (0.0, min(100.0, max([*high, *seen, 1.0]) * 1.05)) if per_cent else padded([*seen, *low, *high])
    panel = Panel((70.0, 20.0 if title is None else 44.0, width - 30, height - 84), (0.0, 1.0), span)
    panel.across = Axis(-0.6, len(values) - 0.4, panel.left, panel.right)
    broken = [i for i, s in enumerate(chart.signals) if s and not unseen[i]]
    said = "; ".join(f"{labels[i]}: {RULES[r - 1]}" for i in broken for r in chart.signals[i]) or "no rule is broken"
    drawing = Drawing(
        width,
        height,
        title=f"{chart.kind} of {len(values)} periods" if title is None else title,
        description=f"Centre {times * chart.centre:.1f}; {said}.",
        ink=INK,
    )
    heading(drawing, title, panel.left, panel.right)
    for i in range(len(values)):
        if unseen[i]:  # the limits of a share tell of how many it is
            continue
        left, right = panel.across.position(i - 0.5), panel.across.position(i + 0.5)
        top, bottom = (panel.up.position(min(max(v, span[0]), span[1])) for v in (high[i], low[i]))
        drawing.rect(left, top, right - left, bottom - top, fill=BAND)
        for y in (top, bottom):
            drawing.line(left, y, right, y, stroke=QUIET)
    centre = panel.up.position(times * chart.centre)
    drawing.line(panel.left, centre, panel.right, centre, stroke=QUIET, dash="6 4")
    run: list[tuple[float, float]] = []
    for i, value in enumerate(values):
        if unseen[i]:
            if len(run) > 1:
                drawing.polyline(run, stroke=MARK, width=1.5)
            run = []
        else:
            run.append(panel.at(i, value))
    if len(run) > 1:
        drawing.polyline(run, stroke=MARK, width=1.5)
    every = max(1, -(-len(values) // 12))
    for i, value in enumerate(values):
        x = panel.across.position(i)
        drawing.line(x, panel.bottom, x, panel.bottom + 5, stroke=INK)
        if i % every == 0:
            room = every * (panel.right - panel.left) / len(values)
            drawing.text(x, panel.bottom + 20, fit(labels[i], max(room, 30), 11.5), anchor="middle", size=11.5)
        if unseen[i]:
            drawing.text(x, panel.bottom - 8, "not shown", anchor="middle", size=10, fill=QUIET)
            continue
        y = panel.up.position(value)
        drawing.circle(x, y, 4.5, fill=ALARM if chart.signals[i] else MARK)
        if chart.signals[i]:
            drawing.text(x + 8, y - 7, "rule " + ", ".join(str(r) for r in chart.signals[i]), size=11, fill=ALARM)
    drawing.line(panel.left, panel.bottom, panel.right, panel.bottom, stroke=INK)
    drawing.line(panel.left, panel.top, panel.left, panel.bottom, stroke=INK)
    for tick in panel.up.ticks:
        y = panel.up.position(tick)
        drawing.line(panel.left - 5, y, panel.left, y, stroke=INK)
        drawing.text(panel.left - 9, y + 4, panel.up.label(tick), anchor="end", size=12)
    middle = (panel.top + panel.bottom) / 2
    drawing.text(
        panel.left - 42, middle, fit(y_title, panel.bottom - panel.top, 12), anchor="middle", size=12, rotate=-90
    )
    drawing.rect(panel.left, panel.bottom + 40, 22, 12, fill=BAND)
    note = "within three standard deviations; dashed: centre"
    drawing.text(panel.left + 28, panel.bottom + 50, note, size=11.5)
    return finished(drawing, path)
