"""The network at a given tau2: every contrast, its variance, and Q, from one inverse of an n x n Laplacian."""

from __future__ import annotations

import math

import numpy as np

from balm.stats.network.contrasts import Floats
from balm.stats.network.rows import Rows
from balm.vocabulary.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """theta (n,) up to a constant, ``inverse`` (n, n) the Laplacian's generalised inverse, up to a constant, and Q."""

    theta: Floats
    inverse: Floats
    q: float
    residual: Floats
    weight: Floats

    @property
    def effect(self) -> Floats:
        """(n, n): row minus column."""
        return np.asarray(self.theta[:, None] - self.theta[None, :])

    @property
    def variance(self) -> Floats:
        """(n, n): effective resistances."""
        d = np.diag(self.inverse)
        found = np.maximum(d[:, None] + d[None, :] - 2.0 * self.inverse, 0.0)
        np.fill_diagonal(found, 0.0)
        return found

    @property
    def log_determinant(self) -> float:
        """Of the Laplacian on contrasts (its pseudo-determinant)."""
        level = len(self.theta) / float(self.inverse.sum())  # what grounding put on the constant vector
        return -float(np.linalg.slogdet(self.inverse)[1]) - math.log(level)


def solve(rows: Rows, tau2: float = 0.0) -> Solved:
    """Generalised least squares of a connected network.

    >>> from balm.stats.network.contrasts import assembled
    >>> from balm.stats.network.rows import rows_of
    >>> found = solve(rows_of(assembled(["1", "2"], ["A", "A"], ["B", "B"], [1.0, 3.0], [1.0, 1.0])))
    >>> round(float(found.effect[0, 1]), 9)
    2.0
    """
    weight = 1.0 / (rows.variance + 0.5 * tau2)
    matrix = rows.laplacian(weight)
    inverse = grounded(matrix)
    theta = inverse @ rows.current(weight)
    theta -= theta.mean()
    residual = rows.value - rows.at(theta)
    return Solved(theta, inverse, float((weight * residual**2).sum()) + rows.rest, residual, weight)


def grounded(matrix: Floats) -> Floats:
    """A symmetric generalised inverse of a connected Laplacian; contrasts of it are those of the pseudo-inverse."""
    n = len(matrix)
    level = float(np.trace(matrix)) / n
    found = np.linalg.inv(matrix + level / n)
    return np.asarray(0.5 * (found + found.T))
