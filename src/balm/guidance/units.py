"""Doses with their units: UCUM codes, exact factors, Decimal values.

The kilogram of body weight is its own dimension. UCUM would cancel ``mg/kg`` to a plain number and let a dose per
kilogram pass for a share; here ``mg/kg`` times ``kg`` is ``mg``, and ``mg/kg`` is never compared with ``mg`` unless a
weight is given. Only units that doses are written in are known: anything else is refused by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction

from balm.vocabulary.problems import InputError

#: Enough digits that a chain of conversions of a printed dose is exact wherever its decimal expansion ends.
PRECISION = Context(prec=34)
#: Two values are compared by fewer digits than are carried, so that 21 mg over 20 min is 63 mg/h and no hair more.
COMPARED = Context(prec=28)

#: Dimension -> its power: mass of drug, body weight, time, volume of fluid.
Dimensions = tuple[int, int, int, int]
_NONE: Dimensions = (0, 0, 0, 0)
_MASS, _BODY, _TIME, _VOLUME = (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)

#: UCUM code -> dimension and exact size in the base units: gram of drug, kilogram of body weight, second, litre.
ATOMS: dict[str, tuple[Dimensions, Fraction]] = {
    "ng": (_MASS, Fraction(1, 10**9)),
    "ug": (_MASS, Fraction(1, 10**6)),
    "mg": (_MASS, Fraction(1, 10**3)),
    "g": (_MASS, Fraction(1)),
    "kg": (_BODY, Fraction(1)),
    "s": (_TIME, Fraction(1)),
    "min": (_TIME, Fraction(60)),
    "h": (_TIME, Fraction(3600)),
    "d": (_TIME, Fraction(86400)),
    "wk": (_TIME, Fraction(604800)),
    "uL": (_VOLUME, Fraction(1, 10**6)),
    "mL": (_VOLUME, Fraction(1, 10**3)),
    "L": (_VOLUME, Fraction(1)),
}
#: What papers, pumps and UCUM's second spellings write for the codes above.
SPELLINGS = {
    "µg": "ug", "μg": "ug", "mcg": "ug", "ml": "mL", "l": "L", "µL": "uL", "μL": "uL", "ul": "uL",
    "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "minute": "min", "minutes": "min", "mins": "min",
    "sec": "s", "day": "d", "days": "d", "week": "wk", "weeks": "wk",
}  # fmt: skip
#: Papers write a rate "per 70 kg": the same as dividing by 70 kg of body weight.
_PER_KG = re.compile(r"\s+per\s+(\d+)\s*kg$")
_WRITTEN_PER_KG = re.compile(r"/\((\d+)\.kg\)$")
_TOKEN = re.compile(r"\s*(?:([./()])|(\d+)|([A-Za-zµμ]+)(-?\d+)?)")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: how it is written, its dimensions, and its exact size in the base units.

    >>> parse_unit("µg/kg/min").dimensions == parse_unit("mg/kg/h").dimensions
    True
    """

    code: str
    dimensions: Dimensions
    size: Fraction

    def __str__(self) -> str:
        return _WRITTEN_PER_KG.sub(r" per \1 kg", self.code)


def parse_unit(text: str) -> Unit:
    """The unit written as ``text``; :class:`InputError` where a part of it is no unit of ours.

    >>> str(parse_unit("mcg/kg/min"))
    'ug/kg/min'
    >>> parse_unit("mg/h per 70 kg") == parse_unit("mg/h/(70.kg)")
    True
    """
    asked = " ".join(text.split())
    plain = _PER_KG.sub(r"/(\1.kg)", asked)
    tokens = _tokens(plain, asked)
    dimensions, size, end = _product(tokens, 0, asked)
    if end != len(tokens):
        raise _no_unit(asked)
    return Unit("".join(tokens), dimensions, size)


