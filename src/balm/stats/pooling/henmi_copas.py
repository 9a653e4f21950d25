"""The interval of Henmi & Copas (2010, Stat Med 29:2969), robust to small-study effects.

It is centred on the common-effect estimate, whose weights do not move towards the small studies, and allows for
heterogeneity in its variance. The pivot ``U = (mean - mu) / SE``, SE with DerSimonian-Laird's tau2, is not normal: with
``R = sqrt(sum w)(mean - mu)``, normal, Cochran's Q given R is taken as gamma with its exact mean and variance, and
``|U| <= u`` says how large Q must be for each R (section 3 there).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from balm.stats.arrays import np
from balm.stats.groups import OneGroup
from balm.stats.heterogeneity.solving import crossing

#: Gauss-Legendre nodes over the tail of R; the integrand is smooth and 64 agree with 256 to 1e-12.
_NODES = 96

#: Standard deviations of R after which nothing is left (normal tail below 1e-22).
_REACH = 10.0


def pivot_tail(g: OneGroup, tau2: float) -> tuple[Callable[[float], float], float]:
    """``u -> P(U > u)`` for studies of these variances at this tau2, and the standard deviation of R."""
    from scipy.special import gammainc

    w = 1.0 / g.variance
    spread = g.variance + tau2
    w1, w2, w3 = (float(np.sum(w**power)) for power in (1, 2, 3))
    s = w1 + tau2 * w2
    away = w * w - w * w2 / w1
    bent = w3 - w2 * w2 / w1
    de = float(np.sum(away * away * spread))
    ws = w * spread
    squares = float(np.sum(ws * ws) - 2.0 * np.sum(w * ws * ws) / w1 + (np.sum(w * ws) / w1) ** 2)
    # Mean and variance of Q given R = r: constant and coefficient of r**2.
    mean_0 = (g.k - 1) + tau2 * (w1 - w2 / w1) - tau2**2 * bent / s
    mean_2 = w1 * tau2**2 * bent / s**2
    variance_0 = 2.0 * (squares - 2.0 * tau2**2 * de / s + (tau2**2 * bent / s) ** 2)
    variance_2 = 4.0 * w1 * tau2**2 * (de - (tau2 * bent) ** 2 / s) / s**2
    sd = math.sqrt(s / w1)
    nodes, node_weights = np.polynomial.legendre.leggauss(_NODES)

    def beyond(u: float) -> float:
        half = 0.5 * _REACH * sd
        r = u + half * (nodes + 1.0)
        mean = mean_0 + mean_2 * r * r
        variance = variance_0 + variance_2 * r * r
        most = (g.k - 1) + (w1 * w1 / w2 - 1.0) * (r * r / (u * u) - 1.0)
        inside = gammainc(mean * mean / variance, most * mean / variance)
        density = np.exp(-0.5 * (r / sd) ** 2) / (sd * math.sqrt(2.0 * math.pi))
        return float(np.sum(node_weights * half * inside * density))

    return beyond, sd


def henmi_copas_ends(
    g: OneGroup, mean: float, se: float, tau2: float, level: float, null: float
) -> tuple[float, float, float, float]:
    """Low, high (relative to the group's origin), statistic and p of the test of ``null``."""
    beyond, sd = pivot_tail(g, tau2)
    tail = 0.5 * (1.0 - level)
    low, high = 0.1 * sd, 4.0 * sd
    while beyond(low) < tail:
        low *= 0.5
    while beyond(high) > tail:
        high *= 2.0
    half = crossing(lambda u: beyond(u) - tail, low, high) * se
    statistic = (mean - null) / se
    return mean - half, mean + half, statistic, min(2.0 * beyond(max(abs(statistic), 1e-6)), 1.0)
