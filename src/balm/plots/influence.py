"""Influence panels: one row a study, one column a diagnostic, with the cut-offs drawn.

Viechtbauer & Cheung (2010) Res Synth Methods 1:112-125.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from balm.plots.axis import linear_axis
from balm.plots.figure import Figure
from balm.plots.panel import ALARM, GRID, INK, MARK, PALE, QUIET, finished, heading, padded
from balm.plots.svg import Drawing
from balm.plots.text_width import fit, text_width, widest
from balm.stats.diagnostics.influence import Influence
from balm.stats.diagnostics.influence import influence as diagnostics
from balm.vocabulary.numbers import fixed

ROW, COLUMN, GAP = 18.0, 100.0, 18.0
MOST_NAME = 190.0


@dataclass(frozen=True)
class _Column:
    title: str
    values: Sequence[float]
    cuts: tuple[float, ...]  # dashed: beyond them a study stands out
    middle: float | None  # the value with all studies, or of no change


def influence(
    result: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
) -> Figure:
    """Draw all influence diagnostics of a fit (or of :func:`balm.influence`'s values); write it to ``path`` when given.

    A row a study, influential ones in red; a column a diagnostic, its value of "no change" as a line and its cut-offs
    dashed (for residuals +-1.96). tau2 and Q are those without the study, the line theirs with all studies.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.pooling.pool import pool
    >>> influence(pool(EffectSizes(effect=[0.1, 0.3, 0.8], variance=[0.04, 0.04, 0.04]))).title
    'Influence of 3 studies'
    """
    found = result if isinstance(result, Influence) else diagnostics(result)
    k = len(found)
    columns = _columns(found)
    names = [fit(n, MOST_NAME, 12) for n in found.study]
    left = 16.0 + max(widest(names, 12), text_width("Study", 12, bold=True)) + 16.0
    width = left + len(columns) * (COLUMN + GAP) + 4.0
    top = 46.0 if title is None else 72.0
    bottom = top + k * ROW + 6.0
    flags = found.influential.tolist()
    flagged = [n for n, flag in zip(found.study, flags, strict=True) if flag]
    drawing = Drawing(
        width,
        bottom + 62.0,
        title=f"Influence of {k} {'study' if k == 1 else 'studies'}" if title is None else title,
        description=f"Case deletion diagnostics of {k} {'study' if k == 1 else 'studies'}: "
        f"{', '.join(c.title for c in columns)}. Influential: {', '.join(flagged) or 'none'}.",
        ink=INK,
    )
    heading(drawing, title, 16.0, width - 16.0)
    drawing.text(16.0, top - 12, "Study", bold=True, size=12)
    for i in range(0, k, 2):
        drawing.rect(8.0, top + 3 + i * ROW, width - 16.0, ROW, fill=PALE)
    for i, (short, full, flag) in enumerate(zip(names, found.study, flags, strict=True)):
        y = top + 3 + (i + 0.5) * ROW + 4
        drawing.text(16.0, y, short, size=12, fill=ALARM if flag else None, full=full if short != full else None)
    for j, column in enumerate(columns):
        _draw(drawing, column, left + j * (COLUMN + GAP), top, bottom, found.study, flags)
    note = "Red: influential by DFFITS, Cook's distance, hat value or DFBETAS (Viechtbauer & Cheung 2010)."
    drawing.text(16.0, bottom + 46, fit(note, width - 32, 11.5), size=11.5, fill=QUIET)
    return finished(drawing, path)


def _columns(found: Influence) -> list[_Column]:
    cut = found.cutoffs
    k = len(found)
    columns = [
        _Column("Deleted residual", found.studentised_residual.tolist(), (-1.96, 1.96), 0.0),
        _Column("DFFITS", found.dffits.tolist(), (-cut["dffits"], cut["dffits"]), 0.0),
        _Column("Cook's distance", found.cooks_distance.tolist(), (cut["cooks_distance"],), 0.0),
        _Column("Covariance ratio", found.covariance_ratio.tolist(), (), 1.0),
        _Column("τ² without", found.tau2_deleted.tolist(), (), found.tau2),
        _Column("Q without", found.qe_deleted.tolist(), (), found.qe),
        _Column("Hat value", found.hat.tolist(), (cut["hat"],), len(found.names) / k),
    ]
    if len(found.names) == 1:
        return [*columns, _Column("Weight (%)", found.weight.tolist(), (), 100.0 / k)]
    for j, name in enumerate(found.names):
        columns.append(_Column(f"DFBETAS {name}", found.dfbetas[:, j].tolist(), (-1.0, 1.0), 0.0))
    return columns


def _draw(
    drawing: Drawing, column: _Column, left: float, top: float, bottom: float, study: Sequence[str], flags: list[bool]
) -> None:
    known = [v for v in column.values if isfinite(v)]
    middle = () if column.middle is None or not isfinite(column.middle) else (column.middle,)
    reach = max((abs(v) for v in known), default=1.0)
    # A cut-off far beyond all values would squeeze them together: it is then left out of the picture.
    cuts = [c for c in column.cuts if isfinite(c) and abs(c) <= 2.5 * reach]
    low, high = padded(known, 0.08, include=[*middle, *cuts])
    axis = linear_axis(low, high, start=left, end=left + COLUMN, count=3)
    title = fit(column.title, COLUMN + GAP - 6, 12, bold=True)
    drawing.text(
        left + COLUMN / 2, top - 12, title, anchor="middle", bold=True, size=12,
        full=column.title if title != column.title else None,
    )  # fmt: skip
    drawing.line(left, bottom, left + COLUMN, bottom, stroke=INK)
    last = -1e9
    for tick in axis.ticks:
        x, text = axis.position(tick), axis.label(tick)
        drawing.line(x, bottom, x, bottom + 4, stroke=INK)
        half = text_width(text, 11) / 2
        if x - half > last + 5 and left - GAP / 2 + 1 < x - half and x + half < left + COLUMN + GAP / 2 - 1:
            drawing.text(x, bottom + 16, text, anchor="middle", size=11)
            last = x + half
    for value in middle:
        drawing.line(axis.position(value), top, axis.position(value), bottom, stroke=GRID, width=2)
    for cut in cuts:
        drawing.line(axis.position(cut), top, axis.position(cut), bottom, stroke=QUIET, dash="3 3", width=0.9)
    origin = axis.position(middle[0]) if middle else left
    for i, (name, value, flag) in enumerate(zip(study, column.values, flags, strict=True)):
        if isfinite(value):
            x, y, colour = axis.position(value), top + 3 + (i + 0.5) * ROW, ALARM if flag else MARK
            drawing.line(origin, y, x, y, stroke=colour, width=1.2)
            drawing.circle(x, y, 3.6, fill=colour, full=f"{name}: {column.title} {fixed(value, 3)}")
