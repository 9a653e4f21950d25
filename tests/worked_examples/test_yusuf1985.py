"""Beta blockers in the long term after myocardial infarction: Peto's method where it comes from, Yusuf et al. (1985).

Analysis: Yusuf, Peto, Lewis, Collins & Sleight 1985 (Prog Cardiovasc Dis 27:335), beta blockade after myocardial
    infarction
Where: the 21 small trials of table 6 with counts in both arms, as R's metadat keeps them (`dat.yusuf1985`)
Compared: the odds ratio by Peto's method with interval and Q; the same as a common effect of the trials' own ratios
Figures: of p. 107 (0.93, 0.74 to 1.18), as the test of metafor-project.org/doku.php/analyses:yusuf1985 checks them to
    four decimals; further digits from R metafor 3.8
Page: worked-examples/beta-blockers.md
"""

from __future__ import annotations

import math

import pytest

from balm.stats.effect_sizes import effect_sizes
from balm.stats.pooling.peto import peto
from balm.stats.pooling.pool import pool

TRIALS = {
    "events_1": [14, 18, 15, 10, 21, 3, 2, 19, 15, 5, 0, 8, 3, 0, 1, 0, 14, 0, 8, 6, 3],
    "n_1": [56, 66, 100, 52, 226, 38, 20, 76, 106, 62, 9, 133, 48, 16, 42, 25, 221, 11, 259, 157, 177],
    "events_2": [15, 19, 12, 12, 24, 6, 3, 15, 9, 4, 0, 11, 3, 0, 1, 3, 15, 0, 7, 4, 2],
    "n_2": [58, 64, 95, 47, 228, 31, 20, 67, 114, 57, 8, 127, 49, 13, 46, 25, 228, 11, 129, 158, 136],
}
PRINTED = (0.9332, 0.7385, 1.1792)


def test_peto() -> None:
    fit = peto(**TRIALS)
    shown = fit.displayed
    assert (shown.estimate, shown.interval.low, shown.interval.high) == pytest.approx(PRINTED, abs=5.001e-5)
    assert (fit.estimate, fit.se) == pytest.approx((-0.0691676, 0.1193808), abs=5e-8)
    assert (fit.q, fit.k) == (pytest.approx(10.827485, abs=5e-7), 18)


def test_the_trials_own_ratios_pooled_by_inverse_variance_are_the_same() -> None:
    es = effect_sizes("PETO", add=0, to="none", **TRIALS)
    fit = pool(es[es.estimable], model="common", inference="wald")
    got = [math.exp(x) for x in (fit.estimate, fit.interval.low, fit.interval.high)]
    assert got == pytest.approx(PRINTED, abs=5.001e-5)
    assert fit.estimate == pytest.approx(peto(**TRIALS).estimate, rel=1e-12)
