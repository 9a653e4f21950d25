"""The network at a given tau2: every contrast, its variance, and Q, from one inverse of an n x n Laplacian."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from balm.stats.network import compiled
from balm.stats.network.contrasts import Floats
from balm.stats.network.rows import Rows
from balm.vocabulary.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """theta (n,) up to a constant, the Laplacian's generalised inverse, up to a constant, and Q.

    ``upper`` (n, n) holds the inverse on and above the diagonal, and 0 below.
    ``log_determinant`` is the Laplacian's on contrasts (its pseudo-determinant).
    """

    theta: Floats
    upper: Floats
    q: float
    residual: Floats
    weight: Floats
    log_determinant: float

    @cached_property
    def inverse(self) -> Floats:
        """(n, n), symmetric."""
        found = self.upper + self.upper.T
        found.flat[:: len(found) + 1] *= 0.5
        return np.asarray(found)

    @cached_property
    def effect(self) -> Floats:
        """(n, n): row minus column."""
        return np.asarray(self.theta[:, None] - self.theta[None, :])

    @cached_property
    def variance(self) -> Floats:
        """(n, n): effective resistances."""
        at_once = compiled.resistances(self.upper)
        if at_once is not None:
            return at_once
        d = np.diag(self.upper)
        found = self.upper + self.upper.T
        found *= -2.0
        found += d
        found += d[:, None]
        np.maximum(found, 0.0, out=found)
        found.flat[:: len(found) + 1] = 0.0
        return np.asarray(found)


def solve(rows: Rows, tau2: float = 0.0) -> Solved:
    """Generalised least squares of a connected network.

    >>> from balm.stats.network.contrasts import assembled
    >>> from balm.stats.network.rows import rows_of
    >>> found = solve(rows_of(assembled(["1", "2"], ["A", "A"], ["B", "B"], [1.0, 3.0], [1.0, 1.0])))
    >>> round(float(found.effect[0, 1]), 9)
    2.0
    """
    weight = 1.0 / (rows.variance + 0.5 * tau2)
    at_once = compiled.solved(rows, weight)
    if at_once is not None:
        theta, upper, q, residual, log_determinant = at_once
        return Solved(theta, upper, q + rows.rest, residual, weight, log_determinant)
    theta, upper, log_determinant = grounded(rows.laplacian_above(weight), rows.current(weight))
    theta -= theta.mean()
    residual = rows.value - rows.at(theta)
    q = float((weight * residual**2).sum()) + rows.rest
    return Solved(theta, upper, q, residual, weight, log_determinant)


def grounded(above: Floats, current: Floats) -> tuple[Floats, Floats, float]:
    """A connected Laplacian's solution, its generalised inverse from the diagonal up, and its log-determinant.

    ``above`` is the Laplacian on and above its diagonal, and is used up. The constant vector is given the mean
    eigenvalue, which changes no contrast, and Cholesky inverts what is then positive definite.
    """
    from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

    n = len(above)
    level = float(np.trace(above)) / n
    above += level / n
    # the transpose lies in memory as LAPACK wants it
    factor, failed = dpotrf(above.T, lower=1, clean=1)
    if failed:  # weights so unequal that rounding left it indefinite
        matrix = np.triu(above) + np.triu(above, 1).T
        inverse = np.linalg.inv(matrix)
        inverse = 0.5 * (inverse + inverse.T)
        size = float(np.linalg.slogdet(matrix)[1])
        return inverse @ current, np.triu(inverse), size - math.log(level)
    log_determinant = 2.0 * float(np.log(np.diag(factor)).sum()) - math.log(level)
    theta = dpotrs(factor, current, lower=1)[0]
    return theta, dpotri(factor, lower=1, overwrite_c=1)[0].T, log_determinant
