"""What programs read: reviews, people, records, tables, own votes and revealed outcomes, results, the flow."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query, Schema
from pydantic import Field

from balm.actions.team.archive import package_zip
from balm.actions.team.audit import numbers_shown, trail
from balm.actions.team.deduplication import canonical_record, questions
from balm.actions.team.flow import current_flow
from balm.actions.team.screening import own_count
from balm.actions.team.shown_package import shown_rows
from balm.actions.team.synthesis import current_synthesis, pinned_analyses
from balm.report.analysis_json import analysis_as_json
from balm.review.members.roles import MAY
from balm.review.schema import TABLE_BY_FILE, TABLES
from balm.store.records.models import Import
from balm.store.records.unique import unique_records, value_of
from balm.store.reviews.models import Member
from balm.store.screening.models import Adjudication, Reveal, Vote
from balm.store.screening.standing import in_force, opening_of
from balm.web.api.interface import ZIP, Problems, entered, person, router

#: What can go wrong with every call. An address of more than 8 KB is refused (414) before the interface sees it.
WRONG: dict[int, Any] = {
    400: Problems,
    401: Problems,
    403: Problems,
    404: Problems,
    413: Problems,
    414: None,
    422: Problems,
}
Stage = Literal["title-abstract", "full-text"]


class Paging(Schema):
    """Which part of a long list: pages count from 1."""

    page: int = Field(1, ge=1, le=1_000_000)
    size: int = Field(100, ge=1, le=1000)


class Me(Schema):
    """Whose token it is, and what it may."""

    name: str
    scope: Literal["read", "write"]
    token: str
    expires: datetime


class ReviewOut(Schema):
    """A review, and one's own part in it."""

    slug: str
    title: str
    role: str
    code: str
    may: list[str]
    public: bool
    demonstration: bool


class MemberOut(Schema):
    """Somebody's part in a review; ``code`` names them in votes, files and events."""

    code: str
    name: str
    role: str
    interests: str
    active: bool


class Rows(Schema):
    """One page of rows, each as column -> text as in the file; an empty cell is not there."""

    total: int
    page: int
    size: int
    rows: list[dict[str, Any]]


class VoteOut(Schema):
    """One vote; a change of mind is the next ``turn``."""

    record: str
    decision: str
    reason: str
    note: str
    turn: int
    at: datetime


class StageOut(Schema):
    """A stage of screening as one member sees it: their own progress only."""

    stage: str
    open: bool
    screeners: list[str]
    own_votes: int


class OutcomeOut(Schema):
    """A record on which everybody has voted: the outcome, the votes, and how a conflict was settled."""

    record: str
    outcome: str
    reason: str
    votes: list[dict[str, str]]
    settled: str


class EventOut(Schema):
    """One act; ``seq`` and ``hash`` are given while nothing of the review is hidden from the person."""

    at: str
    actor: str
    role: str
    action: str
    entity: str
    entity_id: str
    entity_version: int
    before: Any = None
    after: Any = None
    reason: str
    seq: int | None = None
    hash: str | None = None


class EventsOut(Schema):
    """Events, the latest first; ask again with ``before`` set to ``earlier`` while it is not empty."""

    earlier: str
    events: list[EventOut]


class QuestionOut(Schema):
    """Two records that may be one, for a person to say."""

    record_1: str
    record_2: str
    why: str


def _page(rows: QuerySet[Any], paging: Paging) -> Any:
    start = (paging.page - 1) * paging.size
    return rows[start : start + paging.size]


@router.get("/me", response={200: Me, **WRONG}, summary="Whose token this is")
def me(request: HttpRequest) -> Any:
    """The person and the token."""
    token = request.auth  # type: ignore[attr-defined]
    scope = "write" if token.may_write else "read"
    return {"name": str(person(request)), "scope": scope, "token": token.name, "expires": token.expires}


@router.get("/reviews", response={200: list[ReviewOut], **WRONG}, summary="One's reviews")
def reviews(request: HttpRequest) -> Any:
    """The reviews the person is a member of."""
    own = Member.objects.select_related("review").filter(user=person(request), active=True)
    return [_review(member) for member in own.order_by("review__slug")]


@router.get("/reviews/{slug}", response={200: ReviewOut, **WRONG}, summary="One review")
def review(request: HttpRequest, slug: str) -> Any:
    """The review and one's part in it."""
    return _review(entered(request, slug, "view").member)


