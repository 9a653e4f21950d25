"""The package as everybody in the review may see it while others work: without what is hidden from somebody.

Votes, extractions and assessments reach the package's tables once they are revealed. What is left out here is how far
somebody has read: a batch of screening is dealt out when the first reader has finished the one before.
"""

from __future__ import annotations

from balm.actions.team.screening import BATCHES
from balm.review.schema import Table
from balm.store.reviews.models import KeptTable, Review, Row
from balm.store.reviews.package_rows import package_files, table_bytes
from balm.store.screening.standing import dealt_ahead


def shown_files(review: Review) -> dict[str, bytes]:
    """Every file of the package, by its path; without ``batches.csv`` while nothing of it may be seen."""
    files, ahead = package_files(review), set(dealt_ahead(review))
    if ahead:
        kept = KeptTable.objects.get(review=review, table=BATCHES.file)
        if set(Row.objects.filter(review=review, table=BATCHES.file).values_list("key", flat=True)) - ahead:
            files[BATCHES.file] = table_bytes(review, kept, without=ahead)
        else:
            del files[BATCHES.file]
    return files


def shown_rows(review: Review, table: Table, *, start: int = 0, size: int = 0) -> tuple[int, list[dict[str, str]]]:
    """How many rows of a table may be seen, and the cells of ``size`` of them from number ``start``."""
    rows = Row.objects.filter(review=review, table=table.file).order_by("position")
    if table is not BATCHES or not (ahead := set(dealt_ahead(review))):
        return rows.count(), list(rows.values_list("cells", flat=True)[start : start + size]) if size else []
    shown = [cells for key, cells in rows.values_list("key", "cells") if key not in ahead]
    return len(shown), shown[start : start + size]
