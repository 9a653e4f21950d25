"""The cluster wild bootstrap: against replicates built and fitted one by one, and against sums by hand."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import balm
from balm.stats.multilevel.wild_bootstrap import WEIGHTS, _draws, wild_bootstrap
from balm.vocabulary.problems import InputError

SIZES = [3, 2, 4, 1, 3, 2]
CLUSTER = np.repeat(np.arange(len(SIZES)), SIZES)


def trials(seed: int = 3) -> tuple[Any, dict[str, Any]]:
    rng = np.random.default_rng(seed)
    k, m = len(CLUSTER), len(SIZES)
    variance = rng.gamma(2.0, 0.03, k)
    x, z = rng.normal(size=k), rng.normal(size=m)[CLUSTER]
    y = 0.3 + 0.2 * x + 0.3 * rng.normal(size=m)[CLUSTER] + rng.normal(size=k) * np.sqrt(variance)
    es = balm.EffectSizes(effect=y, variance=variance, study=[f"s{i}" for i in CLUSTER])
    return es, {"x": x, "z": z}


def slow(y: Any, x: Any, w: Any, tested: list[int], adjust: str, robust_f: Any) -> list[float]:
    """Every pattern of signs with the first cluster's held, fitted again with matrices."""
    kept = [j for j in range(x.shape[1]) if j not in tested]
    x0 = x[:, kept]
    b0 = np.linalg.inv(x0.T @ w @ x0) if kept else np.zeros((0, 0))
    fitted = x0 @ (b0 @ x0.T @ w @ y)
    e0, phi = y - fitted, np.linalg.inv(w)
    r = e0.copy()
    for c in range(len(SIZES)):
        i = np.flatnonzero(c == CLUSTER)
        part = phi[np.ix_(i, i)]
        if adjust == "CR3":
            r[i] = np.linalg.solve(np.eye(len(i)) - x0[i] @ b0 @ x0[i].T @ w[np.ix_(i, i)], e0[i])
        elif adjust == "CR2":
            d = np.linalg.cholesky(part).T
            roots, basis = np.linalg.eigh(d @ (part - x0[i] @ b0 @ x0[i].T) @ d.T)
            r[i] = d.T @ (basis / np.sqrt(roots)) @ basis.T @ d @ e0[i]
    patterns = itertools.product([1.0, -1.0], repeat=len(SIZES) - 1)
    return [robust_f(fitted + np.array((1.0, *f))[CLUSTER] * r) for f in patterns]


@pytest.mark.parametrize(
    ("adjust", "kind", "names"),
    [("CR0", "CR0", ("x",)), ("CR2", "CR2", ("x", "z")), ("CR3", "CR3", ("z",)), ("CR0", "CR1S", ("x", "z"))],
)
def test_all_signs_are_those_of_fits_one_by_one(adjust: str, kind: str, names: tuple[str, ...]) -> None:
    es, moderators = trials()
    fit = balm.meta_regression(es, moderators)
    tested = [fit.design.names.index(n) for n in names]

    def f_of(y: Any) -> float:
        again = balm.meta_regression(
            balm.EffectSizes(effect=y, variance=es.variance, study=es.study), moderators, tau2=float(fit.tau2)
        )
        found = balm.robust(again, "study", kind=kind)
        b = again.beta[tested]
        return float(b @ np.linalg.solve(found.scores.covariance[np.ix_(tested, tested)], b) / len(tested))

    w = np.diag(1.0 / (es.variance + fit.tau2))
    want = slow(es.effect, fit.design.matrix, w, tested, adjust, f_of)
    got = wild_bootstrap(fit, *names, adjust=adjust, kind=kind, keep=True)
    assert got.exact and got.replicates == 32 and got.distribution is not None
    assert np.sort(got.distribution) == pytest.approx(np.sort(want), rel=1e-9)
    assert got.statistic == pytest.approx(f_of(es.effect), rel=1e-10)
    assert got.p == sum(v >= got.statistic * (1.0 - 1e-8) for v in want) / 32.0
    if adjust == "CR0":  # without a flip the data come back
        assert np.min(np.abs(got.distribution - got.statistic)) < 1e-9


