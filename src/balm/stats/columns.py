"""Columns from whatever holds them: pandas, polars, a dict of arrays, or bare arrays, none of which is imported."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from balm.stats.arrays import Floats as Floats
from balm.stats.arrays import np
from balm.vocabulary.problems import InputError, Problem, unknown_option
from balm.vocabulary.quick_dataclass import dataclass

#: Spellings of a missing number in text, as spreadsheets and R write them; never read as zero.
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", ".", "not reported"})


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One argument as numbers: ``values`` (k,), or (1,) when one number stands for every row.

    ``label`` is what the person called it (the column of their table, else the argument).  ``unreadable`` maps a row
    (from 0) to the text found where a number belongs; those rows hold ``nan``.
    """

    argument: str
    label: str
    values: Floats
    constant: bool
    unreadable: dict[int, str]


def column_names(data: Any) -> list[str]:
    """The columns of a table, whatever its kind."""
    names: Iterable[Any] = data.columns if hasattr(data, "columns") else data.keys()
    return [str(name) for name in names]


def _lookup(argument: str, name: str, data: Any) -> Any:
    if data is None:
        raise InputError(f"{argument}={name!r} names a column, but there is no table: give data=, or an array")
    if not (hasattr(data, "columns") or hasattr(data, "keys")):
        raise InputError(f"data must be a pandas or polars table, or a dict of arrays; got {type(data).__name__}")
    names = column_names(data)
    if name not in names:
        raise InputError(
            str(unknown_option(f"{argument}: the column", name, names)).replace("must be one of", "must be among")
        )
    return data[name]


def _number(text: str) -> float:
    """The number in ``text``; ``nan`` where it says missing; ValueError otherwise ("12a", "1_000", "1,5")."""
    bare = text.strip()
    if bare.lower() in MISSING:
        return math.nan
    if "_" in bare:
        raise ValueError(text)
    return float(bare)


def _one_by_one(values: Sequence[Any]) -> tuple[Floats, dict[int, str]]:
    """The slow way for columns of mixed kind: one row at a time, keeping what cannot be read."""
    out = np.full(len(values), np.nan)
    unreadable: dict[int, str] = {}
    for i, value in enumerate(values):
        if value is None or type(value).__name__ in ("NAType", "NaTType"):
            continue
        try:
            out[i] = _number(value) if isinstance(value, str) else float(value)
        except (TypeError, ValueError):
            unreadable[i] = str(value)
    return out, unreadable


def numeric_column(argument: str, given: Any, data: Any = None) -> Column:
    """The numbers behind one argument: a column name of ``data``, an array, or one number for every row.

    Missing values (None, NaN, NA, "" ...) become ``nan``.  Text that is not a number is kept in ``unreadable``.

    >>> numeric_column("n_1", "n", {"n": [10, 20]}).values.tolist()
    [10.0, 20.0]
    """
    label = argument
    if isinstance(given, str):
        label = given
        given = _lookup(argument, given, data)
    if isinstance(given, (int, float, np.integer, np.floating)) and not isinstance(given, bool):
        return Column(argument, label, np.array([float(given)]), True, {})
    if given is None or isinstance(given, (bytes, dict, bool)):
        raise InputError(f"{argument} must be an array of numbers or the name of a column; got {given!r}")
    if not isinstance(given, np.ndarray):
        if hasattr(given, "to_numpy"):
            given = given.to_numpy()
        elif not isinstance(given, (list, tuple)):
            given = list(given) if isinstance(given, Iterable) else [given]
    plain = plain_numbers(given)
    if plain is not None:
        return Column(argument, label, plain, False, {})
    if isinstance(given, np.ndarray):
        if given.ndim != 1:
            raise InputError(f"{argument} must have one dimension, a number a study; got shape {given.shape}")
        given = given.tolist()
    values, unreadable = _one_by_one(given)
    return Column(argument, label, values, False, unreadable)


def plain_numbers(given: Any) -> Floats | None:
    """A float64 copy of an array or list that holds nothing but numbers; ``None`` for everything else."""
    if isinstance(given, np.ndarray):
        return given.astype(np.float64) if given.ndim == 1 and given.dtype.kind in "iuf" else None
    if isinstance(given, (list, tuple)) and all(type(v) in (int, float) for v in given):
        return np.array(given, dtype=np.float64)
    return None


def labels(given: Any, data: Any, k: int) -> tuple[str, ...]:
    """The study labels as text, in the order given; ``Study 1`` ... where none were given."""
    if given is None:
        return _numbered(k)
    if isinstance(given, str):
        given = _lookup("study", given, data)
    if hasattr(given, "to_list"):
        given = given.to_list()
    elif hasattr(given, "tolist"):
        given = given.tolist()
    found = tuple([v if isinstance(v, str) else _label(v) for v in given])
    if len(found) != k:
        raise InputError(f"study has {len(found)} labels for {k} rows of numbers")
    return found


@lru_cache(maxsize=64)
def _numbered(k: int) -> tuple[str, ...]:
    return tuple([f"Study {i}" for i in range(1, k + 1)])


def _label(value: Any) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def same_length(columns: Sequence[Column]) -> int:
    """The number of rows that all columns share; constants fit any.  Different lengths or no row are errors."""
    lengths = {c.label: len(c.values) for c in columns if not c.constant}
    if not lengths:
        return 1
    if len(set(lengths.values())) > 1:
        counted = ", ".join(f"{name} has {n}" for name, n in lengths.items())
        raise InputError(Problem(f"columns differ in length: {counted}"))
    k = next(iter(lengths.values()))
    if k == 0:
        raise InputError(f"no rows: {', '.join(lengths)} " + ("is empty" if len(lengths) == 1 else "are empty"))
    return k
