"""Reports of a clinic: the audit, and the audit beside the evidence of a review."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from balm.actions.clinic.acting import ClinicActing
from balm.actions.clinic.reports import audit_of, reviews_beside, shown_today
from balm.report.registry.audit_page import audit_page
from balm.report.registry.audit_words import held_back_words
from balm.vocabulary.problems import InputError
from balm.web.registry.entry import in_clinic, page
from balm.web.report.views import with_bar
from balm.web.serve import content_security_policy


@require_GET
@in_clinic("clinic report")
def choose(request: HttpRequest, acting: ClinicActing) -> HttpResponse:
    """The main numbers of today, and what to see whole: a period, and a review to set beside it."""
    values = shown_today(acting.clinic)
    first = next(r for r in values["responders"] if r["primary"])
    context = {
        "values": values,
        "first": first,
        "held": held_back_words(values),
        "reviews": reviews_beside(request.user),
    }
    return page(request, acting, "reports", context)


@require_GET
@in_clinic("clinic report")
def report(request: HttpRequest, acting: ClinicActing) -> HttpResponse:
    """The audit report as a page of its own, to print or to keep."""
    asked = request.GET
    review: Any = None
    if slug := asked.get("review", ""):
        review = next((r for r in reviews_beside(request.user) if r.slug == slug), None)
        if review is None:
            raise InputError("there is no such review for you")
    found, evidence = audit_of(acting, since=asked.get("since", ""), until=asked.get("until", ""), review=review)
    links = [(reverse("clinic_reports", args=[acting.clinic.slug]), "Back to the clinic")]
    text = with_bar(audit_page(found, evidence), "Audit report, live from the registry", links)
    response = HttpResponse(text)
    response.headers["Content-Security-Policy"] = content_security_policy(text)
    response.headers["Cache-Control"] = "private, no-store"
    return response
