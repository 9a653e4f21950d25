"""A whole registry as one value: its definition and the rows of its tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from balm.registry import rows
from balm.registry.definition import Definition

Row = TypeVar("Row")


@dataclass(frozen=True, eq=False)
class Registry:
    """Definition and rows; rows come in the order of their files. Nothing here names a person."""

    definition: Definition
    participants: tuple[rows.Participant, ...] = ()
    consents: tuple[rows.Consent, ...] = ()
    courses: tuple[rows.Course, ...] = ()
    sessions: tuple[rows.Session, ...] = ()
    segments: tuple[rows.Segment, ...] = ()
    observations: tuple[rows.Observation, ...] = ()
    assessments: tuple[rows.Assessment, ...] = ()
    contacts: tuple[rows.Contact, ...] = ()
    adverse_events: tuple[rows.AdverseEvent, ...] = ()
    medications: tuple[rows.Medication, ...] = ()
    stops: tuple[rows.Stop, ...] = ()

    @cached_property
    def participant_of(self) -> dict[str, rows.Participant]:
        """Participants by pseudonym."""
        return {p.participant: p for p in self.participants}

    @cached_property
    def course_of(self) -> dict[str, rows.Course]:
        """Courses by id."""
        return {c.course: c for c in self.courses}

    @cached_property
    def session_of(self) -> dict[str, rows.Session]:
        """Sessions by id."""
        return {s.session: s for s in self.sessions}

    @cached_property
    def sessions_of(self) -> dict[str, tuple[rows.Session, ...]]:
        """The sessions of each course that were held (running or signed), by begin."""
        return _grouped((s for s in self.sessions if s.status in ("running", "signed")), "course", "start")

    @cached_property
    def standing_segments_of(self) -> dict[str, tuple[rows.Segment, ...]]:
        """The segments of each session that no later one replaces, by begin."""
        replaced = {s.replaces for s in self.segments}
        return _grouped((s for s in self.segments if s.segment not in replaced), "session", "start")

    @cached_property
    def courses_of(self) -> dict[str, tuple[rows.Course, ...]]:
        """The courses of each participant, by number."""
        return _grouped(self.courses, "participant", "number")

    @cached_property
    def assessments_of(self) -> dict[str, tuple[rows.Assessment, ...]]:
        """The answers of each course, by date."""
        return _grouped(self.assessments, "course", "date")

    @cached_property
    def contacts_of(self) -> dict[str, tuple[rows.Contact, ...]]:
        """The follow-ups of each course that were held or tried, by date."""
        return _grouped(self.contacts, "course", "date")

    @cached_property
    def stop_of(self) -> dict[str, rows.Stop]:
        """Why each course ended, where it did."""
        return {s.course: s for s in self.stops}


def _grouped(items: Iterable[Row], by: str, order: str) -> dict[str, tuple[Row, ...]]:
    found: dict[str, list[Row]] = {}
    for item in items:
        found.setdefault(getattr(item, by), []).append(item)
    return {k: tuple(sorted(v, key=lambda i: getattr(i, order))) for k, v in found.items()}
