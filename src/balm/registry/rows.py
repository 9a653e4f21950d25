"""The rows of a registry as values: one class a table, its fields the columns of :mod:`balm.registry.tables`.

``row`` is the data row in the file, counted from 1. ``None`` is *not recorded*: never zero, never "no".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date as Day
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A person under a pseudonym; name, birthday and address are never here."""

    participant: str
    site: str
    enrolled: Day
    year_of_birth: int | None = None
    sex: str | None = None
    notes: str | None = None
    row: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a participant agreed to, in which version of the form, and whether it was withdrawn."""

    participant: str
    purpose: str
    version: str
    given: bool
    date: Day
    withdrawn: Day | None = None
    row: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One series of infusions given as one treatment, with its follow-up."""

    course: str
    participant: str
    number: int
    diagnosis: str
    pain_type: str
    setting: str
    diagnosis_code: str | None = None
    pain_years: float | None = None
    indication: str | None = None
    protocol: str | None = None
    guidance: str | None = None
    notes: str | None = None
    row: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One infusion session, from the first weighing to the signature."""

    session: str
    course: str
    number: int
    kind: str
    status: str
    start: datetime
    end: datetime | None = None
    weight_kg: Decimal | None = None
    events_asked: bool | None = None
    signed_by: str | None = None
    signed_at: datetime | None = None
    next_planned: Day | None = None
    notes: str | None = None
    row: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of time at one rate, or a bolus. A change of rate ends one segment and starts the next."""

    segment: str
    session: str
    kind: str
    drug: str
    form: str
    start: datetime
    stop: datetime | None = None
    dose: Decimal | None = None
    dose_unit: str | None = None
    rate: Decimal | None = None
    rate_unit: str | None = None
    concentration_mg_ml: Decimal | None = None
    replaces: str | None = None
    reason: str | None = None
    entered_at: datetime | None = None
    entered_by: str | None = None
    row: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A vital sign or score at a moment of a session."""

    observation: str
    session: str
    time: datetime
    quantity: str
    value: float
    unit: str
    entered_by: str | None = None
    row: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """One answer: an item of an instrument at a visit; or why there is none."""

    assessment: str
    course: str
    visit: str
    instrument: str
    item: str
    date: Day
    value: float | None = None
    missing: str | None = None
    mode: str | None = None
    row: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A follow-up visit that was held or tried: reached or not, and whether adverse events were asked about."""

    course: str
    visit: str
    date: Day
    reached: bool
    events_asked: bool | None = None
    mode: str | None = None
    reason: str | None = None
    row: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseEvent:
    """An adverse event of a course, of a session where it belongs to one."""

    event: str
    course: str
    term: str
    onset: Day
    severity: str
    serious: bool
    session: str | None = None
    resolved: Day | None = None
    causality: str | None = None
    action: str | None = None
    outcome: str | None = None
    notes: str | None = None
    row: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Medication:
    """Another drug: before, during or beside the infusions."""

    medication: str
    course: str
    drug: str
    kind: str
    session: str | None = None
    start: Day | None = None
    stop: Day | None = None
    dose: Decimal | None = None
    dose_unit: str | None = None
    morphine_mg_day: Decimal | None = None
    row: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The treatment of a course ended for good, and why."""

    course: str
    date: Day
    reason: str
    detail: str | None = None
    row: int = 0
