"""The likelihood of nested random intercepts in time linear in the number of effects.

With effects sorted by level, the marginal covariance is ``M = D + sum_l s_l Z_l Z_l'`` with D diagonal. Taking the
levels in from the finest outwards, each group adds one rank-one term to the inverse (Sherman & Morrison 1950), so
that everything the likelihood, its slope and its curvature need is a sum over groups: O(k p²), no matrix larger than
k x p. Effects that are each their own finest level add to D.

Restricted likelihood: Patterson & Thompson (1971); Harville (1977). Curvature: the average information of Gilmour,
Thompson & Cullis (1995).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.multilevel.grouping import Grouping, Integers


def nesting(groups: Sequence[Grouping]) -> list[int] | None:
    """The order, coarse to fine, in which each grouping nests the next; None when some cross."""
    order = sorted(range(len(groups)), key=lambda i: groups[i].count)
    for a, b in pairwise(order):
        outer, inner = groups[a], groups[b]
        if inner.count == len(inner.codes):
            continue
        holder = np.empty(inner.count, dtype=np.int64)
        holder[inner.codes] = outer.codes
        if not np.array_equal(holder[inner.codes], outer.codes):
            return None
    return order


def log_determinant(matrix: Floats) -> float:
    """Of a positive definite matrix; most have one row."""
    if len(matrix) == 1:
        return math.log(float(matrix[0, 0]))
    return float(np.linalg.slogdet(matrix)[1])


def inverse(matrix: Floats) -> Floats:
    """Of a positive definite matrix; most have one row."""
    if len(matrix) == 1:
        if not matrix[0, 0] > 0.0:
            raise np.linalg.LinAlgError("the matrix is not positive definite")
        return 1.0 / matrix
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


class Nested:
    """Effects sorted by level, ready to evaluate; parameters are the variances in the order of ``groups``."""

    def __init__(
        self, effect: Floats, variance: Floats, design: Floats, groups: Sequence[Grouping], order: list[int]
    ) -> None:
        self.k, self.p = design.shape
        self.order = order
        self.own = bool(order) and groups[order[-1]].count == self.k
        kept = [groups[i].codes for i in (order[:-1] if self.own else order)]
        rows: Any = slice(None)
        key = kept[-1] if kept else None
        if kept:
            key = kept[0]
            for finer in kept[1:]:
                key = key * (int(finer.max()) + 1) + finer
            if np.any(key[1:] < key[:-1]):
                rows = np.argsort(key, kind="stable")
        self.rows = rows
        self.v = variance[rows]
        self.b = np.empty((self.p + 1, self.k))  # one row a column of the design, then the effects
        self.b[:-1], self.b[-1] = design[rows].T, effect[rows]
        self.starts: list[Integers] = []  # of each level's groups among the groups of the next finer one
        self.up: list[Integers] = []  # from each group to its group in the next coarser level
        first = None
        for codes in reversed(kept):
            sorted_codes = codes[rows] if first is None else codes[rows][first]
            new = np.flatnonzero(np.concatenate([[True], sorted_codes[1:] != sorted_codes[:-1]]))
            self.starts.insert(0, new)
            size = np.diff(np.append(new, len(sorted_codes)))
            self.up.insert(0, np.repeat(np.arange(len(new)), size))
            first = new if first is None else first[new]
        self.constant = log_determinant(self.b[:-1] @ self.b[:-1].T)

    def evaluate(self, s: Floats, restricted: bool) -> tuple[float, Floats, Floats]:
        """Minus the log-likelihood at the variances ``s``, its slope and its average information."""
        try:
            fit = NestedFit(self, s, restricted)
        except (np.linalg.LinAlgError, ZeroDivisionError, ValueError):
            return math.inf, np.zeros(len(s)), np.eye(len(s))
        slope, information = fit.slope_and_information()
        return -fit.log_likelihood, slope, information


class NestedFit:
    """The generalised least squares fit at given variances.

    beta, covariance: (p,), (p, p). rss: residual sum of squares under M⁻¹. offsets: per level (p + 1, groups), the
    predicted deviations summed from the outermost level inwards (what M⁻¹ takes off each group), for the columns of
    the design and the residuals. totals: sums of the rows of M⁻¹[X, e] within groups.
    """

    def __init__(self, model: Nested, s: Floats, restricted: bool) -> None:
        m = model
        self.model, self.restricted = m, restricted
        by_order = s[m.order].tolist()
        self.levels = by_order[:-1] if m.own else by_order
        d = m.v + by_order[-1] if m.own else m.v
        self.w = w = 1.0 / d
        wb = m.b * w
        cross = wb @ m.b.T
        logs = float(np.log(d).sum())
        n = len(m.starts)
        self.t: list[Floats] = [w] * n  # 1'M⁻¹1 of each group, levels inside it only
        self.keep: list[Floats] = [w] * n  # 1 / (1 + s t)
        sums: list[Floats] = [w] * n
        t, inside = w, wb
        for level in range(n - 1, -1, -1):
            starts = m.starts[level]
            t, inside = np.add.reduceat(t, starts), np.add.reduceat(inside, starts, axis=1)
            more = 1.0 + self.levels[level] * t
            keep = 1.0 / more
            self.t[level], sums[level], self.keep[level] = t, inside, keep
            left = inside * keep
            cross -= self.levels[level] * (left @ inside.T)
            logs += float(np.log(more).sum())
            t, inside = t * keep, left
        p = m.p
        self.xwx = cross[:p, :p]
        self.covariance = inverse(self.xwx)
        self.beta: Floats = self.covariance @ cross[:p, p]
        if p > 1:  # one correction: the inverse of a badly scaled design loses digits
            self.beta += self.covariance @ (cross[:p, p] - self.xwx @ self.beta)
        # Columns: M⁻¹X and M⁻¹(y - Xb), group by group.
        for own in sums:
            own[p] -= self.beta @ own[:p]
        self.offsets = self._offsets(sums)
        self.totals = self._totals(sums, self.offsets)
        e = m.b[p] - self.beta @ m.b[:p]
        self.py = w * (e - self.offsets[-1][p].take(m.up[-1])) if n else w * e
        self.rss: float = float(e @ self.py)
        self.log_determinant: float = logs
        self.log_likelihood = self._height(restricted)

    def _height(self, restricted: bool) -> float:
        m = self.model
        height = self.log_determinant + self.rss
        if not restricted:
            return float(-0.5 * (m.k * math.log(2.0 * math.pi) + height))
        height += log_determinant(self.xwx) - m.constant
        return float(-0.5 * ((m.k - m.p) * math.log(2.0 * math.pi) + height))

    def _offsets(self, sums: list[Floats]) -> list[Floats]:
        """What each group's rows lose under M⁻¹, from the outermost level inwards."""
        out: list[Floats] = []
        for level, total in enumerate(sums):
            here = total * self.levels[level]
            if out:
                here += out[-1].take(self.model.up[level - 1], axis=1)
            here *= self.keep[level]
            out.append(here)
        return out

    def _totals(self, sums: list[Floats], offsets: list[Floats]) -> list[Floats]:
        """Sums of the rows of M⁻¹B within each group of each level."""
        out: list[Floats] = [self.w] * len(sums)
        for level in range(len(sums) - 1, -1, -1):
            if level == len(sums) - 1:
                out[level] = sums[level] - self.t[level] * offsets[level]
            else:
                out[level] = np.add.reduceat(out[level + 1], self.model.starts[level], axis=1)
        return out

    def slope_and_information(self) -> tuple[Floats, Floats]:
        """Of minus the log-likelihood, in the order of the groups."""
        m, p, n = self.model, self.model.p, len(self.t)
        size = len(m.order)
        slope = np.empty(size)
        outside: Floats | float = 0.0
        for level in range(n):
            above = outside.take(m.up[level - 1]) if isinstance(outside, np.ndarray) else 0.0
            s = self.t[level] * self.keep[level]
            trace = float((s - s * s * above).sum()) if level else float(s.sum())
            outside = self.keep[level] * (above * self.keep[level] + self.levels[level])
            q, u = self.totals[level][:p], self.totals[level][p]
            if self.restricted:
                trace -= float((self.covariance * (q @ q.T)).sum())
            slope[level] = 0.5 * (trace - float(u @ u))
        mx = m.b[:p]
        if m.own:
            w2 = self.w * self.w
            trace = float(self.w.sum())
            if n:
                trace -= float(outside @ np.add.reduceat(w2, m.starts[-1]))
                mx = mx - self.offsets[-1][:p].take(m.up[-1], axis=1)
            if self.restricted:
                trace -= float((self.covariance * ((mx * w2) @ mx.T)).sum())
            slope[n] = 0.5 * (trace - float(self.py @ self.py))
        information = self._average_information(mx)
        if m.order == sorted(m.order):
            return slope, information
        order = np.empty(size, dtype=np.int64)
        order[m.order] = np.arange(size)
        return slope[order], information[np.ix_(order, order)]

    def _average_information(self, mx: Floats) -> Floats:
        """``f_i' P f_j / 2`` with ``f_i = Z_i Z_i' P y``; ``mx`` is ``D M⁻¹X`` transposed."""
        m, p, size, n = self.model, self.model.p, len(self.model.order), len(self.t)
        z, inner = np.empty((size, p)), np.empty((size, size))
        wpy = self.w * self.py if m.own else self.w
        if n:
            finest = np.empty((size, len(m.starts[-1])))
            for i in range(n):  # Z_finest' D⁻¹ Z_i u_i: the weight of each finest group times its deviation
                u = self.totals[i][p]
                for level in range(i, n - 1):
                    u = u.take(m.up[level])
                finest[i] = self.t[-1] * u
                z[i] = self.totals[i][:p] @ self.totals[i][p]
            if m.own:
                finest[n] = np.add.reduceat(wpy, m.starts[-1])
            sums = [finest]
            for level in range(n - 2, -1, -1):
                sums.insert(0, np.add.reduceat(sums[0] * self.keep[level + 1], m.starts[level], axis=1))
            offsets = self._offsets(sums)
            totals = self._totals(sums, offsets)
            for i in range(n):
                inner[i] = totals[i] @ self.totals[i][p]
        if m.own:
            own = float(self.py @ wpy)
            if n:
                own -= float(finest[n] @ offsets[-1][n])
                inner[n, :n] = inner[:n, n]
            inner[n, n] = own
            z[n] = mx @ wpy
        information: Floats = 0.5 * (inner - z @ self.covariance @ z.T)
        return information
