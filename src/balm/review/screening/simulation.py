"""What prioritised screening would have read first, on a review whose decisions are all known."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from balm.review.screening.features import Features, features_of
from balm.review.screening.labels import inclusions
from balm.review.screening.measures import loss, mean_position, ndcg, recall_after, work_saved
from balm.review.screening.schedule import batch_size, check_schedule
from balm.review.screening.single_thread import single_thread
from balm.review.screening.solver import solve
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.record import Record

#: Where the labelled records' kernel with all others would need more than this, scores come from the terms' weights.
MOST_BYTES = 1024**3
#: Accuracy of a training, ten times finer than that of the solver behind LinearSVC.
TOLERANCE = 1e-5
#: Scores are carried from one training to the next; this often they are computed anew, so that rounding cannot add up.
RENEWED = 64
#: Kernel rows made at once: those of the records likely to be read next cost little beside the one that is needed.
AHEAD = 16

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Simulation:
    """The order a simulated review was read in, and how good it was.

    ``order`` are positions in the given records, without the priors; ``found`` says which of them are included.
    Training ends when the last included record is found: ``read`` records up to there, the rest as last ranked.
    Measures are fractions and leave out the priors, as those that ASReview prints.
    """

    order: Ints
    found: npt.NDArray[np.bool_]
    prior_included: tuple[int, ...]
    prior_excluded: tuple[int, ...]
    read: int
    seed: int
    schedule: str
    seconds: float
    unlabelled: int = 0  # rows of a file that were left out, as their label is not known

    @property
    def n(self) -> int:
        """Records, the priors among them."""
        return len(self.order) + len(self.prior_included) + len(self.prior_excluded)

    @property
    def n_included(self) -> int:
        """Included records, the priors among them."""
        return int(self.found.sum()) + len(self.prior_included)

    @property
    def wss95(self) -> float:
        """Work saved over sampling at a recall of 95 %."""
        return work_saved(self.found)

    @property
    def wss100(self) -> float:
        """Work saved when the last included record is found."""
        return work_saved(self.found, 1.0)

    @property
    def recall10(self) -> float:
        """Recall once 10 % of the records are read."""
        return recall_after(self.found)

    @property
    def atd(self) -> float:
        """Mean position of the included records, as a share of all."""
        return mean_position(self.found)

    @property
    def loss(self) -> float:
        """ASReview's loss: 0 when all included come first."""
        return loss(self.found)

    @property
    def ndcg(self) -> float:
        """ASReview's NDCG."""
        return ndcg(self.found)

    def to_dict(self) -> dict[str, object]:
        """For machines: fractions; a measure that is not estimable is ``None``."""
        names = ("wss95", "wss100", "recall10", "atd", "loss", "ndcg")
        values = {name: getattr(self, name) for name in names}
        return {
            "n": self.n,
            "n_included": self.n_included,
            **{name: None if value != value else value for name, value in values.items()},
            "seconds": self.seconds,
            "seed": self.seed,
            "schedule": self.schedule,
            "unlabelled": self.unlabelled,
            "prior_included": list(self.prior_included),
            "prior_excluded": list(self.prior_excluded),
            "read": self.read,
            "order": self.order.tolist(),
        }

    def rows(self) -> tuple[tuple[str, str], ...]:
        """Every measure with its name, as text."""
        named = (
            ("work saved at 95% recall (WSS@95)", self.wss95),
            ("work saved at 100% recall (WSS@100)", self.wss100),
            ("recall after 10% of the records", self.recall10),
            ("mean position of an included (ATD)", self.atd),
            ("loss", self.loss),
        )
        return tuple((name, "not estimable" if value != value else f"{value:.3f}") for name, value in named)

    def __repr__(self) -> str:
        measures = "; ".join(f"{name} {value}" for name, value in self.rows())
        return f"Simulation({self.n:,} records, {self.n_included:,} included: {measures})"


def simulate_screening(
    records: Sequence[Record] | Sequence[str] | Features,
    labels: Iterable[object],
    *,
    prior_included: int | Sequence[int] | None = None,
    prior_excluded: int | Sequence[int] | None = None,
    seed: int = 0,
    schedule: str = "every",
) -> Simulation:
    """Screen ``records`` whose ``labels`` are all known in the order the model would have shown them.

    ``labels``: one a record; ``True``, 1 or ``"include"`` is included, ``False``, 0 or ``"exclude"`` is not. The model
    starts from the priors, positions from 0: one included and one excluded drawn by ``seed`` where none are given.
    Each step shows the record with the highest score and learns its label. ``schedule``: ``"every"`` learns after each
    label; ``"2%"`` (any per cent) shows that share of the labels so far, at least one record, between two trainings.
    Deterministic: the same records, labels and priors give the same order.

    The model is ASReview 3's default (ELAS u4): :mod:`balm.review.screening.features` and
    :mod:`balm.review.screening.solver`. Pass :class:`Features` to simulate several seeds of one set.

    >>> texts = ["ketamine pain", "ketamine infusion pain", "asthma steroids", "asthma inhaler", "ketamine", "asthma"]
    >>> done = simulate_screening(texts, [1, 1, 0, 0, 1, 0], prior_included=0, prior_excluded=2)
    >>> done.order[:2].tolist(), done.read, done.recall10
    ([4, 1], 2, 0.5)
    """
    began = time.perf_counter()
    share = check_schedule(schedule)
    features = records if isinstance(records, Features) else features_of(records)
    included = inclusions(labels, len(features))
    yes = _priors("prior_included", prior_included, included, True, seed)
    no = _priors("prior_excluded", prior_excluded, included, False, seed)
    with single_thread():
        order, read = _order(features, included, (*yes, *no), share)
    return Simulation(order, included[order], yes, no, read, seed, schedule, time.perf_counter() - began)


