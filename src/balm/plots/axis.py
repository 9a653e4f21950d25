"""Axes: where a value lies between two edges, and round numbers to mark.

Values are on the displayed scale (a risk ratio, not its logarithm); a log axis spaces them by their logarithm and marks
plain numbers: 0.1, 0.2, 0.5, 1, 2, 5, 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import ceil, floor, isfinite, log, log10

from balm.vocabulary.numbers import MINUS, plain
from balm.vocabulary.problems import InputError
from balm.vocabulary.quick_dataclass import dataclass


@dataclass(frozen=True)
class Axis:
    """The values ``low`` to ``high`` drawn from pixel ``start`` to pixel ``end``; ``ticks`` are the marked values.

    >>> axis = log_axis(0.1, 10, start=0, end=100)
    >>> axis.position(1), axis.ticks
    (50.0, (0.1, 0.2, 0.5, 1, 2, 5, 10))
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    ticks: tuple[float, ...] = ()

    def position(self, value: float) -> float:
        """The pixel of ``value``; a value beyond an edge (0 and infinity too) lies on that edge."""
        if value <= self.low:
            return self.start
        if value >= self.high:
            return self.end
        if self.log:
            share = log(value / self.low) / log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies within the axis."""
        return self.low <= value <= self.high

    def label(self, value: float) -> str:
        """The text of a tick: as many decimals as the tick has, a true minus, a power of ten where shorter."""
        return _tick_text(value)


@lru_cache(1024)  # a layout asks several times, and figures mark the same round numbers
def _tick_text(value: float) -> str:
    text = plain(value, 8, minus=MINUS)
    if value != 0 and (abs(value) < 1e-4 or abs(value) >= 1e6):
        mantissa, _, power = f"{value:.8e}".partition("e")
        mantissa = mantissa.rstrip("0").rstrip(".")
        scientific = f"{mantissa}e{int(power)}".replace("-", MINUS)
        if len(scientific) < len(text) or abs(value) < 1e-6:
            return scientific
    return text


def linear_axis(
    low: float, high: float, *, start: float, end: float, ticks: Sequence[float] | None = None, count: int = 5
) -> Axis:
    """A linear axis from ``low`` to ``high`` with about ``count`` round ticks, or with the ``ticks`` given."""
    low, high = _opened(low, high, log=False)
    marks = tuple(ticks) if ticks is not None else round_ticks(low, high, count)
    return Axis(low, high, start, end, False, _inside(marks, low, high))


def log_axis(
    low: float, high: float, *, start: float, end: float, ticks: Sequence[float] | None = None, count: int = 7
) -> Axis:
    """A logarithmic axis; ``low`` must be above 0."""
    if not low > 0:
        raise InputError(f"a log axis must start above 0; got {low!r}")
    low, high = _opened(low, high, log=True)
    marks = tuple(ticks) if ticks is not None else round_log_ticks(low, high, count)
    return Axis(low, high, start, end, True, _inside(marks, low, high))


def round_ticks(low: float, high: float, count: int = 5) -> tuple[float, ...]:
    """Multiples of 1, 2 or 5 times a power of ten within ``low`` to ``high``: at most ``count`` + 1 of them.

    >>> round_ticks(-0.73, 1.2)
    (-0.5, 0.0, 0.5, 1.0)
    """
    step = _round_up((high - low) / max(count, 1))
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    digits = max(0, -floor(log10(step)))
    return tuple([round(i * step, digits) + 0.0 for i in range(first, last + 1)])


def round_log_ticks(low: float, high: float, count: int = 7) -> tuple[float, ...]:
    """Plain numbers within ``low`` to ``high``, the densest of several series that has at most ``count``.

    >>> round_log_ticks(0.04, 30)
    (0.05, 0.2, 1, 5, 20)
    >>> round_log_ticks(0.8, 1.3)
    (0.8, 0.9, 1, 1.1, 1.2, 1.3)
    """
    if high / low < 3:  # less than half a decade: evenly spaced round numbers read best
        marks = round_ticks(low, high, max(count - 1, 2))
        if len(marks) >= 2:
            return tuple([int(t) if t == int(t) else t for t in marks])
    bottom, top = floor(log10(low)) - 1, ceil(log10(high)) + 1
    dense = [_times(power, digit) for power in range(bottom, top + 1) for digit in (1, 2, 5)]
    for marks in (dense, _symmetric(bottom, top)):
        inside = _inside(marks, low, high)
        if len(inside) < 4:
            denser = _inside([_times(p, d) for p in range(bottom, top + 1) for d in (1, 1.5, 2, 3, 5, 7)], low, high)
            inside = denser if len(denser) <= count else inside
        if len(inside) <= count:
            return inside if len(inside) >= 2 else round_ticks(low, high, 4)
    every = 1
    while True:
        inside = _inside([_times(power, 1) for power in range(bottom, top + 1) if power % every == 0], low, high)
        if len(inside) <= max(count, 2):
            return inside
        every += 1


def _symmetric(bottom: int, top: int) -> list[float]:
    """..., 0.01, 0.05, 0.2, 1, 5, 20, 100, ...: each mark's reciprocal is one too."""
    above = [_times(power, 1 if power % 2 == 0 else 2) for power in range(top + 1)]
    above += [_times(power, 5) for power in range(0, top + 1, 2)]
    below = [_times(power, 1 if power % 2 == 0 else 2) for power in range(-1, bottom - 1, -1)]
    below += [_times(power, 5) for power in range(-2, bottom - 1, -2)]
    return sorted(below + above)


def _times(power: int, digit: float) -> float:
    """``digit`` times ten to the ``power``, without the noise of binary fractions."""
    return digit * 10**power if power >= 0 else round(digit / 10**-power, 1 - power)


def _round_up(x: float) -> float:
    """The next of 1, 2, 5, 10 ... times a power of ten at or above ``x``."""
    power = 10.0 ** floor(log10(x))
    for digit in (1, 2, 5):
        if x <= digit * power * (1 + 1e-9):
            return digit * power
    return 10 * power


def _inside(marks: Sequence[float], low: float, high: float) -> tuple[float, ...]:
    slack = 1e-9 * max(abs(low), abs(high))
    return tuple([m for m in marks if low - slack <= m <= high + slack])


def _opened(low: float, high: float, *, log: bool) -> tuple[float, float]:
    """The edges, moved apart when they coincide so that an axis always has a length."""
    if not (isfinite(low) and isfinite(high) and low <= high):
        raise InputError(f"axis limits must be two finite numbers, the lower first; got {low!r} and {high!r}")
    if log:
        return (low / 1.5, high * 1.5) if high / low < 1 + 1e-9 else (low, high)
    if high - low <= 1e-12 * max(abs(low), abs(high), 1e-300):
        half = abs(low) * 0.5 or 1.0
        return low - half, high + half
    return low, high
