"""Possible duplicates one pair at a time, the merged records, and what persons decided; each can be taken back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from balm.actions.team.acting import Acting
from balm.actions.team.deduplication import (
    answer_question,
    last_answer,
    looked_at_all,
    questions,
    take_out,
    undo_answer,
)
from balm.actions.team.records import unique_in_full
from balm.review.deduplication.decided import NOT_DUPLICATE, SAME_STUDY, in_force
from balm.review.deduplication.side_by_side import side_by_side
from balm.store.records.details import full_records
from balm.store.records.models import Derived
from balm.store.records.unique import decisions_of, unique_records, value_of
from balm.web.entry import in_review
from balm.web.records.background import go_on, under_way

PER_PAGE = 50


@require_GET
@in_review("deduplicate")
def question(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The likeliest open question, its two reports side by side."""
    return _page(request, acting)


def _page(request: HttpRequest, acting: Acting) -> HttpResponse:
    review = acting.review
    waiting = questions(review)
    names = [f"{q.record_1}~{q.record_2}" for q in waiting]
    skipped = request.GET.get("after", "")
    place = names.index(skipped) + 1 if skipped in names else 0
    asked = waiting[place % len(waiting)] if waiting else None
    context: dict[str, Any] = {
        "acting": acting, "review": review, "here": "questions", "waiting": len(waiting), "asked": asked,
        "last": last_answer(acting), "looked": looked_at_all(review), "busy": under_way(review) or _looking(acting),
        "any": unique_records(review).exists(),
    }  # fmt: skip
    if asked is not None:
        one, two = _report(acting, asked.record_1), _report(acting, asked.record_2)
        context |= {
            "rows": side_by_side(one[0], two[0]), "left": one, "right": two,
            "name": f"{asked.record_1}~{asked.record_2}",
        }  # fmt: skip
    return render(request, "deduplication/question.html" + ("#question" if request.htmx else ""), context)  # type: ignore[attr-defined]


def _report(acting: Acting, record: str) -> tuple[Any, tuple[str, ...], list[str]]:
    row = unique_records(acting.review).filter(record=record).first()
    ids = tuple(row.ids) if row else (record,)
    return unique_in_full(full_records(acting.review, ids), ids)[0], ids, list(row.searches) if row else []


def _looking(acting: Acting) -> bool:
    return Derived.objects.filter(review=acting.review, looking__isnull=False).exists()


@require_POST
@in_review("deduplicate")
def answer(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Take an answer, and show the next question."""
    given = request.POST
    answer_question(acting, given.get("record_1", ""), given.get("record_2", ""), given.get("answer", ""))
    return _page(request, acting) if request.htmx else redirect("deduplication", slug=acting.review.slug)  # type: ignore[attr-defined]


@require_POST
@in_review("deduplicate")
def undo(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Take an answer back."""
    given = request.POST
    done = undo_answer(acting, given.get("record_1", ""), given.get("record_2", ""), given.get("time", ""))
    if request.htmx:  # type: ignore[attr-defined]
        return _page(request, acting)
    messages.success(request, "Taken back; the rules speak again." if done else "That was taken back already.")
    return redirect(
        "duplicate_decisions" if given.get("then") == "decisions" else "deduplication", slug=acting.review.slug
    )


@require_POST
@in_review("deduplicate")
def look(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Look for duplicates among all records now."""
    go_on(acting)
    return redirect("records", slug=acting.review.slug)


@require_GET
@in_review("view")
def groups(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The reports that have several records, merged by rule or by a person."""
    rows = unique_records(acting.review).filter(merged=True).order_by("position")
    words = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    for word in words.lower().split()[:8]:
        rows = rows.filter(words__contains=word)
    pages = Paginator(rows, PER_PAGE)
    page = pages.get_page(request.GET.get("page"))
    ones = [value_of(row) for row in page]
    records = full_records(acting.review, [i for one in ones for i in one.ids])
    why: dict[str, tuple[str, str]] = {}
    for d in decisions_of(acting.review) if ones else ():
        told = (f"by {d.person}" if d.person else d.rule or "by rule", d.time or "")
        for record in (d.record_1, d.record_2):
            if d.decision == "duplicate":
                why.setdefault(record, told)
    context = {
        "acting": acting, "review": acting.review, "here": "groups", "page": page, "q": words, "found": pages.count,
        "groups": [
            (one, [(records[i], why.get(i, ("", ""))[0]) for i in one.ids if i in records]) for one in ones
        ],
        "may": acting.may("deduplicate"),
    }  # fmt: skip
    return render(request, "deduplication/groups.html", context)


@require_POST
@in_review("deduplicate")
def take_record_out(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Take a record out of its group."""
    record = request.POST.get("record", "")
    if take_out(acting, record):
        messages.success(request, f"{record} stands for itself again; every count follows.")
    else:
        messages.info(request, f"{record} stands for itself already.")
    return redirect("duplicate_decisions", slug=acting.review.slug)


@require_GET
@in_review("view")
def decisions(request: HttpRequest, acting: Acting) -> HttpResponse:
    """What persons decided and what stands of it, the latest first."""
    rows = sorted(in_force(decisions_of(acting.review)).values(), key=lambda d: d.time or "", reverse=True)
    pages = Paginator(rows, PER_PAGE)
    page = pages.get_page(request.GET.get("page"))
    records = full_records(acting.review, [i for d in page for i in (d.record_1, d.record_2)])
    shown = [
        {
            "decision": d, "one": records.get(d.record_1), "two": records.get(d.record_2),
            "words": "same study, different report" if d.rule == SAME_STUDY
            else "not duplicates" if d.decision == NOT_DUPLICATE else "one report",
        }
        for d in page
    ]  # fmt: skip
    return render(
        request, "deduplication/decisions.html",
        {
            "acting": acting, "review": acting.review, "here": "decisions", "page": page, "found": pages.count,
            "shown": shown, "may": acting.may("deduplicate"),
        },
    )  # fmt: skip
