"""An outcome of a RevMan review computed again: effects of its studies, totals, and the test between subgroups.

The formulas are those of the statistics room under RevMan's conventions; here it is only settled which rows enter,
which method applies, and on which scale RevMan shows the result.  Deeks & Higgins (2010), "Statistical algorithms in
Review Manager 5"; Cochrane Methods (2022 to 2025), "Random-effects meta-analysis methods for Intervention Reviews".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, inf, isfinite, log10, nan
from typing import Any

import numpy as np

from balm.review.revman.model import CONTINUOUS, DICHOTOMOUS, GENERIC, O_E, Outcome, Row, Settings
from balm.review.revman.pooling import pool_as_revman, with_everyone
from balm.stats.distributions import chi2_sf, norm_ppf, norm_sf
from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.mantel_haenszel_sums import expected_and_variance
from balm.stats.pooling.pooled import Pooled
from balm.stats.pooling.subgroups import between
from balm.vocabulary.problems import InputError

_TABLE = ("events_1", "n_1", "events_2", "n_2")
_MEANS = ("mean_1", "sd_1", "n_1", "mean_2", "sd_2", "n_2")
#: No count, mean or effect of a study comes near this; squares and products of it still have room.
MOST = 1e15
#: The least standard deviation, error or variance that can be squared and divided by.
LEAST = 1e-15
_RATIOS = frozenset({"OR", "RR", "PETO", "HR"})


@dataclass(frozen=True, slots=True)
class Recomputed:
    """Rows pooled together: numbers of each row (``None`` = not estimable, with the reason) and of the total."""

    rows: tuple[dict[str, float] | None, ...]
    reasons: tuple[str, ...]
    total: dict[str, float] | None
    fit: Pooled | None
    why: str = ""
    estimable_sums: Mapping[str, float] = field(default_factory=dict)


def measure_of(outcome: Outcome) -> str:
    """Our code of the outcome's measure: OR, RR, RD, PETO, MD, SMD, HR (sums of O-E) or GEN."""
    s = outcome.settings
    if outcome.type == DICHOTOMOUS:
        return "PETO" if s.method == "PETO" else s.measure
    if outcome.type == CONTINUOUS:
        return s.measure or "MD"
    return "HR" if outcome.type == O_E else "GEN"


def is_ratio(outcome: Outcome) -> bool:
    """Whether RevMan shows the effect as a ratio, the exponential of what is pooled."""
    if outcome.type == GENERIC:
        return outcome.settings.log_data
    return measure_of(outcome) in _RATIOS


def columns_of(outcome: Outcome) -> tuple[str, ...]:
    """The entered numbers that the outcome's rows need."""
    if outcome.type == DICHOTOMOUS:
        return _TABLE
    if outcome.type == CONTINUOUS:
        return _MEANS
    return ("o_e", "var") if outcome.type == O_E else ("effect", "se")


def why_not(outcome: Outcome, row: Row) -> str:
    """Why a row has no effect, in words; empty when it has one."""
    values = [row.data.get(name, nan) for name in columns_of(outcome)]
    if not all(isfinite(v) for v in values):
        return "a number is missing"
    if any(abs(v) > MOST for v in values):
        return "a number is out of all proportion"
    if outcome.type == DICHOTOMOUS:
        a, n_1, c, n_2 = values
        if n_1 <= 0 or n_2 <= 0:
            return "a group has no participants"
        if a < 0 or c < 0 or a > n_1 or c > n_2:
            return f"events exceed participants ({a:g} of {n_1:g}, {c:g} of {n_2:g})"
        measure = measure_of(outcome)
        if outcome.settings.swap:
            a, c = n_1 - a, n_2 - c
        if measure != "RD" and a == 0 and c == 0:
            return "no events in either group"
        if measure in ("OR", "PETO") and a == n_1 and c == n_2:
            return "events in everyone"
        return ""
    if outcome.type == CONTINUOUS:
        _, sd_1, n_1, _, sd_2, n_2 = values
        if n_1 <= 0 or n_2 <= 0:
            return "a group has no participants"
        if sd_1 < LEAST or sd_2 < LEAST:
            return "a standard deviation is 0"
        if measure_of(outcome) == "SMD" and n_1 + n_2 < 3:  # three give J = 0: a difference of 0, which RevMan pools
            return "too few participants for a standardised difference"
        return ""
    return "" if values[1] >= LEAST else f"{columns_of(outcome)[1]} is 0"


