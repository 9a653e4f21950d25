"""Aspirin in pregnancy: six trials, and how far the mean depends on the estimator of τ².

Analysis: DerSimonian & Kacker 2007 (Contemp Clin Trials 28:105), moment estimators in one and two steps
Where: the six trials of aspirin with the collaborative study CLASP; tables 3 and 4, pp. 111-112
Compared: τ, the mean and its standard error by ten estimators
Figures: as the test of metafor-project.org/doku.php/analyses:dersimonian2007 checks them, to four decimals; by maximum
    likelihood it stops at τ = 0.0023, where the highest likelihood is at 0
Page: worked-examples/seven-estimators.md
"""

from __future__ import annotations

import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.pool import pool

TRIALS = {
    "events_1": [5, 5, 12, 69, 9, 313],
    "n_1": [156, 303, 565, 1570, 103, 4659],
    "events_2": [8, 17, 9, 94, 11, 352],
    "n_2": [74, 303, 477, 1565, 105, 4650],
}


@pytest.fixture(scope="module")
def odds() -> EffectSizes:
    return effect_sizes("OR", **TRIALS)


@pytest.mark.parametrize(
    ("estimator", "tau", "mean", "se"),
    [
        ("PM", 0.3681, -0.3811, 0.2060),
        ("HE", 0.4410, -0.4035, 0.2327),
        ("DL", 0.2323, -0.3240, 0.1540),
        ("HE2", 0.3831, -0.3861, 0.2115),
        ("DL2", 0.3254, -0.3655, 0.1901),
        ("EB", 0.3681, -0.3811, 0.2060),
        ("REML", 0.1843, -0.2980, 0.1343),
        ("HS", 0.1330, -0.2666, 0.1125),
        ("SJ", 0.4572, -0.4079, 0.2386),
    ],
)
def test_estimators(odds: EffectSizes, estimator: str, tau: float, mean: float, se: float) -> None:
    fit = pool(odds, tau2=estimator, inference="wald")
    assert (fit.tau, fit.estimate, fit.se) == pytest.approx((tau, mean, se), abs=1e-4)


def test_maximum_likelihood_is_at_the_boundary(odds: EffectSizes) -> None:
    fit = pool(odds, tau2="ML", inference="wald")
    near = pool(odds, tau2=0.0023**2, inference="wald")
    assert fit.tau == 0.0
    assert (fit.estimate, fit.se) == pytest.approx((-0.1974, 0.0694), abs=1e-4)

    def height(f: object) -> float:
        import numpy as np

        v = odds.variance + f.tau2  # type: ignore[attr-defined]
        return float(-0.5 * np.sum(np.log(v) + (odds.effect - f.estimate) ** 2 / v))  # type: ignore[attr-defined]

    assert height(fit) > height(near)
