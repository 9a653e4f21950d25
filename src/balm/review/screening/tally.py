"""What the revealed votes of a stage come to, counted vote by vote: one more vote costs one look, not a reading of all.

The rules are those of :func:`balm.review.flow_counts.screening_outcomes`, of
:func:`balm.review.screening.batches.finished` and of
:func:`balm.review.screening.agreement.agreement_of_pairs`, which read all votes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from balm.review.screening.agreement import Agreement, agreement
from balm.vocabulary.evidence import Vote


@dataclass(eq=False)
class _Read:
    """One record: each person's first and last decision, and how it was settled, where somebody did."""

    first: dict[str, str] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    settled: str = ""

    @property
    def outcome(self) -> str:
        if self.settled:
            return self.settled
        out = [decision == "exclude" for decision in self.last.values()]
        return "exclude" if all(out) else "conflict" if any(out) else "include"


@dataclass(eq=False)
class Tally:
    """The votes of one stage up to ``seen``; ``reviewers`` people read each record."""

    reviewers: int = 2
    seen: tuple[Vote, ...] = ()
    _records: dict[str, _Read] = field(default_factory=dict)  # in the order of their last vote
    _pairs: dict[tuple[str, str], Counter[tuple[str, str]]] = field(default_factory=dict)

    def continues(self, votes: Sequence[Vote]) -> bool:
        """Whether ``votes`` are those seen, and perhaps more behind them."""
        n = len(self.seen)
        return len(votes) >= n and all(a is b for a, b in zip(self.seen, votes, strict=False))

    def see(self, votes: tuple[Vote, ...]) -> None:
        """Count the votes behind those seen; :meth:`continues` says whether they are the same up to there."""
        for vote in votes[len(self.seen) :]:
            read = self._records.pop(vote.record, None) or _Read()
            self._records[vote.record] = read
            if vote.kind == "adjudication":
                read.settled = "exclude" if vote.decision == "exclude" else "include"
                continue
            read.last[vote.reviewer] = vote.decision
            if vote.kind == "vote" and vote.reviewer not in read.first:
                for other, decision in read.first.items():
                    one, two = sorted(((other, decision), (vote.reviewer, vote.decision)))
                    self._pairs.setdefault((one[0], two[0]), Counter())[one[1], two[1]] += 1
                read.first[vote.reviewer] = vote.decision
        self.seen = votes

    def decided(self, records: Container[str]) -> tuple[Counter[str], npt.NDArray[np.bool_], int]:
        """Of ``records``: the outcomes of those that have all their votes, whether each stays, in the order in which
        they were decided, and how many of them two people or more voted on."""
        outcomes = []
        by_two = 0
        for record, read in self._records.items():
            if record in records and (read.settled or len(read.last) >= self.reviewers):
                outcomes.append(read.outcome)
                by_two += len(read.first) > 1
        return Counter(outcomes), np.array([o != "exclude" for o in outcomes], dtype=np.bool_), by_two

    def pairs(self) -> tuple[tuple[str, str, Agreement], ...]:
        """Each pair of people who read the same records, by name, from their first independent votes."""
        found = []
        for one, two in sorted(self._pairs):
            votes = [pair for pair, n in self._pairs[one, two].items() for _ in range(n)]
            agreed = agreement([a for a, _ in votes], [b for _, b in votes])
            assert isinstance(agreed, Agreement)
            found.append((one, two, agreed))
        return tuple(found)
