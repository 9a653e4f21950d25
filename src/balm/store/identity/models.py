"""Names, birthdays and addresses, encrypted; nothing but the pseudonym links them to the registry.

The rows are append-only like the audit trail. Erasing a person is destroying their key (see :mod:`keys`): the rows
stay, nobody can read them, and every event and its chain still verify.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone


class Identity(models.Model):
    """One version of a person's identity; ``sealed`` is a Fernet token over JSON."""

    clinic_key = models.CharField(max_length=64)
    participant = models.CharField(max_length=80)
    version = models.PositiveIntegerField()
    sealed = models.TextField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["version"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["clinic_key", "participant", "version"], name="one_identity_a_version")
        ]

    def __str__(self) -> str:
        return f"{self.participant} {self.version}"


class Erasure(models.Model):
    """A person's key was destroyed: from here on nothing of their identity can be read or written."""

    clinic_key = models.CharField(max_length=64)
    participant = models.CharField(max_length=80)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["clinic_key", "participant"], name="erased_once")]

    def __str__(self) -> str:
        return self.participant
