"""Effects that are all zero, or variances ten orders of magnitude apart: a stated result or one clear error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import balm
from balm.vocabulary.problems import InputError

X = {"x": np.array([0.3, -1.2, 0.8, 0.1, 1.9, -0.4, 0.6, -0.9])}
V = np.array([0.1, 0.03, 0.2, 0.05, 0.12, 0.3, 0.02, 0.07])
NONE = balm.EffectSizes(effect=np.zeros(8), variance=V)
#: One standard error in another unit: its variance is 1e-12 beside tenths.
EFFECT = np.array([0.35, 0.82, 0.33, -1.3, 0.9, 0.45, -0.54, 0.58])
APART = balm.EffectSizes(effect=EFFECT, variance=np.where(np.arange(8) == 3, 1e-12, V))
FAR = balm.EffectSizes(effect=np.where(np.arange(8) == 0, 1e9, EFFECT), variance=V)


def test_effects_of_zero_leave_a_regression_that_says_what_it_can() -> None:
    fit = balm.meta_regression(NONE, X)
    assert fit.tau2 == 0.0 and not fit.beta.any() and (fit.se > 0.0).all()
    interval = fit.heterogeneity_interval("q-profile").tau2
    assert (interval.low, interval.high) == (0.0, 0.0)
    assert not balm.influence(fit).cooks_distance.any()
    assert not np.nan_to_num(balm.residuals(fit, kind="studentised").z).any()
    for tau2 in ("PM", "EB", "PMM", "ML"):
        assert balm.meta_regression(NONE, X, tau2=tau2).tau2 == 0.0
    with pytest.raises(InputError, match="explain the effects exactly"):
        balm.meta_regression(NONE, X, tau2="DL", inference="hartung-knapp")


@pytest.mark.parametrize("tau2", ["REML", "ML", "DL", "PM"])
def test_variances_that_leave_no_digits_are_a_result_or_one_clear_error(tau2: str) -> None:
    moderators: dict[str, Any] = X | {"z": X["x"] ** 2, "w": np.sin(9.0 * X["x"])}
    try:
        fit = balm.meta_regression(APART, moderators, tau2=tau2)
    except InputError as problem:
        assert "differ too much in size (1e-12 to" in str(problem)
    else:
        assert np.isfinite([*fit.beta, *fit.se, fit.tau2]).all()


def test_a_limit_that_nothing_is_known_of_is_refused() -> None:
    try:
        found = balm.limit_meta_analysis(balm.pool(FAR))
    except InputError as problem:
        assert "its end is not known" in str(problem)
    else:
        assert np.isfinite(found.se)
