"""How the retrieval of reports stands in a review: what is sought, what was obtained, what could not be had."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from balm.review.full_texts.retrieval import NOT_RETRIEVED
from balm.store.full_texts.models import Attempt, Paper
from balm.store.records.unique import still_there, unique_records
from balm.store.reviews.models import Review, Row, StoredFile
from balm.store.screening.standing import forward

FOLDER = "full-texts/"
REPORTS = "reports.csv"


def path_of(report: str) -> str:
    """Where the PDF of a report stands in the package. Ids hold no slash: they are read by the format first."""
    return f"{FOLDER}{report}.pdf"


@dataclass(frozen=True, slots=True)
class Report:
    """A report to retrieve: what is known of it. ``status`` is empty while nobody has looked for it."""

    id: str
    title: str
    source: str = ""
    doi: str = ""
    pmid: str = ""
    status: str = ""
    note: str = ""
    on: str = ""
    paper: bool = False


def ids_sought(review: Review) -> list[str]:
    """Ids of the reports to retrieve: the unique records that went forward, then what else ``reports.csv`` keeps."""
    went = forward(review)
    there = still_there(review, went)
    kept = Row.objects.filter(review=review, table=REPORTS).order_by("position").values_list("key", flat=True)
    return list(dict.fromkeys([*(record for record in went if record in there), *kept]))


def reports_of(review: Review, ids: Iterable[str]) -> list[Report]:
    """What is known of the reports with these ids, in their order; an id that nothing stands for is left out."""
    wanted = list(ids)
    last = {a.report: a for a in Attempt.objects.filter(review=review, report__in=wanted).order_by("pk")}
    paths = {path_of(report): report for report in wanted}
    papers = set(StoredFile.objects.filter(review=review, path__in=paths).values_list("path", flat=True))
    kept = Row.objects.filter(review=review, table=REPORTS, key__in=wanted).order_by().values_list("key", "cells")
    cells = dict(kept)
    values = dict(unique_records(review).filter(record__in=wanted).values_list("record", "values"))
    out = []
    for report in wanted:
        value, row, attempt = values.get(report), cells.get(report), last.get(report)
        if value is None and row is None:
            continue
        value, row = value or {}, row or {}
        authors = value.get("authors") or []
        by = f"{authors[0]} et al." if len(authors) > 1 else "".join(authors)
        parts = (by, value.get("journal"), str(value.get("year") or ""))
        out.append(
            Report(
                report,
                value.get("title") or row.get("citation") or report,
                ". ".join(p.rstrip(".") for p in parts if p) or row.get("kind", ""),
                row.get("doi") or value.get("doi") or "",
                row.get("pmid") or value.get("pmid") or "",
                attempt.status if attempt else "",
                attempt.note if attempt else "",
                attempt.on if attempt else "",
                path_of(report) in papers,
            )
        )
    return out


def not_retrieved(review: Review) -> set[str]:
    """Ids of the reports that were sought and could not be had."""
    last = dict(Attempt.objects.filter(review=review).order_by("pk").values_list("report", "status"))
    return {report for report, status in last.items() if status == NOT_RETRIEVED}


def paper_of(review: Review, report: str) -> Paper | None:
    """The last paper that came for a report, with the text of its pages."""
    return Paper.objects.filter(review=review, report=report).order_by("-pk").first()