def effects_of(outcome: Outcome, rows: Sequence[Row]) -> EffectSizes:
    """The effects of rows that all have one, under RevMan's conventions."""
    names = columns_of(outcome)
    data: dict[str, Any] = {name: [row.data[name] for row in rows] for name in names}
    labels = [row.study for row in rows]
    code = measure_of(outcome)
    if outcome.settings.swap and outcome.type == DICHOTOMOUS:
        for g in ("1", "2"):
            data[f"events_{g}"] = [n - e for n, e in zip(data[f"n_{g}"], data[f"events_{g}"], strict=True)]
    if code == "GEN":
        return EffectSizes(effect=data["effect"], variance=np.square(data["se"]), study=labels)
    if code == "HR":
        return effect_sizes("HR", o_minus_e=data["o_e"], v=data["var"], study=labels)
    es = effect_sizes(code, profile="revman5", counts="fractional", study=labels, **data)
    return with_everyone(es) if code == "RR" else es


def pooled(outcome: Outcome, es: EffectSizes, settings: Settings, tau2: float | None = None) -> Pooled:
    """The total by the outcome's own method; ``tau2`` is a between-study variance to take as known."""
    return pool_as_revman(
        es,
        method=method_of(outcome),
        model=settings.model,
        tau2=settings.tau2 if tau2 is None else tau2,
        inference=settings.inference,
        prediction=settings.prediction,
        profile=settings.profile,
        level=settings.level_total,
    )


def method_of(outcome: Outcome) -> str:
    """The outcome's method of pooling, by our word."""
    if measure_of(outcome) in ("PETO", "HR"):
        return "peto"
    return "mantel-haenszel" if outcome.settings.method == "MH" and outcome.type == DICHOTOMOUS else "inverse-variance"


def analyse(outcome: Outcome, rows: Sequence[Row], tau2: float | None = None) -> Recomputed:
    """Every number RevMan prints for these rows and their total.

    tau2 : a between-study variance to take as known instead of estimating it.
    """
    reasons = [why_not(outcome, row) or ("RevMan marks it so" if row.estimable is False else "") for row in rows]
    kept = [i for i, why in enumerate(reasons) if not why]
    numbers: list[dict[str, float] | None] = [None] * len(rows)
    sums = group_sums(outcome, rows)
    if not kept:
        return Recomputed(tuple(numbers), tuple(reasons), None, None, "no study has an effect")
    settings = outcome.settings
    shown: Callable[[float], float] = _exp if is_ratio(outcome) else float
    try:
        with np.errstate(all="ignore"):  # what has no finite value is said to be not estimable below
            es = effects_of(outcome, [rows[i] for i in kept])
            fit = pooled(outcome, es, settings, tau2)
    except InputError as error:
        return Recomputed(tuple(numbers), tuple(reasons), None, None, str(error).splitlines()[0])
    except ArithmeticError:
        return Recomputed(tuple(numbers), tuple(reasons), None, None, "numbers too large or too small to pool")
    z = norm_ppf(0.5 + 0.5 * settings.level_study)
    weights = dict(zip(fit.effects.study, fit.weights.tolist(), strict=True)) if _unique(fit) else {}
    in_order = iter(fit.weights.tolist())
    known = {i: bool(es.estimable[j]) for j, i in enumerate(kept)}
    for j, i in enumerate(kept):
        if not known[i]:
            reasons[i] = es.note[j] or "not estimable"
            continue
        y, se = float(es.effect[j]), float(es.se[j])
        found = {"estimate": shown(y), "ci_low": shown(y - z * se), "ci_high": shown(y + z * se), "se": se}
        excluded = {name for name, _ in fit.excluded}
        if len(fit.weights) == sum(known.values()):
            found["weight"] = next(in_order)
        elif es.study[j] in weights and es.study[j] not in excluded:
            found["weight"] = weights[es.study[j]]
        if measure_of(outcome) == "PETO":
            a, n_1, c, n_2 = (np.array([rows[i].data[name]]) for name in _TABLE)
            if settings.swap:
                a, c = n_1 - a, n_2 - c
            expected, variance = expected_and_variance(a, n_1, c, n_2)
            found |= {"o_e": float(a[0] - expected[0]), "var": float(variance[0])}
        elif outcome.type == DICHOTOMOUS:
            found |= {"o_e": 0.0, "var": se * se}  # RevMan 5 writes no O-E under other methods
        numbers[i] = found | _logs(found, is_ratio(outcome))
    total: dict[str, float] | None = None
    why = ""
    if isfinite(fit.estimate) and isfinite(fit.se):
        total = {
            "estimate": shown(fit.estimate),
            "ci_low": shown(fit.interval.low),
            "ci_high": shown(fit.interval.high),
            "chi2": fit.q if fit.k > 1 else 0.0,
            "df": float(max(fit.k - 1, 0)) if fit.k > 1 else 0.0,
            "p_chi2": fit.q_p if fit.k > 1 else 1.0,
            "i2": fit.i2 if fit.k > 1 else 0.0,
            "tau2": fit.tau2 if settings.model == "random" and fit.k > 1 else 0.0,
            "z": abs(fit.statistic),
            "p": fit.p,
            "studies": float(len(rows)),
            "pi_low": shown(fit.prediction_interval.low),
            "pi_high": shown(fit.prediction_interval.high),
        }
        total |= _logs(total, is_ratio(outcome))
    else:
        why = fit.reasons.get("estimate") or fit.reasons.get("se") or "not estimable"
    if total is not None:
        total |= sums
    fewer = group_sums(outcome, [row for row, found in zip(rows, numbers, strict=True) if found is not None])
    return Recomputed(tuple(numbers), tuple(reasons), total, fit, why, fewer)


