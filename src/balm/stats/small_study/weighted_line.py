"""A straight line through the studies: weighted least squares, or a meta-regression with additive heterogeneity."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.regression.meta_regression import MetaRegression, meta_regression
from balm.stats.small_study.studies import on_a_line
from balm.stats.tails import OneTail, t_critical
from balm.vocabulary.interval import Interval


@dataclass(frozen=True, slots=True)
class Term:
    """Intercept or slope of a line; ``nan`` statistics where the studies lie on the line exactly."""

    estimate: float
    se: float
    statistic: float
    p: float
    interval: Interval


@dataclass(frozen=True, eq=False, slots=True)
class Line:
    """``effect = intercept + slope * x``.

    df         : of the reference distribution; ``inf`` when it is normal.
    sigma      : square root of the multiplicative heterogeneity (residual standard error); 1 in the other models.
    tau2       : additive heterogeneity; 0 in the other models.
    exact      : the studies lie on the line within rounding, so that its errors are 0.
    regression : the meta-regression behind it, where there is one.
    """

    intercept: Term
    slope: Term
    df: float
    sigma: float
    tau2: float
    exact: bool
    regression: MetaRegression | None = None


def multiplicative_line(effect: Floats, x: Floats, weights: Floats, level: float) -> Line:
    """Weighted least squares, the errors scaled by the residual variance, t with k - 2.

    With weights ``1/variance`` this is a meta-regression whose heterogeneity multiplies the variances (Thompson & Sharp
    1999); sums are taken around weighted means, so that nothing cancels.
    """
    total = float(np.sum(weights))
    x_mean, y_mean = float(weights @ x) / total, float(weights @ effect) / total
    dx, dy = x - x_mean, effect - y_mean
    sxx = float(weights @ (dx * dx))
    slope = float(weights @ (dx * dy)) / sxx
    rest = dy - slope * dx
    df = len(effect) - 2
    rss = float(weights @ (rest * rest))
    exact = on_a_line(rss, float(weights @ (effect * effect)))
    s2 = 0.0 if exact else rss / df
    intercept = y_mean - slope * x_mean
    return Line(
        _term(intercept, math.sqrt(s2 * (1.0 / total + x_mean * x_mean / sxx)), df, level),
        _term(slope, math.sqrt(s2 / sxx), df, level),
        float(df),
        math.sqrt(s2),
        0.0,
        exact,
    )


def _term(estimate: float, se: float, df: float, level: float) -> Term:
    if se == 0.0:
        return Term(estimate, 0.0, math.nan, math.nan, Interval(estimate, estimate, level))
    half = t_critical(level, df) * se
    z = estimate / se
    return Term(estimate, se, z, OneTail.two_sided(z, df), Interval(estimate - half, estimate + half, level))


def additive_line(es: EffectSizes, x: Floats, tau2: str | float | None, inference: str, level: float) -> Line:
    """Meta-regression on ``x``; ``tau2`` is an estimator or a number, ``None`` for the common-effect model."""
    common = tau2 is None
    fit = meta_regression(
        es, {"x": x}, model="common" if common else "random", tau2=tau2, inference=inference, level=level
    )
    terms = []
    for c in fit.coefficients:
        exact = c.se == 0.0 or not math.isfinite(c.statistic)
        terms.append(Term(c.estimate, c.se, *((math.nan, math.nan) if exact else (c.statistic, c.p)), c.interval))
    exact = on_a_line(fit.qe, float(np.sum(es.effect**2 / es.variance)))
    return Line(terms[0], terms[1], fit.df, 1.0, fit.tau2, exact, fit)
