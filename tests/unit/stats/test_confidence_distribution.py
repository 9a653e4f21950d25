"""Prediction by the confidence distribution of tau2, against the paper's own algorithm drawn at random."""

from __future__ import annotations

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.groups import OneGroup
from balm.stats.heterogeneity.intervals import heterogeneity_interval
from balm.stats.pooling import confidence_distribution
from balm.stats.pooling.confidence_distribution import _weights, predict
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pool_many import pool_many
from balm.vocabulary.problems import InputError

NNF = "confidence-distribution"


def example(k: int, seed: int = 3, spread: float = 0.3) -> EffectSizes:
    rng = np.random.default_rng(seed + k)
    v = rng.uniform(0.02, 0.3, k)
    return EffectSizes(effect=rng.normal(0.2, spread, k) + rng.normal(size=k) * np.sqrt(v), variance=v)


def drawn(es: EffectSizes, level: float, draws: int = 60_000, seed: int = 1) -> tuple[float, float]:
    """Algorithm 1 of the paper: tau2 by inversion of its confidence distribution, then z and t; Q by simulation."""
    rng = np.random.default_rng(seed)
    y, v, k = es.effect, es.variance, len(es)
    w = 1.0 / v
    q = float(w @ (y - (w @ y) / w.sum()) ** 2)
    normal = rng.chisquare(1, (4000, k - 1))
    table = np.concatenate([[0.0], np.geomspace(1e-4, 1e5, 400)]) * float(np.median(v))
    h = np.maximum.accumulate([float(np.mean(normal @ _weights(w, v + t) > q)) for t in table])
    tau2 = np.interp(rng.uniform(size=draws), h, table)
    each = 1.0 / (v + tau2[:, None])
    mean = (each @ y) / each.sum(1)
    se = np.sqrt((each * (y - mean[:, None]) ** 2).sum(1) / ((k - 1) * each.sum(1)))
    theta = mean + rng.normal(size=draws) * np.sqrt(tau2) - rng.standard_t(k - 1, size=draws) * se
    low, high = np.quantile(theta, [0.5 - 0.5 * level, 0.5 + 0.5 * level])
    return float(low), float(high)


@pytest.mark.parametrize(("k", "level"), [(3, 0.8), (5, 0.9), (10, 0.95), (25, 0.5)])
def test_it_is_the_limit_of_the_published_draws(k, level):
    es = example(k)
    found = pool(es, prediction=NNF, level=level).prediction_interval
    low, high = drawn(es, level)
    width = high - low
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.04 * width)


@pytest.mark.parametrize("k", [2, 3, 4, 10, 40])
def test_more_points_do_not_move_it(k, monkeypatch):
    es = example(k)
    g = OneGroup(es.effect, es.variance)
    coarse = predict(g, 0.95)
    monkeypatch.setattr(confidence_distribution, "_POINTS", 192)
    fine = predict(g, 0.95)
    assert coarse == pytest.approx(fine, abs=2e-6 * (fine[1] - fine[0]))


def test_the_confidence_distribution_is_that_of_the_exact_interval_of_tau2():
    """H reaches 0.025 and 0.975 at the ends of the interval that inverts Q with common-effect weights."""
    es = example(8, spread=0.6)
    fit = pool(es)
    w = 1.0 / es.variance
    q = float(w @ (es.effect - (w @ es.effect) / w.sum()) ** 2)
    ends = heterogeneity_interval(fit, "biggerstaff-jackson", 0.95).tau2
    from balm.stats.heterogeneity.quadratic_forms import weighted_chi2_cdf

    for end, reached in ((ends.low, 0.025), (ends.high, 0.975)):
        assert 1.0 - weighted_chi2_cdf(q, _weights(w, es.variance + end)) == pytest.approx(reached, abs=1e-8)


def test_shift_scale_and_sign():
    es = example(7)
    found = pool(es, prediction=NNF).prediction_interval
    for factor, shift in ((1e-8, 0.0), (1e8, 0.0), (1.0, 1e3), (-1.0, 0.0)):
        other = EffectSizes(effect=es.effect * factor + shift, variance=es.variance * factor**2)
        moved = pool(other, prediction=NNF).prediction_interval
        ends = sorted((found.low * factor + shift, found.high * factor + shift))
        assert (moved.low, moved.high) == pytest.approx(ends, rel=1e-9, abs=1e-9 * abs(factor))


def test_where_effects_agree_too_well_it_is_the_unguarded_interval_of_the_mean():
    """H(0) is then nearly 1, and Hartung's errors narrow: a known weakness, said in the docstring."""
    es = EffectSizes(effect=[0.1, 0.11, 0.1, 0.105], variance=[0.1, 0.1, 0.2, 0.1])
    found = pool(es, prediction=NNF).prediction_interval
    mean = pool(es, tau2=0.0, inference="hartung-knapp").interval
    assert (found.low, found.high) == pytest.approx((mean.low, mean.high), abs=1e-4)
    equal = pool(EffectSizes(effect=[0.2] * 4, variance=[0.1] * 4), prediction=NNF).prediction_interval
    assert (equal.low, equal.high) == pytest.approx((0.2, 0.2))


def test_many_at_once_and_the_words():
    sets = [example(k) for k in (2, 3, 9)]
    group = np.repeat([0, 1, 2], [len(s) for s in sets])
    y, v = (np.concatenate([getattr(s, name) for s in sets]) for name in ("effect", "variance"))
    many = pool_many(y, v, group, prediction=NNF)
    for i, es in enumerate(sets):
        one = pool(es, prediction=NNF)
        assert many.prediction_interval.low[i] == pytest.approx(one.prediction_interval.low, rel=1e-9)
    assert "Nagashima et al. 2019" in one.methods() and "prediction interval" in one.sentence()
    assert one.forest().svg and one.drapery().svg  # the drapery has no prediction curve then
    assert np.isnan(one.probability_beyond(0.1).new_setting)


def test_no_advice_that_it_assumes_no_heterogeneity():
    es = EffectSizes(effect=[0.1, 0.3, 0.35], variance=[0.03, 0.03, 0.05])
    assert pool(es).tau2 == 0.0 and any("assumes no heterogeneity" in said for said in pool(es).advice)
    assert not any("assumes no heterogeneity" in said for said in pool(es, prediction=NNF).advice)


def test_what_it_cannot_go_with():
    with pytest.raises(InputError, match="finds the distribution of tau2 itself"):
        pool(example(5), tau2=0.1, prediction=NNF)
    with pytest.raises(InputError, match="not defined for these weights"):
        pool(example(5), weights="equal", prediction=NNF)
