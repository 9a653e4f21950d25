"""A course of treatment: its sessions, its follow-up, what happened, and what else was taken."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from balm.actions.clinic.acting import ClinicActing
from balm.actions.clinic.acting import today as day_of
from balm.actions.clinic.participants import participant_of_row
from balm.actions.clinic.participants import record as record_row
from balm.actions.clinic.sessions import enter_past_session, plan_session
from balm.registry.schedule import due_list
from balm.store.registry.current import registry_of
from balm.vocabulary.problems import InputError
from balm.web.registry.entry import given, in_clinic, page, submission_of
from balm.web.registry.fields import fields_of

SESSION = ("kind", "start", "weight_kg", "notes")
#: Of a session that was held and not recorded then, and of its infusion.
PAST = ("kind", "start", "end", "weight_kg", "events_asked", "notes")
PAST_INFUSION = ("form", "dose", "dose_unit", "rate", "rate_unit")
#: Table -> the columns of its form on the page of a course.
FORMS = {
    "adverse_events": ("term", "onset", "resolved", "severity", "serious", "causality", "action", "outcome"),
    "medications": ("drug", "kind", "start", "stop", "dose", "dose_unit", "morphine_mg_day"),
    "stops": ("date", "reason", "detail"),
}
TITLES = {
    "adverse_events": "Record an adverse event",
    "medications": "Record another drug",
    "stops": "Stop the treatment for good",
}


@require_GET
@in_clinic("clinic view")
def one(request: HttpRequest, acting: ClinicActing, course: str) -> HttpResponse:
    """A course."""
    return _one(request, acting, course)


@require_POST
@in_clinic("clinic record")
def session(request: HttpRequest, acting: ClinicActing, course: str) -> HttpResponse:
    """Plan a session, or begin one now."""
    participant = _participant(acting, course)
    begin = request.POST.get("begin") == "now"
    cells = given(request, SESSION)
    if begin:
        cells.pop("start", None)
    try:
        made = plan_session(acting, participant, course, cells=cells, begin=begin, submission=submission_of(request))
    except InputError as error:
        return _one(request, acting, course, problems=error.problems, status=422)
    if begin:
        return redirect("clinic_session", clinic=acting.clinic.slug, session=made)
    return redirect("clinic_course", clinic=acting.clinic.slug, course=course)


@require_POST
@in_clinic("clinic sign")
def past(request: HttpRequest, acting: ClinicActing, course: str) -> HttpResponse:
    """A session that was held before today, signed as entered late."""
    participant = _participant(acting, course)
    try:
        enter_past_session(
            acting, participant, course, cells=given(request, PAST), infusion=given(request, PAST_INFUSION),
            reason=request.POST.get("why", ""), submission=submission_of(request),
        )  # fmt: skip
    except InputError as error:
        return _one(request, acting, course, problems=error.problems, status=422)
    return redirect("clinic_course", clinic=acting.clinic.slug, course=course)


@require_POST
@in_clinic("clinic record")
def record(request: HttpRequest, acting: ClinicActing, course: str, table: str) -> HttpResponse:
    """A row of one of the tables of a course."""
    participant = _participant(acting, course)
    if table not in FORMS:
        raise Http404
    cells = {**given(request, FORMS[table]), "course": course}
    reason = request.POST.get("why", "")
    try:
        record_row(acting, participant, table, cells, submission=submission_of(request), reason=reason)
    except InputError as error:
        return _one(request, acting, course, problems=error.problems, status=422)
    return redirect("clinic_course", clinic=acting.clinic.slug, course=course)


def _participant(acting: ClinicActing, course: str) -> str:
    found = participant_of_row(acting, "courses", course)
    if not found:
        raise Http404
    return found


def _one(
    request: HttpRequest, acting: ClinicActing, course: str, *, problems: Any = (), status: int = 200
) -> HttpResponse:
    registry = registry_of(acting.clinic, participant=_participant(acting, course))
    sent = dict(request.POST.items()) if status != 200 else {}
    day = day_of(registry.definition)
    labels = {v.id: v for v in registry.definition.visits}
    schedule = [(d, labels[d.visit]) for d in due_list(registry, day) if d.course == course]
    shown = registry.course_of[course]
    context = {
        "course": shown,
        "protocol": next((p for p in registry.definition.protocols if p.id == shown.protocol), None),
        "sessions": [s for s in registry.sessions if s.course == course],
        "baseline": registry.definition.baseline,
        "answers": [(a, labels[a.visit]) for a in registry.assessments_of.get(course, ())],
        "contacts": [(c, labels[c.visit]) for c in registry.contacts_of.get(course, ())],
        "schedule": schedule,
        "events": [e for e in registry.adverse_events if e.course == course],
        "medications": [m for m in registry.medications if m.course == course],
        "stop": registry.stop_of.get(course),
        "session_fields": fields_of("sessions", SESSION, values=sent, optional=("start",)),
        "past_fields": fields_of("sessions", PAST, values=sent, required=("start", "end", "weight_kg", "events_asked")),
        "past_infusion": fields_of("segments", PAST_INFUSION, values=sent, optional=PAST_INFUSION),
        "may_sign": acting.may("clinic sign"),
        "forms": [(name, TITLES[name], fields_of(name, columns, values=sent)) for name, columns in FORMS.items()],
        "problems": problems,
        "day": day,
    }
    return page(request, acting, "course", context, status=status)
