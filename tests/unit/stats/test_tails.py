"""Tails and quantiles for arrays are those for one number."""

from __future__ import annotations

import math

import numpy as np
import pytest

from balm.stats.distributions import chi2_sf, norm_sf, t_sf
from balm.stats.tails import LONGEST_TABLE, ManyTails, chi2_quantile, t_critical


@pytest.mark.parametrize(
    "df",
    [
        [3.0, 1.0, 3.0, 59.0],
        [0.0, 2.0],
        [2.5, 1.0],
        [math.inf, 4.0],
        [math.nan, 4.0],
        [-1.0, 4.0],
        [LONGEST_TABLE + 1.0, 4.0],
        [],
    ],
    ids=str,
)
def test_quantiles_of_an_array_are_those_of_its_numbers(df: list[float]) -> None:
    np.testing.assert_array_equal(ManyTails.critical(0.95, np.array(df)), [t_critical(0.95, d) for d in df])
    if df and min(df) > 0.0 and max(df) < math.inf:
        np.testing.assert_array_equal(ManyTails.chi2_quantile(0.2, np.array(df)), [chi2_quantile(0.2, d) for d in df])


def test_tails_of_chi_squared_without_the_kernel_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("balm.stats.tails._compiled", lambda *_: None)
    df = np.array([1, 2, 3, 4, 7, 30, 63, 64, 65, 200, 5, 2, 2.5, 1, 6])
    q = np.array([1e-8, 0.3, 2.0, 60.0, 0.0, 31.0, 500.0, 90.0, 70.0, 100.0, 650.0, 600.0, 3.0, 25.0, np.nan])
    exact = np.array([chi2_sf(float(x), float(d)) for x, d in zip(q[:-1], df[:-1], strict=True)])
    found = ManyTails.chi2_upper(q, df)
    np.testing.assert_allclose(found[:-1], exact, rtol=1e-13, atol=0.0)
    assert math.isnan(found[-1])


def test_tails_of_students_distribution_without_the_kernel_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("balm.stats.tails._compiled", lambda *_: None)
    df = np.repeat([1.0, 2.0, 3.0, 4.0, 7.0, 11.0, 30.0, 63.0, 64.0, 65.0, 200.0, 2.5], 7)
    t = np.tile([0.0, 1e-9, -0.4, 1.0, 1.9, -2.1, 40.0], 12)
    exact = np.array([2.0 * t_sf(abs(float(x)), float(d)) for x, d in zip(t, df, strict=True)])
    np.testing.assert_allclose(ManyTails.two_sided(t, df), exact, rtol=2e-13, atol=0.0)
    normal = ManyTails.two_sided(np.array([1.0, 2.0, np.nan, np.inf]), np.array([np.inf, 3.0, 3.0, 3.0]))
    assert normal[:2] == pytest.approx([2.0 * norm_sf(1.0), 2.0 * t_sf(2.0, 3.0)], rel=1e-14)
    assert math.isnan(normal[2]) and normal[3] == 0.0
