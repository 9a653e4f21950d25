"""Four people around one review: owner (lead), teammate (reviewer), reader (viewer), stranger; and two more roles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from django.test import Client

from balm.actions.review import package_bytes
from balm.actions.team.acting import Acting
from balm.actions.team.packages import start_review
from balm.store.accounts.models import User
from balm.store.reviews.models import Member, Review

KETAMINE = Path(__file__).parents[2] / "reviews" / "ketamine-chronic-pain"


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


@pytest.fixture
def team(db: None) -> Team:
    """The bundled ketamine review on the server, with one person in each role."""
    owner = person("olga@example.org", "Olga Owner")
    review = start_review(package_bytes(KETAMINE), user=owner.user, code="olga", name="Olga Owner")
    owner.member = Member.objects.get(review=review, user=owner.user)
    people = {}
    for key, code, role in (
        ("teammate", "tariq", "reviewer"),
        ("second", "sofia", "reviewer"),
        ("arbiter", "arno", "arbiter"),
        ("statistician", "stella", "statistician"),
        ("reader", "rita", "viewer"),
    ):
        someone = person(f"{code}@example.org", code.capitalize())
        someone.member = Member.objects.create(
            review=review, user=someone.user, code=code, name=code.capitalize(), role=role
        )
        people[key] = someone
    return Team(
        review=review, owner=owner, stranger=person("strahinja@example.org", "Strahinja"), anonymous=Client(), **people
    )
