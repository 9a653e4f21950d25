"""Full texts for programs: what is sought, attempts, PDFs, and which report belongs to which study."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any, Literal

from django.http import Http404, HttpRequest, HttpResponse
from ninja import File, Form, Query, Schema, UploadedFile
from pydantic import Field

from balm.actions.team.full_texts import keep_paper, note_attempt
from balm.actions.team.pdf_pages import MAX_FILE
from balm.actions.team.study_linking import link, undo, unlink
from balm.actions.team.study_scope import change_scope
from balm.store.full_texts.models import Attempt, Linking
from balm.store.full_texts.standing import Report, ids_sought, paper_of, path_of, reports_of
from balm.store.reviews.models import Review, StoredFile
from balm.vocabulary.problems import InputError
from balm.web.api.interface import PDF, entered, router
from balm.web.api.reading import WRONG, Paging
from balm.web.api.submissions import Body, Done, Submission, Why

Id = Field(..., min_length=1, max_length=500)


class ReportOut(Schema):
    """A report to retrieve; ``status`` is empty while nobody has looked for it, ``paper``: its PDF is there."""

    id: str
    title: str
    source: str
    doi: str
    pmid: str
    status: str
    note: str
    on: str
    paper: bool


class Reports(Schema):
    """One page of reports."""

    total: int
    page: int
    size: int
    rows: list[ReportOut]


class AttemptOut(Schema):
    """One attempt at getting a report."""

    status: str
    on: str
    note: str
    by: str
    at: datetime


class OneReport(ReportOut):
    """A report with its attempts, and the pages of its PDF."""

    attempts: list[AttemptOut]
    pages: int | None
    sha256: str


class AttemptIn(Body):
    """What came of looking for a report on a day; *not retrieved* needs a note."""

    status: Literal["sought", "obtained", "not retrieved"]
    on: str = Field(..., max_length=10, description="YYYY-MM-DD", json_schema_extra={"format": "date"})
    note: str = Field("", max_length=1000)
    submission: str = Submission


class PaperIn(Body):
    """About an uploaded PDF; a ``reason`` is needed where another one is there."""

    reason: str = Field("", max_length=2000)
    submission: str = Submission


class LinkIn(Body):
    """A report and its study; without a study, one is begun with ``label`` or with surname and year."""

    report: str = Id
    study: str = Field("", max_length=500)
    kind: str = Field("trial report", max_length=100)
    label: str = Field("", max_length=300)
    primary: bool = False
    submission: str = Submission


class SplitIn(Body):
    """A report that leaves a study."""

    report: str = Id
    study: str = Id
    submission: str = Submission


class UndoIn(Body):
    """The number of a step to take back."""

    number: int = Field(..., ge=1, le=1_000_000_000)
    submission: str = Submission


class PlaceIn(Body):
    """Another place for a study, and why."""

    study: str = Id
    scope: Literal["included", "sensitivity", "single-arm", "excluded", "ongoing", "awaiting"]
    reason: str = Why


class StepOut(Schema):
    """A step of linking: ``number`` takes it back."""

    number: int
    act: str
    report: str
    study: str


@router.get("/reviews/{slug}/full-texts", response={200: Reports, **WRONG}, summary="Reports to retrieve")
def full_texts(request: HttpRequest, slug: str, paging: Query[Paging]) -> Any:
    """Reports that went forward from titles and abstracts, and those the review keeps besides."""
    review = entered(request, slug, "view").review
    ids = ids_sought(review)
    start = (paging.page - 1) * paging.size
    rows = [dataclasses.asdict(one) for one in reports_of(review, ids[start : start + paging.size])]
    return {"total": len(ids), "page": paging.page, "size": paging.size, "rows": rows}


@router.get("/reviews/{slug}/full-texts/{report}", response={200: OneReport, **WRONG}, summary="One report")
def full_text(request: HttpRequest, slug: str, report: str) -> Any:
    """A report with every attempt at getting it, the last one first."""
    review = entered(request, slug, "view").review
    one = _sought(review, report)
    attempts = Attempt.objects.filter(review=review, report=report).select_related("member").order_by("-pk")
    paper = paper_of(review, report) if one.paper else None
    return dataclasses.asdict(one) | {
        "attempts": [
            {"status": a.status, "on": a.on, "note": a.note, "by": a.member.code, "at": a.at} for a in attempts
        ],
        "pages": paper.pages if paper else None, "sha256": paper.sha256 if paper else "",
    }  # fmt: skip


@router.get(
    "/reviews/{slug}/full-texts/{report}/paper", response={200: None, **WRONG}, summary="The PDF of a report",
    openapi_extra=PDF,
)  # fmt: skip
def paper(request: HttpRequest, slug: str, report: str) -> HttpResponse:
    """The file itself."""
    review = entered(request, slug, "view").review
    stored = StoredFile.objects.filter(review=review, path=path_of(report)).first()
    if stored is None:
        raise Http404
    return HttpResponse(
        bytes(stored.content), content_type="application/pdf", headers={"X-Content-Type-Options": "nosniff"}
    )


@router.post("/reviews/{slug}/full-texts/{report}/attempts", response={200: Done, **WRONG}, summary="Note an attempt")
def attempt(request: HttpRequest, slug: str, report: str, given: AttemptIn) -> Any:
    """Keep what came of looking for a report; the last attempt is its status."""
    acting = entered(request, slug, "full texts")
    kept = note_attempt(acting, report, status=given.status, on=given.on, note=given.note, submission=given.submission)
    return {"done": kept.status}


@router.post("/reviews/{slug}/full-texts/{report}/paper", response={200: Done, **WRONG}, summary="Bring a PDF")
def bring_paper(request: HttpRequest, slug: str, report: str, about: Form[PaperIn], paper: File[UploadedFile]) -> Any:
    """Keep the PDF of a report and read its pages; the report is obtained with it."""
    acting = entered(request, slug, "full texts")
    if (paper.size or 0) > MAX_FILE:
        raise InputError(f"the file is larger than {MAX_FILE // 1024**2} MB")
    kept = keep_paper(acting, report, paper.name or "", paper.read(), reason=about.reason, submission=about.submission)
    return {"done": f"kept, {kept.pages} pages"}


@router.post("/reviews/{slug}/studies/links", response={200: StepOut, **WRONG}, summary="Link a report to a study")
def link_report(request: HttpRequest, slug: str, given: LinkIn) -> Any:
    """Make a report one of a study, or begin a study with it."""
    return _step(link(entered(request, slug, "full texts"), **given.model_dump()))


@router.post("/reviews/{slug}/studies/splits", response={200: StepOut, **WRONG}, summary="Take a report out of a study")
def split_report(request: HttpRequest, slug: str, given: SplitIn) -> Any:
    """Take a report out of a study; a study left without reports and data goes."""
    return _step(unlink(entered(request, slug, "full texts"), given.report, given.study, submission=given.submission))


@router.post("/reviews/{slug}/studies/undo", response={200: StepOut, **WRONG}, summary="Take a step of linking back")
def undo_step(request: HttpRequest, slug: str, given: UndoIn) -> Any:
    """Every row that the step wrote stands as before, where nobody has changed it since."""
    return _step(undo(entered(request, slug, "full texts"), given.number, submission=given.submission))


@router.post("/reviews/{slug}/studies/places", response={200: Done, **WRONG}, summary="Place a study")
def place_study(request: HttpRequest, slug: str, given: PlaceIn) -> Any:
    """Give a study another place in the review: a retracted one is excluded. Its data stay."""
    row = change_scope(entered(request, slug, "adjudicate"), given.study, given.scope, reason=given.reason)
    return {"done": row.cells["scope"]}


def _step(made: Linking) -> dict[str, Any]:
    return {"number": made.number, "act": made.act, "report": made.report, "study": made.study}


def _sought(review: Review, report: str) -> Report:
    found = reports_of(review, [report]) if report in ids_sought(review) else []
    if not found:
        raise Http404
    return found[0]
