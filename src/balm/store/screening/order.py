"""The order in which what is left is read: learned from revealed outcomes of finished batches, and kept for the next.

Ranking 20,000 records takes some seconds, so it is done apart from the pages: a batch is cut from the order that stands
ready, and a new order is learned when everybody has finished a batch. Until the first one is learned, an order made at
once stands in for it.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max
from django.db.models.fields.json import KT

from balm.review.screening.batches import finished, learnable
from balm.review.screening.first_look import first_look
from balm.review.screening.frozen import Batch as Frozen
from balm.review.screening.ranking import rank
from balm.store.records.unique import still_there, unique_records
from balm.store.reviews.models import Review, Row
from balm.store.screening.models import Batch, Order
from balm.store.screening.standing import forward, package_votes, plan_of
from balm.vocabulary.record import Record

#: An order is kept up to here: many batches long, and never the whole of a large search.
KEPT = 3000
#: Up to so many records an order is learned while somebody waits for it: some tenths of a second.
AT_ONCE = 1500


def frozen_batches(review: Review, stage: str) -> list[Frozen]:
    """The batches dealt out so far, as the pure rules know them; those given out again hold nothing new."""
    rows = Batch.objects.filter(review=review, stage=stage, again=False).order_by("number")
    return [Frozen(b.number, tuple(b.records), b.basis) for b in rows]


def rows_to(review: Review) -> list[int]:
    """Up to which rows of ``records.csv`` and ``duplicates.csv`` the records are known."""
    last = dict(
        Row.objects.filter(review=review, table__in=("records.csv", "duplicates.csv"))
        .order_by()
        .values_list("table")
        .annotate(last=Max("position"))
    )
    return [last.get("records.csv", -1), last.get("duplicates.csv", -1)]


def order_at_once(review: Review, stage: str, *, reviewers: int = 2) -> tuple[Order, bool]:
    """An order for somebody who waits, and whether it is the learned one.

    Of a large search it is made by :func:`balm.review.screening.first_look.first_look` in about a second, and the
    caller has the learned one made apart from the page.
    """
    if stage == "full-text" or unique_records(review).count() <= AT_ONCE:
        return learn_order(review, stage, reviewers=reviewers), True
    upto = rows_to(review)
    held = {record for batch in frozen_batches(review, stage) for record in batch.records}
    read = held | finished(package_votes(review, stage), reviewers=reviewers)
    records = [record for record in _texts(review) if record.id not in read]
    found, basis = first_look([f"{r.title} {r.abstract}" for r in records], _question(review))
    return _kept(review, stage, [records[k].id for k in found], basis, 0, upto), False


def learn_order(review: Review, stage: str, *, reviewers: int = 2) -> Order:
    """Learn the order of what no batch holds, and keep it in place of the one before.

    At title and abstract it is learned as :func:`balm.review.screening.batches.next_batch` learns it; full texts are
    few, and are read in the order in which they went forward. Nothing is locked while it is learned.
    """
    upto = rows_to(review)
    batches = frozen_batches(review, stage)
    held = {record for batch in batches for record in batch.records}
    basis, learned = "chance", 0
    if stage == "full-text":
        sought = [record for record in forward(review) if record not in held]
        there = still_there(review, sought)
        waiting = [record for record in sought if record in there]
    else:
        records = _texts(review)
        there = {record.id for record in records}
        votes = package_votes(review, stage)
        current = [Frozen(b.number, tuple(r for r in b.records if r in there), b.basis) for b in batches]
        known = {r: o for r, o in learnable(votes, current, reviewers=reviewers).items() if r in there}
        read = finished(votes, reviewers=reviewers)
        ranking = rank(records, known, question=_question(review))
        waiting = [str(i) for i in ranking.ids if i not in held and i not in read]
        basis, learned = ranking.basis, len(known)
    return _kept(review, stage, waiting, basis, learned, upto)


def _texts(review: Review) -> list[Record]:
    rows = (
        unique_records(review).order_by("position").values_list("record", KT("values__title"), KT("values__abstract"))
    )
    return [Record(i, title=title or "", abstract=abstract or "") for i, title, abstract in rows.iterator(5000)]


def _kept(review: Review, stage: str, waiting: list[str], basis: str, learned: int, upto: list[int]) -> Order:
    with transaction.atomic():
        order, _ = Order.objects.update_or_create(
            review=review, stage=stage,
            defaults={"records": waiting[:KEPT], "basis": basis, "learned": learned, "rows_to": upto},
        )  # fmt: skip
    return order


def _question(review: Review) -> str:
    asked = plan_of(review).question
    return " ".join((asked.population, asked.intervention, asked.comparators, asked.outcomes))
