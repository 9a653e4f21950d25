"""Every statement and regimen on file is read, marked with what it is, and keeps its doses apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from balm.actions.guidance import Guidance
from balm.guidance.dosing import computed
from balm.guidance.rules import NOT_VERIFIED, SERIES, TRIAL, Rule, rules_of
from balm.guidance.therapy import Therapy, read_therapy
from balm.guidance.units import Quantity, quantity_of
from balm.vocabulary.evidence import GuidanceStatement, Reported
from tests.unit.guidance.conftest import KETAMINE, LIDOCAINE

TODAY = date(2026, 11, 22)


def rule(guidance: Guidance, name: str) -> Rule:
    return next(r for r in guidance.rules if r.id == name)


def test_each_rule_says_what_it_is(guidance: Guidance) -> None:
    bases = {r.basis for r in guidance.rules}
    assert {"guideline", TRIAL, SERIES, "secondary summary", "practice survey"} <= bases
    assert all(r.source.title and r.status in ("verified", NOT_VERIFIED) for r in guidance.rules)
    assert all(r.source.links for r in guidance.rules if r.advises)
    assert all(r.reviewed and r.checked_by for r in guidance.rules if r.basis == "guideline")


def test_what_was_not_verified_supports_nothing(guidance: Guidance) -> None:
    hidden = [r for r in guidance.rules if not r.verified]
    assert {"cohen-2018-22", "cohen-2018-23", "cohen-2018-24", "neupsig-1"} <= {r.id for r in hidden}
    assert not any(r.advises for r in hidden)
    assert not any(r.advises for r in guidance.rules if r.basis not in ("guideline", "position statement"))


def test_age_and_overdue_review_are_said(guidance: Guidance) -> None:
    cohen = rule(guidance, "cohen-2018-5")
    assert cohen.age(TODAY) == "8 years old; was due for review in 2023, 3 years ago"
    assert cohen.overdue(TODAY) and not cohen.overdue(date(2023, 5, 1))
    assert rule(guidance, "cadth-2020-1").age(TODAY) == "6 years old"
    assert rule(guidance, "neupsig-1").age(TODAY) == "year not stated"
    assert rule(guidance, "cadth-2020-1").overdue(date(2027, 11, 23))


def test_doses_are_separate_fields(guidance: Guidance, kg70: Quantity) -> None:
    dendermonde = rule(guidance, "valle2024-ket")
    assert dendermonde.rate is None and dendermonde.duration is None and str(dendermonde.total) == "150 mg"
    assert computed(dendermonde, kg70, None).rate_mg_h is None  # duration not stated: no rate is inferred
    amr = computed(rule(guidance, "amr2010-ket"), kg70, None)
    assert str(amr.rate_mg_h) == "16 mg/h" and str(amr.course_mg) == "560 mg"
    assert any("derived" in step for step in amr.steps)
    days = computed(rule(guidance, "cohen-2018-17"), None, None)
    assert str(days.session_mg) == "2112 mg" and days.session_mg_kg is None


def test_the_lower_of_two_limits_of_a_rate(guidance: Guidance) -> None:
    both = rule(guidance, "schwartzman2009-ket")
    for weight, wanted in (("60 kg", "21"), ("70 kg", "24.5"), ("100 kg", "25")):
        found = computed(both, quantity_of(weight, "w", measures="kg"), None)
        assert found.rate_mg_h is not None and found.rate_mg_h.high == Decimal(wanted)


def test_forms_are_those_of_the_source(guidance: Guidance) -> None:
    assert rule(guidance, "sigtermans2009-ket").form == "S"
    assert rule(guidance, "schwartzman2009-ket").form == "racemic"
    assert rule(guidance, "amr2010-ket").form is None  # "racemic (not stated)": not stated


def test_arms_outside_the_question_are_no_rules(guidance: Guidance) -> None:
    ids = {r.id for r in guidance.rules}
    assert not {"amr2011-ket", "hardy2012-ket", "etchison2018-ket", "sigtermans2009-pbo", "noppers2011-act"} & ids
    assert rule(guidance, "lumanauw2019-ket050").setting == "acute"
    assert rule(guidance, "kiefer2008-ket").setting == "anaesthesia"


def statement(**changes: object) -> GuidanceStatement:
    plain = GuidanceStatement(
        "a", "A guideline", 2024, "acute", "dose", "at most 1.5 mg/kg", None, Reported.parse("<=1.5"), "mg/kg",
        *(None,) * 11, "https://example.org", True, file="guidance/a.toml", row=1,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_another_therapy_needs_no_code(lidocaine: Therapy, kg70: Quantity) -> None:
    rules, problems = rules_of([statement()], lidocaine, {})
    assert not problems and rules[0].kind == "dose" and rules[0].advises
    assert str(computed(rules[0], kg70, None).bolus_mg) == "≤105 mg"


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"bolus_unit": "mg/kg/h"}, "guidance/a.toml, row 1, column bolus: bolus must be given in mg/kg or mg"),
        ({"bolus_unit": None}, "column bolus: '<=1.5' needs its unit"),
        ({"bolus_unit": "furlong"}, "column bolus: unit 'furlong' is not known"),
        ({"bolus": None}, "column bolus_unit: 'mg/kg' stands without a number"),
        ({"condition": "lumbago"}, "column condition: 'lumbago' is none of the conditions of lidocaine"),
        ({"about": ("gout",)}, "column about: 'gout' is none of the comorbidities"),
        ({"reassures": ("liver",)}, "column reassures: 'liver' is none of the areas of harm"),
        ({"drug_form": "S"}, "column drug_form: 'S' is none of the forms"),
        ({"reviewed": "last week"}, "column reviewed: must be a date"),
        ({"question": "dose"}, "column position: question and position come together"),
    ],
)
def test_what_cannot_be_read_is_named(lidocaine: Therapy, changes: dict[str, object], wanted: str) -> None:
    _, problems = rules_of([statement(**changes)], lidocaine, {})
    assert any(wanted in str(p) for p in problems), problems


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ('bounds = "30-300"', 'bounds = "many"', "column plausible.weight: must have bounds"),
        ('unit = "kg"', 'unit = "mg"', "column plausible.weight: must be given in kg"),
        ("[plausible.weight]", "[plausible.wieght]", "column plausible.wieght: cannot be guarded"),
        ('reference_weight = "70 kg"', 'reference_weight = "70"', "needs its unit"),
        ('setting = "acute"', 'setting = "chronic"', "column therapy.setting: must be a setting of this file"),
        ('area = "cardiovascular"', 'under = "heart"', "row 1, column comorbidities.under: 'heart' is none"),
        ('id = "lidocaine"', "", "column therapy.id: must not be empty"),
        ("[[settings]]", "[[setings]]", "column setings: is no table of this file"),
        ("[therapy]", "[therapy", "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_therapy_is_named(old: str, new: str, wanted: str) -> None:
    therapy, problems = read_therapy(LIDOCAINE.replace(old, new, 1).encode())
    assert therapy is None and any(wanted in str(p) for p in problems), problems


def test_no_trial_of_the_review_is_without_a_condition(guidance: Guidance) -> None:
    assert [r.id for r in guidance.rules if r.study and r.condition and not r.conditions] == []
    assert (KETAMINE / "guidance" / "therapy.toml").is_file()
