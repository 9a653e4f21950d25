"""Profile likelihoods of variances and correlations, and the intervals they give."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from balm.stats.distributions import chi2_ppf
from balm.stats.effect_sizes import Floats
from balm.stats.multilevel.entries import (
    compound_symmetry_as_read,
    name_in_parts,
    read_from,
    unstructured_as_read,
    unstructured_names,
)
from balm.stats.multilevel.fitted import Profile
from balm.stats.multilevel.likelihood import Problem, maximise
from balm.stats.multilevel.predicted import dense_fit
from balm.stats.multilevel.random_terms import RandomTerm
from balm.stats.multilevel.structures import Structure
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError, check_level

if TYPE_CHECKING:
    from balm.stats.multilevel.fitted import Multilevel

#: An interval's end is found to this share of the estimate and its standard error.
PRECISION = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One variance or correlation: which parameter it is, of which problem, and how the parameter is read.

    ``parameters`` is the optimum. Variances are parameters or their squares; a correlation is ``shown`` from its
    parameter, and ``inside`` is the way back.
    """

    name: str
    problem: Problem
    parameters: Floats
    where: int
    shown: Callable[[float], float] = float
    inside: Callable[[float], float] = float


def names(fit: Multilevel) -> tuple[str, ...]:
    """The variances and correlations that can be profiled."""
    out: list[str] = []
    for term in fit.terms:
        if term.kind == "intercept":
            out.append(term.name)
        else:
            out += [f"{term.name}: {name}" for name in _read(term)]
    return tuple(out)


def _read(term: RandomTerm) -> tuple[str, ...]:
    """What is read of a structured term, in the order in which results list it."""
    if term.kind == "CS":
        return ("tau2", "rho")
    if term.kind == "UN":
        return unstructured_names(_levels(term))
    return term.structure.names


def _levels(term: RandomTerm) -> int:
    assert term.inner is not None
    return term.inner.count


def _pairs(n: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(n) for j in range(i + 1, n)]


def _entry(fit: Multilevel, component: str | int) -> Entry:
    if {"MM", "VC"} & {fit.method}:
        raise InputError("moments maximise no likelihood to profile: fit the model by REML or ML")
    every = names(fit)
    if isinstance(component, int):
        if not 0 <= component < len(every):
            raise InputError(f"component must lie between 0 and {len(every) - 1}; got {component}")
        where = component
    elif component in every:
        where = every.index(component)
    else:
        raise InputError(f"component must be one of {list(every)}; got {component!r}")
    start = 0
    for term in fit.terms:
        end = start + len(term.structure.names)
        if where < end:
            break
        start = end
    if term.kind == "UN" and term.structure.names[0].startswith("sd["):
        return _entry_in_parts(fit, term, start, every[where])
    if where in fit.problem.held:
        raise _no_profile(every[where])
    if term.kind == "CS":
        within = np.bincount(term.groups.codes[np.unique(term.level, return_index=True)[1]])
        tau2, rho = term.structure.reported(fit.parameters[start:end])
        found = np.array([tau2[0], 0.0 if math.isnan(rho[0]) else rho[0]])
        twin = compound_symmetry_as_read(_levels(term), int(within.max()))
        return Entry(every[where], *_instead(fit, term, start, twin, found), where)
    if term.kind == "UN":
        n = _levels(term)
        i, j = _pairs(n)[where - start - n] if where - start >= n else (where - start, 1 if where == start else 0)
        root = np.zeros((n, n))
        root[np.tril_indices(n)] = fit.parameters[start:end]
        problem, parameters = _instead(fit, term, start, unstructured_as_read(n, i, j), read_from(root, i, j))
        if where - start < n:
            return Entry(every[where], problem, parameters, start)
        return Entry(every[where], problem, parameters, start + 2, math.sin, math.asin)
    unit = term.structure.unit
    if unit != 1.0 and where == end - 1:
        return Entry(every[where], fit.problem, fit.parameters, where, lambda p: p ** (1.0 / unit), lambda r: r**unit)
    return Entry(every[where], fit.problem, fit.parameters, where)


def _no_profile(name: str) -> InputError:
    return InputError(f"{name!r} was given, not estimated: it has no profile likelihood")


def _entry_in_parts(fit: Multilevel, term: RandomTerm, start: int, name: str) -> Entry:
    """A variance or correlation of a UN term of which others are given: they are parameters, but for some."""
    wanted = name_in_parts(name.removeprefix(f"{term.name}: "))
    if wanted not in term.structure.names:
        raise InputError(f"{name!r} is no parameter of a fit with other correlations given: it cannot be profiled")
    at = start + term.structure.names.index(wanted)
    if at in fit.problem.held:
        raise _no_profile(name)
    if wanted.startswith("sd["):
        return Entry(name, fit.problem, fit.parameters, at)
    return Entry(name, fit.problem, fit.parameters, at, math.sin, math.asin)


def _instead(fit: Multilevel, term: RandomTerm, start: int, twin: Structure, found: Floats) -> tuple[Problem, Floats]:
    """The problem with another parametrisation of one term, and the optimum in it."""
    p = fit.problem
    changed = replace(term, term=replace(term.term, structure=twin))
    terms = [changed if t is term else t for t in fit.terms]
    problem = Problem(p.effect, p.variance, p.sampling, p.design, terms, p.restricted, p.held)
    end = start + len(term.structure.names)
    return problem, np.concatenate([fit.parameters[:start], found, fit.parameters[end:]])


