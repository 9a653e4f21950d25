"""Is a variance inflation more than what chance gives moderators that have nothing to do with each other?"""

from __future__ import annotations

import numpy as np
import pytest

import balm
from balm.vocabulary.problems import InputError

DRAW = np.random.default_rng(8)
ES = balm.EffectSizes(effect=DRAW.normal(size=16), variance=DRAW.uniform(0.05, 0.3, 16))
A, B = DRAW.normal(size=16), DRAW.normal(size=16)


def test_a_copy_with_noise_is_found_out_and_an_unrelated_column_is_not() -> None:
    fit = balm.meta_regression(ES, {"a": A, "copy": A + 0.1 * DRAW.normal(size=16), "b": B}, tau2=0.1)
    shares = fit.vif_by_chance(400, seed=1)
    assert shares["a"] == shares["copy"] == 1.0 and fit.vif()["a"] > 20
    assert shares == fit.vif_by_chance(400, seed=1)


def test_the_share_is_counted_one_rearrangement_at_a_time() -> None:
    fit = balm.meta_regression(ES, {"a": A, "b": B}, tau2=0.1)
    generator = np.random.default_rng(5)
    root = np.sqrt(ES.variance + 0.1)
    smaller = 0
    for _ in range(200):
        x = np.column_stack([A[generator.permutation(16)], B[generator.permutation(16)]])
        one = np.linalg.lstsq((1 / root)[:, None], x / root[:, None], rcond=None)[0]
        u, w = ((x - one) / root[:, None]).T
        smaller += fit.vif()["a"] > 1 / (1 - (u @ w) ** 2 / (u @ u * (w @ w)))
    assert fit.vif_by_chance(200, seed=5)["a"] == smaller / 200 and 0 < smaller < 200


def test_the_columns_of_a_factor_stay_together() -> None:
    data = {"g": ["p", "q", "r", "s"] * 4, "x": A}
    fit = balm.meta_regression(ES, "~ g + x", data=data, tau2=0.1)
    assert set(fit.vif_by_chance(50, seed=1)) == set(fit.vif())
    with pytest.raises(InputError, match="permutations must be a whole number"):
        fit.vif_by_chance(0)
