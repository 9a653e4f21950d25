"""Several maxima of the likelihood: the highest is taken, on every path."""

from __future__ import annotations

import numpy as np
import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.groups import ManyGroups, OneGroup
from balm.stats.heterogeneity.hills import FAR_APART, where_rising
from balm.stats.heterogeneity.likelihood import maximum_likelihood, restricted_maximum_likelihood
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pool_many import pool_many
from balm.stats.regression.meta_regression import meta_regression
from balm.stats.regression.projection import log_likelihood, projection
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
    least, most = many.extremes()
    assert (most > FAR_APART * least).sum() > 50
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


def hostile(kind: str, count: int, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Effects and variances (count, k) less than 300 times apart, made to have several hills."""
    rng = np.random.default_rng([seed, k])
    if kind == "ordinary":
        v = np.clip(0.25 * rng.chisquare(1, (count, k)), 0.009, 0.6)
        return rng.normal(0.0, np.sqrt(v + rng.choice([0.0, 0.02, 0.1, 0.3], (count, 1)))), v
    if kind == "small-study effect":
        v = np.exp(rng.uniform(np.log(0.005), 0.0, (count, k)))
        spread = rng.normal(size=(count, k)) * rng.choice([0.3, 1.0, 3.0], (count, 1))
        return (spread + rng.choice([0.0, 1.0, 3.0], (count, 1))) * np.sqrt(v), v
    apart = np.exp(rng.uniform(np.log(2.0), np.log(290.0), (count, 1)))
    precise = np.arange(k)[None, :] < rng.integers(1, k, (count, 1))
    v = np.where(precise, 1.0, apart) * np.exp(rng.uniform(-0.3, 0.3, (count, k)))
    agree, other = np.exp(rng.uniform(-4.0, 3.0, (2, count, 1)))
    return rng.normal(size=(count, k)) * np.sqrt(v) * np.where(precise, agree, other), v


def heights(y: np.ndarray, v: np.ndarray, t: np.ndarray, restricted: bool) -> np.ndarray:
    """(count,) log-likelihoods without constants."""
    w = 1.0 / (v + t[:, None])
    total = w.sum(axis=1)
    away = y - ((w * y).sum(axis=1) / total)[:, None]
    both = -np.log(w).sum(axis=1) + (w * away * away).sum(axis=1)
    return -0.5 * (both + (np.log(total) if restricted else 0.0))


@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize("kind", ["ordinary", "small-study effect", "precise and imprecise"])
def test_no_higher_hill_is_missed(kind, restricted):
    estimate = restricted_maximum_likelihood if restricted else maximum_likelihood
    for k in (3, 5, 9):
        y, v = hostile(kind, 600, k, seed=5)
        g = ManyGroups(y.ravel(), v.ravel(), np.arange(601) * k)
        start, scale = np.maximum(y.var(axis=1, ddof=1) - v.mean(axis=1), 0.0), k / (1.0 / v).sum(axis=1)
        found = heights(y, v, estimate(g, start, scale), restricted)
        top, t = heights(y, v, np.zeros(600), restricted), 1e-3 * v.min(axis=1)
        factor = (4e3 * (y.var(axis=1) * 2.0 + v.max(axis=1)) / v.min(axis=1)) ** (1 / 150)
        for _ in range(151):
            top, t = np.maximum(top, heights(y, v, t, restricted)), t * factor
        assert (found >= top - 1e-8 * np.maximum(1.0, np.abs(top))).all()


def sums(y: np.ndarray, v: np.ndarray, t: np.ndarray, restricted: bool) -> tuple[np.ndarray, ...]:
    """(count,) ``y'PPy``, ``tr P``, ``tr PP`` (for ML ``sum w`` and ``sum w**2``) and the generalised Q."""
    w = 1.0 / (v + t[:, None])
    total, squares = w.sum(axis=1), (w * w).sum(axis=1)
    away = y - ((w * y).sum(axis=1) / total)[:, None]
    slope, q = (w * w * away * away).sum(axis=1), (w * away * away).sum(axis=1)
    if not restricted:
        return slope, total, squares, q
    share = squares / total
    return slope, total - share, squares - 2 * (w**3).sum(axis=1) / total + share**2, q


@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize("kind", ["ordinary", "small-study effect", "precise and imprecise"])
def test_the_score_is_positive_only_between_the_ends(kind, restricted):
    y, v = hostile(kind, 400, 4, seed=9)
    slope, trace, squares, q = sums(y, v, np.zeros(400), restricted)
    low, high = where_rising(
        np.where,
        least=v.min(axis=1),
        mean=v.mean(axis=1),
        squared=4.0 * y.var(axis=1),
        slope=slope,
        trace=trace,
        squares=squares,
        q=q,
        df=3.0 if restricted else 4.0,
    )
    boundary = slope <= trace
    assert boundary.mean() > 0.2
    assert (low < high)[boundary].mean() < 0.3
    for x in np.geomspace(1e-3, 1e4, 80):
        t = x * v.min(axis=1)
        above, there, *_ = sums(y, v, t, restricted)
        rising = boundary & (above > there * (1 + 1e-12))
        assert (low <= t)[rising].all()
        assert (t <= high)[rising].all()


#: Variances 67 and 81 times apart. R 4.2.2, metafor 3.8-1, ``rma(y, v, method=, control=list(threshold=1e-14,
#: maxiter=10000))``: ML stops at 0 with log-likelihood -7.04449168048 and warns that it may have gotten stuck; with
#: ``tau2=0.7375979943615613`` it is -6.767762265. REML is 0 with -9.95732652636; there is a lower hill at 38.9195.
TWO_HILLS = [
    ("ML", [-0.85, 2.25, 0.49, 0.9], [0.057, 1.895, 3.833, 1.243], 0.7375979943615613, -6.767762265, 0.0),
    ("REML", [1.06, 1.19, -0.09, 21.69], [0.539, 1.037, 0.557, 43.811], 0.0, -9.95732652636, 38.9195),
]


@pytest.mark.parametrize(("method", "y", "v", "tau2", "height", "lower"), TWO_HILLS)
def test_the_higher_of_two_hills_where_variances_lie_less_far_apart(method, y, v, tau2, height, lower):
    fit = pool(EffectSizes(effect=y, variance=v), tau2=method, inference="wald")
    assert fit.tau2 == pytest.approx(tau2, rel=1e-9, abs=1e-12)
    assert fit.log_likelihood == pytest.approx(height, rel=1e-9)
    assert naive.log_likelihood(np.array(y), np.array(v), lower, method == "REML") < height - 0.05
    many = pool_many(y, v, [1] * len(y), tau2=method, inference="wald")
    assert many.tau2[0] == pytest.approx(tau2, rel=1e-9, abs=1e-12)


def test_a_meta_regression_takes_the_higher_hill_too():
    """R 4.2.2, metafor 3.8-1: ``rma(y, v, mods=x, control=list(tau2.init=.5, threshold=1e-14, maxiter=100000))``.

    By default it stops at 0 with log-likelihood -16.21347 and warns; there is another hill at 137.3 (-16.83999).
    """
    es = EffectSizes([-1.85, 0.96, 1.57, 0.63, 7.5, 51.94], [1.46, 1.13, 1.23, 1.0, 371.18, 243.91])
    fit = meta_regression(es, {"x": [0.8, 0.7, -0.9, 0.1, -0.1, 1.7]}, inference="wald")
    assert fit.tau2 == pytest.approx(0.488065253923, rel=1e-10)
    assert fit.fit_statistics["REML"]["log_likelihood"] == pytest.approx(-16.1667511815, rel=1e-11)
    assert fit.beta == pytest.approx([0.657398526954, -0.912985673375], rel=1e-10)
    assert fit.se == pytest.approx([0.666039070039, 0.972789872548], rel=1e-10)


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("kind", ["ordinary", "small-study effect", "precise and imprecise"])
def test_no_higher_hill_of_a_meta_regression_is_missed(kind, method):
    y, v = hostile(kind, 25, 6, seed=3)
    x = np.random.default_rng(4).normal(size=(25, 6))
    for effect, variance, column in zip(y, v, x, strict=True):
        fit = meta_regression(EffectSizes(effect, variance), {"x": column}, tau2=method, inference="wald")
        grid = np.geomspace(1e-3 * variance.min(), 5.0 * (2.0 * effect.var() + variance.max()), 60)
        found = fit.fit_statistics[method]["log_likelihood"]
        design = fit.design.matrix
        for t in (0.0, *grid.tolist()):
            there = projection(effect, variance, design, t)
            height = log_likelihood(there, variance, design, t, restricted=method == "REML")
            assert found >= height - 1e-8 * max(1.0, abs(height))
