"""Tables whose rows are written once: the database itself refuses to change or delete them."""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_SQLITE = """
CREATE TRIGGER {table}_no_{verb} BEFORE {VERB} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only: a row cannot be {past}'); END
"""

_POSTGRESQL = """
CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger AS $$
BEGIN RAISE EXCEPTION '{table} is append-only: a row cannot be changed or deleted'; END
$$ LANGUAGE plpgsql;
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_refuse();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse();
"""


class AppendOnly(migrations.RunPython):
    """Migration operation: triggers on ``table`` that refuse UPDATE and DELETE, on SQLite and on PostgreSQL.

    Signals and ``save()`` miss bulk writes and other programs; a trigger misses nothing that goes through SQL.
    """

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(self._forwards, self._backwards)

    def deconstruct(self) -> tuple[str, list[str], dict[str, object]]:
        """How the operation is written in a migration."""
        return self.__class__.__name__, [self.table], {}

    def _forwards(self, apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(_POSTGRESQL.format(table=self.table))
            return
        for verb, past in (("update", "changed"), ("delete", "deleted")):
            schema_editor.execute(_SQLITE.format(table=self.table, verb=verb, VERB=verb.upper(), past=past))

    def _backwards(self, apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP FUNCTION {self.table}_refuse() CASCADE")
            return
        for verb in ("update", "delete"):
            schema_editor.execute(f"DROP TRIGGER {self.table}_no_{verb}")
