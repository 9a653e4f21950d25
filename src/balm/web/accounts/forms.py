"""Forms of accounts: a name and a password, and what a new review begins with."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import ResetPasswordForm
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest

from balm.store.accounts.models import User


class NameForm(forms.Form):
    """The name an account shows."""

    name = forms.CharField(
        label="Name", max_length=200, strip=True, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )


class NewAccountForm(NameForm):
    """A name and a password, twice."""

    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters; a sentence is good. No rules about capitals or signs.",
    )
    again = forms.CharField(
        label="Password once more",
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str = "", **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.email = email

    def clean(self) -> dict[str, Any]:
        """Both passwords are the same, and good enough."""
        given: dict[str, Any] = super().clean() or {}
        password, again = given.get("password"), given.get("again")
        if password and again and password != again:
            self.add_error("again", "The two passwords differ.")
        elif password:
            user = User(email=given.get("email", self.email), name=given.get("name", ""))
            try:
                validate_password(password, user)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return given


class FirstAccountForm(NewAccountForm):
    """The first account also gives its address."""

    email = forms.EmailField(
        label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    field_order = ("email", "name", "password", "again")


#: The number of no account: the link to a new password that an unknown address would get is made for it, and not sent.
NOBODY = 0


class ForgottenPasswordForm(ResetPasswordForm):  # type: ignore[misc]
    """Asks for a link to a new password: as much is done for an address without an account, so that no time tells."""

    def save(self, request: HttpRequest, **rest: Any) -> str:
        """Make the link and its mail; the answer is the address."""
        self.users = self.users or [User(pk=NOBODY, email=self.cleaned_data["email"])]
        return str(super().save(request, **rest))


class QuestionForm(forms.Form):
    """A review that begins with its question."""

    title = forms.CharField(label="Title", max_length=300)
    population = forms.CharField(label="Population", max_length=2000)
    intervention = forms.CharField(label="Intervention", max_length=2000)
    comparators = forms.CharField(label="Comparators", max_length=2000)
    outcomes = forms.CharField(label="Outcomes", max_length=2000)
    designs = forms.CharField(label="Study designs", max_length=2000, required=False)


class UploadForm(forms.Form):
    """A review that is brought along as a file."""

    file = forms.FileField(
        label="File",
        help_text="A review package or an archive of a balm server (.zip), RevMan's data package (.zip) or .rm5 file, "
        "up to 512 MB.",
    )
    claim = forms.CharField(
        label="Of an archive: the lead whose place you take",
        required=False,
        max_length=60,
        help_text="The member's code in the archive, such as <code>ana</code>; needed only when it has several leads.",
    )
