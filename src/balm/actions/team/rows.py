"""Change the package's tables: every change is one event, with the row before and after and the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import transaction

from balm.actions.team.acting import Acting
from balm.review.schema import TABLE_BY_FILE
from balm.review.tables import read_cells
from balm.store.events.chain import append_event, lock_chain
from balm.store.reviews.models import KeptTable, Row
from balm.store.reviews.package_rows import add_rows, row_key, with_columns
from balm.vocabulary.problems import InputError, Problem


@transaction.atomic
def put_row(
    acting: Acting, file: str, cells: Mapping[str, str], *, reason: str = "", version: int | None = None
) -> Row:
    """Add a row to ``file``, or change the one with the same key; cells that the format refuses change nothing.

    ``cells`` holds the whole row. A change after the first save needs a ``reason``. ``version`` is the version the
    person saw: where somebody has changed the row since, nothing is overwritten and the error says so.
    """
    table = TABLE_BY_FILE[file]
    given = {name: value.strip() for name, value in cells.items() if value and value.strip()}
    _, problems = read_cells(given, table, row=0)
    unknown = [name for name in given if name not in {c.name for c in table.columns}]
    problems += [Problem("is no column of this table", file=file, column=name) for name in unknown]
    if problems:
        raise InputError(problems)
    lock_chain(acting.review.key)
    key = row_key(table, given)
    row = Row.objects.filter(review=acting.review, table=file, key=key).first()
    if row is None:
        add_rows(acting.review, table, [given])
        row = Row.objects.get(review=acting.review, table=file, key=key)
        append_event(acting.review.key, acting.actor, "add row", file, key, after=given, reason=reason)
        return row
    if version is not None and version != row.version:
        raise InputError(
            Problem(f"was changed by somebody else (version {row.version}, you saw {version}); look again", file=file)
        )
    if row.cells == given:
        return row
    if not reason.strip():
        raise InputError(Problem("a change needs a reason", file=file, column="reason"))
    before, row.cells, row.version = row.cells, given, row.version + 1
    row.save(update_fields=["cells", "version"])
    kept = KeptTable.objects.get(review=acting.review, table=file)
    widened = with_columns(table, kept.columns, given)
    if widened != kept.columns:
        kept.columns = widened
        kept.save(update_fields=["columns"])
    append_event(
        acting.review.key, acting.actor, "change row", file, key,
        before=before, after=given, reason=reason, entity_version=row.version,
    )  # fmt: skip
    return row


@transaction.atomic
def append_rows(acting: Acting, file: str, rows: Iterable[Mapping[str, str]], *, reason: str = "") -> int:
    """Append many new rows at once, as one event that holds each of them; the cells have been read by their reader."""
    given = [{name: value for name, value in cells.items() if value} for cells in rows]
    lock_chain(acting.review.key)
    count = add_rows(acting.review, TABLE_BY_FILE[file], given)
    if count:
        append_event(acting.review.key, acting.actor, "add rows", file, f"{count} rows", after=given, reason=reason)
    return count
