"""Setting up for programs: the plan, stages of screening, people, imports and duplicates taken back, the report."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Schema
from pydantic import Field

from balm.actions.team import members
from balm.actions.team.archive import archive
from balm.actions.team.deduplication import take_out, undo_answer
from balm.actions.team.publishing import publish_report
from balm.actions.team.records import change_about, withdraw
from balm.actions.team.screening import MOST, SIZE, close_stage, open_stage
from balm.actions.team.set_up import change_text, plan_text
from balm.web.api.interface import ZIP, entered, router
from balm.web.api.judging import About
from balm.web.api.reading import WRONG, Stage
from balm.web.api.submissions import NOT_EMPTY, Body, Done, Reason, ReasonIn, Why
from balm.web.screening.ahead import deal_soon

Role = Literal["lead", "reviewer", "arbiter", "statistician", "viewer"]


class PlanOut(Schema):
    """The plan (``review.toml``) as text, and its hash: send it back as ``seen`` with a change."""

    text: str
    seen: str


class PlanIn(Body):
    """Another text of the plan; where somebody has changed it since ``seen``, nothing is overwritten."""

    text: str = Field(..., max_length=2_000_000)
    seen: str = Field(..., max_length=64)
    reason: str = Reason


class OpeningIn(Body):
    """Who screens at a stage, by their codes; a change while it is open needs a reason."""

    screeners: list[str] = Field(..., max_length=500, json_schema_extra={"minItems": 1})
    experts: list[str] = Field(default_factory=list, max_length=500)
    size: int = Field(SIZE, ge=1, le=MOST)
    reason: str = Reason


class InvitationIn(Body):
    """Somebody to invite; ``code`` where they have a place in the review already."""

    email: str = Field(..., max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    name: str = Field("", max_length=200)
    role: Role
    code: str = Field("", max_length=60)


class InvitationOut(Schema):
    """The link that lets them in, once: it is shown here only, and no mail is sent."""

    code: str
    number: int
    link: str


class RoleIn(Body):
    """Another role, and why."""

    role: Role
    reason: str = Why


class RemovalIn(Body):
    """Why somebody goes."""

    reason: str = Why


class InterestsIn(Body):
    """One's own conflicts of interest; "none" is a statement too."""

    interests: str = Field(..., max_length=5000, json_schema_extra=NOT_EMPTY)


class AboutSearchIn(About):
    """What PRISMA-S asks of a search that is in, corrected; and why."""

    reason: str = Reason


class PublicIn(Body):
    """Whether anybody may read the report."""

    public: bool
    reason: str = Reason


class PairIn(Body):
    """The answer on two records, by the time at which it was given."""

    record_1: str = Field(..., max_length=500, json_schema_extra=NOT_EMPTY)
    record_2: str = Field(..., max_length=500, json_schema_extra=NOT_EMPTY)
    time: str = Field(..., max_length=40, json_schema_extra=NOT_EMPTY)


class RecordIn(Body):
    """A record to take out of its group of duplicates."""

    record: str = Field(..., max_length=500, json_schema_extra=NOT_EMPTY)


@router.get("/reviews/{slug}/plan", response={200: PlanOut, **WRONG}, summary="The plan")
def plan(request: HttpRequest, slug: str) -> Any:
    """Question, eligibility, outcomes, analyses, reasons and words to mark, as the text of ``review.toml``."""
    text, seen = plan_text(entered(request, slug, "view").review)
    return {"text": text, "seen": seen}


@router.post("/reviews/{slug}/plan", response={200: Done, **WRONG}, summary="Change the plan")
def change_plan(request: HttpRequest, slug: str, given: PlanIn) -> Any:
    """Replace the plan; every problem of it, and every problem it makes in the tables, refuses the change."""
    changed = change_text(entered(request, slug, "set up"), given.text, reason=given.reason, seen=given.seen)
    return {"done": "changed" if changed else "the same"}


@router.post("/reviews/{slug}/screening/{stage}/opening", response={200: Done, **WRONG}, summary="Open a stage")
def open_screening(request: HttpRequest, slug: str, stage: Stage, given: OpeningIn) -> Any:
    """Open a stage, open it again, or change who screens in it."""
    acting = entered(request, slug, "set up")
    open_stage(acting, stage, given.screeners, experts=given.experts, size=given.size, reason=given.reason)
    deal_soon(acting, stage)
    return {"done": "open"}


@router.post("/reviews/{slug}/screening/{stage}/closing", response={200: Done, **WRONG}, summary="Close a stage")
def close_screening(request: HttpRequest, slug: str, stage: Stage, given: ReasonIn) -> Any:
    """No vote is taken any more; votes that wait for a second one stay hidden."""
    close_stage(entered(request, slug, "set up"), stage, reason=given.reason)
    return {"done": "closed"}


