"""Length of stay in stroke units: nine trials with very different scales (Normand 1999, Stat Med 18:321, table II).

Values: metafor 3.8 and 5.1 at machine precision (REML by Fisher scoring with a damped step), RevMan 5, statsmodels.

Analysis: Normand 1999 (Stat Med 18:321), length of stay
Where: data of table II
Compared: common effect, DerSimonian-Laird, REML, Hartung-Knapp; SMD
Figures: those of the programs: metafor, RevMan 5, statsmodels
Page: worked-examples/length-of-stay.md
"""

from __future__ import annotations

import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.pool import pool

COLUMNS = {
    "n_1": [155, 31, 75, 18, 8, 57, 34, 110, 60],
    "mean_1": [55, 27, 64, 66, 14, 19, 52, 21, 30],
    "sd_1": [47, 7, 17, 20, 8, 7, 45, 16, 27],
    "n_2": [156, 32, 71, 18, 13, 52, 33, 183, 52],
    "mean_2": [75, 29, 119, 137, 18, 18, 41, 31, 23],
    "sd_2": [64, 4, 29, 48, 11, 4, 34, 27, 20],
}


@pytest.fixture(scope="module")
def days() -> EffectSizes:
    return effect_sizes("MD", **COLUMNS)


def test_mean_difference(days: EffectSizes) -> None:
    common = pool(days, model="common")
    assert (common.estimate, common.se) == pytest.approx((-3.46361263, 0.76482752), abs=5e-9)
    dl = pool(days, tau2="DL", inference="wald")
    assert (dl.estimate, dl.se) == pytest.approx((-13.98172182, 5.12669834), abs=5e-9)
    assert dl.tau2 == pytest.approx(205.409375, abs=5e-7)


def test_restricted_maximum_likelihood_where_fisher_scoring_fails(days: EffectSizes) -> None:
    fit = pool(days, inference="wald")
    assert (fit.estimate, fit.se) == pytest.approx((-15.10602747, 8.94655284), abs=5e-9)
    assert fit.tau2 == pytest.approx(684.646152, abs=5e-7)
    hk = pool(days, inference="hartung-knapp")
    assert hk.se == pytest.approx(9.19890875, abs=5e-9)
    assert (hk.interval.low, hk.interval.high) == pytest.approx((-36.31874908, 6.10669414), abs=5e-9)


def test_standardised_mean_difference_metafor() -> None:
    es = effect_sizes("SMD", **COLUMNS)
    common = pool(es, model="common", profile="metafor")
    assert (common.estimate, common.se) == pytest.approx((-0.41061142, 0.06160275), abs=5e-9)
    dl = pool(es, tau2="DL", profile="metafor")
    assert (dl.estimate, dl.se, dl.tau2) == pytest.approx((-0.53073731, 0.25921861, 0.539714), abs=5e-7)
    reml = pool(es, profile="metafor")
    assert (reml.estimate, reml.se, reml.tau2) == pytest.approx((-0.53710826, 0.30866149, 0.790843), abs=5e-7)
    assert pool(es, inference="hartung-knapp").se == pytest.approx(0.30928563, abs=5e-9)


def test_standardised_mean_difference_revman5() -> None:
    es = effect_sizes("SMD", **COLUMNS)
    common = pool(es, model="common", profile="revman5")
    assert (common.estimate, common.se) == pytest.approx((-0.40766105, 0.06166833), abs=5e-9)
    dl = pool(es, profile="revman5")
    assert (dl.estimate, dl.se) == pytest.approx((-0.52928468, 0.25827660), abs=5e-9)
    assert (dl.tau2, dl.q) == pytest.approx((0.534737, 122.346875), abs=5e-7)