def group_sums(outcome: Outcome, rows: Sequence[Row]) -> dict[str, float]:
    """Events and participants of the groups, summed over the rows."""
    names = ("events_1", "n_1", "events_2", "n_2")
    return {name: sum(row.data[name] for row in rows if name in row.data) for name in names}


def subgroup_test(parts: Sequence[Recomputed]) -> dict[str, float]:
    """Chi-square, degrees of freedom, p and I2 of the test for subgroup differences (Deeks & Higgins, section 11)."""
    q, df = between([part.fit for part in parts if part.fit is not None and part.total is not None])
    if df == 0:
        return {"q": 0.0, "q_df": 0.0, "p_q": 1.0, "i2_q": 0.0}
    return {"q": q, "q_df": float(df), "p_q": chi2_sf(q, df), "i2_q": max(0.0, 100.0 * (q - df) / q) if q > 0 else 0.0}


def mean_of_totals(outcome: Outcome, parts: Sequence[Recomputed]) -> dict[str, float]:
    """The inverse-variance mean of subgroup totals, which RevMan 5 stores where only subgroups are totalled."""
    fits = [part.fit for part in parts if part.fit is not None and part.total is not None]
    if not fits:
        return {}
    w = np.array([fit.se**-2.0 for fit in fits])
    mean = float(w @ np.array([fit.estimate for fit in fits]) / w.sum())
    se = float(w.sum()) ** -0.5
    half = norm_ppf(0.5 + 0.5 * outcome.settings.level_total) * se
    ratio = is_ratio(outcome)
    shown: Callable[[float], float] = _exp if ratio else float
    found = {"estimate": shown(mean), "ci_low": shown(mean - half), "ci_high": shown(mean + half)}
    found |= {"z": abs(mean) / se, "p": 2.0 * norm_sf(abs(mean) / se)}
    return found | _logs(found, ratio)


def _unique(fit: Pooled) -> bool:
    return len(set(fit.effects.study)) == len(fit.effects.study) == len(fit.weights)


def _exp(value: float) -> float:
    try:
        return exp(value)
    except OverflowError:
        return inf


def _logs(numbers: dict[str, float], ratio: bool) -> dict[str, float]:
    if not ratio:
        return {}
    return {
        f"log_{name}": log10(numbers[name]) for name in ("estimate", "ci_low", "ci_high") if 0.0 < numbers[name] < inf
    }
