"""Who takes part, as a CSV in an archive: names that a spreadsheet would run are written so that it does not."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.spreadsheet_cell import safe_cell, unsafe_cell


def written_members(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """The table with its header."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return out.getvalue().encode()


def read_members(data: bytes, columns: Sequence[str], file: str) -> list[dict[str, str]]:
    """The rows that :func:`written_members` wrote.

    >>> read_members(written_members(("code", "name"), [("a", "=1+1")]), ("code", "name"), "members.csv")
    [{'code': 'a', 'name': '=1+1'}]
    """
    try:
        header, *rows = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True)) or [[]]
    except (UnicodeDecodeError, csv.Error):
        raise InputError(Problem("is not readable as a table", file)) from None
    if header != list(columns):
        raise InputError(Problem(f"must have the columns {', '.join(columns)}; it has {', '.join(header)}", file))
    if wrong := [number for number, row in enumerate(rows, 1) if len(row) != len(columns)]:
        raise InputError(Problem(f"has a cell too many or too few; a row has {len(columns)}", file, row=wrong[0]))
    return [dict(zip(columns, map(unsafe_cell, row), strict=True)) for row in rows]
