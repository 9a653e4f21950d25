"""From raw data to effects: values from papers, zero cells, bad input, profiles, and what a result can do."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import math
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import balm
from balm.stats.measures import ARGUMENTS, MEASURES
from balm.stats.measures.conventions import CONVENTIONS
from balm.stats.measures.small_sample import hedges_factor
from balm.vocabulary.problems import InputError

#: BCG vaccine against tuberculosis, first three of thirteen trials (Colditz et al. 1994 JAMA 271:698, table 1).
BCG = {
    "trial": ["Aronson 1948", "Ferguson & Simes 1949", "Rosenthal 1960"],
    "tpos": [4, 6, 3],
    "n_bcg": [123, 306, 231],
    "cpos": [11, 29, 11],
    "n_control": [139, 303, 220],
}
BCG_COLUMNS = {"events_1": "tpos", "n_1": "n_bcg", "events_2": "cpos", "n_2": "n_control"}

#: The zero-cell set: one arm empty, none, both arms empty, none.
ZEROS = {"events_1": [0, 3, 0, 10], "n_1": [50, 60, 40, 100], "events_2": [5, 4, 0, 2], "n_2": [50, 60, 40, 100]}

#: Rows that every measure can be computed from, by argument.
EXAMPLE: dict[str, list[float]] = {
    "events_1": [12, 30], "n_1": [100, 80], "events_2": [20, 31], "n_2": [110, 90], "time_1": [300.5, 250],
    "time_2": [310, 240], "mean_1": [5.1, 4.2], "sd_1": [2.0, 1.5], "mean_2": [6.3, 4.0], "sd_2": [2.2, 1.9],
    "events": [12, 30], "n": [100, 80], "time": [300.5, 250], "mean": [5.1, 4.2], "sd": [2.0, 1.5],
    "r": [0.4, -0.3], "t": [2.5, -1.1], "predictors": [3, 4], "r2": [0.35, 0.5], "both": [20, 31],
    "only_1": [9, 12], "only_2": [14, 10], "neither": [40, 55], "alpha": [0.8, 0.7], "items": [10, 12],
    "homozygous_1": [30, 41], "heterozygous": [50, 44], "homozygous_2": [22, 19], "o_minus_e": [-4.5, 2.0],
    "v": [9.0, 12.5], "superiority": [0.6, 0.45], "effect": [0.2, -0.4], "se": [0.1, 0.2],
    "variance": [0.01, 0.04], "ci_low": [0.0, -0.8], "ci_high": [0.4, 0.0], "p": [0.04, 0.03],
}  # fmt: skip


def example(code: str, group: int = 0) -> dict[str, list[float]]:
    row = MEASURES[code]
    names = row.columns + (row.one_of[group] if row.one_of else ())
    return {name: EXAMPLE[name] for name in names}


# -- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [BCG, pd.DataFrame(BCG), pl.DataFrame(BCG)], ids=["dict", "pandas", "polars"])
def test_bcg_log_risk_ratios_by_hand(data: Any) -> None:
    es = balm.effect_sizes("RR", data=data, study="trial", **BCG_COLUMNS)
    assert es.effect[0] == pytest.approx(math.log((4 / 123) / (11 / 139)), rel=1e-15)
    assert es.variance[0] == pytest.approx(1 / 4 - 1 / 123 + 1 / 11 - 1 / 139, rel=1e-14)
    assert es.study == tuple(BCG["trial"])
    assert es.se == pytest.approx(np.sqrt(es.variance))


def test_hedges_factor_is_exact() -> None:
    """J(2) = 1/sqrt(pi); J(3) and J(4) from Gamma of halves."""
    expected = [1 / math.sqrt(math.pi), math.sqrt(math.pi / 6), 1 / (math.sqrt(2) * math.gamma(1.5))]
    assert hedges_factor(np.array([2.0, 3.0, 4.0])) == pytest.approx(expected, rel=2e-15, abs=0)
    assert np.isnan(hedges_factor(np.array([1.0, 0.0]))).all()
    assert hedges_factor(np.array([1e12])) == pytest.approx(1.0, abs=1e-11)


def test_smd_of_three_conventions() -> None:
    """Normand 1999, first stay: 55 (47) of 155 against 75 (64) of 156."""
    columns = {"mean_1": [55], "sd_1": [47], "n_1": [155], "mean_2": [75], "sd_2": [64], "n_2": [156]}
    g = {p: balm.effect_sizes("SMD", profile=p, **columns) for p in ("metafor", "revman5", "meta")}
    assert g["metafor"].effect[0] == pytest.approx(-0.355169640940107, rel=1e-13)
    assert g["metafor"].variance[0] == pytest.approx(0.013064675541530, rel=1e-12)
    assert g["revman5"].effect[0] == pytest.approx(-0.355169757748, rel=1e-11)
    assert g["revman5"].se[0] == pytest.approx(0.1143121951415, rel=1e-11)
    assert g["meta"].effect[0] == g["metafor"].effect[0]
    assert g["meta"].se[0] == pytest.approx(0.1143116371704, rel=1e-11)


def test_generic_effects_by_each_kind_of_uncertainty() -> None:
    z = 1.959963984540054
    by = {
        "se": balm.effect_sizes("GEN", effect=[0.5], se=[0.2]),
        "variance": balm.effect_sizes("GEN", effect=[0.5], variance=[0.04]),
        "interval": balm.effect_sizes("GEN", effect=[0.5], ci_low=[0.5 - 0.2 * z], ci_high=[0.5 + 0.2 * z]),
        "p": balm.effect_sizes("GEN", effect=[0.5], p=[math.erfc(2.5 / math.sqrt(2))]),
    }
    assert [float(es.variance[0]) for es in by.values()] == pytest.approx([0.04] * 4, rel=1e-12)
    ninety = balm.effect_sizes("GEN", effect=[0.5], ci_low=[0.3], ci_high=[0.7], level=0.9)
    assert ninety.se[0] == pytest.approx(0.2 / 1.6448536269514722, rel=1e-14)


def test_log_rank_statistics_give_a_hazard_ratio() -> None:
    es = balm.effect_sizes("HR", o_minus_e=[-4.0], v=[8.0])
    assert (es.effect[0], es.variance[0]) == (-0.5, 0.125)


# -- every row of the table -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", MEASURES)
def test_every_measure_works_and_is_documented(code: str) -> None:
    row = MEASURES[code]
    for group in range(max(1, len(row.one_of))):
        es = balm.effect_sizes(code, **example(code, group))
        assert np.isfinite(es.effect).all() and (es.variance > 0).all() and es.estimable.all()
    assert row.name and row.source and row.family
    assert inspect.getdoc(row.function)
    assert set(row.accepts) <= set(ARGUMENTS)
    assert row.code == code


@pytest.mark.parametrize(
    ("code", "name", "value"),
    [
        (code, name, value)
        for code, row in MEASURES.items()
        for name, values in (("variance_type", row.variance_types), ("small_sample", row.small_sample))
        for value in values
    ],
)
def test_every_option_value_is_accepted_and_every_other_refused(code: str, name: str, value: str) -> None:
    es = balm.effect_sizes(code, **{name: value}, **example(code))
    assert es.conventions[name] == value
    assert name in es.explicit
    with pytest.raises(InputError, match=f"{name} must be one of .*got 'bogus'"):
        balm.effect_sizes(code, **{name: "bogus"}, **example(code))


#: Other names for the same variance, kept because both are in use.
SAME = {("PHI", "CS"), ("ZPHI", "CS"), ("RPB", "LS"), ("ZPB", "LS"), ("RBIS", "CS"), ("RBIS", "LS"), ("ZBIS", "CS"),
        ("ZBIS", "LS")}  # fmt: skip


@pytest.mark.parametrize("code", [c for c, m in MEASURES.items() if len(m.variance_types) > 1])
def test_every_variance_type_changes_the_variance(code: str) -> None:
    found = [
        tuple(balm.effect_sizes(code, variance_type=v, **example(code)).variance)
        for v in MEASURES[code].variance_types
        if (code, v) not in SAME
    ]
    assert len(set(found)) == len(found) or code.startswith("D2OR")  # without J their LS and LS2 are one formula


@pytest.mark.parametrize(
    "code", ["RR", "OR", "RD", "PETO", "AS", "IRR", "IRD", "MD", "SMD", "SMDH", "ROM", "VR", "CVR"]
)
def test_swapping_the_arms_turns_the_sign(code: str) -> None:
    columns = example(code)
    swapped = {name: columns[name[:-1] + {"1": "2", "2": "1"}[name[-1]]] for name in columns}
    one, other = balm.effect_sizes(code, **columns), balm.effect_sizes(code, **swapped)
    assert one.effect == pytest.approx(-other.effect, rel=1e-13)
    assert one.variance == pytest.approx(other.variance, rel=1e-13)


@given(st.sampled_from([1e-8, 1e-3, 1e8]))
def test_standardised_measures_do_not_feel_the_unit(unit: float) -> None:
    columns = example("SMD")
    scaled = {n: [v * unit for v in c] if n.startswith(("mean", "sd")) else c for n, c in columns.items()}
    for code in ("SMD", "SMDH", "ROM", "CVR"):
        assert balm.effect_sizes(code, **scaled).effect == pytest.approx(
            balm.effect_sizes(code, **columns).effect, rel=1e-12
        )
    md = balm.effect_sizes("MD", **scaled)
    assert md.effect == pytest.approx(unit * balm.effect_sizes("MD", **columns).effect, rel=1e-12)


# -- zero cells -------------------------------------------------------------------------------------------------------


def test_the_rule_for_zero_cells_is_named_in_each_row() -> None:
    es = balm.effect_sizes("OR", **ZEROS)
    assert es.note == ("0.5 added to each cell", "", "0.5 added to each cell", "")
    assert es.effect[0] == pytest.approx(math.log((0.5 / 50.5) / (5.5 / 45.5)), rel=1e-14)
    assert es.double_zero.tolist() == [False, False, True, False]
    assert es.estimable.all()


def test_where_the_constant_goes() -> None:
    notes = {to: balm.effect_sizes("OR", to=to, **ZEROS).note for to in ("all", "if-any-zero", "only-zero", "none")}
    assert [sum(bool(n) for n in note) for note in notes.values()] == [4, 4, 2, 2]
    assert notes["none"][0] == "not estimable: a zero cell without correction"
    assert notes["none"][2] == "not estimable: no events in either arm"
    without = {name: values[1:2] + values[3:] for name, values in ZEROS.items()}
    assert balm.effect_sizes("OR", to="if-any-zero", **without).note == ("", "")


def test_double_zero_studies_can_be_dropped_but_never_vanish() -> None:
    es = balm.effect_sizes("OR", drop_double_zero=True, **ZEROS)
    assert len(es) == 4
    assert es.estimable.tolist() == [True, True, False, True]
    assert math.isnan(es.effect[2]) and math.isnan(es.variance[2])
    assert es.note[2] == "not estimable: no events in either arm"


def test_a_double_zero_study_says_something_about_a_difference() -> None:
    assert not balm.effect_sizes("RD", **ZEROS).double_zero.any()


def test_everyone_had_the_event() -> None:
    es = balm.effect_sizes("OR", events_1=[9], n_1=[9], events_2=[8], n_2=[8], to="none")
    assert es.double_zero.tolist() == [True]
    assert es.note == ("not estimable: events in everyone in both arms",)


def test_three_programs_three_risk_ratios_of_one_study() -> None:
    """Nissen 2007, deaths, first trial: 1 of 357 against 0 of 176; R meta gives 0.3927978029074 (1.630399871654)."""
    columns = {"events_1": [1], "n_1": [357], "events_2": [0], "n_2": [176]}
    meta = balm.effect_sizes("RR", profile="meta", **columns)
    assert (meta.effect[0], meta.se[0]) == pytest.approx((0.3927978029074, 1.630399871654), rel=1e-12)
    revman = balm.effect_sizes("RR", profile="revman5", **columns)
    assert revman.effect[0] == pytest.approx(math.log((1.5 / 358) / (0.5 / 177)), rel=1e-14)
    assert balm.effect_sizes("RR", **columns).effect[0] == revman.effect[0]
    assert balm.effect_sizes("RR", rr_single_zero="n+0.5", **columns).effect[0] == meta.effect[0]


def test_risk_difference_of_observed_cells() -> None:
    """The same trial: R meta gives 0.00280112045 with the standard error of the corrected cells, 0.00525064631."""
    columns = {"events_1": [1], "n_1": [357], "events_2": [0], "n_2": [176]}
    meta = balm.effect_sizes("RD", profile="meta", **columns)
    assert (meta.effect[0], meta.se[0]) == pytest.approx((1 / 357, 0.00525064631), rel=1e-8)
    assert meta.note == ("0.5 added to each cell, for the variance only",)
    assert balm.effect_sizes("RD", **columns).effect[0] == pytest.approx(1.5 / 358 - 0.5 / 177, rel=1e-13)


def test_arcsines_take_cells_as_they_are_unless_asked() -> None:
    assert balm.effect_sizes("AS", **ZEROS).note == ("",) * 4
    assert balm.effect_sizes("AS", add=0.5, **ZEROS).note[0] == "0.5 added to each cell"


# -- conventions ------------------------------------------------------------------------------------------------------


def test_under_other_conventions_the_callers_choice_stays() -> None:
    columns = example("SMD")
    plain = balm.effect_sizes("SMD", **columns)
    revman = plain.under(CONVENTIONS["revman5"])
    assert revman.effect.tolist() == balm.effect_sizes("SMD", profile="revman5", **columns).effect.tolist()
    assert revman.under(CONVENTIONS["balm"]).effect.tolist() == plain.effect.tolist()
    mine = balm.effect_sizes("SMD", small_sample="none", **columns)
    assert mine.under(CONVENTIONS["revman5"]).effect.tolist() == mine.effect.tolist()
    assert mine.under(CONVENTIONS["revman5"]).conventions["variance_type"] == "N-3.94"


def test_conventions_about_pooling_pass_by() -> None:
    es = balm.effect_sizes("SMD", **example("SMD"))
    assert es.under({"tau2": "DL", "i2": "from-q"}) is es
    generic = balm.EffectSizes([0.1], [0.2])
    assert generic.under(CONVENTIONS["revman5"]) is generic


@pytest.mark.parametrize("profile", CONVENTIONS)
def test_every_profile_takes_every_measure(profile: str) -> None:
    for code in MEASURES:
        assert balm.effect_sizes(code, profile=profile, **example(code)).estimable.all(), code


@pytest.mark.parametrize(
    ("code", "option"),
    [
        ("MD", {"add": 0.5}),
        ("MD", {"small_sample": "exact"}),
        ("SMD", {"to": "all"}),
        ("PETO", {"variance_type": "LS"}),
        ("OR", {"rr_single_zero": "n+1"}),
        ("RR", {"rd_single_zero": "cells"}),
        ("MC", {"level": 0.95}),
    ],
)
def test_an_option_that_does_not_apply_is_an_error(code: str, option: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=f"{next(iter(option))} has no effect on {code}"):
        balm.effect_sizes(code, **option, **example(code))


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"to": "only0"}, "to must be one of .*did you mean 'only-zero'"),
        ({"add": -1}, "add must be a number, 0 or more; got -1"),
        ({"add": math.nan}, "add must be a number, 0 or more; got nan"),
        ({"add": "half"}, "add must be a number, 0 or more; got 'half'"),
        ({"profile": "revman"}, "profile must be one of .*did you mean 'revman5'"),
        ({"missing": "ignore"}, "missing must be one of"),
        ({"counts": "any"}, "counts must be one of"),
    ],
)
def test_unknown_options(option: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        balm.effect_sizes("OR", **option, **ZEROS)


# -- bad input --------------------------------------------------------------------------------------------------------


def test_unknown_measure() -> None:
    with pytest.raises(InputError, match=r"measure must be one of .*got 'rr' \(did you mean 'RR'\?\)"):
        balm.effect_sizes("rr", **ZEROS)


def test_all_that_is_wrong_is_said_at_once_with_its_place() -> None:
    with pytest.raises(InputError) as caught:
        balm.effect_sizes(
            "RR",
            data={
                "s": ["A", "B", "C"],
                "x": [1, 2, "12a"],
                "n": [3, 0, 2.5],
                "y": [9, -1, None],
                "m": [5, 5, math.inf],
            },
            study="s",
            events_1="x",
            n_1="n",
            events_2="y",
            n_2="m",
        )
    found = [(p.row, p.column, p.value, p.reason) for p in caught.value.problems]
    assert found == [
        (1, "y", "9", "A: events_2 (9) exceed the people in the group, n_2 (5)"),
        (2, "n", "0", "B: n_1 must be a whole number, 1 or more; got 0"),
        (2, "y", "-1", "B: events_2 must be a whole number, 0 or more; got -1"),
        (2, "x", "2", "B: events_1 (2) exceed the people in the group, n_1 (0)"),
        (3, "x", "12a", "C: events_1 must be a number; got '12a'"),
        (3, "n", "2.5", "C: n_1 must be a whole number, 1 or more; got 2.5"),
        (
            3,
            "y",
            "nan",
            "C: events_2 is missing; complete it, or leave such studies out with missing='drop'",
        ),
        (3, "m", "inf", "C: n_2 must be a whole number, 1 or more; got inf"),
    ]


@pytest.mark.parametrize(
    ("code", "column", "value", "said"),
    [
        ("MD", "sd_1", 0, "sd_1 must be above 0; got 0 .a spread of 0"),
        ("MD", "sd_2", -1.5, "sd_2 must be above 0; got -1.5"),
        ("MD", "n_1", 0, "n_1 must be a whole number, 1 or more; got 0"),
        ("MD", "mean_1", math.inf, "mean_1 must be a number; got inf"),
        ("SMD", "mean_2", math.nan, "mean_2 is missing"),
        ("IRR", "time_1", 0, "time_1 must be above 0; got 0"),
        ("IRR", "events_1", 1.5, "events_1 must be a whole number"),
        ("COR", "r", 1.2, "r must lie between -1 and 1; got 1.2"),
        ("R2", "r2", -0.1, "r2 must lie between 0 and 1; got -0.1"),
        ("ARAW", "alpha", 1.0, "alpha must be below 1; got 1"),
        ("GEN", "se", 0, "se must be above 0; got 0 .0 is usually a rounded"),
        ("GEN", "se", -0.1, "se must be above 0; got -0.1"),
        ("PR", "events", 101, r"events \(101\) exceed the people in the group, n \(100\)"),
    ],
)
def test_impossible_values_are_named(code: str, column: str, value: float, said: str) -> None:
    columns = example(code) | {column: [value, EXAMPLE[column][1]]}
    with pytest.raises(InputError, match=f"row 1, column {column}: Smith: {said}"):
        balm.effect_sizes(code, study=["Smith", "Jones"], **columns)


@pytest.mark.parametrize(("p", "said"), [(0.0, "above 0"), (1.5, "at most 1")])
def test_impossible_p(p: float, said: str) -> None:
    with pytest.raises(InputError, match=said):
        balm.effect_sizes("GEN", effect=[1.0], p=[p])


def test_interval_the_wrong_way_round() -> None:
    with pytest.raises(InputError, match=r"ci_high \(0.1\) must be above ci_low \(0.4\)"):
        balm.effect_sizes("GEN", effect=[0.2], ci_low=[0.4], ci_high=[0.1])


def test_missing_and_superfluous_arguments_say_who_takes_them() -> None:
    with pytest.raises(InputError) as caught:
        balm.effect_sizes("RR", events_1=[1], n_1=[5], sd_1=[2], event_2=[1])
    said = str(caught.value)
    assert "sd_1 is not used by RR, which takes events_1, n_1, events_2, n_2; it belongs to MD, SMD" in said
    assert "got 'event_2' (did you mean 'events_2'?)" in said
    assert "RR needs events_2, n_2 as well" in said


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"effect": [1.0]}, "GEN needs one of se | variance | ci_low, ci_high | p; got none"),
        ({"effect": [1.0], "ci_low": [0.5]}, "GEN needs one of se | variance | ci_low, ci_high | p; got ci_low"),
        (
            {"effect": [1.0], "se": [0.5], "p": [0.1]},
            "GEN needs only one of se | variance | ci_low, ci_high | p; got se, p",
        ),
    ],
)
def test_alternatives(columns: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        balm.effect_sizes("GEN", **columns)
    assert str(caught.value) == said


def test_lengths_and_empty_input() -> None:
    with pytest.raises(InputError, match="columns differ in length: effect has 2, se has 3"):
        balm.effect_sizes("GEN", effect=[1, 2], se=[1, 2, 3])
    with pytest.raises(InputError, match="no rows: effect, se are empty"):
        balm.effect_sizes("GEN", effect=[], se=[])


def test_a_thousand_wrong_rows_are_counted_not_listed() -> None:
    with pytest.raises(InputError, match="and 900 more rows with such a value") as caught:
        balm.effect_sizes("GEN", effect=np.zeros(1000), se=-np.ones(1000))
    assert len(caught.value.problems) == 101


def test_missing_values_can_be_dropped_and_are_listed() -> None:
    es = balm.effect_sizes("MC", missing="drop", study=["A", "B"], **(example("MC") | {"r": [None, 0.5]}))
    assert (es.study, es.dropped) == (("B",), ("A",))
    assert "left out, values missing: A" in repr(es)
    with pytest.raises(InputError, match="every study has a missing value"):
        balm.effect_sizes("GEN", effect=[None], se=[1], missing="drop")
    with pytest.raises(InputError, match="must be a number; got 'x'"):
        balm.effect_sizes("GEN", effect=["x"], se=[1], missing="drop")


def test_a_spread_of_zero_can_be_kept_on_purpose() -> None:
    columns = {"mean_1": [1, 1], "sd_1": [0, 0], "n_1": [9, 9], "mean_2": [2, 2], "sd_2": [1, 0], "n_2": [9, 9]}
    es = balm.effect_sizes("MD", zero_sd="keep", **columns)
    assert es.estimable.tolist() == [True, False]
    assert es.note[1] == "not estimable: the variance of the effect is 0"
    assert (
        balm.effect_sizes("VR", zero_sd="keep", **{n: columns[n] for n in ("sd_1", "n_1", "sd_2", "n_2")}).note
        == ("not estimable: a standard deviation of 0",) * 2
    )


def test_effective_sample_sizes_can_be_fractions_on_purpose() -> None:
    columns = example("MD") | {"n_1": [12.5, 20]}
    with pytest.raises(InputError, match="n_1 must be a whole number"):
        balm.effect_sizes("MD", **columns)
    assert balm.effect_sizes("MD", counts="fractional", **columns).estimable.all()
    with pytest.raises(InputError, match="n_1 must be above 0; got 0"):
        balm.effect_sizes("MD", counts="fractional", **(columns | {"n_1": [0, 20]}))


def test_logs_of_the_wrong_sign_are_not_estimable() -> None:
    es = balm.effect_sizes("ROM", **(example("ROM") | {"mean_1": [-1.0, 2.0]}))
    assert es.estimable.tolist() == [False, True]
    assert es.note[0] == "not estimable: ROM is not defined for these values"


# -- what a result can do ---------------------------------------------------------------------------------------------


def test_effects_from_numbers_are_checked() -> None:
    es = balm.EffectSizes(effect=[0.1, 0.2], variance=[0.01, 0.02])
    assert es.study == ("Study 1", "Study 2")
    assert (es.measure, len(es), es.sample_size) == ("GEN", 2, None)
    for variance, said in (
        ([0.01, 0.0], "above 0; got 0"),
        ([0.01, -1], "above 0; got -1"),
        ([0.01, math.nan], "missing"),
    ):
        with pytest.raises(InputError, match=f"Smith: variance .*{said}"):
            balm.EffectSizes(effect=[0.1, 0.2], variance=variance, study=["Jones", "Smith"])
    with pytest.raises(InputError, match="Study 2: effect is missing"):
        balm.EffectSizes(effect=[0.1, None], variance=[0.01, 0.02])
    with pytest.raises(InputError, match="differ in length"):
        balm.EffectSizes(effect=[0.1, 0.2], variance=[0.01])
    with pytest.raises(InputError, match="study has 1 labels for 2 rows"):
        balm.EffectSizes(effect=[0.1, 0.2], variance=[0.01, 0.02], study=["A"])
    with pytest.raises(InputError, match="measure must be one of"):
        balm.EffectSizes(effect=[0.1], variance=[0.01], measure="RRR")


def test_a_result_cannot_be_edited() -> None:
    es = balm.effect_sizes("OR", **ZEROS)
    with pytest.raises(ValueError, match="read-only"):
        es.effect[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        es.raw["events_1"][0] = 1.0
    with pytest.raises(AttributeError):
        es.measure = "RR"  # type: ignore[misc]


def test_a_result_travels_to_other_processes_and_back() -> None:
    es = balm.effect_sizes("OR", **ZEROS)
    for twin in (pickle.loads(pickle.dumps(es)), copy.deepcopy(es), dataclasses.replace(es)):
        assert twin.effect.tolist() == es.effect.tolist()
        assert (twin.study, twin.note, dict(twin.conventions)) == (es.study, es.note, dict(es.conventions))
        assert twin.raw["n_1"].tolist() == es.raw["n_1"].tolist()
        assert twin.double_zero.tolist() == es.double_zero.tolist()


def test_the_callers_arrays_stay_the_callers() -> None:
    effect = np.array([0.1, 0.2])
    es = balm.EffectSizes(effect, [0.01, 0.02])
    effect[0] = 9.0
    assert es.effect[0] == 0.1


def test_selection_carries_everything_along() -> None:
    es = balm.effect_sizes("OR", **ZEROS)
    for rows in (slice(2, 4), [2, 3], np.array([False, False, True, True])):
        part = es[rows]
        assert part.study == ("Study 3", "Study 4")
        assert part.raw["events_1"].tolist() == [0, 10]
        assert part.double_zero.tolist() == [True, False]
        assert part.note == es.note[2:]
        assert part.conventions == es.conventions
    assert es[1].study == ("Study 2",)
    assert len(es[es.estimable]) == 4
    with pytest.raises(InputError, match="no studies are left"):
        es[np.zeros(4, dtype=bool)]


def test_iteration_gives_label_effect_variance() -> None:
    assert list(balm.EffectSizes([0.1], [0.2], study=["A"])) == [("A", 0.1, 0.2)]


def test_frame_and_text() -> None:
    es = balm.effect_sizes("RR", data=BCG, study="trial", **BCG_COLUMNS)
    frame = es.to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == ["study", "events_1", "n_1", "events_2", "n_2", "effect", "variance", "se", "note"]
    text = repr(es)
    assert text.startswith("EffectSizes: Risk ratio (RR), 3 studies, log scale")
    assert "Aronson 1948" in text and "-0.8893" in text
    many = repr(balm.EffectSizes(np.zeros(30), np.ones(30)))
    assert "... and 10 more" in many


@pytest.mark.parametrize(
    ("code", "size"),
    [("RR", [210, 170]), ("PR", [100, 80]), ("IRR", [610.5, 490]), ("MPRR", [83, 108]), ("COR", [100, 80])],
)
def test_sample_size(code: str, size: list[float]) -> None:
    found = balm.effect_sizes(code, **example(code)).sample_size
    assert found is not None and found.tolist() == size


#: Values at the edge of what each kind of number may be.
EDGES = {
    "count": [0, 1, 2, 10**9],
    "size": [1, 2, 3, 10**9],
    "real": [0.0, -1.0, 1e-8, 1e8],
    "spread": [1e-8, 1.0, 1e8],
    "time": [1e-8, 1.0, 1e8],
    "positive": [1e-8, 1.0, 1e8],
    "correlation": [-1.0, 0.0, 1.0, 0.999999],
    "fraction": [0.0, 1.0, 0.5],
    "probability": [1e-300, 1.0, 0.05],
}


@pytest.mark.parametrize("code", MEASURES)
def test_edges_give_a_number_or_a_reason_and_no_warning(code: str) -> None:
    """What is possible, combined at random: finite with a positive variance, or not estimable with a note."""
    row = MEASURES[code]
    draw = np.random.default_rng(20261122)
    for group in range(max(1, len(row.one_of))):
        columns = {name: draw.choice(EDGES[ARGUMENTS[name].kind], 400) for name in example(code, group)}
        for part, whole in (("events_1", "n_1"), ("events_2", "n_2"), ("events", "n")):
            if part in columns and whole in columns:
                columns[part] = np.minimum(columns[part], columns[whole])
        if "alpha" in columns:
            columns["alpha"] = np.minimum(columns["alpha"], 0.9)
        if "ci_low" in columns:
            columns["ci_high"] = columns["ci_low"] + 1.0
        es = balm.effect_sizes(code, **columns)
        usable = np.isfinite(es.effect) & np.isfinite(es.variance) & (es.variance > 0)
        assert (usable == es.estimable).all()
        assert all(note.startswith("not estimable: ") for note, ok in zip(es.note, es.estimable, strict=True) if not ok)


def test_measures_outside_the_golden_cases_against_metafor() -> None:
    """metafor 3.8-1: escalc("REH", ai=10, bi=12, ci=3) and escalc("MPORM", ai=, bi=, ci=, di=, ri=0.3)."""
    reh = balm.effect_sizes("REH", homozygous_1=[10], heterozygous=[12], homozygous_2=[3])
    assert (reh.effect[0], reh.variance[0]) == pytest.approx((0.09116077839698, 0.19166666666667), rel=1e-12)
    odds = balm.effect_sizes("MPORM", events_1=[10, 2], n_1=[22, 22], events_2=[3, 5], n_2=[22, 22], r=0.3)
    assert odds.effect == pytest.approx([1.66350513370438, -1.07880966137193], rel=1e-12)
    assert odds.variance == pytest.approx([0.40969347058983, 0.58244539702365], rel=1e-12)


#: Other variances and corrections that no golden case has; metafor 3.8-1: escalc(measure, ..., vtype=) or add=, to=.
VARIANTS: tuple[tuple[str, dict[str, object], tuple[float, float], tuple[float, float]], ...] = (
    (
        "SMCC",
        {"mean_1": [5, 3], "sd_1": [2, 1.2], "mean_2": [3, 4], "sd_2": [1.5, 1.9], "n": [12, 30], "r": [0.6, -0.2]}
        | {"variance_type": "LS2"},
        (1.14253954023990, -0.39884782182606),
        (0.126460295722999, 0.034265742603699),
    ),
    (
        "SMCR",
        {"mean_1": [5, 3], "sd_1": [2, 1.2], "mean_2": [3, 4], "n": [12, 30], "r": [0.6, -0.2]}
        | {"variance_type": "LS2"},
        (0.92995980997578, -0.81156248716394),
        (0.093689401885103, 0.086851826692724),
    ),
    (
        "SMD1",
        {"mean_1": [5, 4], "mean_2": [3, 3], "sd_2": [2, 1.7], "n_1": [10, 20], "n_2": [12, 15]}
        | {"variance_type": "AV"},
        (0.92995980997578, 0.55605160547459),
        (0.2037714170285, 0.1330171336228),
    ),
    (
        "SPCOR",
        {"t": [2, 1], "n": [30, 40], "predictors": [3, 3], "r2": [0.3, 0.4], "variance_type": "AV"},
        (0.32816506165695, 0.12909944487358),
        (0.022649908541877, 0.014717296680978),
    ),
    (
        "PHI",
        {"both": [5, 0], "only_1": [9, 4], "only_2": [3, 2], "neither": [12, 7], "add": 0.5},
        (0.17569105537498, -0.17677669529664),
        (0.033037297827294, 0.047591145833333),
    ),
    (
        "PHI",
        {"events_1": [5, 0], "n_1": [14, 4], "events_2": [3, 2], "n_2": [15, 9], "add": 0.25, "to": "all"},
        (0.16899818203900, -0.22106231741762),
        (0.032084363655051, 0.038267882532030),
    ),
)


@pytest.mark.parametrize(("code", "given", "effect", "variance"), VARIANTS, ids=[row[0] for row in VARIANTS])
def test_variants_outside_the_golden_cases_against_metafor(
    code: str, given: dict[str, object], effect: tuple[float, float], variance: tuple[float, float]
) -> None:
    es = balm.effect_sizes(code, **given)  # type: ignore[arg-type]
    assert es.effect == pytest.approx(effect, rel=1e-12)
    assert es.variance == pytest.approx(variance, rel=1e-11)


def test_partial_correlations_with_one_variance_have_it_at_their_mean() -> None:
    es = balm.effect_sizes("PCOR", r=[0.5, 0.1], n=[30, 40], predictors=[3, 3], variance_type="AV")
    mean = (30 * 0.5 + 40 * 0.1) / 70
    assert es.variance == pytest.approx([(1 - mean**2) ** 2 / 27, (1 - mean**2) ** 2 / 37], rel=1e-14)


@pytest.mark.parametrize("code", ["PHI", "YUQ", "RTET"])
@pytest.mark.parametrize("drop", [False, True])
def test_a_cross_classified_sample_is_the_table_of_its_two_groups(code: str, drop: bool) -> None:
    """The second study has nobody with the second variable, the third nobody without it."""
    cells = {"both": [5, 0, 4], "only_1": [9, 4, 0], "only_2": [3, 0, 7], "neither": [12, 7, 0]}
    groups = {"events_1": [5, 0, 4], "n_1": [14, 4, 4], "events_2": [3, 0, 7], "n_2": [15, 7, 7]}
    one, other = (balm.effect_sizes(code, drop_double_zero=drop, **columns) for columns in (cells, groups))
    assert one.note == other.note
    assert ("no events in either arm" in one.note[1]) is (drop or code != "YUQ")
    assert np.array_equal(one.effect, other.effect, equal_nan=True)


@pytest.mark.parametrize("variance_type", ["LS", "LS2"])
def test_superiority_without_a_difference_has_the_variance_of_mann_and_whitney(variance_type: str) -> None:
    """At one half both formulas are the exact null variance, (n1 + n2 + 1)/(12 n1 n2)."""
    es = balm.effect_sizes("AUC", superiority=[0.5], n_1=[51], n_2=[58], variance_type=variance_type)
    assert es.variance[0] == pytest.approx(110 / (12 * 51 * 58), rel=1e-14)


# -- variances by algebra ---------------------------------------------------------------------------------------------


def non_central_beta_variance(r2: float, n: int, m: int) -> float:
    """Variance of R squared at predictors that are set, every Poisson term with 30 digits."""
    with mpmath.workdps(30):
        half, b = mpmath.mpf(n) * r2 / (1 - mpmath.mpf(r2)) / 2, mpmath.mpf(n - m - 1) / 2
        weight = [mpmath.exp(-half + j * mpmath.log(half) - mpmath.loggamma(j + 1)) for j in range(int(half * 2) + 80)]
        first = [mpmath.mpf(m) / 2 + j for j in range(len(weight))]
        mean = mpmath.fsum(w * a / (a + b) for w, a in zip(weight, first, strict=True))
        square = mpmath.fsum(w * a * (a + 1) / ((a + b) * (a + b + 1)) for w, a in zip(weight, first, strict=True))
        return float(square - mean**2)


@pytest.mark.parametrize(("r2", "n", "m"), [(0.35, 100, 3), (0.02, 12, 4), (0.93, 40, 1), (0.6, 1500, 7)])
def test_r_squared_of_set_predictors_has_the_variance_of_a_non_central_beta(r2: float, n: int, m: int) -> None:
    es = balm.effect_sizes("R2F", r2=[r2], n=[n], predictors=[m])
    assert es.variance[0] == pytest.approx(non_central_beta_variance(r2, n, m), rel=1e-12)
    z = balm.effect_sizes("ZR2F", r2=[r2], n=[n], predictors=[m])
    assert z.effect[0] == pytest.approx(math.atanh(math.sqrt(r2)), rel=1e-14)
    assert z.variance[0] == pytest.approx(es.variance[0] / (4 * r2 * (1 - r2) ** 2), rel=1e-13)


def test_r_squared_of_set_predictors_at_its_edges() -> None:
    """Nothing explained: a central beta; large samples: the limit; no degrees of freedom or all explained: none."""
    none = balm.effect_sizes("R2F", r2=[0.0], n=[30], predictors=[4])
    assert none.variance[0] == pytest.approx(2 * 12.5 / (14.5**2 * 15.5), rel=1e-13)
    many = balm.effect_sizes("R2F", r2=[0.4] * 2, n=[10**7, 10**12], predictors=[4, 4])
    assert many.variance * many.raw["n"] == pytest.approx([2 * 0.4 * 0.36 * 1.6] * 2, rel=1e-5)
    assert not balm.effect_sizes("R2F", r2=[0.4, 1.0], n=[5, 30], predictors=[4, 4]).estimable.any()


def test_r_squared_of_set_predictors_varies_as_simulated() -> None:
    rng, (n, m, true) = np.random.default_rng(8), (60, 3, 0.5)
    explained = rng.noncentral_chisquare(m, n * true / (1 - true), 200_000)
    drawn = explained / (explained + rng.chisquare(n - m - 1, 200_000))
    es = balm.effect_sizes("R2F", r2=[true], n=[n], predictors=[m])
    assert drawn.var() == pytest.approx(es.variance[0], rel=0.015)


def test_variances_of_r_squared_with_sampled_predictors() -> None:
    """Kendall & Stuart 1979, equations 27.88 and 27.87, at each study's R2 and at their mean."""
    columns = {"r2": [0.35, 0.5], "n": [100, 80], "predictors": [3, 4]}
    found = {v: balm.effect_sizes("R2", variance_type=v, **columns).variance for v in ("LS", "LS2", "AV", "AV2")}
    mean = (35 + 40) / 180
    rows = [(100, 96), (80, 75)]
    exact = [rest**2 / ((n**2 - 1) * (n + 3)) for n, rest in rows]
    at = [4 * 0.35 * 0.65**2, 4 * 0.5 * 0.5**2]
    assert found["LS"] == pytest.approx([at[0] / 100, at[1] / 80], rel=1e-14)
    assert found["LS2"] == pytest.approx([at[0] * exact[0], at[1] * exact[1]], rel=1e-14)
    assert found["AV"] == pytest.approx([4 * mean * (1 - mean) ** 2 / n for n, _ in rows], rel=1e-14)
    assert found["AV2"] == pytest.approx([4 * mean * (1 - mean) ** 2 * e for e in exact], rel=1e-14)


