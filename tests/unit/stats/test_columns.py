"""Columns out of whatever a person keeps a table in."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from balm.stats.columns import labels, numeric_column, same_length
from balm.vocabulary.problems import InputError

TABLE = {"trial": ["Aronson", "Ferguson"], "a": [4, 6], "n1": [123, 306]}


@pytest.mark.parametrize(
    "data",
    [
        TABLE,
        {name: np.array(values) for name, values in TABLE.items()},
        pd.DataFrame(TABLE),
        pd.DataFrame(TABLE).convert_dtypes(),
        pd.DataFrame(TABLE, index=[7, 3]),
        pl.DataFrame(TABLE),
    ],
    ids=["dict of lists", "dict of arrays", "pandas", "pandas nullable", "pandas index", "polars"],
)
def test_a_column_is_the_same_from_every_kind_of_table(data: Any) -> None:
    column = numeric_column("events_1", "a", data)
    assert column.values.tolist() == [4.0, 6.0]
    assert column.values.dtype == np.float64
    assert column.label == "a"
    assert labels("trial", data, 2) == ("Aronson", "Ferguson")


@pytest.mark.parametrize(
    "given",
    [
        [1, None, 3],
        [1.0, math.nan, 3.0],
        ["1", "NA", "3"],
        ["1", "", "3"],
        np.array([1, None, 3], dtype=object),
        pd.Series([1, None, 3], dtype="Int64"),
        pd.Series([1, None, 3]),
        pl.Series([1, None, 3]),
        pl.Series(["1", None, "3"]),
    ],
    ids=str,
)
def test_missing_is_nan_and_never_zero(given: Any) -> None:
    column = numeric_column("n_1", given)
    assert np.isnan(column.values).tolist() == [False, True, False]
    assert column.values[[0, 2]].tolist() == [1.0, 3.0]
    assert column.unreadable == {}


@pytest.mark.parametrize("text", ["12a", "1_000", "1,5", "<0.05", "twelve"])
def test_text_in_a_number_is_kept_and_shown(text: str) -> None:
    column = numeric_column("sd_1", ["2.5", text, 3])
    assert column.unreadable == {1: text}
    assert np.isnan(column.values[1])


def test_one_number_stands_for_every_row() -> None:
    constant = numeric_column("r", 0.5)
    assert constant.constant
    assert same_length([constant, numeric_column("n", [10, 20])]) == 2


def test_a_column_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r"events_1: the column must be among .*got 'A' \(did you mean 'a'\?\)"):
        numeric_column("events_1", "A", TABLE)


def test_a_column_name_without_a_table() -> None:
    with pytest.raises(InputError, match="events_1='a' names a column, but there is no table"):
        numeric_column("events_1", "a")


@pytest.mark.parametrize("data", [3, [1, 2], "trials.csv"])
def test_data_must_be_a_table(data: Any) -> None:
    with pytest.raises(InputError, match="data must be a pandas or polars table"):
        numeric_column("events_1", "a", data)


@pytest.mark.parametrize("given", [None, {"a": 1}, True, b"12"])
def test_what_is_no_column_at_all(given: Any) -> None:
    with pytest.raises(InputError, match="n_1 must be an array of numbers or the name of a column"):
        numeric_column("n_1", given)


def test_two_dimensions_are_refused_with_their_shape() -> None:
    with pytest.raises(InputError, match=r"n_1 must have one dimension.*\(2, 2\)"):
        numeric_column("n_1", np.ones((2, 2)))


def test_lengths_are_counted_in_the_message() -> None:
    with pytest.raises(InputError, match="differ in length: n_1 has 2, n_2 has 3"):
        same_length([numeric_column("n_1", [1, 2]), numeric_column("n_2", [1, 2, 3])])


def test_no_rows() -> None:
    with pytest.raises(InputError, match="no rows: n_1 is empty"):
        same_length([numeric_column("n_1", [])])


def test_labels_are_text_in_order() -> None:
    assert labels(None, None, 2) == ("Study 1", "Study 2")
    assert labels([1998, 2001.0], None, 2) == ("1998", "2001")
    assert labels(["Smith", None], None, 2) == ("Smith", "")
    with pytest.raises(InputError, match="study has 1 labels for 2 rows"):
        labels(["Smith"], None, 2)
