"""The audit trail: who changed what, when, from what, to what and why. Appended, hash-chained, never changed."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

#: The chain of what belongs to no review: accounts, archives brought in, settings.
SERVER = "server"
#: What events of screening are about: they come in tens of thousands, and are hidden until they are revealed.
VOTE = "vote"


class ChainHead(models.Model):
    """The last link of a chain: the row that writers lock, so that a chain has one order."""

    chain = models.CharField(max_length=64, primary_key=True)
    seq = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="", blank=True)

    def __str__(self) -> str:
        return f"{self.chain} {self.seq}"


class Event(models.Model):
    """One act. ``hash`` is SHA-256 over the canonical JSON of every other column, the previous hash among them."""

    chain = models.CharField(max_length=64)
    seq = models.PositiveBigIntegerField()
    at = models.CharField(max_length=32)  # UTC, ISO 8601 with microseconds: text, so that it hashes alike everywhere
    actor = models.CharField(max_length=120)
    on_behalf_of = models.CharField(max_length=120, blank=True)
    role = models.CharField(max_length=40, blank=True)
    session = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=80)
    entity = models.CharField(max_length=80)
    entity_id = models.CharField(max_length=400)
    entity_version = models.PositiveIntegerField(default=1)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    software_version = models.CharField(max_length=40)
    request_id = models.CharField(max_length=64, blank=True)
    prev_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering: ClassVar = ["chain", "seq"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["chain", "seq"], name="one_event_a_place")]
        indexes: ClassVar = [
            models.Index(fields=["chain", "entity", "entity_id"], name="event_by_entity"),
            models.Index(fields=["chain", "seq"], name="event_but_votes", condition=~models.Q(entity=VOTE)),
            models.Index(fields=["chain", "actor", "seq"], name="vote_by_actor", condition=models.Q(entity=VOTE)),
        ]

    def __str__(self) -> str:
        return f"{self.chain} {self.seq} {self.action}"