def test_a_multilevel_fit_serves_with_its_covariance() -> None:
    es, moderators = trials(5)
    fit = balm.multilevel(es, moderators, random="study/effect")
    between, within = (float(c.variances[0]) for c in fit.components)
    phi = np.diag(es.variance + within) + between * (CLUSTER[:, None] == CLUSTER[None, :])
    w, x = np.linalg.inv(phi), fit.design.matrix
    bread = np.linalg.inv(x.T @ w @ x)

    def f_of(y: Any) -> float:
        b = bread @ x.T @ w @ y
        e = y - x @ b
        scores = [bread @ x[i].T @ w[np.ix_(i, i)] @ e[i] for i in (np.flatnonzero(c == CLUSTER) for c in range(6))]
        return float(b[1] ** 2 / sum(s[1] ** 2 for s in scores))

    got = wild_bootstrap(fit, "x", adjust="CR2", keep=True)
    want = slow(es.effect, x, w, [1], "CR2", f_of)
    assert got.distribution is not None
    assert np.sort(got.distribution) == pytest.approx(np.sort(want), rel=1e-8)
    assert got.statistic == pytest.approx(f_of(es.effect), rel=1e-9)
    through = wild_bootstrap(balm.robust(fit, "study", kind="CR0"), "x", adjust="CR2")
    assert (through.p, through.statistic) == (got.p, got.statistic)


def test_a_mean_of_single_effects_is_a_sign_flip_test() -> None:
    y, v = np.array([0.5, 0.3, -0.1, 0.4, 0.9, 0.2]), np.array([0.02, 0.03, 0.02, 0.05, 0.04, 0.02])
    fit = balm.pool(balm.EffectSizes(effect=y, variance=v), model="common")
    got = wild_bootstrap(fit, cluster=np.arange(6), keep=True)
    w = 1.0 / v

    def f_of(flipped: Any) -> float:
        mean = np.sum(w * flipped) / np.sum(w)
        return float((mean * np.sum(w)) ** 2 / np.sum((w * (flipped - mean)) ** 2))

    every = [f_of(np.array(s) * y) for s in itertools.product([1.0, -1.0], repeat=6)]
    assert got.statistic == pytest.approx(f_of(y))
    assert got.p == np.mean([f >= got.statistic * (1.0 - 1e-8) for f in every])
    assert "p cannot fall below 0.031" in got.advice[0]


def test_contrasts_are_their_own_null() -> None:
    es, moderators = trials()
    fit = balm.meta_regression(es, moderators)
    named = wild_bootstrap(fit, "x", keep=True)
    asked = wild_bootstrap(fit, contrasts=[[0.0, 1.0, 0.0]], keep=True)
    scaled = wild_bootstrap(fit, contrasts=[[0.0, -3.0, 0.0]], keep=True)
    assert asked.distribution == pytest.approx(named.distribution, rel=1e-12)
    assert scaled.distribution == pytest.approx(named.distribution, rel=1e-9)
    whole = wild_bootstrap(fit)
    assert whole.tested == ("x", "z") and whole.df == 2
    turned = wild_bootstrap(fit, contrasts=[[0.0, 1.0, 1.0], [0.0, 1.0, -2.0]])
    assert (turned.p, turned.statistic) == (whole.p, pytest.approx(whole.statistic, rel=1e-10))


