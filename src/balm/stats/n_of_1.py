"""``balm.n_of_1``: trials in single people, pooled: the mean effect, how much effects vary, and each person's own."""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from balm.stats import columns as tables
from balm.stats.distributions import f_sf, t_ppf, t_sf
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.frame import frame
from balm.stats.groups import Integers
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError, Problem, check_level
from balm.vocabulary.quick_dataclass import dataclass

#: Ratios of the variances (between people over within) at which the slope of the likelihood is looked at, and 0.
RATIOS = np.concatenate(([0.0], np.geomspace(1e-6, 1e6, 241)))


class FTest(NamedTuple):
    """A ratio of mean squares with its degrees of freedom."""

    statistic: float
    df_1: int
    df_2: int
    p: float


@dataclass(frozen=True, eq=False)
class NOfOne:
    """A fitted series of n-of-1 trials; effects are intervention 1 minus intervention 2.

    estimate, se, df, p : the mean effect, its error, people - 1 degrees of freedom.
    tau2, sigma2        : variance of true effects between people, and of a pair's difference within a person.
    log_likelihood      : restricted, without the term of the design.
    person, pairs, own  : labels, numbers of pairs and mean differences of the people (k,).
    effect, effect_se   : each person's effect drawn towards the mean, and its error (k,).
    heterogeneity       : the test that all people have one effect.
    """

    person: tuple[str, ...]
    pairs: Integers
    own: Floats
    effect: Floats
    effect_se: Floats
    estimate: float
    se: float
    df: int
    p: float
    tau2: float
    sigma2: float
    log_likelihood: float
    heterogeneity: FTest
    level: float

    @property
    def k(self) -> int:
        """The number of people."""
        return len(self.person)

    @property
    def interval(self) -> Interval:
        """Of the mean effect, by t."""
        return self._around(self.estimate, self.se)

    @property
    def prediction_interval(self) -> Interval:
        """Where the true effect in another person lies."""
        return self._around(self.estimate, math.sqrt(self.se**2 + self.tau2))

    @property
    def effect_sizes(self) -> EffectSizes:
        """The people as studies: mean differences with the variance they share, for pooling and plots."""
        return EffectSizes(effect=self.own, variance=self.sigma2 / self.pairs, study=self.person, measure="MD")

    def to_frame(self) -> Any:
        """One row a person: pairs, the mean of the differences, the effect drawn towards the mean with its interval."""
        half = t_ppf(0.5 + self.level / 2.0, self.df) * self.effect_se
        return frame({"person": list(self.person), "pairs": self.pairs, "own": self.own, "effect": self.effect,
                      "low": self.effect - half, "high": self.effect + half})  # fmt: skip

    def _around(self, at: float, se: float) -> Interval:
        half = t_ppf(0.5 + self.level / 2.0, self.df) * se
        return Interval(at - half, at + half, self.level)

    def __repr__(self) -> str:
        low, high = self.interval.low, self.interval.high
        between, within = math.sqrt(self.tau2), math.sqrt(self.sigma2)
        return (
            f"NOfOne: {self.k} people, {int(self.pairs.sum())} pairs; mean effect {self.estimate:.4g} "
            f"({low:.4g} to {high:.4g}), SD between people {between:.4g}, within {within:.4g}"
        )


