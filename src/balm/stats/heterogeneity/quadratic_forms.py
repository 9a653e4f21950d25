"""The distribution of a generalised Q with fixed weights: a weighted sum of chi-squared variables.

``Q_a = sum a (y - ybar_a)**2`` with ``y ~ N(mu, v + tau2)`` is distributed as ``sum lambda_i chi2(1)``, where
``lambda`` are the eigenvalues of ``S^1/2 A S^1/2`` (Jackson 2013, section 2). Its distribution function is the
inverse Laplace transform of ``prod (1 + 2 lambda p)**-1/2 / p``; all singularities lie on the negative real axis, so
Talbot's contour with the parameters of Trefethen, Weideman & Schmelzer (2006, BIT 46:653, eq. 3.3) converges
geometrically.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from balm.stats.groups import Floats, OneGroup

#: Nodes on the contour: the error falls like 3.89**-n and rounding grows like exp(0.2 n); both meet at about 1e-12.
_NODES = 24

_THETA = (2.0 * np.arange(_NODES // 2) + 1.0) * np.pi / _NODES
_Z = _NODES * (0.5017 * _THETA / np.tan(0.6407 * _THETA) - 0.6122 + 0.2645j * _THETA)
_DZ = _NODES * (0.5017 / np.tan(0.6407 * _THETA) - 0.5017 * 0.6407 * _THETA / np.sin(0.6407 * _THETA) ** 2 + 0.2645j)


def weighted_chi2_cdf(x: float, weights: Floats) -> float:
    """``P(sum weights_i chi2_i(1) <= x)`` to about 1e-11; weights are not negative.

    >>> round(weighted_chi2_cdf(3.841458820694124, np.array([1.0])), 10)
    0.95
    """
    if x <= 0.0:
        return 0.0
    p = _Z / x
    # One factor at a time on the principal branch: the product of roots, not the root of the product.
    transform = np.prod(1.0 / np.sqrt(1.0 + 2.0 * weights[:, None] * p[None, :]), axis=0)
    value = np.sum((np.exp(_Z) * transform / _Z * _DZ).imag) * 2.0 / _NODES
    return float(min(max(value, 0.0), 1.0))


def eigenvalues(a: Floats, spread: Floats) -> Floats:
    """The positive eigenvalues of ``S^1/2 (diag(a) - a a'/sum(a)) S^1/2``, S = diag(spread)."""
    root = np.sqrt(spread)
    matrix = np.diag(a * spread) - np.outer(a * root, a * root) / a.sum()
    found: Floats = np.linalg.eigvalsh(matrix)[1:]
    return np.maximum(found, 0.0)


def tau2_where_probability_is(g: OneGroup, a: Floats, probability: float, scale: float) -> float:
    """The tau2 at which the observed ``Q_a`` is the ``probability`` quantile of its distribution; 0 where none is.

    ``P(Q_a <= observed)`` falls with tau2, so the root is bracketed by doubling and found by Illinois' false position.
    """
    observed = float(np.sum(a * (g.effect - np.sum(a * g.effect) / a.sum()) ** 2))

    def excess(tau2: float) -> float:
        return weighted_chi2_cdf(observed, eigenvalues(a, g.variance + tau2)) - probability

    low, at_low = 0.0, excess(0.0)
    if at_low <= 0.0:
        return 0.0
    high = scale
    at_high = excess(high)
    while at_high > 0.0:
        low, at_low = high, at_high
        high *= 4.0
        at_high = excess(high)
    side = 0
    for _ in range(200):
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        if not low < middle < high:
            middle = 0.5 * (low + high)
        value = excess(middle)
        if abs(value) < 1e-14 or high - low <= 1e-13 * (high + scale):
            return middle
        if value > 0.0:
            low, at_low = middle, value
            if side == 1:
                at_high *= 0.5
            side = 1
        else:
            high, at_high = middle, value
            if side == -1:
                at_low *= 0.5
            side = -1
    return 0.5 * (low + high)


def median_unbiased(g: Any, a: Any, scale: Any) -> Any:
    """The tau2 at which the observed ``Q_a`` is the median of its distribution, group by group."""
    if isinstance(g, OneGroup):
        return tau2_where_probability_is(g, a, 0.5, scale)
    return np.array(
        [
            tau2_where_probability_is(OneGroup(g.effect[i:j], g.variance[i:j]), a[i:j], 0.5, float(size))
            for i, j, size in zip(g.offsets[:-1], g.offsets[1:], scale, strict=True)
        ]
    )
