"""Every study left out in turn: the coefficients, their covariance, tau2 and Q_E without it.

For a mean this is one vectorised pass over k groups of k - 1 studies, built a chunk at a time; for a meta-regression
the weighted least squares fit is repeated k times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from balm.stats.diagnostics.accepted import Model, refitting
from balm.stats.effect_sizes import Floats
from balm.stats.groups import CHUNK, ManyGroups
from balm.stats.pooling.analysis import analyse
from balm.stats.regression.between_study_variance import estimate
from balm.stats.regression.projection import Projection

#: The smallest ratio of singular values at which a design still counts as of full rank, per square root of rows.
_RANK = 1e-11

_NO_FACTOR = "which has no Hartung-Knapp interval"


@dataclass(frozen=True, eq=False)
class Deleted:
    """Row ``i`` is the fit without study ``i``; ``reasons[i]`` says why it is ``nan``.

    ``factor`` is what the interval in force multiplies Wald's covariance by: Hartung-Knapp's of the fit without the
    study, else 1.
    """

    beta: Floats  # (k, p)
    covariance: Floats  # (k, p, p), of the interval in force
    tau2: Floats  # (k,)
    qe: Floats  # (k,)
    factor: Floats  # (k,)
    reasons: dict[int, str]


def without_each(model: Model) -> Deleted:
    """The fit without each study in turn."""
    k, p = model.k, model.p
    none = np.full(k, math.nan)
    found = Deleted(np.full((k, p), math.nan), np.full((k, p, p), math.nan), none, none.copy(), none.copy(), {})
    if k == 1:
        found.reasons[0] = "not estimable: one study"
    elif model.names != ("mean",):
        _coefficients(model, found)
    elif k == 2:
        _other_study(model, found)
    else:
        _means(model, found)
    return found


def _known(model: Model) -> float:
    """A tau2 that needs no studies: 0 under a common effect, or the number given; else ``nan``."""
    if model.estimator is None:
        return 0.0
    return math.nan if isinstance(model.estimator, str) else float(model.estimator)


def _other_study(model: Model, found: Deleted) -> None:
    known = _known(model)
    found.beta[:, 0] = model.effect[::-1]
    found.tau2[:] = known
    found.factor[:] = model.in_force(math.nan)
    found.covariance[:, 0, 0] = (model.variance[::-1] + known) * found.factor
    found.qe[:] = 0.0
    if math.isnan(known):
        reason = "not estimable: one study is left, from which tau2 cannot be estimated"
        found.reasons.update(dict.fromkeys(range(2), reason))
    elif np.isnan(found.factor).any():
        found.reasons.update(dict.fromkeys(range(2), f"not estimable: one study is left, {_NO_FACTOR}"))


def _means(model: Model, found: Deleted) -> None:
    k = model.k
    choices = refitting(model)
    step = max(1, CHUNK // (k - 1))
    others = np.arange(k - 1)
    for start in range(0, k, step):
        out = np.arange(start, min(start + step, k))
        rows = (others[None, :] + (others[None, :] >= out[:, None])).ravel()
        offsets = np.arange(len(out) + 1, dtype=np.int64) * (k - 1)
        own = None if model.own_weights is None else model.own_weights[rows]
        a = analyse(ManyGroups(model.effect[rows], model.variance[rows], offsets), choices, own)
        found.beta[out, 0] = a.estimate
        found.factor[out] = factor = model.in_force(a.factor)
        found.covariance[out, 0, 0] = a.wald * a.wald * factor
        found.tau2[out] = a.tau2
        found.qe[out] = a.q


def _coefficients(model: Model, found: Deleted) -> None:
    k, p = model.k, model.p
    known = _known(model)
    keep = np.ones(k, dtype=np.bool_)
    for i in range(k):
        keep[i] = False
        y, v, x = model.effect[keep], model.variance[keep], model.design[keep]
        keep[i] = True
        size = np.linalg.norm(x, axis=0)
        if (size == 0.0).any() or int(np.linalg.matrix_rank(x / size, tol=_RANK * math.sqrt(k))) < p:
            found.reasons[i] = "not estimable: without this study the coefficients cannot be told apart"
            continue
        if isinstance(model.estimator, str):
            if k - 1 == p:
                found.reasons[i] = f"not estimable: {p} studies are left for {p} coefficients, and none for tau2"
                continue
            tau2 = estimate(y, v, x, model.estimator).tau2
        else:
            tau2 = known
            if k - 1 == p and math.isnan(model.in_force(math.nan)):
                found.reasons[i] = f"not estimable: {p} studies are left for {p} coefficients, {_NO_FACTOR}"
                continue
        fit = Projection(y, x, 1.0 / (v + tau2))
        found.beta[i] = fit.beta
        found.factor[i] = factor = model.in_force(fit.rss / (k - 1 - p) if k - 1 > p else math.nan)
        found.covariance[i] = fit.covariance * factor
        found.tau2[i] = tau2
        found.qe[i] = fit.rss if tau2 == 0.0 else Projection(y, x, 1.0 / v).rss
