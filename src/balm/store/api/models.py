"""Tokens with which a person's programs act: their secrets are kept only as hashes."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class Token(models.Model):
    """A key that a person made for a program. It may do what the person may, and only read where it says so."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=100)
    may_write = models.BooleanField(default=False)
    start = models.CharField(max_length=16)  # how the secret begins, to tell one from the other
    secret_hash = models.CharField(max_length=64, unique=True)
    made = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()
    used = models.DateTimeField(null=True, blank=True)  # to the minute
    revoked = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-made"]

    def __str__(self) -> str:
        return self.name

    @property
    def works(self) -> bool:
        """Whether it lets anybody in now."""
        return self.revoked is None and self.expires > timezone.now()
