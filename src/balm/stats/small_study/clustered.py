"""Small-study effects where studies give several effects: Egger-type regressions with cluster-robust inference.

A test that takes dependent effects for independent ones finds asymmetry too often. Two ways hold their level (Rodgers &
Pustejovsky 2021, Psychol Methods 26:141):

- the "sandwich": Egger's weighted least squares line, with standard errors from whole clusters;
- the multilevel line: effects within studies within the model ``y = b0 + b1 x + u_study + u_effect + e``, and
  cluster-robust standard errors on top, so that the test does not rest on that model.

Both take CR2 and Satterthwaite's degrees of freedom (Tipton 2015; Pustejovsky & Tipton 2018). For standardised mean
differences the predictor should be the modified standard error, ``sqrt(1/n_1 + 1/n_2)``: method "pustejovsky".
With one effect a cluster, equal weights and the sandwich, the standard errors are those of HC2.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.multilevel.cluster_robust import FEWEST_DF, Robust, from_working, robust, weighted
from balm.stats.multilevel.fitted import Multilevel
from balm.stats.multilevel.grouping import Grouping, cluster_of
from balm.stats.multilevel.multilevel import multilevel, with_moderators
from balm.stats.pooling.pooled import Pooled
from balm.stats.regression.design import from_columns
from balm.stats.small_study.outcome import SmallStudyTest
from balm.stats.small_study.predictors import PREDICTORS, modified_se, predictor_values
from balm.stats.small_study.studies import CLUSTERS, ENOUGH, LEAST, check_varies, studies_of
from balm.stats.small_study.weighted_line import Line, Term
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError, check_option

#: The tests that have a form for clusters.
METHODS = ("egger", "random-effects", "pustejovsky")
SOURCE = "Rodgers MA, Pustejovsky JE. Psychol Methods 2021;26:141-60"


def clustered_test(
    fit: Pooled | EffectSizes | Multilevel,
    method: str,
    *,
    predictor: str | None,
    sample_size: Any,
    tau2: Any,
    inference: Any,
    level: float,
    force: bool,
    cluster: Any,
) -> SmallStudyTest:
    """The test that the slope is 0; see :func:`balm.small_study_test` for the arguments.

    A result of :func:`balm.multilevel` keeps its random effects and known covariances under "random-effects" and
    "pustejovsky"; its clusters are by default the levels of its coarsest random effect.
    """
    from balm.stats.small_study.small_study_test import METHODS as TESTS

    who = TESTS[method].name
    if method not in METHODS:
        raise InputError(CLUSTERS.format(who=who[0].upper() + who[1:]))
    for name, value in (("tau2", tau2), ("inference", inference)):
        if value is not None:
            raise InputError(
                f"{name}= does not apply with cluster=: the model has random effects of clusters and effects, tested "
                "with CR2; give a result of balm.multilevel for another one"
            )
    es, model, g = _dependent(fit, cluster, who)
    advice = _enough(g.count, who, force)
    if method == "pustejovsky":
        x, words, has_limit = modified_se(es, "Pustejovsky and Rodgers' test"), "modified standard error", True
    else:
        row = PREDICTORS[check_option("predictor", predictor or "se", list(PREDICTORS))]
        x, words, has_limit = predictor_values(es, predictor or "se", sample_size), row.words, row.has_limit
        check_varies(x, f"the {words}", who)
    if method == "egger":
        found, between = _sandwich(es, x, g, level), 0.0
    else:
        if model is None:
            random: Any = ["cluster", "cluster/effect"] if g.count < len(es) else "effect"
            line = multilevel(es, {"x": x}, random=random, data={"cluster": g.codes}, level=level)
        else:
            line = with_moderators(model, {"x": x})
        found = robust(line, g.codes, level=level)
        between = float(np.sum(line.sigma2)) if not len(line.tau2) else math.nan
    intercept, slope = (_term(found, i) for i in range(2))
    df = float(found.df[1])
    if not df >= FEWEST_DF:
        advice = (
            f"{df:.1f} degrees of freedom for the slope, fewer than {FEWEST_DF:g}: do not rely on this p value "
            "(Tipton 2015).",
            *advice,
        )
    nothing = Interval(math.nan, math.nan, level)
    kind = "sandwich" if method == "egger" else "multilevel"
    return SmallStudyTest(
        method=method,
        name=f"Egger's regression test for dependent effects ({kind}, on the {words})",
        source=SOURCE,
        statistic=slope.statistic,
        df=df,
        p=slope.p,
        predictor=words,
        model="multiplicative" if method == "egger" else "multilevel",
        tau2=between,
        line=Line(intercept, slope, df, 1.0, 0.0 if math.isnan(between) else between, False),
        limit=intercept.estimate if has_limit else math.nan,
        limit_interval=intercept.interval if has_limit else nothing,
        kendall=None,
        k=len(es),
        level=level,
        advice=advice,
        clusters=g.count,
        robust=found,
    )


def _dependent(
    fit: Pooled | EffectSizes | Multilevel, cluster: Any, who: str
) -> tuple[EffectSizes, Multilevel | None, Grouping]:
    """The usable effects, the multilevel model they come from, and their clusters."""
    if isinstance(fit, Multilevel):
        if len(fit.beta) != 1 or not fit.design.intercept:
            raise InputError(f"{who} adds its own moderator: fit balm.multilevel without moderators")
        if cluster is None:
            if not fit.terms:
                raise InputError(f"{who} needs cluster=: this model has no random effects that tell clusters apart")
            return fit.effects, fit, min((t.groups for t in fit.terms), key=lambda one: one.count)
        return fit.effects, fit, cluster_of(fit.effects, cluster, None)
    es = studies_of(fit, who)
    whole = fit.effects if isinstance(fit, Pooled) else fit
    g = cluster_of(whole, cluster, None)
    if len(es) < len(whole):
        keep: NDArray[np.bool_] = (
            whole.estimable & ~whole.double_zero & np.isfinite(whole.effect) & (whole.variance > 0.0)
        )
        labels = g.labels
        g = cluster_of(es, [labels[code] for code in g.codes[keep].tolist()], None)
    return es, None, g


def _enough(count: int, who: str, force: bool) -> tuple[str, ...]:
    if count < LEAST:
        raise InputError(f"{who} needs at least {LEAST} clusters; there are {count}")
    if count >= ENOUGH:
        return ()
    if not force:
        raise InputError(
            f"{who} needs at least {ENOUGH} clusters and there are {count}: with fewer, the test has too little power "
            "to tell chance from real asymmetry (Cochrane Handbook, 13.3.5.3); force=True computes it all the same"
        )
    return (f"Only {count} clusters: fewer than {ENOUGH} cannot tell chance from real asymmetry.",)


def _sandwich(es: EffectSizes, x: Floats, g: Grouping, level: float) -> Robust:
    """Egger's weighted least squares line with CR2 errors."""
    design = from_columns({"x": x}, None, True, len(es))
    w = 1.0 / es.variance
    wx = w[:, None] * design.matrix
    beta = np.asarray(np.linalg.solve(design.matrix.T @ wx, wx.T @ es.effect), dtype=np.float64)
    return from_working(weighted(es, design, beta, w, g), "CR2", "satterthwaite", level)


def _term(found: Robust, i: int) -> Term:
    c = found.coefficients[i]
    return Term(c.estimate, c.se, c.statistic, c.p, c.interval)
