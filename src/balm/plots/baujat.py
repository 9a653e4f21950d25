"""Baujat plot: what each study adds to heterogeneity against how much it moves the result.

Baujat B et al. (2002) Stat Med 21:2641-2652.
"""

from __future__ import annotations

import os
from math import isfinite
from typing import Any

from balm.plots.figure import Figure
from balm.plots.panel import INK, MARK, MAX_LABELS, Panel, finished, heading
from balm.plots.svg import Drawing
from balm.stats.diagnostics.baujat import Baujat
from balm.stats.diagnostics.baujat import baujat as coordinates
from balm.vocabulary.numbers import fixed
from balm.vocabulary.problems import InputError, check_option


def baujat(
    result: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    labels: str = "auto",
    title: str | None = None,
    width: float = 660.0,
    height: float = 480.0,
) -> Figure:
    """Draw the Baujat plot of a fit (or of :func:`balm.baujat`'s values), and write it to ``path`` when one is given.

    Studies at the right fit the others badly; studies at the top move the result; those in the upper right do both.
    labels : "auto" names up to 20 studies, else the 10 farthest out; "all"; "none". A name without a free place is left
             out; every point carries it as a tooltip.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.pooling.pool import pool
    >>> baujat(pool(EffectSizes(effect=[0.1, 0.3, 0.8], variance=[0.04, 0.04, 0.04]))).title
    'Baujat plot of 3 studies'
    """
    check_option("labels", labels, ["auto", "all", "none"])
    found = result if isinstance(result, Baujat) else coordinates(result)
    rows = zip(found.study, found.heterogeneity.tolist(), found.influence.tolist(), strict=True)
    points = [(n, x, y) for n, x, y in rows if isfinite(x) and isfinite(y)]
    if not points:
        why = next(iter(found.reasons.values()), "no study can be left out")
        raise InputError(f"a Baujat plot needs studies that can be left out: {why}")
    most_x, most_y = max(x for _, x, _ in points), max(y for _, _, y in points)
    panel = Panel(
        (78.0, 20.0 if title is None else 44.0, width - 24, height - 56),
        (-0.03 * (most_x or 1.0), 1.08 * (most_x or 1.0)),
        (-0.03 * (most_y or 1.0), 1.08 * (most_y or 1.0)),
    )
    far = sorted(points, key=lambda p: (p[1] / (most_x or 1.0)) ** 2 + (p[2] / (most_y or 1.0)) ** 2, reverse=True)
    left_out = len(found) - len(points)
    drawing = Drawing(
        width,
        height,
        title=f"Baujat plot of {len(points)} studies" if title is None else title,
        description=f"Contribution to heterogeneity (across) against influence on the result (up) of {len(points)} "
        f"studies. Farthest out: {'; '.join(f'{n} ({fixed(x)}, {fixed(y)})' for n, x, y in far[:3])}."
        + (f" {left_out} could not be estimated and are not drawn." if left_out else ""),
        ink=INK,
    )
    heading(drawing, title, panel.left, panel.right)
    panel.frame(drawing, "Contribution to heterogeneity (squared Pearson residual)", "Influence on the overall result")
    for _, x, y in points:
        panel.take(*panel.at(x, y), 5)
    for n, x, y in points:
        tip = f"{n}: heterogeneity {fixed(x, 3)}, influence {fixed(y, 3)}"
        drawing.circle(*panel.at(x, y), 4.5, fill=MARK, stroke="#fff", full=tip)
    many = len(points) > MAX_LABELS and labels == "auto"
    for n, x, y in [] if labels == "none" else far[:10] if many else far:
        panel.name(drawing, n, *panel.at(x, y))
    return finished(drawing, path)
