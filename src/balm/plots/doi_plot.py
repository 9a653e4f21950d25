"""The Doi plot: effects against the absolute normal quantile of their place among all participants.

Furuya-Kanamori L, Barendregt JJ, Doi SAR. Int J Evid Based Healthc 2018;16:195-203.
"""

from __future__ import annotations

import os

from balm.plots.axis import linear_axis
from balm.plots.figure import Figure
from balm.plots.panel import INK, MARK, MAX_LABELS, QUIET, Panel, effect_axis, finished, heading, padded, shown
from balm.plots.svg import Drawing
from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.pooled import Pooled
from balm.stats.small_study.lfk_index import LfkIndex, lfk_index
from balm.vocabulary.numbers import fixed
from balm.vocabulary.problems import InputError, check_option


def doi_plot(
    result: LfkIndex | Pooled | EffectSizes,
    path: str | os.PathLike[str] | None = None,
    *,
    labels: str = "auto",
    title: str | None = None,
    width: float = 640.0,
    height: float = 500.0,
) -> Figure:
    """Draw the Doi plot of a :func:`balm.lfk_index` (or of what it takes), with the index below.

    The study in the middle of all participants is the tip at the top; the other studies form a limb on either side,
    farther down the more of all participants lie between. Limbs of unlike length, or with unlike numbers of studies,
    are asymmetry. The dotted line falls from the tip. What the index is worth is said by :func:`balm.lfk_index`.

    labels : "auto" names up to 20 studies, "all", or "none".

    >>> doi_plot(EffectSizes(effect=[0.1, 0.3, 0.8], variance=[0.04, 0.02, 0.09])).title
    'Doi plot of 3 studies'
    """
    if not isinstance(result, (LfkIndex, Pooled, EffectSizes)):
        raise InputError(f"doi_plot draws a result of balm.lfk_index; got {type(result).__name__}")
    check_option("labels", labels, ["auto", "all", "none"])
    found = result if isinstance(result, LfkIndex) else lfk_index(result)
    es, z = found.effects, abs(found.z)
    name, ratio, _ = effect_axis(es)
    drawing = Drawing(
        width,
        height,
        title=f"Doi plot of {found.k} studies" if title is None else title,
        description=f"Absolute normal quantiles against effects; the tip is {es.study[found.centre]}. {found.summary}",
        ink=INK,
    )
    low, high = padded(es.effect.tolist(), 0.08)
    box = (64.0, 24.0 if title is None else 48.0, width - 24.0, height - 88.0)
    panel = Panel(box, (shown(low, ratio), shown(high, ratio)), (0.0, 1.0), log_x=ratio)
    panel.up = linear_axis(-0.08 * float(z.max()), 1.08 * float(z.max()), start=panel.top, end=panel.bottom)
    heading(drawing, title, panel.left, panel.right)
    points = [(shown(effect, ratio), at) for effect, at in zip(es.effect.tolist(), z.tolist(), strict=True)]
    tip = points[found.centre][0]
    panel.curve(drawing, [(tip, panel.up.low), (tip, panel.up.high)], stroke=QUIET, dash="2 3")
    order = sorted(range(found.k), key=lambda i: found.z[i])
    panel.curve(drawing, [points[i] for i in order], stroke=MARK, width=1.2)
    for study, point in zip(es.study, points, strict=True):
        panel.take(*panel.at(*point), 5.0)
        tooltip = f"{study}: {name} {fixed(point[0], 3)}, |z| {fixed(point[1])}"
        drawing.circle(*panel.at(*point), 4.2, fill=MARK, stroke="#ffffff", stroke_width=1.0, full=tooltip)
    if labels == "all" or (labels == "auto" and found.k <= MAX_LABELS):
        for study, point in zip(es.study, points, strict=True):
            panel.name(drawing, study, *panel.at(*point))
    ticks = [(tick, panel.up.label(tick)) for tick in panel.up.ticks if tick >= 0.0]
    panel.frame(drawing, name, "|z|", y_ticks=ticks)
    drawing.text(panel.left, panel.bottom + 66, f"LFK index {fixed(found.index)} (bounds 1 and 2 are no test)", size=12)
    return finished(drawing, path)
