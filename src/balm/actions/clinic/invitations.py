"""Invite somebody to a clinic by a link that works once, as to a review."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from balm.actions.clinic.acting import ClinicActing
from balm.actions.clinic.clinics import free_code
from balm.actions.team.accounts import hashed, make_account
from balm.actions.team.members import DOES_NOT_WORK, INVITATION_DAYS, let_in
from balm.registry.roles import ROLES
from balm.store.accounts.models import User
from balm.store.events.chain import append_event, lock_chain
from balm.store.registry.models import Clinic, ClinicInvitation, ClinicMember
from balm.vocabulary.problems import InputError, Problem, check_option


@dataclass(frozen=True, slots=True)
class Sent:
    """An invitation and the secret of its link, which is nowhere else."""

    invitation: ClinicInvitation
    secret: str


@transaction.atomic
def invite_to_clinic(acting: ClinicActing, *, email: str, role: str, name: str = "", code: str = "") -> Sent:
    """Invite somebody new by ``name``, or who has the place ``code`` already: they left, or came with an archive.

    They are a member when they accept. The trail says who was invited by code, never by address.
    """
    acting.check("clinic members")
    check_option("role", role, list(ROLES))
    lock_chain(acting.clinic.key)
    address, shown = email.strip().lower(), " ".join(name.split())
    if "@" not in address or len(address) > 254:
        raise InputError(Problem("must be an address such as nora@clinic.example", column="email", value=address[:80]))
    if ClinicMember.objects.filter(clinic=acting.clinic, user__email__iexact=address, active=True).exists():
        raise InputError(Problem("belongs to a member of this clinic already", column="email", value=address))
    open_ones = open_invitations(acting.clinic)
    if not code and open_ones.filter(email__iexact=address).exists():
        raise InputError(
            Problem("has an invitation already; withdraw it to send another", column="email", value=address)
        )
    if code:
        member = ClinicMember.objects.filter(clinic=acting.clinic, code=code).first()
        if member is None:
            raise InputError(f"there is no {code!r} in this clinic")
        if member.active and member.user_id is not None:
            raise InputError(f"{code} is a member already")
        open_ones.filter(member=member).update(withdrawn=timezone.now())
        member.role = role
        member.save(update_fields=["role"])
    else:
        if not 0 < len(shown) <= 200:
            raise InputError(Problem("must be a name of at most 200 characters", column="name"))
        member = ClinicMember.objects.create(
            clinic=acting.clinic, code=free_code(acting.clinic, shown), name=shown, role=role, active=False
        )
    secret = secrets.token_urlsafe(32)
    invitation = ClinicInvitation.objects.create(
        clinic=acting.clinic, member=member, email=address, secret_hash=hashed(secret),
        expires=timezone.now() + timedelta(days=INVITATION_DAYS),
    )  # fmt: skip
    append_event(acting.clinic.key, acting.actor, "invite", "member", member.code, after={"role": role})
    return Sent(invitation, secret)


@transaction.atomic
def withdraw_invitation(acting: ClinicActing, number: int) -> None:
    """Take an invitation back; its link stops working at once."""
    acting.check("clinic members")
    lock_chain(acting.clinic.key)
    found = open_invitations(acting.clinic).select_related("member").filter(pk=number).first()
    if found is None:
        raise InputError("there is no such invitation in this clinic, or it was accepted")
    found.withdrawn = timezone.now()
    found.save(update_fields=["withdrawn"])
    append_event(acting.clinic.key, acting.actor, "withdraw invitation", "member", found.member.code)


def open_invitations(clinic: Clinic):  # type: ignore[no-untyped-def]
    """The invitations of a clinic whose links work."""
    now = timezone.now()
    return ClinicInvitation.objects.filter(clinic=clinic, accepted=None, withdrawn=None, expires__gt=now)


def clinic_invitation_for(secret: str) -> ClinicInvitation | None:
    """The invitation with this secret, while it works."""
    return (
        ClinicInvitation.objects.select_related("clinic", "member")
        .filter(secret_hash=hashed(secret), accepted=None, withdrawn=None, expires__gt=timezone.now())
        .first()
    )


@transaction.atomic
def join_clinic(secret: str, user: User) -> ClinicMember:
    """Join with an account that is there. Of two who use one link, the first joins."""
    return _join(_working(secret), user)


@transaction.atomic
def join_clinic_with_new_account(secret: str, *, name: str, password: str) -> tuple[ClinicMember, User]:
    """Make the account that an invitation is for, and join with it."""
    found = _working(secret)
    user = make_account(email=found.email, name=name, password=password)
    return _join(found, user), user


def _working(secret: str) -> ClinicInvitation:
    found = clinic_invitation_for(secret)
    if found is not None:
        lock_chain(found.clinic.key)
        found = clinic_invitation_for(secret)
    if found is None:
        raise InputError(DOES_NOT_WORK)
    return found


def _join(invitation: ClinicInvitation, user: User) -> ClinicMember:
    members = ClinicMember.objects.filter(clinic=invitation.clinic)
    let_in(invitation, user, members=members, key=invitation.clinic.key, where="clinic")
    return invitation.member
