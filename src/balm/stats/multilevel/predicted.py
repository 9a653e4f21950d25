"""Predicted random effects, and how much each cluster moves the coefficients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from balm.stats.distributions import chi2_sf
from balm.stats.multilevel.blocks import BlockFit, Blocks
from balm.stats.multilevel.fitted import RandomEffects, Residuals, WithoutClusters
from balm.stats.multilevel.grouping import Integers, cluster_of
from balm.stats.multilevel.own_weights import refuse_own_weights
from balm.vocabulary.problems import InputError

if TYPE_CHECKING:
    from balm.stats.multilevel.fitted import Multilevel


def dense_fit(fit: Multilevel, block: Integers | None = None, *, restricted: bool = True) -> BlockFit:
    """The fit again, block by block, whatever way it was solved."""
    problem = fit.problem
    model = Blocks(
        problem.effect - problem.design @ fit.solution.centre,
        problem.variance,
        problem.sampling,
        problem.design,
        [t.term for t in problem.terms],
        problem.blocks if block is None else block,
    )
    return BlockFit(model, fit.parameters, restricted)


def random_effects(fit: Multilevel) -> dict[str, RandomEffects]:
    """``u = K P y`` with K the covariance of the random effects with the effects; its error ``K_uu - K P K'``."""
    refuse_own_weights(fit, "a predicted random effect")
    at = dense_fit(fit)
    out = {}
    for index, term in enumerate(fit.terms):
        part = at.model.parts[index]
        entry = term.structure.values(fit.parameters[part])
        u, spread = np.empty(fit.k), np.empty(fit.k)
        for b, w, wx, py in zip(at.model.batches, at.w, at.wx, at.py_blocks, strict=True):
            k = entry[b.slots[index]]
            u[b.rows] = np.einsum("nab,nb->na", k, py)
            kx = k @ wx
            spread[b.rows] = (
                np.diagonal(k, axis1=1, axis2=2)
                - np.einsum("nab,nbc,nca->na", k, w, k, optimize=True)
                + np.einsum("nap,pq,naq->na", kx, at.covariance, kx)
            )
        rows = np.unique(term.level, return_index=True)[1]
        out[term.name] = RandomEffects(_labels(term, rows), u[rows], np.sqrt(np.maximum(spread[rows], 0.0)))
    return out


def _labels(term: Any, rows: Integers) -> tuple[Any, ...]:
    names = term.groups.labels
    outer = [names[i] for i in term.groups.codes[rows].tolist()]
    if term.kind == "intercept":
        return tuple(n[0] if isinstance(n, tuple) and len(n) == 1 else n for n in outer)
    if term.inner is None:
        return tuple(zip(outer, (rows + 1).tolist(), strict=True))
    inner = [term.inner.labels[i] for i in term.inner.codes[rows].tolist()]
    return tuple(zip(outer, inner, strict=True))


def whole_blocks(fit: Multilevel, codes: Integers, name: str) -> Integers:
    """Codes checked to hold every connected block whole: what robust inference and deletion need."""
    block = fit.problem.blocks
    holder = np.empty(int(block.max()) + 1, dtype=np.int64)
    holder[block] = codes
    split = np.flatnonzero(holder[block] != codes)
    if len(split):
        raise InputError(
            f"{name} splits effects that the model connects (row {int(split[0]) + 1}): cluster by the outermost level "
            "of the random effects and of V, or coarser"
        )
    return codes


def without_clusters(fit: Multilevel, cluster: Any, data: Any) -> WithoutClusters:
    """The fit without each cluster in turn, with the variances held."""
    refuse_own_weights(fit, "what a cluster changes")
    g = cluster_of(fit.effects, cluster, data)
    at = dense_fit(fit, whole_blocks(fit, g.codes, g.name))
    p = len(fit.beta)
    own = np.sqrt(np.diag(np.linalg.inv(at.xwx)))
    dfbetas, cooks, q = np.full((g.count, p), np.nan), np.full(g.count, np.nan), np.full(g.count, np.nan)
    residual, se = np.full(fit.k, np.nan), np.full(fit.k, np.nan)
    left = fit.effects.effect - fit.fitted
    for b, w, wx, py in zip(at.model.batches, at.w, at.wx, at.py_blocks, strict=True):
        cross = np.swapaxes(b.x, 1, 2) @ wx
        right = np.einsum("nmp,nm->np", b.x, py)
        for i, rows in enumerate(b.rows):
            rest = at.xwx - cross[i]
            if np.linalg.matrix_rank(rest) < p:
                continue
            c = int(g.codes[rows[0]])
            moved = np.linalg.solve(rest, right[i])
            dfbetas[c], cooks[c] = moved / own, moved @ at.xwx @ moved
            residual[rows] = left[rows] + b.x[i] @ moved
            spread = np.linalg.inv(w[i]) + b.x[i] @ np.linalg.solve(rest, b.x[i].T)
            se[rows] = np.sqrt(np.diag(spread))
            q[c] = residual[rows] @ np.linalg.solve(spread, residual[rows])
    size = np.bincount(g.codes, minlength=g.count)
    tail = np.array([chi2_sf(x, int(n)) if np.isfinite(x) else np.nan for x, n in zip(q, size, strict=True)])
    return WithoutClusters(g.labels, cooks, dfbetas, q, size, tail, Residuals(residual, se, residual / se))
