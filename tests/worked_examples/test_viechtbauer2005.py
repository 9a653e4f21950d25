"""Seven estimators of the between-study variance on two data sets: Viechtbauer (2005), J Educ Behav Stat 30:261.

Analysis: Viechtbauer 2005 (J Educ Behav Stat 30:261), estimators of the heterogeneity variance
Where: the ten effects of p. 271 and the eighteen of p. 272, with τ², I² and H² by seven estimators on the same pages
Compared: τ², I², H² and the standard error of τ² by Hunter-Schmidt, Hedges, DerSimonian-Laird, ML, REML, empirical
    Bayes and Sidik-Jonkman
Figures: as the test of metafor-project.org/doku.php/analyses:viechtbauer2005 checks them; I² and H² to the two decimals
    of the paper, since further ones there stem from searches that stop at 1e-5
Page: worked-examples/seven-estimators.md
"""

from __future__ import annotations

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.pool import pool

TEN = EffectSizes(
    effect=np.array([-0.581, 0.530, 0.771, 1.031, 0.553, 0.295, 0.078, 0.573, -0.176, -0.232]),
    variance=np.array([0.023, 0.052, 0.060, 0.115, 0.095, 0.203, 0.200, 0.211, 0.051, 0.040]),
)
EIGHTEEN = EffectSizes(
    effect=np.array(
        [
            *(0.100, -0.162, -0.090, -0.049, -0.046, -0.010, -0.431, -0.261, 0.134),
            *(0.019, 0.175, 0.056, 0.045, 0.103, 0.121, -0.482, 0.290, 0.342),
        ]
    ),
    variance=np.array(
        [
            *(0.016, 0.015, 0.050, 0.050, 0.032, 0.052, 0.036, 0.024, 0.034),
            *(0.033, 0.031, 0.034, 0.039, 0.167, 0.134, 0.096, 0.016, 0.035),
        ]
    ),
)


@pytest.mark.parametrize(
    ("estimator", "tau2", "i2", "h2", "tau2_se"),
    [
        ("HS", 0.2282, 77.2284, 4.3914, 0.1328),
        ("HE", 0.1484, 68.7988, 3.2050, 0.1234),
        ("DL", 0.2768, 80.4447, 5.1137, 0.1841),
        ("ML", 0.1967, 74.5098, 3.9231, 0.1255),
        ("REML", 0.2232, 76.8399, 4.3178, 0.1464),
        ("EB", 0.1920, 74.0511, 3.8537, 0.1330),
        ("SJ", 0.1992, 74.7545, 3.9611, 0.0979),
    ],
)
def test_ten_effects(estimator: str, tau2: float, i2: float, h2: float, tau2_se: float) -> None:
    fit = pool(TEN, tau2=estimator, inference="wald")
    assert (fit.tau2, fit.tau2_se) == pytest.approx((tau2, tau2_se), abs=1e-4)
    assert (round(fit.i2, 2), round(fit.h2, 2)) == (round(i2, 2), round(h2, 2))


@pytest.mark.parametrize(
    ("estimator", "tau2", "i2", "h2", "tau2_se"),
    [
        ("HS", 0.0099, 22.9266, 1.2975, 0.0138),
        ("HE", 0.0000, 0.0000, 1.0000, 0.0217),
        ("DL", 0.0126, 27.5275, 1.3798, 0.0159),
        ("ML", 0.0132, 28.4505, 1.3976, 0.0151),
        ("REML", 0.0157, 32.0203, 1.4710, 0.0167),
        ("EB", 0.0104, 23.7198, 1.3110, 0.0156),
        ("SJ", 0.0248, 42.6734, 1.7444, 0.0118),
    ],
)
def test_eighteen_effects(estimator: str, tau2: float, i2: float, h2: float, tau2_se: float) -> None:
    fit = pool(EIGHTEEN, tau2=estimator, inference="wald")
    assert (fit.tau2, fit.tau2_se) == pytest.approx((tau2, tau2_se), abs=1e-4)
    assert (round(fit.i2, 2), round(fit.h2, 2)) == (round(i2, 2), round(h2, 2))
