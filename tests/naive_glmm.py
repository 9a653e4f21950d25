"""The slow, obvious twin of the generalised linear mixed models: sums over tables, integrals on a dense grid."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

Floats = NDArray[np.float64]

#: A grid on which the standard normal density and everything below it is nothing to sixteen digits at the ends.
GRID = np.linspace(-9.5, 9.5, 2001)
WEIGHT = np.exp(-0.5 * GRID**2) / math.sqrt(2.0 * math.pi) * (GRID[1] - GRID[0])


def binomial(x: float, n: float, eta: Floats) -> Floats:
    ways = math.lgamma(n + 1) - math.lgamma(x + 1) - math.lgamma(n - x + 1)
    height: Floats = ways + x * eta - n * np.logaddexp(0.0, eta)
    return height


def poisson(x: float, eta: Floats) -> Floats:
    height: Floats = x * eta - np.exp(eta) - math.lgamma(x + 1)
    return height


def hypergeometric(x: float, n_1: float, events: float, n_2: float, eta: Floats) -> Floats:
    """Every table with the margins, one by one."""
    eta = np.asarray(eta, dtype=np.float64)
    tables = np.arange(max(0.0, events - n_2), min(n_1, events) + 1.0)

    def ways(y: Any) -> Any:
        own = gammaln(n_1 + 1) - gammaln(y + 1) - gammaln(n_1 - y + 1)
        rest = events - y
        return own + gammaln(n_2 + 1) - gammaln(rest + 1) - gammaln(n_2 - rest + 1)

    terms = ways(tables)[:, None] + tables[:, None] * eta
    top = terms.max(axis=0)
    height: Floats = ways(x) + x * eta - top - np.log(np.sum(np.exp(terms - top), axis=0))
    return height


Study = Callable[[Floats], Floats]


def marginal(studies: list[Study], mean: float, tau: float) -> float:
    """log-likelihood with the effects integrated out; ``studies`` give the log-likelihood at an array of effects."""
    if tau == 0.0:
        return sum(float(study(np.array([mean]))[0]) for study in studies)
    total = 0.0
    for study in studies:
        height = study(mean + tau * GRID)
        top = height.max()
        total += top + math.log(float(np.sum(np.exp(height - top) * WEIGHT)))
    return total


def laplace(arms: list[tuple[Floats, Floats | None, Floats, list[float]]]) -> float:
    """Laplace's approximation: the joint density at its mode, over the root of the determinant of its curvature.

    arms : events, participants (``None``: Poisson), the predictor at ``v = 0``, and what it gains with each ``v``.
    """
    d, k = len(arms[0][3]), len(arms[0][0])
    v = np.zeros((k, d))
    for _ in range(100):
        height, slope, bend = -0.5 * np.sum(v * v, axis=1), -v, np.tile(np.eye(d), (k, 1, 1))
        for x, n, base, load in arms:
            z = np.array(load)
            eta = base + v @ z
            mean = n / (1.0 + np.exp(-eta)) if n is not None else np.exp(eta)
            spread = mean * (1.0 - mean / n) if n is not None else mean
            height = height + x * eta - (n * np.logaddexp(0.0, eta) if n is not None else mean)
            slope = slope + np.outer(x - mean, z)
            bend = bend + spread[:, None, None] * np.outer(z, z)
        step = np.linalg.solve(bend, slope[:, :, None])[:, :, 0]
        if np.abs(step).max() < 1e-10:
            break
        v = v + step / np.maximum(1.0, np.abs(step).max(axis=1, keepdims=True))
    return float(np.sum(height - 0.5 * np.log(np.linalg.det(bend))))


def second_derivatives(height: Callable[[Floats], float], at: Any, step: float = 2e-3) -> Floats:
    """The Hessian by central differences, extrapolated once (Richardson)."""
    x = np.asarray(at, dtype=np.float64)

    def plain(h: float) -> Floats:
        n = len(x)
        out = np.zeros((n, n))
        for i in range(n):
            for j in range(i + 1):
                a, b = np.eye(n)[i] * h, np.eye(n)[j] * h
                if i == j:
                    out[i, i] = (height(x + a) - 2 * height(x) + height(x - a)) / h**2
                else:
                    both = height(x + a + b) - height(x + a - b) - height(x - a + b) + height(x - a - b)
                    out[i, j] = out[j, i] = both / (4 * h * h)
        return out

    return (4.0 * plain(step / 2.0) - plain(step)) / 3.0
