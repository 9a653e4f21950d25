"""The PRISMA flow of a review on the server: counted from decisions, checked each time, and blind to hidden votes."""

from __future__ import annotations

import csv
import io
import re
from html import unescape

import pytest
from django.db import transaction

from balm.actions.team.flow import current_flow
from balm.actions.team.rows import append_rows, put_row
from balm.actions.team.screening import open_stage
from balm.actions.team.screening_conflicts import adjudicate
from balm.report.flow_table import COLUMNS, ROWS
from balm.review.flow import Flow
from balm.review.flow_counts import flow_of
from balm.store.full_texts.models import Attempt
from balm.store.reviews.package_rows import package_of
from balm.store.synthesis.current import forget
from tests.web.conftest import Team
from tests.web.test_screening_actions import FT, TA, records_of, vote

PAGES = ("", "prisma-flow.svg", "prisma-flow.csv")


@pytest.fixture
def screening(team: Team) -> Team:
    """Six records of one search, two of them the same report; title and abstract open to tariq and sofia."""
    search = {"search": "s1", "kind": "database", "source": "Medline", "retrieved": "6"}
    append_rows(team.owner.acting, "searches.csv", [search])
    append_rows(
        team.owner.acting, "records.csv",
        [{"record": f"r{k}", "search": "s1", "title": f"Ketamine infusion, trial {k}"} for k in range(1, 7)],
    )  # fmt: skip
    same = {"record_1": "r1", "record_2": "r6", "decision": "duplicate", "person": "olga", "time": "2026-01-01T00:00Z"}
    append_rows(team.owner.acting, "duplicates.csv", [same])
    open_stage(team.owner.acting, TA, ["tariq", "sofia"])
    return team


def address(team: Team, more: str = "") -> str:
    return f"/reviews/{team.review.slug}/flow/{more}"


def text_of(body: bytes) -> str:
    return unescape(body.decode())


def test_without_a_search_everything_is_not_known(team: Team) -> None:
    page = text_of(team.reader.client.get(address(team)).content)
    assert "Records screened (n not known)" in page and "Every sum that can be checked holds" in page
    assert "Not known:" in page and "Records screened (n = 0)" not in page


def test_it_is_the_flow_of_the_package_at_any_moment(screening: Team) -> None:
    steps = [("r1", "include", "include"), ("r2", "exclude", "exclude"), ("r3", "exclude", "include")]
    for record, one, two in steps:
        records_of(screening.teammate), records_of(screening.second)
        vote(screening.teammate, record, one)
        vote(screening.second, record, two)
        pooled = {"noppers2011"}
        counted = flow_of(package_of(screening.review), pooled)
        here = current_flow(screening.review)
        assert here.problems() == ()
        for name in ("duplicates", "records_screened", "records_waiting", "records_excluded", "dbr_sought_reports"):
            assert getattr(here, name) == getattr(counted, name), name
    adjudicate(screening.arbiter.acting, stage=TA, record="r3", decision="include", submission="settled-1", note="why")
    flow = current_flow(screening.review)
    assert (flow.database_results, flow.duplicates, flow.records_screened, flow.records_waiting) == (6, 1, 3, 2)
    assert (flow.records_excluded, flow.dbr_sought_reports) == (1, 2)
    page = text_of(screening.reader.client.get(address(screening)).content)
    assert "Records screened (n = 3)" in page and "waiting for a decision (n = 2)" in page


@pytest.mark.parametrize("mine", ["include", "exclude", None])
@pytest.mark.parametrize("who", ["teammate", "statistician", "owner", "reader", "arbiter"])
def test_no_page_changes_with_a_hidden_vote(screening: Team, mine: str | None, who: str) -> None:
    """Worlds that differ only in what sofia decided on records that tariq has not voted on: the same bytes."""
    records_of(screening.teammate), records_of(screening.second)
    if mine:
        vote(screening.teammate, "r1", mine)
        vote(screening.second, "r1", "include")
    client = getattr(screening, who).client
    worlds = set()
    for decisions in ((), ("include", "include"), ("exclude", "exclude"), ("maybe",)):
        forget()
        with transaction.atomic():
            for record, decision in zip(("r2", "r3"), decisions, strict=False):
                vote(screening.second, record, decision)
            bodies = [client.get(address(screening, page)).content for page in PAGES]
            if who in ("teammate", "reader"):  # one report for all who may open it, and a second to work out
                bodies.append(client.get(f"/reviews/{screening.review.slug}/report/").content)
            bodies.append(client.get(f"/reviews/{screening.review.slug}/synthesis/").content)
            worlds.add(
                re.sub(rb'(csrf[a-z]*|submission|CSRFToken)"[^>]{0,20}"[A-Za-z0-9]{32,64}"', b"", b"".join(bodies))
            )
            transaction.set_rollback(True)
    forget()
    assert len(worlds) == 1


def test_once_both_have_voted_the_flow_follows(screening: Team) -> None:
    records_of(screening.teammate), records_of(screening.second)
    vote(screening.teammate, "r1", "include")
    before = screening.teammate.client.get(address(screening)).content
    vote(screening.second, "r1", "include")
    assert screening.teammate.client.get(address(screening)).content != before


def test_counts_that_do_not_add_up_are_drawn_and_said(screening: Team) -> None:
    cells = {"search": "s1", "kind": "database", "source": "Medline", "retrieved": "60"}
    put_row(screening.owner.acting, "searches.csv", cells, reason="a typing error")
    records_of(screening.teammate), records_of(screening.second)
    vote(screening.teammate, "r1", "include")
    vote(screening.second, "r1", "include")
    page = screening.reader.client.get(address(screening))
    assert page.status_code == 200
    assert "Does not add up" in text_of(page.content) and "Records identified (60)" in text_of(page.content)
    assert "Does not add up" in screening.reader.client.get(address(screening, "prisma-flow.svg")).content.decode()
    report = screening.reader.client.get(f"/reviews/{screening.review.slug}/report/")
    assert report.status_code == 200 and "Does not add up" in text_of(report.content)


