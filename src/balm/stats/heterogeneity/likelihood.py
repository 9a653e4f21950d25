"""Maximum likelihood and restricted maximum likelihood for the between-study variance.

``l(tau2) = -1/2 [ k log 2pi + sum log(v + tau2) + Q(tau2) ]`` at the weighted mean; the restricted form takes the mean
out: ``- 1/2 [ (k-1) log 2pi - log k + sum log(v + tau2) + log sum w + Q(tau2) ]`` (Harville 1977; Viechtbauer 2005,
eqs. 10 to 14). The score equations are solved by Newton's method on a transformed score, with Fisher scoring where the
curvature has the wrong sign.

Either likelihood may have several maxima, one of them at zero. The highest is taken: wherever another one can be, the
score is looked at along the range (:mod:`balm.stats.heterogeneity.hills`).
"""

from __future__ import annotations

import math
from typing import Any

from balm.stats.arrays import np
from balm.stats.groups import OneGroup
from balm.stats.heterogeneity.hills import (
    FAR_APART,
    FIRST_LOOK,
    MANY_STEPS,
    highest_hill,
    where_rising,
)
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


def reml_score(g: Any, t: Any) -> Any:
    """``y'PPy - tr P`` alone."""
    w = 1.0 / (g.variance + g.spread(t))
    total, _, residual = mean_and_residuals(g, w)
    q = w * residual
    return g.sum(q * q - w * (1.0 - w * g.spread(1.0 / total)))


def ml_score(g: Any, t: Any) -> Any:
    """``y'PPy - sum w`` alone."""
    w = 1.0 / (g.variance + g.spread(t))
    _, _, residual = mean_and_residuals(g, w)
    q = w * residual
    return g.sum(q * q - w)


def _at_zero(g: Any, *, restricted: bool) -> tuple[Any, Any, Any, Any]:
    """``y'PPy``, ``tr P``, ``tr PP`` (for ML ``sum w`` and ``sum w**2``) and Cochran's Q, all without tau2."""
    w = 1.0 / g.variance
    total, _, residual = mean_and_residuals(g, w)
    weighted = w * residual
    slope, q = g.dot(weighted, weighted), g.dot(weighted, residual)
    if not restricted:
        return slope, total, g.dot(w, w), q
    others = w * g.rest
    first, u = g.lead(w), g.sum(others)
    squares = others * others
    u2, u3 = g.sum(squares), g.dot(squares, others)
    trace = (2.0 * first * u + u * u - u2) / total
    trace2 = u2 - 2.0 * u3 / total + ((first * u) ** 2 + 2.0 * first * first * u2 + u2 * u2) / (total * total)
    return slope, trace, trace2, q


def _highest(g: Any, equation: Any, start: Any, scale: Any, *, restricted: bool) -> Any:
    """The highest of all maxima, zero among them.

    Where the score at zero is positive a root is sought from ``start``; where zero is a maximum there need be no other.
    What more there may be is looked for wherever it can be.
    """
    slope, trace, squares, q = _at_zero(g, restricted=restricted)
    df = g.k - 1.0 if restricted else g.k + 0.0
    score = reml_score if restricted else ml_score

    def height(some: Any, t: Any) -> Any:
        return log_likelihood(some, t, restricted=restricted)

    at_zero = slope - trace
    least, most = g.extremes()
    first = FIRST_LOOK * least

    def ends() -> tuple[Any, Any]:
        mean = g.sum(g.variance) / g.k
        squared = (start + mean) * (g.k - 1.0)  # at least: Hedges' estimate is not below 0 here
        sums = {"slope": slope, "trace": trace, "squares": squares, "q": q}
        return where_rising(g.where, least=least, mean=mean, squared=squared, df=df, **sums)

    if isinstance(g, OneGroup):
        found: Any = 0.0
        if at_zero <= 0.0:
            low, high = ends()
        else:
            found = low = high = float(root(g, equation, start=start, scale=scale))
            if most > FAR_APART * least:
                low, high = first, ends()[1]
            elif found > MANY_STEPS * at_zero / squares:
                low = at_zero / squares
        if not low < high:
            return found
        return highest_hill(
            g,
            equation,
            score,
            found,
            above=at_zero > 0.0,
            low=max(low, first),
            high=high,
            scale=scale,
            height=height,
        )
    rising = at_zero > 0.0
    found = np.zeros(len(g))
    if rising.all():
        found = root(g, equation, start=start, scale=scale)
    elif rising.any():
        found[rising] = root(g.select(rising), equation, start=start[rising], scale=scale[rising])
    low, high = ends()
    step = at_zero / squares
    whole = rising & (most > FAR_APART * least)
    steps = rising & ~whole & (found > MANY_STEPS * step)
    low = np.where(whole, first, np.where(steps, step, np.where(rising, np.inf, low)))
    high = np.where(steps, found, high)
    looked_at = low < high
    if looked_at.any():
        some = g if looked_at.all() else g.select(looked_at)
        found[looked_at] = highest_hill(
            some,
            equation,
            score,
            found[looked_at],
            above=rising[looked_at],
            low=np.maximum(low, first)[looked_at],
            high=high[looked_at],
            scale=scale[looked_at],
            height=height,
        )
    return found


def restricted_maximum_likelihood(g: Any, start: Any, scale: Any) -> Any:
    """The REML estimate, from ``start`` (Hedges' estimate)."""
    return _highest(g, reml_equation, start, scale, restricted=True)


def maximum_likelihood(g: Any, start: Any, scale: Any) -> Any:
    """The ML estimate, from ``start``."""
    return _highest(g, ml_equation, start, scale, restricted=False)
