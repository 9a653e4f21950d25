"""Units: exact factors, dimensions that keep body weight apart, and no unit guessed."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balm.guidance.bounds import read_bounds
from balm.guidance.units import ATOMS, Quantity, decimal_of, parse_unit, quantity_of, shown
from balm.vocabulary.problems import InputError


@pytest.mark.parametrize(
    ("value", "unit", "into", "wanted"),
    [
        ("1", "ug/kg/min", "mg/kg/h", "0.06"),
        ("2", "µg/kg/min", "mg/kg/h", "0.12"),
        ("7", "mcg/kg/min", "mg/kg/h", "0.42"),
        ("120", "ug/kg/h", "ug/kg/min", "2"),
        ("0.1", "mg/L", "ng/mL", "100"),
        ("22", "mg/h", "mg/d", "528"),
        ("40", "min", "h", "0.6666666666666666666666666666666667"),
        ("5", "mg/h per 70 kg", "mg/kg/h", "0.07142857142857142857142857142857143"),
        ("0.438", "min-1", "h-1", "26.28"),
        ("1", "wk", "d", "7"),
    ],
)
def test_conversions_are_exact(value: str, unit: str, into: str, wanted: str) -> None:
    assert Quantity(Decimal(value), parse_unit(unit)).to(into).value == Decimal(wanted)


def test_body_weight_is_no_mass_of_drug() -> None:
    assert parse_unit("mg/kg").dimensions != parse_unit("1").dimensions
    with pytest.raises(InputError, match="measure different things"):
        Quantity(Decimal(1), parse_unit("mg/kg")).to("mg")
    with pytest.raises(InputError, match="measure different things"):
        Quantity(Decimal(1), parse_unit("kg")).to("mg")


def test_dose_times_weight_over_concentration(kg70: Quantity) -> None:
    dose = quantity_of("0.35 mg/kg", "bolus", measures="mg/kg") * kg70
    assert dose.to("mg").value == Decimal("24.5")
    volume = dose / quantity_of("2 mg/mL", "concentration", measures="mg/mL")
    assert volume.to("mL").value == Decimal("12.25")


@pytest.mark.parametrize(
    "unit", ["lb", "mg/lb", "µmol/L", "mg//h", "mg/", "", "kg2/", "mg/(kg", "mg)h", "0", "mgkg", "m g"]
)
def test_what_is_no_unit_is_named(unit: str) -> None:
    with pytest.raises(InputError, match="unit"):
        parse_unit(unit)


units = st.sampled_from(sorted(ATOMS))
values = st.decimals(min_value=Decimal("0.0001"), max_value=Decimal("100000"), places=4)


@given(values, units, units)
def test_there_and_back(value: Decimal, one: str, two: str) -> None:
    a, b = parse_unit(one), parse_unit(two)
    quantity = Quantity(value, a)
    if a.dimensions != b.dimensions:
        with pytest.raises(InputError):
            quantity.to(b)
        return
    back = quantity.to(b).to(a).value
    assert abs(back - value) <= value * Decimal("1e-30")
    exact = Fraction(value) * a.size / b.size
    assert abs(Fraction(quantity.to(b).value) - exact) <= exact * Fraction(1, 10**32)


@pytest.mark.parametrize("text", ["nan", "NaN", "inf", "-inf", "1e400", "abc", "", "1,5", "١x", "1.2.3"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--dose"):
        decimal_of(text, "--dose")


@pytest.mark.parametrize("text", ["5", "5 kg", "mg/h", "five mg/h", "5 mg", "nan mg/h", "1,5 mg/h"])
def test_a_rate_needs_a_number_and_its_unit(text: str) -> None:
    with pytest.raises(InputError, match="--rate"):
        quantity_of(text, "--rate", measures="mg/h")


@pytest.mark.parametrize(
    ("text", "unit", "said"),
    [("<=0.35", "mg/kg", "≤0.35 mg/kg"), (">2", "h", ">2 h"), ("0.5-2", "mg/kg/h", "0.5–2 mg/kg/h"), ("10", "1", "10")],
)
def test_bounds_read_and_said(text: str, unit: str, said: str) -> None:
    assert str(read_bounds(text, unit)) == said


@pytest.mark.parametrize("text", ["2-0.5", "about 3", "<= ", "", "-5", "1e3", "0.5-2-3"])
def test_what_is_no_bound_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a number, a bound"):
        read_bounds(text, "mg")


def test_open_ends_are_kept() -> None:
    below, at_most = read_bounds("<0.35", "mg/kg"), read_bounds("<=0.35", "mg/kg")
    edge = quantity_of("0.35 mg/kg", "x", measures="mg/kg")
    assert at_most.allows(edge) and not below.allows(edge)
    assert below.times(quantity_of("70 kg", "w", measures="kg"), "mg").high_open


@pytest.mark.parametrize(
    ("value", "said"), [("0.325", "0.325"), ("30.1714", "30.17"), ("2112", "2112"), ("12345.6", "12346"), ("0", "0")]
)
def test_shown_is_rounded_for_a_reader(value: str, said: str) -> None:
    assert shown(Decimal(value)) == said
