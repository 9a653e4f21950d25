"""Adverse events by person, with those who were asked told apart from those who were not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from balm.registry.registry import Registry
from balm.registry.rows import Course
from balm.registry.tables import SEVERITIES


@dataclass(frozen=True, slots=True)
class Harms:
    """People of index courses by the worst severity of their events.

    ``asked``: asked at one session or contact at least, or with an event on record; the denominator. ``never_asked``:
    the record says no, every time; ``not_recorded``: the record does not say. ``worst`` counts people by their worst
    event, ``any_of`` people with at least one event of a severity or a worse one.
    """

    people: int
    asked: int
    asked_every_session: int
    never_asked: int
    not_recorded: int
    with_event: int
    worst: dict[str, int]
    at_least: dict[str, int]
    serious: int
    terms: tuple[tuple[str, int], ...]  # term -> people, most frequent first
    events: int


def harms(registry: Registry, courses: Sequence[Course]) -> Harms:
    """Count the adverse events of index courses."""
    own = {c.course for c in courses}
    events: dict[str, list[int]] = {}
    serious, terms = set(), Counter[str]()
    total = 0
    for e in registry.adverse_events:
        if e.course in own:
            events.setdefault(e.course, []).append(SEVERITIES.index(e.severity))
            total += 1
            if e.serious:
                serious.add(e.course)
    for _, term in {(e.course, e.term.strip().casefold()) for e in registry.adverse_events if e.course in own}:
        terms[term] += 1
    asked = every = never = unknown = 0
    for course in own:
        sessions = [s.events_asked for s in registry.sessions_of.get(course, ())]
        contacts = [c.events_asked for c in registry.contacts_of.get(course, ()) if c.reached]
        said = [*sessions, *contacts]
        if any(a is True for a in said) or course in events:
            asked += 1
            every += bool(sessions) and all(a is True for a in sessions)
        elif said and all(a is False for a in said):
            never += 1
        else:
            unknown += 1
    worst = Counter(max(found) for found in events.values())
    return Harms(
        people=len(own),
        asked=asked,
        asked_every_session=every,
        never_asked=never,
        not_recorded=unknown,
        with_event=len(events),
        worst={name: worst[i] for i, name in enumerate(SEVERITIES)},
        at_least={name: sum(worst[j] for j in range(i, len(SEVERITIES))) for i, name in enumerate(SEVERITIES)},
        serious=len(serious),
        terms=tuple(sorted(terms.items(), key=lambda t: (-t[1], t[0]))),
        events=total,
    )
