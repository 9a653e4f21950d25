"""The pages of screening: what stands open, the reading page, one's own decisions, agreement."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef
from django.db.models.fields.json import KT
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from balm.actions.team.acting import Acting, Refused
from balm.actions.team.screening import cast_vote, close_stage, open_stage, screeners_of
from balm.actions.team.screening_progress import judged
from balm.review.members.roles import REVIEWER
from balm.review.screening.outcomes import DECISIONS, STAGES, WITHDRAWN
from balm.store.records.models import UniqueRecord
from balm.store.records.unique import unique_records
from balm.store.screening.models import Vote
from balm.store.screening.standing import opening_of, plan_of, reasons_of, unsettled
from balm.vocabulary.problems import InputError, Problem
from balm.web.entry import in_review
from balm.web.reviews.progress import screening_part
from balm.web.screening.ahead import deal_soon, seated
from balm.web.screening.forms import OpeningForm, VoteForm
from balm.web.screening.shown import KEYS, TITLES, legend, shown_sitting

A_PAGE = 50


def new_submission() -> str:
    """An id for one decision, made with the form that sends it."""
    return secrets.token_hex(16)


@require_safe
@in_review("view")
def overview(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Both stages: who screens, one's own progress, and for the lead the form that opens and closes."""
    return _overview(request, acting)


def _overview(
    request: HttpRequest, acting: Acting, sent: tuple[str, OpeningForm] | None = None, problems: Any = ()
) -> HttpResponse:
    """The page; after a refusal with the form of a stage as it was ``sent``."""
    people = [(m.code, m.name) for m in screeners_of(acting.review)] if acting.may("set up") else []
    reviewers = [m.code for m in screeners_of(acting.review) if m.role == REVIEWER]
    stages = []
    for stage in STAGES:
        opening = opening_of(acting.review, stage)
        given: dict[str, Any] = {"screeners": reviewers}
        if opening:
            given = {"screeners": opening.screeners, "experts": opening.experts, "size": opening.size}
        form = OpeningForm(people=people, initial=given, prefix=stage) if people else None
        refused = sent is not None and sent[0] == stage
        stages.append(
            {
                "stage": stage,
                "title": TITLES[stage],
                "opening": opening,
                "mine": opening is not None and acting.member.code in opening.screeners,
                "own": screening_part(acting, stage),
                "conflicts": len(unsettled(acting.review, stage)),
                "form": sent[1] if sent is not None and refused else form,
                "refused": refused,
            }
        )
    found = {
        "stages": stages, "problems": problems, "records": unique_records(acting.review).exists(),
        "may_import": acting.may("import"), "reviewers": plan_of(acting.review).screening.reviewers,
        "alone": acting.may("invite") and len(people) < plan_of(acting.review).screening.reviewers,
    }  # fmt: skip
    return _page(request, acting, "overview", found, status=422 if sent is not None else 200)


@require_safe
@in_review("screen")
def read(request: HttpRequest, acting: Acting, stage: str) -> HttpResponse:
    """The next record to decide on; the script shows the others of the batch without asking again."""
    plan = plan_of(acting.review)
    data = shown_sitting(acting.review, stage, seated(acting, stage), plan)
    records = data["records"]
    first = next((r for r in records if r["vote"] is None), None)
    return _page(
        request, acting, "read",
        {
            "stage": stage, "title": TITLES[stage], "sitting": data, "record": first,
            "place": records.index(first) + 1 if first else 0, "done": sum(r["vote"] is not None for r in records),
            "criteria": plan.eligibility, "legend": legend(plan), "keys": KEYS, "submission": new_submission(),
            "reasons": reasons_of(plan) if stage == "full-text" else (), "kept": acting.review.key,
        },
    )  # fmt: skip


@require_safe
@in_review("screen")
def following(request: HttpRequest, acting: Acting, stage: str) -> HttpResponse:
    """The batch behind number ``after``, for the script: fetched before the last record of this one is decided."""
    given = request.GET.get("after", "0")
    if not given.isascii() or not given.isdecimal() or len(given) > 9:
        raise InputError(Problem("must be the number of a batch", column="after", value=given))
    sat = seated(acting, stage, after=int(given))
    return JsonResponse(shown_sitting(acting.review, stage, sat, plan_of(acting.review)))


