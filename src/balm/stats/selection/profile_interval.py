"""Intervals by profile likelihood: one parameter is held, the others climb again, and the likelihood says how far."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.heterogeneity.solving import crossing
from balm.stats.tails import chi2_quantile
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError, check_level

if TYPE_CHECKING:
    from balm.stats.selection.fitted import SelectionModel

#: Steps outwards, each twice the last, before an end counts as beyond reach.
MOST_STEPS = 40


def profile_interval(fit: SelectionModel, name: str, level: float) -> Interval:
    """Values of the parameter within half a chi-squared(1) quantile of the highest log-likelihood.

    Hardy & Thompson (1996), Stat Med 15:619, for tau2. With clusters the likelihood is not one of dependent effects
    and there is no such interval.
    """
    check_level(level)
    if fit.clusters is not None:
        raise InputError("a profile interval needs a likelihood; with cluster= the effects are not independent")
    j, to_value = _place(fit, name)
    if fit._best is None:
        return Interval(math.nan, math.nan, level)
    likelihood, best = fit._likelihood, fit._best
    goal = 0.5 * chi2_quantile(level, 1)
    middle = float(best.at[j])
    low_end, high_end = float(likelihood.lower[j]), float(likelihood.upper[j])
    curved = float(best.curvature[j, j])
    width = 1.0 / math.sqrt(curved) if curved > 0.0 else 1.0
    known: dict[float, Floats] = {middle: best.at}

    def above(value: float) -> float:
        nearest = min(known, key=lambda other: abs(other - value))
        found = likelihood.from_start(known[nearest], {j: value})
        if not math.isfinite(found.height):
            return -math.inf
        known[value] = found.at
        return goal - (found.height - best.height)

    def end(direction: float, bound: float) -> float:
        inside, step = middle, width
        for _ in range(MOST_STEPS):
            there = inside + direction * step
            reached = (there - bound) * direction >= 0.0
            there = bound if reached else there
            rest = above(there)
            if rest < 0.0:
                return crossing(above, inside, there)
            if reached:
                return bound
            inside, step = there, 2.0 * step
        return direction * math.inf

    low = middle if middle <= low_end else end(-1.0, low_end)
    high = middle if middle >= high_end else end(1.0, high_end)
    ends = sorted((to_value(low, low <= low_end), to_value(high, high >= high_end)))
    return Interval(ends[0], ends[1], level)


def _place(fit: SelectionModel, name: str) -> tuple[int, Callable[[float, bool], float]]:
    """Where the parameter is among the working ones, and how a working value reads."""
    likelihood, unit, sign = fit._likelihood, fit._unit, fit.choices.sign
    p, selected = likelihood.p, likelihood.selected
    if name in fit.names:
        return fit.names.index(name), lambda value, _: sign * unit * value + 0.0
    if name == "tau2":
        if fit.model == "common":
            raise InputError("a common-effect model has no tau2")
        return p, lambda value, beyond: math.inf if beyond and value > 0.0 else value * unit**2
    shift = 1 if fit.choices.kind == "truncated" else 0
    rows = {**{str(i + 1): i for i in range(len(fit.labels))}, **{label: i for i, label in enumerate(fit.labels)}}
    if name not in rows:
        raise InputError(f"no parameter {name!r}; there are {[*fit.names, 'tau2', *fit.labels]}")
    free = selected.free.tolist()
    if rows[name] + shift not in free:
        raise InputError(f"{name!r} was not estimated: it is given, or 0 because no study has it")
    m = free.index(rows[name] + shift)

    def read(value: float, beyond: bool) -> float:
        if beyond:
            return math.inf if value > 0.0 else 0.0
        at = np.array(selected.neutral)
        at[m] = value
        return float(selected.delta(at)[free[m]])

    return p + 1 + m, read