@router.post("/reviews/{slug}/members", response={200: InvitationOut, **WRONG}, summary="Invite somebody")
def invite(request: HttpRequest, slug: str, given: InvitationIn) -> Any:
    """Invite somebody new, or again who has a place here; the link is yours to send."""
    acting = entered(request, slug, "invite")
    if given.code:
        sent = members.invite_again(acting, given.code, email=given.email, role=given.role)
    else:
        sent = members.invite(acting, email=given.email, name=given.name, role=given.role)
    link = request.build_absolute_uri(reverse("invitation", args=[sent.secret]))
    return {"code": sent.invitation.member.code, "number": sent.invitation.pk, "link": link}


@router.post(
    "/reviews/{slug}/invitations/{number}/withdraw", response={200: Done, **WRONG}, summary="Take an invitation back"
)
def withdraw_invitation(request: HttpRequest, slug: str, number: int) -> Any:
    """Its link stops working at once."""
    members.withdraw(entered(request, slug, "invite"), min(max(number, 0), 2**63 - 1))
    return {"done": "withdrawn"}


@router.post("/reviews/{slug}/members/{code}/role", response={200: Done, **WRONG}, summary="Change a role")
def change_role(request: HttpRequest, slug: str, code: str, given: RoleIn) -> Any:
    """What they decided before stays as they decided it."""
    member = members.change_role(entered(request, slug, "change members"), code, given.role, reason=given.reason)
    return {"done": member.role}


@router.post("/reviews/{slug}/members/{code}/removal", response={200: Done, **WRONG}, summary="Let a member go")
def remove(request: HttpRequest, slug: str, code: str, given: RemovalIn) -> Any:
    """They can no longer enter; their work stays."""
    members.remove(entered(request, slug, "change members"), code, reason=given.reason)
    return {"done": "removed"}


@router.post("/reviews/{slug}/interests", response={200: Done, **WRONG}, summary="Declare interests")
def interests(request: HttpRequest, slug: str, given: InterestsIn) -> Any:
    """State one's own conflicts of interest."""
    members.declare_interests(entered(request, slug, "declare interests"), given.interests)
    return {"done": "declared"}


@router.post("/reviews/{slug}/imports/{search}/about", response={200: Done, **WRONG}, summary="Correct a search")
def correct_search(request: HttpRequest, slug: str, search: str, given: AboutSearchIn) -> Any:
    """Correct what is said of a search; what it brought stays as it is."""
    told = given.model_dump(exclude={"reason"})
    change_about(entered(request, slug, "import"), search, told, reason=given.reason)
    return {"done": "changed"}


@router.post("/reviews/{slug}/imports/{search}/withdraw", response={200: Done, **WRONG}, summary="Take an import back")
def withdraw_import(request: HttpRequest, slug: str, search: str, given: ReasonIn) -> Any:
    """As if it had not come; refused as soon as something was decided on one of its records."""
    withdraw(entered(request, slug, "import"), search, reason=given.reason)
    return {"done": "withdrawn"}


@router.post("/reviews/{slug}/duplicates/undo", response={200: Done, **WRONG}, summary="Take an answer back")
def undo_duplicate(request: HttpRequest, slug: str, given: PairIn) -> Any:
    """The question is open again, where the answer of that time still stands."""
    undone = undo_answer(entered(request, slug, "deduplicate"), given.record_1, given.record_2, given.time)
    return {"done": "undone" if undone else "it does not stand any more"}


@router.post("/reviews/{slug}/duplicates/taken-out", response={200: Done, **WRONG}, summary="Take a record out")
def out_of_group(request: HttpRequest, slug: str, given: RecordIn) -> Any:
    """Take a record out of its group of duplicates, whoever put it there."""
    rows = take_out(entered(request, slug, "deduplicate"), given.record)
    return {"done": "taken out" if rows else "it is in no group"}


@router.post("/reviews/{slug}/report", response={200: Done, **WRONG}, summary="Open or close the report")
def publish(request: HttpRequest, slug: str, given: PublicIn) -> Any:
    """Let anybody read the report of the review, or members only."""
    publish_report(entered(request, slug, "publish"), given.public, reason=given.reason)
    return {"done": "public" if given.public else "members only"}


@router.post(
    "/reviews/{slug}/archive", response={200: None, **WRONG}, summary="Take the whole review home", openapi_extra=ZIP
)
def take_home(request: HttpRequest, slug: str) -> HttpResponse:
    """Package, judgements, members and audit trail as a zip; refused to whom something in it is hidden from."""
    return HttpResponse(archive(entered(request, slug, "take home")), content_type="application/zip")
