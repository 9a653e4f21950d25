"""Axes: round ticks and positions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balm.plots.axis import linear_axis, log_axis, round_log_ticks, round_ticks
from balm.vocabulary.problems import InputError


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.1, 10, (0.1, 0.2, 0.5, 1, 2, 5, 10)),
        (0.01, 100, (0.01, 0.05, 0.2, 1, 5, 20, 100)),  # RevMan's usual axes
        (0.04, 30, (0.05, 0.2, 1, 5, 20)),
        (0.001, 1000, (0.001, 0.01, 0.1, 1, 10, 100, 1000)),
        (0.45, 1.4, (0.5, 0.7, 1)),
        (0.8, 1.3, (0.8, 0.9, 1, 1.1, 1.2, 1.3)),
    ],
)
def test_log_ticks_are_plain_numbers(low, high, ticks):
    assert round_log_ticks(low, high) == ticks


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(-10, 10, (-10, -5, 0, 5, 10)), (0, 1, (0, 0.2, 0.4, 0.6, 0.8, 1)), (-0.73, 1.2, (-0.5, 0, 0.5, 1))],
)
def test_linear_ticks(low, high, ticks):
    assert round_ticks(low, high) == ticks


def test_labels():
    axis = linear_axis(-1, 1, start=0, end=1)
    assert [axis.label(x) for x in (-0.5, 0, 0.1 + 0.2, 1000, 1e6, 2.5e-7)] == [
        "−0.5",
        "0",
        "0.3",
        "1000",
        "1e6",
        "2.5e−7",
    ]


def test_positions_are_kept_inside():
    axis = log_axis(0.1, 10, start=10, end=110)
    assert [axis.position(x) for x in (0.0, 0.1, 1, 10, 99, math.inf)] == pytest.approx([10, 10, 60, 110, 110, 110])
    assert axis.holds(1) and not axis.holds(11)


def test_bad_limits_are_named():
    with pytest.raises(InputError, match="above 0"):
        log_axis(0, 1, start=0, end=1)
    with pytest.raises(InputError, match="lower first"):
        linear_axis(2, 1, start=0, end=1)
    with pytest.raises(InputError, match="finite"):
        linear_axis(0, math.inf, start=0, end=1)


finite = st.floats(-1e12, 1e12, allow_nan=False)


@given(finite, finite)
def test_any_linear_axis_has_ticks_inside_and_in_order(a, b):
    axis = linear_axis(min(a, b), max(a, b), start=0, end=100)
    assert axis.low < axis.high
    assert list(axis.ticks) == sorted(set(axis.ticks)) and len(axis.ticks) <= 7
    assert all(-1e-6 <= axis.position(t) <= 100 + 1e-6 for t in axis.ticks)


@given(st.floats(-200, 200), st.floats(0, 400))
def test_any_log_axis_has_two_ticks_or_more(centre, width):
    axis = log_axis(math.exp(centre), math.exp(min(centre + width, 300)), start=0, end=100)
    assert list(axis.ticks) == sorted(set(axis.ticks)) and 2 <= len(axis.ticks) <= 8
