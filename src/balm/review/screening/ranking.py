"""The order in which undecided records are best read, learned from the decisions so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from balm.review.screening.features import Features, features_of
from balm.review.screening.included_block import included_block
from balm.review.screening.labels import decided
from balm.review.screening.single_thread import single_thread
from balm.review.screening.solver import BALANCE, C, solve
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.record import Record

#: Name and version of the model: a report says with it how the order was made.
MODEL = f"TF-IDF of 1-2 words, linear SVM (squared hinge, C = {C:g}), balance {BALANCE:g}, highest score first"
#: What an order rests on, from most to least.
BASES = {
    "decisions": "inclusions and exclusions",
    "likeness": "likeness to the included records and the question; there is no exclusion to learn from yet",
    "chance": "chance: there is neither an inclusion nor a question to learn from yet",
}


@dataclass(frozen=True, eq=False)
class Ranking:
    """The undecided records, the one to read first first.

    ``order`` are positions in the given records, ``ids`` their ids (positions for plain texts) and ``scores`` their
    scores, which only order: they are no probabilities. ``basis`` is one of :data:`BASES`; ``n_included`` and
    ``n_excluded`` are the decisions learned from.
    """

    order: npt.NDArray[np.int64]
    ids: tuple[str | int, ...]
    scores: npt.NDArray[np.float64]
    basis: str
    n_included: int
    n_excluded: int
    seed: int
    model: str = MODEL

    def __len__(self) -> int:
        return len(self.order)

    def to_dict(self) -> dict[str, object]:
        """For machines."""
        return {
            "model": self.model,
            "basis": self.basis,
            "n_included": self.n_included,
            "n_excluded": self.n_excluded,
            "seed": self.seed,
            "order": [{"record": i, "score": s} for i, s in zip(self.ids, self.scores.tolist(), strict=True)],
        }

    def __repr__(self) -> str:
        return (
            f"Ranking({len(self):,} records to read, by {BASES[self.basis]}; "
            f"learned from {self.n_included:,} inclusions and {self.n_excluded:,} exclusions)"
        )


def rank(
    records: Sequence[Record] | Sequence[str],
    decisions: Mapping[Any, object] | Sequence[object] | None = None,
    *,
    question: str | None = None,
    seed: int = 0,
    features: Features | None = None,
) -> Ranking:
    """Order the undecided ``records`` by the ``decisions`` on the others.

    ``decisions``: ``{record id or position: decision}``, or one decision (``None``: not yet) a record; ``"include"``
    (or 1), ``"exclude"`` (or 0), or ``"maybe"``, which goes forward and so counts as an inclusion. Where two people
    screen blind, pass settled outcomes only: an order that has learned one reviewer's votes tells them to the other
    (:func:`balm.review.screening.batches.next_batch` sees to it).

    ``question``: the review question in its own words. It is learned as if it were an included record, and is enough to
    start from without any decision. Without it and without an inclusion the order is random, by ``seed``. Records with
    equal scores stay in the given order. ``features``: those of the same records from
    :func:`balm.review.screening.features.features_of`, to save their cost when ranking again.

    A decision taken back leaves no trace: the order depends on the decisions as they stand, not on their history.

    >>> records = [Record("a", title="Ketamine for pain"), Record("b", title="Asthma"), Record("c", title="Pain scale")]
    >>> rank(records, question="ketamine in chronic pain").ids
    ('a', 'c', 'b')
    >>> rank(records, {"a": "include", "b": "exclude"}).ids
    ('c',)
    """
    if features is None:
        features = features_of(records)
    elif len(features) != len(records):
        raise InputError(Problem(f"features are of {len(features)} records, but there are {len(records)}"))
    known = decided(records, decisions)
    undecided = np.ones(len(records), dtype=bool)
    undecided[list(known)] = False
    waiting = np.flatnonzero(undecided)
    with single_thread():
        scores, basis = _scores(features, known, question)
    if scores is None:
        drawn = np.random.default_rng(seed).permutation(len(waiting))
        order, values = waiting[drawn], np.zeros(len(waiting))
    else:
        best = np.argsort(-scores[waiting], kind="stable")
        order, values = waiting[best], scores[waiting][best]
    shown = [(i, records[i]) for i in order.tolist()]
    ids = tuple([r.id if isinstance(r, Record) else i for i, r in shown])
    included = sum(known.values())
    return Ranking(order, ids, values, basis, included, len(known) - included, seed)


def _scores(
    features: Features, known: dict[int, bool], question: str | None
) -> tuple[npt.NDArray[np.float64] | None, str]:
    """A score for every record, and what it rests on."""
    import scipy.sparse

    rows = sorted(known)
    included = np.array([known[i] for i in rows], dtype=bool)
    matrix = features.matrix[rows]
    asked = features.project(question) if question and question.strip() else None
    if asked is not None and asked.nnz:
        matrix = scipy.sparse.vstack([matrix, asked], format="csr")
        included = np.append(included, True)
    if not included.any():
        return None, "chance"
    if included.all():
        return np.asarray(features.matrix @ matrix.sum(axis=0)) / len(included), "likeness"
    # The transposed view of the same numbers: with few products, sorting them by term costs more than it saves.
    across = matrix.T
    own = np.asarray(np.diff(matrix.indptr) > 0, dtype=float) + 1.0
    b, _ = solve(
        lambda v: np.asarray(matrix @ (across @ v) + v.sum()),
        own,
        included,
        nearby=included_block(matrix, own, included),
    )
    return np.asarray(features.matrix @ (across @ b) + b.sum()), "decisions"
