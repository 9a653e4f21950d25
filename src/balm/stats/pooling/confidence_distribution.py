"""Prediction by the confidence distribution of the between-study variance (Nagashima, Noma & Furukawa 2019).

Plugging one estimate of tau2 into a prediction interval ignores how uncertain it is. Here tau2 has a distribution:
``H(tau2) = P(Q > q | tau2)`` with the observed Cochran's Q, a weighted sum of chi-squared variables whose distribution
is exact; ``H(0) = P(Q > q | 0)`` is the probability of no heterogeneity. The paper draws tau2 from H many times, and
for each draw the effect of a new study

    theta = mu(tau2) + tau z - se(tau2) t,    z ~ N(0, 1), t ~ t(k - 1),

``mu`` the weighted mean and ``se`` Hartung's standard error at that tau2, and takes quantiles of the draws. The draws'
distribution can be integrated instead, so that the interval depends on no seed and on no number of draws: it is where
the paper's interval goes as they grow.

With t = z' / sqrt(g), g chi-squared over its degrees of freedom, theta is normal given tau2 and g. The integral over g
is a Gauss-Legendre sum over its quantiles; that over tau2 is a Clenshaw-Curtis sum in ``p = 1 - sqrt(c / (c + tau2))``,
in which H is smooth up to its end at p = 1.

Where effects agree far better than their errors allow, H(0) is nearly 1 and Hartung's standard error is unguarded: the
interval is then as narrow as that of the mean. Time grows with the cube of k (a hundred eigenvalue problems).

Nagashima, Noma & Furukawa (2019), Stat Methods Med Res 28:1689, section 3 and algorithm 1.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from balm.stats.groups import Floats, OneGroup
from balm.stats.heterogeneity.quadratic_forms import weighted_chi2_cdf
from balm.stats.heterogeneity.solving import crossing

#: Points over tau2 and over g; doubling both moves the ends of the interval by less than 1e-6 of its width.
_POINTS, _MIXED = 96, 48


def predict(g: OneGroup, level: float) -> tuple[float, float]:
    """Ends of the prediction interval for centred effects of at least two studies."""
    y, v, k = np.asarray(g.effect, dtype=np.float64), np.asarray(g.variance, dtype=np.float64), int(g.k)
    w = 1.0 / v
    residual = y - float(w @ y) / float(np.sum(w))
    q = float(w @ (residual * residual))
    typical = (k - 1) / (float(np.sum(w)) - float(w @ w) / float(np.sum(w)))
    moments = max(0.0, (q / (k - 1) - 1.0) * typical)
    unit = typical + moments
    p, slopes, sums = _chebyshev(_POINTS)
    with np.errstate(divide="ignore"):
        tau2 = unit * (1.0 / (1.0 - p) ** 2 - 1.0)
    forms = [weighted_chi2_cdf(q, _weights(w, v + t)) for t in tau2[:-1].tolist()]
    above = 1.0 - np.array([*forms, 0.0])  # H at the points; nothing lies beyond an infinite tau2
    mass = np.maximum((slopes @ above) * sums, 0.0)
    mass *= (1.0 - above[0]) / float(np.sum(mass)) if float(np.sum(mass)) > 0.0 else 0.0
    mass[0] += above[0]
    mass, beyond = mass[:-1], 0.5 * float(mass[-1])  # a new effect under an infinite tau2 is on either side
    each = 1.0 / (v[None, :] + tau2[:-1, None])
    total = np.sum(each, axis=1)
    mean = (each @ y) / total
    error = np.sqrt(np.einsum("ij,ij->i", each, (y[None, :] - mean[:, None]) ** 2) / ((k - 1) * total))
    mixed, share = _chi2_shares(k - 1)
    spread = np.sqrt(tau2[:-1, None] + error[:, None] ** 2 / mixed[None, :])
    both = mass[:, None] * share[None, :]

    def below(x: float) -> float:
        from scipy.special import ndtr

        with np.errstate(divide="ignore", invalid="ignore"):
            z = (x - mean[:, None]) / spread
        return float(np.sum(both * ndtr(np.where(np.isnan(z), 0.0, z)))) + beyond

    tail = 0.5 - 0.5 * level
    return _quantile(below, tail, float(mean @ mass), math.sqrt(unit)), _quantile(
        below, 1.0 - tail, float(mean @ mass), math.sqrt(unit)
    )


def _weights(w: Floats, spread: Floats) -> Floats:
    """Of the chi-squared variables that make up Cochran's Q when ``Var(y) = spread``."""
    root = np.sqrt(spread)
    a = w * root
    matrix = np.diag(w * spread) - np.outer(a, a) / float(np.sum(w))
    found: Floats = np.maximum(np.linalg.eigvalsh(matrix)[1:], 0.0)
    return found


def _quantile(below: Any, probability: float, centre: float, scale: float) -> float:
    """Where the distribution function reaches ``probability``."""
    side = -1.0 if probability < 0.5 else 1.0
    near, far = centre, centre + side * scale
    while side * (below(far) - probability) < 0.0:
        near, far = far, centre + 2.0 * (far - centre)
        if abs(far - centre) > 1e12 * scale:
            return math.nan
    if side * (below(near) - probability) > 0.0:  # the mean itself lies outside: effects far from symmetric
        near = centre - side * 64.0 * scale
    return crossing(lambda x: side * (probability - below(x)), near, far)


@lru_cache(maxsize=4)
def _chebyshev(n: int) -> tuple[Floats, Floats, Floats]:
    """Points on [0, 1], the matrix of derivatives there, and Clenshaw-Curtis weights (Trefethen 2000, ch. 6 and 12)."""
    i = np.arange(n + 1)
    x = 0.5 * (1.0 - np.cos(np.pi * i / n))
    c = np.where((i == 0) | (i == n), 2.0, 1.0) * (-1.0) ** i
    gap = x[:, None] - x[None, :] + np.eye(n + 1)
    d = np.outer(c, 1.0 / c) / gap
    np.fill_diagonal(d, 0.0)
    np.fill_diagonal(d, -np.sum(d, axis=1))
    angle = np.pi * i / n
    weights = np.ones(n + 1)
    for m in range(1, n // 2 + 1):
        weights -= (1.0 if 2 * m == n else 2.0) * np.cos(2 * m * angle) / (4 * m * m - 1)
    weights *= np.where((i == 0) | (i == n), 0.5, 1.0) / n
    return x, d, weights


@lru_cache(maxsize=256)
def _chi2_shares(df: int) -> tuple[Floats, Floats]:
    """Values of a chi-squared variable over its degrees of freedom, and their shares: Gauss-Legendre in probability.

    The small values make the tails of t, so the points are those of ``u = s**4``, dense near 0.
    """
    from scipy.special import chdtri

    at, share = np.polynomial.legendre.leggauss(_MIXED)
    s, share = 0.5 * (at + 1.0), 0.5 * share
    upper = s**4
    return chdtri(df, 1.0 - upper) / df, share * 4.0 * s**3
