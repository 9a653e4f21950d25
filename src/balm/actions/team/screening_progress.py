"""How far the screening of a stage is, from what is revealed: agreement of each pair, the stopping test, the share read
by two. Nothing here knows a hidden vote."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from balm.actions.screening import Screened
from balm.review.flow_counts import screening_outcomes
from balm.review.screening.agreement import Agreement
from balm.review.screening.batches import finished
from balm.review.screening.stopping import StoppingTest
from balm.store.records.unique import unique_records
from balm.store.reviews.models import Review
from balm.store.screening.models import Batch
from balm.store.screening.order import frozen_batches
from balm.store.screening.standing import forward, plan_of
from balm.store.synthesis.current import kept_for, revealed_votes_of, search_stamp
from balm.vocabulary.record import Record


@dataclass(frozen=True, eq=False)
class Progress:
    """``screened`` as the command line knows it, and the counts of what is decided."""

    screened: Screened
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
    state = (
        search_stamp(review), frozen_batch_count(review, stage), unique_records(review).count(),
        repr(plan_of(review).screening),
    )  # fmt: skip
    found: Judged = kept_for(("screening judged", review.key, stage), state, lambda: _judged(review, stage))
    return found


def _judged(review: Review, stage: str) -> Judged:
    progress = progress_of(review, stage)
    screened = progress.screened
    return Judged(progress, screened.agreement(), screened.test() if progress.decided else None)


def frozen_batch_count(review: Review, stage: str) -> int:
    """How many batches of a stage are frozen."""
    return Batch.objects.filter(review=review, stage=stage).count()


def progress_of(review: Review, stage: str) -> Progress:
    """Where a stage stands."""
    plan = plan_of(review).screening
    votes = [vote for vote in revealed_votes_of(review) if vote.stage == stage]
    ids = set(unique_records(review).values_list("record", flat=True))
    if stage == "full-text":
        ids &= set(forward(review))
    done = finished(votes, reviewers=plan.reviewers) & ids
    outcomes = screening_outcomes(votes)
    last = {vote.record: at for at, vote in enumerate(votes)}
    order = sorted(done, key=lambda r: last[r])
    people: dict[str, set[str]] = {}
    for vote in votes:
        if vote.kind == "vote":
            people.setdefault(vote.record, set()).add(vote.reviewer)
    screened = Screened(
        stage,
        plan,
        tuple(Record(i) for i in sorted(ids)),
        tuple(votes),
        tuple(outcomes[r] != "exclude" for r in order),
        tuple(frozen_batches(review, stage)),
    )
    by_two = sum(len(people.get(r, ())) > 1 for r in done)
    return Progress(screened, Counter(outcomes[r] for r in done), by_two)
