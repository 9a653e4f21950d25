"""Intervals for the between-study variance, and with it for tau, I2 and H2.

Sources: Q-profile: Viechtbauer 2007 (Stat Med 26:37). Profile likelihood: Hardy & Thompson 1996 (Stat Med 15:619).
Generalised Q: Jackson 2013 (Res Synth Methods 4:220); with inverse-variance weights, Biggerstaff & Jackson 2008 (Stat
Med 27:6093). Test-based: Higgins & Thompson 2002 (Stat Med 21:1539), section 4. Wald: on tau2, log tau2 or tau.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from balm.stats.arrays import of_numpy
from balm.stats.groups import OneGroup, centred
from balm.stats.heterogeneity.estimators import precision_weights
from balm.stats.heterogeneity.generalised_q import generalised_q, tau2_where_q_is
from balm.stats.heterogeneity.likelihood import log_likelihood
from balm.stats.heterogeneity.quadratic_forms import tau2_where_probability_is
from balm.stats.heterogeneity.solving import crossing
from balm.stats.heterogeneity.weighted import typical_variance
from balm.stats.tails import chi2_quantile, t_critical
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError, check_option
from balm.vocabulary.quick_dataclass import dataclass

if TYPE_CHECKING:
    from balm.stats.pooling.pooled import Pooled


@dataclass(frozen=True, slots=True)
class HeterogeneityInterval:
    """Intervals of tau2, tau, I2 (per cent) and H2 by one method; ``note`` says what is unusual about them."""

    tau2: Interval
    tau: Interval
    i2: Interval
    h2: Interval
    method: str
    note: str = ""


def heterogeneity_interval(fit: Pooled, method: str, level: float) -> HeterogeneityInterval:
    """The interval of a fit; ``nan`` ends where it is not estimable (one study, a boundary the method cannot leave)."""
    check_option("method", method, list(INTERVALS))
    if not 0.0 < level < 1.0:
        raise InputError(f"level must be between 0 and 1 (0.95 means 95%); got {level!r}")
    if fit.conventions.get("model") == "common":
        raise InputError("a common-effect fit has no between-study variance: pool with model='random' for its interval")
    if fit.k < 2:
        nothing = Interval(math.nan, math.nan, level)
        return HeterogeneityInterval(nothing, nothing, nothing, nothing, method, "not estimable: one study")
    found = _q_profile_ends(fit, level) if method == "q-profile" else None
    if found is None:
        g, _ = centred(OneGroup(fit.effects.effect, fit.effects.variance))
        scale = typical_variance(g, 1.0 / g.variance)
        low, high, note = INTERVALS[method](fit, g, scale, level)
    else:
        low, high, scale, note = *found, ""
    if not note and high == 0.0:
        note = "empty: the effects vary less than any tau2 allows at this level; both ends are set to 0"
    return HeterogeneityInterval(
        Interval(low, high, level),
        Interval(math.sqrt(low), math.sqrt(high), level),
        Interval(100.0 * low / (low + scale), 100.0 * high / (high + scale), level),
        Interval((low + scale) / scale, (high + scale) / scale, level),
        method,
        note,
    )


def _q_profile_ends(fit: Pooled, level: float) -> tuple[float, float, float] | None:
    """Both ends and the typical variance, found along with the fit or by the compiled kernel, where it is there and
    has all digits."""
    kept = fit.__dict__.get("_q_profile")
    if kept is not None and kept[0] == level:
        return kept[1], kept[2], kept[3]
    effect, variance = fit.effects.effect, fit.effects.variance
    if not of_numpy(effect):
        return None
    from balm.stats.kernel import solve_one

    tail, df = 0.5 * (1.0 - level), fit.k - 1
    quantiles = chi2_quantile(tail, df), chi2_quantile(1.0 - tail, df)
    found = solve_one(effect, variance, "DL", quantiles=quantiles)
    return None if found is None else (found.low, found.high, df / (found.w1_0 - found.w2_0 / found.w1_0))


def _q_profile(fit: Pooled, g: OneGroup, scale: float, level: float) -> tuple[float, float, str]:
    tail, df = 0.5 * (1.0 - level), g.k - 1
    low, high = (float(tau2_where_q_is(g, chi2_quantile(p, df), scale)) for p in (1.0 - tail, tail))
    return low, high, ""


def _profile_likelihood(fit: Pooled, g: OneGroup, scale: float, level: float) -> tuple[float, float, str]:
    estimator = fit.conventions.get("tau2")
    if estimator not in ("ML", "REML"):
        raise InputError(
            f"method='profile-likelihood' needs a likelihood: pool with tau2='REML' or 'ML'; got tau2={estimator!r}"
        )
    restricted = estimator == "REML"
    best = fit.tau2
    drop = 0.5 * chi2_quantile(level, 1)
    goal = log_likelihood(g, best, restricted=restricted) - drop

    def above(t: float) -> float:
        return float(log_likelihood(g, t, restricted=restricted) - goal)

    low = 0.0 if best == 0.0 or above(0.0) >= 0.0 else crossing(above, best, 0.0)
    far = 2.0 * best + scale
    while above(far) > 0.0:
        far *= 4.0
    return low, crossing(above, best, far), ""


def _generalised(a: Any, g: OneGroup, scale: float, level: float) -> tuple[float, float, str]:
    tail = 0.5 * (1.0 - level)
    low = tau2_where_probability_is(g, a, 1.0 - tail, scale)
    return low, tau2_where_probability_is(g, a, tail, scale), ""


def _generalised_q(fit: Pooled, g: OneGroup, scale: float, level: float) -> tuple[float, float, str]:
    own = fit.own_weights if fit.conventions.get("tau2") in ("GENQ", "GENQM") else None
    return _generalised(precision_weights(g, own), g, scale, level)


def _biggerstaff_jackson(fit: Pooled, g: OneGroup, scale: float, level: float) -> tuple[float, float, str]:
    return _generalised(1.0 / g.variance, g, scale, level)


def _test_based(fit: Pooled, g: OneGroup, scale: float, level: float) -> tuple[float, float, str]:
    """From the standard error of log H (Higgins & Thompson 2002, eqs. 15 and 16)."""
    q, k = float(generalised_q(g, 0.0)), g.k
    if k < 3 and q <= k:
        return math.nan, math.nan, "not estimable: two studies with Q below 2"
    if q > k:
        error = 0.5 * (math.log(q) - math.log(k - 1)) / (math.sqrt(2.0 * q) - math.sqrt(2.0 * k - 3.0))
    else:
        error = math.sqrt((1.0 - 1.0 / (3.0 * (k - 2) ** 2)) / (2.0 * (k - 2)))
    log_h = 0.5 * math.log(max(q / (k - 1), 1.0))
    half = t_critical(level, math.inf) * error
    ends = (math.exp(2.0 * (log_h + sign * half)) for sign in (-1.0, 1.0))
    low, high = (scale * max(h2 - 1.0, 0.0) for h2 in ends)
    return low, high, ""


def _wald(fit: Pooled, g: OneGroup, scale: float, level: float) -> tuple[float, float, str]:
    half = t_critical(level, math.inf) * fit.tau2_se
    return max(fit.tau2 - half, 0.0), max(fit.tau2 + half, 0.0), ""


def _wald_log(fit: Pooled, g: OneGroup, scale: float, level: float) -> tuple[float, float, str]:
    if fit.tau2 <= 0.0:
        return 0.0, math.nan, "the upper end is not estimable: tau2 is 0, which has no logarithm"
    factor = math.exp(min(t_critical(level, math.inf) * fit.tau2_se / fit.tau2, 700.0))
    return fit.tau2 / factor, fit.tau2 * factor, ""


def _wald_sqrt(fit: Pooled, g: OneGroup, scale: float, level: float) -> tuple[float, float, str]:
    if fit.tau2 <= 0.0:
        return 0.0, math.inf, "no upper end: at tau2 = 0 the square root has an infinite standard error"
    half = t_critical(level, math.inf) * fit.tau2_se / (2.0 * fit.tau)
    return max(fit.tau - half, 0.0) ** 2, (fit.tau + half) ** 2, ""


#: Method -> (low, high, note) of tau2.
INTERVALS: Mapping[str, Callable[[Any, OneGroup, float, float], tuple[float, float, str]]] = MappingProxyType(
    {
        "q-profile": _q_profile,
        "profile-likelihood": _profile_likelihood,
        "generalised-q": _generalised_q,
        "biggerstaff-jackson": _biggerstaff_jackson,
        "test-based": _test_based,
        "wald": _wald,
        "wald-log": _wald_log,
        "wald-sqrt": _wald_sqrt,
    }
)
