"""Opening a large search does not wait for its ranking: an order made at once stands in until then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from balm.actions.team import screening
from balm.actions.team.screening import open_stage, sitting
from balm.store.records import unique
from balm.store.records.models import UniqueRecord
from balm.store.records.unique import unique_records
from balm.store.reviews.models import Row
from balm.store.screening import order
from balm.store.screening.models import Batch, Order
from balm.store.screening.order import learn_order, order_at_once
from tests.web.conftest import Team
from tests.web.test_screening_actions import TA, with_records

Started = list[tuple[str, str]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """The rankings that were started apart; more than ten records count as many."""
    found: Started = []
    monkeypatch.setattr(order, "AT_ONCE", 10)
    monkeypatch.setattr(screening, "order_soon", lambda review, stage: found.append((review.slug, stage)))
    return found


def refuse(*given: Any, **more: Any) -> Any:
    raise AssertionError("a ranking was waited for")


def test_a_large_search_opens_without_waiting_and_is_ranked_apart(
    team: Team,
    started: Started,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with_records(team.review, 12)
    with monkeypatch.context() as ranking, django_capture_on_commit_callbacks(execute=True):
        ranking.setattr(order, "rank", refuse)
        open_stage(team.owner.acting, TA, ["tariq", "sofia"], size=5)
    assert started == [(team.review.slug, TA)]
    assert Order.objects.get().basis == "likeness"
    first = sitting(team.teammate.acting, TA)
    assert first is not None and len(first.records) == 5
    learned = learn_order(team.review, TA)
    assert len(learned.records) == 7 and not set(learned.records) & set(first.records)


def test_where_no_order_stands_the_reader_does_not_wait_either(
    team: Team,
    started: Started,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with_records(team.review, 12)
    open_stage(team.owner.acting, TA, ["tariq", "sofia"], size=5)
    Order.objects.all().delete()  # as after an archive was brought
    monkeypatch.setattr(order, "rank", refuse)
    started.clear()
    with django_capture_on_commit_callbacks(execute=True):
        assert sitting(team.teammate.acting, TA) is not None
        assert sitting(team.second.acting, TA) is not None
    assert Batch.objects.count() == 1
    assert started == [(team.review.slug, TA)]


def test_a_small_search_is_ranked_while_the_lead_waits(team: Team, started: Started) -> None:
    with_records(team.review, 10)
    _, learned = order_at_once(team.review, TA)
    assert learned and not started


def test_unique_records_are_worked_out_before_the_lock_and_again_where_rows_came_meanwhile(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_records(team.review, 3)
    plans = unique._planned
    calls: list[int] = []

    def others_come(review: Any) -> Any:
        made = plans(review)
        calls.append(len(made.new))
        if len(calls) == 1:
            rows = [{"record": "late", "title": "Came meanwhile"}]
            with transaction.atomic():
                Row.objects.create(review=review, table="records.csv", key="late", position=10_000, cells=rows[0])
        return made

    monkeypatch.setattr(unique, "_planned", others_come)
    found = set(unique_records(team.review).values_list("record", flat=True))
    assert {"r1", "r2", "r3", "late"} <= found and len(calls) == 2
    assert UniqueRecord.objects.filter(record="late").count() == 1


def test_of_several_who_come_at_once_one_writes(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    with_records(team.review, 3)
    plans, wrote = unique._planned, []

    def another_was_faster(review: Any) -> Any:
        made = plans(review)
        unique.refresh(review)
        return made

    def planned_once(review: Any) -> Any:
        monkeypatch.setattr(unique, "_planned", plans)
        return another_was_faster(review)

    writes = unique._write
    monkeypatch.setattr(unique, "_planned", planned_once)
    monkeypatch.setattr(unique, "_write", lambda *given: (wrote.append(1), writes(*given)))
    assert set(unique_records(team.review).values_list("record", flat=True)) >= {"r1", "r2", "r3"}
    assert wrote == [1]


def test_some_records_are_looked_up_and_not_found_by_walking_through_all(team: Team) -> None:
    with_records(team.review, 40)
    assert unique_records(team.review).count() >= 40
    rows = Row.objects.filter(review=team.review, table="records.csv")
    for some in (unique_records(team.review).filter(record__in=["r1", "r2"]), rows.filter(key__in=["r1"]).order_by()):
        told = str(some.explain())
        assert "in_order" not in told and ("SEARCH" in told or "Scan" in told), told
