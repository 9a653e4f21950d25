"""PostgreSQL is killed while eight people vote: one of its processes, the first of them, and all at once.

Each vote that was counted stands once afterwards, however often it was sent, and the chain of events is whole. SQLite
has no process but the server's own: ``test_screening_processes`` kills that.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.web.migrated import migrate
from tests.web.own_postgresql import OwnPostgreSQL, programs
from tests.web.real_server import Browser, RealServer

if programs() is None and not os.environ.get("CI"):
    pytest.skip("needs the programs of a PostgreSQL server (apt-get install postgresql)", allow_module_level=True)

PEOPLE, RECORDS = 8, 120


@pytest.fixture
def database() -> Iterator[OwnPostgreSQL]:
    """A PostgreSQL server that is ours to kill."""
    made = OwnPostgreSQL()
    try:
        made.start()
        yield made
    finally:
        made.remove()


def kill_one_process(database: OwnPostgreSQL) -> None:
    """One connection's process: PostgreSQL then ends every other one, and recovers by itself."""
    os.kill(database.writers()[0], signal.SIGKILL)


def kill_the_first(database: OwnPostgreSQL) -> None:
    database.kill()
    database.start()


def stop_at_once(database: OwnPostgreSQL) -> None:
    database.stop_at_once()
    database.start()


WAYS: tuple[Callable[[OwnPostgreSQL], None], ...] = (kill_one_process, kill_the_first, stop_at_once)


def test_no_counted_vote_is_lost_when_the_database_is_killed(database: OwnPostgreSQL) -> None:
    server = RealServer(database.address, ready=True)
    migrate(BALM_HOME=server.home, DATABASE_URL=database.address)
    counted: dict[tuple[str, str], str] = {}
    failed: Counter[str] = Counter()
    stopped = threading.Event()
    votes_at: list[int] = []

    def read(code: str) -> None:
        """As the page does: a vote is sent again, with the same submission, until the server has counted it."""
        with Browser(server, code) as browser:
            batch, left = given[code]
            for k, record in enumerate(left):
                submission, decision = f"{code}-{record}", ("include", "exclude", "maybe")[k % 3]
                while (code, record) not in counted and not stopped.is_set():
                    try:
                        status, body = browser.vote(record, batch, decision, submission)
                    except (OSError, http.client.HTTPException):
                        status, body = 599, b""
                    if status == 200:
                        assert json.loads(body) == {"counted": submission}
                        counted[code, record] = decision
                    else:
                        assert status >= 500, (status, body[:300])
                        failed[code] += 1
                        time.sleep(0.1)

    def kill() -> None:
        for way in WAYS:
            before = len(counted)
            while len(counted) < before + RECORDS * 2 // 8 and any(p.is_alive() for p in people):
                time.sleep(0.01)
            votes_at.append(len(counted))
            way(database)

    try:
        server.set_up(RECORDS, PEOPLE).start()
        given = {}
        for code in sorted(server.sessions.keys() - {"lead"}):
            with Browser(server, code) as browser:
                sat = browser.sitting()
                given[code] = sat["batch"], [record["id"] for record in sat["records"]]
        assert sum(len(left) for _, left in given.values()) == 2 * RECORDS
        people = [threading.Thread(target=read, args=(code,)) for code in given]
        killer = threading.Thread(target=kill)
        for thread in (*people, killer):
            thread.start()
        for thread in (*people, killer):
            thread.join(240)
        stopped.set()
        assert not any(thread.is_alive() for thread in (*people, killer))
        found = server.tell("check")
    finally:
        stopped.set()
        server.remove()
    assert len(votes_at) == len(WAYS) and votes_at[-1] < 2 * RECORDS, "it was killed while there were votes to come"
    assert sum(failed.values()) > 0, "nobody noticed: the test shows nothing"
    stand = Counter((who, record, decision) for who, record, decision, _ in found["votes"])
    assert stand == {(who, record, decision): 1 for (who, record), decision in counted.items()}
    assert len(stand) == 2 * RECORDS == found["events"]
    assert found["reveals"] == found["voted_by_two"] and len(found["reveals"]) == RECORDS
    assert found["rows"] == 2 * RECORDS == found["package"][0]
    assert found["broken"] == []