def _review(member: Member) -> dict[str, Any]:
    one = member.review
    return {
        "slug": one.slug, "title": one.title, "role": member.role, "code": member.code, "public": one.public,
        "demonstration": one.demonstration, "may": sorted(act for act, roles in MAY.items() if member.role in roles),
    }  # fmt: skip


@router.get("/reviews/{slug}/members", response={200: list[MemberOut], **WRONG}, summary="The people")
def members(request: HttpRequest, slug: str) -> Any:
    """Everybody who has or had a part in the review."""
    return list(Member.objects.filter(review=entered(request, slug, "view").review))


@router.get(
    "/reviews/{slug}/package.zip", response={200: None, **WRONG}, summary="The review package", openapi_extra=ZIP
)
def package(request: HttpRequest, slug: str) -> HttpResponse:
    """The folder of the review as a zip: what everybody in it may see."""
    return HttpResponse(package_zip(entered(request, slug, "download")), content_type="application/zip")


@router.get(
    "/reviews/{slug}/imports", response={200: list[dict[str, Any]], **WRONG}, summary="Search exports brought in"
)
def imports(request: HttpRequest, slug: str) -> Any:
    """Each file with its receipt: what was read, repaired and rejected."""
    rows = Import.objects.filter(review=entered(request, slug, "view").review).select_related("member")
    return [
        {"search": i.search, "file": i.name, "size": i.size, "records": i.records, "receipt": i.receipt,
         "by": i.member.code, "at": i.at}
        for i in rows
    ]  # fmt: skip


@router.get("/reviews/{slug}/records", response={200: Rows, **WRONG}, summary="Unique records")
def records(request: HttpRequest, slug: str, paging: Query[Paging], q: str = Query("", max_length=500)) -> Any:
    """Records after deduplication, in the order in which they came; ``q`` looks in title, authors and identifiers."""
    found = unique_records(entered(request, slug, "view").review).order_by("position")
    for word in q.lower().split()[:20]:
        found = found.filter(words__contains=word)
    rows = [dataclasses.asdict(value_of(row)) for row in _page(found, paging)]
    return {"total": found.count(), "page": paging.page, "size": paging.size, "rows": rows}


@router.get("/reviews/{slug}/records/{record}", response={200: dict[str, Any], **WRONG}, summary="One record")
def record(request: HttpRequest, slug: str, record: str) -> Any:
    """A record with the records merged into it and where each field came from."""
    found = canonical_record(entered(request, slug, "view").review, record)
    if found is None:
        raise Http404
    return dataclasses.asdict(found)


@router.get(
    "/reviews/{slug}/duplicates/questions", response={200: list[QuestionOut], **WRONG}, summary="Doubtful duplicates"
)
def duplicate_questions(request: HttpRequest, slug: str) -> Any:
    """Pairs that wait for a person. Decisions taken are the table ``duplicates``."""
    return [dataclasses.asdict(q) for q in questions(entered(request, slug, "view").review)]


@router.get("/reviews/{slug}/tables", response={200: dict[str, int], **WRONG}, summary="Tables of the package")
def tables(request: HttpRequest, slug: str) -> Any:
    """Each table the package keeps, with its number of rows."""
    review = entered(request, slug, "download").review
    return {t.file.removesuffix(".csv"): shown_rows(review, t)[0] for t in TABLES}


@router.get("/reviews/{slug}/tables/{table}", response={200: Rows, **WRONG}, summary="Rows of a table")
def table(request: HttpRequest, slug: str, table: str, paging: Query[Paging]) -> Any:
    """Searches, reports, studies, arms, agreed extraction values (``results``, ``contrasts``), agreed risk of bias and
    the rest, as the package has them: agreed and revealed, never what is still hidden from somebody."""
    entering = entered(request, slug, "download")
    found = TABLE_BY_FILE.get(f"{table}.csv")
    if found is None:
        raise Http404
    total, cells = shown_rows(entering.review, found, start=(paging.page - 1) * paging.size, size=paging.size)
    return {"total": total, "page": paging.page, "size": paging.size, "rows": cells}


@router.get("/reviews/{slug}/screening/{stage}", response={200: StageOut, **WRONG}, summary="A stage of screening")
def stage(request: HttpRequest, slug: str, stage: Stage) -> Any:
    """Whether it is open, who screens in it, and how far one has come oneself."""
    acting = entered(request, slug, "view")
    opening = opening_of(acting.review, stage)
    own = own_count(acting, stage)
    return {
        "stage": stage, "open": opening is not None and opening.open, "screeners": opening.screeners if opening else [],
        "own_votes": own,
    }  # fmt: skip


