"""With real server processes: three people begin the same assessment in the same second, each with a double click.

Two get in and one is told that both places are taken; nothing is counted twice. On SQLite always, and on PostgreSQL
where ``BALM_TEST_DATABASE_URL`` or ``BALM_TEST_POSTGRESQL`` names one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from tests.web.real_server import ROOT, Browser, RealServer

POSTGRESQL = os.environ.get("BALM_TEST_DATABASE_URL") or os.environ.get("BALM_TEST_POSTGRESQL") or ""
PLACE = "rob2-assignment/noppers2011/responder~immediate~ketamine-placebo"
SENT = {"q1.1": "Y", "q1.2": "Y", "q1.3": "N", "support": "Sealed envelopes, p. 3", "submission": "one click"}
COUNT = """
import django; django.setup()
from balm.store.events.chain import broken_links, chains
from balm.store.risk_of_bias.models import Assessment
print(*Assessment.objects.values_list("member__code", flat=True), *[f for c in chains() for f in broken_links(c)])
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> Iterator[RealServer]:
    """A server with three people."""
    if request.param == "postgresql" and not POSTGRESQL:
        pytest.skip("BALM_TEST_DATABASE_URL names no PostgreSQL server")
    made = RealServer(POSTGRESQL if request.param == "postgresql" else "")
    try:
        yield made.set_up(1, 3).start()
    finally:
        made.remove()


def test_three_people_in_the_same_second_take_two_places(server: RealServer) -> None:
    start = threading.Barrier(6)
    answers: list[tuple[str, int, bytes]] = []

    def judge(code: str) -> None:
        with Browser(server, code) as browser:
            browser.base = f"/reviews/{server.slug}/risk-of-bias/{PLACE}"
            start.wait(30)
            status, body = browser.ask("POST", "/domains/D1/", SENT)
            answers.append((code, status, body))

    jobs = [threading.Thread(target=judge, args=(code,)) for code in ("p00", "p01", "p02") for _ in range(2)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(120)
    inside = {code for code, status, _ in answers if status == 302}
    outside = {code for code, status, _ in answers if status == 422}
    assert (len(answers), len(inside), len(outside)) == (6, 2, 1)
    assert all(b"Two people assess this already" in body for _, status, body in answers if status == 422)
    done = subprocess.run(
        [sys.executable, "-c", COUNT], cwd=ROOT, env=server.environment, check=True, stdout=subprocess.PIPE, text=True
    )
    assert sorted(done.stdout.split()) == sorted(inside)
