"""Fail-safe N: how many unseen studies without an effect would overturn the result."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.distributions import norm_isf, norm_sf
from balm.stats.effect_sizes import EffectSizes
from balm.stats.frame import frame
from balm.stats.pooling.again import pool_again
from balm.stats.pooling.pooled import Pooled
from balm.stats.small_study.studies import p_in_words, studies_of
from balm.vocabulary.problems import InputError, check_option

METHODS = ("rosenthal", "orwin", "rosenberg", "general")
#: The general method stops looking here: a larger number says no more.
MOST = 100_000
#: A quotient this close to a whole number is that number with rounding on top.
ROUNDING = 1e-9
_SOURCE = {
    "rosenthal": "Rosenthal R. Psychol Bull 1979;86:638-41",
    "orwin": "Orwin RG. J Educ Stat 1983;8:157-9",
    "rosenberg": "Rosenberg MS. Evolution 2005;59:464-8",
    "general": "Rosenberg MS. Evolution 2005;59:464-8, under the model of the fit",
}


@dataclass(frozen=True, slots=True, repr=False)
class FailSafeN:
    """``n`` null studies; 0 where there is nothing to overturn, ``inf`` beyond a hundred thousand (general method).

    p        : of the observed studies: one-sided for Rosenthal's combined test, two-sided otherwise; ``nan`` for Orwin.
    estimate : the mean that is to be overturned; ``nan`` for Rosenthal.
    target   : the mean to reach, or ``nan`` where significance at ``alpha`` is to be lost.
    """

    method: str
    n: int | float
    k: int
    p: float
    estimate: float
    alpha: float
    target: float
    advice: tuple[str, ...]

    @property
    def tolerance(self) -> int:
        """Rosenthal's 5k + 10: with more than this many, he called a result robust (1979)."""
        return 5 * self.k + 10

    @property
    def summary(self) -> str:
        """The result in one sentence."""
        name = self.method.capitalize()
        goal = (
            f"to lose significance at {self.alpha:g}"
            if math.isnan(self.target)
            else f"to bring the mean from {self.estimate:.3f} to {self.target:.3f}"
        )
        count = f"more than {MOST}" if math.isinf(self.n) else str(self.n)
        p = "" if math.isnan(self.p) else f" ({p_in_words(self.p)} as observed)"
        return f"Fail-safe N ({name}): {count} null studies beside the {self.k} observed would be needed {goal}{p}."

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {
            "method": self.method,
            "n": self.n,
            "k": self.k,
            "p": self.p,
            "estimate": self.estimate,
            "alpha": self.alpha,
            "target": self.target,
            "source": _SOURCE[self.method],
            "advice": list(self.advice),
        }

    def to_frame(self) -> Any:
        """One row, as a pandas DataFrame (a dict of columns without pandas)."""
        return frame({name: [value] for name, value in self.to_dict().items() if not isinstance(value, list)})

    def __repr__(self) -> str:
        return "\n".join([self.summary, *(f"- {said}" for said in self.advice), _SOURCE[self.method]])


