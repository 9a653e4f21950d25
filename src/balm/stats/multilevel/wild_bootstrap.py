"""Cluster wild bootstrap: tests of coefficients that hold with few clusters, whatever the dependence within them.

Under the null hypothesis ``C beta = 0`` the effects are ``X beta0 + e``. Each replicate multiplies the null residuals
of a whole cluster by one random number f_c of mean 0 and variance 1, and computes the robust Wald statistic of the full
model again (Cameron, Gelbach & Miller 2008, Rev Econ Stat 90:414; Joshi, Pustejovsky & Beretvas 2022, Res Synth
Methods 13:457). The working weights stay those of the fit, so everything is linear in f. With ``B = (X'WX)⁻¹``,
``g_c = A_c'W_cX_cB`` and adjusted null residuals r_c,

    beta* - beta0 = sum f_c B X_c'W_c r_c,       score_c = f_c g_c'r_c - g_c'X_c (beta* - beta0),

and ``V* = sum score_c score_c'``: a replicate costs one row of a matrix product, and all sign patterns of 18 clusters
can be gone through.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.multilevel.cluster_robust import (
    ABSORBED,
    KINDS,
    Batch,
    Robust,
    Working,
    adjusted_scores,
    robust,
)
from balm.stats.multilevel.fitted import Multilevel
from balm.stats.permutation.orders import signs
from balm.stats.permutation.permutation_test import TIE
from balm.stats.pooling.pooled import Pooled
from balm.stats.regression.meta_regression import MetaRegression
from balm.stats.simulation.blocks import blocks, check_count, settled_seed
from balm.vocabulary.problems import InputError, check_option

#: Draws by which a cluster's residuals are multiplied: mean 0, variance 1.
WEIGHTS: dict[str, str] = {
    "rademacher": "-1 or 1, each with probability 1/2 (Liu 1988; all patterns where there are few)",
    "mammen": "two points with third moment 1 (Mammen 1993)",
    "webb": "six points, for fewer than ten clusters (Webb 2023)",
    "uniform": "uniform from -sqrt(3) to sqrt(3)",
    "normal": "standard normal",
}
ADJUSTMENTS = ("CR0", "CR2", "CR3")
#: Sign patterns that are all gone through unless told otherwise: 2**18 take about a second.
MOST_EXACT = 2**18
#: Numbers held at once in a block of replicates.
TABLE = 2_000_000
#: With fewer clusters there are fewer than 1,000 sign patterns that differ in more than sign.
FEW_CLUSTERS = 10


@dataclass(frozen=True, eq=False)
class WildBootstrap:
    """The outcome of :func:`wild_bootstrap`.

    statistic    : the robust Wald statistic over its degrees of freedom ``df`` (the square of t for one coefficient).
    p            : share of replicates that reach it, ties included.
    exact        : whether all sign patterns were gone through; else ``replicates`` were drawn from ``seed``.
    distribution : (replicates,) statistics, when kept.
    """

    tested: tuple[str, ...]
    statistic: float
    df: int
    p: float
    exact: bool
    replicates: int
    clusters: int
    weights: str
    adjust: str
    kind: str
    seed: int | None
    advice: tuple[str, ...]
    distribution: Floats | None = None

    @property
    def monte_carlo_error(self) -> float:
        """Standard error of ``p`` from drawing at random; 0 when exact."""
        return 0.0 if self.exact else math.sqrt(self.p * (1.0 - self.p) / self.replicates)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the distribution, as plain values."""
        return {
            "tested": list(self.tested),
            "statistic": self.statistic,
            "df": self.df,
            "p": self.p,
            "exact": self.exact,
            "replicates": self.replicates,
            "clusters": self.clusters,
            "weights": self.weights,
            "adjust": self.adjust,
            "kind": self.kind,
            "seed": self.seed,
            "advice": list(self.advice),
        }

    def __repr__(self) -> str:
        how = f"all {self.replicates:,} sign patterns" if self.exact else f"{self.replicates:,} replicates"
        what = f"{self.weights} weights, residuals {self.adjust}, statistic {self.kind}"
        lines = [
            f"Cluster wild bootstrap: {how} of {self.clusters} clusters, {what}",
            f"{', '.join(self.tested)}: F = {self.statistic:.4f} ({self.df} df), p = {self.p:.4g}",
        ]
        if not self.exact:
            lines.append(f"seed {self.seed}; Monte-Carlo error of p {self.monte_carlo_error:.2g}")
        return "\n".join([*lines, *(f"- {said}" for said in self.advice)])


