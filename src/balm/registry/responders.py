"""Who responded, under every definition set beforehand, over all treated and over those assessed.

The unit is a person, with the first course begun (the index course). A person is *due* when the window of the visit has
closed or there is an answer. Over all treated and due, whoever has no answer counts as no responder; over those
assessed, only answers count. Under a definition that asks that the treatment was not stopped for a reason, whoever
stopped for it before the visit's window closed is known to be no responder, and counts as assessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from balm.registry.definition import Responder, Visit
from balm.registry.registry import Registry
from balm.registry.rows import Course
from balm.registry.schedule import answer, first_day, window

STATES = ("responder", "no responder", "not assessed", "not due")


@dataclass(frozen=True, slots=True)
class Answered:
    """A person at a visit under a definition. ``why`` says why a person is not assessed."""

    participant: str
    course: str
    pain_type: str
    site: str
    status: str
    why: str = ""


def index_courses(registry: Registry) -> list[Course]:
    """The first course begun of each participant, in the order of the participants."""
    found = []
    for person in registry.participants:
        begun = [c for c in registry.courses_of.get(person.participant, ()) if registry.sessions_of.get(c.course)]
        if begun:
            found.append(begun[0])
    return found


def responder_status(
    registry: Registry, course: Course, visit: Visit, definition: Responder, today: date
) -> tuple[str, str]:
    """One of :data:`STATES`, and why where it is "not assessed"."""
    span = window(registry, course.course, visit)
    assert span is not None, "an index course has a session"
    stop = registry.stop_of.get(course.course)
    stopped = stop is not None and stop.reason == definition.not_stopped_for and stop.date <= min(span[2], today)
    if definition.not_stopped_for and stopped:
        return "no responder", ""
    pain = registry.definition.pain
    instrument, item = definition.instrument or pain.instrument, definition.item or pain.item
    after = answer(registry, course, visit, instrument, item)
    if after is None or after.value is None:
        if today <= span[2]:
            return "not due", ""
        return "not assessed", "no answer in the window"
    if definition.kind in ("at-most", "at-least"):
        yes = (
            after.value <= definition.threshold if definition.kind == "at-most" else after.value >= definition.threshold
        )
        return ("responder" if yes else "no responder"), ""
    before = answer(registry, course, registry.definition.baseline, instrument, item)
    if before is None or before.value is None:
        return "not assessed", "no baseline"
    if before.value == 0:
        return "not assessed", "no pain at baseline: no reduction can be measured"
    drop = before.value - after.value
    # Compared without dividing: 5 of 10 is 50 %, whatever the rounding of a quotient says.
    enough = (
        drop * 100 >= definition.threshold * before.value
        if definition.kind == "percent"
        else drop >= definition.threshold
    )
    return ("responder" if enough else "no responder"), ""


def responders(
    registry: Registry, courses: Sequence[Course], visit: Visit, definition: Responder, today: date
) -> list[Answered]:
    """Every index course under a definition."""
    found = []
    for course in courses:
        status, why = responder_status(registry, course, visit, definition, today)
        site = registry.participant_of[course.participant].site
        found.append(Answered(course.participant, course.course, course.pain_type, site, status, why))
    return found


def by_begin(registry: Registry, answered: Sequence[Answered]) -> list[Answered]:
    """In the order in which the courses began, for charts over time."""
    return sorted(answered, key=lambda a: (first_day(registry, a.course) or date.max, a.course))
