"""Weights that the caller gives: another estimate of the coefficients, with the covariance that it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.multilevel.blocks import Blocks
from balm.stats.multilevel.likelihood import Problem, Solution
from balm.vocabulary import problems
from balm.vocabulary.problems import InputError

if TYPE_CHECKING:
    from balm.stats.multilevel.fitted import Multilevel

#: How far a weight matrix may be from symmetric, relative to its largest entry.
SYMMETRIC = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class OwnWeights:
    """The coefficients under weights W: ``beta = A y`` with ``A = (X'WX)⁻¹ X'W``, ``covariance = A M A'``.

    rows    : A (p, k).
    carried : A M (p, k), the covariance of the coefficients with the effects.
    loss    : what the log-likelihood falls short of that of the model's own coefficients.
    """

    given: Floats
    beta: Floats
    covariance: Floats
    rows: Floats
    carried: Floats
    loss: float


def read_weights(weights: Any, es: EffectSizes) -> Floats | None:
    """Checked: "equal", one positive number an effect, or a symmetric (k, k) matrix."""
    if weights is None:
        return None
    k = len(es)
    if isinstance(weights, str):
        if weights != "equal":
            raise InputError(f"weights must be 'equal', one number an effect or a (k, k) matrix; got {weights!r}")
        return np.ones(k)
    try:
        own: Floats = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("weights must be numbers: one an effect, or a (k, k) matrix") from None
    if own.shape not in ((k,), (k, k)):
        raise InputError(f"weights must hold one number an effect ({k}) or a ({k}, {k}) matrix; got {own.shape}")
    if own.ndim == 1:
        bad = np.flatnonzero(~(np.isfinite(own) & (own > 0.0))).tolist()
        if bad:
            raise InputError(
                [problems.Problem(f"{es.study[i]}: weight {own[i]:g} is not a positive number", row=i + 1) for i in bad]
            )
        return own
    if not np.all(np.isfinite(own)):
        raise InputError("weights holds numbers that are missing or not finite")
    if np.abs(own - own.T).max() > SYMMETRIC * np.abs(own).max():
        raise InputError("weights is not symmetric: the weight of one effect beside another is one number")
    return own


def under_weights(problem: Problem, solution: Solution, given: Floats) -> OwnWeights:
    """The coefficients under ``given`` weights, with the variances that the model was fitted with."""
    x = problem.design
    wx = given[:, None] * x if given.ndim == 1 else given @ x
    inside = x.T @ wx
    size = np.sqrt(np.abs(np.diag(inside)))
    # scaled, so that no unit of a moderator decides whether they count as dependent
    if np.any(size == 0.0) or np.linalg.cond(inside / np.outer(size, size)) > 1e14:
        raise InputError("weights leave some coefficient without any effect to estimate it from")
    rows: Floats = np.asarray(np.linalg.solve(inside, wx.T), dtype=np.float64)
    centred = problem.effect - x @ solution.centre
    model = Blocks(centred, problem.variance, problem.sampling, x, [t.term for t in problem.terms], problem.blocks)
    values = [t.structure.values(solution.parameters[part]) for t, part in zip(problem.terms, model.parts, strict=True)]
    carried = np.empty_like(rows)
    for b in model.batches:
        m = b.v
        for entry, slot in zip(values, b.slots, strict=True):
            m = m + entry[slot]
        carried[:, b.rows] = np.einsum("pna,nab->pnb", rows[:, b.rows], m)
    beta = solution.centre + rows @ centred
    apart = beta - solution.beta
    loss = 0.5 * float(apart @ np.linalg.solve(solution.covariance, apart))
    return OwnWeights(given, beta, carried @ rows.T, rows, carried, loss)


def refuse_own_weights(fit: Multilevel, what: str) -> None:
    """What rests on the model's own weights."""
    if fit.own is not None:
        raise InputError(f"{what} is not defined for weights of your own: fit the model without weights=")
