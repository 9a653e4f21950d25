"""One characteristic of the studies by direct comparison: every study a point, a box from quartile to quartile.

The boxes tell where studies of different comparisons differ in what may change an effect (Salanti (2012) Res Synth
Methods 3:80). A box is drawn from five studies on; below that the points say more.
"""

from __future__ import annotations

import os

import numpy as np

from balm.plots.axis import linear_axis
from balm.plots.figure import Figure
from balm.plots.panel import BAND, GRID, INK, MARK, QUIET, finished, heading, padded
from balm.plots.svg import Drawing
from balm.plots.text_width import fit as fitted
from balm.plots.text_width import text_width
from balm.stats.network.transitivity import Transitivity
from balm.vocabulary.problems import InputError, check_option

SIZE, STEP = 12.0, 30.0
#: Fewer studies than this are points alone.
BOX_FROM = 5


def transitivity_plot(
    result: Transitivity,
    path: str | os.PathLike[str] | None = None,
    *,
    characteristic: str | None = None,
    title: str | None = None,
    width: float = 700.0,
) -> Figure:
    """Draw one characteristic (the first that is a number by default) across the direct comparisons.

    >>> from balm.stats.network.contrasts import assembled
    >>> from balm.stats.network.transitivity import transitivity
    >>> two = assembled(["1", "2"], ["A", "B"], ["B", "C"], [1.0, 3.0], [1.0] * 2)
    >>> transitivity_plot(transitivity(two, {"age": [40, 50]}, ["1", "2"])).title
    'age by direct comparison'
    """
    numeric = [c for c in result.characteristics if all(np.isfinite(s.median) for s in result.of(c) if s.known)]
    if characteristic is not None:
        check_option("characteristic", characteristic, result.characteristics)
    if not numeric or (characteristic is not None and characteristic not in numeric):
        raise InputError(f"a plot needs a characteristic in numbers; there are {', '.join(numeric) or 'none'}")
    name = numeric[0] if characteristic is None else characteristic
    spreads = result.of(name)
    values = [float(value) for one in spreads for _, value in one.known]
    labels = [f"{one.comparison} ({one.studies})" for one in spreads]
    room = min(max(text_width(label, SIZE) for label in labels), 0.45 * width)
    left, right, top = room + 34.0, width - 24.0, 24.0 if title is None else 48.0
    bottom = top + STEP * len(spreads)
    axis = linear_axis(*padded(values, 0.04), start=left, end=right)
    drawing = Drawing(
        width,
        bottom + 52.0,
        title=f"{name} by direct comparison" if title is None else title,
        description=f"{name} of the studies of {len(spreads)} direct comparisons: "
        + "; ".join(f"{one.comparison} {one.text}" for one in spreads[:12])
        + ("; and others." if len(spreads) > 12 else "."),
        ink=INK,
    )
    heading(drawing, title, 20.0, width - 20.0)
    for tick in axis.ticks:
        x = axis.position(tick)
        drawing.line(x, top, x, bottom, stroke=GRID)
        drawing.line(x, bottom, x, bottom + 5, stroke=INK)
        drawing.text(x, bottom + 18, axis.label(tick), anchor="middle", size=SIZE)
    drawing.line(left, bottom, right, bottom, stroke=INK)
    drawing.text((left + right) / 2, bottom + 40, fitted(name, right - left, SIZE), anchor="middle", size=SIZE)
    for row, (one, label) in enumerate(zip(spreads, labels, strict=True)):
        y = top + (row + 0.5) * STEP
        short = fitted(label, room, SIZE)
        drawing.text(left - 12, y + 4, short, anchor="end", size=SIZE, full=label if short != label else None)
        own = [float(value) for _, value in one.known]
        if not own:
            drawing.text(left + 8, y + 4, "not reported", size=SIZE, fill=QUIET)
            continue
        if len(own) >= BOX_FROM:
            low, middle, high = (axis.position(q) for q in np.quantile(own, [0.25, 0.5, 0.75]).tolist())
            drawing.rect(low, y - 9, max(high - low, 1.0), 18, fill=BAND)
            drawing.line(middle, y - 9, middle, y + 9, stroke=INK, width=2.0)
        taken: list[float] = []
        for (study, value), x in sorted(zip(one.known, map(axis.position, own), strict=True), key=lambda p: p[1]):
            # like values stand above and below each other, so that every study is seen
            before = sum(abs(x - other) < 6.0 for other in taken)
            taken.append(x)
            aside = (before + 1) // 2 * min(6.4, 0.8 * STEP / len(own)) * (-1) ** before
            drawing.circle(x, y + aside, 3.6, fill=MARK, stroke="#fff", full=f"{study}: {value:g}")
    return finished(drawing, path)
