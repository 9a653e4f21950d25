"""Batches as they are kept: frozen when dealt out, read by everyone in the same order, checked as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from balm.vocabulary.evidence import BatchPlace, Vote
from balm.vocabulary.problems import Problem

FILE = "batches.csv"


@dataclass(frozen=True, slots=True)
class Batch:
    """Records to be read by everyone, in this order; ``learned`` are those whose outcomes made the order."""

    number: int  # from 1
    records: tuple[str, ...]
    basis: str
    learned: tuple[str, ...] = ()


def batches_of(places: Iterable[BatchPlace], stage: str) -> tuple[Batch, ...]:
    """The batches of one stage as rows of ``batches.csv`` keep them; which outcomes each learned is not kept there.

    >>> rows = [BatchPlace(1, 2, "b", "title-abstract", "chance"), BatchPlace(1, 1, "a", "title-abstract", "chance")]
    >>> batches_of(rows, "title-abstract")[0].records
    ('a', 'b')
    """
    held: dict[int, list[BatchPlace]] = {}
    for place in places:
        if place.stage == stage:
            held.setdefault(place.batch, []).append(place)
    made = []
    for number in sorted(held):
        rows = sorted(held[number], key=lambda p: p.place)
        made.append(Batch(number, tuple(p.record for p in rows), rows[0].basis))
    return tuple(made)


def to_read(batches: Sequence[Batch], votes: Iterable[Vote], reviewer: str, *, reviewers: int = 2) -> tuple[str, ...]:
    """What ``reviewer`` has still to read in the batches, in their order.

    Left out are records with this reviewer's own vote, and those that ``reviewers`` other people have voted on already.
    With as many reviewers as the protocol asks for, it depends on nothing but the reviewer's own votes.
    """
    mine: set[str] = set()
    others: dict[str, set[str]] = {}
    for vote in votes:
        if vote.kind == "adjudication" or vote.reviewer == reviewer:
            mine.add(vote.record)
        else:
            others.setdefault(vote.record, set()).add(vote.reviewer)
    return tuple(
        record
        for batch in batches
        for record in batch.records
        if record not in mine and len(others.get(record, ())) < reviewers
    )


def batch_problems(places: Sequence[BatchPlace]) -> list[Problem]:
    """Gaps: a frozen batch has the places 1, 2, 3 ..., and the batches of a stage follow one another."""
    problems: list[Problem] = []
    filled: dict[tuple[str, int], dict[int, int]] = {}
    for row in places:
        there = filled.setdefault((row.stage, row.batch), {})
        if row.place in there:
            reason = f"place {row.place} of batch {row.batch} is taken by row {there[row.place]}"
            problems.append(Problem(reason, file=FILE, row=row.row, column="place"))
        there.setdefault(row.place, row.row)
    for (stage, batch), there in filled.items():
        first = min(there.values())
        if batch > 1 and (stage, batch - 1) not in filled:
            reason = f"batch {batch} of {stage} has no batch {batch - 1} before it"
            problems.append(Problem(reason, file=FILE, row=first, column="batch"))
        missing = next(k for k in range(1, len(there) + 2) if k not in there)
        if missing <= max(there):
            reason = f"batch {batch} of {stage} has no place {missing}; a frozen batch keeps every record in its order"
            problems.append(Problem(reason, file=FILE, row=first, column="place"))
    return problems
