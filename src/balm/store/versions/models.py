"""Releases of a review: that it was released, by whom, and the hash; its files stand under ``releases/``."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from balm.store.reviews.models import Member, Review


class Released(models.Model):
    """A version that was released on this server. The files are stored files of the package, beside this hash."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    version = models.CharField(max_length=200)
    hash = models.CharField(max_length=64)
    submission = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["review", "version"], name="a_version_is_released_once"),
            models.UniqueConstraint(fields=["member", "submission"], name="a_release_counts_once"),
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.hash[:12]}"
