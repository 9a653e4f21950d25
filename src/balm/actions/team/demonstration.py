"""The demonstration: a bundled review on a server of one's own, with three accounts whose passwords are shown."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from django.db import transaction

from balm.actions.review import package_bytes
from balm.actions.team.acting import Acting
from balm.actions.team.demonstration_search import queue_to_screen
from balm.actions.team.packages import slug_of, start_review
from balm.actions.team.publishing import publish_report
from balm.actions.versions import release_bytes
from balm.review.package import Package
from balm.review.reading import read_package
from balm.store.accounts.models import User
from balm.store.events.models import Event
from balm.store.reviews.models import Member, Review
from balm.vocabulary.problems import InputError


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


@dataclass(frozen=True, slots=True)
class Demonstration:
    """The review, its accounts with the passwords that hold now, and whether the folder has changed since."""

    review: Review
    accounts: tuple[DemonstrationAccount, ...]
    folder_changed: bool = False


def demonstration_review(folder: str | Path, kept: Path) -> Demonstration:
    """The review of ``folder`` with its three accounts, made on the first call and found again on every later one.

    Passwords are drawn at random and kept in ``kept``, a file that only its owner can read. Where that file is lost,
    new ones are drawn; a password that its person has changed is not shown. A review of the same name that somebody
    brought here as their own stays as it is, and gets no account. Releases come with the package.
    """
    files = package_bytes(folder) | release_bytes(folder)
    package, problems = read_package(files, Path(folder))
    if package is None:
        raise InputError(problems)
    found = Review.objects.filter(slug=slug_of(package)).first()
    if found is not None and not found.demonstration:
        return Demonstration(found, ())
    with transaction.atomic():
        accounts = accounts_for(PEOPLE, kept)
        if found is None:
            found = _bring_in(files, package, accounts)
        keep_passwords(kept, accounts)
    return Demonstration(found, tuple(as_it_holds(a) for a in accounts), _digests(files) != brought_in(found))


def _bring_in(files: Mapping[str, bytes], package: Package, accounts: tuple[DemonstrationAccount, ...]) -> Review:
    lead, *others = accounts
    users = {a.code: User.objects.get(email=a.email) for a in accounts}
    review = start_review(files, user=users[lead.code], code=lead.code, name=lead.name, demonstration=True)
    for a in others:
        Member.objects.create(review=review, user=users[a.code], code=a.code, name=a.name, role=a.role)
    acting = Acting(review, Member.objects.get(review=review, code=lead.code))
    if package.reports and not package.records:
        queue_to_screen(acting, package, [a.code for a in others])
    return publish_report(acting, True, reason="a demonstration review is there to be looked at")


def accounts_for(people: Iterable[tuple[str, str, str, str]], kept: Path) -> tuple[DemonstrationAccount, ...]:
    """An account for each of ``people`` (address, name, code, role), with the password of ``kept`` or a new one."""
    passwords = kept_passwords(kept)
    accounts = tuple(
        DemonstrationAccount(email, passwords.get(email) or secrets.token_urlsafe(9), name, code, role)
        for email, name, code, role in people
    )
    for a in accounts:
        if a.email not in passwords or not User.objects.filter(email=a.email).exists():
            _account(a)
    return accounts


def as_it_holds(account: DemonstrationAccount) -> DemonstrationAccount:
    """The account, without its password where the person has changed it."""
    user = User.objects.get(email=account.email)
    return account if user.check_password(account.password) else replace(account, password="(changed)")


def brought_in(review: Review) -> dict[str, str]:
    """The files that the review began with, each with its SHA-256, as the audit trail has them."""
    first = Event.objects.filter(chain=review.key, seq=1).first()
    return dict(first.after) if first and first.after else {}


def _digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}


def _account(account: DemonstrationAccount) -> User:
    user = User.objects.filter(email=account.email).first() or User(email=account.email)
    user.name = account.name
    user.set_password(account.password)
    user.save()
    return user


def kept_passwords(path: Path) -> dict[str, str]:
    """Address -> password, as the file has them."""
    if not path.exists():
        return {}
    return dict(line.split("\t", 1) for line in path.read_text().splitlines() if "\t" in line)


def keep_passwords(path: Path, accounts: tuple[DemonstrationAccount, ...]) -> None:
    """Write the passwords to a file that only its owner can read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.writelines(f"{a.email}\t{a.password}\n" for a in accounts)
