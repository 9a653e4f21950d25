"""The registry of a clinic as it stands: its definition in force, and the latest version of every row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from balm.registry.definition import Definition as Defined
from balm.registry.definition import read_definition
from balm.registry.registry import Registry
from balm.registry.tables import TABLE_BY_NAME, TABLES
from balm.store.registry.models import Clinic, Definition, Entry
from balm.vocabulary.problems import InputError
from balm.vocabulary.table_columns import Table
from balm.vocabulary.table_text import read_cells

#: Between the cells of a key: a character that no cell may hold.
BETWEEN = "\x1f"


@dataclass(frozen=True, slots=True)
class Standing:
    """A row as it stands, and how often it was written."""

    cells: Mapping[str, str]
    version: int
    code: str


Rows = dict[str, dict[str, Standing]]


def key_of_row(table: Table, cells: Mapping[str, str]) -> str:
    """The key of a row, from its cells."""
    return BETWEEN.join(cells.get(name, "") for name in table.key)


def definition_of(clinic: Clinic) -> Defined:
    """The definition in force."""
    kept = Definition.objects.filter(clinic=clinic).order_by("-number").first()
    assert kept is not None, "a clinic begins with its definition"
    return _read(kept.text, tuple(kept.instruments.items()))


@lru_cache(maxsize=32)
def _read(text: str, instruments: tuple[tuple[str, str], ...]) -> Defined:
    """Every page asks for it, and it seldom changes: reading it takes longer than the rest of most pages."""
    found, problems = read_definition(text, {n: t.encode() for n, t in instruments})
    if found is None:
        raise InputError(problems)
    return found


def rows_of(clinic: Clinic, *, participant: str = "", tables: Iterable[str] = ()) -> Rows:
    """Every row of the clinic, or of one participant, or of some tables, by table and key, in the order they came."""
    entries = Entry.objects.filter(clinic=clinic).order_by("pk")
    if participant:
        entries = entries.filter(participant=participant)
    if wanted := list(tables):
        entries = entries.filter(table__in=wanted)
    found: Rows = {t.attribute: {} for t in TABLES}
    for table, key, version, cells, code in entries.values_list("table", "key", "version", "cells", "code").iterator(
        chunk_size=2000
    ):
        found[table][key] = Standing(cells, version, code)
    return found


def registry_from(definition: Defined, rows: Rows) -> Registry:
    """Rows as a registry; each cell was checked before it was kept."""
    made: dict[str, Any] = {}
    for name, found in rows.items():
        table = TABLE_BY_NAME[name]
        made[name] = tuple(
            table.row(**read_cells(standing.cells, table, row=number)[0], row=number)
            for number, standing in enumerate(found.values(), start=1)
        )
    return Registry(definition, **made)


def registry_of(clinic: Clinic, *, participant: str = "", tables: Iterable[str] = ()) -> Registry:
    """The registry of the clinic, or the part of one participant, or some of its tables."""
    return registry_from(definition_of(clinic), rows_of(clinic, participant=participant, tables=tables))
