"""An answer as plain values: every rule with its source, what was computed, and the arithmetic of contradictions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from balm.guidance.bounds import Bounds
from balm.guidance.curves import Curves
from balm.guidance.dosing import Computed
from balm.guidance.guide import Answer, Warned
from balm.guidance.limits import LimitCheck
from balm.guidance.pharmacokinetics import Kinetics
from balm.guidance.rules import Rule
from balm.guidance.scheme import Scheme
from balm.guidance.units import Quantity

#: What is computed of a rule -> its unit.
COMPUTED = {
    "bolus_mg": "mg", "bolus_ml": "mL", "rate_mg_h": "mg/h", "rate_ml_h": "mL/h", "rate_mg_kg_h": "mg/kg/h",
    "session_mg": "mg", "session_ml": "mL", "session_mg_kg": "mg/kg", "course_mg": "mg", "course_mg_kg": "mg/kg",
}  # fmt: skip


def number(value: Decimal | None) -> float | int | None:
    """A Decimal as JSON prints it: the shortest number that reads back as the same value."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() and abs(value) < 10**15 else float(value)


def bounds(b: Bounds | None) -> dict[str, Any] | None:
    """``text`` as a reader sees it, ``low`` and ``high`` as numbers (null: no such end), ``unit``."""
    if b is None:
        return None
    found = {"text": str(b), "low": number(b.low), "high": number(b.high), "unit": str(b.unit)}
    return found | ({"low_open": True} if b.low_open else {}) | ({"high_open": True} if b.high_open else {})


def quantity(q: Quantity | None) -> dict[str, Any] | None:
    """A value with its unit."""
    return None if q is None else {"value": number(q.value), "unit": str(q.unit)}


def rule(r: Rule, as_of: date) -> dict[str, Any]:
    """A rule in full."""
    return {
        "id": r.id, "kind": r.kind, "topic": r.topic, "statement": r.statement, "setting": r.written_setting,
        "setting_of_source": r.setting_of_source, "condition": r.condition, "population": r.population,
        "drug_form": r.written_form or "not stated", "basis": r.basis, "grade": r.grade, "certainty": r.certainty,
        "status": r.status, "verified": r.verified, "may_support_advice": r.advises,
        "source": {
            "title": r.source.name, "year": r.source.year, "report": r.source.report, "doi": r.source.doi,
            "pmid": r.source.pmid, "links": list(r.source.links), "locator": r.source.locator,
        },
        "age": r.age(as_of), "review_due": r.review_due, "overdue": r.overdue(as_of), "checked_by": r.checked_by,
        "reviewed": r.reviewed, "next_review": r.next_review, "notes": r.notes, "claims": list(r.claims),
        "remarks": list(r.remarks),
    }  # fmt: skip


def dosing(r: Rule, c: Computed, as_of: date, why_none: str) -> dict[str, Any]:
    """A dosing rule with its separate fields and what follows from them."""
    made: dict[str, Any] = {name: bounds(getattr(c, name)) for name in COMPUTED if getattr(c, name) is not None}
    made["steps"] = list(c.steps)
    made["why_none"] = why_none if len(made) == 1 and why_none else None
    rates = [bounds(b) for b in r.all_rates()]
    return rule(r, as_of) | {
        "bolus": bounds(r.bolus), "rate": rates[0] if rates else None, "further_rates": rates[1:],
        "duration": bounds(r.duration), "sessions": bounds(r.sessions), "total": bounds(r.total),
        "total_per": r.total_per, "computed": made,
    }  # fmt: skip


