"""With real server processes: three people take one study in the same second, two enter and finish it with double
clicks and a ``kill -9`` in between. Two get in, no value is lost and none counts twice.

On SQLite always, and on PostgreSQL where ``BALM_TEST_DATABASE_URL`` or ``BALM_TEST_POSTGRESQL`` names one.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.web.real_server import ROOT, Browser, RealServer

POSTGRESQL = os.environ.get("BALM_TEST_DATABASE_URL") or os.environ.get("BALM_TEST_POSTGRESQL") or ""
STUDY, VALUES = "sigtermans2009", 24
KEPT = """
import django, json; django.setup()
from balm.store.events.chain import broken_links, chains
from balm.store.extraction.models import Entry, Finished, Taken
print(json.dumps({
    "taken": list(Taken.objects.values_list("member__code", flat=True)),
    "finished": list(Finished.objects.values_list("member__code", flat=True)),
    "values": list(Entry.objects.filter(column="participants").values_list("member__code", "value")),
    "rows": list(Entry.objects.filter(column="(row)").values_list("member__code", "key")),
    "broken": [f for c in chains() for f in broken_links(c)],
}))
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


def sure(server: RealServer, code: str, path: str, data: dict[str, str]) -> int:
    """Send until there is an answer, always with the same submission, as the page does."""
    with Browser(server, code) as browser:
        browser.base = f"/reviews/{server.slug}/extraction/{STUDY}"
        until = time.monotonic() + 120  # as long as the server may take to start again on a busy machine
        while time.monotonic() < until:
            try:
                status, _ = browser.ask("POST", path, data)
                if status < 500:
                    return status
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.1)
    raise AssertionError("no answer")


def together(*jobs: tuple[str, str, dict[str, str]], server: RealServer, kill: bool = False) -> list[tuple[str, int]]:
    """All of them in the same second, each in its own connection."""
    start, answers = threading.Barrier(len(jobs) + 1), []

    def run(code: str, path: str, data: dict[str, str]) -> None:
        start.wait(30)
        answers.append((code, sure(server, code, path, data)))

    threads = [threading.Thread(target=run, args=job) for job in jobs]
    for t in threads:
        t.start()
    start.wait(30)
    if kill:
        time.sleep(0.15)
        server.kill()
        server.start()
    for t in threads:
        t.join(150)
        assert not t.is_alive()
    return answers


def test_two_of_three_extract_nothing_is_lost_and_nothing_counts_twice(server: RealServer) -> None:
    people = ("p00", "p01", "p02")
    took = together(*((who, "/take/", {"submission": "t"}) for who in people for _ in range(2)), server=server)
    inside = sorted({who for who, status in took if status == 302})
    assert len(inside) == 2 and {status for who, status in took if who not in inside} == {422}

    adding = {
        "table": "results.csv", "outcome": "pain-intensity", "arm": "ket", "time": "9", "time_unit": "d",
        "submission": "one row",
    }  # fmt: skip
    together(*((who, "/add/", adding) for who in inside for _ in range(2)), server=server)
    entering = [
        (who, "/enter/", {
            "table": "studies.csv", "key": STUDY, "v.participants": f"{who} {i}", "submission": f"{who}-{i}",
        })
        for who in inside for i in range(VALUES // 2) for _ in range(2)
    ]  # fmt: skip
    answers = together(*entering, server=server, kill=True)
    assert {status for _, status in answers} == {302}
    removing = {"table": "results.csv", "key": "pain-intensity_ket_9d", "submission": "out"}
    together(*((who, "/remove/", removing) for who in inside for _ in range(2)), server=server)
    finishing = [(who, "/finish/", {"submission": "done"}) for who in inside for _ in range(2)]
    assert {status for _, status in together(*finishing, server=server)} == {302}

    kept = json.loads(
        subprocess.run(
            [sys.executable, "-c", KEPT], cwd=ROOT, env=server.environment, check=True, stdout=subprocess.PIPE
        ).stdout
    )
    assert sorted(kept["taken"]) == sorted(kept["finished"]) == inside
    assert Counter(map(tuple, kept["values"])) == {(who, f"{who} {i}"): 1 for who in inside for i in range(VALUES // 2)}
    assert Counter(who for who, _ in kept["rows"]) == dict.fromkeys(inside, 2)  # added once, taken out once
    assert kept["broken"] == []
