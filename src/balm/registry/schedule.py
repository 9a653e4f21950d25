"""When somebody is followed up: day 0 of a course, what is due, overdue, answered or not asked any more.

Day 0 is the day of the last treatment session held in the course; of the last test session while there is no treatment
session. A visit is asked for until the next course begins (``until_next_infusion``), as in the cohort NCT05477004.
Everything here is derived: nothing is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from balm.registry.definition import Visit
from balm.registry.registry import Registry
from balm.registry.rows import Assessment, Course

STATES = ("done", "open", "overdue", "ahead", "missed", "not asked: treated again", "not asked: died")


@dataclass(frozen=True, slots=True)
class Due:
    """A visit of a course: its day, the window that counts, and how it stands.

    ``open``: the window is open and there is no answer; ``overdue``: its day has passed within the window; ``missed``:
    the window has closed; ``ahead``: it has not opened.
    """

    course: str
    participant: str
    visit: str
    day: date
    opens: date
    closes: date
    status: str


def day_zero(registry: Registry, course: str) -> date | None:
    """The day follow-up counts from, or ``None`` where no session was held."""
    held = registry.sessions_of.get(course, ())
    treatments = [s for s in held if s.kind == "treatment"]
    return (treatments or list(held))[-1].start.date() if held else None


def first_day(registry: Registry, course: str) -> date | None:
    """The day of the first session held, before which baseline lies."""
    held = registry.sessions_of.get(course, ())
    return held[0].start.date() if held else None


def next_course_day(registry: Registry, course: Course) -> date | None:
    """The first day of the participant's next course, where one has begun."""
    later = [c for c in registry.courses_of[course.participant] if c.number > course.number]
    days = [d for c in later if (d := first_day(registry, c.course)) is not None]
    return min(days, default=None)


def window(registry: Registry, course: str, visit: Visit) -> tuple[date, date, date] | None:
    """Day, opening and closing of a visit; ``None`` where no session was held."""
    start = first_day(registry, course) if visit.baseline else day_zero(registry, course)
    if start is None:
        return None
    day = start if visit.baseline else start + timedelta(days=visit.day)
    return day, day - timedelta(days=visit.before), day + timedelta(days=visit.after)


def asked_until(registry: Registry, course: Course) -> date | None:
    """The day from which nothing is asked any more: the next course, where the definition says so."""
    return next_course_day(registry, course) if registry.definition.until_next_infusion else None


def answer(registry: Registry, course: Course, visit: Visit, instrument: str, item: str) -> Assessment | None:
    """The answer that counts for a visit: within its window, and before the next course. ``None``: there is none."""
    span = window(registry, course.course, visit)
    if span is None:
        return None
    until = asked_until(registry, course)
    for a in registry.assessments_of.get(course.course, ()):
        if (a.visit, a.instrument, a.item) != (visit.id, instrument, item) or a.value is None:
            continue
        if span[1] <= a.date <= span[2] and (visit.baseline or until is None or a.date <= until):
            return a
    return None


def outside_window(registry: Registry) -> int:
    """How many answers were given but lie outside the window of their visit, and count nowhere."""
    count = 0
    for course in registry.courses:
        until = asked_until(registry, course)
        for a in registry.assessments_of.get(course.course, ()):
            visit = registry.definition.visit(a.visit)
            span = window(registry, course.course, visit) if visit else None
            if visit is None or span is None or a.value is None:
                continue
            late = not visit.baseline and until is not None and a.date > until
            count += late or not span[1] <= a.date <= span[2]
    return count


def due_list(registry: Registry, today: date) -> list[Due]:
    """Every follow-up visit of every course that was begun, by day."""
    pain = registry.definition.pain
    found = []
    for course in registry.courses:
        until = asked_until(registry, course)
        stop = registry.stop_of.get(course.course)
        for visit in registry.definition.follow_ups:
            span = window(registry, course.course, visit)
            if span is None:
                continue
            day, opens, closes = span
            if answer(registry, course, visit, pain.instrument, pain.item) is not None:
                status = "done"
            elif stop is not None and stop.reason == "died" and stop.date <= day:
                status = "not asked: died"
            elif until is not None and until <= opens:
                status = "not asked: treated again"
            elif today < opens:
                status = "ahead"
            elif today <= day:
                status = "open"
            elif today <= closes:
                status = "overdue"
            else:
                status = "missed"
            found.append(Due(course.course, course.participant, visit.id, day, opens, closes, status))
    return sorted(found, key=lambda d: (d.day, d.course))
