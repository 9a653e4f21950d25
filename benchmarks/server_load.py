"""Twenty reviewers screening at once, 20,000 records, on loopback: how long the server takes to answer.

Each reviewer opens the reading page's data, votes on record after record with a pause of 0.6 to 1.4 seconds (which is
faster than anybody reads), and fetches the next batch when one is decided. Every answer is checked, and at the end the
audit chain and the number of votes. PostgreSQL first, where ``BALM_TEST_DATABASE_URL`` or ``BALM_TEST_POSTGRESQL``
names a server; SQLite beside it.

    python benchmarks/server_load.py --seconds 30

Bars, on two idle cores with PostgreSQL: median below 50 ms, 99th percentile below 300 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.web.real_server import Browser, RealServer

POSTGRESQL = os.environ.get("BALM_TEST_DATABASE_URL") or os.environ.get("BALM_TEST_POSTGRESQL") or ""
Taken = list[tuple[str, float]]


def screen(server: RealServer, code: str, until: float, taken: Taken, cast: list[str], *, pace: float) -> None:
    """One reviewer at work until the time is over."""
    drawn = random.Random(code)
    with Browser(server, code) as browser:
        time.sleep(drawn.random() * pace)
        while time.monotonic() < until:
            began = time.perf_counter()
            sat = browser.sitting()
            taken.append(("batch", time.perf_counter() - began))
            for record in sat["records"]:
                if record["vote"] is not None:
                    continue
                time.sleep(pace * drawn.uniform(0.6, 1.4))
                if time.monotonic() > until:
                    return
                submission = f"{drawn.getrandbits(96):024x}"
                decision = "include" if drawn.random() < 0.03 else "exclude"
                began = time.perf_counter()
                status, body = browser.vote(record["id"], sat["batch"], decision, submission)
                taken.append(("vote", time.perf_counter() - began))
                assert status == 200 and json.loads(body) == {"counted": submission}, (status, body[:200])
                cast.append(submission)


def warm(server: RealServer) -> None:
    """Every process answers once before anything is measured: its first answer waits for its modules."""

    def ask() -> None:
        with Browser(server, "p00") as browser:
            browser.sitting()

    jobs = [threading.Thread(target=ask) for _ in range(8 * server.workers)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()


def measure(name: str, url: str, *, records: int, people: int, seconds: float, pace: float) -> None:
    """Set a server up, load it, and say how long its answers took."""
    server = RealServer(url, workers=3, threads=8)
    try:
        began = time.perf_counter()
        server.set_up(records, people, size=20).start()
        ready = time.perf_counter() - began
        with Browser(server, "p00") as first:
            first.sitting()  # the first batch is dealt out, and the first process has loaded its modules
        warm(server)
        taken: Taken = []
        cast: list[str] = []
        until = time.monotonic() + seconds
        jobs = [
            threading.Thread(target=screen, args=(server, code, until, taken, cast), kwargs={"pace": pace})
            for code in server.sessions
            if code != "lead"
        ]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
        found = server.tell("check")
        assert sorted(cast) == sorted(submission for *_, submission in found["votes"]), "votes were lost or added"
        assert found["broken"] == [], found["broken"]
        print(f"{name}: {people} reviewers, {records:,} records, set up in {ready:.0f} s")
        for kind in ("vote", "batch"):
            times = sorted(1000 * t for k, t in taken if k == kind)
            if times:
                p99 = times[min(len(times) - 1, int(0.99 * len(times)))]
                print(
                    f"  {kind:<5} {len(times):>6} answers  median {statistics.median(times):6.1f} ms  "
                    f"p99 {p99:6.1f} ms  longest {times[-1]:6.1f} ms"
                )
        print(f"  {len(cast) / seconds:.1f} votes a second, none lost, none twice, chain unbroken")
    finally:
        server.remove()


def main() -> None:
    """Measure each database there is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--pace", type=float, default=1.0, help="seconds between a person's votes, on average")
    given = vars(parser.parse_args())
    print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    if POSTGRESQL:
        measure("PostgreSQL", POSTGRESQL, **given)
    else:
        print("BALM_TEST_DATABASE_URL names no PostgreSQL server: SQLite alone")
    measure("SQLite", "", **given)


if __name__ == "__main__":
    main()
