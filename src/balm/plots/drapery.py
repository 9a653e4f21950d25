"""Drapery plot: the p-value functions of the studies and of the pooled result, so that no one level is singled out.

Rücker G, Schwarzer G (2021). Beyond the forest plot: the drapery plot. Res Synth Methods 12:13-19.
"""

from __future__ import annotations

import os
from math import isfinite

from balm.plots.figure import Figure
from balm.plots.panel import BAND, INK, MARK, QUIET, Panel, effect_axis, finished, heading, shown
from balm.plots.svg import Drawing
from balm.plots.text_width import text_width
from balm.stats.diagnostics.p_value_function import p_value_function
from balm.stats.distributions import norm_ppf
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.numbers import fixed, plain
from balm.vocabulary.problems import InputError, check_option

#: Confidence levels marked at the right.
LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)
#: The lowest p value drawn on the z axis.
LEAST = 0.0005


def drapery(
    result: Pooled,
    path: str | os.PathLike[str] | None = None,
    *,
    y: str = "p",
    prediction: bool = True,
    title: str | None = None,
    width: float = 700.0,
    height: float = 480.0,
) -> Figure:
    """Draw the drapery plot of a pooled result, and write it to ``path`` when one is given.

    The height of a curve over an effect is the p value of the hypothesis that it is the true one; its width at p is
    the confidence interval at level 1 - p, marked at the right. Grey: each study. Thick: the pooled effect, by the
    interval in force. Shaded: a new study's effect (prediction).

    y          : "p", or "z" (p values spaced by their normal quantile, so that normal curves become straight lines).
    prediction : whether to shade the prediction region.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.pooling.pool import pool
    >>> drapery(pool(EffectSizes(effect=[0.1, 0.3, 0.8], variance=[0.04, 0.04, 0.04]))).title
    'Drapery plot of 3 studies'
    """
    check_option("y", y, ["p", "z"])
    es = result.effects
    if not isfinite(result.estimate):
        raise InputError("a drapery plot needs a pooled estimate; this result has none")
    found = p_value_function(result)
    name, ratio, null = effect_axis(es)
    cut = -norm_ppf(LEAST / 2.0)

    def up(p: float) -> float:
        return p if y == "p" else -(-norm_ppf(p / 2.0) if p > 0.0 else cut + 1.0)

    xs = [shown(e, ratio) for e in found.effect.tolist()]
    panel = Panel(
        (72.0, 22.0 if title is None else 46.0, width - 70, height - 78),
        (xs[0], xs[-1]),
        (0.0, 1.0) if y == "p" else (-cut, 0.0),
        log_x=ratio,
    )
    middle = fixed(shown(result.estimate, ratio))
    ends = f"{fixed(shown(result.interval.low, ratio))} to {fixed(shown(result.interval.high, ratio))}"
    drawing = Drawing(
        width,
        height,
        title=f"Drapery plot of {len(es)} studies" if title is None else title,
        description=f"P-value functions of {len(es)} studies and of the pooled {name.lower()}, which is highest at "
        f"{middle} and has {result.level * 100:g}% interval {ends}.",
        ink=INK,
    )
    heading(drawing, title, panel.left, panel.right)

    def curve(values: list[float]) -> list[tuple[float, float]]:
        return [(x, up(p)) for x, p in zip(xs, values, strict=True)]

    predicted = found.prediction.tolist()
    shaded = prediction and isfinite(predicted[0])
    if shaded:
        panel.band(drawing, [(x, panel.up.low) for x in xs], curve(predicted), BAND)
    for mark in LEVELS:
        height_of = panel.up.position(up(1.0 - mark))
        drawing.line(panel.left, height_of, panel.right, height_of, stroke="#c8d0d6", width=0.7)
        if y == "z" or mark != 0.99 or panel.bottom - panel.top > 260:
            drawing.text(panel.right + 6, height_of + 4, f"{mark * 100:g}%", size=11, fill=QUIET)
    if null is not None and panel.across.holds(null):
        x = panel.across.position(null)
        drawing.line(x, panel.top, x, panel.bottom, stroke=QUIET)
    for study, values in zip(found.study, found.studies.tolist(), strict=True):
        if isfinite(values[0]):
            drawing.open_group(study)
            panel.curve(drawing, curve(values), stroke="#9aa6b0", width=0.9)
            drawing.close_group()
    drawing.open_group(f"pooled {name.lower()}")
    panel.curve(drawing, curve(found.pooled.tolist()), stroke=MARK, width=2.6)
    drawing.close_group()
    marks = None if y == "p" else [(norm_ppf(p / 2.0), plain(p)) for p in (1.0, 0.5, 0.2, 0.1, 0.05, 0.01, 0.001)]
    panel.frame(drawing, f"{name} (log scale)" if ratio else name, "P value", y_ticks=marks)
    middle_y = (panel.top + panel.bottom) / 2
    drawing.text(width - 12, middle_y, "Confidence level", anchor="middle", size=12, rotate=-90)
    _legend(drawing, panel, shaded)
    return finished(drawing, path)


def _legend(drawing: Drawing, panel: Panel, shaded: bool) -> None:
    base, x = panel.bottom + 62, panel.left
    for text, stroke, wide in (("each study", "#9aa6b0", 0.9), ("pooled", MARK, 2.6)):
        drawing.line(x, base - 4, x + 24, base - 4, stroke=stroke, width=wide)
        drawing.text(x + 30, base, text, size=11.5)
        x += 30 + text_width(text, 11.5) + 22
    if shaded:
        drawing.rect(x, base - 10, 24, 12, fill=BAND)
        drawing.text(x + 30, base, "a new study (prediction)", size=11.5)
