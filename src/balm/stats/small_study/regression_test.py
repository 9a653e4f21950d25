"""Regression tests on effects: Egger's, with additive heterogeneity, Thompson and Sharp's, and for two groups."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.pooled import Pooled
from balm.stats.regression.between_study_variance import ESTIMATORS
from balm.stats.regression.meta_regression import INFERENCES
from balm.stats.small_study.outcome import SmallStudyTest
from balm.stats.small_study.predictors import PREDICTORS, modified_se, predictor_values
from balm.stats.small_study.studies import check_varies
from balm.stats.small_study.weighted_line import Line, additive_line, multiplicative_line
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import check_option

ON_A_LINE = "The studies lie exactly on a line (or all effects are equal): there is no error to judge the slope by."


def line_test(
    method: str,
    name: str,
    source: str,
    line: Line,
    *,
    predictor: str,
    model: str,
    has_limit: bool,
    k: int,
    level: float,
    advice: tuple[str, ...],
) -> SmallStudyTest:
    """The test that the slope of ``line`` is zero."""
    if math.isnan(line.slope.p):
        advice = (ON_A_LINE, *advice)
    nothing = Interval(math.nan, math.nan, level)
    return SmallStudyTest(
        method=method,
        name=name,
        source=source,
        statistic=line.slope.statistic,
        df=line.df,
        p=line.slope.p,
        predictor=predictor,
        model=model,
        tau2=line.tau2,
        line=line,
        limit=line.intercept.estimate if has_limit else math.nan,
        limit_interval=line.intercept.interval if has_limit else nothing,
        kendall=None,
        k=k,
        level=level,
        advice=advice,
    )


def egger(
    es: EffectSizes, *, predictor: str, sample_size: Any, level: float, advice: tuple[str, ...]
) -> SmallStudyTest:
    """Effects on the predictor by weighted least squares with weights 1/variance; t with k - 2.

    With the standard error as predictor this is Egger's regression of effect/se on 1/se, whose intercept is the slope
    here. Egger, Davey Smith, Schneider & Minder (1997), BMJ 315:629; Sterne & Egger (2005), chapter 6.
    """
    x = predictor_values(es, predictor, sample_size)
    words = PREDICTORS[predictor].words
    check_varies(x, f"the {words}", "Egger's test")
    line = multiplicative_line(es.effect, x, 1.0 / es.variance, level)
    return line_test(
        "egger",
        "Egger's regression test" if predictor == "se" else f"Regression test on the {words}",
        "Egger M, Davey Smith G, Schneider M, Minder C. BMJ 1997;315:629-34",
        line,
        predictor=words,
        model="multiplicative",
        has_limit=PREDICTORS[predictor].has_limit,
        k=len(es),
        level=level,
        advice=advice,
    )


def model_of(
    fit: Pooled | EffectSizes, tau2: Any, inference: str | None
) -> tuple[str | float | None, str, tuple[str, ...]]:
    """Estimator of tau2 (``None``: common effect), inference, and what had to be said about them.

    The fit's own choices stand where a regression has them; otherwise REML and the guarded Hartung-Knapp, in words.
    """
    conventions: Mapping[str, Any] = fit.conventions if isinstance(fit, Pooled) else {}
    said: list[str] = []
    if tau2 is None:
        if conventions.get("model") == "common":
            tau2 = None
        else:
            tau2 = conventions.get("tau2", "REML")
            if isinstance(tau2, str) and tau2 not in ESTIMATORS:
                said.append(f"The estimator {tau2} has no form with a moderator; REML was taken for the regression.")
                tau2 = "REML"
    elif isinstance(tau2, str):
        check_option("tau2", tau2, ESTIMATORS)
    if inference is None:
        inference = str(conventions.get("inference", "hartung-knapp-guarded"))
        if inference not in INFERENCES:
            said.append(
                f"inference={inference!r} has no form with a moderator; hartung-knapp-guarded was taken for the "
                "regression."
            )
            inference = "hartung-knapp-guarded"
    return tau2, check_option("inference", inference, INFERENCES), tuple(said)


def additive(
    fit: Pooled | EffectSizes,
    es: EffectSizes,
    *,
    predictor: str,
    sample_size: Any,
    tau2: Any,
    inference: str | None,
    level: float,
    advice: tuple[str, ...],
) -> SmallStudyTest:
    """Meta-regression of the effects on the predictor, with the heterogeneity and the inference of the fit.

    Sterne & Egger (2005), chapter 6; Thompson & Sharp (1999); Cochrane Handbook, 13.3.5.
    """
    x = predictor_values(es, predictor, sample_size)
    words = PREDICTORS[predictor].words
    check_varies(x, f"the {words}", "the regression test")
    estimator, inference, said = model_of(fit, tau2, inference)
    line = additive_line(es, x, estimator, inference, level)
    model = "common" if estimator is None else "random"
    return line_test(
        "random-effects",
        f"Regression test on the {words} ({model}-effect{'' if model == 'common' else 's'} model)",
        "Sterne JAC, Egger M. In: Rothstein, Sutton, Borenstein (eds). Publication Bias in Meta-Analysis 2005, ch. 6",
        line,
        predictor=words,
        model=model,
        has_limit=PREDICTORS[predictor].has_limit,
        k=len(es),
        level=level,
        advice=(*advice, *said),
    )


def thompson_sharp(
    fit: Pooled | EffectSizes, es: EffectSizes, *, tau2: Any, level: float, advice: tuple[str, ...]
) -> SmallStudyTest:
    """Meta-regression on the standard error with additive heterogeneity; t with k - 2.

    tau2 is estimated as in ``fit``; by DerSimonian and Laird's moments from effect sizes alone or a common-effect fit.
    Thompson & Sharp (1999), Stat Med 18:2693.
    """
    said: tuple[str, ...] = ()
    if tau2 is None and isinstance(fit, Pooled) and fit.conventions.get("model") != "common":
        tau2, _, said = model_of(fit, None, "t")
    estimator = "DL" if tau2 is None else model_of(fit, tau2, "t")[0]
    x = es.se
    check_varies(x, "the standard error", "Thompson and Sharp's test")
    line = additive_line(es, x, estimator, "t", level)
    return line_test(
        "thompson-sharp",
        "Thompson and Sharp's test",
        "Thompson SG, Sharp SJ. Stat Med 1999;18:2693-708",
        line,
        predictor="standard error",
        model="random",
        has_limit=True,
        k=len(es),
        level=level,
        advice=(*advice, *said),
    )


def pustejovsky(es: EffectSizes, *, level: float, advice: tuple[str, ...]) -> SmallStudyTest:
    """Effects on sqrt(1/n_1 + 1/n_2) with weights 1/variance; t with k - 2.

    The standard error of a standardised mean difference contains the difference itself, so that Egger's test sees
    asymmetry where there is none; this predictor does not. Pustejovsky & Rodgers (2019), Res Synth Methods 10:57.
    """
    x = modified_se(es, "Pustejovsky and Rodgers' test")
    return line_test(
        "pustejovsky",
        "Pustejovsky and Rodgers' test",
        "Pustejovsky JE, Rodgers MA. Res Synth Methods 2019;10:57-71",
        multiplicative_line(es.effect, x, 1.0 / es.variance, level),
        predictor="square root of 1/n_1 + 1/n_2",
        model="multiplicative",
        has_limit=True,
        k=len(es),
        level=level,
        advice=advice,
    )


def macaskill(es: EffectSizes, *, sample_size: Any, level: float, advice: tuple[str, ...]) -> SmallStudyTest:
    """Effects on the sample size with weights 1/variance; t with k - 2.

    The method called FIV by Macaskill, Walter & Irwig (2001), Stat Med 20:641.
    """
    x = predictor_values(es, "sample-size", sample_size)
    check_varies(x, "the sample size", "Macaskill's test")
    return line_test(
        "macaskill",
        "Macaskill's test",
        "Macaskill P, Walter SD, Irwig L. Stat Med 2001;20:641-54",
        multiplicative_line(es.effect, x, 1.0 / es.variance, level),
        predictor="sample size",
        model="multiplicative",
        has_limit=False,
        k=len(es),
        level=level,
        advice=advice,
    )
