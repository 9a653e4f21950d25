"""Two states of a package, table by table: rows that came, rows that went, rows that changed and in which columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from balm.review.package import Package
from balm.review.schema import STATEMENT, TABLES, Table


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row that stands in both states and says something else: ``(column, before, after)`` for each cell."""

    key: tuple[str, ...]
    cells: tuple[tuple[str, Any, Any], ...]


@dataclass(frozen=True, slots=True)
class TableChange:
    """One table: its rows before and after, the keys that came and went, and what changed in the others.

    ``before + len(added) - len(removed)`` is ``after``.
    """

    file: str
    before: int
    after: int
    added: tuple[tuple[str, ...], ...]
    removed: tuple[tuple[str, ...], ...]
    changed: tuple[RowChange, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not (self.added or self.removed or self.changed)


def table_changes(before: Package, after: Package) -> dict[str, TableChange]:
    """File -> what differs, for every table of the format; the place of a row in its file is no difference."""
    return {t.file: _change(t, getattr(before, t.attribute), getattr(after, t.attribute)) for t in (*TABLES, STATEMENT)}


def _change(table: Table, before: tuple[Any, ...], after: tuple[Any, ...]) -> TableChange:
    one, two = ({_key(table, row): row for row in rows} for rows in (before, after))
    changed = []
    for key, row in two.items():
        if key in one and (cells := tuple(_cells(table, one[key], row))):
            changed.append(RowChange(key, cells))
    return TableChange(
        table.file,
        len(one),
        len(two),
        tuple(key for key in two if key not in one),
        tuple(key for key in one if key not in two),
        tuple(changed),
    )


def _key(table: Table, row: Any) -> tuple[str, ...]:
    return tuple("" if (cell := getattr(row, name)) is None else str(cell) for name in table.key)


def _cells(table: Table, one: Any, two: Any) -> list[tuple[str, Any, Any]]:
    found = []
    for column in table.columns:
        was, now = getattr(one, column.name), getattr(two, column.name)
        if was != now:
            found.append((column.name, was, now))
    return found
