"""What programs do: the acts of the pages, one call each. Every call carries an id of its own and counts once."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from django.http import HttpRequest
from ninja import File, Form, Schema, UploadedFile
from pydantic import Field

from balm.actions.team import extraction, risk_of_bias
from balm.actions.team.acting import Acting
from balm.actions.team.deduplication import answer_question
from balm.actions.team.records import MAX_FILE, receive
from balm.actions.team.screening import cast_vote
from balm.actions.team.synthesis import pin_again, pin_analysis
from balm.review.analysis_choices import choose
from balm.review.extraction.sheets import Given
from balm.review.risk_of_bias.targets import Target, targets_of
from balm.store.extraction.current import sheet_of
from balm.store.records.models import Upload
from balm.store.reviews.package_rows import package_of
from balm.store.synthesis.current import current_package
from balm.vocabulary.problems import InputError, check_option
from balm.web.api.interface import entered, router
from balm.web.api.reading import WRONG, Stage
from balm.web.api.submissions import NOT_EMPTY, Body, Done, Submission, Text
from balm.web.records.background import go_on
from balm.web.screening.ahead import seated
from balm.web.synthesis.choices import FIELDS


class VoteIn(Body):
    """A vote on a record of one's queue."""

    record: str = Field(..., max_length=500, json_schema_extra=NOT_EMPTY)
    decision: Literal["include", "exclude", "maybe", "withdrawn"]
    reason: str = Field("", max_length=300)
    note: str = Field("", max_length=5000)
    submission: str = Submission


class CastOut(Schema):
    """A vote that was counted; ``outcome`` is ``waiting`` until everybody who was to vote has voted."""

    record: str
    decision: str
    outcome: str
    repeated: bool


class QueueOut(Schema):
    """One's records of the current batch."""

    batch: int | None
    left: list[str]
    done: int


class AnswerIn(Body):
    """What a person says of two records."""

    record_1: str = Field(..., max_length=500, json_schema_extra=NOT_EMPTY)
    record_2: str = Field(..., max_length=500, json_schema_extra=NOT_EMPTY)
    answer: Literal["duplicate", "not duplicate", "same study"]


class GivenIn(Body):
    """One value as the paper gives it, with where it was read."""

    value: str = Text
    page: str = Field("", max_length=300)
    quote: str = Text
    how_read: str = Field("reported", max_length=100)


class EntriesIn(Body):
    """Values of one row of one's own extraction."""

    table: Literal["studies.csv", "arms.csv", "results.csv", "contrasts.csv"]
    key: str = Field(..., max_length=500, json_schema_extra=NOT_EMPTY)
    values: dict[str, GivenIn] = Field(..., max_length=100)
    submission: str = Submission


class RowIn(Body):
    """A new row of one's own extraction."""

    table: Literal["arms.csv", "results.csv", "contrasts.csv"]
    cells: dict[str, str] = Field(..., max_length=100)
    form: str = Field("", max_length=100)
    submission: str = Submission


class FinishIn(Body):
    """One's part is complete."""

    submission: str = Submission


class TargetIn(Body):
    """What is assessed: a result, or a study where the instrument is about studies."""

    instrument: str = Field(..., max_length=100, json_schema_extra=NOT_EMPTY)
    study: str = Field(..., max_length=500, json_schema_extra=NOT_EMPTY)
    outcome: str = Field("", max_length=500)
    window: str = Field("", max_length=500)
    comparison: str = Field("", max_length=500)


class AssessIn(TargetIn):
    """One domain judged."""

    domain: str = Field(..., max_length=100, json_schema_extra=NOT_EMPTY)
    answers: dict[str, str] = Field(default_factory=dict, max_length=100)
    judgement: str = Field("", max_length=100)
    override_reason: str = Text
    direction: str = Field("", max_length=100)
    support: str = Text
    submission: str = Submission


class FinishAssessmentIn(TargetIn):
    """One's assessment is complete."""

    submission: str = Submission