def n_of_1(
    person: Any,
    difference: Any = None,
    *,
    outcome_1: Any = None,
    outcome_2: Any = None,
    data: Any = None,
    level: float = 0.95,
) -> NOfOne:
    """Pool n-of-1 trials: every person took both interventions in several pairs of periods.

    person     : (n,) whose pair it is, labels or a column of ``data``; one row a pair of periods.
    difference : (n,) outcome under intervention 1 minus that under intervention 2, in the unit of the outcome; or both
                 outcomes as ``outcome_1`` and ``outcome_2``. A pair with a missing outcome is left out.

    A pair's difference is normal around its person's effect, with one variance for all people, and people's effects
    are normal around the mean: by REML. Differences within pairs are free of what changes slowly over a person's
    periods; carry-over and a trend within a pair are not taken out: order within pairs should be random. Intervals
    are by t with people - 1 degrees of freedom, exact where all have as many pairs.

    Zucker et al. (1997) J Clin Epidemiol 50:401 (each person's effect drawn towards the mean); Zucker, Ruthazer &
    Schmid (2010) J Clin Epidemiol 63:1312 (one variance within people).

    Raises :class:`balm.InputError` with fewer than two people, or where nobody has two pairs: paired means are then
    pooled as the measure MC.

    >>> fit = n_of_1(["a", "a", "a", "b", "b", "c", "c", "c"], [2.0, 3.5, 1.0, 0.5, 1.0, 4.0, 2.5, 3.0])
    >>> round(fit.estimate, 3), round(fit.tau2, 3), fit.effect.round(2).tolist()
    (2.072, 1.059, [2.15, 1.14, 2.92])
    """
    check_level(level)
    names, d = _read(person, difference, outcome_1, outcome_2, data)
    people = tuple(dict.fromkeys(names))
    index = {name: i for i, name in enumerate(people)}
    who = np.array([index[name] for name in names], dtype=np.int64)
    k, n = len(people), len(d)
    if k < 2:
        raise InputError(f"n-of-1 trials are pooled from two people or more; got {k}")
    m = np.bincount(who, minlength=k)
    if n == k:
        raise InputError(
            "nobody has two pairs of periods, so variation within and between people cannot be told apart; "
            'pool the paired means instead (measure "MC")'
        )
    centre = float(d.mean())
    own = np.bincount(who, d - centre, minlength=k) / m
    within = float(np.sum((d - centre - own[who]) ** 2))
    between = float(m @ (own - float(m @ own) / n) ** 2)
    if within == 0.0:
        raise InputError("all pairs of each person have one difference: there is no variation within people to go by")
    ratio = _ratio(m, own, within)
    mean, spread, height = _at(ratio, m, own, within)
    sigma2 = spread / (n - 1)
    weight = m / (1.0 + m * ratio)
    se = math.sqrt(sigma2 / float(weight.sum()))
    kept = m * ratio / (1.0 + m * ratio)  # of a person's own difference from the mean
    effect = mean + kept * (own - mean)
    effect_se = np.sqrt(kept * sigma2 / m + (1.0 - kept) ** 2 * se**2)
    f = between / (k - 1) / (within / (n - k))
    constant = (n - 1) * (math.log(2.0 * math.pi / (n - 1)) + 1.0)
    return NOfOne(
        people, m, own + centre, effect + centre, effect_se, mean + centre, se, k - 1,
        2.0 * t_sf(abs((mean + centre) / se), k - 1), ratio * sigma2, sigma2, -0.5 * (height + constant),
        FTest(f, k - 1, n - k, f_sf(f, k - 1, n - k)), float(level),
    )  # fmt: skip


def _read(person: Any, difference: Any, outcome_1: Any, outcome_2: Any, data: Any) -> tuple[list[str], Floats]:
    if (difference is None) == (outcome_1 is None or outcome_2 is None):
        raise InputError("give either difference, or both outcome_1 and outcome_2")
    given = {"difference": difference} if difference is not None else {"outcome_1": outcome_1, "outcome_2": outcome_2}
    found = {name: tables.numeric_column(name, value, data) for name, value in given.items()}
    rows = tables.same_length(list(found.values()))
    problems = [
        Problem(f"{c.unreadable[i]!r} is not a number", row=i + 1, column=c.label)
        for c in found.values()
        for i in c.unreadable
    ]
    names = tables.labels(person, data, rows)
    problems += [Problem("the pair belongs to nobody", row=i + 1, column="person") for i in range(rows) if not names[i]]
    values = [np.broadcast_to(c.values, rows) for c in found.values()]
    d = values[0] if len(values) == 1 else values[0] - values[1]
    problems += [Problem("an outcome is infinite", row=int(i) + 1) for i in np.flatnonzero(np.isinf(d))]
    if problems:
        raise InputError(problems)
    there = np.flatnonzero(~np.isnan(d))
    if not len(there):
        raise InputError("no pair has both outcomes")
    return [names[i] for i in there], np.asarray(d[there], dtype=np.float64)


def _at(ratio: float, m: Integers, own: Floats, within: float) -> tuple[float, float, float]:
    """The mean, the weighted sum of squares, and minus twice the profile of the restricted log-likelihood."""
    weight = m / (1.0 + m * ratio)
    total = float(weight.sum())
    mean = float(weight @ own) / total
    spread = within + float(weight @ (own - mean) ** 2)
    degrees = float(m.sum()) - 1.0
    return mean, spread, degrees * math.log(spread) + float(np.log1p(m * ratio).sum()) + math.log(total)


def _slope(ratio: float, m: Integers, own: Floats, within: float) -> float:
    """The derivative of that profile in the ratio of the variances."""
    mean, spread, _ = _at(ratio, m, own, within)
    weight = m / (1.0 + m * ratio)
    square = weight * weight
    fall = float(square @ (own - mean) ** 2)
    return float(weight.sum() - square.sum() / weight.sum()) - (float(m.sum()) - 1.0) * fall / spread


def _ratio(m: Integers, own: Floats, within: float) -> float:
    """The variance between people over that within at the highest restricted likelihood."""
    slopes = [_slope(r, m, own, within) for r in RATIOS]
    best = [0.0]
    for i in range(len(RATIOS) - 1):
        if slopes[i] < 0.0 <= slopes[i + 1]:
            brentq = import_module("scipy.optimize").brentq
            best.append(float(brentq(_slope, RATIOS[i], RATIOS[i + 1], (m, own, within), xtol=1e-300, rtol=1e-14)))
    if slopes[-1] < 0.0:
        raise InputError("pairs of a person differ by next to nothing beside the people: there is no variance within")
    return min(best, key=lambda r: _at(r, m, own, within)[2])
