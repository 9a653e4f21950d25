"""Generalised linear mixed models, the beta-binomial model and penalised likelihood against slow twins; bad input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import balm
from balm.stats.glmm.beta_binomial import beta_binomial
from balm.stats.glmm.firth import firth
from balm.stats.glmm.likelihoods import Hypergeometric
from tests import naive_glmm as naive

#: Six made trials: rare events, a zero cell, a trial without events.
TRIALS: dict[str, Any] = {
    "study": ["a", "b", "c", "d", "e", "f", "g"],
    "events_1": [4, 6, 3, 62, 33, 0, 0],
    "n_1": [123, 306, 231, 13598, 5069, 20, 90],
    "events_2": [11, 29, 11, 248, 47, 0, 3],
    "n_2": [139, 303, 220, 12867, 5808, 22, 88],
}
SHARES: dict[str, Any] = {"events": [11, 24, 179, 82, 60, 9], "n": [29, 33, 326, 240, 110, 17]}
RATES: dict[str, Any] = {
    "events_1": [9, 11, 4, 1, 3],
    "time_1": [413.0, 263.5, 487.1, 237.2, 471.0],
    "events_2": [19, 19, 13, 9, 23],
    "time_2": [398.0, 245.1, 435.4, 241.0, 483.2],
}


def without_f() -> list[tuple[float, ...]]:
    rows = zip(*(TRIALS[c] for c in ("events_1", "n_1", "events_2", "n_2")), strict=True)
    return [row for row in rows if row[0] + row[2] > 0]


def test_conditional_is_the_integral_of_the_exact_likelihood() -> None:
    fit = balm.glmm("OR", studies="conditional", **TRIALS)
    studies = [lambda eta, r=(a, n, a + c, m): naive.hypergeometric(*r, eta) for a, n, c, m in without_f()]
    tau = math.sqrt(fit.tau2)
    assert fit.log_likelihood == pytest.approx(naive.marginal(studies, fit.estimate, tau), abs=1e-8)
    hessian = naive.second_derivatives(lambda p: naive.marginal(studies, p[0], p[1]), [fit.estimate, tau])
    covariance = np.linalg.inv(-hessian)
    assert fit.se == pytest.approx(math.sqrt(covariance[0, 0]), rel=1e-6)
    assert fit.tau2_se == pytest.approx(2.0 * tau * math.sqrt(covariance[1, 1]), rel=1e-6)
    for d in (1e-3, -1e-3):
        assert naive.marginal(studies, fit.estimate + d, tau) < fit.log_likelihood
        assert naive.marginal(studies, fit.estimate, tau + d) < fit.log_likelihood
    assert fit.residual < 1e-8
    assert fit.integration_error < 1e-8


@pytest.mark.parametrize("measure", ["PLO", "IRLN"])
def test_one_group(measure: str) -> None:
    given = SHARES if measure == "PLO" else {"events": SHARES["events"], "time": [4.5 * n for n in SHARES["n"]]}
    fit = balm.glmm(measure, **given)
    pairs = list(zip(given["events"], given["n"] if measure == "PLO" else given["time"], strict=True))
    studies = [
        (lambda eta, x=x, n=n: naive.binomial(x, n, eta))
        if measure == "PLO"
        else (lambda eta, x=x, n=n: naive.poisson(x, eta + math.log(n)))
        for x, n in pairs
    ]
    assert fit.log_likelihood == pytest.approx(naive.marginal(studies, fit.estimate, math.sqrt(fit.tau2)), abs=1e-8)
    low, high = (naive.marginal(studies, fit.estimate, math.sqrt(fit.tau2) * f) for f in (0.99, 1.01))
    assert max(low, high) < fit.log_likelihood


def test_fixed_levels_are_each_at_their_best() -> None:
    fit = balm.glmm("OR", **TRIALS)
    tau, total = math.sqrt(fit.tau2), 0.0
    for a, n, c, m in without_f():

        def height(level: float, a: float = a, n: float = n, c: float = c, m: float = m) -> float:
            def both(effect: Any) -> Any:
                return naive.binomial(a, n, level + effect / 2) + naive.binomial(c, m, level - effect / 2)

            return naive.marginal([both], fit.estimate, tau)

        low, high = -9.0, 0.0
        for _ in range(90):
            one, two = low + 0.382 * (high - low), low + 0.618 * (high - low)
            low, high = (low, two) if height(one) > height(two) else (one, high)
        total += height(0.5 * (low + high))
    assert fit.log_likelihood == pytest.approx(total, abs=1e-7)


def test_conditional_rates_are_the_binomial_of_the_events() -> None:
    """Given the events of a study, those of group 1 are binomial: the same as logit proportions with an offset."""
    fit = balm.glmm("IRR", studies="conditional", model="common", **RATES)
    total = [a + c for a, c in zip(RATES["events_1"], RATES["events_2"], strict=True)]
    offset = np.log(np.array(RATES["time_1"]) / np.array(RATES["time_2"]))
    score = np.array(RATES["events_1"]) - np.array(total) / (1.0 + np.exp(-(fit.estimate + offset)))
    assert abs(score.sum()) < 1e-9
    fixed = balm.glmm("IRR", model="common", **RATES)
    assert fit.estimate == pytest.approx(fixed.estimate, abs=1e-10)  # the conditional and the joint maximum agree
    assert fit.se == pytest.approx(fixed.se, abs=1e-10)


@pytest.mark.parametrize("studies", ["fixed", "random", "conditional"])
def test_groups_exchanged_turn_the_sign(studies: str) -> None:
    turned = {c: TRIALS[o] for c, o in zip(
        ("study", "events_1", "n_1", "events_2", "n_2"), ("study", "events_2", "n_2", "events_1", "n_1"), strict=True
    )}  # fmt: skip
    one, two = balm.glmm("OR", studies=studies, **TRIALS), balm.glmm("OR", studies=studies, **turned)
    assert one.estimate == pytest.approx(-two.estimate, abs=1e-7)
    assert one.tau2 == pytest.approx(two.tau2, abs=1e-7)
    assert one.log_likelihood == pytest.approx(two.log_likelihood, abs=1e-7)


def test_more_nodes_come_to_the_converged_fit() -> None:
    whole = balm.glmm("PLO", **SHARES)
    apart = [abs(balm.glmm("PLO", points=n, **SHARES).tau2 - whole.tau2) for n in (1, 5, 25)]
    assert apart[0] > apart[1] > apart[2]
    assert apart[2] < 1e-6


def test_several_maxima_are_said_and_the_highest_is_taken() -> None:
    """Seven trials of aspirin after infarction: with random levels no heterogeneity has the higher likelihood."""
    fit = balm.glmm(
        "OR",
        studies="random",
        points=1,
        events_1=[49, 44, 102, 32, 85, 246, 1570],
        n_1=[615, 758, 832, 317, 810, 2267, 8587],
        events_2=[67, 64, 126, 38, 52, 219, 1720],
        n_2=[624, 771, 850, 309, 406, 2257, 8600],
    )
    assert [round(tau2, 4) for tau2, _ in fit.maxima] == [0.0, 0.0072]
    assert fit.tau2 == 0.0
    assert fit.maxima[0][1] > fit.maxima[1][1]
    assert "several maxima" in fit.sentence()


def test_intervals_of_the_profile_end_where_the_test_does() -> None:
    from scipy.optimize import minimize_scalar

    fit = balm.glmm("OR", studies="conditional", inference="profile-likelihood", **TRIALS)
    studies = [lambda eta, r=(a, n, a + c, m): naive.hypergeometric(*r, eta) for a, n, c, m in without_f()]
    for end in (fit.interval.low, fit.interval.high):
        best = minimize_scalar(
            lambda tau, end=end: -naive.marginal(studies, end, tau), bounds=(0.05, 3), method="bounded"
        )
        assert 2.0 * (fit.log_likelihood + best.fun) == pytest.approx(3.841459, abs=1e-5)
    spread = fit.heterogeneity_interval()
    assert spread.tau2.low <= fit.tau2 <= spread.tau2.high
    around = (fit.estimate - 1.5, fit.estimate + 1.5)
    best = minimize_scalar(lambda x: -naive.marginal(studies, x, spread.tau.high), bounds=around, method="bounded")
    assert 2.0 * (fit.log_likelihood + best.fun) == pytest.approx(3.841459, abs=1e-5)


def test_correlated_levels_have_no_lower_likelihood() -> None:
    free = balm.glmm("OR", studies="random", correlated=True, **TRIALS)
    apart = balm.glmm("OR", studies="random", **TRIALS)
    assert free.log_likelihood >= apart.log_likelihood - 1e-8
    assert -1.0 <= free.rho <= 1.0
    assert math.isnan(apart.rho)


def test_moderators_compare_by_likelihood() -> None:
    x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    large = balm.glmm("OR", moderators={"x": x}, **TRIALS)
    small = balm.glmm("OR", **TRIALS)
    test = large.compare(small)
    assert test.df == 1
    assert test.statistic == pytest.approx(2.0 * (large.log_likelihood - small.log_likelihood), abs=1e-10)
    assert len(large.predict([[3.0]])) == 1
    assert large.k == 6


def test_words_and_figures_know_the_model(tmp_path: Any) -> None:
    fit = balm.glmm("OR", **TRIALS)
    assert "generalised linear mixed model" in fit.sentence()
    assert "f (not estimable: no events in either arm)" in fit.sentence()
    methods = fit.methods()
    assert "Stijnen et al. 2010" in methods
    assert "without a correction" in methods
    assert "likelihood-ratio test" in methods
    assert "GLMM" in fit.forest().svg
    assert fit.weights.sum() == pytest.approx(100.0)
    shrunk = fit.study_effects().estimate
    assert abs(shrunk - fit.estimate).max() < abs(fit.effects.effect - fit.estimate).max()


def test_one_and_two_studies_say_what_they_cannot() -> None:
    one = balm.glmm("OR", events_1=[4], n_1=[30], events_2=[9], n_2=[31])
    assert one.estimate == pytest.approx(math.log(4 * 22 / (26 * 9)))
    assert math.isnan(one.tau2)
    assert one.reasons["tau2"] == "not estimable: one study"
    two = balm.glmm("OR", events_1=[4, 6], n_1=[30, 33], events_2=[9, 7], n_2=[31, 30])
    assert "Two studies" in two.sentence()


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"events_1": [0, 0], "n_1": [9, 9], "events_2": [1, 2], "n_2": [9, 9]}, "no events in group 1 of any study"),
        ({"events_1": [3, 9], "n_1": [9, 9], "events_2": [0, 2], "n_2": [9, 9]}, "every study is as extreme"),
    ],
)
@pytest.mark.parametrize("studies", ["fixed", "random", "conditional", "conditional-approximate"])
def test_what_is_not_estimable_is_not_a_number(columns: dict[str, Any], why: str, studies: str) -> None:
    fit = balm.glmm("OR", studies=studies, **columns)
    if studies == "conditional-approximate" and "extreme" in why:
        return  # its likelihood sees events alone, and 9 of 9 is no bound there
    assert math.isnan(fit.estimate)
    assert math.isnan(fit.tau2)
    assert why in fit.reasons["estimate"]
    assert why in str(fit)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"studies": "mixed"}, "studies must be one of"),
        ({"studies": "conditional", "coding": 1}, "coding=1 has no effect here"),
        ({"coding": 0.3}, "coding must be 0.5, 1 or 0"),
        ({"correlated": True}, "correlated=True needs studies='random'"),
        ({"points": 0}, "points must be a whole number from 1"),
        ({"model": "common", "prediction": "normal"}, "prediction='normal' needs model='random'"),
        ({"double_zero": "keep"}, "double_zero='keep' needs studies='random'"),
        ({"level": 95}, "level must lie between 0 and 1"),
        ({"moderators": {"x": [1, 2]}}, "moderators have 2 rows"),
        ({"inference": "hartung-knapp"}, "inference must be one of"),
    ],
)
def test_options_that_do_not_apply_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(balm.InputError, match=message.replace("(", r"\(")):
        balm.glmm("OR", **TRIALS, **options)


def test_counts_are_needed() -> None:
    with pytest.raises(balm.InputError, match="counts behind the effects"):
        balm.glmm(balm.EffectSizes(effect=[0.1, 0.2], variance=[0.1, 0.1], measure="OR"))
    with pytest.raises(balm.InputError, match="PLO"):
        balm.glmm("PLO", studies="fixed", **SHARES)


def test_double_zero_studies_speak_where_levels_are_random() -> None:
    without = balm.glmm("OR", studies="random", **TRIALS)
    with_all = balm.glmm("OR", studies="random", double_zero="keep", **TRIALS)
    assert (without.k, with_all.k) == (6, 7)
    assert with_all.estimate != without.estimate


def test_window_of_the_hypergeometric_leaves_nothing_out() -> None:
    x, n_1, m, n_2 = (np.array([v], dtype=float) for v in (40, 3000, 900, 2500))
    eta = np.array([[-3.0, -0.5, 0.0, 2.0, 8.0]])
    got = Hypergeometric(x, n_1, m, n_2).terms(eta)[0][0]
    want = naive.hypergeometric(40.0, 3000.0, 900.0, 2500.0, eta[0])
    # Ours is counted from the table seen: the log of its ways drops out.
    zero = naive.hypergeometric(40.0, 3000.0, 900.0, 2500.0, np.zeros(1))[0]
    assert got - got[2] == pytest.approx(want - zero, abs=1e-7)


# ------------------------------------------------------------------------------------------------ beta-binomial


def test_beta_binomial_is_the_maximum_of_scipys_likelihood() -> None:
    from scipy.stats import betabinom

    events, n = np.array([2, 0, 7, 1, 12, 0]), np.array([30, 25, 41, 60, 55, 18])
    fit = beta_binomial("PLO", events=events, n=n)

    def height(logit: float, rho: float) -> float:
        mu, size = 1.0 / (1.0 + math.exp(-logit)), (1.0 - rho) / rho
        return float(betabinom.logpmf(events, n, mu * size, (1.0 - mu) * size).sum())

    rho, rho_se = fit.rho_estimates[0]
    assert fit.log_likelihood == pytest.approx(height(fit.estimate, rho), abs=1e-9)
    hessian = naive.second_derivatives(lambda p: height(p[0], p[1]), [fit.estimate, rho], step=1e-3)
    covariance = np.linalg.inv(-hessian)
    assert fit.se == pytest.approx(math.sqrt(covariance[0, 0]), rel=1e-4)
    assert rho_se == pytest.approx(math.sqrt(covariance[1, 1]), rel=1e-3)
    for d in (1e-3, -1e-3):
        assert height(fit.estimate + d, rho) < fit.log_likelihood
        assert height(fit.estimate, rho + d) < fit.log_likelihood
    assert fit.tests["rho"].p < 0.05


def test_beta_binomial_without_more_than_binomial_spread_is_binomial() -> None:
    fit = beta_binomial("RD", events_1=[3, 3, 3], n_1=[30, 30, 30], events_2=[6, 6, 6], n_2=[30, 30, 30])
    assert fit.rho_estimates[0][0] == 0.0
    assert fit.estimate == pytest.approx(-0.1)
    assert fit.se == pytest.approx(math.sqrt(0.1 * 0.9 / 90 + 0.2 * 0.8 / 90))


def test_beta_binomial_measures_compare_the_same_risks() -> None:
    counts = {c: TRIALS[c] for c in ("events_1", "n_1", "events_2", "n_2")}
    odds, ratio, difference = (beta_binomial(m, **counts) for m in ("OR", "RR", "RD"))
    assert odds.k == 7  # the trial without events takes part
    assert odds.log_likelihood == pytest.approx(ratio.log_likelihood, abs=1e-10)
    p_2 = difference.estimate / (math.exp(ratio.estimate) - 1.0)
    p_1 = p_2 + difference.estimate
    assert odds.estimate == pytest.approx(math.log(p_1 / (1 - p_1) / (p_2 / (1 - p_2))), abs=1e-9)
    apart = beta_binomial("OR", correlation="per-group", **counts)
    assert apart.log_likelihood >= odds.log_likelihood
    assert len(apart.rho_estimates) == 2
    assert "beta-binomial" in odds.methods()
    assert odds.forest().svg


def test_beta_binomial_without_events_in_a_group() -> None:
    fit = beta_binomial("OR", events_1=[0, 0], n_1=[9, 9], events_2=[1, 2], n_2=[9, 9])
    assert math.isnan(fit.estimate)
    assert "no events in group 1" in fit.reasons["estimate"]


# ------------------------------------------------------------------------------------------------ Firth


@pytest.mark.parametrize("measure", ["OR", "IRR"])
def test_firth_is_the_maximum_of_the_penalised_likelihood(measure: str) -> None:
    from scipy.optimize import minimize

    x_1, x_2 = np.array([0.0, 1.0, 0.0, 2.0]), np.array([3.0, 2.0, 1.0, 4.0])
    n_1, n_2 = np.array([30.0, 41.0, 22.0, 60.0]), np.array([29.0, 40.0, 25.0, 58.0])
    size = "n" if measure == "OR" else "time"
    fit = firth(measure, **{"events_1": x_1, f"{size}_1": n_1, "events_2": x_2, f"{size}_2": n_2})
    z = np.vstack([np.column_stack([np.ones(4), np.eye(4)]), np.column_stack([np.zeros(4), np.eye(4)])])
    x, n = np.concatenate([x_1, x_2]), np.concatenate([n_1, n_2])

    def penalised(point: Any) -> float:
        eta = z @ point
        mean = n / (1.0 + np.exp(-eta)) if measure == "OR" else n * np.exp(eta)
        w = mean * (1.0 - mean / n) if measure == "OR" else mean
        height = x @ eta - (n @ np.logaddexp(0.0, eta) if measure == "OR" else mean.sum())
        return float(height + 0.5 * np.linalg.slogdet(z.T @ (w[:, None] * z))[1])

    start = [fit.estimate, *np.log((x_2 + 0.5) / n_2)]
    found = minimize(lambda p: -penalised(p), start, method="BFGS", options={"gtol": 1e-7})
    assert fit.estimate == pytest.approx(found.x[0], abs=1e-5)
    for end in (fit.interval.low, fit.interval.high):
        held = minimize(lambda p, end=end: -penalised([end, *p]), found.x[1:], method="BFGS", options={"gtol": 1e-7})
        assert 2.0 * (held.fun - found.fun) == pytest.approx(3.841459, abs=1e-4)


def test_firth_stays_finite_where_a_group_has_no_events() -> None:
    fit = firth("OR", events_1=[0, 0, 0], n_1=[30, 41, 22], events_2=[3, 2, 0], n_2=[29, 40, 25])
    assert math.isfinite(fit.estimate)
    assert fit.k == 2
    assert fit.excluded[0][1] == "not estimable: no events in either arm"
    assert "Firth" in fit.methods()
    with pytest.raises(balm.InputError, match="no between-study variance"):
        fit.heterogeneity_interval()


def test_inflation_follows_the_covariance_of_the_counts() -> None:
    """Two moderators: 1 / (1 - r²) with r the correlation of their coefficients, whatever the likelihood."""
    fit = balm.glmm(
        "OR",
        moderators={"x": [1, 2, 3, 4, 5, 7], "z": [1, 0, 1, 0, 0, 1]},
        events_1=[2, 3, 5, 1, 7, 4],
        n_1=[20] * 6,
        events_2=[3, 5, 6, 4, 9, 9],
        n_2=[20] * 6,
    )
    v = fit.covariance
    r2 = v[1, 2] ** 2 / (v[1, 1] * v[2, 2])
    assert fit.vif() == pytest.approx({"x": 1.0 / (1.0 - r2), "z": 1.0 / (1.0 - r2)}, rel=1e-10)


@pytest.mark.parametrize(
    ("events_1", "n_1", "events_2", "n_2", "hidden"),
    [
        ([15, 0, 3, 9], [111, 32, 28, 43], [7, 11, 0, 3], [51, 92, 18, 48], [0.153, -2.167, 0.207, 0.01, 0.719]),
        (
            [6, 9, 9, 3, 7, 15, 4, 17],
            [48, 91, 102, 22, 89, 98, 47, 101],
            [9, 1, 0, 8, 4, 3, 9, 0],
            [98, 27, 26, 78, 54, 30, 117, 35],
            [0.517, -2.282, 0.029, 0.01, 0.086],
        ),
    ],
)
def test_correlated_levels_find_the_maximum_at_the_bound_of_the_correlation(
    events_1: list[int], n_1: list[int], events_2: list[int], n_2: list[int], hidden: list[float]
) -> None:
    """Sets in which a climb from independent effects ended lower, or where levels do not vary; found by simulation."""
    from scipy import special, stats

    found = balm.glmm("OR", studies="random", correlated=True, events_1=events_1, n_1=n_1, events_2=events_2, n_2=n_2)
    z, w = np.polynomial.hermite_e.hermegauss(40)
    u, v = (grid.ravel() for grid in np.meshgrid(z, z))
    weight = np.outer(w, w).ravel() / (2.0 * np.pi)

    def height(at: np.ndarray) -> float:
        effect, level, sigma, tau, shared = at
        base, own = level + sigma * u, effect + tau * v + shared * u
        total = 0.0
        for a, n, c, m in zip(events_1, n_1, events_2, n_2, strict=True):
            one, two = special.expit(base + 0.5 * own), special.expit(base - 0.5 * own)
            total += math.log(float(weight @ (stats.binom.pmf(a, n, one) * stats.binom.pmf(c, m, two))))
        return total

    assert not math.isnan(found.estimate)
    assert height(np.array(hidden)) < found.log_likelihood < height(np.array(hidden)) + 0.01
