"""The audit trail: appended with the change, refused to every later hand, and any fault is found."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.migrations.loader import MigrationLoader

from balm.actions.team.rows import put_row
from balm.store.append_only import AppendOnly
from balm.store.events.chain import append_event, broken_links, chains
from balm.store.events.models import Event
from balm.vocabulary.problems import InputError
from tests.web.conftest import Team
from tests.web.unguarded import unguarded

GAP = {"gap": "g-new", "priority": "1", "missing": "the means of one trial"}


def test_a_row_is_saved_with_its_event(team: Team) -> None:
    put_row(team.owner.acting, "gaps.csv", GAP)
    event = Event.objects.filter(chain=team.review.key).last()
    assert event is not None
    assert (event.actor, event.role, event.action, event.after) == ("olga", "lead", "add row", GAP)
    assert list(broken_links(team.review.key)) == []


def test_a_change_keeps_before_and_after_and_asks_for_a_reason(team: Team) -> None:
    put_row(team.owner.acting, "gaps.csv", GAP)
    changed = GAP | {"priority": "2"}
    with pytest.raises(InputError, match="a change needs a reason"):
        put_row(team.owner.acting, "gaps.csv", changed)
    row = put_row(team.owner.acting, "gaps.csv", changed, reason="read again")
    event = Event.objects.filter(chain=team.review.key).last()
    assert event is not None
    assert (event.before, event.after, event.reason, event.entity_version) == (GAP, changed, "read again", 2)
    with pytest.raises(InputError, match=r"changed by somebody else \(version 2, you saw 1\)"):
        put_row(team.owner.acting, "gaps.csv", GAP, reason="x", version=1)
    row.refresh_from_db()
    assert row.cells == changed


def test_a_wrong_cell_changes_nothing(team: Team) -> None:
    before = Event.objects.count()
    with pytest.raises(InputError, match="priority"):
        put_row(team.owner.acting, "gaps.csv", GAP | {"priority": "first"})
    assert Event.objects.count() == before


@pytest.mark.parametrize("verb", ["UPDATE events_event SET reason = 'x'", "DELETE FROM events_event"])
def test_the_database_refuses_to_change_or_delete_an_event(team: Team, verb: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(verb)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="REPLACE is SQLite's; on PostgreSQL it is an UPDATE")
@pytest.mark.parametrize(
    "key", ["id", "chain, seq"], ids=["by its row number", "by its place in the chain"],
)  # fmt: skip
def test_no_event_is_replaced(team: Team, key: str) -> None:
    """SQLite asks no trigger on DELETE for the row that a REPLACE takes away."""
    columns = [field.column for field in Event._meta.concrete_fields if key == "id" or field.column != "id"]
    values = ", ".join("'x'" if name == "reason" else name for name in columns)
    replace = f"REPLACE INTO events_event ({', '.join(columns)}) SELECT {values} FROM events_event WHERE seq = 1"
    with pytest.raises(DatabaseError, match="cannot be replaced"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(replace)
    assert not Event.objects.filter(reason="x").exists()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="on PostgreSQL one trigger refuses all")
def test_every_append_only_table_refuses_all_three(db: None) -> None:
    named = {
        operation.table
        for migration in MigrationLoader(connection).disk_migrations.values()
        for operation in migration.operations
        if isinstance(operation, AppendOnly)
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        there = {name for (name,) in cursor.fetchall()}
    assert len(named) > 25
    assert {f"{table}_no_{verb}" for table in named for verb in ("update", "delete", "replace")} <= there


def test_an_event_outside_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError, match="inside the transaction"):
        append_event("x", None, "a", "b", "c")  # type: ignore[arg-type]


def _without_triggers(sql: str) -> None:
    unguarded("events_event")
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("UPDATE events_event SET reason = 'another' WHERE seq = 2 AND chain <> 'server'", "event 2 .* was changed"),
        ("UPDATE events_event SET actor = 'olgb' WHERE seq = 1 AND chain <> 'server'", "event 1 .* was changed"),
        ("DELETE FROM events_event WHERE seq = 2 AND chain <> 'server'", "event 2 is missing"),
        ("DELETE FROM events_event WHERE seq = 3 AND chain <> 'server'", "ends at event 2, its head says 3"),
    ],
)
def test_whoever_gets_past_the_triggers_is_found(team: Team, sql: str, fault: str) -> None:
    for priority in ("1", "2"):
        put_row(team.owner.acting, "gaps.csv", GAP | {"priority": priority}, reason="x")
    assert [line for chain in chains() for line in broken_links(chain)] == []
    _without_triggers(sql)
    faults = [line for chain in chains() for line in broken_links(chain)]
    import re

    assert any(re.search(fault, line) for line in faults), faults
