"""Settling for programs: conflicts of screening, differences of extraction, consensus on risk of bias."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any, Literal

from django.http import Http404, HttpRequest
from ninja import Query, Schema
from pydantic import Field

from balm.actions.team import extraction, risk_of_bias, risk_of_bias_discussion
from balm.actions.team.screening_conflicts import Case, adjudicate, case_of, remark
from balm.review.risk_of_bias.standing import why_not_decide
from balm.store.extraction.current import proposals_of, standings, studies_of, written_studies
from balm.store.risk_of_bias.models import Agreed, Assessment, Proposal
from balm.store.risk_of_bias.standing import agreed_of, assessments_of, standing_of
from balm.store.risk_of_bias.standing import proposals_of as bias_proposals_of
from balm.store.screening.models import Adjudication
from balm.store.screening.standing import unsettled
from balm.vocabulary.problems import InputError
from balm.web.api.interface import entered, router
from balm.web.api.judging import AssessIn, TargetIn, target_there
from balm.web.api.reading import WRONG, Stage
from balm.web.api.submissions import NOT_EMPTY, Body, Done, Reason, ReasonIn, Submission, Text


class Said(Schema):
    """A vote, a remark or a decision on a record: ``decision`` is empty where it only says something."""

    by: str
    decision: str
    reason: str
    text: str
    at: datetime


class CaseOut(Schema):
    """A record that is revealed: its outcome, all votes, what was said, how it was settled (the last is in force)."""

    record: str
    outcome: str
    votes: list[Said]
    remarks: list[Said]
    adjudications: list[Said]


class ConflictOut(Schema):
    """A conflict, and whether somebody has settled it (empty: it waits)."""

    record: str
    settled: str


class DecisionIn(Body):
    """How an arbiter settles a conflict; ``turn``: how often it was settled before, and one."""

    decision: Literal["include", "exclude"]
    reason: str = Field("", max_length=300)
    note: str = Field("", max_length=5000)
    turn: int = Field(1, ge=1, le=1000)
    submission: str = Submission


class RemarkIn(Body):
    """Something said about a conflict; with a decision it is a voter's proposal to the other voters."""

    text: str = Field("", max_length=5000)
    decision: Literal["", "include", "exclude"] = ""
    reason: str = Field("", max_length=300)
    submission: str = Submission


class StudyOut(Schema):
    """A study to extract. ``state`` is free, mine, waiting, others, compared or written: not how far others are."""

    study: str
    label: str
    extractors: list[str]
    state: str


class CellOut(Schema):
    """One cell beside the others': what each entered, the value that stands, and whether it is to be settled."""

    table: str
    key: str
    column: str
    given: dict[str, dict[str, str] | None]
    state: str
    value: str
    open: bool
    proposal: dict[str, str] | None


class ComparisonOut(Schema):
    """The extractions of a study side by side."""

    study: str
    extractors: list[str]
    open: int
    cells: list[CellOut]


class SettleIn(Body):
    """What a differing cell is to be, and why."""

    table: str = Field(..., max_length=100, json_schema_extra=NOT_EMPTY)
    key: str = Field(..., max_length=500, json_schema_extra=NOT_EMPTY)
    column: str = Field(..., max_length=100, json_schema_extra=NOT_EMPTY)
    value: str = Text
    reason: str = Reason
    submission: str = Submission


class RemoveIn(Body):
    """A row of one's own extraction to take out, or to put back."""

    table: Literal["arms.csv", "results.csv", "contrasts.csv"]
    key: str = Field(..., max_length=500, json_schema_extra=NOT_EMPTY)
    back: bool = False
    submission: str = Submission


class SubmissionIn(Body):
    """An act that says nothing more."""

    submission: str = Submission


class AgreeIn(AssessIn):
    """One domain settled; ``seen`` is the turn of the agreement that was seen, 0 for none."""

    reason: str = Reason
    seen: int = Field(0, ge=0, le=10_000)


class AcceptIn(TargetIn):
    """What both assessors say is taken over."""

    submission: str = Submission


@router.get(
    "/reviews/{slug}/screening/{stage}/conflicts", response={200: list[ConflictOut], **WRONG}, summary="Conflicts"
)
def conflicts(request: HttpRequest, slug: str, stage: Stage) -> Any:
    """Records on which the voters differ: those that wait, oldest first, then those that are settled."""
    review = entered(request, slug, "view").review
    ruled = Adjudication.objects.filter(review=review, stage=stage).order_by("pk").values_list("record", "decision")
    waiting = [{"record": r.record, "settled": ""} for r in unsettled(review, stage)]
    return [*waiting, *({"record": record, "settled": decision} for record, decision in dict(ruled).items())]


