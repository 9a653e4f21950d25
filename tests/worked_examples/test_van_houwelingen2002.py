"""BCG vaccine as odds ratios, by likelihood: van Houwelingen, Arends & Stijnen (2002), Stat Med 21:589.

Data of table I (p. 594; Colditz et al. 1994). The common and the random effect and the profile interval of tau2 are
those of section 3, the bivariate model of the two arms that of section 4, the regression on latitude that of section 5;
the paper fits them by maximum likelihood in SAS, and metafor's site works them again with further digits.
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


def test_section_3_common_effect(odds: EffectSizes) -> None:
    fit = pool(odds, model="common")
    assert (fit.estimate, fit.se) == pytest.approx((-0.436, 0.042), abs=5e-4)
    assert (fit.q, fit.q_df) == (pytest.approx(163.165, abs=5e-4), 12)


def test_section_3_random_effects_by_maximum_likelihood(odds: EffectSizes) -> None:
    fit = pool(odds, tau2="ML", inference="wald")
    assert (fit.estimate, fit.se, fit.tau2) == pytest.approx((-0.742, 0.178, 0.302), abs=5e-4)
    profile = fit.heterogeneity_interval("profile-likelihood").tau2
    assert (profile.low, profile.high) == pytest.approx((0.12, 0.89), abs=5.1e-3)


def test_section_5_latitude(odds: EffectSizes) -> None:
    fit = meta_regression(odds, "~ latitude", data={"latitude": LATITUDE}, tau2="ML", inference="wald")
    assert fit.beta == pytest.approx([0.371, -0.033], abs=5e-4)
    assert fit.tau2 == pytest.approx(0.004, abs=5e-4)


def test_section_4_both_arms_at_once() -> None:
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
    assert fit.beta == pytest.approx([-4.834, -4.096], abs=5e-4)
    assert fit.se == pytest.approx([0.340, 0.435], abs=5e-4)
    assert fit.tau2 == pytest.approx([1.431, 2.407], abs=5e-4)
    assert float(fit.rho[0]) * math.sqrt(float(np.prod(fit.tau2))) == pytest.approx(1.757, abs=5e-4)
    # the difference of the two means is the log odds ratio of the pairwise model, almost
    assert fit.beta[0] - fit.beta[1] == pytest.approx(-0.738, abs=5e-4)
