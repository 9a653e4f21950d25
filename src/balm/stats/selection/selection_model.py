"""Fit a selection model: the effects of all studies, from those that were selected by their p values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.distributions import norm_isf
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.multilevel.grouping import cluster_of
from balm.stats.pooling.pooled import Pooled
from balm.stats.regression.meta_regression import MetaRegression
from balm.stats.selection.drawn import p_values
from balm.stats.selection.fitted import Choices, SelectionModel
from balm.stats.selection.fitting import fitted
from balm.stats.selection.selected import Smooth, Steps
from balm.stats.selection.weight_functions import CENSORED_AT, WEIGHT_FUNCTIONS
from balm.stats.small_study.predictors import predictor_values
from balm.stats.small_study.studies import studies_of
from balm.vocabulary.problems import InputError, check_level, check_option

ALTERNATIVES = ("greater", "less", "two-sided")
#: ``imprecision=`` and the predictor of a regression test that it is.
IMPRECISIONS = {
    "se": "se",
    "variance": "variance",
    "inverse-sample-size": "inverse-sample-size",
    "inverse-sqrt-sample-size": "inverse-sqrt-sample-size",
}
WEIGHTS = ("step", "truncated", *WEIGHT_FUNCTIONS)
#: One-sided 0.025: the usual significant result in the direction sought (three-parameter model; McShane et al. 2016).
USUAL_STEP = (0.025,)


@dataclass(frozen=True, eq=False)
class Turned:
    """The data of a fit, turned so that large effects are the ones sought."""

    effects: EffectSizes
    names: tuple[str, ...]
    y: Floats
    v: Floats
    x: Floats
    common: bool


def selection_model(
    fit: EffectSizes | Pooled | MetaRegression,
    kind: str = "step",
    *,
    steps: Sequence[float] | float | None = None,
    alternative: str = "greater",
    fixed: Sequence[float | None] | float | None = None,
    threshold: float | None = None,
    imprecision: str | None = None,
    sample_size: Any = None,
    truncation: float | str | None = None,
    censored_at: float | None = None,
    cluster: Any = None,
    level: float = 0.95,
) -> SelectionModel:
    """The mean effect, its moderators and tau2 before selection, by maximum likelihood, with the selection itself.

    fit         : effect sizes (a random-effects model), or a result of :func:`balm.pool` by inverse variance or of
                  :func:`balm.meta_regression`, whose model (random or common) and moderators are taken over. tau2 is
                  estimated again, by maximum likelihood.
    kind        : how likely a study with one p value is to be seen, relative to others: "step" (constant between
                  ``steps``; one step makes the three-parameter model), "truncated" (effects on the wrong side of a
                  point), or a row of :data:`WEIGHT_FUNCTIONS`: "beta", "half-normal", "negative-exponential",
                  "logistic", "power", "exponential-power".
    steps       : for "step": p values at which the weight changes, for example ``(0.025, 0.5)``; default 0.025. A p
                  value on a step belongs below it. Weights are relative to the first interval that has a study.
    alternative : what was sought, and so the p value: "greater" (large effects, one-sided p), "less" (small effects),
                  "two-sided" (both; not for "truncated"). One-sided, a two-sided 0.05 is the step 0.025.
    fixed       : weights of the intervals, or parameters of the function, that are given and not estimated; ``None``
                  in a place for one that is estimated. All given makes a sensitivity analysis (Vevea & Woods 2005).
    threshold   : for smooth functions but "beta": p values up to it all have weight 1, and the function goes on from
                  there.
    imprecision : for smooth functions but "beta": "se", "variance", "inverse-sample-size" or
                  "inverse-sqrt-sample-size", divided by its largest; it multiplies (the first) delta, so that precise
                  studies are selected less by their p values. ``sample_size``: (k,), where the effects came without.
    truncation  : for "truncated": the point, default 0, or "estimate" (Rust, Lehmann & Farley 1990). An effect right
                  at a given point counts as on the wrong side.
    censored_at : for "beta" and "power": p values nearer than this to 0 or 1 count as this; default 0.00001.
    cluster     : several effects a study: labels (k,) or "study". Effects then count as if independent in the
                  estimates, and standard errors are those of whole clusters (sandwich, without a correction for few
                  clusters; Pustejovsky, Citkowicz & Joshi 2025); there are no likelihood-ratio tests.

    The likelihood may have several maxima: it is climbed from several starts, all maxima are in ``maxima``, and the
    highest is the fit. Where the likelihood rises for ever as a weight leaves every bound, the fit is the highest
    maximum inside, or not estimable, with the reason. Effects on the analysis scale. It needs more studies than it
    has parameters, and many more to say much.

    Hedges (1992), Stat Sci 7:246; Vevea & Hedges (1995), Psychometrika 60:419; Preston, Ashby & Smyth (2004), J Eval
    Clin Pract 10:313; Citkowicz & Vevea (2017), Psychol Methods 22:28. Cochrane Handbook, section 13.3.5.

    >>> es = EffectSizes(
    ...     effect=[0.9, 0.7, 0.62, 0.5, 0.3, 0.45, 0.2, 0.35, 0.05, 0.12, 0.6, -0.1],
    ...     variance=[0.16, 0.12, 0.09, 0.05, 0.04, 0.03, 0.03, 0.02, 0.02, 0.01, 0.2, 0.08],
    ... )
    >>> found = selection_model(es, steps=0.025)
    >>> round(found.estimate, 3), round(found.weights[1].estimate, 3)
    (0.11, 0.084)
    """
    check_option("kind", kind, WEIGHTS)
    check_option("alternative", alternative, ALTERNATIVES)
    check_level(level)
    _refuse_foreign(
        kind,
        steps=steps,
        threshold=threshold,
        imprecision=imprecision,
        truncation=truncation,
        censored_at=censored_at,
    )
    if sample_size is not None and (imprecision is None or "sample-size" not in imprecision):
        raise InputError("sample_size= goes with imprecision='inverse-sample-size' or 'inverse-sqrt-sample-size'")
    if kind == "truncated" and alternative == "two-sided":
        raise InputError("kind='truncated' needs a direction: alternative='greater' or 'less'")
    turned = _turned(fit, alternative)
    groups = None if cluster is None else cluster_of(turned.effects, cluster, None)
    se = np.sqrt(turned.v)
    z = turned.y / se
    choices = Choices(
        kind=kind, alternative=alternative, level=level, names=turned.names, effects=turned.effects,
        cluster=groups, steps=(), truncation=math.nan, threshold=threshold, imprecision=imprecision,
        sign=-1.0 if alternative == "less" else 1.0,
    )  # fmt: skip
    if kind == "truncated":
        if truncation == "estimate":
            from balm.stats.selection.truncation import truncated_somewhere

            return truncated_somewhere(turned, choices, _fixed(fixed, 1))
        if isinstance(truncation, str):
            raise InputError(f"truncation must be a number or 'estimate'; got {truncation!r}")
        point = 0.0 if truncation is None else _number("truncation", truncation)
        return _truncated(turned, choices, point, _fixed(fixed, 1))
    if kind == "step":
        cuts = _steps(steps)
        choices = choices.with_(steps=cuts)
        return fitted(turned.y, turned.v, turned.x, _stepwise(z, se, cuts, alternative, fixed), turned.common, choices)
    function = WEIGHT_FUNCTIONS[kind]
    if threshold is not None:
        p = p_values(z, alternative)
        if not 0.0 < _number("threshold", threshold) < 1.0:
            raise InputError(f"threshold must lie between 0 and 1; got {threshold!r}")
        if not (p <= threshold).any() or not (p > threshold).any():
            raise InputError(f"threshold={threshold:g} needs a study with a p value below it and one above it")
    if censored_at is not None and not 0.0 < _number("censored_at", censored_at) <= 0.01:
        raise InputError(f"censored_at must be above 0 and at most 0.01; got {censored_at!r}")
    smooth = Smooth(
        function,
        z,
        se,
        two_sided=alternative == "two-sided",
        imprecision=_imprecision(turned.effects, imprecision, sample_size),
        threshold=threshold,
        fixed=_fixed(fixed, len(function.neutral), function.positive),
        censored_at=CENSORED_AT if censored_at is None else censored_at,
    )
    return fitted(turned.y, turned.v, turned.x, smooth, turned.common, choices)


def _refuse_foreign(kind: str, **given: Any) -> None:
    """Options that do not apply to this weight function."""
    smooth = tuple(name for name in WEIGHT_FUNCTIONS if name != "beta")
    takers = {
        "steps": ("step",),
        "threshold": smooth,
        "imprecision": smooth,
        "truncation": ("truncated",),
        "censored_at": ("beta", "power"),
    }
    for option, value in given.items():
        if value is not None and kind not in takers[option]:
            names = " or ".join(repr(name) for name in takers[option])
            raise InputError(f"{option}= does not apply to kind={kind!r}; it belongs to {names}")
    if given["imprecision"] is not None:
        check_option("imprecision", given["imprecision"], list(IMPRECISIONS))


def _turned(fit: Any, alternative: str) -> Turned:
    if isinstance(fit, MetaRegression):
        es, x, names, common = fit.effects, fit.design.matrix, fit.design.names, fit.model == "common"
    else:
        es = studies_of(fit, "selection_model")
        x, names, common = np.ones((len(es), 1)), ("mean",), False
        if isinstance(fit, Pooled):
            if fit.method != "inverse-variance" or fit.own_weights is not None:
                how = "weights of its own" if fit.own_weights is not None else fit.method
                raise InputError(
                    f"selection_model has a likelihood of effects by inverse variance; this fit has {how}: pool the "
                    "same effect sizes with balm.pool"
                )
            model = str(fit.conventions["model"])
            if model == "ivhet":
                raise InputError(
                    "selection_model takes a random-effects or common-effect fit; this one is model='ivhet'"
                )
            common = model == "common"
    sign = -1.0 if alternative == "less" else 1.0
    return Turned(
        es,
        tuple(names),
        sign * np.asarray(es.effect, dtype=np.float64),
        np.asarray(es.variance, dtype=np.float64),
        np.asarray(x, dtype=np.float64),
        common,
    )


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating, np.integer)):
        raise InputError(f"{name} must be a number; got {value!r}")
    if not math.isfinite(value):
        raise InputError(f"{name} must be a finite number; got {value!r}")
    return float(value)


def _steps(given: Any) -> tuple[float, ...]:
    """Sorted, with 1 at the end."""
    values = USUAL_STEP if given is None else (given,) if isinstance(given, (int, float)) else tuple(given)
    cuts = sorted(_number("steps", value) for value in values)
    if not cuts or not all(0.0 < cut <= 1.0 for cut in cuts):
        raise InputError(f"steps must be p values above 0 and at most 1; got {given!r}")
    if len(set(cuts)) < len(cuts):
        raise InputError(f"steps must differ from each other; got {given!r}")
    if cuts == [1.0]:
        raise InputError("steps=1 is no step: name a p value below 1, for example 0.025")
    return tuple(cuts) if cuts[-1] == 1.0 else (*cuts, 1.0)


def _fixed(given: Any, count: int, positive: tuple[bool, ...] | None = None) -> list[float]:
    """Given parameters, ``nan`` for those to estimate."""
    if given is None:
        return [math.nan] * count
    values = [given] if isinstance(given, (int, float)) else list(given)
    if len(values) != count:
        raise InputError(
            f"fixed must hold {count} value{'s' if count > 1 else ''} (None for one to estimate); got {len(values)}"
        )
    found = [math.nan if v is None or (isinstance(v, float) and math.isnan(v)) else _number("fixed", v) for v in values]
    for j, value in enumerate(found):
        above = positive is not None and positive[j]
        if value < 0.0 or (above and value == 0.0):
            raise InputError(f"fixed values must be {'above 0' if above else 'at least 0'}; got {value:g}")
    return found


def _stepwise(z: Floats, se: Floats, cuts: tuple[float, ...], alternative: str, fixed: Any) -> Steps:
    p = p_values(z, alternative)
    member = np.searchsorted(np.array(cuts[:-1]), p, side="left")
    count = len(cuts)
    if alternative == "two-sided":
        ends = [norm_isf(0.5 * cut) for cut in cuts[:-1]]
        edges = np.array([-x for x in ends] + ends[::-1])
        group = [*range(count), *range(count - 2, -1, -1)]
    else:
        edges = np.array([norm_isf(cut) for cut in cuts[:-1]][::-1])
        group = list(range(count))[::-1]
    given = _fixed(fixed, count)
    if not any(math.isnan(x) for x in given) and all(x == 0.0 for x in given):
        raise InputError("fixed weights are all 0: nothing would be seen")
    for j, value in enumerate(given):
        if value == 0.0 and (member == j).any():
            raise InputError(f"fixed weight of interval {j + 1} is 0, yet a study lies in it")
    return Steps(edges[None, :] * se[:, None], group, member.tolist(), given)


def truncated_at(turned: Turned, cut: float, fixed: list[float], *, at_cut: bool = False) -> Steps:
    """Weight 1 above ``cut`` (and at it, where ``at_cut``), another one below; on the turned scale."""
    below = turned.y < cut if at_cut else turned.y <= cut
    return Steps(np.full((len(turned.y), 1), cut), [1, 0], below.astype(int).tolist(), [1.0, *fixed])


def _truncated(turned: Turned, choices: Choices, point: float, fixed: list[float]) -> SelectionModel:
    cut = choices.sign * point
    if not (turned.y > cut).any():
        raise InputError(f"no effect lies on the side that alternative={choices.alternative!r} seeks from {point:g}")
    if fixed == [0.0] and (turned.y <= cut).any():
        raise InputError(f"fixed=0, yet an effect lies at {point:g} or on its wrong side")
    steps = truncated_at(turned, cut, fixed)
    return fitted(turned.y, turned.v, turned.x, steps, turned.common, choices.with_(truncation=point))


def _imprecision(es: EffectSizes, name: str | None, sample_size: Any) -> Floats | None:
    if name is None:
        return None
    values = predictor_values(es, IMPRECISIONS[name], sample_size)
    found: Floats = values / float(np.max(values))
    return found
