"""The versions of a review package: their history, how a result grew, what changed since one of them."""

from __future__ import annotations

from balm.actions.review import Review
from balm.review.living.changed import Changes, changes_between
from balm.review.living.grown import Grown, analyses_alone, grown
from balm.review.living.history import as_of, version_called


def result_by_version(review: Review, analysis: str) -> tuple[Grown, ...]:
    """The analysis at every version and milestone of the review."""
    return grown(review.package, analysis)


def changes_since(review: Review, version: str) -> Changes:
    """What changed since ``version``: which studies came, what they moved."""
    at = version_called(review.package, version)
    before = analyses_alone(as_of(review.package, at))
    return changes_between(before, review.synthesise(), since=at.label, frozen=False)
