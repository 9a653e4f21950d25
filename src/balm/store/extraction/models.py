"""Extraction as it is kept: who took a study, every value entered, who finished, what was settled. All append-only.

Rows name studies by id, members by membership and the review: nothing else, so that an archive holds them as they are.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from balm.store.reviews.models import Member, Review


class Taken(models.Model):
    """A member began to extract a study."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    study = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["review", "study", "member"], name="a_study_is_taken_once")
        ]

    def __str__(self) -> str:
        return f"{self.study} {self.member_id}"


class Entry(models.Model):
    """One value of one cell as one person read it; a correction is the next entry, and the last one is in force.

    ``column`` is a column of the table, or ``(row)`` (the row is there, or was taken out) or ``(form)``.
    """

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    study = models.CharField(max_length=200)
    table = models.CharField(max_length=40)
    key = models.CharField(max_length=200)
    column = models.CharField(max_length=60)
    value = models.TextField(blank=True)
    page = models.CharField(max_length=300, blank=True)
    quote = models.TextField(blank=True)
    how_read = models.CharField(max_length=60, blank=True)
    submission = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["member", "submission", "table", "key", "column"], name="an_entry_counts_once"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["review", "study", "member"], name="entry_of_member")]

    def __str__(self) -> str:
        return f"{self.study} {self.table} {self.key} {self.column}"


class Finished(models.Model):
    """A member said that their extraction of a study is complete, or opened it again; the last row is in force."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    study = models.CharField(max_length=200)
    finished = models.BooleanField()
    submission = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "submission"], name="a_finish_counts_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["review", "study"], name="finished_of_study")]

    def __str__(self) -> str:
        return f"{self.study} {self.member_id} {'finished' if self.finished else 'opened again'}"


class Consensus(models.Model):
    """What a differing cell is to be, and why: proposed by one of the two, or decided. The last row is in force."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    study = models.CharField(max_length=200)
    table = models.CharField(max_length=40)
    key = models.CharField(max_length=200)
    column = models.CharField(max_length=60)
    value = models.TextField(blank=True)
    reason = models.TextField()
    method = models.CharField(max_length=12)  # proposal, discussion, decision
    submission = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "submission"], name="a_settlement_counts_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["review", "study"], name="consensus_of_study")]

    def __str__(self) -> str:
        return f"{self.study} {self.table} {self.key} {self.column}"


class Written(models.Model):
    """The agreed values of a study were written to the package's tables."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    study = models.CharField(max_length=200)
    rows = models.JSONField()  # table -> ids of its rows
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        indexes: ClassVar = [models.Index(fields=["review", "study"], name="written_of_study")]

    def __str__(self) -> str:
        return self.study
