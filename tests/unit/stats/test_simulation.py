"""Simulated analyses: the layout gives the engine's numbers, the seed alone decides, intervals keep their promise."""

from __future__ import annotations

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.heterogeneity.estimators import TAU2_ESTIMATORS
from balm.stats.pooling.mantel_haenszel import mantel_haenszel
from balm.stats.pooling.pool import pool
from balm.stats.regression.meta_regression import meta_regression
from balm.stats.simulation import fits
from balm.stats.simulation.coverage import simulate_coverage
from balm.stats.simulation.replicates import Replicates
from balm.stats.simulation.tau2_bootstrap import bootstrap_tau2
from balm.vocabulary.problems import InputError

V = np.array([0.02, 0.05, 0.03, 0.09, 0.01, 0.20])
ES = EffectSizes(effect=[0.12, 0.55, -0.20, 0.91, 0.33, 0.40], variance=V)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("estimator", [n for n in TAU2_ESTIMATORS if n != "GENQM"])
def test_each_replicate_is_the_engines_own_fit(estimator, shared, compiled, monkeypatch):
    if not compiled:
        monkeypatch.setattr(fits, "available", lambda: False)
    rng = np.random.default_rng(2)
    v = V[:, None] if shared else rng.uniform(0.01, 0.3, (6, 40))
    effect = rng.normal(0.2, 0.4, (6, 40))
    got = fits.tau2_of(effect, v, estimator)
    for i in range(40):
        own = EffectSizes(effect=effect[:, i], variance=np.broadcast_to(v, effect.shape)[:, i])
        assert got[i] == pytest.approx(pool(own, tau2=estimator, inference="wald").tau2, rel=1e-8, abs=1e-11)


def test_the_table_layout_selects_and_leads_as_the_flat_one_does():
    g = Replicates(np.arange(6.0).reshape(2, 3), np.array([[1.0, 3.0, 2.0], [2.0, 1.0, 2.0]]))
    assert g.lead(g.effect).tolist() == [0.0, 4.0, 2.0]
    some = g.select(np.array([True, True, False]))
    assert some.lead(some.effect).tolist() == [0.0, 4.0] and len(some) == 2


def test_the_bootstrap_follows_its_model():
    fit = pool(ES)
    boot = bootstrap_tau2(fit, replicates=6000, seed=5)
    assert len(boot) == 6000
    assert boot.estimate == fit.tau2
    assert 0.0 < boot.at_zero < 0.5
    assert boot.tau2.mean() == pytest.approx(fit.tau2, rel=0.15)
    ends = boot.interval()
    assert ends.low <= fit.tau2 <= ends.high
    assert np.mean(boot.tau2 > ends.high) == pytest.approx(0.025, abs=2e-3)
    assert ends.low == 0.0, "more than 2.5 % of the draws are 0"
    assert boot.i2_interval.high == pytest.approx(100 * ends.high / (ends.high + boot.typical))
    assert boot.interval(0.5).high < ends.high
    assert fit.i2 == pytest.approx(100 * fit.tau2 / (fit.tau2 + boot.typical))


def test_the_bootstrap_repeats_with_its_seed():
    fit = pool(ES)
    fresh = bootstrap_tau2(fit, replicates=50)
    assert (fresh.tau2 == bootstrap_tau2(fit, replicates=50, seed=fresh.seed).tau2).all()
    longer = bootstrap_tau2(fit, replicates=5000, seed=1).tau2
    assert (longer[:4096] == bootstrap_tau2(fit, replicates=4096, seed=1).tau2).all(), "whole blocks are the same"
    assert "50 draws" in repr(fresh)
    assert list(fresh.to_frame()) == ["tau2", "i2"]


def test_the_bootstrap_of_a_regression_uses_its_fitted_means():
    precise = EffectSizes(effect=ES.effect, variance=V / 50.0)
    fit = meta_regression(precise, {"x": [1.0, 2.0, 1.0, 4.0, 2.5, 3.0]}, tau2="DL")
    boot = bootstrap_tau2(fit, replicates=2000, seed=1)
    assert boot.estimator == "DL" and boot.typical == pytest.approx(fit.tau2 / (fit.h2 - 1.0))
    assert boot.tau2.mean() == pytest.approx(fit.tau2, rel=0.1), "without truncation the estimator is unbiased"


