"""Mixtures of normal distributions: what every posterior of an effect is, once tau has been integrated over."""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.vocabulary.interval import Interval
from balm.vocabulary.quick_dataclass import dataclass

#: Components lighter than this share of the whole change no digit.
LIGHT = 1e-19

#: A quantile is there when the last step is this small, relative.
CLOSE = 4e-16

#: Points of a first look for the mode and for the shortest interval, before either is solved for.
LOOKED_AT = 25


@dataclass(frozen=True, slots=True)
class Summary:
    """A posterior distribution in five numbers; ``interval`` is the shortest one or the central one."""

    mean: float
    sd: float
    median: float
    mode: float
    interval: Interval


@dataclass(frozen=True, eq=False)
class Mixture:
    """Normal distributions with ``mean`` and ``sd`` (M,) taken with probability ``weight`` (M,)."""

    weight: Floats
    mean: Floats
    sd: Floats

    def expectation(self) -> float:
        """Its mean."""
        return float(self.weight @ self.mean)

    def spread(self) -> float:
        """Its standard deviation."""
        centre = self.expectation()
        return math.sqrt(float(self.weight @ (self.sd**2 + (self.mean - centre) ** 2)))

    def cdf(self, x: Any) -> Any:
        """Probability of at most ``x``, for each x."""
        return self._normal("ndtr", x)

    def sf(self, x: Any) -> Any:
        """Probability of more than ``x``, for each x; keeps its digits far out."""
        return self._normal("ndtr", x, -1.0)

    def _normal(self, name: str, x: Any, sign: float = 1.0) -> Any:
        cumulative = getattr(import_module("scipy.special"), name)
        at = np.asarray(x, dtype=np.float64)
        found = cumulative(sign * (at[..., None] - self.mean) / self.sd) @ self.weight
        return float(found) if found.ndim == 0 else found

    def density(self, x: Any) -> Any:
        """Density at each ``x``."""
        at = np.asarray(x, dtype=np.float64)
        z = (at[..., None] - self.mean) / self.sd
        found = (np.exp(-0.5 * z * z) / self.sd) @ self.weight / math.sqrt(2.0 * math.pi)
        return float(found) if found.ndim == 0 else found

    def _slope(self, x: float) -> float:
        z = (x - self.mean) / self.sd
        return float(-(z * np.exp(-0.5 * z * z) / self.sd**2) @ self.weight)

    def quantile(self, p: Any) -> Any:
        """The value below which ``p`` of it lies, for each p strictly between 0 and 1; solved to rounding."""
        targets = np.atleast_1d(np.asarray(p, dtype=np.float64))
        ndtr, ndtri = (getattr(import_module("scipy.special"), name) for name in ("ndtr", "ndtri"))
        z = ndtri(targets)
        ends = self.mean + z[:, None] * self.sd  # the quantile of a mixture lies between those of its parts
        low, high = ends.min(axis=1), ends.max(axis=1)
        x = np.clip(self.expectation() + z * self.spread(), low, high)
        # Probabilities are taken from the nearer end, so that the far ones keep their digits.
        sign = np.where(targets > 0.5, -1.0, 1.0)
        tail = np.where(targets > 0.5, 1.0 - targets, targets)
        moving = np.arange(len(x))
        for _ in range(200):
            at = (x[moving, None] - self.mean) / self.sd
            side = sign[moving]
            off = side * (ndtr(side[:, None] * at) @ self.weight - tail[moving])
            slope = (np.exp(-0.5 * at * at) / self.sd) @ self.weight / math.sqrt(2.0 * math.pi)
            above = off > 0
            high[moving[above]], low[moving[~above]] = x[moving[above]], x[moving[~above]]
            with np.errstate(all="ignore"):
                after = x[moving] - off / slope
            inside = (after > low[moving]) & (after < high[moving])
            after = np.where(inside, after, 0.5 * (low[moving] + high[moving]))
            least = CLOSE * np.maximum(np.abs(low[moving]), np.abs(high[moving]))
            still = (np.abs(after - x[moving]) > least) & (high[moving] - low[moving] > least)
            x[moving] = after
            moving = moving[still]
            if not len(moving):
                break
        return float(x[0]) if np.ndim(p) == 0 else x.reshape(np.shape(p))

    def mode(self) -> float:
        """Where the density is highest."""
        first, last = self.quantile([0.02, 0.98])
        looked = np.linspace(float(first), float(last), LOOKED_AT)
        best = int(np.argmax(self.density(looked)))
        low, high = looked[max(best - 1, 0)], looked[min(best + 1, LOOKED_AT - 1)]
        if not self._slope(low) > 0 > self._slope(high):
            return float(looked[best])
        return float(import_module("scipy.optimize").brentq(self._slope, low, high, xtol=1e-300, rtol=1e-15))

    def shortest(self, level: float) -> Interval:
        """The shortest interval of probability ``level``: ends of one density, by Newton's steps from the central one.

        Where the steps do not settle (several peaks) the interval is searched for.
        """
        ends = np.array(self.quantile([(1.0 - level) / 2.0, (1.0 + level) / 2.0]))
        width = ends[1] - ends[0]
        for _ in range(30):
            z = (ends[:, None] - self.mean) / self.sd
            part = np.exp(-0.5 * z * z) / (self.sd * math.sqrt(2.0 * math.pi))
            density, slope = part @ self.weight, -(part * z / self.sd) @ self.weight
            outside = self.cdf(ends[0]) + self.sf(ends[1]) - (1.0 - level)
            jacobian = np.array([[density[0], -density[1]], [slope[0], -slope[1]]])
            if slope[0] <= 0.0 or slope[1] >= 0.0:
                break
            step = np.linalg.solve(jacobian, -np.array([outside, density[0] - density[1]]))
            ends = ends + step
            if not ends[0] < ends[1]:
                break
            if np.abs(step).max() <= 1e-14 * width:
                return Interval(float(ends[0]), float(ends[1]), level)
        return shortest(self, level, -math.inf)

    def central(self, level: float) -> Interval:
        """The interval that leaves out the same probability on both sides."""
        low, high = self.quantile([(1.0 - level) / 2.0, (1.0 + level) / 2.0])
        return Interval(float(low), float(high), level)

    def summary(self, level: float, interval: str) -> Summary:
        """In five numbers."""
        found = self.shortest(level) if interval == "shortest" else self.central(level)
        return Summary(self.expectation(), self.spread(), self.quantile(0.5), self.mode(), found)

    def kept(self) -> Mixture:
        """Without the parts that change no digit, the weights adding up to one."""
        heavy = self.weight > LIGHT * self.weight.max()
        weight = self.weight[heavy]
        return Mixture(weight / weight.sum(), self.mean[heavy], self.sd[heavy])


