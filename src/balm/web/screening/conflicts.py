"""Conflicts: the list (who voted, not how), a record's page with its votes once they are open, discussion, decision."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models.fields.json import KT
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from balm.actions.team.acting import Acting
from balm.actions.team.screening_conflicts import adjudicate, case_of, remark
from balm.review.screening.outcomes import CONFLICT
from balm.review.screening.visibility import may_settle
from balm.store.records.models import UniqueRecord
from balm.store.records.unique import unique_records
from balm.store.screening.models import Adjudication, Vote
from balm.store.screening.standing import in_force, plan_of, reasons_of, unsettled
from balm.vocabulary.problems import InputError, Problem
from balm.web.entry import in_review
from balm.web.screening.forms import DecisionForm
from balm.web.screening.shown import TITLES, legend, shown_records, with_papers
from balm.web.screening.views import new_submission


@require_safe
@in_review("view")
def conflicts(request: HttpRequest, acting: Acting, stage: str) -> HttpResponse:
    """Conflicts that wait, then those that are settled."""
    review = acting.review
    waiting = unsettled(review, stage)
    ruled = {
        a.record: a
        for a in Adjudication.objects.filter(review=review, stage=stage).select_related("member").order_by("turn")
    }
    ids = [r.record for r in waiting] + list(ruled)
    titles = dict(UniqueRecord.objects.filter(review=review, record__in=ids).values_list("record", KT("values__title")))
    votes = in_force(Vote.objects.filter(review=review, stage=stage, record__in=ids).select_related("member"))
    who: dict[str, list[str]] = {}
    for (record_id, _), given in votes.items():
        who.setdefault(record_id, []).append(given.member.code)
    return render(
        request, "screening/conflicts.html",
        {
            **_shared(acting, stage),
            "waiting": [(r.record, titles.get(r.record) or r.record, sorted(who.get(r.record, []))) for r in waiting],
            "settled": [(r, titles.get(r) or r, a) for r, a in ruled.items()],
        },
    )  # fmt: skip


@require_safe
@in_review("view")
def record(request: HttpRequest, acting: Acting, stage: str, record: str) -> HttpResponse:
    """One record at one stage: one's own vote always, everybody's once they are open."""
    return _record_page(request, acting, stage, record)


def _record_page(
    request: HttpRequest, acting: Acting, stage: str, record: str, *, error: InputError | None = None, form: str = ""
) -> HttpResponse:
    """The page; after an error with what was sent by ``form`` (``settle`` or ``remark``) still in it."""
    review = acting.review
    if not unique_records(review).filter(record=record).exists():
        if error is not None:
            raise error
        raise Http404
    case = case_of(review, stage, record)
    own = in_force(Vote.objects.filter(member=acting.member, stage=stage, record=record)).get(
        (record, acting.member.pk)
    )
    plan = plan_of(review)
    shown = shown_records(review, [record], plan, {})
    if stage == "full-text":
        with_papers(review, shown)
    values: dict[str, Any] = {
            **_shared(acting, stage),
        "record": shown[0], "own": own, "case": case, "legend": legend(plan),
        "criteria": plan.eligibility, "reasons": reasons_of(plan) if stage == "full-text" else (),
        "submission": new_submission(), "submission_2": new_submission(),
        "problems": error.problems if error else (), "typed": {form: request.POST.get("note", "")},
    }  # fmt: skip
    if case is not None and case.reveal.outcome == CONFLICT:
        values |= {
            "conflict": True,
            "voter": acting.member.code in case.voters,
            "may_settle": acting.may("adjudicate") and not may_settle(acting.member.code, case.voters),
            "turn": len(case.adjudications) + 1,
        }
    return render(request, "screening/record.html", values, status=422 if error else 200)


@require_POST
@in_review("adjudicate")
def settle(request: HttpRequest, acting: Acting, stage: str, record: str) -> HttpResponse:
    """Settle a conflict as arbiter; then the next one that waits."""
    try:
        given = _given(request)
        made = adjudicate(
            acting, stage=stage, record=record, decision=given["decision"], reason=given["reason"], note=given["note"],
            submission=given["submission"], turn=given["turn"] or 1,
        )  # fmt: skip
    except InputError as error:
        return _record_page(request, acting, stage, record, error=error, form="settle")
    messages.success(request, f"{record} is settled: {made.decision}.")
    return redirect("screening_conflicts", slug=acting.review.slug, stage=stage)


@require_POST
@in_review("discuss")
def say(request: HttpRequest, acting: Acting, stage: str, record: str) -> HttpResponse:
    """Say something about a conflict, or propose how to settle it."""
    try:
        given = _given(request)
        remark(
            acting, stage=stage, record=record, text=given["note"], decision=given["decision"], reason=given["reason"],
            submission=given["submission"],
        )  # fmt: skip
    except InputError as error:
        return _record_page(request, acting, stage, record, error=error, form="remark")
    return redirect("screening_record", slug=acting.review.slug, stage=stage, record=record)


def _given(request: HttpRequest) -> dict[str, Any]:
    form = DecisionForm(request.POST)
    if not form.is_valid():
        raise InputError([Problem(errors[0], column=name) for name, errors in form.errors.items()])
    given = dict(form.cleaned_data)
    if given["decision"].startswith("exclude:"):  # the button of a reason
        given["decision"], _, given["reason"] = given["decision"].partition(":")
    return given


def _shared(acting: Acting, stage: str) -> dict[str, Any]:
    return {
        "acting": acting,
        "review": acting.review,
        "stage": stage,
        "title": TITLES[stage],
        "here": "conflicts",
        "reads": acting.may("screen"),
        "discusses": acting.may("discuss"),
    }
