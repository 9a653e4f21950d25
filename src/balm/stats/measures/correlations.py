"""Correlations of one sample: simple, partial and semi-partial.

``m`` predictors stand in the regression model from which a partial or semi-partial correlation is taken.
"""

from __future__ import annotations

import math

from balm.stats.arrays import np
from balm.stats.measures.measure import Floats, Measure
from balm.stats.measures.small_sample import hedges_factor
from balm.stats.measures.two_group_means import weighted_mean
from balm.vocabulary.scale import FISHER_Z, IDENTITY

#: Step of the trapezoidal rule; the error of an analytic, decaying integrand falls as exp(-2 pi width/step).
_STEP = 0.125


def unbiased(r: Floats, n: Floats) -> Floats:
    """Olkin & Pratt's (1958) unbiased estimate of rho, ``r F(1/2, 1/2; (n-2)/2; 1 - r^2)``; ``nan`` for n <= 4.

    Euler's integral of the hypergeometric function by the trapezoidal rule in ``u = ln tan``, where every term is
    positive: relative error about 1e-15, also near ``r = 0``, where series and library routines lose digits.
    """
    c = np.where(n > 4.0, (n - 2.0) / 2.0, np.nan)
    total = np.zeros_like(r)
    square = r**2
    for u in np.arange(-60.0, 40.0 + _STEP / 2.0, _STEP):
        # t^(n-4) (1 + t^2)^(-(n-3)/2) (t^2 + r^2)^(-1/2) dt with t = exp(u), powers taken in logs
        log_fall = -0.5 * np.log1p(np.exp(-2.0 * u)) if u > 0.0 else u - 0.5 * np.log1p(np.exp(2.0 * u))
        total += np.exp((2.0 * c - 2.0) * log_fall + u) / np.sqrt((1.0 + np.exp(2.0 * u)) * (np.exp(2.0 * u) + square))
    factor = hedges_factor(2.0 * c) * np.sqrt(c / math.pi) * 2.0
    return r * factor * total * _STEP


def unbiased_square(r: Floats, n: Floats) -> Floats:
    """Olkin & Pratt's (1958) unbiased estimate of rho squared, ``1 - (n-3)/(n-2) (1-r^2) F(1, 1; n/2; 1-r^2)``."""
    c = np.where(n > 4.0, n / 2.0, np.nan)
    total = np.zeros_like(r)
    square = r**2
    for v in np.arange(-120.0, 40.0 + _STEP / 2.0, _STEP):
        s, rest = 1.0 / (1.0 + np.exp(-v)), 1.0 / (1.0 + np.exp(v))
        total += np.exp((c - 1.0) * -np.log1p(np.exp(-v))) * rest / (square + (1.0 - square) * s)
    return 1.0 - (n - 3.0) / (n - 2.0) * (1.0 - square) * (c - 1.0) * total * _STEP


def correlation(*, r: Floats, n: Floats, variance_type: str = "LS") -> tuple[Floats, Floats]:
    """Pearson's r with variance ``(1 - r^2)^2/(n - 1)``.

    variance_type : "UB" unbiased (Hedges 1989); "AV" at the mean correlation of all studies; "H0" ``1/(n - 1)``, as if
    there were none.
    """
    if variance_type == "UB":
        return r, r**2 - unbiased_square(r, n)
    at = np.full_like(r, weighted_mean(r, n)) if variance_type == "AV" else r
    if variance_type == "H0":
        at = np.zeros_like(r)
    return r, (1.0 - at**2) ** 2 / (n - 1.0)


def unbiased_correlation(*, r: Floats, n: Floats, variance_type: str = "LS") -> tuple[Floats, Floats]:
    """Olkin & Pratt's (1958) unbiased correlation; ``variance_type`` as for :func:`correlation`."""
    effect = unbiased(r, n)
    if variance_type == "UB":
        return effect, effect**2 - unbiased_square(r, n)
    at = np.full_like(r, weighted_mean(effect, n)) if variance_type == "AV" else effect
    return effect, (1.0 - at**2) ** 2 / (n - 1.0)


def fisher_z(*, r: Floats, n: Floats) -> tuple[Floats, Floats]:
    """``atanh r`` with variance ``1/(n - 3)``.  Fisher (1921) Metron 1:3."""
    return np.arctanh(r), 1.0 / (n - 3.0)


