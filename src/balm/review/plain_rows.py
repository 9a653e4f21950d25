"""The rows of a table that comes from anywhere: a CSV file, a data frame, a dict of columns, a list of dicts.

For those who use nothing else of balm. A CSV file is split at commas, semicolons or tabs, whichever its header holds
most of; cells are text, and an empty one (``None``, ``NaN``, ``NA``) is "".
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from balm.vocabulary.problems import InputError, Problem

MARKS = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class PlainRows:
    """A table as text: the name of its file ("" without one), its header, and its rows by column."""

    file: str
    heads: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


def plain_rows(data: Any, *, needs: str, label: str = "") -> PlainRows:
    """Header and rows of ``data``.

    needs : the columns of the table in words, said where there are none.
    label : the column that a data frame's index becomes, where the frame has no column of that name and its index is
            called so or holds names; "" for none.

    >>> plain_rows({"Study": ["A"], "D1": [None]}, needs="Study, D1").rows
    ({'Study': 'A', 'D1': ''},)
    """
    if isinstance(data, (str, os.PathLike)):
        return _of_file(Path(data), needs)
    if isinstance(data, Mapping):
        heads = [str(head) for head in data]
        for head, column in data.items():
            if isinstance(column, (str, bytes)) or not hasattr(column, "__iter__"):
                raise InputError(Problem(f"must be a list of cells; got {column!r}", column=str(head)))
        return _of_columns(heads, [list(column) for column in data.values()], needs)
    if hasattr(data, "columns"):  # pandas, polars and what looks like them
        heads = [str(head) for head in data.columns]
        columns: list[list[Any]] = [list(data[head]) for head in data.columns]
        index = getattr(data, "index", None)
        if label and index is not None and label.lower() not in [head.lower() for head in heads]:
            cells = list(index)
            named = str(getattr(index, "name", "")).lower() == label.lower()
            if named or (cells and all(isinstance(cell, str) for cell in cells)):
                heads, columns = [label, *heads], [cells, *columns]
        return _of_columns(heads, columns, needs)
    if isinstance(data, Sequence) and data and all(isinstance(row, Mapping) for row in data):
        heads = list(dict.fromkeys(str(head) for row in data for head in row))
        rows = [{str(head): as_text(cell) for head, cell in row.items()} for row in data]
        return PlainRows(
            "", _once(heads, "", needs), tuple({head: row.get(head, "") for head in heads} for row in rows)
        )
    raise InputError("data must be a CSV file, a data frame, a dict of columns or a list of dicts, with at least a row")


def as_text(value: Any) -> str:
    """A cell as text; ``None``, ``NaN`` and pandas' ``NA`` are empty."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return ""
    if isinstance(value, float) and value != value:
        return ""
    return str(value).strip()


def _of_file(path: Path, needs: str) -> PlainRows:
    file = path.name
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(Problem(f"cannot be read: {error.strerror}", file)) from None
    except UnicodeDecodeError:
        raise InputError(Problem("is not UTF-8; save it as 'CSV UTF-8'", file)) from None
    first = next((line for line in text.splitlines() if line.strip()), "")
    mark = max(MARKS, key=first.count)
    try:
        parsed = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True))
    except csv.Error as error:
        reason = f"cannot be read ({error}); look for a quotation mark that is not closed"
        raise InputError(Problem(reason, file)) from None
    lines = [line for line in parsed if any(cell.strip() for cell in line)]
    if not lines:
        raise InputError(Problem(f"the file is empty; it needs {needs}", file))
    heads = [head.strip() for head in lines[0]]
    while heads and not heads[-1] and not any(line[len(heads) - 1 :][:1] != [""] for line in lines[1:]):
        heads.pop()  # columns that a spreadsheet left empty
    rows = []
    for number, line in enumerate(lines[1:], 1):
        extra = [cell for cell in line[len(heads) :] if cell.strip()]
        if len(line) < len(heads) or extra:
            raise InputError(Problem(f"has {len(line)} cells; the header has {len(heads)}", file, row=number))
        rows.append({head: cell.strip() for head, cell in zip(heads, line, strict=False)})
    return PlainRows(file, _once(heads, file, needs), tuple(rows))


def _of_columns(heads: list[str], columns: list[list[Any]], needs: str) -> PlainRows:
    kept = _once(heads, "", needs)
    if len({len(column) for column in columns}) > 1:
        sizes = ", ".join(f"{head}: {len(column)}" for head, column in zip(heads, columns, strict=True))
        raise InputError(f"the columns must be equally long; got {sizes}")
    cells = [[as_text(cell) for cell in column] for column in columns]
    return PlainRows("", kept, tuple(dict(zip(heads, row, strict=True)) for row in zip(*cells, strict=True)))


def _once(heads: Iterable[str], file: str, needs: str) -> tuple[str, ...]:
    found = tuple(heads)
    if not found:
        raise InputError(Problem(f"the table has no columns; it needs {needs}", file))
    lowered = [head.lower() for head in found]
    for head, low in zip(found, lowered, strict=True):
        if not low:
            raise InputError(Problem(f"a column has no name; it needs {needs}", file))
        if lowered.count(low) > 1:
            raise InputError(Problem("stands in the header more than once", file, column=head))
    return found
