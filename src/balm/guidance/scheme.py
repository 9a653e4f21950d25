"""A planned infusion: boluses, rates and pauses one after the other, and what has been given at any moment.

Written as parts separated by ``;``: ``0.35 mg/kg over 5 min; 0.5 mg/kg/h for 4 h; pause 1 h; 25 mg bolus``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from balm.guidance.patient import check_guard, guarded
from balm.guidance.therapy import Therapy
from balm.guidance.units import Quantity, parse_unit, quantity_of, shown
from balm.vocabulary.problems import InputError

#: A bolus without a time of its own is taken as given over one minute, and the plan says so.
BOLUS = Quantity(Decimal(1), parse_unit("min"))
#: A dose over this or less is guarded and drawn as a bolus, not as a rate.
BOLUS_WITHIN = Quantity(Decimal(10), parse_unit("min"))

_OVER = re.compile(r"(?:bolus\s+)?(.+?)\s+over\s+(.+)", re.I)
_FOR = re.compile(r"(?:infusion\s+)?(.+?)\s+for\s+(.+)", re.I)
_BOLUS = re.compile(r"bolus\s+(.+)|(.+?)\s+bolus", re.I)
_PAUSE = re.compile(r"pause\s+(?:of\s+|for\s+)?(.+)", re.I)
_H, _MG = parse_unit("h"), parse_unit("mg")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of constant rate: what it is called, when it starts, how long it lasts, how much it gives."""

    said: str
    start: Quantity  # h
    duration: Quantity  # h
    dose: Quantity  # mg

    @property
    def end(self) -> Quantity:
        """When it ends, in h."""
        return self.start + self.duration

    @property
    def rate(self) -> Quantity:
        """Its rate in mg/h."""
        return (self.dose / self.duration).to("mg/h")

    @property
    def is_bolus(self) -> bool:
        """Whether it is short enough to count as a bolus."""
        return self.dose.value > 0 and self.duration <= BOLUS_WITHIN


@dataclass(frozen=True, slots=True)
class Scheme:
    """A whole infusion, given ``sessions`` times."""

    segments: tuple[Segment, ...]
    sessions: int = 1

    @property
    def duration(self) -> Quantity:
        """How long one session lasts, in h."""
        return self.segments[-1].end

    @property
    def total(self) -> Quantity:
        """What one session gives, in mg."""
        return self.given_at(self.duration)

    @property
    def course(self) -> Quantity:
        """What all sessions give, in mg."""
        return self.total * self.sessions

    def given_at(self, time: Quantity) -> Quantity:
        """What has been given ``time`` after the start, in mg."""
        given = Quantity(Decimal(0), _MG)
        for part in self.segments:
            if time >= part.end:
                given = given + part.dose
            elif time > part.start:
                given = given + (part.rate * (time - part.start)).to("mg")
        return given

    def reaches(self, dose: Quantity) -> Quantity | None:
        """When the cumulative dose reaches ``dose``, in h; ``None`` where it never does."""
        given = Quantity(Decimal(0), _MG)
        for part in self.segments:
            if part.dose.value > 0 and given + part.dose >= dose:
                return part.start + ((dose - given) / part.rate).to("h")
            given = given + part.dose
        return None


def read_scheme(therapy: Therapy, text: str, weight: Quantity | None, sessions: str | None = None) -> Scheme:
    """The infusion written as ``text``; :class:`InputError` names the part that cannot be."""
    parts = [p.strip() for p in re.split(r"[;\n]", text) if p.strip()]
    if not parts:
        raise InputError('plan must hold a dose, for example "0.5 mg/kg/h for 4 h"')
    if weight is None:
        raise InputError("plan needs a weight, to be held against limits per kilogram")
    if len(parts) > 200:
        raise InputError(f"plan has {len(parts)} parts; 200 are the most")
    segments: list[Segment] = []
    start = Quantity(Decimal(0), _H)
    for number, part in enumerate(parts, start=1):
        try:
            segment = _segment(therapy, part, start, weight)
        except InputError as error:
            raise InputError(f"plan, part {number} ({part!r}): {error}") from None
        segments.append(segment)
        start = segment.end
    check_guard(therapy, "duration", start)
    if not any(s.dose.value for s in segments):
        raise InputError("plan holds pauses only; it must give a dose")
    return Scheme(tuple(segments), _sessions(therapy, sessions))


def _sessions(therapy: Therapy, text: str | None) -> int:
    if text is None or not text.strip():
        return 1
    if not (text.strip().isascii() and text.strip().isdigit()) or not 1 <= len(text.strip()) <= 6 or int(text) == 0:
        raise InputError(f"sessions must be a whole number of 1 or more; got {text!r}")
    check_guard(therapy, "sessions", Quantity(Decimal(int(text)), parse_unit("1")), shown_as=str(int(text)))
    return int(text)


def _segment(therapy: Therapy, part: str, start: Quantity, weight: Quantity) -> Segment:
    if found := _PAUSE.fullmatch(part):
        pause = guarded(therapy, "duration", found[1], "h").to("h")
        return Segment(f"pause of {pause}", start, pause, Quantity(Decimal(0), _MG))
    if found := _OVER.fullmatch(part):
        given = _of_either(found[1], "dose", "mg/kg", "mg")
        duration = guarded(therapy, "duration", found[2], "h")
        dose = (given * weight).to("mg") if given.measures("mg/kg") else given.to("mg")
        said = f"{given} over {duration}"
    elif found := _FOR.fullmatch(part):
        given = _of_either(found[1], "rate", "mg/kg/h", "mg/h")
        duration = guarded(therapy, "duration", found[2], "h")
        rate = (given * weight).to("mg/h") if given.measures("mg/kg/h") else given
        dose = (rate * duration).to("mg")
        said = f"{given} for {duration}"
    elif found := _BOLUS.fullmatch(part):
        given = _of_either(found[1] or found[2], "dose", "mg/kg", "mg")
        duration = BOLUS
        dose = (given * weight).to("mg") if given.measures("mg/kg") else given.to("mg")
        said = f"{given} as a bolus, taken as over {BOLUS}"
    else:
        raise InputError('is read as "DOSE over TIME", "RATE for TIME", "DOSE bolus" or "pause TIME"')
    hours = duration.to("h")
    segment = Segment(said, start, hours, dose)
    if segment.is_bolus:
        check_guard(therapy, "bolus", (dose / weight).to("mg/kg"), shown_as=f"{shown((dose / weight).value)} mg/kg")
    else:
        per_kg = (segment.rate / weight).to("mg/kg/h")
        check_guard(therapy, "rate", per_kg, shown_as=f"{given} = {per_kg}" if str(given) != str(per_kg) else "")
    return segment


def _of_either(text: str, name: str, first: str, second: str) -> Quantity:
    given = quantity_of(text, name, measures=first) if _is(text, first) else quantity_of(text, name, measures=second)
    if given.value <= 0:
        raise InputError(f"{name} must be above 0; got {text.strip()!r}")
    return given


def _is(text: str, unit: str) -> bool:
    try:
        quantity_of(text, "", measures=unit)
    except InputError:
        return False
    return True
