"""Regression tests for small-study effects in a model that has moderators already."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from balm.stats.regression.meta_regression import Coefficient, MetaRegression, meta_regression
from balm.stats.small_study.outcome import SmallStudyTest
from balm.stats.small_study.predictors import PREDICTORS, predictor_values
from balm.stats.small_study.regression_test import line_test
from balm.stats.small_study.studies import check_enough, check_varies, on_a_line
from balm.stats.small_study.weighted_line import Line, Term
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError

METHODS = ("egger", "random-effects")


def beside_moderators(
    fit: MetaRegression,
    method: str,
    *,
    predictor: str | None,
    sample_size: Any,
    tau2: str | float | None,
    inference: str | None,
    level: float,
    force: bool,
) -> SmallStudyTest:
    """The predictor as one more moderator of ``fit``: do small studies differ where the moderators are alike?

    "random-effects" keeps model, estimator and inference of ``fit``; "egger" is weighted least squares with
    multiplicative error, t with k - p. There is no limit estimate, as it would depend on the moderators.
    Sterne & Egger (2005), chapter 6.
    """
    if method not in METHODS:
        raise InputError(f"method={method!r} has no form with moderators; choose one of {list(METHODS)}")
    es, name = fit.effects, predictor or "se"
    x = predictor_values(es, name, sample_size)
    words = PREDICTORS[name].words
    who = "the regression test"
    check_varies(x, f"the {words}", who)
    advice = check_enough(len(es), who, force=force)
    first = 1 if fit.design.intercept else 0
    columns: dict[str, Any] = {n: fit.design.matrix[:, i] for i, n in enumerate(fit.design.names) if i >= first}
    if words in columns:
        raise InputError(f"the model has a moderator named {words!r} already: its own coefficient is the test")
    options: dict[str, Any] = {"model": "common", "inference": "hartung-knapp"}
    if method == "random-effects":
        options = {"model": fit.model, "inference": inference or fit.inference}
        if fit.model != "common" or tau2 is not None:
            options = {**options, "model": "random", "tau2": tau2 if tau2 is not None else fit.conventions["tau2"]}
    line = meta_regression(es, {**columns, words: x}, intercept=bool(first), level=level, **options)
    slope = line.coefficients[-1]
    nothing = Term(math.nan, math.nan, math.nan, math.nan, Interval(math.nan, math.nan, level))
    common = line.model == "common"
    kind = "multiplicative" if method == "egger" else line.model
    return line_test(
        method,
        f"Regression test on the {words} beside moderators ({kind} error)",
        "Sterne JAC, Egger M. In: Rothstein, Sutton, Borenstein (eds). Publication Bias in Meta-Analysis 2005, ch. 6",
        Line(
            term(line.coefficients[0]) if first else nothing,
            term(slope),
            line.df,
            math.sqrt(line.scale_factor) if common and method == "egger" else 1.0,
            line.tau2,
            on_a_line(line.qe, float(np.sum(es.effect**2 / es.variance))),
            line,
        ),
        predictor=words,
        model=kind,
        has_limit=False,
        k=len(es),
        level=level,
        advice=advice,
    )


def term(c: Coefficient) -> Term:
    """A coefficient as the test shows it; without error where the studies lie on the line."""
    exact = c.se == 0.0 or not math.isfinite(c.statistic)
    return Term(c.estimate, c.se, *((math.nan, math.nan) if exact else (c.statistic, c.p)), c.interval)
