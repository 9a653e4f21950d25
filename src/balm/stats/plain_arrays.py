"""The part of NumPy that one analysis uses, on lists of Python's floats; see :mod:`balm.stats.arrays`.

Functions and methods are called as NumPy's and give what NumPy gives under ``errstate(all="ignore")``: division by zero
is infinite or ``nan``, a logarithm of a negative number is ``nan``. Sums are rounded once (``math.fsum``). What is not
here does not exist, and is an error that sends the caller to NumPy.

>>> y = array([1.0, 3.0, 8.0])
>>> (y[y > 2.0] - y.sum()).tolist(), (y / 0.0).tolist()
([-9.0, -4.0], [inf, inf, inf])
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from balm.stats.arrays import NeedsNumPy
from balm.vocabulary.quick_dataclass import dataclass

#: Beyond this many studies NumPy's start is soon repaid.
MOST = 2000

inf, nan, pi = math.inf, math.nan, math.pi

#: NumPy's kinds of scalars: nothing is an instance of them here.
integer = floating = generic = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of values: NumPy's letter for it, and the type that makes one."""

    kind: str
    type: Callable[[Any], Any]

    def __call__(self, value: Any) -> Any:
        return self.type(value)


float64, bool_, int64 = Kind("f", float), Kind("b", bool), Kind("i", int)
_KINDS = {float: float64, bool: bool_, int: int64}


class Vector:
    """A one-dimensional array; or, with ``ndim`` 0, a number that NumPy would hold as an array without axes."""

    __hash__ = None  # type: ignore[assignment]
    __slots__ = ("ndim", "values")

    def __init__(self, values: list[Any], ndim: int = 1) -> None:
        if len(values) > MOST:
            raise NeedsNumPy(f"{len(values)} values")
        self.values = values
        self.ndim = ndim

    # What it holds

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    def __repr__(self) -> str:
        return f"array({self.tolist()})"

    def __float__(self) -> float:
        (value,) = self.values
        return float(value)

    def __bool__(self) -> bool:
        (value,) = self.values
        return bool(value)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise NeedsNumPy("a function of another library")

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.values),) if self.ndim else ()

    @property
    def size(self) -> int:
        return len(self.values)

    @property
    def dtype(self) -> Any:
        return _KINDS[type(self.values[0])] if self.values else float64

    def tolist(self) -> Any:
        return list(self.values) if self.ndim else self.values[0]

    def copy(self) -> Vector:
        return Vector(list(self.values), self.ndim)

    def ravel(self) -> Vector:
        return Vector(self.values)

    def reshape(self, shape: tuple[int, ...]) -> Vector:
        if math.prod(shape) != len(self.values) or len(shape) > 1:
            raise NeedsNumPy("a matrix")
        return Vector(self.values, len(shape))

    def astype(self, kind: Any) -> Vector:
        return Vector([kind(value) for value in self.values], self.ndim)

    def setflags(self, **_: Any) -> None:
        """Nothing: these live for one analysis, and nothing writes into them."""

    def __getitem__(self, where: Any) -> Any:
        if isinstance(where, int):
            return self.values[where]
        if isinstance(where, slice):
            return Vector(self.values[where])
        return Vector([self.values[i] for i in _positions(where)])

    def __setitem__(self, where: Any, value: Any) -> None:
        if isinstance(where, slice):
            where = range(*where.indices(len(self.values)))
        places = [where] if isinstance(where, int) else _positions(where)
        given = value.values if isinstance(value, Vector) else [value] * len(places)
        for i, one in zip(places, given, strict=True):
            self.values[i] = one

    # Over all values

    def sum(self) -> Any:
        return _total(self.values)

    def dot(self, other: Vector) -> Any:
        return _total(list(map(operator.mul, self.values, _beside(self, other))))

    __matmul__ = dot

    def min(self) -> Any:
        return _extreme(min, self.values)

    def max(self) -> Any:
        return _extreme(max, self.values)

    def argmin(self) -> int:
        return self.values.index(min(self.values))

    def all(self) -> bool:
        return builtins.all(self.values)

    def any(self) -> bool:
        return any(self.values)

    # Value by value

    def __neg__(self) -> Vector:
        return Vector([-a for a in self.values], self.ndim)

    def __abs__(self) -> Vector:
        return Vector([builtins.abs(a) for a in self.values], self.ndim)

    def __invert__(self) -> Vector:
        return Vector([not a for a in self.values], self.ndim)


def _positions(where: Any) -> Sequence[int]:
    chosen = list(where)
    if chosen and isinstance(chosen[0], bool):
        return [i for i, yes in enumerate(chosen) if yes]
    return chosen


