"""Along which chances of selection the Copas model is read: a line across the contours of the adjusted mean.

Carpenter, Rücker & Schwarzer (2009, R Journal 1(2):31) lay a grid over ``(gamma0, gamma1)``. Contours of equal mean are
nearly parallel there, so that one line across them shows what selection does: it begins where nearly everything is
published, and the adjusted mean is read where it meets a contour. The corners of the grid and the weight of each
contour are those that the printed results of R's metasens rest on, found from its numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.selection.copas_likelihood import CopasLikelihood

#: Points a side of the grid.
POINTS = 20
#: Between the least and the most precise study the probit of the chance of selection rises by at most this.
MOST_RISE = 1.29
#: ``gamma0`` at the corner where nearly everything is published.
HIGHEST = 2.0
#: At the corner opposite, the probit of the chance of the least precise study (a chance of 40 %).
LOWEST = -0.25
#: Contours asked for, about.
CONTOURS = 10
#: A contour whose straight line explains less (adjusted R²) does not count for the direction.
STRAIGHT = 0.5

Point = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Surface:
    """The adjusted mean (n, n) over ``gamma0`` (rows) and ``gamma1`` (columns), its contours, and the line across.

    contours : (level, points) each.    path : (m, 2) gamma0 and gamma1 where the line meets a contour, from the corner.
    slope    : of the line, gamma1 per gamma0.
    """

    gamma0: Floats
    gamma1: Floats
    mean: Floats
    contours: tuple[tuple[float, tuple[Point, ...]], ...]
    slope: float
    path: tuple[Point, ...]


def surface(y: Floats, s: Floats) -> Surface:
    """Of turned effects ``y`` with standard errors ``s``."""
    steepest = MOST_RISE / float(1.0 / s.min() - 1.0 / s.max())
    across = np.linspace(LOWEST - steepest / float(s.max()), HIGHEST, POINTS)
    up = np.linspace(0.0, steepest, POINTS)
    mean = np.array([[CopasLikelihood(y, s, a + b / s).estimate() for b in up.tolist()] for a in across.tolist()])
    found = [(level, line) for level in _levels(mean) for line in contour_lines(across, up, mean, level)]
    slope = _slope(found, across, up)
    return Surface(across, up, mean, tuple(found), slope, _meetings(found, slope, steepest))


def _levels(mean: Floats) -> list[float]:
    """Round means over the range of the surface, the step the round number next to a tenth of it (R's ``pretty``)."""
    low, high = float(mean.min()), float(mean.max())
    if high - low <= 1e-10 * max(abs(low), abs(high)):
        return []
    size = (high - low) / CONTOURS
    power = math.floor(math.log10(size))
    digit = size / 10.0**power
    step = (1 if digit <= 1.4 else 2 if digit <= 2.8 else 5 if digit <= 7.0 else 10) * 10.0**power
    first, last = math.ceil(low / step - 1e-7), math.floor(high / step + 1e-7)
    return [round(i * step, max(0, 1 - power)) + 0.0 for i in range(first, last + 1)]


def contour_lines(x: Floats, y: Floats, z: Floats, level: float) -> list[tuple[Point, ...]]:
    """Lines of ``z = level`` through a grid, straight from edge to edge of its cells.

    z : (len(x), len(y)).

    >>> contour_lines(np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([[0.0, 1.0], [0.0, 1.0]]), 0.25)
    [((1.0, 0.25), (0.0, 0.25))]
    """
    over = z > level
    places: dict[tuple[int, int, int], Point] = {}
    joined: dict[tuple[int, int, int], list[tuple[int, int, int]]] = {}

    def edge(i: int, j: int, upward: int) -> tuple[int, int, int]:
        """The edge from (i, j) to the right (0) or up (1), with the place of the level on it."""
        key = (i, j, upward)
        if key not in places:
            a, b = float(z[i, j]), float(z[i + 1 - upward, j + upward])
            share = (level - a) / (b - a)
            if upward:
                places[key] = (float(x[i]), float(y[j] + share * (y[j + 1] - y[j])))
            else:
                places[key] = (float(x[i] + share * (x[i + 1] - x[i])), float(y[j]))
        return key

    for i in range(len(x) - 1):
        for j in range(len(y) - 1):
            corners = [bool(over[i, j]), bool(over[i + 1, j]), bool(over[i + 1, j + 1]), bool(over[i, j + 1])]
            sides = [(i, j, 0), (i + 1, j, 1), (i, j + 1, 0), (i, j, 1)]  # between corners 01, 12, 32, 03
            crossed = [edge(*sides[n]) for n in range(4) if corners[n] != corners[(n + 1) % 4]]
            if len(crossed) == 4:  # a saddle: the middle of the cell says which corners belong together
                middle = float(z[i : i + 2, j : j + 2].mean()) > level
                pairs = [(0, 1), (2, 3)] if middle != corners[1] else [(0, 3), (1, 2)]
            elif crossed:
                pairs = [(0, 1)]
            else:
                continue
            for a, b in pairs:
                joined.setdefault(crossed[a], []).append(crossed[b])
                joined.setdefault(crossed[b], []).append(crossed[a])
    lines = []
    for start in [*[key for key, others in joined.items() if len(others) == 1], *joined]:
        if start not in joined:
            continue
        run = [start]
        while True:
            others = joined.pop(run[-1])
            ahead = [key for key in others if key in joined]
            if not ahead:
                if len(run) > 2 and run[0] in others:
                    run.append(run[0])
                break
            run.append(ahead[0])
        lines.append(tuple(places[key] for key in run))
    return [line for line in lines if len(line) > 1]


def _slope(contours: list[tuple[float, tuple[Point, ...]]], across: Floats, up: Floats) -> float:
    """Of the line that stands upright on the average contour, both axes taken as equally long."""
    total, points = 0.0, 0
    for _, line in contours:
        n = len(line)
        x, y = np.array(line).T
        spread = float(np.sum((x - x.mean()) ** 2))
        if n < 3 or spread <= 0.0:
            continue
        slope = float((x - x.mean()) @ (y - y.mean())) / spread
        whole = float(np.sum((y - y.mean()) ** 2))
        rest = float(np.sum((y - y.mean() - slope * (x - x.mean())) ** 2))
        if whole <= 0.0 or 1.0 - rest / whole * (n - 1) / (n - 2) <= STRAIGHT:
            continue
        total += n * slope
        points += n
    side = float(up[-1] / (across[-1] - across[0]))
    if points == 0 or total >= 0.0:
        return side
    return -(side**2) / (total / points)


def _meetings(contours: list[tuple[float, tuple[Point, ...]]], slope: float, top: float) -> tuple[Point, ...]:
    """Where the line from the corner (HIGHEST, top) crosses a contour, from that corner on."""
    found: set[Point] = set()
    for _, line in contours:
        gaps = [y - top - slope * (x - HIGHEST) for x, y in line]
        for (x1, y1), (x2, y2), a, b in zip(line, line[1:], gaps, gaps[1:], strict=False):
            if (a > 0.0) != (b > 0.0):
                share = a / (a - b)
                found.add((x1 + share * (x2 - x1), y1 + share * (y2 - y1)))
    return tuple(sorted(found, reverse=True))
