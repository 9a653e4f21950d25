"""Hartung-Knapp for weights of one's own: R's metafor 3.8, ``rma(weights=, test="knha")`` and ``"adhoc"``."""

from __future__ import annotations

import math

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.permutation.permutation_test import permutation_test
from balm.stats.pooling.leave_one_out import leave_one_out
from balm.stats.pooling.pool import pool

ES = EffectSizes(effect=[0.1, 0.3, 0.35, 0.65, -0.2], variance=[0.03, 0.03, 0.05, 0.01, 0.04])
WEIGHTS = [1.0, 2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize(
    ("tau2", "inference", "se", "low", "high", "found"),
    [
        ("GENQ", "wald", 0.191447871708, -0.151897600132, 0.598564266799, 0.117941176471),
        ("GENQ", "hartung-knapp", 0.159030754487, -0.218206826539, 0.664873493205, 0.117941176471),
        ("GENQ", "hartung-knapp-guarded", 0.191447871708, -0.308211172972, 0.754877839639, 0.117941176471),
        ("REML", "hartung-knapp", 0.160473064723, -0.222211321734, 0.668877988401, 0.080108634854),
        ("REML", "hartung-knapp-guarded", 0.165542541252, -0.236286445029, 0.682953111696, 0.080108634854),
        ("DL", "hartung-knapp", 0.159679841113, -0.220008979923, 0.66667564659, 0.0975616197183),
        ("DL", "hartung-knapp-guarded", 0.177962406573, -0.270769519306, 0.717436185973, 0.0975616197183),
    ],
)
def test_against_metafor(tau2: str, inference: str, se: float, low: float, high: float, found: float) -> None:
    fit = pool(ES, tau2=tau2, inference=inference, weights=WEIGHTS)
    assert (fit.estimate, fit.se, fit.tau2) == pytest.approx((0.223333333333, se, found), abs=1e-10)
    assert (fit.interval.low, fit.interval.high) == pytest.approx((low, high), abs=1e-9)


def test_efficient_weights_given_by_hand_change_nothing() -> None:
    fit = pool(ES, tau2="REML", inference="hartung-knapp")
    again = pool(ES, tau2="REML", inference="hartung-knapp", weights=1.0 / (ES.variance + fit.tau2))
    assert (again.estimate, again.se) == pytest.approx((fit.estimate, fit.se), rel=1e-12)


def test_the_prediction_interval_takes_the_standard_error_in_force() -> None:
    fit = pool(ES, tau2="GENQ", inference="hartung-knapp", weights=WEIGHTS)
    spread = (fit.prediction_interval.high - fit.prediction_interval.low) / 2
    plain = pool(ES, tau2="GENQ", inference="wald", weights=WEIGHTS)
    other = (plain.prediction_interval.high - plain.prediction_interval.low) / 2
    assert (spread / other) ** 2 == pytest.approx((fit.tau2 + fit.se**2) / (fit.tau2 + plain.se**2), rel=1e-12)


def test_leaving_a_study_out_is_pooling_the_others() -> None:
    fit = pool(ES, tau2="GENQ", inference="hartung-knapp", weights=WEIGHTS)
    for i, left in enumerate(leave_one_out(fit).fits):
        rows = [j for j in range(5) if j != i]
        alone = pool(ES[rows], tau2="GENQ", inference="hartung-knapp", weights=np.array(WEIGHTS)[rows])
        assert (left.se, left.interval.low) == pytest.approx((alone.se, alone.interval.low), rel=1e-12)


def test_sign_flips_use_the_same_statistic() -> None:
    fit = pool(ES, tau2="DL", inference="hartung-knapp", weights=WEIGHTS)
    found = permutation_test(fit)
    signs = [[1 if (number >> j) & 1 else -1 for j in range(5)] for number in range(32)]
    statistics = [
        pool(
            EffectSizes(effect=np.array(flip) * ES.effect, variance=ES.variance),
            tau2="DL",
            inference="hartung-knapp",
            weights=WEIGHTS,
        ).statistic
        for flip in signs
    ]
    as_extreme = sum(abs(s) >= abs(fit.statistic) - 1e-9 for s in statistics) / 32
    assert math.isclose(found.tests[0].p, as_extreme, rel_tol=1e-12)


def test_the_default_stays_wald_and_says_so() -> None:
    fit = pool(ES, weights=WEIGHTS)
    assert fit.conventions["inference"] == "wald"
    assert any("only where it is asked for" in said for said in fit.advice)
