"""Roots beside which the score hardly falls (two more nearly meet there): found to the digits that the data have.

Each set's restricted score has a single root at which its slope is 0.4 to 0.02 per cent of the expected information.
A root is shown by the sign of the exact score, in 40 digits, a little below and a little above it.
"""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from balm.stats import kernel
from balm.stats.diagnostics.gosh import gosh
from balm.stats.effect_sizes import EffectSizes
from balm.stats.permutation.refit import Arrangements, between_study_variance
from balm.stats.pooling.leave_one_out_many import leave_one_out_many
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pool_many import pool_many

#: Effects and variances, with the moderator where there is one.
MEANS = [
    ([0.8357147993, 0.4938314723, 2.4430412742, 0.6587695695], [0.0682, 0.1937, 0.4239, 0.0124]),
    ([-0.7629853962, -1.2200689146, -0.9570600468, 0.6477811004], [0.0473, 0.2747, 0.0297, 0.3685]),
    ([-4.27426209, -0.3860082253, 0.1680906735, -0.2407298575], [2.052, 0.0558, 0.0144, 0.3434]),
    ([0.3808366223, 0.2742977759, -5.4435937287, -0.6042501731], [0.1422, 0.0183, 3.5384, 0.0179]),
    ([-0.0626527958, -0.336672716, 0.9129407391, 0.0243998366], [0.0033, 0.0286, 0.1569, 0.0023]),
    ([1.4606367633, -4.5197681416, -1.2669793048, 0.9397331961], [0.0843, 8.1163, 2.1471, 0.0991]),
]  # fmt: skip
LINES = [
    ([-0.0995287567, 1.8244944932, -0.0458435486, 0.1471819191, -0.1872950241],
     [0.538, 0.5505, 0.0441, 0.0154, 0.1224], [0.76, 0.2, 1.66, -1.01, -1.8]),
    ([-0.0606982728, -1.5205536713, -2.6808269798, 0.7649221116, 0.1480294613],
     [0.0919, 0.1439, 1.0546, 1.9463, 0.0487], [-1.54, 1.0, -0.1, 1.58, -1.22]),
    ([1.5574292362, -0.2201314298, -0.5897550991, 0.4191806206, 0.1861808112],
     [0.3595, 0.2204, 4.0175, 0.0225, 0.0442], [0.64, -1.26, -1.0, 0.87, 0.95]),
    ([-0.7659715007, 0.7957179667, 4.2833882727, -1.2062191981, -0.0580056088],
     [0.3316, 0.2175, 2.7949, 0.0674, 0.9014], [-0.76, -1.98, -0.9, 0.78, -1.39]),
]  # fmt: skip
needs_kernel = pytest.mark.skipif(not kernel.available(), reason="the kernel was not built: no C compiler at install")


def score(y: list[float], v: list[float], x: list[float] | None, t: Any) -> Any:
    """y'PPy - tr P in 40 digits, the columns of the design made orthogonal one after the other."""
    with mpmath.workdps(40):
        w = [1 / (mpmath.mpf(a) + t) for a in v]
        columns = [[mpmath.mpf(1)] * len(y)] + ([] if x is None else [[mpmath.mpf(a) for a in x]])
        residual, trace, before = [mpmath.mpf(a) for a in y], sum(w), []
        for column in columns:
            for u in before:
                share = sum(a * b * c for a, b, c in zip(w, u, column, strict=True)) / sum(
                    a * b * b for a, b in zip(w, u, strict=True)
                )
                column = [c - share * b for b, c in zip(u, column, strict=True)]
            norm = sum(a * b * b for a, b in zip(w, column, strict=True))
            share = sum(a * b * c for a, b, c in zip(w, column, residual, strict=True)) / norm
            residual = [c - share * b for b, c in zip(column, residual, strict=True)]
            trace -= sum((a * b) ** 2 for a, b in zip(w, column, strict=True)) / norm
            before.append(column)
        return sum((a * b) ** 2 for a, b in zip(w, residual, strict=True)) - trace


def assert_roots(tau2: Any, sets: list[Any]) -> None:
    beside = []
    for found, (y, v, *x) in zip(tau2, sets, strict=True):
        low, high = (score(y, v, x[0] if x else None, mpmath.mpf(float(found)) * (1 + d)) for d in (-1e-9, 1e-9))
        beside += [] if low > 0 > high else [float(found)]
    assert not beside


def together(sets: list[Any]) -> tuple[Any, Any, Any]:
    y, v = (np.concatenate([s[i] for s in sets]) for i in (0, 1))
    return y, v, np.repeat(np.arange(len(sets)), len(sets[0][0]))


@pytest.mark.parametrize("compiled", [pytest.param(True, marks=needs_kernel), False])
def test_one_and_many_analyses(monkeypatch: pytest.MonkeyPatch, compiled: bool) -> None:
    if not compiled:
        monkeypatch.setattr("balm.stats.kernel.library", lambda: None)
    assert_roots([pool(EffectSizes(effect=y, variance=v)).tau2 for y, v in MEANS], MEANS)
    assert_roots(pool_many(*together(MEANS)).tau2, MEANS)
    y, v, group = together([([*y, 0.3], [*v, 0.1]) for y, v in MEANS])
    assert_roots(leave_one_out_many(y, v, group).tau2[4::5], MEANS)


@needs_kernel
def test_the_kernel_itself() -> None:
    """Without what is solved again in NumPy."""
    y, v, _ = together(MEANS)
    solved = kernel.solve(y, v, np.arange(0, len(y) + 1, 4), "REML")
    assert solved is not None and solved.residual.max() < kernel.LARGEST_RESIDUAL
    assert_roots(solved.tau2, MEANS)


@pytest.mark.parametrize("compiled", [pytest.param(True, marks=needs_kernel), False])
def test_subsets(monkeypatch: pytest.MonkeyPatch, compiled: bool) -> None:
    if not compiled:
        monkeypatch.setattr("balm.stats.kernel.library", lambda: None)
    for y, v in MEANS:
        cloud = gosh(pool(EffectSizes(effect=[*y, 0.3], variance=[*v, 0.1])))
        assert_roots(cloud.tau2[cloud.bits[:, 0] == 0b01111], [(y, v)])


@pytest.mark.parametrize("compiled", [pytest.param(True, marks=needs_kernel), False])
def test_permutations(monkeypatch: pytest.MonkeyPatch, compiled: bool) -> None:
    if not compiled:
        monkeypatch.setattr("balm.stats.permutation.refit.available", lambda: False)
    found = []
    for effect, variance, moderator in LINES:
        y, v, x = (np.array(column)[:, None] for column in (effect, variance, moderator))
        found.append(between_study_variance(Arrangements(y, v, (None, x), 1), "REML")[0])
    assert_roots(found, LINES)
