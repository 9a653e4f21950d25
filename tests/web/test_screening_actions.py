"""Screening by two: openings, frozen batches, votes, reveals and conflicts, as the actions do them."""

from __future__ import annotations

import itertools

import pytest
from django.db import DatabaseError, connection, transaction

from balm.actions.team.acting import Acting, Refused
from balm.actions.team.archive import archive, bring_archive
from balm.actions.team.screening import SCREENING, Cast, cast_vote, close_stage, open_stage, sitting
from balm.actions.team.screening_conflicts import adjudicate, case_of, remark
from balm.review.schema import TABLE_BY_FILE
from balm.store.events.chain import broken_links
from balm.store.events.models import Event
from balm.store.reviews.models import Member, Review, Row
from balm.store.reviews.package_rows import add_rows, package_of
from balm.store.screening.models import Adjudication, Batch, Reveal, Vote
from balm.store.screening.standing import forward, unsettled
from balm.vocabulary.problems import InputError
from tests.web.conftest import Someone, Team
from tests.web.test_archive import _forget_chain, moved

TA, FT = "title-abstract", "full-text"
numbers = itertools.count(1)


def with_records(review: Review, count: int = 12) -> None:
    """Records of a made-up search."""
    rows = [
        {"record": f"r{k}", "title": f"Ketamine infusion, trial {k}", "abstract": f"Patients with chronic pain {k}."}
        for k in range(1, count + 1)
    ]
    add_rows(review, TABLE_BY_FILE["records.csv"], rows)


def vote(who: Someone, record: str, decision: str, *, stage: str = TA, **more: object) -> Cast:
    return cast_vote(
        who.acting, stage=stage, record=record, decision=decision, submission=f"submission-{next(numbers)}", **more
    )  # type: ignore[arg-type]


@pytest.fixture
def screening(team: Team) -> Team:
    """Twelve records, title and abstract open to tariq and sofia."""
    with_records(team.review)
    open_stage(team.owner.acting, TA, ["tariq", "sofia"])
    return team


def records_of(who: Someone, stage: str = TA) -> tuple[str, ...]:
    found = sitting(who.acting, stage)
    return found.left if found else ()


def test_both_read_the_same_frozen_batch(screening: Team) -> None:
    first = records_of(screening.teammate)
    assert len(first) == 12
    assert records_of(screening.second) == first
    assert Batch.objects.count() == 1
    assert [p.record for p in package_of(screening.review).batches] == list(first)


def test_the_second_vote_reveals_and_stands_in_the_package(screening: Team) -> None:
    one, two = records_of(screening.teammate)[:2]
    records_of(screening.second)
    assert vote(screening.teammate, one, "include").outcome == "waiting"
    assert package_of(screening.review).screening == ()
    assert vote(screening.second, one, "maybe").outcome == "include"
    vote(screening.second, two, "exclude")
    assert vote(screening.teammate, two, "exclude").outcome == "exclude"
    assert forward(screening.review) == [one]
    rows = package_of(screening.review).screening
    assert [(v.record, v.reviewer, v.decision, v.kind) for v in rows] == [
        (one, "tariq", "include", "vote"), (one, "sofia", "maybe", "vote"),
        (two, "sofia", "exclude", "vote"), (two, "tariq", "exclude", "vote"),
    ]  # fmt: skip
    assert list(broken_links(screening.review.key)) == []


def test_a_double_click_counts_once(screening: Team) -> None:
    record = records_of(screening.teammate)[0]
    first = cast_vote(screening.teammate.acting, stage=TA, record=record, decision="include", submission="same-one-1")
    events = Event.objects.count()
    again = cast_vote(screening.teammate.acting, stage=TA, record=record, decision="include", submission="same-one-1")
    assert (first.repeated, again.repeated) == (False, True)
    assert again.vote == first.vote
    assert Event.objects.count() == events
    with pytest.raises(InputError, match="another vote"):
        cast_vote(screening.teammate.acting, stage=TA, record=record, decision="exclude", submission="same-one-1")


def test_a_change_of_mind_is_a_new_vote_until_the_reveal(screening: Team) -> None:
    record = records_of(screening.teammate)[0]
    vote(screening.teammate, record, "include")
    vote(screening.teammate, record, "withdrawn")
    assert record in records_of(screening.teammate)
    with pytest.raises(InputError, match="no vote of yours"):
        vote(screening.teammate, record, "withdrawn")
    vote(screening.teammate, record, "exclude")
    assert vote(screening.second, record, "include").outcome == "conflict"
    assert Vote.objects.filter(member=screening.teammate.member).count() == 3
    with pytest.raises(InputError, match="not changed any more"):
        vote(screening.teammate, record, "include")


def test_a_vote_taken_back_reveals_nothing(screening: Team) -> None:
    record = records_of(screening.teammate)[0]
    vote(screening.teammate, record, "include")
    vote(screening.teammate, record, "withdrawn")
    assert vote(screening.second, record, "include").outcome == "waiting"
    assert vote(screening.teammate, record, "maybe").outcome == "include"


