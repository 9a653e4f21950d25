"""Log-likelihoods of one arm (or of one conditional 2x2 table) at a linear predictor, with two derivatives.

All of them are exponential families in their canonical parameter, so each is ``x * eta - cumulant(eta) + constant``,
concave in ``eta``.  ``eta`` is (k, q): q values for each of k studies.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from balm.stats.effect_sizes import Floats

Ints = npt.NDArray[np.int64]

#: Terms of a conditional likelihood this many standard deviations from its mode are below 1e-18 of the largest: the
#: noncentral hypergeometric has lighter tails than the normal with the variance of its mode.
WINDOW = 9.5


class Peak(NamedTuple):
    """``eta`` (k,), the log-likelihood without its constant there, and minus its second derivative.

    Where the supremum lies at infinity, ``height`` is that supremum and ``eta`` and ``information`` are 0.
    """

    eta: Floats
    height: Floats
    information: Floats


class Likelihood(Protocol):
    """What an arm offers: counts ``x``, the log-likelihood and its derivatives, and its peak."""

    x: Floats

    def terms(self, eta: Floats) -> tuple[Floats, Floats, Floats]:
        """Log-likelihood without its constant, first and second derivative, each (k, q)."""

    def constant(self) -> float:
        """What :meth:`terms` leaves out, summed over studies."""

    def peak(self) -> Peak:
        """Where each study's own log-likelihood is largest."""

    def repeated(self, times: int) -> Likelihood:
        """The same studies, ``times`` times one after the other."""

    def part(self, rows: slice | Ints) -> Likelihood:
        """Some of the studies."""


class Binomial:
    """``x`` events among ``n``; ``eta`` is the log odds."""

    def __init__(self, x: Floats, n: Floats) -> None:
        self.x, self.n = x, n

    def terms(self, eta: Floats) -> tuple[Floats, Floats, Floats]:
        n = self.n[:, None]
        small = np.exp(-np.abs(eta))
        p = np.where(eta >= 0.0, 1.0, small) / (1.0 + small)
        height = self.x[:, None] * eta - n * (np.maximum(eta, 0.0) + np.log1p(small))
        return height, self.x[:, None] - n * p, -n * small / (1.0 + small) ** 2

    def constant(self) -> float:
        from scipy.special import gammaln

        return float(np.sum(gammaln(self.n + 1.0) - gammaln(self.x + 1.0) - gammaln(self.n - self.x + 1.0)))

    def peak(self) -> Peak:
        x, n = self.x, self.n
        inside = (x > 0.0) & (x < n)
        p = np.where(inside, x / n, 0.5)
        height = np.where(inside, x * np.log(p) + (n - x) * np.log1p(-p), 0.0)
        return Peak(np.log(p / (1.0 - p)), height, np.where(inside, n * p * (1.0 - p), 0.0))

    def repeated(self, times: int) -> Binomial:
        return Binomial(np.tile(self.x, times), np.tile(self.n, times))

    def part(self, rows: slice | Ints) -> Binomial:
        return Binomial(self.x[rows], self.n[rows])


class Poisson:
    """``x`` events; ``eta`` is the log of their expected number."""

    def __init__(self, x: Floats) -> None:
        self.x = x

    def terms(self, eta: Floats) -> tuple[Floats, Floats, Floats]:
        mean = np.exp(np.minimum(eta, 300.0))
        return self.x[:, None] * eta - mean, self.x[:, None] - mean, -mean

    def constant(self) -> float:
        from scipy.special import gammaln

        return -float(np.sum(gammaln(self.x + 1.0)))

    def peak(self) -> Peak:
        eta = np.log(np.where(self.x > 0.0, self.x, 1.0))
        return Peak(eta, self.x * eta - self.x, self.x)

    def repeated(self, times: int) -> Poisson:
        return Poisson(np.tile(self.x, times))

    def part(self, rows: slice | Ints) -> Poisson:
        return Poisson(self.x[rows])


