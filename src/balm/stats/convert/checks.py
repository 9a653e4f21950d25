"""What an input of a conversion must be, and the one clear error when it is not."""

from __future__ import annotations

import math
from itertools import pairwise
from numbers import Real
from typing import Any

from balm.stats.convert.converted import AT_LEAST, AT_MOST
from balm.vocabulary.problems import InputError, refuse

#: A mean may sit this share of the interval's width away from its midpoint before the interval counts as asymmetric:
#: beyond what rounding in print usually does, well short of an interval computed on a log scale.
ASYMMETRY = 0.05


def number(name: str, value: Any, hint: str = "") -> float:
    """A finite real number."""
    way_out = f": {hint}" if hint else ""
    if isinstance(value, bool) or not isinstance(value, Real):
        if value is None:
            raise InputError(f"{name} is missing; got None{way_out or ': give the reported number'}")
        raise InputError(f"{name} must be a number; got {value!r}{way_out}")
    if not math.isfinite(value):
        raise InputError(
            f"{name} must be a finite number; got {value!r}{way_out or ': leave out what is not reported'}"
        )
    return float(value)


def positive(name: str, value: Any, hint: str = "") -> float:
    """A number above zero."""
    x = number(name, value)
    if x <= 0:
        refuse(f"{name} must be above 0; got {value!r}: {hint or 'check the sign and the reported unit'}")
    return x


def standard_deviation(name: str, value: Any) -> float:
    """An SD of zero or more; zero is possible (everyone scored the same)."""
    x = number(name, value)
    if x < 0:
        refuse(f"{name} must be 0 or more; got {value!r}: a standard deviation has no sign; check the reported number")
    return x


def size(name: str, value: Any, least: float = 1) -> float:
    """A number of participants; fractions are allowed, since effective sample sizes and split groups have them."""
    x = number(name, value)
    if x < least:
        refuse(f"{name} must be at least {least:g}; got {value!r}: give the number of participants analysed")
    return x


def count(name: str, value: Any, least: int = 0, most: int = 10_000_000) -> int:
    """A whole number; ``most`` keeps a slip of the keyboard from asking for a list of a billion counts."""
    x = number(name, value)
    if x > most:
        refuse(f"{name} must be at most {most}; got {value!r}")
    if x != math.floor(x) or x < least:
        refuse(f"{name} must be a whole number of at least {least}; got {value!r}")
    return int(x)


def correlation(name: str, value: Any) -> float:
    """A correlation, from -1 to 1."""
    x = number(name, value)
    if not -1 <= x <= 1:
        refuse(f"{name} must lie between -1 and 1; got {value!r}: a correlation in per cent is divided by 100 first")
    return x


def open_correlation(name: str, value: Any) -> float:
    """A correlation strictly between -1 and 1, where its transform is finite."""
    x = correlation(name, value)
    if abs(x) == 1:
        refuse(f"{name} must lie strictly between -1 and 1; got {value!r}: its transform is infinite")
    return x


def share(name: str, value: Any, hint: str = "give a proportion, not a percentage") -> float:
    """A proportion from 0 to 1, both included."""
    x = number(name, value)
    if not 0 <= x <= 1:
        refuse(f"{name} must lie between 0 and 1; got {value!r}: {hint}")
    return x


def open_share(name: str, value: Any, hint: str = "give a proportion, not a percentage") -> float:
    """A proportion strictly between 0 and 1."""
    x = number(name, value)
    if not 0 < x < 1:
        refuse(f"{name} must lie strictly between 0 and 1; got {value!r}: {hint}")
    return x


def coverage(value: Any) -> float:
    """The level of an interval: 0.95 means 95 %."""
    return open_share("level", value, "0.95 means 95%")


def interval(low: Any, high: Any, name: str = "the interval") -> tuple[float, float]:
    """Two ends in order, apart from each other."""
    a, b = number("low", low), number("high", high)
    if a > b:
        refuse(f"low must not exceed high; got low={low!r}, high={high!r}: swap the two ends")
    if a == b:
        refuse(f"low and high must differ; got {low!r} for both: {name} has no width, so it gives no standard error")
    return a, b


def inside(name: str, value: Any, low: float, high: float) -> float:
    """An estimate that lies in its own interval."""
    x = number(name, value)
    if not low <= x <= high:
        refuse(
            f"{name} must lie inside its interval; got {value!r} with {low:g} to {high:g}: check the estimate, the two "
            f"ends and their scale (a ratio is not a log ratio)"
        )
    return x


def symmetric(name: str, value: Any, low: float, high: float) -> float:
    """An estimate near the middle of its interval, as a t or normal interval of a mean has it."""
    x = inside(name, value, low, high)
    if abs(x - (low + high) / 2) > ASYMMETRY * (high - low):
        refuse(
            f"{name} must be in the middle of its interval; got {value!r} with {low:g} to {high:g} (halves "
            f"{x - low:g} and {high - x:g}): an interval like this comes from another scale (often the log scale) or a "
            f"bootstrap; if only rounding explains it, leave {name} out"
        )
    return x


def p_value(p: Any) -> tuple[float, str]:
    """A p value and its bound: ``0.03``, ``"0.03"``, ``"<0.05"``, ``"P > 0.1"``; the bound is "", "<" or ">"."""
    text, sign = p, ""
    if isinstance(p, str):
        text = p.strip().lower().removeprefix("p").replace(" ", "").replace("≤", "<").replace("≥", ">")
        if text in ("ns", "n.s.", "=ns"):
            refuse(
                f"p must be a number or a bound; got {p!r}: 'not significant' gives no standard error "
                "(Handbook 6.5.2.3)"
            )
        if text[:1] in "<>" and text:
            sign = text[0]
        try:
            text = float(text.lstrip("<>="))
        except ValueError:
            refuse(f"p must be a number or a bound such as '<0.05'; got {p!r}")
    x = number("p", text)
    if not 0 < x <= 1:
        refuse(f"p must be above 0 and at most 1; got {p!r}: a p printed as 0.000 is a bound, '<0.001'")
    if x == 1:
        refuse(f"p must be below 1 to give a standard error; got {p!r}: its test statistic is 0")
    return x, sign


def bound_of_se(sign: str) -> str:
    """P < 0.05 means a larger statistic and so a smaller standard error: "at most"."""
    return {"": "", "<": AT_MOST, ">": AT_LEAST}[sign]


def in_order(values: dict[str, float]) -> None:
    """Named values that must not fall: minimum, q1, median, q3, maximum."""
    pairs = list(values.items())
    for (first, a), (second, b) in pairwise(pairs):
        if a > b:
            refuse(
                f"{first} must not exceed {second}; got {first}={a:g}, {second}={b:g}: check that they were not swapped"
            )


def lists(**given: Any) -> list[list[Any]]:
    """Lists of one length, of at least two entries."""
    for name, value in given.items():
        if not isinstance(value, list):
            refuse(f"{name} must be a list with one entry a group; got {value!r}")
    lengths = {name: len(value) for name, value in given.items()}
    if len(set(lengths.values())) > 1:
        refuse(f"lists must be of one length; {', '.join(f'{name} has {k}' for name, k in lengths.items())}")
    if min(lengths.values()) < 2:
        refuse(f"{next(iter(given))} must have at least two entries; got {next(iter(lengths.values()))}")
    return list(given.values())


def not_negative(name: str, value: Any) -> float:
    """A number of zero or more."""
    x = number(name, value)
    if x < 0:
        refuse(f"{name} must be 0 or more; got {value!r}")
    return x