class PinIn(Body):
    """Keep what an analysis gives now: ``choices`` by the names of the analysis page's fields (``analysis``,
    ``outcome``, ``measure`` ...); without them the one pinned under ``name`` is carried out again."""

    name: str = Field(..., max_length=200, json_schema_extra=NOT_EMPTY)
    choices: dict[str, list[str]] | None = Field(None, max_length=len(FIELDS))
    note: str = Field("", max_length=5000)
    submission: str = Submission


class About(Body):
    """What PRISMA-S asks of a search."""

    kind: str = Field("", max_length=100)
    source: str = Field("", max_length=500)
    interface: str = Field("", max_length=500)
    date: str = Field("", max_length=20)
    strategy: str = Field("", max_length=30_000)
    limits: str = Field("", max_length=5000)
    person: str = Field("", max_length=200)


class AboutIn(About):
    """What PRISMA-S asks of the search that files came from."""

    submission: str = Submission


@router.post("/reviews/{slug}/screening/{stage}/queue", response={200: QueueOut, **WRONG}, summary="One's queue")
def queue(request: HttpRequest, slug: str, stage: Stage) -> Any:
    """The records one is to vote on now; a batch is dealt out where there is none left."""
    found = seated(entered(request, slug, "screen"), stage)
    if found is None:
        return {"batch": None, "left": [], "done": 0}
    return {"batch": found.batch, "left": list(found.left), "done": found.own}


@router.post("/reviews/{slug}/screening/{stage}/votes", response={200: CastOut, **WRONG}, summary="Vote")
def vote(request: HttpRequest, slug: str, stage: Stage, given: VoteIn) -> Any:
    """Vote, change one's mind, or take the vote back, until the record is revealed."""
    cast = cast_vote(
        entered(request, slug, "screen"), stage=stage, record=given.record, decision=given.decision,
        reason=given.reason, note=given.note, submission=given.submission,
    )  # fmt: skip
    return {
        "record": cast.vote.record, "decision": cast.vote.decision, "outcome": cast.outcome, "repeated": cast.repeated,
    }  # fmt: skip


@router.post("/reviews/{slug}/duplicates/answers", response={200: Done, **WRONG}, summary="Answer a doubtful pair")
def answer(request: HttpRequest, slug: str, given: AnswerIn) -> Any:
    """Say whether two records are of one report; said again it changes nothing."""
    row = answer_question(entered(request, slug, "deduplicate"), given.record_1, given.record_2, given.answer)
    return {"done": "decided" if row is not None else "decided before"}


@router.post(
    "/reviews/{slug}/imports", response={200: list[dict[str, Any]], **WRONG}, summary="Bring search exports in"
)
def bring_in(request: HttpRequest, slug: str, about: Form[AboutIn], files: File[list[UploadedFile]]) -> Any:
    """Files are kept at once and read after the answer; ``GET imports`` has the receipts."""
    acting = entered(request, slug, "import")
    if large := [f.name for f in files if (f.size or 0) > MAX_FILE]:
        raise InputError(f"{large[0]} is larger than {MAX_FILE // 1024**2} MB")
    told = about.model_dump(exclude={"submission"})
    made = receive(acting, ((f.name or "file", f.read()) for f in files), told, submission=about.submission)
    go_on(acting)
    return [_upload(one) for one in made]


def _upload(one: Upload) -> dict[str, Any]:
    return {"file": one.name, "size": one.size, "state": one.state, "problems": one.problems}


@router.get(
    "/reviews/{slug}/extraction/{study}", response={200: dict[str, Any], **WRONG}, summary="One's own extraction"
)
def own_extraction(request: HttpRequest, slug: str, study: str) -> Any:
    """What one entered oneself, by table and row. Agreed values are in the tables of the package."""
    acting = entered(request, slug, "extract")
    extraction.check_study(acting.review, study)
    out: dict[str, dict[str, Any]] = {}
    for (table, key), cells in sheet_of(acting.review, study, acting.member.code).items():
        out.setdefault(table, {})[key] = {column: dataclasses.asdict(given) for column, given in cells.items()}
    return out


