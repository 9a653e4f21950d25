"""Sparse data by generalised linear mixed models: infections with and without treated catheters (Stijnen et al. 2010).

Analysis: Stijnen, Hamza & Özdemir 2010 (Stat Med 29:3046): conditional models of 2x2 tables and of rates
Where: data sets `dat.nielweise2007` and `dat.nielweise2008` of R's metadat
Compared: risks and rates of the arms and odds ratios under normal models and generalised linear mixed models; odds
    ratio, rate ratio, τ² and the likelihood-ratio test under conditional models, exact and approximate
Figures: of tables II, III and VII (pp. 3050, 3052, 3054), as the test of
    metafor-project.org/doku.php/analyses:stijnen2010 checks them to four decimals; further digits from R metafor 5.1
    (rma.glmm)
Page: worked-examples/catheter-infections.md
"""

from __future__ import annotations

import math

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


def arm(measure: str, group: int) -> dict[str, list[int]]:
    """One arm: of the catheters' tables, or of their person-time in days."""
    if measure == "PLO":
        return {"events": TRIALS[f"events_{group}"], "n": TRIALS[f"n_{group}"]}
    return {"events": RATES[f"events_{group}"], "time": RATES[f"time_{group}"]}


@pytest.mark.parametrize(
    ("measure", "group", "estimate", "se", "tau2", "shown"),
    [
        ("PLO", 2, -3.3018, 0.2378, 0.6629, (0.0355, 0.0226, 0.0554)),  # table II
        ("PLO", 1, -4.2604, 0.2589, 0.3928, (0.0139, 0.0084, 0.0229)),
        ("IRLN", 2, 1.4676, 0.2425, 0.3699, (4.3389, 2.6973, 6.9795)),  # table VII: events in 1,000 days
        ("IRLN", 1, 0.9808, 0.3259, 0.6393, (2.6667, 1.4078, 5.0513)),
    ],
)
def test_arms_by_the_normal_model(
    measure: str, group: int, estimate: float, se: float, tau2: float, shown: tuple[float, float, float]
) -> None:
    fit = balm.pool(balm.effect_sizes(measure, **arm(measure, group)), inference="wald")
    unit = 1000.0 if measure == "IRLN" else 1.0
    assert fit.estimate + (math.log(unit)) == pytest.approx(estimate, abs=5.001e-5)
    assert (fit.se, fit.tau2) == pytest.approx((se, tau2), abs=5.001e-5)
    read = fit.displayed
    got = [unit * x for x in (read.estimate, read.interval.low, read.interval.high)]
    assert got == pytest.approx(shown, abs=1e-4)


def test_an_arm_by_the_binomial_normal_model() -> None:
    """Table II; metafor's quadrature and optimiser keep about four digits."""
    fit = balm.glmm("PLO", points=7, **arm("PLO", 1))
    assert (fit.estimate, fit.se, fit.tau2) == pytest.approx((-4.8121, 0.3555, 0.8265), abs=1e-4)


def test_table_iii_by_the_normal_model() -> None:
    es = balm.effect_sizes("OR", drop_double_zero=True, **TRIALS)
    fit = balm.pool(es[es.estimable], inference="wald")
    # the paper prints 0.244 for the standard error and 0.62 for the upper end
    assert (fit.estimate, fit.se, fit.tau) == pytest.approx((-0.9804, 0.2435, 0.1886), abs=5.001e-5)
    read = fit.displayed
    assert (read.estimate, read.interval.low, read.interval.high) == pytest.approx((0.3752, 0.2328, 0.6046), abs=1e-4)


@pytest.mark.parametrize(
    ("studies", "estimate", "se", "tau", "shown"),
    [
        ("conditional", -1.3532, 0.3511, 0.8327, (0.2584, 0.1299, 0.5142)),
        ("conditional-approximate", -1.3027, 0.3386, 0.7750, (0.2718, 0.1400, 0.5279)),
    ],
)
def test_table_iii_by_conditional_models(
    studies: str, estimate: float, se: float, tau: float, shown: tuple[float, float, float]
) -> None:
    fit = balm.glmm("OR", studies=studies, points=7, inference="wald", **TRIALS)
    assert (fit.estimate, fit.se, math.sqrt(fit.tau2)) == pytest.approx((estimate, se, tau), abs=1e-4)
    got = [math.exp(x) for x in (fit.estimate, fit.interval.low, fit.interval.high)]
    assert got == pytest.approx(shown, abs=1e-4)
