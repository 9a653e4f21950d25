"""The estimators of the between-study variance: one row each.

A row says how the estimate is found, how its standard error is, and where it comes from. The estimate may be negative
before truncation; :func:`estimate_tau2` sets it to zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from balm.stats.groups import OneGroup
from balm.stats.heterogeneity import likelihood, moments
from balm.stats.heterogeneity.generalised_q import q_equation, tau2_where_q_is
from balm.stats.heterogeneity.quadratic_forms import median_unbiased
from balm.stats.heterogeneity.weighted import total_without_each, trace_p, trace_pp, typical_variance
from balm.stats.tails import tails_for
from balm.vocabulary.quick_dataclass import dataclass


@dataclass(frozen=True)
class Tau2Estimator:
    """``estimate(g, scale, weights)`` and ``error(g, tau2, weights)``; ``equation`` is set where a root is sought."""

    name: str
    title: str
    estimate: Callable[[Any, Any, Any], Any]
    error: Callable[[Any, Any, Any], Any]
    source: str
    equation: Callable[[Any, Any, Any], tuple[Any, Any]] | None = None
    takes_weights: bool = False


def _positive(g: Any, value: Any) -> Any:
    return g.where(value > 0.0, value, 0.0)


def _variance_of_moments(g: Any, tau2: Any, a: Any) -> Any:
    """``2 tr(A S A S)`` for the projection A with weights ``a`` and ``S = diag(v + tau2)``: a sum of positive terms.

    On the diagonal of A stands ``a_i (sum(a) - a_i) / sum(a)``, elsewhere ``-a_i a_j / sum(a)``.
    """
    total, without = total_without_each(g, a)
    s = a * (g.variance + g.spread(tau2))
    diagonal = s * without
    beside = a * s
    others = beside * g.rest
    first, u = g.lead(beside), g.sum(others)
    pairs = 2.0 * first * u + (u * u - g.dot(others, others))
    return 2.0 * (g.dot(diagonal, diagonal) + pairs) / (total * total)


def _moments_error(weights: Callable[[Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    def error(g: Any, tau2: Any, user: Any) -> Any:
        a = weights(g, user)
        return _variance_of_moments(g, tau2, a) ** 0.5 / trace_p(g, a)

    return error


def _inverse_variance(g: Any, _: Any) -> Any:
    return 1.0 / g.variance


def _equal(g: Any, _: Any) -> Any:
    return 0.0 * g.variance + 1.0


def precision_weights(g: Any, user: Any) -> Any:
    """The weights of the generalised Q: the caller's, else ``1/sqrt(v)`` (Jackson 2013, section 5)."""
    return g.variance**-0.5 if user is None else user


def _hs_error(g: Any, tau2: Any, _: Any) -> Any:
    a = 1.0 / g.variance
    return _variance_of_moments(g, tau2, a) ** 0.5 / g.sum(a)


def _sj_error(g: Any, tau2: Any, _: Any) -> Any:
    start = moments.crude(g)
    return start / (g.k - 1) * _variance_of_moments(g, tau2, 1.0 / (g.variance + g.spread(start))) ** 0.5


def _ml_error(g: Any, tau2: Any, _: Any) -> Any:
    w = 1.0 / (g.variance + g.spread(tau2))
    return (2.0 / g.dot(w, w)) ** 0.5


def _reml_error(g: Any, tau2: Any, _: Any) -> Any:
    return (2.0 / trace_pp(g, 1.0 / (g.variance + g.spread(tau2)))) ** 0.5


def _eb_error(g: Any, tau2: Any, _: Any) -> Any:
    return (2.0 * g.k * g.k / (g.k - 1)) ** 0.5 / g.sum(1.0 / (g.variance + g.spread(tau2)))


def _reml(g: Any, scale: Any, _: Any) -> Any:
    return likelihood.restricted_maximum_likelihood(g, _positive(g, moments.hedges(g)), scale)


def _ml(g: Any, scale: Any, _: Any) -> Any:
    return likelihood.maximum_likelihood(g, _positive(g, moments.hedges(g)), scale)


def _paule_mandel(g: Any, scale: Any, _: Any) -> Any:
    return tau2_where_q_is(g, g.k - 1.0, scale)


def _paule_mandel_median(g: Any, scale: Any, _: Any) -> Any:
    return tau2_where_q_is(g, tails_for(g).chi2_quantile(0.5, g.k - 1), scale)


def _pm_equation(g: Any, t: Any, _: Any) -> tuple[Any, Any]:
    return q_equation(g, t, g.k - 1.0)


def _pmm_equation(g: Any, t: Any, _: Any) -> tuple[Any, Any]:
    return q_equation(g, t, tails_for(g).chi2_quantile(0.5, g.k - 1))


def _two_step_dl(g: Any, _scale: Any, _: Any) -> Any:
    return moments.two_step(g, _positive(g, moments.dersimonian_laird(g)))


def _two_step_he(g: Any, _scale: Any, _: Any) -> Any:
    return moments.two_step(g, _positive(g, moments.hedges(g)))


