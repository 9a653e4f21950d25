"""Accounts: the first one of an empty server, and those that begin with an invitation."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from balm.store.accounts.models import SetUpLink, User
from balm.store.events.chain import Actor, append_event, lock_chain
from balm.store.events.models import SERVER
from balm.vocabulary.problems import InputError

#: A set-up link is read from the server's terminal and used at once.
SET_UP_HOURS = 24


def hashed(secret: str) -> str:
    """How a link's secret is kept: whoever reads the database cannot follow the link."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def first_account_link() -> str:
    """A new secret for the set-up link of an empty server; links printed before it stop working."""
    lock_chain(SERVER)
    if not nobody_yet():
        raise InputError("this server has accounts already; a set-up link makes the first one only")
    SetUpLink.objects.filter(used=None).update(expires=timezone.now())
    secret = secrets.token_urlsafe(32)
    SetUpLink.objects.create(secret_hash=hashed(secret), expires=timezone.now() + timedelta(hours=SET_UP_HOURS))
    append_event(SERVER, Actor("operator"), "print set-up link", "server", "first account")
    return secret


def nobody_yet() -> bool:
    """Whether no account was made on this server so far."""
    return not User.objects.exists()


def set_up_link(secret: str) -> SetUpLink | None:
    """The link with this secret, while it works."""
    if not nobody_yet():
        return None
    return SetUpLink.objects.filter(secret_hash=hashed(secret), used=None, expires__gt=timezone.now()).first()


@transaction.atomic
def make_first_account(secret: str, *, email: str, name: str, password: str) -> User:
    """The first account, which manages the server and may start reviews. Of two people who hurry, one is first."""
    lock_chain(SERVER)
    link = set_up_link(secret)
    if link is None:
        raise InputError(
            "this set-up link does not work: it was used, it is too old, or the server has accounts already"
        )
    link.used = timezone.now()
    link.save(update_fields=["used"])
    return make_account(email=email, name=name, password=password, is_staff=True)


@transaction.atomic
def make_account(*, email: str, name: str, password: str, **fields: Any) -> User:
    """An account with an address of its own; the event names it by its number."""
    if User.objects.filter(email__iexact=email).exists():
        raise InputError("there is an account with this address already; sign in with it")
    user: User = User.objects.create_user(email, password, name=name.strip(), **fields)
    note(user, "make account")
    return user


@transaction.atomic
def rename(user: User, name: str) -> None:
    """Change the name an account shows; a member's name in a review stays what it was there."""
    user.name = name.strip()
    user.save(update_fields=["name"])
    note(user, "change name")


@transaction.atomic
def note(user: User, action: str, *, after: Any = None, request_id: str = "") -> None:
    """An event of the server about an account."""
    actor = Actor(f"account {user.pk}", request_id=request_id)
    append_event(SERVER, actor, action, "account", str(user.pk), after=after)


@transaction.atomic
def let_start_reviews(email: str, *, allowed: bool = True) -> User:
    """Say whether an account may start reviews on this server; whoever runs the server does, at its terminal."""
    lock_chain(SERVER)
    user: User | None = User.objects.filter(email__iexact=email.strip()).first()
    if user is None:
        raise InputError(f"there is no account with the address {email!r}")
    if user.is_staff != allowed:
        user.is_staff = allowed
        user.save(update_fields=["is_staff"])
        append_event(
            SERVER, Actor("operator"), "let start reviews", "account", str(user.pk),
            before={"allowed": not allowed}, after={"allowed": allowed},
        )  # fmt: skip
    return user
