"""BCG vaccine against tuberculosis: is the funnel of the thirteen trials lopsided, and what would that change?

Colditz et al. 1994 (JAMA 271:698). Risk ratios: values of R's metafor; odds ratios: values of R's meta.

Analysis: BCG vaccine, tests of small-study effects (Colditz et al. 1994, JAMA 271:698)
Where: data of the thirteen trials as R's metadat keeps them (`dat.bcg`)
Compared: eleven tests, trim and fill, fail-safe N, excess significance, PET-PEESE
Figures: those of the programs: metafor and meta, as they print them
Page: worked-examples/bcg-small-study.md
"""

from __future__ import annotations

import math

import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.pool import pool
from balm.stats.small_study.excess_significance import excess_significance
from balm.stats.small_study.fail_safe_n import fail_safe_n
from balm.stats.small_study.rank_test import rank_test
from balm.stats.small_study.small_study_test import small_study_test
from balm.stats.small_study.trim_and_fill import trim_and_fill

COUNTS = {
    "events_1": [4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27],
    "n_1": [123, 306, 231, 13598, 5069, 1541, 2545, 88391, 7499, 1716, 50634, 2498, 16913],
    "events_2": [11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29],
    "n_2": [139, 303, 220, 12867, 5808, 1451, 629, 88391, 7277, 1665, 27338, 2341, 17854],
}


@pytest.fixture(scope="module")
def ratios() -> EffectSizes:
    return effect_sizes("RR", **COUNTS)


@pytest.fixture(scope="module")
def odds() -> EffectSizes:
    return effect_sizes("OR", **COUNTS)


def test_egger(ratios: EffectSizes) -> None:
    found = small_study_test(ratios)
    assert (found.statistic, found.df, found.p) == pytest.approx((-1.4013, 11, 0.1887), abs=5e-5)
    assert (found.slope, found.limit) == pytest.approx((-2.112042120893, -0.1909286423598), abs=1e-10)
    assert "does not show small-study effects" in found.summary


def test_regression_under_the_random_effects_model_of_the_fit(ratios: EffectSizes) -> None:
    found = small_study_test(pool(ratios, tau2="REML", inference="wald"), "random-effects")
    assert (found.statistic, found.p) == pytest.approx((-0.8033, 0.4218), abs=5e-5)
    assert math.isinf(found.df)


def test_begg(ratios: EffectSizes) -> None:
    found = rank_test(ratios)
    assert (found.tau, found.p) == pytest.approx((0.0256, 0.9524), abs=5e-5)
    assert small_study_test(ratios, "begg").p == found.p


@pytest.mark.parametrize(
    ("method", "p", "digits"),
    [
        ("harbord", 0.2350, 4),
        ("peters", 0.2003, 4),
        ("deeks", 0.0990, 4),
        ("macaskill", 0.000638, 6),
        ("schwarzer", 0.7143, 4),
        ("pustejovsky", 0.0150, 4),
        ("egger", 0.1600, 4),
    ],
)
def test_tests_for_odds_ratios_disagree_with_each_other(odds: EffectSizes, method: str, p: float, digits: int) -> None:
    assert small_study_test(odds, method).p == pytest.approx(p, abs=0.51 * 10.0**-digits)


def test_thompson_and_sharp(odds: EffectSizes) -> None:
    assert small_study_test(pool(odds, tau2="REML"), "thompson-sharp").p == pytest.approx(0.4551, abs=5e-5)


def test_trim_and_fill_adds_one_trial_without_protection(ratios: EffectSizes) -> None:
    found = trim_and_fill(pool(ratios, tau2="REML", inference="wald"))
    assert (found.k0, found.side) == (1, "right")
    assert (found.refit.estimate, found.refit.se) == pytest.approx((-0.6571, 0.1785), abs=5e-5)
    assert found.refit.tau2 == pytest.approx(0.3313, abs=5e-5)
    assert found.effects.study[-1].startswith("filled: opposite of")


def test_fail_safe_numbers(ratios: EffectSizes) -> None:
    half = pool(ratios, model="common").estimate / 2.0
    assert fail_safe_n(ratios).n == 598
    assert fail_safe_n(ratios, "orwin", target=half).n == 13  # half the mean takes as many null studies again
    assert fail_safe_n(ratios, "rosenberg").n == 370


def test_excess_significance(ratios: EffectSizes) -> None:
    found = excess_significance(ratios)
    assert found.observed == 8
    assert (found.expected, found.p) == pytest.approx((6.09, 0.134), abs=5e-3)
