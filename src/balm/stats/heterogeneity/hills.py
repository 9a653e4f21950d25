"""The other maxima of a likelihood in tau2, where variances lie far apart.

Precise studies that agree and imprecise ones that do not (or the reverse) ask for different values of tau2, and the
likelihood may then have a hill for each. Newton's method finds the hill it starts on. Here the score is looked at along
the whole range, from a twentieth of the smallest variance, in steps of a factor of two: between a positive and a
negative score lies a maximum. In log tau2 no term of the score turns within less than about such a step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from balm.stats.arrays import np
from balm.stats.groups import ManyGroups, OneGroup
from balm.stats.heterogeneity.solving import Equation, root

#: The largest over the smallest variance from which the search is made. Among 51,200 simulated sets with smaller ratios
#: (3 to 15 studies, half of them with a small-study effect) Newton's method alone missed the highest maximum in 9; from
#: there on in up to 4 %. The compiled kernel has the same number.
FAR_APART = 300.0

#: The first step goes from zero to ``STEP * FIRST_LOOK`` smallest variances; each further one is ``STEP`` times as far.
FIRST_LOOK, STEP = 0.05, 2.0

#: Halvings of a step in log tau2 before Newton's method takes over, so that it stays on the hill.
HALVINGS = 5

Height = Callable[[Any, Any], Any]


def far_apart(g: Any) -> Any:
    """True where the variances of a group are further apart than :data:`FAR_APART`."""
    if isinstance(g, OneGroup):
        return g.variance.max() > FAR_APART * g.variance.min()
    least, most = _extremes(g)
    return most > FAR_APART * least


def _extremes(g: Any) -> tuple[Any, Any]:
    """The smallest and the largest variance of each group, or of each replicate (studies in rows)."""
    if isinstance(g, ManyGroups):
        return np.minimum.reduceat(g.variance, g.starts), np.maximum.reduceat(g.variance, g.starts)
    shape = (len(g),)
    return np.broadcast_to(g.variance.min(axis=0), shape), np.broadcast_to(g.variance.max(axis=0), shape)


def highest_hill(g: Any, equation: Equation, found: Any, *, far: Any, scale: Any, height: Height) -> Any:
    """``found``, or the maximum of another hill where that is higher.

    found  : a maximum, or 0.
    far    : a tau2 above every root.
    height : ``height(g, tau2)``, the log-likelihood.
    """
    if isinstance(g, OneGroup):
        return _of_one(g, equation, found, far, scale, height)
    found = found.copy()
    for hill, bottom, start in _looks(g, equation, far):
        new = hill & ~((found > bottom) & (found <= STEP * start))
        if not new.any():
            continue
        some = g.select(new)
        t = _refined(some, equation, start[new], scale[new])
        found[new] = np.where(height(some, t) > height(some, found[new]), t, found[new])
    return found


def _of_one(g: OneGroup, equation: Equation, found: float, far: float, scale: float, height: Height) -> float:
    bottom, t = 0.0, FIRST_LOOK * float(g.variance.min())
    above = equation(g, bottom, 0.0)[0] > 0.0
    while bottom < far:
        after = STEP * t
        up = above
        above = equation(g, after, 0.0)[0] > 0.0
        if up and not above and not bottom < found <= after:
            top = float(_refined(g, equation, t, scale))
            if height(g, top) > height(g, found):
                found = top
        bottom = t = after
    return found


def _looks(g: Any, equation: Equation, far: Any) -> Any:
    """For each step: the groups that have a maximum in it, its lower end, and half its upper end."""
    t = FIRST_LOOK * _extremes(g)[0]
    bottom = np.zeros_like(t)
    above = equation(g, bottom, 0.0)[0] > 0.0
    while (bottom < far).any():
        after = STEP * t
        up = above
        above = equation(g, after, 0.0)[0] > 0.0
        yield up & ~above & (bottom < far), bottom, t
        bottom = t = after


def _refined(g: Any, equation: Equation, low: Any, scale: Any) -> Any:
    """The maximum between ``low`` and ``STEP * low``."""
    factor = STEP
    for _ in range(HALVINGS):
        factor = factor**0.5
        middle = low * factor
        low = g.where(equation(g, middle, 0.0)[0] > 0.0, middle, low)
    return root(g, equation, start=low * factor**0.5, scale=scale)
