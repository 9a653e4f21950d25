"""Records in full: the row of ``records.csv`` and, beside it, what the raw export says more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from operator import itemgetter
from typing import Any

from balm.review.deduplication.canonical import FIELDS, record_of
from balm.store.records.models import RecordDetail
from balm.store.records.unique import RECORDS
from balm.store.reviews.models import Review, Row
from balm.vocabulary.record import Record

#: Not kept beside a row: what the row itself says, and decisions made elsewhere, which are nobody's votes here.
_LEFT_OUT = {"id", "decision", "votes", *FIELDS}
_KEPT = tuple(f.name for f in fields(Record) if f.name not in _LEFT_OUT)
#: What PostgreSQL refuses in a text.
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_TUPLES = {f.name for f in fields(Record) if str(f.type).startswith("tuple")}


def keep_details(review: Review, ids: Sequence[str], records: Iterable[Record]) -> None:
    """Keep what the raw export says of each record; ``ids`` are those of their rows, in the same order."""
    rows = (
        RecordDetail(review=review, record=name, values=_cleaned(record))
        for name, record in zip(ids, records, strict=True)
    )
    RecordDetail.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)


def in_full(cells: Mapping[str, str], values: Mapping[str, Any] | None) -> Record:
    """A record from its row and what is kept beside it; what the row says counts."""
    told = {name: _frozen(value) if name in _TUPLES else value for name, value in (values or {}).items()}
    return replace(record_of(cells), **told)


def full_records(review: Review, ids: Iterable[str] | None = None) -> dict[str, Record]:
    """Records by id, all of them or some, in the order of their rows."""
    rows = Row.objects.filter(review=review, table=RECORDS).order_by()
    details = RecordDetail.objects.filter(review=review)
    if ids is not None:  # some in an order would be found by walking through all in that order
        wanted = list(ids)
        rows, details = rows.filter(key__in=wanted), details.filter(record__in=wanted)
    values = dict(details.values_list("record", "values").iterator(chunk_size=5000))
    cells = sorted(rows.values_list("position", "cells").iterator(chunk_size=5000), key=itemgetter(0))
    return {one["record"]: in_full(one, values.get(one["record"])) for _, one in cells}


def without_details(review: Review, search: str) -> list[str]:
    """The ids of a search's records, in order, where nothing is kept beside any of them yet."""
    rows = Row.objects.filter(review=review, table=RECORDS, cells__search=search).order_by("position")
    ids = list(rows.values_list("key", flat=True))
    known = bool(ids) and RecordDetail.objects.filter(review=review, record=ids[0]).exists()
    return [] if known else ids


def _cleaned(record: Record) -> dict[str, Any]:
    return {name: _plain(value) for name in _KEPT if (value := getattr(record, name))}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _NO_TEXT.sub("", value)
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value
