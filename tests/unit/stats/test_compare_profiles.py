"""Profiles compared: what differs is found, blamed on the fewest conventions, and explained with both formulas."""

from __future__ import annotations

import numpy as np
import pytest

from balm.stats.compare_profiles import Cell, compare_profiles
from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.pooling.pool import pool
from balm.stats.profile_formulas import FORMULAS, formula
from balm.stats.profiles import PROFILES
from balm.vocabulary.problems import InputError

GENERIC = EffectSizes(effect=[0.10, 0.40, -0.20, 0.90], variance=[0.02, 0.05, 0.03, 0.09])
#: Invented counts: one study without events in either arm, one without events in the first.
ZEROS = {"events_1": [0, 3, 0, 10], "n_1": [50, 60, 40, 100], "events_2": [5, 4, 0, 2], "n_2": [50, 60, 40, 100]}


def test_every_convention_of_every_profile_has_a_formula_in_words():
    missing = {(n, v) for rows in PROFILES.values() for n, v in rows.items() if (n, v) not in FORMULAS}
    assert not missing


def test_a_value_without_a_formula_of_its_own_has_its_rows_title():
    assert formula("tau2", "SJ").startswith("Sidik-Jonkman")
    assert formula("inference", "kenward-roger") == "Kenward-Roger"
    assert "KR" in formula("prediction", "kenward-roger")


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
def test_the_columns_are_what_pool_gives_under_the_profile(profile, measure):
    es = effect_sizes(measure, **ZEROS)
    found = compare_profiles(es, [profile, "balm" if profile != "balm" else "meta"]).values[profile]
    fit = pool(es, profile=profile)
    for name, want in (
        ("estimate", fit.estimate),
        ("se", fit.se),
        ("ci_low", fit.interval.low),
        ("tau2", fit.tau2),
        ("i2", fit.i2),
        ("pi_high", fit.prediction_interval.high),
    ):
        assert found[Cell("random", name)] == pytest.approx(want, rel=1e-12, nan_ok=True), name


def test_each_blamed_set_carries_one_profile_into_the_other_and_no_smaller_one_does():
    from itertools import combinations

    from balm.stats.compare_profiles import _same

    es = effect_sizes("RD", **ZEROS)
    found = compare_profiles(es)
    checked = 0
    for difference in found.differences:
        assert difference.options, difference
        here, there = PROFILES[difference.profile_1], PROFILES[difference.profile_2]

        def value(options, here=here, there=there, cell=difference.cell):
            mixed = {**here, **{o: there[o] for o in options}}
            return found.laboratory.cells(cell.analysis, mixed)[cell]

        assert _same(value(difference.options), difference.value_2)
        for fewer in combinations(difference.options, len(difference.options) - 1):
            assert not _same(value(fewer), difference.value_2)
            checked += 1
    assert checked > 100


def test_generic_effects_differ_only_by_conventions_of_pooling():
    found = compare_profiles(GENERIC)
    assert {c.analysis for c in found.cells} == {"studies", "random", "common"}
    assert {o for d in found.differences for o in d.options} == {
        "tau2",
        "inference",
        "prediction",
        "i2",
        "tau2_interval",
    }
    assert not [d for d in found.differences if d.cell.analysis in ("studies", "common")]


def test_two_profiles_that_agree_say_so():
    es = EffectSizes(effect=[0.1, 0.2], variance=[0.1, 0.2])
    found = compare_profiles(es, ["metafor", "stata"]).why("estimate", "metafor", "stata")
    assert found.responsible == () and found.value_1 == found.value_2


def test_conventions_named_by_the_caller_stay_in_every_profile():
    chosen = effect_sizes("RR", rr_single_zero="n+1", **ZEROS)
    free = effect_sizes("RR", **ZEROS)
    study = chosen.study[0]
    assert compare_profiles(free).why("se", "metafor", "meta", study=study).options == ("rr_single_zero",)
    assert compare_profiles(chosen).why("se", "metafor", "meta", study=study).options == ()


def test_unverified_rows_are_marked():
    es = effect_sizes("OR", **ZEROS)
    why = compare_profiles(es).why("estimate", "metafor", "revman-web", analysis="mantel-haenszel")
    assert {r.option: r.unverified for r in why.responsible} == {"mh_zero_cells": True, "double_zero": False}
    assert "[unverified]" in str(why)


def test_studies_none_of_which_says_anything_leave_empty_columns():
    es = effect_sizes("OR", events_1=[0, 0], n_1=[9, 9], events_2=[0, 0], n_2=[8, 8])
    found = compare_profiles(es, ["balm", "metafor"])
    assert np.isnan(found.values["balm"][Cell("random", "estimate")])
    assert np.isfinite(found.values["metafor"][Cell("random", "estimate")])
    assert found.why("estimate", "balm", "metafor").options == ("double_zero",)


def test_the_comparison_reads_and_tabulates():
    found = compare_profiles(GENERIC, ["revman5", "metafor"])
    text = repr(found)
    assert "revman5" in text and "metafor against revman5" in text
    assert "none" in text, "RevMan 5 has no prediction interval"
    frame = found.to_frame()
    assert len(frame["revman5"]) == len(found.cells)
    assert sum(frame["differs"]) == len(found.differences)
    assert str(found.why("tau2", "revman5", "metafor")).count("\n") == 3


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: compare_profiles([1, 2]), "takes effect sizes, got list"),
        (lambda: compare_profiles(GENERIC, ["revman5"]), "two or more different profiles"),
        (lambda: compare_profiles(GENERIC, "metafor"), "two or more different profiles"),
        (lambda: compare_profiles(GENERIC, ["revman5", "metafr"]), "did you mean 'metafor'"),
        (lambda: compare_profiles(GENERIC).why("estimat", "balm", "meta"), "did you mean 'estimate'"),
        (lambda: compare_profiles(GENERIC, ["balm", "meta"]).why("se", "balm", "stata"), "profile must be one of"),
        (lambda: compare_profiles(GENERIC).why("se", "balm", "meta", analysis="mantel-haenszel"), "analysis must be"),
        (lambda: compare_profiles(GENERIC).why("se", "balm", "meta", study="Smith"), "study must be one of"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(InputError, match=said):
        call()
