"""Reports to studies: what is not linked yet with its likely study first, the studies as they are, and steps back."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from balm.actions.team.acting import Acting
from balm.actions.team.study_linking import KINDS, link, undo, unlink
from balm.actions.team.study_scope import SCOPE_WORDS, change_scope
from balm.review.full_texts.linking import proposals, study_label
from balm.store.full_texts.linking import (
    REPORTS,
    STUDIES,
    candidates,
    included_ids,
    last_step,
    said_one_study,
    studies_in,
)
from balm.store.full_texts.standing import reports_of
from balm.store.reviews.models import Review, Row
from balm.vocabulary.problems import InputError
from balm.web.entry import in_review

PER_PAGE = 25
#: Kinds of document that report no study of their own.
OF_NO_STUDY = ("review", "guideline", "text")


@require_safe
@in_review("view")
def studies(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The page."""
    return _page(request, acting)


def _page(request: HttpRequest, acting: Acting, problems: Any = ()) -> HttpResponse:
    """The page; after a refusal with what was sent for a report still in its form."""
    review = acting.review
    ids = included_ids(review)
    rows, kept = _cells(review, REPORTS), _cells(review, STUDIES)
    linked = {report: studies_in(rows.get(report, {})) for report in ids}
    waiting = [r for r in ids if not linked[r] and rows.get(r, {}).get("kind", "") not in OF_NO_STUDY]
    page = Paginator(waiting, PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "acting": acting, "review": review, "here": "studies", "page": page, "waiting": len(waiting),
        "to_link": _to_link(review, ids, list(page), linked, kept), "problems": problems, "kinds": KINDS,
        "all_studies": [(s, cells.get("label", s)) for s, cells in kept.items()],
        "studies": _as_they_are(review, linked, kept), "scopes": SCOPE_WORDS, "may": acting.may("full texts"),
        "may_place": acting.may("adjudicate"), "last": last_step(review), "sent": request.POST,
        "submission": secrets.token_hex(16),
    }  # fmt: skip
    for one in context["to_link"] if problems else ():
        if one["report"].id == request.POST.get("report"):
            one |= {"sent": request.POST, "label": request.POST.get("label", "")}
    return render(request, "full_texts/studies.html", context, status=422 if problems else 200)


def _cells(review: Review, file: str) -> dict[str, dict[str, str]]:
    return dict(Row.objects.filter(review=review, table=file).order_by("position").values_list("key", "cells"))


def _to_link(
    review: Review, ids: list[str], shown: list[str], linked: dict[str, list[str]], kept: dict[str, dict[str, str]]
) -> list[dict[str, Any]]:
    """The reports on the page, each with the studies it may be of and why, and the reports it may go with."""
    every = {c.report: c for c in candidates(review, ids)}
    why = proposals(list(every.values()), said_one_study(review)) if shown else {}
    labels = [cells.get("label", "") for cells in kept.values()]
    out = []
    for report in reports_of(review, shown):
        likely: dict[str, str] = {}
        beside: list[tuple[str, str]] = []
        for other, reasons in sorted(why[report.id].items(), key=lambda item: -len(item[1])):
            told = f"{', '.join(reasons)}, as {other}"
            for study in linked[other]:
                likely.setdefault(study, told)
            if not linked[other]:
                beside.append((other, ", ".join(reasons)))
        one = every[report.id]
        out.append(
            {
                "report": report, "beside": beside, "trials": one.trials,
                "likely": [(s, kept.get(s, {}).get("label", s), told) for s, told in likely.items()],
                "label": study_label(one.authors, one.year, labels) if one.authors else "",
            }
        )  # fmt: skip
    return out


def _as_they_are(review: Review, linked: dict[str, list[str]], kept: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    versions = dict(Row.objects.filter(review=review, table=STUDIES).values_list("key", "version"))
    of: dict[str, list[str]] = {study: [] for study in kept}
    for report, names in linked.items():
        for study in names:
            of.setdefault(study, []).append(report)
    return [
        {
            "study": study, "cells": cells, "reports": reports, "version": versions.get(study),
            "place": SCOPE_WORDS.get(cells.get("scope", ""), ""),
        }
        for study, reports in of.items()
        for cells in (kept.get(study, {}),)
    ]  # fmt: skip


@require_POST
@in_review("full texts")
def link_report(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Link a report to a study, or begin one with it."""
    sent = request.POST
    try:
        step = link(
            acting, sent.get("report", ""), sent.get("study", ""), kind=sent.get("kind", ""),
            label=sent.get("label", ""), primary=sent.get("primary") == "yes", submission=sent.get("submission", ""),
        )  # fmt: skip
    except InputError as error:
        return _page(request, acting, error.problems)
    messages.success(request, f"{step.report} is linked to {step.study}.")
    return redirect("study_linking", slug=acting.review.slug)


@require_POST
@in_review("full texts")
def split_report(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Take a report out of a study."""
    sent = request.POST
    step = unlink(acting, sent.get("report", ""), sent.get("study", ""), submission=sent.get("submission", ""))
    messages.success(request, f"{step.report} is taken out of {step.study}.")
    return redirect("study_linking", slug=acting.review.slug)


@require_POST
@in_review("full texts")
def undo_step(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Take a step back."""
    number = request.POST.get("number", "")
    if not (number.isascii() and number.isdecimal() and len(number) < 9):
        raise InputError(f"number must be the number of a step; got {number!r}")
    step = undo(acting, int(number), submission=request.POST.get("submission", ""))
    messages.success(request, f"Taken back: {step.report} and {step.study} stand as before.")
    return redirect("study_linking", slug=acting.review.slug)


@require_POST
@in_review("adjudicate")
def place_study(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Give a study another place in the review."""
    sent = request.POST
    seen = sent.get("version", "")
    try:
        row = change_scope(
            acting, sent.get("study", "")[:500], sent.get("scope", ""), reason=sent.get("reason", "")[:2000],
            version=int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 9 else None,
        )  # fmt: skip
    except InputError as error:
        return _page(request, acting, error.problems)
    messages.success(request, f"{row.cells['label']}: {SCOPE_WORDS[row.cells['scope']]}.")
    return redirect("study_linking", slug=acting.review.slug)
