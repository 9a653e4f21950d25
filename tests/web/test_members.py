"""Members: invited by a secret link, joined once, given roles with a reason, let go with their work kept."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from balm.actions.team import members
from balm.actions.team.acting import Refused
from balm.store.accounts.models import User
from balm.store.events.chain import broken_links
from balm.store.events.models import Event
from balm.store.reviews.models import Invitation, Member
from balm.vocabulary.problems import InputError
from tests.web.conftest import Someone, Team

PASSWORD = "a sentence that nobody guesses"
NEW = {"email": "nadia@example.org", "name": "Nadia N.", "role": "reviewer"}


def invited(team: Team, **changes: str) -> str:
    """The address of a new invitation."""
    return f"/invitations/{members.invite(team.owner.acting, **(NEW | changes)).secret}/"


def last_event(team: Team) -> Event:
    event = Event.objects.filter(chain=team.review.key).order_by("seq").last()
    assert event is not None
    return event


def page(team: Team, rest: str = "") -> str:
    return f"/reviews/{team.review.slug}/members/{rest}"


def account(email: str) -> Someone:
    user = User.objects.create_user(email, PASSWORD, name="Somebody")
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return Someone(user, client)


def test_an_invited_person_makes_an_account_and_joins(team: Team, client: Client) -> None:
    response = team.owner.client.post(page(team, "invite/"), NEW)
    assert response.status_code == 200
    link = re.search(r"http://testserver(/invitations/\S+/)\n", str(mail.outbox[0].body))
    assert link
    assert mail.outbox[0].to == ["nadia@example.org"]
    assert link[1] in response.content.decode()
    assert not Member.objects.get(code="nadia").active, "nothing waits for somebody who has not come yet"
    assert team.review.title in client.get(link[1]).content.decode()
    joined = client.post(link[1], {"name": "Nadia N.", "password": PASSWORD, "again": PASSWORD})
    assert joined.headers["Location"] == f"/reviews/{team.review.slug}/"
    assert client.get(joined.headers["Location"]).status_code == 200
    member = Member.objects.get(code="nadia")
    assert (member.active, member.role, member.user) == (True, "reviewer", User.objects.get(email="nadia@example.org"))
    event = last_event(team)
    assert (event.actor, event.role, event.action) == ("nadia", "reviewer", "accept invitation")
    assert list(broken_links(team.review.key)) == []


def test_events_name_members_by_code_and_never_by_address(team: Team, client: Client) -> None:
    client.post(invited(team), {"name": "Nadia", "password": PASSWORD, "again": PASSWORD})
    for event in Event.objects.all():
        for field in Event._meta.concrete_fields:
            assert "@" not in str(getattr(event, field.name)) or "example" not in str(getattr(event, field.name)), event


def test_a_link_is_kept_as_a_hash_and_works_once(team: Team, client: Client) -> None:
    link = invited(team)
    assert not Invitation.objects.filter(secret_hash__in=link.split("/")).exists()
    client.post(link, {"name": "Nadia", "password": PASSWORD, "again": PASSWORD})
    again = account("other@example.org").client
    assert again.get(link).status_code == 404
    assert again.post(link).status_code == 404
    assert not Member.objects.filter(user__email="other@example.org").exists()


def test_a_link_ends_after_two_weeks_and_when_it_is_withdrawn(team: Team, client: Client) -> None:
    link = invited(team)
    invitation = Invitation.objects.get()
    assert timedelta(days=13, hours=23) < invitation.expires - timezone.now() <= timedelta(days=14)
    Invitation.objects.update(expires=timezone.now())
    assert client.get(link).status_code == 404
    Invitation.objects.update(expires=timezone.now() + timedelta(days=1))
    assert client.get(link).status_code == 200
    assert team.owner.client.post(page(team, f"invitations/{invitation.pk}/withdraw/")).status_code == 302
    assert last_event(team).action == "withdraw invitation"
    assert client.get(link).status_code == 404
    given = {"name": "Nadia", "password": PASSWORD, "again": PASSWORD}
    assert client.post(link, given).status_code == 404
    assert not User.objects.filter(email="nadia@example.org").exists()


def test_somebody_with_an_account_joins_with_it(team: Team) -> None:
    someone = account("nadia@example.org")
    link = invited(team)
    anonymous = Client()
    assert "Sign in to join" in anonymous.get(link).content.decode()
    given = {"name": "Eve", "password": PASSWORD, "again": PASSWORD}
    assert anonymous.post(link, given).status_code == 200, "no second account with the same address"
    assert User.objects.filter(email="nadia@example.org").count() == 1
    assert someone.client.post(link).status_code == 302
    assert Member.objects.get(code="nadia").user == someone.user


def test_a_member_cannot_join_twice(team: Team) -> None:
    response = team.teammate.client.post(invited(team))
    assert response.status_code == 422
    assert "is a member of the review already, as tariq" in response.content.decode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"email": "tariq@example.org"}, "belongs to a member"),
        ({"email": "TARIQ@example.org"}, "belongs to a member"),
        ({"email": "nonsense"}, "valid email"),
        ({"name": " "}, "This field is required"),
        ({"role": "boss"}, "not one of the available choices"),
    ],
)
def test_what_is_wrong_with_an_invitation_is_said_once_and_saves_nothing(
    team: Team, changes: dict[str, str], said: str
) -> None:
    before = Event.objects.count()
    response = team.owner.client.post(page(team, "invite/"), NEW | changes)
    assert response.status_code == 422
    assert response.content.decode().count(said) == 1
    assert not Invitation.objects.exists()
    assert Event.objects.count() == before
    assert mail.outbox == []


def test_an_address_is_invited_once_at_a_time(team: Team) -> None:
    invited(team)
    with pytest.raises(InputError, match="has an invitation already"):
        invited(team)


def test_two_people_of_one_name_get_two_codes(team: Team) -> None:
    invited(team, name="Tariq T.")
    assert Member.objects.filter(code="tariq-2", name="Tariq T.").exists()


def test_a_role_is_changed_with_a_reason(team: Team) -> None:
    address = page(team, "tariq/role/")
    assert team.owner.client.post(address, {"role": "arbiter", "reason": ""}).status_code == 422
    assert Member.objects.get(code="tariq").role == "reviewer"
    assert team.owner.client.post(address, {"role": "arbiter", "reason": "knows the field"}).status_code == 302
    event = last_event(team)
    assert (event.before, event.after, event.reason) == ({"role": "reviewer"}, {"role": "arbiter"}, "knows the field")
    assert Member.objects.get(code="tariq").role == "arbiter"


def test_the_last_lead_stays(team: Team) -> None:
    for address, given in (
        ("olga/role/", {"role": "viewer", "reason": "x"}),
        ("olga/remove/", {"remove-reason": "x"}),
    ):
        response = team.owner.client.post(page(team, address), given)
        assert response.status_code == 422
        assert "a review needs a lead" in response.content.decode()
    members.change_role(team.owner.acting, "tariq", "lead", reason="two leads")
    assert team.owner.client.post(page(team, "olga/remove/"), {"remove-reason": "leaves"}).headers["Location"] == "/"
    assert team.owner.client.get(page(team)).status_code == 404


def test_somebody_who_left_cannot_enter_and_comes_back_under_their_code(team: Team) -> None:
    assert team.owner.client.post(page(team, "tariq/remove/"), {"remove-reason": "left"}).status_code == 302
    assert last_event(team).action == "remove member"
    assert team.teammate.client.get(page(team)).status_code == 404
    assert "tariq" in team.owner.client.get(page(team)).content.decode()
    sent = members.invite_again(team.owner.acting, "tariq", email="tariq@example.org", role="viewer")
    assert team.teammate.client.post(f"/invitations/{sent.secret}/").status_code == 302
    member = Member.objects.get(code="tariq")
    assert (member.active, member.role, member.user) == (True, "viewer", team.teammate.user)


def test_everybody_declares_their_own_interests(team: Team) -> None:
    for someone in (team.owner, team.reader):
        response = someone.client.post(page(team, "interests/"), {"interests": "none"})
        assert response.status_code == 302
    assert last_event(team).after == {"interests": "none"}
    team.reader.client.post(page(team, "interests/"), {"interests": "Shares in a maker"})
    assert last_event(team).before == {"interests": "none"}
    assert "Shares in a maker" in team.owner.client.get(page(team)).content.decode()
    assert team.reader.client.post(page(team, "interests/"), {"interests": ""}).status_code == 422


@pytest.mark.parametrize("rest", ["invite/", "tariq/", "tariq/role/", "tariq/remove/", "tariq/invite-again/"])
def test_only_a_lead_changes_members(team: Team, rest: str) -> None:
    given = {**NEW, "reason": "x", "remove-reason": "x"}
    for someone, status in ((team.teammate, 403), (team.reader, 403), (team.stranger, 404)):
        assert someone.client.post(page(team, rest), given).status_code == status
        assert someone.client.get(page(team, rest)).status_code == status
    assert Member.objects.get(code="tariq").role == "reviewer"
    with pytest.raises(Refused, match="a reviewer may not change members"):
        members.remove(team.teammate.acting, "sofia", reason="x")


def test_addresses_of_invited_people_are_for_leads(team: Team) -> None:
    invited(team)
    assert "nadia@example.org" in team.owner.client.get(page(team)).content.decode()
    assert "nadia@example.org" not in team.teammate.client.get(page(team)).content.decode()


def test_an_invitation_of_another_review_is_not_touched(team: Team) -> None:
    invited(team)
    assert team.owner.client.post(page(team, "invitations/999999/withdraw/")).status_code == 404
