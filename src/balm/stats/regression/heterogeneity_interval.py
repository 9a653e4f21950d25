"""Q-profile interval of what a meta-regression leaves over."""

from __future__ import annotations

from dataclasses import dataclass

from balm.stats.distributions import chi2_isf, chi2_ppf
from balm.stats.regression.between_study_variance import Problem, q_root
from balm.stats.regression.meta_regression import MetaRegression
from balm.vocabulary.interval import Interval


@dataclass(frozen=True, slots=True)
class ResidualHeterogeneity:
    """Intervals of tau², tau, I² (per cent) and H²."""

    tau2: Interval
    tau: Interval
    i2: Interval
    h2: Interval


def q_profile(fit: MetaRegression, *, level: float = 0.95) -> ResidualHeterogeneity:
    """The two tau² at which the generalised Q equals the chi-square quantiles with k - p degrees of freedom.

    Viechtbauer (2007), Stat Med 26:37; Jackson, Turner, Rhodes & Viechtbauer (2014), BMC Med Res Methodol 14:103.
    """
    problem = Problem(fit.effects.effect, fit.effects.variance, fit.design.matrix)
    tail = 0.5 * (1.0 - level)
    low = q_root(problem, chi2_isf(tail, problem.df))
    high = q_root(problem, chi2_ppf(tail, problem.df))
    s = problem.typical

    def interval(of: object) -> Interval:
        return Interval(of(low), of(high), level)  # type: ignore[operator]

    return ResidualHeterogeneity(
        interval(float),
        interval(lambda t: t**0.5),
        interval(lambda t: 100.0 * t / (t + s)),
        interval(lambda t: t / s + 1.0),
    )