def _tokens(text: str, asked: str) -> list[str]:
    found: list[str] = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None or token.end() == at:
            raise _no_unit(asked)
        at = token.end()
        sign, whole, word, power = token.groups()
        if word is not None:
            code = SPELLINGS.get(word, word)
            if code not in ATOMS:
                raise _no_unit(asked, word)
            found.append(code + (power or ""))
        else:
            found.append(sign or whole)
    if not found:
        raise InputError('a unit is missing: write it beside the number, for example "mg/kg/h"')
    return found


def _product(tokens: list[str], at: int, asked: str) -> tuple[Dimensions, Fraction, int]:
    dimensions, size, at = _term(tokens, at, asked)
    while at < len(tokens) and tokens[at] in "./":
        sign = 1 if tokens[at] == "." else -1
        more, factor, at = _term(tokens, at + 1, asked)
        dimensions = _sum(dimensions, more, sign)
        size = size * factor if sign > 0 else size / factor
    return dimensions, size, at


def _term(tokens: list[str], at: int, asked: str) -> tuple[Dimensions, Fraction, int]:
    if at >= len(tokens):
        raise _no_unit(asked)
    token = tokens[at]
    if token == "(":
        dimensions, size, at = _product(tokens, at + 1, asked)
        if at >= len(tokens) or tokens[at] != ")":
            raise _no_unit(asked)
        return dimensions, size, at + 1
    if token.isdigit():
        if int(token) == 0:
            raise _no_unit(asked)
        return _NONE, Fraction(int(token)), at + 1
    word = re.match(r"([A-Za-z]+)(-?\d+)?$", token)
    if word is None:
        raise _no_unit(asked)
    dimensions, size = ATOMS[word[1]]
    power = int(word[2]) if word[2] else 1
    if not 1 <= abs(power) <= 3:
        raise _no_unit(asked)
    return (
        (dimensions[0] * power, dimensions[1] * power, dimensions[2] * power, dimensions[3] * power),
        size**power,
        at + 1,
    )


def _sum(a: Dimensions, b: Dimensions, sign: int) -> Dimensions:
    return (a[0] + sign * b[0], a[1] + sign * b[1], a[2] + sign * b[2], a[3] + sign * b[3])


