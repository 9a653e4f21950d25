"""How far another has read shows nowhere: worlds in which somebody finished batches and opened the next."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from balm.actions.team.screening import close_stage, deal_ahead, open_stage, sitting
from balm.actions.team.shown_package import shown_files
from balm.store.screening.models import Batch
from tests.web.conftest import Someone, Team
from tests.web.test_api import Program
from tests.web.test_screening_actions import TA, vote, with_records
from tests.web.test_screening_pages import Undone

PAGES = ("", "screening/", f"screening/{TA}/", f"screening/{TA}/next/", "flow/", "versions/", "audit/", "records/")
CALLS = ("", "/tables", "/tables/batches", "/tables/screening", f"/screening/{TA}", f"/screening/{TA}/outcomes",
         "/flow", "/events")  # fmt: skip
OWN = re.compile(rb'csrfmiddlewaretoken" value="[^"]*"|"X-CSRFToken": "[^"]*"|name="submission" value="[^"]*"')


def seen(team: Team, who: Someone) -> dict[str, object]:
    """Pages, calls of the interface and the package, file by file, as one person gets them."""
    base, program = f"/reviews/{team.review.slug}", Program(who)
    answers = {page: who.client.get(f"{base}/{page}") for page in PAGES}
    answers |= {f"api {call}": program.get(f"{base}{call}") for call in CALLS}
    found: dict[str, object] = {name: (a.status_code, OWN.sub(b"", a.content)) for name, a in answers.items()}
    for answer in (who.client.get(f"{base}/archive/package.zip"), program.get(f"{base}/package.zip")):
        with zipfile.ZipFile(io.BytesIO(answer.content)) as files:
            found |= {f"package {path}": files.read(path) for path in files.namelist()}
    return found


@pytest.mark.parametrize("who", ["teammate", "owner"])
def test_nobody_sees_how_far_another_has_read(team: Team, who: str) -> None:
    with_records(team.review)
    open_stage(team.owner.acting, TA, ["tariq", "sofia"], size=4)
    sitting(team.teammate.acting, TA)
    worlds = []
    for batches in (0, 2):
        try:
            with transaction.atomic():
                for _ in range(batches):
                    reads = sitting(team.second.acting, TA)
                    for record in reads.left if reads else ():
                        vote(team.second, record, "include")
                sitting(team.second.acting, TA)
                assert Batch.objects.count() == batches + 1
                worlds.append(seen(team, getattr(team, who)))
                raise Undone
        except Undone:
            pass
    assert sorted(k for k in worlds[0] | worlds[1] if worlds[0].get(k) != worlds[1].get(k)) == []


def test_a_batch_that_everybody_has_read_is_in_the_package(team: Team) -> None:
    with_records(team.review)
    open_stage(team.owner.acting, TA, ["tariq", "sofia"], size=4)
    program = Program(team.reader)
    for k, who in enumerate((team.teammate, team.second)):
        reads = sitting(who.acting, TA)
        for record in reads.left if reads else ():
            assert "batches.csv" not in shown_files(team.review)
            vote(who, record, "include")
        sitting(who.acting, TA)
        assert program.get(f"/reviews/{team.review.slug}/tables/batches").json()["total"] == 4 * k
    first = shown_files(team.review)["batches.csv"].decode().splitlines()
    assert len(first) == 5 and all(",1," in f",{line}," for line in first[1:])
    close_stage(team.owner.acting, TA)
    assert len(shown_files(team.review)["batches.csv"].decode().splitlines()) == 9


def test_the_next_batch_is_dealt_out_while_one_is_read(team: Team) -> None:
    with_records(team.review)
    open_stage(team.owner.acting, TA, ["tariq", "sofia"], size=4)
    for dealt in (1, 1):
        deal_ahead(team.teammate.acting, TA)
        assert Batch.objects.count() == dealt
    first = sitting(team.teammate.acting, TA)
    assert first is not None and first.batch == 1
    deal_ahead(team.teammate.acting, TA, first.batch)
    deal_ahead(team.second.acting, TA, first.batch)
    assert Batch.objects.count() == 2
    with CaptureQueriesContext(connection) as asked:
        following = sitting(team.teammate.acting, TA, after=1)
    assert following is not None and following.batch == 2
    assert not any(query["sql"].startswith(("INSERT", "UPDATE")) for query in asked)


def test_hidden_acts_neither_cost_a_page_time_nor_save_it_any(team: Team) -> None:
    with_records(team.review)
    open_stage(team.owner.acting, TA, ["tariq", "sofia"], size=4)
    pages = [
        f"/reviews/{team.review.slug}/{page}" for page in ("", "flow/", "report/", f"screening/{TA}/", "versions/")
    ]

    def queries() -> dict[str, list[str]]:
        found = {}
        for page in pages:
            with CaptureQueriesContext(connection) as asked:
                team.teammate.client.get(page)
            found[page] = [re.sub(r"\d+|'[^']*'", "?", query["sql"]) for query in asked]
        return found

    for _ in range(2):  # what is worked out once is known
        before = queries()
    for batch in range(3):
        reads = sitting(team.second.acting, TA, after=batch)
        for record in reads.left if reads else ():
            vote(team.second, record, "include")
    assert queries() == before