class _Held:
    """The profile log-likelihood as a function of one parameter, in a unit in which variances are about 1."""

    def __init__(self, fit: Multilevel, entry: Entry) -> None:
        problem, p = entry.problem, len(fit.beta)
        self.problem, self.where = problem, entry.where
        self.unit = math.sqrt((fit.k - p) / fit.solution.trace)
        self.power = float(problem.powers[entry.where])
        self.sd = self.power == 1.0  # standard deviations are shown as variances
        centred = problem.effect - problem.design @ fit.solution.centre
        self.model = problem.model(centred, self.unit)
        self.total = max((fit.qe - (fit.k - p)) / (fit.k - p), 0.1)
        self.shift = -(fit.k - (p if problem.restricted else 0)) * math.log(self.unit)
        self.known = entry.parameters / self.unit**problem.powers

    def inside(self, value: float) -> float:
        """A variance or a correlation's parameter in the solver's unit."""
        if self.power == 0.0:
            return value
        scaled = value / self.unit**2
        return math.sqrt(scaled) if self.sd else scaled

    def __call__(self, value: float) -> float:
        found = maximise(
            self.problem, self.model, self.total, (self.where, self.inside(value)), self.known, unit=self.unit
        )
        return -found.height + self.shift

    @property
    def error(self) -> float:
        """The standard error of the parameter with the others held, or 0 where the likelihood does not curve down."""
        curvature = float(self.model.evaluate(self.known, self.problem.restricted)[2][self.where, self.where])
        return self.unit**self.power / math.sqrt(curvature) if curvature > 0.0 else 0.0


def profile(fit: Multilevel, component: str | int, values: Any) -> Profile:
    """The profile log-likelihood at ``values``."""
    entry = _entry(fit, component)
    held = _Held(fit, entry)
    at = np.atleast_1d(np.asarray(values, dtype=np.float64))
    lower, upper = _range(entry, held)
    if not np.all(np.isfinite(at)) or np.any(at < entry.shown(lower)) or np.any(at > entry.shown(upper)):
        raise InputError(f"values must be finite and within the range of {entry.name}; got {at.tolist()}")
    return Profile(entry.name, at, np.array([held(entry.inside(float(v))) for v in at]))


def component_covariance(fit: Multilevel) -> Floats:
    """The inverse of the curvature of minus the log-likelihood, carried over to what is read (delta method)."""
    if {"MM", "VC"} & {fit.method}:
        raise InputError("moments maximise no likelihood, which has no curvature: fit the model by REML or ML")
    n = len(names(fit))
    free = ~np.array(fit.at_bound, dtype=bool)
    free[list(fit.problem.held)] = False
    out = np.full((n, n), math.nan)
    if not free.any():
        return out
    curvature = dense_fit(fit, restricted=fit.problem.restricted).slope_and_curvature()[1][np.ix_(free, free)]
    unit = fit.solution.trace / (fit.k - len(fit.beta))
    moved = _slopes(fit, np.where(fit.problem.powers > 0, 1e-3 * unit ** (-0.5 * fit.problem.powers), 1e-3))
    # a number that a parameter at its bound, or one given, has a share in is not free to vary as the others do
    known = np.all(moved[:, ~free] == 0.0, axis=1) & np.any(moved[:, free] != 0.0, axis=1)
    inside = moved[np.ix_(known, free)]
    if np.linalg.eigvalsh(curvature)[0] > 0.0:
        out[np.ix_(known, known)] = inside @ np.linalg.solve(curvature, inside.T)
    return out


def _read_off(fit: Multilevel, parameters: Floats) -> Floats:
    """Variances and correlations in the order of :func:`names`."""
    out, start = [], 0
    for term in fit.terms:
        end = start + len(term.structure.names)
        variances, correlations = term.structure.reported(parameters[start:end])
        out += [variances] if term.kind in ("intercept", "ID", "DIAG") else [variances, correlations]
        start = end
    return np.concatenate(out)


def _slopes(fit: Multilevel, step: Floats) -> Floats:
    """Derivatives of what is read in each parameter: central differences at two steps, extrapolated."""

    def difference(i: int, h: float) -> Floats:
        there = fit.parameters.copy()
        there[i] += h
        back = fit.parameters.copy()
        back[i] -= h
        with np.errstate(invalid="ignore"):
            return (_read_off(fit, there) - _read_off(fit, back)) / (2.0 * h)

    columns = [(4.0 * difference(i, 0.5 * h) - difference(i, h)) / 3.0 for i, h in enumerate(np.asarray(step).tolist())]
    slopes = np.stack(columns, axis=1)
    largest = np.abs(slopes).max(axis=1, keepdims=True)
    return np.where(np.abs(slopes) < 1e-9 * largest, 0.0, slopes)


def _range(entry: Entry, held: _Held) -> tuple[float, float]:
    if held.power:
        return 0.0, math.inf
    return float(entry.problem.lower[entry.where]), float(entry.problem.upper[entry.where])


def interval(fit: Multilevel, component: str | int, level: float) -> Interval:
    """Where the profile log-likelihood is within half the chi-square quantile of its maximum."""
    check_level(level)
    entry = _entry(fit, component)
    held = _Held(fit, entry)
    target = fit.solution.fit.log_likelihood - 0.5 * chi2_ppf(level, 1)
    raw = float(entry.parameters[entry.where])
    estimate = raw**2 if held.sd else raw
    step = held.error or max(abs(estimate), held.unit**2)
    step = max(step, 1e-3 * held.unit**2) if held.power else min(max(step, 0.01), 0.5)
    if held.sd:
        step = max(step * step, 2.0 * step * raw)
    least, most = _range(entry, held)

    def above(value: float) -> float:
        return held(value) - target

    low, high = _end(above, estimate, -step, least), _end(above, estimate, step, most)
    return Interval(entry.shown(low), entry.shown(high), level)


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
