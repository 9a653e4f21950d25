"""How firmly the data speak about tau2: its log-likelihood from zero upwards, with the interval it implies.

Hardy RJ, Thompson SG (1996). Stat Med 15:619-629; Viechtbauer W (2005). J Educ Behav Stat 30:261-293.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.diagnostics.accepted import model_of
from balm.stats.effect_sizes import Floats
from balm.stats.frame import frame
from balm.stats.heterogeneity.solving import crossing
from balm.stats.pooling.pooled import Pooled
from balm.stats.regression.between_study_variance import estimate
from balm.stats.regression.projection import log_likelihood, projection, typical_variance
from balm.stats.tails import chi2_quantile
from balm.vocabulary.interval import Interval
from balm.vocabulary.numbers import fixed, short
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError, check_option

LIKELIHOODS = ("REML", "ML")


@dataclass(frozen=True, eq=False)
class LikelihoodProfile:
    """``log_likelihood`` (n,) at each ``tau2`` (n,), maximised over the coefficients; ``likelihood`` "ML" or "REML".

    best, highest : the tau2 with the highest likelihood, and that log-likelihood.
    interval      : the tau2 within half a chi-squared(1) quantile of it.
    fitted        : the tau2 of the fit, which is ``best`` only for a fit by this likelihood.
    """

    tau2: Floats
    log_likelihood: Floats
    likelihood: str
    best: float
    highest: float
    interval: Interval
    fitted: float
    reason: str = ""

    def __len__(self) -> int:
        return len(self.tau2)

    @property
    def cut(self) -> float:
        """The log-likelihood at the ends of the interval."""
        return self.highest - 0.5 * chi2_quantile(self.interval.level, 1)

    def to_frame(self) -> Any:
        """A row a value of tau2."""
        return frame({"tau2": self.tau2, "log_likelihood": self.log_likelihood})

    def plot(self, path: Any = None, **options: Any) -> Any:
        """The profile with its maximum and interval."""
        return presenter("likelihood_profile")(self, path, **options)

    def __repr__(self) -> str:
        if self.reason:
            return f"Likelihood profile of tau2: {self.reason}"
        ends = f"{short(self.interval.low, 4)} to {short(self.interval.high, 4)}"
        return (
            f"Likelihood profile of tau2 ({self.likelihood}): highest at {short(self.best, 4)} "
            f"(log-likelihood {fixed(self.highest, 4)}), {self.interval.level * 100:g}% interval {ends}"
        )


def likelihood_profile(
    fit: Any, tau2: Any = None, *, likelihood: str | None = None, level: float | None = None, points: int = 101
) -> LikelihoodProfile:
    """The log-likelihood of the between-study variance.

    fit        : a random-effects result of :func:`balm.pool` or :func:`balm.meta_regression`.
    tau2       : values at which to take it; by default ``points`` of them, from 0 to beyond the interval's upper end
                 and closer near 0.
    likelihood : "REML" or "ML"; by default that of the fit, and "REML" for the other estimators.
    level      : of the interval; by default that of the fit.

    A flat profile means that the studies say little about tau2; two maxima mean that an optimiser may stop at either.
    With one study (or no more studies than coefficients) there is no likelihood of tau2: ``nan`` with the reason.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.pooling.pool import pool
    >>> es = EffectSizes(effect=[0.1, 0.3, 0.8], variance=[0.01, 0.02, 0.02])
    >>> likelihood_profile(pool(es), tau2=[0.0, 0.1]).log_likelihood.round(4).tolist()
    [-5.9106, -0.8055]
    """
    model = model_of(fit, "likelihood_profile")
    if model.estimator is None:
        raise InputError("a common-effect fit has no between-study variance: fit with model='random' for its profile")
    if model.own_weights is not None or model.model == "ivhet":
        raise InputError("likelihood_profile needs inverse-variance weights; this fit has weights of its own")
    chosen = likelihood or ("ML" if model.estimator == "ML" else "REML")
    check_option("likelihood", chosen, LIKELIHOODS)
    coverage = fit.level if level is None else level
    if not 0.0 < coverage < 1.0:
        raise InputError(f"level must be between 0 and 1 (0.95 means 95%); got {level!r}")
    if isinstance(points, bool) or not isinstance(points, int) or points < 2:
        raise InputError(f"points must be a whole number of at least 2; got {points!r}")
    at = None if tau2 is None else _checked(tau2)
    if model.k <= model.p:
        why = "not estimable: one study" if isinstance(fit, Pooled) else "not estimable: no study left over"
        empty = np.full(0 if at is None else len(at), math.nan)
        missing = Interval(math.nan, math.nan, coverage)
        return LikelihoodProfile(empty if at is None else at, empty, chosen, math.nan, math.nan, missing, fit.tau2, why)
    origin = float(model.effect[int(model.variance.argmin())])
    y = model.effect - origin if isinstance(fit, Pooled) else model.effect

    def height(t: float) -> float:
        at_t = projection(y, model.variance, model.design, t)
        return log_likelihood(at_t, model.variance, model.design, t, restricted=chosen == "REML")

    best = estimate(y, model.variance, model.design, chosen).tau2
    scale = typical_variance(model.variance, model.design)
    highest = height(best)
    interval = _interval(height, best, highest, scale, coverage)
    if at is None:
        at = 1.15 * max(interval.high, model.tau2) * np.linspace(0.0, 1.0, points) ** 2
    return LikelihoodProfile(
        at, np.array([height(t) for t in at.tolist()]), chosen, best, highest, interval, model.tau2
    )


def _interval(height: Callable[[float], float], best: float, highest: float, scale: float, level: float) -> Interval:
    goal = highest - 0.5 * chi2_quantile(level, 1)

    def above(t: float) -> float:
        return height(t) - goal

    low = 0.0 if best == 0.0 or above(0.0) >= 0.0 else crossing(above, best, 0.0)
    far = 2.0 * best + scale
    while above(far) > 0.0:
        far *= 4.0
    return Interval(low, crossing(above, best, far), level)


def _checked(tau2: Any) -> Floats:
    values = np.atleast_1d(np.asarray(tau2, dtype=np.float64))
    bad = ~(np.isfinite(values) & (values >= 0.0))
    if values.ndim != 1 or bad.any():
        wrong = values.ravel()[np.flatnonzero(bad.ravel())[:1]].tolist()
        raise InputError(f"tau2 must be a row of numbers of at least 0; got {wrong[0] if wrong else values.shape}")
    return values
