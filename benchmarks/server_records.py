"""20,000 records into a team's review: the import with its search for duplicates, then each page of records.

Two exports of 12,000 and 8,000 records, 4,000 of them in both, come in as the server's background work reads them;
then each page is asked for ten times. PostgreSQL first, where ``BALM_TEST_DATABASE_URL`` or ``BALM_TEST_POSTGRESQL``
names a server; SQLite beside it. Printed are seconds by the clock and of this process's CPU (the clock also counts
what else the machine does), and for pages the median of both in milliseconds.

    python benchmarks/server_records.py

Bars, on two idle cores: the import below 30 s, a page below 100 ms.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

POSTGRESQL = os.environ.get("BALM_TEST_DATABASE_URL") or os.environ.get("BALM_TEST_POSTGRESQL") or ""
PAGES = (
    "", "records/", "records/all/", "records/all/?q=word7+word9", "records/all/?page=300", "records/searches/medline/",
    "deduplication/", "deduplication/groups/", "deduplication/decisions/",
)  # fmt: skip


def exports() -> list[tuple[str, bytes]]:
    """The two files; records 8,000 to 11,999 are in both, written otherwise in the second; some hundred are doubtful."""
    drawn = random.Random(7)
    words = [f"word{k}" for k in range(4000)]
    made = [
        (" ".join(drawn.choices(words, k=12)).capitalize(), " ".join(drawn.choices(words, k=180)), drawn.randrange(900))
        for _ in range(16_000)
    ]

    def record(k: int, *, second: bool) -> str:
        title, abstract, page = made[k]
        shown = title.upper() + "." if second and k % 3 else title
        shown = title.rsplit(" ", 2)[0] if second and k % 20 == 0 else shown
        pages = page + 400 if second and k % 20 == 0 else page
        doi = "" if second and k % 4 == 0 else f"DO  - 10.1000/r{k}\n"
        return (
            f"TY  - JOUR\nTI  - {shown}\nAU  - Author{k % 3000}, Mary\nAU  - Other{k % 70}, Ann\nPY  - {1990 + k % 30}\n"
            f"JO  - Pain\nVL  - {k % 90}\nSP  - {pages}\nEP  - {pages + 7}\n{doi}AB  - {abstract}\nER  - \n"
        )

    first = "".join(record(k, second=False) for k in range(12_000))
    second = "".join(record(k, second=True) for k in range(8_000, 16_000))
    return [("medline.ris", first.encode()), ("embase.ris", second.encode())]


def timed(what: str, act: Callable[[], object], times: int = 1) -> None:
    """Run, and print the median."""
    clock, cpu = [], []
    for _ in range(times):
        began, worked = time.perf_counter(), time.process_time()
        act()
        clock.append(time.perf_counter() - began)
        cpu.append(time.process_time() - worked)
    if times > 1:
        print(f"  {what:<32} {statistics.median(clock) * 1e3:8.0f} ms   CPU {statistics.median(cpu) * 1e3:6.0f} ms")
    else:
        print(f"  {what:<32} {clock[0]:8.1f} s    CPU {cpu[0]:6.1f} s")


def measure() -> None:
    """On the database that the environment names."""
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection
    from django.test import Client

    from balm.actions.team.acting import Acting
    from balm.actions.team.deduplication import canonical_ids, canonical_records, questions
    from balm.actions.team.records import receive
    from balm.store.accounts.models import User
    from balm.store.records.models import Upload
    from balm.store.reviews.models import Member
    from balm.web.records.background import work

    settings.ALLOWED_HOSTS = ["testserver"]
    member = Member.objects.get(code="lead")
    acting = Acting(member.review, member)
    print(connection.vendor)
    files = exports()
    timed("two exports, 20,000 records, in", lambda: (receive(acting, files, {}, submission="one"), work(acting)))
    assert [u.state for u in Upload.objects.defer("content")] == ["done", "done"]
    print(f"  {len(canonical_ids(member.review)):,} records left, {len(questions(member.review)):,} questions")
    timed("canonical_records", lambda: canonical_records(member.review), 3)
    client = Client()
    client.force_login(
        User.objects.get(email="lead@example.org"), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    base = f"/reviews/{member.review.slug}/"
    for page in PAGES:
        timed(page or "the home of the review", lambda page=page: client.get(base + page), 10)
    asked = iter(questions(member.review))

    def answer() -> None:
        one = next(asked)
        data = {"record_1": one.record_1, "record_2": one.record_2, "answer": "duplicate"}
        client.post(base + "deduplication/answer/", data, headers={"HX-Request": "true"})

    timed("an answer, and the next question", answer, 10)


def main() -> None:
    """PostgreSQL where there is one, and SQLite."""
    from tests.web.real_server import RealServer

    for url in dict.fromkeys((POSTGRESQL, "")):
        server = RealServer(url)
        try:
            server.set_up(1, 2)
            subprocess.run([sys.executable, __file__, "measure"], env=server.environment, cwd=ROOT, check=True)
        finally:
            server.remove()


if __name__ == "__main__":
    measure() if sys.argv[1:] == ["measure"] else main()