@router.get(
    "/reviews/{slug}/screening/{stage}/votes", response={200: list[VoteOut], **WRONG}, summary="One's own votes"
)
def votes(request: HttpRequest, slug: str, stage: Stage, paging: Query[Paging]) -> Any:
    """Every vote one cast at a stage, oldest first, changes of mind among them."""
    acting = entered(request, slug, "screen")
    return list(_page(Vote.objects.filter(member=acting.member, stage=stage).order_by("pk"), paging))


@router.get(
    "/reviews/{slug}/screening/{stage}/outcomes", response={200: list[OutcomeOut], **WRONG}, summary="Revealed outcomes"
)
def outcomes(request: HttpRequest, slug: str, stage: Stage, paging: Query[Paging]) -> Any:
    """Records on which everybody has voted, in the order in which they were revealed."""
    acting = entered(request, slug, "download")
    revealed = list(_page(Reveal.objects.filter(review=acting.review, stage=stage).order_by("pk"), paging))
    ids = [r.record for r in revealed]
    cast = Vote.objects.filter(review=acting.review, stage=stage, record__in=ids).select_related("member")
    given: dict[str, list[dict[str, str]]] = {}
    for (record, _), vote in in_force(cast).items():
        said = {"reviewer": vote.member.code, "decision": vote.decision, "reason": vote.reason}
        given.setdefault(record, []).append(said)
    ruled = Adjudication.objects.filter(review=acting.review, stage=stage, record__in=ids).order_by("turn")
    settled = {a.record: a.decision for a in ruled}
    return [
        {"record": r.record, "outcome": r.outcome, "reason": r.reason, "settled": settled.get(r.record, ""),
         "votes": sorted(given.get(r.record, []), key=lambda v: v["reviewer"])}
        for r in revealed
    ]  # fmt: skip


@router.get("/reviews/{slug}/analyses", response={200: list[dict[str, Any]], **WRONG}, summary="Planned analyses")
def analyses(request: HttpRequest, slug: str) -> Any:
    """Every planned analysis on the data as they stand, with everything it found in full precision."""
    return [analysis_as_json(one) for one in current_synthesis(entered(request, slug, "view").review).analyses]


@router.get("/reviews/{slug}/analyses/{analysis}", response={200: dict[str, Any], **WRONG}, summary="One analysis")
def analysis(request: HttpRequest, slug: str, analysis: str) -> Any:
    """One planned analysis."""
    for one in current_synthesis(entered(request, slug, "view").review).analyses:
        if one.id == analysis:
            return analysis_as_json(one)
    raise Http404


@router.get("/reviews/{slug}/pinned", response={200: list[dict[str, Any]], **WRONG}, summary="Pinned analyses")
def pinned(request: HttpRequest, slug: str) -> Any:
    """The last row of each pinned analysis: its result as it was, and whether its data have changed since."""
    return [
        {"name": p.pin.name, "turn": p.pin.turn, "by": p.pin.member.code, "at": p.pin.at, "note": p.pin.note,
         "data_hash": p.pin.data_hash, "software_version": p.pin.software_version, "stale": p.stale, "why": p.why,
         "result": p.result}
        for p in pinned_analyses(entered(request, slug, "view").review)
    ]  # fmt: skip


@router.get("/reviews/{slug}/flow", response={200: dict[str, Any], **WRONG}, summary="The PRISMA flow")
def flow(request: HttpRequest, slug: str) -> Any:
    """The counts of the flow by their machine keys; ``null`` is not known. ``problems`` lists identities that fail."""
    found = current_flow(entered(request, slug, "view").review)
    return dataclasses.asdict(found) | {"problems": [str(problem) for problem in found.problems()]}


@router.get("/reviews/{slug}/events", response={200: EventsOut, **WRONG}, summary="The audit trail")
def events(
    request: HttpRequest,
    slug: str,
    entity: str = Query("", max_length=80),
    who: str = Query("", max_length=80),
    before: str = Query("", max_length=40),
) -> Any:
    """The events that the person may see: what is hidden from them is left out, and not counted either."""
    acting = entered(request, slug, "read audit trail")
    found, numbers = trail(acting, entity=entity, who=who, before=before), numbers_shown(acting)
    names = [name for name in EventOut.model_fields if numbers or name not in ("seq", "hash")]
    return {"earlier": found.earlier, "events": [{n: getattr(e, n) for n in names} for e in found.events]}
