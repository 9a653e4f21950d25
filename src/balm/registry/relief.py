"""How long relief lasts: from the last treatment session to loss of effect or the next course."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from balm.registry.registry import Registry
from balm.registry.rows import Course
from balm.registry.schedule import answer, day_zero, next_course_day

ENDS = ("treated again", "pain back", "stopped for lack of effect", "still relieved when last seen")


@dataclass(frozen=True, slots=True)
class Relief:
    """One person: days of relief, whether it ended, and how."""

    course: str
    days: int
    ended: bool
    how: str


def relief_of(registry: Registry, course: Course, today: date) -> Relief | None:
    """The duration of relief of a course, or ``None`` without a baseline or any answer or ending after treatment.

    Relief ends on the first of: the next course; the stop for lack of effect; the first answer at which pain is no
    longer ``relief_percent`` below baseline. Somebody without an ending is followed until the last answer. The loss is
    noticed at visits, so that it lies between the visit before and this one: the curve shows the day it was noticed.
    """
    zero = day_zero(registry, course.course)
    pain = registry.definition.pain
    before = answer(registry, course, registry.definition.baseline, pain.instrument, pain.item)
    if zero is None or before is None or not before.value:
        return None
    ends: list[tuple[date, str]] = []
    again = next_course_day(registry, course)
    if again is not None and again <= today:
        ends.append((again, "treated again"))
    stop = registry.stop_of.get(course.course)
    if stop is not None and stop.reason == "lack of effect" and stop.date <= today:
        ends.append((stop.date, "stopped for lack of effect"))
    seen = zero
    for visit in registry.definition.follow_ups:
        found = answer(registry, course, visit, pain.instrument, pain.item)
        if found is None or found.value is None:
            continue
        seen = max(seen, found.date)
        if (before.value - found.value) * 100 < registry.definition.relief_percent * before.value:
            ends.append((found.date, "pain back"))
    if ends:
        day, how = min(ends, key=lambda e: (e[0], ENDS.index(e[1])))
        return Relief(course.course, max((day - zero).days, 0), True, how)
    if seen == zero:
        return None
    return Relief(course.course, (seen - zero).days, False, "still relieved when last seen")


def reliefs(registry: Registry, courses: Sequence[Course], today: date) -> list[Relief]:
    """Every index course whose relief can be told."""
    found = (relief_of(registry, c, today) for c in courses)
    return [r for r in found if r is not None]
