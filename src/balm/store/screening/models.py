"""Screening as it is kept: openings, frozen batches, votes, reveals, remarks and adjudications, each appended once.

Rows name records by id, members by membership and the review: nothing else, so that an archive holds them as they are.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from balm.store.reviews.models import Member, Review


class Opening(models.Model):
    """A stage was opened, changed or closed; the latest row of a stage says how it stands."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(max_length=20)
    open = models.BooleanField()
    screeners = models.JSONField()  # codes of the members who read
    experts = models.JSONField(default=list)  # one of them is among the readers of every record
    reviewers = models.PositiveSmallIntegerField(default=2)  # how many read each record
    size = models.PositiveIntegerField(default=50)  # records a sitting
    reason = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.stage} {'open' if self.open else 'closed'}"


class Batch(models.Model):
    """Records dealt out, in their order and with their readers; frozen.

    ``again``: records whose reader left, given to another reader; ``records`` stand in an earlier batch, too.
    """

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(max_length=20)
    number = models.PositiveIntegerField()
    again = models.BooleanField(default=False)
    records = models.JSONField()
    readers = models.JSONField()  # record -> codes
    basis = models.CharField(max_length=20)
    learned = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["review", "stage", "number"], name="a_batch_once")]

    def __str__(self) -> str:
        return f"{self.stage} {self.number}"


class Vote(models.Model):
    """One person's decision on one record. A change of mind is the next ``turn``; the last one is in force."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(max_length=20)
    record = models.CharField(max_length=500)
    turn = models.PositiveSmallIntegerField(default=1)
    decision = models.CharField(max_length=12)  # include, exclude, maybe; withdrawn takes the one before back
    reason = models.CharField(max_length=300, blank=True)
    note = models.TextField(blank=True)
    seconds = models.FloatField(null=True)  # how long it was on the screen, as the page measured it
    order_shown = models.PositiveIntegerField(null=True)
    batch = models.PositiveIntegerField()
    submission = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "submission"], name="a_vote_counts_once"),
            models.UniqueConstraint(fields=["review", "stage", "record", "member", "turn"], name="a_turn_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["member", "stage", "batch"], name="vote_of_member")]

    def __str__(self) -> str:
        return f"{self.stage} {self.record} {self.member_id}"


class Reveal(models.Model):
    """Everybody who was to vote on a record has voted: its outcome, written with the vote that completed it."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(max_length=20)
    record = models.CharField(max_length=500)
    outcome = models.CharField(max_length=10)  # include, exclude, conflict
    reason = models.CharField(max_length=300, blank=True)  # of an agreed exclusion at full text
    batch = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["review", "stage", "record"], name="a_reveal_once")]
        indexes: ClassVar = [
            models.Index(fields=["review", "stage", "outcome"], name="reveal_by_outcome"),
            models.Index(fields=["review", "stage", "batch"], name="reveal_by_batch"),
        ]

    def __str__(self) -> str:
        return f"{self.stage} {self.record} {self.outcome}"


class Remark(models.Model):
    """What somebody says about a record in discussion; with a ``decision`` it is a proposal to the other voters."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(max_length=20)
    record = models.CharField(max_length=500)
    text = models.TextField(blank=True)
    decision = models.CharField(max_length=12, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    submission = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "submission"], name="a_remark_counts_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["review", "stage", "record"], name="remark_on_record")]

    def __str__(self) -> str:
        return f"{self.stage} {self.record} {self.member_id}"


class Adjudication(models.Model):
    """A conflict was settled, by somebody who did not vote or by the voters in discussion; the votes stay as cast."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(max_length=20)
    record = models.CharField(max_length=500)
    turn = models.PositiveSmallIntegerField(default=1)
    decision = models.CharField(max_length=12)
    reason = models.CharField(max_length=300, blank=True)
    method = models.CharField(max_length=12)  # arbiter, discussion
    note = models.TextField(blank=True)
    submission = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["review", "stage", "record", "turn"], name="settled_once_a_turn"),
            models.UniqueConstraint(fields=["member", "submission"], name="a_decision_counts_once"),
        ]

    def __str__(self) -> str:
        return f"{self.stage} {self.record} {self.decision}"


class Order(models.Model):
    """The order of what no batch holds yet, ready for the next one; made again when there is more to learn from."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(max_length=20)
    records = models.JSONField()  # the first of them; a batch that needs more asks for the order anew
    basis = models.CharField(max_length=20)
    learned = models.PositiveIntegerField(default=0)
    rows_to = models.JSONField()  # up to which rows of records.csv and duplicates.csv it knows them
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["review", "stage"], name="one_order_a_stage")]

    def __str__(self) -> str:
        return f"{self.stage} by {self.basis}"
