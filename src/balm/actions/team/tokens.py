"""Tokens for programs: made by a person, shown once, kept as a hash, taken back at any time."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from balm.actions.team.accounts import hashed, note
from balm.store.accounts.models import User
from balm.store.api.models import Token
from balm.vocabulary.problems import InputError, Problem, check_option

#: What every secret begins with, so that a scanner recognises one that was published by mistake.
PREFIX = "balm_"
READ, WRITE = "read", "write"
#: Days a token may work; a program that runs longer asks its person once a year.
DAYS, MOST_DAYS = 90, 366
MOST_TOKENS = 50


@transaction.atomic
def make_token(user: User, name: str, *, scope: str = READ, days: int = DAYS) -> tuple[Token, str]:
    """A token and its secret, which is nowhere else: it cannot be shown again."""
    named = " ".join(name.replace("\x00", "").split())
    if not 0 < len(named) <= 100:
        raise InputError(Problem("a token needs a name of at most 100 characters", column="name"))
    check_option("scope", scope, [READ, WRITE])
    if not 1 <= days <= MOST_DAYS:
        raise InputError(Problem(f"must be a whole number from 1 to {MOST_DAYS}; got {days}", column="days"))
    if sum(token.works for token in Token.objects.filter(user=user)) >= MOST_TOKENS:
        raise InputError(f"there are {MOST_TOKENS} tokens of yours already; take one back first")
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token.objects.create(
        user=user, name=named, may_write=scope == WRITE, start=secret[: len(PREFIX) + 4], secret_hash=hashed(secret),
        expires=timezone.now() + timedelta(days=days),
    )  # fmt: skip
    note(user, "make token", after={"token": token.pk, "scope": scope, "days": days})
    return token, secret


@transaction.atomic
def revoke_token(user: User, number: int) -> None:
    """Take a token back: it lets nobody in from now on. Said twice it is said once."""
    token = Token.objects.select_for_update().filter(user=user, pk=number).first()
    if token is None:
        raise InputError("there is no such token of yours")
    if token.revoked is None:
        token.revoked = timezone.now()
        token.save(update_fields=["revoked"])
        note(user, "revoke token", after={"token": token.pk})


def tokens_of(user: User) -> list[Token]:
    """A person's tokens, the newest first."""
    return list(Token.objects.filter(user=user))


def token_for(secret: str) -> Token | None:
    """The token with this secret while it works and its person may sign in; its use is noted to the minute."""
    token = Token.objects.select_related("user").filter(secret_hash=hashed(secret)).first()
    if token is None or not token.works or not token.user.is_active:
        return None
    now = timezone.now()
    if token.used is None or now - token.used > timedelta(minutes=1):
        Token.objects.filter(pk=token.pk).update(used=now)
    return token
