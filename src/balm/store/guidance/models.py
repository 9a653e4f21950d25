"""Doses and limits as they were computed and shown: from what, by which rule, how, with which version, when, to whom.

No patient is named: a weight, a setting and a plan are inputs, and who asked is a member's code.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from balm.store.reviews.models import Member, Review


class CalculationTrace(models.Model):
    """One computed dose or limit. ``question`` is SHA-256 over everything that was computed with it, and the day: the
    same question asked again that day by the same person is the same calculation."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    question = models.CharField(max_length=64)
    number = models.PositiveIntegerField()
    asked = models.JSONField()
    rule = models.CharField(max_length=200)
    what = models.CharField(max_length=40)
    inputs = models.JSONField()
    formula = models.JSONField()  # the steps, in their order
    result = models.JSONField()
    guidance_version = models.CharField(max_length=200)
    software_version = models.CharField(max_length=40)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "question", "number"], name="a_calculation_is_kept_once")
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.what} {self.question[:12]}"
