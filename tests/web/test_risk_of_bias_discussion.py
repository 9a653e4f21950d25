"""Two assessors agree on risk of bias in discussion, without a third person."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from balm.actions.team import risk_of_bias as actions
from balm.actions.team.acting import Refused
from balm.actions.team.risk_of_bias_discussion import propose
from balm.review.risk_of_bias.words import OVERALL
from balm.store.events.chain import broken_links
from balm.store.events.models import Event
from balm.store.reviews.package_rows import package_of
from balm.store.risk_of_bias.models import Agreed, Proposal
from balm.vocabulary.problems import InputError
from tests.web.conftest import Someone, Team
from tests.web.test_risk_of_bias_pages import LOW, TARGET, WORSE, address, assess, form, text


@pytest.fixture
def differing(team: Team) -> Team:
    """Tariq and sofia have finished; they differ in two domains and so in the overall judgement."""
    assess(team.teammate)
    assess(team.second, WORSE)
    return team


def say(who: Someone, domain: str, answers: dict[str, str], submission: str = "", **more: object) -> Proposal:
    given = {"support": f"{who.acting.member.code} read it again"} | more
    number = submission or f"{who.acting.member.code}-{domain}"
    return propose(who.acting, TARGET, domain, answers=answers, submission=number, **given)


def test_a_domain_is_agreed_when_both_propose_the_same(differing: Team) -> None:
    say(differing.teammate, "D1", LOW["D1"], reason="Table 1 is balanced")
    assert not Agreed.objects.exists(), "one proposal agrees on nothing"
    say(differing.second, "D1", WORSE["D1"])
    assert not Agreed.objects.exists(), "two that differ agree on nothing"
    say(differing.second, "D1", LOW["D1"], "sofia-again")
    [agreed] = Agreed.objects.all()
    assert (agreed.domain, agreed.judgement, agreed.assessors) == ("D1", "low", ["tariq", "sofia"])
    assert agreed.reason == "agreed in discussion by tariq and sofia: Table 1 is balanced"
    assert agreed.support == "tariq: tariq read it again\nsofia: sofia read it again"
    assert list(Event.objects.filter(entity="consensus").order_by("seq").values_list("action", "actor")) == [
        ("propose", "tariq"), ("propose", "sofia"), ("propose", "sofia"), ("agree", "sofia"),
    ]  # fmt: skip
    assert list(broken_links(differing.review.key)) == []


def test_two_people_close_an_assessment_alone(differing: Team) -> None:
    before = len(package_of(differing.review).risk_of_bias)
    for domain in ("D1", "D5"):
        for who in (differing.teammate, differing.second):
            say(who, domain, LOW[domain])
    assert actions.accept_what_agrees(differing.second.acting, TARGET, submission="same") == 3
    for who in (differing.teammate, differing.second):
        say(who, OVERALL, {}, support="")
    rows = package_of(differing.review).risk_of_bias[before:]
    assert {row.domain: row.judgement for row in rows}[OVERALL] == "low"
    assert {row.assessor for row in rows} == {"consensus of tariq and sofia"}
    page = text(differing.teammate.client.get(address(differing, "consensus/")))
    assert "Agreed, and written to the review" in page


def test_in_the_browser_the_other_s_proposal_stands_in_the_form(differing: Team) -> None:
    one, other = differing.teammate.client, differing.second.client
    assert "when both of you propose the same" in text(one.get(address(differing, "consensus/")))
    assert one.post(address(differing, "consensus/D1/"), form(LOW["D1"], seen="0")).status_code == 302
    page = other.get(address(differing, "consensus/D1/"))
    assert "Tariq proposes low" in text(page)
    assert 'value="Y" checked' in page.content.decode()
    assert "Answer" in text(other.get(address(differing, "consensus/")))
    assert other.post(address(differing, "consensus/D1/"), form(LOW["D1"], seen="0")).status_code == 302
    assert Agreed.objects.get().domain == "D1"


def test_who_assessed_does_not_settle_and_who_did_not_does_not_propose(differing: Team) -> None:
    act = {"answers": LOW["D1"], "support": "x", "reason": "y"}
    with pytest.raises(Refused, match="only those who assessed it"):
        propose(differing.owner.acting, TARGET, "D1", submission="a", **act)
    with pytest.raises(Refused):
        actions.agree(differing.teammate.acting, TARGET, "D1", submission="b", **act)
    assert differing.reader.client.get(address(differing, "consensus/D1/")).status_code == 403
    assert differing.stranger.client.get(address(differing, "consensus/D1/")).status_code == 404
    with pytest.raises(Refused):
        actions.accept_what_agrees(differing.reader.acting, TARGET, submission="c")
    assert not (Agreed.objects.exists() or Proposal.objects.exists())


def test_a_lead_who_assessed_is_no_third_person(team: Team) -> None:
    assess(team.owner)
    assess(team.second, WORSE)
    with pytest.raises(Refused, match="you assessed this"):
        actions.agree(team.owner.acting, TARGET, "D1", submission="a", answers=LOW["D1"], support="x", reason="y")
    say(team.owner, "D1", LOW["D1"])
    say(team.second, "D1", LOW["D1"])
    assert Agreed.objects.get().judgement == "low"


def test_nothing_is_proposed_before_both_have_finished(team: Team) -> None:
    assess(team.teammate)
    with pytest.raises(InputError, match="consensus begins"):
        say(team.teammate, "D1", LOW["D1"])


def test_an_agreement_makes_older_proposals_void(differing: Team) -> None:
    say(differing.teammate, "D1", LOW["D1"])
    actions.agree(
        differing.arbiter.acting, TARGET, "D1", submission="a", answers=WORSE["D1"], support="x", reason="No table"
    )
    with pytest.raises(InputError, match="settled since you opened it"):
        say(differing.second, "D1", LOW["D1"])
    say(differing.second, "D1", LOW["D1"], seen=1)
    assert Agreed.objects.count() == 1, "tariq's proposal was for the agreement before"
    say(differing.teammate, "D1", LOW["D1"], "tariq-anew", seen=1)
    assert Agreed.objects.order_by("turn").last().judgement == "low"


def test_sent_twice_it_counts_once_and_cannot_be_changed(differing: Team) -> None:
    first = say(differing.teammate, "D1", LOW["D1"])
    assert say(differing.teammate, "D1", LOW["D1"]) == first
    with pytest.raises(InputError, match="another window"):
        say(differing.teammate, "D1", WORSE["D1"], "tariq-D1")
    with pytest.raises(DatabaseError), transaction.atomic():
        Proposal.objects.update(judgement="high")
