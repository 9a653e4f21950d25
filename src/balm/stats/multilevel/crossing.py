"""The likelihood of crossed random intercepts with independent errors, by matrices over levels instead of effects.

The marginal covariance is ``M = D + Z G Z'`` with D diagonal, Z the incidence of all q levels and G their variances.
With ``A = Z'D⁻¹Z``, which counting gives, and ``H = (I + A G)⁻¹`` (q x q),

    M⁻¹ = D⁻¹ - D⁻¹Z G H Z'D⁻¹,   log|M| = log|D| + log|I + A G|,   Z'M⁻¹Z = H A,   Z'M⁻¹ = H Z'D⁻¹

(Henderson & Searle 1981, SIAM Review 23:53), and slope and curvature, as in :mod:`balm.stats.multilevel.blocks`, need
no more than these. An intercept for each effect adds to D. Time grows with k and with the cube of q.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.multilevel.blocks import BlockFit, Blocks
from balm.stats.multilevel.grouping import Grouping, Integers

#: What a step costs by blocks, where it is worth counting levels instead: a share of the cubes of the blocks' sizes.
WORTH_WHILE = 0.5
#: Up to this ratio of a level's variance to the sampling variance of its mean, taking ``Z G H Z'`` off the identity
#: leaves eleven digits; beyond, the covariance of the effects is factored itself.
MOST_RATIO = 1e5


def worth_crossing(groups: Sequence[Grouping], block: Integers) -> bool:
    """Whether matrices over all levels are smaller than those over the effects of each block."""
    k = len(block)
    q = sum(g.count for g in groups if g.count < k)
    return float(q) ** 3 < WORTH_WHILE * float(np.sum(np.bincount(block).astype(np.float64) ** 3))


class Crossing:
    """Effects and their levels, ready to evaluate; parameters are the variances in the order of ``groups``.

    ``blocks`` makes the same model over effects, for variances that dwarf the sampling errors.
    """

    def __init__(
        self,
        effect: Floats,
        variance: Floats,
        design: Floats,
        groups: Sequence[Grouping],
        blocks: Callable[[], Blocks],
    ) -> None:
        self._make = blocks
        self._blocks: Blocks | None = None
        self.k, self.p = design.shape
        self.size = len(groups)
        self.own = next((i for i, g in enumerate(groups) if g.count == self.k), None)
        self.kept = [i for i in range(self.size) if i != self.own]
        self.y, self.x, self.v = effect, design, variance
        ends = np.cumsum([0, *(groups[i].count for i in self.kept)])
        self.parts = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        self.q = int(ends[-1])
        #: (terms, k) the level of each effect in each term, numbered through.
        self.levels = np.stack([groups[i].codes + start for i, start in zip(self.kept, ends[:-1], strict=True)])
        n = len(self.kept)
        self.pairs = [(a, b, self.levels[a] * self.q + self.levels[b]) for a in range(n) for b in range(a, n)]
        self.constant = float(np.linalg.slogdet(design.T @ design)[1])

    def incidence(self, weight: Floats) -> Floats:
        """(q, q) ``Z' diag(weight) Z``."""
        out = np.zeros((self.q, self.q))
        for a, b, at in self.pairs:
            found = np.bincount(at, weights=weight, minlength=self.q * self.q).reshape(self.q, self.q)
            out += found if a == b else found + found.T
        return out

    def collected(self, columns: Floats) -> Floats:
        """(q, m) ``Z' columns`` of (k, m)."""
        out = np.empty((self.q, columns.shape[1]))
        for j in range(columns.shape[1]):
            out[:, j] = sum(np.bincount(at, weights=columns[:, j], minlength=self.q) for at in self.levels)
        return out

    def spread(self, rows: Floats) -> Floats:
        """(k, m) ``Z rows`` of (q, m)."""
        out: Floats = np.sum(rows[self.levels], axis=0)
        return out

    @property
    def blocks(self) -> Blocks:
        """The same model over effects."""
        if self._blocks is None:
            self._blocks = self._make()
        return self._blocks

    def dwarfs(self, s: Floats) -> bool:
        """Whether some variance is too large beside the sampling errors for matrices over levels."""
        weight = 1.0 / (self.v if self.own is None else self.v + s[self.own])
        return any(
            float(s[i] * np.bincount(at, weights=weight).max()) > MOST_RATIO
            for i, at in zip(self.kept, self.levels, strict=True)
        )

    def fit(self, s: Floats, restricted: bool) -> CrossingFit | BlockFit:
        """The fit at the variances ``s``, over levels or over effects."""
        return BlockFit(self.blocks, s, restricted) if self.dwarfs(s) else CrossingFit(self, s, restricted)

    def evaluate(self, s: Floats, restricted: bool) -> tuple[float, Floats, Floats]:
        """Minus the log-likelihood at the variances ``s``, its slope and its exact curvature."""
        try:
            fit = self.fit(s, restricted)
        except np.linalg.LinAlgError:
            return math.inf, np.zeros(self.size), np.eye(self.size)
        slope, curvature = fit.slope_and_curvature()
        return -fit.log_likelihood, slope, curvature

    def likeness(self) -> Floats:
        """(terms, terms) sums of products of the entries of ``Z_i Z_i'`` and ``Z_j Z_j'``."""
        counts = self.incidence(np.ones(self.k)) ** 2
        out = np.full((self.size, self.size), float(self.k))
        for i, a in zip(self.kept, self.parts, strict=True):
            for j, b in zip(self.kept, self.parts, strict=True):
                out[i, j] = float(counts[a, b].sum())
        return out


