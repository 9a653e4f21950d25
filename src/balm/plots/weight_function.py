"""The weight function of a selection model: how likely a study with each p value is to be seen."""

from __future__ import annotations

import os
from math import isfinite

import numpy as np

from balm.plots.figure import Figure
from balm.plots.panel import ALARM, BAND, INK, MARK, QUIET, Panel, finished, heading
from balm.plots.svg import Drawing
from balm.plots.text_width import text_width
from balm.stats.selection.fitted import SelectionModel
from balm.vocabulary.numbers import fixed, short
from balm.vocabulary.problems import InputError

SIDES = {"greater": "One-sided p (large effects)", "less": "One-sided p (small effects)", "two-sided": "Two-sided p"}
#: Where significance changes how studies are read: one-sided 0.025 and two-sided 0.05.
USUAL = {"greater": 0.025, "less": 0.025, "two-sided": 0.05}


def weight_function(
    result: SelectionModel,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
    width: float = 620.0,
    height: float = 420.0,
) -> Figure:
    """Draw the estimated chance of being seen along p, relative to its highest, with a mark for each study's p value.

    For step functions the shaded bands are the normal intervals of the weights, cut off at 0; the dashed line is the
    usual level of significance in the direction sought.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.selection.selection_model import selection_model
    >>> es = EffectSizes(effect=[0.5, 0.4, 0.1, 0.3, 0.2, 0.6], variance=[0.04, 0.02, 0.02, 0.01, 0.02, 0.05])
    >>> weight_function(selection_model(es)).title
    'Weight function: step function'
    """
    if not isinstance(result, SelectionModel):
        raise InputError(f"weight_function draws a result of balm.selection_model; got {type(result).__name__}")
    if result.reason:
        raise InputError(f"there is no weight function to draw: {result.reason}")
    p = result.p_values
    alternative = result.choices.alternative
    bands = _bands(result)
    top = max([1.0, *(min(high, 3.0) for *_, high in bands)])
    panel = Panel((64.0, 20.0 if title is None else 44.0, width - 24, height - 78), (0.0, 1.0), (0.0, 1.04 * top))
    name = f"Weight function: {result.name}"
    listed = "; ".join(f"{w.name} {short(w.estimate, 3)}" for w in result.weights)
    drawing = Drawing(
        width,
        height,
        title=name if title is None else title,
        description=f"Estimated chance of being seen by p value, relative to its highest ({alternative}): {listed}.",
        ink=INK,
    )
    heading(drawing, title, panel.left, panel.right)
    for left, right, low, high in bands:
        x, y = panel.at(left, min(high, 1.04 * top))
        right_x, bottom = panel.at(right, low)
        drawing.rect(x, y, right_x - x, bottom - y, fill=BAND)
    level = panel.across.position(USUAL[alternative])
    drawing.line(level, panel.top, level, panel.bottom, stroke=QUIET, dash="5 4")
    for run in _runs(result):
        panel.curve(drawing, run, stroke=MARK, width=2.2)
    for value in p.tolist():
        x = panel.across.position(value)
        drawing.line(x, panel.bottom, x, panel.bottom - 9, stroke=ALARM, width=1.2)
    panel.frame(drawing, SIDES[alternative], "Relative chance of being seen")
    base, x = panel.bottom + 62, panel.left
    drawing.line(x + 6, base, x + 6, base - 10, stroke=ALARM, width=1.2)
    text = f"a study ({result.k})"
    drawing.text(x + 16, base, text, size=11.5)
    x += 16 + text_width(text, 11.5) + 22
    drawing.line(x, base - 4, x + 24, base - 4, stroke=QUIET, dash="5 4")
    text = f"p = {USUAL[alternative]:g}"
    drawing.text(x + 30, base, text, size=11.5)
    if bands:
        x += 30 + text_width(text, 11.5) + 22
        drawing.rect(x, base - 10, 24, 12, fill=BAND)
        drawing.text(x + 30, base, f"{fixed(100 * result.level, 0)}% interval of a weight", size=11.5)
    return finished(drawing, path)


def _bands(result: SelectionModel) -> list[tuple[float, float, float, float]]:
    """(left, right, low, high) of each estimated weight of a step function."""
    if result.choices.kind != "step" or float(np.max(result.delta)) <= 0.0:
        return []
    highest = float(np.max(result.delta))
    edges = (0.0, *result.choices.steps)
    return [
        (edges[j], edges[j + 1], row.interval.low / highest, row.interval.high / highest)
        for j, row in enumerate(result.weights)
        if isfinite(row.interval.low)
    ]


def _runs(result: SelectionModel) -> list[list[tuple[float, float]]]:
    """The curve; steps as one line with upright risers, smooth ones finest where p is small."""
    if result.choices.kind == "step":
        edges = (0.0, *result.choices.steps)
        shares = (result.delta / float(np.max(result.delta))).tolist()
        return [[(x, share) for j, share in enumerate(shares) for x in (edges[j], edges[j + 1])]]
    if result.choices.kind == "truncated":
        low, high = result.weight_at(0.25), result.weight_at(0.75)
        return [[(0.0, low), (0.5, low), (0.5, high), (1.0, high)]]
    grid = np.unique(np.concatenate((np.linspace(0.0, 1.0, 301), np.geomspace(1e-5, 0.1, 80))))
    return [list(zip(grid.tolist(), result.weight_at(grid).tolist(), strict=True))]
