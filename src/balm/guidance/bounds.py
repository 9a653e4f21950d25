"""What a rule allows of one quantity: a value, a bound or a range, with its unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from balm.guidance.units import Quantity, Unit, compared, parse_unit, shown
from balm.vocabulary.problems import InputError

_NUMBER = r"(\d+(?:\.\d*)?|\.\d+)"
_BOUND = re.compile(rf"(<=|>=|<|>)\s*{_NUMBER}")
_SPAN = re.compile(rf"{_NUMBER}\s*(?:-|to|\N{{EN DASH}})\s*{_NUMBER}")


@dataclass(frozen=True, slots=True)
class Bounds:
    """``low`` and ``high`` are ``None`` where the rule sets no such end; ``*_open`` marks ``<`` and ``>``.

    >>> limit = read_bounds("<=0.35", "mg/kg")
    >>> print(limit, limit.high)
    ≤0.35 mg/kg 0.35
    >>> print(read_bounds("0.5-2", "mg/kg/h"))
    0.5–2 mg/kg/h
    """

    low: Decimal | None
    high: Decimal | None
    unit: Unit
    text: str
    low_open: bool = False
    high_open: bool = False

    @property
    def is_value(self) -> bool:
        """Whether it is one number, not a bound or a range."""
        return self.low is not None and self.low == self.high

    @property
    def lowest(self) -> Quantity | None:
        """The lower end with its unit."""
        return None if self.low is None else Quantity(self.low, self.unit)

    @property
    def highest(self) -> Quantity | None:
        """The upper end with its unit."""
        return None if self.high is None else Quantity(self.high, self.unit)

    @property
    def ends(self) -> tuple[Quantity, ...]:
        """The ends there are, the lower first; one where both are the same number."""
        found = [q for q in (self.lowest, self.highest) if q is not None]
        return tuple(found[:1] if self.is_value else found)

    def measures(self, unit: str) -> bool:
        """Whether it bounds what ``unit`` measures."""
        return parse_unit(unit).dimensions == self.unit.dimensions

    def to(self, unit: str) -> Bounds:
        """The same bounds in another unit of the same dimensions."""
        low = None if self.lowest is None else self.lowest.to(unit).value
        high = None if self.highest is None else self.highest.to(unit).value
        return Bounds(low, high, parse_unit(unit), self.text, self.low_open, self.high_open)

    def times(self, factor: Quantity, unit: str) -> Bounds:
        """Both ends times ``factor``, in ``unit``."""
        low = None if self.lowest is None else (self.lowest * factor).to(unit).value
        high = None if self.highest is None else (self.highest * factor).to(unit).value
        return Bounds(low, high, parse_unit(unit), self.text, self.low_open, self.high_open)

    def over(self, factor: Quantity, unit: str) -> Bounds:
        """Both ends divided by ``factor``, in ``unit``."""
        low = None if self.lowest is None else (self.lowest / factor).to(unit).value
        high = None if self.highest is None else (self.highest / factor).to(unit).value
        return Bounds(low, high, parse_unit(unit), self.text, self.low_open, self.high_open)

    def allows(self, given: Quantity) -> bool:
        """Whether ``given`` lies within."""
        value = compared(given.to(self.unit).value)
        low, high = (None if end is None else compared(end) for end in (self.low, self.high))
        above = low is None or value > low or (value == low and not self.low_open)
        below = high is None or value < high or (value == high and not self.high_open)
        return above and below

    def __str__(self) -> str:
        unit = "" if self.unit.code == "1" else f" {self.unit}"
        if self.low is not None and self.high is not None:
            span = shown(self.low) if self.is_value else f"{shown(self.low)}–{shown(self.high)}"
            return f"{span}{unit}"
        if self.high is not None:
            return f"{'<' if self.high_open else '≤'}{shown(self.high)}{unit}"
        return f"{'>' if self.low_open else '≥'}{shown(self.low or Decimal(0))}{unit}"


def read_bounds(text: str, unit: str) -> Bounds:
    """Bounds as a table prints them (``<=0.35``, ``0.5-2``, ``>2``, ``22``); :class:`InputError` otherwise."""
    stripped = text.strip().replace("≤", "<=").replace("≥", ">=")
    measured = parse_unit(unit)
    if re.fullmatch(_NUMBER, stripped):
        value = Decimal(stripped)
        return Bounds(value, value, measured, text)
    if bound := _BOUND.fullmatch(stripped):
        value, strict = Decimal(bound[2]), len(bound[1]) == 1
        if bound[1].startswith("<"):
            return Bounds(None, value, measured, text, high_open=strict)
        return Bounds(value, None, measured, text, low_open=strict)
    if (span := _SPAN.fullmatch(stripped)) and Decimal(span[1]) <= Decimal(span[2]):
        return Bounds(Decimal(span[1]), Decimal(span[2]), measured, text)
    raise InputError(f"{text!r} is not a number, a bound such as '<=0.35' or a range such as '0.5-2'")
