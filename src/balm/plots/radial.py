"""Radial (Galbraith) plot: standardised effects against precision, with the effect itself on an arc at the right.

Galbraith RF (1988). A note on graphical presentation of estimated odds ratios from several clinical trials. Stat Med
7:889-894.
"""

from __future__ import annotations

import os
from math import atan2, cos, exp, hypot, isfinite, log, sin, sqrt

from balm.plots.axis import round_log_ticks, round_ticks
from balm.plots.figure import Figure
from balm.plots.panel import INK, MARK, MAX_LABELS, PALE, QUIET, Panel, effect_axis, finished, heading
from balm.plots.svg import Drawing
from balm.plots.text_width import fit
from balm.stats.distributions import norm_ppf
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.numbers import fixed
from balm.vocabulary.problems import InputError, check_option


def radial(
    result: Pooled,
    path: str | os.PathLike[str] | None = None,
    *,
    labels: str = "auto",
    title: str | None = None,
    width: float = 660.0,
    height: float = 480.0,
) -> Figure:
    """Draw the radial plot of a pooled result, and write it to ``path`` when one is given.

    Across ``1 / sqrt(v + tau2)``, up ``y / sqrt(v + tau2)``: a line from the origin through a study has its effect as
    slope, read on the arc (ratios on their own scale). The pooled effect is the middle line; about 95 % of the studies
    lie within the band of +-1.96 around it when the model holds. The thick part of the arc is the interval.

    labels : "auto" names up to 20 studies, "all", or "none".

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.pooling.pool import pool
    >>> radial(pool(EffectSizes(effect=[0.1, 0.3, 0.8], variance=[0.04, 0.04, 0.04]))).title
    'Radial plot of 3 studies'
    """
    check_option("labels", labels, ["auto", "all", "none"])
    tau2 = result.tau2 if isfinite(result.tau2) else 0.0
    es = result.effects
    every = zip(es.study, es.effect.tolist(), es.variance.tolist(), strict=True)
    points = [(n, 1.0 / sqrt(v + tau2), e / sqrt(v + tau2), e) for n, e, v in every if isfinite(e) and v > 0.0]
    if not points or not isfinite(result.estimate):
        raise InputError("a radial plot needs a pooled estimate and at least one study with an effect and a variance")
    name, ratio, _ = effect_axis(es)
    z = norm_ppf(0.5 + 0.5 * result.level)
    most = 1.06 * max(p[1] for p in points)
    centre = result.estimate
    ys = [p[2] for p in points] + [z, -z, centre * most + z, centre * most - z, 0.0]
    room = 0.06 * (max(ys) - min(ys))
    arc_room = 92.0
    panel = Panel(
        (64.0, 20.0 if title is None else 44.0, width - 24 - arc_room, height - 56),
        (0.0, most),
        (min(ys) - room, max(ys) + room),
    )
    outside = sum(abs(p[2] - centre * p[1]) > z for p in points)
    middle = fixed(exp(centre) if ratio else centre)
    drawing = Drawing(
        width,
        height,
        title=f"Radial plot of {len(points)} studies" if title is None else title,
        description=f"Standardised effects of {len(points)} studies against their precision. The pooled {name.lower()} "
        f"is {middle}; {outside} of the studies lie outside the band of ±{fixed(z)} around it.",
        ink=INK,
    )
    heading(drawing, title, panel.left, panel.right)
    low, high = ([(x, centre * x + sign * z) for x in (0.0, most)] for sign in (-1.0, 1.0))
    panel.band(drawing, low, high, PALE)
    panel.curve(drawing, [(0.0, 0.0), (most, 0.0)], stroke=QUIET, width=0.7)
    for line in (low, high):
        panel.curve(drawing, line, stroke=QUIET, dash="4 3", width=0.8)
    panel.curve(drawing, [(0.0, 0.0), (most, centre * most)], stroke=MARK, width=1.5)
    across = "1 / √(v + τ²)" if tau2 > 0.0 else "1 / standard error"
    panel.frame(drawing, f"Precision: {across}", "Standardised effect")
    _arc(drawing, panel, result, ratio, [p[3] for p in points], name)
    for p in points:
        panel.take(*panel.at(p[1], p[2]), 5)
    for n, x, y, e in points:
        tip = f"{n}: {name} {fixed(exp(e) if ratio else e)}, standardised {fixed(y)}"
        drawing.circle(*panel.at(x, y), 4.0, fill=MARK, stroke="#fff", full=tip)
    if labels == "all" or (labels == "auto" and len(points) <= MAX_LABELS):
        for n, x, y, _ in sorted(points, key=lambda p: -abs(p[2] - centre * p[1])):
            panel.name(drawing, n, *panel.at(x, y))
    return finished(drawing, path)


