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
#: What others wrote about guidance: shown beside a plan, no limit to hold a clinic's doses against.
HEARSAY = ("secondary summary", "review of evidence")


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


def limits_doses(rule: Rule) -> bool:
    """Whether a rule limits what is given: what a study gave, what clinics do and words of another setting do not."""
    return rule.kind == "dose" and not rule.is_regimen and rule.basis not in NO_LIMIT and not rule.elsewhere


@dataclass(frozen=True, slots=True)
class StatedLimit:
    """A bound or range of one session as its rule states it: ``what`` is bolus, rate or total."""

    rule: Rule
    what: str
    limit: Bounds


def stated_limits(rules: Iterable[Rule], setting: str) -> tuple[StatedLimit, ...]:
    """The limits of one setting that were compared with their source and are no hearsay, for looking back at doses.

    A single number ("22 mg/h") is a regimen, not a limit; a total of a course says nothing about a session. Sources
    that contradict each other all stand.
    """
    found = []
    for rule in rules:
        if rule.setting != setting or not rule.verified or rule.basis in HEARSAY or not limits_doses(rule):
            continue
        stated = [("bolus", rule.bolus), *(("rate", rate) for rate in rule.all_rates())]
        stated += [("total", rule.total)] if rule.total_per != "course" else []
        found += [StatedLimit(rule, what, b) for what, b in stated if b is not None and not b.is_value]
    return tuple(found)


def check_limits(scheme: Scheme, rules: Iterable[Rule], patient: Patient, therapy: Therapy) -> tuple[LimitCheck, ...]:
    """Every limit that applies to the question; regimens, surveys and doses of another setting are no limits."""
    found: list[LimitCheck] = []
    for rule in rules:
        if not limits_doses(rule) or applies(rule, patient, therapy):
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
