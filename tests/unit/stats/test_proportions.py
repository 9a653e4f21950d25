"""Intervals of one proportion: published values, coverage counted exactly, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from balm.stats.proportions import METHODS, proportion_interval
from balm.vocabulary.problems import InputError

#: Newcombe (1998), table I: 81/263, 15/148, 0/20, 1/29.
NEWCOMBE = {
    "wald": [(0.2522, 0.3638), (0.0527, 0.1500), (0.0, 0.0), (0.0, 0.1009)],
    "wald-corrected": [(0.2503, 0.3657), (0.0494, 0.1534), (0.0, 0.025), (0.0, 0.1181)],
    "wilson": [(0.2553, 0.3662), (0.0624, 0.1605), (0.0, 0.1611), (0.0061, 0.1718)],
    "wilson-corrected": [(0.2535, 0.3682), (0.0598, 0.1644), (0.0, 0.2005), (0.0018, 0.1963)],
    "clopper-pearson": [(0.2527, 0.3676), (0.0578, 0.1617), (0.0, 0.1684), (0.0009, 0.1776)],
}


@pytest.mark.parametrize("method", NEWCOMBE)
def test_newcombe_1998_table_1(method):
    found = proportion_interval([81, 15, 0, 1], [263, 148, 20, 29], method=method)
    for low, high, (want_low, want_high) in zip(found.low, found.high, NEWCOMBE[method], strict=True):
        assert low == pytest.approx(want_low, abs=5e-5)
        assert high == pytest.approx(want_high, abs=5e-5)


@pytest.mark.parametrize("method", METHODS)
def test_counting_the_other_outcome_turns_the_interval_round(method):
    n = 17
    events = np.arange(n + 1)
    one, other = (proportion_interval(x, np.full(n + 1, n), method=method) for x in (events, n - events))
    np.testing.assert_allclose(one.low, 1 - other.high, atol=1e-14)
    assert (one.low <= one.proportion).all() and (one.proportion <= one.high).all()


def test_the_exact_interval_covers_at_its_level_everywhere():
    n = 12
    found = proportion_interval(np.arange(n + 1), np.full(n + 1, n), method="clopper-pearson", level=0.9)
    for p in np.linspace(0.01, 0.99, 99):
        chance = [math.comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(n + 1)]
        covered = sum(c for c, low, high in zip(chance, found.low, found.high, strict=True) if low <= p <= high)
        assert covered >= 0.9 - 1e-12


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"events": 3, "n": 2}, r"events must be a whole number from 0 to n \(2\); got 3"),
        ({"events": -1, "n": 2}, "got -1"),
        ({"events": 0.5, "n": 2}, "got 0.5"),
        ({"events": math.nan, "n": 2}, "got nan"),
        ({"events": 0, "n": 0}, "n must be a whole number of 1 or more; got 0"),
        ({"events": [1, 2], "n": [3]}, "one length"),
        ({"events": 1, "n": 2, "method": "Wilson"}, "did you mean 'wilson'"),
        ({"events": 1, "n": 2, "level": 95}, "level must lie between 0 and 1"),
    ],
)
def test_what_is_no_proportion_is_refused_by_name(given, why):
    with pytest.raises(InputError, match=why):
        proportion_interval(**given)
