"""Slow, obvious twins of the fast engine: matrices and loops, straight from the definitions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def projection(w: Floats) -> Floats:
    """``W - W 1 (1'W1)^-1 1'W``."""
    one = np.ones((len(w), 1))
    big = np.diag(w)
    return big - big @ one @ np.linalg.inv(one.T @ big @ one) @ one.T @ big


def mean(y: Floats, v: Floats, tau2: float) -> tuple[float, float]:
    """Weighted mean and its Wald standard error."""
    w = [1.0 / (x + tau2) for x in v]
    return sum(a * b for a, b in zip(w, y, strict=True)) / sum(w), (1.0 / sum(w)) ** 0.5


def q(y: Floats, v: Floats, tau2: float = 0.0) -> float:
    """The generalised Q."""
    centre, _ = mean(y, v, tau2)
    return sum((a - centre) ** 2 / (b + tau2) for a, b in zip(y, v, strict=True))


def moments(y: Floats, v: Floats, a: Floats) -> float:
    """``(y'Ay - tr(AV)) / tr(A)``, at least 0."""
    p = projection(a)
    return max(0.0, float((y @ p @ y - np.trace(p @ np.diag(v))) / np.trace(p)))


def log_likelihood(y: Floats, v: Floats, tau2: float, restricted: bool) -> float:
    """The (restricted) log-likelihood of a normal model with one mean."""
    k = len(y)
    big = np.diag(1.0 / (v + tau2))
    one = np.ones((k, 1))
    height = -0.5 * (np.log(2 * np.pi) * (k - restricted) + np.sum(np.log(v + tau2)) + q(y, v, tau2))
    if restricted:
        height += 0.5 * np.log(np.linalg.det(one.T @ one)) - 0.5 * np.log(np.linalg.det(one.T @ big @ one))
    return float(height)


def highest(y: Floats, v: Floats, restricted: bool) -> float:
    """The tau2 with the highest likelihood: a grid of 4,000 values, then golden-section search around the best."""
    top = 5.0 * (np.var(y) + np.max(v))
    grid = np.concatenate(([0.0], np.geomspace(1e-9 * top, top, 400)))
    heights = [log_likelihood(y, v, float(t), restricted) for t in grid]
    best = int(np.argmax(heights))
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, len(grid) - 1)])
    ratio = (5**0.5 - 1) / 2
    for _ in range(60):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if log_likelihood(y, v, a, restricted) < log_likelihood(y, v, b, restricted):
            low = a
        else:
            high = b
    found = 0.5 * (low + high)
    return 0.0 if log_likelihood(y, v, 0.0, restricted) >= log_likelihood(y, v, found, restricted) else found


def where_q_is(y: Floats, v: Floats, target: float) -> float:
    """The tau2 at which the generalised Q is ``target``, by bisection."""
    if q(y, v) <= target:
        return 0.0
    low, high = 0.0, 1.0
    while q(y, v, high) > target:
        high *= 2.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if q(y, v, middle) > target else (low, middle)
    return 0.5 * (low + high)


def hartung_knapp(y: Floats, v: Floats, tau2: float) -> float:
    """Hartung-Knapp's standard error."""
    centre, se = mean(y, v, tau2)
    return se * (sum((a - centre) ** 2 / (b + tau2) for a, b in zip(y, v, strict=True)) / (len(y) - 1)) ** 0.5
