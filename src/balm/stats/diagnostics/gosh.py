"""The result of every subset of the studies: whether the pooled effect and its heterogeneity are one cloud or several.

Olkin I, Dahabreh IJ, Trikalinos TA (2012). GOSH - a graphical display of study heterogeneity. Res Synth Methods
3:214-223.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from balm.stats.diagnostics.accepted import Model, model_of, refitting
from balm.stats.diagnostics.clusters import Clusters, cluster
from balm.stats.diagnostics.printed import studies
from balm.stats.diagnostics.subsets import every_subset, includes, members, random_subsets
from balm.stats.effect_sizes import Floats
from balm.stats.frame import frame
from balm.stats.kernel import Subsets, solve_subsets
from balm.stats.pooling import compiled
from balm.stats.pooling.analysis import analyse
from balm.stats.pooling.choices import Choices
from balm.stats.pooling.pooled import Pooled
from balm.stats.simulation.replicates import TABLE, Replicates
from balm.vocabulary.numbers import fixed
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError

#: Subsets taken when nothing is said: all of them up to 15 studies, else a sample of this size.
SUBSETS = 1 << 15
#: More subsets than this are not enumerated: five columns of eight bytes each would no longer fit a small machine.
MOST = 1 << 22


@dataclass(frozen=True, eq=False)
class Gosh:
    """One entry a subset: ``k`` studies, ``estimate``, ``tau2``, ``q``, ``i2`` (per cent) and ``h2``, (n,) each.

    bits : (n, bytes) the members of each subset, packed; :meth:`includes` reads one study.
    every : whether these are all non-empty subsets; otherwise ``seed`` says which sample.
    Subsets of one study have the study's own effect; their heterogeneity is not estimable (``nan``).
    """

    study: tuple[str, ...]
    fit: Pooled
    bits: NDArray[np.uint8]
    k: NDArray[np.int64]
    estimate: Floats
    tau2: Floats
    q: Floats
    i2: Floats
    h2: Floats
    every: bool
    seed: int | None
    reasons: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.estimate)

    def position(self, study: str | int) -> int:
        """The place of a study given by label, or by number from 0."""
        if isinstance(study, str) and study in self.study:
            return self.study.index(study)
        if isinstance(study, (int, np.integer)) and not isinstance(study, bool) and 0 <= study < len(self.study):
            return int(study)
        raise InputError(f"study must be one of {list(self.study)} or its number from 0; got {study!r}")

    def includes(self, study: str | int) -> NDArray[np.bool_]:
        """(n,) True where the subset holds ``study`` (a label, or its number from 0)."""
        return includes(self.bits, self.position(study))

    def members(self) -> NDArray[np.bool_]:
        """(n, k) True where the study belongs to the subset."""
        return members(self.bits, len(self.study))

    def clusters(
        self, count: int = 2, *, method: str = "gaussian-mixture", against: str = "i2", seed: int = 1
    ) -> Clusters:
        """Clusters of the cloud, and the studies whose presence tells them apart.

        count   : number of clusters.
        method  : "gaussian-mixture" or "k-means", on the standardised estimate and heterogeneity.
        against : the heterogeneity to take: "i2", "tau2", "q" or "h2".
        """
        return cluster(self, count, method=method, against=against, seed=seed)

    def to_frame(self) -> Any:
        """A row a subset."""
        return frame(
            {
                "k": self.k,
                "estimate": self.estimate,
                "tau2": self.tau2,
                "q": self.q,
                "i2": self.i2,
                "h2": self.h2,
            }
        )

    def plot(self, path: Any = None, **options: Any) -> Any:
        """The GOSH plot: the cloud of estimates against heterogeneity."""
        return presenter("gosh")(self, path, **options)

    def __repr__(self) -> str:
        low, middle, high = np.quantile(self.estimate, [0.0, 0.5, 1.0])
        what = f"all {len(self)} subsets" if self.every else f"{len(self)} random subsets (seed {self.seed})"
        lines = [
            f"GOSH: {what} of {studies(len(self.study))}",
            f"estimate {fixed(middle, 3)} (from {fixed(low, 3)} to {fixed(high, 3)}); "
            f"of all studies together {fixed(self.fit.estimate, 3)}",
        ]
        known = self.i2[np.isfinite(self.i2)]
        if len(known):
            low, middle, high = np.quantile(known, [0.0, 0.5, 1.0])
            lines.append(f"I2 {fixed(middle, 1)}% (from {fixed(low, 1)}% to {fixed(high, 1)}%)")
        return "\n".join([*lines, *self.reasons.values()])


def gosh(fit: Pooled, subsets: int | str | None = None, *, seed: int = 1) -> Gosh:
    """Pool subsets of the studies, each with the model and the tau2 estimator of ``fit``.

    subsets : "all" (up to 22 studies), a number of random ones, or ``None``: all up to 15 studies, else a sample of
              32,768. Every non-empty subset is equally likely; the draws are independent.
    seed    : of the sample.

    Subsets are bit masks, turned into studies a chunk at a time. Under a common effect (or a tau2 given as a number)
    all subsets are put together from those of seven studies by terms that are never negative, so nothing cancels.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.pooling.pool import pool
    >>> es = EffectSizes(effect=[0.1, 0.3, 0.8], variance=[0.04, 0.04, 0.04], study=["A", "B", "C"])
    >>> found = gosh(pool(es, model="common"))
    >>> found.estimate.round(3).tolist(), found.includes("C").tolist()
    ([0.1, 0.3, 0.2, 0.8, 0.45, 0.55, 0.4], [False, False, False, True, True, True, True])
    """
    if not isinstance(fit, Pooled):
        raise InputError(f"gosh takes a result of balm.pool; got {type(fit).__name__}")
    model = model_of(fit, "gosh")
    k = model.k
    every = subsets == "all" or (subsets is None and (1 << k) - 1 <= SUBSETS)
    if every and (1 << k) - 1 > MOST:
        raise InputError(
            f"subsets='all' of {k} studies are {2**k - 1}; give a number of random ones, such as {SUBSETS}"
        )
    if every:
        bits = every_subset(k)
    else:
        count = SUBSETS if subsets is None else subsets
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or not 0 < count <= MOST:
            raise InputError(f"subsets must be 'all' or a number from 1 to {MOST}; got {subsets!r}")
        bits = random_subsets(k, int(count), seed)
    columns = _closed_form(model) if every and _closed(model) else _pooled(model, bits)
    reasons = {"k": "One study: no subset but itself, and no heterogeneity."} if k == 1 else {}
    return Gosh(model.study, fit, bits, *columns, every, None if every else seed, reasons)


Columns = tuple[NDArray[np.int64], Floats, Floats, Floats, Floats, Floats]


def _closed(model: Model) -> bool:
    """Whether the weights are the same in every subset."""
    return model.efficient and (model.estimator is None or isinstance(model.estimator, float))


def _closed_form(model: Model) -> Columns:
    """All subsets from those of a few studies, put together (Chan, Golub & LeVeque 1983)."""
    n = 1 << model.k
    tau2 = 0.0 if model.estimator is None else float(model.estimator)
    from_q = model.estimator is None or model.fit.conventions["i2"] == "from-q"
    origin = float(model.effect[int(model.variance.argmin())])
    effect = model.effect - origin
    mean, q, trace = _combined(effect, 1.0 / model.variance, traces=not from_q)
    if tau2 > 0.0:
        mean = _combined(effect, 1.0 / (model.variance + tau2))[0]
    mean += origin
    size = _sizes(model.k)
    df = size - 1.0
    one = 1 << np.arange(model.k)
    with np.errstate(divide="ignore", invalid="ignore"):
        q[one] = math.nan
        if from_q:
            h2 = q / df
            i2 = 100.0 / h2
            np.subtract(100.0, i2, out=i2)
            np.maximum(i2, 0.0, out=i2)
        else:
            typical = df / trace
            h2, i2 = (tau2 + typical) / typical, 100.0 * tau2 / (tau2 + typical)
            h2[one] = i2[one] = math.nan
    return size[1:], mean[1:], np.full(n - 1, tau2), q[1:], i2[1:], h2[1:]


#: Studies whose subsets are summed directly; larger sets are put together from these.
PIECE = 7


@lru_cache(maxsize=PIECE)
def _piece(k: int) -> tuple[Floats, Floats]:
    """(2**k, k) membership of every subset, and each subset's size with 1 for the empty one."""
    inside = ((np.arange(1 << k)[:, None] >> np.arange(k)) & 1).astype(np.float64)
    return inside, np.eye(1, 1 << k)[0]


