"""Trim and fill: how many studies one side of the funnel lacks, and the pooled result with their mirror images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from balm.stats.effect_sizes import Bools, EffectSizes, Floats
from balm.stats.frame import frame
from balm.stats.pooling.again import pool_again
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pooled import Pooled
from balm.stats.small_study.regression_test import model_of
from balm.stats.small_study.studies import ENOUGH, SAME, p_in_words
from balm.stats.small_study.weighted_line import additive_line
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError, check_option

ESTIMATORS = ("L0", "R0", "Q0")
SIDES = ("left", "right")
CENTRES = ("fit", "common")
#: The count settles within a few rounds; one that returns to an earlier value never will.
MOST_ROUNDS = 100


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class TrimAndFill:
    """The filled analysis beside the one it started from.

    k0, k0_se : studies filled in, and the standard error of their estimated number (``nan`` where its variance is not
                positive). ``p`` tests that none is missing on this side; only R0 has such a test, otherwise ``nan``.
    side      : where studies were filled in, "left" (smaller effects) or "right".
    effects   : (k + k0,) observed, then filled; ``filled`` is True for the latter.
    refit     : the fit repeated on them; ``original`` the fit as it was.
    rounds    : until the count settled.
    """

    k0: int
    k0_se: float
    p: float
    side: str
    estimator: str
    effects: EffectSizes
    filled: Bools
    refit: Pooled
    original: Pooled
    rounds: int
    advice: tuple[str, ...]

    @property
    def k(self) -> int:
        """Studies observed."""
        return self.original.k

    @property
    def estimate(self) -> float:
        """The pooled estimate with the filled studies, on the analysis scale."""
        return self.refit.estimate

    @property
    def summary(self) -> str:
        """The result in one sentence."""
        before, after = self.original.displayed, self.refit.displayed
        what = "no study" if self.k0 == 0 else f"{self.k0} stud{'y' if self.k0 == 1 else 'ies'}"
        test = "" if math.isnan(self.p) else f" ({p_in_words(self.p)} for none missing)"
        text = f"Trim and fill ({self.estimator}) adds {what} on the {self.side} to {self.k}{test}"
        if self.k0 == 0:
            return text + "; the result is unchanged."
        return (
            f"{text}; the pooled estimate moves from {before.estimate:.3f} ({before.interval.low:.3f} to "
            f"{before.interval.high:.3f}) to {after.estimate:.3f} ({after.interval.low:.3f} to "
            f"{after.interval.high:.3f})."
        )

    def to_dict(self) -> dict[str, Any]:
        """The numbers at full precision, on the analysis scale."""
        return {
            "estimator": self.estimator,
            "side": self.side,
            "k": self.k,
            "k0": self.k0,
            "k0_se": self.k0_se,
            "p": self.p,
            "estimate": self.original.estimate,
            "filled_estimate": self.refit.estimate,
            "filled_se": self.refit.se,
            "filled_ci_low": self.refit.interval.low,
            "filled_ci_high": self.refit.interval.high,
            "filled_p": self.refit.p,
            "filled_tau2": self.refit.tau2,
            "advice": list(self.advice),
        }

    def to_frame(self) -> Any:
        """One row a study, observed and filled, as a pandas DataFrame (a dict of columns without pandas)."""
        es = self.effects
        return frame(
            {
                "study": list(es.study),
                "effect": es.effect.copy(),
                "variance": es.variance.copy(),
                "filled": self.filled.copy(),
            }
        )

    def funnel(self, path: Any = None, **options: Any) -> Any:
        """The funnel plot around the filled estimate; filled studies are hollow."""
        return presenter("funnel")(self.refit, path, hollow=self.filled, **options)

    def __repr__(self) -> str:
        return "\n".join([self.summary, *(f"- {said}" for said in self.advice)])


def trim_and_fill(
    fit: Pooled,
    estimator: str = "L0",
    *,
    side: str | None = None,
    centre: str = "fit",
    limits: tuple[float, float] | None = None,
) -> TrimAndFill:
    """Estimate the studies that one side of the funnel lacks, mirror the opposite ones, and pool again.

    fit       : an inverse-variance result of :func:`balm.pool`; its model, estimator and interval are used throughout.
    estimator : "L0", "R0" (with a test that none is missing) or "Q0".
    side      : where studies are missing; by default the side on which small studies lie less far, judged by the slope
                of the regression on the standard error under the model of the fit.
    centre    : "fit" trims around the estimate of the fit's own model, "common" around the common-effect one.
    limits    : (low, high) that filled effects cannot exceed, for bounded measures (-1 and 1 for correlations).

    A sensitivity analysis for one form of selection, not a better estimate. It needs three studies.
    Duval & Tweedie (2000), J Am Stat Assoc 95:89 (estimators and their variances) and Biometrics
    56:455 (the algorithm). The count estimates are rounded half to even and not below 0; equal distances share
    their mean rank.

    >>> es = EffectSizes(effect=[0.1, 0.2, 0.4, 0.8, 1.1], variance=[0.01, 0.02, 0.04, 0.15, 0.2])
    >>> filled = trim_and_fill(pool(es, model="common"))
    >>> filled.k0, filled.side
    (2, 'left')
    """
    check_option("estimator", estimator, ESTIMATORS)
    check_option("centre", centre, CENTRES)
    if side is not None:
        check_option("side", side, SIDES)
    if not isinstance(fit, Pooled):
        raise InputError(f"trim_and_fill takes a result of balm.pool; got {type(fit).__name__}: pool first")
    if fit.method != "inverse-variance" or fit.own_weights is not None:
        how = "weights of your own" if fit.own_weights is not None else fit.method
        raise InputError(f"trim_and_fill fills in effects without counts and cannot repeat {how}; use balm.pool(es)")
    k, y, v = fit.k, np.asarray(fit.effects.effect), np.asarray(fit.effects.variance)
    if k < 3:
        raise InputError(f"trim_and_fill needs at least 3 studies; there {'is' if k == 1 else 'are'} {k}")
    if limits is not None and not limits[0] < limits[1]:
        raise InputError(f"limits must be (low, high) with low below high; got {limits!r}")
    said: list[str] = []
    if side is None:
        side = _side(fit, said)
    sign = -1.0 if side == "right" else 1.0
    order = np.argsort(sign * y, kind="stable")
    centre_of = _Centre(fit, centre)
    k0, raw, middle, rounds, settled = _count(sign * y[order], v[order], order, sign, estimator, centre_of)
    if not settled:
        said.append(f"The count did not settle but went round in a circle; its smallest value, {k0}, was taken.")
    extreme = order[k - k0 :]
    mirrored = 2.0 * sign * middle - y[extreme]
    if limits is not None:
        mirrored = np.clip(mirrored, *limits)
    effects = _with_filled(fit.effects, extreme, mirrored)
    if k < ENOUGH:
        said.append(f"Only {k} studies: ranks of so few say little about missing ones.")
    if fit.tau2 > 0.0 and k0:
        said.append("With heterogeneity, trim and fill can add studies where none is missing (Terrin et al. 2003).")
    return TrimAndFill(
        k0=k0,
        k0_se=_standard_error(k, k0 if estimator == "R0" else raw, estimator),
        p=0.5 ** (k0 + 1) if estimator == "R0" else math.nan,
        side=side,
        estimator=estimator,
        effects=effects,
        filled=np.arange(k + k0) >= k,
        refit=pool_again(fit, effects) if k0 else fit,
        original=fit,
        rounds=rounds,
        advice=tuple(said),
    )


class _Centre:
    """The pooled estimate of the studies that are left after trimming."""

    def __init__(self, fit: Pooled, centre: str) -> None:
        self.fit, self.centre = fit, centre

    def __call__(self, rows: NDArray[np.int64]) -> float:
        es = self.fit.effects[np.sort(rows)]
        if self.centre == "common":
            return pool(es, model="common").estimate
        return pool_again(self.fit, es).estimate


def _side(fit: Pooled, said: list[str]) -> str:
    """Missing on the left when effects rise with the standard error."""
    x = fit.effects.se
    if float(np.ptp(x)) <= SAME * float(np.max(x)):
        raise InputError(
            "all standard errors are equal, so the side cannot be judged: give side='left' or side='right'"
        )
    tau2, _, words = model_of(fit, None, "wald")
    said.extend(words)
    return "right" if additive_line(fit.effects, x, tau2, "wald", fit.level).slope.estimate < 0.0 else "left"


def _count(
    y: Floats, v: Floats, rows: NDArray[np.int64], sign: float, estimator: str, centre_of: _Centre
) -> tuple[int, float, float, int, bool]:
    """The number missing (rounded and not), the centre it belongs to, rounds, and whether it settled."""
    k = len(y)
    seen: list[tuple[int, float, float]] = []
    k0 = 0
    for _ in range(MOST_ROUNDS):
        # Two studies are always left to take the centre of.
        middle = sign * centre_of(rows[: max(k - k0, 2)])
        raw = _estimate(y - middle, float(np.max(np.abs(y))), estimator)
        found = min(max(0, round(raw)), k - 1)
        if found == k0:
            return k0, raw, middle, len(seen) + 1, True
        seen.append((found, raw, middle))
        if any(found == before[0] for before in seen[:-1]):
            break
        k0 = found
    first = next(i for i, before in enumerate(seen) if before[0] == seen[-1][0])
    smallest = min(seen[first:], key=lambda one: one[0])
    return smallest[0], smallest[1], smallest[2], len(seen), False


def _estimate(away: Floats, size: float, estimator: str) -> float:
    """The estimated number missing from signed ranks of the distances from the centre."""
    k = len(away)
    # Distances in units of rounding error, so that equal ones are equal.
    distance = np.round(np.abs(away) / (SAME * size)) if size > 0.0 else np.zeros(k)
    if estimator == "R0":
        below = distance[away < 0.0]
        farthest = float(np.max(below)) if len(below) else 0.0
        return float(np.sum((away > 0.0) & (distance > farthest))) - 1.0
    _, place, count = np.unique(distance, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - 0.5 * (count - 1))[place]
    above = float(np.sum(ranks[(away > 0.0) & (distance > 0.0)]))
    if estimator == "L0":
        return (4.0 * above - k * (k + 1)) / (2 * k - 1)
    return k - 0.5 - math.sqrt(max(0.0, 2.0 * k * k - 4.0 * above + 0.25))


def _standard_error(k: int, k0: float, estimator: str) -> float:
    """Of the estimated number: Duval & Tweedie (2000), J Am Stat Assoc 95:89."""
    if estimator == "R0":
        return math.sqrt(2.0 * k0 + 2.0)
    variance = (
        k * (k + 1) * (2 * k + 1) + 10 * k0**3 + 27 * k0**2 + 17 * k0 - 18 * k * k0**2 - 18 * k * k0 + 6 * k * k * k0
    ) / 24.0
    if estimator == "L0":
        return 4.0 * math.sqrt(variance) / (2 * k - 1) if variance > 0.0 else math.nan
    slope = (k - 0.5) ** 2 - k0 * (2 * k - k0 - 1)
    return 2.0 * math.sqrt(variance / slope) if variance > 0.0 and slope > 0.0 else math.nan


def _with_filled(es: EffectSizes, extreme: NDArray[np.int64], mirrored: Floats) -> EffectSizes:
    k0 = len(extreme)
    return EffectSizes(
        effect=np.concatenate((es.effect, mirrored)),
        variance=np.concatenate((es.variance, es.variance[extreme])),
        study=[*es.study, *(f"filled: opposite of {es.study[i]}" for i in extreme)],
        measure=es.measure,
        conventions=es.conventions,
        note=[*es.note, *(["filled in, not observed"] * k0)],
    )
