"""The demonstration: a bundled review on a server of one's own, with three accounts whose passwords are shown."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from balm.actions.review import package_bytes
from balm.actions.team.packages import start_review
from balm.store.accounts.models import User
from balm.store.reviews.models import Member, Review


@dataclass(frozen=True, slots=True)
class DemonstrationAccount:
    """An account for trying out: everybody who can read the terminal can sign in with it."""

    email: str
    password: str
    name: str
    code: str
    role: str


#: One lead, who also decides conflicts, and two reviewers who are blind to each other.
PEOPLE = (
    ("lena@demonstration.example", "Lena Lead", "lena", "lead"),
    ("rui@demonstration.example", "Rui Reviewer", "rui", "reviewer"),
    ("sam@demonstration.example", "Sam Reviewer", "sam", "reviewer"),
)


def demonstration_review(folder: str | Path, kept: Path) -> tuple[Review, tuple[DemonstrationAccount, ...]]:
    """The review of ``folder`` with its three accounts, made on the first call and found again on every later one.

    Passwords are drawn at random and kept in ``kept``, a file that only its owner can read.
    """
    accounts = _kept(kept) or tuple(
        DemonstrationAccount(email, secrets.token_urlsafe(9), name, code, role) for email, name, code, role in PEOPLE
    )
    lead = accounts[0]
    found = Review.objects.filter(demonstration=True, members__user__email=lead.email).first()
    if found is not None:
        return found, accounts
    files = package_bytes(folder)
    with transaction.atomic():
        users = {a.code: _account(a) for a in accounts}
        review = start_review(files, user=users[lead.code], code=lead.code, name=lead.name, demonstration=True)
        for a in accounts[1:]:
            Member.objects.create(review=review, user=users[a.code], code=a.code, name=a.name, role=a.role)
        _keep(kept, accounts)
    return review, accounts


def _account(account: DemonstrationAccount) -> User:
    user = User.objects.filter(email=account.email).first() or User(email=account.email)
    user.name = account.name
    user.set_password(account.password)
    user.save()
    return user


def _kept(path: Path) -> tuple[DemonstrationAccount, ...]:
    if not path.exists():
        return ()
    passwords = dict(line.split("\t") for line in path.read_text().splitlines() if line)
    if set(passwords) != {email for email, *_ in PEOPLE}:
        return ()
    return tuple(DemonstrationAccount(e, passwords[e], name, code, role) for e, name, code, role in PEOPLE)


def _keep(path: Path, accounts: tuple[DemonstrationAccount, ...]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.writelines(f"{a.email}\t{a.password}\n" for a in accounts)