@lru_cache(maxsize=2)
def _counted(k: int) -> NDArray[np.int64]:
    size = np.zeros(1 << k, dtype=np.int64)
    for j in range(k):
        np.add(size[: 1 << j], 1, out=size[1 << j : 2 << j])
    return size


def _sizes(k: int) -> NDArray[np.int64]:
    """(2**k,) how many studies each subset holds."""
    low = min(k, 2 * PIECE)
    if low == k:
        return _counted(k).copy()
    return np.add.outer(_sizes(k - low), _counted(low)).ravel()


def _combined(effect: Floats, weight: Floats, *, traces: bool = False) -> tuple[Floats, Floats, Floats]:
    """Weighted mean, Q and (if asked) ``tr P`` of every subset, by bit mask; entry 0 is the empty one.

    Two disjoint sets a and b, apart by ``d = mean_b - mean_a``, have together the mean ``mean_a + d w_b/(w_a + w_b)``
    and ``Q_a + Q_b + d**2 w_a w_b/(w_a + w_b)``: no term is negative.
    """
    pieces = [slice(i, i + PIECE) for i in range(0, len(effect), PIECE)]
    total, mean, q, pairs = _summed(effect[pieces[0]], weight[pieces[0]], traces)
    for piece in pieces[1:]:
        t, m, r, p = _summed(effect[piece], weight[piece], traces)
        both = t[:, None] + total
        both[0, 0] = 1.0
        gap = m[:, None] - mean
        share = t[:, None] / both
        np.multiply(share, gap, out=share)  # how far the mean moves
        np.multiply(gap, share, out=gap)
        np.multiply(gap, total, out=gap)
        gap += q
        gap += r[:, None]
        share += mean
        if traces:
            pairs = (t[:, None] * total + pairs + p[:, None]).ravel()
        both[0, 0] = 0.0
        total, mean, q = both.ravel(), share.ravel(), gap.ravel()
    with np.errstate(invalid="ignore"):
        return mean, q, 2.0 * pairs / total if traces else pairs


