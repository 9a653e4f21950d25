"""Follow-up: the due list, a visit held by the clinic, and the patient's own form behind a one-time link."""

from __future__ import annotations

import hashlib
from typing import Any

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from balm.actions.clinic.acting import ClinicActing
from balm.actions.clinic.acting import today as day_of
from balm.actions.clinic.follow_up import (
    LINK_DAYS,
    answer_link,
    due_and_overdue,
    hold_visit,
    instruments_asked,
    link_for,
    make_link,
)
from balm.actions.clinic.participants import participant_of_row
from balm.store.registry.current import definition_of, registry_of
from balm.vocabulary.problems import InputError
from balm.web.accounts.sign_in import client_ip
from balm.web.entry import anyone
from balm.web.registry.entry import answers_of, given, in_clinic, page, submission_of
from balm.web.registry.fields import fields_of, questions

CONTACT = ("date", "reached", "events_asked", "mode", "reason")
#: Requests to links from one address in ten minutes; a waiting room shares an address.
MOST_TRIES, SECONDS = 60, 600


@require_GET
@in_clinic("clinic view")
def due(request: HttpRequest, acting: ClinicActing) -> HttpResponse:
    """What is overdue, what is due, and whom to call back."""
    overdue, now, back = due_and_overdue(acting.clinic)
    day = day_of(definition_of(acting.clinic))
    context = {"overdue": [(w, (day - w.due.day).days) for w in overdue], "due": now, "back": back, "day": day}
    return page(request, acting, "due", context)


@require_http_methods(["GET", "POST"])
@in_clinic("clinic follow up")
def visit(request: HttpRequest, acting: ClinicActing, course: str, visit: str) -> HttpResponse:
    """A follow-up held by somebody of the clinic, in the room or by telephone."""
    definition, found = _visit(acting, course, visit)
    problems: Any = ()
    if request.method == "POST":
        try:
            hold_visit(
                acting, course, visit, contact=given(request, CONTACT), answers=answers_of(request),
                reason=request.POST.get("why", ""), submission=submission_of(request),
            )  # fmt: skip
        except InputError as error:
            problems = error.problems
        else:
            return redirect("clinic_course", clinic=acting.clinic.slug, course=course)
    registry = registry_of(acting.clinic, participant=participant_of_row(acting, "courses", course))
    known = {(a.instrument, a.item): f"{a.value:g}" for a in registry.assessments_of.get(course, ())
             if a.visit == visit and a.value is not None}  # fmt: skip
    sent = answers_of(request) if problems else known
    values = {"date": day_of(definition).isoformat(), "reached": "yes", "mode": "telephone"}
    context = {
        "course": course, "visit": found, "problems": problems, "known": known,
        "contact": fields_of("contacts", CONTACT if not found.baseline else ("date", "mode"),
                             values=request.POST if problems else values),
        "questions": questions(instruments_asked(definition, visit), sent),
    }  # fmt: skip
    return page(request, acting, "visit", context, status=422 if problems else 200)


@require_POST
@in_clinic("clinic follow up")
def link(request: HttpRequest, acting: ClinicActing, course: str, visit: str) -> HttpResponse:
    """A link to the patient's own form, shown once."""
    _, found = _visit(acting, course, visit)
    participant = participant_of_row(acting, "courses", course)
    secret = make_link(acting, participant, course, visit)
    address = request.build_absolute_uri(reverse("follow_up", args=[secret]))
    context = {"course": course, "visit": found, "address": address, "days": LINK_DAYS}
    return page(request, acting, "link", context)


@anyone
@require_http_methods(["GET", "POST"])
def own_form(request: HttpRequest, secret: str) -> HttpResponse:
    """The patient's form: questions and nothing of the record. Used, expired and invented links look the same."""
    if _too_often(request):
        return render(request, "429.html", status=429)
    found = link_for(secret[:100])
    if found is None:
        return render(request, "registry/link_gone.html", status=404)
    problems: Any = ()
    if request.method == "POST":
        try:
            saved = answer_link(
                secret, answers_of(request), unwanted=request.POST.get("unwanted", ""),
                request_id=getattr(request, "request_id", ""),
            )  # fmt: skip
        except InputError as error:
            problems = error.problems
        else:
            if not saved:
                return render(request, "registry/link_gone.html", status=404)
            return render(request, "registry/thanks.html", {"clinic": found.clinic})
    context = {
        "clinic": found.clinic,
        "questions": questions(instruments_asked(definition_of(found.clinic), found.visit), answers_of(request)),
        "unwanted": request.POST.get("unwanted", ""),
        "problems": problems,
    }
    return render(request, "registry/own_form.html", context, status=422 if problems else 200)


def _visit(acting: ClinicActing, course: str, visit: str) -> tuple[Any, Any]:
    definition = definition_of(acting.clinic)
    found = definition.visit(visit)
    if found is None or not participant_of_row(acting, "courses", course):
        raise Http404
    return definition, found


def _too_often(request: HttpRequest) -> bool:
    """Whether this address asks for links more often than people do; guesses are stopped long before a hit."""
    where = hashlib.sha256(f"follow-up {client_ip(request)}".encode()).hexdigest()[:32]
    key = f"follow-up-{where}"
    if cache.add(key, 1, SECONDS):
        return False
    try:
        return int(cache.incr(key)) > MOST_TRIES
    except ValueError:  # it expired between the two
        return False
