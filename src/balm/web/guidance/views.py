"""Guidance of a review: for its members, and for anybody where its report is public. A question is an address."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET

from balm.actions.guidance import Guidance
from balm.actions.guidance_answer import curves_for, figure_for, plain_answer
from balm.actions.team.acting import Acting, acting_in
from balm.actions.team.calculations import Calculation, keep_calculation
from balm.actions.team.guidance import current_guidance
from balm.actions.team.synthesis import current_synthesis
from balm.plots.figure import Figure
from balm.report.guidance.page import answer_html, guidance_page
from balm.store.reviews.models import Review
from balm.vocabulary.problems import InputError
from balm.web.guidance.form import address_of, asked, given, menus
from balm.web.serve import content_security_policy


@require_GET
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The form and the answer. What cannot be asked says why above the form, and no answer is shown."""
    found = _review(request, slug)
    if isinstance(found, HttpResponse):
        return found
    review, acting = found
    now = given(request.GET)
    context: dict[str, Any] = {"review": review, "acting": acting, "now": now, "query": address_of(now)}
    status = 200
    try:
        guidance = current_guidance(review)
    except InputError as error:
        if acting is None:  # which cell is wrong is the team's to read, not everybody's
            return render(request, "report/not_now.html", {"review_title": review.title}, status=503)
        return render(request, "guidance/page.html", context | {"problems": error.problems}, status=422)
    if guidance is not None:
        context |= {"therapy": guidance.therapy, "menus": menus(guidance, now)}
        try:
            answer, figure, kept = _answer(review, acting, guidance, now)
            # The template of the answer escapes every text of the package itself.
            context |= {"answer": mark_safe(answer_html(answer, figure)), "kept": kept}
        except InputError as error:
            context["problems"] = error.problems
            status = 422
    return render(request, "guidance/page.html", context, status=status)


page.act = "view"  # type: ignore[attr-defined]


@require_GET
def printable(request: HttpRequest, slug: str) -> HttpResponse:
    """The answer as one page that needs nothing else, every basis opened, to print or to keep."""
    found = _whole(request, slug)
    if isinstance(found, HttpResponse):
        return found
    answer, figure, kept = found
    text = guidance_page(answer, figure, kept=_kept_words(kept) if kept else "")
    response = HttpResponse(text)
    response.headers["Content-Security-Policy"] = content_security_policy(text)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


printable.act = "view"  # type: ignore[attr-defined]


@require_GET
def answer_json(request: HttpRequest, slug: str) -> HttpResponse:
    """The answer as ``balm guide --json`` prints it."""
    found = _whole(request, slug)
    if isinstance(found, HttpResponse):
        return found
    response = JsonResponse(found[0])
    response.headers["Cache-Control"] = "private, no-cache"
    return response


answer_json.act = "view"  # type: ignore[attr-defined]


def _whole(request: HttpRequest, slug: str) -> tuple[dict[str, Any], Figure | None, Calculation | None] | HttpResponse:
    found = _review(request, slug)
    if isinstance(found, HttpResponse):
        return found
    review, acting = found
    try:
        guidance = current_guidance(review)
    except InputError as error:
        if acting is None:
            return render(request, "report/not_now.html", {"review_title": review.title}, status=503)
        return _refused(request, review, acting, error)
    if guidance is None:
        raise Http404
    try:
        return _answer(review, acting, guidance, given(request.GET))
    except InputError as error:
        return _refused(request, review, acting, error)


def _refused(request: HttpRequest, review: Review, acting: Acting | None, error: InputError) -> HttpResponse:
    context = {"review": review, "acting": acting, "problems": error.problems}
    return render(request, "guidance/page.html", context, status=422)


def _answer(
    review: Review, acting: Acting | None, guidance: Guidance, now: dict[str, Any]
) -> tuple[dict[str, Any], Figure | None, Calculation | None]:
    """The answer; what was computed for a member is kept. Of a reader of a public report nothing is."""
    guided = asked(guidance, current_synthesis(review), now)
    curves = curves_for(guided)
    kept = keep_calculation(acting, guided) if acting is not None else None
    return plain_answer(guided, curves), figure_for(guided, curves), kept


def _kept_words(kept: Calculation) -> str:
    return (
        f"Calculation {kept.short}, kept {kept.at:%Y-%m-%d %H:%M} UTC for {kept.by}: {kept.count} computed doses and "
        "limits with their inputs, rules, arithmetic and versions."
    )


def _review(request: HttpRequest, slug: str) -> tuple[Review, Acting | None] | HttpResponse:
    """The review for a member, or for anybody where its report is public; others learn no more than of no review."""
    acting = acting_in(slug, request.user)
    if acting is not None:
        acting.check("view")
        request.acting = acting  # type: ignore[attr-defined]
        return acting.review, acting
    review = Review.objects.filter(slug=slug, public=True).first()
    if review is not None:
        return review, None
    if request.user.is_authenticated:
        raise Http404
    return redirect_to_login(request.get_full_path())
