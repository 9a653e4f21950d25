"""A session at the bedside: begin, rate, bolus, vitals, events, stop, sign; later corrections and amendments.

Every act is one form that works without a script; the page comes back with what was typed where something is wrong.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from balm.actions.clinic.acting import ClinicActing, clock
from balm.actions.clinic.calculations import calculations_of, is_as_kept
from balm.actions.clinic.participants import participant_of_row
from balm.actions.clinic.sessions import (
    amend_session,
    begin_session,
    cancel_session,
    correct_segment,
    give,
    note_event,
    observe,
    rate_of,
    sign,
    stop_infusion,
)
from balm.registry.doses import dose_mg, rate_mg_h
from balm.registry.doses import given as given_in
from balm.registry.quantities import QUANTITIES
from balm.store.registry.current import registry_of, rows_of
from balm.store.registry.models import Entry
from balm.vocabulary.numbers import plain
from balm.vocabulary.problems import InputError
from balm.vocabulary.table_text import as_cell
from balm.web.registry.entry import given, in_clinic, page, submission_of
from balm.web.registry.fields import fields_of, vitals

RATE = ("rate", "rate_unit", "form", "concentration_mg_ml", "start")
BOLUS = ("dose", "dose_unit", "form", "start")
EVENT = ("term", "severity", "serious", "causality", "action", "outcome")
CORRECTION = ("start", "stop", "dose", "dose_unit", "rate", "rate_unit", "form", "concentration_mg_ml")
AMENDED = ("weight_kg", "start", "end", "events_asked", "next_planned", "notes")
#: Quantities of a blood sample: folded away at the bedside.
LABORATORY = ("alt", "ast", "ggt", "bilirubin")
ACTS = ("begin", "rate", "bolus", "stop", "vitals", "event", "cancel")


@require_GET
@in_clinic("clinic view")
def one(request: HttpRequest, acting: ClinicActing, session: str) -> HttpResponse:
    """The session as it stands."""
    return _one(request, acting, session)


@require_POST
@in_clinic("clinic record")
def act(request: HttpRequest, acting: ClinicActing, session: str, act: str) -> HttpResponse:
    """One act at the bedside."""
    who = _participant(acting, session)
    if act not in ACTS:
        raise Http404
    sent, number = request.POST, submission_of(request)
    drug = registry_of(acting.clinic, participant=who, tables=("participants",)).definition.drug
    try:
        if act == "begin":
            begin_session(acting, who, session, weight=sent.get("weight_kg", ""), submission=number)
        elif act == "cancel":
            cancel_session(acting, who, session, reason=sent.get("reason", ""), submission=number)
        elif act == "rate":
            cells = {**given(request, RATE), "drug": drug}
            give(acting, who, session, kind="infusion", cells=cells, submission=number)
        elif act == "bolus":
            give(acting, who, session, kind="bolus", cells={**given(request, BOLUS), "drug": drug}, submission=number)
        elif act == "stop":
            stop_infusion(acting, who, session, stop=sent.get("stop", "").strip(), submission=number)
        elif act == "vitals":
            time = sent.get("time", "").strip()
            observe(acting, who, session, time=time, values=given(request, QUANTITIES), submission=number)
        else:
            note_event(acting, who, session, cells=given(request, (*EVENT, "onset")), submission=number)
    except InputError as error:
        return _one(request, acting, session, problems=error.problems, failed=act)
    return redirect("clinic_session", clinic=acting.clinic.slug, session=session)


@require_POST
@in_clinic("clinic sign")
def sign_off(request: HttpRequest, acting: ClinicActing, session: str) -> HttpResponse:
    """Sign and lock."""
    who, sent = _participant(acting, session), request.POST
    try:
        sign(
            acting, who, session, end=sent.get("end", "").strip(), events_asked=sent.get("events_asked", ""),
            next_planned=sent.get("next_planned", "").strip(), submission=submission_of(request),
        )  # fmt: skip
    except InputError as error:
        return _one(request, acting, session, problems=error.problems, failed="sign")
    messages.success(request, "Signed and locked.")
    return redirect("clinic_session", clinic=acting.clinic.slug, session=session)


@require_POST
@in_clinic("clinic amend")
def amend(request: HttpRequest, acting: ClinicActing, session: str) -> HttpResponse:
    """Amend a signed session, with a reason."""
    who = _participant(acting, session)
    try:
        amend_session(
            acting, who, session, cells=given(request, AMENDED), reason=request.POST.get("reason", ""),
            submission=submission_of(request),
        )  # fmt: skip
    except InputError as error:
        return _one(request, acting, session, problems=error.problems, failed="amend")
    messages.success(request, "Amended and signed again; the earlier version stays in the trail.")
    return redirect("clinic_session", clinic=acting.clinic.slug, session=session)


@require_GET
@in_clinic("clinic view")
def calculations(request: HttpRequest, acting: ClinicActing, session: str) -> HttpResponse:
    """The figures as they were signed: each dose and limit with its inputs and its arithmetic."""
    _participant(acting, session)
    found = [
        {"kept": kept, "right": is_as_kept(kept), "doses": [f for f in kept.figures if not f["verdict"]],
         "limits": [f for f in kept.figures if f["verdict"]]}
        for kept in calculations_of(acting, session)
    ]  # fmt: skip
    return page(request, acting, "calculations", {"session": session, "found": found})


@require_http_methods(["GET", "POST"])
@in_clinic("clinic record")
def correct(request: HttpRequest, acting: ClinicActing, segment: str) -> HttpResponse:
    """Correct a segment by one that replaces it."""
    who = participant_of_row(acting, "segments", segment)
    if not who:
        raise Http404
    row = rows_of(acting.clinic, participant=who, tables=("segments",))["segments"][segment]
    problems: Any = ()
    if request.method == "POST":
        try:
            correct_segment(
                acting, who, segment, cells=given(request, CORRECTION), reason=request.POST.get("reason", ""),
                submission=submission_of(request),
            )  # fmt: skip
        except InputError as error:
            problems = error.problems
        else:
            return redirect("clinic_session", clinic=acting.clinic.slug, session=row.cells["session"])
    values = request.POST if problems else row.cells
    context = {
        "segment": segment, "session": row.cells["session"], "problems": problems,
        "fields": fields_of("segments", CORRECTION, values=values),
    }  # fmt: skip
    return page(request, acting, "correct", context, status=422 if problems else 200)


def _participant(acting: ClinicActing, session: str) -> str:
    found = participant_of_row(acting, "sessions", session)
    if not found:
        raise Http404
    return found


def _one(
    request: HttpRequest, acting: ClinicActing, session: str, *, problems: Any = (), failed: str = ""
) -> HttpResponse:
    """The page; ``failed`` is the form that was refused: it stands open, with what was typed."""
    registry = registry_of(acting.clinic, participant=_participant(acting, session))
    held = registry.session_of[session]
    course = registry.course_of[held.course]
    sent = dict(request.POST.items()) if failed else {}
    now = as_cell(clock(registry.definition).replace(second=0))
    standing = registry.standing_segments_of.get(session, ())
    running = next((s for s in reversed(standing) if s.kind == "infusion" and s.stop is None), None)
    protocol = next((p for p in registry.definition.protocols if p.id == course.protocol), None)
    steps = [s for s in protocol.steps if s.session == held.kind] if protocol else []
    done = {s.segment for s in standing}
    rate = {"rate_unit": "mg/h", "form": protocol.form if protocol else ""}
    if running is not None:
        rate = {n: as_cell(getattr(running, n)) for n in ("rate_unit", "form", "concentration_mg_ml")}
    elif not standing and steps and steps[0].kind == "infusion":
        step = steps[0]
        found = rate_of(step.dose, step.minutes) if step.dose_unit == "mg" else None
        if step.rate is not None:
            rate |= {"rate": as_cell(step.rate), "rate_unit": step.rate_unit}
        elif found is not None:
            rate["rate"] = plain(float(found), 6)
    total = given_in(registry, held)
    context = {
        "session": held,
        "course": course,
        "protocol": protocol,
        "steps": steps,
        "now": now,
        "running": running,
        "running_mg_h": rate_mg_h(running, held.weight_kg) if running else None,
        "segments": [
            (s, s.segment in done, dose_mg(s, held.weight_kg)) for s in registry.segments if s.session == session
        ],
        "given": sum((m for s in standing if (m := dose_mg(s, held.weight_kg)) is not None), 0) if standing else None,
        "total": total,
        "observations": _by_time(registry, session),
        "events": [e for e in registry.adverse_events if e.session == session],
        "rate_fields": fields_of("segments", RATE, values={**rate, **sent}, required=("rate", "rate_unit"),
                                 optional=("start",)),
        "bolus_fields": fields_of("segments", BOLUS, values={"dose_unit": "mg", "form": rate.get("form", ""), **sent},
                                  required=("dose", "dose_unit"), optional=("start",)),
        "vitals": [f for f in vitals(sent) if f.name not in LABORATORY],
        "laboratory": [f for f in vitals(sent) if f.name in LABORATORY],
        "event_fields": fields_of("adverse_events", EVENT, values={"serious": "no", **sent}),
        "amend_fields": fields_of("sessions", AMENDED, values={
            **{n: as_cell(getattr(held, n)) for n in AMENDED}, **sent}),
        "versions": Entry.objects.filter(clinic=acting.clinic, table="sessions", key=session).order_by("version"),
        "sent": sent,
        "problems": problems,
        "failed": failed,
        "may_amend": acting.may("clinic amend"),
        "may_record": acting.may("clinic record"),
        "weight": fields_of("sessions", ("weight_kg",), values=sent, required=("weight_kg",)),
    }  # fmt: skip
    return page(request, acting, "session", context, status=422 if failed else 200)


def _by_time(registry: Any, session: str) -> list[tuple[Any, list[tuple[str, str]]]]:
    """Observations of one moment together, the latest first, each with its words and unit."""
    found: dict[Any, list[tuple[str, str]]] = {}
    for o in registry.observations:
        if o.session == session:
            q = QUANTITIES[o.quantity]
            unit = "" if q.unit == "{score}" else f" {q.unit}"
            found.setdefault(o.time, []).append((q.label, f"{o.value:g}{unit}"))
    return sorted(found.items(), reverse=True)
