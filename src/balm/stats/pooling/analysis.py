"""One random- or common-effects analysis, written once for one group (floats) and for many (arrays)."""

from __future__ import annotations

import math
from typing import Any

from balm.stats.arrays import np
from balm.stats.groups import OneGroup, centred
from balm.stats.heterogeneity.estimators import TAU2_ESTIMATORS, estimate_tau2
from balm.stats.heterogeneity.moments import dersimonian_laird
from balm.stats.heterogeneity.weighted import trace_p
from balm.stats.pooling.choices import Choices
from balm.stats.pooling.inference import INFERENCES, hartung_knapp_factor, kenward_roger
from balm.stats.pooling.prediction import PREDICTIONS
from balm.stats.tails import tails_for
from balm.vocabulary.quick_dataclass import dataclass


@dataclass(slots=True)
class Analysis:
    """What an analysis computes: floats for one group, arrays with one entry a group for many.

    ``w`` are the weights of the mean (not scaled); ``df`` is infinite for a normal reference; ``wald`` is Wald's SE and
    ``factor`` Hartung-Knapp's ``q``, whatever interval is in force; ``before`` is tau2 before truncation at 0.
    """

    estimate: Any
    se: Any
    df: Any
    low: Any
    high: Any
    statistic: Any
    p: Any
    tau2: Any
    tau2_se: Any
    before: Any
    residual: Any
    q: Any
    q_p: Any
    i2: Any
    h2: Any
    typical: Any
    prediction_low: Any
    prediction_high: Any
    prediction_df: Any
    prediction_error: Any
    wald: Any
    factor: Any
    w: Any


@dataclass(slots=True)
class Sums:
    """What the weighted sums of an analysis come to, before any interval: see :class:`Analysis` for the fields.

    ``mean`` is counted from ``origin``, the effect of each group's most precise study.
    """

    mean: Any
    origin: Any
    wald: Any
    factor: Any
    tau2: Any
    tau2_se: Any
    before: Any
    residual: Any
    q: Any
    typical: Any
    w: Any


def analyse(g: Any, choices: Choices, weights: Any = None) -> Analysis:
    """The full analysis of groups with at least two studies each.

    weights : (n,) the caller's weights for the mean (and for a generalised Q), or ``None``.
    """
    g, origin = centred(g)
    return conclude(g, choices, add_up(g, choices, origin, weights))


def add_up(g: Any, choices: Choices, origin: Any, weights: Any = None) -> Sums:
    """Between-study variance and weighted mean of centred groups."""
    one = isinstance(g, OneGroup)
    square_root: Any = math.sqrt if one else np.sqrt
    k = g.k
    w0 = 1.0 / g.variance
    total0 = g.sum(w0)
    residual0 = g.effect - g.spread(g.dot(w0, g.effect) / total0)
    q = g.dot(w0 * residual0, residual0)
    typical = (k - 1) / trace_p(g, w0)

    # Between-study variance
    if choices.tau2 is None:
        tau2 = before = 0.0 * q
        tau2_se = math.nan if one else np.full(len(q), math.nan)
        residual = 0.0 * q
    elif isinstance(choices.tau2, float):
        tau2 = before = 0.0 * q + choices.tau2
        tau2_se = TAU2_ESTIMATORS["REML"].error(g, tau2, None)
        residual = 0.0 * q
    else:
        own = weights if TAU2_ESTIMATORS[choices.tau2].takes_weights else None
        tau2, before, tau2_se, residual = estimate_tau2(g, choices.tau2, typical, own)

    # Mean
    spread = g.variance + g.spread(tau2)
    w = w0 if choices.model == "common" else 1.0 / spread
    if weights is not None or choices.model == "ivhet":
        a = w0 if weights is None else weights
        total = g.sum(a)
        mean = g.dot(a, g.effect) / total
        wald = square_root(g.dot(a * spread, a)) / total
        if choices.model == "random":
            # of the model, not of the weights: residuals from the efficient mean (Knapp & Hartung 2003, y'Py / (k - 1))
            factor = hartung_knapp_factor(g, w, g.effect - g.spread(g.dot(w, g.effect) / g.sum(w)))
        else:
            factor = math.nan if one else np.full(len(q), math.nan)
    else:
        a = w
        total = g.sum(a)
        mean = g.dot(a, g.effect) / total
        factor = hartung_knapp_factor(g, a, g.effect - g.spread(mean))
        wald = square_root(1.0 / total)

    return Sums(mean, origin, wald, factor, tau2, tau2_se, before, residual, q, typical, a)


