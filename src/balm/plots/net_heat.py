"""Net heat plot: where a network disagrees with itself, and which designs explain it.

A square in a column is as large as the share of the row's network estimate that flows through the column's design. Its
ground is warm where the row disagrees less once the column is detached (the column explains it), cool where it
disagrees more (the column holds it up); the diagonal shows what each design adds to Q between designs. Krahn, Binder &
Koenig (2013) BMC Med Res Methodol 13:35.
"""

from __future__ import annotations

import os

from balm.plots.figure import Figure
from balm.plots.panel import INK, QUIET, finished, heading
from balm.plots.svg import Drawing
from balm.plots.text_width import fit as fitted
from balm.plots.text_width import text_width
from balm.stats.network.net_heat import NetHeat
from balm.stats.network.network import Network
from balm.vocabulary.numbers import fixed

#: A change this large has the full colour (the paper's limit). Where none is, the largest has it, but none below the
#: 95 % point of chi-squared with one degree of freedom: chance alone must not glow.
FULL, NOTABLE = 8.0, 3.84
#: Warm for a disagreement that goes, cool for one that comes (both read without red and green; Okabe & Ito 2008).
WARM, COOL, NONE = (213, 94, 0), (0, 114, 178), (255, 255, 255)
#: Squares leave the ground visible where all the evidence flows through one design.
SQUARE, LARGEST = "#7d868e", 0.7
SIZE = 12.0
BELOW = "Columns: the design that is detached"
#: Room for a name, as a share of the width.
NAME = 0.3
#: The narrowest column with a slanted name above it, and with a number.
SLANTED, LEAST = 24.0, 17.0


def net_heat(
    result: Network | NetHeat,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
    width: float = 720.0,
) -> Figure:
    """Draw the net heat plot of a network (or of its :meth:`net_heat`, which takes options).

    >>> from balm.stats.network.network import network
    >>> fit = network(study=["1", "2", "3"], treatment_1=["A", "A", "B"], treatment_2=["B", "C", "C"],
    ...               effect=[1.0, 2.0, 3.0], se=[1.0, 1.0, 1.0])
    >>> net_heat(fit).title
    'Net heat plot of 3 designs'
    """
    heat = result.net_heat() if isinstance(result, Network) else result
    d, change = len(heat.designs), heat.change
    names = [f"{name} ({k})" for name, k in zip(heat.designs, heat.studies, strict=True)]
    room = min(max(text_width(name, SIZE) for name in names), NAME * width)
    numbered = width - room - 180.0 < SLANTED * d  # columns too narrow for names: the rows say what each number is
    if numbered:
        names = [f"{name}  {i + 1}" for i, name in enumerate(names)]
        room = min(max(text_width(name, SIZE) for name in names), NAME * width)
    width = max(width, room + 180.0 + LEAST * d)
    left, top = room + 30.0, (20.0 if title is None else 48.0) + (12.0 if numbered else room * 0.72 + 26.0)
    cell = min(46.0, (width - left - 150.0) / d)
    right, bottom = left + d * cell, top + d * cell
    height = max(bottom + 40.0, top + 250.0)
    most = float(abs(change).max())
    limit = min(FULL, max(most, NOTABLE))
    worst = max(range(d), key=lambda i: float(heat.q[i]))
    drawing = Drawing(
        width,
        height,
        title=f"Net heat plot of {d} designs" if title is None else title,
        description=f"Q between designs {fixed(heat.total)}, of which {heat.designs[worst]} adds most "
        f"({fixed(float(heat.q[worst]))}). Detaching takes from the others: "
        + "; ".join(
            f"{name} {fixed(float(change[:, i].sum() - change[i, i]))}" for i, name in enumerate(heat.designs[:12])
        )
        + ".",
        ink=INK,
    )
    heading(drawing, title, 20.0, width - 20.0)
    for i, name in enumerate(names):
        number = f"  {i + 1}" if numbered else ""
        short = fitted(name.removesuffix(number), room - text_width(number, SIZE), SIZE) + number
        full = name if short != name else None
        x, y = left + (i + 0.5) * cell, top + (i + 0.5) * cell
        drawing.text(left - 10, y + 4, short, anchor="end", size=SIZE, full=full)
        if numbered:
            drawing.text(x, top - 6, number.strip(), anchor="middle", size=10, full=name)
        else:
            drawing.text(x + 4, top - 9, short, size=SIZE, rotate=-46, full=full)
    for i, row in enumerate(names):
        for j, column in enumerate(names):
            x, y = left + j * cell, top + i * cell
            value, share = float(change[i, j]), float(heat.evidence[i, j])
            said = (
                f"{row}: adds {fixed(value)} to Q between designs"
                if i == j
                else f"{row}, with {column} detached: {fixed(value)} less disagreement; {100 * share:.0f}% flows there"
            )
            drawing.rect(x, y, cell, cell, fill=_colour(value, limit), stroke="#fff", full=said)
            side = LARGEST * cell * min(share, 1.0) ** 0.5
            if side > 0.8:
                drawing.rect(x + (cell - side) / 2, y + (cell - side) / 2, side, side, fill=SQUARE, full=said)
    drawing.rect(left, top, right - left, bottom - top, stroke=QUIET)
    drawing.text(left, bottom + 20, BELOW, size=SIZE, fill=QUIET)
    _legend(
        drawing, max(right, left + text_width(BELOW, SIZE) if d < 6 else 0.0) + 26.0, top, limit, capped=most > FULL
    )
    return finished(drawing, path)


def _colour(value: float, full: float) -> str:
    share = min(abs(value) / full, 1.0) if full > 0.0 else 0.0
    end = WARM if value > 0.0 else COOL
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(NONE, end, strict=True))


def _legend(drawing: Drawing, x: float, y: float, full: float, *, capped: bool) -> None:
    """The colours with their numbers, and the squares."""
    drawing.text(x, y + 4, "Change of Q", size=SIZE)
    steps, tall = 40, 110.0
    for s in range(steps):
        drawing.rect(
            x, y + 14 + tall * s / steps, 16, tall / steps + 0.6, fill=_colour(full * (1 - (s + 0.5) * 2 / steps), full)
        )
    drawing.rect(x, y + 14, 16, tall, stroke=QUIET)
    sign = "≥ " if capped else ""
    for at, text in ((0.0, f"{sign}{fixed(full)}"), (0.5, "0"), (1.0, f"{'≤ ' if capped else ''}−{fixed(full)}")):
        drawing.text(x + 23, y + 18 + tall * at, text, size=SIZE)
    drawing.text(x, y + 152, "Evidence", size=SIZE)
    for n, share in enumerate((1.0, 0.5, 0.1)):
        side = LARGEST * 32.0 * share**0.5
        drawing.rect(x + (24 - side) / 2, y + 162 + 28 * n + (24 - side) / 2, side, side, fill=SQUARE)
        drawing.text(x + 32, y + 178 + 28 * n, f"{100 * share:.0f}%", size=SIZE)
