"""Sparse data by generalised linear mixed models: infections with and without treated catheters (Stijnen et al. 2010).

Analysis: Stijnen, Hamza & Özdemir 2010 (Stat Med 29:3046): conditional models of 2x2 tables and of rates
Where: data sets `dat.nielweise2007` and `dat.nielweise2008` of R's metadat
Compared: odds ratio, rate ratio, τ² and the likelihood-ratio test under conditional models, exact and approximate
Figures: not seen; R metafor 5.1 (rma.glmm)
Page: worked-examples/catheter-infections.md
"""

from __future__ import annotations

import pytest

import balm

TRIALS = {
    "events_1": [0, 1, 2, 0, 5, 1, 1, 1, 1, 1, 0, 0, 3, 6, 0, 0, 1, 4],
    "n_1": [116, 44, 208, 130, 151, 98, 174, 74, 97, 113, 66, 70, 188, 187, 118, 252, 345, 64],
    "events_2": [3, 3, 9, 7, 6, 4, 3, 2, 19, 2, 7, 1, 5, 11, 0, 1, 3, 1],
    "n_2": [117, 35, 195, 136, 157, 139, 177, 39, 103, 122, 64, 58, 175, 180, 105, 262, 362, 69],
}
RATES = {
    "events_1": [7, 8, 3, 6, 1, 1, 17, 3, 2],
    "time_1": [1344, 1600, 12012, 1536, 370, 729, 6760, 1107, 320],
    "events_2": [11, 8, 14, 10, 1, 8, 15, 7, 3],
    "time_2": [1988, 1461, 10962, 1503, 483, 913, 6840, 1015, 440],
}


def test_exact_conditional_odds_ratio() -> None:
    fit = balm.glmm("OR", studies="conditional", **TRIALS)
    assert (fit.k, fit.q_df) == (17, 16)
    assert fit.estimate == pytest.approx(-1.353158, abs=2e-5)  # metafor's optimiser stops at about this
    assert fit.tau2 == pytest.approx(0.693459, abs=2e-5)
    assert fit.q == pytest.approx(28.60926771, abs=1e-7)
    assert fit.log_likelihood == pytest.approx(-24.944458, abs=2e-6)  # its integrals end there


def test_approximate_conditional_odds_ratio() -> None:
    fit = balm.glmm("OR", studies="conditional-approximate", points=7, **TRIALS)
    assert fit.estimate == pytest.approx(-1.302653, abs=2e-5)
    assert fit.tau2 == pytest.approx(0.600685, abs=2e-5)


def test_rate_ratio_given_the_events() -> None:
    fit = balm.glmm("IRR", studies="conditional", points=7, **RATES)
    assert fit.estimate == pytest.approx(-0.476239, abs=1e-5)
    assert fit.se == pytest.approx(0.237700, abs=1e-5)
    assert fit.tau2 == pytest.approx(0.122561, abs=1e-5)