@require_POST
@in_review("screen")
def vote(request: HttpRequest, acting: Acting, stage: str) -> HttpResponse:
    """Count a vote. The page's script gets JSON, so that it can tell *counted* from *refused* and *not arrived*."""
    script = "application/json" in request.headers.get("Accept", "")
    form = VoteForm(request.POST)
    try:
        if not form.is_valid():
            raise InputError([Problem(errors[0], column=name) for name, errors in form.errors.items()])
        cast = cast_vote(acting, stage=stage, **form.vote())  # type: ignore[arg-type]
    except (InputError, Refused) as problem:
        if script:
            return JsonResponse({"problem": str(problem)}, status=422)
        raise
    if script:
        return JsonResponse({"counted": cast.vote.submission})
    if cast.vote.decision == WITHDRAWN:
        messages.info(request, f"Your vote on {cast.vote.record} is taken back; the record is in your queue again.")
    return redirect("screening_read", slug=acting.review.slug, stage=stage)


@require_safe
@in_review("screen")
def mine(request: HttpRequest, acting: Acting, stage: str) -> HttpResponse:
    """One's own decisions, latest first; words find them by title, author or id, a decision by its name."""
    q, decision = request.GET.get("q", "").strip()[:200], request.GET.get("decision", "")
    later = Vote.objects.filter(
        review=acting.review, stage=stage, record=OuterRef("record"), member=acting.member, turn__gt=OuterRef("turn")
    )
    votes = Vote.objects.filter(~Exists(later), member=acting.member, stage=stage).order_by("-pk")
    if decision:
        votes = votes.filter(decision=decision)
    for word in q.lower().split():
        found = UniqueRecord.objects.filter(review=acting.review, words__contains=word).values("record")
        votes = votes.filter(record__in=found)
    page = Paginator(votes, A_PAGE).get_page(request.GET.get("page"))
    titles = dict(
        UniqueRecord.objects.filter(review=acting.review, record__in=[v.record for v in page]).values_list(
            "record", KT("values__title")
        )
    )
    rows = [(v, titles.get(v.record) or v.record) for v in page]
    return _page(
        request, acting, "mine",
        {"stage": stage, "title": TITLES[stage], "page": page, "rows": rows, "q": q, "decision": decision,
         "decisions": (*DECISIONS, WITHDRAWN)},
    )  # fmt: skip


@require_POST
@in_review("set up")
def opened(request: HttpRequest, acting: Acting, stage: str) -> HttpResponse:
    """Open a stage, or change who screens in it."""
    people = [(m.code, m.name) for m in screeners_of(acting.review)]
    form = OpeningForm(request.POST, people=people, prefix=stage)
    try:
        if not form.is_valid():
            raise InputError([Problem(f"{form[name].label}: {errors[0]}") for name, errors in form.errors.items()])
        open_stage(acting, stage, **form.cleaned_data)
    except InputError as error:
        return _overview(request, acting, (stage, form), error.problems)
    deal_soon(acting, stage)
    messages.success(request, f"{TITLES[stage]}: open for {', '.join(form.cleaned_data['screeners'])}.")
    return redirect("screening", slug=acting.review.slug)


@require_POST
@in_review("set up")
def closed(request: HttpRequest, acting: Acting, stage: str) -> HttpResponse:
    """Close a stage."""
    close_stage(acting, stage, reason=request.POST.get("reason", "")[:2000])
    messages.success(request, f"{TITLES[stage]}: closed. You can open it again at any time.")
    return redirect("screening", slug=acting.review.slug)


@require_safe
@in_review("view")
def agreement(request: HttpRequest, acting: Acting, stage: str) -> HttpResponse:
    """Agreement of each pair, the stopping test and the share read by two: of what is revealed."""
    found = judged(acting.review, stage)
    progress = found.progress
    return _page(
        request, acting, "agreement",
        {
            "stage": stage, "title": TITLES[stage], "progress": progress,
            "pairs": found.pairs, "test": found.test,
            "share": None if progress.share_by_two is None else f"{100 * progress.share_by_two:.1f}",
        },
    )  # fmt: skip


def _page(request: HttpRequest, acting: Acting, name: str, values: dict[str, Any], status: int = 200) -> HttpResponse:
    return render(
        request,
        f"screening/{name}.html",
        {"acting": acting, "review": acting.review, "here": name, "reads": acting.may("screen"), **values},
        status=status,
    )
