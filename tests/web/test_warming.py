"""A server process works out beforehand what its pages show, and each result once for each state of the data."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from balm.actions.clinic import reports
from balm.actions.team import publishing
from balm.registry.roles import LEAD
from balm.review.schema import TABLE_BY_FILE
from balm.store.reviews.models import Review, Row
from balm.store.reviews.package_rows import add_rows
from balm.store.synthesis import current
from balm.vocabulary.problems import InputError
from balm.web import warming
from tests.web.clinic import Ward, ward
from tests.web.test_registry_session import held

__all__ = ["ward"]


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    current.forget()


def test_the_reports_of_a_clinic_are_there_before_anybody_asks(ward: Ward, monkeypatch: Any) -> None:
    warming.warm()
    monkeypatch.setattr(reports, "audit", lambda *_, **__: pytest.fail("worked out again"))
    assert ward.get("reports/", LEAD).status_code == ward.get("reports/audit/", LEAD).status_code == 200


def test_a_change_in_a_clinic_is_seen_at_once(ward: Ward) -> None:
    before = reports.audit_of(ward.acting(LEAD))[0]
    assert reports.audit_of(ward.acting(LEAD))[0] is before
    held(ward)
    assert reports.audit_of(ward.acting(LEAD))[0].sessions == before.sessions + 1


def test_the_report_of_a_review_is_there(team: Any, monkeypatch: Any) -> None:
    warming.warm()
    monkeypatch.setattr(publishing, "build_report", lambda *_, **__: pytest.fail("worked out again"))
    assert publishing.report_of(Review.objects.get(pk=team.review.pk))


def test_what_cannot_be_worked_out_stops_nothing(team: Any, monkeypatch: Any) -> None:
    done = []

    def wrong() -> None:
        raise InputError("a cell is wrong")

    monkeypatch.setattr(warming, "_steps", lambda: iter([wrong, lambda: done.append(1)]))
    warming.warm()
    assert done == [1]


def test_who_wants_the_same_waits_and_does_not_do_it_twice() -> None:
    began, go = threading.Event(), threading.Event()
    made, got = [], []

    def make() -> str:
        made.append(1)
        began.set()
        assert go.wait(10)
        return "value"

    def ask() -> None:
        got.append(current.kept_for(("k",), 1, make))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    threads[0].start()
    assert began.wait(10)
    for thread in threads[1:]:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(10)
    assert (made, got) == ([1], ["value"] * 3)


def test_a_value_that_cannot_be_made_is_asked_for_again() -> None:
    def fail() -> None:
        raise InputError("not yet")

    with pytest.raises(InputError):
        current.kept_for(("k",), 1, fail)
    assert current.kept_for(("k",), 1, lambda: 2) == 2


def test_browsers_find_the_icon_they_ask_for_unasked(client: Client) -> None:
    response = client.get("/favicon.ico")
    assert response.status_code == 200 and response["Content-Type"] in ("image/x-icon", "image/vnd.microsoft.icon")
    assert b"".join(response.streaming_content)[:4] == b"\x00\x00\x01\x00"  # type: ignore[attr-defined]


def test_tables_that_grow_are_read_on_from_where_they_were(team: Any) -> None:
    review = team.review
    ballot = {"stage": "title-abstract", "reviewer": "p1", "kind": "vote", "time": "2026-03-01T00:00:00Z"}

    def add(record: str, decision: str = "exclude") -> None:
        add_rows(review, TABLE_BY_FILE["screening.csv"], [{**ballot, "record": record, "decision": decision}])

    def both() -> list[tuple[str, str]]:
        kept = current.revealed_votes_of(review)
        current.forget()
        assert kept == current.revealed_votes_of(review)
        return [(v.record, v.decision) for v in kept]

    there = both()
    add("a")
    add("b")
    assert both() == [*there, ("a", "exclude"), ("b", "exclude")]
    current.revealed_votes_of(review)
    add("c", "include")
    with CaptureQueriesContext(connection) as asked:
        assert current.revealed_votes_of(review)[-1].record == "c"
    assert any('"id" > ' in q["sql"] for q in asked), "only what is new is read"
    row = Row.objects.get(review=review, table="screening.csv", cells__record="b")
    row.cells, row.version = {**row.cells, "decision": "include"}, 2
    row.save()
    assert both()[-2:] == [("b", "include"), ("c", "include")]
    Row.objects.filter(pk=row.pk).delete()
    add("d")
    assert both()[len(there) :] == [("a", "exclude"), ("c", "include"), ("d", "exclude")]
