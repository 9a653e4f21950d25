"""Two people decide on every record, each alone: what their votes add up to, as the handbook has it."""

from __future__ import annotations

import itertools

import pytest

from balm.review.screening.outcomes import (
    CONFLICT,
    DECISIONS,
    EXCLUDE,
    INCLUDE,
    MOVES,
    SETTLED_IN,
    SETTLED_OUT,
    WAITING,
    Ballot,
    agreed_reason,
    check_move,
    check_vote,
    goes_forward,
    outcome,
)
from balm.vocabulary.problems import InputError

REASONS = ("wrong population", "wrong intervention", "wrong study design")


def spec(*decisions: str, then: str, reviewers: int = 2) -> None:
    for order in itertools.permutations(decisions):
        assert outcome([Ballot(d) for d in order], reviewers=reviewers) == then


def test_nobody_has_decided() -> None:
    spec(then=WAITING)


@pytest.mark.parametrize("decision", DECISIONS)
def test_one_reviewer_is_not_enough(decision: str) -> None:
    spec(decision, then=WAITING)


def test_two_who_include_send_it_forward() -> None:
    spec("include", "include", then=INCLUDE)


def test_two_who_are_not_sure_send_it_forward() -> None:
    spec("maybe", "maybe", then=INCLUDE)


def test_one_who_is_not_sure_does_not_hold_back_an_inclusion() -> None:
    spec("include", "maybe", then=INCLUDE)


def test_two_who_exclude_put_it_out() -> None:
    spec("exclude", "exclude", then=EXCLUDE)


def test_one_exclusion_is_a_conflict() -> None:
    spec("include", "exclude", then=CONFLICT)
    spec("maybe", "exclude", then=CONFLICT)


def test_with_one_reviewer_the_vote_is_the_outcome() -> None:
    spec("exclude", then=EXCLUDE, reviewers=1)
    spec("maybe", then=INCLUDE, reviewers=1)


def test_with_three_reviewers_all_three_are_waited_for() -> None:
    spec("exclude", "exclude", then=WAITING, reviewers=3)
    spec("exclude", "exclude", "include", then=CONFLICT, reviewers=3)


def test_an_exclusion_at_full_text_needs_a_reason() -> None:
    with pytest.raises(InputError, match="needs one reason"):
        check_vote("full-text", "exclude", "", REASONS)
    check_vote("full-text", "exclude", "wrong population", REASONS)


def test_the_reason_is_one_of_the_list() -> None:
    with pytest.raises(InputError, match="reason must be one of"):
        check_vote("full-text", "exclude", "too long", REASONS)


@pytest.mark.parametrize(
    ("stage", "decision"), [("title-abstract", "exclude"), ("full-text", "include"), ("full-text", "maybe")]
)
def test_no_reason_is_asked_anywhere_else(stage: str, decision: str) -> None:
    check_vote(stage, decision, "", REASONS)
    with pytest.raises(InputError, match="a reason belongs to an exclusion at full text"):
        check_vote(stage, decision, "wrong population", REASONS)


def test_two_reasons_are_no_conflict_and_the_first_of_the_list_is_reported() -> None:
    votes = [Ballot("exclude", "wrong study design"), Ballot("exclude", "wrong population")]
    assert outcome(votes) == EXCLUDE
    assert agreed_reason(votes, REASONS) == agreed_reason(votes[::-1], REASONS) == "wrong population"


def test_a_reason_that_left_the_list_comes_last() -> None:
    votes = [Ballot("exclude", "no longer asked"), Ballot("exclude", "wrong study design")]
    assert agreed_reason(votes, REASONS) == "wrong study design"
    assert agreed_reason(votes[:1], REASONS) == "no longer asked"


def test_statuses_move_along_the_table_only() -> None:
    for now, then in itertools.product(MOVES, MOVES):
        if then in MOVES[now]:
            check_move(now, then)
        else:
            with pytest.raises(InputError, match="cannot become"):
                check_move(now, then)


def test_what_is_agreed_is_decided_and_only_a_conflict_is_settled() -> None:
    assert not MOVES[INCLUDE] and not MOVES[EXCLUDE]
    assert {now for now, then in MOVES.items() if SETTLED_IN in then} == {CONFLICT, SETTLED_IN, SETTLED_OUT}


def test_what_goes_forward() -> None:
    assert {o for o in MOVES if goes_forward(o)} == {INCLUDE, SETTLED_IN}
