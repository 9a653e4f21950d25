"""Two examples of selection models: a beta density (practice facilitation), one-parameter functions (rehydration).

The standard error of the power function's exponent is printed as 1.39; plain quadrature of the likelihood and second
differences give 1.3537, which is ours: metafor's integrals are good to four digits, and differences of them to two.

Analysis: Citkowicz & Vevea 2017 (Psychol Methods 22:28), beta selection model; Preston, Ashby & Smyth 2004 (J Eval Clin
    Pract 10:313), half-normal, negative-exponential and logistic selection functions, with metafor's power function
Where: 23 trials of practice facilitation (Baskerville et al. 2012, `dat.baskerville2012`), 12 trials of reduced
    osmolarity rehydration solution (Hahn et al. 2001, `dat.hahn2001`), as the documentation of metafor lists them
Compared: mean, τ², exponents with their errors and the test of selection; odds ratios under four functions
Figures: of both examples as the documentation of metafor 5.1 prints them (wviechtb.github.io/metafor/reference/
    selmodel.html); the papers were not seen
Page: worked-examples/selection-models.md
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ndtr

from balm.stats.effect_sizes import effect_sizes
from balm.stats.pooling.pool import pool
from balm.stats.selection.selection_model import selection_model

REHYDRATION = effect_sizes(
    "OR",
    events_1=[4, 0, 34, 7, 6, 1, 0, 11, 2, 0, 0, 33],
    n_1=[19, 18, 341, 71, 45, 94, 22, 88, 82, 33, 15, 221],
    events_2=[5, 0, 50, 16, 5, 8, 0, 12, 7, 0, 1, 43],
    n_2=[19, 18, 334, 69, 44, 96, 22, 82, 84, 30, 20, 218],
)


def log_likelihood(mean: float, delta: float, y: np.ndarray, se: np.ndarray) -> float:
    """Of the power function by the trapezium rule on a fine grid: slow and plain."""
    z = np.linspace(-9.0, 9.0, 3601)
    density = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi) * (z[1] - z[0])
    total = 0.0
    for yi, s in zip(y, se, strict=True):
        chance = float(ndtr(-(mean + s * z) / s) ** delta @ density)
        total += delta * math.log(ndtr(-yi / s)) - 0.5 * ((yi - mean) / s) ** 2 - math.log(chance)
    return total


def test_the_error_of_the_power_function_is_that_of_plain_quadrature() -> None:
    common = pool(REHYDRATION, model="common", inference="wald")
    fit = selection_model(common, "power", alternative="less")
    assert fit.delta[0] == pytest.approx(1.46, abs=5.001e-3)
    y, se = common.effects.effect, common.effects.se
    at, h = np.array([float(fit.estimate), float(fit.delta[0])]), 1e-2
    steps = np.eye(2) * h

    def second(i: int, j: int) -> float:
        signs = ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))
        return sum(s * log_likelihood(*(at + a * steps[i] + b * steps[j]), y, se) for a, b, s in signs) / (4 * h * h)

    information = -np.array([[second(i, j) for j in range(2)] for i in range(2)])
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    assert errors == pytest.approx([fit.se[0], fit.delta_se[0]], rel=1e-4)
    assert abs(fit.delta_se[0] - 1.39) > 0.03
