"""Pool the effects of several studies into one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from balm.stats.arrays import np, of_numpy
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.groups import OneGroup
from balm.stats.heterogeneity.likelihood import log_likelihood
from balm.stats.pooling.advice import advise
from balm.stats.pooling.analysis import Analysis, analyse
from balm.stats.pooling.choices import Choices, choose
from balm.stats.pooling.pooled import Pooled
from balm.stats.pooling.size import check_size
from balm.stats.profiles import PROFILES
from balm.stats.tails import t_critical
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.quick_dataclass import replace

#: What one study cannot tell, and why.
ONE_STUDY = "not estimable: one study"


def pool(
    es: EffectSizes,
    *,
    model: str | None = None,
    tau2: str | float | None = None,
    inference: str | None = None,
    prediction: str | None = None,
    level: float = 0.95,
    profile: str | None = None,
    weights: Any = None,
    i2: str | None = None,
    tau2_interval: str | None = None,
) -> Pooled:
    """The mean effect of the studies, its interval, their heterogeneity, and where a new study's effect would lie.

    es         : (k,) effects on the analysis scale, from :func:`balm.effect_sizes` or :class:`balm.EffectSizes`.
    model      : "random" (default), "common", or "ivhet" (common-effect weights, random-effects variance).
    tau2       : estimator of the between-study variance (a row of ``TAU2_ESTIMATORS``), or the value itself.
    inference  : interval and test of the mean (a row of ``INFERENCES``).
    prediction : prediction interval (a row of ``PREDICTIONS``), or "none".
    level      : coverage of all intervals; 0.95 means 95 %.
    profile    : the conventions in force unless given here: "balm" (REML, guarded Hartung-Knapp, t with k - 1),
                 "revman5", "revman-web", "metafor", "meta", "stata". Naming one also derives the effects anew under
                 its conventions where ``es`` holds raw numbers.
    weights    : (k,) weights of your own for the mean (and a generalised Q), or "equal".
    i2         : "from-tau2" or "from-q".

    One study gives its own effect with a Wald interval; everything else is ``nan`` with the reason. Studies that carry
    no information are left out and listed in ``excluded``. Results do not depend on the unit of the outcome.
    Sources: Higgins & Thompson 2002; Viechtbauer 2005; Röver, Knapp & Friede 2015; the tables' rows name theirs.

    >>> es = EffectSizes(effect=[0.10, 0.30, 0.35], variance=[0.03, 0.03, 0.05])
    >>> round(pool(es, tau2="DL", inference="wald").estimate, 6)
    0.234615
    """
    given = es
    choices, es, excluded, own, more = _prepare(
        es, model, tau2, inference, prediction, level, profile, weights, i2, tau2_interval
    )
    at_once = _at_once(es, choices) if own is None and len(es.effect) > 1 else None
    if at_once is not None:
        a, height, weights, ends = at_once
        found = _result(a, height, weights, es, choices, excluded, own, more)
        found.__dict__["_q_profile"] = choices.level, *ends  # for its heterogeneity_interval
    else:
        check_size(es)
        if len(es.effect) == 1:
            found = _one_study(es, choices, excluded, more)
        else:
            g = OneGroup(es.effect, es.variance)
            a = analyse(g, choices, own)
            height = math.nan if own is not None else log_likelihood(g, a.tau2, restricted=choices.tau2 == "REML")
            weights = a.w * (100.0 / float(np.add.reduce(a.w)))
            found = _result(a, height, weights, es, choices, excluded, own, more)
    return replace(found, given=given) if excluded else found


def _at_once(es: EffectSizes, choices: Choices) -> Any:
    """By the compiled kernel where it can, which keeps NumPy's arrays company."""
    if not of_numpy(es.effect):
        return None
    from balm.stats.pooling.at_once import analyse_at_once

    return analyse_at_once(es, choices)


def _prepare(
    es: EffectSizes,
    model: str | None,
    tau2: str | float | None,
    inference: str | None,
    prediction: str | None,
    level: float,
    profile: str | None,
    weights: Any,
    i2: str | None,
    tau2_interval: str | None,
) -> tuple[Choices, EffectSizes, tuple[tuple[str, str], ...], Floats | None, Mapping[str, Any]]:
    """Options settled, effects under the profile, studies that say nothing left out."""
    if not isinstance(es, EffectSizes):
        raise InputError(
            f"pool takes effect sizes, got {type(es).__name__}: make them with balm.effect_sizes(measure, ...) "
            "or balm.EffectSizes(effect=, variance=)"
        )
    choices = choose(
        profile=profile,
        model=model,
        tau2=tau2,
        inference=inference,
        prediction=prediction,
        level=level,
        i2=i2,
        tau2_interval=tau2_interval,
        weighted=weights is not None,
    )
    if profile is not None:
        es = es.under(PROFILES[profile])
    own = _own_weights(weights, es)
    excluded: tuple[tuple[str, str], ...] = ()
    if es._all_tell:
        return choices, es, excluded, own, es.conventions
    keep = es.estimable
    if choices.conventions["double_zero"] == "exclude" and es.double_zero.any():
        keep = keep & ~es.double_zero
    if not keep.all():
        excluded = tuple((es.study[i], _why(es, i)) for i in np.flatnonzero(~keep).tolist())
        if not keep.any():
            raise InputError([Problem(f"{study}: {why}") for study, why in excluded])
        own = own if own is None else own[keep]
        es = es[keep]
    return choices, es, excluded, own, es.conventions


