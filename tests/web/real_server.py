"""A real server in processes of its own, with a database of its own: for tests that kill it, and for the load script.

``python -m tests.web.real_server RECORDS PEOPLE`` sets up the database that the environment names and prints, as JSON,
the review's address and a session for each person; with ``check`` it prints what the database holds.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.web.migrated import empty_home, empty_postgresql, on_postgresql, own_environment

ROOT = Path(__file__).parents[2]
CSRF = "a" * 32
STAGE = "title-abstract"


@dataclass
class RealServer:
    """``gunicorn`` on a port of its own; ``database_url`` empty: SQLite in a folder that is thrown away."""

    database_url: str = ""
    workers: int = 2
    threads: int = 4
    home: str = field(default_factory=lambda: tempfile.mkdtemp(prefix="balm-server-"))
    port: int = 0
    slug: str = ""
    sessions: dict[str, str] = field(default_factory=dict)
    records: list[str] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None
    created: str = ""
    ready: bool = False  # the database at this address has its tables; it is not thrown away

    def __post_init__(self) -> None:
        if not self.port:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
        if self.ready:
            return
        if self.database_url:
            self.created = f"balm_real_{os.getpid()}_{self.port}"
            self.database_url = empty_postgresql(self.database_url, self.created)
        else:
            empty_home(self.home)

    @property
    def environment(self) -> dict[str, str]:
        """The server's own."""
        given = {"BALM_HOME": self.home, "BALM_RANKING": "off", "DJANGO_SETTINGS_MODULE": "balm.web.settings"}
        return own_environment(**given, **({"DATABASE_URL": self.database_url} if self.database_url else {}))

    def tell(self, *arguments: str) -> Any:
        """Run this module against the server's database, and read what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.web.real_server", *arguments],
            cwd=ROOT, env=self.environment, check=True, stdout=subprocess.PIPE,
        )  # fmt: skip
        return json.loads(done.stdout)

    def set_up(self, records: int, people: int, size: int = 500) -> RealServer:
        """Make the review with its people; the stage is open."""
        found = self.tell("set-up", str(records), str(people), str(size))
        self.slug, self.sessions = found["slug"], found["sessions"]
        return self

    def start(self) -> RealServer:
        """Start it and wait until it answers."""
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "gunicorn", "balm.web.wsgi", "--bind", f"127.0.0.1:{self.port}",
                "--workers", str(self.workers), "--threads", str(self.threads), "--log-level", "critical",
                "--no-control-socket", "--keep-alive", "75", "--preload",
            ],
            env=self.environment, start_new_session=True,
        )  # fmt: skip
        for _ in range(2400):  # a machine that is busy takes its time to load the application
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return self
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise RuntimeError("the server did not start")

    def kill(self) -> None:
        """``kill -9`` to each of its processes."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def remove(self) -> None:
        """End it, and throw its database away."""
        self.kill()
        shutil.rmtree(self.home, ignore_errors=True)
        if self.created:
            on_postgresql(self.database_url, f"DROP DATABASE {self.created} WITH (FORCE)")


class Browser:
    """One person's connection, kept open as a browser does."""

    def __init__(self, server: RealServer, code: str) -> None:
        self.server, self.code = server, code
        self.base = f"/reviews/{server.slug}/screening/{STAGE}"
        self.cookie = f"sessionid={server.sessions[code]}; csrftoken={CSRF}"
        self.connection: http.client.HTTPConnection | None = None

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.connection is not None:
            self.connection.close()

    def ask(self, method: str, path: str, data: dict[str, Any] | None = None) -> tuple[int, bytes]:
        """One request; :class:`OSError` or :class:`http.client.HTTPException` where the connection is lost."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        headers = {"Cookie": self.cookie, "X-CSRFToken": CSRF, "Accept": "application/json"}
        body = None
        if data is not None:
            body = urlencode(data)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            self.connection.request(method, self.base + path, body, headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            raise

    def sitting(self, after: int = 0) -> dict[str, Any]:
        """The records to read."""
        status, body = self.ask("GET", f"/next/?after={after}")
        assert status == 200, (status, body[:300])
        return json.loads(body)

    def vote(self, record: str, batch: int, decision: str, submission: str) -> tuple[int, bytes]:
        """Send one vote once."""
        data = {"record": record, "batch": batch, "decision": decision, "submission": submission, "order_shown": 1}
        return self.ask("POST", "/votes/", data | {"seconds": 1.5})


def _set_up(records: int, people: int, size: int) -> dict[str, Any]:
    import django

    django.setup()
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore
    from django.db import transaction

    from balm.actions.review import package_bytes
    from balm.actions.team.acting import Acting
    from balm.actions.team.packages import start_review
    from balm.actions.team.screening import open_stage
    from balm.review.schema import TABLE_BY_FILE
    from balm.store.accounts.models import User
    from balm.store.reviews.models import Member
    from balm.store.reviews.package_rows import add_rows

    def session(user: User) -> str:
        store = SessionStore()
        store[SESSION_KEY] = str(user.pk)
        store[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
        store[HASH_SESSION_KEY] = user.get_session_auth_hash()
        store.save()
        return str(store.session_key)

    drawn = random.Random(20)
    words = (ROOT / "reviews/ketamine-chronic-pain/studies.csv").read_text(encoding="utf-8").split()
    words += [f"word{k}" for k in range(2000)]
    with transaction.atomic():
        lead = User.objects.create_user("lead@example.org", name="Lead")
        review = start_review(
            package_bytes(ROOT / "reviews" / "ketamine-chronic-pain"), user=lead, code="lead", name="Lead"
        )
        sessions = {"lead": session(lead)}
        for k in range(people):
            user = User.objects.create_user(f"p{k:02d}@example.org", name=f"Person {k}")
            Member.objects.create(review=review, user=user, code=f"p{k:02d}", name=user.name, role="reviewer")
            sessions[f"p{k:02d}"] = session(user)
        rows = (
            {
                "record": f"rec{k:05d}", "title": " ".join(drawn.choices(words, k=12)), "year": "2020",
                "authors": "Sigtermans MJ; Dahan A", "abstract": " ".join(drawn.choices(words, k=200)),
            }
            for k in range(records)
        )  # fmt: skip
        add_rows(review, TABLE_BY_FILE["records.csv"], rows)
    acting = Acting(review, Member.objects.get(review=review, code="lead"))
    open_stage(acting, STAGE, [code for code in sessions if code != "lead"], size=size)
    return {"slug": review.slug, "sessions": sessions}


def _check() -> dict[str, Any]:
    import django

    django.setup()
    from django.db.models import Count

    from balm.store.events.chain import broken_links, chains
    from balm.store.events.models import Event
    from balm.store.reviews.models import Review, Row
    from balm.store.reviews.package_rows import package_of
    from balm.store.screening.models import Reveal, Vote

    pairs = Vote.objects.values("record").annotate(n=Count("member", distinct=True))
    return {
        "broken": [line for chain in chains() for line in broken_links(chain)],
        "votes": list(Vote.objects.values_list("member__code", "record", "decision", "submission")),
        "events": Event.objects.filter(action="vote").count(),
        "reveals": sorted(Reveal.objects.values_list("record", flat=True)),
        "voted_by_two": sorted(row["record"] for row in pairs if row["n"] == 2),
        "rows": Row.objects.filter(table="screening.csv").count(),
        "package": [len(package_of(review).screening) for review in Review.objects.all()],
    }


if __name__ == "__main__":
    told = _check() if sys.argv[1] == "check" else _set_up(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    json.dump(told, sys.stdout)