def _beside(a: Vector, b: Any) -> list[Any]:
    """The values of ``b`` for each of ``a``."""
    if isinstance(b, Vector):
        if len(b.values) == len(a.values):
            return b.values
        if len(b.values) == 1:
            return b.values * len(a.values)
        raise ValueError(f"operands of lengths {len(a)} and {len(b)}")
    if isinstance(b, (float, int)):
        return [b] * len(a.values)
    raise NeedsNumPy(f"an operation with {type(b).__name__}")


def _both(f: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    """``f`` value by value, a single value standing beside many."""
    if not isinstance(a, Vector):
        if not isinstance(b, Vector):
            return f(a, b)
        return Vector(list(map(f, _beside(b, a), b.values)), b.ndim)
    if isinstance(b, Vector) and (len(b.values) > len(a.values) or b.ndim > a.ndim):
        return Vector(list(map(f, _beside(b, a), b.values)), b.ndim)
    return Vector(list(map(f, a.values, _beside(a, b))), a.ndim)


def _divided(a: float, b: float) -> float:
    try:
        return a / b
    except ZeroDivisionError:
        return math.nan if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1.0, b)


def _power(a: float, b: float) -> float:
    if b == 2:
        return a * a
    if b == 0.5:  # NumPy takes the root, which minus infinity does not have
        return math.sqrt(a) if a >= 0.0 else math.nan
    try:
        return math.pow(a, b)
    except OverflowError:
        return math.copysign(math.inf, a) if b % 2 == 1 else math.inf
    except ValueError:
        if a != 0:
            return math.nan
        return math.copysign(math.inf, a) if b % 2 == 1 else math.inf


def _operators() -> None:
    """Both spellings of each operator: the vector on the left, and on the right of a number."""
    for name, f in (
        ("add", operator.add),
        ("sub", operator.sub),
        ("mul", operator.mul),
        ("truediv", _divided),
        ("pow", _power),
        ("and", operator.and_),
        ("or", operator.or_),
        ("mod", operator.mod),
    ):
        setattr(Vector, f"__{name}__", lambda self, other, f=f: _both(f, self, other))
        setattr(Vector, f"__r{name}__", lambda self, other, f=f: _both(f, other, self))
    for f in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne):
        setattr(Vector, f"__{f.__name__}__", lambda self, other, f=f: _both(f, self, other))


_operators()
ndarray = Vector


def _total(values: list[Any]) -> Any:
    try:
        return math.fsum(values)
    except (ValueError, OverflowError):  # infinities of both signs, or beyond the largest number
        return float(builtins.sum(values))


def _extreme(pick: Callable[[Iterable[Any]], Any], values: list[Any]) -> Any:
    return math.nan if any(a != a for a in values) else pick(values)


# Making arrays


def array(given: Any, dtype: Any = None) -> Vector:
    """A new array of a number, a sequence of numbers or another array."""
    if isinstance(given, (int, float)):
        return Vector([given if dtype is None else dtype(given)], 0)
    values = list(given)
    if dtype is not None:
        values = [dtype(value) for value in values]
    elif any(isinstance(value, float) for value in values):
        values = [float(value) for value in values]
    if values and not isinstance(values[0], (int, float)):
        raise NeedsNumPy("a matrix, or an array of something else than numbers")
    return Vector(values, given.ndim if isinstance(given, Vector) else 1)


def asarray(given: Any, dtype: Any = None) -> Vector:
    """An array itself, or a new one."""
    return given if isinstance(given, Vector) and dtype in (None, given.dtype) else array(given, dtype)


def full(k: int, value: Any, dtype: Any = None) -> Vector:
    """``k`` times ``value``."""
    return Vector([value if dtype is None else dtype(value)] * _length(k))


def zeros(k: int, dtype: Any = float) -> Vector:
    """``k`` zeros."""
    return Vector([dtype(0)] * _length(k))


def ones(k: int, dtype: Any = float) -> Vector:
    """``k`` ones."""
    return Vector([dtype(1)] * _length(k))


def _length(k: Any) -> int:
    if not isinstance(k, int):
        raise NeedsNumPy("a matrix")
    return k


def full_like(x: Vector, value: Any) -> Vector:
    """``value`` in the shape of ``x``."""
    return Vector([float(value)] * len(x), x.ndim)


def zeros_like(x: Vector) -> Vector:
    """Zeros (or False) in the shape of ``x``."""
    return Vector([x.dtype(0)] * len(x), x.ndim)


def ones_like(x: Vector) -> Vector:
    """Ones (or True) in the shape of ``x``."""
    return Vector([x.dtype(1)] * len(x), x.ndim)