def fail_safe_n(
    fit: Pooled | EffectSizes,
    method: str = "rosenthal",
    *,
    alpha: float = 0.05,
    target: float | None = None,
    weighted: bool | None = None,
) -> FailSafeN:
    """The smallest number of added studies averaging no effect that would overturn the result.

    method   : "rosenthal" (Stouffer's combined p, one-sided), "orwin" (the mean falls to ``target``), "rosenberg" (the
               common-effect mean loses two-sided significance; added studies have the average weight) or "general" (the
               fit itself is repeated, so ``fit`` must be a result of :func:`balm.pool`).
    alpha    : the level of significance to lose; not for "orwin" or with a target.
    target   : a mean that would not matter, on the analysis scale and on the same side of 0; needed for "orwin",
               possible for "general".
    weighted : "orwin" only: inverse-variance weights (default) or the plain mean.

    In the general method the added studies have the harmonic mean of the variances and scatter around 0 as widely as
    the fitted model says (their variance is that plus tau2); tau2 is estimated anew with them.
    It does not estimate how many are missing, and no number is proof against bias. Rosenthal (1979); Orwin (1983);
    Rosenberg (2005), the fixed-effects case with the normal distribution in place of t.

    >>> es = EffectSizes(effect=[0.5, 0.4, 0.7], variance=[0.04, 0.05, 0.06])
    >>> fail_safe_n(es).n
    16
    """
    check_option("method", method, METHODS)
    if not 0.0 < alpha < 1.0:
        raise InputError(f"alpha must lie between 0 and 1; got {alpha!r}")
    if target is not None and method not in ("orwin", "general"):
        raise InputError(f"target= does not apply to method={method!r}; it belongs to 'orwin' or 'general'")
    if weighted is not None and method != "orwin":
        raise InputError(f"weighted= does not apply to method={method!r}; it belongs to 'orwin'")
    es = studies_of(fit, "fail_safe_n")
    y, v, k = es.effect, es.variance, len(es)
    weights = 1.0 / v
    total, mean = float(np.sum(weights)), float(weights @ y) / float(np.sum(weights))
    nan = math.nan
    advice = ("A large number is no proof against bias: it assumes that unseen studies average no effect.",)
    if method == "rosenthal":
        z = float(np.sum(y / np.sqrt(v)))
        p = norm_sf(abs(z) / math.sqrt(k))
        needed = (z / norm_isf(alpha)) ** 2 - k if p < alpha else 0.0
        return FailSafeN(method, _up(needed), k, p, nan, alpha, nan, advice)
    if method == "rosenberg":
        p = 2.0 * norm_sf(abs(mean) * math.sqrt(total))
        needed = k * ((mean * math.sqrt(total) / norm_isf(0.5 * alpha)) ** 2 - 1.0) if p < alpha else 0.0
        return FailSafeN(method, _up(needed), k, p, mean, alpha, nan, advice)
    if method == "orwin":
        if target is None:
            raise InputError("method='orwin' needs target=: a mean effect that would not matter, on the analysis scale")
        centre = mean if weighted is not False else float(np.mean(y))
        aim = _checked_target(target, centre)
        return FailSafeN(method, _up(k * (centre - aim) / aim), k, nan, centre, alpha, aim, advice)
    return _general(fit, alpha, target, advice)


def _checked_target(target: float, mean: float) -> float:
    aim = float(target)
    if not math.isfinite(aim) or aim == 0.0:
        raise InputError(f"target must be a number other than 0 (adding null studies never reaches 0); got {target!r}")
    if mean * aim < 0.0:
        raise InputError(f"target ({aim:g}) must lie on the same side of 0 as the mean ({mean:g})")
    return aim


def _up(value: float) -> int:
    """The next whole number, never below 0."""
    return max(0, math.ceil(value - ROUNDING * max(1.0, abs(value))))


def _general(fit: Pooled | EffectSizes, alpha: float, target: float | None, advice: tuple[str, ...]) -> FailSafeN:
    if not isinstance(fit, Pooled) or fit.method != "inverse-variance" or fit.own_weights is not None:
        raise InputError("method='general' repeats a fit of balm.pool (without weights of your own): pool first")
    aim = math.nan if target is None else _checked_target(target, fit.estimate)

    def overturned(n: int) -> bool:
        found = pool_again(fit, _with_null(fit, n)) if n else fit
        return found.p > alpha if target is None else abs(found.estimate) <= abs(aim)

    count = _first(overturned)
    return FailSafeN("general", count, fit.k, fit.p, fit.estimate, alpha, aim, advice)


def _with_null(fit: Pooled, n: int) -> EffectSizes:
    """The studies and ``n`` null ones: mean exactly 0, sample variance that of the model (one alone lies at 0)."""
    es = fit.effects
    typical = fit.k / float(np.sum(1.0 / es.variance))
    tau2 = 0.0 if math.isnan(fit.tau2) else fit.tau2
    added = np.zeros(n)
    pairs = n // 2
    added[:pairs] = math.sqrt((n - 1) * (typical + tau2) / (2 * pairs)) if pairs else 0.0
    added[pairs : 2 * pairs] = -added[:pairs]
    return EffectSizes(
        effect=np.concatenate((es.effect, added)),
        variance=np.concatenate((es.variance, np.full(n, typical))),
        measure=es.measure,
    )


def _first(overturned: Callable[[int], bool]) -> int | float:
    """The smallest number for which it holds, by doubling and halving."""
    if overturned(0):
        return 0
    low, high = 0, 1
    while not overturned(high):
        low, high = high, 2 * high
        if high > MOST:
            return math.inf
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if overturned(middle) else (middle, high)
    return high
