"""One self-contained report on a local address: read only, nothing stored, nothing fetched from elsewhere.

The page may show what it brings with it and do nothing else: scripts run only when they stand in the page itself
(by their hash), and no request leaves for any other address.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import html
import os
import re
import signal
import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from balm.vocabulary.problems import InputError

HOST, PORT = "127.0.0.1", 8000

#: Names under which a browser on this computer reaches it; another name in the Host header is a page elsewhere that
#: had its name resolved to us (DNS rebinding), and is refused.
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

_SCRIPT = re.compile(r"<script\b[^>]*>(.*?)</script\s*>", re.DOTALL | re.IGNORECASE)

#: Everything but the content security policy, which depends on the page.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


def content_security_policy(page: str) -> str:
    """The strictest policy under which ``page`` still shows: its own styles, data images and its own scripts.

    >>> "script-src 'none'" in content_security_policy("<p>no script</p>")
    True
    """
    hashes = sorted(
        {base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in _SCRIPT.findall(page)}
    )
    scripts = " ".join(f"'sha256-{digest}'" for digest in hashes) or "'none'"
    return (
        "default-src 'none'; "
        f"script-src {scripts}; "
        "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


class ReportServer(ThreadingHTTPServer):
    """Serves what ``page()`` returns at ``/``; every request asks again, so ``page`` decides what to keep."""

    daemon_threads = True
    #: A second server on a port in use must fail, not share it.
    allow_reuse_port = False

    def __init__(self, page: Callable[[], str], *, host: str = HOST, port: int = PORT) -> None:
        self.page = page
        self.page_lock = threading.Lock()
        self.host = host
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), _Handler)
        except OverflowError:
            raise InputError(f"port must lie between 0 and 65535; got {port}") from None
        except OSError as error:
            raise InputError(why_not(error, host, port)) from None

    def server_bind(self) -> None:
        """Bind without asking a name server for our own name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.host, self.server_address[1]

    @property
    def address(self) -> str:
        """What to type into a browser."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "") else "[::1]" if self.host == "::" else self.host
        shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
        return f"http://{shown}:{self.server_port}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that closes its connection is no event; anything else is a fault of ours and is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: ReportServer
    protocol_version = "HTTP/1.1"
    server_version = "balm"
    sys_version = ""
    timeout = 30  # seconds for a request to arrive: an idle connection does not hold a thread

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _refuse_method(self) -> None:
        self.close_connection = True
        self._send(HTTPStatus.METHOD_NOT_ALLOWED, "This report can only be read.", extra={"Allow": "GET, HEAD"})

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _refuse_method

    def _answer(self, *, body: bool) -> None:
        if not self._host_is_ours():
            self._send(HTTPStatus.MISDIRECTED_REQUEST, "This address is not served here.", body=body)
            return
        if urlsplit(self.path).path not in ("/", "/index.html"):
            self._send(HTTPStatus.NOT_FOUND, "There is one page here.", link="/", body=body)
            return
        try:
            with self.server.page_lock:
                page = self.server.page()
        except InputError as error:
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, str(error), body=body)
            return
        except Exception:
            reason = "The report could not be made; the terminal in which balm runs shows why."
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, reason, body=body)
            raise
        self._write(HTTPStatus.OK, page, body=body)

    def _host_is_ours(self) -> bool:
        if self.server.host not in LOOPBACK:
            return True  # bound to other addresses on request; their names cannot be known here
        name = (self.headers.get("Host") or "").strip().lower()
        return re.sub(r":\d*$", "", name).strip("[]") in LOOPBACK

    def _send(
        self,
        status: HTTPStatus,
        message: str,
        *,
        link: str = "",
        body: bool = True,
        extra: dict[str, str] | None = None,
    ) -> None:
        lines = "".join(f"<li>{html.escape(line)}</li>" for line in message.splitlines())
        back = f'<p><a href="{link}">To the report</a></p>' if link else ""
        page = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{status.phrase}</title>'
            f"<h1>{status.phrase}</h1><ul>{lines}</ul>{back}</html>"
        )
        self._write(status, page, body=body, extra=extra)

    def _write(self, status: HTTPStatus, page: str, *, body: bool, extra: dict[str, str] | None = None) -> None:
        data = page.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", content_security_policy(page))
        for name, value in {**HEADERS, **(extra or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: one reader on one computer, and nothing is kept about them."""


def serve_forever(page: Callable[[], str], *, host: str = HOST, port: int = PORT, say: Callable[[str], None]) -> None:
    """Serve until Ctrl-C (or a request to terminate), and say where. The port is free again on return."""
    with ReportServer(page, host=host, port=port) as server, _terminated_like_ctrl_c():
        try:
            say(f"Serving on {server.address} (Ctrl-C stops)")
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            say("Stopped.")


@contextmanager
def _terminated_like_ctrl_c() -> Iterator[None]:
    """A polite request to end (SIGTERM, from make or a service manager) closes the socket as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def why_not(error: OSError, host: str, port: int) -> str:
    """The reason a port could not be taken, with the way out."""
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use; choose another with --port (0 takes a free one)"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights than this account has; choose one above 1023 with --port"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"this computer has no address {host}; use --host 127.0.0.1"
    why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    return f"cannot serve on {host}, port {port}: {why}; use --host 127.0.0.1"
