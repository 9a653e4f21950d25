"""The package as everybody in the review may see it while others work: without what is hidden from somebody.

Votes, extractions and assessments reach the package's tables once they are revealed. What is left out here is how far
somebody has read: a batch of screening is dealt out when the first reader has finished the one before.
"""

from __future__ import annotations

from balm.actions.team.screening import BATCHES
from balm.review.schema import Table
from balm.store.reviews.models import KeptTable, Review, Row
from balm.store.reviews.package_rows import csv_bytes, package_files
from balm.store.screening.standing import dealt_openly


def shown_files(review: Review) -> dict[str, bytes]:
    """Every file of the package, by its path; without ``batches.csv`` while nothing of it may be seen."""
    shown = dealt_openly(review)
    if shown is None:
        return package_files(review)
    files = package_files(review, but=BATCHES.file)
    if shown:
        kept = KeptTable.objects.get(review=review, table=BATCHES.file)
        files[BATCHES.file] = csv_bytes(kept, shown)
    return dict(sorted(files.items()))


def shown_rows(review: Review, table: Table, *, start: int = 0, size: int = 0) -> tuple[int, list[dict[str, str]]]:
    """How many rows of a table may be seen, and the cells of ``size`` of them from number ``start``."""
    rows = Row.objects.filter(review=review, table=table.file).order_by("position")
    shown = dealt_openly(review) if table is BATCHES else None
    if shown is None:
        return rows.count(), list(rows.values_list("cells", flat=True)[start : start + size]) if size else []
    return len(shown), shown[start : start + size]
