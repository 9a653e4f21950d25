"""Flow of participants as STROBE asks for it: boxes down the middle, who left to the right, with reasons."""

from __future__ import annotations

import os
from collections.abc import Sequence

from balm.plots.figure import Figure
from balm.plots.panel import INK, QUIET, finished
from balm.plots.svg import Drawing
from balm.plots.text_width import fit, wrap
from balm.vocabulary.problems import InputError

BOX, GAP, PAD, LEADING, SIZE = 290.0, 46.0, 10.0, 17.0, 12.5
EDGE = "#55606d"


def participant_flow_figure(
    steps: Sequence[tuple[str, str, Sequence[str]]],
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
) -> Figure:
    """Draw steps of (name, count, lines of who left before the next step).

    >>> participant_flow_figure([("Treated", "74", ["29 not analysed"]), ("Analysed", "45", [])]).title
    'Flow of participants'
    """
    if not steps:
        raise InputError("there is nothing to draw: no steps")
    left, right = 20.0, 20.0 + BOX + GAP
    top = 20.0 if title is None else 48.0
    width = right + BOX + 20.0
    placed = []
    y = top
    for name, count, away in steps:
        lines = [part for line in away for part in wrap(line, BOX - 2 * PAD, SIZE, lines=3)]
        high = 2 * PAD + LEADING
        placed.append((name, count, lines, y, high))
        y += high + max(26.0, len(lines) * LEADING + 2 * PAD + 14.0 if lines else 26.0)
    height = placed[-1][3] + placed[-1][4] + (
        20.0 if not placed[-1][2] else len(placed[-1][2]) * LEADING + 2 * PAD + 34.0
    )  # fmt: skip
    said = "; ".join(f"{name}: {count}" + (f" ({', '.join(away)})" if away else "") for name, count, away in steps)
    drawing = Drawing(width, height, title=title or "Flow of participants", description=said + ".", ink=INK)
    if title is not None:
        drawing.text(left, 26, fit(title, width - 40, 15, bold=True), bold=True, size=15)
    for i, (name, count, lines, y, high) in enumerate(placed):
        drawing.rect(left, y, BOX, high, stroke=EDGE, radius=2)
        drawing.text(left + PAD, y + PAD + 12, name, size=SIZE, bold=True)
        drawing.text(left + BOX - PAD, y + PAD + 12, count, anchor="end", size=SIZE, bold=True)
        middle = left + BOX / 2
        if i + 1 < len(placed):
            end = placed[i + 1][3]
            drawing.line(middle, y + high, middle, end - 5, stroke=EDGE)
            drawing.polygon([(middle, end), (middle - 4, end - 7), (middle + 4, end - 7)], fill=EDGE)
        if lines:
            box_top = y + high + 6
            box_high = len(lines) * LEADING + 2 * PAD
            drawing.rect(right, box_top, BOX, box_high, stroke=QUIET, radius=2)
            at = box_top + box_high / 2
            drawing.line(middle, at, right - 5, at, stroke=EDGE)
            drawing.polygon([(right, at), (right - 7, at - 4), (right - 7, at + 4)], fill=EDGE)
            for k, line in enumerate(lines):
                drawing.text(right + PAD, box_top + PAD + 12 + k * LEADING, line, size=SIZE)
    return finished(drawing, path)
