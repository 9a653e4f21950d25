"""How accounts begin: by invitation, never by signing up at the door."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ByInvitation(DefaultAccountAdapter):
    """No open sign-up: an account is made when an invitation is accepted."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Closed."""
        return False
