"""The people of a review: the list, invitations, roles, interests."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.core.mail import send_mail
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from balm.actions.team import members as team
from balm.actions.team.acting import Acting
from balm.store.reviews.models import Invitation, Member
from balm.vocabulary.problems import InputError
from balm.web.entry import in_review
from balm.web.members.forms import AgainForm, ChangeRoleForm, InterestsForm, InviteForm, ReasonForm


@in_review("view")
@require_safe
def members(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Who takes part, who is invited, who has left; and one's own conflicts of interest."""
    return _page(request, acting)


@in_review("invite")
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Invite somebody new."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            sent = team.invite(acting, **form.cleaned_data)
        except InputError as error:
            _add_problems(form, error)
        else:
            return _sent(request, acting, sent)
    shown = {"acting": acting, "review": acting.review, "form": form, "title": "Invite somebody"}
    return render(request, "members/form.html", shown, status=422 if form.errors else 200)


@in_review("invite")
@require_http_methods(["GET", "HEAD", "POST"])
def invite_again(request: HttpRequest, acting: Acting, code: str) -> HttpResponse:
    """Invite somebody who has a place here but cannot enter."""
    member = _member(acting, code)
    form = AgainForm(request.POST or None, initial={"role": member.role})
    if request.method == "POST" and form.is_valid():
        try:
            sent = team.invite_again(acting, code, **form.cleaned_data)
        except InputError as error:
            _add_problems(form, error)
        else:
            return _sent(request, acting, sent)
    shown = {"acting": acting, "review": acting.review, "form": form, "title": f"Invite {member.name} again"}
    return render(request, "members/form.html", shown, status=422 if form.errors else 200)


@in_review("invite")
@require_POST
def withdraw(request: HttpRequest, acting: Acting, number: int) -> HttpResponse:
    """Take an invitation back."""
    if not Invitation.objects.filter(review=acting.review, pk=number).exists():
        raise Http404
    invitation = team.withdraw(acting, number)
    messages.success(request, f"The invitation of {invitation.member.name} was withdrawn.")
    return redirect("members", slug=acting.review.slug)


@in_review("change members")
@require_safe
def member(request: HttpRequest, acting: Acting, code: str) -> HttpResponse:
    """One member, to be given another role or let go."""
    return _member_page(request, acting, _member(acting, code))


@in_review("change members")
@require_POST
def role(request: HttpRequest, acting: Acting, code: str) -> HttpResponse:
    """Give a member another role, with a reason."""
    found = _member(acting, code)
    form = ChangeRoleForm(request.POST)
    if form.is_valid():
        try:
            team.change_role(acting, code, form.cleaned_data["role"], reason=form.cleaned_data["reason"])
        except InputError as error:
            _add_problems(form, error)
        else:
            messages.success(request, f"{found.name} is {form.cleaned_data['role']} now.")
            return redirect("members", slug=acting.review.slug)
    return _member_page(request, acting, found, role_form=form)


@in_review("change members")
@require_POST
def remove(request: HttpRequest, acting: Acting, code: str) -> HttpResponse:
    """Let a member go, with a reason; their work stays."""
    found = _member(acting, code)
    form = ReasonForm(request.POST, prefix="remove")
    if form.is_valid():
        try:
            team.remove(acting, code, reason=form.cleaned_data["reason"])
        except InputError as error:
            _add_problems(form, error)
        else:
            messages.success(request, f"{found.name} has left; what they did stays. Invite them again at any time.")
            return redirect("members" if code != acting.member.code else "reviews", **_slug(acting, code))
    return _member_page(request, acting, found, remove_form=form)


@in_review("declare interests")
@require_POST
def interests(request: HttpRequest, acting: Acting) -> HttpResponse:
    """State one's own conflicts of interest."""
    form = InterestsForm(request.POST)
    if form.is_valid():
        team.declare_interests(acting, form.cleaned_data["interests"])
        messages.success(request, "Your conflicts of interest were saved.")
        return redirect("members", slug=acting.review.slug)
    return _page(request, acting, form)


def _page(request: HttpRequest, acting: Acting, form: InterestsForm | None = None) -> HttpResponse:
    everybody = list(Member.objects.filter(review=acting.review).select_related("user").order_by("name"))
    pending = (
        Invitation.objects.filter(review=acting.review, accepted=None, withdrawn=None, expires__gt=timezone.now())
        .select_related("member")
        .order_by("sent")
    )
    waiting = {invitation.member_id for invitation in pending}
    form = form or InterestsForm(initial={"interests": acting.member.interests})
    shown = {
        "acting": acting,
        "review": acting.review,
        "present": [m for m in everybody if m.active and m.user_id],
        "away": [m for m in everybody if not (m.active and m.user_id) and m.pk not in waiting],
        "pending": pending if acting.may("invite") else [],
        "may_invite": acting.may("invite"),
        "may_change": acting.may("change members"),
        "form": form,
    }
    return render(request, "members/members.html", shown, status=422 if form.errors else 200)


def _member_page(
    request: HttpRequest,
    acting: Acting,
    found: Member,
    *,
    role_form: ChangeRoleForm | None = None,
    remove_form: ReasonForm | None = None,
) -> HttpResponse:
    given = role_form or remove_form
    shown = {
        "acting": acting,
        "review": acting.review,
        "member": found,
        "role_form": role_form or ChangeRoleForm(initial={"role": found.role}),
        "remove_form": remove_form or ReasonForm(prefix="remove"),
    }
    return render(request, "members/member.html", shown, status=422 if given else 200)


def _member(acting: Acting, code: str) -> Member:
    found = Member.objects.filter(review=acting.review, code=code).first()
    if found is None:
        raise Http404
    return found


def _sent(request: HttpRequest, acting: Acting, sent: team.Sent) -> HttpResponse:
    """Send the mail, and show the link once, for a server without mail."""
    link = request.build_absolute_uri(reverse("invitation", args=[sent.secret]))
    until = sent.invitation.sent + timedelta(days=team.INVITATION_DAYS)
    shown = {"acting": acting, "review": acting.review, "sent": sent, "link": link, "until": until}
    try:
        send_mail(
            f"balm: you are invited to a review as {sent.invitation.member.role}",
            render_to_string("members/invitation.txt", shown),
            None,
            [sent.invitation.email],
        )
        mailed = True
    except OSError:
        mailed = False
    return render(request, "members/sent.html", shown | {"mailed": mailed})


def _add_problems(form: InviteForm | AgainForm | ChangeRoleForm | ReasonForm, error: InputError) -> None:
    for problem in error.problems:
        field = problem.column if problem.column in form.fields else None
        form.add_error(field, problem.reason if field else str(problem))


def _slug(acting: Acting, code: str) -> dict[str, str]:
    return {} if code == acting.member.code else {"slug": acting.review.slug}
