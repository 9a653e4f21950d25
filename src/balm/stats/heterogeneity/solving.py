"""Roots of the estimating equations of the between-study variance, for one group and for many at once.

An equation is ``equation(g, t, target) -> (value, step)``: ``value`` is positive where the root lies above ``t``, and
``t + step`` is the proposed next point. The step is kept inside a sign bracket (else the bracket is halved), the
lower end is 0, and iteration ends when the step is small *relative* to ``t`` plus the typical within-study variance:
results are the same whatever unit the outcome has. The last, quadratically convergent step is taken, so the root is
exact to rounding. A small step that is not much smaller than the one before proves nothing: near a double root Fisher's
steps, taken where the curvature is not trusted, may be thousands of times shorter than the way that is left.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from balm.stats.arrays import np
from balm.stats.groups import OneGroup

Equation = Callable[[Any, Any, Any], tuple[Any, Any]]

#: Relative size of the last step. The steps converge quadratically, so the error left is about its square.
LAST_STEP = 1e-9

#: Steps that converge quadratically shrink at least so much before they are that small.
SHRINKING = 1e-2

#: A step this small is rounding, whatever the one before.
ROUNDING = 1e-15

#: From here on every second step halves the bracket: near a double root the other steps creep.
PATIENCE = 20

#: Far more than any data set met in a hundred thousand simulated ones needed (about 12).
MOST_STEPS = 200

#: A probability or log-likelihood this close to its goal is there: rounding is of the same size.
SMALL = 1e-14

#: Groups still moving are closed up when fewer than this share is left.
CLOSE_UP = 0.7


def root(g: Any, equation: Equation, *, start: Any, scale: Any, target: Any = 0.0) -> Any:
    """The non-negative root nearest on the way from ``start``; 0 where the equation is negative there.

    scale  : a typical within-study variance, to which a step is compared.
    target : handed to the equation (a quantile, for the generalised Q).
    """
    if isinstance(g, OneGroup):
        return one_root(g, equation, start, scale, target)
    return _many(g, equation, start, scale, target)


def one_root(g: Any, equation: Equation, t: float, scale: float, target: float = 0.0) -> float:
    """:func:`root` for one problem of any kind, which the equation alone looks at; ``t`` is where it starts."""
    low, high, last = -1.0, math.inf, math.inf
    for count in range(MOST_STEPS):
        value, step = equation(g, t, target)
        if value > 0.0:
            low = t
        elif t == 0.0:
            return 0.0
        else:
            high = t
        after: float = max(t + step, 0.0)
        move, size = abs(after - t), after + scale
        if move <= LAST_STEP * size and (move <= SHRINKING * last or move <= ROUNDING * size):
            return after
        last = move
        if not low < after < high or (count >= PATIENCE and count % 2):
            after = 0.5 * (max(low, 0.0) + high) if high < math.inf else 2.0 * t + scale
            last = 0.0  # the next step has none before it
        t = after
    return t


def _many(g: Any, equation: Equation, start: Any, scale: Any, target: Any) -> Any:
    count = len(g)
    result = np.array(np.broadcast_to(np.asarray(start, dtype=np.float64), (count,)))
    target = np.broadcast_to(np.asarray(target, dtype=np.float64), (count,))
    place = np.arange(count)
    t, goal, size = result.copy(), target, np.asarray(scale, dtype=np.float64)
    low, high, last = np.full(count, -1.0), np.full(count, np.inf), np.full(count, np.inf)
    moving = np.ones(count, dtype=np.bool_)
    for turn in range(MOST_STEPS):
        value, step = equation(g, t, goal)
        above = value > 0.0
        low = np.where(above, t, low)
        high = np.where(above, high, t)
        at_zero = ~above & (t == 0.0)
        after = np.maximum(t + step, 0.0)
        move, whole = np.abs(after - t), after + size
        settled = move <= LAST_STEP * whole
        if settled.any():
            settled &= (move <= SHRINKING * last) | (move <= ROUNDING * whole)
        inside = settled | ((after > low) & (after < high))
        if turn >= PATIENCE and turn % 2:
            inside = settled.copy()
        if inside.all():
            last = move
        else:
            last = np.where(inside, move, 0.0)  # the step after a halving has none before it
            open_end = np.isinf(high)
            middle = 0.5 * (np.maximum(low, 0.0) + np.where(open_end, 0.0, high))
            after = np.where(inside, after, np.where(open_end, 2.0 * t + size, middle))
        after = np.where(at_zero, 0.0, after)
        settled |= at_zero
        t = np.where(moving, after, t)
        moving = moving & ~settled
        left = int(np.count_nonzero(moving))
        if left < CLOSE_UP * len(t):
            result[place] = t
            if left == 0:
                return result
            g = g.select(moving)
            place, t, goal, size = place[moving], t[moving], goal[moving], size[moving]
            low, high, last = low[moving], high[moving], last[moving]
            moving = np.ones(left, dtype=np.bool_)
    result[place] = t
    return result


def crossing(f: Callable[[float], float], inside: float, outside: float) -> float:
    """Where ``f``, positive at ``inside`` and negative at ``outside``, is zero: false position (Illinois)."""
    a, b = inside, outside
    fa, fb = f(a), f(b)
    side = 0
    for _ in range(MOST_STEPS):
        if fa == 0.0 or fb == 0.0:
            return a if fa == 0.0 else b
        c = (a * fb - b * fa) / (fb - fa)
        if not min(a, b) < c < max(a, b):
            c = 0.5 * (a + b)
        fc = f(c)
        if abs(fc) < SMALL or abs(b - a) <= 4e-16 * (abs(a) + abs(b)):
            return c
        if fc > 0.0:
            a, fa = c, fc
            if side == 1:
                fb *= 0.5
            side = 1
        else:
            b, fb = c, fc
            if side == -1:
                fa *= 0.5
            side = -1
    return 0.5 * (a + b)
