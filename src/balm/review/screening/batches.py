"""Frozen batches: two people who screen blind read the same prioritised records, and no order tells a vote.

A batch, once made, never changes. The next one learns only from batches that every reviewer has finished, so what one
person decided in an open batch cannot be read off the order the other person sees.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from balm.review.flow_counts import screening_outcomes
from balm.review.screening.features import Features
from balm.review.screening.frozen import Batch
from balm.review.screening.ranking import rank
from balm.vocabulary.evidence import Vote
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.record import Record

#: A calibration batch is 50 to 100 records; later ones may be as small as a sitting.
SIZE = 50


def settled(votes: Iterable[Vote], *, reviewers: int = 2) -> dict[str, str]:
    """The outcomes that everyone may know: ``include`` or ``exclude`` of records with all their votes and no conflict.

    >>> def vote(record, who, decision):
    ...     return Vote(record, "title-abstract", who, decision, "vote", None, None)
    >>> settled([vote("1", "A", "include"), vote("1", "B", "maybe"), vote("2", "A", "exclude")])
    {'1': 'include'}
    """
    votes = list(votes)
    full = finished(votes, reviewers=reviewers)
    return {r: o for r, o in screening_outcomes(votes).items() if o != "conflict" and r in full}


def finished(votes: Iterable[Vote], *, reviewers: int = 2) -> set[str]:
    """Records with the votes of ``reviewers`` different people, or an adjudication."""
    people: dict[str, set[str]] = {}
    done: set[str] = set()
    for vote in votes:
        if vote.kind == "adjudication":
            done.add(vote.record)
        else:
            people.setdefault(vote.record, set()).add(vote.reviewer)
    return done | {record for record, who in people.items() if len(who) >= reviewers}


def learnable(votes: Iterable[Vote], batches: Sequence[Batch] = (), *, reviewers: int = 2) -> dict[str, str]:
    """The settled outcomes that an order may learn: none of a batch that somebody still reads.

    A batch is finished when each of its records has ``reviewers`` votes or an adjudication. Records outside all batches
    (a pilot, say) count when they have all their votes.
    """
    votes = list(votes)
    full = finished(votes, reviewers=reviewers)
    unfinished = {r for batch in batches if not full.issuperset(batch.records) for r in batch.records}
    return {r: o for r, o in settled(votes, reviewers=reviewers).items() if r not in unfinished}


def next_batch(
    records: Sequence[Record],
    votes: Iterable[Vote],
    batches: Sequence[Batch] = (),
    *,
    size: int = SIZE,
    reviewers: int = 2,
    question: str | None = None,
    seed: int = 0,
    features: Features | None = None,
) -> Batch:
    """The next ``size`` records for everyone, learned from finished batches only.

    ``votes`` of one stage, ``batches`` made so far; what is learned says :func:`learnable`. Whoever is ahead gets a
    batch that has learned less, never one that has learned the other's open votes.
    """
    if size < 1 or reviewers < 1:
        raise InputError(Problem(f"size and reviewers must be 1 or more; got {size!r} and {reviewers!r}"))
    votes = list(votes)
    full = finished(votes, reviewers=reviewers)
    held = {record for batch in batches for record in batch.records}
    known = {r.id for r in records}
    learned = {r: o for r, o in learnable(votes, batches, reviewers=reviewers).items() if r in known}
    order = rank(records, learned, question=question, seed=seed, features=features)
    waiting = [str(i) for i in order.ids if i not in held and i not in full]
    return Batch(len(batches) + 1, tuple(waiting[:size]), order.basis, tuple(sorted(learned)))
