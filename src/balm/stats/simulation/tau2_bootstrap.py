"""Parametric bootstrap of the between-study variance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.frame import frame
from balm.stats.groups import Floats
from balm.stats.heterogeneity.estimators import TAU2_ESTIMATORS
from balm.stats.heterogeneity.weighted import typical_variance
from balm.stats.permutation.refit import Arrangements, between_study_variance
from balm.stats.pooling.pooled import Pooled
from balm.stats.regression.meta_regression import MetaRegression
from balm.stats.simulation.blocks import blocks, check_count, settled_seed
from balm.stats.simulation.fits import tau2_of
from balm.stats.simulation.replicates import Replicates
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError, check_level


@dataclass(frozen=True, eq=False)
class Tau2Bootstrap:
    """Estimates of tau2 in data sets drawn from the fitted model.

    tau2      : (replicates,) in the order drawn.
    estimate  : tau2 of the fit itself.
    typical   : the typical within-study variance, which turns tau2 into I2 and H2.
    seed      : what the draws depend on.
    """

    tau2: Floats
    estimate: float
    typical: float
    estimator: str
    level: float
    seed: int

    def __len__(self) -> int:
        return len(self.tau2)

    def interval(self, level: float | None = None) -> Interval:
        """Percentile interval of tau2: what the estimator gives when the fitted model is true."""
        coverage = self.level if level is None else level
        check_level(coverage)
        low, high = np.quantile(self.tau2, [0.5 - 0.5 * coverage, 0.5 + 0.5 * coverage])
        return Interval(float(low), float(high), coverage)

    @property
    def i2_interval(self) -> Interval:
        """The same of I2, in per cent."""
        ends = self.interval()
        low, high = (100.0 * t / (t + self.typical) for t in (ends.low, ends.high))
        return Interval(low, high, ends.level)

    @property
    def bias(self) -> float:
        """Mean of the draws less the value they were drawn with."""
        return float(np.mean(self.tau2)) - self.estimate

    @property
    def se(self) -> float:
        """Standard deviation of the draws."""
        return float(np.std(self.tau2, ddof=1)) if len(self) > 1 else math.nan

    @property
    def at_zero(self) -> float:
        """Share of draws in which tau2 is estimated as 0."""
        return float(np.mean(self.tau2 == 0.0))

    def to_frame(self) -> Any:
        """One row a draw, as a pandas DataFrame (a dict of columns without pandas)."""
        table = {"tau2": self.tau2.copy(), "i2": 100.0 * self.tau2 / (self.tau2 + self.typical)}
        return frame(table)

    def __repr__(self) -> str:
        ends = self.interval()
        return (
            f"Parametric bootstrap of tau2 ({self.estimator}): {len(self):,} draws, seed {self.seed}\n"
            f"tau2 {self.estimate:.4g}, {100 * self.level:g}% interval {ends.low:.4g} to {ends.high:.4g}; "
            f"bias {self.bias:.2g}, SE {self.se:.3g}, {100 * self.at_zero:.1f}% of draws at 0"
        )


def bootstrap_tau2(
    fit: Pooled | MetaRegression, *, replicates: int = 10_000, seed: int | None = None, level: float = 0.95
) -> Tau2Bootstrap:
    """How tau2 would vary if the fitted model were true: draw data sets from it and estimate tau2 in each.

    Effects are drawn as ``N(mean, tau2 + variance)`` around the pooled mean (or the fitted means of a meta-regression),
    with the studies' variances as they are, and tau2 is estimated as in ``fit``. The percentile interval reports the
    estimator's spread; for an interval that inverts a test see ``fit.heterogeneity_interval()``.

    replicates : draws.  seed : the result depends on it alone; a fresh one, kept in the result, when there is none.

    Efron & Tibshirani (1993), An Introduction to the Bootstrap, ch. 6 and 13; Viechtbauer (2007), Stat Med 26:37.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.pooling.pool import pool
    >>> es = EffectSizes(effect=[0.1, 0.9, 0.3, 1.4, 0.2], variance=[0.02, 0.03, 0.02, 0.04, 0.03])
    >>> boot = bootstrap_tau2(pool(es), replicates=500, seed=1)
    >>> len(boot), boot.interval().low < boot.estimate < boot.interval().high
    (500, True)
    """
    check_count("replicates", replicates, 2)
    check_level(level)
    used = settled_seed(seed)
    if isinstance(fit, MetaRegression):
        estimator: Any = fit.tau2_estimator
        centre, columns = fit.fitted, tuple(fit.design.matrix[:, j : j + 1] for j in range(len(fit.beta)))
    elif isinstance(fit, Pooled):
        estimator = fit.conventions.get("tau2")
        centre, columns = np.full(fit.k, fit.estimate), ()
        if fit.method != "inverse-variance" or fit.k < 2:
            raise InputError("the bootstrap of tau2 needs a random-effects fit of balm.pool with two studies or more")
        if fit.own_weights is not None and isinstance(estimator, str) and TAU2_ESTIMATORS[estimator].takes_weights:
            raise InputError("the bootstrap of tau2 is not offered for a generalised Q with weights of your own")
    else:
        raise InputError(
            f"bootstrap_tau2 takes a result of balm.pool or balm.meta_regression; got {type(fit).__name__}"
        )
    if not isinstance(estimator, str):
        raise InputError("there is no estimator of tau2 in this fit to bootstrap: pool with tau2='REML', say")
    variance = fit.effects.variance
    sd = np.sqrt(variance + fit.tau2)[:, None]

    def draws() -> Iterator[Floats]:
        for size, rng in blocks(replicates, used):
            effect = centre[:, None] + sd * rng.standard_normal((len(variance), size))
            if columns:
                yield between_study_variance(Arrangements(effect, variance[:, None], columns, size), estimator)
            else:
                yield tau2_of(effect, variance[:, None], estimator)

    found = np.concatenate(list(draws()))
    typical = typical_of(fit, columns)
    return Tau2Bootstrap(found, float(fit.tau2), typical, estimator, level, used)


def typical_of(fit: Pooled | MetaRegression, columns: tuple[Floats, ...]) -> float:
    """The typical within-study variance of the fit's studies."""
    variance = fit.effects.variance[:, None]
    if columns:
        from balm.stats.regression.projection import typical_variance as with_design

        return with_design(fit.effects.variance, np.hstack(columns))
    return float(typical_variance(Replicates(variance, variance), 1.0 / variance)[0])
