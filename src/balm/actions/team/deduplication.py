"""Duplicates in a team's review: one record a report for every other stage, and what people say to the questions."""

from __future__ import annotations

from balm.review.deduplication.canonical import CanonicalRecord
from balm.store.records.models import UniqueRecord
from balm.store.records.unique import unique_records, value_of
from balm.store.reviews.models import Review


def canonical_records(review: Review) -> list[CanonicalRecord]:
    """Every record of the review, one a report, in the order they came: what is screened.

    Its ``id`` stays as it is when a later import brings another record of the same report. At 20,000 records this takes
    some tenths of a second; ask :func:`canonical_ids` or :func:`canonical_record` where a page needs less.
    """
    return [value_of(row) for row in unique_records(review).order_by("position").iterator(chunk_size=5000)]


def canonical_ids(review: Review) -> list[str]:
    """The ids of :func:`canonical_records`, in their order."""
    return list(unique_records(review).order_by("position").values_list("record", flat=True))


def canonical_record(review: Review, record: str) -> CanonicalRecord | None:
    """One of :func:`canonical_records` by its id, or ``None``."""
    row: UniqueRecord | None = unique_records(review).filter(record=record).first()
    return value_of(row) if row else None
