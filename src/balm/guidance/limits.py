"""A planned infusion held against every limit: bolus, rate, duration and total, with the time a total is reached."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from balm.guidance.bounds import Bounds
from balm.guidance.dosing import in_mg, in_mg_h
from balm.guidance.patient import Patient, applies
from balm.guidance.rules import Rule
from balm.guidance.scheme import Scheme
from balm.guidance.therapy import Therapy
from balm.guidance.units import Quantity

WITHIN, ABOVE, BELOW = "within", "above", "below"
#: What clinics report that they give limits nobody.
NO_LIMIT = ("practice survey",)


@dataclass(frozen=True, slots=True)
class LimitCheck:
    """One limit of one rule beside what the plan gives. ``reached`` is when a total is passed, in h."""

    rule: Rule
    what: str  # bolus, rate, duration, total
    limit: Bounds
    given: Quantity
    verdict: str
    arithmetic: str
    reached: Quantity | None = None


def check_limits(scheme: Scheme, rules: Iterable[Rule], patient: Patient, therapy: Therapy) -> tuple[LimitCheck, ...]:
    """Every limit that applies to the question; regimens, surveys and doses of another setting are no limits."""
    found: list[LimitCheck] = []
    for rule in rules:
        if rule.kind != "dose" or rule.is_regimen or rule.basis in NO_LIMIT or rule.elsewhere:
            continue
        if applies(rule, patient, therapy):
            continue
        found += _of_rule(scheme, rule, patient)
    order = {ABOVE: 0, BELOW: 1, WITHIN: 2}
    return tuple(sorted(found, key=lambda c: (order[c.verdict], not c.rule.advises)))


def _of_rule(scheme: Scheme, rule: Rule, patient: Patient) -> list[LimitCheck]:
    weight = patient.weight
    assert weight is not None, "a scheme is read with a weight"
    found: list[LimitCheck] = []
    boluses = [s for s in scheme.segments if s.is_bolus]
    if rule.bolus is not None and boluses and (limit := in_mg(rule.bolus, weight)) is not None:
        most = max(boluses, key=lambda s: s.dose.value)
        found.append(_check(rule, "bolus", limit, most.dose, f"{most.said} = {most.dose}; limit {rule.bolus}"))
    rates = [s for s in scheme.segments if s.dose.value > 0 and not s.is_bolus]
    for bound in rule.all_rates():
        if rates and (limit := in_mg_h(bound, weight)) is not None:
            most = max(rates, key=lambda s: s.rate.value)
            least = min(rates, key=lambda s: s.rate.value)
            chosen = (
                least if limit.lowest is not None and least.rate < limit.lowest and limit.allows(most.rate) else most
            )
            found.append(_check(rule, "rate", limit, chosen.rate, f"{chosen.said} = {chosen.rate}; limit {bound}"))
    if rule.total is not None and (limit := in_mg(rule.total, weight)) is not None:
        given = scheme.course if rule.total_per == "course" else scheme.total
        end = limit.highest if limit.highest is not None else limit.lowest
        reached = scheme.reaches(end) if end is not None and rule.total_per != "course" else None
        per_kg = (given / weight).to("mg/kg")
        said = f"{given} ({per_kg}) in all; limit {rule.total} = {limit}"
        if reached is not None:
            said += f", reached after {reached}"
        found.append(_check(rule, "total", limit, given, said, reached))
        if rule.duration is not None:
            said = f"{scheme.duration}; the total is meant over {rule.duration}"
            found.append(_check(rule, "duration", rule.duration.to("h"), scheme.duration, said))
    return found


def _check(
    rule: Rule, what: str, limit: Bounds, given: Quantity, said: str, reached: Quantity | None = None
) -> LimitCheck:
    if limit.allows(given):
        verdict = WITHIN
    else:
        verdict = ABOVE if limit.highest is not None and given >= limit.highest else BELOW
    return LimitCheck(rule, what, limit, given, verdict, said, reached)
