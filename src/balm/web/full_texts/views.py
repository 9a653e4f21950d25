"""The reports to retrieve, and one report: its attempts, its PDF to read, quotes found in it."""

from __future__ import annotations

import secrets
from collections import Counter
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from balm.actions.team.acting import Acting
from balm.actions.team.full_texts import keep_paper, note_attempt, report_sought
from balm.actions.team.pdf_pages import MAX_FILE
from balm.review.full_texts.quotes import SHORTEST, find_quote
from balm.review.full_texts.retrieval import NOTE, STATUSES
from balm.store.full_texts.models import Attempt
from balm.store.full_texts.standing import Report, ids_sought, paper_of, path_of, reports_of
from balm.store.reviews.models import StoredFile
from balm.vocabulary.problems import InputError, Problem
from balm.web.entry import in_review
from balm.web.security import accepts_body

PER_PAGE = 50
#: What the page calls a report that nobody has looked for.
NOT_BEGUN = "not begun"
#: A PDF that is read in the page runs nothing and loads nothing; only our own pages may frame it. The browser's viewer
#: does not start in a sandbox, so that the sandbox is for the download alone.
READ_POLICY = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
DOWNLOAD_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"


@require_safe
@in_review("view")
def reports(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Every report to retrieve, with its status."""
    every = reports_of(acting.review, ids_sought(acting.review))
    counts = Counter(r.status or NOT_BEGUN for r in every)
    chosen = request.GET.get("status", "")
    words = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    shown = [r for r in every if chosen in ("", r.status or NOT_BEGUN) and _holds(r, words)]
    page = Paginator(shown, PER_PAGE).get_page(request.GET.get("page"))
    context = _base(acting) | {
        "here": "reports", "page": page, "found": len(shown), "all": len(every), "q": words, "chosen": chosen,
        "counts": [(status, counts[status]) for status in (NOT_BEGUN, *STATUSES)],
        "papers": sum(r.paper for r in every),
    }  # fmt: skip
    return render(request, "full_texts/reports.html", context)


def _holds(report: Report, words: str) -> bool:
    text = f"{report.id} {report.title} {report.source} {report.doi} {report.pmid}".lower()
    return all(word in text for word in words.lower().split())


@require_safe
@in_review("view")
def report(request: HttpRequest, acting: Acting, report: str) -> HttpResponse:
    """One report."""
    return _page(request, acting, report)


def _page(
    request: HttpRequest, acting: Acting, name: str, *, problems: tuple[Problem, ...] = (), typed: Any = None
) -> HttpResponse:
    one = _report_or_404(acting, name)
    quote = request.GET.get("quote", "").replace("\x00", "").strip()[:1000]
    paper = paper_of(acting.review, name) if one.paper else None
    attempts = Attempt.objects.filter(review=acting.review, report=name).select_related("member").order_by("-pk")
    context = _base(acting) | {
        "report": one, "paper": paper, "attempts": attempts, "statuses": STATUSES, "problems": problems,
        "typed": typed or {}, "today": timezone.now().date().isoformat(), "submission": secrets.token_hex(16),
        "may": acting.may("full texts"), "screens": acting.may("screen"), "most": MAX_FILE // 1024**2, "longest": NOTE,
        "quote": quote, "shortest": SHORTEST, "found": find_quote(paper.texts, quote) if paper and quote else [],
        "silent": paper is not None and not any(paper.texts), "at": _page_number(request.GET.get("page", ""), paper),
    }  # fmt: skip
    return render(request, "full_texts/report.html", context, status=422 if problems else 200)


def _page_number(given: str, paper: Any) -> int:
    return int(given) if given.isdecimal() and paper and 1 <= int(given[:6]) <= paper.pages else 0


@require_POST
@in_review("full texts")
def attempt(request: HttpRequest, acting: Acting, report: str) -> HttpResponse:
    """Keep an attempt at getting the report."""
    _report_or_404(acting, report)
    sent = request.POST
    try:
        kept = note_attempt(
            acting, report, status=sent.get("status", ""), on=sent.get("on", ""), note=sent.get("note", ""),
            submission=sent.get("submission", ""),
        )  # fmt: skip
    except InputError as wrong:
        return _page(request, acting, report, problems=wrong.problems, typed=sent)
    messages.success(request, f"Noted: {kept.status}.")
    return redirect("full_text", slug=acting.review.slug, report=report)


@accepts_body(MAX_FILE)
@require_POST
@in_review("full texts")
def upload(request: HttpRequest, acting: Acting, report: str) -> HttpResponse:
    """Take the PDF of the report."""
    _report_or_404(acting, report)
    sent = request.FILES.get("paper")
    try:
        if sent is None:
            raise InputError(Problem("choose the PDF of the report", column="paper"))
        if (sent.size or 0) > MAX_FILE:
            raise InputError(
                f"the file holds {sent.size / 1024**2:,.0f} MB; at most {MAX_FILE // 1024**2} MB are taken"
            )
        paper = keep_paper(
            acting, report, sent.name or "", sent.read(), reason=request.POST.get("reason", ""),
            submission=request.POST.get("submission", ""),
        )  # fmt: skip
    except InputError as wrong:
        return _page(request, acting, report, problems=wrong.problems, typed=request.POST)
    messages.success(request, f"Kept: {paper.name}, {paper.pages} page{'' if paper.pages == 1 else 's'}.")
    return redirect("full_text", slug=acting.review.slug, report=report)


@require_safe
@in_review("view")
def paper(request: HttpRequest, acting: Acting, report: str) -> HttpResponse:
    """The PDF of the report: for the browser's viewer, or with ``?download=1`` as a file."""
    stored = StoredFile.objects.filter(review=acting.review, path=path_of(report)).first()
    if stored is None:
        raise Http404
    download = request.GET.get("download") == "1"
    response = HttpResponse(bytes(stored.content), content_type="application/pdf")
    name = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in report)
    response["Content-Disposition"] = f'{"attachment" if download else "inline"}; filename="{name}.pdf"'
    response["Content-Security-Policy"] = DOWNLOAD_POLICY if download else READ_POLICY
    response["X-Frame-Options"] = "DENY" if download else "SAMEORIGIN"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _base(acting: Acting) -> dict[str, Any]:
    return {"acting": acting, "review": acting.review}


def _report_or_404(acting: Acting, name: str) -> Report:
    found = report_sought(acting.review, name)
    if found is None:
        raise Http404
    return found
