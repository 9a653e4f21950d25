"""Tail probabilities and quantiles with one spelling for one group (floats) and for many (arrays).

Floats use :mod:`balm.stats.distributions`; arrays use the compiled kernel where it is there and ``scipy.special``,
imported on first use, for the rest; quantiles are taken once for each distinct number of degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from balm.stats.arrays import np, of_numpy
from balm.stats.distributions import chi2_ppf, chi2_sf, norm_ppf, norm_sf, t_ppf, t_sf
from balm.stats.groups import OneGroup

#: Whole degrees of freedom below this are looked up in a table by their number.
LONGEST_TABLE = 1 << 16

#: Chi-squared tails are finite sums up to so many degrees of freedom, and up to so large a value.
MOST_TERMS, LARGEST_CHI2 = 64.0, 600.0

#: Student's distribution is a finite sum too; where it has more than this share inside, its tails would lose digits.
CENTRAL, LARGEST_T = 0.95, 1e100


@lru_cache(maxsize=4096)
def t_critical(level: float, df: float) -> float:
    """The two-sided critical value; ``df = inf`` is the normal distribution; ``nan`` where ``df <= 0``.

    >>> round(t_critical(0.95, 12), 6), round(t_critical(0.95, float("inf")), 6)
    (2.178813, 1.959964)
    """
    if not df > 0.0:
        return math.nan
    if math.isinf(df):
        return norm_ppf(0.5 + 0.5 * level)
    try:
        return t_ppf(0.5 + 0.5 * level, df)
    except OverflowError:
        # A small fraction of a degree of freedom (Kenward-Roger with tau2 = 0): the quantile is beyond any number.
        return math.nan


@lru_cache(maxsize=4096)
def chi2_quantile(probability: float, df: float) -> float:
    """The quantile of the chi-squared distribution."""
    return chi2_ppf(probability, df)


class OneTail:
    """For plain floats."""

    @staticmethod
    def two_sided(statistic: float, df: float) -> float:
        """p of a statistic with t(df), or the normal distribution where df is infinite."""
        if math.isnan(statistic) or math.isnan(df):
            return math.nan
        size = abs(statistic)
        return 2.0 * (norm_sf(size) if math.isinf(df) else t_sf(size, df))

    @staticmethod
    def chi2_upper(q: float, df: float) -> float:
        """The upper tail of chi-squared."""
        return chi2_sf(q, df)

    critical = staticmethod(t_critical)
    chi2_quantile = staticmethod(chi2_quantile)


class CompiledTail(OneTail):
    """For plain floats where the compiled kernel may be there: what it leaves is worked out in Python."""

    @staticmethod
    def two_sided(statistic: float, df: float) -> float:
        """p of a statistic with t(df), or the normal distribution where df is infinite."""
        found = _of_one("t_two_sided", df, statistic)
        return found if found >= 0.0 else OneTail.two_sided(statistic, df)

    @staticmethod
    def chi2_upper(q: float, df: float) -> float:
        """The upper tail of chi-squared."""
        found = _of_one("chi2_upper", df, q)
        return found if found >= 0.0 else OneTail.chi2_upper(q, df)


def _of_one(kind: str, df: float, value: float) -> float:
    from balm.stats import kernel

    return kernel.tail_of_one(kind, df, value)


def _two_sided(statistic: Any, df: Any) -> Any:
    """Finite sums for small whole numbers where the tail is not small (Abramowitz & Stegun 26.7.3, 26.7.4), else the
    incomplete beta function; the normal distribution where df is infinite."""
    from scipy.special import ndtr, stdtr

    size, df = np.abs(np.asarray(statistic, dtype=np.float64)), np.asarray(df, dtype=np.float64)
    both = np.empty(size.shape)
    normal = np.isinf(df)
    both[normal] = 2.0 * ndtr(-size[normal])
    whole = (df >= 1.0) & (df <= MOST_TERMS) & (df == np.floor(df)) & (size < LARGEST_T)
    inside = _t_sums(size[whole], df[whole])
    both[whole] = 1.0 - inside
    left = ~(whole | normal)
    left[whole] = inside >= CENTRAL
    both[left] = 2.0 * stdtr(df[left], -size[left])
    return both


def _t_sums(size: Any, df: Any) -> Any:
    """Student's distribution between ``-size`` and ``size``: those with the most terms stand first, and each step is
    for those that have one more."""
    inside = np.empty(len(size))
    order = -df.astype(np.int16)
    for odd in (0, 1):
        places = np.flatnonzero(order % 2 == odd)
        places = places[np.argsort(order[places], kind="stable")]
        t, n = size[places], df[places]
        squared = t * t
        x = n / (n + squared)
        steps = range(2 + odd, int(n[0]) + 1 if len(n) else 0, 2)
        counts = np.searchsorted(-n, [-j for j in steps], side="right").tolist()
        term = np.sqrt(x) if odd else np.ones(len(x))
        total = np.zeros(len(x))
        for j, count in zip(steps, counts, strict=True):
            total[:count] += term[:count]
            term[:count] *= x[:count] * ((j - 1) / j)
        total *= np.sqrt(squared / (n + squared))
        inside[places] = 2.0 / math.pi * (np.arctan2(t, np.sqrt(n)) + total) if odd else total
    return inside


def _chi2_upper(q: Any, df: Any) -> Any:
    """Finite sums for small whole numbers (Abramowitz & Stegun 26.4.4, 26.4.5), else the incomplete gamma function."""
    from scipy.special import chdtrc

    q, df = np.asarray(q, dtype=np.float64), np.asarray(df, dtype=np.float64)
    whole = (df >= 1.0) & (df <= MOST_TERMS) & (df == np.floor(df)) & (q >= 0.0) & (q <= LARGEST_CHI2)
    if whole.all():
        return _chi2_sums(q.ravel(), df.ravel()).reshape(q.shape)
    upper = np.empty(q.shape)
    upper[whole] = _chi2_sums(q[whole], df[whole])
    upper[~whole] = chdtrc(df[~whole], q[~whole])
    return upper


def _chi2_sums(q: Any, df: Any) -> Any:
    """The upper tails, from sums of positive terms: those with the most terms stand first, and each step is for those
    that have one more."""
    from scipy.special import erfc

    upper = np.empty(len(q))
    df = df.astype(np.int16)
    for odd in (0, 1):
        places = np.flatnonzero(df % 2 == odd)
        places = places[np.argsort(-df[places], kind="stable")]
        x, n = q[places], df[places]
        steps = range(odd, int(n[0]) if len(n) else 0, 2)
        counts = np.searchsorted(-n, [-j for j in steps], side="left").tolist()
        term = np.sqrt(x) if odd else np.ones(len(x))
        total = np.zeros(len(x))
        for j, count in zip(steps, counts, strict=True):
            total[:count] += term[:count]
            term[:count] *= x[:count] / (j + 2)
        half = 0.5 * x
        tail = np.exp(-half) * total
        upper[places] = erfc(np.sqrt(half)) + math.sqrt(2.0 / math.pi) * tail if odd else tail
    return upper


def _compiled(tail: str, df: Any, value: Any) -> Any:
    from balm.stats import kernel  # ctypes is for arrays; one analysis needs none

    return kernel.tail(tail, df, value)


class ManyTails:
    """For arrays, one entry a group."""

    @staticmethod
    def two_sided(statistic: Any, df: Any) -> Any:
        """p of each statistic."""
        df = np.broadcast_to(np.asarray(df, dtype=np.float64), np.shape(statistic))
        found = _compiled("t_two_sided", df, statistic)
        if found is None:
            return _two_sided(statistic, df)
        left = np.flatnonzero(~(found >= 0.0))
        if len(left):
            found[left] = _two_sided(np.asarray(statistic)[left], df[left])
        return found

    @staticmethod
    def chi2_upper(q: Any, df: Any) -> Any:
        """The upper tail of chi-squared."""
        df = np.broadcast_to(np.asarray(df, dtype=np.float64), np.shape(q))
        found = _compiled("chi2_upper", df, q)
        if found is None:
            return _chi2_upper(q, df)
        left = np.flatnonzero(~(found >= 0.0))
        if len(left):
            found[left] = _chi2_upper(np.asarray(q)[left], df[left])
        return found

    @staticmethod
    def critical(level: float, df: Any) -> Any:
        """Critical values, one look-up for each distinct df."""
        return _looked_up(lambda d: t_critical(level, d), df)

    @staticmethod
    def chi2_quantile(probability: float, df: Any) -> Any:
        """Quantiles, one look-up for each distinct df."""
        return _looked_up(lambda d: chi2_quantile(probability, d), df)


def _looked_up(quantile: Callable[[float], float], df: Any) -> Any:
    """The quantile at each of ``df``, worked out once for each distinct value: small whole numbers need no sorting."""
    df = np.asarray(df, dtype=np.float64)
    if df.size and df.min() >= 0.0 and df.max() < LONGEST_TABLE:
        whole = df.astype(np.intp)
        if np.array_equal(whole, df):
            met = np.flatnonzero(np.bincount(whole.ravel()))
            table = np.full(met[-1] + 1, math.nan)
            table[met] = [quantile(float(d)) for d in met]
            return table[whole]
    distinct, place = np.unique(df, return_inverse=True)
    return np.array([quantile(float(d)) for d in distinct])[place]


def tails_for(g: Any) -> Any:
    """The spelling for this layout."""
    if not isinstance(g, OneGroup):
        return ManyTails
    return CompiledTail if of_numpy(g.effect) else OneTail