@router.get(
    "/reviews/{slug}/screening/{stage}/records/{record}", response={200: CaseOut, **WRONG}, summary="A revealed record"
)
def case(request: HttpRequest, slug: str, stage: Stage, record: str) -> Any:
    """All that was said on a record, once everybody who was to vote has voted; 404 until then."""
    found = case_of(entered(request, slug, "view").review, stage, record)
    if found is None:
        raise Http404
    return _case(found)


def _case(found: Case) -> dict[str, Any]:
    return {
        "record": found.reveal.record, "outcome": found.outcome,
        "votes": [_said(v, v.note) for v in found.votes], "remarks": [_said(r, r.text) for r in found.remarks],
        "adjudications": [_said(a, a.note) for a in found.adjudications],
    }  # fmt: skip


def _said(row: Any, text: str) -> dict[str, Any]:
    return {"by": row.member.code, "decision": row.decision, "reason": row.reason, "text": text, "at": row.at}


@router.post(
    "/reviews/{slug}/screening/{stage}/records/{record}/decisions", response={200: Done, **WRONG},
    summary="Settle a conflict",
)  # fmt: skip
def decide(request: HttpRequest, slug: str, stage: Stage, record: str, given: DecisionIn) -> Any:
    """Settle a conflict as somebody who did not vote on it; no vote is changed."""
    made = adjudicate(entered(request, slug, "adjudicate"), stage=stage, record=record, **given.model_dump())
    return {"done": made.decision}


@router.post(
    "/reviews/{slug}/screening/{stage}/records/{record}/remarks", response={200: Done, **WRONG},
    summary="Discuss a conflict",
)  # fmt: skip
def say(request: HttpRequest, slug: str, stage: Stage, record: str, given: RemarkIn) -> Any:
    """Say something, or propose how to settle it; when the voters propose the same, it is settled."""
    remark(entered(request, slug, "discuss"), stage=stage, record=record, **given.model_dump())
    return {"done": "proposed" if given.decision else "said"}


@router.get("/reviews/{slug}/extraction", response={200: list[StudyOut], **WRONG}, summary="Studies to extract")
def studies(request: HttpRequest, slug: str) -> Any:
    """Every study that is extracted, who took it, and one's own next step."""
    acting = entered(request, slug, "view")
    stands, written, me = standings(acting.review), written_studies(acting.review), acting.member.code
    needed = extraction.plan_of(acting.review).extraction.extractors
    out = []
    for study, cells in studies_of(acting.review).items():
        s = stands.get(study)
        state = "free"
        if s and s.revealed:
            state = "written" if study in written else "compared"
        elif s and me in s.extractors:
            state = "waiting" if me in s.finished else "mine"
        elif s and len(s.extractors) >= needed:
            state = "others"
        label = cells.get("label", study)
        out.append({"study": study, "label": label, "extractors": list(s.extractors) if s else [], "state": state})
    return out


@router.post("/reviews/{slug}/extraction/{study}/rows/removed", response={200: Done, **WRONG}, summary="Take a row out")
def remove(request: HttpRequest, slug: str, study: str, given: RemoveIn) -> Any:
    """Take a row out of one's own extraction, or put it back as it was."""
    acting = entered(request, slug, "extract")
    extraction.remove_row(acting, study, given.table, given.key, back=given.back, submission=given.submission)
    return {"done": "put back" if given.back else "taken out"}


@router.post(
    "/reviews/{slug}/extraction/{study}/reopen", response={200: Done, **WRONG}, summary="Open one's extraction again"
)
def reopen(request: HttpRequest, slug: str, study: str, given: SubmissionIn) -> Any:
    """Not after the extractions were compared."""
    extraction.reopen(entered(request, slug, "extract"), study, submission=given.submission)
    return {"done": "open again"}


@router.get("/reviews/{slug}/extraction/{study}/comparison", response={200: ComparisonOut, **WRONG}, summary="Compare")
def comparison(request: HttpRequest, slug: str, study: str) -> Any:
    """The extractions of a study side by side, once everybody who extracts it has finished."""
    review = entered(request, slug, "view").review
    extraction.check_study(review, study)
    found = extraction.comparison(review, study)
    said = proposals_of(review, study)
    cells = []
    for c in found.cells:
        proposal = said.get((c.table, c.key, c.column))
        cells.append(
            {
                "table": c.table, "key": c.key, "column": c.column, "state": c.state, "value": c.value, "open": c.open,
                "given": {who: dataclasses.asdict(g) if g else None for who, g in c.given.items()},
                "proposal": {"by": proposal.member.code, "value": proposal.value, "reason": proposal.reason}
                if proposal
                else None,
            }
        )  # fmt: skip
    return {"study": study, "extractors": list(found.standing.extractors), "open": found.open, "cells": cells}


