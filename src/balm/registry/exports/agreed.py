"""The part of a registry that may leave: without those who refused it, or withdrew."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace

from balm.registry.participant_flow import without_consent
from balm.registry.registry import Registry


def of_those_who_agreed(registry: Registry) -> Registry:
    """The registry without the rows of everybody whose latest consent to it is a refusal or was withdrawn."""
    return without(registry, without_consent(registry))


def without(registry: Registry, out: AbstractSet[str]) -> Registry:
    """The registry without every row of the participants ``out``."""
    if not out:
        return registry
    courses = {c.course for c in registry.courses if c.participant not in out}
    sessions = {s.session for s in registry.sessions if s.course in courses}
    return replace(
        registry,
        participants=tuple(p for p in registry.participants if p.participant not in out),
        consents=tuple(c for c in registry.consents if c.participant not in out),
        courses=tuple(c for c in registry.courses if c.course in courses),
        sessions=tuple(s for s in registry.sessions if s.session in sessions),
        segments=tuple(g for g in registry.segments if g.session in sessions),
        observations=tuple(o for o in registry.observations if o.session in sessions),
        assessments=tuple(a for a in registry.assessments if a.course in courses),
        contacts=tuple(c for c in registry.contacts if c.course in courses),
        adverse_events=tuple(e for e in registry.adverse_events if e.course in courses),
        medications=tuple(m for m in registry.medications if m.course in courses),
        stops=tuple(s for s in registry.stops if s.course in courses),
    )
