"""Bubble plot of a meta-regression: effects against a study characteristic, with the fitted line and its bands.

Thompson SG, Higgins JPT (2002). How should meta-regression analyses be undertaken and interpreted? Stat Med
21:1559-1573.
"""

from __future__ import annotations

import os
import re

import numpy as np

from balm.plots.figure import Figure
from balm.plots.panel import (
    BAND,
    INK,
    MARK,
    MAX_LABELS,
    PALE,
    QUIET,
    Panel,
    effect_axis,
    finished,
    heading,
    padded,
    radius_of,
    ratio_ticks,
)
from balm.plots.svg import Drawing
from balm.plots.text_width import text_width
from balm.stats.regression.design import INTERCEPT
from balm.stats.regression.location_scale import LocationScale
from balm.stats.regression.meta_regression import MetaRegression
from balm.vocabulary.numbers import fixed, p_value
from balm.vocabulary.problems import InputError, check_option

#: Points along the line.
STEPS = 100


def bubble(
    result: MetaRegression | LocationScale,
    path: str | os.PathLike[str] | None = None,
    *,
    moderator: str | None = None,
    prediction: bool = True,
    labels: str = "auto",
    title: str | None = None,
    width: float = 680.0,
    height: float = 500.0,
) -> Figure:
    """Draw the bubble plot of a meta-regression, and write it to ``path`` when one is given.

    Circle areas go with the weights of the studies; ratios stand on a log axis. The line is the mean effect at each
    value of ``moderator`` (a column of the design; by default the first), the other columns at their means; the inner
    band is its interval, the outer one where the effects of new studies would lie (tau2 added). In a location-scale
    model tau2 follows a scale moderator of the same name, the others at their means.

    labels : "auto" names up to 20 studies, "all", or "none".

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.regression.meta_regression import meta_regression
    >>> es = EffectSizes(effect=[0.1, 0.3, 0.5, 0.8], variance=[0.01, 0.02, 0.02, 0.03])
    >>> bubble(meta_regression(es, {"dose": [1, 2, 3, 4]})).title
    'Bubble plot of 4 studies by dose'
    """
    check_option("labels", labels, ["auto", "all", "none"])
    if not isinstance(result, (MetaRegression, LocationScale)):
        raise InputError(
            f"a bubble plot takes a result of balm.meta_regression or balm.location_scale; got {type(result).__name__}"
        )
    column, name = _chosen(result, moderator)
    es, x = result.effects, result.design.matrix
    effect_name, ratio, null = effect_axis(es)
    values = x[:, column]
    across = padded(values.tolist())
    grid = np.linspace(across[0], across[1], STEPS + 1)
    means, inner, outer = _line(result, column, grid)
    weights = result.weights_used * (100.0 / float(result.weights_used.sum()))
    effects = es.effect.tolist()
    edges = [*effects, *(means - inner).tolist(), *(means + inner).tolist()]
    low, high = padded(edges, include=[] if null is None else [float(np.log(null)) if ratio else null])
    box = (78.0, 20.0 if title is None else 44.0, width - 24, height - 78)
    panel = Panel(box, across, (low, high))
    slope = result.coefficients[column]
    others = len(result.design.names) - 1 - int(result.design.intercept)
    drawing = Drawing(
        width,
        height,
        title=f"Bubble plot of {result.k} studies by {name}" if title is None else title,
        description=f"{effect_name} of {result.k} studies against {name}, circles as large as their weights. Slope "
        f"{fixed(slope.estimate, 3)} ({result.level * 100:g}% interval {fixed(slope.interval.low, 3)} to "
        f"{fixed(slope.interval.high, 3)}, {p_value(slope.p)})"
        + (" on the log scale" if ratio else "")
        + (f", with {others} other coefficients at their means." if others > 0 else "."),
        ink=INK,
    )
    heading(drawing, title, panel.left, panel.right)
    points = grid.tolist()

    def edge(half: np.ndarray, sign: float) -> list[tuple[float, float]]:
        return list(zip(points, (means + sign * half).tolist(), strict=True))

    shaded = prediction and bool(np.any(outer > inner))
    if shaded:
        panel.band(drawing, edge(outer, -1.0), edge(outer, 1.0), PALE)
    panel.band(drawing, edge(inner, -1.0), edge(inner, 1.0), BAND)
    if null is not None:
        null_at = float(np.log(null)) if ratio else null
        panel.curve(drawing, [(across[0], null_at), (across[1], null_at)], stroke=QUIET, dash="2 3")
    panel.curve(drawing, list(zip(points, means.tolist(), strict=True)), stroke=MARK, width=2.0)
    ticks = ratio_ticks(panel.up) if ratio else None
    panel.frame(drawing, name, f"{effect_name} (log scale)" if ratio else effect_name, y_ticks=ticks)
    largest = float(weights.max())
    rows = sorted(zip(es.study, values.tolist(), effects, weights.tolist(), strict=True), key=lambda r: -r[3])
    for _, v, e, w in rows:
        panel.take(*panel.at(v, e), radius_of(w, largest) * 0.8)
    for study, v, e, w in rows:
        shown = float(np.exp(e)) if ratio else e
        tip = f"{study}: {name} {v:g}, {effect_name} {fixed(shown)}, weight {fixed(w, 1)}%"
        drawing.circle(
            *panel.at(v, e), radius_of(w, largest), fill="#17577a40", stroke=MARK, stroke_width=1.1, full=tip
        )
    if labels == "all" or (labels == "auto" and len(rows) <= MAX_LABELS):
        for study, v, e, w in rows:
            panel.name(drawing, study, *panel.at(v, e), radius_of(w, largest))
    _legend(drawing, panel, result.level, shaded)
    return finished(drawing, path)


