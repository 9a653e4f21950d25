"""A clinic's own results: the audit report, and the same beside the evidence of a review."""

from __future__ import annotations

from datetime import date

from balm.actions.clinic.acting import ClinicActing, today
from balm.actions.registry_evidence import evidence_from
from balm.actions.team.synthesis import current_synthesis
from balm.registry.against_evidence import BesideEvidence, beside_evidence
from balm.registry.audit import Audit, audit
from balm.store.registry.current import registry_of
from balm.store.reviews.models import Review
from balm.vocabulary.problems import InputError, Problem


def reviews_beside(user: object) -> list[Review]:
    """The reviews whose evidence a person may set beside the clinic: their own, and the public ones."""
    own = Review.objects.filter(members__user=user, members__active=True)
    return sorted({*own, *Review.objects.filter(public=True)}, key=lambda r: (r.title, r.pk))


def audit_of(
    acting: ClinicActing, *, since: str = "", until: str = "", review: Review | None = None
) -> tuple[Audit, BesideEvidence | None]:
    """The audit as of today, of the courses begun in a period, beside a review where one is given."""
    acting.check("clinic report")
    registry = registry_of(acting.clinic)
    days = _day(since, "since"), _day(until, "until")
    if days[0] and days[1] and days[1] < days[0]:
        raise InputError(Problem(f"{days[1]} lies before {days[0]}: dates out of order", column="until"))
    day = today(registry.definition)
    if review is None:
        return audit(registry, day, since=days[0], until=days[1]), None
    trials, cohorts, limits, title = evidence_from(current_synthesis(review))
    found = audit(registry, day, since=days[0], until=days[1], limits=limits)
    return found, beside_evidence(found, trials, cohorts, review=title)


def _day(text: str, name: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InputError(Problem(f"must be a date such as 2026-03-01; got {text[:40]!r}", column=name)) from None
