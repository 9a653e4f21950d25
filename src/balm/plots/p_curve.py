"""A p-curve: shares of the significant p values, beside those of no effect and of studies with a power of 33 %."""

from __future__ import annotations

import os
from dataclasses import replace

from balm.plots.figure import Figure
from balm.plots.panel import ALARM, INK, MARK, QUIET, Panel, finished, heading
from balm.plots.svg import Drawing
from balm.plots.text_width import text_width
from balm.stats.small_study.p_curve import PCurve
from balm.vocabulary.numbers import percent
from balm.vocabulary.problems import InputError

BINS = (0.01, 0.02, 0.03, 0.04, 0.05)


def p_curve(
    result: PCurve,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
    width: float = 560.0,
    height: float = 420.0,
) -> Figure:
    """Draw a :func:`balm.p_curve`: the share of p values in each hundredth below 0.05, with both curves to hold it to.

    >>> from balm.stats.small_study.p_curve import p_curve as curve
    >>> p_curve(curve(["z=2.1", "z=3.2", "z=2.9"])).title
    'p-curve of 3 significant tests'
    """
    if not isinstance(result, PCurve):
        raise InputError(f"p_curve draws a result of balm.p_curve; got {type(result).__name__}")
    if result.significant == 0:
        raise InputError("there is no curve to draw: no test is significant at 0.05")
    name = f"p-curve of {result.significant} significant test{'' if result.significant == 1 else 's'}"
    said = ", ".join(f"{percent(100 * share)} up to {p:g}" for p, share in zip(BINS, result.shares, strict=True))
    drawing = Drawing(
        width, height, title=name if title is None else title, description=f"Significant p values: {said}.", ink=INK
    )
    panel = Panel((64.0, 24.0 if title is None else 48.0, width - 24, height - 96), (0.005, 0.055), (0.0, 106.0))
    heading(drawing, title, panel.left, panel.right)
    panel.curve(drawing, [(BINS[0], 20.0), (BINS[-1], 20.0)], stroke=ALARM, dash="3 4", width=1.6)
    expected = [(p, 100.0 * share) for p, share in zip(BINS, result.expected, strict=True)]
    panel.curve(drawing, expected, stroke=QUIET, dash="7 4", width=1.6)
    seen = [(p, 100.0 * share) for p, share in zip(BINS, result.shares, strict=True)]
    panel.curve(drawing, seen, stroke=MARK, width=2.4)
    for p, share in seen:
        x, y = panel.at(p, share)
        drawing.circle(x, y, 4.0, fill=MARK, full=f"{percent(share)} of the p values lie up to {p:g}")
        drawing.text(x + 7, y - 8, percent(share), size=11.5)
    panel.across = replace(panel.across, ticks=BINS)
    panel.frame(drawing, "p value (up to)", "Share of significant p values, %")
    x, base = panel.left, panel.bottom + 66
    rows: list[tuple[str, str | None, str]] = [
        (MARK, None, f"observed ({result.significant})"),
        (QUIET, "7 4", "power of 33%"),
        (ALARM, "3 4", "no effect"),
    ]
    for colour, dash, words in rows:
        drawing.line(x, base - 4, x + 26, base - 4, stroke=colour, dash=dash, width=2.0)
        drawing.text(x + 32, base, words, size=11.5)
        x += 32 + text_width(words, 11.5) + 22
    return finished(drawing, path)
