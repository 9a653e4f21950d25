"""Tables of the report on a page of the server: what is on the page keeps its place, all else leads to the report."""

from __future__ import annotations

from dataclasses import dataclass, replace

from balm.report.html_report.table import Cell, Column, Row, Table


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row with its cells beside their columns."""

    id: str
    classes: str
    group: str
    cells: tuple[tuple[Column, Cell], ...]


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table for the template."""

    id: str
    caption: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[ShownRow, ...]


def shown(table: Table | None, here: frozenset[str], report: str) -> ShownTable | None:
    """The table with its links: to a place of this page where that is in ``here``, else to the ``report``."""
    if table is None:
        return None
    rows = tuple(
        ShownRow(
            row.id, row.classes, row.group,
            tuple(zip(table.columns, (_moved(cell, here, report) for cell in row.cells), strict=True)),
        )
        for row in table.rows
    )  # fmt: skip
    return ShownTable(table.id, table.caption, table.note, table.columns, rows)


def places(*tables: Table | None) -> frozenset[str]:
    """Every place that these tables give the page."""
    found: set[str] = set()
    for table in tables:
        if table is not None:
            found |= {table.id, *(row.id for row in table.rows if isinstance(row, Row) and row.id)}
    return frozenset(found)


def _moved(cell: Cell, here: frozenset[str], report: str) -> Cell:
    def to(href: str) -> str:
        return report + href if href.startswith("#") and href[1:] not in here else href

    return replace(cell, href=to(cell.href), links=tuple(replace(link, href=to(link.href)) for link in cell.links))
