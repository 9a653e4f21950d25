"""Ratings of certainty as they are kept: each person's, what was proposed in discussion, and what was agreed.

Every row is appended once; a change of mind is the next ``turn``. A row holds the whole decision on one analysis and
the ``basis`` it rests on: rows of another basis are about data that have changed since.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from balm.store.reviews.models import Member, Review


class _OfAnalysis(models.Model):
    """What every row says: whose it is, the analysis, the data it rests on, and the decision as plain values."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    analysis = models.CharField(max_length=200)
    basis = models.CharField(max_length=16)
    turn = models.PositiveSmallIntegerField(default=1)
    decision = models.JSONField()
    submission = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True
        ordering: ClassVar = ["pk"]


class Rating(_OfAnalysis):
    """One person's rating, blind to the other rater's where the plan asks for two."""

    class Meta(_OfAnalysis.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "submission"], name="a_rating_counts_once"),
            models.UniqueConstraint(
                fields=["review", "analysis", "basis", "member", "turn"], name="a_rating_turn_once"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["review", "analysis"], name="rating_of_analysis")]

    def __str__(self) -> str:
        return f"{self.analysis} {self.member_id}"


class Suggestion(_OfAnalysis):
    """What a rater proposes in discussion for agreement number ``turn``, made when both say the same."""

    reason = models.TextField(blank=True)

    class Meta(_OfAnalysis.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "submission"], name="a_suggestion_counts_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["review", "analysis"], name="suggestion_of_analysis")]

    def __str__(self) -> str:
        return f"{self.analysis} suggested by {self.member_id}"


class Agreed(_OfAnalysis):
    """The decision that stands: of the one rater, of both where they say the same, or of whoever settled it."""

    assessors = models.JSONField()
    reason = models.TextField(blank=True)

    class Meta(_OfAnalysis.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "submission"], name="an_agreed_rating_counts_once"),
            models.UniqueConstraint(fields=["review", "analysis", "basis", "turn"], name="an_agreed_rating_turn_once"),
        ]

    def __str__(self) -> str:
        return f"{self.analysis} agreed"
