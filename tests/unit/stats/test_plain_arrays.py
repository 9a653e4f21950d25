"""Each function of the plain arrays against NumPy's, infinities, ``nan`` and empty arrays included."""

from __future__ import annotations

import math

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from balm.stats import plain_arrays as plain

values = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 2.0])
lists = st.lists(values, min_size=1, max_size=12)

ELEMENTWISE = [
    "sqrt",
    "cbrt",
    "exp",
    "expm1",
    "log",
    "log1p",
    "sin",
    "cos",
    "tanh",
    "arcsin",
    "arctanh",
    "isfinite",
    "isnan",
    "isinf",
    "floor",
    "sign",
    "abs",
]
PAIRS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**2": lambda a, b: a**2,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "-a": lambda a, b: -a,
    "~": lambda a, b: ~(a != b),
    "|": lambda a, b: (a > 0.0) | (b > 0.0),
    "&": lambda a, b: (a > 0.0) & (b > 0.0),
    "mask": lambda a, b: a[b > 0.0],
    "1-a": lambda a, b: 1.0 - a,
    "1/a": lambda a, b: 1.0 / a,
}


def same(got, want):
    got, want = (x.tolist() if hasattr(x, "tolist") else x for x in (got, want))
    got, want = (x if isinstance(x, list) else [x] for x in (got, want))
    assert len(got) == len(want)
    for a, b in zip(got, want, strict=True):
        assert a == b or (a != a and b != b) or math.isclose(a, b, rel_tol=1e-14, abs_tol=1e-300), (got, want)


@pytest.mark.parametrize("name", ELEMENTWISE)
@given(given=lists)
def test_functions_value_by_value(name, given):
    with numpy.errstate(all="ignore"):
        want = getattr(numpy, name)(numpy.array(given))
        alone = getattr(numpy, name)(numpy.float64(given[0]))
    same(getattr(plain, name)(plain.array(given)), want)
    same(getattr(plain, name)(given[0]), alone)


@pytest.mark.parametrize("name", PAIRS)
@given(data=st.data())
def test_operators(name, data):
    a = data.draw(lists)
    b = data.draw(st.lists(values, min_size=len(a), max_size=len(a)))
    with numpy.errstate(all="ignore"):
        want = PAIRS[name](numpy.array(a), numpy.array(b))
    same(PAIRS[name](plain.array(a), plain.array(b)), want)


@given(base=lists, power=st.sampled_from([-2.0, -1.0, -0.5, 0.5, 3, 2]))
def test_powers(base, power):
    with numpy.errstate(all="ignore"):
        want = numpy.array(base) ** power
    same(plain.array(base) ** power, want)


@given(data=st.data())
def test_choosing(data):
    a = data.draw(lists)
    b = data.draw(st.lists(values, min_size=len(a), max_size=len(a)))
    p, q, x, y = plain.array(a), plain.array(b), numpy.array(a), numpy.array(b)
    same(plain.where(p > q, p, 0.0), numpy.where(x > y, x, 0.0))
    same(plain.maximum(p, q), numpy.maximum(x, y))
    same(plain.minimum(p, 0.5), numpy.minimum(x, 0.5))
    same(plain.clip(p, -1.0, 1.0), numpy.clip(x, -1.0, 1.0))
    same(plain.flatnonzero(p > q), numpy.flatnonzero(x > y))
    same(plain.concatenate([p, q]), numpy.concatenate([x, y]))
    same(p.min(), x.min())
    same(p.max(), x.max())
    same(plain.all(p > q), numpy.all(x > y))
    same(p[1:], x[1:])
    same(plain.zeros_like(p > q), numpy.zeros_like(x > y))
    assert plain.asarray(p, dtype=plain.float64) is p


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_sums_are_at_least_as_exact(given):
    size = math.fsum(abs(v) for v in given)
    a, x = plain.array(given), numpy.array(given)
    assert a.sum() == pytest.approx(float(x.sum()), rel=0, abs=1e-14 * size)
    assert a.dot(a) == pytest.approx(float(x.dot(x)), rel=1e-14)
    assert plain.sum([a, a], axis=0).tolist() == numpy.sum([x, x], axis=0).tolist()
    assert plain.mean(a) == pytest.approx(float(x.mean()), rel=0, abs=1e-14 * size)


def test_numbers_without_axes():
    x = plain.asarray(0.5)
    assert x.ndim == 0
    assert float(x) == 0.5
    assert (2.0 * x).ndim == 0
    assert plain.where(x < 1.0, x, 0.0).tolist() == 0.5
    assert (x + plain.array([1.0, 2.0])).tolist() == [1.5, 2.5]


def test_what_is_not_here_is_said():
    for wrong in (lambda: plain.zeros((2, 2)), lambda: plain.array([[1.0]]), lambda: plain.ones(plain.MOST + 1)):
        with pytest.raises(plain.NeedsNumPy):
            wrong()
    with pytest.raises(plain.NeedsNumPy):
        numpy.asarray(plain.array([1.0]))
    with pytest.raises(plain.NeedsNumPy):
        plain.array([1.0]) + numpy.ones(1)


def test_writing_into_an_array():
    x = plain.zeros(4)
    x[1] = 2.0
    x[[0, 3]] = 1.0
    x[plain.array([False, False, True, False])] = 7.0
    assert x.tolist() == [1.0, 2.0, 7.0, 1.0]
    x[:] = 0.0
    assert not x.any()
