"""p-curve: whether significant p values lie as an effect makes them, or as chance and selection leave them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from balm.stats.distributions import binom_cdf, binom_sf, norm_isf, norm_ppf, norm_sf
from balm.stats.effect_sizes import EffectSizes
from balm.stats.frame import frame
from balm.stats.pooling.pooled import Pooled
from balm.stats.small_study.significant_tests import Statistic, critical, noncentrality_of, of_z, read_all, upper_tail
from balm.stats.small_study.studies import p_in_words, studies_of
from balm.vocabulary.interval import Interval
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError, check_level

SOURCE = (
    "Simonsohn U, Nelson LD, Simmons JP. J Exp Psychol Gen 2014;143:534-47; "
    "Simonsohn U, Simmons JP, Nelson LD. J Exp Psychol Gen 2015;144:1146-52"
)
#: The curve is that of p values below this; the half curve of those below half of it.
ALPHA = 0.05
#: The power that a set of studies should at least have had: what the curve is compared with when it is flat.
LEAST_POWER = 1.0 / 3.0
#: Power is estimated between these: at the level of significance there is no effect, and above 99 % no curve tells.
POWERS = (0.05, 0.99)
#: A p value is taken as no smaller than this before it becomes a normal score.
LEAST = 1e-300


@dataclass(frozen=True, slots=True)
class Stouffer:
    """Normal scores added up: ``z`` and its p value in the direction of the test."""

    z: float
    p: float


@dataclass(frozen=True, eq=False, repr=False)
class PCurve:
    """The p-curve of a set of studies.

    k, significant, half : tests given, those with p below 0.05, and with p below 0.025.
    skew, skew_half      : is the curve (its half) skewed to the right, as an effect makes it? Low p: yes.
    flat, flat_half      : is it flatter than that of studies with a power of 33 %? Low p: yes.
    binomial, binomial_flat : p of more p values below 0.025 than half of all, and of fewer than under 33 % power.
    power, interval      : of the tests, corrected for their having been selected as significant; ``nan`` without any.
    shares, expected     : (5,) of significant p values up to 0.01, 0.02, ... 0.05; under a power of 33 %.
    """

    k: int
    significant: int
    half: int
    skew: Stouffer
    skew_half: Stouffer
    flat: Stouffer
    flat_half: Stouffer
    binomial: float
    binomial_flat: float
    power: float
    interval: Interval
    shares: tuple[float, ...]
    expected: tuple[float, ...]
    p_values: tuple[float, ...]
    advice: tuple[str, ...]

    @property
    def evidential_value(self) -> bool:
        """Whether the half curve is right-skewed at 0.05, or both curves at 0.10 (Simonsohn et al. 2015)."""
        return self.skew_half.p < 0.05 or (self.skew.p < 0.1 and self.skew_half.p < 0.1)

    @property
    def inadequate(self) -> bool:
        """Whether evidential value is absent or inadequate: flatter than 33 % power, by the same kind of rule."""
        return self.flat.p < 0.05 or (self.flat_half.p < 0.1 and self.binomial_flat < 0.1)

    @property
    def summary(self) -> str:
        """The result in one sentence."""
        if self.significant == 0:
            return f"p-curve: none of {self.k} tests is significant at {ALPHA:g}, so that there is no curve."
        found = "shows" if self.evidential_value else "does not show"
        text = (
            f"p-curve of {self.significant} significant test{'' if self.significant == 1 else 's'} (of {self.k}): "
            f"right skew z = {self.skew.z:.2f}, "
            f"{p_in_words(self.skew.p)}, of its half z = {self.skew_half.z:.2f}, {p_in_words(self.skew_half.p)}; it "
            f"{found} evidential value"
        )
        if self.inadequate:
            text += ", and is flatter than studies with a power of 33% would make it"
        ends = self.interval
        return (
            f"{text}. Estimated power {100 * self.power:.0f}% ({100 * ends.level:g}% CI {100 * ends.low:.0f}% to "
            f"{100 * ends.high:.0f}%)."
        )

    def plot(self, path: Any = None, **options: Any) -> Any:
        """Shares of the p values beside those without an effect and under a power of 33 %."""
        return presenter("p_curve")(self, path, **options)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values at full precision."""
        return {
            "k": self.k,
            "significant": self.significant,
            "half": self.half,
            **{
                f"{name}_{part}": getattr(getattr(self, name), part)
                for name in ("skew", "skew_half", "flat", "flat_half")
                for part in ("z", "p")
            },
            "binomial": self.binomial,
            "binomial_flat": self.binomial_flat,
            "evidential_value": self.evidential_value,
            "inadequate": self.inadequate,
            "power": self.power,
            "power_low": self.interval.low,
            "power_high": self.interval.high,
            "level": self.interval.level,
            "shares": list(self.shares),
            "expected": list(self.expected),
            "p_values": list(self.p_values),
            "source": SOURCE,
            "advice": list(self.advice),
        }

    def to_frame(self) -> Any:
        """One row, as a pandas DataFrame (a dict of columns without pandas)."""
        return frame({name: [value] for name, value in self.to_dict().items() if not isinstance(value, list)})

    def __repr__(self) -> str:
        return "\n".join([self.summary, *(f"- {said}" for said in self.advice), SOURCE])


