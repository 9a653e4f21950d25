"""The posterior distribution of tau, with the regression coefficients integrated out in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np

from balm.stats.bayes.mixture import Summary, shortest
from balm.stats.bayes.panels import NODES, Panels, integrate, legendre
from balm.stats.bayes.tau_prior import TauPrior, typical_variance
from balm.stats.effect_sizes import Floats
from balm.vocabulary.interval import Interval
from balm.vocabulary.quick_dataclass import dataclass

#: A quantile of log(tau) is there when the last step is this small.
CLOSE = 1e-14

#: Points at which the highest density is looked for before it is solved for.
LOOKED_AT = 400


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Given tau (M,): means (M, p) and covariances (M, p, p) of the coefficients, and the logarithm (M,) of the
    likelihood integrated over them."""

    mean: Floats
    covariance: Floats
    log_likelihood: Floats


@dataclass(frozen=True, eq=False)
class Model:
    """Effects (k,) with variances and a design (k, p); normal priors of the coefficients, precision 0 meaning flat."""

    effect: Floats
    variance: Floats
    design: Floats
    prior_mean: Floats
    prior_precision: Floats

    def given(self, tau: Floats) -> Coefficients:
        """The coefficients for each tau: a normal model with known variances (Röver 2020, section 2.3).

        A flat prior contributes the constant 1, so that the likelihood integrated over it is one up to a constant.
        """
        y, x = self.effect, self.design
        spread = self.variance + tau[:, None] ** 2
        w = 1.0 / spread
        covariance, log_det = self._solved(w)
        # Centred on the prior means (or on a rough estimate), so that large effects lose no digit.
        start = self._start
        rest = y - x @ start
        away = self.prior_precision * (self.prior_mean - start)
        shift = np.einsum("mij,mj->mi", covariance, (w * rest) @ x + away)
        mean = start + shift
        residuals = rest - shift @ x.T
        off = self.prior_mean - mean
        square = (w * residuals**2).sum(axis=1) + (self.prior_precision * off**2).sum(axis=1)
        proper = self.prior_precision[self.prior_precision > 0]
        dimension = len(y) - (x.shape[1] - len(proper))
        log = -0.5 * (
            dimension * math.log(2.0 * math.pi)
            + np.log(spread).sum(axis=1)
            + log_det
            - float(np.log(proper).sum())
            + square
        )
        return Coefficients(mean, covariance, log)

    def _solved(self, w: Floats) -> tuple[Floats, Floats]:
        """Covariances (M, p, p) of the coefficients for weights (M, k), and log determinants of their inverses."""
        x = self.design
        if x.shape[1] == 1:
            precision = w @ x**2 + self.prior_precision
            return 1.0 / precision[:, :, None], np.log(precision[:, 0])
        precision = np.einsum("mk,ki,kj->mij", w, x, x) + np.diag(self.prior_precision)
        return np.linalg.inv(precision), np.linalg.slogdet(precision)[1]

    @cached_property
    def _start(self) -> Floats:
        w = 1.0 / self.variance
        x = self.design * np.sqrt(w)[:, None]
        found: Floats = np.linalg.lstsq(x, self.effect * np.sqrt(w), rcond=None)[0].astype(np.float64)
        return found

    def highest(self, tau: Floats) -> tuple[Floats, Floats]:
        """(M,) log-likelihood (with the priors of the coefficients) at its best coefficients (M, p), for each tau."""
        found = self.given(tau)
        spread = self.variance + tau[:, None] ** 2
        residuals = self.effect - found.mean @ self.design.T
        square = (residuals**2 / spread).sum(axis=1)
        square = square + (self.prior_precision * (self.prior_mean - found.mean) ** 2).sum(axis=1)
        return -0.5 * (np.log(spread).sum(axis=1) + square), found.mean

    def flat(self) -> Model:
        """The same without priors of the coefficients."""
        nothing = np.zeros_like(self.prior_precision)
        return Model(self.effect, self.variance, self.design, self.prior_mean, nothing)


