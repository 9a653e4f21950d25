"""One regression looked at with many tau², each look a few sums of products instead of a factorisation.

With the design made orthonormal once, ``X'W**j X``, ``X'W**j y`` and ``y'W**j y`` (j = 1, 2, 3) hold all that the
estimating equations ask for; weights that differ little leave ``X'WX`` near a multiple of the identity, and nothing is
lost by squaring. Where its condition exceeds :data:`WORST`, the design is made orthonormal at those weights, so that a
look is never more than that many roundings away from :class:`~balm.stats.regression.projection.Projection`.
"""

from __future__ import annotations

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.regression.projection import Projection

#: The condition of ``X'WX`` from which the design is made orthonormal anew.
WORST = 1e5


class Look:
    """What :class:`~balm.stats.regression.projection.Projection` says of one tau², from the sums of products."""

    __slots__ = ("_inverse", "_line", "_squares", "_squares_of", "rss", "weights")

    def __init__(self, weights: Floats, once: Floats, inverse: Floats, rows: Floats, sums: Floats) -> None:
        p = len(rows) - 1
        self.weights, self._inverse = weights, inverse
        self._line = np.append(-(inverse @ sums[:p, p]), 1.0)  # effect minus its fit, in rows
        self.rss = float(self._line @ sums @ self._line)
        twice = weights * once
        self._squares = twice @ rows.T
        self._squares_of = twice @ once.T

    def trace(self) -> float:
        """``tr P``."""
        p = len(self._inverse)
        return float(np.sum(self.weights) - np.sum(self._inverse * self._squares[:p, :p]))

    def trace_of_square(self) -> float:
        """``tr PP``."""
        p = len(self._inverse)
        hat = self._inverse @ self._squares[:p, :p]
        left = np.sum(self._inverse * self._squares_of[:p, :p])
        return float(self.weights @ self.weights - 2.0 * left + np.sum(hat * hat.T))

    def y_pp_y(self) -> float:
        """``y'PPy``."""
        return float(self._line @ self._squares @ self._line)

    def y_ppp_y(self) -> float:
        """``y'PPPy``."""
        fitted = (self._squares @ self._line)[:-1]
        return float(self._line @ self._squares_of @ self._line - fitted @ self._inverse @ fitted)


class Looks:
    """One regression, to be looked at with any tau²: ``plain`` is its fit with equal weights; ``variance`` (k,)."""

    def __init__(self, plain: Projection, variance: Floats, design: Floats) -> None:
        self.effect, self.variance, self.design = plain.effect, variance, design
        self._rows = plain.rows

    def at(self, tau2: float) -> Look:
        weights = 1.0 / (self.variance + tau2)
        once = weights * self._rows
        sums = once @ self._rows.T
        inverse = _inverse(sums[:-1, :-1])
        if inverse is None:
            self._rows = Projection(self.effect, self.design, weights).rows
            once = weights * self._rows
            sums = once @ self._rows.T
            inverse = np.asarray(np.linalg.inv(sums[:-1, :-1]), dtype=np.float64)
        return Look(weights, once, inverse, self._rows, sums)


def _inverse(sums: Floats) -> Floats | None:
    """The inverse, unless the condition is :data:`WORST` or beyond."""
    try:
        inverse = np.asarray(np.linalg.inv(sums), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    condition = np.linalg.norm(sums) * np.linalg.norm(inverse)
    return inverse if condition < WORST * len(inverse) else None