def _priors(
    name: str, given: int | Sequence[int] | None, included: npt.NDArray[np.bool_], want: bool, seed: int
) -> tuple[int, ...]:
    word = "included" if want else "excluded"
    if given is None:
        of_that_kind = np.flatnonzero(included == want)
        if not len(of_that_kind):
            raise InputError(Problem(f"no record is {word}: a simulation needs at least one of each kind"))
        # The two draws must not depend on each other's outcome, so each has a stream of its own.
        return (int(np.random.default_rng([seed, int(want)]).choice(of_that_kind)),)
    rows = (given,) if isinstance(given, (int, np.integer)) else tuple(given)
    if not rows:
        raise InputError(Problem(f"{name} must name at least one record"))
    for row in rows:
        if isinstance(row, bool) or not isinstance(row, (int, np.integer)) or not 0 <= row < len(included):
            raise InputError(Problem(f"{name} must be a position from 0 to {len(included) - 1}; got {row!r}"))
        if included[row] != want:
            raise InputError(Problem(f"{name} must be {word} records; record {row} is not"))
    if len(set(rows)) < len(rows):
        raise InputError(Problem(f"{name} names a record twice: {list(rows)}"))
    return tuple(int(r) for r in rows)


def _order(
    features: Features, included: npt.NDArray[np.bool_], priors: Sequence[int], share: float
) -> tuple[Ints, int]:
    """The order after the priors, and how many were read until the last included one."""
    n = len(features)
    state = _Labelled(features, n * n * 4 <= MOST_BYTES)
    for row in priors:
        state.add(row, bool(included[row]))
    left = int(included.sum()) - sum(bool(included[r]) for r in priors)
    order: list[int] = []
    while left:
        waiting, scores = state.scores()
        size = batch_size(share, state.m, n - state.m)
        if size == 1:
            # Equal scores: the record that stands first, as in a stable sort.
            best = np.flatnonzero(scores == scores.max())
            chosen = waiting[best].min(keepdims=True)
        else:
            chosen = waiting[np.lexsort((waiting, -scores))[:size]]
        for row in chosen.tolist():
            order.append(row)
            state.add(row, bool(included[row]))
            left -= bool(included[row])
            if not left:
                break
    read = len(order)
    if state.m < n:
        waiting, scores = state.scores()
        order += waiting[np.lexsort((waiting, -scores))].tolist()
    return np.array(order, dtype=np.int64), read


class _Labelled:
    """The labelled records so far with their kernel, and the last solution to start the next one from.

    ``rows`` holds all records, the labelled ones first in the order of their labels, and ``f`` their scores; the
    kernel's columns follow it, so that both products of a training are of contiguous blocks.
    """

    def __init__(self, features: Features, dense: bool) -> None:
        n = len(features)
        self.features = features
        self.dense = dense
        self.m = 0
        self.rows = np.arange(n)
        self.place = np.arange(n)
        self.included = np.zeros(n, dtype=bool)
        self.kernel = np.empty((n if dense else 0, n), dtype=np.float32)
        self.b = np.zeros(n, dtype=np.float32)
        self.f = np.zeros(n, dtype=np.float32)
        self.trainings = 0
        self.ahead: dict[int, npt.NDArray[np.float32]] = {}

    def add(self, row: int, included: bool) -> None:
        """Give a record its label."""
        m, at = self.m, int(self.place[row])
        other = int(self.rows[m])
        self.rows[m], self.rows[at] = row, other
        self.place[row], self.place[other] = m, at
        self.f[m], self.f[at] = self.f[at], self.f[m]
        if self.dense:
            if at != m:
                swapped = self.kernel[:m, m].copy()
                self.kernel[:m, m] = self.kernel[:m, at]
                self.kernel[:m, at] = swapped
            if row not in self.ahead:
                self._make(row)
            self.kernel[m] = self.ahead.pop(row)[self.rows]
        self.included[m] = included
        self.m += 1

    def _make(self, row: int) -> None:
        """The kernel of ``row``, and of the best of those without a label, with every record."""
        waiting = self.m + 1
        count = min(AHEAD, len(self.rows) - waiting)
        best = self.rows[waiting:][np.argpartition(-self.f[waiting:], count - 1)[:count]] if count else self.rows[:0]
        made = np.array([row, *(r for r in best.tolist() if r not in self.ahead)])
        products = (self.features.shared[made] @ self.features.by_term).toarray().astype(np.float32)
        products[np.arange(len(made)), made] = self.features.own[made]
        products += 1.0
        self.ahead.update(zip(made.tolist(), products, strict=True))

    def scores(self) -> tuple[Ints, npt.NDArray[Any]]:
        """``(records without a label, their scores)`` after training on all labels."""
        m = self.m
        start, fitted = self.b[:m], self.f[:m] if self.trainings % RENEWED else None
        self.trainings += 1
        if self.dense:
            kernel = self.kernel[:m, :m]
            b, self.f[:m] = solve(
                kernel.__matmul__, kernel.diagonal(), self.included[:m], start=start, fitted=fitted, tolerance=TOLERANCE
            )
            self.f[m:] = b @ self.kernel[:m, m:]
        else:
            matrix = self.features.matrix[self.rows[:m]]
            across = matrix.T.tocsr()
            b, self.f[:m] = solve(
                lambda v: (matrix @ (across @ v) + v.sum()).astype(np.float32),
                (self.features.own[self.rows[:m]] + 1.0).astype(np.float32),
                self.included[:m],
                start=start,
                fitted=fitted,
                tolerance=TOLERANCE,
            )
            self.f[m:] = (self.features.matrix @ (across @ b))[self.rows[m:]] + b.sum()
        self.b[:m] = b
        return self.rows[m:], self.f[m:]
