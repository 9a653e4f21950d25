"""The likelihood of any random effects with any known sampling covariance, block by block.

Effects that nothing connects are independent, so M is block diagonal. Blocks of one size are factored together. Slope
and curvature are exact: with ``P = W - WX(X'WX)⁻¹X'W``, ``W = M⁻¹`` and derivatives ``M_i``, ``M_ij`` of M,

    slope_i      = (tr P M_i - y'P M_i P y) / 2
    curvature_ij = (2 y'P M_i P M_j P y - tr P M_i P M_j + tr P M_ij - y'P M_ij P y) / 2

(Searle, Casella & McCulloch 1992, section 6.6; for ML, W stands for P in the traces). Crossed random effects make one
large block (intercepts with independent errors: :mod:`balm.stats.multilevel.crossing`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from balm.stats.effect_sizes import Floats
from balm.stats.multilevel.grouping import Integers
from balm.stats.multilevel.structures import Structure

#: The complex step: its error is the step squared, far below rounding.
COMPLEX_STEP = 1e-40


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One random term: its structure, and which entry of it connects two effects.

    slots : (n, m) row numbers -> (n, m, m) slot of each pair (0: not connected).
    """

    structure: Structure
    slots: Callable[[Integers], Integers]


def connected(k: int, groupings: Sequence[Integers], sampling: Floats | None) -> Integers:
    """(k,) block of each effect: effects are in one block when a chain of shared levels or covariances joins them."""
    block = np.arange(k)
    rows = columns = np.empty(0, dtype=np.int64)
    if sampling is not None:
        rows, columns = np.nonzero(sampling)
    while True:
        before = block
        for codes in groupings:
            least = np.full(int(codes.max()) + 1, k)
            np.minimum.at(least, codes, block)
            block = least[codes]
        if len(rows):
            least = block.copy()
            np.minimum.at(least, rows, block[columns])
            block = least[least]
        if np.array_equal(block, before):
            found: Integers = np.unique(block, return_inverse=True)[1].astype(np.int64)
            return found


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Blocks of one size: ``rows`` (n, m), ``y`` (n, m), ``x`` (n, m, p), ``v`` (n, m, m), ``slots`` one a term."""

    rows: Integers
    y: Floats
    x: Floats
    v: Floats
    slots: tuple[Integers, ...]


class Blocks:
    """Effects in independent blocks, ready to evaluate; ``terms`` take their parameters one after the other."""

    def __init__(
        self,
        effect: Floats,
        variance: Floats,
        sampling: Floats | None,
        design: Floats,
        terms: Sequence[Term],
        block: Integers,
    ) -> None:
        self.k, self.p = design.shape
        self.terms = tuple(terms)
        ends = np.cumsum([0, *(len(t.structure.names) for t in terms)])
        self.parts = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        self.size = int(ends[-1])
        order = np.argsort(block, kind="stable")
        counts = np.bincount(block)
        first = np.concatenate([[0], np.cumsum(counts)[:-1]])
        self.batches: list[Batch] = []
        for m in np.unique(counts):
            which = np.flatnonzero(counts == m)
            rows = order[first[which][:, None] + np.arange(m)]
            if sampling is None:
                v = np.zeros((len(which), m, m))
                v[:, np.arange(m), np.arange(m)] = variance[rows]
            else:
                v = sampling[rows[:, :, None], rows[:, None, :]]
            slots = tuple(t.slots(rows) for t in terms)
            self.batches.append(Batch(rows, effect[rows], design[rows], v, slots))
        self.constant = float(np.linalg.slogdet(design.T @ design)[1])

    def evaluate(self, parameters: Floats, restricted: bool) -> tuple[float, Floats, Floats]:
        """Minus the log-likelihood, its slope and its exact curvature; infinite where M is not positive definite."""
        try:
            fit = BlockFit(self, parameters, restricted)
        except np.linalg.LinAlgError:
            n = self.size
            return math.inf, np.zeros(n), np.eye(n)
        slope, curvature = fit.slope_and_curvature()
        return -fit.log_likelihood, slope, curvature


class BlockFit:
    """The generalised least squares fit at given parameters: beta, covariance, rss, log_likelihood, py (k,)."""

    def __init__(self, model: Blocks, parameters: Floats, restricted: bool) -> None:
        self.model, self.parameters, self.restricted = model, parameters, restricted
        p = model.p
        values = [t.structure.values(parameters[s]) for t, s in zip(model.terms, model.parts, strict=True)]
        self.w: list[Floats] = []
        self.wx: list[Floats] = []
        self.xwx = np.zeros((p, p))
        right = np.zeros(p)
        logs = 0.0
        for b in model.batches:
            m = b.v
            for entry, slot in zip(values, b.slots, strict=True):
                m = m + entry[slot]
            root = np.linalg.cholesky(m)
            logs += 2.0 * float(np.sum(np.log(np.diagonal(root, axis1=1, axis2=2))))
            inverse = np.linalg.inv(root)
            w = np.swapaxes(inverse, 1, 2) @ inverse
            wx = w @ b.x
            self.w.append(w)
            self.wx.append(wx)
            self.xwx += np.einsum("nmi,nmj->ij", b.x, wx)
            right += np.einsum("nmi,nm->i", wx, b.y)
        self.covariance = np.asarray(np.linalg.inv(self.xwx), dtype=np.float64)
        self.beta = np.asarray(np.linalg.solve(self.xwx, right), dtype=np.float64)
        self.log_determinant = logs
        self.rss = 0.0
        self.py_blocks: list[Floats] = []
        for b, w in zip(model.batches, self.w, strict=True):
            e = b.y - b.x @ self.beta
            we = np.einsum("nab,nb->na", w, e)
            self.rss += float(np.sum(e * we))
            self.py_blocks.append(we)
        if not restricted:
            height = model.k * math.log(2.0 * math.pi) + logs + self.rss
        else:
            more = float(np.linalg.slogdet(self.xwx)[1]) - model.constant
            height = (model.k - p) * math.log(2.0 * math.pi) + logs + more + self.rss
        self.log_likelihood = -0.5 * height

    @property
    def py(self) -> Floats:
        """(k,) ``M⁻¹ (y - X beta)`` in the order of the effects."""
        out = np.empty(self.model.k)
        for b, u in zip(self.model.batches, self.py_blocks, strict=True):
            out[b.rows] = u
        return out

    def slope_and_curvature(self) -> tuple[Floats, Floats]:
        """Of minus the log-likelihood."""
        model, n, p = self.model, self.model.size, self.model.p
        if n == 0:
            return np.empty(0), np.empty((0, 0))
        c = self.covariance
        jacobians = [t.structure.jacobian(self.parameters[s]) for t, s in zip(model.terms, model.parts, strict=True)]
        pulled = [np.zeros(j.shape[1]) for j in jacobians]
        quadratic, trace = np.zeros((n, n)), np.zeros((n, n))
        z, a, middle = np.zeros((n, p)), np.zeros((n, p, p)), np.zeros((n, n, p, p))
        for b, w, wx, u in zip(model.batches, self.w, self.wx, self.py_blocks, strict=True):
            score = w - u[:, :, None] * u[:, None, :]
            if self.restricted:
                score = score - wx @ c @ np.swapaxes(wx, 1, 2)
            m = np.empty((n, *w.shape))
            for j, part, total, slot in zip(jacobians, model.parts, pulled, b.slots, strict=True):
                total += np.bincount(slot.ravel(), weights=score.ravel(), minlength=len(total))
                m[part] = j[:, slot]
            wm = w @ m
            q = np.einsum("inab,nb->ina", m, u)
            wq = np.einsum("nab,inb->ina", w, q)
            quadratic += np.einsum("ina,jna->ij", q, wq)
            z += np.einsum("nap,ina->ip", wx, q)
            flat = wm.reshape(n, -1)
            turned = np.ascontiguousarray(np.swapaxes(wm, 2, 3)).reshape(n, -1)
            trace += flat @ turned.T
            if self.restricted:
                r = m @ wx
                a += np.einsum("nap,inaq->ipq", wx, r)
                wr = w @ r
                middle += np.einsum("inap,jnaq->ijpq", r, wr)
        slope = 0.5 * np.concatenate([j @ t for j, t in zip(jacobians, pulled, strict=True)])
        if self.restricted:
            ca = c @ a
            trace = trace - 2.0 * np.einsum("pq,ijqp->ij", c, middle) + np.einsum("ipq,jqp->ij", ca, ca)
        curvature = quadratic - z @ c @ z.T - 0.5 * trace
        for term, part, total in zip(model.terms, model.parts, pulled, strict=True):
            curvature[part, part] += 0.5 * _second(term.structure, self.parameters[part], total)
        return slope, 0.5 * (curvature + curvature.T)


def _second(structure: Structure, parameters: Floats, weights: Floats) -> Floats:
    """Second derivatives of ``weights . values(parameters)`` by a complex step on the first ones."""
    n = len(parameters)
    out = np.empty((n, n))
    for i in range(n):
        moved: NDArray[Any] = parameters.astype(np.complex128)
        moved[i] += 1j * COMPLEX_STEP
        out[i] = np.imag(structure.jacobian(moved) @ weights) / COMPLEX_STEP
    return 0.5 * (out + out.T)
