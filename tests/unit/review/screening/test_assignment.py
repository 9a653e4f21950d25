"""Shares are even, nobody reads a record twice, experts are where asked for, who leaves is replaced."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balm.review.screening.assignment import assign, batch_length, check_screeners, orphaned, reassign
from balm.vocabulary.problems import InputError

PEOPLE = ["ana", "ben", "cem", "dora", "eva", "finn"]


@given(st.integers(2, 6), st.integers(1, 2), st.integers(0, 80), st.integers(0, 9))
def test_each_record_has_its_readers_and_shares_are_even(n: int, reviewers: int, count: int, turn: int) -> None:
    people = PEOPLE[:n]
    assigned = assign([f"r{i}" for i in range(count)], people, reviewers=reviewers, turn=turn)
    assert all(len(set(who)) == reviewers and set(who) <= set(people) for who in assigned.values())
    load = Counter(who for readers in assigned.values() for who in readers)
    shares = [load[who] for who in people]
    assert max(shares) - min(shares) <= 1


def test_with_two_screeners_both_read_everything() -> None:
    assert set(assign(["a", "b", "c"], ["ana", "ben"]).values()) == {("ana", "ben")}


def test_every_pair_meets() -> None:
    assigned = assign([f"r{i}" for i in range(60)], PEOPLE[:4])
    assert len(set(assigned.values())) == 6


@given(st.integers(1, 3), st.integers(1, 60))
def test_an_expert_is_one_of_the_two(experts: int, count: int) -> None:
    assigned = assign([f"r{i}" for i in range(count)], PEOPLE, PEOPLE[:experts])
    assert all(set(who) & set(PEOPLE[:experts]) for who in assigned.values())


def test_too_few_people_and_unknown_experts_are_refused() -> None:
    with pytest.raises(InputError, match="2 people read each record; 1 is named"):
        check_screeners(["ana", "ana"])
    with pytest.raises(InputError, match="an expert must be one of those who screen"):
        check_screeners(["ana", "ben"], ["cem"])


def test_everyone_has_a_sitting() -> None:
    assert batch_length(50, 2) == 50
    assert batch_length(50, 20) == 500
    assert batch_length(50, 1, reviewers=1) == 50


def test_who_leaves_is_replaced_and_their_votes_stay() -> None:
    assigned = {"r1": ("ana", "ben"), "r2": ("ana", "ben"), "r3": ("ana", "cem")}
    orphans = orphaned(assigned, {"r1": ("ben",)}, ["ana", "cem"])
    assert orphans == {"r2": ("ana",)}
    assert reassign(orphans, ["ana", "cem"]) == {"r2": ("cem",)}


def test_an_expert_who_leaves_is_replaced_by_an_expert() -> None:
    assert reassign({"r1": ("ana",)}, ["ana", "ben", "cem"], ["cem"]) == {"r1": ("cem",)}


def test_nobody_is_left_to_replace_them() -> None:
    assert reassign({"r1": ("ana",)}, ["ana"]) == {}
