"""A browser in which a person signed in before: wrong passwords tried elsewhere do not lock it out.

Wrong passwords for one address are counted whatever computer they come from, so that many computers guess no faster
than one. That alone would let a stranger lock a person out; so a browser that has once signed in keeps a signed cookie
for a year, and what is tried with it is counted apart (OWASP, "Slow down online guessing attacks with device cookies").
Whoever meets the limit in a browser that is not known sets a new password by mail: that makes it known too.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from allauth.account.signals import password_reset
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.core import signing
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from balm.web.accounts.sign_in import address_tried

SALT = "balm known browser"
LONGEST = 366 * 24 * 3600


def browser_known(request: HttpRequest, address: str) -> str:
    """The name that this browser was given when ``address`` signed in here; empty where it never did."""
    try:
        kept = signing.loads(request.COOKIES.get(settings.KNOWN_BROWSER_COOKIE_NAME, ""), salt=SALT, max_age=LONGEST)
    except signing.BadSignature:
        return ""
    return str(kept["browser"]) if kept["who"] == _who(address) else ""


def never_locked(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> bool:
    """Whether an attempt comes from a known browser, which wrong passwords from its network do not lock out."""
    return bool(browser_known(request, address_tried(request, credentials)))


def _who(address: str) -> str:
    return hashlib.sha256(address.strip().lower().encode()).hexdigest()[:32]


@receiver([user_logged_in, password_reset])
def remembered(signal: Any, request: HttpRequest | None = None, user: Any = None, **rest: Any) -> None:
    """Note on the request whom its browser is known to from now on."""
    if request is not None and user is not None:
        request.known_to = user.email  # type: ignore[attr-defined]


def known_browsers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: a browser in which somebody has just signed in is known from now on."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        address = getattr(request, "known_to", "")
        if address:
            name = browser_known(request, address) or secrets.token_urlsafe(12)
            value = signing.dumps({"who": _who(address), "browser": name}, salt=SALT)
            response.set_cookie(
                settings.KNOWN_BROWSER_COOKIE_NAME, value, max_age=LONGEST, httponly=True, samesite="Lax",
                secure=settings.HTTPS, path="/",
            )  # fmt: skip
        return response

    return respond
