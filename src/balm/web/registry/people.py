"""Clinics of a person, the people of a clinic, and its audit trail."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import SimpleLazyObject
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from balm.actions.clinic.acting import ClinicActing
from balm.actions.clinic.clinics import add_clinic_member, clinics_of, remove_clinic_member, start_clinic
from balm.registry.roles import MAY, ROLES
from balm.store.events.chain import broken_links
from balm.store.events.models import ChainHead, Event
from balm.store.registry.models import ClinicMember
from balm.vocabulary.problems import InputError
from balm.web.entry import signed_in
from balm.web.registry.entry import in_clinic, page

#: Events a page; the reader asks for earlier ones.
EVENTS = 100


def my_clinics(request: HttpRequest) -> dict[str, Any]:
    """Context of every page: the clinics of the person, asked for when a template wants them."""
    return {"my_clinics": SimpleLazyObject(lambda: clinics_of(getattr(request, "user", None)))}


@require_http_methods(["GET", "POST"])
@signed_in
def clinics(request: HttpRequest) -> HttpResponse:
    """The clinics of the person; whoever manages the server starts one."""
    problems: Any = ()
    if request.method == "POST":
        if not getattr(request.user, "is_staff", False):
            raise Http404
        try:
            name = getattr(request.user, "name", "") or "Lead"
            made = start_clinic(
                title=request.POST.get("title", ""), user=request.user,  # type: ignore[arg-type]
                code=slugify(name.split()[0])[:40] or "lead", name=name, country=request.POST.get("country", "")[:60],
                timezone=request.POST.get("timezone", "").strip() or "Europe/Brussels",
            )  # fmt: skip
        except InputError as error:
            problems = error.problems
        else:
            return redirect("clinic", clinic=made.slug)
    context = {"problems": problems, "sent": request.POST}
    return render(request, "registry/clinics.html", context, status=422 if problems else 200)


@require_http_methods(["GET", "POST"])
@in_clinic("clinic view")
def people(request: HttpRequest, acting: ClinicActing) -> HttpResponse:
    """Who takes part, in which role; a lead lets people in and changes roles."""
    problems: Any = ()
    if request.method == "POST":
        acting.check("clinic members")
        try:
            member = add_clinic_member(acting, email=request.POST.get("email", ""), role=request.POST.get("role", ""))
        except InputError as error:
            problems = error.problems
        else:
            messages.success(request, f"{member.name} is {member.role} here.")
            return redirect("clinic_people", clinic=acting.clinic.slug)
    may = {role: sorted(a.removeprefix("clinic ") for a, roles in MAY.items() if role in roles) for role in ROLES}
    context = {
        "members": ClinicMember.objects.filter(clinic=acting.clinic).order_by("-active", "code"),
        "roles": [(role, about, ", ".join(may[role])) for role, about in ROLES.items()],
        "problems": problems, "sent": request.POST, "may_change": acting.may("clinic members"),
    }  # fmt: skip
    return page(request, acting, "people", context, status=422 if problems else 200)


@require_POST
@in_clinic("clinic members")
def remove(request: HttpRequest, acting: ClinicActing, code: str) -> HttpResponse:
    """Take somebody out."""
    remove_clinic_member(acting, code, reason=request.POST.get("reason", ""))
    return redirect("clinic_people", clinic=acting.clinic.slug)


@require_GET
@in_clinic("clinic trail")
def trail(request: HttpRequest, acting: ClinicActing) -> HttpResponse:
    """Who did what, when, from what, to what and why; and whether the chain stands as it was written."""
    events = Event.objects.filter(chain=acting.clinic.key).order_by("-seq")
    before = request.GET.get("before", "")
    if before.isdigit() and len(before) < 16:
        events = events.filter(seq__lt=int(before))
    found = list(events[: EVENTS + 1])
    context = {
        "events": found[:EVENTS],
        "earlier": found[EVENTS - 1].seq if len(found) > EVENTS else None,
        "faults": list(broken_links(acting.clinic.key)),
        "head": ChainHead.objects.get(chain=acting.clinic.key),
    }
    return page(request, acting, "trail", context)
