"""How accounts begin, what guesses of a password count for, and how mail about an account leaves."""

from __future__ import annotations

from functools import partial
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from balm.web.accounts import mail
from balm.web.accounts.forms import NOBODY
from balm.web.accounts.known_browser import browser_known
from balm.web.accounts.sign_in import address_tried


def _nothing() -> None:
    pass


class ByInvitation(DefaultAccountAdapter):
    """No open sign-up: an account is made when an invitation is accepted."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Closed."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send it soon: the answer waits for no mail server."""
        nobody = getattr(context.get("user"), "pk", None) == NOBODY
        mail.soon(_nothing if nobody else partial(super().send_mail, template_prefix, email, context))

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Guesses count for the address they are of, and those from a known browser apart."""
        address = address_tried(request, credentials)
        return f"{address} {browser_known(request, address)}"
