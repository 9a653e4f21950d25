"""Arrow columns and NumPy arrays over the same memory, without pandas."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from balm.actions.arrow_columns import column, floats, integers, texts


def test_numbers_of_a_slice_with_missing_ones() -> None:
    array = pa.array([9.0, 1.5, None, 2.0, 9.0]).slice(1, 3)
    np.testing.assert_array_equal(floats(array), [1.5, np.nan, 2.0])
    np.testing.assert_array_equal(floats(pa.array([1, 2, 3], pa.int32()).slice(1)), [2.0, 3.0])
    np.testing.assert_array_equal(integers(pa.array([7, 8, 9], pa.int16()).slice(2)), [9])
    assert len(floats(pa.array([], pa.float64()))) == len(integers(pa.array([], pa.int64()))) == 0


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(pa.ArrowException):
        floats(pa.array(["0.1", "much"]))


def test_there_and_back() -> None:
    for values in (np.array([1.0, -np.inf, 3.0]), np.array([1, -(2**62)]), np.arange(6.0)[::2]):
        array = column(values)
        array.validate(full=True)
        assert array.to_pylist() == values.tolist()


def test_texts_with_letters_of_several_bytes() -> None:
    given = ["größer", None, "", "二", None, "a", "b", "c", "d"]
    array = texts(given)
    array.validate(full=True)
    assert array.to_pylist() == given
    assert array.null_count == 2


def test_streaming_loads_no_pandas() -> None:
    code = """
import sys, numpy as np, pyarrow as pa
from balm.actions.pool_stream import pool_table
table = pa.table({"g": pa.Array.from_buffers(pa.int64(), 3, [None, pa.py_buffer(np.array([1, 1, 2]))])})
for name in ("effect", "variance"):
    table = table.append_column(name, pa.Array.from_buffers(pa.float64(), 3, [None, pa.py_buffer(np.full(3, 0.5))]))
assert pool_table(table, by="g").column("reason").null_count == 1
assert "pandas" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
