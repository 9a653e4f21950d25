"""Combining independent p values into one, and adjusting several for having looked at them all.

Use these where a meta-analysis of effects is impossible: a combined p says that something is there somewhere, not how
large it is (Cochrane Handbook, section 12.2.1.2). The p values must be one-sided, in one direction, to combine evidence
for one direction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from balm.stats.distributions import binom_sf, chi2_sf, norm_isf, norm_sf, t_sf
from balm.vocabulary.problems import InputError, check_option, refuse


@dataclass(frozen=True, slots=True)
class CombinedP:
    """One p value from many: the ``statistic`` with its name, its degrees of freedom if any, and ``p``.

    ``p`` is ``nan`` for the harmonic mean, which is a statistic without an exact p value of its own.
    """

    method: str
    statistic: float
    statistic_name: str
    p: float
    k: int
    df: float = math.nan


@dataclass(frozen=True, slots=True)
class CombinationMethod:
    """One row of the table of methods."""

    name: str
    function: Callable[..., tuple[float, float, float]]
    statistic_name: str
    source: str


def _fisher(p: Sequence[float]) -> tuple[float, float, float]:
    statistic, df = -2 * math.fsum(math.log(x) for x in p), 2.0 * len(p)
    return statistic, df, chi2_sf(statistic, df)


def _stouffer(p: Sequence[float], weights: Sequence[float] | None = None) -> tuple[float, float, float]:
    w = weights or [1.0] * len(p)
    z = math.fsum(a * norm_isf(x) for a, x in zip(w, p, strict=True)) / math.sqrt(math.fsum(a * a for a in w))
    return z, math.nan, norm_sf(z)


def _wilkinson(p: Sequence[float], r: int) -> tuple[float, float, float]:
    """The r-th smallest of k uniform values is below x when at least r of them are: a binomial tail."""
    x = sorted(p)[r - 1]
    return x, math.nan, binom_sf(r - 1, len(p), x)


def _tippett(p: Sequence[float]) -> tuple[float, float, float]:
    smallest = min(p)
    return smallest, math.nan, 1.0 if smallest == 1 else -math.expm1(len(p) * math.log1p(-smallest))


def _maximum(p: Sequence[float]) -> tuple[float, float, float]:
    return max(p), math.nan, max(p) ** len(p)


def _mean(p: Sequence[float]) -> tuple[float, float, float]:
    """Edgington's normal approximation to the mean of uniform values, for four p values and more."""
    z = (0.5 - math.fsum(p) / len(p)) * math.sqrt(12 * len(p))
    return z, math.nan, norm_sf(z)


def _logit(p: Sequence[float]) -> tuple[float, float, float]:
    if max(p) == 1:
        refuse("p must be below 1 for the logit method; got 1: its logit is infinite")
    k = len(p)
    scale = math.sqrt(k * math.pi**2 * (5 * k + 2) / (3 * (5 * k + 4)))
    t, df = -math.fsum(math.log(x) - math.log1p(-x) for x in p) / scale, 5.0 * k + 4
    return t, df, t_sf(t, df)


def _edgington(p: Sequence[float]) -> tuple[float, float, float]:
    """The sum against the Irwin-Hall distribution, in exact rational numbers: the series alternates and cancels."""
    k, total = len(p), sum((Fraction(x) for x in p), Fraction(0))
    flipped = 2 * total > k
    s = k - total if flipped else total
    tail = sum((-1) ** j * math.comb(k, j) * (s - j) ** k for j in range(math.floor(s) + 1)) / math.factorial(k)
    return float(total), math.nan, float(1 - tail if flipped else tail)


def _harmonic(p: Sequence[float]) -> tuple[float, float, float]:
    return len(p) / math.fsum(1 / x for x in p), math.nan, math.nan


def _cauchy(p: Sequence[float], weights: Sequence[float] | None = None) -> tuple[float, float, float]:
    if max(p) == 1:
        refuse("p must be below 1 for the Cauchy method; got 1: its statistic is infinite")
    w = weights or [1.0] * len(p)
    # tan((0.5 − p)π) = cot(pπ), which keeps its digits for tiny p; as published for the rest (a p within 1e-12 of 1 is
    # itself only rounding, and takes its statistic, not its combined p, down to a few digits).
    t = [1 / math.tan(math.pi * x) if x < 0.5 else math.tan((0.5 - x) * math.pi) for x in p]
    statistic = math.fsum(a * x for a, x in zip(w, t, strict=True)) / math.fsum(w)
    return statistic, math.nan, math.atan2(1, statistic) / math.pi


METHODS = {
    m.name: m
    for m in (
        CombinationMethod(
            "fisher", _fisher, "chi2", "Fisher (1932), Statistical Methods for Research Workers, 4th ed."
        ),
        CombinationMethod("stouffer", _stouffer, "z", "Stouffer et al. (1949); weights: Lipták (1958)"),
        CombinationMethod("tippett", _tippett, "smallest p", "Tippett (1931), The Methods of Statistics"),
        CombinationMethod("wilkinson", _wilkinson, "r-th smallest p", "Wilkinson (1951), Psychol Bull 48:156"),
        CombinationMethod("maximum", _maximum, "largest p", "Wilkinson (1951), Psychol Bull 48:156, with r = k"),
        CombinationMethod("mean", _mean, "z", "Edgington (1972), J Psychol 82:207"),
        CombinationMethod("logit", _logit, "t", "Mudholkar & George (1979); Becker (1994), section 2"),
        CombinationMethod("edgington", _edgington, "sum of p", "Edgington (1972), J Psychol 80:351"),
        CombinationMethod("harmonic", _harmonic, "harmonic mean p", "Wilson (2019), PNAS 116:1195"),
        CombinationMethod("cauchy", _cauchy, "T", "Liu & Xie (2020), J Am Stat Assoc 115:393"),
    )
}


