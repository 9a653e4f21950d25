"""Pool counts by their own likelihood: generalised linear mixed models for odds, rates and their ratios."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from balm.stats.distributions import chi2_sf
from balm.stats.effect_sizes import Bools, EffectSizes, Floats
from balm.stats.glmm.fitting import MixedFit, fit
from balm.stats.glmm.heterogeneity_tests import ChiSquare, HeterogeneityTests, heterogeneity_tests
from balm.stats.glmm.models import MEASURES, ONE_GROUP, STUDIES, Arm, arms
from balm.stats.glmm.pooled_counts import PooledCounts
from balm.stats.glmm.profile_likelihood import drop, ends
from balm.stats.glmm.regression import CountsRegression, regression
from balm.stats.measures import MEASURES as EFFECTS
from balm.stats.pooling.around_estimate import exclude, taken
from balm.stats.regression.design import Design, from_columns, from_formula
from balm.stats.regression.projection import projection
from balm.stats.tails import OneTail, t_critical
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError, check_level, check_option

MODELS = ("random", "common")
INFERENCES = ("wald", "t", "profile-likelihood")
PREDICTIONS = ("t-k-1", "t-k-2", "normal", "none")
DOUBLE_ZERO = ("exclude", "keep")
CODINGS = (0.0, 0.5, 1.0)
_NO_SPREAD = "the common-effect model has no between-study variance"
_ONE_STUDY = "not estimable: one study"


class _Choices(NamedTuple):
    """What was asked for, settled."""

    studies: str | None
    model: str
    coding: float
    correlated: bool
    points: int | None
    inference: str
    prediction: str
    level: float
    conventions: Mapping[str, Any]


def glmm(
    measure: str | EffectSizes,
    *,
    data: Any = None,
    study: Any = None,
    studies: str | None = None,
    model: str = "random",
    moderators: Any = None,
    coding: float | None = None,
    correlated: bool = False,
    points: int | None = None,
    inference: str = "wald",
    prediction: str | None = None,
    double_zero: str | None = None,
    level: float = 0.95,
    missing: str = "raise",
    **columns: Any,
) -> PooledCounts | CountsRegression:
    """Pool counts by maximum likelihood, without effects and variances of the single studies and without corrections.

    measure     : "OR" (``events_1, n_1, events_2, n_2``), "IRR" (``events_1, time_1, events_2, time_2``), "PLO" (logit
                  proportion: ``events, n``), "IRLN" (log rate: ``events, time``), or :class:`balm.EffectSizes` made
                  from such columns.
    studies     : levels of the studies, a row of ``balm.stats.glmm.models.STUDIES``: "fixed" (the default), "random",
                  "conditional" (exact: noncentral hypergeometric for OR, binomial for IRR) or
                  "conditional-approximate" (OR, rare events).  One-group measures have none.
    model       : "random" (effects vary normally with variance tau2) or "common".
    moderators  : as for :func:`balm.meta_regression`; the result is then a regression.
    coding      : for "fixed" and "random": group 1 has this share of the effect and group 2 the rest with the other
                  sign: 0.5 (the default: both groups vary alike between studies), 1 or 0. Beside moderators and
                  random study levels it also says whose level does not depend on them: the middle of both groups, or
                  that of group 2 or 1 (metafor always takes group 2's).
    correlated  : with "random": study levels and effects may correlate.
    points      : nodes of the adaptive Gauss-Hermite quadrature; 1 is Laplace's approximation.  By default as many as
                  change nothing any more (``fit.integration_error``).
    inference   : "wald", "t" (k - p degrees of freedom) or "profile-likelihood" (of the mean alone).
    prediction  : "t-k-1" (the default), "t-k-2", "normal" or "none".
    double_zero : "exclude" (the default) or "keep" studies without events (or with events only) in both groups.  Only
                  where study levels are random do they say anything; elsewhere "keep" is refused.

    The likelihood can have several maxima; the highest is taken and ``fit.maxima`` lists them.  Where it has none (no
    events in one group of all studies, a search that does not end) the result is ``nan`` and ``reasons`` says why.
    I2 and H2 compare tau2 with the typical variance of the studies' own estimates (a half added to tables with a
    zero).  ``residual`` is the distance from the optimum in standard errors.

    Sources: Stijnen, Hamza & Ozdemir 2010 (Stat Med 29:3046); Turner et al. 2000 (Stat Med 19:3417); Jackson et al.
    2018 (Stat Med 37:1059).

    >>> fit = glmm("OR", events_1=[4, 6, 3], n_1=[123, 306, 231], events_2=[11, 29, 11], n_2=[139, 303, 220])
    >>> round(fit.estimate, 4), fit.tau2
    (-1.4192, 0.0)
    """
    es = taken(measure, MEASURES, "glmm", None, {"data": data, "study": study, "missing": missing}, columns)
    code = es.measure
    short = [name for name in EFFECTS[code].columns if name not in es.raw]
    if short:
        raise InputError(f"glmm needs the counts behind the effects ({', '.join(short)})")
    chosen = _settled(code, studies, model, coding, correlated, points, inference, prediction, level, moderators)
    pairs = code not in ONE_GROUP
    if double_zero is not None:
        check_option("double_zero", double_zero, DOUBLE_ZERO)
        if double_zero == "keep" and chosen.studies != "random":
            raise InputError(
                "double_zero='keep' needs studies='random': under the other models studies without events (or with "
                "events only) in both groups say nothing about the effect"
            )
    design = _design(moderators, data, es)
    kept: EffectSizes | None = es
    excluded: tuple[tuple[str, str], ...] = ()
    if pairs and double_zero != "keep":
        kept, excluded = exclude(es, es.double_zero)
        if kept is not None and excluded and design is not None:
            design = _rows(design, ~es.double_zero)
    if kept is None:
        raise InputError(f"no study can be pooled: {'; '.join(f'{s} ({why})' for s, why in excluded)}")
    conventions = {**chosen.conventions, "double_zero": double_zero or "exclude"} if pairs else chosen.conventions
    chosen = chosen._replace(conventions=MappingProxyType(dict(conventions)))
    which = arms(code, chosen.studies, dict(kept.raw), (chosen.coding, chosen.coding - 1.0))
    x = np.ones((len(kept), 1)) if design is None else design.matrix
    separated = _separated(code, kept, which)
    solved = None if separated else _solve(which, chosen, x, kept)
    if design is not None:
        if solved is None:
            raise InputError(f"the coefficients are not estimable: {separated}")
        if solved.fit.failed:
            raise InputError(f"the coefficients are not estimable: {solved.fit.failed}")
        plain = _solve(which, chosen, np.ones((len(kept), 1)), kept) if design.intercept else None
        return regression(
            kept,
            design,
            solved.fit,
            solved.tests,
            None if plain is None else plain.fit.tau2,
            chosen.model,
            chosen.inference,
            level,
            chosen.conventions,
            _typical_variance(kept, x),
        )
    return _pooled(es, kept, excluded, solved, chosen, separated)


class _Solved(NamedTuple):
    fit: MixedFit
    tests: HeterogeneityTests | None


def _solve(which: tuple[Arm, ...], chosen: _Choices, x: Floats, es: EffectSizes) -> _Solved:
    """The fit, the common-effect fit and the tests of heterogeneity."""
    points = chosen.points
    random = chosen.model == "random" and len(es) > x.shape[1]
    found = fit(which, chosen.studies, x, heterogeneity=random, correlated=chosen.correlated, points=points)
    calm, nodes = found.calm
    if found.failed or len(es) <= x.shape[1]:
        return _Solved(found, None)
    level, coded = None, which
    if chosen.studies == "random":
        coded = arms(es.measure, "random", dict(es.raw), (1.0, 0.0))
        level = calm.common[x.shape[1] :]
    tests = heterogeneity_tests(coded, chosen.studies, x, calm.height, nodes, exact=points is None, level=level)
    return _Solved(found, tests)


def _settled(
    code: str,
    studies: str | None,
    model: str,
    coding: float | None,
    correlated: bool,
    points: int | None,
    inference: str,
    prediction: str | None,
    level: float,
    moderators: Any,
) -> _Choices:
    """Options checked against each other; one that does not apply is refused."""
    check_option("model", model, MODELS)
    check_option("inference", inference, INFERENCES)
    check_level(level)
    if code in ONE_GROUP:
        if studies is not None:
            raise InputError(f"studies={studies!r} has no effect on {code}: with one group there are no study levels")
    else:
        studies = "fixed" if studies is None else studies
        check_option("studies", studies, [s.name for s in STUDIES.values() if code in s.measures])
    levels = studies in ("fixed", "random")
    if coding is not None and not levels:
        raise InputError(f"coding={coding!r} has no effect here: it belongs to studies='fixed' and studies='random'")
    if coding is not None and coding not in CODINGS:
        raise InputError(f"coding must be 0.5, 1 or 0 (the share of the effect that group 1 has); got {coding!r}")
    if correlated and (studies != "random" or model == "common"):
        raise InputError("correlated=True needs studies='random' and model='random'")
    if points is not None and not (isinstance(points, int) and 1 <= points <= 100):
        raise InputError(f"points must be a whole number from 1 (Laplace's approximation) to 100; got {points!r}")
    if prediction is not None and model == "common" and prediction != "none":
        raise InputError(f"prediction={prediction!r} needs model='random'; a common effect takes 'none'")
    prediction = check_option("prediction", prediction or ("t-k-1" if model == "random" else "none"), PREDICTIONS)
    if moderators is not None and inference == "profile-likelihood":
        raise InputError(
            "inference='profile-likelihood' is offered for the mean alone; leave moderators out, or 'wald'"
        )
    said: dict[str, Any] = {"method": "glmm", "model": model, "inference": inference, "level": level}
    if model == "random":
        said |= {"tau2": "ML", "prediction": prediction, "i2": "from-tau2", "tau2_interval": "profile-likelihood"}
    if studies is not None:
        said["studies"] = studies
    if levels:
        said["coding"] = 0.5 if coding is None else float(coding)
    if correlated:
        said["correlated"] = True
        said.pop("tau2_interval")
    if points is not None:
        said["quadrature_points"] = points
    return _Choices(
        studies, model, 0.5 if coding is None else float(coding), correlated, points, inference, prediction, level, said
    )


def _design(moderators: Any, data: Any, es: EffectSizes) -> Design | None:
    if moderators is None:
        return None
    if es.dropped:
        raise InputError(f"moderators= goes with complete rows; {', '.join(es.dropped)} had missing counts: drop them")
    if isinstance(moderators, str):
        if moderators.strip().lstrip("~").strip() == "1":
            return None
        return from_formula(moderators, data, len(es))
    return from_columns(moderators, None, True, len(es))


def _rows(design: Design, keep: Bools) -> Design:
    from dataclasses import replace

    from balm.stats.regression.design import check

    return check(replace(design, matrix=design.matrix[keep]))


def _separated(code: str, es: EffectSizes, which: tuple[Arm, ...]) -> str:
    """Why no finite estimate exists whatever the model, in words; "" where nothing speaks against one."""
    raw = es.raw
    if code in ONE_GROUP:
        events = raw["events"]
        if not events.any():
            return "no events in any study"
        return "events in everyone in every study" if code == "PLO" and (events == raw["n"]).all() else ""
    a, c = raw["events_1"], raw["events_2"]
    size = "n" if code == "OR" else "time"
    n_1, n_2 = raw[f"{size}_1"], raw[f"{size}_2"]
    if not a.any() and not c.any():
        return "no events in either group of any study"
    low = (a == 0.0) | ((c == n_2) if code == "OR" else False)
    high = (c == 0.0) | ((a == n_1) if code == "OR" else False)
    for at_end, way in ((low, "lower"), (high, "higher")):
        if at_end.all():
            group = 1 if way == "lower" else 2
            if not (a if group == 1 else c).any():
                return f"no events in group {group} of any study: the ratio is {0 if group == 1 else 'infinite'}"
            return (
                f"every study is as extreme as its totals allow, with {way} odds in group 1: the ratio is 0 or infinite"
            )
    return ""


def _typical_variance(es: EffectSizes, x: Floats) -> float:
    """The within-study variance that I2 compares with: of the studies' own estimates (Higgins & Thompson 2002)."""
    df = len(es) - x.shape[1]
    if df <= 0:
        return math.nan
    return float(df / projection(es.effect, es.variance, x, 0.0).trace())


