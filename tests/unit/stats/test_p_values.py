"""Combining and adjusting p values: uniform under the null, published cases, refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from balm.stats.p_values import ADJUSTMENTS, METHODS, adjust_p, combine_p
from balm.vocabulary.problems import InputError

#: The five p values of Becker (1994), Combining significance levels.
BECKER = [0.016, 0.067, 0.25, 0.405, 0.871]


def test_becker() -> None:
    assert combine_p(BECKER, method="fisher").statistic == pytest.approx(18.533, abs=5e-4)
    assert combine_p(BECKER, method="stouffer").statistic == pytest.approx(1.532, abs=5e-4)
    assert combine_p(BECKER, method="tippett").p == pytest.approx(1 - (1 - 0.016) ** 5, rel=1e-14)


@pytest.mark.parametrize("method", [m for m in METHODS if m != "harmonic"])
def test_one_p_value_stays_itself_and_the_null_is_uniform(method: str) -> None:
    r = 1 if method == "wilkinson" else None
    if method not in ("mean", "logit"):  # approximations, made for several p values
        assert combine_p([0.03], method=method, r=r).p == pytest.approx(0.03, rel=1e-9)
    rng = np.random.default_rng(11)
    found = [combine_p(p, method=method, r=r).p for p in rng.uniform(size=(1500, 6))]
    for level in (0.05, 0.5, 0.9):
        assert abs(np.mean(np.array(found) <= level) - level) < 4 * math.sqrt(level * (1 - level) / 1500)


def test_order_does_not_matter_and_tiny_values_survive() -> None:
    tiny = [1e-200, 0.5, 1e-30]
    for method in METHODS:
        r = 2 if method == "wilkinson" else None
        one, two = combine_p(tiny, method=method, r=r), combine_p(tiny[::-1], method=method, r=r)
        assert one.statistic == pytest.approx(two.statistic, rel=1e-12)
        assert method == "harmonic" or one.p > 0
    assert combine_p(tiny, method="cauchy").p == pytest.approx(3e-200, rel=1e-9)


def test_edgington_is_exact_for_many() -> None:
    # Sixty p values of one half: the sum is at its centre, so the combined p is one half, exactly.
    assert combine_p([0.5] * 60, method="edgington").p == 0.5


def test_weights() -> None:
    assert combine_p(BECKER, method="stouffer", weights=[2] * 5).p == pytest.approx(
        combine_p(BECKER, method="stouffer").p
    )
    leaning = combine_p(BECKER, method="stouffer", weights=[100, 1, 1, 1, 1])
    assert leaning.p == pytest.approx(0.016, abs=2e-3)


def test_adjustments_by_hand() -> None:
    p = [0.01, 0.04, 0.03, 0.005]
    assert adjust_p(p, method="bonferroni") == pytest.approx([0.04, 0.16, 0.12, 0.02])
    assert adjust_p(p, method="holm") == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjust_p(p, method="hochberg") == pytest.approx([0.03, 0.04, 0.04, 0.02])
    assert adjust_p(p, method="benjamini-hochberg") == pytest.approx([0.02, 0.04, 0.04, 0.02])
    harmonic = 1 + 1 / 2 + 1 / 3 + 1 / 4
    assert adjust_p(p, method="benjamini-yekutieli") == pytest.approx([x * harmonic for x in (0.02, 0.04, 0.04, 0.02)])
    assert adjust_p(p, method="sidak") == pytest.approx([1 - (1 - x) ** 4 for x in p])


@pytest.mark.parametrize("method", ADJUSTMENTS)
def test_adjusted_values_keep_order_and_stay_at_most_one(method: str) -> None:
    p = np.random.default_rng(2).uniform(1e-6, 1, 30)
    adjusted = np.array(adjust_p(p, method=method))
    assert np.all(adjusted >= p * (1 - 1e-12)) and np.all(adjusted <= 1)
    assert np.all(np.diff(adjusted[np.argsort(p)]) >= 0)


@pytest.mark.parametrize(
    ("p", "options", "message"),
    [
        ([0.1, 0.0], {}, r"p\[1\] must be above 0 and at most 1; got 0\.0"),
        ([0.1, math.nan], {}, r"p\[1\] must be above 0 and at most 1; got nan"),
        ([0.1, "<0.05"], {}, r"p\[1\] must be a number; got '<0\.05'"),
        ([0.1, None], {}, r"p\[1\] must be a number; got None"),
        (0.1, {}, r"p must be a list of p values; got 0\.1"),
        ([], {}, r"p must have at least 1 values; got 0"),
        ([0.1], {"method": "Fisher"}, r"method must be one of .*did you mean 'fisher'"),
        ([0.1], {"r": 1}, r"r does not apply to method 'fisher'"),
        ([0.1], {"method": "wilkinson"}, r"r is needed for method 'wilkinson'"),
        (
            [0.1],
            {"method": "wilkinson", "r": 2},
            r"r must be a whole number from 1 to the number of p values \(1\); got 2",
        ),
        ([0.1], {"weights": [1]}, r"weights do not apply to method 'fisher'"),
        ([0.1], {"method": "stouffer", "weights": [0]}, r"weights must be 1 numbers above 0"),
        ([1, 0.1], {"method": "logit"}, r"p must be below 1 for the logit method"),
        ([1, 0.1], {"method": "cauchy"}, r"p must be below 1 for the Cauchy method"),
    ],
)
def test_refused(p: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        combine_p(p, **options)
    with pytest.raises(InputError, match="method must be one of"):
        adjust_p([0.1], method="BH")
