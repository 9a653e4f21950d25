"""Publication bias in three data sets of Rothstein, Sutton & Borenstein (2005), Publication Bias in Meta-Analysis.

Teacher expectancy (with the standard errors of table A.1), passive smoking and lung cancer, magnesium after myocardial
infarction. W. Viechtbauer's page of the book's analyses prints the figures compared here; where it says that the book
differs (fail-safe N, by rounding and by t tests), its own are meant.

Analysis: Rothstein, Sutton & Borenstein 2005, Publication Bias in Meta-Analysis
Where: appendix A (data), chapter 6 with table 6.2, chapter 7, chapter 8 with table 8.1
Compared: funnel regressions with intervals, Kendall's tau, fail-safe N (Rosenthal, Orwin), trim and fill of three sets
Figures: wviechtb.github.io/meta_analysis_books/rothstein2005.html; the book itself was not seen
Page: worked-examples/passive-smoking.md
"""

from __future__ import annotations

import math

import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.pool import pool
from balm.stats.small_study.fail_safe_n import fail_safe_n
from balm.stats.small_study.rank_test import rank_test
from balm.stats.small_study.small_study_test import small_study_test
from balm.stats.small_study.trim_and_fill import trim_and_fill

#: Dataset 1: teacher expectancy, standard errors of table A.1.
TEACHERS = EffectSizes(
    effect=[
        0.03,
        0.12,
        -0.14,
        1.18,
        0.26,
        -0.06,
        -0.02,
        -0.32,
        0.27,
        0.8,
        0.54,
        0.18,
        -0.02,
        0.23,
        -0.18,
        -0.06,
        0.3,
        0.07,
        -0.07,
    ],
    variance=[
        x * x
        for x in [
            0.126,
            0.147,
            0.167,
            0.397,
            0.371,
            0.103,
            0.103,
            0.221,
            0.165,
            0.26,
            0.307,
            0.223,
            0.289,
            0.291,
            0.159,
            0.167,
            0.139,
            0.094,
            0.174,
        ]
    ],
)
#: More than a week of contact before the experiment.
KNOWN = [1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 1]

#: Dataset 2: passive smoking (Hackshaw 1998), log odds ratios and variances as R's metadat keeps them.
SMOKING = EffectSizes(
    effect=[
        0.1655,
        0.3716,
        0.7031,
        0.1823,
        -0.2877,
        0.7275,
        0.7561,
        -0.2231,
        -0.2357,
        0.6981,
        0.207,
        0.1823,
        0.4187,
        0.0296,
        0.4383,
        0.0296,
        0.8502,
        0.5008,
        0.174,
        0.4187,
        0.7701,
        0.077,
        0.9361,
        0.4824,
        0.0583,
        -0.2357,
        -0.3011,
        0.8198,
        -0.0305,
        0.47,
        0.174,
        0.5068,
        0.2311,
        0.0953,
        0.5068,
        0.1484,
        0.1044,
    ],
    variance=[
        0.0188,
        0.033,
        0.5402,
        0.0313,
        0.0797,
        0.2273,
        0.0889,
        0.1927,
        0.339,
        0.0981,
        0.0456,
        0.2317,
        0.0796,
        0.2174,
        0.077,
        0.0715,
        0.2926,
        0.0324,
        0.0363,
        0.4839,
        0.1238,
        0.0711,
        0.3982,
        0.0896,
        0.0337,
        0.0161,
        0.1802,
        0.3171,
        0.0125,
        0.1137,
        0.0893,
        0.176,
        0.01,
        0.0862,
        0.0399,
        0.0364,
        0.0664,
    ],
)

#: Magnesium: without Bertschat 1989 (no death under magnesium); the last trial is ISIS-4.
MAGNESIUM = effect_sizes(
    "OR",
    events_1=[1, 9, 2, 1, 10, 1, 1, 6, 1, 2, 5, 4, 90, 4, 2216],
    n_1=[40, 135, 200, 48, 150, 59, 25, 76, 27, 89, 23, 130, 1159, 107, 29011],
    events_2=[2, 23, 7, 1, 8, 9, 3, 11, 7, 12, 13, 8, 118, 17, 2103],
    n_2=[36, 135, 200, 46, 148, 56, 23, 75, 27, 80, 33, 122, 1157, 108, 29039],
)


