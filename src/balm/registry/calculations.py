"""What a session's signature says in figures: doses, doses per kilogram, the course so far, and limits, each with its
inputs and its arithmetic, so that anybody can work it out again years later.

Decimal arithmetic; what cannot be worked out is said with its reason and never guessed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from balm.registry.doses import Given, Limit, dose_mg, given, rate_mg_h, segment_hours
from balm.registry.registry import Registry
from balm.registry.rows import Segment

#: Decimal places of what is divided; products and sums are exact.
PLACES = 6
WITHIN, BELOW, ABOVE, NOT_COMPARABLE = "within", "below", "above", "not comparable"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number: ``result`` with its ``unit`` (empty where it cannot be worked out), from ``inputs`` by ``formula``.

    ``about`` is the segment, session, course or limit; ``verdict`` says how the number stands to a limit.
    """

    what: str
    about: str
    inputs: dict[str, str]
    formula: str
    result: str
    unit: str
    verdict: str = ""
    source: str = ""


def session_figures(registry: Registry, session: str, limits: Sequence[Limit] = ()) -> tuple[Figure, ...]:
    """The figures of one session of the registry, beside the limits of guidance that the caller brings."""
    held = registry.session_of[session]
    weight = held.weight_kg
    total = given(registry, held)
    drug = registry.definition.drug.casefold()
    own = [s for s in registry.standing_segments_of.get(session, ()) if s.drug.casefold() == drug]
    figures = [_segment(s, weight) for s in own]
    parts = {f.about: _with_unit(f.result, "mg") for f in figures}
    per_kg = total.quantity("total mg/kg")
    figures.append(Figure("dose of the session", session, parts, total.why_not or "sum of the segments",
                          _text(total.mg), "mg"))  # fmt: skip
    inputs = {"dose": _with_unit(total.mg, "mg"), "weight": _with_unit(weight, "kg")}
    figures.append(Figure("dose of the session per kilogram", session, inputs, "dose / weight", _text(per_kg), "mg/kg"))
    figures.append(_course(registry, total))
    return (*figures, *(_limit(total, limit) for limit in limits))


def digest_of(figures: Sequence[Figure] | Sequence[Mapping[str, Any]], **about: str) -> str:
    """SHA-256 over all figures, and over what they are ``about`` (session, version, guidance, software)."""
    told = {"figures": [asdict(f) if isinstance(f, Figure) else dict(f) for f in figures], **about}
    return hashlib.sha256(
        json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


def _segment(s: Segment, weight: Decimal | None) -> Figure:
    unit = s.dose_unit if s.dose is not None else s.rate_unit
    inputs = {"kind": s.kind, "from": s.start.isoformat(sep=" ", timespec="seconds")}
    if s.stop is not None:
        inputs["to"] = s.stop.isoformat(sep=" ", timespec="seconds")
    inputs["dose" if s.dose is not None else "rate"] = _with_unit(s.dose if s.dose is not None else s.rate, unit or "")
    factors = ["dose" if s.dose is not None else f"rate in mg/h ({_text(rate_mg_h(s, weight)) or 'not known'})"]
    if unit is not None and "/kg" in unit:
        inputs["weight"] = _with_unit(weight, "kg")
        if s.dose is not None:
            factors.append("weight")
    if unit == "mL/h":
        inputs["concentration"] = _with_unit(s.concentration_mg_ml, "mg/mL")
    if s.dose is None:
        inputs["hours"] = _text(segment_hours(s)) or "not stopped"
        factors.append("hours")
    return Figure("dose of a segment", s.segment, inputs, " x ".join(factors), _text(dose_mg(s, weight)), "mg")


def _course(registry: Registry, total: Given) -> Figure:
    """The signed sessions of the course up to this one, and this one."""
    here = registry.session_of[total.session]
    earlier = [
        s for s in registry.sessions_of.get(total.course, ())
        if s.session != here.session and s.status == "signed" and s.start <= here.start
    ]  # fmt: skip
    doses = {s.session: given(registry, s).mg for s in earlier} | {here.session: total.mg}
    known = [mg for mg in doses.values() if mg is not None]
    whole = sum(known, Decimal(0)) if len(known) == len(doses) else None
    formula = "sum of the signed sessions so far and this one"
    return Figure(
        "cumulative dose of the course", total.course,
        {name: _with_unit(mg, "mg") for name, mg in doses.items()},
        formula if whole is not None else f"{formula}; a session whose dose is not known leaves it open",
        _text(whole), "mg",
    )  # fmt: skip


def _limit(total: Given, limit: Limit) -> Figure:
    unit = limit.of.partition(" ")[2]
    value = total.quantity(limit.of)
    low, high = (_text(end) for end in (limit.low, limit.high))
    stated = (
        f"{low} to {high} {unit}" if low and high else f"at most {high} {unit}" if high else f"at least {low} {unit}"
    )
    verdict = WITHIN
    if value is None or (limit.form and total.forms != (limit.form,)):
        verdict = NOT_COMPARABLE
    elif limit.low is not None and value < limit.low:
        verdict = BELOW
    elif limit.high is not None and value > limit.high:
        verdict = ABOVE
    inputs = {"limit": stated, "form given": ", ".join(total.forms) or "none", "form of the limit": limit.form or "any"}
    kind = limit.of.partition(" ")[0]
    formula = {"bolus": "largest bolus", "rate": "largest rate", "total": "dose of the session"}[kind]
    formula += " / weight" if "/kg" in unit else ""
    return Figure(f"limit: {limit.of}", f"{limit.id}: {limit.label}", inputs, formula, _text(value), unit, verdict,
                  limit.source)  # fmt: skip


def _text(value: Decimal | None) -> str:
    """A number in full; of a quotient six places, and no trailing zeros."""
    if value is None:
        return ""
    exact = round(value, PLACES)
    text = format(exact, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _with_unit(value: Decimal | str | None, unit: str) -> str:
    text = value if isinstance(value, str) else _text(value)
    return f"{text} {unit}".strip() if text else "not known"
