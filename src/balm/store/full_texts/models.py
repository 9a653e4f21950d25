"""Attempts at getting a report, the papers that came, and how reports were linked to studies: each appended once."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from balm.store.reviews.models import Member, Review


class Attempt(models.Model):
    """Somebody looked for a report, got it, or gave it up. ``report`` is the id of a record or of a kept report."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    report = models.CharField(max_length=300)
    status = models.CharField(max_length=20)  # sought, obtained, not retrieved
    on = models.CharField(max_length=10)  # the day, YYYY-MM-DD
    note = models.TextField(blank=True)  # where, or why it could not be had
    submission = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "submission"], name="an_attempt_counts_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["review", "report"], name="attempt_on_report")]

    def __str__(self) -> str:
        return f"{self.report} {self.status}"


class Paper(models.Model):
    """A PDF came in; the file itself is ``full-texts/<report>.pdf`` of the package. The last row of a report stands."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    report = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    name = models.CharField(max_length=200)  # of the file as it was sent
    pages = models.PositiveIntegerField()
    texts = models.JSONField()  # what each page says, as far as it could be read
    submission = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "submission"], name="a_paper_counts_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["review", "report"], name="paper_of_report")]

    def __str__(self) -> str:
        return f"{self.report} {self.name}"


class Linking(models.Model):
    """A step in linking reports to studies, with the rows it wrote: what takes it back puts them as they were."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    act = models.CharField(max_length=10)  # link, split, undo
    report = models.CharField(max_length=300)
    study = models.CharField(max_length=300)
    changes = models.JSONField()  # table, key, before, after of each row, in order
    undoes = models.PositiveIntegerField(null=True)
    submission = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "submission"], name="a_linking_counts_once"),
            models.UniqueConstraint(fields=["review", "number"], name="a_linking_a_number"),
            models.UniqueConstraint(fields=["review", "undoes"], name="a_linking_undone_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.act} {self.report} {self.study}"
