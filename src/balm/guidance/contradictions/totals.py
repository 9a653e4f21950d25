"""Stated maximum totals against rates, durations and totals, and when the maximum is passed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from balm.guidance.bounds import Bounds
from balm.guidance.contradictions.found import Contradiction, severity_against
from balm.guidance.dosing import hourly, in_mg, in_mg_h, per_kg, session_total
from balm.guidance.rules import Rule
from balm.guidance.units import Quantity, parse_unit, shown

#: A maximum that maintenance passes only after a working day is worth a line, and no alarm.
LATE = Quantity(Decimal(8), parse_unit("h"))


def totals(rules: Sequence[Rule], weight: Quantity) -> list[Contradiction]:
    """Every rule that passes a stated maximum total, by what it says itself."""
    found: list[Contradiction] = []
    for limit in rules:
        if limit.kind != "dose" or limit.is_regimen or not _is_maximum(limit):
            continue
        for other in rules:
            if other.id == limit.id or other.kind != "dose" or other.setting is None or limit.setting is None:
                continue
            if other.setting != limit.setting:
                continue
            one = _stated_total(limit, other, weight) or _open_rate(limit, other, rules, weight)
            if one is not None:
                found.append(one)
    return found


def _is_maximum(rule: Rule) -> bool:
    """Whether a total is a bound from above: a dose to give is no maximum."""
    return rule.total is not None and rule.total.low is None


def _stated_total(limit: Rule, other: Rule, weight: Quantity) -> Contradiction | None:
    """A total that is stated, or follows from rate and duration, above the limit."""
    steps: list[str] = []
    session = session_total(other, weight, steps)
    course = None
    if session is None and other.total is not None:
        course = in_mg(other.total, weight, steps, "course")
    given = session if session is not None else course
    if given is None:
        return None
    most = _most(limit, weight)
    what = "session" if session is not None else "course"
    upper = given.highest if given.highest is not None else given.lowest
    lower = given.lowest
    assert upper is not None
    if upper <= most:
        return _many_sessions(limit, other, given, most, weight)
    always = lower is not None and lower > most
    per = per_kg(given, weight, "mg/kg")
    text = "; ".join([*steps, f"{given} / {weight} = {per}"])
    if isinstance(other.total, Bounds) and other.total.measures("mg") and other.total.ends:
        at = other.total.ends[-1].to("mg")
        text = f"{other.total} / {weight} = {per}"
        if always and limit.total is not None and limit.total.measures("mg/kg"):
            limit_end = limit.total.highest
            assert limit_end is not None
            text += f" (within it only from {shown((at / limit_end).value)} kg"
            text += "".join(f"; {(at / Quantity(Decimal(w), weight.unit)).to('mg/kg')} at {w} kg" for w in (50, 100))
            text += ")"
    if other.duration is not None and "×" not in text:
        text += f", over {other.duration}"
    n = other.sessions.low if other.sessions is not None and other.sessions.is_value else None
    if n is not None and n > 1 and what == "session":
        whole = (upper * n).to("mg")
        text += f"; {'up to ' if not always else ''}{whole} = {(whole / weight).to('mg/kg')} over {shown(n)} sessions"
    verb = "above" if always else "can be above"
    text += f"; {verb} the maximum of {limit.total}"
    rate = hourly(other, weight)
    if rate is not None and rate.highest is not None and what == "session":
        text += f", which {rate.highest} reaches after {(most / rate.highest).to('h')}"
    elif other.duration is None:
        text += "; duration not stated, so no rate follows"
    return Contradiction(
        "total", (limit, other), text + _form(limit, other), severity_against(limit, other),
        f"{_name(other)} gives more in one {what} than {_name(limit)} allows in all.",
    )  # fmt: skip


def _many_sessions(limit: Rule, other: Rule, given: Bounds, most: Quantity, weight: Quantity) -> Contradiction | None:
    """Within the limit by session, above it as a course: it depends on what the limit is of."""
    n = other.sessions.low if other.sessions is not None and other.sessions.is_value else None
    end = given.highest if given.highest is not None else given.lowest
    if n is None or n <= 1 or limit.total_per == "session" or end is None or end * n <= most:
        return None
    text = f"{given} a session × {shown(n)} = {end * n} = {(end * n / weight).to('mg/kg')}; the limit of {limit.total}"
    return Contradiction(
        "total", (limit, other), f"{text} does not say whether it is of a session or of a course{_form(limit, other)}",
        "low", f"{_name(other)} passes {_name(limit)} as a course, not in a session.",
    )  # fmt: skip


def _open_rate(limit: Rule, other: Rule, rules: Sequence[Rule], weight: Quantity) -> Contradiction | None:
    """A rate without a duration: when it passes the limit, with the source's own bolus before it."""
    if other.rate is None or other.duration is not None or other.total is not None:
        return None
    rate = in_mg_h(other.rate, weight)
    if rate is None or rate.high is None:
        return None
    bolus = other if other.bolus is not None or other.is_regimen else _own_bolus(other, rules)
    first = in_mg(bolus.bolus, weight) if bolus is not None and bolus.bolus is not None else None
    given = first.highest if first is not None and first.highest is not None else Quantity(Decimal(0), parse_unit("mg"))
    left = _most(limit, weight) - given
    if left.value <= 0:
        return None
    ends = [e for e in (rate.highest, rate.lowest) if e is not None]
    ends = ends[:1] if rate.is_value else ends
    times = [(left / e).to("h") for e in ends]
    limit_kg, bolus_kg = _plain(limit.total, weight), _plain(bolus.bolus if bolus else None, weight)
    rate_kg = per_kg(rate, weight, "mg/kg/h")
    tops = [e for e in (rate_kg.high, rate_kg.low) if e is not None]
    sums = []
    for top, time in zip(tops, times, strict=False):
        start = f"({limit_kg} − {bolus_kg})" if bolus_kg else limit_kg
        sums.append(f"{start} / {shown(top)} mg/kg/h = {shown(time.value, 3)} h")
    start = f"bolus {bolus.bolus} and " if bolus is not None and bolus.bolus is not None else ""
    text = f"{start}{other.rate}: {'; '.join(sums)}; then the maximum of {limit.total} is passed"
    severity = severity_against(limit, other) if times[0] < LATE else "low"
    involved = (limit, other) if bolus is None or bolus is other else (limit, bolus, other)
    return Contradiction(
        "total", involved, text + _form(limit, other), severity,
        f"{_name(other)} gives no duration with a rate, and at that rate passes {_whose(limit, other)} maximum.",
    )  # fmt: skip


def _own_bolus(rule: Rule, rules: Sequence[Rule]) -> Rule | None:
    same = [r for r in rules if r.bolus is not None and r.kind == "dose" and r.source.title == rule.source.title
            and r.setting == rule.setting and r.population == rule.population and r.form == rule.form]  # fmt: skip
    return same[0] if same else None


def _most(limit: Rule, weight: Quantity) -> Quantity:
    assert limit.total is not None
    found = in_mg(limit.total, weight)
    assert found is not None and found.highest is not None
    return found.highest


def _plain(dose: Bounds | None, weight: Quantity) -> str:
    if dose is None:
        return ""
    high = per_kg(dose, weight, "mg/kg").high
    return "" if high is None else shown(high)


def _form(limit: Rule, other: Rule) -> str:
    if limit.form == other.form:
        return ""
    if limit.form is None and other.form is not None and other.written_form:
        return f" (doses of {other.written_form} as they stand: the limit states no form, and none is converted)"
    return ""


def _whose(limit: Rule, other: Rule) -> str:
    return "its own" if limit.source.title == other.source.title else f"the {_name(limit)}"


def _name(rule: Rule) -> str:
    return rule.source.name
