"""Numbers as a reader sees them: rounded once, at the end, the same way in every figure, table and sentence.

Everything here takes full-precision values and returns text. A quantity that could not be estimated (``nan``) is
written out, never left as "nan".
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import isinf, isnan

#: The typographic minus, as wide as a digit; ``fixed(..., minus=MINUS)`` in figures and prose.
MINUS = "\N{MINUS SIGN}"
NOT_ESTIMABLE = "not estimable"
#: Above this a number is written with a power of ten: no column is meant for more than eight digits.
_TOO_LONG = 1e8


def fixed(x: float, digits: int = 2, *, minus: str = "-", missing: str = NOT_ESTIMABLE) -> str:
    """``x`` with ``digits`` decimals; a value that rounds to zero has no sign.

    ``minus`` is the sign of negative numbers: the hyphen (spreadsheets read it) or :data:`MINUS`.

    >>> fixed(0.4867), fixed(-0.004), fixed(-1.5, 1, minus=MINUS), fixed(float("nan"))
    ('0.49', '0.00', '−1.5', 'not estimable')
    >>> fixed(3.2e12)
    '3.2e12'
    """
    if -_TOO_LONG < x < _TOO_LONG:
        text = f"{x:.{digits}f}"
        if text[0] != "-":
            return text
        if not text.strip("-0."):
            return text[1:]
        return text if minus == "-" else minus + text[1:]
    if isnan(x):
        return missing
    if isinf(x):
        return "∞" if x > 0 else f"{minus}∞"
    mantissa, _, power = f"{abs(x):.{min(digits, 2)}e}".partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{minus if x < 0 else ''}{mantissa}e{int(power)}"


def fixed_all(values: Sequence[float], digits: int = 2, *, minus: str = "-", missing: str = NOT_ESTIMABLE) -> list[str]:
    """:func:`fixed` of every value of a column, at a third of the cost of one after the other.

    >>> fixed_all([0.4867, -0.004, -1.5, float("nan")], missing="")
    ['0.49', '0.00', '-1.50', '']
    """
    if not values:
        return []
    text = _formatted(f"%.{digits}f", values, digits, minus)
    if text is None:
        return [fixed(x, digits, minus=minus, missing=missing) for x in values]
    return text.split("\n")


def estimates_all(
    estimates: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    digits: int = 2,
    *,
    minus: str = "-",
    missing: str = NOT_ESTIMABLE,
) -> list[str]:
    """Every estimate of a column with its interval; without the interval where an end of it is missing.

    >>> estimates_all([0.487, 1.2], [0.331, float("nan")], [0.729, float("nan")])
    ['0.49 [0.33, 0.73]', '1.20']
    """
    if not estimates:
        return []
    values = [x for row in zip(estimates, lows, highs, strict=True) for x in row]
    text = _formatted(f"%.{digits}f [%.{digits}f, %.{digits}f]", values, digits, minus, each=3)
    if text is not None:
        return text.split("\n")
    found = []
    for estimate, low, high in zip(estimates, lows, highs, strict=True):
        text = fixed(estimate, digits, minus=minus, missing=missing)
        if estimate == estimate and low == low and high == high:
            text += " " + interval(low, high, digits, minus=minus)
        found.append(text)
    return found


def _formatted(form: str, values: Sequence[float], digits: int, minus: str, *, each: int = 1) -> str | None:
    """One line for every ``each`` values, all put through ``form`` at once; None if one of them needs a look."""
    text = (f"{form}\n" * (len(values) // each))[:-1] % tuple(values)
    if "n" in text or max(values) >= _TOO_LONG or min(values) <= -_TOO_LONG:  # nan, inf, too long
        return None
    if "-" in text:
        text = text.replace(f"{-0.0:.{digits}f}", f"{0.0:.{digits}f}")
        if minus != "-":
            text = text.replace("-", minus)
    return text


def short(x: float, digits: int = 2, *, minus: str = "-", missing: str = NOT_ESTIMABLE) -> str:
    """``x`` with at least ``digits`` decimals and, if it is small, as many as show two figures of it.

    For variances such as tau², where "0.00" would hide a value that is not zero.

    >>> short(0.3132), short(0.00214), short(0.0), short(12.345)
    ('0.31', '0.0021', '0.00', '12.35')
    """
    size = abs(x)
    if size == 0 or size != size or size >= 0.0995:
        return fixed(x, digits, minus=minus, missing=missing)
    if size < 1e-6:
        return f"{minus}<0.000001" if x < 0 else "<0.000001"
    for places in range(digits, 9):
        if size >= 10.0 ** (1 - places):
            return fixed(x, places, minus=minus)
    return fixed(x, 8, minus=minus)


def figures(x: float, most: int = 3) -> str:
    """``most`` figures, without a power of ten as far as that can be read: the numbers that a rule looked at.

    >>> figures(-2.7700001), figures(1234.5), figures(0.00044), figures(3.0), figures(0.0), figures(26971.2, 4)
    ('-2.77', '1234', '0.00044', '3', '0', '26971')
    """
    if x == 0 or isnan(x) or isinf(x) or abs(x) >= _TOO_LONG:
        return plain(x)
    if abs(x) >= 10.0 ** (most - 1):
        return f"{x:.0f}"
    return f"{x:.{most}g}"


def counted(number: float, unit: str) -> str:
    """A number with its unit, which is singular at 1.

    >>> counted(1, "points on 0-10"), counted(1.5, "points"), counted(1, "mm"), counted(2, "")
    ('1 point on 0-10', '1.5 points', '1 mm', '2')
    """
    said = figures(number)
    return f"{said} {unit_of(said, unit)}" if unit else said


def counted_studies(k: int) -> str:
    """So many studies.

    >>> counted_studies(1), counted_studies(12)
    ('1 study', '12 studies')
    """
    return f"{k} {'study' if k == 1 else 'studies'}"


def unit_of(number: str, unit: str) -> str:
    """The unit after a number as it is printed: in the singular after 1.

    >>> unit_of("1", "points on 0-10"), unit_of("1.00", "points"), unit_of("1", "loss"), unit_of("1", "ms")
    ('point on 0-10', 'points', 'loss', 'ms')
    """
    head, blank, rest = unit.partition(" ")
    singular = number == "1" and len(head) > 3 and head.endswith("s") and not head.endswith("ss")
    return f"{head[:-1] if singular else head}{blank}{rest}"


def plain(x: float, digits: int = 6, *, minus: str = "-", missing: str = "") -> str:
    """``x`` as short as it can be written with up to ``digits`` decimals: counts, means and ticks as reported.

    >>> plain(12.0), plain(0.50), plain(-3.25), plain(1234567)
    ('12', '0.5', '-3.25', '1234567')
    """
    if isinstance(x, int):
        text = str(x)
        return text if x >= 0 or minus == "-" else minus + text[1:]
    text = fixed(x, digits, minus=minus, missing=missing)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def interval(low: float, high: float, digits: int = 2, *, minus: str = "-", brackets: str = "[]") -> str:
    """``[low, high]``; with an end missing, the words.

    >>> interval(0.331, 0.729), interval(-1.2, 0.3, 1, brackets="()"), interval(float("nan"), 1)
    ('[0.33, 0.73]', '(-1.2, 0.3)', 'not estimable')
    """
    if low != low or high != high:
        return NOT_ESTIMABLE
    return f"{brackets[0]}{fixed(low, digits, minus=minus)}, {fixed(high, digits, minus=minus)}{brackets[1]}"


def p_value(p: float, *, name: str = "P") -> str:
    """A p value as reported: three decimals below 0.1, two above, and never "P = 0.000" or "P = 1.00".

    >>> p_value(0.0021), p_value(0.00003), p_value(0.456), p_value(0.9999), p_value(float("nan"))
    ('P = 0.002', 'P < 0.001', 'P = 0.46', 'P > 0.99', 'P not estimable')
    """
    if p != p:
        return f"{name} {NOT_ESTIMABLE}"
    if p < 0.001:
        return f"{name} < 0.001"
    if p < 0.0995:
        return f"{name} = {p:.3f}"
    if p > 0.99:
        return f"{name} > 0.99"
    return f"{name} = {p:.2f}"


def percent(x: float, digits: int = 0) -> str:
    """``x``, already in per cent, with its sign: I², a weight, a coverage.

    >>> percent(92.22), percent(54.97, 1)
    ('92%', '55.0%')
    """
    text = fixed(x, digits)
    return text if text == NOT_ESTIMABLE else f"{text}%"


@lru_cache(64)  # every heading and sentence of a result asks for the same two or three
def level(coverage: float) -> str:
    """The coverage of an interval, as printed in a heading.

    >>> level(0.95), level(0.999), level(0.9)
    ('95%', '99.9%', '90%')
    """
    return f"{plain(round(coverage * 100, 6))}%"
