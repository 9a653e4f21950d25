"""From the enrolled to the analysed: the flow that STROBE, item 13, asks for, each number with its denominator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from balm.registry.definition import Visit
from balm.registry.registry import Registry
from balm.registry.rows import Course
from balm.registry.schedule import answer, asked_until, window


@dataclass(frozen=True, slots=True)
class ParticipantFlow:
    """``enrolled = refused + not_treated + treated``; ``treated = not_due + due``; ``due = followed + not_followed``;
    ``followed = analysed + not_analysed``. ``reasons`` and ``why_not_analysed`` add up to the lines they explain."""

    visit: str
    enrolled: int
    refused: int
    not_treated: int
    treated: int
    not_due: int
    due: int
    followed: int
    not_followed: int
    reasons: tuple[tuple[str, int], ...]
    analysed: int
    why_not_analysed: tuple[tuple[str, int], ...]
    consent_not_recorded: int


def without_consent(registry: Registry) -> set[str]:
    """Participants who refused the registry, or withdrew: their latest consent to it decides."""
    latest: dict[str, tuple[date, bool]] = {}
    for c in registry.consents:
        if c.purpose == "registry" and (c.participant not in latest or c.date >= latest[c.participant][0]):
            latest[c.participant] = (c.date, c.given and c.withdrawn is None)
    return {person for person, (_, stands) in latest.items() if not stands}


def participant_flow(
    registry: Registry, courses: Sequence[Course], visit: Visit, today: date, *, refused: int, enrolled: int
) -> ParticipantFlow:
    """The flow to the analysis of pain at ``visit``; ``courses`` are the index courses of those who agreed."""
    pain = registry.definition.pain
    with_consent = {c.participant for c in registry.consents if c.purpose == "registry"}
    not_due = followed = analysed = 0
    reasons, why_not = Counter[str](), Counter[str]()
    for course in courses:
        span = window(registry, course.course, visit)
        assert span is not None
        found = answer(registry, course, visit, pain.instrument, pain.item)
        if found is None and today <= span[2]:
            not_due += 1
            continue
        there = [a for a in registry.assessments_of.get(course.course, ()) if a.visit == visit.id]
        contacts = [c for c in registry.contacts_of.get(course.course, ()) if c.visit == visit.id]
        reached = any(a.value is not None for a in there) or any(c.reached for c in contacts)
        if not reached:
            reasons[_why_not_followed(registry, course, span, there)] += 1
            continue
        followed += 1
        if found is None:
            said = [a.missing for a in there if a.missing]
            out = any(a.value is not None and a.instrument == pain.instrument for a in there)
            why_not["pain answered outside the window" if out else f"no answer on pain: {said[0]}" if said else
                    "no answer on pain"] += 1  # fmt: skip
        elif answer(registry, course, registry.definition.baseline, pain.instrument, pain.item) is None:
            why_not["no pain at baseline recorded"] += 1
        else:
            analysed += 1
    due = len(courses) - not_due
    return ParticipantFlow(
        visit=visit.id,
        enrolled=enrolled,
        refused=refused,
        not_treated=enrolled - refused - len(courses),
        treated=len(courses),
        not_due=not_due,
        due=due,
        followed=followed,
        not_followed=due - followed,
        reasons=tuple(sorted(reasons.items(), key=lambda r: (-r[1], r[0]))),
        analysed=analysed,
        why_not_analysed=tuple(sorted(why_not.items(), key=lambda r: (-r[1], r[0]))),
        consent_not_recorded=sum(c.participant not in with_consent for c in courses),
    )


def _why_not_followed(
    registry: Registry, course: Course, span: tuple[date, date, date], there: Sequence[object]
) -> str:
    until = asked_until(registry, course)
    if until is not None and until <= span[2]:
        return "treated again before the visit"
    stop = registry.stop_of.get(course.course)
    if stop is not None and stop.date <= span[2]:
        return f"stopped: {stop.reason}"
    said = [a.missing for a in there if getattr(a, "missing", None)]  # type: ignore[attr-defined]
    return f"missing: {said[0]}" if said else "no contact recorded"
