"""Participants whose outcome is missing: effects and variances under stated assumptions about them.

In each arm a share ``a`` of the participants has no outcome; ``p`` is the risk among those observed and ``q`` the risk
that is assumed among those missing, so that the risk of all is ``(1 - a) p + a q``. An informative missingness odds
ratio (IMOR) says how q differs: ``odds(q) = IMOR x odds(p)``.

Higgins, White & Wood (2008), Clin Trials 5:225 (imputations and weights); White, Higgins & Wood (2008), Stat Med 27:711
(uncertain IMORs); Gamble & Hollis (2005), J Clin Epidemiol 58:579; White & Higgins (2009), Stata J 9:57.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats import columns as tables
from balm.stats.diagnostics.printed import studies, text_table
from balm.stats.effect_sizes import EffectSizes, Floats, effect_sizes
from balm.stats.frame import frame
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.problems import InputError, Problem, check_option

MEASURES = ("RR", "OR", "RD")
#: What is assumed of the missing, with the names of Higgins, White & Wood (2008).
ASSUMPTIONS: dict[str, str] = {
    "available": "left out: those observed are like those missing (available case analysis)",
    "imor": "odds of the event that are IMOR times those observed in the arm (ICA-IMOR)",
    "none": "nobody had the event (ICA-0)",
    "all": "everybody had the event (ICA-1)",
    "own-risk": "the risk observed in their arm (ICA-p)",
    "control-risk": "the risk observed in arm 2 (ICA-pC)",
    "intervention-risk": "the risk observed in arm 1 (ICA-pE)",
    "best-case": "the good outcome in arm 1, the bad one in arm 2 (ICA-b)",
    "worst-case": "the bad outcome in arm 1, the good one in arm 2 (ICA-w)",
    "gamble-hollis": "anything from worst to best case: available cases with intervals as wide as both (Gamble-Hollis)",
}
#: How precise an effect is taken to be.
WEIGHTINGS: dict[str, str] = {
    "observed-information": "the error of the assumed risks given what was observed (W4)",
    "as-observed": "as if the missing had been observed (W1)",
    "available": "the error of the available case analysis (W2)",
    "scaled-down": "the assumed risks in as many participants as were observed (W3)",
}
INTEGRATIONS = ("quadrature", "taylor")
EVENTS = ("desirable", "undesirable")
#: Gauss-Hermite nodes a side: the mean of log risks to ten digits for standard deviations of log IMOR up to 3.
NODES = 40
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True, eq=False)
class _Arms:
    """(2, k) of both arms, corrected where a cell would be 0: risk p, share missing a, participants seen and all."""

    p: Floats
    a: Floats
    seen: Floats
    n: Floats


def missing_outcomes(
    measure: str,
    assumption: str = "imor",
    *,
    events_1: Any,
    n_1: Any,
    missing_1: Any,
    events_2: Any,
    n_2: Any,
    missing_2: Any,
    data: Any = None,
    study: Any = None,
    imor_1: Any = None,
    imor_2: Any = None,
    log_imor_sd_1: float | None = None,
    log_imor_sd_2: float | None = None,
    correlation: float | None = None,
    integration: str | None = None,
    weighting: str | None = None,
    event: str | None = None,
) -> EffectSizes:
    """The effect of each study, with the participants whose outcome is missing under an assumption about them.

    measure    : "RR", "OR" or "RD".  assumption : a row of :data:`ASSUMPTIONS`.
    events, n  : events among the ``n`` participants *with* an outcome; missing_1, missing_2: those without one.
    imor_1, imor_2 : informative missingness odds ratios, numbers or one a study; 1 (missing at random) by default.
    log_imor_sd_1, log_imor_sd_2, correlation : of a normal prior of log IMOR about these, and between the arms (0).
    integration : "quadrature" (default: mean and variance over the prior) or "taylor" (first order at its centre).
    weighting  : a row of :data:`WEIGHTINGS`, default "observed-information".
    event      : "desirable" or "undesirable", which best and worst case need.

    The result is pooled as any other: ``balm.pool(balm.missing_outcomes(...))``. Where a cell of the assumed table is 0
    a half is added to all four cells, as :func:`balm.effect_sizes` does. With an IMOR of 1 that is known, effects and
    variances are those of the available case analysis. Correlated log IMORs err alike in both arms, which partly
    cancels; uncorrelated ones widen the intervals more.

    >>> counts = dict(events_1=[20, 9], n_1=[50, 30], missing_1=[10, 5])
    >>> counts |= dict(events_2=[10, 4], n_2=[55, 31], missing_2=[5, 4])
    >>> missing_outcomes("RR", imor_1=1, imor_2=1, **counts).effect.round(4).tolist()
    [0.7885, 0.8437]
    >>> missing_outcomes("RR", "none", **counts).effect.round(4).tolist()
    [0.6931, 0.8109]
    """
    check_option("measure", measure, MEASURES)
    check_option("assumption", assumption, list(ASSUMPTIONS))
    known = {
        "imor_1": imor_1, "imor_2": imor_2, "log_imor_sd_1": log_imor_sd_1, "log_imor_sd_2": log_imor_sd_2,
        "correlation": correlation, "integration": integration,
    }  # fmt: skip
    _refuse_idle(assumption, known, weighting, event)
    available = effect_sizes(measure, data=data, study=study, events_1=events_1, n_1=n_1, events_2=events_2, n_2=n_2)
    k = len(available)
    absent = np.array(
        [
            _missing(name, given, data, k, available)
            for name, given in (("missing_1", missing_1), ("missing_2", missing_2))
        ]
    )
    if assumption == "available":
        return _named(available, available.effect, available.variance, absent)
    raw = np.array([[available.raw[f"events_{i}"], available.raw[f"n_{i}"]] for i in (1, 2)])
    scheme = check_option("weighting", weighting or "observed-information", list(WEIGHTINGS))
    if assumption == "gamble-hollis":
        low, high = np.full(k, math.inf), np.full(k, -math.inf)
        for risks in ((0.0, 1.0), (1.0, 0.0)):
            effect, variance = _fixed(measure, raw, absent, risks, "as-observed", available)
            low, high = (
                np.minimum(low, effect - _Z * np.sqrt(variance)),
                np.maximum(high, effect + _Z * np.sqrt(variance)),
            )
        return _named(available, available.effect, ((high - low) / (2.0 * _Z)) ** 2, absent)
    if assumption == "imor":
        effect, variance = _imor(measure, raw, absent, known, scheme, available)
    else:
        effect, variance = _fixed(measure, raw, absent, _assumed(assumption, event), scheme, available)
    return _named(available, effect, variance, absent)


def _refuse_idle(assumption: str, known: Mapping[str, Any], weighting: str | None, event: str | None) -> None:
    given = [name for name, value in known.items() if value is not None]
    if given and assumption != "imor":
        raise InputError(f"{given[0]}= has no effect with assumption={assumption!r}; leave it out, or take 'imor'")
    if weighting is not None and assumption in ("available", "gamble-hollis"):
        raise InputError(f"weighting= has no effect with assumption={assumption!r}, which has its own; leave it out")
    if assumption in ("best-case", "worst-case"):
        if event is None:
            raise InputError(f"assumption={assumption!r} needs event='desirable' or event='undesirable'")
        check_option("event", event, EVENTS)
    elif event is not None:
        raise InputError(f"event= has no effect with assumption={assumption!r}; leave it out")


def missing_counts(missing_1: Any, missing_2: Any, data: Any, es: EffectSizes) -> Floats:
    """(2, k) participants without an outcome, checked."""
    pairs = (("missing_1", missing_1), ("missing_2", missing_2))
    return np.array([_missing(name, given, data, len(es), es) for name, given in pairs])


def missing_notes(es: EffectSizes, absent: Floats) -> list[str]:
    """The share missing in each arm of each study, in words."""
    shares = 100.0 * absent / (absent + np.array([es.raw["n_1"], es.raw["n_2"]]))
    return [f"missing {a:.0f}% and {b:.0f}%" for a, b in shares.T.tolist()]


def _missing(name: str, given: Any, data: Any, k: int, es: EffectSizes) -> Floats:
    column = tables.numeric_column(name, given, data)
    if len(column.values) not in (1, k):
        raise InputError(f"{name} has {len(column.values)} rows; there are {k} studies")
    values = np.broadcast_to(column.values, (k,)).copy()
    bad = ~np.isfinite(values) | (values < 0.0) | (values != np.floor(values))
    if bad.any():
        i = int(np.argmax(bad))
        said = column.unreadable.get(i, f"{values[i]:g}")
        raise InputError(
            Problem(
                f"{es.study[i]}: {column.label} must be a whole number of participants, 0 or more; got {said}",
                row=i + 1,
                column=column.label,
            )
        )
    return values


def _named(available: EffectSizes, effect: Floats, variance: Floats, absent: Floats) -> EffectSizes:
    return EffectSizes(
        effect=effect,
        variance=variance,
        study=available.study,
        measure=available.measure,
        note=missing_notes(available, absent),
    )


def _assumed(assumption: str, event: str | None) -> tuple[float | str, float | str]:
    if assumption in ("best-case", "worst-case"):
        good = 1.0 if event == "desirable" else 0.0
        return (good, 1.0 - good) if assumption == "best-case" else (1.0 - good, good)
    fixed: dict[str, tuple[float | str, float | str]] = {
        "none": (0.0, 0.0),
        "all": (1.0, 1.0),
        "own-risk": ("1", "2"),
        "control-risk": ("2", "2"),
        "intervention-risk": ("1", "1"),
    }
    return fixed[assumption]


def _arms(raw: Floats, absent: Floats, half: Floats) -> _Arms:
    seen = raw[:, 1] + 2.0 * half
    n = seen + absent
    return _Arms((raw[:, 0] + half) / seen, absent / n, seen, n)


def _half(total: Floats, n: Floats) -> Floats:
    """A half for the studies where a cell of the assumed table is 0."""
    return np.where(np.any((total <= 0.0) | (total >= n), axis=0), 0.5, 0.0)


def _fixed(
    measure: str,
    raw: Floats,
    absent: Floats,
    risks: tuple[float | str, float | str],
    scheme: str,
    available: EffectSizes,
) -> tuple[Floats, Floats]:
    """Risks among the missing that are numbers, or those observed in arm "1" or "2"."""

    def assumed(arms: _Arms) -> tuple[Floats, Floats]:
        q, by_p = np.empty_like(arms.p), np.zeros((2, 2, arms.p.shape[1]))
        for i, risk in enumerate(risks):
            if isinstance(risk, str):
                j = int(risk) - 1
                q[i], by_p[i, j] = arms.p[j], 1.0
            else:
                q[i] = risk
        return q, by_p

    plain = _arms(raw, absent, np.zeros(raw.shape[2]))
    q, _ = assumed(plain)
    arms = _arms(raw, absent, _half(plain.n * ((1.0 - plain.a) * plain.p + plain.a * q), plain.n))
    q, by_p = assumed(arms)
    return _effect(measure, arms, q), _variance(measure, arms, q, by_p, scheme, available)


def _imor(
    measure: str, raw: Floats, absent: Floats, known: Mapping[str, Any], scheme: str, available: EffectSizes
) -> tuple[Floats, Floats]:
    k = raw.shape[2]
    centre = np.log(np.array([_odds_ratio(name, known[name], k) for name in ("imor_1", "imor_2")]))
    sd, rho = check_prior(
        "log_imor_sd_1", known["log_imor_sd_1"], "log_imor_sd_2", known["log_imor_sd_2"], known["correlation"]
    )
    how = check_option("integration", known["integration"] or "quadrature", INTEGRATIONS)
    plain = _arms(raw, absent, np.zeros(k))
    total = plain.n * ((1.0 - plain.a) * plain.p + plain.a * _with_odds(plain.p, centre)[0])
    arms = _arms(raw, absent, _half(total, plain.n))

    def at(delta: Floats) -> tuple[Floats, Floats]:
        q, slope = _with_odds(arms.p, delta)
        by_p = np.zeros((2, 2, k))
        by_p[0, 0], by_p[1, 1] = slope
        return _effect(measure, arms, q), _variance(measure, arms, q, by_p, scheme, available)

    if max(sd) == 0.0:
        return at(centre)
    if how == "taylor":
        effect, variance = at(centre)
        q, _ = _with_odds(arms.p, centre)
        move = _slopes(measure, arms, q) * arms.a * q * (1.0 - q) * np.array(sd)[:, None]
        return effect, variance + move[0] ** 2 + move[1] ** 2 + 2.0 * rho * move[0] * move[1]
    x, w = np.polynomial.hermite_e.hermegauss(NODES)
    w = w / np.sum(w)
    mean, square, own = np.zeros(k), np.zeros(k), np.zeros(k)
    first = at(centre)[0]  # squares about it lose no digits
    for u, wu in zip(x.tolist(), w.tolist(), strict=True):
        for t, wt in zip(x.tolist(), w.tolist(), strict=True):
            other = rho * u + math.sqrt(1.0 - rho * rho) * t
            effect, variance = at(centre + np.array([[sd[0] * u], [sd[1] * other]]))
            mean += wu * wt * (effect - first)
            square += wu * wt * (effect - first) ** 2
            own += wu * wt * variance
    return first + mean, own + square - mean * mean


def _odds_ratio(name: str, given: Any, k: int) -> Floats:
    values = np.asarray(1.0 if given is None else given, dtype=np.float64)
    if values.ndim > 1 or (values.ndim == 1 and len(values) != k):
        raise InputError(f"{name} must be one number or one a study ({k}); got shape {values.shape}")
    values = np.broadcast_to(values, (k,))
    if not np.all(np.isfinite(values) & (values > 0.0)):
        raise InputError(
            f"{name} must be above 0 and finite; got {given!r} (assumption='none' or 'all' are its limits)"
        )
    return values


def check_prior(
    name_1: str, sd_1: float | None, name_2: str, sd_2: float | None, correlation: float | None
) -> tuple[list[float], float]:
    """Standard deviations and correlation of a prior of both arms; 0 where nothing is said."""
    spread = []
    for name, given in ((name_1, sd_1), (name_2, sd_2)):
        value = 0.0 if given is None else float(given)
        if not (math.isfinite(value) and value >= 0.0):
            raise InputError(f"{name} must be a standard deviation, 0 or more; got {given!r}")
        spread.append(value)
    rho = 0.0 if correlation is None else float(correlation)
    if not -1.0 <= rho <= 1.0:
        raise InputError(f"correlation must lie between -1 and 1; got {rho!r}")
    if rho != 0.0 and min(spread) == 0.0:
        raise InputError(f"correlation= needs {name_1} and {name_2} above 0: what is known correlates with nothing")
    return spread, rho


def _with_odds(p: Floats, delta: Floats) -> tuple[Floats, Floats]:
    """The risk whose log odds lie ``delta`` above those of ``p``, and its derivative in p."""
    ratio = np.exp(delta)
    below = 1.0 - p + ratio * p
    return ratio * p / below, ratio / below**2


def _effect(measure: str, arms: _Arms, q: Floats) -> Floats:
    risk = (1.0 - arms.a) * arms.p + arms.a * q
    if measure == "RD":
        return np.asarray(risk[0] - risk[1])
    logs = np.log(risk) if measure == "RR" else np.log(risk) - np.log1p(-risk)
    return np.asarray(logs[0] - logs[1])


def _slopes(measure: str, arms: _Arms, q: Floats) -> Floats:
    """(2, k) derivatives of the effect in the two risks."""
    risk = (1.0 - arms.a) * arms.p + arms.a * q
    size: Floats = np.ones_like(risk) if measure == "RD" else 1.0 / risk
    if measure == "OR":
        size = size / (1.0 - risk)
    return np.asarray(size * np.array([[1.0], [-1.0]]))


def _variance(measure: str, arms: _Arms, q: Floats, by_p: Floats, scheme: str, available: EffectSizes) -> Floats:
    if scheme == "available":
        return available.variance.copy()
    slope = _slopes(measure, arms, q)
    if scheme != "observed-information":
        risk = (1.0 - arms.a) * arms.p + arms.a * q
        size = arms.n if scheme == "as-observed" else arms.seen
        return np.asarray(np.sum(slope**2 * risk * (1.0 - risk) / size, axis=0))
    found = np.zeros(arms.p.shape[1])
    for j in range(2):  # what is estimated in arm j: the risk observed, and the share missing
        through = slope[j] * (1.0 - arms.a[j]) + np.sum(slope * arms.a * by_p[:, j], axis=0)
        found += through**2 * arms.p[j] * (1.0 - arms.p[j]) / arms.seen[j]
        found += (slope[j] * (q[j] - arms.p[j])) ** 2 * arms.a[j] * (1.0 - arms.a[j]) / arms.n[j]
    return found


@dataclass(frozen=True, eq=False)
class MissingOutcomeAnalyses:
    """The pooled result under each assumption: ``fits`` by name, in the order asked for."""

    fits: Mapping[str, Pooled]

    def __getitem__(self, name: str) -> Pooled:
        return self.fits[check_option("assumption", name, list(self.fits))]

    def to_frame(self) -> Any:
        """One row an assumption, as a pandas DataFrame (a dict of columns without pandas)."""
        return frame(self._table())

    def _table(self) -> dict[str, Any]:
        rows = [fit.displayed for fit in self.fits.values()]
        return {
            "assumption": list(self.fits),
            "estimate": [d.estimate for d in rows],
            "low": [d.interval.low for d in rows],
            "high": [d.interval.high for d in rows],
            "p": [fit.p for fit in self.fits.values()],
            "tau2": [fit.tau2 for fit in self.fits.values()],
        }

    def __repr__(self) -> str:
        first = next(iter(self.fits.values()))
        return text_table(
            f"{first.effects.measure} of {studies(first.k)} by assumption about missing outcomes", self._table()
        )

    def _repr_html_(self) -> str:
        return f"<pre>{self!r}</pre>"


def missing_outcome_analyses(
    measure: str, *, event: str, pooling: Mapping[str, Any] | None = None, **columns: Any
) -> MissingOutcomeAnalyses:
    """Pool under every assumption of :data:`ASSUMPTIONS` that needs no IMOR: from the worst case to the best.

    columns : as :func:`missing_outcomes` takes them (``events_1`` ... ``missing_2``, ``data``, ``study``).
    pooling : options of :func:`balm.pool`, the same for all.  event : "desirable" or "undesirable".

    >>> counts = dict(events_1=[20, 9], n_1=[50, 30], missing_1=[10, 5])
    >>> counts |= dict(events_2=[10, 4], n_2=[55, 31], missing_2=[5, 4])
    >>> found = missing_outcome_analyses("RR", event="desirable", pooling={"model": "common"}, **counts)
    >>> found["worst-case"].estimate < found["available"].estimate < found["best-case"].estimate
    True
    """
    check_option("event", event, EVENTS)
    fits = {}
    for name in ASSUMPTIONS:
        if name == "imor":
            continue
        said = event if name in ("best-case", "worst-case") else None
        fits[name] = pool(missing_outcomes(measure, name, event=said, **columns), **(pooling or {}))
    return MissingOutcomeAnalyses(fits)