def _no_unit(asked: str, word: str = "") -> InputError:
    what = f"unit {asked!r} is not known" + (f": {word!r} is none of ours" if word and word != asked else "")
    return InputError(f"{what}; known are {', '.join(ATOMS)}, joined by / and . (for example mg/kg/h)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A Decimal value with its unit.

    >>> rate = Quantity(Decimal("1"), parse_unit("ug/kg/min"))
    >>> print(rate.to("mg/kg/h"))
    0.06 mg/kg/h
    >>> print((Quantity(Decimal("0.35"), parse_unit("mg/kg")) * Quantity(Decimal("70"), parse_unit("kg"))).to("mg"))
    24.5 mg
    """

    value: Decimal
    unit: Unit

    def to(self, unit: str | Unit) -> Quantity:
        """The same quantity in another unit of the same dimensions; :class:`InputError` where they differ."""
        target = parse_unit(unit) if isinstance(unit, str) else unit
        if target.dimensions != self.unit.dimensions:
            raise InputError(f"{self} cannot be given in {target}: they measure different things")
        return Quantity(_scaled(self.value, self.unit.size / target.size), target)

    def measures(self, unit: str) -> bool:
        """Whether it could be given in ``unit``."""
        return parse_unit(unit).dimensions == self.unit.dimensions

    def __mul__(self, other: Quantity | Decimal | int) -> Quantity:
        if isinstance(other, (Decimal, int)):
            return Quantity(PRECISION.multiply(self.value, Decimal(other)), self.unit)
        return Quantity(PRECISION.multiply(self.value, other.value), _joined(self.unit, other.unit, 1))

    def __truediv__(self, other: Quantity | Decimal | int) -> Quantity:
        if isinstance(other, (Decimal, int)):
            return Quantity(PRECISION.divide(self.value, Decimal(other)), self.unit)
        return Quantity(PRECISION.divide(self.value, other.value), _joined(self.unit, other.unit, -1))

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(PRECISION.add(self.value, other.to(self.unit).value), self.unit)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(PRECISION.subtract(self.value, other.to(self.unit).value), self.unit)

    def __lt__(self, other: Quantity) -> bool:
        return compared(self.value) < compared(other.to(self.unit).value)

    def __le__(self, other: Quantity) -> bool:
        return compared(self.value) <= compared(other.to(self.unit).value)

    def __gt__(self, other: Quantity) -> bool:
        return compared(self.value) > compared(other.to(self.unit).value)

    def __ge__(self, other: Quantity) -> bool:
        return compared(self.value) >= compared(other.to(self.unit).value)

    def __str__(self) -> str:
        return f"{shown(self.value)} {self.unit}"


def compared(value: Decimal) -> Decimal:
    """``value`` with the digits that comparisons go by.

    >>> compared(Decimal("62.99999999999999999999999999999998"))
    Decimal('63.00000000000000000000000000')
    """
    return COMPARED.plus(value)


def _joined(a: Unit, b: Unit, sign: int) -> Unit:
    other = f"({b.code})" if "/" in b.code or "." in b.code else b.code
    size = a.size * b.size if sign > 0 else a.size / b.size
    return Unit(f"{a.code}{'.' if sign > 0 else '/'}{other}", _sum(a.dimensions, b.dimensions, sign), size)


def _scaled(value: Decimal, factor: Fraction) -> Decimal:
    """``value`` times an exact factor: multiplied first, divided once, so that 120 ug/kg/h is exactly 2 ug/kg/min."""
    return PRECISION.divide(PRECISION.multiply(value, Decimal(factor.numerator)), Decimal(factor.denominator))


def decimal_of(text: str, name: str) -> Decimal:
    """A finite Decimal from what a person typed; :class:`InputError` names what it is for.

    >>> decimal_of("0.50", "--rate")
    Decimal('0.50')
    """
    stripped = text.strip().replace("\N{MINUS SIGN}", "-")
    if "," in stripped:
        raise InputError(f"{name} must be written with a decimal point, without commas; got {text!r}")
    try:
        value = Decimal(stripped)
    except InvalidOperation:
        raise InputError(f"{name} must be a number; got {text!r}") from None
    if not value.is_finite():
        raise InputError(f"{name} must be a finite number; got {text!r}")
    if value and not -12 <= value.adjusted() <= 12:
        raise InputError(f"{name} is {text}, beyond anything that can be measured; check the number")
    return value


_WITH_UNIT = re.compile(
    r"\s*([+\-\N{MINUS SIGN}]?(?:\d[\d.,]*|\.\d+|nan|inf(?:inity)?)(?:e[+-]?\d+)?)\s*(.*)", re.I | re.S
)


def quantity_of(text: str, name: str, *, measures: str, unit: str = "") -> Quantity:
    """A number with its unit as a person types it, such as ``"0.5 mg/kg/h"``.

    ``measures`` is a unit of what is asked for; ``unit`` is taken where the text has none, and without it a bare
    number is refused: no unit is guessed.

    >>> print(quantity_of("30 min", "--duration", measures="h").to("h"))
    0.5 h
    """
    found = _WITH_UNIT.fullmatch(text)
    if found is None:
        raise InputError(f'{name} must be a number with its unit, for example "1 {measures}"; got {text!r}')
    value = decimal_of(found[1], name)
    written = found[2].strip() or unit
    if not written:
        raise InputError(f'{name} needs its unit, for example "{found[1]} {measures}"; no unit is guessed')
    try:
        given = Quantity(value, parse_unit(written))
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    if not given.measures(measures):
        raise InputError(f"{name} must be given in {measures} or a unit of the same kind; got {text.strip()!r}")
    return given


def shown(value: Decimal, digits: int = 4) -> str:
    """A value to ``digits`` significant digits as a reader sees it, without an exponent or idle zeros.

    >>> shown(Decimal("1.142857142857")), shown(Decimal("24.50")), shown(Decimal("2112.00"))
    ('1.143', '24.5', '2112')
    """
    if not value:
        return "0"
    places = max(0, digits - 1 - value.adjusted())
    rounded = PRECISION.quantize(value, Decimal(1).scaleb(-places))
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
