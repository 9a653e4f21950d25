"""Change a clinic's tables: checked as a whole, appended as versions, one event each, all of an act or nothing.

Everything that is checked hangs on one participant, so that a save reads and checks that participant's rows alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.db import transaction

from balm.actions.clinic.acting import ClinicActing, clock
from balm.registry.checks import problems_of
from balm.registry.definition import Definition
from balm.registry.registry import Registry
from balm.registry.tables import TABLE_BY_NAME
from balm.store.events.chain import append_event, lock_chain
from balm.store.registry.current import Rows, Standing, definition_of, key_of_row, registry_from, rows_of
from balm.store.registry.models import Entry, Sent
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.table_columns import Table
from balm.vocabulary.table_text import read_cells

#: Characters that no cell holds: PostgreSQL refuses NUL, and U+001F stands between the cells of a key.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
#: The longest text of a cell that a page takes.
MOST = 2000
#: Statuses of a session move only along this table.
MOVES = {"planned": {"running", "cancelled"}, "running": {"signed", "cancelled"}, "signed": set(), "cancelled": set()}


@dataclass(frozen=True, slots=True)
class Change:
    """A row to add, or cells to change in the row with the same key."""

    table: str
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Slice:
    """One participant's rows, read under the clinic's lock: what an act decides on."""

    participant: str
    definition: Definition
    rows: Rows
    registry: Registry

    def fresh(self, table: str, stem: str) -> str:
        """An id that no row of the table has: ``stem`` and the next number."""
        taken = set(self.rows[table])
        number = len(taken) + 1
        while f"{stem}{number}" in taken:
            number += 1
        return f"{stem}{number}"


def again(acting: ClinicActing, submission: str) -> bool:
    """Whether this form was sent before; the first time it is noted. Call it under the clinic's lock."""
    if not re.fullmatch(r"[A-Za-z0-9-]{8,64}", submission):
        raise InputError("the form carries no number of its own; load the page again")
    if Sent.objects.filter(clinic=acting.clinic, code=acting.code, submission=submission).exists():
        return True
    Sent.objects.create(clinic=acting.clinic, code=acting.code, submission=submission)
    return False


def slice_of(acting: ClinicActing, participant: str) -> Slice:
    """The participant's rows, with the clinic's chain locked: acts on one clinic follow one another."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("open a transaction first")
    lock_chain(acting.clinic.key)
    definition = definition_of(acting.clinic)
    rows = rows_of(acting.clinic, participant=participant)
    return Slice(participant, definition, rows, registry_from(definition, rows))


def opened(acting: ClinicActing, act: str, participant: str, submission: str) -> Slice | None:
    """How an act on a participant begins: allowed, under the clinic's lock, with their rows as they stand; ``None`` for
    a form that was sent before."""
    acting.check(act)
    before = slice_of(acting, participant)
    return None if again(acting, submission) else before


def write(
    acting: ClinicActing, before: Slice, changes: Iterable[Change], *, action: str, reason: str = "",
    amending: bool = False,
) -> None:  # fmt: skip
    """Check the changes together and append them; on any problem nothing is saved."""
    rows: Rows = {name: dict(found) for name, found in before.rows.items()}
    problems: list[Problem] = []
    made: list[tuple[Table, str, Standing | None, dict[str, str]]] = []
    for change in changes:
        table = TABLE_BY_NAME[change.table]
        given = _cleaned(change.cells, table, problems)
        key = key_of_row(table, given)
        old = rows[change.table].get(key)
        cells = {**(old.cells if old else {}), **given}
        cells = {name: text for name, text in cells.items() if text}
        _, wrong = read_cells(cells, table, row=0)
        problems += wrong
        problems += _allowed(before, change.table, cells, old, reason, amending)
        made.append((table, key, old, cells))
        rows[change.table][key] = Standing(cells, old.version + 1 if old else 1, acting.code)
    if not problems:
        known = {(p.file, p.row, p.column, p.reason) for p in problems_of(before.registry)}
        today = clock(before.definition).date()
        after = registry_from(before.definition, rows)
        problems = [p for p in problems_of(after, today=today) if (p.file, p.row, p.column, p.reason) not in known]
    if problems:
        raise InputError(dict.fromkeys(replace(p, file="", row=None, line=None) for p in problems))
    for table, key, old, cells in made:
        if old is not None and old.cells == cells:
            continue
        version = old.version + 1 if old else 1
        Entry.objects.create(
            clinic=acting.clinic, table=table.attribute, key=key, version=version, participant=before.participant,
            cells=cells, code=acting.code, reason=reason,
        )  # fmt: skip
        append_event(
            acting.clinic.key, acting.actor, action, table.attribute, key.replace("\x1f", " "),
            before=dict(old.cells) if old else None, after=cells, reason=reason, entity_version=version,
        )  # fmt: skip


def _cleaned(cells: Mapping[str, str], table: Table, problems: list[Problem]) -> dict[str, str]:
    names = {c.name for c in table.columns}
    found = {}
    for name, text in cells.items():
        text = text.strip()
        if name not in names:
            problems.append(Problem("is no column of this table", column=name))
        elif _CONTROL.search(text):
            problems.append(Problem("holds a character that no text holds", column=name))
        elif len(text) > MOST:
            problems.append(Problem(f"holds {len(text):,} characters; at most {MOST:,} are kept", column=name))
        else:
            found[name] = text
    return found


def _allowed(
    before: Slice, name: str, cells: Mapping[str, str], old: Standing | None, reason: str, amending: bool
) -> list[Problem]:
    """Why a row may not be written now: a signed session is locked, a filled cell changes with a reason only."""
    session = before.rows["sessions"].get(cells.get("session", ""))
    if name == "sessions" and old is not None:
        was, now = old.cells["status"], cells["status"]
        if was != now and now not in MOVES[was]:
            return [Problem(f"a session that is {was} cannot become {now}", column="status")]
    if session is not None and session.cells["status"] in ("signed", "cancelled") and not amending:
        said = f"session {cells['session']} is {session.cells['status']} and locked"
        return [Problem(f"{said}; a later change is an amendment with a reason", column="session")]
    changed = old is not None and any(cells.get(n) != text for n, text in old.cells.items() if n != "status")
    if changed and not reason.strip():
        return [Problem("a change of what was recorded needs a reason", column="reason")]
    return []
