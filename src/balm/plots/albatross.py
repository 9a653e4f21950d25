"""The albatross plot: studies by p value and size, with contours of chosen effects spread like wings.

Harrison S, Jones HE, Martin RM, Lewis SJ, Higgins JPT. Res Synth Methods 2017;8:281-9.
"""

from __future__ import annotations

import os
from dataclasses import replace
from math import log10, sqrt

from balm.plots.axis import linear_axis, round_log_ticks
from balm.plots.figure import Figure
from balm.plots.panel import GRID, INK, MARK, MAX_LABELS, QUIET, Panel, finished, heading
from balm.plots.svg import Drawing
from balm.plots.text_width import text_width
from balm.stats.albatross import MEASURES, RATIOS, Albatross, toward
from balm.vocabulary.numbers import plain
from balm.vocabulary.problems import InputError, check_option

DASHES = (None, "7 4", "2 3", "9 3 2 3")
#: p values that are marked as far as they lie apart, the first ones first.
MARKED = (1.0, 0.05, 0.001, *(10.0**-power for power in range(5, 300, 5)))
#: The frame reaches p = 0.001 at least, so that the wings are seen.
LEAST_REACH = 3.2


def albatross(
    result: Albatross,
    path: str | os.PathLike[str] | None = None,
    *,
    labels: str = "auto",
    title: str | None = None,
    width: float = 680.0,
    height: float = 500.0,
) -> Figure:
    """Draw a :func:`balm.albatross`: across p on a log scale folded at 1, negative effects to the left; up the size.

    The size has the scale of the paper, the square of its logarithm. Studies of one effect and the assumed design lie
    on one contour, whatever their size.

    labels : "auto" names up to 20 studies, "all", or "none".

    >>> from balm.stats.albatross import albatross as placed
    >>> albatross(placed(p=[0.04, 0.2], direction=[1, -1], n=[60, 150])).title
    'Albatross plot of 2 studies'
    """
    if not isinstance(result, Albatross):
        raise InputError(f"albatross draws a result of balm.albatross; got {type(result).__name__}")
    check_option("labels", labels, ["auto", "all", "none"])
    drawing = Drawing(
        width,
        height,
        title=f"Albatross plot of {result.k} {'study' if result.k == 1 else 'studies'}" if title is None else title,
        description=result.summary,
        ink=INK,
    )
    points = [
        (-sign * log10(p) + 0.0, log10(n) ** 2)
        for p, sign, n in zip(result.p.tolist(), result.direction.tolist(), result.n.tolist(), strict=True)
    ]
    low, high = float(result.n.min()) / 1.3, float(result.n.max()) * 1.3
    low = max(low, 1.0)
    reach = max(LEAST_REACH, 1.08 * max(abs(x) for x, _ in points))
    box = (64.0, 24.0 if title is None else 48.0, width - 24.0, height - 104.0)
    panel = Panel(box, (-reach, reach), (log10(low) ** 2, log10(high) ** 2))
    panel.up = linear_axis(log10(low) ** 2, log10(high) ** 2, start=panel.bottom, end=panel.top)
    heading(drawing, title, panel.left, panel.right)
    drawing.line(panel.across.position(0.0), panel.top, panel.across.position(0.0), panel.bottom, stroke=GRID)
    for contour, dash in zip(result.contours, DASHES, strict=False):
        for sign in (-1.0, 1.0):
            panel.curve(drawing, _wing(result, contour, sign, panel), stroke=QUIET, dash=dash, width=1.3)
    for study, point, p, n in zip(result.study, points, result.p.tolist(), result.n.tolist(), strict=True):
        panel.take(*panel.at(*point), 5.0)
        tooltip = f"{study}: p = {p:.3g}, {n:g} participants"
        drawing.circle(*panel.at(*point), 4.2, fill=MARK, stroke="#ffffff", stroke_width=1.0, full=tooltip)
    if labels == "all" or (labels == "auto" and result.k <= MAX_LABELS):
        for study, point in zip(result.study, points, strict=True):
            panel.name(drawing, study, *panel.at(*point))
    _axes(drawing, panel, reach, (low, high))
    _key(drawing, panel, result)
    return finished(drawing, path)


def _wing(result: Albatross, contour: float, sign: float, panel: Panel) -> list[tuple[float, float]]:
    """One side of a contour, from the bottom of the frame to its top."""
    effect = toward(result.measure, contour, sign)
    found = []
    for i in range(401):
        up = panel.up.low + (panel.up.high - panel.up.low) * i / 400
        p = result.p_at(effect, 10.0 ** sqrt(up))
        if p > 0.0:
            found.append((-sign * log10(p) + 0.0, up))
    return found


def _axes(drawing: Drawing, panel: Panel, reach: float, sizes: tuple[float, float]) -> None:
    """Both axes with their own marks: p on either side of 1, and round numbers of participants."""
    panel.across = replace(panel.across, ticks=())
    panel.frame(drawing, "", "Participants", y_ticks=[(log10(t) ** 2, plain(t, 8)) for t in round_log_ticks(*sizes)])
    taken: list[float] = []
    for p in MARKED:
        for sign in (-1.0, 1.0) if p < 1.0 else (1.0,):
            x = panel.across.position(-sign * log10(p) + 0.0)
            if -log10(p) > reach or any(abs(x - other) < 44.0 for other in taken):
                continue
            taken.append(x)
            drawing.line(x, panel.bottom, x, panel.bottom + 5, stroke=INK)
            text = plain(p, 8) if p > 0.5e-4 else f"{p:.0e}".replace("e-0", "e-").replace("-", "\u2212")
            drawing.text(x, panel.bottom + 18, text, anchor="middle", size=12)
    middle = 0.5 * (panel.left + panel.right)
    drawing.text(middle, panel.bottom + 38, "Two-sided p value", anchor="middle", size=12)
    drawing.text(panel.left, panel.bottom + 38, "negative effect", size=12)
    drawing.text(panel.right, panel.bottom + 38, "positive effect", anchor="end", size=12)


def _key(drawing: Drawing, panel: Panel, result: Albatross) -> None:
    """What the lines are, and the design they assume."""
    x, base = panel.left, panel.bottom + 66
    for contour, dash in zip(result.contours, DASHES, strict=False):
        text = f"{plain(contour, 4)}" if result.measure not in RATIOS else f"{plain(contour, 4)} and its inverse"
        drawing.line(x, base - 4, x + 26, base - 4, stroke=QUIET, dash=dash, width=1.6)
        drawing.text(x + 32, base, text, size=11.5)
        x += 32 + text_width(text, 11.5) + 20
    said = MEASURES[result.measure][0]
    if result.measure != "COR":
        said += f", groups {plain(result.ratio, 3)} : 1"
    if result.baseline_risk is not None:
        said += f", risk in group 2 {plain(100 * result.baseline_risk, 2)}%"
    drawing.text(panel.left, base + 22, said, size=11.5)
