"""Tables whose rows are written once: the database itself refuses to change or delete them."""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_SQLITE = """
CREATE TRIGGER {table}_no_{verb} BEFORE {VERB} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only: a row cannot be {past}'); END
"""

#: ``INSERT OR REPLACE`` deletes the row in its way without asking the trigger on DELETE.
_SQLITE_REPLACE = """
CREATE TRIGGER IF NOT EXISTS {table}_no_replace BEFORE INSERT ON {table} WHEN {taken}
BEGIN SELECT RAISE(ABORT, '{table} is append-only: a row cannot be replaced'); END
"""

_POSTGRESQL = """
CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger AS $$
BEGIN RAISE EXCEPTION '{table} is append-only: a row cannot be changed or deleted'; END
$$ LANGUAGE plpgsql;
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_refuse();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse();
"""


class AppendOnly(migrations.RunPython):
    """Migration operation: triggers on ``table`` that refuse UPDATE, DELETE and REPLACE, on SQLite and on PostgreSQL.

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
        refuse_replacing(schema_editor, self.table)

    def _backwards(self, apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP FUNCTION {self.table}_refuse() CASCADE")
            return
        for verb in ("update", "delete", "replace"):
            schema_editor.execute(f"DROP TRIGGER {self.table}_no_{verb}")


class NothingIsReplaced(migrations.RunPython):
    """Migration operation: the trigger on REPLACE for the tables of a server that were append-only before it was."""

    def __init__(self) -> None:
        super().__init__(self._forwards, migrations.RunPython.noop)

    def deconstruct(self) -> tuple[str, list[str], dict[str, object]]:
        """How the operation is written in a migration."""
        return self.__class__.__name__, [], {}

    def _forwards(self, apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor != "sqlite":
            return
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger' AND name = tbl_name || '_no_delete'"
            )
            tables = [table for (table,) in cursor.fetchall()]
        for table in tables:
            refuse_replacing(schema_editor, table)


def refuse_replacing(schema_editor: BaseDatabaseSchemaEditor, table: str) -> None:
    """On SQLite: a row whose place is taken, by its key or by what must be unique, does not come in."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"PRAGMA table_info({table})")
        keys = [[name for _, name, *_, key in cursor.fetchall() if key]]
        cursor.execute(f"PRAGMA index_list({table})")
        indexes = [name for _, name, unique, _, partial in cursor.fetchall() if unique and not partial]
        for index in indexes:
            cursor.execute(f"PRAGMA index_info({index})")
            keys.append([name for _, _, name in cursor.fetchall()])
    taken = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {' AND '.join(map(_same, key))})" for key in keys)
    schema_editor.execute(_SQLITE_REPLACE.format(table=table, taken=taken))


def _same(column: str) -> str:
    return f'"{column}" = NEW."{column}"'
