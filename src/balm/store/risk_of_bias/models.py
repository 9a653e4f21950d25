"""Assessments of risk of bias as they are kept: each person's judgements, who has finished, what
was proposed in discussion, and what was agreed.

Every row is appended once. A change of mind is the next ``turn``; the last one stands. Rows name what they are about
by the ids of the package, and members by membership: nothing else, so that an archive holds them as they are.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from balm.store.reviews.models import Member, Review


class _OfTarget(models.Model):
    """What every row says: the review, whose it is, and the result or study it is about, with its instrument."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    instrument = models.CharField(max_length=40)
    study = models.CharField(max_length=200)
    outcome = models.CharField(max_length=200, blank=True)
    window = models.CharField(max_length=200, blank=True)
    comparison = models.CharField(max_length=200, blank=True)
    submission = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True
        ordering: ClassVar = ["pk"]


class _OfDomain(_OfTarget):
    """A judgement of one domain, or of ``Overall``, whose answers are the judgements of the domains it rests on."""

    domain = models.CharField(max_length=40)
    turn = models.PositiveSmallIntegerField(default=1)
    version = models.CharField(max_length=60)  # of the instrument
    answers = models.JSONField(default=dict)
    proposed = models.CharField(max_length=20, blank=True)
    judgement = models.CharField(max_length=20)
    override_reason = models.TextField(blank=True)
    direction = models.CharField(max_length=30, blank=True)
    support = models.TextField(blank=True)

    class Meta(_OfTarget.Meta):
        abstract = True


_TARGET = ("review", "instrument", "study", "outcome", "window", "comparison")


class Assessment(_OfDomain):
    """One person's judgement of one domain, blind to the other assessor's."""

    class Meta(_OfDomain.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "submission"], name="an_assessment_counts_once"),
            models.UniqueConstraint(fields=[*_TARGET, "member", "domain", "turn"], name="an_assessment_turn_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["review", "study"], name="assessment_of_study")]

    def __str__(self) -> str:
        return f"{self.study} {self.domain} {self.member_id}"


class Finished(_OfTarget):
    """A person says that their assessment is complete; when both have, the two are compared."""

    class Meta(_OfTarget.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=[*_TARGET, "member"], name="an_assessment_is_finished_once"),
        ]

    def __str__(self) -> str:
        return f"{self.study} {self.member_id}"


class Proposal(_OfDomain):
    """What an assessor proposes in discussion for agreement number ``turn``, made when both say the same."""

    reason = models.TextField(blank=True)

    class Meta(_OfDomain.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "submission"], name="a_bias_proposal_counts_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["review", "study"], name="bias_proposal_of_study")]

    def __str__(self) -> str:
        return f"{self.study} {self.domain} proposed by {self.member_id}"


class Agreed(_OfDomain):
    """The consensus on one domain: decided by a third person or by the assessors in discussion (``member`` was the last
    to say so), between the assessors named, with a reason."""

    assessors = models.JSONField()
    reason = models.TextField(blank=True)

    class Meta(_OfDomain.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "submission"], name="an_agreement_counts_once"),
            models.UniqueConstraint(fields=[*_TARGET, "domain", "turn"], name="an_agreement_turn_once"),
        ]

    def __str__(self) -> str:
        return f"{self.study} {self.domain} agreed"
