"""St John's wort, the seventeen trials of the article: common effect, random effects and what a baseline explains.

Analysis: Viechtbauer 2007 (Z Psychol 215:104), the seventeen trials with a known dose and baseline
Where: trials of Linde et al. 2005 as R's metadat keeps them (`dat.linde2005`, rows 7-10 and 13-25); pp. 106-113, table
    II
Compared: common effect and Q (p. 107), DerSimonian-Laird with prediction (p. 109), regression on dose, baseline and
    their product (table II), predicted risk ratios (p. 113)
Figures: of the article, as the test of metafor-project.org/doku.php/analyses:viechtbauer2007b quotes them; where the
    article's last digit differs (1.39, Q = 55.54, 1.90, 0.091, 48 %) that is said, and its prediction interval leaves
    out the uncertainty of the mean
Page: worked-examples/st-johns-wort-baseline.md
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.pool import pool
from balm.stats.regression.meta_regression import MetaRegression, meta_regression

TRIALS = {
    "events_1": [20, 14, 4, 20, 28, 34, 35, 24, 45, 67, 34, 46, 55, 23, 26, 46, 98],
    "n_1": [25, 20, 25, 32, 50, 48, 53, 49, 80, 106, 60, 70, 123, 37, 98, 113, 186],
    "events_2": [11, 9, 2, 6, 13, 25, 12, 16, 12, 22, 17, 34, 57, 15, 19, 56, 80],
    "n_2": [25, 20, 25, 33, 55, 49, 54, 49, 79, 47, 59, 70, 124, 35, 102, 116, 189],
}
BASELINE = np.array(
    [19.5, 12.5, 22.7, 16.5, 15.8, 23.6, 20.7, 21.1, 19.4, 22.7, 16.7, 20.9, 21.5, 19.9, 22.5, 22.9, 21.9]
)
MG_A_DAY = np.array([380, 900, 900, 900, 900, 240, 900, 900, 500, 1050, 900, 500, 900, 900, 1050, 1200, 900])
WEEKS = np.array([8, 4, 4, 6, 4, 6, 4, 6, 6, 6, 6, 6, 6, 6, 8, 8, 6])


@pytest.fixture(scope="module")
def trials() -> EffectSizes:
    return effect_sizes("RR", **TRIALS)


def test_common_effect(trials: EffectSizes) -> None:
    fit = pool(trials, model="common")
    found = fit.displayed
    assert (found.estimate, found.interval.low, found.interval.high) == pytest.approx((1.38, 1.26, 1.52), abs=5e-3)
    assert fit.q == pytest.approx(51.55, abs=5e-3)  # 55.54 in the article, two digits changed places


def test_random_effects_and_prediction(trials: EffectSizes) -> None:
    fit = pool(trials, tau2="DL", inference="wald", prediction="normal")
    found = fit.displayed
    assert (found.estimate, found.interval.low, found.interval.high) == pytest.approx((1.57, 1.31, 1.89), abs=5e-3)
    assert fit.tau2 == pytest.approx(0.090, abs=5e-4)
    assert found.prediction_interval is not None
    assert (found.prediction_interval.low, found.prediction_interval.high) == pytest.approx((0.85, 2.91), abs=5e-3)
    alone = [math.exp(fit.estimate + sign * 1.959963984540054 * fit.tau) for sign in (-1, 1)]
    assert alone == pytest.approx([0.87, 2.83], abs=5e-3)  # the article: without the variance of the mean


@pytest.fixture(scope="module")
def regression(trials: EffectSizes) -> MetaRegression:
    grams = MG_A_DAY * 7 / 1000 * WEEKS
    return meta_regression(
        trials,
        "~ dose * baseline",
        data={"dose": grams - 34, "baseline": BASELINE - 20},
        tau2="DL",
        inference="wald",
    )


def test_table_ii(regression: MetaRegression) -> None:
    rows = regression.coefficients
    assert [round(c.estimate, 3) for c in rows] == [0.476, -0.006, -0.067, -0.002]
    assert [round(c.se, 3) for c in rows] == [0.088, 0.010, 0.035, 0.003]
    assert [round(c.p, 3) for c in rows] == [0.000, 0.559, 0.056, 0.649]
    assert (round(regression.tau2, 3), round(regression.r2, 2)) == (0.047, 47.38)


def test_predicted_risk_ratios(regression: MetaRegression) -> None:
    mild, severe = regression.predict({"dose": [0, 0], "baseline": [12.5 - 20, 23.6 - 20]})
    for found, wanted in ((mild, (2.67, 1.46, 4.88)), (severe, (1.26, 0.99, 1.61))):
        got = [math.exp(x) for x in (found.estimate, found.interval.low, found.interval.high)]
        assert got == pytest.approx(wanted, abs=5e-3)