def _summed(effect: Floats, weight: Floats, traces: bool) -> tuple[Floats, Floats, Floats, Floats]:
    """Sum of weights, mean, Q and sum of ``w_i w_j`` over pairs, of every subset of a few studies."""
    inside, empty = _piece(len(effect))
    w = inside * weight
    total = w.sum(axis=1)
    mean = w @ effect / (total + empty)
    away = effect - mean[:, None]
    away *= away
    away *= w
    pairs = (w @ np.triu(np.outer(np.ones(len(weight)), weight), 1) * inside).sum(axis=1) if traces else empty
    return total, mean, away.sum(axis=1), pairs


def _pooled(model: Model, bits: NDArray[np.uint8]) -> Columns:
    """Each subset by the general analysis: in the compiled kernel where it knows the options, else in NumPy."""
    n, k = len(bits), model.k
    choices = refitting(model)
    if model.own_weights is None and compiled.can(choices, ends=False):
        solved = solve_subsets(model.effect, model.variance, bits, str(choices.tau2))
        if solved is not None:
            return solved.size, solved.mean, solved.tau2, solved.q, *_heterogeneity(solved, choices)
    size = np.empty(n, dtype=np.int64)
    estimate, tau2, q, i2, h2 = (np.full(n, math.nan) for _ in range(5))
    step = max(1, BATCH // k)
    for start in range(0, n, step):
        inside = members(bits[start : start + step], k)
        sizes = np.add.reduce(inside, axis=1, dtype=np.int64)
        size[start : start + step] = sizes
        order = np.argsort(sizes.astype(np.int16), kind="stable")
        ends = np.searchsorted(sizes[order], np.arange(1, k + 2))
        single = order[: ends[1]]
        estimate[start + single] = model.effect[inside[single].argmax(axis=1)]
        for many in range(2, k + 1):
            place = order[ends[many - 1] : ends[many]]
            rows = np.ascontiguousarray(np.nonzero(inside[place])[1].reshape(-1, many).T)
            wide = max(1, TABLE // many)
            for i in range(0, len(place), wide):
                some, here = rows[:, i : i + wide], start + place[i : i + wide]
                own = None if model.own_weights is None else model.own_weights[some]
                a = analyse(Replicates(model.effect[some], model.variance[some]), choices, own)
                estimate[here], tau2[here], q[here], i2[here], h2[here] = a.estimate, a.tau2, a.q, a.i2, a.h2
    if not isinstance(model.estimator, str):
        tau2[:] = 0.0 if model.estimator is None else float(model.estimator)
    return size, estimate, tau2, q, i2, h2


#: Studies unpacked from bit masks at once, before subsets of one size are taken together.
BATCH = 1 << 20


def _heterogeneity(solved: Subsets, choices: Choices) -> tuple[Floats, Floats]:
    """I2 and H2; ``nan`` for subsets of one study, as their Q and typical variance are."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if choices.i2 == "from-q":
            h2 = solved.q / (solved.size - 1)
            return np.maximum(100.0 - 100.0 / h2, 0.0), h2
        total = solved.tau2 + solved.typical
        return 100.0 * solved.tau2 / total, total / solved.typical