class Hypergeometric:
    """Events of group 1 given the margins of a 2x2 table (noncentral hypergeometric); ``eta`` is the log odds ratio.

    The sum over the tables with these margins runs over those that matter at each ``eta``, around its largest term.
    """

    def __init__(self, x: Floats, n_1: Floats, events: Floats, n_2: Floats) -> None:
        self.x, self.n_1, self.n_2, self.events = x, n_1, n_2, events
        self.low = np.maximum(0.0, events - n_2)
        self.high = np.minimum(n_1, events)
        sizes = (self.high - self.low).astype(np.int64) + 1
        self.start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        y = np.arange(int(sizes.sum()), dtype=np.float64) - np.repeat(self.start - self.low, sizes)
        n_1, n_2, m = (np.repeat(v, sizes) for v in (n_1, n_2, events))
        with np.errstate(divide="ignore"):
            ratio = np.log((n_1 - y) * (m - y)) - np.log((y + 1.0) * (n_2 - m + y + 1.0))
        #: log of binomial(n_1, y) binomial(n_2, m - y), counted from the lowest table of each study.
        self.log_ways = np.empty(len(y))
        for i, (s, size) in enumerate(zip(self.start.tolist(), sizes.tolist(), strict=True)):
            ways = np.concatenate([[0.0], np.cumsum(ratio[s : s + size - 1])])
            self.log_ways[s : s + size] = ways - ways[int(x[i] - self.low[i])]
        self.values = y
        # The variance is at most a quarter of the smallest margin.
        margin = np.minimum(np.minimum(self.n_1, self.n_2), np.minimum(events, self.n_1 + self.n_2 - events))
        reach = np.ceil(WINDOW * 0.5 * np.sqrt(margin)) + 12.0
        self.width = np.minimum(sizes, (2.0 * reach + 1.0).astype(np.int64))

    def _mode(self, eta: Floats) -> Floats:
        """The largest term: a root of a quadratic (the odds of a step up are 1 there)."""
        odds = np.exp(np.clip(eta, -300.0, 300.0))
        n_1, n_2, m = self.n_1[:, None], self.n_2[:, None], self.events[:, None]
        a, b, c = odds - 1.0, -(odds * (n_1 + m + 2.0) + n_2 - m), odds * (n_1 + 1.0) * (m + 1.0)
        root = np.sqrt(np.maximum(b * b - 4.0 * a * c, 0.0))
        y: Floats = np.floor(2.0 * c / (-b + root))
        return np.clip(y, self.low[:, None], self.high[:, None])

    def terms(self, eta: Floats) -> tuple[Floats, Floats, Floats]:
        k, q = eta.shape
        half = (self.width[:, None] - 1) // 2
        first = np.clip(self._mode(eta) - half, self.low[:, None], (self.high - self.width + 1.0)[:, None])
        width = np.repeat(self.width, q)
        ends = np.cumsum(width)
        starts = ends - width
        at = np.arange(int(ends[-1])) + np.repeat(
            (first - self.low[:, None]).astype(np.int64).ravel() + np.repeat(self.start, q) - starts, width
        )
        y = self.values[at] - np.repeat(np.repeat(self.x, q), width)
        z = self.log_ways[at] + y * np.repeat(eta.ravel(), width)
        top = np.maximum.reduceat(z, starts)
        share = np.exp(z - np.repeat(top, width))
        total = np.add.reduceat(share, starts)
        mean = np.add.reduceat(share * y, starts) / total
        spread = np.add.reduceat(share * (y - np.repeat(mean, width)) ** 2, starts) / total
        return -(top + np.log(total)).reshape(k, q), -mean.reshape(k, q), -spread.reshape(k, q)

    def constant(self) -> float:
        return 0.0

    def peak(self) -> Peak:
        free = ((self.x > self.low) & (self.x < self.high))[:, None]
        eta = np.zeros((len(self.x), 1))
        for _ in range(100):
            height, slope, bend = self.terms(eta)
            step = np.where(free, np.clip(-slope / np.minimum(bend, -1e-12), -2.0, 2.0), 0.0)
            eta = eta + step
            if np.abs(step).max() < 1e-10:
                break
        height, _, bend = self.terms(eta)
        return Peak(*(np.where(free, v, 0.0)[:, 0] for v in (eta, height, -bend)))

    def repeated(self, times: int) -> Hypergeometric:
        return Hypergeometric(*(np.tile(v, times) for v in (self.x, self.n_1, self.events, self.n_2)))

    def part(self, rows: slice | Ints) -> Hypergeometric:
        return Hypergeometric(*(v[rows] for v in (self.x, self.n_1, self.events, self.n_2)))
