"""One's own account, the links that begin one, and the start of a review."""

from __future__ import annotations

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from balm.actions.team import accounts, members, starting
from balm.actions.team.acting import Refused
from balm.store.accounts.models import User
from balm.vocabulary.problems import InputError
from balm.web.accounts.forms import FirstAccountForm, NameForm, NewAccountForm, QuestionForm, UploadForm
from balm.web.entry import anyone, signed_in
from balm.web.security import accepts_body

#: How an account signs in right after it was made.
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """One's name, address, password and second factor."""
    user = request.user
    assert isinstance(user, User)
    form = NameForm(request.POST or None, initial={"name": user.name})
    if request.method == "POST" and form.is_valid():
        accounts.rename(user, form.cleaned_data["name"])
        messages.success(request, "Your name was changed.")
        return redirect("account")
    return render(request, "accounts/account.html", {"form": form, "second_factor": is_mfa_enabled(user)})


@anyone
@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "HEAD", "POST"])
def first_account(request: HttpRequest, secret: str) -> HttpResponse:
    """Make the first account of an empty server, with the link that the server printed."""
    if accounts.set_up_link(secret) is None:
        return render(request, "accounts/link_spent.html", {"what": "set-up link"}, status=404)
    form = FirstAccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        user = accounts.make_first_account(secret, email=given["email"], name=given["name"], password=given["password"])
        login(request, user, backend=BACKEND)
        return redirect("new_review")
    return render(request, "accounts/first_account.html", {"form": form})


@anyone
@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Accept an invitation: join with the account that is signed in, or make one."""
    found = members.invitation_for(secret)
    if found is None:
        return render(request, "accounts/link_spent.html", {"what": "invitation"}, status=404)
    has_account = User.objects.filter(email__iexact=found.email).exists()
    shown = {"invitation": found, "has_account": has_account, "title": found.review.title}
    user = request.user
    if isinstance(user, User):
        if request.method == "POST":
            members.accept(secret, user)
            return redirect("review", slug=found.review.slug)
        return render(request, "accounts/invitation.html", shown)
    form = NewAccountForm(request.POST or None, email=found.email, initial={"name": found.member.name})
    if request.method == "POST" and not has_account and form.is_valid():
        given = form.cleaned_data
        _, made = members.accept_with_new_account(secret, name=given["name"], password=given["password"])
        login(request, made, backend=BACKEND)
        return redirect("review", slug=found.review.slug)
    return render(request, "accounts/invitation.html", shown | {"form": form})


@accepts_body(starting.MAX_UPLOAD)
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def new_review(request: HttpRequest) -> HttpResponse:
    """Start a review, from its question or from a file; for accounts that manage the server."""
    user = request.user
    assert isinstance(user, User)
    if not user.is_staff:
        raise Refused("this account may not start reviews; whoever runs the server may")
    upload = request.method == "POST" and "file" in request.FILES
    question_form = QuestionForm(None if upload else request.POST or None)
    upload_form = UploadForm(request.POST, request.FILES) if upload else UploadForm()
    form = upload_form if upload else question_form
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            if upload:
                file = given["file"]
                review = starting.start_from_file(user, file.read(), file.name, claim=given["claim"].strip())
            else:
                title = given.pop("title")
                review = starting.start_from_question(user, title=title, question=given)
        except InputError as error:
            for problem in error.problems[:20]:
                form.add_error(None, str(problem))
        else:
            return redirect("review", slug=review.slug)
    status = 422 if form.errors else 200
    shown = {"question_form": question_form, "upload_form": upload_form}
    return render(request, "accounts/new_review.html", shown, status=status)
