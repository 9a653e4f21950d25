"""The curve of a dose-response meta-analysis: ratio over dose, with its band and what the studies reported."""

from __future__ import annotations

import math
import os

import numpy as np

from balm.plots.figure import Figure
from balm.plots.panel import BAND, INK, MARK, QUIET, Panel, finished, heading, padded, radius_of, ratio_ticks
from balm.plots.svg import Drawing
from balm.stats.dose_response.dose_response import DoseResponse
from balm.stats.measures import MEASURES
from balm.vocabulary.numbers import fixed, level, plain
from balm.vocabulary.problems import InputError

#: Points of the curve.
POINTS = 201
#: The band may take this share more than the curve and the reported ratios, above and below; beyond it is cut.
ROOM = 0.5


def dose_response(
    fit: DoseResponse,
    path: str | os.PathLike[str] | None = None,
    *,
    reference: float | None = None,
    studies: bool = True,
    dose_title: str = "Dose",
    title: str | None = None,
    width: float = 640.0,
    height: float = 420.0,
) -> Figure:
    """Draw the pooled curve of a :func:`balm.dose_response` fit against ``reference`` (default the lowest dose).

    The band is the confidence interval at each dose. Circles are the reported ratios (area: precision), each moved by
    what the curve says at its own study's reference, so that studies with other references can be seen beside it.

    >>> from balm.stats.dose_response.dose_response import dose_response as fitted
    >>> fit = fitted(study=["A"] * 3, dose=[0, 10, 20], log_ratio=[0, 0.1, 0.3], se=[0, 0.1, 0.1],
    ...              covariance="independent", method="common")
    >>> dose_response(fit).title
    'Dose-response curve'
    """
    if not isinstance(fit, DoseResponse):
        raise InputError(f"a dose-response curve is drawn of a result of balm.dose_response; got {type(fit).__name__}")
    every = np.concatenate([s.dose for s in fit.studies])
    low, high = float(every.min()), float(every.max())
    reference = low if reference is None else float(reference)
    if not low <= reference <= high:
        raise InputError(f"reference must lie among the doses, {low:g} to {high:g}; got {reference!r}")
    at = np.unique(np.concatenate((np.linspace(low, high, POINTS), [reference])))
    curve = fit.predict(at, reference=reference)
    points = _points(fit, reference) if studies else []
    core = [0.0, *curve.estimate.tolist(), *(y for _, y, _, _ in points)]
    room = ROOM * (max(core) - min(core))
    reach = padded(
        [max(float(curve.low.min()), min(core) - room), min(float(curve.high.max()), max(core) + room)], include=core
    )
    name = MEASURES[fit.measure].name
    last = fit.predict([high], reference=reference)
    value, lowest, highest = (fixed(float(np.exp(x[0]))) for x in (last.estimate, last.low, last.high))
    drawing = Drawing(
        width,
        height,
        title=title or "Dose-response curve",
        description=f"{name} by dose against {plain(reference, 4)}, with {level(fit.level)} confidence band, "
        f"{fit.k} {'study' if fit.k == 1 else 'studies'}. At {plain(high, 4)}: {value}, {lowest} to {highest}.",
        ink=INK,
    )
    top = 20.0 if title is None else 44.0
    panel = Panel((76.0, top, width - 18, height - 56), padded([low, high], 0.02), reach)
    panel.band(
        drawing,
        list(zip(at.tolist(), curve.low.tolist(), strict=True)),
        list(zip(at.tolist(), curve.high.tolist(), strict=True)),
        fill=BAND,
    )
    zero = panel.up.position(0.0)
    drawing.line(panel.left, zero, panel.right, zero, stroke=QUIET, dash="2 3")
    most = max((w for _, _, w, _ in points), default=1.0)
    for x, y, weight, words in points:
        drawing.circle(*panel.at(x, y), radius_of(weight, most, 9.0), stroke=QUIET, fill="none", full=words)
    panel.curve(drawing, list(zip(at.tolist(), curve.estimate.tolist(), strict=True)), stroke=MARK, width=2.2)
    for knot in fit.trend.knots:
        x = panel.across.position(knot)
        drawing.line(x, panel.bottom, x, panel.bottom - 7, stroke=MARK, width=1.6)
    said = f"{name} against {plain(reference, 4)} (log scale)"
    panel.frame(drawing, dose_title, said, y_ticks=ratio_ticks(panel.up))
    heading(drawing, title, panel.left, width - 18)
    return finished(drawing, path)


def _points(fit: DoseResponse, reference: float) -> list[tuple[float, float, float, str]]:
    """(dose, log ratio against ``reference``, precision, tooltip) of every reported ratio."""
    found = []
    for s in fit.studies:
        moved = float(fit.predict([s.dose[0]], reference=reference).estimate[0])
        for dose, own, variance in zip(s.dose[1:], s.log_ratio, np.diag(s.variance), strict=True):
            words = f"{s.study}: {fixed(math.exp(own))} at {plain(float(dose), 4)} against {plain(float(s.dose[0]), 4)}"
            found.append((float(dose), float(own) + moved, 1.0 / float(variance), words))
    return found
