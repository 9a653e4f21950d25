"""The other maxima of a likelihood in tau2.

Precise studies that agree and imprecise ones that do not (or the reverse) ask for different values of tau2, and the
likelihood may then have a hill for each. Newton's method finds the hill it starts on. Here the score is looked at along
the range where another hill can be, in steps of a factor of two: between a positive and a negative score lies a
maximum. In log tau2 no term of the score turns within less than about such a step.

Where zero is a maximum, that range has rigorous ends, and for most data it is empty. Let ``l_j`` be the eigenvalues of
the sampling covariance outside the mean: all are at least the least variance a, and their mean is the mean variance m.
With ``y'PPy = sum c_j**2 / (t + l_j)**2`` and ``tr P = sum 1 / (t + l_j)`` the score at t is ``y'PPy - tr P``. Write S,
T and U for ``y'PPy``, ``tr P`` and ``tr PP`` at zero, Q for Cochran's, ``b = Q / S`` and ``r = U / T``. Then

* ``tr P`` is at least ``T / (1 + t r)`` and at least ``df / (t + m)``, by Jensen's inequality;
* ``y'PPy`` is at most ``Q / 4t``, as ``l / (t + l)**2`` is at most ``1 / 4t``; before b it is at most
  ``S (b / (t + b))**2``, as the concave hull of ``(l / (t + l))**2`` is that function itself beyond ``l = t``;
* ``y'PPy`` is at most ``df s / (t + a)**2``, with ``df s`` the sum of squares of the effects about their plain mean.

Each pair is a linear or quadratic inequality in t. For maximum likelihood ``sum w`` stands for ``tr P`` and k for df.

Where the score at zero is positive and the root was sought from Hedges' estimate, a higher hill was met only below a
root many times as large as Fisher's first step from zero (:data:`MANY_STEPS`), or where variances lie very far apart
(:data:`FAR_APART`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from balm.stats.arrays import np
from balm.stats.groups import OneGroup
from balm.stats.heterogeneity.solving import CLOSE_UP, Equation, root

#: The largest over the smallest variance from which the whole range is looked at, whatever root was found.
FAR_APART = 300.0

#: The root over Fisher's step from zero, from which the score is looked at between the two. Of 280,000 simulated sets
#: (3 to 13 studies, half of them made to have several hills) with variances less than ``FAR_APART`` apart, none whose
#: root was below 7.5 such steps had a higher hill. The compiled kernel has these numbers too.
MANY_STEPS = 5.0

#: A look lies ``STEP`` times as far as the one before; none lies below ``FIRST_LOOK`` of the smallest variance.
FIRST_LOOK, STEP = 0.05, 2.0

#: Halvings of a step in log tau2 before Newton's method takes over, so that it stays on the hill.
HALVINGS = 5

Height = Callable[[Any, Any], Any]
Score = Callable[[Any, Any], Any]


def where_rising(
    where: Any, *, least: Any, mean: Any, squared: Any, slope: Any, trace: Any, squares: Any, q: Any, df: Any
) -> tuple[Any, Any]:
    """Ends outside which the score is not positive, given its sums at zero; nowhere where they are not in order.

    where         : ``where(condition, yes, no)``, of floats or arrays.
    least, mean   : a and m of the module's text.  squared : the sum of squares of the effects about their plain fit.
    slope, trace, squares, q : S, T, U and Q.  df : effects less coefficients; for ML all effects.
    """
    none = slope <= 0.0
    slope = where(none, 1.0, slope)
    ratio, b, h, s = squares / trace, q / slope, q / df, squared / df
    # (t + a)**2 < s (t + m)
    c = s - 2.0 * least
    inside = c * c + 4.0 * (s * mean - least * least)
    end = 0.5 * (c + where(inside > 0.0, inside, 0.0) ** 0.5)
    # before b: T (t + b)**2 < S b**2 (1 + t r)
    c = 2.0 * trace * b - slope * b * b * ratio
    inside = c * c - 4.0 * trace * (trace - slope) * b * b
    width = where(inside > 0.0, inside, 0.0) ** 0.5
    first, last = 0.5 * (-c - width) / trace, 0.5 * (-c + width) / trace
    early = (inside > 0.0) & (last > 0.0) & (first < b)
    # from b on: t (4 T - Q r) < Q and t (4 - h) < h m
    far = where(h < 4.0, h * mean / where(h < 4.0, 4.0 - h, 1.0), end)
    end = where(far < end, far, end)
    d = 4.0 * trace - q * ratio
    far = where(d > 0.0, q / where(d > 0.0, d, 1.0), end)
    late = where(far < end, far, end)
    last = where(last < b, last, b)
    high = where(late > b, late, where(early, last, 0.0))
    return where(none, np.inf, where(early, first, b)), high


def highest_hill(
    g: Any,
    equation: Equation,
    score: Score,
    found: Any,
    *,
    above: Any,
    low: Any,
    high: Any,
    scale: Any,
    height: Height,
) -> Any:
    """``found``, or the maximum of another hill between ``low`` and ``high`` (or below ``low``) where that is higher.

    found  : a maximum, or 0.
    above  : whether the score at zero is positive.
    height : ``height(g, tau2)``, the log-likelihood.
    """
    if isinstance(g, OneGroup):
        return highest_of_one(
            found,
            above=above,
            low=low,
            high=high,
            score=lambda t: float(score(g, t)),
            top=lambda t: float(_refined(g, equation, score, t, scale)),
            height=lambda t: float(height(g, t)),
        )
    result, whole, places, lows = found.copy(), g, [], []
    place = np.arange(len(found))
    t, bottom, here = low, np.zeros_like(low), found
    while len(place):
        after, up, looking = STEP * t, above, bottom < high
        above = score(g, after) > 0.0
        hill = up & ~above & looking & ~((here > bottom) & (here <= after))
        places.append(place[hill])
        lows.append(t[hill])
        bottom = t = after
        more = bottom < high
        if np.count_nonzero(more) < CLOSE_UP * len(more):
            g = g.select(more)
            place, t, bottom, high, above, here = (
                place[more],
                t[more],
                bottom[more],
                high[more],
                above[more],
                here[more],
            )
    # All hills are climbed together, where a group has several one after the other: few groups have any.
    place, t = np.concatenate([*places, place]), np.concatenate([*lows, t])
    while len(place):
        groups, one = np.unique(place, return_index=True)
        chosen = np.zeros(len(result), dtype=np.bool_)
        chosen[groups] = True
        some, old = whole.select(chosen), result[groups]
        top = _refined(some, equation, score, t[one], scale[groups])
        result[groups] = np.where(height(some, top) > height(some, old), top, old)
        place, t = np.delete(place, one), np.delete(t, one)
    return result


def highest_of_one(
    found: float,
    *,
    above: bool,
    low: float,
    high: float,
    score: Callable[[float], float],
    top: Callable[[float], float],
    height: Callable[[float], float],
) -> float:
    """:func:`highest_hill` for one problem of any kind: ``top(t)`` is the maximum between ``t`` and ``STEP * t``."""
    bottom, t = 0.0, low
    while bottom < high:
        after, up = STEP * t, above
        above = score(after) > 0.0
        if up and not above and not bottom < found <= after:
            other = top(t)
            if height(other) > height(found):
                found = other
        bottom = t = after
    return found


def _refined(g: Any, equation: Equation, score: Score, low: Any, scale: Any) -> Any:
    """The maximum between ``low`` and ``STEP * low``."""
    factor = STEP
    for _ in range(HALVINGS):
        factor = factor**0.5
        middle = low * factor
        low = g.where(score(g, middle) > 0.0, middle, low)
    return root(g, equation, start=low * factor**0.5, scale=scale)