def _checked(p: Iterable[Any], least: int) -> list[float]:
    if isinstance(p, (str, float, int)):
        raise InputError(f"p must be a list of p values; got {p!r}")
    values = []
    for i, x in enumerate(p):
        try:
            value = float(x)
        except (TypeError, ValueError):
            raise InputError(f"p[{i}] must be a number; got {x!r}") from None
        if not 0 < value <= 1:
            refuse(
                f"p[{i}] must be above 0 and at most 1; got {x!r}: leave out missing ones; give a bound as its limit"
            )
        values.append(value)
    if len(values) < least:
        refuse(f"p must have at least {least} values; got {len(values)}")
    return values


def combine_p(
    p: Iterable[float], *, method: str = "fisher", r: int | None = None, weights: Iterable[float] | None = None
) -> CombinedP:
    """Combine independent one-sided p values ``(k,)`` into one.

    ``method``: "fisher", "stouffer" (with optional ``weights``), "tippett", "wilkinson" (needs ``r``: r-th smallest),
    "maximum", "mean", "logit", "edgington" (exact), "harmonic" (a statistic only) or "cauchy" (allows dependence;
    optional ``weights``). The null is that every study's null is true. Each row of ``METHODS`` names its source.

    >>> round(combine_p([0.016, 0.067, 0.25, 0.405, 0.871]).p, 4)
    0.0466
    """
    chosen = METHODS[check_option("method", method, list(METHODS))]
    values = _checked(p, 1)
    k = len(values)
    options: dict[str, Any] = {}
    if (r is not None) != (method == "wilkinson"):
        refuse(
            "r is needed for method 'wilkinson'"
            if r is None
            else f"r does not apply to method {method!r}; it is for 'wilkinson'"
        )
    if r is not None:
        if isinstance(r, bool) or not isinstance(r, int) or not 1 <= r <= k:
            refuse(f"r must be a whole number from 1 to the number of p values ({k}); got {r!r}")
        options["r"] = r
    if weights is not None:
        if method not in ("stouffer", "cauchy"):
            refuse(f"weights do not apply to method {method!r}; they are for 'stouffer' and 'cauchy'")
        w = [float(x) for x in weights]
        if len(w) != k or not all(x > 0 and math.isfinite(x) for x in w):
            refuse(f"weights must be {k} numbers above 0, one a p value; got {w!r}")
        options["weights"] = w
    statistic, df, combined = chosen.function(values, **options)
    return CombinedP(method, statistic, chosen.statistic_name, combined, k, df)


def _bonferroni(p: list[float]) -> list[float]:
    return [len(p) * x for x in p]


def _sidak(p: list[float]) -> list[float]:
    return [1.0 if x == 1 else -math.expm1(len(p) * math.log1p(-x)) for x in p]


def _step_down(p: list[float], factor: Callable[[int], float]) -> list[float]:
    """Adjusted values in the given order, made to rise with p from the smallest up."""
    out, running = [0.0] * len(p), 0.0
    for rank, i in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        running = max(running, factor(rank) * p[i])
        out[i] = running
    return out


def _step_up(p: list[float], factor: Callable[[int], float]) -> list[float]:
    """Adjusted values in the given order, made to fall with p from the largest down."""
    out, running = [0.0] * len(p), math.inf
    order = sorted(range(len(p)), key=p.__getitem__)
    for rank in range(len(p) - 1, -1, -1):
        running = min(running, factor(rank) * p[order[rank]])
        out[order[rank]] = running
    return out


def _holm(p: list[float]) -> list[float]:
    return _step_down(p, lambda rank: len(p) - rank)


def _hochberg(p: list[float]) -> list[float]:
    return _step_up(p, lambda rank: len(p) - rank)


def _benjamini_hochberg(p: list[float]) -> list[float]:
    return _step_up(p, lambda rank: len(p) / (rank + 1))


def _benjamini_yekutieli(p: list[float]) -> list[float]:
    total = math.fsum(1 / i for i in range(1, len(p) + 1))
    return _step_up(p, lambda rank: total * len(p) / (rank + 1))


#: method -> adjustment; the first four control the chance of any false finding, the last two the share of them.
ADJUSTMENTS: dict[str, Callable[[list[float]], list[float]]] = {
    "bonferroni": _bonferroni,
    "sidak": _sidak,
    "holm": _holm,
    "hochberg": _hochberg,
    "benjamini-hochberg": _benjamini_hochberg,
    "benjamini-yekutieli": _benjamini_yekutieli,
}


def adjust_p(p: Iterable[float], *, method: str = "holm") -> list[float]:
    """p values ``(k,)`` adjusted for multiple testing, in the order given, each at most 1.

    ``method``: "bonferroni", "sidak" (independent tests), "holm" and "hochberg" control the family-wise error;
    "benjamini-hochberg" and "benjamini-yekutieli" (any dependence) the false discovery rate.

    >>> adjust_p([0.01, 0.04, 0.03], method="holm")
    [0.03, 0.06, 0.06]
    """
    adjust = ADJUSTMENTS[check_option("method", method, list(ADJUSTMENTS))]
    return [min(1.0, x) for x in adjust(_checked(p, 1))]
