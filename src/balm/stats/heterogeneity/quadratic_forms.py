"""The distribution of a generalised Q with fixed weights: a weighted sum of chi-squared variables.

``Q_a = sum a (y - ybar_a)**2`` with ``y ~ N(mu, v + tau2)`` is distributed as ``sum lambda_i chi2(1)``; ``lambda``
are the eigenvalues of ``S^1/2 A S^1/2`` (Jackson 2013, section 2). Its distribution function is the inverse Laplace
transform of ``exp K(p)``, ``K(p) = p x - 1/2 sum log(1 + 2 lambda p) - log p``, whose singularities all lie on the
negative real axis. The integral is taken over a parabola through the saddle point with the curvature of the steepest
descent (Rice 1980, SIAM J Sci Stat Comput 1:438; Lugannani & Rice 1980), where the trapezoidal rule converges
geometrically: 1e-14 for a few weights, 1e-10 for thousands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from balm.stats.arrays import np
from balm.stats.groups import Floats, OneGroup
from balm.stats.heterogeneity.solving import crossing

#: Step along the contour, in units of the saddle point's width: the error falls like exp(-2 pi / step), 1e-14 here.
_STEP = 0.19

#: The contour ends where ``exp(p x)`` has fallen by this many powers of e.
_DECAY = 37.0


def weighted_chi2_cdf(x: float, weights: Floats) -> float:
    """``P(sum weights_i chi2_i(1) <= x)`` to 1e-10 or better; weights are not negative.

    >>> round(weighted_chi2_cdf(3.841458820694124, np.array([1.0])), 10)
    0.95
    """
    if x <= 0.0:
        return 0.0
    scaled = weights / x
    if scaled.max() < 1.0 / 160.0 and scaled.sum() < 0.02:
        return 1.0  # Chernoff's bound on the upper tail is below exp(-39)
    p = 1.0
    for _ in range(100):
        part = scaled / (1.0 + 2.0 * scaled * p)
        slope = 2.0 * float(part.dot(part)) + 1.0 / (p * p)
        step = (1.0 - float(np.add.reduce(part)) - 1.0 / p) / slope
        p -= step
        if abs(step) <= 1e-6 * p:
            break
    part = scaled / (1.0 + 2.0 * scaled * p)
    second = 2.0 * float(part.dot(part)) + 1.0 / (p * p)
    width = second**-0.5
    bend = (8.0 * float((part * part).dot(part)) + 2.0 / p**3) / (6.0 * second**1.5)
    # Pass the first branch point, at -branch, no closer than it is far from 0: the product stays below 1 there.
    branch = 0.5 / float(scaled.max())
    bend = min(bend, width * (p + branch) / branch**2)
    u = np.arange(0.0, (_DECAY / (bend * width)) ** 0.5, _STEP)
    contour = p + width * (1j * u - bend * u * u)
    slope_of_contour = width * (1j - 2.0 * bend * u)
    exponent = contour - 0.5 * np.add.reduce(np.log(1.0 + 2.0 * scaled[:, None] * contour), axis=0)
    heights = (np.exp(exponent) / contour * slope_of_contour).imag
    value = float(np.add.reduce(heights) - 0.5 * heights[0]) * _STEP / np.pi
    return min(max(value, 0.0), 1.0)


def eigenvalues(a: Floats, spread: Floats) -> Floats:
    """The positive eigenvalues of ``S^1/2 (diag(a) - a a'/sum(a)) S^1/2``, S = diag(spread)."""
    root = np.sqrt(spread)
    matrix = np.diag(a * spread) - np.outer(a * root, a * root) / a.sum()
    found: Floats = np.linalg.eigvalsh(matrix)[1:]
    return np.maximum(found, 0.0)


def tau2_where_probability_is(g: OneGroup, a: Floats, probability: float, scale: float) -> float:
    """The tau2 at which the observed ``Q_a`` is the ``probability`` quantile of its distribution; 0 where none is."""
    observed = float(np.sum(a * (g.effect - np.sum(a * g.effect) / a.sum()) ** 2))
    return _where(observed, lambda tau2: eigenvalues(a, g.variance + tau2), probability, scale)


def residual_tau2_where_probability_is(
    observed: float, projection: Floats, variance: Floats, probability: float, scale: float
) -> float:
    """The same for a regression: ``Q_a = y'Py`` with the (k, k) ``projection`` P of fixed weights a.

    The eigenvalues are those of ``S^1/2 P S^1/2`` (Jackson, Turner, Rhodes & Viechtbauer 2014, section 3).
    """

    def spectrum(tau2: float) -> Floats:
        root = np.sqrt(variance + tau2)
        whole: Floats = root[:, None] * projection * root
        found: Floats = np.maximum(np.linalg.eigvalsh(whole), 0.0)
        return found

    return _where(observed, spectrum, probability, scale)


def _where(observed: float, spectrum: Callable[[float], Floats], probability: float, scale: float) -> float:
    """``P(Q_a <= observed)`` falls with tau2, so the root is bracketed from below."""

    def excess(tau2: float) -> float:
        return weighted_chi2_cdf(observed, spectrum(tau2)) - probability

    if excess(0.0) <= 0.0:
        return 0.0
    low, high = 0.0, scale
    while excess(high) > 0.0:
        low, high = high, 4.0 * high
    return crossing(excess, low, high)


def median_unbiased(g: Any, a: Any, scale: Any) -> Any:
    """The tau2 at which the observed ``Q_a`` is the median of its distribution, group by group."""
    if isinstance(g, OneGroup):
        return tau2_where_probability_is(g, a, 0.5, scale)
    return np.array(
        [
            tau2_where_probability_is(OneGroup(g.effect[rows], g.variance[rows]), a[rows], 0.5, float(size))
            for rows, size in zip(g.rows(), scale, strict=True)
        ]
    )