@router.post(
    "/reviews/{slug}/extraction/{study}/take", response={200: Done, **WRONG}, summary="Begin to extract a study"
)
def take(request: HttpRequest, slug: str, study: str) -> Any:
    """Take one of the places of a study."""
    extraction.take(entered(request, slug, "extract"), study)
    return {"done": "taken"}


@router.post("/reviews/{slug}/extraction/{study}/rows", response={200: Done, **WRONG}, summary="Add a row")
def add_row(request: HttpRequest, slug: str, study: str, given: RowIn) -> Any:
    """Add an arm, a result or a contrast; ``done`` is its key."""
    acting = entered(request, slug, "extract")
    key = extraction.add_row(acting, study, given.table, given.cells, form=given.form, submission=given.submission)
    return {"done": key}


@router.post("/reviews/{slug}/extraction/{study}/entries", response={200: Done, **WRONG}, summary="Enter values")
def enter(request: HttpRequest, slug: str, study: str, given: EntriesIn) -> Any:
    """Save values of one row of one's own extraction: all of them or none."""
    values = {column: Given(**one.model_dump()) for column, one in given.values.items()}
    saved = extraction.enter(
        entered(request, slug, "extract"), study, given.table, given.key, values, submission=given.submission
    )
    return {"done": f"{len(saved)} saved"}


@router.post("/reviews/{slug}/extraction/{study}/finish", response={200: Done, **WRONG}, summary="Finish extracting")
def finish(request: HttpRequest, slug: str, study: str, given: FinishIn) -> Any:
    """Say that one's extraction is complete; it is compared when everybody has finished."""
    extraction.finish(entered(request, slug, "extract"), study, submission=given.submission)
    return {"done": "finished"}


@router.post("/reviews/{slug}/risk-of-bias/judgements", response={200: Done, **WRONG}, summary="Judge a domain")
def judge(request: HttpRequest, slug: str, given: AssessIn) -> Any:
    """Judge one domain on one's own; ``done`` is the judgement that stands."""
    acting = entered(request, slug, "assess")
    row = risk_of_bias.assess(
        acting, target_there(acting, given), given.domain, submission=given.submission, answers=given.answers,
        judgement=given.judgement, override_reason=given.override_reason, direction=given.direction,
        support=given.support,
    )  # fmt: skip
    return {"done": row.judgement}


@router.post("/reviews/{slug}/risk-of-bias/finish", response={200: Done, **WRONG}, summary="Finish assessing")
def finish_assessment(request: HttpRequest, slug: str, given: FinishAssessmentIn) -> Any:
    """Say that one's assessment is complete; it is compared when both have finished."""
    acting = entered(request, slug, "assess")
    risk_of_bias.finish(acting, target_there(acting, given), submission=given.submission)
    return {"done": "finished"}


def target_there(acting: Acting, given: TargetIn) -> Target:
    """What is assessed, where the review has it."""
    wanted = Target(given.instrument, given.study, given.outcome, given.window, given.comparison)
    if wanted not in targets_of(package_of(acting.review), given.instrument):
        raise InputError(f"{given.instrument!r} assesses no such result or study of this review: {wanted.key[:200]!r}")
    return wanted


@router.post("/reviews/{slug}/pinned", response={200: Done, **WRONG}, summary="Pin an analysis")
def pin(request: HttpRequest, slug: str, given: PinIn) -> Any:
    """Carry an analysis out on the rows as they stand, as a new row: one just chosen, or one pinned before."""
    acting = entered(request, slug, "analyse")
    if given.choices is None:
        row = pin_again(acting, given.name, submission=given.submission, note=given.note)
    else:
        for name in given.choices:
            check_option("choices", name, FIELDS)
        spec = choose(current_package(acting.review), given.choices).spec
        row = pin_analysis(acting, spec, given.name, submission=given.submission, note=given.note)
    return {"done": f"{row.name}, turn {row.turn}"}
