"""Each compared pair to one of three bands: merge, review or keep. Persons' decisions stand above all rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from balm.review.deduplication.blocking import candidate_pairs
from balm.review.deduplication.comparison import CHUNK, Bools, compare
from balm.review.deduplication.prepared import Ints, Prepared, chosen
from balm.review.deduplication.rules import first_rule, same_authors, same_title, worth_asking
from balm.review.deduplication.score import MERGE_AT, REVIEW_AT, REVIEW_VETOED_AT, Doubles, probability
from balm.review.deduplication.spread import Each, one_by_one
from balm.review.deduplication.vetoes import cutting, first_veto, not_asked

KEEP, REVIEW, MERGE = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Pairs by position, ``i < j``, with their band; ``rule`` and ``veto`` point into their tables, -1 for none."""

    i: Ints
    j: Ints
    band: NDArray[np.int8]
    score: Doubles
    rule: NDArray[np.int8]
    veto: NDArray[np.int8]
    cutting: Bools  # the veto forbids the pair to lie in one cluster

    def only(self, rows: Bools | Ints) -> Scored:
        """The pairs at ``rows``."""
        return Scored(
            self.i[rows],
            self.j[rows],
            self.band[rows],
            self.score[rows],
            self.rule[rows],
            self.veto[rows],
            self.cutting[rows],
        )


def score_pairs(p: Prepared, i: Ints, j: Ints, *, all_pairs: bool = False, every: bool = False) -> Scored:
    """Compare, and put each pair into its band, a chunk at a time; ``every`` also returns the ones to keep."""
    parts: list[Scored] = []
    for c in compare(p, i, j, all_pairs=all_pairs):
        rule, veto, score = first_rule(c), first_veto(c), probability(c)
        merge = (veto < 0) & ((rule >= 0) | ((score >= MERGE_AT) & same_title(c) & same_authors(c)))
        doubtful = (rule >= 0) | (score >= np.where(veto < 0, REVIEW_AT, REVIEW_VETOED_AT)) | worth_asking(c)
        review = ~merge & doubtful & ~not_asked(veto)
        band = np.where(merge, MERGE, np.where(review, REVIEW, KEEP)).astype(np.int8)
        kept = Scored(c.i, c.j, band, np.round(score, 6), rule, veto, cutting(c, veto))
        parts.append(kept if every else kept.only(band != KEEP))
    return _joined(parts)


def _joined(parts: Sequence[Scored]) -> Scored:
    return Scored(
        np.concatenate([s.i for s in parts]),
        np.concatenate([s.j for s in parts]),
        np.concatenate([s.band for s in parts]),
        np.concatenate([s.score for s in parts]),
        np.concatenate([s.rule for s in parts]),
        np.concatenate([s.veto for s in parts]),
        np.concatenate([s.cutting for s in parts]),
    )


def score_records(p: Prepared, each: Each = one_by_one) -> Scored:
    """Every pair of ``p`` that is merged, asked about or vetoed."""
    i, j = candidate_pairs(p, each)
    if each is one_by_one:
        return score_pairs(p, i, j)
    at = range(0, max(len(i), 1), CHUNK)
    pieces = ((p, i[k : k + CHUNK], j[k : k + CHUNK]) for k in at)
    return _joined(list(each(_score_piece, (_piece(*piece) for piece in pieces))))


def _piece(p: Prepared, i: Ints, j: Ints) -> tuple[Prepared, Ints, Ints, Ints]:
    """The pairs, and no more records than they are about: what travels to a worker."""
    records = np.unique(np.concatenate([i, j]))
    return chosen(p, records), records, np.searchsorted(records, i), np.searchsorted(records, j)


def _score_piece(p: Prepared, records: Ints, i: Ints, j: Ints) -> Scored:
    scored = score_pairs(p, i, j)
    return replace(scored, i=records[scored.i], j=records[scored.j])
