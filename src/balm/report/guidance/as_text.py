"""An answer for a terminal: what applies, what is met, what contradicts what; every line with its source."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

WIDTH = 110


def answer_as_text(a: dict[str, Any], width: int = WIDTH) -> str:
    """The text of an answer in its JSON form."""
    return "\n".join(line for block in _blocks(a) for line in _wrapped(block, width)) + "\n"


def _wrapped(line: str, width: int) -> list[str]:
    indent = len(line) - len(line.lstrip())
    return textwrap.wrap(
        line, width, subsequent_indent=" " * (indent + 2), break_long_words=False, break_on_hyphens=False
    ) or [""]


def _blocks(a: dict[str, Any]) -> Iterator[str]:
    asked = a["asked"]
    yield f"{a['name']}, as of {a['as_of']}"
    parts = [f"setting {asked['setting']}"]
    parts += [f"condition {asked['condition']}"] if asked["condition"] else ["all conditions"]
    parts += [f"weight {asked['weight']['value']} {asked['weight']['unit']}"] if asked["weight"] else ["no weight"]
    parts += [f"form {asked['drug_form']}"] if asked["drug_form"] else ["any drug form"]
    parts += ["comorbidities not asked" if asked["comorbidities"] is None else
              f"comorbidities: {', '.join(asked['comorbidities']) or 'none'}"]  # fmt: skip
    if asked["concentration"]:
        parts.append(f"{asked['concentration']['value']} {asked['concentration']['unit']}")
    yield "Asked: " + "; ".join(parts)
    yield a["intended_use"]
    if a["nothing_about"]:
        yield f"NOTHING ON FILE is about: {'; '.join(a['nothing_about'])}. That is a gap, not safety."
    yield ""
    yield from _warnings("Contraindications", a["contraindications"])
    yield from _warnings("Cautions", a["cautions"])
    yield "Doses (reference values; bolus, rate, duration, sessions and total are separate)"
    for rule in a["rules"]:
        yield f"  [{rule['id']}] {rule['statement']} ({_marks(rule)})"
        for step in rule["computed"]["steps"]:
            yield f"      {step}"
        if rule["computed"]["why_none"]:
            yield f"      {rule['computed']['why_none']}"
    yield ""
    if a["plan"]:
        yield from _plan(a["plan"])
    if a["concentration"]:
        yield "Estimated plasma concentration at the end, ng/mL (reference curves only): " + "; ".join(
            f"{m['name']} {m['at_end']:.0f} ({m['drug']}, {m['population']}"
            + ("" if m["of_the_form_asked"] else "; another drug form")
            + ")"
            for m in a["concentration"]["models"]
        )
        yield from (f"  Not shown. {text}" for text in a["concentration"]["cannot_show"])
        yield ""
    for title, name in (
        ("Recommendations", "recommendations"), ("Monitoring", "monitoring"), ("Rescue", "rescue"),
        ("Follow-up", "follow_up"), ("Interactions", "interactions"), ("Positions", "positions"),
    ):  # fmt: skip
        yield from _listed(title, a[name])
    weight = a["contradictions_at"]
    yield f"Contradictions among the rules on file, at {weight['value']} {weight['unit']}"
    for c in a["contradictions"]:
        yield f"  {c['severity'].upper()}  {c['meaning']} [{', '.join(c['rules'])}]"
        yield f"      {c['arithmetic']}"
    yield ""
    yield "Evidence of the review"
    for e in a["evidence"]:
        yield f"  {e['text']}"
    for n in a["newer_evidence"]:
        yield f"  Newer than {'; '.join(n['newer_than'])}: {n['text']}"
    yield ""
    yield "Gaps"
    yield from (f"  {gap}" for gap in a["gaps"])
    if a["not_applicable"]:
        yield f"  {len(a['not_applicable'])} rules of another setting, condition or form are left out (--json has them)"
    yield ""
    yield "Sources"
    seen: dict[str, str] = {}
    for name in ("rules", "recommendations", "contraindications", "cautions", "monitoring", "follow_up", "positions"):
        for rule in a[name]:
            if rule["source"]["links"]:
                seen.setdefault(rule["source"]["title"], rule["source"]["links"][0])
    yield from (f"  {title}: {link}" for title, link in seen.items())


def _marks(rule: dict[str, Any]) -> str:
    marks = [rule["basis"], rule["source"]["title"]]
    if rule["source"]["locator"]:
        marks.append(rule["source"]["locator"])
    if rule["grade"]:
        marks.append(f"grade {rule['grade']}")
    if rule["certainty"]:
        marks.append(f"{rule['certainty']} certainty")
    marks += rule["remarks"]
    marks.append(f"form: {rule['drug_form']}")
    if rule["population"]:
        marks.append(rule["population"])
    if rule["setting_of_source"]:
        marks.append(f"words of the {rule['setting_of_source']} setting")
    marks.append(rule["age"])
    if not rule["verified"]:
        marks.append("NOT VERIFIED against a source: supports nothing")
    elif rule["basis"] == "secondary summary":
        marks.append("supports nothing")
    return "; ".join(marks)


def _warnings(title: str, rules: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield title
    if not rules:
        yield "  none on file for this question"
    for rule in rules:
        by = f" by {', '.join(rule['met_by'])}" if rule["met_by"] else ""
        said = {"yes": "MET", "possible": "POSSIBLY MET", "no": "not met", "not asked": "not asked"}[rule["met"]]
        yield f"  {said}{by}: {rule['statement']} ({_marks(rule)})"
    yield ""


def _listed(title: str, rules: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield title
    if not rules:
        yield "  none on file for this question"
    for rule in rules:
        yield (
            f"  [ ] {rule['statement']} ({_marks(rule)})"
            if title == "Monitoring"
            else (f"  {rule['topic']}: {rule['statement']} ({_marks(rule)})")
        )
    yield ""


def _plan(plan: dict[str, Any]) -> Iterator[str]:
    yield "Plan"
    for s in plan["segments"]:
        so_far = f"{s['mg']:.4g} mg; {s['cumulative_mg']:.4g} mg so far"
        yield f"  {s['start_h']:.4g}-{s['end_h']:.4g} h: {s['said']} = {so_far}"
    course = f"; {plan['course_mg']:.6g} mg over {plan['sessions']} sessions" if plan["sessions"] > 1 else ""
    yield f"  in all {plan['total_mg']:.6g} mg = {plan['total_mg_per_kg']:.4g} mg/kg{course}"
    for c in plan["limits"]:
        mark = {"above": "ABOVE", "below": "BELOW", "within": "within"}[c["verdict"]]
        weak = "" if c["status"] == "verified" and c["basis"] != "secondary summary" else ", supports nothing"
        whom = f", {c['population']}" if c["population"] else ""
        yield f"  {mark} {c['what']} of [{c['rule']}] ({c['basis']}{whom}{weak}): {c['arithmetic']}"
    yield ""
