"""The general fail-safe N: null studies added under the model of the fit until its conclusion falls.

Rosenberg (2005, Evolution 59:464) adds ``N`` studies that average no effect and have the typical weight, and asks when
the common-effect mean loses significance. Under a random-effects model the added studies must be studies of the same
kind: their sampling variance is the typical one, ``s2`` (the harmonic mean), and their true effects scatter around 0
with the fitted tau2. What the model gives for all ``n = k + N`` studies then follows in one of two ways.

By the law of total variance: the ``k`` true effects average ``m`` and the added ones 0, each set with variance tau2
about its mean, so that the variance between all of them is

    tau2(N) = [(n - 2) tau2 + k N m**2 / n] / (n - 1).

The mean and its standard error take the weights ``1 / (v + tau2(N))`` and ``N / (s2 + tau2(N))``. Two numbers say all
about the added studies, whatever N.

By refitting: ``N`` effects with mean 0 and sample variance ``tau2 + s2`` are added and the whole analysis is repeated.
An interval whose width follows the scatter of the effects (Hartung and Knapp's) is always refitted.
"""

from __future__ import annotations

import math

import numpy as np

from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.pooling.again import pool_again
from balm.stats.pooling.pooled import Pooled
from balm.stats.tails import OneTail


class Diluted:
    """The mean and its p value with ``n`` null studies added, by the law of total variance.

    A fixed tau2 (a number, or the common-effect model's 0) stays fixed. p is that of Wald's statistic: of t with
    ``k + N - 1`` degrees of freedom where the interval of the fit uses a t distribution, else of the normal.
    """

    def __init__(self, fit: Pooled) -> None:
        self.fit = fit
        self.typical = fit.k / float(np.sum(1.0 / fit.effects.variance))
        self.tau2 = 0.0 if math.isnan(fit.tau2) else fit.tau2
        self.estimated = isinstance(fit.conventions.get("tau2"), str)

    def spread(self, n: int) -> float:
        """``tau2(N)``."""
        if not self.estimated:
            return self.tau2
        k, m = self.fit.k, self.fit.estimate
        total = k + n
        return ((total - 2) * self.tau2 + k * n * m * m / total) / (total - 1)

    def after(self, n: int) -> tuple[float, float]:
        """Mean and two-sided p."""
        if n == 0:
            return self.fit.estimate, self.fit.p
        tau2 = self.spread(n)
        w = 1.0 / (self.fit.effects.variance + tau2)
        total = float(np.sum(w)) + n / (self.typical + tau2)
        mean = float(w @ self.fit.effects.effect) / total
        df = math.inf if math.isinf(self.fit.df) else float(self.fit.k + n - 1)
        return mean, OneTail.two_sided(mean * math.sqrt(total), df)


class Refitted:
    """The same by repeating the fit with the null studies in it."""

    def __init__(self, fit: Pooled) -> None:
        self.fit = fit

    def after(self, n: int) -> tuple[float, float]:
        """Mean and two-sided p."""
        found = self.fitted(n)
        return found.estimate, found.p

    def fitted(self, n: int) -> Pooled:
        """The whole analysis with ``n`` null studies in it."""
        if n == 0:
            return self.fit
        es = self.fit.effects
        typical = self.fit.k / float(np.sum(1.0 / es.variance))
        tau2 = 0.0 if math.isnan(self.fit.tau2) else self.fit.tau2
        return pool_again(
            self.fit,
            EffectSizes(
                effect=np.concatenate((es.effect, null_effects(n, tau2 + typical))),
                variance=np.concatenate((es.variance, np.full(n, typical))),
                measure=es.measure,
            ),
        )


def null_effects(n: int, variance: float) -> Floats:
    """``n`` numbers with mean 0 and this sample variance, half of them on either side; a single one is 0.

    Only the mean and the variance of equally precise studies enter a normal likelihood, so their pattern is free.

    >>> null_effects(5, 2.0).tolist()
    [1.4142135623730951, 1.4142135623730951, -1.4142135623730951, -1.4142135623730951, 0.0]
    """
    half = n // 2
    size = math.sqrt((n - 1) * variance / (2 * half)) if half else 0.0
    return np.concatenate((np.full(half, size), np.full(half, -size), np.zeros(n - 2 * half)))
