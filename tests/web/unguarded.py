"""Let one test change append-only tables: as whoever writes to the database's files could. The test rolls it back."""

from __future__ import annotations

from django.db import connection


def unguarded(*tables: str) -> None:
    """Let this transaction change rows of append-only ``tables``.

    On PostgreSQL the function that their triggers call is replaced. Switching the triggers off would ask for a strong
    lock on table after table while the rows written before hold weaker ones on the others: with anybody else at work on
    the same tables (vacuum, another connection) each could wait for the other.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for table in tables:
                cursor.execute(
                    f"CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger AS $$ "
                    "BEGIN IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$ LANGUAGE plpgsql"
                )
            return
        for table in tables:
            for verb in ("update", "delete", "replace"):
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")
