"""Acupuncture point P6 against postoperative nausea: sixteen trials (Lee & Done 2004), by Henmi & Copas (2010).

Small trials show larger effects here, and random effects give them nearly the weight of large ones. Henmi and Copas
keep the common-effect weights and correct the interval (Stat Med 29:2969).

Analysis: Henmi & Copas 2010 (Stat Med 29:2969), an interval that resists publication bias
Where: the sixteen trials of Lee & Done 2004 (Cochrane Database CD003281) as R's metadat keeps them (`dat.lee2004`)
Compared: DerSimonian-Laird, and the Henmi-Copas estimate and interval, of log odds ratios
Figures: p. 2978, as the test of metafor-project.org/doku.php/analyses:henmi2010 checks them to four decimals; further
    digits from R metafor 3.8
Page: worked-examples/p6-nausea.md
"""

from __future__ import annotations

import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.pool import pool

TRIALS = {
    "events_1": [18, 5, 9, 32, 9, 11, 69, 3, 1, 11, 7, 4, 1, 24, 16, 28],
    "n_1": [100, 50, 20, 135, 23, 18, 122, 25, 30, 30, 44, 47, 30, 40, 50, 110],
    "events_2": [20, 18, 7, 31, 10, 12, 80, 12, 1, 19, 16, 6, 13, 71, 53, 25],
    "n_2": [100, 50, 20, 139, 23, 18, 122, 25, 30, 30, 39, 47, 30, 80, 88, 111],
}


@pytest.fixture(scope="module")
def odds() -> EffectSizes:
    return effect_sizes("OR", **TRIALS)


def test_random_effects(odds: EffectSizes) -> None:
    fit = pool(odds, tau2="DL", inference="wald")
    assert (fit.estimate, fit.se) == pytest.approx((-0.678724421578, 0.197773729158), abs=1e-10)
    assert (fit.tau2, fit.q) == pytest.approx((0.332538320815, 38.4231210331), abs=1e-9)
    assert (fit.interval.low, fit.interval.high) == pytest.approx((-1.06635380782, -0.291095035339), abs=1e-10)


def test_common_effect_weights_with_an_interval_of_their_own(odds: EffectSizes) -> None:
    fit = pool(odds, model="ivhet", inference="henmi-copas")
    assert (fit.estimate, fit.se) == pytest.approx((-0.514460226096, 0.217794295598), abs=1e-10)
    # metafor integrates numerically, to about 1e-5
    assert (fit.interval.low, fit.interval.high) == pytest.approx((-0.999383594553, -0.029536857639), abs=1e-5)
