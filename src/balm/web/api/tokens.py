"""The page on which a person makes tokens for programs and takes them back.

A token opens what the password opens, without the second factor: whoever makes one has given the password lately, and
the account's address is told.
"""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from balm.actions.team.tokens import DAYS, MOST_DAYS, READ, WRITE, make_token, revoke_token, tokens_of
from balm.store.accounts.models import User
from balm.vocabulary.problems import InputError
from balm.web.entry import signed_in


class TokenForm(forms.Form):
    """What a token is called, what it may do, and for how long."""

    name = forms.CharField(max_length=100, help_text="Which program or script it is for.")
    scope = forms.ChoiceField(
        label="It may",
        choices=[(READ, "only read what you may read"), (WRITE, "read and write what you may")],
    )
    days = forms.IntegerField(label="Days it works", min_value=1, max_value=MOST_DAYS, initial=DAYS)


@signed_in
@reauthentication_required(allow_get=True)
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """One's own tokens; a new one's secret is shown in the answer to its form, and never again."""
    user = request.user
    assert isinstance(user, User)
    form = TokenForm(request.POST or None)
    shown: dict[str, object] = {}
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made, secret = make_token(user, given["name"], scope=given["scope"], days=given["days"])
        except InputError as error:
            form.add_error(None, str(error))
        else:
            get_adapter().send_notification_mail("account/email/token_made", user, {"token": made})
            shown = {"made": made, "secret": secret}
            form = TokenForm()
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "api/tokens.html", {"form": form, "tokens": tokens_of(user), **shown}, status=status)


@signed_in
@require_POST
def revoke(request: HttpRequest, number: int) -> HttpResponse:
    """Take a token back."""
    user = request.user
    assert isinstance(user, User)
    revoke_token(user, number)
    messages.success(request, "The token lets nobody in any more.")
    return redirect("tokens")