def second_order(value: Callable[..., mpmath.mpf], at: list[float], variances: list[float]) -> float:
    """First and second terms of the variance of a function of independent normal quantities."""
    with mpmath.workdps(40):
        total = mpmath.mpf(0)
        for i, variance in enumerate(variances):
            alone = [lambda x, i=i: value(*[x if j == i else a for j, a in enumerate(at)])][0]
            total += mpmath.diff(alone, at[i]) ** 2 * variance + mpmath.diff(alone, at[i], 2) ** 2 * variance**2 / 2
        return float(total)


def test_second_order_variances_of_ratios_are_their_expansions() -> None:
    """The ratio of means in the two means; the ratio of spreads in the two variances, each with 2 s^4/(n - 1)."""
    (m1, m2), (s1, s2), (n1, n2) = (5.1, 6.3), (2.0, 2.2), (12, 20)
    groups = {"sd_1": [s1], "n_1": [n1], "sd_2": [s2], "n_2": [n2]}
    means = balm.effect_sizes("ROM", mean_1=[m1], mean_2=[m2], variance_type="LS2", **groups)
    logs = second_order(lambda x, y: mpmath.log(x) - mpmath.log(y), [m1, m2], [s1**2 / n1, s2**2 / n2])
    assert means.variance[0] == pytest.approx(logs, rel=1e-12)
    spreads = balm.effect_sizes("VR", variance_type="LS2", **groups)
    squares = [2 * s1**4 / (n1 - 1), 2 * s2**4 / (n2 - 1)]
    halves = second_order(lambda x, y: (mpmath.log(x) - mpmath.log(y)) / 2, [s1**2, s2**2], squares)
    assert spreads.variance[0] == pytest.approx(halves, rel=1e-12)


def test_variances_as_if_there_were_no_effect() -> None:
    for code in ("SMD", "SMD1"):
        assert balm.effect_sizes(code, variance_type="H0", **example(code)).variance == pytest.approx(
            [1 / 100 + 1 / 110, 1 / 80 + 1 / 90], rel=1e-14
        )
    assert balm.effect_sizes("COR", variance_type="H0", **example("COR")).variance == pytest.approx([1 / 99, 1 / 79])


def test_paired_coefficients_of_variation_without_the_correction() -> None:
    es = balm.effect_sizes("CVRC", small_sample="none", **example("CVRC"))
    by_hand = [math.log(2.0 / 5.1 / (2.2 / 6.3)), math.log(1.5 / 4.2 / (1.9 / 4.0))]
    assert es.effect == pytest.approx(by_hand, rel=1e-13)


def test_scipy_is_loaded_only_by_measures_that_need_it() -> None:
    code = (
        "import sys, balm\n"
        "balm.effect_sizes('SMD', mean_1=[1], sd_1=[1], n_1=[9], mean_2=[2], sd_2=[1], n_2=[9])\n"
        "print([m for m in sys.modules if m.startswith(('scipy', 'pandas', 'polars'))])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
