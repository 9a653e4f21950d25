"""Two nurses at one session in the same second, on real server processes: nothing is lost, nothing counts twice."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.web.real_server import CSRF, ROOT, RealServer

POSTGRESQL = os.environ.get("BALM_TEST_DATABASE_URL") or os.environ.get("BALM_TEST_POSTGRESQL") or ""
EACH = 8


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> Iterator[RealServer]:
    """A server with a clinic, two nurses and a running session."""
    if request.param == "postgresql" and not POSTGRESQL:
        pytest.skip("BALM_TEST_DATABASE_URL names no PostgreSQL server")
    made = RealServer(POSTGRESQL if request.param == "postgresql" else "")
    try:
        made.sessions = told(made, "set-up")
        yield made.start()
    finally:
        made.remove()


def told(server: RealServer, what: str) -> dict[str, str]:
    """Run this module against the server's database, and read what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.web.test_registry_processes", what],
        cwd=ROOT, env=server.environment, check=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    found: dict[str, str] = json.loads(done.stdout)
    return found


def post(server: RealServer, code: str, act: str, **fields: str) -> int:
    """One form of one nurse."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    path = f"/clinics/c/sessions/{server.sessions['session']}/act/{act}/"
    headers = {
        "Cookie": f"sessionid={server.sessions[code]}; csrftoken={CSRF}", "X-CSRFToken": CSRF,
        "Content-Type": "application/x-www-form-urlencoded",
    }  # fmt: skip
    try:
        connection.request("POST", path, urlencode(fields), headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_two_nurses_in_the_same_second(server: RealServer) -> None:
    start = threading.Barrier(4)
    answers: list[int] = []
    rates: list[int] = []

    def work(code: str) -> None:
        """Each nurse clicks twice: two threads send the same forms."""
        for number in range(EACH):
            start.wait(120)
            form = {"submission": f"{code}-{number:08d}", "pain": str(number), "heart-rate": "70"}
            answers.append(post(server, code, "vitals", **form))
        fields = {"rate": "60", "rate_unit": "mg/h", "form": "racemic", "submission": f"{code}-rate-0001"}
        start.wait(120)
        rates.append(post(server, code, "rate", **fields))

    jobs = [threading.Thread(target=work, args=(code,)) for code in ("n1", "n1", "n2", "n2")]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(240)
        assert not job.is_alive()
    assert answers == [302] * (4 * EACH)
    assert set(rates) <= {302, 422} and 302 in rates, "a second rate in the same second is refused by name, never mixed"
    kept = told(server, "check")
    assert kept["observations"] == str(2 * 2 * EACH), "each form once: two values of two nurses"
    assert kept["running"] == "1", "one infusion runs"
    assert kept["faults"] == ""


def _set_up() -> dict[str, str]:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from balm.actions.clinic.acting import ClinicActing
    from balm.actions.clinic.clinics import start_clinic
    from balm.actions.clinic.participants import enrol, record
    from balm.actions.clinic.sessions import plan_session
    from balm.store.accounts.models import User
    from balm.store.registry.models import ClinicMember

    found, users = {}, {}
    for code in ("n1", "n2"):
        users[code] = User.objects.create_user(f"{code}@example.org", name=code)
        store = SessionStore()
        store[SESSION_KEY] = str(users[code].pk)
        store[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
        store[HASH_SESSION_KEY] = users[code].get_session_auth_hash()
        store.save()
        found[code] = store.session_key
    clinic = start_clinic(title="C", user=users["n1"], code="n1", name="n1")
    ClinicMember.objects.create(clinic=clinic, user=users["n2"], code="n2", name="n2", role="nurse")
    acting = ClinicActing(clinic, ClinicMember.objects.get(clinic=clinic, code="n1"))

    def new() -> str:
        return secrets.token_hex(8)

    who = enrol(acting, cells={}, consent={"version": "1", "given": "yes"}, identity={}, submission=new())
    course = {"diagnosis": "CRPS", "pain_type": "neuropathic", "setting": "chronic"}
    record(acting, who, "courses", course, submission=new())
    cells = {"kind": "treatment", "weight_kg": "70"}
    found["session"] = plan_session(acting, who, f"{who}-c1", cells=cells, begin=True, submission=new())
    return found


def _check() -> dict[str, str]:
    from balm.store.events.chain import broken_links
    from balm.store.registry.current import registry_of
    from balm.store.registry.models import Clinic

    clinic = Clinic.objects.get()
    registry = registry_of(clinic)
    (own,) = registry.standing_segments_of.values()
    return {
        "observations": str(len(registry.observations)),
        "running": str(sum(s.stop is None for s in own)),
        "faults": "; ".join(broken_links(clinic.key)),
    }


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(_set_up() if sys.argv[1] == "set-up" else _check()))
