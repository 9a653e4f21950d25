"""The audit trail as its leads read it: filtered, in pages, verified, and silent about what they are blind to."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from balm.actions.team import audit
from balm.actions.team import risk_of_bias as bias
from balm.actions.team.acting import Refused
from balm.actions.team.extraction import take
from balm.actions.team.rows import put_row
from balm.actions.team.screening import close_stage, open_stage, sitting
from balm.store.events.chain import append_event
from balm.store.events.models import VOTE, ChainHead, Event
from balm.store.reviews.models import Row
from balm.store.screening import vote_events
from tests.web.conftest import Team
from tests.web.test_extraction_actions import STUDY
from tests.web.test_extraction_actions import result as extracted
from tests.web.test_risk_of_bias_pages import TARGET
from tests.web.test_risk_of_bias_pages import assess as judged
from tests.web.test_screening_actions import TA, vote, with_records
from tests.web.unguarded import unguarded

GAP = {"gap": "g-new", "priority": "1", "missing": "the means of one trial"}


def page(team: Team, rest: str = "") -> str:
    response = team.owner.client.get(f"/reviews/{team.review.slug}/audit/{rest}")
    assert response.status_code == 200
    return re.sub(r'value="\w{64}"|"X-CSRFToken": "\w+"', "", response.content.decode())


def pages(team: Team) -> list[str]:
    rests = ("", "verify/", "?entity=vote", "?entity=extraction", "?entity=assessment", "?entity=batch", "?who=sofia")
    return [page(team, rest) for rest in rests]


def test_a_lead_reads_who_did_what_and_why(team: Team) -> None:
    put_row(team.owner.acting, "gaps.csv", GAP)
    put_row(team.owner.acting, "gaps.csv", GAP | {"priority": "2"}, reason="read <again>")
    shown = page(team)
    assert "change row" in shown
    assert "read &lt;again&gt;" in shown
    assert "Before and after" in shown
    assert shown.index("change row") < shown.index("start review"), "the latest first"


def test_events_are_filtered_by_kind_and_person(team: Team) -> None:
    put_row(team.owner.acting, "gaps.csv", GAP)
    assert "start review" not in page(team, "?entity=gaps.csv")
    assert "add row" in page(team, "?entity=gaps.csv&who=olga")
    assert "There is no such event" in page(team, "?who=rita")
    assert "start review" in page(team, "?entity=nonsense&who=nobody&before=yesterday")


def test_earlier_events_are_a_page_away(team: Team) -> None:
    for priority in range(1, 8):
        put_row(team.owner.acting, "gaps.csv", GAP | {"priority": str(priority)}, reason="x")
    seen: list[str] = []
    before = ""
    for _ in range(20):
        found = audit.trail(team.owner.acting, before=before, page=3)
        seen += [event.hash for event in found.events]
        before = found.earlier
        if not before:
            break
    all_of_it = Event.objects.filter(chain=team.review.key).order_by("-seq")
    assert seen == list(all_of_it.values_list("hash", flat=True))


def test_the_chain_is_walked_and_a_changed_byte_is_shown(team: Team) -> None:
    put_row(team.owner.acting, "gaps.csv", GAP)
    Row.objects.filter(review=team.review, table="studies.csv").delete()  # nothing to assess: nothing to be blind to
    head = ChainHead.objects.get(chain=team.review.key)
    assert f"The chain has {head.seq} events; its anchor is <code>{head.hash}</code>" in page(team, "verify/")
    unguarded("events_event")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE events_event SET reason = 'another' WHERE chain = %s AND seq = 2", [team.review.key])
    assert "event 2 (add row) was changed after it was written" in page(team, "verify/")


def test_the_chain_is_not_walked_while_the_length_of_the_walk_would_tell(team: Team) -> None:
    with_records(team.review)
    open_stage(team.owner.acting, TA, ["olga", "sofia"])
    with CaptureQueriesContext(connection) as asked:
        shown = page(team, "verify/")
    assert "when no blind work is under way" in shown and "verify_events" in shown
    assert not any("events_event" in query["sql"] for query in asked), "a lead who screens has a clock"
    assert "Walk the chain" not in page(team)


def test_no_hidden_vote_is_passed_over_on_the_way_to_what_is_shown(team: Team) -> None:
    with_records(team.review)
    open_stage(team.owner.acting, TA, ["olga", "sofia"])
    record = sitting(team.owner.acting, TA).left[0]  # type: ignore[union-attr]
    for who in (team.owner, team.second):
        vote(who, record, "include")

    def queries() -> list[int]:
        found = []
        for rest in ("", "?entity=vote", "?who=sofia", "?who=olga", "?before=2999-01-01"):
            with CaptureQueriesContext(connection) as asked:
                page(team, rest)
            found.append(len(asked))
        return found

    before = queries(), pages(team)
    with transaction.atomic():
        for k in range(250):
            append_event(team.review.key, team.second.acting.actor, "vote", VOTE, f"{TA}/unseen{k}")
    assert (queries(), pages(team)) == before


def test_who_is_the_first_to_reach_a_batch_does_not_learn_it_from_the_trail(team: Team) -> None:
    with_records(team.review)
    open_stage(team.owner.acting, TA, ["olga", "sofia"], size=4)
    sitting(team.owner.acting, TA)
    assert Event.objects.filter(entity="batch", actor="olga").exists()
    assert "deal out batch" not in page(team, "?entity=batch")
    close_stage(team.owner.acting, TA, reason="done")
    assert "deal out batch" in page(team, "?entity=batch")


def test_votes_stand_in_the_order_of_the_chain_whatever_was_revealed_first(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vote_events, "AT_ONCE", 2)
    with_records(team.review)
    open_stage(team.owner.acting, TA, ["tariq", "sofia"])
    records = sitting(team.teammate.acting, TA).left  # type: ignore[union-attr]
    for someone, order in ((team.teammate, records), (team.second, records[::-1][:-1])):
        for record in order:
            vote(someone, record, "include")
    shown = audit.trail(team.owner.acting, entity=VOTE, page=1000).events
    hidden = Event.objects.filter(entity=VOTE, entity_id=f"{TA}/{records[0]}")
    written = Event.objects.filter(entity=VOTE).exclude(pk__in=hidden).order_by("-seq")
    assert [event.seq for event in shown] == list(written.values_list("seq", flat=True))
    assert len(shown) == 2 * (len(records) - 1) > 4


def screened(team: Team, decision: str) -> None:
    record = sitting(team.second.acting, TA).left[0]  # type: ignore[union-attr]
    vote(team.second, record, decision, note="seen by me alone")


def begun_extraction(team: Team, _: str) -> None:
    extracted(team.second)


def begun_assessment(team: Team, _: str) -> None:
    judged(team.second, end=True)


@pytest.mark.parametrize(
    ("act", "how"),
    [(screened, "include"), (screened, "exclude"), (begun_extraction, ""), (begun_assessment, "")],
)
def test_what_another_judges_changes_no_byte_before_it_is_revealed(
    team: Team, act: Callable[[Team, str], None], how: str
) -> None:
    with_records(team.review)
    open_stage(team.owner.acting, TA, ["olga", "sofia"])
    sitting(team.owner.acting, TA)
    for who in (team.owner, team.second):
        take(who.acting, STUDY)
    before, count = pages(team), Event.objects.count()
    act(team, how)
    assert Event.objects.count() > count, "there is something to be blind to"
    assert pages(team) == before
    assert "seen by me alone" not in "".join(before)


def test_votes_appear_when_both_are_cast(team: Team) -> None:
    with_records(team.review)
    open_stage(team.owner.acting, TA, ["tariq", "sofia"])
    record = sitting(team.teammate.acting, TA).left[0]  # type: ignore[union-attr]
    vote(team.teammate, record, "include")
    assert "tariq (reviewer)" not in page(team, "?entity=vote")
    vote(team.second, record, "exclude")
    shown = page(team, "?entity=vote")
    assert "tariq (reviewer)" in shown
    assert "sofia (reviewer)" in shown
    assert not audit.numbers_shown(team.owner.acting)
    close_stage(team.owner.acting, TA, reason="done")
    Row.objects.filter(review=team.review, table="studies.csv").delete()
    assert audit.numbers_shown(team.owner.acting)


def test_assessments_appear_when_both_have_finished(team: Team) -> None:
    judged(team.teammate)
    assert "assess" not in [e.action for e in audit.trail(team.owner.acting).events]
    judged(team.second)
    assert "assess" in [e.action for e in audit.trail(team.owner.acting).events]
    bias.accept_what_agrees(team.owner.acting, TARGET, submission="agree")
    assert "agree" in [e.action for e in audit.trail(team.owner.acting).events]


def test_only_a_lead_reads_it(team: Team) -> None:
    for someone, status in ((team.teammate, 403), (team.reader, 403), (team.stranger, 404)):
        assert someone.client.get(f"/reviews/{team.review.slug}/audit/").status_code == status
    with pytest.raises(Refused, match="may not read audit trail"):
        audit.trail(team.reader.acting)
