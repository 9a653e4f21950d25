"""The running tally beside the rules that read all votes, on streams of votes drawn at random."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from balm.review.flow_counts import screening_outcomes
from balm.review.screening.agreement import agreement_of_pairs
from balm.review.screening.batches import finished
from balm.review.screening.tally import Tally
from balm.vocabulary.evidence import Vote


def stream(seed: int) -> tuple[Vote, ...]:
    rng = np.random.default_rng(seed)
    people = ("ada", "ben", "cho", "dan")[: int(rng.integers(1, 5))]
    return tuple(
        Vote(
            f"r{rng.integers(25)}", "title-abstract", str(rng.choice(people)),
            str(rng.choice(["include", "exclude", "maybe"])), "adjudication" if rng.random() < 0.1 else "vote",
            None, None,
        )
        for _ in range(int(rng.integers(0, 150)))
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(30))
def test_a_tally_that_grows_says_what_the_rules_say_of_all_votes(seed):
    votes = stream(seed)
    reviewers = 1 + seed % 3
    records = {f"r{k}" for k in range(0, 25, 1 + seed % 2)}
    tally = Tally(reviewers)
    for upto in (*range(0, len(votes), 7), len(votes)):
        assert tally.continues(votes[:upto])
        tally.see(votes[:upto])
        seen = votes[:upto]
        outcomes, stays, by_two = tally.decided(records)
        rule = screening_outcomes(seen)
        done = finished(seen, reviewers=reviewers) & records
        last = {vote.record: at for at, vote in enumerate(seen)}
        people = {r: {v.reviewer for v in seen if v.record == r and v.kind == "vote"} for r in done}
        assert outcomes == Counter(rule[r] for r in done)
        assert stays.tolist() == [rule[r] != "exclude" for r in sorted(done, key=lambda r: last[r])]
        assert by_two == sum(len(who) > 1 for who in people.values())
        assert repr(tally.pairs()) == repr(agreement_of_pairs(seen))
        for mine, theirs in zip(tally.pairs(), agreement_of_pairs(seen), strict=True):
            assert mine[2].table.tolist() == theirs[2].table.tolist()


def test_votes_that_were_changed_before_the_end_do_not_continue_a_tally():
    votes = stream(4)
    tally = Tally()
    tally.see(votes)
    assert not tally.continues(votes[:-1])
    assert not tally.continues((*votes[1:], votes[0]))
