"""A row an arm, a row a comparison, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import balm
from balm.vocabulary.problems import InputError

#: Hasselblad 1998, studies 1, 2, 6, 9 and 24 of 24: counselling to stop smoking.
SMOKING: dict[str, list[Any]] = {
    "study": [1, 1, 2, 2, 2, 6, 6, 9, 9, 9, 24, 24],
    "year": [1974, 1974, 1983, 1983, 1983, 1989, 1989, 1988, 1988, 1988, 1990, 1990],
    "trt": ["no", "ind", "no", "ind", "grp", "self", "ind", "self", "ind", "grp", "ind", "grp"],
    "events": [75, 363, 9, 23, 10, 20, 16, 11, 12, 29, 3, 7],
    "n": [731, 714, 140, 140, 138, 49, 43, 78, 85, 170, 35, 34],
}


def as_lists(table: Any) -> dict[str, list[Any]]:
    return {name: [v.item() if hasattr(v, "item") else v for v in table[name]] for name in table}


@pytest.mark.parametrize("kind", [dict, pd.DataFrame, pl.DataFrame])
def test_each_arm_against_the_reference_of_its_study(kind: Any) -> None:
    """metafor 3.8: to.wide(dat, study="study", grp="trt", ref="no", grpvars=c("xi", "ni")) has the same pairs."""
    got = as_lists(balm.contrasts_from_arms(kind(SMOKING), treatment="trt", reference=["no", "self", "ind"]))
    assert list(zip(got["study"], got["trt_1"], got["trt_2"], strict=True)) == [
        (1, "ind", "no"), (2, "ind", "no"), (2, "grp", "no"), (6, "ind", "self"), (9, "ind", "self"),
        (9, "grp", "self"), (24, "grp", "ind"),
    ]  # fmt: skip
    assert got["events_1"] == [363, 23, 10, 16, 12, 29, 7] and got["events_2"] == [75, 9, 9, 20, 11, 11, 3]
    assert got["n_2"] == [731, 140, 140, 49, 78, 78, 35] and got["year"] == [1974, 1983, 1983, 1989, 1988, 1988, 1990]
    assert got["design"][1:3] == ["grp-ind-no"] * 2 and "year_1" not in got
    es = balm.effect_sizes("OR", data=got, events_1="events_1", n_1="n_1", events_2="events_2", n_2="n_2")
    v = balm.sampling_covariance(es, data=got, group_1="trt_1", group_2="trt_2", n_1="n_1", n_2="n_2")
    assert v[1, 2] > 0.0 == v[0, 1]


def test_without_a_reference_the_commonest_treatment_is_group_2_and_all_pairs_can_be_had() -> None:
    got = as_lists(balm.contrasts_from_arms(SMOKING, treatment="trt"))
    assert got["trt_2"] == ["ind"] * 7
    every = as_lists(balm.contrasts_from_arms(SMOKING, treatment="trt", reference="no", pairs="all"))
    assert len(every["study"]) == 9 and every["trt_2"][1:4] == ["no", "no", "ind"]
    assert every["trt_1"][3] == "grp"


@pytest.mark.parametrize("pairs", ["reference", "all"])
def test_there_and_back(pairs: str) -> None:
    rows = balm.contrasts_from_arms(SMOKING, treatment="trt", reference="no", pairs=pairs)
    arms = as_lists(balm.arms_from_contrasts(rows, treatment="trt"))
    keys = ("study", "trt", "events", "n", "year")
    assert sorted(zip(*(arms[k] for k in keys), strict=True)) == sorted(zip(*(SMOKING[k] for k in keys), strict=True))
    assert sorted(zip(arms["study"], arms["arm"], strict=True))[2:5] == [(2, 1), (2, 2), (2, 3)]


def test_rows_without_treatments_are_two_arms_each() -> None:
    arms = as_lists(balm.arms_from_contrasts({"events_1": [4, 6], "events_2": [11, 29], "alloc": ["r", "s"]}))
    assert arms == {"study": [1, 1, 2, 2], "arm": [1, 2, 1, 2], "events": [4, 11, 6, 29], "alloc": ["r", "r", "s", "s"]}


def test_what_arms_have_in_common_and_what_is_missing() -> None:
    """A dose that differs between arms is theirs; a number that is missing in both does not differ."""
    arms = {"study": list("aabb"), "treatment": list("xyxy"), "dose": [1, 2, 1, 1], "age": [np.nan, np.nan, 4.0, 4.0]}
    got = as_lists(balm.contrasts_from_arms(arms, reference="x"))
    assert got["dose_1"] == [2, 1] and got["age"][1] == 4.0 and "age_1" not in got
    mine = balm.contrasts_from_arms(arms, reference="x", arm_columns="age")
    assert "age_1" in mine and "dose" in mine


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        ({"trt": ["no"] * 12}, {}, "'no' is the treatment of several arms; combine them first"),
        ({"study": list(range(12))}, {}, r"one arm only \(no\)"),
        ({"trt": [None, *SMOKING["trt"][1:]]}, {}, "row 1: trt is missing"),
        ({"n": [1]}, {}, "columns differ in length"),
        ({}, {"treatment": "arm"}, "treatment: the column"),
        ({}, {"reference": "placebo"}, "reference must be one of"),
        ({}, {"pairs": "some"}, "pairs must be one of"),
        ({}, {"arm_columns": ["dose"]}, "arm_columns"),
    ],
)
def test_arms_that_cannot_be_compared(change: dict[str, Any], options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        balm.contrasts_from_arms(SMOKING | change, **({"treatment": "trt"} | options))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"events": [1]}, "no pair of columns ends in _1 and _2"),
        ({"events_1": [], "events_2": []}, "data has no rows"),
        ({"events_1": [1], "events_2": [2], "events": [3]}, "has a column 'events' already"),
        ({"study": ["a", "a"], "treatment_1": ["x", "y"], "treatment_2": ["p", "p"], "n_1": [5, 6], "n_2": [7, 8]},
         "a: the arm 'p' has n 7 in one comparison and 8 in another"),
        ([1, 2], "a dict of columns; got list"),
    ],
)  # fmt: skip
def test_comparisons_that_are_no_arms(table: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        balm.arms_from_contrasts(table)
    with pytest.raises(InputError, match="study: the column"):
        balm.arms_from_contrasts({"n_1": [1], "n_2": [2]}, study="trial")