def wild_bootstrap(
    fit: Multilevel | MetaRegression | Pooled | Robust,
    *names: str,
    cluster: Any = "study",
    data: Any = None,
    contrasts: Any = None,
    weights: str = "rademacher",
    adjust: str = "CR0",
    kind: str = "CR0",
    exact: bool | None = None,
    replicates: int = 1999,
    seed: int | None = None,
    keep: bool = False,
) -> WildBootstrap:
    """Test that coefficients are zero, against a wild bootstrap of whole clusters with the null imposed.

    fit     : a result of :func:`balm.multilevel`, :func:`balm.meta_regression`, :func:`balm.pool` or
              :func:`balm.robust` (whose clusters then serve). Its variances are the working model and stay as they are.
    names   : coefficients or terms to test together; by default all moderators (the mean where there are none).
    contrasts : (m, p) instead of names: that every row times the coefficients is zero.
    cluster : as in :func:`balm.robust`.
    weights : a row of ``WEIGHTS``; "webb" where there are fewer than ten clusters and the signs are not enumerated.
    adjust  : of the null residuals: "CR0" (none, the default), "CR2" or "CR3".
    kind    : of the robust covariance in the statistic, a row of ``balm.robust``'s ``KINDS``.
    exact   : True goes through all sign patterns (Rademacher only), False draws ``replicates``; by default all where
              there are at most 262,144, that is up to 19 clusters, a pattern and its mirror image counting once.

    Random draws give ``(1 + reached) / (1 + replicates)``, so that p is never 0. More powerful than the HTZ test for
    joint hypotheses, with the level kept (Joshi, Pustejovsky & Beretvas 2022). There the variance components are
    estimated anew in each replicate; here they are held, as weights only: the statistic is robust to them.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.pooling.pool import pool
    >>> es = EffectSizes(effect=[0.5, 0.3, 0.4, 0.2, 0.9, 0.6], variance=[0.02] * 6, study=list("aabbcd"))
    >>> found = wild_bootstrap(pool(es), cluster="study")
    >>> found.p, found.replicates
    (0.125, 8)
    """
    check_option("weights", weights, list(WEIGHTS))
    check_option("adjust", adjust, ADJUSTMENTS)
    check_option("kind", kind, list(KINDS))
    if isinstance(fit, Robust):
        if not isinstance(cluster, str) or cluster != "study" or data is not None:
            raise InputError("cluster= and data= have no effect on a robust result, which has its own; leave them out")
        if kind != fit.kind:
            raise InputError(f"kind={kind!r}, but the robust result has {fit.kind!r}; give it the same")
        found = fit
    else:
        found = robust(fit, cluster, data=data, kind=kind)
    rows, tested = _rows(found, names, contrasts)
    working, q = found.working, len(rows)
    value = rows @ found.beta
    own = rows @ found.scores.covariance @ rows.T
    model = rows @ working.bread @ rows.T
    if not np.linalg.eigvalsh(_scaled(own, model))[0] > ABSORBED:
        raise InputError(
            f"{', '.join(tested)}: the clusters cannot tell apart what is tested (it rests on one cluster, or on too "
            f"few of the {working.clusters}); test fewer coefficients"
        )
    observed = float(value @ np.linalg.solve(own, value)) / q
    statistic = _Replicates(found.working, rows, adjust, kind, float(np.trace(own)))
    m = working.clusters
    full = _decide(exact, weights, m)
    used = None if full else settled_seed(seed)
    drawn = _patterns(m, statistic.width) if full else _draws(m, weights, check_count("replicates", replicates), used)
    least = observed - TIE * max(observed, 1.0)
    reached = total = 0
    kept: list[Floats] = []
    for f in drawn:
        values = statistic(f)
        reached += int(np.count_nonzero(values >= least))
        total += len(values)
        if keep:
            kept.append(values)
    extra = 0 if full else 1
    said = []
    if full and total < 1000 and m < FEW_CLUSTERS:
        said.append(f"{m} clusters have {total} sign patterns: p cannot fall below {1.0 / total:.2g}.")
    elif weights in ("rademacher", "mammen") and not full and m < FEW_CLUSTERS:
        said.append(f"{m} clusters: two-point weights have few patterns; weights='webb' has more.")
    return WildBootstrap(
        tested=tested,
        statistic=observed,
        df=q,
        p=(reached + extra) / (total + extra),
        exact=full,
        replicates=total,
        clusters=m,
        weights=weights,
        adjust=adjust,
        kind=kind,
        seed=used,
        advice=tuple(said),
        distribution=np.concatenate(kept) if keep else None,
    )


