"""Posteriors of many groups side by side: where on the axis of tau each counts, and its likelihood on nodes there."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from balm.stats import kernel
from balm.stats.bayes.panels import legendre
from balm.stats.bayes.tau_prior import TauPrior
from balm.stats.effect_sizes import Floats
from balm.stats.groups import Integers
from balm.vocabulary.quick_dataclass import dataclass

#: Points of each look for the stretch of tau that counts, and how far down it goes: exp(-DEPTH) of the height.
LOOKED_AT = 17
DEPTH = 23.5

#: How far out tau is looked for: log(1 + tau/s).
FARTHEST = 16.0

#: Between two points that differ by more the density may bend: no chord is drawn.
STEEP = 10.0

#: A stretch with fewer points than this above the depth is looked at once more.
FEW = 8

#: Studies times nodes worked on at once: they stay in the cache.
IN_CACHE = 1 << 16

#: Factors 1 + tau2/v multiplied before a logarithm is taken: each stays below 1e18, so that 16 cannot overflow.
FACTORS = 16


@dataclass(frozen=True, eq=False)
class Rule:
    """Nodes of Gauss and Legendre on (0, 1): ``nodes`` for the means over tau, ``fine`` for its distribution.

    to_fine     : values at the nodes -> values of their polynomial at the fine ones.
    to_series   : values at the fine nodes times their weights -> coefficients of Chebyshev polynomials.
    last        : values at the nodes times their weights -> the last four coefficients.
    to_integral : the same -> the integral from 0 to each fine node;   to_integral_series : -> its coefficients.
    """

    nodes: Floats
    weights: Floats
    fine: Floats
    fine_weights: Floats
    to_fine: Floats
    last: Floats
    to_series: Floats
    to_integral: Floats
    to_integral_series: Floats


@cache
def rule(count: int, fine: int) -> Rule:
    """The rule with this many nodes of both kinds."""
    nodes, weights = legendre(count)
    many, many_weights = legendre(fine)
    vander = np.polynomial.legendre.legvander
    degree = 2.0 * np.arange(count) + 1.0
    series = vander(2.0 * nodes - 1.0, count - 1) * degree
    to_fine = (weights[:, None] * series) @ vander(2.0 * many - 1.0, count - 1).T
    degree = 2.0 * np.arange(fine) + 1.0
    to_series = vander(2.0 * many - 1.0, fine - 1) * degree
    # The integral of P_n from the left end is (P_{n+1} - P_{n-1}) / (2 (2n + 1)), P_{-1} being -1.
    up = np.zeros((fine, fine + 1))
    up[np.arange(fine), np.arange(1, fine + 1)] = 0.5 / degree
    up[np.arange(1, fine), np.arange(fine - 1)] = -0.5 / degree[1:]
    up[0, 0] = 0.5
    integral = to_series @ up
    return Rule(
        nodes=nodes,
        weights=weights,
        fine=many,
        fine_weights=many_weights,
        to_fine=to_fine,
        last=series[:, -4:].copy(),
        to_series=to_series @ _chebyshev(fine),
        to_integral=integral @ vander(2.0 * many - 1.0, fine).T,
        to_integral_series=integral @ _chebyshev(fine + 1),
    )


def _chebyshev(count: int) -> Floats:
    """Coefficients of Legendre polynomials -> those of Chebyshev polynomials, (count, count)."""
    at = np.cos(math.pi * (np.arange(count) + 0.5) / count)
    values = np.polynomial.legendre.legvander(at, count - 1)
    back = np.polynomial.chebyshev.chebvander(at, count - 1) * (2.0 / count)
    back[:, 0] *= 0.5
    return values.T @ back


class SideBySide:
    """Groups padded to one size: the mean effect given tau, and the log-likelihood, at x = log(1 + tau/s).

    Weights of padding are 0, so that it adds nothing to a sum and the factor 1 to a product.
    """

    def __init__(self, y: Floats, v: Floats, sizes: Integers, prior: TauPrior, mu: Any) -> None:
        inside = np.arange(int(sizes.max())) < sizes[:, None]
        self.w: Floats = np.zeros(inside.shape)
        self.w[inside] = 1.0 / v
        effect: Floats = np.zeros(inside.shape)
        effect[inside] = y
        total = self.w.sum(axis=1)
        self.centre = (self.w * effect).sum(axis=1) / total
        effect -= self.centre[:, None]
        weighted = self.w * effect
        self.sums: Floats = np.stack((self.w, weighted, weighted * effect), axis=1)  # (G, 3, K)
        self.s = np.sqrt(sizes / total)
        self.prior = prior
        self.mean, self.precision = (0.0, 0.0) if mu is None else (float(mu[0]), float(mu[1]) ** -2)

    def likelihood(self, x: Floats, rows: Any = None) -> tuple[Floats, Floats, Floats, Floats]:
        """For x (G, M): tau, mean and precision of the mean effect given tau, log-likelihood up to a constant."""
        w, sums, s, centre = self.w, self.sums, self.s, self.centre
        if rows is not None:
            w, sums, s, centre = w[rows], sums[rows], s[rows], centre[rows]
        tau = s[:, None] * np.expm1(x)
        square = tau * tau
        found, log = kernel.at_nodes(w, sums, square) or _at_nodes(w, sums, square)
        total = found[:, 0] + self.precision
        away = self.mean - centre[:, None]
        shift = (found[:, 1] + self.precision * away) / total
        log += np.log(total)
        log += found[:, 2] + self.precision * away**2 - total * shift**2
        log *= -0.5
        return tau, shift, total, log

    def prior_of(self, x: Floats, tau: Floats, rows: Any = None) -> Floats:
        """(G, M) log prior density of x."""
        s = self.s if rows is None else self.s[rows]
        with np.errstate(all="ignore"):
            found: Floats = self.prior.log_density(tau.ravel(), 1.0).reshape(x.shape) + x + np.log(s)[:, None]
        return found

    def stretch(self) -> tuple[Floats, Floats]:
        """Where the posterior counts: the ends of x, (G,) each, by looks that close in."""
        low, high = np.zeros(len(self.s)), np.full(len(self.s), FARTHEST)
        steps = np.linspace(0.0, 1.0, LOOKED_AT)
        rows = np.arange(len(self.s))
        for _ in range(4):
            x = low[rows, None] + (high - low)[rows, None] * steps
            x[:, 0] = np.maximum(x[:, 0], 1e-12)
            tau, _, _, log = self.likelihood(x, rows)
            log += self.prior_of(x, tau, rows)
            top = log.argmax(axis=1)[:, None]
            # Variances grow as tau2: what is cut off must be nothing even times that.
            log += 2.0 * np.maximum(x - np.take_along_axis(x, top, 1), 0.0)
            log -= np.take_along_axis(log, top, 1) - DEPTH
            above = log > 0.0
            first = np.maximum(above.argmax(axis=1) - 1, 0)
            last = np.minimum(LOOKED_AT - above[:, ::-1].argmax(axis=1), LOOKED_AT - 1)
            each = np.arange(len(rows))
            enough = last - first >= FEW
            low[rows] = np.where(enough, _crossing(x, log, each, first, first + 1), x[each, first])
            high[rows] = np.where(enough, _crossing(x, log, each, last, last - 1), x[each, last])
            rows = rows[~enough]
            if not len(rows):
                break
        low[low <= 1e-12] = 0.0
        return low, high


def _at_nodes(w: Floats, sums: Floats, square: Floats) -> tuple[Floats, Floats]:
    """:func:`balm.stats.kernel.at_nodes` in NumPy."""
    found = np.empty((len(w), 3, square.shape[1]))
    log = np.empty_like(square)
    studies = w.shape[1]
    step = max(1, IN_CACHE // (studies * square.shape[1]))
    room = np.empty((min(step, len(w)), studies, square.shape[1]))
    for first in range(0, len(w), step):
        part = slice(first, first + step)
        factor = room[: len(w[part])]
        np.multiply(w[part, :, None], square[part, None, :], out=factor)
        factor += 1.0
        product = np.log(factor[:, :FACTORS].prod(axis=1))
        for begin in range(FACTORS, studies, FACTORS):
            product += np.log(factor[:, begin : begin + FACTORS].prod(axis=1))
        log[part] = product
        np.reciprocal(factor, out=factor)
        np.matmul(sums[part], factor, out=found[part])
    return found, log


def _crossing(x: Floats, log: Floats, each: Any, outer: Any, inner: Any) -> Floats:
    """Where the chord between two points of each row crosses 0; the outer point where none does, or it is steep."""
    out, into = log[each, outer], log[each, inner]
    with np.errstate(all="ignore"):
        share = np.where((out < 0.0) & (into - out < STEEP), out / (out - into), 0.0)
    found: Floats = x[each, outer] + share * (x[each, inner] - x[each, outer])
    return found
