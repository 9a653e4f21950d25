"""Challenge programmes for juvenile delinquents: ten studies of Lipsey & Wilson (2001), chapter 7.

Standardised mean differences of table 7.1 (p. 130). W. Viechtbauer's page of the book's analyses gives four decimals
and says of each exhibit that they match it; these decimals are compared.

Analysis: Lipsey & Wilson 2001, Practical Meta-Analysis, chapter 7
Where: data of table 7.1 (p. 130); exhibits 7.3 (pp. 132-135), 7.4 (pp. 135-138), 7.6 and 7.7 (p. 141)
Compared: common effect, DerSimonian-Laird, analysis of variance by random assignment, weighted regression, mixed model
Figures: wviechtb.github.io/meta_analysis_books/lipsey2001.html, which states for each exhibit that the figures match;
    the book itself was not seen
Page: worked-examples/challenge-programmes.md
"""

from __future__ import annotations

import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.pool import pool
from balm.stats.pooling.subgroups import subgroups
from balm.stats.regression.meta_regression import meta_regression

EFFECT = [-0.33, 0.32, 0.39, 0.31, 0.17, 0.64, -0.33, 0.15, -0.02, 0.00]
VARIANCE = [0.084, 0.035, 0.017, 0.034, 0.072, 0.117, 0.102, 0.093, 0.012, 0.067]
DATA = {"random": [0, 0, 0, 0, 0, 0, 1, 1, 1, 1], "intensity": [7, 3, 7, 5, 7, 7, 4, 4, 5, 6]}
ES = EffectSizes(effect=EFFECT, variance=VARIANCE)


def printed(*values: float) -> object:
    """Four decimals."""
    return pytest.approx(values, abs=5.001e-5)


def test_exhibit_7_3_common_effect() -> None:
    """Pages 132-133."""
    fit = pool(ES, model="common")
    assert (fit.estimate, fit.se, fit.statistic, fit.p) == printed(0.1549, 0.0609, 2.5450, 0.0109)
    assert (fit.interval.low, fit.interval.high) == printed(0.0356, 0.2742)
    assert (fit.q, fit.q_p) == printed(14.7640, 0.0976)
    assert fit.q_df == 9


def test_exhibit_7_3_random_effects() -> None:
    """Pages 134-135."""
    fit = pool(ES, tau2="DL", inference="wald")
    assert (fit.estimate, fit.se, fit.tau2) == printed(0.1534, 0.0858, 0.0260)
    assert (fit.interval.low, fit.interval.high) == printed(-0.0146, 0.3215)


def test_exhibit_7_4_analogue_of_the_analysis_of_variance() -> None:
    """Pages 135-138."""
    fit = meta_regression(ES, "~ random", data=DATA, model="common", inference="wald")
    assert fit.beta == printed(0.2984, -0.3261)
    assert fit.se == printed(0.0813, 0.1226)
    assert (fit.qe, fit.omnibus.statistic) == printed(7.6901, 7.0739)
    groups = subgroups(ES, by="random", data=DATA, model="common")
    assert [g.estimate for g in groups.groups.values()] == printed(0.2984, -0.0277)
    assert [g.q for g in groups.groups.values()] == printed(6.4382, 1.2519)


def test_exhibit_7_6_weighted_regression() -> None:
    """Page 141."""
    fit = meta_regression(ES, "~ random + intensity", data=DATA, model="common", inference="wald")
    assert fit.beta == printed(0.3223, -0.3298, -0.0041)
    assert fit.se == printed(0.2998, 0.1304, 0.0493)
    assert (fit.qe, fit.omnibus.statistic) == printed(7.6832, 7.0807)


def test_exhibit_7_7_mixed_effects() -> None:
    """Page 141."""
    fit = meta_regression(ES, "~ random + intensity", data=DATA, tau2="DL", inference="wald")
    assert fit.beta == printed(0.3311, -0.3269, -0.0068)
    assert fit.se == printed(0.3198, 0.1439, 0.0528)
    assert (fit.tau2, fit.omnibus.statistic) == printed(0.0049, 5.5711)