def test_only_those_who_were_given_a_record_vote_on_it(screening: Team) -> None:
    record = records_of(screening.teammate)[0]
    with pytest.raises(Refused, match="do not screen"):
        vote(screening.owner, record, "include")
    with pytest.raises(Refused, match="viewer may not screen"):
        vote(screening.reader, record, "include")
    with pytest.raises(InputError, match="was not given to you"):
        vote(screening.teammate, "r999", "include")
    with pytest.raises(InputError, match="was not given to you"):
        vote(screening.teammate, record, "include", batch=7)
    with pytest.raises(InputError, match="decision must be one of"):
        vote(screening.teammate, record, "yes")
    with pytest.raises(InputError, match="8 to 64"):
        cast_vote(screening.teammate.acting, stage=TA, record=record, decision="include", submission="x")
    with pytest.raises(InputError, match="limit is 5,000"):
        vote(screening.teammate, record, "include", note="x" * 5001)
    assert Vote.objects.count() == 0


def test_a_closed_stage_takes_no_vote(screening: Team) -> None:
    record = records_of(screening.teammate)[0]
    close_stage(screening.owner.acting, TA)
    with pytest.raises(InputError, match="is not open"):
        vote(screening.teammate, record, "include")
    with pytest.raises(Refused, match="a reviewer may not set up"):
        open_stage(screening.teammate.acting, TA, ["tariq", "sofia"])
    with pytest.raises(InputError, match="2 people read each record"):
        open_stage(screening.owner.acting, TA, ["tariq"])
    with pytest.raises(InputError, match="must be members who may screen"):
        open_stage(screening.owner.acting, TA, ["tariq", "rita"])
    open_stage(screening.owner.acting, TA, ["tariq", "sofia"])
    vote(screening.teammate, record, "include")


@pytest.mark.parametrize("table", ["vote", "reveal", "adjudication", "batch", "opening", "remark"])
@pytest.mark.parametrize("verb", ["UPDATE screening_{} SET stage = 'x'", "DELETE FROM screening_{}"])
def test_the_database_refuses_to_change_a_judgement(screening: Team, table: str, verb: str) -> None:
    settled_conflict(screening)
    remark(screening.arbiter.acting, stage=TA, record=conflict(screening), submission="submission-x", text="?")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(verb.format(table))


def conflict(team: Team) -> str:
    """A record on which the two differ."""
    record = records_of(team.teammate)[0]
    vote(team.teammate, record, "include")
    vote(team.second, record, "exclude")
    return record


def settled_conflict(team: Team) -> str:
    record = conflict(team)
    adjudicate(team.arbiter.acting, stage=TA, record=record, decision="include", submission="decision-1", note="dose")
    return record


def test_an_arbiter_settles_and_the_votes_stay(screening: Team) -> None:
    record = conflict(screening)
    assert [r.record for r in unsettled(screening.review, TA)] == [record]
    assert forward(screening.review) == []
    with pytest.raises(Refused, match="may not adjudicate"):
        adjudicate(screening.teammate.acting, stage=TA, record=record, decision="include", submission="decision-1")
    adjudicate(screening.arbiter.acting, stage=TA, record=record, decision="include", submission="decision-1")
    adjudicate(screening.arbiter.acting, stage=TA, record=record, decision="include", submission="decision-1")
    assert Adjudication.objects.count() == 1
    assert forward(screening.review) == [record]
    assert unsettled(screening.review, TA) == []
    assert [v.decision for v in Vote.objects.filter(record=record)] == ["include", "exclude"]
    kinds = [(v.kind, v.reviewer) for v in package_of(screening.review).screening]
    assert kinds == [("vote", "tariq"), ("vote", "sofia"), ("adjudication", "arno")]


def test_settling_anew_needs_a_reason_and_overwrites_nothing(screening: Team) -> None:
    record = settled_conflict(screening)
    again = {"stage": TA, "record": record, "decision": "exclude"}
    with pytest.raises(InputError, match=r"arno has settled r\d+ meanwhile"):
        adjudicate(screening.owner.acting, **again, submission="decision-2")
    with pytest.raises(InputError, match="needs a note"):
        adjudicate(screening.owner.acting, **again, submission="decision-2", turn=2)
    adjudicate(screening.owner.acting, **again, submission="decision-2", turn=2, note="wrong dose after all")
    case = case_of(screening.review, TA, record)
    assert case is not None and case.outcome == "settled out" and len(case.adjudications) == 2
    assert forward(screening.review) == []


def test_a_lead_who_voted_is_no_arbiter_of_that_record(team: Team) -> None:
    with_records(team.review)
    open_stage(team.owner.acting, TA, ["olga", "tariq"])
    record = records_of(team.teammate)[0]
    vote(team.teammate, record, "include")
    vote(team.owner, record, "exclude")
    with pytest.raises(Refused, match="olga voted on this record"):
        adjudicate(team.owner.acting, stage=TA, record=record, decision="include", submission="decision-1")


