"""A Copas selection model in four panels: funnel, contours of the mean, mean and residual selection along the chance.

Carpenter, Rücker & Schwarzer (2009, R Journal 1(2):31-36), figure 1.
"""

from __future__ import annotations

import math
import os

from balm.plots.axis import linear_axis
from balm.plots.figure import Figure
from balm.plots.panel import ALARM, BAND, INK, MARK, QUIET, Panel, effect_axis, finished, heading, padded, ratio_ticks
from balm.plots.svg import Drawing
from balm.plots.text_width import fit as fitted
from balm.stats.selection.copas import Copas
from balm.vocabulary.numbers import fixed, level
from balm.vocabulary.problems import InputError

#: Ends of intervals farther from the means than this many times their range are cut off.
ROOM = 2.0


def copas(
    result: Copas,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
    width: float = 820.0,
    height: float = 720.0,
) -> Figure:
    """Draw a :func:`balm.copas` result: funnel, contours of the mean, mean and residual p along the chances.

    The second panel holds the mean over gamma0 and gamma1 with the line that is followed; where ``chances`` were given
    there is no surface, and only their places are drawn. Red is the row that is taken as adjusted.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.selection.copas import copas as model
    >>> es = EffectSizes(effect=[0.1, 0.2, 0.6, 0.9], variance=[0.01, 0.02, 0.05, 0.1])
    >>> copas(model(es, chances=[(0.5, 0.1), (0.0, 0.1)])).title
    'Copas selection model'
    """
    if not isinstance(result, Copas):
        raise InputError(f"copas draws a result of balm.copas; got {type(result).__name__}")
    adjusted = "none" if result.adjusted is None else fixed(result.estimate, 3)
    drawing = Drawing(
        width,
        height,
        title=title or "Copas selection model",
        description=f"Funnel plot of {result.k} studies; contours of the mean over gamma0 and gamma1; the mean from "
        f"{fixed(result.rows[0].estimate, 3)} without selection to {fixed(result.rows[-1].estimate, 3)} where the "
        f"least precise study has a chance of {fixed(result.rows[-1].chance)}; p of residual selection. Adjusted mean: "
        f"{adjusted}.",
        ink=INK,
    )
    top = 46.0 if title is None else 72.0
    middle, half = (width + 30.0) / 2.0, (height - top - 2 * 52.0 - 34.0) / 2.0
    lower = top + half + 52.0 + 34.0
    _funnel(drawing, result, (66.0, top, middle - 62.0, top + half))
    _contours(drawing, result, (middle + 50.0, top, width - 20.0, top + half))
    _means(drawing, result, (66.0, lower, middle - 62.0, lower + half))
    _residual(drawing, result, (middle + 50.0, lower, width - 20.0, lower + half))
    heading(drawing, title, 20.0, width - 20.0)
    return finished(drawing, path)


def _caption(drawing: Drawing, panel: Panel, words: str) -> None:
    drawing.text(
        panel.left, panel.top - 10, fitted(words, panel.right - panel.left, 12.5, bold=True), bold=True, size=12.5
    )


def _funnel(drawing: Drawing, result: Copas, box: tuple[float, float, float, float]) -> None:
    es = result.effects
    most = 1.06 * float(es.se.max())
    panel = Panel(box, padded([*es.effect.tolist(), *_drawn(result)]), (0.0, most))
    panel.up = linear_axis(0.0, most, start=panel.top, end=panel.bottom)
    for where, colour, dash in _means_marked(result):
        x = panel.across.position(where)
        drawing.line(x, panel.top, x, panel.bottom, stroke=colour, dash=dash, width=1.4)
    for name, effect, se in zip(es.study, es.effect.tolist(), es.se.tolist(), strict=True):
        drawing.circle(*panel.at(effect, se), 3.4, fill=MARK, full=f"{name}: {fixed(effect, 3)}, SE {fixed(se, 3)}")
    panel.frame(drawing, f"{effect_axis(es)[0]} (analysis scale)", "Standard error")
    _caption(drawing, panel, "Funnel: no selection (dashed), adjusted (red)")


def _drawn(result: Copas) -> list[float]:
    return [where for where, _, _ in _means_marked(result)]


def _means_marked(result: Copas) -> list[tuple[float, str, str | None]]:
    found: list[tuple[float, str, str | None]] = [(result.rows[0].estimate, QUIET, "5 4")]
    return found if result.adjusted is None else [*found, (result.estimate, ALARM, None)]


