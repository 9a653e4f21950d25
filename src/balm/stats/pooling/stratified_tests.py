"""Tests on a set of 2x2 tables: is there an association, and is its odds ratio the same in all of them?

Sources: Mantel & Haenszel (1959) J Natl Cancer Inst 22:719; Breslow & Day (1980) Statistical Methods in Cancer
Research, volume 1, section 4.4; Tarone (1985) Biometrika 72:91; Rothman, Greenland & Lash (2008), chapter 15, for
rates.
"""

from __future__ import annotations

from math import nan

from balm.stats.arrays import np
from balm.stats.distributions import chi2_sf
from balm.stats.effect_sizes import Floats
from balm.stats.pooling.mantel_haenszel_sums import expected_and_variance
from balm.vocabulary.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ChiSquareTest:
    """A chi-square ``statistic`` with its degrees of freedom; ``nan`` where the tables hold no information."""

    statistic: float
    df: int

    @property
    def p(self) -> float:
        """Upper tail of the chi-square distribution."""
        return chi2_sf(self.statistic, self.df) if self.df > 0 else nan


def _association(difference: float, variance: float, correct: bool) -> ChiSquareTest:
    if not variance > 0.0:
        return ChiSquareTest(nan, 1)
    return ChiSquareTest((abs(difference) - (0.5 if correct else 0.0)) ** 2 / variance, 1)


def cochran_mantel_haenszel(a: Floats, n_1: Floats, c: Floats, n_2: Floats, *, correct: bool = True) -> ChiSquareTest:
    """``(|sum(a - E)| - 1/2)^2 / sum V``, 1 df: no association in any study; ``correct`` subtracts the 1/2.

    >>> import numpy as np
    >>> tables = (np.array([4.0, 6.0]), np.array([123.0, 306.0]), np.array([11.0, 29.0]), np.array([139.0, 303.0]))
    >>> round(cochran_mantel_haenszel(*tables).statistic, 4)
    16.9213
    """
    expected, variance = expected_and_variance(a, n_1, c, n_2)
    return _association(float((a - expected).sum()), float(variance.sum()), correct)


def mantel_haenszel_rates(x_1: Floats, t_1: Floats, x_2: Floats, t_2: Floats, *, correct: bool = True) -> ChiSquareTest:
    """The same for person-time: given the total, events in group 1 are binomial with probability ``t1/T``."""
    t = t_1 + t_2
    x = x_1 + x_2
    return _association(float((x_1 - x * t_1 / t).sum()), float((x * t_1 * t_2 / t**2).sum()), correct)


def homogeneity_of_odds_ratios(
    a: Floats, n_1: Floats, c: Floats, n_2: Floats, *, odds_ratio: float
) -> tuple[ChiSquareTest, ChiSquareTest]:
    """Breslow-Day test and Tarone's correction of it, k - 1 df over the tables that have events and non-events.

    The expected count ``A`` of each table solves ``A (n2 - m + A) = OR (n1 - A)(m - A)`` at the Mantel-Haenszel odds
    ratio, m events in all.
    """
    m = a + c
    informative = (m > 0.0) & (m < n_1 + n_2)
    df = int(informative.sum()) - 1
    if df < 1 or not np.isfinite(odds_ratio):
        return ChiSquareTest(nan, max(df, 0)), ChiSquareTest(nan, max(df, 0))
    a, n_1, n_2, m = a[informative], n_1[informative], n_2[informative], m[informative]
    q = n_2 - m + odds_ratio * (n_1 + m)
    r = odds_ratio * n_1 * m
    expected = 2.0 * r / (q + np.sqrt(q * q + 4.0 * (1.0 - odds_ratio) * r))
    variance = 1.0 / (1.0 / expected + 1.0 / (m - expected) + 1.0 / (n_1 - expected) + 1.0 / (n_2 - m + expected))
    gap = a - expected
    breslow_day = float((gap**2 / variance).sum())
    tarone = breslow_day - float(gap.sum()) ** 2 / float(variance.sum())
    return ChiSquareTest(breslow_day, df), ChiSquareTest(tarone, df)