def shortest(posterior: Any, level: float, support: float) -> Interval:
    """The shortest interval of probability ``level`` of a distribution with ``quantile`` and ``density``.

    ``support`` is where the distribution begins; an interval may begin there. Elsewhere the densities at both ends of
    the shortest interval are equal, which is solved for.
    """
    tails = np.linspace(0.0, 1.0 - level, LOOKED_AT)
    inside = tails[1:-1]
    low, high = posterior.quantile(inside), posterior.quantile(inside + level)
    best = int(np.argmin(high - low))

    def unequal(p: float) -> float:
        return float(posterior.density(posterior.quantile(p)) - posterior.density(posterior.quantile(p + level)))

    left, right = tails[best], tails[best + 2]
    if best == 0:
        left = 1e-3 * tails[1]
        if math.isfinite(support) and unequal(left) > 0:
            return Interval(support, float(posterior.quantile(level)), level)
    if best == len(inside) - 1:
        right = tails[-1] - 1e-3 * tails[1]
    if not unequal(left) < 0 < unequal(right):
        return Interval(float(low[best]), float(high[best]), level)
    p = import_module("scipy.optimize").brentq(unequal, left, right, xtol=1e-16, rtol=1e-14)
    return Interval(float(posterior.quantile(p)), float(posterior.quantile(p + level)), level)