def _pooled(
    es: EffectSizes,
    kept: EffectSizes,
    excluded: tuple[tuple[str, str], ...],
    solved: _Solved | None,
    chosen: _Choices,
    separated: str,
) -> PooledCounts:
    k, nan = len(kept), math.nan
    given = es if excluded else None
    method = f"glmm-{chosen.studies or 'one-group'}"
    why = separated if solved is None else solved.fit.failed
    if why or solved is None:
        names = ("estimate", "se", "interval", "statistic", "p", "tau2", "tau2_se", "i2", "h2", "q", "q_p")
        nothing = Interval(nan, nan, chosen.level)
        return PooledCounts(
            nan, nan, nothing, nan, math.inf, nan, nan, nan, nan, nan, nan, k - 1, nan, k, np.full(k, nan), nothing,
            kept, excluded, method, chosen.conventions,
            MappingProxyType(dict.fromkeys((*names, "prediction_interval", "log_likelihood"), f"not estimable: {why}")),
            (f"Not estimable: {why}.",), nan if solved is None else solved.fit.residual,
            given=given, mixed=None if solved is None else solved.fit,
        )  # fmt: skip
    found, tests = solved.fit, solved.tests
    estimate, se = float(found.beta[0]), math.sqrt(float(found.covariance[0, 0]))
    df = float(k - 1) if chosen.inference == "t" and k > 1 else math.inf
    null = 0.0
    statistic = (estimate - null) / se
    p = OneTail.two_sided(statistic, df)
    half = t_critical(chosen.level, df) * se
    low, high = estimate - half, estimate + half
    if chosen.inference == "profile-likelihood":
        low, high = ends(found, 0, 2.0 * se, chosen.level)
        fall = max(drop(found, 0)(null), 0.0)
        statistic, p = math.copysign(math.sqrt(fall), estimate), chi2_sf(fall, 1.0)
    reasons: dict[str, str] = {}
    advice: list[str] = []
    random = chosen.model == "random"
    tau2, tau2_se = found.tau2, found.tau2_se
    typical = _typical_variance(kept, np.ones((k, 1)))
    i2, h2 = 100.0 * tau2 / (tau2 + typical), 1.0 + tau2 / typical
    prediction = Interval(nan, nan, chosen.level)
    prediction_df = nan
    if k == 1:
        tau2 = nan if random else 0.0
        reasons |= dict.fromkeys(("tau2_se", "i2", "h2", "q", "q_p", "prediction_interval"), _ONE_STUDY)
        if random:
            reasons["tau2"] = _ONE_STUDY
        advice.append("One study: its own effect and interval; heterogeneity cannot be judged.")
        i2 = h2 = tau2_se = nan
    elif not random:
        reasons["tau2_se"] = _NO_SPREAD
        reasons["prediction_interval"] = "the common-effect model has no distribution of effects"
        lr = tests.likelihood_ratio if tests is not None else ChiSquare(nan, k - 1, nan)
        h2 = lr.statistic / (k - 1)
        i2 = 100.0 * max(0.0, 1.0 - 1.0 / h2) if h2 > 0.0 else 0.0
    else:
        if tau2 == 0.0:
            reasons["tau2_se"] = "not defined where tau2 is estimated as 0"
        prediction_df = {"t-k-1": k - 1.0, "t-k-2": k - 2.0, "normal": math.inf}.get(chosen.prediction, nan)
        if chosen.prediction == "none":
            reasons["prediction_interval"] = "not asked for"
        elif prediction_df <= 0.0:
            reasons["prediction_interval"] = f"not estimable: {k} studies leave no degrees of freedom"
            prediction_df = nan
        else:
            wide = t_critical(chosen.level, prediction_df) * math.sqrt(tau2 + se * se)
            prediction = Interval(estimate - wide, estimate + wide, chosen.level)
        if k == 2:
            advice.append("Two studies hardly say anything about how much effects vary.")
        if len(found.maxima) > 1:
            others = "; ".join(f"tau2 {t:.4g} (log-likelihood {h:.4f})" for t, h in found.maxima)
            advice.append(f"The likelihood has several maxima: {others}; the highest is reported")
    said: dict[str, Any] = {}
    if tests is not None:
        said = {"heterogeneity-wald": tests.wald, "heterogeneity-likelihood-ratio": tests.likelihood_ratio}
    if random and k > 1:
        rise = max(2.0 * (found.optimum.height - found.calm[0].height), 0.0)
        said["tau2"] = ChiSquare(rise, 1, 0.5 * chi2_sf(rise, 1.0) if rise > 0.0 else 1.0)
    q = tests.likelihood_ratio if tests is not None else ChiSquare(nan, 0, nan)
    return PooledCounts(
        estimate=estimate,
        se=se,
        interval=Interval(low, high, chosen.level),
        statistic=statistic,
        df=df,
        p=p,
        tau2=tau2,
        tau2_se=tau2_se,
        i2=i2,
        h2=h2,
        q=q.statistic,
        q_df=k - 1,
        q_p=q.p,
        k=k,
        weights=100.0 * found.information / float(found.information.sum()),
        prediction_interval=prediction,
        effects=kept,
        excluded=excluded,
        method=method,
        conventions=chosen.conventions,
        reasons=MappingProxyType(reasons),
        advice=tuple(advice),
        residual=found.residual,
        log_likelihood=found.log_likelihood,
        tests=MappingProxyType(said),
        prediction_df=prediction_df,
        prediction_se=se,
        given=given,
        mixed=found,
        typical_variance=typical,
    )


__all__ = ["glmm"]
