"""Clinics of a person, the people of a clinic, and its audit trail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.core.mail import send_mail
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.text import slugify
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from balm.actions.clinic.acting import ClinicActing
from balm.actions.clinic.clinics import add_clinic_member, clinics_of, remove_clinic_member, start_clinic
from balm.actions.clinic.invitations import (
    Sent,
    clinic_invitation_for,
    invite_to_clinic,
    join_clinic,
    join_clinic_with_new_account,
    open_invitations,
    withdraw_invitation,
)
from balm.actions.team.members import INVITATION_DAYS
from balm.registry.roles import MAY, ROLES
from balm.store.accounts.models import User
from balm.store.events.chain import broken_links
from balm.store.events.models import ChainHead, Event
from balm.store.registry.models import ClinicMember
from balm.vocabulary.problems import InputError
from balm.web.accounts.forms import NewAccountForm
from balm.web.accounts.views import BACKEND
from balm.web.entry import anyone, signed_in
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
            if request.POST.get("do") == "invite":
                given = {name: request.POST.get(name, "") for name in ("email", "role", "name", "code")}
                return _invited(request, acting, invite_to_clinic(acting, **given))
            member = add_clinic_member(acting, email=request.POST.get("email", ""), role=request.POST.get("role", ""))
        except InputError as error:
            problems = error.problems
        else:
            messages.success(request, f"{member.name} is {member.role} here.")
            return redirect("clinic_people", clinic=acting.clinic.slug)
    may = {role: sorted(a.removeprefix("clinic ") for a, roles in MAY.items() if role in roles) for role in ROLES}
    context = {
        "members": ClinicMember.objects.filter(clinic=acting.clinic).order_by("-active", "code"),
        "invited": open_invitations(acting.clinic).select_related("member") if acting.may("clinic members") else [],
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


@require_POST
@in_clinic("clinic members")
def withdraw(request: HttpRequest, acting: ClinicActing, number: int) -> HttpResponse:
    """Take an invitation back."""
    withdraw_invitation(acting, number)
    messages.success(request, "The invitation was withdrawn.")
    return redirect("clinic_people", clinic=acting.clinic.slug)


def _invited(request: HttpRequest, acting: ClinicActing, sent: Sent) -> HttpResponse:
    """Send the mail, and show the link once, for a server without mail."""
    link = request.build_absolute_uri(reverse("clinic_invitation", args=[sent.secret]))
    until = sent.invitation.sent + timedelta(days=INVITATION_DAYS)
    shown = {"sent": sent, "link": link, "until": until, "inviting": acting.member, "clinic": acting.clinic}
    try:
        send_mail(
            f"balm: you are invited to a clinic as {sent.invitation.member.role}",
            render_to_string("registry/invitation.txt", shown), None, [sent.invitation.email],
        )  # fmt: skip
        shown["mailed"] = True
    except OSError:
        shown["mailed"] = False
    return page(request, acting, "invited", shown)


@anyone
@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Accept an invitation to a clinic: join with the account that is signed in, or make one."""
    found = clinic_invitation_for(secret)
    if found is None:
        return render(request, "accounts/link_spent.html", {"what": "invitation"}, status=404)
    has_account = User.objects.filter(email__iexact=found.email).exists()
    shown = {"invitation": found, "has_account": has_account, "title": found.clinic.title}
    user = request.user
    if isinstance(user, User):
        if request.method == "POST":
            join_clinic(secret, user)
            return redirect("clinic", clinic=found.clinic.slug)
        return render(request, "registry/invitation.html", shown)
    form = NewAccountForm(request.POST or None, email=found.email, initial={"name": found.member.name})
    if request.method == "POST" and not has_account and form.is_valid():
        given = form.cleaned_data
        _, made = join_clinic_with_new_account(secret, name=given["name"], password=given["password"])
        login(request, made, backend=BACKEND)
        return redirect("clinic", clinic=found.clinic.slug)
    return render(request, "registry/invitation.html", shown | {"form": form})


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