def _two_step_weights(first: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda g, _: 1.0 / (g.variance + g.spread(_positive(g, first(g))))


_ROWS = (
    Tau2Estimator(
        "DL",
        "DerSimonian-Laird",
        lambda g, s, _: moments.dersimonian_laird(g),
        _moments_error(_inverse_variance),
        "DerSimonian & Laird 1986, Control Clin Trials 7:177",
    ),
    Tau2Estimator(
        "HE",
        "Hedges",
        lambda g, s, _: moments.hedges(g),
        _moments_error(_equal),
        "Hedges 1983, Psychol Bull 93:388",
    ),
    Tau2Estimator(
        "HS",
        "Hunter-Schmidt",
        lambda g, s, _: moments.hunter_schmidt(g),
        _hs_error,
        "Hunter & Schmidt 2004, Methods of Meta-Analysis, ch. 9",
    ),
    Tau2Estimator(
        "HSk",
        "Hunter-Schmidt with small-sample correction",
        lambda g, s, _: moments.hunter_schmidt_small_sample(g),
        lambda g, t, _: _hs_error(g, t, _) * g.k / (g.k - 1),
        "Brannick et al. 2019, Res Synth Methods 10:490",
    ),
    Tau2Estimator(
        "SJ",
        "Sidik-Jonkman",
        lambda g, s, _: moments.sidik_jonkman(g),
        _sj_error,
        "Sidik & Jonkman 2005, J R Stat Soc C 54:367",
    ),
    Tau2Estimator(
        "ML",
        "maximum likelihood",
        _ml,
        _ml_error,
        "Hardy & Thompson 1996, Stat Med 15:619",
        equation=likelihood.ml_equation,
    ),
    Tau2Estimator(
        "REML",
        "restricted maximum likelihood",
        _reml,
        _reml_error,
        "Viechtbauer 2005, J Educ Behav Stat 30:261",
        equation=likelihood.reml_equation,
    ),
    Tau2Estimator(
        "EB",
        "empirical Bayes",
        _paule_mandel,
        _eb_error,
        "Morris 1983, J Am Stat Assoc 78:47; equal to Paule-Mandel",
        equation=_pm_equation,
    ),
    Tau2Estimator(
        "PM",
        "Paule-Mandel",
        _paule_mandel,
        _eb_error,
        "Paule & Mandel 1982, J Res NBS 87:377",
        equation=_pm_equation,
    ),
    Tau2Estimator(
        "PMM",
        "median-unbiased Paule-Mandel",
        _paule_mandel_median,
        _eb_error,
        "Viechtbauer 2021, in: Handbook of Meta-Analysis, ch. 9",
        equation=_pmm_equation,
    ),
    Tau2Estimator(
        "GENQ",
        "generalised Q",
        lambda g, s, user: moments.general_moments(g, precision_weights(g, user)),
        _moments_error(precision_weights),
        "DerSimonian & Kacker 2007, Contemp Clin Trials 28:105; Jackson 2013, Res Synth Methods 4:220",
        takes_weights=True,
    ),
    Tau2Estimator(
        "GENQM",
        "median-unbiased generalised Q",
        lambda g, s, user: median_unbiased(g, precision_weights(g, user), s),
        _moments_error(precision_weights),
        "Viechtbauer 2021, in: Handbook of Meta-Analysis, ch. 9; Jackson 2013",
        takes_weights=True,
    ),
    Tau2Estimator(
        "DL2",
        "two-step DerSimonian-Laird",
        _two_step_dl,
        _moments_error(_two_step_weights(moments.dersimonian_laird)),
        "DerSimonian & Kacker 2007, Contemp Clin Trials 28:105",
    ),
    Tau2Estimator(
        "HE2",
        "two-step Hedges (Cochran's ANOVA)",
        _two_step_he,
        _moments_error(_two_step_weights(moments.hedges)),
        "DerSimonian & Kacker 2007, Contemp Clin Trials 28:105",
    ),
    Tau2Estimator(
        "DLIT",
        "iterated DerSimonian-Laird",
        _paule_mandel,
        _eb_error,
        "iterated to its limit, which is Paule-Mandel",
        equation=_pm_equation,
    ),
    Tau2Estimator(
        "SJIT",
        "iterated Sidik-Jonkman",
        _paule_mandel,
        _eb_error,
        "iterated to its limit, which is Paule-Mandel",
        equation=_pm_equation,
    ),
)

#: Name -> row.
TAU2_ESTIMATORS: Mapping[str, Tau2Estimator] = MappingProxyType({row.name: row for row in _ROWS})


def estimate_tau2(g: Any, name: str, scale: Any, weights: Any = None) -> tuple[Any, Any, Any, Any]:
    """The estimate (not below 0), the same before truncation, its standard error, and the relative residual.

    g     : a group or many, at least two studies each, effects counted from the most precise study.
    scale : the typical within-study variance of each group.
    """
    row = TAU2_ESTIMATORS[name]
    raw = row.estimate(g, scale, weights)
    tau2 = _positive(g, raw)
    return tau2, raw, row.error(g, tau2, weights), residual_of(g, row, tau2)


def residual_of(g: Any, row: Tau2Estimator, tau2: Any) -> Any:
    """How far the estimating equation is from zero at ``tau2``, as a relative change of ``tau2`` plus typical variance.

    At zero only a positive value counts: there the solution is at the border.
    """
    if row.equation is None:
        return 0.0 if isinstance(g, OneGroup) else 0.0 * g.k
    value, step = row.equation(g, tau2, 0.0)
    scale = tau2 + typical_variance(g, 1.0 / g.variance)
    return g.where((tau2 > 0.0) | (value > 0.0), abs(step) / scale, 0.0)


__all__ = ["TAU2_ESTIMATORS", "Tau2Estimator", "estimate_tau2", "trace_p"]
