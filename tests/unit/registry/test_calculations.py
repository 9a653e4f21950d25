"""Figures of a signature: exact doses, the course so far, limits, and a hash that any changed digit changes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from balm.registry.calculations import digest_of, session_figures
from balm.registry.doses import Limit
from balm.registry.reading import read_registry
from tests.unit.registry.small import files

HALF = Limit("a", "Half", "total mg/kg", None, Decimal("0.5"), "somewhere", "racemic")


def figures(session, limits=(), **changed):
    registry, problems = read_registry(files(**changed) if changed else files())
    assert registry is not None, problems
    return session_figures(registry, session, limits)


def test_doses_and_the_course_so_far_are_exact():
    found = {(f.what, f.about): f for f in figures("s2")}
    assert found["dose of a segment", "g2"].result == "50" and found["dose of a segment", "g4"].result == "65"
    assert ("dose of a segment", "g3") not in found, "a replaced segment was not given"
    assert found["dose of the session", "s2"].result == "115"
    assert found["dose of the session per kilogram", "s2"].result == "1.631206"
    course = found["cumulative dose of the course", "c1"]
    assert course.result == "190" and course.inputs == {"s1": "75 mg", "s2": "115 mg"}


def test_limits_are_met_passed_or_not_comparable():
    other = replace(HALF, form="S(+)")
    loose = replace(HALF, high=Decimal(5), low=Decimal(1))
    higher = replace(HALF, high=None, low=Decimal(3))
    verdicts = [f.verdict for f in figures("s2", (HALF, other, loose, higher)) if f.verdict]
    assert verdicts == ["above", "not comparable", "within", "below"]


def test_what_is_not_known_is_said():
    running = {f.what: f for f in figures("s4")}
    assert running["dose of the session"].result == "" and "no segments" in running["dose of the session"].formula
    assert running["cumulative dose of the course"].result == ""


def test_any_changed_digit_changes_the_hash():
    found = figures("s2", (HALF,))
    digest = digest_of(found, session="s2")
    assert digest == digest_of(figures("s2", (HALF,)), session="s2")
    assert digest != digest_of((replace(found[0], result="51"), *found[1:]), session="s2")
    assert digest != digest_of(found, session="s1")
