"""How accounts begin, by invitation and never by signing up at the door; and what guesses of a password count for."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from balm.web.accounts.known_browser import browser_known
from balm.web.accounts.sign_in import address_tried


class ByInvitation(DefaultAccountAdapter):
    """No open sign-up: an account is made when an invitation is accepted."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Closed."""
        return False

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Guesses count for the address they are of, and those from a known browser apart."""
        address = address_tried(request, credentials)
        return f"{address} {browser_known(request, address)}"
