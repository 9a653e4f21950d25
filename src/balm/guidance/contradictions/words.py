"""Settings, drug forms, contraindications left out, harms made small, and opposite positions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from balm.guidance.contradictions.found import Contradiction
from balm.guidance.rules import ADVISING, Rule
from balm.guidance.therapy import Therapy, broader


def settings(rules: Sequence[Rule]) -> list[Contradiction]:
    """A dose under one setting's heading whose words come from another setting."""
    found = []
    for rule in rules:
        if not rule.elsewhere:
            continue
        there = [r for r in rules if r.advises and r.setting == rule.setting_of_source and _same_dose(r, rule)]
        here = [r for r in rules if r.advises and r.setting == rule.setting and _same_dose(r, rule)]
        text = f"{_dose(rule)} stands under {rule.setting}; its words are of the {rule.setting_of_source} setting"
        if there:
            text += f" ({there[0].source.name}: {_dose(there[0])})"
        if here:
            text += f"; {here[0].source.name} gives the same for the {rule.setting} setting: {_dose(here[0])}"
        meaning = (
            "Cite the rule of the right setting." if here else "A dose of another setting is no dose for this one."
        )
        found.append(
            Contradiction(
                "setting", (rule, *there[:1], *here[:1]), text, "medium" if here else "high",
                f"{rule.source.name} puts a dose of {rule.setting_of_source} pain under {rule.setting} pain. {meaning}",
            )
        )  # fmt: skip
    return found


def _dose(rule: Rule) -> str:
    said = [f"{name} {bounds}" for name, bounds in (("bolus", rule.bolus), ("rate", rule.rate), ("total", rule.total))
            if bounds is not None]  # fmt: skip
    return ", ".join(said) or rule.statement


def _same_dose(one: Rule, two: Rule) -> bool:
    pairs = [(one.bolus, two.bolus), (one.rate, two.rate), (one.total, two.total)]
    both = [(a, b) for a, b in pairs if a is not None and b is not None and a.unit.dimensions == b.unit.dimensions]
    return any(a.high is not None and a.high == b.to(str(a.unit.code)).high for a, b in both)


def forms(rules: Sequence[Rule], therapy: Therapy) -> list[Contradiction]:
    """Conditions studied with more than one drug form: set side by side, never converted."""
    found = []
    for condition in therapy.conditions:
        dosed = [
            r
            for r in rules
            if r.kind == "dose" and condition.id in r.conditions and r.form and r.doses and r.setting == therapy.setting
        ]
        kinds = dict.fromkeys(r.form for r in dosed)
        if len(kinds) < 2:
            continue
        lines = []
        for kind in kinds:
            name = next(f.name for f in therapy.forms if f.id == kind)
            doses = "; ".join(f"{r.source.name} {_dose(r)}" for r in dosed if r.form == kind)
            lines.append(f"{name}: {doses}")
        found.append(
            Contradiction(
                "drug form", tuple(dosed), " | ".join(lines), "medium",
                f"{condition.name}: doses of different forms of the drug. They are never interchanged, so no number of "
                "one side is held against the other.",
            )
        )  # fmt: skip
    return found


def omissions(rules: Sequence[Rule], therapy: Therapy) -> list[Contradiction]:
    """Contraindications of guidelines that another source's list leaves out."""
    found = []
    warned = [r for r in rules if r.kind in ("contraindication", "caution")]
    for title in dict.fromkeys(r.source.title for r in warned if r.basis not in ADVISING):
        own = [r for r in warned if r.source.title == title]
        setting = own[0].setting
        said = frozenset().union(*(broader(a, therapy.comorbidities) for r in own for a in r.about))
        missing: dict[str, Rule] = {}
        for rule in warned:
            if rule.advises and rule.setting == setting and rule.kind == "contraindication":
                missing |= {a: rule for a in rule.about if a not in said and a not in missing}
        if missing:
            names = [c.name for c in therapy.comorbidities if c.id in missing]
            sources = dict.fromkeys(missing.values())
            count = len({a for r in own for a in r.about})
            text = f"lists {count}; leaves out {len(names)}: {', '.join(names)} ("
            text += "; ".join(f"{r.source.name}: {r.statement}" + (f", grade {r.grade}" if r.grade else "")
                              for r in sources) + ")"  # fmt: skip
            found.append(
                Contradiction("omission", (*own, *sources), text, "high",
                              f"{title} leaves out a contraindication of a guideline.")
            )  # fmt: skip
    return found


def safety(rules: Sequence[Rule], therapy: Therapy) -> list[Contradiction]:
    """A harm called small by one statement and a contraindication by another."""
    area_of = {c.id: c.area for c in therapy.comorbidities}
    found = []
    for rule in rules:
        for area in rule.reassures:
            against = [r for r in rules if r.kind in ("contraindication", "caution")
                       and any(area_of.get(a) == area for a in r.about)]  # fmt: skip
            if not against:
                continue
            own = [r for r in against if r.source.title == rule.source.title]
            text = f"{rule.statement!r} against "
            text += "; ".join(f"{r.source.name}: {r.statement!r}" for r in against)
            if rule.notes:
                text += f". {rule.notes[:1].upper()}{rule.notes[1:]}"
            meaning = f"{rule.source.name} calls {area} harm small" + (
                " and lists it as a contraindication itself." if own else "; a contraindication says otherwise."
            )
            found.append(Contradiction("safety", (rule, *against), text, "critical", meaning))
    return found


def positions(rules: Sequence[Rule]) -> list[Contradiction]:
    """Opposite positions on one question."""
    found = []
    for question in dict.fromkeys(r.question for r in rules if r.question):
        taken: dict[str, list[Rule]] = {}
        for rule in rules:
            if rule.question == question and rule.position:
                taken.setdefault(rule.position, []).append(rule)
        for one, two in combinations(taken, 2):
            sides = [*taken[one], *taken[two]]
            text = " against ".join(
                f"{position!r} ({'; '.join(dict.fromkeys(r.source.name for r in taken[position]))})"
                for position in (one, two)
            )
            found.append(
                Contradiction("position", tuple(sides), text, "medium" if all(r.verified for r in sides) else "low",
                              f"Sources disagree on {question.replace('-', ' ')}.")
            )  # fmt: skip
    return found