def arange(*ends: float) -> Vector:
    """``start, start + step ...`` below ``stop``."""
    if len(ends) == 1:
        return Vector(list(range(int(ends[0]))))
    start, stop, step = (*ends, 1)[:3]
    return Vector([start + i * step for i in range(max(math.ceil((stop - start) / step), 0))])


def broadcast_to(x: Vector, shape: tuple[int]) -> Vector:
    """One number for every row."""
    return x if len(x) == shape[0] else Vector(x.values * shape[0])


def concatenate(parts: Iterable[Vector]) -> Vector:
    """One after the other."""
    return Vector([value for part in parts for value in part])


# Choosing


def where(condition: Any, yes: Any, no: Any) -> Any:
    """``yes`` where the condition holds, else ``no``."""
    if not isinstance(condition, Vector):
        return yes if condition else no
    chosen = zip(condition.values, _beside(condition, yes), _beside(condition, no), strict=True)
    return Vector([a if c else b for c, a, b in chosen], condition.ndim)


def flatnonzero(x: Vector) -> Vector:
    """The positions that are not 0 (or False)."""
    return Vector([i for i, value in enumerate(x) if value])


def count_nonzero(x: Vector) -> int:
    """How many are not 0 (or False)."""
    return len(flatnonzero(x))


def unique(x: Vector, return_inverse: bool = False) -> Any:
    """The distinct values in order, and where each value of ``x`` stands among them."""
    distinct = sorted(set(x))
    place = {value: i for i, value in enumerate(distinct)}
    return (Vector(distinct), Vector([place[value] for value in x])) if return_inverse else Vector(distinct)


def errstate(**_: Any) -> AbstractContextManager[None]:
    """Nothing warns here."""
    return nullcontext()


# Over all values


def sum(x: Any, axis: Any = None) -> Any:
    """The sum of an array; of a list of arrays with ``axis=0``, their sum row by row."""
    if axis is None:
        return x.sum() if isinstance(x, Vector) else _total(list(x))
    return Vector([_total(list(row)) for row in zip(*x, strict=True)])


def mean(x: Vector) -> Any:
    """The mean."""
    return x.sum() / len(x)


def all(x: Any) -> bool:
    """True where every value is."""
    return x.all() if isinstance(x, Vector) else bool(x)


class add:
    """``np.add.reduce``."""

    reduce = staticmethod(sum)


class logical_or:
    """``np.logical_or.reduce``."""

    @staticmethod
    def reduce(parts: Sequence[Vector]) -> Vector:
        """Row by row, whether one of them is true."""
        return Vector([True in row for row in zip(*parts, strict=True)])


# Value by value


def _each(f: Callable[[float], Any], beyond: Callable[[float], Any] = lambda a: math.nan) -> Callable[[Any], Any]:
    """``f`` for numbers and arrays; ``beyond`` answers where ``f`` refuses."""

    def one(a: float) -> Any:
        try:
            return f(a)
        except (ValueError, OverflowError):
            return beyond(a)

    def each(x: Any) -> Any:
        if not isinstance(x, Vector):
            return one(x)
        try:
            return Vector(list(map(f, x.values)), x.ndim)
        except (ValueError, OverflowError):
            return Vector(list(map(one, x.values)), x.ndim)

    return each


def _signed_infinity(a: float) -> float:
    return math.copysign(math.inf, a) if builtins.abs(a) == 1.0 else math.nan


sqrt = _each(math.sqrt)
cbrt = _each(math.cbrt)
exp = _each(math.exp, lambda a: math.inf)
expm1 = _each(math.expm1, lambda a: math.inf)
log = _each(math.log, lambda a: -math.inf if a == 0 else math.nan)
log1p = _each(math.log1p, lambda a: -math.inf if a == -1 else math.nan)
sin, cos, tanh = _each(math.sin), _each(math.cos), _each(math.tanh)
arcsin, arctanh = _each(math.asin), _each(math.atanh, _signed_infinity)
isfinite, isnan, isinf = _each(math.isfinite), _each(math.isnan), _each(math.isinf)
floor = _each(lambda a: float(math.floor(a)), lambda a: a)
sign = _each(lambda a: math.nan if a != a else float((a > 0) - (a < 0)))


def abs(x: Any) -> Any:
    """The size."""
    return builtins.abs(x)


def maximum(a: Any, b: Any) -> Any:
    """The larger; ``nan`` where one is ``nan``."""
    return _both(lambda p, q: p if p > q or p != p else q, a, b)


def minimum(a: Any, b: Any) -> Any:
    """The smaller; ``nan`` where one is ``nan``."""
    return _both(lambda p, q: p if p < q or p != p else q, a, b)


def clip(x: Any, low: float, high: float) -> Any:
    """Not below ``low``, not above ``high``."""
    return minimum(maximum(x, low), high)