def _contours(drawing: Drawing, result: Copas, box: tuple[float, float, float, float]) -> None:
    plane, sign = result.surface, 1.0 if result.missing == "left" else -1.0
    places = [(row.gamma0, row.gamma1) for row in result.rows[1:]]
    if plane is None:
        panel = Panel(box, padded([x for x, _ in places], 0.1), padded([y for _, y in places], 0.1, include=[0.0]))
    else:
        ends = (float(plane.gamma0[0]), float(plane.gamma0[-1])), (0.0, float(plane.gamma1[-1]))
        panel = Panel(box, *ends)
        spots = []
        for value, line in plane.contours:
            panel.curve(drawing, line, stroke=MARK, width=1.0)
            if len(line) > 3:
                spots.append((sign * value + 0.0, panel.at(*line[len(line) // 3])))
        high = ends[1][1]
        low = high + plane.slope * (ends[0][0] - ends[0][1])
        panel.curve(drawing, [(ends[0][0], low), (ends[0][1], high)], stroke=QUIET, width=1.2, dash="5 4")
        for value, (x, y) in spots:
            panel.name(drawing, f"{value:g}", x, y, 1.0, fill=QUIET)
    for i, place in enumerate(places, start=1):
        drawing.circle(*panel.at(*place), 3.6, fill=ALARM if i == result.adjusted else INK)
    panel.frame(drawing, "γ0", "γ1")
    _caption(drawing, panel, "Mean over the chance of selection" if plane is not None else "Chances of selection")


def _along(result: Copas, box: tuple[float, float, float, float], up: tuple[float, float]) -> Panel:
    """An axis of chances that runs from 1 on the left down to the right."""
    panel = Panel(box, (0.0, 1.0), up)
    least = min(row.chance for row in result.rows)
    panel.across = linear_axis(max(0.0, least - 0.05), 1.0, start=panel.right, end=panel.left)
    return panel


def _means(drawing: Drawing, result: Copas, box: tuple[float, float, float, float]) -> None:
    rows = sorted(result.rows, key=lambda row: row.chance)
    means = [row.estimate for row in rows]
    reach = ROOM * (max(means) - min(means)) + 3.0 * max(0.0, result.rows[0].se)
    low, high = min(means) - reach, max(means) + reach
    ends = [(max(row.interval.low, low), min(row.interval.high, high)) for row in rows]
    name, ratio, null = effect_axis(result.effects)
    if ratio and null is not None:
        null = math.log(null)
    include = [] if null is None else [null]
    panel = _along(result, box, padded([v for pair in ends for v in pair], include=include))
    chances = [row.chance for row in rows]
    lows, highs = [a for a, _ in ends], [b for _, b in ends]
    panel.band(drawing, list(zip(chances, lows, strict=True)), list(zip(chances, highs, strict=True)), fill=BAND)
    if null is not None:
        y = panel.up.position(null)
        drawing.line(panel.left, y, panel.right, y, stroke=QUIET, dash="2 3")
    panel.curve(drawing, list(zip(chances, means, strict=True)), stroke=MARK, width=2.0)
    for i, row in enumerate(result.rows):
        drawing.circle(
            *panel.at(row.chance, row.estimate),
            3.6,
            fill=ALARM if i == result.adjusted else MARK,
            full=f"{fixed(row.estimate, 3)}, chance {fixed(row.chance)}, {fixed(row.unpublished, 1)} unpublished",
        )
    ticks = ratio_ticks(panel.up) if ratio else None
    panel.frame(drawing, "Chance of the least precise study", name, y_ticks=ticks)
    _caption(drawing, panel, f"Mean with {level(result.level)} interval")


def _residual(drawing: Drawing, result: Copas, box: tuple[float, float, float, float]) -> None:
    panel = _along(result, box, (0.0, 1.0))
    y = panel.up.position(result.significance)
    drawing.line(panel.left, y, panel.right, y, stroke=QUIET, dash="5 4")
    rows = sorted(result.rows, key=lambda row: row.chance)
    panel.curve(drawing, [(row.chance, row.residual_p) for row in rows], stroke=MARK, width=2.0)
    for i, row in enumerate(result.rows):
        full = f"p = {fixed(row.residual_p, 3)} at a chance of {fixed(row.chance)}"
        fill = ALARM if i == result.adjusted else MARK
        drawing.circle(*panel.at(row.chance, row.residual_p), 3.6, fill=fill, full=full)
    panel.frame(drawing, "Chance of the least precise study", "p of residual selection")
    _caption(drawing, panel, f"Residual selection (dashed: {result.significance:g})")
