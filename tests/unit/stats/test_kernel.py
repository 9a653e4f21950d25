"""The compiled kernel gives the numbers of the NumPy path, on ordinary and on hard data."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from balm.stats import kernel
from balm.stats.distributions import chi2_sf, norm_sf, t_sf
from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling import compiled
from balm.stats.pooling.leave_one_out_many import leave_one_out_many
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pool_many import COLUMNS, pool_many
from balm.stats.pooling.prediction import PREDICTIONS

needs_kernel = pytest.mark.skipif(not kernel.available(), reason="the kernel was not built: no C compiler at install")


def batch(groups: int, seed: int, scale: float = 1.0) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    k = rng.integers(1, 40, groups)
    n = int(k.sum())
    v = np.exp(rng.normal(-2.0, 1.2, n))
    tau = np.where(rng.random(groups) < 0.35, 0.0, rng.uniform(0.05, 0.8, groups))
    y = rng.normal(0.3, np.sqrt(v + np.repeat(tau, k) ** 2))
    return y * scale, v * scale * scale, np.repeat(np.arange(groups), k)


def both(monkeypatch: pytest.MonkeyPatch, *data: Any, **options: Any) -> tuple[Any, Any]:
    fast = pool_many(*data, **options)
    with monkeypatch.context() as without:
        without.setattr("balm.stats.pooling.pool_many.can", lambda _, **__: False)
        slow = pool_many(*data, **options)
    return fast, slow


def test_ci_has_the_kernel() -> None:
    if os.environ.get("CI") and os.environ.get("BALM_KERNEL") != "off":
        assert kernel.available(), "the merge run must compare the kernel with NumPy; it was not built"


def agree(fast: Any, slow: Any, columns: tuple[str, ...]) -> None:
    for name in columns:
        a, b = getattr(fast, name), getattr(slow, name)
        assert np.array_equal(np.isnan(a), np.isnan(b)), name
        finite = np.isfinite(b)
        assert np.array_equal(a[~finite & ~np.isnan(b)], b[~finite & ~np.isnan(b)]), name
        worst = np.max(np.abs(a[finite] - b[finite]) / np.maximum(1.0, np.abs(b[finite])), initial=0.0)
        assert worst < 1e-10, (name, worst)


@needs_kernel
@pytest.mark.parametrize("tau2", ["DL", "REML", "ML", "PM", "EB"])
@pytest.mark.parametrize("inference", ["wald", "hartung-knapp", "hartung-knapp-guarded"])
def test_kernel_equals_numpy(monkeypatch: pytest.MonkeyPatch, tau2: str, inference: str) -> None:
    data = batch(1500, seed=len(tau2) + len(inference))
    fast, slow = both(monkeypatch, *data, tau2=tau2, inference=inference, tau2_interval="q-profile")
    agree(fast, slow, (*COLUMNS, "tau2_low", "tau2_high"))
    assert np.allclose(fast.weights, slow.weights, rtol=1e-10, equal_nan=True)


@needs_kernel
def test_a_profile_without_an_interval_of_tau2_goes_through_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    through = "balm.stats.pooling.pool_many._fill_compiled"
    original = pool_many.__globals__["_fill_compiled"]
    monkeypatch.setattr(through, lambda *a, **o: (asked.append(o), original(*a, **o)))
    fast, slow = both(monkeypatch, *batch(300, seed=3), tau2="REML", prediction="none", profile="revman5")
    assert asked == [{"ends": False}]
    agree(fast, slow, COLUMNS)


@needs_kernel
@pytest.mark.parametrize("scale", [1e-8, 1e-4, 1e4, 1e8])
def test_kernel_is_equivariant(scale: float) -> None:
    unit, scaled = (pool_many(*batch(400, seed=5, scale=s), tau2_interval="q-profile") for s in (1.0, scale))
    assert np.allclose(scaled.estimate, unit.estimate * scale, rtol=1e-9, atol=1e-12 * scale)
    for name in ("tau2", "tau2_high"):
        a, b = getattr(scaled, name) / scale**2, getattr(unit, name)
        assert np.allclose(a, b, rtol=1e-8, atol=1e-10, equal_nan=True), name


@needs_kernel
def test_results_do_not_depend_on_the_groups_beside_them() -> None:
    y, v, groups = batch(3000, seed=8)  # more studies than are brought into order at once
    options: dict[str, Any] = {"tau2": "REML", "inference": "hartung-knapp", "tau2_interval": "q-profile"}
    whole, cut = pool_many(y, v, groups, **options), int(np.searchsorted(groups, 1001))
    assert len(y) > 1 << 15
    halves = pool_many(y[:cut], v[:cut], groups[:cut], **options), pool_many(y[cut:], v[cut:], groups[cut:], **options)
    for name in (*COLUMNS, "tau2_low", "tau2_high"):
        joined = np.concatenate([getattr(half, name) for half in halves])
        assert joined.tobytes() == getattr(whole, name).tobytes(), name


@needs_kernel
def test_variances_far_apart_are_left_to_the_careful_path(monkeypatch: pytest.MonkeyPatch) -> None:
    y = np.array([0.1, 0.5, 0.9, 0.2, 0.4, 0.1])
    v = np.array([1e-12, 1.0, 1e3, 0.1, 0.2, 0.3])
    data = (y, v, [0, 0, 0, 1, 1, 1])
    fast, slow = both(monkeypatch, *data, tau2_interval="q-profile")
    assert fast.tau2[0] == slow.tau2[0]
    assert fast.se[0] == slow.se[0]


@needs_kernel
def test_several_maxima_are_resolved_by_the_likelihood() -> None:
    # Two precise studies agree and two others lie far out: the restricted likelihood has a maximum at 0 and one inside.
    y = np.array([0.0, 0.0, 3.0, -3.2, 0.05])
    v = np.array([0.001, 0.0012, 1.9, 2.0, 0.001])
    t = np.linspace(0.0, 8.0, 200_001)
    w = 1.0 / (v[:, None] + t)
    mu = (w * y[:, None]).sum(0) / w.sum(0)
    height = np.log(w).sum(0) - np.log(w.sum(0)) - (w * (y[:, None] - mu) ** 2).sum(0)
    best = t[height.argmax()]
    found = pool_many(y, v, np.zeros(5, dtype=int), tau2="REML").tau2[0]
    assert found == pytest.approx(best, abs=1e-4)


def test_options_the_kernel_does_not_know_go_to_numpy() -> None:
    from balm.stats.pooling.choices import choose

    asked = {"profile": None, "model": None, "prediction": None, "level": 0.95, "i2": None, "tau2_interval": None}
    for inference, tau2 in (("kenward-roger", "REML"), ("wald", "SJ"), ("profile-likelihood", "ML")):
        assert not compiled.can(choose(tau2=tau2, inference=inference, weighted=False, **asked))


@needs_kernel
def test_tails_keep_their_digits_far_out() -> None:
    rng = np.random.default_rng(3)
    df = rng.integers(1, 90, 600).astype(float)
    t = rng.normal(0.0, 1.0, 600) * 10.0 ** rng.uniform(-3.0, 2.0, 600)
    q = df * 10.0 ** rng.uniform(-2.0, 1.0, 600)
    p_t, p_q = kernel.tail("t_two_sided", df, t), kernel.tail("chi2_upper", df, q)
    for i in range(600):
        if p_t[i] >= 0.0:
            assert p_t[i] == pytest.approx(2.0 * t_sf(abs(t[i]), df[i]), rel=1e-12)
        if p_q[i] >= 0.0:
            assert p_q[i] == pytest.approx(chi2_sf(q[i], df[i]), rel=1e-12)
    assert (p_t >= 0.0).all()
    assert kernel.tail("t_two_sided", np.array([2.5, np.inf]), np.array([1.0, np.nan])).tolist() == [-1.0, -1.0]
    far = kernel.tail("chi2_upper", np.array([1.0, 2.0, 39.0, 58.0]), np.full(4, 1390.0))
    assert far == pytest.approx([chi2_sf(1390.0, d) for d in (1.0, 2.0, 39.0, 58.0)], rel=1e-12)
    normal = kernel.tail("t_two_sided", np.full(600, np.inf), t)
    for i in range(600):
        assert normal[i] == pytest.approx(2.0 * norm_sf(abs(t[i])), rel=1e-12)


@pytest.mark.parametrize("compiled_path", [True, False])
def test_no_other_tau2_has_a_higher_restricted_likelihood(monkeypatch: pytest.MonkeyPatch, compiled_path: bool) -> None:
    if not compiled_path:
        monkeypatch.setattr("balm.stats.pooling.pool_many.can", lambda _, **__: False)
    rng = np.random.default_rng(11)
    sizes = rng.integers(3, 12, 400)
    v = np.exp(rng.normal(-1.0, 1.5, int(sizes.sum())))
    y = rng.normal(0.0, np.sqrt(v * rng.uniform(0.2, 2.0, len(v))))  # near the border between none and some
    found = pool_many(y, v, np.repeat(np.arange(400), sizes), tau2="REML").tau2
    grid = np.concatenate(([0.0], np.geomspace(1e-4, 20.0, 400)))
    start = 0
    for size, tau2 in zip(sizes, found, strict=True):
        yi, vi = y[start : start + size], v[start : start + size]
        start += size
        w = 1.0 / (vi[:, None] + np.concatenate(([tau2], grid)))
        mu = (w * yi[:, None]).sum(0) / w.sum(0)
        height = np.log(w).sum(0) - np.log(w.sum(0)) - (w * (yi[:, None] - mu) ** 2).sum(0)
        assert height[0] >= height[1:].max() - 1e-9


@needs_kernel
def test_a_root_that_is_hard_to_find_is_found_all_the_same() -> None:
    # The restricted score almost touches zero near 0.07 (see test_heterogeneity): its Newton steps creep there.
    y, v = [0.20972506, 0.19592459, 1.64410432, 0.0], [0.49818462, 0.00747127, 0.37867452, 0.00497969]
    many = pool_many(y, v, ["a"] * 4)
    assert many.residual[0] < 1e-12
    assert many.tau2[0] == pytest.approx(pool(EffectSizes(effect=y, variance=v)).tau2, rel=1e-12)
    left = leave_one_out_many([*y, 0.3], [*v, 1e6], ["a"] * 5)
    assert left.tau2[4] == pytest.approx(many.tau2[0], rel=1e-6)


@needs_kernel
@pytest.mark.parametrize("tau2", ["REML", "ML", "PM", "EB"])
@pytest.mark.parametrize("inference", ["wald", "hartung-knapp", "hartung-knapp-guarded"])
def test_one_analysis_is_the_same_with_the_kernel_and_without(
    monkeypatch: pytest.MonkeyPatch, tau2: str, inference: str
) -> None:
    y, v, label = batch(60, seed=7)
    sizes = np.bincount(label)
    for group in np.flatnonzero(sizes > 1).tolist():
        es = EffectSizes(effect=y[label == group], variance=v[label == group])
        fast, slow = with_and_without(monkeypatch, es, tau2=tau2, inference=inference)
        np.testing.assert_allclose(fast, slow, rtol=1e-10, atol=1e-13)


def with_and_without(monkeypatch: pytest.MonkeyPatch, es: EffectSizes, **options: Any) -> list[list[float]]:
    """Every number of a fit and of its interval of tau2."""
    fits = []
    for library in (kernel.library, lambda: None):
        with monkeypatch.context() as patched:
            patched.setattr("balm.stats.kernel.library", library)
            fit = pool(es, **options)
            ends = fit.heterogeneity_interval("q-profile")
        numbers = [getattr(fit, name) for name in NUMBERS]
        fits.append([*numbers, *fit.interval, *fit.prediction_interval, *fit.weights, *ends.tau2, *ends.i2, *ends.h2])
    return fits


NUMBERS = ("estimate", "se", "statistic", "df", "p", "tau2", "tau2_se", "i2", "h2", "q", "q_df", "q_p", "k")
NUMBERS += ("log_likelihood", "prediction_df", "prediction_se")


@needs_kernel
@pytest.mark.parametrize("prediction", [name for name in PREDICTIONS if compiled.sums_suffice("wald", name)])
@pytest.mark.parametrize("inference", ["wald", "t", "hartung-knapp", "hartung-knapp-guarded"])
def test_every_plain_interval_is_the_same_with_the_kernel_and_without(
    monkeypatch: pytest.MonkeyPatch, inference: str, prediction: str
) -> None:
    y, v, label = batch(30, seed=8)
    sizes = np.bincount(label)
    i2 = "from-q" if "k-2" in prediction else None
    for group in np.flatnonzero(sizes > 1)[:6].tolist():
        es = EffectSizes(effect=y[label == group], variance=v[label == group])
        options = {"inference": inference, "prediction": prediction, "i2": i2, "level": 0.9}
        fast, slow = with_and_without(monkeypatch, es, **options)
        np.testing.assert_allclose(fast, slow, rtol=1e-10, atol=1e-13)


@needs_kernel
@pytest.mark.parametrize(
    ("effect", "variance"),
    [
        ([0.3, 0.3, 0.3], [0.1, 0.1, 0.1]),  # no residuals at all: a standard error of zero
        ([0.0, 0.0], [0.1, 0.2]),  # nor an effect: no statistic
        ([1e-30, 3e-30, 9e-30], [1e-60, 2e-60, 3e-60]),
        ([30.0, 31.0, 29.0, 30.5], [1e-4, 2e-4, 1e-4, 3e-4]),  # tails far out
        (np.linspace(-1.0, 1.0, 450), np.linspace(0.1, 0.2, 450)),  # more degrees of freedom than the tails are for
        ([0.2, 1.5, 0.4], [1e-5, 1.0, 0.5]),  # variances too far apart for plain sums
    ],
)
@pytest.mark.parametrize("inference", ["wald", "hartung-knapp"])
def test_edges_are_the_same_with_the_kernel_and_without(
    monkeypatch: pytest.MonkeyPatch, inference: str, effect: Any, variance: Any
) -> None:
    es = EffectSizes(effect=effect, variance=variance)
    fast, slow = with_and_without(monkeypatch, es, inference=inference)
    np.testing.assert_allclose(fast, slow, rtol=1e-10, atol=0.0)


@needs_kernel
def test_a_fit_at_once_keeps_its_interval_of_tau2_at_its_own_level_alone() -> None:
    es = EffectSizes(effect=[0.1, 0.5, 0.9, 0.2], variance=[0.02, 0.03, 0.02, 0.05])
    fit = pool(es)
    wider = fit.heterogeneity_interval(level=0.99).tau2
    assert wider.low < fit.heterogeneity_interval().tau2.low and fit.heterogeneity_interval().tau2.high < wider.high
    other = replace(fit, effects=es[:3], k=3)
    assert other.heterogeneity_interval() == pool(es[:3]).heterogeneity_interval()
