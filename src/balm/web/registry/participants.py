"""Participants: enrol, look one up, courses and consents, and the way to the vault."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from balm.actions.clinic.acting import ClinicActing
from balm.actions.clinic.participants import (
    IDENTITY_FIELDS,
    enrol,
    erase_identity,
    is_erased,
    is_identified,
    keep_identity,
    read_identity,
    record,
)
from balm.store.registry.current import definition_of, registry_of
from balm.vocabulary.problems import InputError
from balm.web.registry.entry import given, in_clinic, page, submission_of
from balm.web.registry.fields import Field, fields_of

COURSE = ("diagnosis", "pain_type", "setting", "pain_years", "protocol", "diagnosis_code", "indication", "guidance")
PERSON = ("year_of_birth", "sex", "enrolled")
#: Participants shown at once; a search finds the others.
MOST = 200


@require_http_methods(["GET", "POST"])
@in_clinic("clinic view")
def listed(request: HttpRequest, acting: ClinicActing) -> HttpResponse:
    """Everybody under their pseudonym, and the form that enrols."""
    context: dict[str, Any] = {}
    status = 200
    if request.method == "POST":
        acting.check("clinic enrol")
        try:
            found = enrol(
                acting,
                cells=given(request, (*PERSON, "site")),
                consent=given(request, ("version", "given", "date")),
                identity=given(request, IDENTITY_FIELDS),
                submission=submission_of(request),
            )
        except InputError as error:
            context, status = {"problems": error.problems}, 422
        else:
            if not found:  # whose form this was is not guessed: the latest stand first
                messages.info(request, "This form was sent already, and counts once: look at the top of the list.")
                return redirect("clinic_participants", clinic=acting.clinic.slug)
            messages.success(request, f"Enrolled as {found}. Write this pseudonym into the clinic's own record.")
            return redirect("clinic_participant", clinic=acting.clinic.slug, participant=found)
    registry = registry_of(acting.clinic, tables=("participants", "courses"))
    asked = request.GET.get("q", "").strip()[:80]
    people = [p for p in reversed(registry.participants) if asked.casefold() in p.participant.casefold()]
    sites = registry.definition.sites
    context |= {
        "people": [(p, registry.courses_of.get(p.participant, ())) for p in people[:MOST]],
        "count": len(people),
        "asked": asked,
        "fields": fields_of("participants", (*PERSON, *(("site",) if len(sites) > 1 else ())), values=request.POST,
                            definition=registry.definition, optional=("enrolled",)),
        "consent": fields_of("consents", ("version", "given", "date"), values=request.POST, required=("given",)),
        "identity": _identity_fields(request.POST.dict()),
    }  # fmt: skip
    return page(request, acting, "participants", context, status=status)


@require_GET
@in_clinic("clinic view")
def one(request: HttpRequest, acting: ClinicActing, participant: str) -> HttpResponse:
    """A participant: courses, consents, and whether the vault knows them."""
    return _one(request, acting, participant)


@require_POST
@in_clinic("clinic record")
def course(request: HttpRequest, acting: ClinicActing, participant: str) -> HttpResponse:
    """A new course of treatment."""
    try:
        record(acting, participant, "courses", given(request, COURSE), submission=submission_of(request))
    except InputError as error:
        return _one(request, acting, participant, problems=error.problems, status=422)
    return redirect("clinic_participant", clinic=acting.clinic.slug, participant=participant)


@require_POST
@in_clinic("clinic enrol")
def consent(request: HttpRequest, acting: ClinicActing, participant: str) -> HttpResponse:
    """A consent in a version of its form, given, refused or withdrawn."""
    cells = given(request, ("purpose", "version", "given", "date", "withdrawn"))
    try:
        record(acting, participant, "consents", cells, submission=submission_of(request),
               reason=request.POST.get("reason", ""), act="clinic enrol")  # fmt: skip
    except InputError as error:
        return _one(request, acting, participant, problems=error.problems, status=422)
    return redirect("clinic_participant", clinic=acting.clinic.slug, participant=participant)


@require_POST
@in_clinic("clinic identity")
def identity(request: HttpRequest, acting: ClinicActing, participant: str) -> HttpResponse:
    """Read who somebody is: with a reason, and noted."""
    _there(acting, participant)
    try:
        found = read_identity(acting, participant, reason=request.POST.get("reason", ""))
    except InputError as error:
        return _one(request, acting, participant, problems=error.problems, status=422)
    context = {"participant": participant, "known": [(IDENTITY_FIELDS[n], t) for n, t in found.items()],
               "erased": is_erased(acting, participant), "fields": _identity_fields(found)}  # fmt: skip
    return page(request, acting, "identity", context)


@require_POST
@in_clinic("clinic identity")
def keep(request: HttpRequest, acting: ClinicActing, participant: str) -> HttpResponse:
    """A new version of who somebody is."""
    _there(acting, participant)
    try:
        keep_identity(acting, participant, given(request, IDENTITY_FIELDS), reason=request.POST.get("reason", ""))
    except InputError as error:
        return _one(request, acting, participant, problems=error.problems, status=422)
    messages.success(request, "The vault keeps it; the audit trail says that, not what.")
    return redirect("clinic_participant", clinic=acting.clinic.slug, participant=participant)


@require_POST
@in_clinic("clinic erase")
def erase(request: HttpRequest, acting: ClinicActing, participant: str) -> HttpResponse:
    """Destroy the person's key."""
    _there(acting, participant)
    try:
        if request.POST.get("sure") != participant:
            raise InputError(f"to erase, type the pseudonym {participant}")
        erase_identity(acting, participant, reason=request.POST.get("reason", ""))
    except InputError as error:
        return _one(request, acting, participant, problems=error.problems, status=422)
    messages.success(request, "The key is destroyed: who this was cannot be read any more, by anybody.")
    return redirect("clinic_participant", clinic=acting.clinic.slug, participant=participant)


def _there(acting: ClinicActing, participant: str) -> None:
    if participant not in registry_of(acting.clinic, participant=participant, tables=("participants",)).participant_of:
        raise Http404


def _one(
    request: HttpRequest, acting: ClinicActing, participant: str, *, problems: Any = (), status: int = 200
) -> HttpResponse:
    registry = registry_of(acting.clinic, participant=participant)
    if participant not in registry.participant_of:
        raise Http404
    definition = definition_of(acting.clinic)
    sent = request.POST if status != 200 else {}
    values = dict(sent.items()) if sent else {"setting": "chronic"}
    context = {
        "person": registry.participant_of[participant],
        "courses": [(c, registry.sessions_of.get(c.course, ())) for c in registry.courses],
        "consents": registry.consents,
        "identified": is_identified(acting, participant),
        "erased": is_erased(acting, participant),
        "fields": fields_of("courses", COURSE, values=values, definition=definition),
        "consent": fields_of("consents", ("purpose", "version", "given", "date", "withdrawn"), values=values),
        "identity": _identity_fields({}),
        "problems": problems,
    }
    return page(request, acting, "participant", context, status=status)


def _identity_fields(values: dict[str, str]) -> list[Field]:
    return [
        Field(name, label, values.get(name, ""), type="date" if name == "born" else "text")
        for name, label in IDENTITY_FIELDS.items()
    ]
