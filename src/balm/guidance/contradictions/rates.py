"""Rates against rates: within a setting, and acute against chronic; and regimens against a guideline's range."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations

from balm.guidance.bounds import Bounds
from balm.guidance.contradictions.found import Contradiction
from balm.guidance.dosing import hourly, in_mg_h, per_kg
from balm.guidance.rules import ADVISING, Rule
from balm.guidance.units import Quantity, compared, shown


def rates(rules: Sequence[Rule], weight: Quantity) -> list[Contradiction]:
    """Pairs of stated rates that do not agree, and regimens that lie outside what a guideline gives."""
    stated = [(r, b) for r in rules if r.kind == "dose" and not r.is_regimen and r.setting
              and (b := _rate(r, weight)) is not None]  # fmt: skip
    found: list[Contradiction] = []
    said: set[tuple[str, ...]] = set()
    for (one, a), (two, b) in combinations(stated, 2):
        if _same(a, b) or not _comparable(one, two) or not _general(one, two):
            continue
        first, second = sorted(((one, a), (two, b)), key=lambda pair: not pair[0].advises)
        key = (first[0].source.name, second[0].source.name, str(first[1]), str(second[1]))
        if key in said:
            continue
        said.add(key)
        found.append(_pair(first, second, stated, weight))
    for guideline, range_ in stated:
        if guideline.basis in ADVISING and guideline.population is None and range_.low is not None:
            found += _regimens(guideline, range_, rules, weight)
    return found


def _rate(rule: Rule, weight: Quantity) -> Bounds | None:
    if rule.rate is None:
        return None
    found = in_mg_h(rule.rate, weight)
    return None if found is None else per_kg(found, weight, "mg/kg/h")


def _same(a: Bounds, b: Bounds) -> bool:
    return _equal(a.high, b.high) and (_equal(a.low, b.low) or a.low is None or b.low is None)


def _equal(a: Decimal | None, b: Decimal | None) -> bool:
    return a is b is None or (a is not None and b is not None and compared(a) == compared(b))


def _comparable(one: Rule, two: Rule) -> bool:
    return one.form is None or two.form is None or one.form == two.form


def _general(one: Rule, two: Rule) -> bool:
    """Whether a guideline's general rule takes part; across settings, one on either side."""
    advising = [r for r in (one, two) if r.advises]
    if not advising or any(r.population is not None for r in advising):
        return False
    return one.setting == two.setting or len(advising) == 2


def _pair(
    first: tuple[Rule, Bounds], second: tuple[Rule, Bounds], stated: Sequence[tuple[Rule, Bounds]], weight: Quantity
) -> Contradiction:
    (one, a), (two, b) = first, second
    apart = _apart(a, b)
    text = f"{_said(one, a)} against {_said(two, b)}"
    if apart:
        text += f": no rate is in both ({apart})"
    elif a.high is not None and b.high is not None:
        more, less = max(a.high, b.high), min(a.high, b.high)
        text += f": upper ends {shown(more)} / {shown(less)} = {shown(more / less)} times"
    if one.setting != two.setting:
        return Contradiction(
            "acute against chronic", (one, two), text, "medium",
            f"Written for different settings ({one.written_setting}, {two.written_setting}): neither stands for the "
            "other.",
        )  # fmt: skip
    involved = [one, two]
    severity = (
        "high" if two.basis not in ADVISING and one.basis in ADVISING and two.basis != "practice survey" else "medium"
    )
    meaning = f"{two.source.name} gives another rate than {one.source.name} for the same setting."
    elsewhere = [(r, x) for r, x in stated if r.setting != two.setting and r.advises and _equal(x.high, b.high)]
    if elsewhere and not two.advises:
        other = elsewhere[0][0]
        involved.append(other)
        text += f"; {shown(b.high)} mg/kg/h is the upper end of {other.source.name} ({other.written_setting})"  # type: ignore[arg-type]
        meaning += f" Its upper end is that of the {other.written_setting} setting."
    return Contradiction("rate", tuple(involved), text, severity, meaning)


def _apart(a: Bounds, b: Bounds) -> str:
    if a.high is not None and b.low is not None and a.high < b.low:
        return f"{shown(a.high)} < {shown(b.low)} mg/kg/h"
    if b.high is not None and a.low is not None and b.high < a.low:
        return f"{shown(b.high)} < {shown(a.low)} mg/kg/h"
    return ""


def _said(rule: Rule, per: Bounds) -> str:
    written = str(rule.rate)
    as_kg = "" if written == str(per) else f" = {per}"
    over = f" for {rule.duration}" if rule.duration is not None else ", no duration"
    return f"{written}{as_kg}{over}"


def _regimens(guideline: Rule, range_: Bounds, rules: Sequence[Rule], weight: Quantity) -> list[Contradiction]:
    """Regimens of studies that lie wholly below a guideline's range, in one line: the evidence used less."""
    below: list[tuple[Rule, Bounds]] = []
    counted = 0
    for rule in rules:
        if (
            not rule.is_regimen
            or rule.setting != guideline.setting
            or not rule.verified
            or not _comparable(rule, guideline)
        ):
            continue
        rate = hourly(rule, weight)
        if rate is None or rate.high is None:
            continue
        counted += 1
        per = per_kg(rate, weight, "mg/kg/h")
        if range_.low is not None and per.high is not None and per.high < range_.low:
            below.append((rule, per))
    if not below:
        return []
    lines = [
        r.source.name + (f" ({r.written_form})" if r.form else "") + f" {p}"
        + (f" for {r.duration}" if r.duration else "")
        for r, p in below
    ]  # fmt: skip
    text = f"{len(below)} of {counted} regimens with a rate lie below {guideline.rate}: " + "; ".join(lines)
    return [
        Contradiction(
            "rate", (guideline, *(r for r, _ in below)), text, "medium",
            f"{guideline.source.name} rests on evidence that used lower rates than its range, most of it for longer: "
            "a rate is tied to its duration.",
        )
    ]  # fmt: skip
