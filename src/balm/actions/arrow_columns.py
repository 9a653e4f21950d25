"""Arrow columns as NumPy arrays and back, over the same memory.

Arrow's own ``to_numpy`` and ``pa.array`` load pandas on first use where it is installed: a third of a second and 40 MB
that a stream of numbers has no need of.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.groups import Integers


def floats(array: Any) -> Floats:
    """(n,) the numbers of an Arrow array, ``nan`` where one is missing; integers and decimals are converted.

    Raises pyarrow's ``ArrowException`` where a value is no number.
    """
    array = array.cast("float64")
    if array.null_count:
        array = import_module("pyarrow.compute").fill_null(array, float("nan"))
    return np.frombuffer(array.buffers()[1], np.float64, len(array), 8 * array.offset) if len(array) else np.empty(0)


def integers(array: Any) -> Integers:
    """(n,) the whole numbers of an Arrow array without missing values."""
    array = array.cast("int64")
    if not len(array):
        return np.empty(0, dtype=np.int64)
    return np.frombuffer(array.buffers()[1], np.int64, len(array), 8 * array.offset)


def column(values: Any) -> Any:
    """An Arrow array over the memory of a float64 or int64 array."""
    pa = import_module("pyarrow")
    values = np.ascontiguousarray(values)
    kind = {"f": pa.float64(), "i": pa.int64()}[values.dtype.kind]
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


def texts(values: Sequence[str | None]) -> Any:
    """An Arrow array of strings; ``None`` is missing.

    >>> texts(["one study", None]).to_pylist()
    ['one study', None]
    """
    pa = import_module("pyarrow")
    encoded = [b"" if text is None else text.encode() for text in values]
    offsets = np.concatenate(([0], np.cumsum([len(text) for text in encoded]))).astype(np.int32)
    there = np.packbits([text is not None for text in values], bitorder="little")
    buffers = [pa.py_buffer(there), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)
