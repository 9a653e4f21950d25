"""Characteristics of studies by direct comparison: numbers, words, what is missing, and what contradicts itself."""

from __future__ import annotations

import re

import pytest

import balm
from balm.plots.transitivity import transitivity_plot
from balm.vocabulary.problems import InputError


@pytest.fixture
def fit():
    return balm.network(
        study=list("1234") + ["5"] * 3,
        treatment_1=list("AAABAAB"),
        treatment_2=list("BBBCBCC"),
        effect=[1.0, 1.2, 0.8, 1.0, 1.0, 2.0, 1.0],
        se=[0.4] * 7,
        model="common",
    )


def test_numbers_words_and_studies_of_several_arms(fit):
    found = fit.transitivity(
        {"age": [40, 50, 60, "NR", 70, 70, 70], "setting": ["ward", "ward", "home", "home", "x", "x", "x"]},
        study=list("1234") + ["5"] * 3,
    )
    assert found.table() == [
        ["comparison", "studies", "age", "setting"],
        ["A:B", "4", "55 (40 to 70)", "ward 2, home 1, x 1"],
        ["A:C", "1", "70", "x 1"],
        ["B:C", "2", "70; 1 not reported", "home 1, x 1"],
    ]
    first = found.of("age")[0]
    assert (first.mean, first.sd) == pytest.approx((55.0, 12.9099445)) and ("1", 40.0) in first.known
    assert len(found.to_frame()["text"]) == 6


def test_the_plot_boxes_many_studies_and_says_what_is_missing(tmp_path):
    n = 6
    fit = balm.network(
        study=range(n + 2), treatment_1=["A"] * n + ["B", "C"], treatment_2=["B"] * n + ["C", "D"],
        effect=[1.0] * (n + 2), se=[0.4] * (n + 2), model="common",
    )  # fmt: skip
    found = fit.transitivity({"place": ["x"] * (n + 2), "year": [*range(1990, 1990 + n), 2001, ""]}, study=range(n + 2))
    figure = transitivity_plot(found, tmp_path / "years.png", title="Years")
    assert figure.svg.count("<circle") == n + 1 and "not reported" in figure.svg and "A:B (6)" in figure.svg
    assert "A:B 1992 (1990 to 1995)" in re.sub(r"\.5", "", figure.description)
    with pytest.raises(InputError, match="in numbers; there are year"):
        transitivity_plot(found, characteristic="place")


@pytest.mark.parametrize(
    ("values", "study", "words"),
    [
        ({}, ["1"], "at least one characteristic"),
        ({"age": [1, 2]}, ["1"], "2 values, study has 1"),
        ({"age": [1, 2]}, ["1", "1"], "'1' has two values of age"),
        ({"age": [1]}, ["Z"], "no study of the network reports age"),
        ({"age": ["NA"]}, ["1"], "no study of the network reports age"),
    ],
)
def test_what_is_wrong_is_named(fit, values, study, words):
    with pytest.raises(InputError, match=words):
        fit.transitivity(values, study=study)
