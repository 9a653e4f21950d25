"""Fits of many replicates of one size: by the compiled kernel where it is there, else in NumPy; the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from balm.stats.groups import Floats, centred
from balm.stats.heterogeneity.estimators import estimate_tau2
from balm.stats.heterogeneity.weighted import typical_variance
from balm.stats.kernel import LARGEST_RATIO, METHODS, Solved, available, solve
from balm.stats.pooling.analysis import Sums, add_up
from balm.stats.pooling.choices import Choices
from balm.stats.simulation.replicates import Replicates


def _compiled(effect: Floats, variance: Floats, estimator: str) -> Solved | None:
    k, count = effect.shape
    if estimator not in METHODS or not available() or variance.max() > LARGEST_RATIO * variance.min():
        return None
    rows = np.broadcast_to(variance, effect.shape).T.ravel()
    return solve(np.ascontiguousarray(effect.T).ravel(), rows, np.arange(count + 1, dtype=np.int64) * k, estimator)


def tau2_of(effect: Floats, variance: Floats, estimator: str) -> Floats:
    """(B,) tau2 of each replicate; effect (k, B), variance (k, 1) or (k, B)."""
    count = effect.shape[1]
    solved = _compiled(effect, variance, estimator)
    if solved is not None:
        return np.array(solved.tau2)
    g, _ = centred(Replicates(effect, variance))
    scale = np.broadcast_to(typical_variance(g, 1.0 / variance), (count,))
    return np.array(np.broadcast_to(estimate_tau2(g, estimator, scale)[0], (count,)))


def sums_of(
    effect: Floats, variance: Floats, choices: Choices, weights: Floats | None = None
) -> tuple[Replicates, Sums]:
    """The replicates and their sums. From the kernel only ``mean, origin, wald, factor, tau2`` are filled."""
    k, count = effect.shape
    if weights is None and choices.model == "random" and isinstance(choices.tau2, str):
        solved = _compiled(effect, variance, choices.tau2)
        if solved is not None:
            none: Any = None
            wald, factor = np.sqrt(1.0 / solved.w1), solved.q / (k - 1)
            sums = Sums(solved.mean, np.zeros(count), wald, factor, solved.tau2, *(none,) * 6)
            return Replicates(effect, variance), sums
    g, origin = centred(Replicates(effect, variance))
    return g, add_up(g, choices, origin, weights)
