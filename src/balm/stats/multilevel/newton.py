"""The minimum of a smooth function inside a box, by Newton steps with exact derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from balm.stats.effect_sizes import Floats

Value = tuple[float, Floats, Floats]
Evaluate = Callable[[Floats], Value]
EvaluateMany = Callable[[list[Floats]], Sequence[Value]]
Result = TypeVar("Result")
Climb = Generator[Floats, Value, Result]

#: A Newton step below this many standard errors is exact: the next one would be its square.
STEP_IN_ERRORS = 1e-8
#: More steps than any regular likelihood needs; what has not ended by then is reported through its residual.
MOST_STEPS = 200
#: Steps in a row that gain nothing beyond rounding: the height has a kink (a linear correlogram) or no digits left.
MOST_IDLE = 8
#: Curvatures below this share of the largest are treated as this share (a flat or downhill direction).
LEAST_CURVATURE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Minimum:
    """``at`` with ``height``; ``residual`` is the Newton step that remains, in standard errors of the free parameters.

    ``curvature`` is the matrix of second derivatives; ``free`` says which parameters are not held by a bound.
    """

    at: Floats
    height: float
    curvature: Floats
    free: NDArray[np.bool_]
    residual: float
    steps: int


def minimise(evaluate: Evaluate, start: Floats, lower: Floats, upper: Floats, most: int = MOST_STEPS) -> Minimum:
    """Projected Newton: parameters at a bound stay while the slope pushes outwards; a step that rises is halved.

    ``evaluate`` gives height, slope and a curvature matrix (need not be positive definite; its eigenvalues are taken
    as absolute values). ``most``: steps at most. Bertsekas (1982), SIAM J Control Optim
    20:221; Nocedal & Wright (2006), section 3.4.
    """
    return climb_together(lambda places: [evaluate(x) for x in places], [start], lower, upper, most)[0]


def climb_together(
    evaluate: EvaluateMany, starts: Sequence[Floats], lower: Floats, upper: Floats, most: int = MOST_STEPS
) -> list[Minimum]:
    """:func:`minimise` from several starts side by side: each round evaluates the next place of all."""
    climbs = [_climb(np.clip(start, lower, upper), lower, upper, most) for start in starts]
    places = {i: next(climb) for i, climb in enumerate(climbs)}
    found: dict[int, Minimum] = {}
    while places:
        values = evaluate(list(places.values()))
        for i, value in zip(list(places), values, strict=True):
            try:
                places[i] = climbs[i].send(value)
            except StopIteration as end:
                found[i] = end.value
                del places[i]
    return [found[i] for i in range(len(climbs))]


def _climb(x: Floats, lower: Floats, upper: Floats, most: int) -> Climb[Minimum]:
    """Yields each place to be evaluated, is sent what :data:`Evaluate` gives there, and returns the minimum."""
    f, g, h = yield x
    remaining, steps, idle = math.inf, 0, 0
    while steps < most:
        free = ~(((x <= lower) & (g >= 0.0)) | ((x >= upper) & (g <= 0.0)))
        if not free.any():
            remaining = 0.0
            break
        if free.all():
            full, remaining = _step(g, h)
        else:
            full = np.zeros_like(x)
            full[free], remaining = _step(g[free], h[np.ix_(free, free)])
        moved = yield from _descend(x, f, g, full, lower, upper, remaining)
        steps += 1
        if moved is None:
            break
        idle = idle + 1 if f - moved[1] <= 1e-12 * (1.0 + abs(f)) else 0
        x, f, g, h = moved
        if remaining <= STEP_IN_ERRORS or idle == MOST_IDLE:
            free = ~(((x <= lower) & (g >= 0.0)) | ((x >= upper) & (g <= 0.0)))
            remaining = _step(g[free], h[np.ix_(free, free)])[1] if free.any() else 0.0
            break
    return Minimum(x, f, h, free, remaining, steps)


def _step(g: Floats, h: Floats) -> tuple[Floats, float]:
    """The modified Newton step, and its length in standard errors."""
    if len(g) == 1:
        curved = abs(float(h[0, 0])) or 1.0
        return -g / curved, abs(float(g[0])) / math.sqrt(curved)
    if len(g) == 2:
        a, b, c = float(h[0, 0]), float(h[0, 1]), float(h[1, 1])
        determinant = a * c - b * b
        if a > 0.0 and c > 0.0 and determinant > 1e-6 * a * c:
            u, v = g.tolist()
            x, y = (b * v - c * u) / determinant, (b * u - a * v) / determinant
            return np.array([x, y]), math.sqrt(max(0.0, -(u * x + v * y)))
    if len(g) == 3 and (solved := _of_three(g, h)) is not None:
        return solved
    diagonal = np.sqrt(np.abs(np.diag(h)))
    scale = np.where(diagonal > 0.0, diagonal, 1.0)
    roots, basis = np.linalg.eigh(h / np.outer(scale, scale))
    most = float(np.abs(roots).max()) or 1.0  # flat in every direction: a step as long as the slope
    curvature = np.maximum(np.abs(roots), LEAST_CURVATURE * most)
    along = basis.T @ (g / scale)
    step = -(basis @ (along / curvature)) / scale
    return step, float(np.sqrt(np.sum(along * along / curvature)))


def _of_three(g: Floats, h: Floats) -> tuple[Floats, float] | None:
    """The plain Newton step of three parameters by cofactors, or None where the curvature is not clearly positive.

    With the diagonal scaled to 1 no root exceeds 3, so a determinant above 1e-4 keeps every root above 1e-5.
    """
    (a, b, c), (_, d, e), (_, _, f) = h.tolist()
    if not (a > 0.0 and d > 0.0 and f > 0.0 and a * d - b * b > 1e-4 * a * d):
        return None
    first, second, third = d * f - e * e, c * e - b * f, b * e - c * d
    determinant = a * first + b * second + c * third
    if not determinant > 1e-4 * a * d * f:
        return None
    u, v, w = g.tolist()
    x = -(first * u + second * v + third * w) / determinant
    y = -(second * u + (a * f - c * c) * v + (b * c - a * e) * w) / determinant
    z = -(third * u + (b * c - a * e) * v + (a * d - b * b) * w) / determinant
    return np.array([x, y, z]), math.sqrt(max(0.0, -(u * x + v * y + w * z)))


def _descend(
    x: Floats,
    f: float,
    g: Floats,
    step: Floats,
    lower: Floats,
    upper: Floats,
    remaining: float,
) -> Climb[tuple[Floats, float, Floats, Floats] | None]:
    """The first of the step, its half, its quarter ... that descends (projected on the box)."""
    noise = 1e-12 * (1.0 + abs(f))
    share = 1.0
    for _ in range(40):
        there = np.clip(x + share * step, lower, upper)
        if np.array_equal(there, x):
            return None
        height, slope, curvature = yield there
        expected = float(g @ (there - x))
        if height <= f + 1e-4 * min(expected, 0.0) + (noise if remaining < 1e-4 else 0.0):
            return there, height, slope, curvature
        share *= 0.5
    return None