@pytest.mark.parametrize("compiled", [True, False])
def test_coverage_does_not_depend_on_what_is_handled_at_once(compiled, monkeypatch):
    if not compiled:
        monkeypatch.setattr(fits, "available", lambda: False)
    options = {"tau2": 0.1, "analyses": 6000, "seed": 8, "mean": 0.3}
    a, b = (simulate_coverage(V, chunk=chunk, **options) for chunk in (None, 100_000))
    assert a.rows == b.rows
    assert (a.bias, a.rmse, a.tau2_mean, a.tau2_at_zero) == (b.bias, b.rmse, b.tau2_mean, b.tau2_at_zero)


def test_hartung_knapp_covers_with_equal_variances_and_wald_falls_short():
    # With equal variances Hartung-Knapp is the t interval of the effects, whatever tau2: exact by theory.
    found = simulate_coverage(0.1, k=6, tau2=0.1, analyses=20_000, seed=1)
    exact = found["hartung-knapp"]
    assert exact.coverage == pytest.approx(0.95, abs=4 * exact.coverage_error)
    assert exact.rejection == pytest.approx(1.0 - exact.coverage)
    assert found["wald"].coverage < 0.93
    assert found["hartung-knapp-guarded"].coverage >= exact.coverage
    assert abs(found.bias) < 4 * found.rmse / 20_000**0.5


def test_variances_may_be_drawn_and_other_intervals_asked_for():
    def draw(rng, k, count):
        return rng.uniform(0.05, 0.3, (k, count))

    found = simulate_coverage(draw, k=5, tau2=0.1, inference=("kenward-roger", "t"), analyses=2000, seed=1)
    assert [r.inference for r in found.rows] == ["kenward-roger", "t"]
    assert all(0.9 < r.coverage <= 1.0 for r in found.rows)
    assert "2,000 simulated" in repr(found)
    assert len(found.to_frame()["coverage"]) == 2
    with pytest.raises(InputError, match="no interval 'wald'"):
        found["wald"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"variance": [0.1]}, "two or more"),
        ({"variance": [0.1, -0.2]}, "variance of study 2 is -0.2"),
        ({"variance": [0.1, 0.2], "k": 3}, "does not agree"),
        ({"variance": lambda rng, k, b: np.ones((k, b))}, "k, the number of studies"),
        ({"variance": lambda rng, k, b: -np.ones((k, b)), "k": 3}, "positive numbers"),
        ({"variance": V, "tau2": "REML"}, "tau2, the true between-study variance"),
        ({"variance": V, "estimator": "REMl"}, "did you mean 'REML'"),
        ({"variance": V, "inference": "hksj"}, "did you mean 'hartung-knapp'"),
        ({"variance": V, "inference": ()}, "at least one interval"),
        ({"variance": V, "inference": "profile-likelihood"}, "one analysis at a time"),
        ({"variance": V, "analyses": 0}, "analyses must be a whole number"),
        ({"variance": V, "mean": float("inf")}, "mean must be a number"),
        ({"variance": V, "level": 95}, "level must"),
    ],
)
def test_bad_input_of_a_simulation_is_named(arguments, said):
    with pytest.raises(InputError, match=said):
        simulate_coverage(**arguments)


@pytest.mark.parametrize(
    ("fit", "options", "said"),
    [
        (ES, {}, "got EffectSizes"),
        (pool(ES, model="common"), {}, "no estimator of tau2"),
        (pool(ES, tau2=0.1), {}, "no estimator of tau2"),
        (pool(ES[0:1]), {}, "two studies or more"),
        (
            mantel_haenszel("OR", events_1=[1, 2], n_1=[9, 9], events_2=[3, 4], n_2=[9, 9], model="random"),
            {},
            "balm.pool",
        ),
        (pool(ES, tau2="GENQ", weights=np.arange(1.0, 7.0)), {}, "weights of your own"),
        (pool(ES), {"replicates": 1}, "replicates must be a whole number"),
        (pool(ES), {"seed": 1.5}, "seed must be"),
        (pool(ES), {"level": 0.0}, "level must lie"),
    ],
)
def test_what_cannot_be_bootstrapped_is_refused_by_name(fit, options, said):
    with pytest.raises(InputError, match=said):
        bootstrap_tau2(fit, **options)
