"""Diuretics against pre-eclampsia: nine trials and seven intervals of τ², Viechtbauer (2007), Stat Med 26:37.

Analysis: Viechtbauer 2007 (Stat Med 26:37), confidence intervals for the amount of heterogeneity
Where: the nine trials of diuretics of Collins, Yusuf & Peto 1985 as R's metadat keeps them (`dat.collins1985b`); table
    II, p. 44
Compared: τ² by four estimators; Q-profile, profile likelihood by ML and REML, Wald by ML and REML
Figures: as the test of metafor-project.org/doku.php/analyses:viechtbauer2007a checks them, to four decimals. Not here:
    the intervals of Biggerstaff & Tweedie (a gamma approximation; the exact distribution is computed instead), of
    Sidik & Jonkman and by bootstrap
Page: worked-examples/diuretics.md
"""

from __future__ import annotations

import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.pool import pool

TRIALS = {
    "events_1": [14, 21, 14, 6, 12, 138, 15, 6, 65],
    "n_1": [131, 385, 57, 38, 1011, 1370, 506, 108, 153],
    "events_2": [14, 17, 24, 18, 35, 175, 20, 2, 40],
    "n_2": [136, 134, 48, 40, 760, 1336, 524, 103, 102],
}


@pytest.fixture(scope="module")
def odds() -> EffectSizes:
    return effect_sizes("OR", **TRIALS)


@pytest.mark.parametrize(("estimator", "tau2"), [("DL", 0.2297), ("ML", 0.2386), ("REML", 0.3008), ("SJ", 0.4563)])
def test_estimators(odds: EffectSizes, estimator: str, tau2: float) -> None:
    assert pool(odds, tau2=estimator, inference="wald").tau2 == pytest.approx(tau2, abs=1e-4)


@pytest.mark.parametrize(
    ("estimator", "method", "low", "high"),
    [
        ("DL", "q-profile", 0.0723, 2.2027),
        ("ML", "profile-likelihood", 0.0266, 1.1308),
        ("REML", "profile-likelihood", 0.0427, 1.4747),
        ("ML", "wald", 0.0, 0.5782),
        ("REML", "wald", 0.0, 0.7322),
    ],
)
def test_intervals(odds: EffectSizes, estimator: str, method: str, low: float, high: float) -> None:
    found = pool(odds, tau2=estimator, inference="wald").heterogeneity_interval(method).tau2
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)
