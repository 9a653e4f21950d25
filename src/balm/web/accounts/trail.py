"""Sign-ins and changes of what protects an account, as events of the server; an account is named by its number."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from django.dispatch import receiver
from django.http import HttpRequest

from balm.actions.team.accounts import note

#: Signal of the library -> what the event says.
NOTED = {
    account.user_logged_in: "sign in",
    account.user_logged_out: "sign out",
    account.password_changed: "change password",
    account.password_reset: "reset password",
    account.password_set: "set password",
    account.email_changed: "change address",
    mfa.authenticator_added: "turn on second factor",
    mfa.authenticator_removed: "turn off second factor",
    mfa.authenticator_reset: "make recovery codes",
}


@receiver(list(NOTED))
def noted(signal: Any, request: HttpRequest | None = None, user: Any = None, **rest: Any) -> None:
    """One event for one signal."""
    if user is None or user.pk is None:
        return
    authenticator = rest.get("authenticator")
    note(
        user,
        NOTED[signal],
        after={"kind": authenticator.type} if authenticator is not None else None,
        request_id=getattr(request, "request_id", ""),
    )
