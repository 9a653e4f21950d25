"""What every request and every response passes: a bound on its size, and the strictest headers under which we work."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

#: A page may load what this server serves and nothing else; no inline script or style, no frame around it.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)

HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: the headers, and a number for the request that its events carry. A view may set its own policy."""

    def respond(request: HttpRequest) -> HttpResponse:
        request.request_id = secrets.token_hex(8)  # type: ignore[attr-defined]
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return respond


#: The body of a request that brings no file; and of one that does, where the view says nothing else: a file of 50 MB
#: (the largest search export or full text) and the form around it.
MAX_BODY, MAX_BODY_WITH_FILES = 5 * 1024**2, 64 * 1024**2


#: Of a refused body at most this much is thrown away, in pieces.
MOST_THROWN_AWAY, PIECE = 600 * 1024**2, 256 * 1024


def accepts_body(limit: int) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Decorator of a view that takes uploads of up to ``limit`` bytes in one request, its form's fields beside them."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        view.max_body = limit + 1024**2  # type: ignore[attr-defined]
        return view

    return decorate


class bounded:
    """Middleware: a body larger than its view takes is refused before a byte of it is read.

    Of whoever has not signed in no file is taken, and none is read to look for the form's token in it. The interface
    for programs asks for its token before it reads.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Hand the request on; of one that nobody read, what is still being sent is listened to."""
        response = self.get_response(request)
        unread = request.META.get("CONTENT_LENGTH", "0") not in ("", "0") and not request._read_started
        return _heard_out(response, request) if unread else response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """The refusal, or ``None``."""
        try:
            size = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            size = 0
        if size <= MAX_BODY:
            return None
        unknown = not request.path.startswith("/api/") and not request.user.is_authenticated
        if unknown and getattr(view, "act", "anyone") != "anyone":
            return redirect_to_login(request.get_full_path())
        usual = MAX_BODY_WITH_FILES if request.content_type == "multipart/form-data" and not unknown else MAX_BODY
        limit = getattr(view, "max_body", usual)
        if size <= limit:
            return None
        why = f"The request holds {size / 1024**2:,.0f} MB; this page takes at most {limit / 1024**2:,.0f} MB."
        return render(request, "too_large.html", {"why": why}, status=413)


def _heard_out(answer: HttpResponse, request: HttpRequest) -> HttpResponse:
    """The answer, after which what is still being sent is thrown away.

    A connection that is closed with bytes unread takes the answer with it: behind a proxy a person saw "502 Bad
    Gateway" in place of what is wrong. Whoever stops sending, or goes on beyond any bound, is not listened to.
    """

    def listen() -> None:
        connection, sent = request.META.get("gunicorn.socket"), request.META["wsgi.input"]
        if connection is None:
            return  # not a server of ours: it looks after its connections itself
        before = connection.gettimeout()
        with suppress(OSError):
            connection.settimeout(5)
            for _ in range(MOST_THROWN_AWAY // PIECE):
                if not sent.read(PIECE):
                    break
            connection.settimeout(before)

    answer._resource_closers.append(listen)  # type: ignore[attr-defined]
    return answer
