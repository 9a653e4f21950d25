"""Doses and rates with their units, and the arithmetic between them: conversion, rate x time, weight, repetition."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise

from balm.review.claims_in_text.claim import CONSISTENT, INCONSISTENT, NOT_CHECKABLE, FoundClaim
from balm.review.claims_in_text.tokens import Printed, Tokens
from balm.review.claims_in_text.units import Unit
from balm.vocabulary.numbers import plain

#: Behind a mean its spread may stand before the unit: "33.2 (SD 16.9) mg", "0.31 (0.26-0.35) mg/kg".
_DOSE = re.compile(r"(?P<low>n)(?:u?(?:-|t)(?P<high>n)|(?P<spread>[(](?:e?[=:]?n|n[-t,]n)[)]))?(?P<unit>u)")
#: "1, 5, and 25 mg", "10 or 20 mg": the unit is said once.
_LISTED = re.compile(r"(?P<first>n(?:,n)*)(?:,?(?P<join>[aw])|,)$")
#: People for whom a fixed dose is spelled out.
WEIGHTS = (50.0, 70.0, 100.0)
#: Concentrations and laboratory values are no doses: per volume.
_PER_VOLUME = ("volume",)
_LIMIT = re.compile(
    r"\b(?:maxim\w*|not\s+(?:to\s+)?exceed\w*|no\s+more\s+than|upper\s+limit|at\s+most|ceiling|limit\w*)\b", re.I
)
_TOTAL = re.compile(r"\b(?:total|cumulative|altogether|overall|in\s+all|sum)\b", re.I)
_BOLUS = re.compile(r"\b(?:bolus(?:es)?|loading|initial)\b", re.I)
_EQUIVALENT = re.compile(
    r"^[\s(\[,;]*(?:=|i\.e\.|or|that is|equivalent to|equal to|corresponding to|equals)?[\s,:=(]*$", re.I
)
#: What says that two doses are one.
_SAID_EQUAL = re.compile(r"[(\[=]|i\.e\.|that is|equivalent|equal|corresponding", re.I)
#: Factors of a slip of the unit.
_SLIPS = (10.0, 24.0, 60.0, 100.0, 1000.0, 1e6)
_REPEATS = re.compile(
    r"[x×]\s?(?P<n>[0-9]+)(?![0-9.]|[\s\u2009]?(?:h|hr|hrs|hours?|min|minutes?)\b)|(?P<word>twice|three times|four times)\s+(?:daily|a day|per day)|\b(?P<days>[0-9]+)\s+(?:consecutive\s+)?(?:days|infusions|sessions|doses|times)",  # noqa: E501
    re.I,
)
#: Between rate and total: "for 2 h (", "over 5 h, total".
_FOR_A_TIME = re.compile(
    r"^[\s\w-]{0,25}?\b(?:for|over|during|in|x|×)\s+(?:a\s+period\s+of\s+|about\s+|the\s+first\s+)?[0-9a-z.]+[\s\u2009-]*[A-Za-z]+[\w\s]{0,15}(?:[(\[=]|[,;:]?\s+(?:for\s+)?(?:a\s+)?(?:total|cumulative|i\.e\.|corresponding|equivalent))[\w\s,=.:-]{0,25}$",
    re.I,
)
_WORDS = {"twice": 2.0, "three times": 3.0, "four times": 4.0}


@dataclass(frozen=True, slots=True)
class Dose:
    """A dose or rate, or a range of them, as printed, with its place among the pieces."""

    first: int
    last: int
    low: Printed
    high: Printed
    unit: Unit

    @property
    def base(self) -> tuple[float, float, float, float]:
        """Least and most of both ends in base units, rounding counted: low.low, low.high, high.low, high.high."""
        times = self.unit.to_base
        return self.low.low * times, self.low.high * times, self.high.low * times, self.high.high * times

    def said(self) -> str:
        """As printed."""
        figures = (
            plain(self.low.value) if self.low is self.high else f"{plain(self.low.value)}-{plain(self.high.value)}"
        )
        return f"{figures} {self.unit.printed}"


def find_doses(tokens: Tokens, used: set[int]) -> list[FoundClaim]:
    """Every dose and rate; those whose arithmetic is printed beside them are computed again."""
    doses: list[Dose] = []
    for match in _DOSE.finditer(tokens.kinds):
        low_at = match.start("low")
        if low_at in used and match["high"] is None:
            continue
        unit = tokens.unit(match.start("unit"))
        if tokens.kinds[low_at - 2 : low_at] == "n±" and unit.printed[:2] == "mg":  # "30.2 ± 18.0 mg/day"
            low_at -= 2
            used.add(low_at + 2)
        low = tokens.number(low_at)
        high = tokens.number(match.start("high")) if match["high"] is not None else low
        if low.value < 0 or high.value < 0 or unit.other in _PER_VOLUME or _no_dose(tokens, match, unit):
            continue
        doses += _listed_before(tokens, match, unit, used)
        used.update(i for i in (low_at, match.start("high")) if i >= 0)
        if match["spread"] is not None:
            used.update(i for i in range(match.start("spread"), match.end("spread")) if tokens.kinds[i] == "n")
        doses.append(Dose(low_at, match.end() - 1, low, high, unit))
    claims = [_claim(tokens, dose) for dose in doses]
    _compare(tokens, doses, claims)
    return claims


#: A spread, a weight at birth, "the six U.S. states".
_WEIGHED = re.compile(r"(?:\bweigh\w*|birth-?weights?|\b[EV]?L?BW\b)[^.;]{0,60}$")
#: "0.46 g/1000 kcal"; "a 1-unit increase".
_PER_UNIT = re.compile(r"/\s?[1-9]|(?<=unit)\s(?:increase|decrease|increment|decrement|change|higher|lower|rise)", re.I)
_NEWBORN = re.compile(r"\W{0,3}(?:infants|neonates|newborns|babies|preterm|at birth)", re.I)


def _no_dose(tokens: Tokens, match: re.Match[str], unit: Unit) -> bool:
    start, end = tokens.starts[match.start()], tokens.ends[match.end() - 1]
    if tokens.kinds[match.start() - 1 : match.start()] == "±" and unit.printed[:2] != "mg":
        return True
    if _PER_UNIT.match(tokens.text, end):
        return True
    if unit.printed == "U" and tokens.text.startswith((".S", ".K"), end):
        return True
    if unit.printed[:1] not in ("g", "k") or unit.hours or unit.weight:
        return False
    return bool(_WEIGHED.search(tokens.text, max(0, start - 80), start) or _NEWBORN.match(tokens.text, end))


def _listed_before(tokens: Tokens, match: re.Match[str], unit: Unit, used: set[int]) -> list[Dose]:
    """The doses of a list whose last one alone has the unit."""
    found = _LISTED.search(tokens.kinds, max(0, match.start() - 12), match.start())
    if found is None or match["high"] is not None:
        return []
    if found["join"] is None or (found["join"] == "w" and tokens.word(found.start("join")) != "or"):
        return []
    if tokens.kinds[found.start("first") - 1 : found.start("first")] in ("-", "t", "/"):  # "days 1-7 and 400 mg"
        return []
    places = [i for i in range(found.start("first"), found.end("first")) if tokens.kinds[i] == "n"]
    if any(i in used or tokens.number(i).word or tokens.number(i).value <= 0 for i in places):
        return []
    used.update(places)
    return [Dose(i, i, tokens.number(i), tokens.number(i), unit) for i in places]


def _claim(tokens: Tokens, dose: Dose) -> FoundClaim:
    why = "nothing is printed beside it to compute it from"
    unit = dose.unit
    if (
        unit.dimension == "mass"
        and not unit.weight
        and not unit.hours
        and not unit.other
        and 1 <= dose.low.value * unit.factor <= 5000
    ):
        each = ", ".join(f"{plain(dose.low.value * unit.factor / w, 2)} mg/kg at {w:g} kg" for w in WEIGHTS)
        why += f"; {each}"
    return FoundClaim(
        tokens.printed(dose.first, dose.last),
        tokens.starts[dose.first],
        tokens.ends[dose.last],
        "dose",
        NOT_CHECKABLE,
        why,
        estimate=dose.low.value if dose.low is dose.high else None,
        low=dose.low.value,
        high=dose.high.value,
        unit=unit.printed,
    )


def _compare(tokens: Tokens, doses: list[Dose], claims: list[FoundClaim]) -> None:
    for i, (a, b) in enumerate(pairwise(doses)):
        between = tokens.text[tokens.ends[a.last] : tokens.starts[b.first]]
        kinds = tokens.kinds[a.last + 1 : b.first]
        if len(kinds) > 14 or "." in kinds:
            continue
        found = _converted(a, b, between) or _by_weight(tokens, a, b, kinds, between)
        found = found or _by_time(tokens, a, b, kinds, between) or _repeated(tokens, a, b, between)
        if found is not None:
            verdict, why = found
            _set(claims, i + 1, verdict, why)
            if claims[i].verdict == NOT_CHECKABLE:
                _set(claims, i, verdict, why)
    _against_limits(tokens, doses, claims)


def _set(claims: list[FoundClaim], i: int, verdict: str, why: str) -> None:
    claims[i] = replace(claims[i], verdict=verdict, why=why, slip=_misplaced(why) if verdict == INCONSISTENT else "")


def _misplaced(why: str) -> str:
    match = re.search(r"([0-9.]+) times", why)
    return f"a factor of {match[1]}: another unit" if match and match[1] in ("10", "100", "1000", "60", "24") else ""


def _overlap(a: tuple[float, float], b: tuple[float, float]) -> bool:
    slack = 1e-9 * max(abs(a[1]), abs(b[1]))
    return a[0] <= b[1] + slack and b[0] <= a[1] + slack


def _verdict(said: str, want: tuple[float, float], want_at: float, got: Dose, unit: str) -> tuple[str, str]:
    low = got.base[0], got.base[1]
    per = got.unit.to_base
    shown = f"{plain(want_at / per, 4)} {got.unit.printed}"
    if _overlap(want, low):
        return CONSISTENT, f"{said} = {shown}, as printed"
    ratio = got.low.value * per / want_at if want_at else 0.0
    by = ratio if ratio >= 1 else 1 / ratio if ratio else 0.0
    return INCONSISTENT, f"{said} = {shown}, not {got.said()}: {by:.3g} times {'larger' if ratio > 1 else 'smaller'}"


def _converted(a: Dose, b: Dose, between: str) -> tuple[str, str] | None:
    """ "1-2 µg/kg/min (0.06-0.12 mg/kg/h)": the same dose in two units."""
    if a.unit.plain != b.unit.plain or not _EQUIVALENT.match(between) or a.unit.to_base == b.unit.to_base:
        return None
    x, y = a.base, b.base
    if 730.5 in (a.unit.hours, b.unit.hours):  # a month has 28 to 31 days
        x, y = ((0.91 * z[0], 1.09 * z[1], 0.91 * z[2], 1.09 * z[3]) for z in (x, y))
    if _overlap(x[:2], y[:2]) and _overlap(x[2:], y[2:]):
        return CONSISTENT, f"{a.said()} = {_shown(a, b)}, as printed"
    ratio = b.low.value * b.unit.to_base / (a.low.value * a.unit.to_base) if a.low.value else 0.0
    if ratio <= 0:
        return None
    by = max(ratio, 1 / ratio)
    if not _SAID_EQUAL.search(between) and all(abs(by / slip - 1) > 0.02 for slip in _SLIPS):
        return None  # "10 μg/kg; 0.5 mg/kg", "5 mg or 20 μg": two drugs, two arms
    if between.strip() in ("", ",", ";"):
        return None
    return (
        INCONSISTENT,
        f"{a.said()} = {_shown(a, b)}, not {b.said()}: {by:.3g} times {'larger' if ratio > 1 else 'smaller'}",
    )


def _shown(a: Dose, b: Dose) -> str:
    times = a.unit.to_base / b.unit.to_base
    low, high = plain(a.low.value * times, 4), plain(a.high.value * times, 4)
    return f"{low if low == high else f'{low}-{high}'} {b.unit.printed}"


_WEIGHT = re.compile(r"(?P<kg>[0-9]+(?:\.[0-9]+)?)[\s\u2009-]?kg\b(?!\s?[-/])")


def _by_weight(tokens: Tokens, a: Dose, b: Dose, kinds: str, between: str) -> tuple[str, str] | None:
    """ "0.5 mg/kg (35 mg in a patient of 70 kg)"."""
    per, fixed = (a, b) if a.unit.weight and not b.unit.weight else (b, a)
    if not per.unit.weight or fixed.unit.weight or per.unit.dimension != fixed.unit.dimension:
        return None
    if (per.unit.hours > 0) != (fixed.unit.hours > 0) or per.unit.other or fixed.unit.other:
        return None
    if fixed.unit.printed.strip() in ("kg", "kilogram", "kilograms"):
        return None
    window = between + tokens.text[tokens.ends[b.last] : tokens.ends[b.last] + 40].split(". ")[0]
    weight = _WEIGHT.search(window)
    if weight is None:
        return None
    kg = float(weight["kg"])
    want = (per.base[0] * (kg - 0.5), per.base[1] * (kg + 0.5))
    return _verdict(f"{per.said()} x {kg:g} kg", want, per.low.value * per.unit.to_base * kg, fixed, "")


def _by_time(tokens: Tokens, a: Dose, b: Dose, kinds: str, between: str) -> tuple[str, str] | None:
    """ "40 mg/h for 2 h (80 mg)", "80 mg over 2 h (40 mg/h)"."""
    rate, total = (a, b) if a.unit.hours and not b.unit.hours else (b, a)
    if not rate.unit.hours or total.unit.hours or rate.unit.hours > 24:
        return None
    if rate.unit.plain[:3] != total.unit.plain[:3] or rate.low is not rate.high or total.low is not total.high:
        return None
    if _BOLUS.search(between) or "+" in between or "then" in between or "followed" in between:
        return None
    if not _FOR_A_TIME.match(between):
        return None
    if rate.low.value == total.low.value:  # "50 mg/day for 4 weeks (50 mg therapy)"
        return None
    times = [i for i in range(a.last + 1, b.first) if tokens.kinds[i] == "T" and tokens.kinds[i - 1] == "n"]
    if len(times) != 1:
        return None
    at = times[0]
    hours, number = tokens.hours(at), tokens.number(at - 1)
    if tokens.kinds[at - 2] in "-t":
        return None
    half = number.half if not number.word else 0.0
    # a printed whole time is taken as exact: nobody rounds a planned infusion
    half = 0.0 if number.whole else half
    repeat = _REPEATS.search(between)
    if repeat is not None and hours < 24:
        return None
    want = (rate.base[0] * (number.value - half) * hours, rate.base[1] * (number.value + half) * hours)
    exact = rate.low.value * rate.unit.to_base * number.value * hours
    unit = tokens.text[tokens.starts[at] : tokens.ends[at]]
    if rate is b:
        got = (total.base[0] / ((number.value + half) * hours), total.base[1] / ((number.value - half) * hours))
        return _verdict(
            f"{total.said()} in {number.value:g} {unit}",
            got,
            total.low.value * total.unit.to_base / (number.value * hours),
            rate,
            "",
        )
    return _verdict(f"{rate.said()} x {number.value:g} {unit}", want, exact, total, "")


def _repeated(tokens: Tokens, a: Dose, b: Dose, between: str) -> tuple[str, str] | None:
    """ "5 mg twice daily (10 mg/day)", "80 mg daily for 7 days (total 560 mg)"."""
    if a.unit.dimension != b.unit.dimension or a.unit.weight != b.unit.weight or a.unit.other or b.unit.other:
        return None
    if a.low is not a.high or b.low is not b.high or a.unit.hours not in (0.0, 24.0):
        return None
    if not _TOTAL.search(between) and ("(" not in between or ")" in between or len(between) > 40):
        return None
    daily = b.unit.hours == 24.0
    if b.unit.hours and not daily:
        return None
    times = 1.0
    said = a.said()
    if daily:
        if a.unit.hours:
            return None
        word = re.search(r"twice|three times|four times", between)
        times = a.unit.doses or (_WORDS[word[0]] if word else 0.0)
        if not times or (a.unit.doses and a.unit.doses == 1 and not word):
            return None
        said += "" if a.unit.doses else f" {word[0]} a day" if word else ""
    elif _TOTAL.search(between):
        found = [m for m in _REPEATS.finditer(between) if m["n"] or m["days"]]
        if len(found) != 1 or re.search(r"[0-9]\s*(?:h|hours?|min)\b", between):
            return None
        times = float(found[0]["n"] or found[0]["days"]) * max(a.unit.doses, 1.0)
        said += f" x {float(found[0]['n'] or found[0]['days']):g}"
    else:
        return None
    base = a.unit.factor
    got = Dose(b.first, b.last, b.low, b.high, replace(b.unit, hours=0.0, factor=b.unit.factor))
    return _verdict(said, (a.low.low * base * times, a.low.high * base * times), a.low.value * base * times, got, "")


def _against_limits(tokens: Tokens, doses: list[Dose], claims: list[FoundClaim]) -> None:
    """A stated maximum of the whole dose per kilogram, against the bolus and the rate that the same text gives."""
    limits = [
        i
        for i, d in enumerate(doses)
        if d.unit.weight and not d.unit.hours and _says(tokens, d, _LIMIT) and not _says(tokens, d, _BOLUS)
    ]
    rates = [d for d in doses if d.unit.weight and d.unit.hours and d.unit.dimension == "mass"]
    if not limits or not rates:
        return
    for i in limits:
        most = doses[i].high.value * doses[i].unit.factor
        bolus = [
            d
            for j, d in enumerate(doses)
            if j not in limits and d.unit.weight and not d.unit.hours and _says(tokens, d, _BOLUS)
        ]
        given = max((d.high.value * d.unit.factor for d in bolus), default=0.0)
        fastest = max(rates, key=lambda d: d.high.value * d.unit.to_base)
        low, high = fastest.low.value * fastest.unit.to_base, fastest.high.value * fastest.unit.to_base
        if high <= 0 or given >= most:
            continue
        hours = [(most - given) / high, (most - given) / low] if low > 0 else [(most - given) / high]
        if hours[0] > 4:
            continue
        after = " to ".join(dict.fromkeys(plain(h, 2) for h in hours))
        start = f"a bolus of {plain(given, 2)} mg/kg and " if given else ""
        sums = ", ".join(
            f"({plain(most, 2)} - {plain(given, 2)})/{plain(r, 2)} = {plain(h, 2)} h"
            for r, h in zip((high, low), hours, strict=False)
        )
        why = f"{start}{fastest.said()} of the same text pass {doses[i].said()} after {after} h: {sums}"
        _set(claims, i, INCONSISTENT, why)


def _says(tokens: Tokens, dose: Dose, words: re.Pattern[str]) -> bool:
    """Whether the clause before a dose has one of the words."""
    start = tokens.starts[dose.first]
    before = tokens.text[max(0, start - 70) : start]
    before = re.split(r"[.;](?=\s)|,\s+(?:then|followed)", before)[-1]
    return words.search(before) is not None
