"""With real server processes: the same second, a double click, a lost connection, ``kill -9`` under load.

No vote is lost and none is counted twice, on SQLite always, and on PostgreSQL where ``BALM_TEST_DATABASE_URL`` or
``BALM_TEST_POSTGRESQL`` names one.
"""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.real_server import Browser, RealServer

POSTGRESQL = os.environ.get("BALM_TEST_DATABASE_URL") or os.environ.get("BALM_TEST_POSTGRESQL") or ""
RECORDS = 90
#: The first of them are decided by both in the same second; the rest while the server is killed.
TOGETHER = 15


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> Iterator[RealServer]:
    """A server with two people, one batch of all records."""
    if request.param == "postgresql" and not POSTGRESQL:
        pytest.skip("BALM_TEST_DATABASE_URL names no PostgreSQL server")
    made = RealServer(POSTGRESQL if request.param == "postgresql" else "")
    try:
        made.set_up(RECORDS, 2).start()
        found = at_once(made, 10)
        assert [status for status, _ in found] == [200] * 10, found
        sittings = [json.loads(body) for _, body in found]
        assert {s["batch"] for s in sittings} == {1}, "one batch is dealt out, whoever asks first"
        made.records = [r["id"] for r in sittings[0]["records"]]
        assert all([r["id"] for r in s["records"]] == made.records for s in sittings)
        assert len(made.records) == RECORDS
        yield made
    finally:
        made.remove()


def at_once(server: RealServer, many: int) -> list[tuple[int, bytes]]:
    """The very first requests to a server, all in one moment: what each is answered."""
    start = threading.Barrier(many)
    answers: list[tuple[int, bytes]] = []

    def ask(code: str) -> None:
        with Browser(server, code) as browser:
            start.wait(120)
            answers.append(browser.ask("GET", "/next/?after=0"))

    in_threads(*(threading.Thread(target=ask, args=(("p00", "p01")[k % 2],)) for k in range(many)))
    return answers


def in_threads(*jobs: threading.Thread) -> None:
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(240)
        assert not job.is_alive()


def test_two_people_in_the_same_second_and_a_double_click(server: RealServer) -> None:
    records = server.records[:TOGETHER]
    start = threading.Barrier(4)
    answers: list[tuple[int, bytes]] = []

    def decide(code: str) -> None:
        with Browser(server, code) as browser:
            for record in records:
                start.wait(120)
                answers.append(browser.vote(record, 1, "include", f"together-{code}-{record}"))

    # Each person twice: both clicks of a double click arrive at once, beside the other person's two.
    in_threads(*(threading.Thread(target=decide, args=(code,)) for code in ("p00", "p01", "p00", "p01")))
    assert Counter(status for status, _ in answers) == {200: 4 * TOGETHER}
    found = server.tell("check")
    votes = Counter((who, record) for who, record, *_ in found["votes"] if record in records)
    assert votes == {(who, record): 1 for who in ("p00", "p01") for record in records}
    assert set(records) <= set(found["reveals"])
    assert_whole(found)


def assert_whole(found: dict[str, Any]) -> None:
    """Each vote has one event, each revealed record two rows in the package, and the chain is unbroken."""
    assert max(Counter((who, record) for who, record, *_ in found["votes"]).values()) == 1
    assert found["events"] == len(found["votes"])
    assert found["reveals"] == found["voted_by_two"]
    assert found["rows"] == 2 * len(found["reveals"]) == found["package"][0]
    assert found["broken"] == []


def test_the_server_is_killed_in_mid_write_and_started_again(server: RealServer) -> None:
    left = server.records[TOGETHER:]
    counted: dict[str, list[str]] = {"p00": [], "p01": []}
    resent = Counter[str]()
    finished = threading.Event()

    def decide(code: str) -> None:
        """As the page does: a vote is sent again, with the same submission, until the server has counted it."""
        with Browser(server, code) as browser:
            for k, record in enumerate(left):
                submission = f"under-fire-{code}-{record}"
                while True:
                    try:
                        status, body = browser.vote(record, 1, "exclude" if k % 3 else "include", submission)
                    except (OSError, http.client.HTTPException):
                        resent[code] += 1
                        time.sleep(0.02)
                        continue
                    if status == 200:
                        assert json.loads(body) == {"counted": submission}
                        counted[code].append(submission)
                        break
                    assert status >= 500, (status, body[:300])
                    time.sleep(0.02)

    def kill() -> None:
        for pause in (0.3, 0.5):
            time.sleep(pause)
            if finished.is_set():
                return
            server.kill()
            server.start()

    killer = threading.Thread(target=kill)
    killer.start()
    in_threads(*(threading.Thread(target=decide, args=(code,)) for code in ("p00", "p01")))
    finished.set()
    killer.join()
    assert sum(resent.values()) > 0, "the server was never killed while somebody voted: the test shows nothing"
    found = server.tell("check")
    kept = [submission for *_, submission in found["votes"] if submission.startswith("under-fire")]
    assert sorted(kept) == sorted(counted["p00"] + counted["p01"])
    assert len(kept) == 2 * len(left)
    assert set(left) <= set(found["reveals"])
    assert_whole(found)
