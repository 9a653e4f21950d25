"""Pinned analyses: what an analysis gave on a day, at full precision, with a hash of the data it rests on."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from balm.store.reviews.models import Member, Review


class PinnedAnalysis(models.Model):
    """An analysis as it was when somebody pinned it. Pinning it again adds a row of the same ``name``.

    ``spec``, ``result`` and ``reads`` are canonical JSON as text, so that every database keeps the same bytes.
    ``last_event`` is the number of the review's last event that was seen: what came after it explains a change.
    """

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    turn = models.PositiveIntegerField(default=1)
    note = models.TextField(blank=True)
    spec = models.TextField()
    data_hash = models.CharField(max_length=64)
    reads = models.TextField()  # table -> ids of the rows it rests on
    software_version = models.CharField(max_length=40)
    result = models.TextField()
    last_event = models.PositiveIntegerField()
    submission = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "submission"], name="a_pin_counts_once"),
            models.UniqueConstraint(fields=["review", "name", "turn"], name="a_pin_a_turn"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.turn}"