def to(digits: int, *values: float) -> object:
    return pytest.approx(values, abs=0.5001 * 10.0**-digits)


def test_appendix_a() -> None:
    rows = [i for i, known in enumerate(KNOWN) if known]
    high = pool(TEACHERS[rows], model="common")
    assert (high.estimate, high.se, high.q) == to(2, -0.02, 0.04, 6.38)
    rows = [i for i, known in enumerate(KNOWN) if not known]
    low = pool(TEACHERS[rows], model="common")
    assert (low.estimate, low.se, low.q) == to(2, 0.35, 0.08, 10.39)
    shown = [math.exp(x) for x in _ends(pool(SMOKING, tau2="DL", inference="wald"))]
    assert shown == to(2, 1.24, 1.13, 1.36)


def _ends(fit):  # type: ignore[no-untyped-def]
    return fit.estimate, fit.interval.low, fit.interval.high


def test_chapter_6_magnesium() -> None:
    without = MAGNESIUM[list(range(14))]
    rank = rank_test(without, exact=False)
    assert (rank.kendall.tau, rank.p) == to(3, -0.077, 0.702)
    rank = rank_test(MAGNESIUM, exact=False)
    assert (rank.kendall.tau, rank.p) == to(3, 0.105, 0.586)
    egger = small_study_test(without)
    assert (egger.statistic, egger.p, egger.limit) == to(3, -3.136, 0.009, -0.130)
    assert egger.df == 12
    assert small_study_test(MAGNESIUM).statistic == pytest.approx(-5.744, abs=5.001e-4)


def test_table_6_2() -> None:
    """The page's first two rows are labelled the other way round: passive smoking is dataset 2."""
    rank = rank_test(SMOKING, exact=False)
    assert rank.p == pytest.approx(0.209, abs=5.001e-4)
    assert rank.kendall.tau == pytest.approx(0.14, abs=5.001e-3)
    assert small_study_test(SMOKING).p == pytest.approx(0.023, abs=5.001e-4)
    rank = rank_test(TEACHERS, exact=False)
    assert rank.p == pytest.approx(0.086, abs=5.001e-4)
    assert rank.kendall.tau == pytest.approx(0.29, abs=5.001e-3)
    assert small_study_test(TEACHERS).p == pytest.approx(0.055, abs=5.001e-4)


def test_chapter_7_fail_safe_n() -> None:
    assert [fail_safe_n(TEACHERS).n, fail_safe_n(SMOKING).n] == [24, 393]
    assert fail_safe_n(TEACHERS, "orwin", target=0.05).n == 3
    assert fail_safe_n(SMOKING, "orwin", target=math.log(1.05)).n == 104


def test_chapter_8_trim_and_fill() -> None:
    """Table 8.1, and the filled sets 1 and 2."""
    constructed = EffectSizes(
        effect=[-0.20, -0.07, 0.04, 0.16, 0.21, 0.27, 0.53, 0.56, 0.80, 1.08, 2.11],
        variance=[x * x for x in [0.41, 0.18, 0.30, 0.53, 0.51, 0.33, 0.74, 1.08, 0.62, 0.66, 1.55]],
    )
    fit = pool(constructed, tau2="DL", inference="wald")
    assert (fit.estimate, fit.se, fit.q) == to(4, 0.1081, 0.1174, 7.4675)
    filled = trim_and_fill(fit)
    assert (filled.k0, filled.k0_se) == (5, pytest.approx(2.0410, abs=5.001e-5))
    assert (filled.refit.estimate, filled.refit.se) == to(4, 0.0147, 0.1115)
    filled = trim_and_fill(pool(SMOKING, tau2="DL", inference="wald"))
    assert filled.k0 == 7
    assert [math.exp(x) for x in _ends(filled.refit)] == to(2, 1.19, 1.08, 1.31)
    filled = trim_and_fill(pool(TEACHERS, tau2="DL", inference="wald"))
    assert (filled.k0, filled.k0_se) == (3, pytest.approx(2.9465, abs=5.001e-5))
    assert _ends(filled.refit) == to(3, 0.027, -0.097, 0.152)
