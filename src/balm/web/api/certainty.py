"""Certainty for programs: what is proposed and decided, one's own rating, and agreement."""

from __future__ import annotations

import json
from typing import Any

from django.http import Http404, HttpRequest
from pydantic import Field

from balm.actions.team import certainty
from balm.actions.team.acting import Acting
from balm.actions.team.certainty import current_to_rate, may_be_rated, one_to_rate, to_rate_as_plain
from balm.actions.team.synthesis import current_synthesis
from balm.report.summary_of_findings import summary_of_findings
from balm.report.summary_of_findings_files import summary_plain
from balm.review.certainty.raters import why_not_agree
from balm.review.certainty.to_rate import ToRate
from balm.store.certainty.standing import agreed_on, raters_of, rating_of, suggestions_for
from balm.vocabulary.problems import InputError
from balm.web.api.interface import entered, router
from balm.web.api.reading import WRONG
from balm.web.api.submissions import Body, Done, Submission, Text


class RatingIn(Body):
    """A whole rating of one analysis, or of one comparison of a network, which has no target, baseline or place.

    ``basis`` is that of the proposals it answers."""

    basis: str = Field(..., max_length=16)
    ratings: dict[str, str] = Field(default_factory=dict, max_length=20, description="domain -> rating")
    reasons: dict[str, str] = Field(default_factory=dict, max_length=20, description="domain -> why")
    target: str = Field("", max_length=100)
    baseline: str = Field("", max_length=40, description="risk without the intervention, per 1000")
    baseline_source: str = Text
    place: str = Field("", max_length=5, description="row of the summary of findings, 1 to 7")
    certainty: str = Field("", max_length=40, description="empty: as the domains lead")
    reason: str = Text
    submission: str = Submission


class SettledIn(RatingIn):
    """A rating that is to stand, with why; ``seen`` is the turn of the agreement that one saw (0 for none)."""

    why: str = Text
    seen: int = Field(0, ge=0, le=30_000)


@router.get("/reviews/{slug}/certainty", response={200: list[dict[str, Any]], **WRONG}, summary="Certainty")
def ratings(request: HttpRequest, slug: str) -> Any:
    """Every analysis and every comparison of a network: each domain as proposed, with its rule, and as decided.

    Stale where their data have changed. ``analysis`` is what the other calls take in their address."""
    found = current_to_rate(entered(request, slug, "view").review)
    return [to_rate_as_plain(it) for it in found.values()]


@router.get("/reviews/{slug}/certainty/summary", response={200: dict[str, Any], **WRONG}, summary="Summary of findings")
def findings(request: HttpRequest, slug: str) -> Any:
    """The summary of findings as printed: its rows, notes and what is left out."""
    synthesis = current_synthesis(entered(request, slug, "view").review)
    return json.loads(summary_plain(summary_of_findings(synthesis)))


@router.get("/reviews/{slug}/certainty/of/{analysis}", response={200: dict[str, Any], **WRONG}, summary="One analysis")
def rating(request: HttpRequest, slug: str, analysis: str) -> Any:
    """One analysis or comparison, with one's own rating on the data as they stand."""
    acting = entered(request, slug, "view")
    it = _there(acting, analysis)
    own = rating_of(acting.review, analysis, it.certainty.basis, acting.member.code)
    return to_rate_as_plain(it) | {"own": own.decision if own else None}


@router.post("/reviews/{slug}/certainty/of/{analysis}/ratings", response={200: Done, **WRONG}, summary="Rate")
def rate(request: HttpRequest, slug: str, analysis: str, given: RatingIn) -> Any:
    """Rate an analysis or a comparison on one's own; ``done`` is the certainty that one's rating comes to."""
    acting = entered(request, slug, "rate certainty")
    _there(acting, analysis)
    row = certainty.rate(acting, analysis, **given.dict())
    return {"done": row.decision["certainty"]}


@router.get(
    "/reviews/{slug}/certainty/of/{analysis}/consensus", response={200: dict[str, Any], **WRONG}, summary="Both ratings"
)
def consensus(request: HttpRequest, slug: str, analysis: str) -> Any:
    """Both ratings once both are in, what was proposed in discussion since, and what is agreed."""
    acting = entered(request, slug, "discuss")
    now = _there(acting, analysis).certainty
    asked = certainty.raters_asked(acting.review)
    standing = raters_of(acting.review, analysis, now.basis, asked)
    if refused := why_not_agree(standing):
        raise InputError(refused)
    agreed = agreed_on(acting.review, analysis, now.basis)
    turn = agreed.turn if agreed else 0
    rows = {code: rating_of(acting.review, analysis, now.basis, code) for code in standing.rated}
    said = suggestions_for(acting.review, analysis, now.basis, turn + 1)
    return {
        "basis": now.basis,
        "ratings": {code: row.decision for code, row in rows.items() if row is not None},
        "proposals": {code: {"decision": row.decision, "why": row.reason} for code, row in said.items()},
        "agreed": {"decision": agreed.decision, "why": agreed.reason} if agreed else None,
        "seen": turn,
    }


@router.post("/reviews/{slug}/certainty/of/{analysis}/agreements", response={200: Done, **WRONG}, summary="Agree")
def agree(request: HttpRequest, slug: str, analysis: str, given: SettledIn) -> Any:
    """Settle it as a third person, or propose as a rater: agreed when the other proposes the same."""
    acting = entered(request, slug, "discuss")
    now = _there(acting, analysis).certainty
    certainty.settle(acting, analysis, **given.dict())
    agreed = agreed_on(acting.review, analysis, now.basis)
    done = agreed is not None and agreed.turn > given.seen
    return {"done": agreed.decision["certainty"] if agreed and done else "proposed"}


def _there(acting: Acting, analysis: str) -> ToRate:
    if not may_be_rated(acting.review, analysis):
        raise Http404
    return one_to_rate(acting.review, analysis)
