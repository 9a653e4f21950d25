"""The tetrachoric correlation: of two normal variables that were both cut into yes and no."""

from __future__ import annotations

import math

from balm.stats.arrays import np
from balm.stats.measures.measure import Floats

#: Nodes of the Gauss-Legendre rule over the angle; the integrand is smooth, and flat where the correlation nears 1.
_NODES = 96

#: Newton steps, safeguarded by bisection; the angle is then exact to rounding.
_STEPS = 80


def tetrachoric(*, events_1: Floats, n_1: Floats, events_2: Floats, n_2: Floats) -> tuple[Floats, Floats]:
    """The correlation r for which a bivariate normal distribution, cut at the margins, gives the table's cells.

    Solves ``Phi2(h, k; r) = a/N`` with ``h, k`` the normal quantiles of the margins, by Plackett's identity over the
    angle ``asin r``; variance by the delta method of all three parameters.  With an empty cell the solution is -1 or 1
    and has no variance: not estimable, unless cells are corrected on request.
    Pearson (1900) Philos Trans A 195:1; Kirk (1973) Psychometrika 38:259; Drezner & Wesolowsky (1990).
    """
    from scipy.special import ndtr, ndtri

    total = n_1 + n_2
    a, b, c, d = events_1, n_1 - events_1, events_2, n_2 - events_2
    h, k = ndtri((a + b) / total), ndtri((a + c) / total)
    excess = a / total - (a + b) / total * ((a + c) / total)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)

    def density(angle: Floats) -> Floats:
        exponent = -(h**2 + k**2 - 2.0 * h * k * np.sin(angle)) / (2.0 * np.cos(angle) ** 2)
        return np.asarray(np.exp(exponent) / (2.0 * math.pi), dtype=np.float64)

    def integral(angle: Floats) -> Floats:
        parts = np.zeros_like(angle)
        for x, w in zip(nodes, weights, strict=True):
            parts += w * density(0.5 * angle * (1.0 + x))
        return 0.5 * angle * parts

    low, high = np.full_like(total, -0.5 * math.pi), np.full_like(total, 0.5 * math.pi)
    angle = np.clip(excess / density(np.zeros_like(total)), -1.0, 1.0)
    for _ in range(_STEPS):
        gap = integral(angle) - excess
        low, high = np.where(gap < 0.0, angle, low), np.where(gap < 0.0, high, angle)
        step = angle - gap / density(angle)
        inside = (step > low) & (step < high)
        moved = np.where(inside, step, 0.5 * (low + high))
        done = np.abs(moved - angle) <= 1e-16 * np.maximum(np.abs(angle), 1e-3)
        angle = moved
        if done.all():
            break
    empty = np.minimum(np.minimum(a, b), np.minimum(c, d)) == 0.0
    angle = np.where(empty, np.nan, angle)
    r, rest = np.sin(angle), np.cos(angle)
    by_h = ndtr((k - r * h) / rest) - 0.5
    by_k = ndtr((h - r * k) / rest) - 0.5
    at = density(angle) / rest
    spread = (
        (a + d) * (b + c) / 4.0
        + (a + c) * (b + d) * by_k**2
        + (a + b) * (c + d) * by_h**2
        + 2.0 * (a * d - b * c) * by_h * by_k
        - (a * b - c * d) * by_k
        - (a * c - b * d) * by_h
    )
    return r, np.asarray(spread / (total**3 * at**2), dtype=np.float64)


def fisher_z_of_tetrachoric(*, events_1: Floats, n_1: Floats, events_2: Floats, n_2: Floats) -> tuple[Floats, Floats]:
    """Fisher's z of the tetrachoric correlation, by the delta method."""
    r, variance = tetrachoric(events_1=events_1, n_1=n_1, events_2=events_2, n_2=n_2)
    return np.arctanh(r), variance / (1.0 - r**2) ** 2
