"""Maximum likelihood of a model: the start, the search for the highest of several maxima, and what follows from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.glmm.models import Arm, structure
from balm.stats.glmm.optimum import LONGEST, Optimum, arrow_of, climb, summed, uphill
from balm.stats.glmm.quadrature import Integrals, heights, integrals
from balm.stats.glmm.structure import Structure, repeated

#: Nodes for each random effect, until the log-likelihood changes by less than ``SETTLED``: the error of the finer rule
#: is then smaller by orders of magnitude.
LADDER = {0: (1,), 1: (15, 31, 61, 99), 2: (9, 15, 25, 41)}
SETTLED = 1e-6
#: Nodes for a look from afar.
COARSE = {1: 9, 2: 5}
#: Where the likelihood is looked at before the climb: it can have a maximum at tau = 0 and another beyond.
LOOK_AT = (0.04, 0.08, 0.16, 0.35, 0.75, 1.6, 3.5)
#: Standard deviations of the effects and correlations with the levels from which the correlated model is climbed too.
#: Not from a correlation of 1: there the likelihood is even in what is left of tau, and a climb would stay.
CORNERS = ((0.3, -0.98), (0.3, 0.98), (0.8, -0.7), (0.8, 0.7))
#: With few nodes, tops this much lower may still be the highest; those this close are one; more are not looked at.
NEARLY_AS_HIGH, ALIKE, MOST_TOPS = 0.5, 1e-2, 3
#: Nodes of those first climbs.
NEAR_NODES = 7
#: Heights that differ by less are the same maximum.
SAME = 1e-8
#: Below this a standard deviation is the boundary, reached by an even function of it.
NOTHING = 1e-6
#: Beyond this on a log scale an estimate has run away.
RUN_AWAY = 25.0


@dataclass(frozen=True, eq=False)
class MixedFit:
    """A model at the top of its likelihood.

    beta, covariance : (p,), (p, p) coefficients of the effect, the other parameters eliminated.
    tau2, tau2_se    : between-study variance; the standard error is ``nan`` at 0.
    sigma2, rho      : variance of the study levels and their correlation with the effects (``nan`` where fixed).
    log_likelihood   : with all constants, integrated over the random effects.
    given_modes      : the log-likelihood given the predicted random effects.
    information      : (k,) what each study adds to the information on its effect.
    points, integration_error : nodes, and the change of the log-likelihood with the last refinement.
    residual         : distance from the optimum in standard errors.
    maxima           : (tau2, log-likelihood) of every maximum that was found.
    failed           : why there is no estimate; "" where there is one.
    calm             : the common-effect fit of the same counts, and its nodes.
    """

    structure: Structure
    optimum: Optimum
    beta: Floats
    covariance: Floats
    tau2: float
    tau2_se: float
    sigma2: float
    rho: float
    log_likelihood: float
    given_modes: float
    information: Floats
    points: int
    integration_error: float
    residual: float
    maxima: tuple[tuple[float, float], ...]
    failed: str
    calm: tuple[Optimum, int]


def fit(
    which: tuple[Arm, ...],
    studies: str | None,
    design: Floats,
    *,
    heterogeneity: bool,
    correlated: bool = False,
    points: int | None = None,
) -> MixedFit:
    """The maximum-likelihood fit; ``points`` nodes as they are, or (``None``) as many as it takes."""
    alone = structure(which, studies, design, heterogeneity=False)
    common, local = _start(alone, studies, design)
    calm, n, change = _settled(alone, common, local, points)
    base = (calm, n)
    if not heterogeneity:
        return _finished(alone, calm, n, change, ((0.0, calm.height),), 0.0, base)
    s = structure(which, studies, design, heterogeneity=True, correlated=correlated)
    at = len(calm.common)
    starts, falls = _rises(s, calm, at, correlated)
    if correlated:
        starts = _highest(s, [*starts, *_corners(calm, at)])
    tops = [(calm, alone, n, change, 0.0)]
    for start in starts:
        top, n, moved = _settled(s, start.common, start.local, points)
        tau2 = _size(top.common, at, correlated)
        if tau2 > NOTHING**2 and not any(abs(tau2 - other) <= 1e-5 * tau2 for *_, other in tops[1:]):
            tops.append((top, s, n, moved, tau2))
    best, model, n, moved, tau2 = max(tops, key=lambda t: t[0].height - (0.0 if t[1] is alone else SAME))
    maxima = tuple((t, top.height) for top, m, _, _, t in tops if m is s or falls or model is alone)
    return _finished(model, best, n, moved, maxima, tau2, base)


class _Start(NamedTuple):
    """A point near the profile of the likelihood at one tau: its height, and whether the likelihood rises there."""

    common: Floats
    local: Floats | None
    height: float
    rising: bool


def _rises(s: Structure, calm: Optimum, at: int, correlated: bool) -> tuple[list[_Start], bool]:
    """Where to climb from: the points on a grid of tau from which the likelihood rises to a maximum before the next.

    Also whether it falls from 0, which is a maximum then.  All points are looked at together; at each the other
    parameters take the steps towards their best values.
    """
    grid = [
        _Start(np.array([*calm.common, tau, *([0.0] if correlated else [])]), calm.local, 0.0, False) for tau in LOOK_AT
    ]
    if s.local is None and s.dimensions == 1 and not correlated:
        grid = _profiled(s, grid, at)
    else:
        grid = _profiled_one_by_one(s, grid, at)
    starts: list[_Start] = []
    before: _Start | None = None
    for point in grid:
        # Between 0 and the first point there is a maximum where it falls there; it may be the one at 0.
        if not point.rising and (before is None or before.rising):
            starts.append(point if before is None or point.height > before.height else before)
        before = point
    if grid[-1].rising:
        starts.append(grid[-1])
    return starts, not grid[0].rising


def _profiled(s: Structure, grid: list[_Start], at: int) -> list[_Start]:
    """Two Newton steps of the other parameters at each tau, all at once: given tau it is concave in them."""
    times = len(grid)
    several = repeated(s, times)
    common = np.array([point.common for point in grid])
    modes = np.zeros((several.k, 1))
    for last in (False, False, True):
        values = s.values_of_many(common).reshape(several.k, -1)
        found = integrals(several, values, COARSE[1], modes)
        modes = found.modes
        shape = (times, s.k, values.shape[1])
        gradient, hessian = summed(s, found.gradient.reshape(shape), found.hessian.reshape(*shape, shape[2]))
        if not last:
            step = np.linalg.solve(hessian[:, :at, :at], -gradient[:, :at, None])[:, :, 0]
            longest = np.abs(step).max(axis=1, keepdims=True)
            common[:, :at] += step * np.minimum(1.0, LONGEST / np.maximum(longest, 1e-300))
    height = found.height.reshape(times, s.k).sum(axis=1).tolist()
    return [_Start(common[t], None, height[t], bool(gradient[t, at] > 0.0)) for t in range(times)]


def _profiled_one_by_one(s: Structure, grid: list[_Start], at: int) -> list[_Start]:
    """The same where studies have a level of their own, or where other parameters may bend the wrong way."""
    several = repeated(s, len(grid))
    modes = np.zeros((several.k, s.dimensions))
    for last in (False, False, True):
        values = np.concatenate([s.values(point.common, point.local) for point in grid])
        found = integrals(several, values, COARSE[s.dimensions], modes)
        modes = found.modes
        for t, point in enumerate(grid):
            rows = slice(t * s.k, (t + 1) * s.k)
            arrow = arrow_of(s, Integrals(*(part[rows] for part in found)))
            common, local = point.common, point.local
            if not last:
                if s.dimensions == 1:  # concave, given tau
                    step = np.zeros(at + 1)
                    step[:at] = np.linalg.solve(arrow.hessian[:at, :at], -arrow.gradient[:at])
                else:
                    step = uphill(arrow.hessian, arrow.gradient, at)
                fraction = min(1.0, LONGEST / max(float(np.abs(step).max()), 1e-300))
                common = common + fraction * step
                if local is not None and arrow.own_gradient is not None:
                    assert arrow.crossed is not None and arrow.own is not None
                    own = -(arrow.own_gradient + arrow.crossed @ step) / arrow.own
                    local = local + fraction * np.clip(own, -LONGEST, LONGEST)
            grid[t] = _Start(common, local, float(found.height[rows].sum()), bool(arrow.gradient[at] > 0.0))
    return grid


def _corners(calm: Optimum, at: int) -> list[_Start]:
    """Points with every sign of the correlation, near and at its bound, and with levels that vary little and much."""
    level = calm.common[: at - 1]
    return [
        _Start(np.array([*level, sigma, tau * (1.0 - rho * rho) ** 0.5, tau * rho]), calm.local, 0.0, True)
        for sigma in (max(0.3, abs(float(calm.common[at - 1]))), 1.2)
        for tau, rho in CORNERS
    ]


def _highest(s: Structure, starts: list[_Start]) -> list[_Start]:
    """Where climbs with few nodes from these points end: the highest, and what comes near it, each once."""
    tops = [climb(s, p.common, p.local, NEAR_NODES, short=0.05, most=12) for p in starts]
    tops.sort(key=lambda top: -top.height)
    kept: list[Optimum] = []
    for top in tops:
        if top.height < tops[0].height - NEARLY_AS_HIGH:
            break
        if all(abs(top.height - one.height) > ALIKE for one in kept):
            kept.append(top)
    return [_Start(top.common, top.local, top.height, False) for top in kept[:MOST_TOPS]]


def _size(common: Floats, at: int, correlated: bool) -> float:
    """tau2, from its Cholesky parts."""
    return float(common[at] ** 2 + (common[at + 1] ** 2 if correlated else 0.0))


def _settled(s: Structure, common: Floats, local: Floats | None, points: int | None) -> tuple[Optimum, int, float]:
    """The top under as many nodes as it takes; the nodes, and what the last refinement changed."""
    if s.dimensions == 0:
        return climb(s, common, local, 1), 1, 0.0
    if points is not None:
        return climb(s, common, local, points, exact=False), points, math.nan
    ladder: Sequence[int] = LADDER[s.dimensions]
    n, change = ladder[0], math.inf
    top = climb(s, common, local, n, short=1e-4, most=40)
    level = top.height
    for n in ladder[1:]:
        finer = float(heights(s, top.values, n, top.modes)[0].sum())
        change, level = abs(finer - level), finer
        if change < SETTLED:
            break
    return climb(s, top.common, top.local, n, modes=top.modes), n, change


def _start(s: Structure, studies: str | None, design: Floats) -> tuple[Floats, Floats | None]:
    """Crude values: the pooled level of each study, no effect; the pooled level where that is the effect."""
    crude = []
    for likelihood, offset, _ in s.arms:
        peak = likelihood.peak()
        crude.append((peak.eta - offset, peak.information))
    level = sum(e * w for e, w in crude) / np.maximum(sum(w for _, w in crude), 1e-300)
    p = design.shape[1]
    if studies == "fixed":
        return np.zeros(p), level
    if studies == "random":
        return np.concatenate([np.zeros(p), [float(level.mean()), max(float(level.std()), 0.3)]]), None
    weight = np.sqrt(np.maximum(crude[0][1], 1e-6))
    beta = np.linalg.lstsq(design * weight[:, None], np.clip(level, -6.0, 6.0) * weight, rcond=None)[0]
    if len(s.arms) == 1 and np.any(crude[0][1] > 0.0):
        beta = np.linalg.lstsq(design * weight[:, None], level * weight, rcond=None)[0]
    return beta, None


def _finished(
    s: Structure,
    top: Optimum,
    points: int,
    change: float,
    maxima: tuple[tuple[float, float], ...],
    tau2: float,
    base: tuple[Optimum, int],
) -> MixedFit:
    design = s.parameters[0].design
    assert design is not None
    p = design.shape[1]
    information = -top.hessian
    constant = sum(likelihood.constant() for likelihood, _, _ in s.arms)
    named = {q.name for q in s.parameters}
    failed = ""
    try:
        np.linalg.cholesky(information + 0.0)
        covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
    except np.linalg.LinAlgError:
        covariance = np.full_like(information, np.nan)
        failed = "the likelihood has no maximum with a finite curvature"
    allowed = 1e-6 if math.isfinite(change) else 1e-3
    if not (top.residual < allowed):
        failed = f"the search did not converge (it stopped {top.residual:.2g} standard errors from an optimum)"
    elif np.abs(top.values[:, 0]).max() > RUN_AWAY or tau2 > RUN_AWAY**2:
        failed = "the likelihood rises without end (events separate the studies or groups completely)"
    tau2_se, sigma2, rho = math.nan, math.nan, math.nan
    if "sigma" in named:
        at = s.position("sigma")
        sigma2 = float(top.common[at] ** 2)
    if tau2 > 0.0:
        at = s.position("tau")
        if "shared" in named:
            one, two = top.common[at], top.common[s.position("shared")]
            slope = np.zeros(len(top.common))
            slope[[at, s.position("shared")]] = 2.0 * one, 2.0 * two
            tau2_se = math.sqrt(max(float(slope @ covariance @ slope), 0.0))
            rho = float(two / math.sqrt(tau2)) * math.copysign(1.0, top.common[s.position("sigma")])
        else:
            tau2_se = 2.0 * abs(float(top.common[at])) * math.sqrt(max(float(covariance[at, at]), 0.0))
    given = 0.0
    for j, (likelihood, _, _) in enumerate(s.arms):
        given += float(likelihood.terms(s.eta(j, top.values, top.modes[:, None, :]))[0].sum())
    return MixedFit(
        structure=s,
        optimum=top,
        beta=top.common[:p],
        covariance=covariance[:p, :p],
        tau2=tau2,
        tau2_se=tau2_se,
        sigma2=sigma2,
        rho=rho,
        log_likelihood=top.height + constant,
        given_modes=given + constant,
        information=top.shares,
        points=points,
        integration_error=change,
        residual=top.residual,
        maxima=tuple((t, h + constant) for t, h in maxima),
        failed=failed,
        calm=base,
    )
