"""Test of excess significance: whether more studies are significant than their power allows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.distributions import binom_pmf, norm_isf, norm_sf
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.frame import frame
from balm.stats.pooling.pooled import Pooled
from balm.stats.small_study.studies import ENOUGH, p_in_words, studies_of
from balm.vocabulary.numbers import counted_studies
from balm.vocabulary.problems import InputError, check_option

TESTS = ("exact", "chi-squared", "binomial")
SIDES = ("two-sided", "greater", "less")
TAILS = ("greater", "two-sided", "less")
#: The level its authors propose, because the test has little power.
EXCESS_P = 0.10
#: Probabilities this close, relative to their size, count as equal in a two-sided test.
EQUAL = 1e-7


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class ExcessSignificance:
    """``observed`` significant studies against ``expected``, the sum of their powers.

    power     : (k,) of each study under ``theta`` (and ``tau2``).
    statistic : chi-squared with one degree of freedom; ``nan`` for the exact and the binomial test.
    p         : of the tail asked for; ``nan`` where every power is 0 or 1 and nothing can vary.
    """

    observed: int
    expected: float
    power: Floats
    theta: float
    tau2: float
    test: str
    tail: str
    statistic: float
    p: float
    k: int
    alpha: float
    advice: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """Observed over expected."""
        return self.observed / self.expected if self.expected > 0.0 else math.nan

    @property
    def summary(self) -> str:
        """The result in one sentence."""
        found = "suggests" if self.p < EXCESS_P else "does not show"
        what = {"greater": "an excess", "less": "a lack", "two-sided": "an excess or a lack"}[self.tail]
        verb = "is" if self.observed == 1 else "are"
        return (
            f"{self.observed} of {counted_studies(self.k)} {verb} significant at {self.alpha:g} where "
            f"{self.expected:.2f} are "
            f"expected under an effect of {self.theta:.3f}; the {self.test} test ({p_in_words(self.p)}) {found} {what} "
            "of significant studies."
        )

    def to_dict(self) -> dict[str, Any]:
        """The numbers at full precision."""
        return {
            "k": self.k,
            "observed": self.observed,
            "expected": self.expected,
            "ratio": self.ratio,
            "theta": self.theta,
            "tau2": self.tau2,
            "alpha": self.alpha,
            "test": self.test,
            "tail": self.tail,
            "statistic": self.statistic,
            "p": self.p,
            "power": self.power.tolist(),
            "advice": list(self.advice),
        }

    def to_frame(self) -> Any:
        """One row, as a pandas DataFrame (a dict of columns without pandas)."""
        return frame({name: [value] for name, value in self.to_dict().items() if not isinstance(value, list)})

    def __repr__(self) -> str:
        return "\n".join([self.summary, *(f"- {said}" for said in self.advice)])


def excess_significance(
    fit: Pooled | EffectSizes,
    *,
    theta: float | str = "common",
    tau2: float | None = None,
    null: float = 0.0,
    alternative: str = "two-sided",
    alpha: float = 0.05,
    test: str = "exact",
    tail: str = "greater",
) -> ExcessSignificance:
    """Compare the number of significant studies with what the power of each leads to expect.

    theta       : the true effect on the analysis scale: "common" (inverse-variance mean, the default), "fit" (estimate
                  and tau2 of ``fit``) or a number.
    tau2        : heterogeneity of the true effects; the power is then averaged over ``Normal(theta, tau2)``. 0 unless
                  theta is "fit".
    null        : the value each study was tested against.
    alternative : of the studies' own tests, "two-sided", "greater" or "less", at level ``alpha`` (normal).
    test        : "exact" (the distribution of a sum of unequal yes-or-no trials, any k), "chi-squared" as first
                  published, or "binomial" (all powers replaced by their mean).
    tail        : "greater" (excess, default), "two-sided" or "less".

    Read it with care under heterogeneity, and judge at 0.10. Ioannidis & Trikalinos (2007), Clin Trials 4:245;
    the exact test: Francis (2013), J Math Psychol 57:153.

    >>> es = EffectSizes(effect=[0.5, 0.6, 0.45, 0.1], variance=[0.04, 0.06, 0.04, 0.01])
    >>> found = excess_significance(es)
    >>> found.observed, round(found.expected, 4), round(found.p, 4)
    (3, 1.4538, 0.1074)
    """
    check_option("alternative", alternative, SIDES)
    check_option("test", test, TESTS)
    check_option("tail", tail, TAILS)
    if not 0.0 < alpha < 1.0:
        raise InputError(f"alpha must lie between 0 and 1; got {alpha!r}")
    es = studies_of(fit, "excess_significance")
    y, v, k = es.effect, es.variance, len(es)
    effect, spread = _truth(fit, es, theta, tau2)
    se = np.sqrt(v)
    away, wide = effect - null, np.sqrt(v + spread)
    if alternative == "two-sided":
        cut = norm_isf(0.5 * alpha)
        significant = np.abs(y - null) >= cut * se
        power = _upper((cut * se - away) / wide) + _upper((cut * se + away) / wide)
    else:
        sign = 1.0 if alternative == "greater" else -1.0
        cut = norm_isf(alpha)
        significant = sign * (y - null) >= cut * se
        power = _upper((cut * se - sign * away) / wide)
    observed, expected = int(np.sum(significant)), float(np.sum(power))
    if test == "chi-squared":
        statistic, p = _chi_squared(observed, expected, k, tail)
    else:
        statistic = math.nan
        chance = (
            sum_of_trials(power)
            if test == "exact"
            else np.array([binom_pmf(i, k, min(1.0, expected / k)) for i in range(k + 1)])
        )
        p = _tail_probability(chance, observed, tail)
    said = []
    if k < ENOUGH:
        said.append(f"Only {counted_studies(k)}: the test has little power.")
    if isinstance(fit, Pooled) and fit.tau2 > 0.0 and spread == 0.0:
        said.append("The effects are heterogeneous; one common true effect makes the expected number uncertain.")
    return ExcessSignificance(
        observed, expected, power, effect, spread, test, tail, statistic, p, k, alpha, tuple(said)
    )


def _truth(fit: Pooled | EffectSizes, es: EffectSizes, theta: float | str, tau2: float | None) -> tuple[float, float]:
    spread = 0.0 if tau2 is None else float(tau2)
    if not (spread >= 0.0 and math.isfinite(spread)):
        raise InputError(f"tau2 must be a number of at least 0; got {tau2!r}")
    if isinstance(theta, str):
        check_option("theta", theta, ("common", "fit"))
        if theta == "common":
            weights = 1.0 / es.variance
            return float(weights @ es.effect) / float(np.sum(weights)), spread
        if not isinstance(fit, Pooled):
            raise InputError("theta='fit' needs a result of balm.pool: pool first, or give a number")
        return fit.estimate, (0.0 if math.isnan(fit.tau2) else fit.tau2) if tau2 is None else spread
    return float(theta), spread


def _upper(z: Floats) -> Floats:
    return np.array([norm_sf(one) for one in z.tolist()])


def sum_of_trials(chances: Floats) -> Floats:
    """(k + 1,) probabilities of 0 .. k successes in k independent trials with these chances.

    >>> sum_of_trials(np.array([0.5, 0.5])).tolist()
    [0.25, 0.5, 0.25]
    """
    found = np.ones(1)
    for chance in chances.tolist():
        found = np.concatenate((found * (1.0 - chance), [0.0])) + np.concatenate(([0.0], found * chance))
    return found


def _chi_squared(observed: int, expected: float, k: int, tail: str) -> tuple[float, float]:
    rest = k - expected
    if expected <= 0.0 or rest <= 0.0:
        return math.nan, math.nan
    away = observed - expected
    statistic = away**2 / expected + away**2 / rest
    z = math.copysign(math.sqrt(statistic), away)
    return statistic, 2.0 * norm_sf(abs(z)) if tail == "two-sided" else norm_sf(z if tail == "greater" else -z)


def _tail_probability(chance: Floats, observed: int, tail: str) -> float:
    if tail == "greater":
        p = float(np.sum(chance[observed:]))
    elif tail == "less":
        p = float(np.sum(chance[: observed + 1]))
    else:  # everything as improbable as what was observed, or more so
        p = float(np.sum(chance[chance <= chance[observed] * (1.0 + EQUAL)]))
    return min(1.0, p)