def p_curve(tests: Pooled | EffectSizes | Sequence[str], *, level: float = 0.90) -> PCurve:
    """Ask whether significant results carry evidential value, from how their p values are spread below 0.05.

    tests : statistics as papers print them ("t(88)=2.1", "F(1,100)=9.1", "r(147)=.246", "chi2(1)=9.1", "z=3.45"; a
            list, or one a line), one for each study and hypothesis; or effect sizes or a result of :func:`balm.pool`,
            whose ``effect / se`` is taken as normal.
    level : coverage of the interval of the power, 0.90 as in the app of the authors.

    Where there is no effect, significant p values are spread evenly; where there is one, small ones are more frequent.
    Only what is significant is used, so that unpublished failures do no harm; but heterogeneity does: power is then
    overestimated, and p-curve says nothing of the mean effect. The half curve (below 0.025) is robust to p values that
    were pushed below 0.05.

    For flatness of the half curve a statistic is scored among the p values below 0.025 under a power of 33 %, as the
    paper has it. The app (version 4) and dmetar score it by the share of those among all significant ones, about three
    times as large, so that their z is higher.

    >>> found = p_curve(["t(88)=2.1", "r(147)=.246", "F(1,100)=9.1", "F(2,210)=4.45", "z=3.45", "chi2(1)=9.1"])
    >>> found.significant, found.evidential_value, round(found.power, 2)
    (6, True, 0.62)
    """
    check_level(level)
    said = []
    if isinstance(tests, (Pooled, EffectSizes)):
        es = studies_of(tests, "p_curve")
        each = [of_z(y / s, str(name)) for name, y, s in zip(es.study, es.effect.tolist(), es.se.tolist(), strict=True)]
        signs = {y > 0.0 for y, test in zip(es.effect.tolist(), each, strict=True) if test.p < ALPHA}
        if len(signs) > 1:
            said.append("Significant effects point both ways: the p values are two-sided and do not say so.")
    else:
        each = read_all(tests)
    if not each:
        raise InputError("p_curve needs at least one test; there is none")
    below = [test for test in each if test.p < ALPHA]
    half = [test for test in below if test.p < 0.5 * ALPHA]
    k, h = len(below), len(half)
    if 0 < k < 10:
        said.append(f"Only {k} significant test{'' if k == 1 else 's'}: the curve is hardly known.")
    low_share = [_share(test, 0.5 * ALPHA) for test in below]
    power, ends = _power(below, level)
    return PCurve(
        k=len(each),
        significant=k,
        half=h,
        skew=_added([norm_ppf(max(LEAST, test.p / ALPHA)) for test in below]),
        skew_half=_added([norm_ppf(max(LEAST, 2.0 * test.p / ALPHA)) for test in half]),
        flat=_added([_score(test, LEAST_POWER, ALPHA, LEAST_POWER) for test in below]),
        flat_half=_added([_score(test, _tail(test, 0.5 * ALPHA), ALPHA, LEAST_POWER) for test in half]),
        binomial=binom_sf(h - 1, k, 0.5) if k else math.nan,
        binomial_flat=binom_cdf(h, k, sum(low_share) / k) if k else math.nan,
        power=power,
        interval=ends,
        shares=tuple(sum(0.01 * i <= t.p < 0.01 * (i + 1) for t in below) / k if k else math.nan for i in range(5)),
        expected=tuple(
            sum(_share(t, 0.01 * (i + 1)) - _share(t, 0.01 * i) for t in below) / k if k else math.nan for i in range(5)
        ),
        p_values=tuple(test.p for test in each),
        advice=tuple(said),
    )


def _added(scores: list[float]) -> Stouffer:
    """Stouffer's sum; small where the scores are."""
    if not scores:
        return Stouffer(math.nan, math.nan)
    z = math.fsum(scores) / math.sqrt(len(scores))
    return Stouffer(z, norm_sf(-z))


def _tail(test: Statistic, p: float) -> float:
    """Chance of a p value below ``p`` for a test like this under a power of 33 %."""
    if p <= 0.0:
        return 0.0
    at = noncentrality_of(LEAST_POWER, test.df1, test.df2, ALPHA)
    like = Statistic(critical(p, test.df1, test.df2), test.df1, test.df2, p, "")
    return upper_tail(like, at)


def _share(test: Statistic, p: float) -> float:
    """Of significant p values under a power of 33 %, those below ``p``."""
    return _tail(test, p) / LEAST_POWER


def _score(test: Statistic, whole: float, alpha: float, power: float) -> float:
    """Normal score of a statistic among the ``whole`` of those that could be seen under ``power``; high where it is."""
    beyond = upper_tail(test, noncentrality_of(power, test.df1, test.df2, alpha))
    return norm_isf(min(1.0 - 1e-16, max(LEAST, beyond / whole)))


def _power(below: list[Statistic], level: float) -> tuple[float, Interval]:
    """The power under which the scores of all tests add up to 0, and those under which they reach the ends."""
    if not below:
        return math.nan, Interval(math.nan, math.nan, level)
    from scipy.optimize import brentq

    def z(power: float) -> float:
        return math.fsum(_score(test, power, ALPHA, power) for test in below) / math.sqrt(len(below))

    first, last = POWERS[0] + 1e-6, POWERS[1]
    top, bottom = z(first), z(last)

    def at(want: float) -> float:
        if top <= want:
            return POWERS[0]
        if bottom >= want:
            return POWERS[1]
        off: Callable[[float], float] = lambda power: z(power) - want  # noqa: E731
        return float(brentq(off, first, last, xtol=1e-8))

    c = norm_ppf(0.5 + 0.5 * level)
    return at(0.0), Interval(at(c), at(-c), level)
