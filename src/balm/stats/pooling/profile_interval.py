"""The profile-likelihood interval of the mean (Hardy & Thompson 1996, Stat Med 15:619).

The likelihood of the mean, with tau2 at its best for each mean, is compared with its maximum: the interval holds the
means whose likelihood ratio statistic is at most the chi-squared(1) quantile. It is not symmetric.
"""

from __future__ import annotations

import math

from balm.stats.arrays import np
from balm.stats.distributions import norm_sf
from balm.stats.groups import Floats, OneGroup
from balm.stats.heterogeneity.solving import crossing, root
from balm.stats.tails import chi2_quantile


def _score(g: OneGroup, t: float, _: float) -> tuple[float, float]:
    """The ML score of tau2 around a known mean (``g.effect`` holds the deviations), and a guarded Newton step."""
    w = 1.0 / (g.variance + t)
    z = w * g.effect
    total, squares = float(np.add.reduce(w)), float(w.dot(w))
    score = float(z.dot(z)) - total
    curvature = 2.0 * float((w * z).dot(z)) - squares - 2.0 * score * squares / total
    return score, score / (curvature if curvature > 0.01 * squares else squares)


def _height(variance: Floats, deviation: Floats, tau2: float) -> float:
    spread = variance + tau2
    return -0.5 * float(np.add.reduce(np.log(spread)) + np.add.reduce(deviation * deviation / spread))


def profile_height(g: OneGroup, mean: float, scale: float) -> float:
    """The log-likelihood (without constants) of a mean, at its best tau2."""
    around = g.with_effect(g.effect - mean)
    start = max(float(np.mean(around.effect**2 - g.variance)), 0.0)
    far = 4.0 * (float(np.mean(around.effect**2)) + scale)
    candidates = {0.0, root(around, _score, start=start, scale=scale), root(around, _score, start=far, scale=scale)}
    return max(_height(g.variance, around.effect, t) for t in candidates)


def profile_ends(
    g: OneGroup, mean: float, se: float, tau2: float, level: float, null: float
) -> tuple[float, float, float, float]:
    """Low, high (relative to the group's origin), signed root of the likelihood ratio at ``null``, and its p."""
    scale = g.k / float(np.add.reduce(1.0 / g.variance))
    top = profile_height(g, mean, scale)
    drop = 0.5 * chi2_quantile(level, 1)

    def above(value: float) -> float:
        return profile_height(g, value, scale) - top + drop

    ends = []
    for direction in (-1.0, 1.0):
        step = 2.0 * se
        while above(mean + direction * step) > 0.0:
            step *= 2.0
        ends.append(crossing(above, mean, mean + direction * step))
    ratio = max(2.0 * (top - profile_height(g, null, scale)), 0.0)
    statistic = math.copysign(math.sqrt(ratio), mean - null)
    return ends[0], ends[1], statistic, 2.0 * norm_sf(abs(statistic))
