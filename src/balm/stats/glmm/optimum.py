"""The highest point of a likelihood whose parameters are common to the studies, except at most one for each study.

Newton's method on the exact Hessian; each study's own parameter is eliminated (the Hessian is an arrow), so that a step
costs the square of the number of common parameters, however many studies there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.glmm.quadrature import Integrals, differences, integrals
from balm.stats.glmm.structure import Structure

#: A step shorter than this many standard errors ends the search; differences of rounded heights allow less.
SHORT, SHORT_BY_DIFFERENCES = 1e-9, 1e-7
MOST_STEPS = 100
#: No parameter moves further than this in one step: all are on log or logit scales.
LONGEST = 3.0
#: Least curvature: a study's own parameter that runs off to infinity takes steps of one and no longer matters.
LEAST = 1e-13


class Optimum(NamedTuple):
    """Where the search ended.

    common, local : the common parameters, and each study's own (``None``: there are none).
    height        : the log-likelihood without the constants of the counts.
    gradient, hessian : of the common parameters, each study's own eliminated.
    crossed, own  : (k, p) and (k,) of the arrow, for what asks about each study's own parameter.
    residual      : length of the last Newton step, in standard errors.
    values, modes : (k, a) parameters of each study, and the modes of its random variables.
    shares        : (k,) what each study adds to the information on its effect.
    """

    common: Floats
    local: Floats | None
    height: float
    gradient: Floats
    hessian: Floats
    crossed: Floats | None
    own: Floats | None
    residual: float
    values: Floats
    modes: Floats
    shares: Floats


class Arrow(NamedTuple):
    """Gradient and Hessian of the common parameters, each study's own eliminated, and what belongs to these."""

    gradient: Floats
    hessian: Floats
    own_gradient: Floats | None
    crossed: Floats | None
    own: Floats | None
    shares: Floats


def arrow_of(s: Structure, found: Integrals) -> Arrow:
    """Derivatives by the common parameters, with each study's own eliminated."""
    g, h = found.gradient, found.hessian
    local = s.local
    design, _, whose = s.layout
    effect = next(i for i, p in enumerate(s.parameters) if p.of_effect and p.random is None)
    if local is None:
        gradient, hessian = summed(s, g, h)
        return Arrow(gradient, hessian, None, None, None, -h[:, effect, effect])
    own = np.minimum(h[:, local, local], -LEAST)
    reduced = h - h[:, :, local, None] * (h[:, local] / own[:, None])[:, None, :]
    gradient, hessian = summed(s, g - h[:, :, local] * (g[:, local] / own)[:, None], reduced)
    crossed = design * h[:, local, whose]
    return Arrow(gradient, hessian, g[:, local], crossed, own, -reduced[:, effect, effect])


def summed(s: Structure, gradient: Floats, hessian: Floats) -> tuple[Floats, Floats]:
    """(..., p) and (..., p, p) by the common parameters, of (..., k, a) and (..., k, a, a) by those of each study."""
    design, products, whose = s.layout
    if whose != list(range(gradient.shape[-1])):
        gradient, hessian = gradient[..., whose], hessian[..., whose, :][..., whose]
    return np.sum(gradient * design, axis=-2), np.sum(hessian * products, axis=-3)


def uphill(hessian: Floats, gradient: Floats, held: int | None) -> Floats:
    """Newton's step, with the curvatures that bend the wrong way turned round."""
    if held is not None:
        kept = np.delete(np.arange(len(gradient)), held)
        whole = np.zeros(len(gradient))
        whole[kept] = uphill(hessian[np.ix_(kept, kept)], gradient[kept], None)
        return whole
    scale = np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-12))
    values, vectors = np.linalg.eigh(hessian / np.outer(scale, scale))
    bend = np.maximum(np.abs(values), 1e-10)
    step: Floats = vectors @ ((vectors.T @ (gradient / scale)) / bend) / scale
    return step


def climb(
    s: Structure,
    common: Floats,
    local: Floats | None,
    points: int,
    *,
    modes: Floats | None = None,
    exact: bool = True,
    held: int | None = None,
    short: float | None = None,
    most: int = MOST_STEPS,
) -> Optimum:
    """From a start to the top.

    exact : False takes the derivatives of the approximation instead of the integral's.
    held  : position of a common parameter that stays where it is.
    short : a step of this many standard errors is the last one.
    """
    if short is None:
        short = SHORT if exact else SHORT_BY_DIFFERENCES
    look: Callable[..., Integrals] = integrals if exact else differences
    v = np.zeros((s.k, s.dimensions)) if modes is None else modes
    found = look(s, s.values(common, local), points, v)
    height = float(found.height.sum())
    residual = np.inf
    arrow = arrow_of(s, found)
    for _ in range(most):
        step = uphill(arrow.hessian, arrow.gradient, held)
        own_step = None
        if local is not None:
            assert arrow.own is not None and arrow.crossed is not None and arrow.own_gradient is not None
            own_step = -(arrow.own_gradient + arrow.crossed @ step) / arrow.own
        residual = math.sqrt(max(float(step @ arrow.gradient), 0.0))
        if own_step is not None and arrow.own is not None:
            residual = max(residual, float(np.sqrt(np.max(own_step**2 * -arrow.own))))
        if residual < short:
            break
        size = np.abs(step).max(initial=0.0)
        if own_step is not None:
            size = max(size, float(np.abs(own_step).max()))
        fraction = min(1.0, LONGEST / max(size, 1e-300))
        for _ in range(30):
            new_common = common + fraction * step
            new_local = None if local is None or own_step is None else local + fraction * own_step
            new = look(s, s.values(new_common, new_local), points, found.modes)
            new_height = float(new.height.sum())
            if new_height >= height - 1e-11 * (1.0 + abs(height)):
                break
            fraction *= 0.4
        else:
            break
        common, local, found, height = new_common, new_local, new, new_height
        arrow = arrow_of(s, found)
    return Optimum(
        common,
        local,
        height,
        arrow.gradient,
        arrow.hessian,
        arrow.crossed,
        arrow.own,
        residual,
        s.values(common, local),
        found.modes,
        arrow.shares,
    )
