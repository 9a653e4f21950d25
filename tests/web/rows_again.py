"""What a set-up wrote to the database, written again in the transaction of another test: a fraction of its time.

On SQLite alone. On PostgreSQL, and where a test has rows of its own already, the set-up runs as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection

Rows = dict[str, list[tuple[Any, ...]]]


class RowsAgain:
    """A set-up that runs once in a process; after that its rows are written, table by table."""

    def __init__(self, set_up: Callable[[], None]) -> None:
        self.set_up = set_up
        self.rows: Rows = {}

    def __call__(self) -> None:
        """By its rows where they are known and their tables are empty, else by setting it up."""
        if connection.vendor != "sqlite" or any(_ask(f'SELECT 1 FROM "{table}" LIMIT 1') for table in self.rows):
            self.set_up()
        elif self.rows:
            with connection.cursor() as cursor:
                for table, rows in self.rows.items():
                    cursor.executemany(f'INSERT INTO "{table}" VALUES ({", ".join(["%s"] * len(rows[0]))})', rows)
        else:
            before = _all_rows()
            self.set_up()
            written = {table: rows for table, rows in _all_rows().items() if rows != before[table]}
            if not any(before[table] for table in written):
                self.rows = written


def _all_rows() -> Rows:
    tables = _ask("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%%'")
    return {table: _ask(f'SELECT {_columns(table)} FROM "{table}"') for (table,) in tables}


def _columns(table: str) -> str:
    """As they are stored: behind a ``+`` a date stays the text that it is, which a converter would read."""
    return ", ".join(f'+"{row[1]}"' for row in _ask(f'PRAGMA table_info("{table}")'))


def _ask(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())