def _why(es: EffectSizes, i: int) -> str:
    note = es.note[i]
    if note.startswith("not estimable"):
        return note
    events = es.raw.get("events_1")
    none = events is not None and events[i] == 0
    return f"not estimable: {'no events in either arm' if none else 'events in everyone in both arms'}"


def _own_weights(weights: Any, es: EffectSizes) -> Floats | None:
    """The caller's weights, checked: one positive number a study."""
    if weights is None:
        return None
    if isinstance(weights, str):
        if weights != "equal":
            raise InputError(f"weights must be 'equal' or one number a study; got {weights!r}")
        return np.ones(len(es))
    own = np.asarray(weights, dtype=np.float64)
    if own.shape != (len(es),):
        raise InputError(f"weights must hold one number a study ({len(es)}); got shape {own.shape}")
    bad = ~(np.isfinite(own) & (own > 0.0))
    if bad.any():
        raise InputError(
            [Problem(f"{es.study[i]}: weight {own[i]:g} is not a positive number") for i in np.flatnonzero(bad)]
        )
    return own


def _result(
    a: Analysis,
    height: float,
    weights: Floats,
    es: EffectSizes,
    choices: Choices,
    excluded: Sequence[tuple[str, str]],
    own: Floats | None,
    more: Mapping[str, Any],
) -> Pooled:
    k = len(es)
    reasons: dict[str, str] = {}
    if own is not None:
        reasons["log_likelihood"] = "not defined for weights of your own"
    if choices.model == "common":
        reasons["tau2_se"] = "the common-effect model has no between-study variance"
        reasons["prediction_interval"] = "the common-effect model has no distribution of effects"
    elif choices.prediction == "none":
        reasons["prediction_interval"] = "not asked for"
    elif math.isnan(a.prediction_low):
        reasons["prediction_interval"] = (
            f"not estimable: {k} studies leave no degrees of freedom for prediction={choices.prediction!r}"
        )
    if math.isnan(a.statistic):
        reasons["statistic"] = reasons["p"] = "all effects are zero with a standard error of zero"
    return Pooled(
        estimate=a.estimate,
        se=a.se,
        interval=Interval(a.low, a.high, choices.level),
        statistic=a.statistic,
        df=a.df,
        p=a.p,
        tau2=a.tau2,
        tau2_se=a.tau2_se,
        i2=a.i2,
        h2=a.h2,
        q=a.q,
        q_df=k - 1,
        q_p=a.q_p,
        k=k,
        weights=weights,
        prediction_interval=Interval(a.prediction_low, a.prediction_high, choices.level),
        effects=es,
        excluded=tuple(excluded),
        method="inverse-variance",
        conventions=_all_conventions(choices, own, more),
        reasons=MappingProxyType(reasons),
        advice=advise(a, k, choices),
        residual=a.residual,
        log_likelihood=height,
        prediction_df=a.prediction_df,
        prediction_se=a.prediction_error,
        own_weights=own,
    )


def _all_conventions(choices: Choices, own: Floats | None, more: Mapping[str, Any]) -> Mapping[str, Any]:
    if own is None and not more:
        return choices.conventions
    return MappingProxyType({**more, **choices.conventions, **({} if own is None else {"weights": "given"})})


def _one_study(
    es: EffectSizes, choices: Choices, excluded: Sequence[tuple[str, str]], more: Mapping[str, Any]
) -> Pooled:
    """The study's own effect with a Wald interval; the rest is not estimable."""
    y, v = float(es.effect[0]), float(es.variance[0])
    known = choices.tau2 if isinstance(choices.tau2, float) else 0.0 if choices.model == "common" else math.nan
    se = math.sqrt(v if math.isnan(known) else v + known)
    half = t_critical(choices.level, math.inf) * se
    reasons = dict.fromkeys(("tau2_se", "i2", "h2", "q", "q_p", "prediction_interval", "log_likelihood"), ONE_STUDY)
    if math.isnan(known):
        reasons["tau2"] = ONE_STUDY
    advice = ["One study: its own effect and interval; heterogeneity cannot be judged."]
    if choices.inference != "wald":
        reasons["inference"] = f"{choices.inference} needs two studies; the interval is Wald's"
    from balm.stats.tails import OneTail

    return Pooled(
        estimate=y,
        se=se,
        interval=Interval(y - half, y + half, choices.level),
        statistic=y / se,
        df=math.inf,
        p=OneTail.two_sided(y / se, math.inf),
        tau2=known,
        tau2_se=math.nan,
        i2=math.nan,
        h2=math.nan,
        q=math.nan,
        q_df=0,
        q_p=math.nan,
        k=1,
        weights=np.array([100.0]),
        prediction_interval=Interval(math.nan, math.nan, choices.level),
        effects=es,
        excluded=tuple(excluded),
        method="inverse-variance",
        conventions=MappingProxyType({**more, **choices.conventions, "inference": "wald"}),
        reasons=MappingProxyType(reasons),
        advice=tuple(advice),
    )
