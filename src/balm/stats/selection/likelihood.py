"""The log-likelihood of effects that were selected, with exact first and second derivatives, and its maxima.

For study i with mean ``m`` and variance ``s = v + tau2``: ``log w(p) + log Normal(y; m, s) - log A(m, s, delta)``, with
``A`` the mass that selection leaves (Vevea & Hedges 1995, Psychometrika 60:419, eq. 5). Effects and standard errors
are counted in units of the typical standard error, so that results do not depend on the outcome's unit.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.groups import OneGroup, centred
from balm.stats.heterogeneity.estimators import TAU2_ESTIMATORS
from balm.stats.heterogeneity.weighted import typical_variance as typical_of_one
from balm.stats.multilevel.newton import Minimum, minimise
from balm.stats.regression.between_study_variance import estimate
from balm.stats.regression.projection import log_likelihood, projection, typical_variance
from balm.stats.selection.selected import LOWEST, Selected, Smooth

#: A maximum is one when the Newton step that remains is below this many standard errors.
SETTLED = 1e-4
#: Within this many standard errors of a maximum around which the likelihood is curved, a climb ends there.
NEAR = 0.4
#: Two maxima are the same when their log-likelihoods and parameters (relative to their sizes) differ by less.
SAME_HEIGHT, SAME_PLACE = 1e-6, 1e-3
#: The log-likelihood may move by this when the nodes of the quadrature are doubled.
STANDS_STILL = 1e-9
#: Doublings of the quadrature that are tried before the rest is reported as its error.
MOST_DOUBLINGS = 3
#: tau2 cannot exceed this many typical variances plus the spread of the effects.
MOST_TAU2 = 1e4


class _Reached(Exception):
    """A climb has come to a maximum that is known."""

    def __init__(self, maximum: Minimum) -> None:
        self.maximum = maximum


@dataclass(frozen=True, eq=False)
class Evaluated:
    """(k,) log-likelihoods, their slopes (k, q), and the (q, q) curvature of the sum."""

    each: Floats
    slopes: Floats
    curvature: Floats


class Likelihood:
    """Effects ``y``, variances ``v``, design ``x`` (k, p) and a selection; parameters (beta, tau2, working delta)."""

    def __init__(self, y: Floats, v: Floats, x: Floats, selected: Selected, *, common: bool) -> None:
        self.y, self.v, self.x, self.selected, self.common = y, v, x, selected, common
        self.k, self.p = x.shape
        self.size = self.p + 1 + selected.size
        ceiling = 0.0 if common else MOST_TAU2 * (1.0 + float(np.var(y)))
        self.lower = np.concatenate((np.full(self.p, -math.inf), [0.0], selected.lower))
        self.upper = np.concatenate((np.full(self.p, math.inf), [ceiling], selected.upper))

    def evaluated(self, at: Floats) -> Evaluated | None:
        """Everything at once; ``None`` where a study's mass is 0 in floating point."""
        p, m = self.p, self.selected.size
        beta, tau2, working = at[:p], float(at[p]), at[p + 1 :]
        mean = self.x @ beta
        s = self.v + tau2
        mass = self.selected.mass(mean, np.sqrt(s), working)
        a = mass.mean[0]
        if not (a > 0.0).all():
            return None
        value, slope, curvature = self.selected.observed(working)
        a1, a2, a3, a4 = mass.mean[1:] / a
        d0, d1, d2 = mass.slope / a
        r = self.y - mean
        u = r / s
        ru = r * u
        each = value - 0.5 * (np.log(s * (2.0 * math.pi)) + ru) - np.log(a)
        q = self.size
        slopes = np.empty((self.k, q))
        slopes[:, :p] = (u - a1)[:, None] * self.x
        slopes[:, p] = 0.5 * ((ru - 1.0) / s - a2)
        found = np.empty((q, q))
        xt = self.x.T
        found[:p, :p] = (xt * (a1 * a1 - a2 - 1.0 / s)) @ self.x
        found[:p, p] = found[p, :p] = xt @ (0.5 * (a2 * a1 - a3) - u / s)
        found[p, p] = ((0.5 - ru) / (s * s) - 0.25 * (a4 - a2 * a2)).sum()
        if m:
            slopes[:, p + 1 :] = (slope - d0).T
            block = xt @ (a1 * d0 - d1).T
            found[:p, p + 1 :], found[p + 1 :, :p] = block, block.T
            found[p, p + 1 :] = found[p + 1 :, p] = 0.5 * (d0 @ a2 - d2.sum(axis=1))
            found[p + 1 :, p + 1 :] = (curvature - mass.curvature / a).sum(axis=2) + d0 @ d0.T
        return Evaluated(each, slopes, found)

    def height(self, at: Floats) -> tuple[float, Floats, Floats]:
        """Minus the log-likelihood with slope and curvature, for :func:`minimise`."""
        found = self.evaluated(at)
        height = math.inf if found is None else -float(found.each.sum())
        if found is None or not math.isfinite(height + float(found.curvature.sum())):
            return math.inf, np.zeros(self.size), np.eye(self.size)
        return height, -found.slopes.sum(axis=0), -found.curvature

    def value(self, at: Floats) -> float:
        """The log-likelihood."""
        return -self.height(at)[0]

    def from_start(self, start: Floats, held: dict[int, float] | None = None, known: Sequence[Minimum] = ()) -> Minimum:
        """The maximum uphill of ``start``, with some parameters held; one of ``known`` once it is that for sure."""
        lower, upper, start = self.lower, self.upper, np.array(start)
        if held:
            lower, upper = lower.copy(), upper.copy()
            for j, value in held.items():
                start[j] = lower[j] = upper[j] = value
        if not known:
            return minimise(self.height, start, lower, upper)

        def watched(at: Floats) -> tuple[float, Floats, Floats]:
            for one in known:
                away = at - one.at
                if float(away @ one.curvature @ away) < NEAR * NEAR and np.abs(away[~one.free]).sum() == 0.0:
                    raise _Reached(one)
            return self.height(at)

        try:
            return minimise(watched, start, lower, upper)
        except _Reached as reached:
            return reached.maximum

    @cached_property
    def starts(self) -> list[Floats]:
        """No selection with the tau2 of the unselected fit, and stronger ones with more and with less tau2."""
        beta, tau2, _ = self.plain
        found = [np.concatenate((beta, [tau2], self.selected.neutral))]
        for place, working in enumerate(self.selected.starts):
            t = 0.0 if self.common else 0.25 * tau2 if place == 1 else 4.0 * tau2 + 0.25
            found.append(np.concatenate((self._weighted(t), [t], working)))
            if place == 0 and not self.common:
                found.append(np.concatenate((0.3 * self._weighted(0.0), [0.0], working)))
        return found

    def _weighted(self, tau2: float) -> Floats:
        """Weighted least squares, to begin with."""
        xw = self.x.T / (self.v + tau2)
        return np.asarray(np.linalg.solve(xw @ self.x, xw @ self.y), dtype=np.float64)

    @cached_property
    def plain(self) -> tuple[Floats, float, float]:
        """Coefficients, tau2 and log-likelihood of maximum likelihood without selection."""
        if self.common:
            tau2 = 0.0
        elif self.p == 1 and (self.x == 1.0).all():  # the same without a design, which takes a fifth of the time
            alone, _ = centred(OneGroup(self.y, self.v))
            tau2 = TAU2_ESTIMATORS["ML"].estimate(alone, typical_of_one(alone, 1.0 / self.v), None)
        else:
            tau2 = estimate(self.y, self.v, self.x, "ML").tau2
        fit = projection(self.y, self.v, self.x, tau2)
        return fit.beta, tau2, log_likelihood(fit, self.v, self.x, tau2, restricted=False)

    def maxima(self, starts: Sequence[Floats]) -> list[Minimum]:
        """Every maximum that the starts lead to, the highest first; the last ones are where none was reached."""
        found: list[Minimum] = []
        for start in starts:
            one = self.from_start(start, known=[other for other in found if self.certain(other)])
            if math.isfinite(one.height) and not any(_same(one, other) for other in found):
                found.append(one)
        return sorted(found, key=lambda one: (not self.inside(one), one.height))

    def certain(self, one: Minimum, held: Collection[int] = ()) -> bool:
        """Whether it lies on no bound (but in what is held) and the likelihood is curved downwards around it.

        What is near belongs to it then; near a maximum at tau2 = 0 the likelihood may rise to another one.
        """
        bound = np.flatnonzero(~one.free).tolist()
        if not self.inside(one) or any(j not in held for j in bound):
            return False
        return bool(np.linalg.eigvalsh(one.curvature[np.ix_(one.free, one.free)])[0] > 0.0)

    def inside(self, one: Minimum) -> bool:
        """Whether it is a maximum: settled, and with no weight on its way out of every bound."""
        working = one.at[self.p + 1 :]
        upper, lower = self.selected.upper, self.selected.lower
        out = (working >= upper) | ((working <= lower) & (lower <= LOWEST))
        at_ceiling = not self.common and float(one.at[self.p]) >= float(self.upper[self.p])
        return math.isfinite(one.height) and one.residual <= SETTLED and not out.any() and not at_ceiling


def _same(one: Minimum, other: Minimum) -> bool:
    if abs(one.height - other.height) > SAME_HEIGHT * (1.0 + abs(one.height)):
        return False
    away = np.abs(one.at - other.at)
    return bool((away <= SAME_PLACE * (1.0 + np.abs(other.at))).all())


def sharpened(likelihood: Likelihood, found: list[Minimum]) -> tuple[Likelihood, list[Minimum], float]:
    """The same maxima on a quadrature fine enough that the likelihood of the best stands still, and what is left."""
    error = 0.0
    for _ in range(MOST_DOUBLINGS):
        selected = likelihood.selected
        if not isinstance(selected, Smooth) or not found or not likelihood.inside(found[0]):
            return likelihood, found, 0.0
        finer = Likelihood(likelihood.y, likelihood.v, likelihood.x, selected.finer(), common=likelihood.common)
        error = abs(finer.value(found[0].at) + found[0].height)
        if error <= STANDS_STILL:
            return likelihood, found, error
        likelihood, found = finer, finer.maxima([*(one.at for one in found), *finer.starts])
    return likelihood, found, error


def typical_unit(v: Floats, x: Floats) -> float:
    """The square root of the typical variance: what effects are counted in."""
    return math.sqrt(typical_variance(v, x))
