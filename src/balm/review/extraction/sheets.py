"""One person's extraction of one study, from what they entered: for every cell the last entry is in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from balm.review.extraction.fields import FORM, KEPT, REMOVED, ROW, STUDIES
from balm.review.schema import TABLE_BY_FILE
from balm.review.tables import read_cells


class Entered(Protocol):
    """What an entry says; the kept row of the store is one."""

    table: str
    key: str
    column: str
    value: str
    page: str
    quote: str
    how_read: str


@dataclass(frozen=True, slots=True)
class Given:
    """The value of a cell as one person entered it, with where and how it was read."""

    value: str
    page: str = ""
    quote: str = ""
    how_read: str = "reported"


#: (table, key of the row) -> column -> value; rows that were taken out are not there.
Sheet = dict[tuple[str, str], dict[str, Given]]


def sheet(entries: Iterable[Entered]) -> Sheet:
    """The extraction as it stands after ``entries``, oldest first; a cell entered empty is empty.

    A row that was removed and added again begins with what it held.
    """
    rows: Sheet = {}
    there: dict[tuple[str, str], bool] = {}
    for e in entries:
        place = (e.table, e.key)
        if e.column == ROW:
            there[place] = e.value != REMOVED
        cells = rows.setdefault(place, {})
        if e.value:
            cells[e.column] = Given(e.value, e.page, e.quote, e.how_read or "reported")
        else:
            cells.pop(e.column, None)
    return {p: cells for p, cells in rows.items() if there.get(p, p[0] == STUDIES)}


def rows_of(given: Sheet, table: str) -> dict[str, dict[str, Given]]:
    """The rows of one table by key, in the order in which they were added."""
    return {key: cells for (file, key), cells in given.items() if file == table}


def texts(cells: Mapping[str, Given]) -> dict[str, str]:
    """Column -> text, without what is about the row itself."""
    return {name: g.value for name, g in cells.items() if name not in (ROW, FORM)}


def as_row(table: str, study: str, key: str, cells: Mapping[str, str]) -> Any:
    """A row as the value its table reads it to, from cells that may not be complete; wrong cells are left empty."""
    schema = TABLE_BY_FILE[table]
    named = {"study": study, schema.key[-1]: key} | dict(cells)
    values, _ = read_cells(named, schema, row=0)
    return schema.row(**values, row=0)


__all__ = ["KEPT", "Entered", "Given", "Sheet", "as_row", "rows_of", "sheet", "texts"]
