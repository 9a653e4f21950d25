"""Every computed dose and limit of an answer with its inputs, rule, steps and result: what is kept of a calculation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from balm.guidance.bounds import Bounds
from balm.guidance.guide import Answer
from balm.guidance.limits import LimitCheck
from balm.guidance.rules import Rule
from balm.guidance.units import Quantity

DOSE, LIMIT = "dose", "limit"
#: Numbers of a rule that a calculation may start from.
OF_A_RULE = ("bolus", "rate", "duration", "sessions", "total")


@dataclass(frozen=True, slots=True)
class Trace:
    """One calculation. Numbers are exact decimals as text with their unit; ``steps`` are the arithmetic in words."""

    rule: str
    what: str  # "dose", or "limit: bolus", "limit: rate", "limit: duration", "limit: total"
    inputs: dict[str, Any]
    steps: tuple[str, ...]
    result: dict[str, Any]


def asked_of(answer: Answer) -> dict[str, Any]:
    """The question in plain values, as it was understood. No name stands in it, because none was asked."""
    p = answer.patient
    return {
        "therapy": answer.therapy.id,
        "weight": _quantity(p.weight),
        "setting": p.setting.id,
        "condition": p.condition.id if p.condition else None,
        "drug_form": p.form.id if p.form else None,
        "comorbidities": None if p.comorbidities is None else [c.id for c in p.comorbidities],
        "concentration": _quantity(p.concentration),
        "plan": None if answer.scheme is None else [s.said for s in answer.scheme.segments],
        "sessions": None if answer.scheme is None else answer.scheme.sessions,
    }


def traces_of(answer: Answer) -> tuple[Trace, ...]:
    """The calculations of an answer; a dose that its rule states in full, with nothing computed, is none.

    Without a weight and a concentration nothing is computed for anybody, and nothing is there.
    """
    if answer.patient.weight is None and answer.patient.concentration is None:
        return ()
    return tuple(_doses(answer)) + tuple(_limit(answer, check) for check in answer.limits)


def rules_digest(rules: Iterable[Rule]) -> str:
    """SHA-256 over the statements, numbers and sources of the rules: another rule, another digest."""
    told = [
        [r.id, r.kind, r.basis, r.statement, r.written_setting, r.condition, r.written_form, r.source.name,
         r.source.locator, r.verified, _numbers(r)]
        for r in sorted(rules, key=lambda r: r.id)
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def _doses(answer: Answer) -> Iterator[Trace]:
    p = answer.patient
    given = {n: _quantity(q) for n, q in (("weight", p.weight), ("concentration", p.concentration)) if q is not None}
    for d in answer.dosed:
        if not d.computed.steps:
            continue
        result = {
            f.name: _bounds(value)
            for f in fields(d.computed)
            if f.name != "steps" and (value := getattr(d.computed, f.name)) is not None
        }
        yield Trace(d.rule.id, DOSE, {**given, "rule": _numbers(d.rule)}, d.computed.steps, result)


def _limit(answer: Answer, check: LimitCheck) -> Trace:
    assert answer.scheme is not None, "a limit is checked of a plan"
    plan = [
        {"said": s.said, "start": _quantity(s.start), "duration": _quantity(s.duration), "dose": _quantity(s.dose)}
        for s in answer.scheme.segments
    ]
    return Trace(
        check.rule.id,
        f"{LIMIT}: {check.what}",
        {"weight": _quantity(answer.patient.weight), "plan": plan, "sessions": answer.scheme.sessions,
         "rule": _numbers(check.rule), "limit": _bounds(check.limit)},
        (check.arithmetic,),
        {"given": _quantity(check.given), "verdict": check.verdict, "reached": _quantity(check.reached)},
    )  # fmt: skip


def _numbers(rule: Rule) -> dict[str, Any]:
    found: dict[str, Any] = {name: _bounds(b) for name in OF_A_RULE if (b := getattr(rule, name)) is not None}
    if rule.rates:
        found["further rates"] = [_bounds(b) for b in rule.rates]
    return found | ({"total per": rule.total_per} if rule.total_per else {})


def _bounds(b: Bounds) -> dict[str, Any]:
    found: dict[str, Any] = {"text": str(b), "low": _exact(b.low), "high": _exact(b.high), "unit": b.unit.code}
    return found | ({"low_open": True} if b.low_open else {}) | ({"high_open": True} if b.high_open else {})


def _quantity(q: Quantity | None) -> dict[str, Any] | None:
    return None if q is None else {"text": str(q), "value": _exact(q.value), "unit": q.unit.code}


def _exact(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")
