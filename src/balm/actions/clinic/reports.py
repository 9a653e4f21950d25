"""A clinic's own results: the audit report, and the same beside the evidence of a review."""

from __future__ import annotations

from datetime import date
from typing import Any

from balm.actions.clinic.acting import ClinicActing, today
from balm.actions.guidance import Guidance
from balm.actions.registry_evidence import evidence_from
from balm.actions.team.guidance import current_guidance
from balm.actions.team.synthesis import current_synthesis
from balm.registry.against_evidence import BesideEvidence, beside_evidence
from balm.registry.audit import Audit, audit
from balm.report.registry.shown import shown
from balm.store.events.models import ChainHead
from balm.store.registry.current import definition_of, registry_of
from balm.store.registry.models import Clinic
from balm.store.reviews.models import Review
from balm.store.synthesis.current import data_stamp, kept_for
from balm.vocabulary.problems import InputError, Problem


def reviews_beside(user: object) -> list[Review]:
    """The reviews whose evidence a person may set beside the clinic: their own, and the public ones."""
    own = Review.objects.filter(members__user=user, members__active=True)
    return sorted({*own, *Review.objects.filter(public=True)}, key=lambda r: (r.title, r.pk))


def audit_of(
    acting: ClinicActing, *, since: str = "", until: str = "", review: Review | None = None
) -> tuple[Audit, BesideEvidence | None]:
    """The audit as of today, of the courses begun in a period, beside a review where one is given.

    Worked out once for each day and state of the data.
    """
    acting.check("clinic report")
    days = _day(since, "since"), _day(until, "until")
    if days[0] and days[1] and days[1] < days[0]:
        raise InputError(Problem(f"{days[1]} lies before {days[0]}: dates out of order", column="until"))
    return _kept_audit(acting.clinic, days, review)


def shown_today(clinic: Clinic) -> dict[str, Any]:
    """What may be shown of the audit of all courses as of today, without evidence; once for each state of the data."""
    return kept_for(  # type: ignore[no-any-return]
        ("audit shown", clinic.key), _state(clinic), lambda: shown(_kept_audit(clinic, (None, None), None)[0])
    )


def _kept_audit(
    clinic: Clinic, days: tuple[date | None, date | None], review: Review | None
) -> tuple[Audit, BesideEvidence | None]:
    state = _state(clinic), None if review is None else data_stamp(review)
    key = ("audit", clinic.key, str(days[0]), str(days[1]), "" if review is None else review.key)
    found: tuple[Audit, BesideEvidence | None] = kept_for(key, state, lambda: _audit(clinic, days, review))
    return found


def _state(clinic: Clinic) -> tuple[str, date]:
    """What tells one state of a clinic's data from the next: the hash of its last event, and the day there."""
    last = ChainHead.objects.filter(chain=clinic.key).values_list("hash", flat=True).first() or ""
    return last, today(definition_of(clinic))


def _audit(
    clinic: Clinic, days: tuple[date | None, date | None], review: Review | None
) -> tuple[Audit, BesideEvidence | None]:
    registry = registry_of(clinic)
    day = today(registry.definition)
    if review is None:
        return audit(registry, day, since=days[0], until=days[1]), None
    trials, cohorts, limits, title = evidence_from(current_synthesis(review), _guidance(review))
    found = audit(registry, day, since=days[0], until=days[1], limits=limits)
    return found, beside_evidence(found, trials, cohorts, review=title)


def _guidance(review: Review) -> Guidance | None:
    """The guidance that the review's own page shows; which cell of it is wrong is its team's to read."""
    try:
        return current_guidance(review)
    except InputError:
        why = f"the guidance of {review.title!r} cannot be read now; its team sees why on its page"
        raise InputError(why) from None


def _day(text: str, name: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InputError(Problem(f"must be a date such as 2026-03-01; got {text[:40]!r}", column=name)) from None
