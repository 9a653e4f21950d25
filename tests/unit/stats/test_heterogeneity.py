"""Heterogeneity intervals by their definitions, the distribution behind the generalised Q, and the root finder."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from scipy import stats

from balm.stats.effect_sizes import EffectSizes
from balm.stats.groups import OneGroup
from balm.stats.heterogeneity.quadratic_forms import eigenvalues, weighted_chi2_cdf
from balm.stats.heterogeneity.solving import crossing, root
from balm.stats.heterogeneity.weighted import trace_p, trace_pp
from balm.stats.pooling.pool import pool
from balm.vocabulary.problems import InputError
from tests import naive

Y = np.array([0.11, -0.25, 0.62, 0.35, 0.80, -0.10])
V = np.array([0.04, 0.02, 0.09, 0.01, 0.05, 0.03])


@pytest.fixture
def es() -> EffectSizes:
    return EffectSizes(effect=Y, variance=V)


@pytest.mark.parametrize("k", [1, 2, 3, 5, 12, 50, 300])
def test_equal_weights_give_chi_squared(k: int) -> None:
    for x in np.linspace(0.05, 4.0, 25) * k:
        assert weighted_chi2_cdf(float(x), np.ones(k)) == pytest.approx(stats.chi2.cdf(x, k), abs=1e-10)


def test_pairs_of_weights_give_a_sum_of_exponentials() -> None:
    for weights in ([5.0, 1.0, 1e-3], [1.0, 1e-4, 3e-5], [1000.0, 900.0, 1.0]):
        for x in np.linspace(0.05, 8.0, 40) * sum(weights):
            upper = sum(math.exp(-x / (2 * a)) * math.prod(a / (a - b) for b in weights if b != a) for a in weights)
            assert weighted_chi2_cdf(float(x), np.repeat(weights, 2)) == pytest.approx(1.0 - upper, abs=1e-13)
    assert weighted_chi2_cdf(0.0, np.ones(2)) == 0.0


@pytest.mark.parametrize("method", ["generalised-q", "biggerstaff-jackson"])
def test_ends_of_the_generalised_q_interval_have_their_probability(es: EffectSizes, method: str) -> None:
    a = V**-0.5 if method == "generalised-q" else 1 / V
    found = pool(es, tau2="DL").heterogeneity_interval(method, 0.9).tau2
    observed = float(np.sum(a * (Y - np.sum(a * Y) / a.sum()) ** 2))
    for end, probability in ((found.low, 0.95), (found.high, 0.05)):
        if end > 0.0:
            assert weighted_chi2_cdf(observed, eigenvalues(a, V + end)) == pytest.approx(probability, abs=1e-12)


def test_ends_of_the_q_profile_are_quantiles_of_q(es: EffectSizes) -> None:
    found = pool(es).heterogeneity_interval("q-profile", 0.95)
    for end, probability in ((found.tau2.low, 0.975), (found.tau2.high, 0.025)):
        assert naive.q(Y, V, end) == pytest.approx(stats.chi2.ppf(probability, 5), rel=1e-12)
    assert found.tau.high == pytest.approx(math.sqrt(found.tau2.high))
    assert found.h2.high == pytest.approx(1.0 / (1.0 - found.i2.high / 100.0))


@pytest.mark.parametrize("tau2", ["ML", "REML"])
def test_ends_of_the_profile_likelihood_drop_by_half_a_quantile(es: EffectSizes, tau2: str) -> None:
    fit = pool(es, tau2=tau2)
    found = fit.heterogeneity_interval("profile-likelihood").tau2
    goal = fit.log_likelihood - stats.chi2.ppf(0.95, 1) / 2
    restricted = tau2 == "REML"
    assert naive.log_likelihood(Y, V, found.high, restricted) == pytest.approx(goal, abs=1e-10)
    if found.low > 0.0:
        assert naive.log_likelihood(Y, V, found.low, restricted) == pytest.approx(goal, abs=1e-10)


def test_profile_likelihood_interval_of_the_mean(es: EffectSizes) -> None:
    fit = pool(es, inference="profile-likelihood")
    assert fit.conventions["tau2"] == "ML"

    def best(mean: float) -> float:
        grid = np.concatenate(([0.0], np.geomspace(1e-6, 5.0, 20_000)))
        spread = V[:, None] + grid
        return float(np.max(-0.5 * np.sum(np.log(spread) + (Y[:, None] - mean) ** 2 / spread, axis=0)))

    for end in (fit.interval.low, fit.interval.high):
        assert 2.0 * (best(fit.estimate) - best(end)) == pytest.approx(stats.chi2.ppf(0.95, 1), abs=1e-5)
    assert fit.statistic**2 == pytest.approx(2.0 * (best(fit.estimate) - best(0.0)), abs=1e-5)


def test_an_empty_q_profile_is_said() -> None:
    same = EffectSizes(effect=[0.30, 0.31, 0.30, 0.31, 0.30, 0.31], variance=[0.5] * 6)
    found = pool(same).heterogeneity_interval()
    assert (found.tau2.low, found.tau2.high) == (0.0, 0.0)
    assert found.note.startswith("empty")


def test_the_upper_end_has_no_cap() -> None:
    far = EffectSizes(effect=[0.0, 10.0], variance=[0.01, 0.01])
    # Q(t) = 100 / (0.02 + 2 t) = chi-squared quantile
    exact = (100.0 / stats.chi2.ppf(0.025, 1) - 0.02) / 2.0
    assert pool(far).heterogeneity_interval().tau2.high == pytest.approx(exact, rel=1e-10)


def test_what_has_no_interval_is_said(es: EffectSizes) -> None:
    with pytest.raises(InputError, match="method must be one of"):
        pool(es).heterogeneity_interval("jackson")
    with pytest.raises(InputError, match="needs a likelihood"):
        pool(es, tau2="DL").heterogeneity_interval("profile-likelihood")
    with pytest.raises(InputError, match="no between-study variance"):
        pool(es, model="common").heterogeneity_interval()
    with pytest.raises(InputError, match="between 0 and 1"):
        pool(es).heterogeneity_interval(level=95)


def test_traces_keep_their_digits_when_one_study_outweighs_all() -> None:
    v = np.array([1e-12, 1.0, 2.0, 0.5])
    w = 1.0 / v
    with mpmath.workdps(60):
        exact = [mpmath.mpf(float(x)) for x in w]
        total = mpmath.fsum(exact)
        squares, cubes = (mpmath.fsum(x**n for x in exact) for n in (2, 3))
        want_p = float(total - squares / total)
        want_pp = float(squares - 2 * cubes / total + (squares / total) ** 2)
    g = OneGroup(np.zeros(4), v)
    assert trace_p(g, w) == pytest.approx(want_p, rel=1e-14)
    assert trace_pp(g, w) == pytest.approx(want_pp, rel=1e-14)


def test_a_near_double_root_of_the_score_is_passed() -> None:
    # The restricted score almost touches zero near 0.07, where scoring steps are a hundredth of a per cent each.
    v = [0.49818462, 0.00747127, 0.37867452, 0.00497969]
    fit = pool(EffectSizes(effect=[0.20972506, 0.19592459, 1.64410432, 0.0], variance=v))
    assert fit.residual < 1e-12
    assert fit.log_likelihood >= naive.log_likelihood(
        np.array([0.20972506, 0.19592459, 1.64410432, 0.0]), np.array(v), 0.0695, True
    )


@pytest.mark.parametrize("variance", [V, np.array([1e-24, 1.0, 0.4, 0.5, 3.0, 1e-3]), np.geomspace(1e-12, 1e12, 6)])
@pytest.mark.parametrize("tau2", ["DL", "HE", "GENQ"])
def test_errors_of_moment_estimators_are_exact_whatever_the_variances(tau2: str, variance: np.ndarray) -> None:
    fit = pool(EffectSizes(effect=Y * 3.0, variance=variance), tau2=tau2)
    weights = {"DL": 1.0 / variance, "HE": np.ones(6), "GENQ": variance**-0.5}[tau2]
    a, v = ([Fraction(float(x)) for x in column] for column in (weights, variance))
    y, total, k = [Fraction(float(x)) for x in Y * 3.0], sum(a), range(6)
    p = [[(a[i] if i == j else 0) - a[i] * a[j] / total for j in k] for i in k]
    trace = sum(p[i][i] for i in k)
    moment = sum(y[i] * p[i][j] * y[j] for i in k for j in k) - sum(p[i][i] * v[i] for i in k)
    assert fit.tau2 == pytest.approx(max(float(moment / trace), 0.0), rel=1e-12, abs=0.0)
    s = [x + Fraction(fit.tau2) for x in v]
    squared = 2 * sum(p[i][j] ** 2 * s[i] * s[j] for i in k for j in k) / trace**2
    assert fit.tau2_se == pytest.approx(float(squared) ** 0.5, rel=1e-12)


def test_the_root_finder_halves_its_bracket_when_a_step_leaves_it() -> None:
    g = OneGroup(np.zeros(1), np.ones(1))

    def stubborn(_: OneGroup, t: float, target: float) -> tuple[float, float]:
        return target - t, 1e6 if t < target else -1e6

    assert root(g, stubborn, start=0.0, scale=1.0, target=3.7) == pytest.approx(3.7, rel=1e-8)
    assert root(g, lambda _g, t, _: (-1.0 - t, -1.0 - t), start=5.0, scale=1.0) == 0.0
    assert crossing(lambda x: 2.0 - x * x, 0.0, 50.0) == pytest.approx(math.sqrt(2.0), rel=1e-14)
