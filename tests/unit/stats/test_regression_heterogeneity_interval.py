"""Intervals of the residual tau² by the Q of fixed weights, against Imhof's integral and what they reduce to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.pool import pool
from balm.stats.regression.meta_regression import meta_regression

#: dat.bcg, log risk ratios and variances to four digits, with absolute latitude.
Y = [-0.8893, -1.5854, -1.3481, -1.4416, -0.2175, -0.7861, -1.6209, 0.0120, -0.4694, -1.3713, -0.3394, 0.4459, -0.0173]
V = [0.3256, 0.1946, 0.4154, 0.0200, 0.0512, 0.0069, 0.2230, 0.0040, 0.0564, 0.0730, 0.0124, 0.5325, 0.0714]
X = [44, 55, 42, 52, 13, 44, 19, 13, 27, 42, 18, 33, 33]
POWER = {"generalised-q": -0.5, "biggerstaff-jackson": -1.0}


def imhof(x: float, weights: Any) -> float:
    """P(sum weights chi2(1) <= x), Imhof (1961), Biometrika 48:419, eq. 3.2."""

    def f(u: float) -> float:
        theta = 0.5 * np.sum(np.arctan(weights * u)) - 0.5 * x * u
        return float(np.sin(theta) / (u * np.prod((1 + weights**2 * u**2) ** 0.25)))

    return 0.5 - float(quad(f, 0.0, np.inf, limit=2000, epsabs=1e-10)[0]) / np.pi


@pytest.mark.parametrize("method", POWER)
def test_each_end_has_the_tail_it_should(method: str) -> None:
    y, v, x = np.array(Y), np.array(V), np.column_stack([np.ones(13), X])
    found = meta_regression(EffectSizes(Y, V), {"ablat": X}, tau2="DL").heterogeneity_interval(method, level=0.9).tau2
    a = np.diag(v ** POWER[method])
    p = a - a @ x @ np.linalg.solve(x.T @ a @ x, x.T @ a)
    for tau2, tail in ((found.low, 0.95), (found.high, 0.05)):
        lambdas = np.linalg.eigvals(p @ np.diag(v + tau2)).real
        assert tau2 > 0.0 and imhof(float(y @ p @ y), lambdas) == pytest.approx(tail, abs=1e-8)


@pytest.mark.parametrize("method", POWER)
def test_without_moderators_it_is_the_interval_of_the_pooled_effect(method: str) -> None:
    es = EffectSizes(Y, V)
    found = meta_regression(es, "~ 1").heterogeneity_interval(method).tau2
    known = pool(es).heterogeneity_interval(method).tau2
    assert [found.low, found.high] == pytest.approx([known.low, known.high], rel=1e-9)


@pytest.mark.parametrize("method", POWER)
def test_with_equal_variances_it_is_the_q_profile(method: str) -> None:
    fit = meta_regression(EffectSizes(Y, [0.05] * 13), {"ablat": X})
    found, known = (fit.heterogeneity_interval(m).tau2 for m in (method, "q-profile"))
    assert [found.low, found.high] == pytest.approx([known.low, known.high], rel=1e-9)
