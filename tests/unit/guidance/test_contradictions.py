"""Contradictions are found by arithmetic: the known ones of the record, and planted ones of another drug."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balm.actions.guidance import Guidance
from balm.guidance.bounds import read_bounds
from balm.guidance.contradictions.every import contradictions
from balm.guidance.contradictions.found import SEVERITIES, Contradiction
from balm.guidance.contradictions.totals import totals
from balm.guidance.rules import Rule, Source
from balm.guidance.units import Quantity, parse_unit, quantity_of


def found(guidance: Guidance, kind: str, *ids: str, weight: str = "70 kg") -> Contradiction:
    every = contradictions(guidance.rules, guidance.therapy, quantity_of(weight, "w", measures="kg"))
    same = [c for c in every if c.kind == kind and set(ids) <= {r.id for r in c.rules}]
    assert same, [(c.kind, [r.id for r in c.rules]) for c in every]
    return same[0]


@pytest.mark.parametrize(
    ("kind", "ids", "severity", "parts"),
    [
        ("total", ("brief-c-5", "brief-c-1", "brief-c-2"), "critical",
         ["(1 − 0.35) / 1 mg/kg/h = 0.65 h", "(1 − 0.35) / 0.5 mg/kg/h = 1.3 h"]),
        ("total", ("brief-c-5", "cohen-2018-6"), "critical", ["≥80 mg / 70 kg = ≥1.143 mg/kg", "over >2 h"]),
        ("total", ("brief-c-5", "valle2024-ket"), "medium",
         ["150 mg / 70 kg = 2.143 mg/kg", "3 mg/kg at 50 kg", "1.5 mg/kg at 100 kg", "duration not stated"]),
        ("total", ("brief-c-5", "cohen-2018-17"), "high", ["22 mg/h × 4 d = 2112 mg"]),
        ("total", ("brief-c-5", "amr2010-ket"), "high", ["560 mg", "7 sessions"]),
        ("total", ("brief-c-5", "schwartzman2009-ket"), "high", ["980 mg", "can be above"]),
        ("total", ("brief-c-5", "sigtermans2009-ket"), "high", ["S(+)-ketamine as they stand", "none is converted"]),
        ("total", ("brief-c-5", "tankha2025-ket"), "low", ["35 mg a session × 5 = 175 mg = 2.5 mg/kg"]),
        ("rate", ("brief-c-2", "cohen-2018-5", "schwenk-2018-5"), "high", ["2 / 1 = 2 times"]),
        ("rate", ("brief-c-3", "cohen-2018-5"), "high", ["0.06–0.12 mg/kg/h", "0.12 < 0.5"]),
        ("acute against chronic", ("cohen-2018-5", "schwenk-2018-5"), "medium", ["2 / 1 = 2 times"]),
        ("rate", ("cohen-2018-5", "schwartzman2009-ket", "amr2010-ket"), "medium", ["lie below 0.5–2 mg/kg/h"]),
        ("setting", ("brief-c-1", "schwenk-2018-5", "cohen-2018-4"), "medium", ["words are of the acute setting"]),
        ("setting", ("brief-c-3",), "high", ["words are of the acute setting"]),
        ("setting", ("brief-c-4",), "high", ["bolus 1–5 mg"]),
        ("omission", ("brief-c-16", "cohen-2018-10"), "high", ["leaves out 1: Active substance abuse"]),
        ("safety", ("brief-c-15", "brief-c-16", "cohen-2018-7"), "critical", ["40-50%"]),
        ("position", ("cohen-2018-6", "cadth-2020-2"), "medium", ["independent of dose"]),
        ("drug form", ("sigtermans2009-ket", "schwartzman2009-ket"), "medium", ["racemic ketamine", "S(+)-ketamine"]),
    ],
)  # fmt: skip
def test_known_contradictions(
    guidance: Guidance, kind: str, ids: tuple[str, ...], severity: str, parts: list[str]
) -> None:
    one = found(guidance, kind, *ids)
    assert one.severity == severity, one
    assert all(part in one.arithmetic for part in parts), one.arithmetic


def test_the_gravest_come_first(guidance: Guidance, kg70: Quantity) -> None:
    order = [SEVERITIES.index(c.severity) for c in contradictions(guidance.rules, guidance.therapy, kg70)]
    assert order == sorted(order)


def test_weight_changes_the_arithmetic(guidance: Guidance) -> None:
    assert "1.6 mg/kg" in found(guidance, "total", "brief-c-5", "cohen-2018-6", weight="50 kg").arithmetic
    heavy = contradictions(guidance.rules, guidance.therapy, quantity_of("80 kg", "w", measures="kg"))
    assert not any({"brief-c-5", "cohen-2018-6"} == {r.id for r in c.rules} for c in heavy)  # 80 mg / 80 kg = 1


def test_racemic_and_s_are_never_held_against_each_other(guidance: Guidance, kg70: Quantity) -> None:
    for c in contradictions(guidance.rules, guidance.therapy, kg70):
        forms = {r.form for r in c.rules if r.form}
        if c.kind in ("total", "rate") and len(c.rules) == 2:
            assert len(forms) <= 1, c


def rule(name: str, source: str, **fields: object) -> Rule:
    return Rule(name, "dose", "guideline", "t", "s", "acute", "acute", Source(source, 2024), True, **fields)  # type: ignore[arg-type]


amounts = st.decimals(min_value=Decimal("0.1"), max_value=Decimal("50"), places=2)
weights = st.decimals(min_value=Decimal("30"), max_value=Decimal("200"), places=1)


@given(amounts, amounts, amounts, weights)
def test_a_planted_total_is_found_exactly_where_it_passes(
    most: Decimal, rate: Decimal, hours: Decimal, kg: Decimal
) -> None:
    limit = rule("limit", "A", total=read_bounds(f"<={most}", "mg/kg"))
    other = rule("other", "B", rate=read_bounds(str(rate), "mg/kg/h"), duration=read_bounds(str(hours), "h"))
    seen = totals([limit, other], Quantity(kg, parse_unit("kg")))
    assert bool(seen) == (rate * hours > most)
    assert all(c.severity == "critical" for c in seen)


@given(amounts, amounts, weights)
def test_a_fixed_dose_passes_a_limit_per_kilogram_by_weight(most: Decimal, dose: Decimal, kg: Decimal) -> None:
    limit = rule("limit", "A", total=read_bounds(f"<={most}", "mg/kg"))
    other = rule("other", "B", total=read_bounds(str(dose), "mg"), total_per="session")
    assert bool(totals([limit, other], Quantity(kg, parse_unit("kg")))) == (dose > most * kg)


def test_units_are_seen_through() -> None:
    limit = rule("limit", "A", total=read_bounds("<=1", "mg/kg"))
    micro = rule("micro", "B", rate=read_bounds("10", "ug/kg/min"), duration=read_bounds("100", "min"))
    just = rule("just", "C", rate=read_bounds("11", "ug/kg/min"), duration=read_bounds("100", "min"))
    kg = Quantity(Decimal(70), parse_unit("kg"))
    assert [c.rules[1].id for c in totals([limit, micro, just], kg)] == ["just"]
