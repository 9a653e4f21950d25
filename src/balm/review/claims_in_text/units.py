"""Units of dose, rate and time as they are printed, and their plain form: mass or volume, per weight, per time."""

# ruff: noqa: E501 - expressions stand whole, which reads worse cut into pieces

from __future__ import annotations

import re
from dataclasses import dataclass

#: Spelling -> (dimension, factor to the base of it): mass in mg, volume in mL, time in h, weight in kg.
AMOUNTS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("g", "gram", "grams", "gm", "gms"), ("mass", 1e3)),
    **dict.fromkeys(("mg", "mgs", "milligram", "milligrams", "milligramme", "milligrammes"), ("mass", 1.0)),
    **dict.fromkeys(
        ("μg", "mcg", "ug", "microg", "mug", "microgram", "micrograms", "microgramme", "μgm"), ("mass", 1e-3)
    ),
    **dict.fromkeys(("ng", "nanogram", "nanograms"), ("mass", 1e-6)),
    **dict.fromkeys(("pg", "picogram", "picograms"), ("mass", 1e-9)),
    **dict.fromkeys(("L", "l", "litre", "litres", "liter", "liters"), ("volume", 1e3)),
    **dict.fromkeys(("dL", "dl"), ("volume", 100.0)),
    **dict.fromkeys(("mL", "ml", "millilitre", "millilitres", "milliliter", "milliliters", "cc"), ("volume", 1.0)),
    **dict.fromkeys(("IU", "iu", "units", "unit", "U", "I.U."), ("units", 1.0)),
    **dict.fromkeys(("mmol",), ("amount", 1.0)),
    **dict.fromkeys(("μmol", "umol"), ("amount", 1e-3)),
    **dict.fromkeys(("nmol",), ("amount", 1e-6)),
    **dict.fromkeys(("mEq", "meq"), ("equivalents", 1.0)),
}
TIMES: dict[str, float] = {
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "hourly"), 1.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 1 / 60),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1 / 3600),
    **dict.fromkeys(("d", "day", "days", "daily"), 24.0),
    **dict.fromkeys(("wk", "wks", "week", "weeks", "weekly"), 168.0),
    **dict.fromkeys(("mo", "mos", "month", "months", "monthly"), 730.5),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), 8766.0),
}
_BODY = ("kg", "kilogram", "m2", "m²", "dose", "doses", "injection", "infusion", "session", "kg body weight")
_AMOUNT = "|".join(sorted(map(re.escape, AMOUNTS), key=len, reverse=True))
_TIME = "|".join(sorted(map(re.escape, TIMES), key=len, reverse=True))
_UNDER = "|".join(sorted(map(re.escape, {*_BODY, *AMOUNTS, *TIMES}), key=len, reverse=True))

#: A unit behind a number: an amount with what it is per; or a time.
UNIT = re.compile(
    rf"(?:(?P<amount>{_AMOUNT})(?![A-Za-z])(?P<per>(?:[\s\u2009]?(?:/|\bper\b|[a·∙⋅•.\s]\.?(?=(?:{_UNDER})[\s]?\(?-1))[\s\u2009]?"
    rf"(?:70[\s\u2009]?)?(?:{_UNDER})(?:[\s]?(?:\(-1\)|-1))?(?![A-Za-z])|/[A-Za-z]{{3,}})*)(?:[\s\u2009]+(?P<rhythm>daily|hourly|weekly|a\s+day|an\s+hour|every\s+day|twice\s+daily|three\s+times\s+daily|b\.?i\.?d\b|t\.?i\.?d\b|once\s+daily))?"
    rf"|(?P<time>{_TIME})(?![A-Za-z]))"
)
_PART = re.compile(rf"(?:70[\s\u2009]?)?(?P<unit>{_UNDER})(?![A-Za-z0-9])")
#: Doses a day that a rhythm means.
RHYTHMS = {"daily": 1, "once daily": 1, "a day": 1, "every day": 1, "twice daily": 2, "bid": 2, "three times daily": 3, "tid": 3}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of dose: ``printed``; its dimension with the factor to the base; per what it is, and per how many hours.

    ``weight`` is true for a dose per kilogram of body weight; ``hours`` is 1 for "per hour", 0 where there is no rate.
    ``doses`` is how often a day a rhythm behind the unit says ("mg twice daily").
    """

    printed: str
    dimension: str
    factor: float
    weight: bool = False
    other: str = ""
    hours: float = 0.0
    doses: float = 0.0

    @property
    def plain(self) -> tuple[str, bool, str, bool]:
        """What has to be equal for two doses to be compared."""
        return (self.dimension, self.weight, self.other, self.hours > 0)

    @property
    def to_base(self) -> float:
        """Times the printed number: the dose in mg, mL ..., per kg and per hour where it is a rate."""
        return self.factor / self.hours if self.hours else self.factor


def read_unit(match: re.Match[str]) -> Unit | float:
    """The unit that :data:`UNIT` found: a :class:`Unit`, or the hours of a unit of time.

    >>> round(read_unit(UNIT.match("μg/kg/min")).to_base, 9)
    0.06
    """
    if match["time"] is not None:
        return TIMES[match["time"]]
    dimension, factor = AMOUNTS[match["amount"]]
    weight, hours, other = False, 0.0, ""
    per = match["per"] or ""
    if per.startswith("/") and _PART.match(per, 1) is None:
        other = per[1:]
    for part in _PART.finditer(per):
        word = part["unit"]
        if word in ("kg", "kilogram", "kg body weight"):
            weight = True
        elif word in TIMES:
            hours = TIMES[word]
        elif word in AMOUNTS:
            over, size = AMOUNTS[word]
            other, factor = over, factor / size
        else:
            other = word
    rhythm = " ".join((match["rhythm"] or "").replace(".", "").split())
    if rhythm in ("hourly", "an hour"):
        hours = 1.0
    return Unit(match[0], dimension, factor, weight, other, hours, RHYTHMS.get(rhythm, 0))
