"""Frozen batches: the same records for both, and no order that tells a vote."""

from __future__ import annotations

import pytest

from balm.review.screening.batches import next_batch
from balm.vocabulary.evidence import Vote
from balm.vocabulary.problems import InputError
from balm.vocabulary.record import Record

WORDS = ["ketamine pain trial", "ketamine infusion", "asthma steroids", "asthma inhaler", "diet sugar", "pain scale"]
RECORDS = [Record(f"r{i}", title=f"{WORDS[i % 6]} number{i}") for i in range(30)]


def vote(record: str, who: str, decision: str, kind: str = "vote") -> Vote:
    return Vote(record, "title-abstract", who, decision, kind, None, None)


def test_the_vote_of_one_of_two_reviewers_changes_no_order():
    first = next_batch(RECORDS, [], size=6, seed=1)
    plain = next_batch(RECORDS, [], [first], size=6, seed=1)
    for decision in ("include", "exclude"):
        votes = [vote(r, "A", decision) for r in first.records]
        assert next_batch(RECORDS, votes, [first], size=6, seed=1) == plain


def test_a_batch_open_for_one_reviewer_teaches_nothing_yet():
    first = next_batch(RECORDS, [], size=6, seed=1)
    both = [vote(r, who, "include") for r in first.records[:5] for who in "AB"]
    waiting = next_batch(RECORDS, [*both, vote(first.records[5], "A", "include")], [first], size=6, seed=1)
    assert waiting.learned == ()
    done = next_batch(RECORDS, [*both, *(vote(first.records[5], w, "exclude") for w in "AB")], [first], size=6, seed=1)
    assert done.learned == tuple(sorted(first.records))
    assert done.basis == "decisions"


def test_a_conflict_is_not_learned_until_it_is_settled():
    pilot = [vote("r0", "A", "include"), vote("r0", "B", "exclude")]
    assert next_batch(RECORDS, pilot).learned == ()
    assert next_batch(RECORDS, [*pilot, vote("r0", "C", "include", "adjudication")]).learned == ("r0",)


def test_batches_never_overlap_and_end_with_the_records():
    batches = []
    while (batch := next_batch(RECORDS, [], batches, size=7)).records:
        batches.append(batch)
    assert [b.number for b in batches] == [1, 2, 3, 4, 5]
    assert sorted(r for b in batches for r in b.records) == sorted(r.id for r in RECORDS)


def test_one_reviewer_alone_settles():
    assert next_batch(RECORDS, [vote("r0", "A", "include")], reviewers=1).learned == ("r0",)


def test_a_batch_needs_a_size():
    with pytest.raises(InputError, match="1 or more"):
        next_batch(RECORDS, [], size=0)
