"""Effects on another scale: a function of each effect, with its variance by the delta method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.measures import MEASURES
from balm.vocabulary.problems import InputError, check_option

#: Steps of the differences: the first this share of the standard error, each next one half of the one before.
FIRST_STEP = 0.5
STEPS = 12


def delta_method(
    es: EffectSizes,
    function: Callable[[Any], Any],
    *,
    order: int = 1,
    measure: str = "GEN",
) -> EffectSizes:
    """The effects ``g(y)`` with variances ``g'(y)^2 v``: what :func:`balm.pool` would take on another scale.

    function : elementwise, of numbers or of arrays: ``numpy.exp``, ``math.tanh``, ``lambda y: y / 1.81``.
    order    : 1, or 2 to add what the curvature does: ``g(y) + g''(y) v / 2`` and ``g'(y)^2 v + g''(y)^2 v^2 / 2``.
    measure  : of the result, a code of :data:`balm.MEASURES` whose scale the new values are on; "GEN" by default.

    Derivatives are differences with ever smaller steps, extrapolated to none (relative error about 1e-9, of the second
    ones 1e-7; Ridders 1982, Adv Eng Softw 4:75). A study where the function is not finite, or does not change, is
    refused by name. Interval ends are better carried over themselves: ``g(low)`` to ``g(high)``.
    Oehlert (1992) Am Stat 46:27.

    >>> import numpy as np
    >>> es = EffectSizes(effect=[-0.9, 0.2], variance=[0.3, 0.1], measure="OR")
    >>> ratios = delta_method(es, np.exp)
    >>> ratios.effect.round(4).tolist(), ratios.variance.round(4).tolist()
    ([0.4066, 1.2214], [0.0496, 0.1492])
    """
    if not callable(function):
        raise InputError(f"function must be a function of one number, such as numpy.exp; got {function!r}")
    if order not in (1, 2):
        raise InputError(f"order must be 1 or 2; got {order!r}")
    check_option("measure", measure, list(MEASURES))
    y, v = np.asarray(es.effect), np.asarray(es.variance)
    known = np.isfinite(y) & np.isfinite(v)
    new, slope, curvature = (np.full(len(es), np.nan) for _ in range(3))
    new[known] = _values(function, y[known])
    slope[known], curvature[known] = _derivatives(function, y[known], np.sqrt(v[known]))
    effect, variance = new, slope**2 * v
    if order == 2:
        effect, variance = new + 0.5 * curvature * v, variance + 0.5 * (curvature * v) ** 2
    wrong = known & ~(np.isfinite(effect) & np.isfinite(variance) & (variance > 0.0))
    if wrong.any():
        i = int(np.argmax(wrong))
        raise InputError(
            f"{es.study[i]} (row {i + 1}): the function is not defined around {y[i]:.6g}, or does not change there"
        )
    return EffectSizes(
        effect=effect,
        variance=variance,
        study=es.study,
        measure=measure,
        note=es.note,
        estimable=es.estimable & known,
        dropped=es.dropped,
    )


def _values(function: Callable[[Any], Any], x: Floats) -> Floats:
    """The function of each number; one at a time where it does not take arrays."""
    with np.errstate(all="ignore"):
        try:
            found = np.asarray(function(x), dtype=np.float64)
            if found.shape == x.shape:
                return found
        except (TypeError, ValueError, OverflowError):
            pass
        return np.array([_one(function, value) for value in x.tolist()], dtype=np.float64)


def _one(function: Callable[[Any], Any], value: float) -> float:
    try:
        return float(function(value))
    except (ValueError, OverflowError, ZeroDivisionError):
        return np.nan
    except TypeError:
        raise InputError(f"function must give a number for a number; it does not for {value:.6g}") from None


def _derivatives(function: Callable[[Any], Any], y: Floats, se: Floats) -> tuple[Floats, Floats]:
    """First and second derivatives by extrapolated central differences; ``nan`` where no step stays in the domain."""
    at = _values(function, y)
    steps = [FIRST_STEP * se * 0.5**n for n in range(STEPS)]
    sides = [(_values(function, y + h), _values(function, y - h)) for h in steps]
    with np.errstate(invalid="ignore"):
        first = [(up - down) / (2.0 * h) for h, (up, down) in zip(steps, sides, strict=True)]
        second = [(up - 2.0 * at + down) / h**2 for h, (up, down) in zip(steps, sides, strict=True)]
    return _extrapolated(first), _extrapolated(second)


def _extrapolated(rows: list[Floats]) -> Floats:
    """The entry of Neville's table that its neighbours change least, element by element."""
    best, error = np.full_like(rows[0], np.nan), np.full_like(rows[0], np.inf)
    before: list[Floats] = []
    with np.errstate(invalid="ignore", over="ignore"):
        for row in rows:
            now = [row]
            for j, old in enumerate(before):
                now.append(now[j] + (now[j] - old) / (4.0 ** (j + 1) - 1.0))
                gap = np.maximum(np.abs(now[-1] - now[-2]), np.abs(now[-1] - old))
                better = gap < error
                best, error = np.where(better, now[-1], best), np.where(better, gap, error)
            before = now
    return best
