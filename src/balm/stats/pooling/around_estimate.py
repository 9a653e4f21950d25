"""What follows once sums over strata have given a common estimate: Q around it, heterogeneity, and "M-H, Random".

Shared by :func:`balm.mantel_haenszel` and :func:`balm.peto`.  Deeks & Higgins (2010), sections 7 and 9.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, isfinite, nan, sqrt
from types import MappingProxyType
from typing import Any

from balm.stats.arrays import NDArray, np
from balm.stats.distributions import chi2_sf, norm_ppf, norm_sf
from balm.stats.effect_sizes import EffectSizes, Floats, effect_sizes
from balm.stats.pooling.choices import choose
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pooled import Pooled
from balm.stats.pooling.stratified_tests import ChiSquareTest
from balm.stats.profiles import PROFILES, conventions_of
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError, check_option
from balm.vocabulary.quick_dataclass import dataclass, replace

_TABLE = ("events_1", "n_1", "events_2", "n_2")
_RATES = ("events_1", "time_1", "events_2", "time_2")
#: The columns that are summed, in the order of the estimators' arguments.
COUNTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"OR": _TABLE, "RR": _TABLE, "RD": _TABLE, "PETO": _TABLE, "IRR": _RATES, "IRD": _RATES}
)
_NO_SPREAD = "the common-effect model has no between-study variance"
_NO_PREDICTION = "the common-effect model has no distribution of effects"
_ONE_STUDY = "not estimable: one study"


@dataclass(frozen=True)
class Settings:
    """The choices in force: ``conventions`` is what the result prints, and all that is needed to pool again."""

    model: str
    level: float
    conventions: Mapping[str, Any]

    def also(self, more: Mapping[str, Any]) -> Settings:
        """The same with further conventions."""
        return replace(self, conventions=MappingProxyType({**self.conventions, **more}))


def settings_for(
    method: str,
    model: str,
    profile: str | None,
    inference: str | None,
    prediction: str | None,
    i2: str | None,
    level: float,
) -> Settings:
    """Settle the options that a method of sums shares with :func:`balm.pool`."""
    check_option("model", model, ("common", "random"))
    rows = conventions_of(profile)
    if model == "random" and method == "mantel-haenszel" and rows["mh_random_q"] == "none":
        raise InputError(f"model='random' is not offered by profile={profile!r}; use balm.pool, or another profile")
    if model == "common":
        for name, value, only in (("inference", inference, "wald"), ("prediction", prediction, "none")):
            if value not in (None, only):
                raise InputError(f"{name}={value!r} needs model='random'; a common effect takes {only!r}")
        if i2 not in (None, "from-q"):
            raise InputError(f"i2={i2!r} needs model='random'; under a common effect I2 comes from Q")
    choices = choose(
        profile=profile,
        model=model,
        tau2="DL" if model == "random" else None,
        inference="wald" if inference is None else inference,
        prediction=prediction,
        level=level,
        i2=i2,
        tau2_interval=None,
        weighted=False,
    )
    conventions = {**choices.conventions, "method": method}
    if model == "random":
        conventions["mh_random_q" if method == "mantel-haenszel" else "peto_random_q"] = method
    return Settings(model, float(level), MappingProxyType(conventions))


def taken(
    given: str | EffectSizes,
    measures: Sequence[str],
    caller: str,
    profile: str | None,
    chosen: Mapping[str, Any],
    columns: Mapping[str, Any],
) -> EffectSizes:
    """Effect sizes with the counts behind them: those given, or made from columns."""
    if not isinstance(given, EffectSizes):
        check_option("measure", given, measures)
        return effect_sizes(given, profile=profile, **chosen, **columns)
    extra = [name for name, value in {**chosen, **columns}.items() if value not in (None, "raise", "whole")]
    if extra:
        raise InputError(
            f"{', '.join(extra)}: give these to balm.effect_sizes, which made the effects passed to {caller}"
        )
    if given.measure not in measures:
        raise InputError(f"{caller} takes effects measured as {', '.join(measures)}; got {given.measure}")
    if not all(name in given.raw for name in COUNTS.get(given.measure, ())):
        raise InputError(
            f"{caller} needs the counts behind the effects ({', '.join(COUNTS[given.measure])}): make them with "
            f"balm.effect_sizes({given.measure!r}, ...), or pool effects alone with balm.pool"
        )
    return given if profile is None else given.under(PROFILES[profile])


def exclude(es: EffectSizes, out: NDArray[np.bool_]) -> tuple[EffectSizes | None, tuple[tuple[str, str], ...]]:
    """The studies that stay (``None`` when there is none) and the others with the reason."""
    if not out.any():
        return es, ()
    why = tuple((es.study[i], _why(es, i)) for i in np.flatnonzero(out).tolist())
    return (None if out.all() else es[~out]), why


def _why(es: EffectSizes, i: int) -> str:
    if es.note[i].startswith("not estimable"):
        return es.note[i]
    events = es.raw.get("events_1")
    none = events is not None and events[i] == 0
    return f"not estimable: {'no events in either arm' if none else 'events in everyone in both arms'}"


def with_effects(es: EffectSizes, effect: Floats) -> EffectSizes:
    """The same studies with ``effect`` in place of their own and the same variances, all of them to be kept."""
    return EffectSizes(
        effect,
        es.variance,
        es.study,
        es.measure,
        es.raw,
        es.conventions,
        es.explicit,
        es.note,
        es.estimable,
        None,
        es.dropped,
    )


def common_result(
    es: EffectSizes,
    settings: Settings,
    estimate: float,
    variance: float,
    weights: Floats,
    *,
    in_q: NDArray[np.bool_] | None = None,
    q_of: tuple[Floats, Floats] | None = None,
    q_around: float | None = None,
    excluded: tuple[tuple[str, str], ...] = (),
    tests: Mapping[str, ChiSquareTest] = MappingProxyType({}),
    why: str = "",
) -> Pooled:
    """The common-effect result around an estimate that sums have given; ``nan`` with ``why`` when there is none.

    in_q : (k,) the studies whose own effect enters Q and its degrees of freedom.
    q_of : ``O - E`` and ``V`` when Q is Peto's ``sum V ((O - E)/V - estimate)^2``.
    q_around : the mean around which Q is taken, where it is not the estimate.
    """
    k = len(weights)
    reasons = {
        "tau2_se": _NO_SPREAD,
        "prediction_interval": _NO_PREDICTION,
        "log_likelihood": "not a likelihood method",
    }
    known = isfinite(estimate) and variance > 0.0
    if not known:
        if k == 0:
            why = "every study is without events in both arms, or without non-events"
        said = f"not estimable: {why or 'no events, or events in everyone, in all studies together: the variance is 0'}"
        reasons |= dict.fromkeys(("se", "interval", "statistic", "p", "q", "q_p", "i2", "h2"), said)
        if settings.model == "random":
            reasons |= dict.fromkeys(("tau2", "tau2_se", "prediction_interval"), said)
        if not isfinite(estimate):
            reasons["estimate"] = said
            estimate = nan
    se = sqrt(variance) if known else nan
    half = norm_ppf(0.5 + 0.5 * settings.level) * se
    statistic = estimate / se if known else nan
    q = q_p = i2 = h2 = nan
    df = 0
    if k and in_q is not None:
        df = max(int(np.count_nonzero(in_q)) - 1, 0)
        if known and df > 0:
            if q_of is None:
                gap = es.effect[in_q] - (estimate if q_around is None else q_around)
                q = float((gap * gap / es.variance[in_q]).sum())
            else:
                observed, v = (part[q_of[1] > 0.0] for part in q_of)
                gap = observed - estimate * v
                q = float((gap * gap / v).sum())
            h2 = q / df
            q_p, i2 = chi2_sf(q, df), max(0.0, 100.0 * (1.0 - 1.0 / h2)) if h2 > 1.0 else 0.0
        elif known:
            reasons |= dict.fromkeys(("q", "q_p", "i2", "h2"), _ONE_STUDY)
    total = float(weights.sum()) if k else 0.0
    conventions = {**es.conventions, **settings.conventions}
    return Pooled(
        estimate=estimate,
        se=se,
        interval=Interval(estimate - half, estimate + half, settings.level),
        statistic=statistic,
        df=inf,
        p=2.0 * norm_sf(abs(statistic)),
        tau2=nan if "tau2" in reasons else 0.0,
        tau2_se=nan,
        i2=i2,
        h2=h2,
        q=q,
        q_df=df,
        q_p=q_p,
        k=k,
        weights=weights * (100.0 / total) if total > 0.0 else np.full(len(es), nan),
        prediction_interval=Interval(nan, nan, settings.level),
        effects=es,
        excluded=excluded,
        method=str(settings.conventions["method"]),
        conventions=MappingProxyType(conventions),
        reasons=MappingProxyType(reasons),
        tests=MappingProxyType(dict(tests)),
    )


def random_result(fit: Pooled, settings: Settings, in_q: NDArray[np.bool_], tau2: float | None = None) -> Pooled:
    """DerSimonian and Laird's random effects with Q around the common estimate of ``fit``, inverse-variance weights.

    tau2 : a between-study variance to take as known instead.

    Deeks & Higgins (2010), section 9: the "M-H, Random" of RevMan 5.
    """
    if not isfinite(fit.se):
        return fit
    es, more = exclude(fit.effects, ~in_q)
    if es is None:
        said = "not estimable: no study has an effect of its own"
        reasons = dict.fromkeys(("estimate", "se", "interval", "statistic", "p", "tau2", "q", "q_p", "i2", "h2"), said)
        empty = Interval(nan, nan, settings.level)
        return replace(
            fit, estimate=nan, se=nan, interval=empty, statistic=nan, p=nan, tau2=nan, reasons=MappingProxyType(reasons)
        )
    chosen = settings.conventions
    options: dict[str, Any] = {
        "inference": chosen["inference"],
        "prediction": chosen["prediction"],
        "i2": chosen["i2"],
        "level": settings.level,
    }
    shared: dict[str, Any] = {
        "excluded": fit.excluded + more,
        "method": fit.method,
        "conventions": fit.conventions,
        "tests": fit.tests,
    }

    def with_shared(found: Pooled) -> Pooled:
        return replace(found, **shared, advice=(*found.advice, *fit.advice))

    if es.double_zero.any():  # kept on purpose
        es = with_effects(es, es.effect)
    if len(es) == 1:
        return with_shared(pool(es, tau2="DL" if tau2 is None else tau2, **options))
    if tau2 is None and (fit.method == "peto" or chosen["mh_random_q"] == "inverse-variance"):
        # the Peto estimate is the inverse-variance one
        return with_shared(pool(es, tau2="DL", **options))
    w = 1.0 / es.variance
    total = float(w.sum())
    df = len(es) - 1
    if tau2 is None:
        tau2 = max(0.0, (fit.q - df) / (total - float(w @ w) / total))
    random = pool(es, tau2=tau2, **options)
    reasons = {**random.reasons, "tau2_se": "not known for a tau2 from Q around the Mantel-Haenszel estimate"}
    shared |= {"tau2_se": nan, "reasons": MappingProxyType(reasons)}
    around: dict[str, Any] = {"q": fit.q, "q_df": fit.q_df, "q_p": fit.q_p}
    if chosen["i2"] == "from-q":
        around |= {"i2": fit.i2, "h2": fit.h2}
    return with_shared(replace(random, **around))
