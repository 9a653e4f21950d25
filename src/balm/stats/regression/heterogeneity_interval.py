"""Intervals of what a meta-regression leaves over: by the generalised Q, or by the likelihood."""

from __future__ import annotations

from dataclasses import dataclass

from balm.stats.distributions import chi2_isf, chi2_ppf
from balm.stats.effect_sizes import Floats
from balm.stats.heterogeneity.quadratic_forms import residual_tau2_where_probability_is
from balm.stats.heterogeneity.solving import crossing
from balm.stats.regression.between_study_variance import Problem, q_root
from balm.stats.regression.meta_regression import MetaRegression
from balm.stats.regression.projection import log_likelihood
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError, check_level, check_option


@dataclass(frozen=True, slots=True)
class ResidualHeterogeneity:
    """Intervals of tau², tau, I² (per cent) and H²."""

    tau2: Interval
    tau: Interval
    i2: Interval
    h2: Interval


METHODS = ("q-profile", "profile-likelihood", "generalised-q", "biggerstaff-jackson")


def heterogeneity_interval(
    fit: MetaRegression, method: str = "q-profile", *, level: float = 0.95
) -> ResidualHeterogeneity:
    """Residual tau² and what follows from it.

    method : "q-profile": the two tau² at which the generalised Q equals the chi-square quantiles with k - p degrees of
             freedom. "profile-likelihood": where the (restricted) log-likelihood is within half the chi-square quantile
             of its maximum, for fits by REML or ML. "generalised-q": the two tau² at which the Q of fixed weights
             1/sqrt(variance) is at the tails of its own distribution; "biggerstaff-jackson": with weights 1/variance.

    Viechtbauer (2007), Stat Med 26:37; Hardy & Thompson (1996), Stat Med 15:619; Jackson, Turner, Rhodes & Viechtbauer
    (2014), BMC Med Res Methodol 14:103.
    """
    check_option("method", method, METHODS)
    check_level(level)
    problem = Problem(fit.effects.effect, fit.effects.variance, fit.design.matrix)
    ends = {
        "q-profile": _q_profile,
        "profile-likelihood": _profile_likelihood,
        "generalised-q": _generalised_q,
        "biggerstaff-jackson": _biggerstaff_jackson,
    }
    low, high = ends[method](fit, problem, level)
    s = problem.typical

    def interval(of: object) -> Interval:
        return Interval(of(low), of(high), level)  # type: ignore[operator]

    return ResidualHeterogeneity(
        interval(float),
        interval(lambda t: t**0.5),
        interval(lambda t: 100.0 * t / (t + s)),
        interval(lambda t: t / s + 1.0),
    )


def _q_profile(fit: MetaRegression, problem: Problem, level: float) -> tuple[float, float]:
    tail = 0.5 * (1.0 - level)
    return q_root(problem, chi2_isf(tail, problem.df)), q_root(problem, chi2_ppf(tail, problem.df))


def _fixed(problem: Problem, weights: Floats, level: float) -> tuple[float, float]:
    fixed = problem.weighted(weights)
    low, high = (
        residual_tau2_where_probability_is(fixed.rss, fixed.matrix, problem.variance, tail, problem.typical)
        for tail in (0.5 * (1.0 + level), 0.5 * (1.0 - level))
    )
    return low, high


def _generalised_q(fit: MetaRegression, problem: Problem, level: float) -> tuple[float, float]:
    return _fixed(problem, problem.variance**-0.5, level)


def _biggerstaff_jackson(fit: MetaRegression, problem: Problem, level: float) -> tuple[float, float]:
    return _fixed(problem, 1.0 / problem.variance, level)


def _profile_likelihood(fit: MetaRegression, problem: Problem, level: float) -> tuple[float, float]:
    estimator = fit.tau2_estimator
    if estimator not in ("ML", "REML"):
        raise InputError(
            f"method='profile-likelihood' needs a likelihood: fit with tau2='REML' or 'ML'; got tau2={estimator!r}"
        )

    def height(t: float) -> float:
        at = problem.at(t)
        return log_likelihood(at, problem.variance, problem.design, t, restricted=estimator == "REML")

    goal = height(fit.tau2) - 0.5 * chi2_ppf(level, 1)

    def above(t: float) -> float:
        return height(t) - goal

    low = 0.0 if fit.tau2 == 0.0 or above(0.0) >= 0.0 else crossing(above, fit.tau2, 0.0)
    far = 2.0 * fit.tau2 + problem.typical
    while above(far) > 0.0:
        far *= 4.0
    return low, crossing(above, fit.tau2, far)
