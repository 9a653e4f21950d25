"""What the server keeps about records beside the package: files on their way in, receipts, and one record a report."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from balm.store.reviews.models import Member, Review


class UniqueRecord(models.Model):
    """One record a report, derived from ``records.csv`` and ``duplicates.csv``; it can be made again at any time.

    It has no order of its own: asked for some records in an order, SQLite walks through all of them in that order.
    """

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    record = models.CharField(max_length=500)  # the id of the record kept
    position = models.PositiveIntegerField()
    words = models.TextField()  # title, authors, identifiers in lower case: what a search looks in
    merged = models.BooleanField(default=False)  # there are several records
    ids = models.JSONField()
    searches = models.JSONField()
    values = models.JSONField()
    provenance = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["review", "record"], name="one_unique_record_a_report"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["review", "position"], name="unique_record_in_order"),
            models.Index(fields=["review", "merged", "position"], name="merged_in_order"),
        ]

    def __str__(self) -> str:
        return self.record


class RecordDetail(models.Model):
    """What a raw export says of a record beyond its row: volume, pages, keywords and so on. Read again when missing."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    record = models.CharField(max_length=500)
    values = models.JSONField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["review", "record"], name="one_detail_a_record")]

    def __str__(self) -> str:
        return self.record


class Derived(models.Model):
    """Up to which rows of the package the unique records of a review are made; -1 where they must be made again."""

    review = models.OneToOneField(Review, on_delete=models.PROTECT, related_name="+")
    records_to = models.BigIntegerField(default=-1)
    duplicates_to = models.BigIntegerField(default=-1)
    looked_to = models.BigIntegerField(default=-1)  # duplicates were looked for up to this row of records.csv
    looking = models.DateTimeField(null=True, blank=True)  # a sign of life of who looks for duplicates now

    def __str__(self) -> str:
        return f"{self.review}: {self.records_to}, {self.duplicates_to}"


class Upload(models.Model):
    """A file on its way into a review: it waits, is read, and its rows are added; or it is refused with the reason.

    The file stands here until it is in the review or refused, so that neither a closed tab nor a server that stops
    loses it. ``seen`` is the last sign of life of who works on it.
    """

    WAITING, READING, ADDING, DONE, REFUSED = "waiting", "reading", "adding", "done", "refused"

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    submission = models.CharField(max_length=64)
    ordinal = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    about = models.JSONField(default=dict)
    state = models.CharField(max_length=10, default=WAITING)
    read = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list)
    search = models.CharField(max_length=200, blank=True)
    session = models.CharField(max_length=40, blank=True)  # of the person who brought it, for the event
    request_id = models.CharField(max_length=40, blank=True)
    seen = models.DateTimeField(default=timezone.now)
    content = models.BinaryField(null=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["review", "member", "submission", "ordinal"], name="an_upload_comes_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"

    @property
    def under_way(self) -> bool:
        """Whether it is neither in nor refused."""
        return self.state in (self.WAITING, self.READING, self.ADDING)


class Import(models.Model):
    """A search export that came in, with the receipt of its reading. Written once."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    submission = models.CharField(max_length=64)
    search = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    path = models.CharField(max_length=400)  # of the raw file in the package
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    records = models.PositiveIntegerField()
    receipt = models.JSONField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["review", "search"], name="one_import_a_search")]

    def __str__(self) -> str:
        return f"{self.name}: {self.records}"


class Withdrawal(models.Model):
    """The mark that an import was taken back before anything was decided on its records. Written once."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    search = models.CharField(max_length=200)
    reason = models.TextField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["review", "search"], name="withdrawn_once")]

    def __str__(self) -> str:
        return self.search
