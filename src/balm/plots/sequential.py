"""The cumulative Z of a trial sequential analysis between its boundaries."""

from __future__ import annotations

import math
import os

import numpy as np

from balm.plots.figure import Figure
from balm.plots.panel import ALARM, INK, MARK, QUIET, Panel, finished, heading
from balm.plots.svg import Drawing
from balm.plots.text_width import text_width
from balm.stats.sequential.sequential_analysis import SequentialAnalysis
from balm.vocabulary.numbers import fixed, percent
from balm.vocabulary.problems import InputError

#: Boundaries above this are off the picture: no Z of a meta-analysis needs more room.
MOST_Z = 8.0


def sequential(
    fit: SequentialAnalysis,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
    width: float = 680.0,
    height: float = 460.0,
) -> Figure:
    """Draw a :func:`balm.sequential_analysis`: Z after each study over the share of the required information.

    Boundaries are solid, futility dashed, the single-look 1.96 dotted; a line stands at the required information.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.pooling.pool import pool
    >>> from balm.stats.sequential.sequential_analysis import sequential_analysis
    >>> es = EffectSizes(effect=[-0.3, -0.2, -0.25], variance=[0.02, 0.015, 0.01])
    >>> sequential(sequential_analysis(pool(es, model="common"), delta=-0.2)).title
    'Trial sequential analysis'
    """
    if not isinstance(fit, SequentialAnalysis):
        raise InputError(f"this plot is drawn of a result of balm.sequential_analysis; got {type(fit).__name__}")
    z, share = fit.z.tolist(), (100.0 * fit.fraction).tolist()
    outer = _line(fit.fraction.tolist(), fit.boundary.tolist(), fit.last_boundary)
    inner = _line(fit.fraction.tolist(), fit.futility.tolist(), fit.last_futility)
    most = min(MOST_Z, max([3.0, *(c for _, c in outer)])) * 1.05
    most = max(most, *(abs(v) * 1.05 for v in z))
    drawing = Drawing(
        width,
        height,
        title=title or "Trial sequential analysis",
        description=f"Cumulative Z after {fit.k} studies is {fixed(z[-1])} at {percent(share[-1])} of the required "
        f"information; the boundary at the last look tested is {_last(fit)}.",
        ink=INK,
    )
    top = 20.0 if title is None else 44.0
    panel = Panel((64.0, top, width - 18, height - 86), (0.0, max(104.0, share[-1] * 1.04)), (-most, most))
    for sign in (1.0, -1.0):
        panel.curve(drawing, [(x, sign * c) for x, c in outer], stroke=ALARM, width=1.8)
        panel.curve(drawing, [(x, sign * c) for x, c in inner], stroke=ALARM, width=1.4, dash="6 4")
        y = panel.up.position(sign * 1.959963984540054)
        drawing.line(panel.left, y, panel.right, y, stroke=QUIET, dash="2 3")
    zero, full = panel.up.position(0.0), panel.across.position(100.0)
    drawing.line(panel.left, zero, panel.right, zero, stroke=QUIET)
    drawing.line(full, panel.top, full, panel.bottom, stroke=INK, width=1.2)
    panel.curve(drawing, [(0.0, 0.0), *zip(share, z, strict=True)], stroke=MARK, width=2.2)
    for name, x, y in zip(fit.study, share, z, strict=True):
        drawing.circle(*panel.at(x, y), 3.6, fill=MARK, full=f"{name}: Z = {fixed(y)} at {percent(x, 1)}")
    panel.frame(drawing, "Information, % of that required", "Cumulative Z")
    _key(drawing, panel, fit.beta_spending is not None)
    heading(drawing, title, panel.left, width - 18)
    return finished(drawing, path)


def _line(fraction: list[float], bound: list[float], last: float) -> list[tuple[float, float]]:
    points = [(100.0 * t, c) for t, c in zip(fraction, bound, strict=True) if 0.0 < c < math.inf]
    return [*points, (100.0, last)] if math.isfinite(last) else points


def _last(fit: SequentialAnalysis) -> str:
    known = fit.boundary[~np.isnan(fit.boundary)]
    return fixed(float(known[-1])) if math.isfinite(known[-1]) else "out of reach"


def _key(drawing: Drawing, panel: Panel, futility: bool) -> None:
    rows: list[tuple[str, str | None, str]] = [
        (MARK, None, "cumulative Z"), (ALARM, None, "boundary"), (QUIET, "2 3", "a single look (1.96)"),
    ]  # fmt: skip
    if futility:
        rows.insert(2, (ALARM, "6 4", "futility"))
    x, y = panel.left, panel.bottom + 68
    for colour, dash, words in rows:
        drawing.line(x, y - 4, x + 24, y - 4, stroke=colour, dash=dash, width=2.0)
        drawing.text(x + 30, y, words, size=11.5)
        x += 30 + text_width(words, 11.5) + 20
