"""Leave-one-out of many analyses: the numbers of one at a time, with and without the kernel, whatever the chunks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from balm.stats import kernel
from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling import leave_one_out_many as module
from balm.stats.pooling.leave_one_out import leave_one_out
from balm.stats.pooling.pool import pool
from balm.vocabulary.problems import InputError

leave_one_out_many = module.leave_one_out_many
needs_kernel = pytest.mark.skipif(not kernel.available(), reason="the kernel was not built: no C compiler at install")


def batch(groups: int, seed: int, most: int = 12) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    k = rng.integers(1, most, groups)
    n = int(k.sum())
    v = np.exp(rng.normal(-2.0, 1.0, n))
    tau = np.where(rng.random(groups) < 0.35, 0.0, rng.uniform(0.05, 0.8, groups))
    return rng.normal(0.3, np.sqrt(v + np.repeat(tau, k) ** 2)), v, np.repeat(np.arange(groups), k)


def same(a: Any, b: Any, tolerance: float = 1e-10) -> None:
    for name in module.COLUMNS:
        x, y = getattr(a, name), getattr(b, name)
        assert np.array_equal(np.isnan(x), np.isnan(y)), name
        finite = np.isfinite(y)
        assert np.array_equal(x[~finite & ~np.isnan(y)], y[~finite & ~np.isnan(y)]), name
        worst = np.max(np.abs(x[finite] - y[finite]) / np.maximum(1.0, np.abs(y[finite])), initial=0.0)
        assert worst < tolerance, (name, worst)
    assert a.k.tolist() == b.k.tolist() and a.reasons == b.reasons


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"tau2": "DL", "inference": "wald"},
        {"tau2": "SJ", "inference": "hartung-knapp"},
        {"model": "common"},
        {"tau2": 0.05, "inference": "t"},
        {"inference": "kenward-roger"},
        {"profile": "revman5", "level": 0.9},
    ],
)
def test_every_row_is_that_of_leaving_one_out_of_its_analysis(options):
    y, v, g = batch(25, seed=3)
    many = leave_one_out_many(y, v, g, **options)
    for i in range(25):
        rows = np.flatnonzero(g == i)
        one = leave_one_out(pool(EffectSizes(effect=y[rows], variance=v[rows]), **options))
        for ours, theirs in (("estimate", "estimate"), ("se", "se"), ("ci_low", "low"), ("ci_high", "high")):
            assert getattr(many, ours)[rows] == pytest.approx(getattr(one, theirs), rel=1e-9, abs=1e-9, nan_ok=True)
        if len(rows) > 2:
            for name in ("statistic", "p", "tau2", "i2", "h2", "q", "q_p"):
                assert getattr(many, name)[rows] == pytest.approx(getattr(one, name), rel=1e-8, abs=1e-9), name


@needs_kernel
@pytest.mark.parametrize("tau2", ["DL", "REML", "ML", "PM", "EB"])
@pytest.mark.parametrize("inference", ["wald", "hartung-knapp", "hartung-knapp-guarded"])
def test_kernel_equals_numpy(monkeypatch, tau2, inference):
    data = batch(300, seed=len(inference), most=30)
    fast = leave_one_out_many(*data, tau2=tau2, inference=inference)
    monkeypatch.setattr(module.compiled, "can", lambda _, **__: False)
    same(fast, leave_one_out_many(*data, tau2=tau2, inference=inference))


@needs_kernel
def test_variances_far_apart_are_left_to_the_careful_path(monkeypatch):
    y, v, g = batch(40, seed=8)
    v[np.flatnonzero(g == 7)[0]] = 1e-13
    fast = leave_one_out_many(y, v, g)
    monkeypatch.setattr(module.compiled, "can", lambda _, **__: False)
    slow = leave_one_out_many(y, v, g)
    same(fast, slow)
    assert fast.se[g == 7] == pytest.approx(slow.se[g == 7], rel=1e-13)


def test_results_do_not_depend_on_chunks_or_on_the_order_of_rows(monkeypatch):
    y, v, g = batch(60, seed=4)
    whole = leave_one_out_many(y, v, g)
    shuffled = np.random.default_rng(1).permutation(len(y))
    other = leave_one_out_many(y[shuffled], v[shuffled], g[shuffled])
    assert other.row.tolist() == list(range(len(y))) and other.group.tolist() == g[shuffled].tolist()
    for name in ("estimate", "tau2", "p", "q_p"):
        assert getattr(other, name) == pytest.approx(getattr(whole, name)[shuffled], rel=1e-9, abs=1e-12, nan_ok=True)
    monkeypatch.setattr(module, "LANES", 7)
    monkeypatch.setattr(module, "TABLE", 64)
    same(leave_one_out_many(y, v, g), whole, 1e-11)
    monkeypatch.setattr(module.compiled, "can", lambda _, **__: False)
    same(leave_one_out_many(y, v, g), whole)


def test_one_and_two_studies_say_why():
    left = leave_one_out_many([0.1, 0.4, 0.9], [0.04, 0.09, 0.01], ["a", "b", "b"])
    assert math.isnan(left.estimate[0]) and "no study is left" in left.reasons[0]
    assert left.estimate[1:].tolist() == [0.9, 0.4] and left.se[1:] == pytest.approx([0.1, 0.3])
    assert np.isnan(left.tau2).all() and set(left.reasons) == {0, 1, 2}
    assert left.k.tolist() == [0, 1, 1]
    assert len(left.to_frame()) == 3 and "3 left-out studies" in repr(left)


def test_rows_that_cannot_be_used_are_named_or_marked():
    data = ([0.1, 0.2, 0.3, 0.4, 0.5], [0.1, 0.1, 0.1, -1.0, 0.1], ["a", "a", "a", "b", "b"])
    with pytest.raises(InputError, match="group b: variance -1 is not positive"):
        leave_one_out_many(*data)
    marked = leave_one_out_many(*data, invalid="mark")
    assert np.isfinite(marked.estimate[:3]).all() and np.isnan(marked.estimate[3:]).all()
    assert "row 4" in marked.reasons[4]
    with pytest.raises(InputError, match="one column each"):
        leave_one_out_many([0.1], [0.1, 0.2], ["a"])
