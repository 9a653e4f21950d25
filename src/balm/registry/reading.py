"""A registry from the bytes of its files, and its files from a registry: strict, with every problem at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from balm.registry.checks import problems_of
from balm.registry.definition import FILE, read_definition
from balm.registry.registry import Registry
from balm.registry.tables import TABLES
from balm.vocabulary.problems import Problem
from balm.vocabulary.table_text import decode, read_table, write_table


def read_registry(
    files: Mapping[str, bytes], *, today: date | None = None
) -> tuple[Registry | None, tuple[Problem, ...]]:
    """The registry held in ``files`` (relative name -> bytes), or ``None``; and everything wrong with it.

    Rows are only checked against each other once every cell can be read. Other files are left alone.
    """
    problems: list[Problem] = []
    definition = None
    if FILE in files:
        text, wrong = decode(files[FILE], file=FILE)
        problems += wrong
        if not wrong:
            definition, wrong = read_definition(text, files)
            problems += wrong
    else:
        problems.append(Problem("the file is missing; `balm registry new` starts a registry with it", file=FILE))
    rows: dict[str, tuple[Any, ...]] = {}
    for table in TABLES:
        if table.file not in files:
            if table.required:
                problems.append(Problem("the file is missing; it may hold its header alone", file=table.file))
            continue
        text, wrong = decode(files[table.file], file=table.file)
        if not wrong:
            rows[table.attribute], wrong = read_table(text, table)
        problems += wrong
    if problems or definition is None:
        return None, tuple(problems)
    registry = Registry(definition, **rows)
    problems += problems_of(registry, today=today)
    return (None if problems else registry), tuple(problems)


def registry_tables(registry: Registry) -> dict[str, str]:
    """Every table as text by file name; tables that are not required and have no rows are left out."""
    return {
        table.file: write_table(getattr(registry, table.attribute), table)
        for table in TABLES
        if table.required or getattr(registry, table.attribute)
    }
