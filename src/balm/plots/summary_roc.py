"""The summary ROC plot: sensitivity against specificity, study by study, with the summary point and curve.

Harbord RM, Deeks JJ, Egger M, Whiting P, Sterne JAC (2007). Biostatistics 8:239-251.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from balm.plots.figure import Figure
from balm.plots.panel import BAND, INK, MARK, MAX_LABELS, QUIET, Panel, finished, heading, radius_of
from balm.plots.svg import Drawing
from balm.plots.text_width import text_width
from balm.stats.accuracy.accuracy import Accuracy
from balm.vocabulary.numbers import fixed
from balm.vocabulary.numbers import level as percent_of
from balm.vocabulary.problems import InputError, check_option

#: Points of the curve.
POINTS = 201
TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
#: Size of a line of the legend, and its distance from the next.
SIZE, ROW = 11.5, 18.0


def summary_roc(
    fit: Accuracy,
    path: str | os.PathLike[str] | None = None,
    *,
    curve: str = "auto",
    labels: str = "auto",
    title: str | None = None,
    width: float = 560.0,
) -> Figure:
    """Draw the summary ROC plot of a :func:`balm.accuracy` result, and write it to ``path`` when one is given.

    Circles are studies as observed, their area going with the number of people; the filled point is the summary, with
    its confidence region shaded and the prediction region for a new study dashed. The curve is drawn over the range of
    the observed specificities only, as beyond it there is nothing that it summarises.

    curve  : "auto" draws the HSROC curve where there is one, "hsroc", "regression", "both", or "none".
    labels : "auto" names up to 20 studies, "all", or "none".

    >>> from balm.stats.accuracy.accuracy import accuracy
    >>> fit = accuracy(tp=[19, 45, 28, 60, 33], fn=[3, 6, 9, 5, 4], fp=[4, 12, 5, 20, 6], tn=[40, 80, 70, 90, 60])
    >>> summary_roc(fit).title
    'Summary ROC plot of 5 studies'
    """
    if not isinstance(fit, Accuracy):
        raise InputError(f"a summary ROC plot is drawn of a result of balm.accuracy; got {type(fit).__name__}")
    check_option("curve", curve, ("auto", "hsroc", "regression", "both", "none"))
    check_option("labels", labels, ("auto", "all", "none"))
    kinds = {"auto": () if fit.hsroc.reason else ("hsroc",), "both": ("hsroc", "regression"), "none": ()}.get(
        curve, (curve,)
    )
    curves = [(kind, fit.curve(kind)) for kind in kinds]
    ci = percent_of(fit.level)
    keys: list[tuple[str, Any]] = [
        ("circle", "a study, its area by the number of people"),
        ("point", "summary point"),
        ("band", f"{ci} confidence region"),
        ("6 4", f"{ci} prediction region"),
    ]
    keys += [("line", "summary curve") if kind == "hsroc" else ("2 3", "regression line") for kind, _ in curves]
    top = 20.0 if title is None else 44.0
    side = width - 64.0 - 24.0
    rows = (len(keys) + 1) // 2
    height = top + side + 62.0 + ROW * rows
    s, c = fit.sensitivity, fit.specificity
    drawing = Drawing(
        width,
        height,
        title=title or f"Summary ROC plot of {fit.k} studies",
        description=f"Summary sensitivity {fixed(s.estimate, 3)} ({ci} CI {fixed(s.interval.low, 3)} to "
        f"{fixed(s.interval.high, 3)}), specificity {fixed(c.estimate, 3)} ({fixed(c.interval.low, 3)} to "
        f"{fixed(c.interval.high, 3)}); {fit.k} studies.",
        ink=INK,
    )
    # Drawn against the false positive rate, and read as specificity, which runs from 1 to 0.
    panel = Panel((64.0, top, width - 24.0, top + side), (0.0, 1.0), (0.0, 1.0))
    heading(drawing, title, panel.left, panel.right)
    corner, far = panel.at(0.0, 0.0), panel.at(1.0, 1.0)
    inner = [panel.at(*point) for point in fit.region("mean").tolist()]
    drawing.polygon(inner, fill=BAND)
    drawing.line(*corner, *far, stroke=QUIET, dash="1 4")
    panel.curve(drawing, fit.region("new study").tolist(), stroke=QUIET, dash="6 4", width=1.4)
    fpr = 1.0 - fit.studies.specificity
    # Closer together where the curve is steep, beside a specificity of 1.
    x = float(fpr.min()) + float(np.ptp(fpr)) * np.linspace(0.0, 1.0, POINTS) ** 3
    for kind, line in curves:
        pairs = list(zip(x.tolist(), line(x).tolist(), strict=True))
        panel.curve(drawing, pairs, stroke=MARK, width=2.0, dash=None if kind == "hsroc" else "2 3")
    people = fit.tables.diseased + fit.tables.healthy
    most = float(people.max())
    points = []
    for name, a, b, n in zip(fit.studies.study, fpr, fit.studies.sensitivity, people, strict=True):
        px, py = panel.at(float(a), float(b))
        radius = radius_of(float(n), most, 10.0)
        told = f"{name}: sensitivity {fixed(float(b), 3)}, specificity {fixed(1.0 - float(a), 3)}, {int(n)} people"
        drawing.circle(px, py, radius, stroke=INK, stroke_width=1.1, full=told)
        panel.take(px, py, radius)
        points.append((name, px, py, radius))
    middle = panel.at(fit.false_positive_rate.estimate, s.estimate)
    drawing.circle(*middle, 5.5, fill=MARK)
    panel.take(*middle, 5.5)
    if labels == "all" or (labels == "auto" and fit.k <= MAX_LABELS):
        for name, px, py, radius in points:
            panel.name(drawing, name, px, py, radius)
    _frame(drawing, panel)
    _legend(drawing, panel, keys)
    return finished(drawing, path)


def _frame(drawing: Drawing, panel: Panel) -> None:
    """Axes over the whole of both proportions: specificity runs backwards."""
    drawing.line(panel.left, panel.bottom, panel.right, panel.bottom, stroke=INK)
    drawing.line(panel.left, panel.top, panel.left, panel.bottom, stroke=INK)
    for tick in TICKS:
        x, _ = panel.at(tick, 0.0)
        drawing.line(x, panel.bottom, x, panel.bottom + 5, stroke=INK)
        drawing.text(x, panel.bottom + 18, fixed(1.0 - tick, 1), anchor="middle", size=12)
        _, y = panel.at(0.0, tick)
        drawing.line(panel.left - 5, y, panel.left, y, stroke=INK)
        drawing.text(panel.left - 9, y + 4, fixed(tick, 1), anchor="end", size=12)
    drawing.text((panel.left + panel.right) / 2, panel.bottom + 37, "Specificity", anchor="middle", size=12)
    drawing.text(panel.left - 38, (panel.top + panel.bottom) / 2, "Sensitivity", anchor="middle", size=12, rotate=-90)


def _legend(drawing: Drawing, panel: Panel, keys: list[tuple[str, Any]]) -> None:
    rows = (len(keys) + 1) // 2
    second = panel.left + 30 + max(text_width(words, SIZE) for _, words in keys[:rows]) + 24
    for i, (kind, words) in enumerate(keys):
        x = panel.left if i < rows else second
        y = panel.bottom + 60 + ROW * (i % rows)
        if kind == "circle":
            drawing.circle(x + 12, y - 4, 5.0, stroke=INK, stroke_width=1.1)
        elif kind == "point":
            drawing.circle(x + 12, y - 4, 5.5, fill=MARK)
        elif kind == "band":
            drawing.rect(x, y - 10, 24, 12, fill=BAND)
        elif kind == "line":
            drawing.line(x, y - 4, x + 24, y - 4, stroke=MARK, width=2.0)
        else:
            drawing.line(x, y - 4, x + 24, y - 4, stroke=QUIET if kind == "6 4" else MARK, dash=kind, width=1.6)
        drawing.text(x + 30, y, words, size=SIZE)