def test_both_agree_in_discussion(screening: Team) -> None:
    record = conflict(screening)
    said = {"stage": TA, "record": record}
    remark(screening.teammate.acting, **said, submission="remark-01", text="It is a trial.", decision="include")
    remark(screening.second.acting, **said, submission="remark-02", text="Of rats.", decision="exclude")
    assert Adjudication.objects.count() == 0
    with pytest.raises(Refused, match="only those who voted"):
        remark(screening.arbiter.acting, **said, submission="remark-03", decision="exclude")
    with pytest.raises(Refused, match="a viewer may not discuss"):
        remark(screening.reader.acting, **said, submission="remark-03", text="x")
    remark(screening.teammate.acting, **said, submission="remark-04", text="So it is.", decision="exclude")
    found = Adjudication.objects.get()
    assert (found.method, found.decision, found.note) == ("discussion", "exclude", "agreed by tariq and sofia")


def test_full_texts_are_those_that_went_forward_and_need_a_reason(screening: Team) -> None:
    record = records_of(screening.teammate)[0]
    vote(screening.teammate, record, "include")
    vote(screening.second, record, "include")
    open_stage(screening.owner.acting, FT, ["tariq", "sofia"])
    assert records_of(screening.teammate, FT) == (record,)
    with pytest.raises(InputError, match="needs one reason"):
        vote(screening.teammate, record, "exclude", stage=FT)
    vote(screening.teammate, record, "exclude", stage=FT, reason="wrong outcomes")
    assert vote(screening.second, record, "exclude", stage=FT, reason="wrong population").outcome == "exclude"
    assert Reveal.objects.get(stage=FT).reason == "wrong population"
    assert {v.reason for v in package_of(screening.review).screening if v.stage == FT} == {
        "wrong outcomes", "wrong population",
    }  # fmt: skip


def test_who_leaves_keeps_their_votes_and_is_replaced(screening: Team) -> None:
    records = records_of(screening.teammate)
    for record in records[:3]:
        vote(screening.teammate, record, "include")
    with pytest.raises(InputError, match="needs a reason"):
        open_stage(screening.owner.acting, TA, ["olga", "sofia"])
    open_stage(screening.owner.acting, TA, ["olga", "sofia"], reason="tariq is on leave")
    assert records_of(screening.owner) == records[3:]
    assert records_of(screening.second) == records
    assert vote(screening.second, records[0], "include").outcome == "include"
    vote(screening.second, records[5], "include")
    assert vote(screening.owner, records[5], "include").outcome == "include"
    with pytest.raises(Refused, match="do not screen"):
        vote(screening.teammate, records[6], "include")
    assert len(package_of(screening.review).batches) == 12


def test_new_records_come_in_later_batches(screening: Team) -> None:
    for who in (screening.teammate, screening.second):
        for record in records_of(who):
            vote(who, record, "exclude")
        assert records_of(who) == ()
    add_rows(screening.review, TABLE_BY_FILE["records.csv"], [{"record": "late", "title": "One more"}])
    assert records_of(screening.teammate) == records_of(screening.second) == ("late",)
    assert Batch.objects.count() == 2


def test_the_next_batch_is_learned_from_finished_ones_only(team: Team) -> None:
    with_records(team.review, 20)
    open_stage(team.owner.acting, TA, ["tariq", "sofia"], size=5)
    first = records_of(team.teammate)
    for who, some in ((team.teammate, first), (team.second, first[:3])):
        for k, record in enumerate(some):
            vote(who, record, "include" if k == 0 else "exclude")
    records_of(team.teammate)
    assert Batch.objects.get(number=2).learned == 0
    for record in records_of(team.second)[:2]:
        vote(team.second, record, "exclude")
    assert records_of(team.second) == records_of(team.teammate)


def test_home_with_hidden_votes_goes_nobody_who_screens(team: Team) -> None:
    with_records(team.review)
    open_stage(team.owner.acting, TA, ["olga", "tariq"])
    with pytest.raises(Refused, match="olga screens at title-abstract, which is open"):
        archive(team.owner.acting)
    close_stage(team.owner.acting, TA)
    assert archive(team.owner.acting)


def test_archive_and_back_with_everything_in_it(screening: Team) -> None:
    settled_conflict(screening)
    record = records_of(screening.teammate)[0]
    vote(screening.teammate, record, "maybe", note="dose?", seconds=3.25, order_shown=2)
    remark(screening.second.acting, stage=TA, record=Reveal.objects.get().record,
           submission="remark-01", text="Fine.")  # fmt: skip
    close_stage(screening.owner.acting, TA, reason="holidays")
    first = archive(screening.owner.acting)
    key = screening.review.key
    moved(screening.review)
    _forget_chain(key)
    review = bring_archive(first, user=screening.stranger.user, claim="olga")
    member = Member.objects.get(review=review, user=screening.stranger.user)
    assert archive(Acting(review, member)) == first
    assert Row.objects.filter(review=review, table=SCREENING.file).count() == 3
