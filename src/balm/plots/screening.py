"""Included records found against records screened, with what the stopping test allows to be still missing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from balm.plots.figure import Figure
from balm.plots.panel import BAND, INK, MARK, QUIET, Panel, finished, heading
from balm.plots.svg import Drawing
from balm.plots.text_width import text_width
from balm.review.screening.stopping import StoppingTest
from balm.vocabulary.problems import InputError

#: A curve of more points than this looks the same and weighs more.
MOST_POINTS = 2000


def recall_curve(
    found: Iterable[Any],
    *,
    n: int | None = None,
    tests: Sequence[StoppingTest] = (),
    path: str | os.PathLike[str] | None = None,
    title: str | None = None,
    width: float = 620.0,
    height: float = 440.0,
) -> Figure:
    """Draw how many included records were found after each record screened.

    ``found``: whether each screened record is included, in the order of screening; ``n``: all records (default: those
    screened). ``tests`` from :func:`balm.review.screening.stopping.stopping_history` add the band up to the largest
    number of included records that the test does not rule out: found divided by the lower bound of recall.

    >>> recall_curve([True, False, True, False], n=10).title
    'Included records found against records screened'
    """
    labels = [bool(x) for x in found]
    total = len(labels) if n is None else n
    if not labels:
        raise InputError("there is nothing to draw: no record is screened yet")
    if total < len(labels):
        raise InputError(f"n must be the number of all records: {len(labels)} are screened, but n is {total}")
    sums = [0]
    for label in labels:
        sums.append(sums[-1] + label)
    step = max(1, len(labels) // MOST_POINTS)
    shown = sorted({*range(0, len(sums), step), len(labels)})
    curve = [(float(k), float(sums[k])) for k in shown]
    most = [(float(t.screened), t.included / t.recall_bound) for t in tests if t.recall_bound]
    # Early bounds rule out next to nothing and would flatten the curve; the axis shows up to twice what was found.
    top = max(1.0, float(sums[-1]) * (1.0 if not most else 1.6))
    low = [(x, float(sums[int(x)])) for x, _ in most]
    high = [(x, min(y, top)) for x, y in most]
    said = f"{sums[-1]:,} included records found among {len(labels):,} of {total:,} screened"
    last = tests[-1] if tests else None
    bound = f"; recall at least {int(last.recall_bound * 1000) / 10:.1f}%" if last and last.recall_bound else ""
    panel = Panel((60.0, 20.0 if title is None else 44.0, width - 24, height - 78), (0.0, float(total)), (0.0, top))
    drawing = Drawing(
        width,
        height,
        title="Included records found against records screened" if title is None else title,
        description=f"{said}{bound}.",
        ink=INK,
    )
    heading(drawing, title, panel.left, panel.right)
    if len(most) > 1:
        panel.band(drawing, low, high, BAND)
    whole = len(labels) == total  # before the end nobody knows where a random order would have led
    if whole:
        drawing.line(*panel.at(0.0, 0.0), *panel.at(float(total), float(sums[-1])), stroke=QUIET, dash="5 4")
    panel.curve(drawing, curve, stroke=MARK, width=2.0)
    panel.frame(drawing, "Records screened", "Included records found")
    base, x = panel.bottom + 62, panel.left
    if whole:
        drawing.line(x, base - 4, x + 24, base - 4, stroke=QUIET, dash="5 4")
        drawing.text(x + 30, base, "in random order", size=11.5)
        x += 30 + text_width("in random order", 11.5) + 22
    if len(most) > 1 and last is not None:
        drawing.rect(x, base - 10, 24, 12, fill=BAND)
        share = f"{(1 - last.alpha) * 100:g}%"
        drawing.text(x + 30, base, f"still possible with {share} confidence{bound}", size=11.5)
    return finished(drawing, path)
