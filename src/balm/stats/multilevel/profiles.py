"""Profile likelihoods of variances and correlations, and the intervals they give."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from balm.stats.distributions import chi2_ppf
from balm.stats.multilevel.fitted import Profile
from balm.stats.multilevel.likelihood import maximise
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError, check_level

if TYPE_CHECKING:
    from balm.stats.multilevel.fitted import Multilevel

#: Kinds whose parameters are the variances and correlations themselves (UN and CS are solved in other ones).
DIRECT = ("intercept", "ID", "DIAG", "AR", "HCS", "HAR", "CAR", "SPEXP", "SPGAU", "SPLIN", "SPRAT", "SPSPH")
#: An interval's end is found to this share of the estimate and its standard error.
PRECISION = 1e-8


def _every(fit: Multilevel) -> list[tuple[str, bool]]:
    out = []
    for term in fit.terms:
        for name in term.structure.names:
            direct = term.kind in DIRECT
            out.append((term.name if term.kind == "intercept" else f"{term.name}: {name}", direct))
    return out


def names(fit: Multilevel) -> tuple[str, ...]:
    """The parameters that can be profiled."""
    return tuple(name for name, direct in _every(fit) if direct)


def _position(fit: Multilevel, component: str | int) -> int:
    every = _every(fit)
    if isinstance(component, int):
        if not 0 <= component < len(every):
            raise InputError(f"component must lie between 0 and {len(every) - 1}; got {component}")
        where = component
    else:
        found = [i for i, (name, _) in enumerate(every) if name == component]
        if not found:
            raise InputError(f"component must be one of {list(names(fit))}; got {component!r}")
        where = found[0]
    if not every[where][1]:
        raise InputError(
            f"{every[where][0]} belongs to a structure that is not profiled entry by entry; compare nested models"
        )
    return where


class _Held:
    """The profile log-likelihood as a function of one parameter, in a unit in which variances are about 1."""

    def __init__(self, fit: Multilevel, where: int) -> None:
        problem, p = fit.problem, len(fit.beta)
        self.problem, self.where = problem, where
        self.unit = math.sqrt((fit.k - p) / fit.solution.trace)
        self.power = float(problem.powers[where])
        self.sd = self.power == 1.0  # standard deviations are shown as variances
        centred = problem.effect - problem.design @ fit.solution.centre
        self.model = problem.model(centred, self.unit)
        self.total = max((fit.qe - (fit.k - p)) / (fit.k - p), 0.1)
        self.shift = -(fit.k - (p if problem.restricted else 0)) * math.log(self.unit)
        self.best = fit.solution.fit.log_likelihood

    def inside(self, value: float) -> float:
        """A shown value in the solver's parameter."""
        if self.power == 0.0:
            return value
        scaled = value / self.unit**2
        return math.sqrt(scaled) if self.sd else scaled

    def __call__(self, value: float) -> float:
        found = maximise(self.problem, self.model, self.total, (self.where, self.inside(value)))
        return -found.height + self.shift


def profile(fit: Multilevel, component: str | int, values: Any) -> Profile:
    """The profile log-likelihood at ``values``."""
    where = _position(fit, component)
    held = _Held(fit, where)
    at = np.atleast_1d(np.asarray(values, dtype=np.float64))
    low = fit.problem.lower[where] if held.power == 0.0 else 0.0
    if not np.all(np.isfinite(at)) or np.any(at < low) or (held.power == 0.0 and np.any(at > fit.problem.upper[where])):
        raise InputError(f"values must be finite and within the range of {_every(fit)[where][0]}; got {at.tolist()}")
    return Profile(_every(fit)[where][0], at, np.array([held(float(v)) for v in at]))


def interval(fit: Multilevel, component: str | int, level: float) -> Interval:
    """Where the profile log-likelihood is within half the chi-square quantile of its maximum."""
    check_level(level)
    where = _position(fit, component)
    held = _Held(fit, where)
    target = fit.solution.fit.log_likelihood - 0.5 * chi2_ppf(level, 1)
    raw = float(fit.parameters[where])
    estimate = raw**2 if held.sd else raw
    curvature = float(fit.solution.curvature[where, where])
    step = 1.0 / math.sqrt(curvature) if curvature > 0.0 else max(abs(estimate), held.unit**2)
    step = max(step, 1e-3 * held.unit**2) if held.power else min(max(step, 0.01), 0.5)
    if held.sd:
        step = max(step * step, 2.0 * step * raw)
    correlation = held.power == 0.0
    least = float(fit.problem.lower[where]) if correlation else 0.0
    most = float(fit.problem.upper[where]) if correlation else math.inf

    def above(value: float) -> float:
        return held(value) - target

    return Interval(_end(above, estimate, -step, least), _end(above, estimate, step, most), level)


def _end(above: Any, start: float, step: float, limit: float) -> float:
    """The root of ``above`` from ``start`` in the direction of ``step``; the limit itself when it lies inside."""
    near, near_height = start, above(start)
    while True:
        far = near + step
        if (step < 0.0 and far <= limit) or (step > 0.0 and far >= limit):
            far = limit
        height = above(far)
        if height <= 0.0:
            break
        if far == limit:
            return limit
        near, near_height, step = far, height, 2.0 * step
    return _root(above, near, near_height, far, height, abs(start))


def _root(above: Any, a: float, fa: float, b: float, fb: float, scale: float) -> float:
    """Illinois' false position: bracketing, and faster than halving."""
    for _ in range(100):
        c = b - fb * (b - a) / (fb - fa) if fb != fa else 0.5 * (a + b)
        fc = above(c)
        if fc == 0.0 or abs(b - a) <= PRECISION * max(abs(c), scale, 1e-12) or abs(fc) < 1e-11:
            return float(c)
        if fc * fb < 0.0:
            a, fa = b, fb
        else:
            fa *= 0.5
        b, fb = c, fc
    return float(b)
