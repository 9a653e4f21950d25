"""Solving a multilevel model: scaled data, several starts, and the fit at the optimum in the original unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.multilevel.blocks import BlockFit, Blocks, Term, connected
from balm.stats.multilevel.crossing import Crossing, CrossingFit, worth_crossing
from balm.stats.multilevel.grouping import Integers
from balm.stats.multilevel.nested import Nested, NestedFit, nesting
from balm.stats.multilevel.newton import Minimum, minimise
from balm.stats.multilevel.random_terms import RandomTerm
from balm.vocabulary.problems import InputError

Fit = NestedFit | CrossingFit | BlockFit
Model = Nested | Crossing | Blocks
#: Starts tried where a structure has a correlation, whose likelihood may have several maxima.
MOST_STARTS = 6
#: Up to so many effects the likelihood may have several maxima (0.4 % of small sets with very unequal variances), and
#: starts far apart cost little.
FEW_EFFECTS = 300
#: Newton steps at each range that the search passes through, from the optimum at the one before.
STEPS_ALONG = 3
#: Terms whose derivatives are this close to dependent cannot be told apart by any data.
LEAST_DISTINCT = 1e-10


@dataclass(eq=False)
class Problem:
    """One likelihood: data, known covariance, random terms, and the parameters that are given (by position)."""

    effect: Floats
    variance: Floats
    sampling: Floats | None
    design: Floats
    terms: Sequence[RandomTerm]
    restricted: bool
    held: Mapping[int, float] = field(default_factory=dict)
    order: list[int] | None = field(init=False)
    crossing: bool = field(init=False, default=False)
    block: Integers | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        plain = all(t.kind == "intercept" and not t.correlated for t in self.terms)
        self.order = None
        if plain and self.sampling is None:
            groups = [t.groups for t in self.terms]
            self.order = nesting(groups)
            self.crossing = self.order is None and worth_crossing(groups, self.blocks)

    @property
    def blocks(self) -> Integers:
        """(k,) independent block of each effect."""
        if self.block is None:
            k = len(self.effect)
            codes = [np.zeros(k, dtype=np.int64) if t.correlated else t.groups.codes for t in self.terms]
            self.block = connected(k, codes, self.sampling)
        return self.block

    def model(self, effect: Floats, unit: float) -> Model:
        """The likelihood of ``effect`` measured in ``unit``."""
        y, v = effect / unit, self.variance / unit**2
        if self.order is not None:
            return Nested(y, v, self.design, [t.groups for t in self.terms], self.order)
        sampling = None if self.sampling is None else self.sampling / unit**2

        def blocks() -> Blocks:
            return Blocks(y, v, sampling, self.design, [t.term for t in self.terms], self.blocks)

        return Crossing(y, v, self.design, [t.groups for t in self.terms], blocks) if self.crossing else blocks()

    def fit(self, model: Model, parameters: Floats, restricted: bool | None = None) -> Fit:
        """The fit at given parameters."""
        restricted = self.restricted if restricted is None else restricted
        if isinstance(model, Nested):
            return NestedFit(model, parameters, restricted)
        if isinstance(model, Crossing):
            return model.fit(parameters, restricted)
        return BlockFit(model, parameters, restricted)

    @property
    def lower(self) -> Floats:
        """Bounds of all parameters."""
        return _joined([t.structure.lower for t in self.terms])

    @property
    def upper(self) -> Floats:
        """Bounds of all parameters."""
        return _joined([t.structure.upper for t in self.terms])

    @property
    def powers(self) -> Floats:
        """How each parameter follows the unit."""
        return _joined([t.structure.powers for t in self.terms])


@dataclass(frozen=True, eq=False)
class Solution:
    """The optimum: coefficients, their covariance, parameters, what the solver left, and the common-effect fit."""

    beta: Floats
    covariance: Floats
    parameters: Floats
    residual: float
    steps: int
    at_bound: tuple[bool, ...]
    qe: float
    trace: float
    fit: Fit
    model: Model
    centre: Floats


def _joined(parts: Sequence[Floats]) -> Floats:
    return np.concatenate(parts) if parts else np.empty(0)


def common_effect(problem: Problem) -> tuple[Floats, float, float]:
    """Coefficients, residual sum of squares Q_E and ``tr P`` without random effects."""
    x, y = problem.design, problem.effect
    if problem.sampling is None:
        w = 1.0 / problem.variance
        wx = w[:, None] * x
        covariance = np.linalg.inv(x.T @ wx)
        first = covariance @ (wx.T @ y)
        e = y - x @ first
        more = covariance @ (wx.T @ e)
        e -= x @ more
        beta: Floats = first + more
        return beta, float(e @ (w * e)), float(np.sum(w) - np.sum(covariance * (wx.T @ wx)))
    block = connected(len(y), [], problem.sampling)
    fit = BlockFit(Blocks(y, problem.variance, problem.sampling, x, [], block), np.empty(0), True)
    trace = sum(float(np.trace(w, axis1=1, axis2=2).sum()) for w in fit.w)
    squared = sum(np.einsum("nmi,nmj->ij", a, a) for a in fit.wx)
    return fit.beta, fit.rss, float(trace - np.sum(fit.covariance * squared))


def solve(problem: Problem, given: Floats | None = None) -> Solution:
    """Maximise the (restricted) likelihood, or take the ``given`` parameters."""
    k, p = problem.design.shape
    centre, qe, trace = common_effect(problem)
    centred = problem.effect - problem.design @ centre
    unit = float(np.sqrt((k - p) / trace))
    parameters, residual, steps, bound = np.empty(0), 0.0, 0, np.empty(0, dtype=bool)
    if given is not None:
        parameters, bound = given, np.zeros(len(given), dtype=bool)
    elif problem.terms:
        scaled = problem.model(centred, unit)
        if not isinstance(scaled, Nested):
            _refuse_indistinct(problem, scaled)
        best = maximise(problem, scaled, max((qe - (k - p)) / (k - p), 0.1), unit=unit)
        factor = unit**problem.powers
        parameters = best.at * factor
        residual, steps, bound = best.residual, best.steps, ~best.free.astype(bool)
        for i, value in problem.held.items():
            parameters[i], bound[i] = value, False
    model = problem.model(centred, 1.0)
    try:
        fit = problem.fit(model, parameters)
    except np.linalg.LinAlgError:
        names = [t.name for t in problem.terms]
        raise InputError(
            f"the variances of the random effects {names} cannot be estimated (one grows without end): a moderator may "
            "tell a level apart that few effects have; leave out one or the other, or choose a simpler structure"
        ) from None
    return Solution(
        beta=centre + fit.beta,
        covariance=fit.covariance,
        parameters=parameters,
        residual=residual,
        steps=steps,
        at_bound=tuple(bool(b) for b in bound),
        qe=qe,
        trace=trace,
        fit=fit,
        model=model,
        centre=centre,
    )


def maximise(
    problem: Problem,
    model: Model,
    total: float,
    held: tuple[int, float] | None = None,
    known: Floats | None = None,
    *,
    unit: float,
) -> Minimum:
    """The best optimum over the starts of the structures; ``held`` keeps one more parameter at a value.

    unit  : of ``model``, in which the parameters that are given are held.
    known : a start known to be good (the optimum with nothing held); the ranges of spatial structures are then not
            searched again.
    """
    lower, upper = problem.lower.copy(), problem.upper.copy()
    for i, value in problem.held.items():
        lower[i] = upper[i] = value / unit ** problem.powers[i]
    if held is not None:
        lower[held[0]] = upper[held[0]] = held[1]
    share = total / len(problem.terms)
    best: Minimum | None = None
    choices = [[s * share ** (t.structure.powers / 2.0) for s in t.structure.starts] for t in problem.terms]
    starts = [np.concatenate(start) for start in list(product(*choices))[:MOST_STARTS]]
    if len(problem.effect) <= FEW_EFFECTS:
        along = [] if known is not None else _along_ranges(problem, model, starts[0], lower, upper)
        starts = (starts[:1] if along else starts) + _far_apart(problem, starts[0]) + along
    if known is not None:
        starts.append(known)
    for start in starts:
        found = minimise(lambda s: model.evaluate(s, problem.restricted), start, lower, upper)
        if best is None or found.height < best.height - 1e-10 * (1.0 + abs(best.height)):
            best = found
    assert best is not None
    if not np.isfinite(best.height):
        raise InputError("the likelihood cannot be evaluated: the effects, variances or V differ too much in size")
    return best


def _along_ranges(problem: Problem, model: Model, start: Floats, least: Floats, most: Floats) -> list[Floats]:
    """Where the profile likelihood of a range has a local maximum, from the shortest range to the longest."""
    out: list[Floats] = []
    end = 0
    for term in problem.terms:
        end += len(term.structure.names)
        if not len(term.structure.walk) or end - 1 in problem.held:
            continue
        lower, upper = least.copy(), most.copy()
        heights, places, at = [], [], start
        for value in term.structure.walk.tolist():
            lower[end - 1] = upper[end - 1] = value
            found = minimise(lambda s: model.evaluate(s, problem.restricted), at, lower, upper, STEPS_ALONG)
            at = found.at
            heights.append(found.height)
            places.append(at)
        edged = np.array([np.inf, *heights, np.inf])
        valley = (edged[1:-1] <= edged[:-2]) & (edged[1:-1] < edged[2:])
        out += [places[i] for i in np.flatnonzero(valley).tolist()]
    return out


def _far_apart(problem: Problem, start: Floats) -> list[Floats]:
    """Starts where no term varies, and where one varies much and the others do not."""
    owner = np.concatenate([np.full(len(t.structure.names), i) for i, t in enumerate(problem.terms)])
    size = np.full((len(problem.terms) + 1, len(start)), 1e-3)
    for i in range(len(problem.terms)):
        size[i, owner == i] = 50.0
    return list(start * size ** (problem.powers / 2.0))


def _refuse_indistinct(problem: Problem, model: Crossing | Blocks) -> None:
    """Different parameters that are not given must change M differently."""
    gram = model.likeness() if isinstance(model, Crossing) else _likeness(problem, model)
    free = [i for i in range(model.size) if i not in problem.held]
    if not free:
        return
    gram = gram[np.ix_(free, free)]
    size = np.sqrt(np.diag(gram))
    if np.any(size == 0.0) or np.linalg.eigvalsh(gram / np.outer(size, size))[0] < LEAST_DISTINCT:
        names: list[Any] = [t.name for t in problem.terms]
        raise InputError(
            f"the variances of the random effects {names} cannot be told apart: leave out one, or simplify"
        )


def _likeness(problem: Problem, model: Blocks) -> Floats:
    """Sums of products of the derivatives of M in its parameters."""
    start = np.concatenate([t.structure.starts[0] for t in problem.terms])
    start = start * np.where(np.arange(len(start)) % 2, 1.1, 0.9)  # off any special point of the structures
    start = np.clip(start, problem.lower, problem.upper)
    n = model.size
    gram = np.zeros((n, n))
    for b in model.batches:
        m = np.empty((n, b.rows.size * b.rows.shape[1]))
        for term, part, slot in zip(model.terms, model.parts, b.slots, strict=True):
            m[part] = term.structure.jacobian(start[part])[:, slot].reshape(part.stop - part.start, -1)
        gram += m @ m.T
    return gram


__all__ = ["Fit", "Problem", "Solution", "Term", "common_effect", "maximise", "solve"]
