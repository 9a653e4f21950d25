"""What the server keeps about records beside the package: the records of a review one a report, ready to be read."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from balm.store.reviews.models import Review


class UniqueRecord(models.Model):
    """One record a report, derived from ``records.csv`` and ``duplicates.csv``; it can be made again at any time."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    record = models.CharField(max_length=500)  # the id of the record kept
    position = models.PositiveIntegerField()
    words = models.TextField()  # title, authors, identifiers in lower case: what a search looks in
    ids = models.JSONField()
    searches = models.JSONField()
    values = models.JSONField()
    provenance = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["review", "record"], name="one_unique_record_a_report"),
        ]
        indexes: ClassVar = [models.Index(fields=["review", "position"], name="unique_record_in_order")]

    def __str__(self) -> str:
        return self.record


class Derived(models.Model):
    """Up to which rows of the package the unique records of a review are made; -1 where they must be made again."""

    review = models.OneToOneField(Review, on_delete=models.PROTECT, related_name="+")
    records_to = models.BigIntegerField(default=-1)
    duplicates_to = models.BigIntegerField(default=-1)

    def __str__(self) -> str:
        return f"{self.review}: {self.records_to}, {self.duplicates_to}"
