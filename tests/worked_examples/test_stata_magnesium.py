"""Stata's ``meta`` on sixteen trials of magnesium and ten of exercise, as a public course prints its output.

Stata pools Mantel-Haenszel ratios from the corrected cells: the trial with an empty cell has a weight of 0.07 %, not
the 0.04 % of the counts as they are. That is the only difference between the two ways on these data that its printed
digits show, beside the weight of the largest trial (89.76 % for 89.78 %) and the p value (0.8414 for 0.8412).

Analysis: StataCorp, `meta` of Stata 16 or 17: intravenous magnesium after myocardial infarction, and exercise against
    depression (Lawlor & Hopker 2001, BMJ 322:763)
Where: data and output on the pages c_binary and d_generic of github.com/olaTechie/metaprac (commit 2d7c0cb)
Compared: Mantel-Haenszel summary with weights and heterogeneity; random effects by REML; regressions with residual
    heterogeneity and R²; Egger's test by random effects; trim and fill
Figures: seen on those pages, to the digits that Stata prints
Page: worked-examples/magnesium-stata.md
"""

from __future__ import annotations

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.mantel_haenszel import mantel_haenszel
from balm.stats.pooling.pool import pool
from balm.stats.small_study.trim_and_fill import trim_and_fill

TRIALS = {
    "events_1": [1, 9, 2, 1, 10, 1, 1, 0, 6, 1, 2, 5, 4, 90, 4, 2216],
    "n_1": [40, 135, 200, 48, 150, 59, 25, 22, 76, 27, 89, 23, 130, 1159, 107, 29011],
    "events_2": [2, 23, 7, 1, 8, 9, 3, 1, 11, 7, 12, 13, 8, 118, 17, 2103],
    "n_2": [36, 135, 200, 46, 148, 56, 23, 21, 75, 27, 80, 33, 122, 1157, 108, 29039],
}
EFFECTS = [-0.799, -0.938, -1.253, -0.043, 0.210, -2.249, -1.182, -1.143]
EFFECTS += [-0.619, -1.946, -1.898, -0.594, -0.757, -0.273, -1.438, 0.053]
LOW = [-3.156, -1.671, -2.812, -2.785, -0.692, -4.283, -3.373, -4.290]
LOW += [-1.562, -3.972, -3.365, -1.478, -1.931, -0.535, -2.493, -0.004]
WEIGHTS = [0.09, 0.98, 0.30, 0.04, 0.34, 0.39, 0.13, 0.07, 0.47, 0.30, 0.54, 0.46, 0.35, 5.04, 0.72, 89.76]
EXERCISE = EffectSizes(
    effect=[-2.53, -1.07, -2.1, -1.2, -0.82, -0.84, -1.16, -0.45, 0.25, -0.53],
    variance=[se**2 for se in (0.4, 0.41, 0.4, 0.43, 0.57, 0.46, 0.28, 0.34, 0.51, 0.24)],
)


def test_effects_and_their_intervals() -> None:
    es = effect_sizes("RR", profile="stata", **TRIALS)
    assert es.effect == pytest.approx(EFFECTS, abs=5.001e-4)
    assert es.effect - 1.959963984540054 * es.se == pytest.approx(LOW, abs=5.001e-4)


def test_mantel_haenszel_of_the_corrected_cells() -> None:
    fit = mantel_haenszel("RR", profile="stata", **TRIALS)
    assert fit.weights == pytest.approx(WEIGHTS, abs=5.001e-3)
    assert (fit.p, fit.q) == (pytest.approx(0.8414, abs=5.001e-5), pytest.approx(45.17, abs=5.001e-3))
    as_counted = mantel_haenszel("RR", profile="stata", zero_cells="none", **TRIALS)
    assert abs(as_counted.p - 0.8414) > 2e-4
    assert np.abs(as_counted.weights - WEIGHTS).max() > 0.02


def test_stata_takes_the_side_of_the_common_effect_regression() -> None:
    mean = pool(EXERCISE, profile="stata")
    assert trim_and_fill(mean, side="right").k0 == 0
    chosen = trim_and_fill(mean)
    assert (chosen.side, chosen.k0) == ("left", 2)
