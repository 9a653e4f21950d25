"""BCG vaccine as odds ratios, by likelihood: the models of van Houwelingen, Arends & Stijnen (2002), Stat Med 21:589.

Analysis: van Houwelingen, Arends & Stijnen 2002 (Stat Med 21:589), advanced methods
Where: data of table I (p. 594); common effect section 3.1.1, random effects by ML section 3.1.2 (locators of
    metafor-project.org/doku.php/analyses:vanhouwelingen2002 and of the documentation of mixmeta); the sections of the
    regression on latitude and of the bivariate model were not looked up
Compared: common effect, random effects by ML, profile-likelihood and Q-profile intervals of τ², latitude, both arms
Figures: odds ratios with intervals and τ² of pp. 596 and 597, as the test of
    metafor-project.org/doku.php/analyses:vanhouwelingen2002 checks them to four decimals (the paper prints 0.703 for
    0.7024, and 0.1350 to 1.1810 by an approximation for the Q-profile interval 0.1302 to 1.1812); the rest R metafor
    3.8
Page: worked-examples/bcg-two-arms.md
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.multilevel.multilevel import multilevel
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
def odds() -> EffectSizes:
    return effect_sizes("OR", **TRIALS)


def test_common_effect(odds: EffectSizes) -> None:
    fit = pool(odds, model="common")
    assert (fit.estimate, fit.se) == pytest.approx((-0.436139076136, 0.042265456993), abs=1e-10)
    assert (fit.q, fit.q_df) == (pytest.approx(163.164915181, abs=1e-8), 12)


def test_random_effects_by_maximum_likelihood(odds: EffectSizes) -> None:
    fit = pool(odds, tau2="ML", inference="wald")
    assert (fit.estimate, fit.se) == pytest.approx((-0.741966830329, 0.177953370638), abs=1e-10)
    assert (fit.tau2, fit.tau2_se) == pytest.approx((0.302456572359, 0.154855470061), abs=1e-9)
    profile = fit.heterogeneity_interval("profile-likelihood").tau2
    assert (profile.low, profile.high) == pytest.approx((0.1150731896, 0.8937050131), abs=1e-8)
    q_profile = fit.heterogeneity_interval("q-profile").tau2
    # metafor's site prints 0.1302 to 1.1812: its default search stops early; these are its ends at a tolerance of 1e-14
    assert (q_profile.low, q_profile.high) == pytest.approx((0.1301491152, 1.1811857922), abs=1e-8)


def test_printed_odds_ratios(odds: EffectSizes) -> None:
    """Pages 596 and 597."""
    common, random = pool(odds, model="common", inference="wald"), pool(odds, tau2="ML", inference="wald")
    for fit, want in ((common, (0.6465, 0.5951, 0.7024)), (random, (0.4762, 0.3360, 0.6749))):
        shown = fit.displayed
        assert (shown.estimate, shown.interval.low, shown.interval.high) == pytest.approx(want, abs=5.001e-5)
    assert random.tau2 == pytest.approx(0.3025, abs=5.001e-5)
    profile = random.heterogeneity_interval("profile-likelihood").tau2
    assert (profile.low, profile.high) == pytest.approx((0.1151, 0.8937), abs=5.001e-5)


def test_latitude(odds: EffectSizes) -> None:
    fit = meta_regression(odds, "~ latitude", data={"latitude": LATITUDE}, tau2="ML", inference="wald")
    assert fit.beta == pytest.approx([0.371070498041, -0.0327224933462], abs=1e-9)
    assert fit.se == pytest.approx([0.105971211047, 0.00337153983954], abs=1e-9)
    assert fit.tau2 == pytest.approx(0.00399840100985, abs=1e-9)


def test_both_arms_at_once() -> None:
    logits, variances, arm, trial = [], [], [], []
    for i in range(len(LATITUDE)):
        for name, group in (("vaccinated", 1), ("not vaccinated", 2)):
            events, n = TRIALS[f"events_{group}"][i], TRIALS[f"n_{group}"][i]
            logits.append(math.log(events / (n - events)))
            variances.append(1 / events + 1 / (n - events))
            arm.append(name)
            trial.append(i)
    vaccinated = [float(name == "vaccinated") for name in arm]
    fit = multilevel(
        EffectSizes(effect=logits, variance=variances),
        {"vaccinated": vaccinated, "not vaccinated": [1.0 - x for x in vaccinated]},
        intercept=False,
        random="arm | trial",
        structure="UN",
        data={"arm": arm, "trial": trial},
        method="ML",
        inference="wald",
    )
    assert fit.beta == pytest.approx([-4.8337, -4.0960], abs=5.001e-5)
    assert fit.se == pytest.approx([0.3396, 0.4347], abs=5.001e-5)
    assert fit.tau2 == pytest.approx([1.4314, 2.4073], abs=5.001e-5)
    assert float(fit.rho[0]) * math.sqrt(float(np.prod(fit.tau2))) == pytest.approx(1.7573, abs=5.001e-5)
    # the difference of the two means is the log odds ratio of the pairwise model, almost
    assert fit.beta[0] - fit.beta[1] == pytest.approx(-0.7378, abs=1.001e-4)
