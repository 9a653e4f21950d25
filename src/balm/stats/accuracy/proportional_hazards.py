"""The proportional hazards model of summary ROC curves: sensitivity is the false positive rate to a power."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from balm.stats.accuracy.tables import Tables
from balm.stats.distributions import norm_ppf
from balm.stats.effect_sizes import Floats
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError

#: Where the likelihood is looked at before the climb; on a log scale it can have several maxima.
LOWEST, HIGHEST, STEPS = -14.0, 4.0, 91

#: A log-likelihood with its slopes by the two parameters; of a profile, its slope and where the other lies.
Slopes = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class ProportionalHazards:
    """theta with its interval; sensitivity = fpr ** theta, and the area under that curve is 1 / (1 + theta).

    se       : from the observed information, the between-study variance given; the interval is of log(theta).
    tau2     : variance of theta between studies; 0 in the homogeneous model.
    log_likelihood : adjusted profile log-likelihood, of log sensitivities without and of theta with heterogeneity,
               each without the constant k log(2 pi) / 2: the two are not to be compared with each other.
    residual : slope of the log-likelihood by log(theta) that remained.
    """

    theta: float
    se: float
    interval: Interval
    tau2: float
    log_likelihood: float
    heterogeneity: bool
    residual: float

    def __call__(self, fpr: Floats) -> Floats:
        """Sensitivity at a false positive rate."""
        return np.asarray(np.asarray(fpr, dtype=np.float64) ** self.theta)

    @property
    def auc(self) -> float:
        """The area under the curve."""
        return 1.0 / (1.0 + self.theta)

    @property
    def auc_interval(self) -> Interval:
        """Its interval: that of theta, turned round."""
        low, high, level = self.interval.low, self.interval.high, self.interval.level
        return Interval(1.0 / (1.0 + high), 1.0 / (1.0 + low), level)


def proportional_hazards(
    t: Tables, *, heterogeneity: bool = True, add: float = 0.5, to: str = "only-zero", level: float = 0.95
) -> ProportionalHazards:
    """log(sensitivity) = theta * log(fpr) in each study, with one theta or one a study from a normal distribution.

    The study's own false positive rate is profiled out and the likelihood adjusted for it: log p - theta log u is
    normal with variance (1 - p) / (n1 p) + theta**2 (1 - u) / (n0 u).
    Holling, Böhning & Böhning (2012) Stat Modelling 12:347-75.
    """
    c = t.corrected(add, to)
    c.without_zeros("the proportional hazards model")
    if heterogeneity and c.k < 2:
        raise InputError("the variance of theta between studies needs 2 studies or more: heterogeneity=False")
    p, u = c.tp / c.diseased, c.fp / c.healthy
    log_p, log_u = np.log(p), np.log(u)
    var_p, var_u = (1.0 - p) / (c.diseased * p), (1.0 - u) / (c.healthy * u)
    own = log_p / log_u

    def height(x: float, tau2: float) -> Slopes:
        """The log-likelihood at theta = exp(x), its slope by x and by tau2."""
        theta = math.exp(x)
        w = (var_p + theta * theta * var_u) / log_u**2 + tau2
        r = own - theta
        by_w = -0.5 / w + 0.5 * r * r / (w * w)
        level = -0.5 * float(np.sum(np.log(w) + r * r / w))
        by_x = theta * float(np.sum(by_w * 2.0 * theta * var_u / log_u**2 + r / w))
        return level, by_x, float(by_w.sum())

    def best_tau2(x: float) -> float:
        return _best_variance(lambda tau2: height(x, tau2), float(np.max((own - math.exp(x)) ** 2)))

    def profile(x: float) -> Slopes:
        tau2 = best_tau2(x) if heterogeneity else 0.0
        top, by_x, _ = height(x, tau2)
        return top, by_x, tau2

    x = _highest(profile)
    top, slope, tau2 = profile(x)
    theta = math.exp(x)
    step = 1e-5
    bend = -(profile(x + step)[1] - profile(x - step)[1]) / (2.0 * step)
    se_log = 1.0 / math.sqrt(bend) if bend > 0.0 else math.nan
    half = norm_ppf(0.5 + 0.5 * level) * se_log
    if not heterogeneity:
        top -= float(np.sum(np.log(-log_u)))  # of log sensitivities, as published
    return ProportionalHazards(
        theta, theta * se_log, Interval(math.exp(x - half), math.exp(x + half), level), tau2, top, heterogeneity,
        abs(slope),
    )  # fmt: skip


def _best_variance(height: Callable[[float], Slopes], largest: float) -> float:
    """The tau2 of the highest likelihood: the best of a grid, then the root of the slope beside it; 0 at the bound."""
    from scipy.optimize import brentq

    grid = [0.0, *(largest * np.exp(np.linspace(-18.0, 0.7, 40))).tolist()]
    seen = [height(tau2) for tau2 in grid]
    tops = [(seen[0][0], 0.0)]
    for (a, one), (b, two) in zip(
        zip(grid[:-1], seen[:-1], strict=True), zip(grid[1:], seen[1:], strict=True), strict=True
    ):
        if one[2] > 0.0 >= two[2]:
            root = float(brentq(lambda tau2: height(tau2)[2], a, b, xtol=1e-18, rtol=1e-13))
            tops.append((height(root)[0], root))
    return max(tops)[1]


def _highest(profile: Callable[[float], Slopes]) -> float:
    """log(theta) at the highest of the maxima found from a grid."""
    from scipy.optimize import brentq

    grid = np.linspace(LOWEST, HIGHEST, STEPS).tolist()
    slopes = [profile(x)[1] for x in grid]
    tops = []
    for a, b, one, two in zip(grid[:-1], grid[1:], slopes[:-1], slopes[1:], strict=True):
        if one > 0.0 >= two:
            root = float(brentq(lambda x: profile(x)[1], a, b, xtol=1e-14, rtol=1e-14))
            tops.append((profile(root)[0], root))
    if not tops:
        raise InputError("the proportional hazards model has no estimate: its likelihood rises without end")
    return max(tops)[1]
