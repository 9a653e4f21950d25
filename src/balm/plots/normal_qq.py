"""Normal quantile plot of standardised residuals with its simulated envelope."""

from __future__ import annotations

import os
from typing import Any

from balm.plots.figure import Figure
from balm.plots.panel import ALARM, BAND, INK, MARK, QUIET, Panel, finished, heading, padded
from balm.plots.svg import Drawing
from balm.stats.diagnostics.normal_quantiles import NormalQuantiles
from balm.stats.diagnostics.normal_quantiles import normal_qq as quantiles
from balm.vocabulary.numbers import fixed
from balm.vocabulary.problems import InputError


def normal_qq(
    result: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
    width: float = 560.0,
    height: float = 500.0,
    **options: Any,
) -> Figure:
    """Draw the normal quantile plot of a fit (or of :func:`balm.normal_qq`'s values); write it to ``path`` when given.

    Points near the line say that the studies scatter as the model has it. The band holds 95 % of simulated residuals
    point by point; studies outside are named. Further options (``kind``, ``level``, ``simulations``, ``seed``) are
    those of :func:`balm.normal_qq`.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.pooling.pool import pool
    >>> normal_qq(pool(EffectSizes(effect=[0.1, 0.3, 0.8], variance=[0.04, 0.04, 0.04]))).title
    'Normal quantile plot of 3 studies'
    """
    if isinstance(result, NormalQuantiles):
        if options:
            raise InputError(f"{', '.join(options)}: these were settled when the quantiles were computed")
        found = result
    else:
        found = quantiles(result, **options)
    if len(found) == 0:
        raise InputError("a normal quantile plot needs residuals; one study has none")
    xs, ys = found.quantile.tolist(), found.residual.tolist()
    panel = Panel(
        (64.0, 20.0 if title is None else 44.0, width - 24, height - 56),
        padded(xs, include=[-1.0, 1.0]),
        padded([*ys, *found.low.tolist(), *found.high.tolist()]),
    )
    outside = [n for n, out in zip(found.study, found.outside.tolist(), strict=True) if out]
    drawing = Drawing(
        width,
        height,
        title=f"Normal quantile plot of {len(found)} studies" if title is None else title,
        description=f"{found.kind.capitalize()} residuals of {len(found)} studies against normal quantiles, with a "
        f"pointwise {found.level * 100:g}% envelope. Outside it: {', '.join(outside) or 'none'}.",
        ink=INK,
    )
    heading(drawing, title, panel.left, panel.right)
    low, high = (list(zip(xs, e.tolist(), strict=True)) for e in (found.low, found.high))
    if len(xs) > 1:
        panel.band(drawing, low, high, BAND)
    ends = (panel.across.low, panel.across.high)
    panel.curve(drawing, [(ends[0] + (ends[1] - ends[0]) * i / 50,) * 2 for i in range(51)], stroke=QUIET)
    panel.frame(drawing, "Normal quantile", f"{found.kind.capitalize()} residual")
    for x, y in zip(xs, ys, strict=True):
        panel.take(*panel.at(x, y), 5)
    rows = list(zip(found.study, xs, ys, found.outside.tolist(), strict=True))
    for study, x, y, out in rows:
        tip = f"{study}: residual {fixed(y)}, normal quantile {fixed(x)}"
        drawing.circle(*panel.at(x, y), 4.0, fill=ALARM if out else MARK, stroke="#fff", full=tip)
    for study, x, y, out in rows:
        if out:
            panel.name(drawing, study, *panel.at(x, y))
    return finished(drawing, path)
