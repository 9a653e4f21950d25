"""How far the screening of a stage is, from what is revealed: agreement of each pair, the stopping test, the share read
by two. Nothing here knows a hidden vote."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from balm.review.package import ScreeningPlan
from balm.review.screening.agreement import Agreement
from balm.review.screening.stopping import StoppingTest, stopping_test
from balm.review.screening.tally import Tally
from balm.store.records.unique import unique_records
from balm.store.reviews.models import Review
from balm.store.screening.standing import forward, plan_of
from balm.store.synthesis.current import keep, kept_for, revealed_votes_of, search_stamp
from balm.vocabulary.evidence import Vote


@dataclass(frozen=True, eq=False)
class Progress:
    """The counts of what is decided of the ``records`` of a stage; ``found``: whether each stays, as decided."""

    records: int
    found: npt.NDArray[np.bool_]
    outcomes: Counter[str]  # include, exclude, conflict
    by_two: int  # decided records with votes of two people or more

    @property
    def decided(self) -> int:
        """Records with all their votes, or an adjudication."""
        return sum(self.outcomes.values())

    @property
    def share_by_two(self) -> float | None:
        """The share of decided records that two people or more voted on, each alone."""
        return self.by_two / self.decided if self.decided else None


@dataclass(frozen=True, eq=False)
class Judged:
    """What the progress of a stage says: agreement of each pair, and the stopping test once something is decided."""

    progress: Progress
    pairs: tuple[tuple[str, str, Agreement], ...]
    test: StoppingTest | None


def judged(review: Review, stage: str) -> Judged:
    """Agreement and stopping test of what is revealed; worked out once for each state of it."""
    plan = plan_of(review).screening
    state = search_stamp(review), unique_records(review).count(), repr(plan)
    found: Judged = kept_for(("screening judged", review.key, stage), state, lambda: _judged(review, stage, plan))
    return found


def _judged(review: Review, stage: str, plan: ScreeningPlan) -> Judged:
    votes = tuple(vote for vote in revealed_votes_of(review) if vote.stage == stage)
    tally = _tally(review, stage, votes, plan.reviewers)
    ids = set(unique_records(review).values_list("record", flat=True))
    if stage == "full-text":
        ids &= set(forward(review))
    outcomes, stays, by_two = tally.decided(ids)
    progress = Progress(len(ids), stays, outcomes, by_two)
    test = None
    if progress.decided:
        test = stopping_test(
            stays, progress.records, target=plan.target_recall, alpha=plan.alpha, bias=plan.bias
        )  # fmt: skip
    return Judged(progress, tally.pairs(), test)


def _tally(review: Review, stage: str, votes: tuple[Vote, ...], reviewers: int) -> Tally:
    """The tally of a stage, which sees only the votes that are new; one thread at a time comes here."""
    tally: Tally = kept_for(("screening tally", review.key, stage), reviewers, lambda: Tally(reviewers))
    if not tally.continues(votes):
        tally = Tally(reviewers)
        keep(("screening tally", review.key, stage), reviewers, tally)
    tally.see(votes)
    return tally