def _chosen(result: MetaRegression | LocationScale, moderator: str | None) -> tuple[int, str]:
    """The column of the design to go across, and its name."""
    names = result.design.names
    allowed = [n for n in names if n != INTERCEPT]
    if not allowed:
        raise InputError("a bubble plot needs a moderator; this model has only the intercept: see fit.forest()")
    name = allowed[0] if moderator is None else check_option("moderator", moderator, allowed)
    word = re.compile(rf"(?<![\w.]){re.escape(name)}(?![\w.])")
    other = [n for n in allowed if n != name and word.search(n)]
    if other:
        raise InputError(
            f"moderator {name!r} also enters {other}: no single line shows its effect; "
            "draw the predictions of fit.predict(...) instead"
        )
    return names.index(name), name


def _line(
    result: MetaRegression | LocationScale, column: int, grid: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means along the grid, with half widths of the interval and of the prediction interval."""
    rows = np.repeat(result.design.matrix.mean(axis=0)[None, :], len(grid), axis=0)
    rows[:, column] = grid
    variance = np.einsum("ij,jk,ik->i", rows, result.covariance, rows)
    return (
        rows @ result.beta,
        result.critical * np.sqrt(variance),
        result.critical * np.sqrt(variance + _between(result, result.design.names[column], grid)),
    )


def _between(result: MetaRegression | LocationScale, name: str, grid: np.ndarray) -> float | np.ndarray:
    """tau2 along the grid."""
    if isinstance(result, MetaRegression):
        return result.tau2
    scale = result.scale.design
    rows = np.repeat(scale.matrix.mean(axis=0)[None, :], len(grid), axis=0)
    if name in scale.names:
        rows[:, scale.names.index(name)] = grid
    return result.variances_at(rows)


def _legend(drawing: Drawing, panel: Panel, level: float, shaded: bool) -> None:
    base, x = panel.bottom + 62, panel.left
    entries = [(BAND, f"{level * 100:g}% interval of the mean")] + [(PALE, "prediction interval")] * shaded
    for fill, text in entries:
        drawing.rect(x, base - 10, 24, 12, fill=fill, stroke=QUIET, stroke_width=0.5)
        drawing.text(x + 30, base, text, size=11.5)
        x += 30 + text_width(text, 11.5) + 22
