"""Tails and quantiles for arrays are those for one number."""

from __future__ import annotations

import math

import numpy as np
import pytest

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
