"""The weighted least squares fit at one tau², and the traces its estimating equations need.

With weights ``w = 1/(v + tau2)`` and design X, let ``QR`` be the thin QR factors of ``sqrt(W) X`` and ``h`` the row
sums of ``Q**2``. The projection ``P = W - W X (X'WX)^-1 X'W`` equals ``sqrt(W) (I - QQ') sqrt(W)``, so every quantity
is a sum over studies and costs O(k p²); no k x k matrix is formed.
"""

from __future__ import annotations

import math

import numpy as np

from balm.stats.effect_sizes import Floats


class Projection:
    """Weighted least squares of ``effect`` on ``design`` with the given positive weights.

    beta, residual : (p,), (k,).  rss : the weighted residual sum of squares (Q_E at these weights).
    """

    __slots__ = ("_q", "_r", "_scaled", "beta", "effect", "hat", "residual", "root", "rss", "weights")

    def __init__(self, effect: Floats, design: Floats, weights: Floats) -> None:
        self.effect = effect
        self.weights = weights
        self.root = np.sqrt(weights)
        self._q, self._r = np.linalg.qr(self.root[:, None] * design)
        target = self.root * effect
        coefficients = self._q.T @ target
        scaled = target - self._q @ coefficients
        again = self._q.T @ scaled  # a second pass takes out what rounding left in
        self._scaled = scaled - self._q @ again
        self.beta: Floats = np.linalg.solve(self._r, coefficients + again)
        self.residual: Floats = self._scaled / self.root
        self.rss = float(self._scaled @ self._scaled)
        self.hat: Floats = np.einsum("ij,ij->i", self._q, self._q)

    @property
    def covariance(self) -> Floats:
        """``(X'WX)^-1``, (p, p)."""
        inverse = np.linalg.inv(self._r)
        product: Floats = inverse @ inverse.T
        return product

    @property
    def log_determinant(self) -> float:
        """``log |X'WX|``."""
        return 2.0 * float(np.sum(np.log(np.abs(np.diag(self._r)))))

    @property
    def matrix(self) -> Floats:
        """``P`` itself, (k, k)."""
        inner = np.eye(len(self.root)) - self._q @ self._q.T
        out: Floats = self.root[:, None] * inner * self.root
        return out

    @property
    def rows(self) -> Floats:
        """``(Q'; (I - QQ') sqrt(W) y) / sqrt(W)``: the orthonormal design, and below it what it leaves; (p + 1, k)."""
        out: Floats = np.vstack([self._q.T, self._scaled]) / self.root
        return out

    def trace(self, d: Floats | float = 1.0) -> float:
        """``tr(P D)`` for a diagonal D."""
        return float(np.sum(self.weights * d * (1.0 - self.hat)))

    def trace_of_square(self, d: Floats | float = 1.0) -> float:
        """``tr(P D P D)`` for a diagonal D."""
        e = self.weights * d
        inner = self._q.T @ (e[:, None] * self._q)
        return float(np.sum(e * e * (1.0 - 2.0 * self.hat)) + np.sum(inner * inner))

    def y_pp_y(self) -> float:
        """``y'PPy``."""
        u = self.root * self._scaled
        return float(u @ u)

    def y_ppp_y(self) -> float:
        """``y'PPPy``."""
        u = self.weights * self._scaled
        v = self._q.T @ u
        return float(u @ u - v @ v)

    def row(self, x: Floats) -> Floats:
        """``R'^-1 x``: its squared length is ``x (X'WX)^-1 x'``."""
        solved: Floats = np.linalg.solve(self._r.T, x.T).T
        return solved


def projection(effect: Floats, variance: Floats, design: Floats, tau2: float) -> Projection:
    """The fit at ``tau2``."""
    return Projection(effect, design, 1.0 / (variance + tau2))


def log_likelihood(p: Projection, variance: Floats, design: Floats, tau2: float, *, restricted: bool) -> float:
    """The (restricted) log-likelihood at ``tau2``, with the constant of Harville (1977) that makes it comparable.

    The restricted form integrates the coefficients out and carries ``+ log|X'X| / 2``.
    """
    k, columns = design.shape
    logs = float(np.sum(np.log(variance + tau2)))
    if not restricted:
        return float(-0.5 * (k * math.log(2.0 * math.pi) + logs + p.rss))
    unweighted = float(np.linalg.slogdet(design.T @ design)[1])
    return float(-0.5 * ((k - columns) * math.log(2.0 * math.pi) - unweighted + logs + p.log_determinant + p.rss))


def typical_variance(variance: Floats, design: Floats) -> float:
    """The typical within-study variance given the design, ``(k - p) / tr P`` with weights ``1/v``."""
    k, columns = design.shape
    return float((k - columns) / Projection(variance, design, 1.0 / variance).trace())
