"""Four people around one review: owner (lead), teammate (reviewer), reader (viewer), stranger; and two more roles."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.test import Client

from balm.actions.review import package_bytes
from balm.actions.team.acting import Acting
from balm.actions.team.packages import start_review
from balm.store.accounts.models import User
from balm.store.reviews.models import Member, Review
from balm.store.synthesis.current import forget
from balm.web.accounts.mail import THREAD
from tests.web.rows_again import RowsAgain

KETAMINE = Path(__file__).parents[2] / "reviews" / "ketamine-chronic-pain"


STRANGER = "strahinja"
AROUND = {
    "owner": ("olga", "lead"), "teammate": ("tariq", "reviewer"), "second": ("sofia", "reviewer"),
    "arbiter": ("arno", "arbiter"), "statistician": ("stella", "statistician"), "reader": ("rita", "viewer"),
    "stranger": (STRANGER, ""),
}  # fmt: skip


@dataclass
class Someone:
    """A person with a browser, and their membership where they have one."""

    user: User
    client: Client
    member: Member | None = None

    @property
    def acting(self) -> Acting:
        """As the actions know them."""
        assert self.member is not None
        return Acting(self.member.review, self.member)


@dataclass
class Team:
    """The review and everybody around it."""

    review: Review
    owner: Someone
    teammate: Someone
    second: Someone
    arbiter: Someone
    statistician: Someone
    reader: Someone
    stranger: Someone
    anonymous: Client


def person(email: str, name: str) -> Someone:
    """An account, signed in."""
    user = User.objects.create_user(email, name=name)
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return Someone(user, client)


def mail_has_left() -> None:
    """Wait for the mail about accounts that is on its way."""
    for thread in threading.enumerate():
        if thread.name == THREAD:
            thread.join(30)


@pytest.fixture(autouse=True)
def _mail_of_its_own() -> Iterator[None]:
    """No mail of one test arrives in the next one."""
    yield
    mail_has_left()


@pytest.fixture
def team(db: None) -> Team:
    """The bundled ketamine review on the server, with one person in each role."""
    the_team()
    forget()  # the same review in another test: what was kept of its state there is not its state here
    people, review = signed_in(), Review.objects.get(slug=KETAMINE.name)
    for member in Member.objects.filter(review=review):
        people[member.code].member = member
        member.user, member.review = people[member.code].user, review
    around = {name: people[code] for name, (code, _) in AROUND.items()}
    return Team(review=review, anonymous=Client(), **around)


def _set_up_the_team() -> None:
    owner = person("olga@example.org", "Olga Owner")
    review = start_review(package_bytes(KETAMINE), user=owner.user, code="olga", name="Olga Owner")
    for code, role in AROUND.values():
        if code not in ("olga", STRANGER):
            name = code.capitalize()
            user = person(f"{code}@example.org", name).user
            Member.objects.create(review=review, user=user, code=code, name=name, role=role)
    person(f"{STRANGER}@example.org", STRANGER.capitalize())


def signed_in() -> dict[str, Someone]:
    """Everybody who has an account, by the first part of their address, each in a browser of their own."""
    found = {user.email.partition("@")[0]: Someone(user, Client()) for user in User.objects.all()}
    by_key = {str(someone.user.pk): someone for someone in found.values()}
    for session in Session.objects.all():
        by_key[session.get_decoded()[SESSION_KEY]].client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return found


the_team = RowsAgain(_set_up_the_team)
