"""Stratified tables of a textbook: tolbutamide, smoking and coronary deaths, spermicides and Down syndrome.

Analysis: Rothman, Greenland & Lash 2008, Modern Epidemiology, 3rd ed., chapter 15
Where: tables 15-1 (deaths under tolbutamide by age), 15-2 (coronary deaths of smokers by age) and 15-5 (spermicides and
    Down syndrome by age); the text of the chapter; intervals of 90 %
Compared: effects of the strata and of the whole; Mantel-Haenszel risk difference, risk ratio, odds ratio, rate
    difference and rate ratio with intervals, tests of homogeneity and of association; conditional and unconditional
    maximum likelihood
Figures: as the test of metafor-project.org/doku.php/analyses:rothman2008 checks them, to four decimals
Page: worked-examples/stratified-tables.md
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import nchypergeom_fisher

from balm.stats.effect_sizes import effect_sizes
from balm.stats.glmm.glmm import glmm
from balm.stats.pooling.mantel_haenszel import mantel_haenszel

TOLBUTAMIDE = {"events_1": [8, 22], "n_1": [106, 98], "events_2": [5, 16], "n_2": [120, 85]}
SMOKING = {
    "events_1": [32, 104, 206, 186, 102],
    "time_1": [5.2407, 4.3248, 2.8612, 1.2663, 0.5317],
    "events_2": [2, 12, 28, 28, 31],
    "time_2": [1.8790, 1.0673, 0.5710, 0.2585, 0.1462],
}
SPERMICIDES = {"events_1": [3, 1], "n_1": [12, 4], "events_2": [104, 5], "n_2": [1163, 91]}


def whole(table: dict[str, list[int]] | dict[str, list[float]]) -> dict[str, list[float]]:
    return {name: [float(sum(values))] for name, values in table.items()}


def test_strata_of_table_15_1() -> None:
    crude = effect_sizes("RD", **whole(TOLBUTAMIDE))
    assert (crude.effect[0], crude.se[0]) == pytest.approx((0.0446, 0.0326), abs=1e-4)
    strata = effect_sizes("RR", **TOLBUTAMIDE)
    assert np.exp(strata.effect) == pytest.approx([1.8113, 1.1926], abs=1e-4)
    low, high = (np.exp(strata.effect + sign * 1.959963984540054 * strata.se) for sign in (-1, 1))
    assert low == pytest.approx([0.6112, 0.6713], abs=1e-4)
    assert high == pytest.approx([5.3679, 2.1188], abs=1e-4)
    assert math.exp(effect_sizes("RR", **whole(TOLBUTAMIDE)).effect[0]) == pytest.approx(1.4356, abs=1e-4)


@pytest.mark.parametrize(
    ("measure", "estimate", "low", "high", "q", "q_p"),
    [
        ("RD", 0.0349, -0.0176, 0.0874, 0.0017, 0.9669),
        ("RR", 0.2818, -0.1442, 0.7078, 0.4472, 0.5037),
        ("OR", 0.3387, -0.1731, 0.8505, 0.3474, 0.5556),
    ],
)
def test_table_15_1(measure: str, estimate: float, low: float, high: float, q: float, q_p: float) -> None:
    fit = mantel_haenszel(measure, level=0.9, **TOLBUTAMIDE)
    assert (fit.estimate, fit.interval.low, fit.interval.high) == pytest.approx((estimate, low, high), abs=1e-4)
    assert (fit.q, fit.q_p) == pytest.approx((q, q_p), abs=1e-4)


def test_ratios_and_tests_of_table_15_1() -> None:
    ratio = mantel_haenszel("RR", level=0.9, **TOLBUTAMIDE).displayed
    assert (ratio.estimate, ratio.interval.low, ratio.interval.high) == pytest.approx(
        (1.3256, 0.8658, 2.0296), abs=1e-4
    )
    fit = mantel_haenszel("OR", level=0.9, correct=False, **TOLBUTAMIDE)
    odds = fit.displayed
    assert (odds.estimate, odds.interval.low, odds.interval.high) == pytest.approx((1.4031, 0.8411, 2.3409), abs=1e-4)
    association = fit.tests["cochran-mantel-haenszel"]
    assert (association.statistic, association.p) == pytest.approx((1.1914, 0.2750), abs=1e-4)
    alike = fit.tests["tarone"]
    assert (alike.statistic, alike.p) == pytest.approx((0.3489, 0.5547), abs=1e-4)


def test_conditional_likelihood_of_table_15_1() -> None:
    fit = glmm("OR", studies="conditional", model="common", **TOLBUTAMIDE)
    assert fit.estimate == pytest.approx(0.3381, abs=1e-4)
    # the information by algebra: the variances of the two noncentral hypergeometric counts; the interval printed there,
    # -0.2699 to 0.9461, stems from a numerical derivative
    odds = math.exp(fit.estimate)
    information = sum(
        float(nchypergeom_fisher.var(n_1 + n_2, n_1, events_1 + events_2, odds))
        for events_1, n_1, events_2, n_2 in zip(*TOLBUTAMIDE.values(), strict=True)
    )
    assert fit.se == pytest.approx(1.0 / math.sqrt(information), rel=1e-9)
    assert (fit.interval.low, fit.interval.high) == pytest.approx((-0.2699, 0.9461), abs=1e-3)
    likelihood_ratio = fit.tests["heterogeneity-likelihood-ratio"]
    assert (likelihood_ratio.statistic, likelihood_ratio.p) == pytest.approx((0.3502, 0.5540), abs=1e-4)


def test_strata_of_table_15_2() -> None:
    rates = effect_sizes("IRD", **SMOKING)
    assert rates.effect == pytest.approx([5.0417, 12.804, 22.961, 38.5674, -20.2008], abs=1e-4)
    assert rates.se == pytest.approx([1.3159, 4.0118, 10.5377, 23.1304, 42.5574], abs=1e-4)
    assert np.exp(effect_sizes("IRR", **SMOKING).effect) == pytest.approx(
        [5.7366, 2.1388, 1.4682, 1.3561, 0.9047], abs=1e-4
    )
    crude = effect_sizes("IRD", **whole(SMOKING))
    assert (crude.effect[0], crude.se[0]) == pytest.approx((18.537, 3.1112), abs=1e-4)
    assert math.exp(effect_sizes("IRR", **whole(SMOKING)).effect[0]) == pytest.approx(1.7198, abs=1e-4)


@pytest.mark.parametrize(
    ("measure", "estimate", "low", "high", "q"),
    [("IRD", 11.4392, 6.3498, 16.5286, 26.8758), ("IRR", 0.3539, 0.1776, 0.5303, 10.4117)],
)
def test_table_15_2(measure: str, estimate: float, low: float, high: float, q: float) -> None:
    fit = mantel_haenszel(measure, level=0.9, **SMOKING)
    found = (fit.estimate, fit.interval.low, fit.interval.high, fit.q)
    assert found == pytest.approx((estimate, low, high, q), abs=1e-4)


@pytest.mark.parametrize(("correct", "statistic", "p"), [(True, 10.7021, 0.0011), (False, 11.0162, 0.0009)])
def test_association_in_table_15_2(correct: bool, statistic: float, p: float) -> None:
    found = mantel_haenszel("IRR", correct=correct, **SMOKING).tests["cochran-mantel-haenszel"]
    assert (found.statistic, found.p) == pytest.approx((statistic, p), abs=1e-4)


@pytest.mark.parametrize("studies", ["fixed", "conditional"])
def test_likelihood_of_table_15_2(studies: str) -> None:
    fit = glmm("IRR", studies=studies, model="common", level=0.9, **SMOKING)
    assert (fit.estimate, fit.interval.low, fit.interval.high) == pytest.approx((0.3545, 0.1779, 0.5312), abs=1e-4)
    wald, ratio = fit.tests["heterogeneity-wald"], fit.tests["heterogeneity-likelihood-ratio"]
    assert (wald.statistic, wald.p) == pytest.approx((10.1991, 0.0372), abs=1e-4)
    assert (ratio.statistic, ratio.p) == pytest.approx((12.1324, 0.0164), abs=1e-4)


def test_table_15_5() -> None:
    fit = mantel_haenszel("OR", level=0.9, correct=False, **SPERMICIDES)
    odds = fit.displayed
    assert (odds.estimate, odds.interval.low, odds.interval.high) == pytest.approx((3.7812, 1.4304, 9.9954), abs=1e-4)
    assert (fit.q, fit.q_p) == pytest.approx((0.1378, 0.7105), abs=1e-4)
    association, alike = fit.tests["cochran-mantel-haenszel"], fit.tests["tarone"]
    assert (association.statistic, association.p) == pytest.approx((5.8092, 0.0159), abs=1e-4)
    assert (alike.statistic, alike.p) == pytest.approx((0.1391, 0.7092), abs=1e-4)


def test_likelihood_of_table_15_5() -> None:
    fit = glmm("OR", studies="fixed", model="common", level=0.9, **SPERMICIDES)
    odds = fit.displayed
    assert (odds.estimate, odds.interval.low, odds.interval.high) == pytest.approx((3.7878, 1.4308, 10.0276), abs=1e-4)
    exact = glmm("OR", studies="conditional", model="common", level=0.9, **SPERMICIDES)
    assert exact.estimate == pytest.approx(1.3257, abs=1e-4)
