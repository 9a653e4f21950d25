"""Which reports belong to which studies, as the package says it, and what speaks for linking the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from balm.review.deduplication.decided import SAME_STUDY, in_force
from balm.review.deduplication.standing_rows import kept_by
from balm.review.full_texts.linking import Candidate, trial_numbers
from balm.store.full_texts.models import Linking
from balm.store.records.unique import decisions_of, still_there, unique_records
from balm.store.reviews.models import Review, Row
from balm.store.screening.standing import forward
from balm.vocabulary.table_text import ids_in

REPORTS, STUDIES = "reports.csv", "studies.csv"


def included_ids(review: Review) -> list[str]:
    """Reports to link: the unique records included at full text (revealed outcomes only), then kept reports."""
    went = forward(review, "full-text")
    there = still_there(review, went)
    kept = Row.objects.filter(review=review, table=REPORTS).order_by("position").values_list("key", flat=True)
    return list(dict.fromkeys([*(record for record in went if record in there), *kept]))


def row_of(review: Review, file: str, key: str) -> dict[str, str] | None:
    """The cells of one row, or ``None``."""
    cells: dict[str, str] | None = (
        Row.objects.filter(review=review, table=file, key=key).values_list("cells", flat=True).first()
    )
    return cells


def studies_in(cells: Mapping[str, str]) -> list[str]:
    """The studies that a row of ``reports.csv`` names."""
    return list(ids_in(cells.get("studies", "")))


def candidates(review: Review, reports: list[str]) -> list[Candidate]:
    """The reports as far as they tell of their studies; what only ``reports.csv`` keeps tells its citation."""
    values = dict(unique_records(review).filter(record__in=reports).values_list("record", "values"))
    rows = dict(
        Row.objects.filter(review=review, table=REPORTS, key__in=reports).order_by().values_list("key", "cells")
    )
    return [_candidate(one, values.get(one) or {}, rows.get(one) or {}) for one in reports]


def _candidate(report: str, value: Mapping[str, Any], row: Mapping[str, str]) -> Candidate:
    told = (value.get("title"), value.get("abstract"), row.get("citation"), row.get("url"), row.get("notes"))
    return Candidate(
        report, tuple(value.get("authors") or ()), value.get("year"),
        trial_numbers(" ".join(text for text in told if text)),
    )  # fmt: skip


def said_one_study(review: Review) -> set[frozenset[str]]:
    """Pairs of reports that people called two reports of one study when they looked for duplicates."""
    decisions = decisions_of(review)
    kept = kept_by(decisions)
    return {
        frozenset(kept.get(record, record) for record in (d.record_1, d.record_2))
        for d in in_force(decisions).values()
        if d.rule == SAME_STUDY
    }


def last_step(review: Review) -> Linking | None:
    """The latest step that can be taken back."""
    undone = Linking.objects.filter(review=review, undoes__isnull=False).values("undoes")
    steps = Linking.objects.filter(review=review, undoes__isnull=True).exclude(number__in=undone)
    return steps.order_by("-number").first()
