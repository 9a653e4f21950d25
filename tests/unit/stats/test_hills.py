"""Several maxima of the likelihood where variances lie far apart: the highest is taken, on every path."""

from __future__ import annotations

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.groups import ManyGroups, OneGroup
from balm.stats.heterogeneity.hills import FAR_APART, far_apart
from balm.stats.heterogeneity.likelihood import maximum_likelihood, restricted_maximum_likelihood
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pool_many import pool_many
from tests import naive

GROUPS, K = 60, 5
RNG = np.random.default_rng(11)
#: Variances up to a millionfold apart, effects that follow their standard errors in half of the groups.
V = 0.01 * np.exp(RNG.uniform(0.0, np.log(1e6), (GROUPS, K)))
Y = RNG.normal(0.0, np.sqrt(V + np.exp(RNG.uniform(-9.0, 1.0, (GROUPS, 1))))) + np.sqrt(V) * np.where(
    np.arange(GROUPS)[:, None] % 2, RNG.normal(0.0, 1.5, (GROUPS, 1)), 0.0
)


def highest_on_a_grid(y: np.ndarray, v: np.ndarray, restricted: bool) -> float:
    """The greatest log-likelihood on 600 values of tau2, straight from the formula."""
    top = 5.0 * (np.var(y) + np.max(v))
    grid = np.concatenate(([0.0], np.geomspace(1e-3 * v.min(), top, 600)))
    return max(naive.log_likelihood(y, v, float(t), restricted) for t in grid)


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_the_highest_maximum_is_taken_by_one_by_many_and_by_the_kernel(method, monkeypatch):
    restricted = method == "REML"
    estimate = restricted_maximum_likelihood if restricted else maximum_likelihood
    offsets = np.arange(0, GROUPS * K + 1, K)
    many = ManyGroups(Y.ravel(), V.ravel(), offsets)
    assert far_apart(many).sum() > 50
    together = pool_many(Y.ravel(), V.ravel(), np.repeat(np.arange(GROUPS), K), tau2=method, inference="wald").tau2
    start, scale = np.maximum(Y.var(axis=1, ddof=1) - V.mean(axis=1), 0.0), K / (1.0 / V).sum(axis=1)
    batch = estimate(many, start, scale)
    for i in range(GROUPS):
        alone = pool(EffectSizes(effect=Y[i], variance=V[i]), tau2=method, inference="wald").tau2
        assert alone == pytest.approx(together[i], rel=1e-9, abs=1e-9 * scale[i])
        assert alone == pytest.approx(batch[i], rel=1e-9, abs=1e-9 * scale[i])
        assert alone == pytest.approx(estimate(OneGroup(Y[i], V[i]), start[i], scale[i]), rel=1e-9, abs=1e-9 * scale[i])
        assert naive.log_likelihood(Y[i], V[i], alone, restricted) >= highest_on_a_grid(Y[i], V[i], restricted) - 1e-9


def test_seven_trials_of_hypertension_have_two_maxima_under_maximum_likelihood():
    """Systolic pressure in seven trials (Nagashima et al. 2019, table 1): zero is the lower maximum, by 1.59."""
    y = np.array([-6.85, -14.83, -13.57, -8.44, -8.76, -10.59, -17.65])
    v = np.array([0.78, 5.14, 13.85, 0.34, 0.16, 0.60, 6.38]) ** 2
    assert v.max() > FAR_APART * v.min()
    fit = pool(EffectSizes(effect=y, variance=v), tau2="ML", inference="wald")
    assert fit.tau2 == pytest.approx(naive.highest(y, v, False), rel=1e-5)
    assert fit.log_likelihood - naive.log_likelihood(y, v, 0.0, False) == pytest.approx(1.59, abs=0.01)