def _rows(found: Robust, names: tuple[str, ...], contrasts: Any) -> tuple[Floats, tuple[str, ...]]:
    p = len(found.beta)
    if contrasts is not None:
        if names:
            raise InputError("name coefficients or give contrasts=, not both")
        rows = np.atleast_2d(np.asarray(contrasts, dtype=np.float64))
        if rows.shape[1] != p or not np.all(np.isfinite(rows)):
            raise InputError(f"a contrast holds {p} numbers, one a coefficient; got shape {rows.shape}")
        if np.linalg.matrix_rank(rows) < len(rows):
            raise InputError("the contrasts repeat each other: test fewer")
        return rows, tuple(f"contrast {i + 1}" for i in range(len(rows)))
    if not names:
        skip = 1 if found.design.intercept and p > 1 else 0
        names = found.design.names[skip:]
    chosen = found.chosen(names)
    return np.eye(p)[chosen], tuple(found.design.names[i] for i in chosen)


def _scaled(own: Floats, model: Floats) -> Floats:
    size = np.sqrt(np.diag(model))
    return np.asarray(own / np.outer(size, size), dtype=np.float64)


def _decide(exact: bool | None, weights: str, m: int) -> bool:
    if exact not in (None, True, False):
        raise InputError(f"exact must be True, False or None (exact where feasible); got {exact!r}")
    possible = 1 << (m - 1)
    if exact and weights != "rademacher":
        raise InputError(f"exact=True goes through all signs: it needs weights='rademacher'; got {weights!r}")
    if exact and possible > MOST_EXACT:
        raise InputError(
            f"exact=True would go through {possible:,} sign patterns (at most {MOST_EXACT:,}): leave it out to draw"
        )
    return weights == "rademacher" and possible <= MOST_EXACT if exact is None else exact


def _patterns(m: int, width: int) -> Iterator[Floats]:
    """Every pattern of signs up to its mirror image, which has the same statistic, as (n, m) blocks."""
    total = 1 << (m - 1)
    for start in range(0, total, width):
        yield signs(np.arange(start, min(start + width, total), dtype=np.int64), m).T


def _draws(m: int, weights: str, replicates: int, seed: int | None) -> Iterator[Floats]:
    assert seed is not None
    draw = _DRAWS[weights]
    for size, rng in blocks(replicates, seed):
        yield np.asarray(draw(rng, (size, m)), dtype=np.float64)


_GOLDEN = math.sqrt(5.0)
_SIX = np.sqrt([0.5, 1.0, 1.5])
_DRAWS: dict[str, Callable[[np.random.Generator, tuple[int, int]], Any]] = {
    "rademacher": lambda rng, shape: 2.0 * rng.integers(0, 2, size=shape) - 1.0,
    "mammen": lambda rng, shape: np.where(
        rng.random(shape) < (_GOLDEN + 1.0) / (2.0 * _GOLDEN), 0.5 * (1.0 - _GOLDEN), 0.5 * (1.0 + _GOLDEN)
    ),
    "webb": lambda rng, shape: np.concatenate([-_SIX, _SIX])[rng.integers(0, 6, size=shape)],
    "uniform": lambda rng, shape: rng.uniform(-math.sqrt(3.0), math.sqrt(3.0), size=shape),
    "normal": lambda rng, shape: rng.standard_normal(shape),
}