class TauPosterior:
    """Density, distribution and quantiles of tau given the data; ``panels`` holds the nodes everything else shares."""

    def __init__(self, log_likelihood: Callable[[Floats], Floats], prior: TauPrior, variance: Floats) -> None:
        self.log_likelihood = log_likelihood
        self.prior = prior
        self.variance = variance
        self.panels: Panels = integrate(self._log, 0.5 * math.log(typical_variance(variance)))

    def _log(self, z: Floats) -> Floats:
        """Logarithm of the posterior density of z = log(tau), up to a constant."""
        tau = np.exp(z)
        return self.log_likelihood(tau) + self.prior.log_density(tau, self.variance) + z

    @property
    def tau(self) -> Floats:
        """(M,) the nodes."""
        return np.exp(self.panels.z)

    def density(self, tau: Any) -> Any:
        """Density at each tau > 0."""
        at = np.atleast_1d(np.asarray(tau, dtype=np.float64))
        z = np.log(at)
        found = np.exp(self._log(z) - z - self.panels.log_total)
        return float(found[0]) if np.ndim(tau) == 0 else found

    def cdf(self, tau: float) -> float:
        """Probability of at most ``tau``."""
        p = self.panels
        z = math.log(tau) if tau > 0 else -math.inf
        if z <= p.edges[0]:
            return 0.0
        if z >= p.edges[-1]:
            return 1.0
        panel = int(np.searchsorted(p.edges, z, side="right")) - 1
        begin = p.edges[panel]
        x, w = legendre(NODES)
        inside = np.exp(self._log(begin + (z - begin) * x) - p.log_total) @ w * (z - begin)
        return float(p.cumulative[panel] + inside)

    def quantile(self, p: Any) -> Any:
        """The tau below which probability ``p`` lies."""
        targets = np.atleast_1d(np.asarray(p, dtype=np.float64))
        edges, cumulative = self.panels.edges, self.panels.cumulative
        panel = np.clip(np.searchsorted(cumulative, targets) - 1, 0, len(edges) - 2)
        begin, before = edges[panel], cumulative[panel]
        low, high = begin.copy(), edges[panel + 1].copy()
        z = low + (high - low) * np.clip((targets - before) / (cumulative[panel + 1] - before), 0.0, 1.0)
        x, w = legendre(NODES)
        x, w = np.append(x, 1.0), np.append(w, 0.0)
        for _ in range(200):
            width = z - begin
            values = np.exp(self._log((begin[:, None] + width[:, None] * x).ravel()) - self.panels.log_total)
            values = values.reshape(-1, len(x))
            off = before + values @ w * width - targets
            high, low = np.where(off > 0, z, high), np.where(off > 0, low, z)
            with np.errstate(all="ignore"):
                after = z - off / values[:, -1]
            after = np.where((after > low) & (after < high), after, 0.5 * (low + high))
            still = (np.abs(after - z) > CLOSE) & (high - low > CLOSE)
            z = after
            if not still.any():
                break
        found = np.exp(z)
        return float(found[0]) if np.ndim(p) == 0 else found.reshape(np.shape(p))

    def expectation(self) -> float:
        """Mean; inf where the tail is too heavy for one."""
        return float(self.panels.share @ self.tau)

    def spread(self) -> float:
        """Standard deviation."""
        return math.sqrt(float(self.panels.share @ (self.tau - self.expectation()) ** 2))

    def mode(self) -> float:
        """Where the density of tau is highest; 0 where it only falls."""
        return highest(lambda tau: self._log(np.log(tau)) - np.log(tau), self.panels)[0]

    def interval(self, level: float, kind: str) -> Interval:
        """The shortest or the central interval."""
        if kind == "shortest":
            return shortest(self, level, 0.0)
        low, high = self.quantile([(1.0 - level) / 2.0, (1.0 + level) / 2.0])
        return Interval(float(low), float(high), level)

    def summary(self, level: float, kind: str) -> Summary:
        """In five numbers."""
        return Summary(
            self.expectation(), self.spread(), self.quantile(0.5), self.mode(), self.interval(level, kind)
        )  # fmt: skip


def highest(log_density: Callable[[Floats], Floats], panels: Panels) -> tuple[float, float]:
    """The tau of the highest value of a function of tau, and the value; 0 where it is highest at the lower end."""
    z = np.linspace(panels.edges[0], panels.edges[-1], LOOKED_AT)
    values = np.maximum(log_density(np.exp(z)), -1e300)  # -inf beyond a prior's end
    best = int(np.argmax(values))
    rise, fall = np.diff(values)[:-1], -np.diff(values)[1:]
    flat = 1e-12 * (1.0 + np.abs(values[1:-1]))  # far left nothing depends on tau but rounding
    inside = 1 + np.flatnonzero((rise >= 0) & (fall >= 0) & (np.maximum(rise, fall) > flat))
    found = (0.0, float(values[0]))
    for i in inside:
        ends = (float(np.exp(z[i - 1])), float(np.exp(z[i + 1])))
        solved = import_module("scipy.optimize").minimize_scalar(
            lambda tau: -max(float(log_density(np.array([tau]))[0]), -1e300),
            bounds=ends,
            method="bounded",
            options={"xatol": 1e-11},
        )
        if -solved.fun > found[1] + 1e-12 * (1.0 + abs(found[1])):
            found = (float(solved.x), -float(solved.fun))
    if best == LOOKED_AT - 1 and values[best] > found[1]:
        return float(np.exp(z[best])), float(values[best])
    return found
