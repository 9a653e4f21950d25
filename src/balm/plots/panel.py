"""One pair of axes: a frame with ticks and titles, lines cut at its edges, names that do not run into each other."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise
from math import exp, isfinite, log, sqrt

from balm.plots.axis import Axis, linear_axis, log_axis, round_log_ticks
from balm.plots.figure import Figure
from balm.plots.svg import Drawing
from balm.plots.text_width import fit, text_width, widest
from balm.stats.effect_sizes import EffectSizes
from balm.stats.measures import MEASURES

INK, QUIET, MARK, ALARM = "#1b232d", "#55606d", "#17577a", "#b3392b"
BAND, PALE, GRID = "#dbe6ec", "#eef3f6", "#e3e8ec"
#: With more studies than this, names run into each other; every point still carries its name as a tooltip.
MAX_LABELS = 20

Point = tuple[float, float]
Box = tuple[float, float, float, float]


class Panel:
    """Pixels ``left, top, right, bottom`` with an axis across and an axis up."""

    def __init__(self, box: Box, x: tuple[float, float], y: tuple[float, float], *, log_x: bool = False) -> None:
        self.left, self.top, self.right, self.bottom = box
        self.up: Axis = linear_axis(y[0], y[1], start=self.bottom, end=self.top)
        # Numbers of many digits push the frame to the right, so that the title stays beside them.
        self.left = max(self.left, 34.0 + widest([self.up.label(t) for t in self.up.ticks], 12))
        axis = log_axis if log_x else linear_axis
        self.across: Axis = axis(x[0], x[1], start=self.left, end=self.right)
        self._taken: list[Box] = []
        self._lines: list[list[Point]] = []

    def at(self, x: float, y: float) -> Point:
        """The pixel of a value; what lies outside falls on the edge."""
        return self.across.position(x), self.up.position(y)

    def runs(self, points: Sequence[Point]) -> list[list[Point]]:
        """A curve through values, as pixels, cut where it leaves the frame at the top or bottom."""
        found: list[list[Point]] = []
        run: list[Point] = []
        before: Point | None = None
        for x, y in points:
            if not (isfinite(x) and isfinite(y) and self.across.holds(x)):
                before = None
                found, run = ([*found, run] if len(run) > 1 else found), []
                continue
            if before is not None and self.up.holds(before[1]) != self.up.holds(y):
                edge = self.up.low if min(y, before[1]) < self.up.low else self.up.high
                share = (edge - before[1]) / (y - before[1])
                run.append(self.at(before[0] + share * (x - before[0]), edge))
            if self.up.holds(y):
                run.append(self.at(x, y))
            elif len(run) > 1:
                found, run = [*found, run], []
            else:
                run = []
            before = (x, y)
        return [*found, run] if len(run) > 1 else found

    def curve(self, drawing: Drawing, points: Sequence[Point], **style: object) -> None:
        """Draw a curve within the frame; names keep off it where they can."""
        for run in self.runs(points):
            self._lines.append(run)
            drawing.polyline(run, **style)  # type: ignore[arg-type]

    def band(self, drawing: Drawing, low: Sequence[Point], high: Sequence[Point], fill: str) -> None:
        """Fill between two curves with the same x values; edges outside the frame follow the frame."""
        if low:
            drawing.polygon([self.at(*p) for p in low] + [self.at(*p) for p in reversed(high)], fill=fill)

    def frame(
        self, drawing: Drawing, x_title: str, y_title: str, *, y_ticks: Sequence[tuple[float, str]] | None = None
    ) -> None:
        """The two axes with ticks and titles; ``y_ticks`` are values with their text, by default round numbers."""
        if y_ticks is None:
            y_ticks = [(tick, self.up.label(tick)) for tick in self.up.ticks]
        drawing.line(self.left, self.bottom, self.right, self.bottom, stroke=INK)
        drawing.line(self.left, self.top, self.left, self.bottom, stroke=INK)
        room = self.left
        for tick in self.across.ticks:
            x = self.across.position(tick)
            drawing.line(x, self.bottom, x, self.bottom + 5, stroke=INK)
            drawing.text(x, self.bottom + 18, self.across.label(tick), anchor="middle", size=12)
        for tick, text in y_ticks:
            y = self.up.position(tick)
            drawing.line(self.left - 5, y, self.left, y, stroke=INK)
            drawing.text(self.left - 9, y + 4, text, anchor="end", size=12)
            room = min(room, self.left - 9 - text_width(text, 12))
        width = self.right - self.left
        drawing.text((self.left + self.right) / 2, self.bottom + 37, fit(x_title, width, 12), anchor="middle", size=12)
        height = self.bottom - self.top
        drawing.text(
            room - 10, (self.top + self.bottom) / 2, fit(y_title, height, 12), anchor="middle", size=12, rotate=-90
        )

    def take(self, x: float, y: float, radius: float) -> None:
        """Keep names off a mark at pixel (x, y)."""
        self._taken.append((x - radius, y - radius, x + radius, y + radius))

    def name(self, drawing: Drawing, text: str, x: float, y: float, radius: float = 5.0, *, fill: str = INK) -> bool:
        """Write ``text`` in the first free place around pixel (x, y); leave it out when there is none."""
        short = fit(text, 170, 11)
        w = text_width(short, 11)
        d = radius + 3.0
        places = [(d, 4), (-d - w, 4), (d, -6), (-d - w, -6), (d, 14), (-d - w, 14), (-w / 2, -d - 1), (-w / 2, d + 10)]
        free = []
        for dx, dy in places:
            spot = (x + dx, y + dy - 9, x + dx + w, y + dy + 3)
            inside = (
                spot[0] > self.left + 2
                and spot[2] < self.right - 2
                and spot[1] > self.top - 8
                and spot[3] < self.bottom - 1
            )
            if inside and not any(_overlap(spot, other) for other in self._taken):
                free.append(spot)
        if not free:
            return False
        spot = min(free, key=lambda s: sum(_crosses(s, line) for line in self._lines))
        drawing.text(spot[0], spot[3] - 3, short, size=11, fill=fill, full=text if short != text else None)
        self._taken.append(spot)
        return True


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _crosses(box: Box, line: Sequence[Point]) -> bool:
    """Whether a line passes through a box: some piece of it, sampled closer than the box is high, lies inside."""
    for (x1, y1), (x2, y2) in pairwise(line):
        if max(x1, x2) < box[0] or min(x1, x2) > box[2] or max(y1, y2) < box[1] or min(y1, y2) > box[3]:
            continue
        steps = int(max(abs(x2 - x1), abs(y2 - y1)) / 6.0) + 1
        for i in range(steps + 1):
            x, y = x1 + (x2 - x1) * i / steps, y1 + (y2 - y1) * i / steps
            if box[0] < x < box[2] and box[1] < y < box[3]:
                return True
    return False


def ratio_ticks(up: Axis) -> list[tuple[float, str]]:
    """Ticks of a linear axis of logarithms: round ratios at their logarithm."""
    return [(log(t), up.label(t)) for t in round_log_ticks(exp(up.low), exp(up.high))]


def padded(values: Sequence[float], share: float = 0.06, *, include: Sequence[float] = ()) -> tuple[float, float]:
    """The range of finite values with room on either side.

    >>> padded([1.0, 3.0], 0.5, include=[0.0])
    (-1.5, 4.5)
    """
    known = [v for v in (*values, *include) if isfinite(v)] or [0.0, 1.0]
    low, high = min(known), max(known)
    room = share * (high - low) or 0.5 * abs(high) or 0.5
    return low - room, high + room


def effect_axis(effects: EffectSizes) -> tuple[str, bool, float | None]:
    """The effect's name, whether it is shown as a ratio (on a log axis), and the value of no effect there."""
    measure = MEASURES.get(effects.measure)
    name = "Effect" if measure is None or effects.measure == "GEN" else measure.name
    scale = measure.scale if measure else None
    return name, bool(scale and scale.ratio), 0.0 if scale is None else scale.null


def shown(value: float, ratio: bool) -> float:
    """An effect on the analysis scale as its axis shows it."""
    return exp(value) if ratio and value < 700.0 else value


def radius_of(weight: float, largest: float, most: float = 13.0) -> float:
    """A circle whose area goes with the weight.

    >>> radius_of(25.0, 100.0, 12.0)
    6.0
    """
    return max(2.0, most * sqrt(weight / largest)) if largest > 0.0 else 4.0


def heading(drawing: Drawing, title: str | None, left: float, right: float) -> None:
    """The title above the frame, cut to its width."""
    if title is not None:
        drawing.text(left, 24, fit(title, right - left, 15, bold=True), bold=True, size=15)


def finished(drawing: Drawing, path: str | os.PathLike[str] | None) -> Figure:
    """The figure, written to ``path`` when one is given."""
    figure = drawing.figure()
    if path is not None:
        figure.save(path)
    return figure
