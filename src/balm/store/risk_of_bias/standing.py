"""How the assessments of a review stand, from their rows."""

from __future__ import annotations

from collections.abc import Iterable

from balm.review.risk_of_bias.standing import Judged, Standing
from balm.review.risk_of_bias.targets import Target
from balm.store.reviews.models import Review
from balm.store.risk_of_bias.models import Agreed, Assessment, Finished, Proposal

_FIELDS = ("instrument", "study", "outcome", "window", "comparison")


def of_target(target: Target) -> dict[str, str]:
    """The columns that name a target."""
    return {name: getattr(target, name) for name in _FIELDS}


def target_of(row: Assessment | Finished | Agreed | Proposal) -> Target:
    """What a row is about."""
    return Target(**{name: getattr(row, name) for name in _FIELDS})


def standing_of(review: Review, target: Target) -> Standing:
    """How one assessment stands. Somebody who left without finishing gives their place up; finished work stays."""
    return standings(review, target).get(target, Standing())


def standings(review: Review, target: Target | None = None) -> dict[Target, Standing]:
    """How every assessment that somebody has begun stands."""
    only = {} if target is None else of_target(target)
    done: dict[Target, set[str]] = {}
    for row in Finished.objects.select_related("member").filter(review=review, **only):
        done.setdefault(target_of(row), set()).add(row.member.code)
    begun: dict[Target, dict[str, None]] = {}
    names = (*_FIELDS, "member__code", "member__active")
    for *fields, code, active in Assessment.objects.filter(review=review, **only).order_by("pk").values_list(*names):
        one = Target(*fields)
        if active or code in done.get(one, ()):
            begun.setdefault(one, {})[code] = None
    return {one: Standing(tuple(codes), frozenset(done.get(one, ()))) for one, codes in begun.items()}


def last(rows: Iterable[Assessment | Agreed]) -> dict[str, Assessment | Agreed]:
    """Domain -> the row that stands; rows come oldest first."""
    return {row.domain: row for row in rows}


def assessments_of(review: Review, target: Target, code: str) -> dict[str, Assessment]:
    """One person's judgements as they stand."""
    rows = Assessment.objects.select_related("member").filter(review=review, member__code=code, **of_target(target))
    return last(rows.order_by("pk"))  # type: ignore[return-value]


def agreed_of(review: Review, target: Target) -> dict[str, Agreed]:
    """The consensus as it stands."""
    rows = Agreed.objects.select_related("member").filter(review=review, **of_target(target))
    return last(rows.order_by("pk"))  # type: ignore[return-value]


def proposals_of(review: Review, target: Target) -> dict[str, dict[str, Proposal]]:
    """``{domain: {assessor: their last proposal}}`` of those that are for the next agreement on the domain."""
    agreed = agreed_of(review, target)
    rows = Proposal.objects.select_related("member").filter(review=review, **of_target(target)).order_by("pk")
    found: dict[str, dict[str, Proposal]] = {}
    for row in rows:
        if row.turn == (agreed[row.domain].turn if row.domain in agreed else 0) + 1:
            found.setdefault(row.domain, {})[row.member.code] = row
    return found


def judged(rows: dict[str, Assessment] | dict[str, Agreed]) -> dict[str, Judged]:
    """The rows as the rules read them."""
    return {domain: Judged(row.judgement, row.answers, row.direction) for domain, row in rows.items()}
