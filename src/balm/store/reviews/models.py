"""A review on the server: its members, and its package as rows and files.

The database holds the package itself: every row of every table of the format as :class:`Row`, every other file
(``review.toml``, guidance, raw exports, full texts) as :class:`StoredFile`. What two people judge independently
(votes, extractions, assessments) stands in append-only tables of its own stage and is written into the package's
tables when it is agreed.
"""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from balm.review.members.roles import ROLES


def new_key() -> str:
    """A key nobody can guess: the name of a review's audit chain and of its archive."""
    return secrets.token_hex(16)


class Review(models.Model):
    """A review. ``slug`` stands in its address; ``key`` names it for ever, on every server it is brought to."""

    key = models.CharField(max_length=64, unique=True, default=new_key, editable=False)
    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=500)
    created = models.DateTimeField(default=timezone.now)
    demonstration = models.BooleanField(default=False)
    #: Its report may be read by anybody. A lead's decision on this server: it does not travel with the archive.
    public = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["title"]

    def __str__(self) -> str:
        return self.title


class Member(models.Model):
    """A person's part in one review. ``code`` (``ana``) stands in votes, files and events; never the address.

    A member without a ``user`` came with an archive: their work is here, they cannot sign in until invited again.
    Somebody who leaves stays as an inactive member, and so does their work.
    """

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="members")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="memberships"
    )
    code = models.SlugField(max_length=60)
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=20, choices=[(role, role) for role in ROLES])
    interests = models.TextField("conflicts of interest", blank=True)
    active = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["review", "code"], name="one_code_a_member"),
            models.UniqueConstraint(fields=["review", "user"], name="one_membership_a_review"),
        ]

    def __str__(self) -> str:
        return self.name


class Invitation(models.Model):
    """An invitation to a review, by address; the link's secret is kept only as a hash, and works once."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="invitations")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField()
    secret_hash = models.CharField(max_length=64, unique=True)
    sent = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()
    accepted = models.DateTimeField(null=True, blank=True)
    withdrawn = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.email} to {self.review}"


class KeptTable(models.Model):
    """A table that the package keeps, with the columns of its header: *no rows* and *not kept* stay apart."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="tables")
    table = models.CharField(max_length=80)
    columns = models.JSONField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["review", "table"], name="a_table_is_kept_once")]

    def __str__(self) -> str:
        return self.table


class Row(models.Model):
    """One row of one table of the package: ``cells`` maps column to text as in the file; an absent cell is empty."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="rows")
    table = models.CharField(max_length=80)  # the file, as in balm.review.schema
    key = models.CharField(max_length=500)  # the cells of the table's key, joined by U+001F
    position = models.PositiveIntegerField()
    cells = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering: ClassVar = ["table", "position"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["review", "table", "key"], name="one_row_a_key")]
        # With id and version: whether a table has changed is answered from the index, whatever other tables hold.
        indexes: ClassVar = [models.Index(fields=["review", "table", "position", "id", "version"], name="row_in_order")]

    def __str__(self) -> str:
        return f"{self.table} {self.key}"


class StoredFile(models.Model):
    """A file of the package that is no table, whole and as it came."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="files")
    path = models.CharField(max_length=400)
    sha256 = models.CharField(max_length=64)
    media_type = models.CharField(max_length=100, default="application/octet-stream")
    content = models.BinaryField()
    added = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["path"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["review", "path"], name="one_file_a_path")]

    def __str__(self) -> str:
        return self.path