class CrossingFit:
    """The generalised least squares fit at given variances: beta, covariance, rss, log_likelihood."""

    def __init__(self, model: Crossing, s: Floats, restricted: bool) -> None:
        m, p = model, model.p
        self.model, self.restricted = m, restricted
        d = m.v if m.own is None else m.v + s[m.own]
        self.w = 1.0 / d
        self.g = np.repeat([s[i] for i in m.kept], [part.stop - part.start for part in m.parts])
        self.a = m.incidence(self.w)
        inside = np.eye(m.q) + self.a * self.g
        sign, more = np.linalg.slogdet(inside)
        if not sign > 0.0:
            raise np.linalg.LinAlgError("the covariance of the effects is not positive definite")
        self.h = np.asarray(np.linalg.inv(inside), dtype=np.float64)
        wx = self.w[:, None] * m.x
        self.zx = self.h @ m.collected(wx)  # Z'M⁻¹X
        self.mx = wx - self.w[:, None] * m.spread(self.g[:, None] * self.zx)  # M⁻¹X
        self.xwx = m.x.T @ self.mx
        self.xwx = 0.5 * (self.xwx + self.xwx.T)
        self.covariance = np.asarray(np.linalg.inv(self.xwx), dtype=np.float64)
        beta = np.linalg.solve(self.xwx, self.mx.T @ m.y)
        beta += np.linalg.solve(self.xwx, self.mx.T @ (m.y - m.x @ beta))
        self.beta: Floats = np.asarray(beta, dtype=np.float64)
        e = m.y - m.x @ self.beta
        self.u, self.py = self.weighed(e)
        self.rss = float(e @ self.py)
        height = float(np.sum(np.log(d))) + float(more) + self.rss
        if restricted:
            height += float(np.linalg.slogdet(self.xwx)[1]) - m.constant - p * math.log(2.0 * math.pi)
        self.log_likelihood = -0.5 * (height + m.k * math.log(2.0 * math.pi))

    def weighed(self, column: Floats) -> tuple[Floats, Floats]:
        """``Z'M⁻¹ column`` (q,) and ``M⁻¹ column`` (k,)."""
        m = self.model
        first = self.h @ m.collected((self.w * column)[:, None])[:, 0]
        return first, self.w * (column - m.spread((self.g * first)[:, None])[:, 0])

    def slope_and_curvature(self) -> tuple[Floats, Floats]:
        """Of minus the log-likelihood."""
        m, c = self.model, self.covariance
        between = self.h @ self.a  # Z'M⁻¹Z
        projected = between - self.zx @ c @ self.zx.T  # Z'PZ
        traced = projected if self.restricted else between
        squared = traced * traced
        moved = projected * self.u[:, None] * self.u[None, :]
        diagonal = np.diagonal(traced)
        slope, curvature = np.empty(m.size), np.empty((m.size, m.size))
        for i, a in zip(m.kept, m.parts, strict=True):
            slope[i] = 0.5 * float(diagonal[a].sum() - self.u[a] @ self.u[a])
            for j, b in zip(m.kept, m.parts, strict=True):
                curvature[i, j] = float(moved[a, b].sum()) - 0.5 * float(squared[a, b].sum())
        if m.own is not None:
            self._own_terms(slope, curvature, m.own)
        return slope, 0.5 * (curvature + curvature.T)

    def _own_terms(self, slope: Floats, curvature: Floats, own: int) -> None:
        """What an intercept for each effect, with M_i = I, has in slope and curvature."""
        m, c, h = self.model, self.covariance, self.h
        gh = self.g[:, None] * h
        second = m.incidence(self.w**2)  # Z'D⁻²Z
        x2 = self.mx.T @ self.mx  # X'M⁻²X
        trace = float(self.w.sum()) - float(np.sum(gh * second.T))
        rows = np.sum((h @ second) * h, axis=1)  # diagonal of Z'M⁻²Z
        third = m.incidence(self.w**3)
        turned = gh @ second
        whole = float(np.sum(self.w**2)) - 2.0 * float(np.sum(gh * third.T)) + float(np.sum(turned * turned.T))
        if self.restricted:
            trace -= float(np.sum(c * x2))
            zmx = h @ m.collected(self.w[:, None] * self.mx)  # Z'M⁻²X
            zc = self.zx @ c
            rows = rows + np.sum((zc @ x2 - 2.0 * zmx) * zc, axis=1)
            x3 = self.mx.T @ np.stack([self.weighed(column)[1] for column in self.mx.T], axis=1)
            cx = c @ x2
            whole += float(np.sum(cx * cx.T)) - 2.0 * float(np.sum(c * x3))
        z_again, again = self.weighed(self.py)
        back = c @ (self.mx.T @ self.py)
        again = again - self.mx @ back  # PPy
        z_again = z_again - self.zx @ back  # Z'PPy
        slope[own] = 0.5 * (trace - float(self.py @ self.py))
        curvature[own, own] = float(self.py @ again) - 0.5 * whole
        for j, b in zip(m.kept, m.parts, strict=True):
            value = float(z_again[b] @ self.u[b]) - 0.5 * float(rows[b].sum())
            curvature[own, j] = curvature[j, own] = value
