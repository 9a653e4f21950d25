"""Numbers as a reader sees them."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balm.vocabulary.numbers import (
    MINUS,
    estimates_all,
    fixed,
    fixed_all,
    interval,
    level,
    p_value,
    percent,
    plain,
    short,
)


@pytest.mark.parametrize(
    ("x", "digits", "text"),
    [
        (0.4867, 2, "0.49"),
        (-0.0049, 2, "0.00"),
        (-0.4, 0, "0"),
        (-1.5, 1, "-1.5"),
        (12345678.0, 2, "12345678.00"),
        (3.2e12, 2, "3.2e12"),
        (-3.25e-300, 2, "0.00"),
        (nan, 2, "not estimable"),
        (inf, 2, "∞"),
        (-inf, 2, "-∞"),
    ],
)
def test_fixed(x, digits, text):
    assert fixed(x, digits) == text


def test_the_typographic_minus():
    assert fixed(-1.234, minus=MINUS) == "−1.23"
    assert fixed(-0.001, minus=MINUS) == "0.00"
    assert interval(-1, 2, 1, minus=MINUS) == "[−1.0, 2.0]"


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.05, "P = 0.050"),
        (0.0994, "P = 0.099"),
        (0.0999, "P = 0.10"),
        (0.00099, "P < 0.001"),
        (0.001, "P = 0.001"),
        (0.0, "P < 0.001"),
        (1.0, "P > 0.99"),
        (0.99, "P = 0.99"),
        (nan, "P not estimable"),
    ],
)
def test_p_values(p, text):
    assert p_value(p) == text


def test_other_forms():
    assert [short(x) for x in (0.0, 0.31, 0.1, 0.0999, 0.00214, 3e-7, 12.0)] == [
        "0.00",
        "0.31",
        "0.10",
        "0.10",
        "0.0021",
        "<0.000001",
        "12.00",
    ]
    assert [plain(x) for x in (12.0, 0.5, -3.25, 100, 1e20, nan)] == ["12", "0.5", "-3.25", "100", "1e20", ""]
    assert interval(nan, 1) == "not estimable"
    assert percent(92.2) == "92%" and percent(nan) == "not estimable"
    assert [level(x) for x in (0.95, 0.9, 0.999, 0.29)] == ["95%", "90%", "99.9%", "29%"]


@given(st.floats(-1e8, 1e8), st.integers(0, 8))
def test_what_is_printed_is_the_number_rounded(x, digits):
    text = fixed(x, digits)
    assert abs(float(text) - x) <= 0.5000001 * 10.0**-digits + 1e-12 * abs(x)
    assert not text.startswith("-0.0") or float(text) != 0


ANY = st.one_of(st.floats(), st.floats(-5, 5), st.floats(-0.01, 0.01), st.floats(9e7, 2e8), st.just(-0.0))


@given(st.lists(ANY, max_size=8), st.integers(0, 6), st.sampled_from(["-", MINUS]))
def test_a_column_is_its_numbers_one_by_one(values, digits, minus):
    assert fixed_all(values, digits, minus=minus, missing="") == [
        fixed(x, digits, minus=minus, missing="") for x in values
    ]


@given(st.lists(st.tuples(ANY, ANY, ANY), max_size=6), st.integers(0, 6))
def test_estimates_with_their_intervals(rows, digits):
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], []]
    want = []
    for estimate, low, high in rows:
        text = fixed(estimate, digits, minus=MINUS)
        ends = estimate == estimate and low == low and high == high
        want.append(f"{text} {interval(low, high, digits, minus=MINUS)}" if ends else text)
    assert estimates_all(*columns, digits, minus=MINUS) == want
