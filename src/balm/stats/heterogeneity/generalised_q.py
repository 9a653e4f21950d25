"""The generalised Q statistic, and the between-study variance at which it takes a given value.

``Q(tau2) = sum (y - mu)**2 / (v + tau2)`` falls from Cochran's Q at 0 towards 0. Set to its expectation ``k - 1`` it
gives the Paule-Mandel estimator (Paule & Mandel 1982), which is also the empirical Bayes estimator (Morris 1983) and
the limit of DerSimonian-Laird's and Sidik-Jonkman's iterated; set to the median of its chi-squared distribution, the
median-unbiased one (Viechtbauer 2021); set to two quantiles, the Q-profile interval (Viechtbauer 2007).

Newton's method on ``1/Q`` from 0 is monotone and exact in one step for equal variances.
"""

from __future__ import annotations

from typing import Any

from balm.stats.heterogeneity.solving import root


def generalised_q(g: Any, tau2: Any) -> Any:
    """``Q(tau2)``; Cochran's Q at 0."""
    w = 1.0 / (g.variance + g.spread(tau2))
    residual = g.effect - g.spread(g.dot(w, g.effect) / g.sum(w))
    return g.dot(w * residual, residual)


def q_equation(g: Any, t: Any, target: Any) -> tuple[Any, Any]:
    """``Q(t) - target`` and Newton's step on ``1/Q``."""
    w = 1.0 / (g.variance + g.spread(t))
    residual = g.effect - g.spread(g.dot(w, g.effect) / g.sum(w))
    weighted = w * residual
    q = g.dot(weighted, residual)
    slope = g.dot(weighted, weighted)
    return q - target, (q - target) * q / (g.where(slope > 0.0, slope, 1.0) * target)


def tau2_where_q_is(g: Any, target: Any, scale: Any) -> Any:
    """The tau2 at which ``Q(tau2) = target``; 0 where Cochran's Q is already below it."""
    return root(g, q_equation, start=0.0, scale=scale, target=target)