@router.post("/reviews/{slug}/extraction/{study}/settlements", response={200: Done, **WRONG}, summary="Settle a cell")
def settle(request: HttpRequest, slug: str, study: str, given: SettleIn) -> Any:
    """Decide as an arbiter who did not extract; an extractor proposes; settled when the other says the same."""
    made = extraction.settle(
        entered(request, slug, "view"), study, given.table, given.key, given.column, given.value, reason=given.reason,
        submission=given.submission,
    )  # fmt: skip
    return {"done": made.method}


@router.post(
    "/reviews/{slug}/extraction/{study}/written", response={200: Done, **WRONG}, summary="Write what is agreed"
)
def write(request: HttpRequest, slug: str, study: str, given: ReasonIn) -> Any:
    """Put the agreed values into the tables of the package, whole or not at all."""
    made = extraction.write_agreed(entered(request, slug, "view"), study, reason=given.reason)
    return {"done": ", ".join(f"{len(rows)} in {table}" for table, rows in made.rows.items())}


@router.get("/reviews/{slug}/risk-of-bias/own", response={200: dict[str, Any], **WRONG}, summary="One's own assessment")
def own_assessment(request: HttpRequest, slug: str, given: Query[TargetIn]) -> Any:
    """One's own judgements of a result as they stand, by domain."""
    acting = entered(request, slug, "assess")
    return _domains(assessments_of(acting.review, target_there(acting, given), acting.member.code))


@router.get(
    "/reviews/{slug}/risk-of-bias/consensus", response={200: dict[str, Any], **WRONG}, summary="Compare assessments"
)
def consensus(request: HttpRequest, slug: str, given: Query[TargetIn]) -> Any:
    """Both assessments, what each proposes in discussion and what is agreed, once both assessors have finished."""
    acting = entered(request, slug, "discuss")
    target = target_there(acting, given)
    standing = standing_of(acting.review, target)
    if refused := why_not_decide(standing):
        raise InputError(refused)
    sides = {code: _domains(assessments_of(acting.review, target, code)) for code in standing.assessors}
    proposals = {domain: _domains(rows) for domain, rows in bias_proposals_of(acting.review, target).items()}
    return {"assessors": sides, "proposals": proposals, "agreed": _domains(agreed_of(acting.review, target))}


def _domains(rows: dict[str, Assessment] | dict[str, Agreed] | dict[str, Proposal]) -> dict[str, Any]:
    names = ("judgement", "proposed", "override_reason", "direction", "support", "answers", "turn")
    return {domain: {name: getattr(row, name) for name in names} for domain, row in rows.items()}


@router.post("/reviews/{slug}/risk-of-bias/agreements", response={200: Done, **WRONG}, summary="Agree on a domain")
def agree(request: HttpRequest, slug: str, given: AgreeIn) -> Any:
    """Settle one domain between the two assessors; ``done`` is the judgement that stands."""
    acting = entered(request, slug, "discuss")
    fields = given.model_dump(include={"judgement", "override_reason", "direction", "support"})
    row = risk_of_bias.agree(
        acting, target_there(acting, given), given.domain, submission=given.submission, answers=given.answers,
        reason=given.reason, seen=given.seen, **fields,
    )  # fmt: skip
    return {"done": row.judgement}


@router.post(
    "/reviews/{slug}/risk-of-bias/proposals", response={200: Done, **WRONG}, summary="Propose how to judge a domain"
)
def propose_bias(request: HttpRequest, slug: str, given: AgreeIn) -> Any:
    """Say in discussion, as one of the assessors, how a domain is to be judged; agreed when both say the same."""
    acting = entered(request, slug, "discuss")
    fields = given.model_dump(include={"judgement", "override_reason", "direction", "support"})
    row = risk_of_bias_discussion.propose(
        acting, target_there(acting, given), given.domain, submission=given.submission, answers=given.answers,
        reason=given.reason, seen=given.seen, **fields,
    )  # fmt: skip
    return {"done": row.judgement}


@router.post(
    "/reviews/{slug}/risk-of-bias/agreements/same", response={200: Done, **WRONG}, summary="Accept what both say"
)
def accept(request: HttpRequest, slug: str, given: AcceptIn) -> Any:
    """Take over every domain on which both assessors say the same and nothing is agreed yet."""
    acting = entered(request, slug, "discuss")
    count = risk_of_bias.accept_what_agrees(acting, target_there(acting, given), submission=given.submission)
    return {"done": f"{count} agreed"}
