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
from balm.stats.pooling.pooled import Pooled
from balm.stats.small_study.general_fail_safe import Diluted, Refitted
from balm.stats.small_study.studies import p_in_words, studies_of
from balm.vocabulary.problems import InputError, check_option

METHODS = ("rosenthal", "orwin", "rosenberg", "general")
#: The general method stops looking here: a larger number says no more, and a refit with more takes minutes.
MOST, MOST_EXACT = 10_000_000, 100_000
#: Intervals whose p follows from tau2(N) alone; the others take the scatter of the effects and are refitted.
UPDATED = ("wald", "t")
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
    """``n`` null studies; 0 where there is nothing to overturn, ``inf`` beyond ``MOST`` (general method).

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
    most: int = MOST  # where the search stopped

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
        count = f"more than {self.most}" if math.isinf(self.n) else str(self.n)
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
    exact: bool = False,
) -> FailSafeN:
    """How many added studies averaging no effect would overturn the result.

    method   : "rosenthal" (Stouffer's combined p, one-sided), "orwin" (the mean falls to ``target``), "rosenberg" (the
               common-effect mean loses two-sided significance; added studies have the average weight) or "general" (the
               same under the model of the fit, so ``fit`` must be a result of :func:`balm.pool`).
    alpha    : the level of significance to lose; not for "orwin" or with a target.
    target   : a mean that would not matter, on the analysis scale and on the same side of 0; needed for "orwin",
               possible for "general".
    weighted : "orwin" only: inverse-variance weights (default) or the plain mean.
    exact    : "general" only: repeat the whole fit for every number tried, instead of updating tau2 by the law of total
               variance (:mod:`balm.stats.small_study.general_fail_safe`). Fits whose interval is neither Wald's nor
               that of t are repeated in any case.

    In the general method the added studies have the harmonic mean of the variances and scatter around 0 as widely as
    the fitted model says (their variance is that plus tau2); tau2 grows with them as they pull away from the observed
    mean. Its ``n`` is one more than the number of studies that bring p closest to ``alpha`` (or the mean closest to
    ``target``), as metafor 5 counts: with so many the result is overturned; with one fewer it may already be.
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
    if exact and method != "general":
        raise InputError(f"exact=True does not apply to method={method!r}; it belongs to 'general'")
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
    return _general(fit, alpha, target, exact, advice)


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


def _general(
    fit: Pooled | EffectSizes, alpha: float, target: float | None, exact: bool, advice: tuple[str, ...]
) -> FailSafeN:
    if not isinstance(fit, Pooled) or fit.method != "inverse-variance" or fit.own_weights is not None:
        raise InputError("method='general' repeats a fit of balm.pool (without weights of your own): pool first")
    if fit.conventions.get("model") == "ivhet":
        raise InputError("method='general' is not defined for model='ivhet': use model='random' or 'common'")
    aim = math.nan if target is None else _checked_target(target, fit.estimate)
    refitted = exact or fit.conventions["inference"] not in UPDATED
    with_null: Diluted | Refitted = Refitted(fit) if refitted else Diluted(fit)

    def above(n: int) -> float:
        """How far ``n`` studies are beyond the line: positive where the result stands."""
        mean, p = with_null.after(n)
        return alpha - p if target is None else abs(mean) - abs(aim)

    most = MOST_EXACT if refitted else MOST
    return FailSafeN("general", _count(above, most), fit.k, fit.p, fit.estimate, alpha, aim, advice, most)


def _count(above: Callable[[int], float], most: int) -> int | float:
    """One more than the whole number at which ``above`` is nearest to 0; 0 where it is below from the start."""
    if above(0) < 0.0:
        return 0
    low, high = 0, 1
    while above(high) >= 0.0:
        low, high = high, 2 * high
        if high > most:
            return math.inf
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if above(middle) < 0.0 else (middle, high)
    return (low if above(low) <= -above(high) else high) + 1