@pytest.mark.parametrize("weights", list(WEIGHTS))
def test_weights_have_mean_0_and_variance_1_and_repeat_with_their_seed(weights: str) -> None:
    f = np.concatenate(list(_draws(8, weights, 20_000, 11)))
    assert f.shape == (20_000, 8)
    assert abs(np.mean(f)) < 0.01 and abs(np.var(f) - 1.0) < 0.015
    third = {"mammen": 1.0}.get(weights, 0.0)
    assert abs(np.mean(f**3) - third) < 0.05
    es, moderators = trials()
    fit = balm.meta_regression(es, moderators)
    one, two = (wild_bootstrap(fit, "x", weights=weights, exact=False, replicates=500, seed=s) for s in (4, 4))
    assert one.p == two.p and one.seed == 4 and not one.exact and one.replicates == 500
    assert (one.p * 501) % 1 == pytest.approx(0.0, abs=1e-9) or (one.p * 501) % 1 == pytest.approx(1.0, abs=1e-9)
    assert one.monte_carlo_error == pytest.approx(math.sqrt(one.p * (1 - one.p) / 500))
    if weights in ("rademacher", "mammen"):
        assert "webb" in one.advice[0]


def test_draws_come_near_the_exact_p() -> None:
    es, moderators = trials()
    fit = balm.meta_regression(es, moderators)
    exact = wild_bootstrap(fit, "z")
    drawn = wild_bootstrap(fit, "z", exact=False, replicates=20_000, seed=2)
    assert abs(drawn.p - exact.p) < 5.0 * drawn.monte_carlo_error
    assert exact.monte_carlo_error == 0.0 and exact.seed is None


def test_words_and_values() -> None:
    es, moderators = trials()
    fit = balm.meta_regression(es, moderators)
    text = repr(wild_bootstrap(fit, "x", weights="webb", replicates=99, seed=3))
    assert "99 replicates of 6 clusters, webb weights" in text and "seed 3" in text
    assert "all 32 sign patterns" in repr(wild_bootstrap(fit, "x"))
    assert wild_bootstrap(fit, "x").to_dict()["tested"] == ["x"]


def test_what_cannot_be_done_is_said() -> None:
    es, moderators = trials()
    fit = balm.meta_regression(es, moderators)
    with pytest.raises(InputError, match="weights must be one of"):
        wild_bootstrap(fit, weights="coin")
    with pytest.raises(InputError, match="needs weights='rademacher'"):
        wild_bootstrap(fit, weights="webb", exact=True)
    with pytest.raises(InputError, match="no coefficient or term 'y'"):
        wild_bootstrap(fit, "y")
    with pytest.raises(InputError, match="not both"):
        wild_bootstrap(fit, "x", contrasts=[[0.0, 1.0, 0.0]])
    with pytest.raises(InputError, match="holds 3 numbers"):
        wild_bootstrap(fit, contrasts=[[0.0, 1.0]])
    with pytest.raises(InputError, match="repeat each other"):
        wild_bootstrap(fit, contrasts=[[0.0, 1.0, 0.0], [0.0, 2.0, 0.0]])
    with pytest.raises(InputError, match="rests on one cluster"):
        alone = {"one": (CLUSTER == 2).astype(float)}
        wild_bootstrap(balm.meta_regression(es, alone, intercept=False), "one")
    with pytest.raises(InputError, match="have no effect on a robust result"):
        wild_bootstrap(balm.robust(fit, "study", kind="CR0"), cluster=CLUSTER)
    with pytest.raises(InputError, match="the robust result has 'CR2'"):
        wild_bootstrap(balm.robust(fit, "study"))
    with pytest.raises(InputError, match="adjust='CR3' needs every cluster"):
        both = {"one": (CLUSTER == 2).astype(float), "x": moderators["x"]}
        wild_bootstrap(balm.meta_regression(es, both), "x", adjust="CR3")
    with pytest.raises(InputError, match="exact must be"):
        wild_bootstrap(fit, exact="yes")  # type: ignore[arg-type]
    big = balm.EffectSizes(effect=np.arange(30.0), variance=np.ones(30))
    with pytest.raises(InputError, match="536,870,912 sign patterns"):
        wild_bootstrap(balm.pool(big), cluster=np.arange(30), exact=True)
    with pytest.raises(InputError, match="replicates must be a whole number"):
        wild_bootstrap(balm.pool(big), cluster=np.arange(30), replicates=0)
