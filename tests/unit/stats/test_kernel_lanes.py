"""Subsets and one-moderator regressions in the kernel's lanes: the numbers of NumPy, on ordinary and on hard data."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from balm.stats import kernel
from balm.stats.diagnostics.gosh import gosh
from balm.stats.effect_sizes import EffectSizes
from balm.stats.permutation.permutation_test import permutation_test
from balm.stats.permutation.refit import Arrangements, between_study_variance, statistics
from balm.stats.pooling.pool import pool
from balm.stats.regression.meta_regression import meta_regression

pytestmark = pytest.mark.skipif(not kernel.available(), reason="the kernel was not built: no C compiler at install")
gosh_module = sys.modules["balm.stats.diagnostics.gosh"]


def worst(a: Any, b: Any) -> float:
    assert np.array_equal(np.isnan(a), np.isnan(b))
    finite = ~np.isnan(b)
    return float(np.max(np.abs(a[finite] - b[finite]) / np.maximum(1.0, np.abs(b[finite])), initial=0.0))


def studies(k: int, seed: int, tau: float = 0.4) -> EffectSizes:
    rng = np.random.default_rng(seed)
    v = np.exp(rng.normal(-2.0, 1.0, k))
    return EffectSizes(effect=rng.normal(0.2, np.sqrt(v + tau * tau)), variance=v)


@pytest.mark.parametrize("i2", ["from-tau2", "from-q"])
@pytest.mark.parametrize("tau2", ["DL", "REML", "ML", "PM", "EB"])
@pytest.mark.parametrize(("k", "subsets"), [(1, None), (2, None), (9, "all"), (10, "all"), (70, 300)])
def test_subsets_equal_numpy(monkeypatch, tau2, i2, k, subsets):
    fit = pool(studies(k, seed=k), tau2=tau2, i2=i2)
    fast = gosh(fit, subsets)
    monkeypatch.setattr(gosh_module, "solve_subsets", lambda *_: None)
    slow = gosh(fit, subsets)
    assert fast.k.tolist() == slow.k.tolist()
    for name in ("estimate", "tau2", "q", "i2", "h2"):
        assert worst(getattr(fast, name), getattr(slow, name)) < 1e-10, name


def test_subsets_with_two_maxima_take_the_higher(monkeypatch):
    es = EffectSizes(effect=[0.0, 0.0, 3.0, -3.2, 0.05, 2.9], variance=[0.001, 0.0012, 1.9, 2.0, 0.001, 1.7])
    fast = gosh(pool(es, tau2="REML"))
    monkeypatch.setattr(gosh_module, "solve_subsets", lambda *_: None)
    assert worst(fast.tau2, gosh(pool(es, tau2="REML")).tau2) < 1e-10


def arrangements(k: int, count: int, seed: int, *, own_effects: bool = False, hard: bool = False) -> Arrangements:
    rng = np.random.default_rng(seed)
    v = np.exp(rng.normal(-2.0, 2.5 if hard else 1.0, k))[:, None]
    x = rng.normal(0.0, 1.0, k)
    effect = rng.normal(0.0, np.sqrt(v + 0.05), (k, count) if own_effects else (k, 1))
    order = rng.random((k, count)).argsort(axis=0)
    return Arrangements(effect, v, (None, x[order] if not own_effects else x[:, None]), count)


@pytest.mark.parametrize("own_effects", [False, True])
@pytest.mark.parametrize("k", [3, 4, 7, 20])
@pytest.mark.parametrize("tau2", ["DL", "REML", "ML", "PM", "EB"])
def test_lines_equal_numpy(monkeypatch, tau2, k, own_effects):
    a = arrangements(k, 203, seed=k, own_effects=own_effects)
    origin = np.array([0.0, 3.0])
    for inference in ("wald", "hartung-knapp", "hartung-knapp-guarded"):
        fast = statistics(a, tau2, inference, 1, origin)
        with monkeypatch.context() as without:
            without.setattr("balm.stats.permutation.refit.available", lambda: False)
            slow = statistics(a, tau2, inference, 1, origin)
        assert worst(fast.tau2, slow.tau2) < 1e-10
        assert worst(fast.coefficients, slow.coefficients) < 1e-9 and worst(fast.omnibus, slow.omnibus) < 1e-9


@pytest.mark.parametrize("tau2", ["REML", "ML"])
def test_lines_with_several_maxima_take_the_highest(monkeypatch, tau2):
    several = 0
    for seed in range(12):
        a = arrangements(5, 400, seed=seed, own_effects=True, hard=True)
        fast = between_study_variance(a, tau2)
        with monkeypatch.context() as without:
            without.setattr("balm.stats.permutation.refit.available", lambda: False)
            slow = between_study_variance(a, tau2)
        several += int((slow > 0.0).sum())
        assert worst(fast, slow) < 1e-10
    assert several > 500


def test_results_do_not_depend_on_which_regressions_share_the_lanes():
    a = arrangements(7, 203, seed=1)
    whole = between_study_variance(a, "REML")
    for part in (slice(0, 1), slice(3, 12), slice(100, 203)):
        chosen = np.zeros(203, dtype=bool)
        chosen[part] = True
        assert between_study_variance(a.select(chosen), "REML").tolist() == whole[part].tolist()


def test_an_exact_test_is_the_same_either_way(monkeypatch):
    fit = meta_regression(studies(6, seed=3), np.array([1.0, 2.0, 3.0, 4.0, 5.0, 2005.0]), inference="wald")
    fast = permutation_test(fit, keep=True)
    monkeypatch.setattr("balm.stats.permutation.refit.available", lambda: False)
    slow = permutation_test(fit, keep=True)
    assert [t.p for t in fast.tests] == [t.p for t in slow.tests] and fast.rearranged == 720
    assert worst(fast.distribution, slow.distribution) < 1e-9