class _Replicates:
    """(n, m) multipliers -> (n,) Wald statistics over their degrees of freedom."""

    def __init__(self, working: Working, rows: Floats, adjust: str, kind: str, size: float) -> None:
        bread = working.bread
        inside = np.linalg.solve(rows @ bread @ rows.T, rows @ bread)
        away = inside.T @ (rows @ working.beta)  # beta - beta0
        null_bread = bread - (bread @ rows.T) @ inside
        moves, scores, leverages = [], [], []
        k, m, p = len(working.effects), working.clusters, len(working.beta)
        factor = {"CR1": m / (m - 1), "CR1p": m / (m - p) if m > p else math.nan,
                  "CR1S": m * (k - 1) / ((m - 1) * (k - p))}.get(kind, 1.0)  # fmt: skip
        for b in working.batches:
            wx = b.w @ b.x
            r = _adjusted_residuals(b, b.e + b.x @ away, null_bread, adjust)
            g = math.sqrt(factor) * adjusted_scores(b, wx, bread, kind) @ bread @ rows.T  # (n, size, q)
            moves.append(np.einsum("nsp,ns->np", wx, r) @ bread)
            scores.append(np.einsum("nsq,ns->nq", g, r))
            leverages.append(np.einsum("nsq,nsp->nqp", g, b.x))
        self.moves, self.scores = np.concatenate(moves), np.concatenate(scores)
        self.leverages, self.rows = np.concatenate(leverages), rows
        self.tiny = 1e-20 * size
        self.width = max(64, TABLE // (self.scores.size + 1))

    def __call__(self, f: Floats) -> Floats:
        return np.concatenate([self._some(f[i : i + self.width]) for i in range(0, len(f), self.width)])

    def _some(self, f: Floats) -> Floats:
        moved = f @ self.moves
        value = moved @ self.rows.T
        score = f[:, :, None] * self.scores - np.einsum("mqp,rp->rmq", self.leverages, moved, optimize=True)
        q = self.rows.shape[0]
        if q == 1:
            found, spread = value[:, 0] ** 2, np.einsum("rmq,rmq->r", score, score)
        else:
            roots, basis = np.linalg.eigh(np.einsum("rmq,rms->rqs", score, score, optimize=True))
            along = np.einsum("rqs,rq->rs", basis, value) ** 2
            return np.asarray(np.sum(_ratio(along, roots, self.tiny), axis=1) / q)
        return _ratio(found, spread, self.tiny)


def _ratio(above: Floats, below: Floats, tiny: float) -> Floats:
    """``above / below``; infinite where only ``below`` is 0, and 0 where both are."""
    flat = below <= tiny
    found: Floats = np.where(flat, np.where(above <= tiny, 0.0, math.inf), above / np.where(flat, 1.0, below))
    return found


def _adjusted_residuals(b: Batch, e: Floats, bread: Floats, adjust: str) -> Floats:
    """``A_c e_c`` under the null model, whose ``bread`` is singular."""
    if adjust == "CR0":
        return e
    if adjust == "CR2":
        return np.asarray(adjusted_scores(b, e[:, :, None], bread, "CR2")[:, :, 0])
    hat = b.x @ bread @ np.swapaxes(b.w @ b.x, 1, 2)
    left = np.eye(b.x.shape[1]) - hat
    if np.any(np.linalg.svd(left, compute_uv=False)[:, -1] < ABSORBED):
        raise InputError("adjust='CR3' needs every cluster to be dispensable under the null; use adjust='CR2'")
    return np.asarray(np.linalg.solve(left, e[:, :, None])[:, :, 0])
