"""Plasma concentration: the published test vectors, a matrix exponential as oracle, and what is never drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from balm.actions.guidance import Guidance
from balm.guidance.patient import asked
from balm.guidance.pharmacokinetics import (
    Model,
    at_end,
    concentration,
    disposition,
    read_kinetics,
    shown_at,
    steady_state,
    stretches,
)
from balm.guidance.scheme import Scheme, read_scheme
from balm.vocabulary.problems import InputError
from tests.unit.guidance.conftest import KETAMINE


def model(guidance: Guidance, name: str) -> Model:
    assert guidance.kinetics is not None
    return next(m for m in guidance.kinetics.models if m.id == name)


def scheme(guidance: Guidance, plan: str) -> Scheme:
    return read_scheme(guidance.therapy, plan, asked(guidance.therapy, weight="70").weight)


@pytest.mark.parametrize(
    ("plan", "domino", "herd"),
    [
        ("0.3 mg/kg over 30 min", 181, 178),
        ("0.5 mg/kg over 40 min", 240, 253),
        ("0.5 mg/kg over 20 min", 419, 373),
        ("25 mg/h for 4 h", 186, 250),
        ("80 mg over 5 h", 125, 167),
        ("150 mg over 2 h", 460, 597),
        ("22.2 mg/h for 100 h", 192, 247),
    ],
)
def test_vectors_at_70_kg(guidance: Guidance, plan: str, domino: int, herd: int) -> None:
    given = scheme(guidance, plan)
    assert round(at_end(model(guidance, "domino1984"), 70, given)) == domino
    assert round(at_end(model(guidance, "herd2007"), 70, given)) == herd


def test_the_steady_state_of_a_clearance(guidance: Guidance) -> None:
    assert round(steady_state(model(guidance, "kamp2020"), 70, 22.2) or 0) == 281
    assert steady_state(model(guidance, "clements1981"), 70, 22.2) is None


def by_matrix(m: Model, weight: float, given: tuple[tuple[float, float, float], ...], t: float) -> float:
    """The same model as a linear system, one matrix exponential a stretch."""
    p = m.parameters
    if "k10" in p:
        v1 = p["V1"] * weight
        k10, k12, k21, k13, k31 = (p[k] * 60 for k in ("k10", "k12", "k21", "k13", "k31"))
    else:
        v1, flow = p["V1"] * weight / 70, (weight / 70) ** 0.75
        k10, k12, k21 = p["CL"] * flow / v1, p["Q"] * flow / v1, p["Q"] * flow / (p["V2"] * weight / 70)
        k13, k31 = 0.0, 1.0
    a = np.array([[-(k10 + k12 + k13), k21, k31], [k12, -k21, 0], [k13, 0, -k31]])
    state, now = np.zeros(3), 0.0
    for end in sorted({t, *[x for s, e, _ in given for x in (s, e) if x < t]}):
        rate = sum(r for s, e, r in given if s <= now < e)
        whole = np.zeros((4, 4))
        whole[:3, :3], whole[0, 3] = a, rate
        state = (expm(whole * (end - now)) @ np.append(state, 1.0))[:3]
        now = end
    return float(state[0] / v1 * 1000)


@pytest.mark.parametrize("name", ["domino1984", "herd2007", "elkomy2015", "flint2017"])
@settings(max_examples=25, deadline=None)
@given(weight=st.floats(25, 200), t=st.floats(0.02, 60))
def test_the_closed_form_is_the_linear_system(guidance: Guidance, name: str, weight: float, t: float) -> None:
    given = stretches(scheme(guidance, "0.3 mg/kg over 20 min; pause 30 min; 20 mg/h for 3 h; 5 mg/h for 12 h"))
    m = model(guidance, name)
    assert concentration(m, weight, given, [t])[0] == pytest.approx(by_matrix(m, weight, given, t), rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("name", ["domino1984", "herd2007", "elkomy2015", "flint2017"])
def test_the_exponentials_of_a_unit_dose(guidance: Guidance, name: str) -> None:
    m = model(guidance, name)
    terms = disposition(m, 70)
    volume = m.parameters["V1"] * (70 if m.scaling == "linear" else 1)
    assert sum(a for a, _ in terms) == pytest.approx(1 / volume, rel=1e-12)
    assert sum(a / k for a, k in terms) == pytest.approx(1 / (m.clearance(70) or 0), rel=1e-12)
    assert all(k > 0 for _, k in terms)


def test_a_model_that_was_not_verified_is_not_computed(guidance: Guidance) -> None:
    for name in ("ashraf2018", "clements1981", "hijazi2002"):
        assert model(guidance, name).compartments == 0
        with pytest.raises(InputError, match="is not computed"):
            disposition(model(guidance, name), 70)


def test_the_first_minutes_after_a_bolus_are_not_shown(guidance: Guidance) -> None:
    given = stretches(scheme(guidance, "0.35 mg/kg bolus; 0.5 mg/kg/h for 1 h"))
    hidden = 10 / 60
    assert not shown_at(given, 0.01, hidden) and not shown_at(given, 1 / 60 + 0.1, hidden)
    assert shown_at(given, 1 / 60 + hidden, hidden) and shown_at(given, 1.0, hidden)
    slow = stretches(scheme(guidance, "0.35 mg/kg over 20 min"))
    assert shown_at(slow, 0.05, hidden)


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ('unit = "ng/mL"', 'unit = "µg/mL"', "a thousand times off"),
        ("V1 = 0.063", "V1 = -1", "must be above 0"),
        ("k10 = 0.438", "k99 = 0.438", "'k99' is not known"),
        ('scaling = "linear"', 'scaling = "by eye"', "scaling must be"),
        ("hidden_after_bolus_min = 10", "hidden_after_bolus_min = 0", "no curve is drawn"),
        ('id = "herd2007"', 'id = "domino1984"', "the same id"),
        ('population = "adults"', "", "'population' is missing"),
        ("[[model]]", "[[model", "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_model_is_named(old: str, new: str, wanted: str) -> None:
    text = (KETAMINE / "guidance" / "pharmacokinetics.toml").read_text("utf-8")
    assert old in text
    kinetics, problems = read_kinetics(text.replace(old, new, 1).encode())
    assert kinetics is None and any(wanted in str(p) for p in problems), problems