def conclude(g: Any, choices: Choices, sums: Sums) -> Analysis:
    """Intervals, tests, heterogeneity and prediction from the sums."""
    tails = tails_for(g)
    one = isinstance(g, OneGroup)
    square_root: Any = math.sqrt if one else np.sqrt
    k = g.k
    mean, origin, wald, factor, w = sums.mean, sums.origin, sums.wald, sums.factor, sums.w
    tau2, q, typical = sums.tau2, sums.q, sums.typical

    # Its interval
    row = INFERENCES[choices.inference]
    infinite = math.inf if one else np.full(len(q), math.inf)
    df = infinite if row.df == "normal" else k - 1.0
    hk = wald * square_root(factor) if factor is not None else wald
    kr_se = kr_df = None
    if "kenward-roger" in (row.error, PREDICTIONS[choices.prediction].error):
        kr_variance, kr_df = kenward_roger(g, w)
        kr_se = square_root(kr_variance)
    if row.error == "wald":
        se = wald
    elif row.error == "hartung-knapp":
        se = hk
    elif row.error == "guarded":
        se = g.where(hk > wald, hk, wald)
    elif row.error == "kenward-roger":
        se, df = kr_se, kr_df
    else:
        reference = wald if row.error == "wider" else _dersimonian_laird_error(g, square_root)
        narrower = tails.critical(choices.level, df) * hk < tails.critical(choices.level, infinite) * reference
        floored = g.where(hk > wald, hk, wald)
        if row.error == "wider":
            se, df = g.where(narrower, wald, hk), g.where(narrower, infinite, df)
        else:
            se = g.where(narrower, floored, hk)
    estimate = origin + mean
    critical = tails.critical(choices.level, df)
    statistic = _ratio(one, estimate, se)
    low, high, p = estimate - critical * se, estimate + critical * se, tails.two_sided(statistic, df)
    if row.ends is not None:
        low, high, statistic, p = _own_ends(g, row.ends, choices.level, mean, se, tau2, origin)

    # Heterogeneity
    if choices.i2 == "from-q":
        h2 = q / (k - 1)
        i2 = g.where(h2 > 1.0, 100.0 * (1.0 - 1.0 / g.where(h2 > 1.0, h2, 1.0)), 0.0)
    else:
        h2 = (tau2 + typical) / typical
        i2 = 100.0 * tau2 / (tau2 + typical)

    # A new study
    p_low, p_high, p_df, p_error = _predict(
        g, choices, origin, estimate, tau2, se, df, wald, hk, kr_se, kr_df, infinite, tails
    )
    return Analysis(
        estimate=estimate,
        se=se,
        df=df,
        low=low,
        high=high,
        statistic=statistic,
        p=p,
        tau2=tau2,
        tau2_se=sums.tau2_se,
        before=sums.before,
        residual=sums.residual,
        q=q,
        q_p=tails.chi2_upper(q, k - 1),
        i2=i2,
        h2=h2,
        typical=typical,
        prediction_low=p_low,
        prediction_high=p_high,
        prediction_df=p_df,
        prediction_error=p_error,
        wald=wald,
        factor=factor,
        w=w,
    )


def _dersimonian_laird_error(g: Any, square_root: Any) -> Any:
    """Wald's SE with DerSimonian-Laird's tau2, which the IQWiG rule compares with (General Methods 6.0, 10.3.1.4)."""
    raw = dersimonian_laird(g)
    return square_root(1.0 / g.sum(1.0 / (g.variance + g.spread(g.where(raw > 0.0, raw, 0.0)))))


def _own_ends(g: Any, ends: Any, level: float, mean: Any, se: Any, tau2: Any, origin: Any) -> Any:
    """Intervals that have ends of their own, group by group."""
    if isinstance(g, OneGroup):
        low, high, statistic, p = ends(g, mean, se, tau2, level, -origin)
        return origin + low, origin + high, statistic, p
    rows = [
        ends(OneGroup(g.effect[here], g.variance[here]), float(m), float(s), float(t), level, -float(o))
        for here, m, s, t, o in zip(g.rows(), mean, se, tau2, origin, strict=True)
    ]
    low, high, statistic, p = np.array(rows).T
    return origin + low, origin + high, statistic, p


def _ratio(one: bool, top: Any, bottom: Any) -> Any:
    """``top / bottom``; infinite (or nan, for 0/0) where an SE of exactly 0 says that all effects agree."""
    if one:
        if bottom:
            return top / bottom
        return math.copysign(math.inf, top) if top else math.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        return top / bottom


def _confidence_distribution(g: Any, level: float) -> Any:
    """The ends for effects counted from their origin, group by group."""
    from balm.stats.pooling.confidence_distribution import predict

    if isinstance(g, OneGroup):
        return predict(g, level)
    found = [predict(OneGroup(g.effect[here], g.variance[here]), level) for here in g.rows()]
    return np.array(found).reshape(-1, 2).T


def _predict(
    g: Any,
    choices: Choices,
    origin: Any,
    estimate: Any,
    tau2: Any,
    se: Any,
    df: Any,
    wald: Any,
    hk: Any,
    kr_se: Any,
    kr_df: Any,
    infinite: Any,
    tails: Any,
) -> tuple[Any, Any, Any, Any]:
    row = PREDICTIONS[choices.prediction]
    undefined = 0.0 * estimate + math.nan
    if row.name == "none":
        return undefined, undefined, undefined, undefined
    if row.error == "own":
        low, high = _confidence_distribution(g, choices.level)
        return origin + low, origin + high, undefined, undefined
    error = {"in-force": se, "wald": wald, "hartung-knapp": hk, "kenward-roger": kr_se}[row.error]
    k = g.k
    if row.df == "k-1":
        freedom = k - 1.0
    elif row.df == "k-2":
        freedom = k - 2.0
    elif row.df == "in-force":
        freedom = df
    elif row.df == "kr":
        freedom = kr_df
    elif row.df == "kr-1":
        freedom = kr_df - 1.0
    else:
        freedom = infinite
    critical = tails.critical(choices.level, freedom)
    half = critical * (tau2 + error * error) ** 0.5
    return estimate - half, estimate + half, freedom, error
