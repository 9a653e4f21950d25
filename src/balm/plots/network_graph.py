"""Network graph: treatments on a circle, a line for each direct comparison as thick as its number of studies."""

from __future__ import annotations

import os
from math import cos, pi, sin, sqrt

import numpy as np

from balm.plots.figure import Figure
from balm.plots.forest_words import studies as studies_counted
from balm.plots.panel import INK, MARK, QUIET, finished, heading
from balm.plots.svg import Drawing
from balm.plots.text_width import fit as fitted
from balm.plots.text_width import text_width
from balm.stats.network.network import Network

#: The thickest line and the largest circle, in pixels.
THICK, LARGE = 9.0, 16.0
#: Up to so many lines there is room for their numbers; more of them are drawn thinner.
NUMBERED = 40
SIZE = 12.0


def network_graph(
    result: Network,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
    width: float = 680.0,
    height: float = 560.0,
) -> Figure:
    """Draw the graph of a network; the number on a line and the area of a circle count studies.

    >>> from balm.stats.network.network import network
    >>> fit = network(study=["1", "2"], treatment_1=["A", "B"], treatment_2=["B", "C"], effect=[1, 1], se=[1, 1])
    >>> network_graph(fit).title
    'Network of 3 treatments in 2 studies'
    """
    names, rows = result.treatments, result.contrasts
    n = len(names)
    counts = np.zeros((n, n), dtype=int)
    np.add.at(counts, (np.minimum(rows.first, rows.second), np.maximum(rows.first, rows.second)), 1)
    held = {
        (s, t) for ends in (rows.first, rows.second) for s, t in zip(rows.study.tolist(), ends.tolist(), strict=True)
    }
    studies = np.bincount([t for _, t in held], minlength=n)
    edges = [(i, j, int(counts[i, j])) for i in range(n) for j in range(i + 1, n) if counts[i, j]]
    most, largest = max(c for _, _, c in edges), int(studies.max())
    said = "; ".join(f"{names[i]} and {names[j]} ({c})" for i, j, c in sorted(edges, key=lambda e: -e[2])[:12])
    drawing = Drawing(
        width,
        height,
        title=f"Network of {n} treatments in {result.k} studies" if title is None else title,
        description=f"{len(edges)} direct comparisons between {n} treatments, with numbers of studies: {said}"
        + ("; and others." if len(edges) > 12 else "."),
        ink=INK,
    )
    top = 24.0 if title is None else 48.0
    heading(drawing, title, 20.0, width - 20.0)
    room = min(max(text_width(name, SIZE) for name in names), 0.26 * width)
    across, up = width / 2 - room - LARGE - 22.0, (height - top - 24.0) / 2 - LARGE - 22.0
    centre_x, centre_y = width / 2, top + (height - top - 24.0) / 2
    at = [(centre_x + across * sin(2 * pi * i / n), centre_y - up * cos(2 * pi * i / n)) for i in range(n)]
    for i, j, c in edges:
        tip = max(1.0, (THICK if len(edges) <= NUMBERED else 0.4 * THICK) * c / most)
        drawing.line(*at[i], *at[j], stroke="#9fb4c1", width=tip)
    if len(edges) <= NUMBERED:
        for i, j, c in edges:
            # a third of the way, so that numbers of lines that cross in the middle stay apart
            px, y = (at[i][axis] + (at[j][axis] - at[i][axis]) * 0.36 for axis in (0, 1))
            w = text_width(str(c), 11) + 5
            drawing.rect(px - w / 2, y - 7, w, 14, fill="#fff")
            drawing.text(px, y + 4, str(c), anchor="middle", size=11, fill=QUIET)
    for i, name in enumerate(names):
        x, y = at[i]
        radius = max(4.0, LARGE * sqrt(int(studies[i]) / largest))
        drawing.circle(x, y, radius, fill=MARK, stroke="#fff", full=f"{name}: {studies_counted(int(studies[i]))}")
        side = sin(2 * pi * i / n)
        short = fitted(name, room, SIZE)
        full = name if short != name else None
        if abs(side) < 0.15:
            above = y < centre_y
            drawing.text(x, y - radius - 7 if above else y + radius + 16, short, anchor="middle", size=SIZE, full=full)
        else:
            anchor = "start" if side > 0 else "end"
            drawing.text(x + (radius + 7) * (1 if side > 0 else -1), y + 4, short, anchor=anchor, size=SIZE, full=full)
    return finished(drawing, path)