def test_full_texts_with_their_reasons(screening: Team) -> None:
    records_of(screening.teammate), records_of(screening.second)
    for record in ("r1", "r2", "r3", "r4", "r5"):
        vote(screening.teammate, record, "include")
        vote(screening.second, record, "maybe")
    open_stage(screening.owner.acting, FT, ["tariq", "sofia"])
    records_of(screening.teammate, FT), records_of(screening.second, FT)
    for record, reason in (("r1", "wrong population"), ("r2", "no full text")):
        vote(screening.teammate, record, "exclude", stage=FT, reason=reason)
        vote(screening.second, record, "exclude", stage=FT, reason=reason)
    flow = current_flow(screening.review)
    assert (flow.dbr_sought_reports, flow.dbr_notretrieved_reports, flow.dbr_waiting) == (5, 1, 3)
    assert (flow.dbr_assessed, flow.dbr_excluded) == (1, 1)
    assert ("wrong population", 1) in flow.dbr_excluded_reasons


def test_the_options_change_the_drawing(screening: Team) -> None:
    whole = screening.reader.client.get(address(screening, "prisma-flow.svg")).content.decode()
    less = screening.reader.client.get(address(screening, "prisma-flow.svg?hide=removed before screening")).content
    assert "Duplicate records" in whole and "Duplicates" not in less.decode()
    part = screening.reader.client.get(address(screening, "?hide=retrieval"), headers={"HX-Request": "true"})
    assert "<html" not in text_of(part.content) and "Reports sought" not in text_of(part.content)
    wrong = screening.reader.client.get(address(screening, "?hide=everything"))
    assert wrong.status_code == 422 and "hide must be one of" in text_of(wrong.content)


@pytest.mark.parametrize(("ending", "start"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_it_is_taken_away_as_a_figure(screening: Team, ending: str, start: bytes) -> None:
    response = screening.reader.client.get(address(screening, f"prisma-flow.{ending}?download=1"))
    assert response.content.startswith(start) and ending in response.headers["Content-Disposition"]
    assert screening.reader.client.get(address(screening, "prisma-flow.gif")).status_code == 404


def test_the_table_has_the_keys_of_the_exchange_format(screening: Team) -> None:
    body = screening.reader.client.get(address(screening, "prisma-flow.csv")).content.decode()
    rows = list(csv.DictReader(io.StringIO(body)))
    assert tuple(rows[0]) == COLUMNS and len(rows) == len(ROWS)
    cells = {row["data"]: row["n"] for row in rows}
    flow = current_flow(screening.review)
    assert cells["database_results"] == "6" and cells["database_specific_results"] == "Medline, 6"
    assert cells["records_screened"] == "" and cells["duplicates"] == "1", "not known is empty, never 0"
    for key, value in cells.items():
        if key != "NA" and value.isdigit() and hasattr(flow, key):
            assert int(value) == getattr(flow, key)
    assert {k for k, _, _ in ROWS if k} - {"identification", "screening", "included"} <= {*Flow.__dataclass_fields__}


def test_strangers_and_anonymous_people_see_nothing(team: Team) -> None:
    for page in PAGES:
        assert team.stranger.client.get(address(team, page)).status_code == 404
        assert team.anonymous.get(address(team, page)).status_code == 302


def test_a_report_that_could_not_be_had_counts_as_not_retrieved(screening: Team) -> None:
    records_of(screening.teammate), records_of(screening.second)
    for record in ("r1", "r2"):
        vote(screening.teammate, record, "include")
        vote(screening.second, record, "include")
    for report, status in (("r1", "not retrieved"), ("r2", "not retrieved"), ("r2", "obtained")):
        Attempt.objects.create(
            review=screening.review, member=screening.owner.member, report=report, status=status, on="2026-03-01",
            submission=f"{report} {status}",
        )  # fmt: skip
    forget()
    flow = current_flow(screening.review)
    assert (flow.dbr_sought_reports, flow.dbr_notretrieved_reports, flow.dbr_waiting) == (2, 1, 1)


def test_ids_and_titles_that_read_as_numbers_are_texts(team: Team) -> None:
    """A PubMed id as the id of a record: a database that reads it as a number would lose its votes."""
    search = {"search": "2020", "kind": "database", "source": "Medline", "retrieved": "3"}
    append_rows(team.owner.acting, "searches.csv", [search])
    rows = [{"record": i, "search": "2020", "title": i} for i in ("20495588", "true", "1e3")]
    append_rows(team.owner.acting, "records.csv", rows)
    open_stage(team.owner.acting, TA, ["tariq", "sofia"])
    for who, decisions in ((team.teammate, ("include",) * 2), (team.second, ("include", "exclude"))):
        assert sorted(records_of(who)) == ["1e3", "20495588", "true"]
        for record, decision in zip(("20495588", "1e3"), decisions, strict=True):
            vote(who, record, decision)
    flow = current_flow(team.review)
    assert (flow.records_screened, flow.records_waiting, flow.dbr_sought_reports) == (1, 2, 1)
    assert flow.database_specific_results == (("Medline", 3),) and flow.problems() == ()
    conflicts = f"/reviews/{team.review.slug}/screening/{TA}/"
    for page in ("conflicts/", "mine/", ""):
        assert "1e3" in text_of(team.teammate.client.get(conflicts + page).content), page
    assert "2020" in text_of(team.reader.client.get(f"/reviews/{team.review.slug}/records/all/true/").content)