def _arc(drawing: Drawing, panel: Panel, result: Pooled, ratio: bool, effects: list[float], name: str) -> None:
    """The scale of effects: where lines from the origin with that slope meet a circle right of the frame."""
    x0, y0 = panel.at(0.0, 0.0)
    per_x = (panel.right - panel.left) / (panel.across.high - panel.across.low)
    per_y = (panel.bottom - panel.top) / (panel.up.high - panel.up.low)

    def angle(effect: float) -> float:
        return atan2(effect * per_y, per_x)

    def spot(turn: float, r: float) -> tuple[float, float]:
        return x0 + r * cos(turn), y0 - r * sin(turn)

    ends = [result.interval.low, result.interval.high]
    wanted = [e for e in (*effects, *ends, result.estimate) if isfinite(e)]
    least = panel.right - x0 + 14.0
    furthest = least + 34.0
    top, bottom = sin_limit(y0 - panel.top - 6.0, furthest), -sin_limit(panel.bottom - y0 - 6.0, furthest)
    low, high = max(angle(min(wanted)), bottom), min(angle(max(wanted)), top)
    if not low < high:
        low, high = max(bottom, low - 0.1), min(top, high + 0.1)
    # Far enough out to clear the frame at both ends, as far as there is room.
    radius = min(least / cos(max(abs(low), abs(high))), furthest)
    steps = [low + (high - low) * i / 60 for i in range(61)]
    drawing.polyline([spot(t, radius) for t in steps], stroke=INK)
    slope_low, slope_high = (sin(t) / cos(t) * per_x / per_y for t in (low, high))
    marks = (
        [(log(m), m) for m in round_log_ticks(exp(slope_low), exp(slope_high), 8)]
        if ratio
        else [(m, m) for m in round_ticks(slope_low, slope_high, 8)]
    )
    last = None
    for effect, mark in marks:
        turn = angle(effect)
        if not low - 1e-9 <= turn <= high + 1e-9:
            continue
        at = spot(turn, radius + 9)
        if last is not None and hypot(at[0] - last[0], at[1] - last[1]) < 15.0:
            continue
        last = at
        (ax, ay), (bx, by) = spot(turn, radius), spot(turn, radius + 5)
        drawing.line(ax, ay, bx, by, stroke=INK)
        drawing.text(at[0], at[1] + 4, panel.across.label(mark), size=12)
    if all(isfinite(e) for e in ends):
        a, b = max(angle(ends[0]), low), min(angle(ends[1]), high)
        if a < b:
            thick = [spot(a + (b - a) * i / 30, radius) for i in range(31)]
            drawing.polyline(thick, stroke=MARK, width=4)
    turn = angle(result.estimate)
    if low <= turn <= high:
        drawing.circle(*spot(turn, radius), 4.5, fill=MARK, stroke="#fff")
    text = fit(name, drawing.width - panel.left - 20, 12)
    drawing.text(drawing.width - 10, spot(high, radius)[1] - 14, text, anchor="end", size=12)


def sin_limit(height: float, radius: float) -> float:
    """The angle at which a circle of this radius has risen by ``height`` (at most nearly upright)."""
    share = min(max(height / radius, -0.98), 0.98)
    return atan2(share, sqrt(1.0 - share * share))
