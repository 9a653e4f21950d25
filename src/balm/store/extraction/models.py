"""Extraction as it is kept: who took a study, every value entered, who finished, what was settled. All append-only.

Rows name studies by id, members by membership and the review: nothing else, so that an archive holds them as they are.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from balm.store.reviews.models import Member, Review


class _OfStudy(models.Model):
    """What a member did on a study, and when; written once."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    study = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True
        ordering: ClassVar = ["pk"]


class _OfCell(_OfStudy):
    """A value of one cell of one row, as a page sent it."""

    table = models.CharField(max_length=40)
    key = models.CharField(max_length=200)
    column = models.CharField(max_length=60)
    value = models.TextField(blank=True)
    submission = models.CharField(max_length=64)

    class Meta(_OfStudy.Meta):
        abstract = True

    def __str__(self) -> str:
        return f"{self.study} {self.table} {self.key} {self.column}"


class Taken(_OfStudy):
    """A member began to extract a study."""

    class Meta(_OfStudy.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["review", "study", "member"], name="a_study_is_taken_once")
        ]

    def __str__(self) -> str:
        return f"{self.study} {self.member_id}"


class Entry(_OfCell):
    """One value of one cell as one person read it; a correction is the next entry, and the last one is in force.

    ``column`` is a column of the table, or ``(row)`` (the row is there, or was taken out) or ``(form)``.
    """

    page = models.CharField(max_length=300, blank=True)
    quote = models.TextField(blank=True)
    how_read = models.CharField(max_length=60, blank=True)

    class Meta(_OfCell.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["member", "submission", "table", "key", "column"], name="an_entry_counts_once"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["review", "study", "member"], name="entry_of_member")]


class Finished(_OfStudy):
    """A member said that their extraction of a study is complete, or opened it again; the last row is in force."""

    finished = models.BooleanField()
    submission = models.CharField(max_length=64)

    class Meta(_OfStudy.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "submission"], name="a_finish_counts_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["review", "study"], name="finished_of_study")]

    def __str__(self) -> str:
        return f"{self.study} {self.member_id} {'finished' if self.finished else 'opened again'}"


class Consensus(_OfCell):
    """What a differing cell is to be, and why: proposed by one of the two, or decided. The last row is in force."""

    reason = models.TextField()
    method = models.CharField(max_length=12)  # proposal, discussion, decision

    class Meta(_OfCell.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "submission"], name="a_settlement_counts_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["review", "study"], name="consensus_of_study")]


class Written(_OfStudy):
    """The agreed values of a study were written to the package's tables."""

    rows = models.JSONField()  # table -> ids of its rows

    class Meta(_OfStudy.Meta):
        indexes: ClassVar = [models.Index(fields=["review", "study"], name="written_of_study")]

    def __str__(self) -> str:
        return self.study
