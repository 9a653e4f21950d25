"""The records of a review, one a report: kept beside the package's rows and made again when those have changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from balm.review.deduplication.canonical import FIELDS, CanonicalRecord, canonical
from balm.store.records.models import Derived, UniqueRecord, Withdrawal
from balm.store.reviews.models import Review, Row
from balm.vocabulary.evidence import DuplicateDecision

RECORDS, DUPLICATES, SEARCHES = "records.csv", "duplicates.csv", "searches.csv"


#: Reviews whose decisions a server process keeps in memory; more are read again.
REMEMBERED = 8
#: Review key -> (withdrawals, position of the last row, decisions): rows are only added, or taken out by a withdrawal.
_read: dict[str, tuple[int, int, tuple[DuplicateDecision, ...]]] = {}


def decisions_of(review: Review) -> tuple[DuplicateDecision, ...]:
    """The rows of ``duplicates.csv``, oldest first; what was read before is not read again."""
    withdrawn = Withdrawal.objects.filter(review=review).count()
    known = _read.get(review.key)
    upto, before = known[1:] if known and known[0] == withdrawn else (-1, ())
    new = Row.objects.filter(review=review, table=DUPLICATES, position__gt=upto).order_by("position")
    rows = list(new.values_list("position", "cells"))
    if not rows:
        return before
    decisions = (*before, *(decision_of(cells) for _, cells in rows))
    if not connection.in_atomic_block:  # within a transaction, what is read may never come to stand
        while len(_read) >= REMEMBERED:
            _read.pop(next(iter(_read)), None)
        _read[review.key] = (withdrawn, rows[-1][0], decisions)
    return decisions


def decision_of(cells: Mapping[str, str]) -> DuplicateDecision:
    """A row of ``duplicates.csv`` from its cells."""
    return DuplicateDecision(
        cells["record_1"], cells["record_2"], cells["decision"],
        cells.get("rule") or None, cells.get("person") or None, cells.get("time") or None,
    )  # fmt: skip


def cells_of(review: Review, file: str) -> Iterator[dict[str, str]]:
    """The cells of every row of a table, in order."""
    rows = Row.objects.filter(review=review, table=file).order_by("position")
    yield from rows.values_list("cells", flat=True).iterator(chunk_size=5000)


def unique_records(review: Review) -> Any:
    """The query set of the unique records, current when this returns; it costs two look-ups when nothing changed.

    What is to be written is worked out before anything is locked: at 20,000 records that takes seconds. Of several who
    come at once, one writes.
    """
    if _made_to(review) != rows_to(review):
        planned = _planned(review)
        with transaction.atomic():
            state, _ = Derived.objects.select_for_update().get_or_create(review=review)
            if (state.records_to, state.duplicates_to) != rows_to(review):
                _write(review, state, planned if planned.of == _standing(review) else _planned(review))
    return UniqueRecord.objects.filter(review=review)


def still_there(review: Review, records: Iterable[str]) -> set[str]:
    """Those of ``records`` that are unique records now, and not set aside as duplicates or taken back since."""
    return set(unique_records(review).filter(record__in=list(records)).values_list("record", flat=True))


def refresh(review: Review) -> None:
    """Make the unique records follow the rows; only what differs is written. Call it in a transaction."""
    state, _ = Derived.objects.select_for_update().get_or_create(review=review)
    _write(review, state, _planned(review))


@dataclass(frozen=True, slots=True)
class _Planned:
    """What makes the unique records follow the rows: those to go, by row number, and those to come."""

    of: tuple[object, ...]  # what it was worked out from
    gone: list[int]
    new: list[UniqueRecord]


def _standing(review: Review) -> tuple[object, ...]:
    return rows_to(review), _made_to(review), Withdrawal.objects.filter(review=review).count()


def _planned(review: Review) -> _Planned:
    of = _standing(review)
    given = Row.objects.filter(review=review, table=RECORDS).order_by("position").values_list("position", "cells")
    rows = list(given.iterator(chunk_size=5000))
    place = {cells["record"]: position for position, cells in rows}
    wanted = {c.id: _row(review, place[c.id], c) for c in canonical((c for _, c in rows), decisions_of(review))}
    gone: list[int] = []
    for row in UniqueRecord.objects.filter(review=review).iterator(chunk_size=5000):
        if row.record in wanted and all(getattr(row, f) == getattr(wanted[row.record], f) for f in _COMPARED):
            del wanted[row.record]
        else:
            gone.append(row.pk)
    return _Planned(of, gone, list(wanted.values()))


def _write(review: Review, state: Derived, planned: _Planned) -> None:
    for start in range(0, len(planned.gone), 500):
        UniqueRecord.objects.filter(review=review, pk__in=planned.gone[start : start + 500]).delete()
    UniqueRecord.objects.bulk_create(planned.new, batch_size=500)
    state.records_to, state.duplicates_to = rows_to(review)
    state.save(update_fields=["records_to", "duplicates_to"])


def refresh_reports(review: Review, records: Iterable[str], decisions: Sequence[DuplicateDecision]) -> None:
    """Make the unique records follow ``decisions`` where only the reports of ``records`` can have changed.

    Call it in a transaction, after the decisions were appended; ``records`` are those of the reports before and after.
    """
    ids = list(dict.fromkeys(records))
    state, _ = Derived.objects.select_for_update().get_or_create(review=review)
    if state.records_to < 0:
        refresh(review)
        return
    rows = Row.objects.filter(review=review, table=RECORDS, key__in=ids).order_by()  # in order, all would be read
    given = sorted(rows, key=lambda row: row.position)
    place = {row.key: row.position for row in given}
    named = set(ids)
    made = canonical(
        (row.cells for row in given), (d for d in decisions if d.record_1 in named and d.record_2 in named)
    )
    UniqueRecord.objects.filter(review=review, record__in=ids).delete()
    UniqueRecord.objects.bulk_create([_row(review, place[c.id], c) for c in made], batch_size=500)
    state.duplicates_to = rows_to(review)[1]
    state.save(update_fields=["duplicates_to"])


_COMPARED = ("position", "merged", "ids", "searches", "values", "provenance")


def _row(review: Review, position: int, one: CanonicalRecord) -> UniqueRecord:
    values: dict[str, Any] = {name: getattr(one, name) for name in FIELDS}
    values["authors"] = list(one.authors)
    words = " ".join(filter(None, (one.title, *one.authors, one.doi, one.pmid, *one.ids))).lower()
    return UniqueRecord(
        review=review, record=one.id, position=position, words=words,
        merged=len(one.ids) > 1, ids=list(one.ids), searches=list(one.searches),
        values=values, provenance={name: list(ids) for name, ids in one.provenance.items()},
    )  # fmt: skip


def rows_to(review: Review) -> tuple[int, int]:
    """The position of the last row of each table, -1 where it has none: rows are only ever added behind."""
    last = dict(
        Row.objects.filter(review=review, table__in=(RECORDS, DUPLICATES))
        .order_by()
        .values_list("table")
        .annotate(last=Max("position"))
    )
    return last.get(RECORDS, -1), last.get(DUPLICATES, -1)


def _made_to(review: Review) -> tuple[int, int]:
    state = Derived.objects.filter(review=review).first()
    return (state.records_to, state.duplicates_to) if state else (-1, -1)


def value_of(row: UniqueRecord) -> CanonicalRecord:
    """A row of the table as the value that other stages work with."""
    values = dict(row.values)
    values["authors"] = tuple(values.get("authors") or ())
    provenance = {name: tuple(ids) for name, ids in row.provenance.items()}
    return CanonicalRecord(row.record, tuple(row.ids), tuple(row.searches), **values, provenance=provenance)
