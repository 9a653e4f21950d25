"""The report server: one page, read only, for this computer, with headers that let the page do nothing but show."""

from __future__ import annotations

import base64
import hashlib
import http.client
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from balm.vocabulary.problems import InputError
from balm.web.serve import ReportServer, content_security_policy

PAGE = (
    "<!doctype html><title>Café</title><style>p{}</style><script>one()</script><p>text</p><script >\ntwo()\n</script >"
)


@contextmanager
def serving(page=lambda: PAGE, host="127.0.0.1"):
    server = ReportServer(page, host=host, port=0)
    server.daemon_threads = False  # closing it waits for what an answer still writes to the terminal
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(server, path="/", method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        connection.close()


def test_the_report_stands_at_the_root():
    with serving() as server:
        status, headers, body = ask(server)
        assert (status, body) == (200, PAGE)
        assert headers["Content-Type"] == "text/html; charset=utf-8"
        assert int(headers["Content-Length"]) == len(PAGE.encode())
        assert server.address == f"http://127.0.0.1:{server.server_port}/"


def test_head_gives_the_headers_alone():
    with serving() as server:
        status, headers, body = ask(server, method="HEAD")
    assert (status, body) == (200, "")
    assert int(headers["Content-Length"]) == len(PAGE.encode())


def test_the_headers_are_safe():
    with serving() as server:
        _, headers, _ = ask(server)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "Python" not in headers["Server"]
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    assert "http" not in policy


def test_the_policy_allows_the_scripts_of_the_page_and_no_other():
    policy = content_security_policy(PAGE)
    scripts = policy.split("script-src ")[1].split(";")[0]
    wanted = {base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in ("one()", "\ntwo()\n")}
    assert set(re.findall(r"'sha256-([^']+)'", scripts)) == wanted
    assert "script-src 'none'" in content_security_policy("<p>")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_written(method):
    with serving() as server:
        status, headers, _ = ask(server, method=method)
    assert status == 405
    assert headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/../etc/passwd", "/review.toml", "/%2e%2e/x", "/<script>"])
def test_there_is_no_other_page(path):
    with serving() as server:
        status, _, body = ask(server, path)
    assert status == 404
    assert "<script>" not in body


def test_a_name_that_was_pointed_at_us_from_elsewhere_is_refused():
    with serving() as server:
        assert ask(server, Host="evil.example")[0] == 421
        assert ask(server, Host="evil.example:8000")[0] == 421
        for name in ("localhost", f"localhost:{server.server_port}", "127.0.0.1:1", "[::1]:8000"):
            assert ask(server, Host=name)[0] == 200


def test_a_problem_in_the_input_is_shown_as_text():
    def page():
        raise InputError("results.csv, row 3, column sd: '<b>' is not a number")

    with serving(page) as server:
        status, headers, body = ask(server)
    assert status == 500
    assert "row 3, column sd: &#x27;&lt;b&gt;&#x27;" in body
    assert "script-src 'none'" in headers["Content-Security-Policy"]


def test_an_unexpected_fault_is_not_shown_to_the_browser(capfd):
    def page():
        raise ZeroDivisionError("secret")

    with serving(page) as server:
        status, _, body = ask(server)
    assert status == 500
    assert "secret" not in body
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_a_port_in_use_is_a_clear_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError) as caught:
            ReportServer(lambda: PAGE, port=port)
    assert str(caught.value) == (f"port {port} on 127.0.0.1 is in use; choose another with --port (0 takes a free one)")


def test_addresses_that_cannot_be_served():
    with pytest.raises(InputError, match="port must lie between 0 and 65535; got 99999"):
        ReportServer(lambda: PAGE, port=99999)
    with pytest.raises(InputError, match=r"no address 192\.0\.2\.1; use --host"):
        ReportServer(lambda: PAGE, host="192.0.2.1", port=0)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_ctrl_c_ends_it_in_order(name):
    code = (
        "from balm.web.serve import serve_forever\n"
        "serve_forever(lambda: '<p>', port=0, say=lambda line: print(line, flush=True))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = process.stdout.readline()
    assert re.fullmatch(r"Serving on http://127\.0\.0\.1:\d+/ \(Ctrl-C stops\)\n", first)
    process.send_signal(getattr(signal, name))
    out, err = process.communicate(timeout=10)
    assert (out, err, process.returncode) == ("Stopped.\n", "", 0)
