"""Which whole numbers can stand behind a printed percentage or a printed mean."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from balm.stats.convert import checks
from balm.stats.convert.converted import Found, Number, conversion, found
from balm.vocabulary.problems import refuse

TOPIC = "Percentages and counts"

#: No report prints more; far more would only take time and memory.
MOST_DIGITS = 15


def _printed(name: str, value: Any, decimals: Any) -> tuple[Decimal, int]:
    """A printed number with its decimals: as text ("20.0") it tells them itself; a float 20.0 cannot."""
    if isinstance(value, str):
        try:
            exact = Decimal(value.strip().removesuffix("%").strip())
        except InvalidOperation:
            refuse(f"{name} must be a number; got {value!r}")
        if not exact.is_finite():
            refuse(f"{name} must be a finite number; got {value!r}")
    else:
        exact = Decimal(repr(checks.number(name, value)))
        exact = exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact.normalize()
    shown = max(0, -int(exact.as_tuple().exponent))
    if shown > MOST_DIGITS or exact.adjusted() > MOST_DIGITS:
        refuse(f"{name} must be a printed number of at most {MOST_DIGITS} digits on either side; got {value!r}")
    if decimals is None:
        return exact, shown
    decimals = checks.count("decimals", decimals, most=MOST_DIGITS)
    if decimals < shown:
        refuse(f"decimals must be at least {shown}, as {name} {value!r} has that many; got {decimals}")
    return exact, decimals


def _prints_as(value: Fraction, printed: Decimal, decimals: int) -> bool:
    """Whether the exact value rounds to the printed one, a tie going either way (programs differ in ties)."""
    unit = Decimal(1).scaleb(-decimals)
    scaled = value * 10**decimals
    whole, rest = divmod(scaled.numerator, scaled.denominator)
    half = 2 * rest - scaled.denominator
    ups = {whole + 1} if half > 0 else {whole} if half < 0 else {whole, whole + 1}
    target = (printed / unit).to_integral_value()
    return int(target) in ups


def _round(value: float, decimals: int) -> str:
    return str(Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


@conversion(
    topic=TOPIC,
    formula="events = the whole numbers c with 100·c/n rounding to the percentage",
    source="rounding; the idea is that of GRIM: Brown & Heathers (2017), Soc Psychol Personal Sci 8:363",
    optional=("decimals",),
)
def events_from_percentage(*, percentage: Number, n: Number, decimals: Number = None) -> Found:
    """Number of events from a percentage, with every count that prints as that percentage.

    ``percentage``: as printed; text ("20.0") keeps its trailing zeros, for a float give ``decimals`` when they matter.
    ``events`` is the count nearest to it, ``counts`` all that fit, ``unique`` whether there is only one. When no whole
    number of n fits, the percentage has another denominator: that is an error that names the neighbours.

    >>> found = events_from_percentage(percentage="33", n=200)
    >>> found.events, found.counts, found.unique
    (66, (65, 66, 67), False)
    """
    total = checks.count("n", n, least=1)
    exact, places = _printed("percentage", percentage, decimals)
    if not 0 <= exact <= 100:
        refuse(f"percentage must lie between 0 and 100; got {percentage!r}")
    half_unit = Fraction(1, 2 * 10**places)
    centre = Fraction(exact)
    first = max(0, math.ceil((centre - half_unit) * total / 100))
    last = min(total, math.floor((centre + half_unit) * total / 100))
    counts = tuple(c for c in range(first, last + 1) if _prints_as(Fraction(100 * c, total), exact, places))
    if not counts:
        below = math.floor(centre * total / 100)
        near = [c for c in (below, below + 1) if 0 <= c <= total]
        said = " and ".join(f"{c}/{total} prints as {_round(100 * c / total, places)}%" for c in near)
        refuse(f"percentage {percentage!r} is not that of a whole number of {total}: {said}; check the denominator")
    best = min(counts, key=lambda c: abs(Fraction(100 * c, total) - centre))
    cautions = (
        [] if len(counts) == 1 else [f"{len(counts)} counts print as this percentage: {counts[0]} to {counts[-1]}"]
    )
    return found(events=best, counts=counts, unique=len(counts) == 1, cautions=cautions)


@conversion(
    topic=TOPIC,
    formula="possible if a whole number T of points has T/(n·items) rounding to the mean",
    source="Brown & Heathers (2017), Soc Psychol Personal Sci 8:363 (GRIM)",
    optional=("decimals",),
)
def mean_is_possible(*, mean: Number, n: Number, items: Number = 1, decimals: Number = None) -> Found:
    """Whether a printed mean of whole-number scores can come from n participants (the GRIM test).

    ``items``: how many whole-number items were averaged a participant. ``informative`` is false when the print is too
    coarse for the test to say anything (n·items ≥ 10^decimals).

    >>> mean_is_possible(mean="3.49", n=15).possible
    False
    >>> mean_is_possible(mean="3.47", n=15).possible
    True
    """
    parts = checks.count("n", n, least=1) * checks.count("items", items, least=1)
    exact, places = _printed("mean", mean, decimals)
    near = Fraction(exact) * parts
    possible = (
        any(_prints_as(Fraction(t, parts), exact, places) for t in range(math.floor(near) - 1, math.ceil(near) + 2))
        or parts >= 10**places
    )
    informative = parts < 10**places
    return found(possible=possible, informative=informative, assumes=["every score is a whole number"])
