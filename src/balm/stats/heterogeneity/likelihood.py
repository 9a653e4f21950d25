"""Maximum likelihood and restricted maximum likelihood for the between-study variance.

``l(tau2) = -1/2 [ k log 2pi + sum log(v + tau2) + Q(tau2) ]`` at the weighted mean; the restricted form takes the mean
out: ``- 1/2 [ (k-1) log 2pi - log k + sum log(v + tau2) + log sum w + Q(tau2) ]`` (Harville 1977; Viechtbauer 2005,
eqs. 10 to 14). The score equations are solved by Newton's method on a transformed score, with Fisher scoring where the
curvature has the wrong sign.

Either likelihood may have two maxima, one of them at zero. Wherever zero is a local maximum the higher one is taken,
looking for another from a large tau2 downwards as well. Where variances lie far apart there may be several inside; the
likelihood is then looked at along its whole range (:mod:`balm.stats.heterogeneity.hills`).
"""

from __future__ import annotations

import math
from typing import Any

from balm.stats.arrays import np
from balm.stats.groups import OneGroup
from balm.stats.heterogeneity.hills import far_apart, highest_hill
from balm.stats.heterogeneity.solving import root
from balm.stats.heterogeneity.weighted import mean_and_residuals

_LOG_2PI = math.log(2.0 * math.pi)

#: Below this share of the expected information the observed curvature is not trusted and Fisher's is used.
_LEAST_CURVATURE = 1e-3


def reml_equation(g: Any, t: Any, _: Any = 0.0) -> tuple[Any, Any]:
    """Restricted score ``y'PPy - tr P`` and Newton's step on ``score / (tr P)**2``."""
    w = 1.0 / (g.variance + g.spread(t))
    others = w * g.rest
    first, u = g.lead(w), g.sum(others)
    total = first + u
    squares = others * others
    u2, u3 = g.sum(squares), g.dot(squares, others)
    trace = (2.0 * first * u + u * u - u2) / total
    trace2 = u2 - 2.0 * u3 / total + ((first * u) ** 2 + 2.0 * first * first * u2 + u2 * u2) / (total * total)
    q = w * (g.effect - g.spread(g.dot(w, g.effect) / total))
    d = q - g.spread(g.lead(q))
    wd = others * d
    cube = g.dot(wd, d) - g.sum(wd) ** 2 / total
    score = g.dot(q, q) - trace
    curvature = 2.0 * cube - trace2 - 2.0 * score * trace2 / trace
    return score, score / g.where(curvature > _LEAST_CURVATURE * trace2, curvature, trace2)


def ml_equation(g: Any, t: Any, _: Any = 0.0) -> tuple[Any, Any]:
    """Score ``y'PPy - sum w`` and Newton's step on ``score / (sum w)**2``."""
    w = 1.0 / (g.variance + g.spread(t))
    others = w * g.rest
    total = g.lead(w) + g.sum(others)
    squares = g.dot(w, w)
    q = w * (g.effect - g.spread(g.dot(w, g.effect) / total))
    d = q - g.spread(g.lead(q))
    wd = others * d
    cube = g.dot(wd, d) - g.sum(wd) ** 2 / total
    score = g.dot(q, q) - total
    curvature = 2.0 * cube - squares - 2.0 * score * squares / total
    return score, score / g.where(curvature > _LEAST_CURVATURE * squares, curvature, squares)


def log_likelihood(g: Any, tau2: Any, *, restricted: bool) -> Any:
    """The (restricted) log-likelihood at ``tau2``, maximised over the mean; constants as in metafor."""
    spread = g.variance + g.spread(tau2)
    w = 1.0 / spread
    total, _, residual = mean_and_residuals(g, w)
    both = g.sum(np.log(spread)) + g.dot(w * residual, residual)
    log = math.log if isinstance(g, OneGroup) else np.log
    if restricted:
        return -0.5 * ((g.k - 1) * _LOG_2PI - log(g.k) + both + log(total))
    return -0.5 * (g.k * _LOG_2PI + both)


def _highest(g: Any, equation: Any, start: Any, scale: Any, *, restricted: bool) -> Any:
    """The highest of all maxima: the nearest of :func:`_nearest`, or a higher one where variances lie far apart."""
    found = _nearest(g, equation, start, scale, restricted=restricted)

    def height(some: Any, t: Any) -> Any:
        return log_likelihood(some, t, restricted=restricted)

    apart = far_apart(g)
    if isinstance(g, OneGroup):
        if apart:
            return highest_hill(g, equation, found, far=_far(g, scale), scale=scale, height=height)
    elif apart.any():
        some = g.select(apart)
        far = _far(some, scale[apart])
        found[apart] = highest_hill(some, equation, found[apart], far=far, scale=scale[apart], height=height)
    return found


def _nearest(g: Any, equation: Any, start: Any, scale: Any, *, restricted: bool) -> Any:
    """The root with the highest likelihood of those that Newton's method meets, counting zero where it is a maximum.

    Where the score at zero is positive the search starts at ``start``. Elsewhere zero is a maximum and another may lie
    inside: it is sought from ``start`` (where that is positive) and from far above, and the highest likelihood wins.
    """
    at_zero, _ = equation(g, 0.0 * start)
    if isinstance(g, OneGroup):
        if at_zero > 0.0:
            return float(root(g, equation, start=start, scale=scale))
        candidates = [0.0, root(g, equation, start=_far(g, scale), scale=scale)]
        if start > 0.0:
            candidates.append(root(g, equation, start=start, scale=scale))
        heights = [log_likelihood(g, t, restricted=restricted) for t in candidates]
        return candidates[heights.index(max(heights))]
    boundary = at_zero <= 0.0
    far = _far(g, scale)
    found = root(g, equation, start=np.where(boundary & (start <= 0.0), far, start), scale=scale)
    again = boundary & (start > 0.0)
    doubtful = np.flatnonzero(again | (boundary & (found > 0.0)))
    if len(doubtful):
        chosen = np.zeros(len(g), dtype=np.bool_)
        chosen[doubtful] = True
        some = g.select(chosen)
        from_above = np.zeros(len(doubtful))
        twice = again[doubtful]
        if twice.any():
            from_above[twice] = root(g.select(again), equation, start=far[again], scale=scale[again])
        best = np.zeros(len(doubtful))
        height = log_likelihood(some, best, restricted=restricted)
        for t in (found[doubtful], from_above):
            here = log_likelihood(some, t, restricted=restricted)
            best, height = np.where(here > height, t, best), np.maximum(here, height)
        found[doubtful] = best
    return found


def _far(g: Any, scale: Any) -> Any:
    """A tau2 above every root: several times the plain variance of the effects and the typical variance."""
    away = g.effect - g.spread(g.sum(g.effect) / g.k)
    return 4.0 * (g.dot(away, away) / (g.k - 1) + scale)


def restricted_maximum_likelihood(g: Any, start: Any, scale: Any) -> Any:
    """The REML estimate, from ``start`` (Hedges' estimate)."""
    return _highest(g, reml_equation, start, scale, restricted=True)


def maximum_likelihood(g: Any, start: Any, scale: Any) -> Any:
    """The ML estimate, from ``start``."""
    return _highest(g, ml_equation, start, scale, restricted=False)
