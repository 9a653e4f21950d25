"""Between-study variance by the method of moments, in closed form.

Each function returns the untruncated solution; a negative one means that the effects vary less than their own errors
allow, and is set to 0 (and said so) by whoever asked.

Sources: DerSimonian & Laird (1986); Hedges (1983); Hunter & Schmidt (2004, ch. 9) with the small-sample factor of
Brannick et al. (2019); Sidik & Jonkman (2005); DerSimonian & Kacker (2007) for any weights and two steps; Jackson
(2013).
"""

from __future__ import annotations

from typing import Any

from balm.stats.heterogeneity.generalised_q import generalised_q
from balm.stats.heterogeneity.weighted import mean_and_residuals, total_without_each, trace_p


def general_moments(g: Any, a: Any) -> Any:
    """The estimator for fixed weights ``a`` (DerSimonian & Kacker 2007, eq. 6)."""
    _, _, residual = mean_and_residuals(g, a)
    total, without = total_without_each(g, a)
    expected = g.dot(a * g.variance, without) / total
    return (g.dot(a * residual, residual) - expected) / trace_p(g, a)


def dersimonian_laird(g: Any) -> Any:
    """``(Q - (k - 1)) / tr P`` with ``w = 1/v``."""
    return (generalised_q(g, 0.0 * g.k) - (g.k - 1)) / trace_p(g, 1.0 / g.variance)


def hedges(g: Any) -> Any:
    """The plain variance of the effects less the mean of their variances (Hedges 1983; Cochran's ANOVA)."""
    residual = g.effect - g.spread(g.sum(g.effect) / g.k)
    return g.dot(residual, residual) / (g.k - 1) - g.sum(g.variance) / g.k


def hunter_schmidt(g: Any) -> Any:
    """``(Q - k) / sum w``."""
    return (generalised_q(g, 0.0 * g.k) - g.k) / g.sum(1.0 / g.variance)


def hunter_schmidt_small_sample(g: Any) -> Any:
    """``(Q k/(k - 1) - k) / sum w`` (Brannick et al. 2019)."""
    return (generalised_q(g, 0.0 * g.k) * g.k / (g.k - 1) - g.k) / g.sum(1.0 / g.variance)


def crude(g: Any) -> Any:
    """The plain mean square of the effects around their mean, the start of Sidik-Jonkman."""
    residual = g.effect - g.spread(g.sum(g.effect) / g.k)
    return g.dot(residual, residual) / g.k


def sidik_jonkman(g: Any) -> Any:
    """``t0 Q(t0) / (k - 1)`` from the crude ``t0``: never negative, zero only when all effects are equal."""
    start = crude(g)
    return start * generalised_q(g, start) / (g.k - 1)


def two_step(g: Any, first: Any) -> Any:
    """Moments with weights ``1/(v + first)`` (DerSimonian & Kacker 2007)."""
    return general_moments(g, 1.0 / (g.variance + g.spread(first)))