def partial_correlation(
    *, n: Floats, predictors: Floats, r: Floats | None = None, t: Floats | None = None, variance_type: str = "LS"
) -> tuple[Floats, Floats]:
    """Partial correlation, given or from the t of its coefficient, with variance ``(1 - r^2)^2/(n - m)``.

    ``variance_type="AV"`` takes it at the mean partial correlation of all studies.
    Aloe & Thompson (2013) J Soc Soc Work Res 4:390.
    """
    partial = _partial(n, predictors, r, t)
    at = np.full_like(partial, weighted_mean(partial, n)) if variance_type == "AV" else partial
    return partial, (1.0 - at**2) ** 2 / (n - predictors)


def fisher_z_of_partial(
    *, n: Floats, predictors: Floats, r: Floats | None = None, t: Floats | None = None
) -> tuple[Floats, Floats]:
    """Fisher's z of a partial correlation, with variance ``1/(n - m - 2)``.  Fisher (1924)."""
    return np.arctanh(_partial(n, predictors, r, t)), 1.0 / (n - predictors - 2.0)


def _partial(n: Floats, predictors: Floats, r: Floats | None, t: Floats | None) -> Floats:
    if r is not None:
        return r
    given = np.asarray(t, dtype=np.float64)
    return given / np.sqrt(given**2 + n - predictors - 1.0)


def semi_partial_correlation(
    *,
    n: Floats,
    predictors: Floats,
    r2: Floats,
    r: Floats | None = None,
    t: Floats | None = None,
    variance_type: str = "LS",
) -> tuple[Floats, Floats]:
    """Semi-partial correlation of one predictor, ``t sqrt(1 - R2)/sqrt(n - m - 1)``.

    Variance ``(R^4 - 2 R2 + f + 1 - f^2)/n`` with ``f = R2 - r^2``, r each study's own ("LS") or the mean of all
    studies ("AV").  Aloe & Becker (2012) Psychol Methods 17:596.
    """
    semi = r if r is not None else np.asarray(t) * np.sqrt(1.0 - r2) / np.sqrt(n - predictors - 1.0)
    at = np.full_like(semi, weighted_mean(semi, n)) if variance_type == "AV" else semi
    rest = r2 - at**2
    return semi, (r2**2 - 2.0 * r2 + rest + 1.0 - rest**2) / n


def fisher_z_of_semi_partial(
    *, n: Floats, predictors: Floats, r2: Floats, r: Floats | None = None, t: Floats | None = None
) -> tuple[Floats, Floats]:
    """Fisher's z of a semi-partial correlation, by the delta method."""
    semi, variance = semi_partial_correlation(n=n, predictors=predictors, r2=r2, r=r, t=t)
    return np.arctanh(semi), variance / (1.0 - semi**2) ** 2


_SIMPLE, _MODEL, _SEMI = ("r", "n"), ("n", "predictors"), ("n", "predictors", "r2")
_EITHER = (("t",), ("r",))
_TYPES = ("LS", "UB", "AV")
MEASURES = (
    Measure("COR", "Correlation", "correlation", correlation, IDENTITY, _SIMPLE, "Hedges 1989", (), (*_TYPES, "H0")),
    Measure(
        "UCOR",
        "Unbiased correlation",
        "correlation",
        unbiased_correlation,
        IDENTITY,
        _SIMPLE,
        "Olkin & Pratt 1958",
        (),
        _TYPES,
    ),
    Measure("ZCOR", "Fisher's z of a correlation", "correlation", fisher_z, FISHER_Z, _SIMPLE, "Fisher 1921"),
    Measure(
        "PCOR",
        "Partial correlation",
        "partial correlation",
        partial_correlation,
        IDENTITY,
        _MODEL,
        "Aloe & Thompson 2013",
        _EITHER,
        variance_types=("LS", "AV"),
    ),
    Measure(
        "ZPCOR",
        "Fisher's z of a partial correlation",
        "partial correlation",
        fisher_z_of_partial,
        FISHER_Z,
        _MODEL,
        "Fisher 1924",
        _EITHER,
    ),
    Measure(
        "SPCOR",
        "Semi-partial correlation",
        "partial correlation",
        semi_partial_correlation,
        IDENTITY,
        _SEMI,
        "Aloe & Becker 2012",
        _EITHER,
        variance_types=("LS", "AV"),
    ),
    Measure(
        "ZSPCOR",
        "Fisher's z of a semi-partial correlation",
        "partial correlation",
        fisher_z_of_semi_partial,
        FISHER_Z,
        _SEMI,
        "Aloe & Becker 2012",
        _EITHER,
    ),
)
