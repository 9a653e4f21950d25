"""L'Abbé plot: the risk under the intervention against the risk without it.

L'Abbé KA, Detsky AS, O'Rourke K (1987). Meta-analysis in clinical research. Ann Intern Med 107:224-233.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from math import asin, exp, isfinite, pi, sin, sqrt
from types import MappingProxyType

from balm.plots.figure import Figure
from balm.plots.panel import INK, MARK, MAX_LABELS, QUIET, Panel, effect_axis, finished, heading, radius_of
from balm.plots.svg import Drawing
from balm.plots.text_width import text_width
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.numbers import fixed, percent
from balm.vocabulary.problems import InputError, check_option


def _odds(risk: float, effect: float) -> float:
    if risk in (0.0, 1.0):
        return risk
    odds = risk / (1.0 - risk) * exp(effect)
    return odds / (1.0 + odds)


def _arcsine(risk: float, effect: float) -> float:
    return sin(min(max(asin(sqrt(risk)) + effect, 0.0), pi / 2.0)) ** 2


#: Measure -> the other group's risk (or rate) given this one's and the effect on the analysis scale.
CURVES: Mapping[str, Callable[[float, float], float]] = MappingProxyType(
    {
        "RR": lambda risk, effect: risk * exp(effect),
        "OR": _odds,
        "PETO": _odds,
        "RD": lambda risk, effect: risk + effect,
        "AS": _arcsine,
        "IRR": lambda rate, effect: rate * exp(effect),
        "IRD": lambda rate, effect: rate + effect,
        "IRSD": lambda rate, effect: max(sqrt(rate) + effect, 0.0) ** 2,
    }
)


def labbe(
    result: Pooled,
    path: str | os.PathLike[str] | None = None,
    *,
    labels: str = "auto",
    title: str | None = None,
    width: float = 560.0,
) -> Figure:
    """Draw the L'Abbé plot of a result from two-group counts, and write it to ``path`` when one is given.

    Each study is a circle at its two observed risks (events over participants; events over time for rates), its area
    going with its weight. Points on the diagonal show no difference; the coloured curve is the pooled effect at each
    risk of the comparator. Measures: risk ratio, odds ratio (Peto's too), risk difference, arcsine difference, rate
    ratio and difference.

    labels : "auto" names up to 20 studies, "all", or "none".

    >>> from balm.stats.effect_sizes import effect_sizes
    >>> from balm.stats.pooling.pool import pool
    >>> es = effect_sizes("RR", events_1=[4, 6], n_1=[123, 306], events_2=[11, 29], n_2=[139, 303])
    >>> labbe(pool(es)).title
    "L'Abbé plot of 2 studies"
    """
    check_option("labels", labels, ["auto", "all", "none"])
    es = result.effects
    curve = CURVES.get(es.measure)
    per = "time" if es.measure in ("IRR", "IRD", "IRSD") else "n"
    needed = ("events_1", f"{per}_1", "events_2", f"{per}_2")
    if curve is None or not all(c in es.raw for c in needed):
        raise InputError(
            f"a L'Abbé plot needs two groups' counts ({', '.join(needed)}) behind one of {list(CURVES)}; "
            f"got {es.measure}: make the effects with balm.effect_sizes from counts"
        )
    a, m, c, n = (es.raw[name].tolist() for name in needed)
    rows = zip(es.study, a, m, c, n, result.weights.tolist(), strict=True)
    points = [
        (name, c_ / n_, a_ / m_, w if isfinite(w) else 0.0)
        for name, a_, m_, c_, n_, w in rows
        if m_ > 0 and n_ > 0 and isfinite(a_ + c_)
    ]
    if not points:
        raise InputError("a L'Abbé plot needs at least one study with counts in both groups; there is none")
    most = 1.12 * max(max(x, y) for _, x, y, _ in points) or 1.0
    most = min(most, 1.0) if per == "n" else most
    largest = max(w for *_, w in points)
    top = 20.0 if title is None else 44.0
    side = width - 78.0 - 24.0
    panel = Panel((78.0, top, 78.0 + side, top + side), (-0.02 * most, most), (-0.02 * most, most))
    name, ratio, _ = effect_axis(es)
    what = "Risk" if per == "n" else "Rate"
    middle = fixed(exp(result.estimate) if ratio else result.estimate)
    below = sum(y < x for _, x, y, _ in points)
    drawing = Drawing(
        width,
        top + side + 76,
        title=f"L'Abbé plot of {len(points)} studies" if title is None else title,
        description=f"{what} in the intervention group against the comparator in {len(points)} studies: {below} have "
        f"the lower one under the intervention. The curve is the pooled {name.lower()}, {middle}.",
        ink=INK,
    )
    heading(drawing, title, panel.left, panel.right)
    panel.curve(drawing, [(0.0, 0.0), (most, most)], stroke=QUIET)
    line = []
    if isfinite(result.estimate):
        line = [(most * i / 100, curve(most * i / 100, result.estimate)) for i in range(101)]
        panel.curve(drawing, line, stroke=MARK, width=1.6, dash="6 4")
    panel.frame(drawing, f"{what}, comparator", f"{what}, intervention")
    for _, x, y, w in points:
        panel.take(*panel.at(x, y), radius_of(w, largest) * 0.8)
    for study, x, y, w in sorted(points, key=lambda p: -p[3]):
        label = (percent(100 * y, 1), percent(100 * x, 1)) if per == "n" else (fixed(y, 4), fixed(x, 4))
        tip = f"{study}: {label[0]} against {label[1]}, weight {percent(w, 1)}"
        drawing.circle(
            *panel.at(x, y), radius_of(w, largest), fill="#17577a40", stroke=MARK, stroke_width=1.1, full=tip
        )
    if labels == "all" or (labels == "auto" and len(points) <= MAX_LABELS):
        for study, x, y, w in sorted(points, key=lambda p: -p[3]):
            panel.name(drawing, study, *panel.at(x, y), radius_of(w, largest))
    base = panel.bottom + 62
    drawing.line(panel.left, base - 4, panel.left + 24, base - 4, stroke=QUIET)
    drawing.text(panel.left + 30, base, "no difference", size=11.5)
    x = panel.left + 30 + text_width("no difference", 11.5) + 24
    if line:
        drawing.line(x, base - 4, x + 24, base - 4, stroke=MARK, dash="6 4", width=1.6)
        drawing.text(x + 30, base, f"pooled {name.lower()} {middle}", size=11.5)
    return finished(drawing, path)
