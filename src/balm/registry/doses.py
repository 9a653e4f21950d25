"""What was given, in milligrams, exactly: every segment, session and course, and how it stands to limits.

Decimal arithmetic throughout. An amount per kilogram uses the weight of its session; a rate uses the time from begin
to stop. What is missing is said, never guessed. Limits are plain values that the caller brings from guidance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from balm.registry.registry import Registry
from balm.registry.rows import Segment, Session

#: Milligrams in one of the unit's mass, and whether it is per kilogram.
_MASS = {
    "mg": (Decimal(1), False),
    "mg/kg": (Decimal(1), True),
    "ug": (Decimal("0.001"), False),
    "ug/kg": (Decimal("0.001"), True),
}
#: The same for rates, with the hours of the unit's time.
_RATE = {
    "mg/h": (Decimal(1), False, Decimal(1)),
    "mg/kg/h": (Decimal(1), True, Decimal(1)),
    "mg/min": (Decimal(60), False, Decimal(1)),
    "ug/kg/min": (Decimal("0.06"), True, Decimal(1)),
    "ug/kg/h": (Decimal("0.001"), True, Decimal(1)),
}
LIMITS_OF = ("bolus mg/kg", "rate mg/kg/h", "rate mg/h", "total mg/kg", "total mg")


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of guidance as plain values: ``of`` is one of :data:`LIMITS_OF`, ``low`` and ``high`` its ends.

    ``form`` is the form of the drug it was stated for; empty where the source does not say.
    """

    id: str
    label: str
    of: str
    low: Decimal | None
    high: Decimal | None
    source: str
    form: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """One session: milligrams in all, the largest bolus and rate, hours; ``None`` where it cannot be worked out."""

    session: str
    course: str
    weight_kg: Decimal | None
    mg: Decimal | None
    bolus_mg: Decimal | None
    rate_mg_h: Decimal | None
    hours: Decimal
    forms: tuple[str, ...]
    why_not: str = ""

    def quantity(self, of: str) -> Decimal | None:
        """The amount a limit is about."""
        kind, _, unit = of.partition(" ")
        value = {"bolus": self.bolus_mg, "rate": self.rate_mg_h, "total": self.mg}[kind]
        if value is None or "/kg" not in unit:
            return value
        return value / self.weight_kg if self.weight_kg else None


@dataclass(frozen=True, slots=True)
class AgainstLimit:
    """How sessions stand to a limit: within, below, above, and not comparable (no weight, other form, no such dose)."""

    limit: Limit
    within: int
    below: int
    above: int
    not_comparable: int
    largest: Decimal | None


def rate_mg_h(segment: Segment, weight: Decimal | None) -> Decimal | None:
    """The rate in mg/h; for an infusion given as an amount, its mean rate."""
    if segment.rate is not None and segment.rate_unit is not None:
        if segment.rate_unit == "mL/h":
            return None if segment.concentration_mg_ml is None else segment.rate * segment.concentration_mg_ml
        factor, per_kg, _ = _RATE[segment.rate_unit]
        if per_kg and weight is None:
            return None
        return segment.rate * factor * (weight if per_kg and weight is not None else Decimal(1))
    hours = segment_hours(segment)
    amount = dose_mg(segment, weight)
    return amount / hours if amount is not None and hours else None


def dose_mg(segment: Segment, weight: Decimal | None) -> Decimal | None:
    """The amount given in a segment in mg, or ``None`` where stop or weight is missing.

    >>> from datetime import datetime
    >>> one = Segment(segment="g", session="s", kind="infusion", drug="ketamine", form="racemic",
    ...     start=datetime(2026, 1, 1, 9), stop=datetime(2026, 1, 1, 11, 30), rate=Decimal("0.5"), rate_unit="mg/kg/h")
    >>> dose_mg(one, Decimal(70))
    Decimal('87.50')
    """
    if segment.dose is not None and segment.dose_unit is not None:
        factor, per_kg = _MASS[segment.dose_unit]
        if per_kg and weight is None:
            return None
        return segment.dose * factor * (weight if per_kg and weight is not None else Decimal(1))
    if segment.rate is None:
        return None
    hours, rate = segment_hours(segment), rate_mg_h(segment, weight)
    return None if hours is None or rate is None else rate * hours


def segment_hours(segment: Segment) -> Decimal | None:
    """From begin to stop in hours; ``None`` while it runs."""
    if segment.stop is None:
        return None
    return Decimal(int((segment.stop - segment.start).total_seconds())) / Decimal(3600)


def given(registry: Registry, session: Session) -> Given:
    """What was given in a session of the registry's drug: the standing segments summed."""
    segments = [
        s
        for s in registry.standing_segments_of.get(session.session, ())
        if s.drug.casefold() == registry.definition.drug.casefold()
    ]
    weight = session.weight_kg
    amounts = [(s, dose_mg(s, weight)) for s in segments]
    missing = [s.segment for s, amount in amounts if amount is None]
    rates = [r for s in segments if s.kind == "infusion" and (r := rate_mg_h(s, weight)) is not None]
    boluses = [a for s, a in amounts if s.kind == "bolus" and a is not None]
    why = f"segment {', '.join(missing)} has no stop or no weight" if missing else "" if segments else "no segments"
    return Given(
        session.session,
        session.course,
        weight,
        None if why else sum((a for _, a in amounts if a is not None), Decimal(0)),
        max(boluses, default=None),
        max(rates, default=None),
        sum((h for s in segments if (h := segment_hours(s)) is not None), Decimal(0)),
        tuple(sorted({s.form for s in segments})),
        why,
    )


def against_limits(doses: Sequence[Given], limits: Sequence[Limit]) -> list[AgainstLimit]:
    """Every session beside every limit. A limit stated for one form says nothing about another form."""
    found = []
    for limit in limits:
        within = below = above = skipped = 0
        values = []
        for one in doses:
            value = one.quantity(limit.of)
            if value is None or (limit.form and one.forms != (limit.form,)):
                skipped += 1
                continue
            values.append(value)
            if limit.low is not None and value < limit.low:
                below += 1
            elif limit.high is not None and value > limit.high:
                above += 1
            else:
                within += 1
        found.append(AgainstLimit(limit, within, below, above, skipped, max(values, default=None)))
    return found
