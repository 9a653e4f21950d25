"""Significant test statistics of any distribution, and their power: what a p-curve is made of."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from balm.stats.distributions import chi2_isf, chi2_sf, f_isf, f_sf, norm_cdf, norm_isf, norm_sf
from balm.vocabulary.problems import InputError

#: Below this, one minus a noncentral distribution function is rounding.
LEAST_TAIL = 2.2e-16
FORM = re.compile(
    r"^\s*(t|f|r|z|chi2|χ2|χ²|chi²)\s*"
    r"(?:\(\s*([\d.]+)\s*(?:[,;]\s*([\d.]+)\s*)?\))?"
    r"\s*=\s*([-+−]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*$",
    re.IGNORECASE,
)
EXAMPLES = "'t(88)=2.1', 'F(1,100)=9.1', 'r(147)=.246', 'chi2(1)=9.1' or 'z=3.45'"


@dataclass(frozen=True, slots=True)
class Statistic:
    """One statistic as F (``df2`` finite) or chi-squared (``df2`` infinite), and its two-sided p value.

    >>> read("t(88)=2.1").statistic, round(read("t(88)=2.1").p, 4)
    (4.41, 0.0386)
    """

    statistic: float
    df1: float
    df2: float
    p: float
    text: str


def of_z(z: float, text: str) -> Statistic:
    """A normal statistic."""
    return Statistic(z * z, 1.0, math.inf, 2.0 * norm_sf(abs(z)), text)


def read(text: str) -> Statistic:
    """A statistic as papers print it."""
    found = FORM.match(text) if isinstance(text, str) else None
    if found is None:
        raise InputError(f"tests must be written like {EXAMPLES}; got {text!r}")
    kind, first, second, said = found.groups()
    kind, value = kind.lower(), float(said.replace("−", "-"))
    wanted = {"t": 1, "r": 1, "f": 2, "z": 0}.get(kind, 1)
    given = [float(one) for one in (first, second) if one is not None]
    if len(given) != wanted or any(df <= 0.0 for df in given):
        raise InputError(f"{kind} takes {wanted} degrees of freedom above 0, as in {EXAMPLES}; got {text!r}")
    if kind == "z":
        return of_z(value, text)
    if kind == "r":
        if not abs(value) < 1.0:
            raise InputError(f"a correlation must lie between -1 and 1; got {text!r}")
        value *= math.sqrt(given[0] / (1.0 - value * value))
    if kind in ("t", "r"):
        return Statistic(value * value, 1.0, given[0], f_sf(value * value, 1.0, given[0]), text)
    if value < 0.0:
        raise InputError(f"{kind} cannot be below 0; got {text!r}")
    if kind == "f":
        return Statistic(value, given[0], given[1], f_sf(value, *given), text)
    return Statistic(value, given[0], math.inf, chi2_sf(value, given[0]), text)


def read_all(texts: Sequence[str]) -> list[Statistic]:
    """Every statistic of a list."""
    if isinstance(texts, str):
        texts = [line for line in texts.splitlines() if line.strip()]
    return [read(text) for text in texts]


def upper_tail(test: Statistic, noncentrality: float) -> float:
    """P of a larger statistic under ``noncentrality``."""
    if math.isinf(test.df2) and test.df1 == 1.0:
        x, shift = math.sqrt(test.statistic), math.sqrt(noncentrality)
        return norm_sf(x - shift) + norm_cdf(-x - shift)
    return _beyond(test.statistic, test.df1, test.df2, noncentrality)


def _beyond(x: float, df1: float, df2: float, noncentrality: float) -> float:
    from scipy.special import chndtr, ncfdtr

    if math.isinf(df2):
        if df1 == 1.0:
            root, shift = math.sqrt(x), math.sqrt(noncentrality)
            return norm_sf(root - shift) + norm_cdf(-root - shift)
        return max(LEAST_TAIL, 1.0 - float(chndtr(x, df1, noncentrality)))
    return max(LEAST_TAIL, 1.0 - float(ncfdtr(df1, df2, noncentrality, x)))


@lru_cache(maxsize=4096)
def critical(p: float, df1: float, df2: float) -> float:
    """The statistic with this p value."""
    if math.isinf(df2):
        return norm_isf(0.5 * p) ** 2 if df1 == 1.0 else chi2_isf(p, df1)
    return f_isf(p, df1, df2)


@lru_cache(maxsize=4096)
def noncentrality_of(power: float, df1: float, df2: float, alpha: float) -> float:
    """Under which a test at level ``alpha`` has this power."""
    from scipy.optimize import brentq

    x = critical(alpha, df1, df2)
    short: Callable[[float], float] = lambda at: _beyond(x, df1, df2, at) - power  # noqa: E731
    high = 10.0
    while short(high) < 0.0:
        high *= 2.0
    return float(brentq(short, 0.0, high, xtol=1e-12, rtol=1e-14))
