"""A clinic, its members, and its registry as appended rows.

An :class:`Entry` is one version of one row of a table of :mod:`balm.registry.tables`. Nothing is overwritten: a
correction is a later version of the row (or, for a rate segment, a row that replaces it), with who, when and why.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from balm.registry.roles import ROLES
from balm.store.reviews.models import new_key

#: Who enters what a patient answers by a link: no member has this code, because it holds a colon.
PATIENT = "patient:link"


class Clinic(models.Model):
    """A clinic. ``slug`` stands in its address; ``key`` names its audit chain and its part of the vault for ever."""

    key = models.CharField(max_length=64, unique=True, default=new_key, editable=False)
    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=300)
    created = models.DateTimeField(default=timezone.now)
    simulated = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["title"]

    def __str__(self) -> str:
        return self.title


class ClinicMember(models.Model):
    """A person's part in one clinic. ``code`` stands in rows and events; never the address."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="members")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="clinic_memberships", null=True, blank=True
    )  # empty: invited and not here yet, or brought in with an archive
    code = models.SlugField(max_length=60)
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=20, choices=[(role, role) for role in ROLES])
    active = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["clinic", "code"], name="one_code_a_clinic_member"),
            models.UniqueConstraint(fields=["clinic", "user"], name="one_membership_a_clinic"),
        ]

    def __str__(self) -> str:
        return self.name


class ClinicInvitation(models.Model):
    """An invitation to a clinic, by address; the link's secret is kept only as a hash, and works once."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="invitations")
    member = models.ForeignKey(ClinicMember, on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField()
    secret_hash = models.CharField(max_length=64, unique=True)
    sent = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()
    accepted = models.DateTimeField(null=True, blank=True)
    withdrawn = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.email} to {self.clinic}"


class Definition(models.Model):
    """``registry.toml`` and the clinic's own instruments, in the version that held from ``at`` on."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="definitions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    instruments = models.JSONField(default=dict)  # instruments/NAME.toml -> its text
    code = models.CharField(max_length=60)
    reason = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["clinic", "number"], name="a_definition_once")]

    def __str__(self) -> str:
        return f"{self.clinic} {self.number}"


class Entry(models.Model):
    """One version of one row: ``cells`` maps column to text as in the file; an absent cell is *not recorded*."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    table = models.CharField(max_length=40)
    key = models.CharField(max_length=300)  # the cells of the table's key, joined by U+001F
    version = models.PositiveIntegerField(default=1)
    participant = models.CharField(max_length=80)
    cells = models.JSONField()
    code = models.CharField(max_length=60)
    reason = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["clinic", "table", "key", "version"], name="one_entry_a_version")
        ]
        indexes: ClassVar = [models.Index(fields=["clinic", "participant"], name="entry_by_participant")]

    def __str__(self) -> str:
        return f"{self.table} {self.key} {self.version}"


class SessionCalculation(models.Model):
    """The figures of a session as they were when it was signed, or signed again: doses, the course so far, limits.

    ``figures`` hold inputs, arithmetic and result of each (:mod:`balm.registry.calculations`); ``digest`` is SHA-256
    over all of it, and stands in the audit trail too.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    session = models.CharField(max_length=80)
    number = models.PositiveIntegerField()  # the first signature, the second ...
    participant = models.CharField(max_length=80)
    figures = models.JSONField()
    guidance = models.TextField(blank=True)
    software = models.CharField(max_length=40)
    digest = models.CharField(max_length=64)
    code = models.CharField(max_length=60)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["clinic", "session", "number"], name="one_calculation_a_signature")
        ]

    def __str__(self) -> str:
        return f"{self.session} {self.number}"


class Sent(models.Model):
    """A form that was sent: the same one sent again (a double click, a lost answer) counts once."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=60)
    submission = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["clinic", "code", "submission"], name="a_form_counts_once")
        ]

    def __str__(self) -> str:
        return self.submission


class FollowUpLink(models.Model):
    """A link to a patient's own form for one visit; its secret is kept only as a hash."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    participant = models.CharField(max_length=80)
    course = models.CharField(max_length=80)
    visit = models.CharField(max_length=80)
    secret_hash = models.CharField(max_length=64, unique=True)
    code = models.CharField(max_length=60)
    at = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.course} {self.visit}"


class LinkUse(models.Model):
    """A link was answered, once. ``unwanted``: what was said to unwanted effects; a yes is called back about."""

    link = models.OneToOneField(FollowUpLink, on_delete=models.PROTECT, related_name="use")
    unwanted = models.BooleanField(null=True)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return str(self.link)