def answer_as_json(
    answer: Answer, *, package: dict[str, Any], evidence: Sequence[dict[str, Any]], newer: Sequence[dict[str, Any]],
    curves: Curves | None = None, kinetics: Kinetics | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The whole answer. ``package`` says which review it is of; ``evidence`` comes from that review's synthesis."""
    p, t, day = answer.patient, answer.therapy, answer.as_of
    why = "" if p.weight is not None else "give a weight: doses per kilogram are not computed without one"
    return {
        "therapy": t.id,
        "name": t.name,
        "as_of": day.isoformat(),
        "review": package,
        "intended_use": t.intended_use,
        "asked": {
            "weight": quantity(p.weight), "setting": p.setting.id, "condition": p.condition.id if p.condition else None,
            "drug_form": p.form.id if p.form else None,
            "comorbidities": None if p.comorbidities is None else [c.id for c in p.comorbidities],
            "concentration": quantity(p.concentration),
        },
        "rules": [dosing(d.rule, d.computed, day, why) for d in answer.dosed],
        "recommendations": [rule(r, day) for r in answer.listed["recommendation"]],
        "contraindications": [_warned(w, day) for w in answer.contraindications],
        "cautions": [_warned(w, day) for w in answer.cautions],
        "interactions": [rule(r, day) for r in answer.listed["interaction"]],
        "monitoring": [rule(r, day) for r in answer.listed["monitoring"]],
        "rescue": [rule(r, day) for r in answer.listed["rescue"]],
        "follow_up": [rule(r, day) for r in answer.listed["follow-up"]],
        "positions": [rule(r, day) for r in answer.listed["position"]],
        "not_applicable": [{"id": r.id, "why": w} for r, w in answer.not_applicable],
        "contradictions_at": quantity(answer.weight),
        "contradictions": [
            {"rules": [r.id for r in c.rules], "arithmetic": c.arithmetic, "severity": c.severity, "kind": c.kind,
             "meaning": c.meaning}
            for c in answer.contradictions
        ],
        "evidence": list(evidence),
        "newer_evidence": list(newer),
        "gaps": list(t.gaps),
        "nothing_about": list(answer.nothing_about),
        "plan": None if answer.scheme is None else _plan(answer.scheme, answer.limits, answer.weight),
        "concentration": None if curves is None or kinetics is None else _curves(curves, kinetics),
    }  # fmt: skip


def _warned(w: Warned, as_of: date) -> dict[str, Any]:
    return rule(w.rule, as_of) | {"met": w.met, "met_by": list(w.by), "about": list(w.rule.about)}


def _plan(scheme: Scheme, limits: Sequence[LimitCheck], weight: Quantity) -> dict[str, Any]:
    return {
        "segments": [
            {"said": s.said, "start_h": number(s.start.value), "end_h": number(s.end.value), "mg": number(s.dose.value),
             "mg_per_h": number(s.rate.value), "cumulative_mg": number(scheme.given_at(s.end).value)}
            for s in scheme.segments
        ],
        "sessions": scheme.sessions,
        "total_mg": number(scheme.total.value),
        "total_mg_per_kg": number((scheme.total / weight).to("mg/kg").value),
        "course_mg": number(scheme.course.value),
        "limits": [
            {"rule": c.rule.id, "what": c.what, "limit": bounds(c.limit), "given": quantity(c.given),
             "verdict": c.verdict, "reached_h": None if c.reached is None else number(c.reached.value),
             "arithmetic": c.arithmetic, "basis": c.rule.basis, "status": c.rule.status,
             "population": c.rule.population}
            for c in limits
        ],
    }  # fmt: skip


def _curves(curves: Curves, kinetics: Kinetics) -> dict[str, Any]:
    return {
        "unit": "ng/mL",
        "form": curves.form,
        "models": [
            {"id": c.model.id, "name": c.model.name, "population": c.model.population, "drug": c.model.drug,
             "source": c.model.source, "at_end": c.at_end, "of_the_form_asked": c.of_form}
            for c in curves.curves
        ],
        "not_computed": [
            {"id": m.id, "name": m.name, "why": "not verified against a source" if not m.verified else
             "clearance only: a steady state, no curve"}
            for m in kinetics.models if not m.compartments
        ],
        "steady_state": [{"id": m.id, "name": m.name, "value": level} for m, level in curves.steady],
        "effects": [
            {"id": e.id, "name": e.name, "low": e.low, "high": e.high, "unit": e.unit, "source": e.source,
             "notes": e.notes}
            for e in kinetics.effects if e.verified
        ],
        "cannot_show": list(kinetics.cannot_show),
        "hours": [t for t, seen in zip(curves.times, curves.shown, strict=True) if seen],
        "band": [list(b) for b, seen in zip(curves.band, curves.shown, strict=True) if seen],
    }  # fmt: skip
