"""The people of a review: invited by a link that works once, given a role, their work kept when they leave."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from balm.actions.team.accounts import hashed, make_account
from balm.actions.team.acting import Acting
from balm.actions.team.screening import give_out_again
from balm.review.members.changes import check_lead_stays, check_role
from balm.store.accounts.models import User
from balm.store.events.chain import Actor, append_event, lock_chain
from balm.store.reviews.models import Invitation, Member, Review
from balm.vocabulary.problems import InputError, Problem

#: How long an invitation works.
INVITATION_DAYS = 14
DOES_NOT_WORK = "this invitation does not work: it was used, withdrawn, or is older than two weeks"


@dataclass(frozen=True, slots=True)
class Sent:
    """An invitation and the secret of its link, which is nowhere else."""

    invitation: Invitation
    secret: str


@transaction.atomic
def invite(acting: Acting, *, email: str, name: str, role: str) -> Sent:
    """Invite somebody new. They are a member when they accept; until then nothing waits for them."""
    acting.check("invite")
    check_role(role)
    lock_chain(acting.review.key)
    address, shown = email.strip().lower(), name.strip()
    if not shown:
        raise InputError(Problem("must not be empty", column="name"))
    if Member.objects.filter(review=acting.review, user__email__iexact=address, active=True).exists():
        raise InputError(Problem("belongs to a member of this review already", column="email", value=address))
    if _open(acting.review).filter(email__iexact=address).exists():
        raise InputError(
            Problem("has an invitation already; withdraw it to send another", column="email", value=address)
        )
    code = free_code(acting.review, shown)
    member = Member.objects.create(review=acting.review, code=code, name=shown, role=role, active=False)
    return _send(acting, member, address, "invite")


@transaction.atomic
def invite_again(acting: Acting, code: str, *, email: str, role: str) -> Sent:
    """Invite somebody who has a place in the review already: they left, never came, or came with an archive."""
    acting.check("invite")
    check_role(role)
    lock_chain(acting.review.key)
    member = member_of(acting.review, code)
    if member.active and member.user_id is not None:
        raise InputError(f"{code} is a member already")
    _open(acting.review).filter(member=member).update(withdrawn=timezone.now())
    member.role = role
    member.save(update_fields=["role"])
    return _send(acting, member, email.strip().lower(), "invite again")


def _send(acting: Acting, member: Member, email: str, action: str) -> Sent:
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        review=acting.review,
        member=member,
        email=email,
        secret_hash=hashed(secret),
        expires=timezone.now() + timedelta(days=INVITATION_DAYS),
    )
    after = {"role": member.role, "name": member.name}
    append_event(acting.review.key, acting.actor, action, "member", member.code, after=after)
    return Sent(invitation, secret)


@transaction.atomic
def withdraw(acting: Acting, number: int) -> Invitation:
    """Take an invitation back; its link stops working at once."""
    acting.check("invite")
    lock_chain(acting.review.key)
    invitation = Invitation.objects.select_related("member").filter(review=acting.review, pk=number).first()
    if invitation is None:
        raise InputError("there is no such invitation in this review")
    if invitation.accepted:
        raise InputError("the invitation was accepted; remove the member instead")
    if not invitation.withdrawn:
        invitation.withdrawn = timezone.now()
        invitation.save(update_fields=["withdrawn"])
        append_event(acting.review.key, acting.actor, "withdraw invitation", "member", invitation.member.code)
    return invitation


def invitation_for(secret: str) -> Invitation | None:
    """The invitation with this secret, while it works."""
    return (
        Invitation.objects.select_related("review", "member")
        .filter(secret_hash=hashed(secret), accepted=None, withdrawn=None, expires__gt=timezone.now())
        .first()
    )


@transaction.atomic
def accept_with_new_account(secret: str, *, name: str, password: str) -> tuple[Member, User]:
    """Make the account that an invitation is for, and join with it."""
    invitation = _working(secret)
    user = make_account(email=invitation.email, name=name, password=password)
    return _join(invitation, user), user


@transaction.atomic
def accept(secret: str, user: User) -> Member:
    """Join with an account that is there. Of two who use one link, the first joins."""
    return _join(_working(secret), user)


def _working(secret: str) -> Invitation:
    found = invitation_for(secret)
    if found is not None:
        lock_chain(found.review.key)
        found = invitation_for(secret)
    if found is None:
        raise InputError(DOES_NOT_WORK)
    return found


def _join(invitation: Invitation, user: User) -> Member:
    members = Member.objects.filter(review=invitation.review)
    let_in(invitation, user, members=members, key=invitation.review.key, where="review")
    return invitation.member


def let_in(invitation: Any, user: User, *, members: Any, key: str, where: str) -> None:
    """Give the place that an invitation holds to ``user``, in the review or clinic with these ``members``."""
    member = invitation.member
    other = members.filter(user=user).exclude(pk=member.pk).first()
    if other is not None and other.active:
        raise InputError(f"this account is a member of the {where} already, as {other.code}")
    if other is not None:
        other.user = None  # left before: what they did stays under the old code
        other.save(update_fields=["user"])
    member.user, member.active = user, True
    member.save(update_fields=["user", "active"])
    invitation.accepted = timezone.now()
    invitation.save(update_fields=["accepted"])
    append_event(
        key, Actor(member.code, member.role), "accept invitation", "member", member.code,
        after={"role": member.role, "active": True},
    )  # fmt: skip


@transaction.atomic
def change_role(acting: Acting, code: str, role: str, *, reason: str) -> Member:
    """Give a member another role. What they decided before stays as they decided it; what they were to read and may not
    read any more is given out again."""
    acting.check("change members")
    check_role(role)
    _needs_reason(reason)
    lock_chain(acting.review.key)
    member = member_of(acting.review, code)
    before = member.role
    if before == role:
        return member
    check_lead_stays(_roles(acting.review) | {code: role})
    member.role = role
    member.save(update_fields=["role"])
    append_event(
        acting.review.key, acting.actor, "change role", "member", code,
        before={"role": before}, after={"role": role}, reason=reason.strip(),
    )  # fmt: skip
    give_out_again(acting)
    return member


@transaction.atomic
def remove(acting: Acting, code: str, *, reason: str) -> Member:
    """Let a member go: they can no longer enter, their work stays, and what they had not read goes to others."""
    acting.check("change members")
    _needs_reason(reason)
    lock_chain(acting.review.key)
    member = member_of(acting.review, code)
    if not member.active:
        return member
    check_lead_stays({c: role for c, role in _roles(acting.review).items() if c != code})
    member.active = False
    member.save(update_fields=["active"])
    append_event(
        acting.review.key, acting.actor, "remove member", "member", code,
        before={"active": True}, after={"active": False}, reason=reason.strip(),
    )  # fmt: skip
    give_out_again(acting)
    return member


@transaction.atomic
def declare_interests(acting: Acting, text: str) -> Member:
    """State one's own conflicts of interest; "none" is a statement too."""
    acting.check("declare interests")
    lock_chain(acting.review.key)
    member = Member.objects.get(pk=acting.member.pk)
    before, after = member.interests, text.strip()
    if before == after:
        return member
    if not after:
        raise InputError(Problem('must not be empty; write "none" if there are none', column="interests"))
    member.interests = after
    member.save(update_fields=["interests"])
    append_event(
        acting.review.key, acting.actor, "declare interests", "member", member.code,
        before={"interests": before} if before else None, after={"interests": after},
        reason="declared anew" if before else "",
    )  # fmt: skip
    return member


def member_of(review: Review, code: str) -> Member:
    """The member with this code, also one who has left."""
    member = Member.objects.filter(review=review, code=code).first()
    if member is None:
        raise InputError(Problem("is no member of this review", column="member", value=code))
    return member


def free_code(review: Review, name: str) -> str:
    """A code for a new member, from the name and never from the address."""
    taken = set(Member.objects.filter(review=review).values_list("code", flat=True))
    wanted = slugify(name.split(" ")[0])[:50] or "member"
    return next(c for c in (wanted, *(f"{wanted}-{i}" for i in range(2, len(taken) + 3))) if c not in taken)


def _open(review: Review):  # type: ignore[no-untyped-def]
    return Invitation.objects.filter(review=review, accepted=None, withdrawn=None, expires__gt=timezone.now())


def _roles(review: Review) -> dict[str, str]:
    members = Member.objects.filter(review=review, active=True).exclude(user=None)
    return {m.code: m.role for m in members}


def _needs_reason(reason: str) -> None:
    if not reason.strip():
        raise InputError(Problem("a change needs a reason", column="reason"))
