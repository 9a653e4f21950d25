"""Screening in a team: open and close a stage, deal out frozen batches, vote.

Every act is one transaction that begins by locking the review's audit chain: two people who decide in the same second
follow one another, and the second one's vote reveals the record.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from balm.actions.team.acting import Acting, Refused
from balm.actions.team.taken_home import check_screeners_know_nothing
from balm.review.members.roles import may
from balm.review.schema import TABLE_BY_FILE
from balm.review.screening.assignment import assign, batch_length, check_screeners, orphaned, reassign
from balm.review.screening.outcomes import (
    EXCLUDE,
    STAGES,
    WAITING,
    WITHDRAWN,
    Ballot,
    agreed_reason,
    check_vote,
    outcome,
)
from balm.store.events.chain import append_event, lock_chain
from balm.store.events.models import VOTE
from balm.store.records.unique import still_there, unique_records
from balm.store.reviews.models import Member, Review
from balm.store.reviews.package_rows import add_rows
from balm.store.screening.models import Batch, Opening, Order, Reveal, Vote
from balm.store.screening.order import KEPT, order_at_once, rows_to
from balm.store.screening.standing import in_force, opening_of, plan_of, reasons_of
from balm.vocabulary.problems import InputError, Problem, check_option

SCREENING, BATCHES = TABLE_BY_FILE["screening.csv"], TABLE_BY_FILE["batches.csv"]
#: Records a sitting; the first batch is the one to calibrate on (50 to 100 records).
SIZE, MOST = 50, 500
NOTE = 5000


def screeners_of(review: Review) -> list[Member]:
    """The members whose role lets them screen."""
    return [m for m in Member.objects.filter(review=review, active=True) if may(m.role, "screen")]


def open_stage(
    acting: Acting, stage: str, screeners: Sequence[str], *, experts: Sequence[str] = (), size: int = SIZE,
    reason: str = "",
) -> Opening:  # fmt: skip
    """Open a stage for the named members, or change who screens in it, or open it again.

    Where somebody no longer screens, their votes stay and what they had not voted on goes to somebody else. Who took
    the archive home while records were dealt out that are not revealed yet does not screen: they may know hidden votes.
    """
    acting.check("set up")
    check_option("stage", stage, STAGES)
    review = acting.review
    reviewers = plan_of(review).screening.reviewers
    people = list(dict.fromkeys(screeners))
    able = {m.code for m in screeners_of(review)}
    if unable := [who for who in people if who not in able]:
        raise InputError(Problem(f"must be members who may screen, {sorted(able)}; got {unable}", column="screeners"))
    check_screeners(people, experts, reviewers=reviewers)
    if not 1 <= size <= MOST:
        raise InputError(Problem(f"size must be a whole number from 1 to {MOST}; got {size}", column="size"))
    learned = True
    if not Order.objects.filter(review=review, stage=stage).exists():
        _, learned = order_at_once(review, stage, reviewers=reviewers)  # before the lock: it may take a second or two
    with transaction.atomic():
        lock_chain(review.key)
        before = opening_of(review, stage)
        check_screeners_know_nothing(review, stage, people)
        if before is not None and before.open and sorted(before.screeners) != sorted(people) and not reason.strip():
            raise InputError(Problem("a change of who screens needs a reason", column="reason"))
        opening = Opening.objects.create(
            review=review, member=acting.member, stage=stage, open=True, screeners=people, experts=list(experts),
            reviewers=reviewers, size=size, reason=reason.strip(),
        )  # fmt: skip
        append_event(
            review.key, acting.actor, "open screening" if before is None or not before.open else "change screening",
            "screening stage", stage, before=_told(before), after=_told(opening), reason=reason.strip(),
        )  # fmt: skip
        _requeue(acting, opening)
        if not learned:
            transaction.on_commit(partial(order_soon, review, stage))
    return opening


@transaction.atomic
def close_stage(acting: Acting, stage: str, *, reason: str = "") -> Opening:
    """Close a stage: no vote is taken any more. Votes that wait for a second one stay hidden, and keep waiting."""
    acting.check("set up")
    lock_chain(acting.review.key)
    before = _open(acting.review, stage)
    opening = Opening.objects.create(
        review=acting.review, member=acting.member, stage=stage, open=False, screeners=before.screeners,
        experts=before.experts, reviewers=before.reviewers, size=before.size, reason=reason.strip(),
    )  # fmt: skip
    append_event(
        acting.review.key, acting.actor, "close screening", "screening stage", stage,
        before=_told(before), after=_told(opening), reason=reason.strip(),
    )  # fmt: skip
    return opening


def _told(opening: Opening | None) -> dict[str, object] | None:
    names = ("open", "screeners", "experts", "reviewers", "size")
    return {name: getattr(opening, name) for name in names} if opening else None


def _open(review: Review, stage: str) -> Opening:
    check_option("stage", stage, STAGES)
    opening = opening_of(review, stage)
    if opening is None or not opening.open:
        raise InputError(f"screening at {stage} is not open; the lead of the review opens it")
    return opening


@dataclass(frozen=True, slots=True)
class Sitting:
    """What one member reads now: their records of the first batch in which some are left, and their votes there."""

    batch: int
    records: tuple[str, ...]
    votes: dict[str, Vote]
    own: int  # records this member has voted on at the stage

    @property
    def left(self) -> tuple[str, ...]:
        """Those without a vote."""
        return tuple(r for r in self.records if r not in self.votes)


def sitting(acting: Acting, stage: str, *, after: int = 0) -> Sitting | None:
    """The member's sitting, from batches behind number ``after``; a batch is dealt out where there is none left.

    It rests on the member's own votes and on batches, which rest on revealed outcomes: nothing of it tells another's
    hidden vote. ``None``: there is nothing to read.
    """
    acting.check("screen")
    opening = _open(acting.review, stage)
    if acting.member.code not in opening.screeners:
        raise Refused(f"you do not screen at {stage}; the lead of the review says who does")
    own = own_count(acting, stage)
    found = _first_left(acting, stage, after)
    while found is None and _deal(acting, stage, after):
        found = _first_left(acting, stage, after)
    if found is None:
        return None
    batch, records, votes = found
    return Sitting(batch, records, votes, own)


def own_count(acting: Acting, stage: str) -> int:
    """On how many records, as they are now, a member has a vote in force: of those merged since, one counts."""
    votes = Vote.objects.filter(member=acting.member, stage=stage)
    later = votes.filter(record=OuterRef("record"), turn__gt=OuterRef("turn"))
    there = unique_records(acting.review).filter(record=OuterRef("record"))
    return votes.filter(~Exists(later), Exists(there)).exclude(decision=WITHDRAWN).count()


Left = tuple[int, tuple[str, ...], dict[str, Vote]]


def _first_left(acting: Acting, stage: str, after: int) -> Left | None:
    """The first batch with records left to the member.

    Batches are read one after the other, so the last one voted in is where to begin, together with any in which a vote
    was taken back; only where these and all later ones are done is every batch looked at.
    """
    mine = Vote.objects.filter(member=acting.member, stage=stage)
    back = set(mine.filter(decision=WITHDRAWN).values_list("batch", flat=True))
    last = mine.order_by("-batch").values_list("batch", flat=True).first() or 0
    all_of = Batch.objects.filter(review=acting.review, stage=stage, number__gt=after).order_by("number")
    for batch in all_of.filter(number__in=back - {last}):
        if found := _left_in(acting, batch):
            return found
    number = last - 1
    while batch := all_of.filter(number__gt=number).first():  # one by one: how many more there are tells on nobody
        if found := _left_in(acting, batch):
            return found
        number = batch.number
    for batch in all_of.filter(number__lt=last).exclude(number__in=back):
        if found := _left_in(acting, batch):
            return found
    return None


def _left_in(acting: Acting, batch: Batch) -> Left | None:
    code = acting.member.code
    records = tuple(r for r in batch.records if code in batch.readers.get(r, ()))
    if not records:
        return None
    given = Vote.objects.filter(member=acting.member, stage=batch.stage, batch=batch.number)
    votes = {record: vote for (record, _), vote in in_force(given).items()}
    if all(r in votes for r in records):
        return None
    there = still_there(acting.review, records)
    records = tuple(r for r in records if r in there or r in votes)  # not what was set aside as a duplicate since
    return (batch.number, records, votes) if any(r not in votes for r in records) else None


def deal_ahead(acting: Acting, stage: str, batch: int = 0) -> None:
    """Deal out the batch behind number ``batch``, where there is none yet.

    Called while a batch is being read, so that the next one is there whoever comes first: who asked for it and waited
    until it was dealt out would know that nobody had come so far.
    """
    if not Batch.objects.filter(review=acting.review, stage=stage, number__gt=batch).exists():
        _deal(acting, stage, batch)


def _deal(acting: Acting, stage: str, after: int) -> bool:
    """Deal out the next batch; whether there was one."""
    review = acting.review
    reviewers = _open(review, stage).reviewers
    order = Order.objects.filter(review=review, stage=stage).first()
    if order is None:
        return _freeze(acting, stage, *order_at_once(review, stage, reviewers=reviewers), after)
    current = stage == "title-abstract" and order.rows_to == rows_to(review)
    if _freeze(acting, stage, order, current or stage == "full-text", after):
        return True
    if current and len(order.records) < KEPT:
        return False  # it held everything that was left
    return _freeze(acting, stage, *order_at_once(review, stage, reviewers=reviewers), after)


@transaction.atomic
def _freeze(acting: Acting, stage: str, order: Order, learned: bool, after: int) -> bool:
    """Cut the next batch from ``order``; where that is not ``learned`` from what there is, learn one meanwhile."""
    review = acting.review
    lock_chain(review.key)
    opening = _open(review, stage)
    _requeue(acting, opening)
    if _first_left(acting, stage, after):
        return True  # somebody dealt one out meanwhile, or what a reader left behind was given out again
    dealt = Batch.objects.filter(review=review, stage=stage)
    held = {r for records in dealt.filter(again=False).values_list("records", flat=True) for r in records}
    people = _still_here(review, opening)
    if len(people) < opening.reviewers:
        raise InputError(f"screening at {stage} needs {opening.reviewers} people; the lead of the review names them")
    length = batch_length(opening.size, len(people), reviewers=opening.reviewers)
    waiting = [r for r in order.records if r not in held][:length]
    there = still_there(review, waiting)
    records = [r for r in waiting if r in there]
    if not records:
        return False
    number = dealt.count() + 1
    experts = [e for e in opening.experts if e in people]
    batch = Batch.objects.create(
        review=review, stage=stage, number=number, records=records, basis=order.basis, learned=order.learned,
        readers=assign(records, people, experts, reviewers=opening.reviewers, turn=number - 1),
    )  # fmt: skip
    shared = {
        "batch": str(dealt.filter(again=False).count()), "stage": stage, "basis": order.basis,
        "learned": str(order.learned), "time": stamp(batch.at),
    }  # fmt: skip
    add_rows(
        review, BATCHES, ({**shared, "place": str(k), "record": record} for k, record in enumerate(records, start=1))
    )
    append_event(
        review.key, acting.actor, "deal out batch", "batch", f"{stage}/{number}",
        after={"records": records, "readers": batch.readers, "basis": order.basis, "learned": order.learned},
    )  # fmt: skip
    if not learned:
        transaction.on_commit(partial(order_soon, review, stage))
    return True


def _still_here(review: Review, opening: Opening) -> list[str]:
    able = {m.code for m in screeners_of(review)}
    return [who for who in opening.screeners if who in able]


def give_out_again(acting: Acting) -> None:
    """Give out again what waits for somebody who may not screen any more, at every stage that is open.

    Call it in the transaction in which they left. Where too few are left to read, it waits until the lead names others.
    """
    for stage in STAGES:
        opening = opening_of(acting.review, stage)
        if opening is not None and opening.open:
            _requeue(acting, opening)


def _requeue(acting: Acting, opening: Opening) -> None:
    """Give out again what waits for a reader who left; a batch of its own, as what is frozen stays."""
    review, stage = acting.review, opening.stage
    people = _still_here(review, opening)
    batches = Batch.objects.filter(review=review, stage=stage)
    readers: dict[str, list[str]] = {}
    for given in batches.values_list("readers", flat=True):
        for record, who in given.items():
            readers.setdefault(record, []).extend(w for w in who if w not in readers.get(record, ()))
    if all(who in people for named in readers.values() for who in named):
        return
    done = set(Reveal.objects.filter(review=review, stage=stage).values_list("record", flat=True))
    votes = in_force(Vote.objects.filter(review=review, stage=stage).select_related("member"))
    voted: dict[str, list[str]] = {}
    for (record, _), vote in votes.items():
        voted.setdefault(record, []).append(vote.member.code)
    orphans = orphaned({r: who for r, who in readers.items() if r not in done}, voted, people)
    again = reassign(orphans, people, opening.experts, reviewers=opening.reviewers)
    if not again:
        return
    number = batches.count() + 1
    Batch.objects.create(
        review=review, stage=stage, number=number, again=True, records=list(again), readers=again, basis="again"
    )
    append_event(review.key, acting.actor, "give out again", "batch", f"{stage}/{number}", after={"readers": again})


@dataclass(frozen=True, slots=True)
class Cast:
    """A vote that was counted. ``outcome`` is ``waiting`` until everybody who was to vote has voted."""

    vote: Vote
    outcome: str
    repeated: bool = False  # the same submission came before: it was counted then


@transaction.atomic
def cast_vote(
    acting: Acting, *, stage: str, record: str, decision: str, submission: str, reason: str = "", note: str = "",
    batch: int | None = None, seconds: float | None = None, order_shown: int | None = None,
) -> Cast:  # fmt: skip
    """Vote on a record, change one's mind, or take the vote back (``withdrawn``), as long as it is not revealed.

    ``submission`` is made by the client, once for each decision: sent twice it counts once.
    """
    acting.check("screen")
    review, member = acting.review, acting.member
    check_submission(submission)
    head = lock_chain(review.key)
    came = Vote.objects.filter(member=member, submission=submission).first()
    if came is not None:
        if (came.stage, came.record, came.decision) != (stage, record, decision):
            reason = "this submission is of another vote; a new vote needs a new one"
            raise InputError(Problem(reason, column="submission"))
        return Cast(came, _outcome(review, stage, record), repeated=True)
    opening = _open(review, stage)
    reasons = reasons_of(plan_of(review)) if stage == "full-text" else ()
    check_vote(stage, decision, reason, reasons)
    if len(note) > NOTE:
        raise InputError(Problem(f"holds {len(note):,} characters; the limit is {NOTE:,}", column="note"))
    given = _reading(acting, opening, record, batch)
    if Reveal.objects.filter(review=review, stage=stage, record=record).exists():
        raise InputError(
            f"everybody has voted on {record} and the votes are open: a vote is not changed any more. "
            "Where they differ, say so in the discussion of the conflict"
        )
    votes = list(Vote.objects.filter(review=review, stage=stage, record=record).select_related("member"))
    before = in_force(votes).get((record, member.pk))
    if decision == WITHDRAWN and before is None:
        raise InputError(f"there is no vote of yours on {record} to take back")
    vote = Vote.objects.create(
        review=review, member=member, stage=stage, record=record, decision=decision, reason=reason,
        turn=sum(v.member_id == member.pk for v in votes) + 1, note=note.replace("\x00", ""), batch=given.number,
        submission=submission, at=timezone.now(), seconds=_bounded(seconds), order_shown=order_shown,
    )  # fmt: skip
    force = list(in_force([*votes, vote]).values())
    ballots = [Ballot(v.decision, v.reason) for v in force]
    found = outcome(ballots, reviewers=opening.reviewers)
    after: dict[str, object] = {"decision": decision, "batch": given.number}
    after |= {name: value for name, value in (("reason", reason), ("note", vote.note)) if value}
    if found != WAITING:
        first = agreed_reason(ballots, reasons) if found == EXCLUDE else ""
        _reveal(given, record, found, first, force)
        after["outcome"] = found
    told = {"decision": before.decision, "reason": before.reason} if before else None
    append_event(
        review.key, acting.actor, "take vote back" if decision == WITHDRAWN else "vote", VOTE, f"{stage}/{record}",
        before=told, after=after, entity_version=vote.turn, head=head,
    )  # fmt: skip
    return Cast(vote, found)


def check_submission(submission: str) -> None:
    """A submission id that a client can have made: it counts once."""
    if not 8 <= len(submission) <= 64 or not submission.isascii() or not submission.isprintable():
        raise InputError(Problem("must be 8 to 64 letters or digits, made anew for each decision", column="submission"))


def _bounded(seconds: float | None) -> float | None:
    return None if seconds is None or not math.isfinite(seconds) else round(min(max(seconds, 0.0), 86_400.0), 1)


def _reading(acting: Acting, opening: Opening, record: str, batch: int | None) -> Batch:
    """The batch in which the member was given the record; only those who were given it vote on it."""
    code = acting.member.code
    if code not in opening.screeners:
        raise Refused(f"you do not screen at {opening.stage}; the lead of the review says who does")
    batches = Batch.objects.filter(review=acting.review, stage=opening.stage).select_related("review")
    some = batches.filter(number=batch) if batch is not None else batches.filter(readers__has_key=record)
    for given in some.order_by("number"):
        if code in given.readers.get(record, ()):
            return given
    raise InputError(f"record {record!r} was not given to you at {opening.stage}")


def _outcome(review: Review, stage: str, record: str) -> str:
    reveal = Reveal.objects.filter(review=review, stage=stage, record=record).first()
    return reveal.outcome if reveal else WAITING


def _reveal(batch: Batch, record: str, found: str, reason: str, votes: list[Vote]) -> None:
    """Open a record: its votes stand in the package's table from now on."""
    review, stage = batch.review, batch.stage
    Reveal.objects.create(review=review, stage=stage, record=record, outcome=found, reason=reason, batch=batch.number)
    rows = [
        {
            "record": record, "stage": stage, "reviewer": v.member.code, "decision": v.decision, "kind": "vote",
            "reason": v.reason, "time": stamp(v.at),
        }
        for v in sorted(votes, key=lambda v: v.pk)
    ]  # fmt: skip
    add_rows(review, SCREENING, rows)
    opened = Reveal.objects.filter(review=review, stage=stage, batch=batch.number).count()
    if stage != "full-text" and opened == len(batch.records):
        transaction.on_commit(partial(order_soon, review, stage))


def order_soon(review: Review, stage: str) -> None:
    """Learn the next order in a process of its own: pages go on meanwhile, with the order that stands."""
    if os.environ.get("BALM_RANKING") == "off":
        return
    subprocess.Popen(
        [sys.executable, "-m", "balm.web", "order_screening", review.slug, stage],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def stamp(at: object) -> str:
    """A time as the package's tables write it."""
    return at.isoformat(timespec="microseconds")  # type: ignore[attr-defined,no-any-return]
