"""Where two people differ: talk about it, agree, or have somebody decide who did not vote. No vote is changed."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from balm.actions.team.acting import Acting, Refused
from balm.actions.team.screening import NOTE, SCREENING, check_submission, stamp
from balm.review.screening.outcomes import (
    CONFLICT,
    DECISIONS,
    STAGES,
    check_move,
    check_vote,
    settled,
)
from balm.review.screening.visibility import may_settle
from balm.store.events.chain import append_event, lock_chain
from balm.store.reviews.models import Review
from balm.store.reviews.package_rows import add_rows
from balm.store.screening.models import Adjudication, Remark, Reveal, Vote
from balm.store.screening.standing import in_force, plan_of, reasons_of
from balm.vocabulary.problems import InputError, Problem, check_option


@dataclass(frozen=True, slots=True)
class Case:
    """A revealed record at one stage, with its votes in force, what was said, and how it was settled."""

    reveal: Reveal
    votes: tuple[Vote, ...]
    remarks: tuple[Remark, ...]
    adjudications: tuple[Adjudication, ...]

    @property
    def voters(self) -> tuple[str, ...]:
        """The codes of those who voted."""
        return tuple(v.member.code for v in self.votes)

    @property
    def outcome(self) -> str:
        """Where the record stands in the table of moves."""
        return settled(self.adjudications[-1].decision) if self.adjudications else self.reveal.outcome

    @property
    def last(self) -> Adjudication | None:
        """The adjudication in force."""
        return self.adjudications[-1] if self.adjudications else None


def case_of(review: Review, stage: str, record: str) -> Case | None:
    """The case of a record; ``None`` until it is revealed."""
    reveal = Reveal.objects.filter(review=review, stage=stage, record=record).first()
    if reveal is None:
        return None
    of = {"review": review, "stage": stage, "record": record}
    votes = in_force(Vote.objects.filter(**of).select_related("member"))
    return Case(
        reveal,
        tuple(sorted(votes.values(), key=lambda v: v.pk)),
        tuple(Remark.objects.filter(**of).select_related("member")),
        tuple(Adjudication.objects.filter(**of).select_related("member").order_by("turn")),
    )


@transaction.atomic
def adjudicate(
    acting: Acting, *, stage: str, record: str, decision: str, submission: str, reason: str = "", note: str = "",
    turn: int = 1,
) -> Adjudication:  # fmt: skip
    """Settle a conflict as somebody who did not vote on it. ``turn``: how often it was settled before, and one.

    Settling anew needs a note that says why; where somebody has settled it meanwhile, nothing is overwritten.
    """
    acting.check("adjudicate")
    _checked(acting.review, stage, decision, reason, note, submission)
    lock_chain(acting.review.key)
    came = Adjudication.objects.filter(member=acting.member, submission=submission).first()
    if came is not None:
        return came
    case = _conflict(acting.review, stage, record)
    if why := may_settle(acting.member.code, case.voters):
        raise Refused(why)
    last = case.last
    if len(case.adjudications) + 1 != turn:
        who = last.member.code if last else "nobody"
        raise InputError(f"{who} has settled {record} meanwhile; look at it again")
    if last is not None and not note.strip():
        raise InputError(Problem("settling a conflict anew needs a note that says why", column="note"))
    return _settle(acting, case, decision, reason, note.strip(), "arbiter", submission)


@transaction.atomic
def remark(
    acting: Acting, *, stage: str, record: str, submission: str, text: str = "", decision: str = "", reason: str = ""
) -> Remark:
    """Say something about a conflict. A voter's remark with a ``decision`` proposes it to the other voters.

    When the last proposals of all voters are the same, they have agreed in discussion and the conflict is settled.
    """
    acting.check("discuss")
    review, member = acting.review, acting.member
    _checked(review, stage, decision, reason, text, submission)
    lock_chain(review.key)
    came = Remark.objects.filter(member=member, submission=submission).first()
    if came is not None:
        return came
    case = _conflict(review, stage, record)
    if decision and member.code not in case.voters:
        raise Refused(f"only those who voted agree in discussion; {member.code} may settle it as arbiter, or remark")
    if decision and case.last is not None:
        raise InputError(f"{record} is settled already, by {case.last.member.code}")
    if not decision and not text.strip():
        raise InputError(Problem("must not be empty", column="text"))
    said = Remark.objects.create(
        review=review, member=member, stage=stage, record=record, text=text.strip(), decision=decision, reason=reason,
        submission=submission, at=timezone.now(),
    )  # fmt: skip
    append_event(
        review.key, acting.actor, "propose" if decision else "remark", "conflict", f"{stage}/{record}",
        after={n: v for n, v in (("text", said.text), ("decision", decision), ("reason", reason)) if v},
    )  # fmt: skip
    proposed = {r.member.code: (r.decision, r.reason) for r in (*case.remarks, said) if r.decision}
    if decision and set(proposed) >= set(case.voters) and len({proposed[v] for v in case.voters}) == 1:
        _settle(acting, case, decision, reason, f"agreed by {' and '.join(case.voters)}", "discussion", submission)
    return said


def _checked(review: Review, stage: str, decision: str, reason: str, note: str, submission: str) -> None:
    check_submission(submission)
    check_option("stage", stage, STAGES)
    if decision:
        check_option("decision", decision, tuple(d for d in DECISIONS if d != "maybe"))
        check_vote(stage, decision, reason, reasons_of(plan_of(review)))
    if len(note) > NOTE:
        raise InputError(Problem(f"holds {len(note):,} characters; the limit is {NOTE:,}", column="note"))


def _conflict(review: Review, stage: str, record: str) -> Case:
    case = case_of(review, stage, record)
    if case is None or case.reveal.outcome != CONFLICT:
        raise InputError(f"there is no conflict on {record} at {stage}")
    return case


def _settle(
    acting: Acting, case: Case, decision: str, reason: str, note: str, method: str, submission: str
) -> Adjudication:
    review, stage, record = acting.review, case.reveal.stage, case.reveal.record
    check_move(case.outcome, settled(decision))
    made = Adjudication.objects.create(
        review=review, member=acting.member, stage=stage, record=record, turn=len(case.adjudications) + 1,
        decision=decision, reason=reason, method=method, note=note, submission=submission, at=timezone.now(),
    )  # fmt: skip
    row = {
        "record": record, "stage": stage, "reviewer": acting.member.code, "decision": decision,
        "kind": "adjudication", "reason": reason, "time": stamp(made.at),
    }  # fmt: skip
    add_rows(review, SCREENING, [row])
    before = {"decision": case.last.decision, "reason": case.last.reason} if case.last else None
    append_event(
        review.key, acting.actor, "settle conflict", "conflict", f"{stage}/{record}", before=before,
        after={"decision": decision, "reason": reason, "method": method}, reason=note, entity_version=made.turn,
    )  # fmt: skip
    return made
