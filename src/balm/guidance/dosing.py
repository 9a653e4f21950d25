"""Reference values of one rule at one weight: mg, mg/h, mL/h, mg a session and a course, each with its arithmetic.

Nothing is rounded on the way. Where a rule gives no number, no number is computed: a regimen without a duration has no
rate, and a rate without a duration has no total.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from balm.guidance.bounds import Bounds
from balm.guidance.rules import Rule
from balm.guidance.units import Quantity


@dataclass(frozen=True, slots=True)
class Computed:
    """What follows from a rule; every field is ``None`` where it does not follow. ``steps`` show how."""

    bolus_mg: Bounds | None = None
    bolus_ml: Bounds | None = None
    rate_mg_h: Bounds | None = None
    rate_ml_h: Bounds | None = None
    rate_mg_kg_h: Bounds | None = None
    session_mg: Bounds | None = None
    session_ml: Bounds | None = None
    session_mg_kg: Bounds | None = None
    course_mg: Bounds | None = None
    course_mg_kg: Bounds | None = None
    steps: tuple[str, ...] = ()


def in_mg(dose: Bounds, weight: Quantity | None, steps: list[str] | None = None, what: str = "dose") -> Bounds | None:
    """A dose in mg; ``None`` where it is per kilogram and no weight is given."""
    if dose.measures("mg"):
        return dose.to("mg")
    if weight is None:
        return None
    found = dose.times(weight, "mg")
    if steps is not None:
        steps.append(f"{what}: {dose} × {weight} = {found}")
    return found


def in_mg_h(rate: Bounds, weight: Quantity | None, steps: list[str] | None = None) -> Bounds | None:
    """A rate in mg/h; ``None`` where it is per kilogram and no weight is given."""
    if rate.measures("mg/h"):
        return rate.to("mg/h")
    if weight is None:
        return None
    found = rate.times(weight, "mg/h")
    if steps is not None:
        steps.append(f"rate: {rate} × {weight} = {found}")
    return found


def per_kg(dose: Bounds, weight: Quantity, unit: str) -> Bounds:
    """A dose or rate in ``unit``, which is per kilogram."""
    return dose.to(unit) if dose.measures(unit) else dose.over(weight, unit)


def product(rate: Bounds, duration: Bounds, unit: str) -> Bounds:
    """Rate times duration, low end with low end and high with high; an end that one of them lacks is open."""
    low = _times(rate.lowest, duration.lowest, unit)
    high = _times(rate.highest, duration.highest, unit)
    open_low, open_high = rate.low_open or duration.low_open, rate.high_open or duration.high_open
    unit_of = (low or high or Quantity(Decimal(0), rate.to(_rate_of(unit)).unit)).unit
    low_value = None if low is None else low.value
    high_value = None if high is None else high.value
    return Bounds(low_value, high_value, unit_of, "", open_low, open_high)


def _times(rate: Quantity | None, duration: Quantity | None, unit: str) -> Quantity | None:
    return None if rate is None or duration is None else (rate * duration).to(unit)


def _rate_of(unit: str) -> str:
    return f"{unit}/h"


def tightest(first: Bounds, second: Bounds) -> Bounds:
    """Both bounds at once, in one unit: the higher low end and the lower high end."""
    lows = [(x.low, x.low_open) for x in (first, second) if x.low is not None]
    highs = [(x.high, x.high_open) for x in (first, second) if x.high is not None]
    low, low_open = max(lows, default=(None, False))
    high, high_open = min(highs, key=lambda e: (e[0], not e[1]), default=(None, False))
    return Bounds(low, high, first.unit, f"{first.text} and {second.text}", low_open, high_open)


def session_total(rule: Rule, weight: Quantity | None, steps: list[str] | None = None) -> Bounds | None:
    """What one session gives in mg: as stated, else rate times duration; ``None`` where neither is known."""
    if rule.total is not None and rule.total_per != "course":
        return in_mg(rule.total, weight, steps, f"total{' of a session' if rule.total_per else ''}")
    once = rule.sessions is not None and rule.sessions.is_value and rule.sessions.low == 1
    if rule.total is not None and once:
        return in_mg(rule.total, weight, steps, "total")
    rate = hourly(rule, weight)
    if rate is not None and rule.duration is not None:
        found = product(rate, rule.duration, "mg")
        if found.low is None and found.high is None:
            return None
        if steps is not None:
            steps.append(f"session: {rate} × {rule.duration} = {found}")
        return found
    return None


def hourly(rule: Rule, weight: Quantity | None, steps: list[str] | None = None) -> Bounds | None:
    """The rate in mg/h: as stated (the tightest of several), or a stated dose over a stated duration."""
    stated = [r for r in (in_mg_h(rate, weight, steps) for rate in rule.all_rates()) if r is not None]
    if len(stated) < len(rule.all_rates()):
        return None
    if stated:
        found = stated[0]
        for other in stated[1:]:
            found = tightest(found, other)
            if steps is not None:
                steps.append(f"rate: the lower of both limits = {found}")
        return found
    per_session = rule.total is not None and rule.total_per == "session"
    if per_session and rule.total is not None and rule.duration is not None and rule.duration.is_value:
        dose = in_mg(rule.total, weight)
        if dose is None or not dose.is_value:
            return None
        hours = rule.duration.to("h").lowest
        assert hours is not None
        found = dose.over(hours, "mg/h")
        if steps is not None:
            steps.append(f"rate, derived: {dose} / {rule.duration} = {found}")
        return found
    return None


def computed(rule: Rule, weight: Quantity | None, concentration: Quantity | None) -> Computed:
    """Everything that follows from ``rule`` at this weight and concentration.

    >>> from balm.guidance.bounds import read_bounds
    >>> from balm.guidance.rules import Source
    >>> from balm.guidance.units import parse_unit
    >>> rule = Rule("a", "dose", "guideline", "t", "s", "chronic", "chronic", Source("G"), True,
    ...             rate=read_bounds("0.5-2", "mg/kg/h"))
    >>> found = computed(rule, Quantity(Decimal(70), parse_unit("kg")), Quantity(Decimal(2), parse_unit("mg/mL")))
    >>> print(found.rate_mg_h, "=", found.rate_ml_h)
    35–140 mg/h = 17.5–70 mL/h
    """
    steps: list[str] = []
    bolus = in_mg(rule.bolus, weight, steps, "bolus") if rule.bolus else None
    rate = hourly(rule, weight, steps)
    session = session_total(rule, weight, steps)
    course = None
    once = rule.sessions is not None and rule.sessions.is_value and rule.sessions.low == 1
    if rule.total is not None and rule.total_per == "course" and not once:
        course = in_mg(rule.total, weight, steps, "total of the course")
    elif session is not None and rule.sessions is not None and rule.sessions.is_value and rule.sessions.low != 1:
        course = session.times(Quantity(rule.sessions.low or Decimal(1), rule.sessions.unit), "mg")
        steps.append(f"course: {session} × {rule.sessions} sessions = {course}")

    def fluid(dose: Bounds | None, unit: str, what: str) -> Bounds | None:
        if dose is None or concentration is None:
            return None
        found = dose.over(concentration, unit)
        steps.append(f"{what}: {dose} / {concentration} = {found}")
        return found

    return Computed(
        bolus_mg=bolus,
        bolus_ml=fluid(bolus, "mL", "bolus volume"),
        rate_mg_h=rate,
        rate_ml_h=fluid(rate, "mL/h", "pump rate"),
        rate_mg_kg_h=per_kg(rate, weight, "mg/kg/h") if rate is not None and weight is not None else None,
        session_mg=session,
        session_ml=fluid(session, "mL", "volume of a session"),
        session_mg_kg=per_kg(session, weight, "mg/kg") if session is not None and weight is not None else None,
        course_mg=course,
        course_mg_kg=per_kg(course, weight, "mg/kg") if course is not None and weight is not None else None,
        steps=tuple(steps),
    )
