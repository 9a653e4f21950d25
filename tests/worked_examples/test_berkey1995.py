"""BCG vaccine with smoothed variances: Berkey, Hoaglin, Mosteller & Colditz (1995), Stat Med 14:395.

The variance of a log risk ratio depends on the same events as the ratio itself. Berkey et al. replace each study's
``negative/positive`` by its mean over the studies, which takes that dependence away, and estimate tau2 by empirical
Bayes (p. 398), with and without latitude.

Analysis: Berkey, Hoaglin, Mosteller & Colditz 1995 (Stat Med 14:395), random-effects regression
Where: data of table 1; empirical Bayes p. 398; variances p. 399 (locators of
    metafor-project.org/doku.php/analyses:berkey1995)
Compared: random effects and the regression on latitude by empirical Bayes with smoothed variances, the regression
    without tau2
Figures: random effects of p. 408, as the test of metafor-project.org/doku.php/analyses:berkey1995 checks them; the
    regression not seen; R metafor 3.8, to 1e-9
Page: worked-examples/bcg-smoothed.md
"""

from __future__ import annotations

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.pool import pool
from balm.stats.regression.meta_regression import meta_regression

TRIALS = {
    "events_1": [4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27],
    "n_1": [123, 306, 231, 13598, 5069, 1541, 2545, 88391, 7499, 1716, 50634, 2498, 16913],
    "events_2": [11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29],
    "n_2": [139, 303, 220, 12867, 5808, 1451, 629, 88391, 7277, 1665, 27338, 2341, 17854],
}
LATITUDE = [44, 55, 42, 52, 13, 44, 19, 13, 27, 42, 18, 33, 33]


@pytest.fixture(scope="module")
def smoothed() -> EffectSizes:
    variance = np.zeros(13)
    for group in "12":
        events, n = np.array(TRIALS[f"events_{group}"]), np.array(TRIALS[f"n_{group}"])
        variance += np.mean((n - events) / events) / n
    return EffectSizes(effect=effect_sizes("RR", **TRIALS).effect, variance=variance)


def test_random_effects_by_empirical_bayes(smoothed: EffectSizes) -> None:
    fit = pool(smoothed, tau2="EB", inference="wald")
    assert (fit.estimate, fit.se) == pytest.approx((-0.542944632622, 0.184211221311), abs=1e-9)
    assert (fit.tau2, fit.q) == pytest.approx((0.268153801523, 85.8624999746), abs=1e-9)
    # page 408
    assert (fit.estimate, fit.se, fit.tau2) == pytest.approx((-0.5429, 0.1842, 0.2682), abs=5.001e-5)


def test_latitude_from_its_mean(smoothed: EffectSizes) -> None:
    data = {"latitude": [x - 33.46 for x in LATITUDE]}
    fit = meta_regression(smoothed, "~ latitude", data=data, tau2="EB", inference="wald")
    assert fit.beta == pytest.approx([-0.630323776483, -0.0267611628309], abs=1e-9)
    assert fit.se == pytest.approx([0.159052022454, 0.011015762612], abs=1e-9)
    assert (fit.tau2, fit.qe) == pytest.approx((0.157180004076, 35.8827367367), abs=1e-9)
    fixed = meta_regression(smoothed, "~ latitude", data=data, model="common", inference="wald")
    assert fixed.beta == pytest.approx([-0.594928113328, -0.0281900680754], abs=1e-9)
    assert fixed.se == pytest.approx([0.0696133725123, 0.0039874846791], abs=1e-9)
