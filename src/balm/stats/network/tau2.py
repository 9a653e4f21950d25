"""Between-study variance of a network: one tau2 for every contrast, half of it shared between contrasts of a study.

Jackson, White & Riley (2012) Stat Med 31:3805 (moments); Jackson et al. (2014) Stat Med 33:3639 (network, likelihood).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from balm.stats.network.contrasts import Contrasts
from balm.stats.network.rows import Rows, rows_of
from balm.stats.network.solved import solve
from balm.vocabulary.quick_dataclass import dataclass

#: The words of ``tau2=``.
ESTIMATORS = {"DL": "method of moments", "REML": "restricted maximum likelihood", "ML": "maximum likelihood"}
#: Whether the sampling covariance of the contrasts of a multi-arm study enters the likelihood. Some programs leave it
#: out while they estimate tau2 (not afterwards); "ignored" gives their number again.
COVARIANCES = ("exact", "ignored")
Score = Callable[[float], tuple[float, float, float]]
#: A place and what the score was there.
Looked = tuple[float, tuple[float, float, float]]
#: Where the score is looked at before its roots are refined, in units of the median variance of a row.
GRID = (0.0, 1e-4, 1e-3, 1e-2, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)


@dataclass(frozen=True, slots=True)
class Tau2:
    """``residual`` is what is left of the estimating equation, relative to its terms; 0 at the boundary."""

    value: float
    estimator: str
    residual: float
    maxima: int = 1


def degrees_of_freedom(rows: Rows) -> int:
    """Rows less basic parameters."""
    return len(rows.value) - (rows.n - 1)


def moments(rows: Rows, q: float, inverse: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """``max(0, (Q - df) / c)``; 0 without degrees of freedom.

    The trace is taken over the Laplacians of the studies: ``c = (sum w - tr(L+ A'W2A)) / 2``.
    """
    df = degrees_of_freedom(rows)
    if df <= 0:
        return 0.0
    weight = 1.0 / rows.variance
    c = 0.5 * float(weight.sum() - (weight**2 * rows.variances(inverse)).sum())
    return max(0.0, (q - df) / c) if c > 1e-10 * float(weight.sum()) else 0.0


def estimate(contrasts: Contrasts, estimator: str, covariance: str = "exact", reference: int = 0) -> Tau2:
    """The estimate by one of :data:`ESTIMATORS`, under one of :data:`COVARIANCES`."""
    rows = rows_of(contrasts)
    if degrees_of_freedom(rows) <= 0:
        return Tau2(0.0, estimator, 0.0)
    if estimator == "DL":
        first = solve(rows)
        return Tau2(moments(rows, first.q, first.inverse), estimator, 0.0)
    if covariance == "ignored" and bool((contrasts.arms > 2).any()):
        return _maximised(_working_score(contrasts, estimator == "REML", reference), rows, estimator)
    return _maximised(_score(contrasts, rows, estimator == "REML"), rows, estimator)


def _score(contrasts: Contrasts, rows: Rows, restricted: bool) -> Score:
    changing = rows.rest > 0.0

    def score(t: float) -> tuple[float, float, float]:
        """Twice the derivative of the log-likelihood by ``t = tau2 / 2``, its terms' size, and minus twice itself."""
        here = rows_of(contrasts, 2.0 * t) if changing else rows
        found = solve(here, 2.0 * t)
        w = found.weight
        trace = float((w**2 * here.variances(found.inverse)).sum()) if restricted else 0.0
        gain = float((w**2 * found.residual**2).sum())
        loss = float(w.sum()) - trace
        deviance = found.q - float(np.log(w).sum())
        if restricted:
            deviance += found.log_determinant
        return gain - loss, loss + gain, deviance

    return score


def _working_score(contrasts: Contrasts, restricted: bool, reference: int) -> Score:
    """The likelihood in which the contrasts of a multi-arm study share heterogeneity but no sampling error."""
    chosen, sign = [], []
    base = np.zeros(contrasts.k, dtype=np.int64)
    for a in (contrasts.first, contrasts.second):
        np.maximum.at(base, contrasts.study, a)
    for a in (contrasts.first, contrasts.second):
        base[contrasts.study[a == reference]] = reference
    for i, (s, a, b) in enumerate(zip(contrasts.study, contrasts.first, contrasts.second, strict=True)):
        if base[s] in (a, b):
            chosen.append(i)
            sign.append(1.0 if base[s] == a else -1.0)
    flip, study = np.array(sign), contrasts.study[chosen]
    y, v = contrasts.effect[chosen] * flip, contrasts.variance[chosen]
    m = len(chosen)
    x = np.zeros((m, len(contrasts.treatments)))
    x[np.arange(m), contrasts.first[chosen]] += flip
    x[np.arange(m), contrasts.second[chosen]] -= flip
    x = x[:, 1:]
    shared = np.where(study[:, None] == study[None, :], 1.0, 0.0) + np.eye(m)

    def score(t: float) -> tuple[float, float, float]:
        marginal = np.diag(v) + t * shared
        w = np.linalg.inv(marginal)
        information = x.T @ w @ x
        p = w - w @ x @ np.linalg.solve(information, x.T @ w)
        r = p @ y
        gain, loss = float(r @ shared @ r), float(((p if restricted else w) * shared).sum())
        deviance = float(np.linalg.slogdet(marginal)[1] + y @ r)
        if restricted:
            deviance += float(np.linalg.slogdet(information)[1])
        return gain - loss, gain + loss, deviance

    return score


def _maximised(score: Score, rows: Rows, estimator: str) -> Tau2:
    """The highest maximum over ``t = tau2 / 2``."""
    unit = float(np.median(rows.variance))
    points = [unit * g for g in GRID]
    scores = [score(t) for t in points]
    while scores[-1][0] > 0.0 and points[-1] < 1e12 * unit:
        points.append(points[-1] * 10.0)
        scores.append(score(points[-1]))
    found = [] if scores[0][0] > 0.0 else [(scores[0][2], 0.0, 0.0)]
    for low, high in pairwise(zip(points, scores, strict=True)):
        if low[1][0] > 0.0 >= high[1][0]:
            found.append(_root(score, low, high))
    best = min(found)
    return Tau2(2.0 * best[1], estimator, best[2], len(found))


def _root(score: Score, low: Looked, high: Looked) -> tuple[float, float, float]:
    """Deviance, root and relative residual in a bracket where the score falls (Brent's method, to the last bits)."""
    from scipy.optimize import brentq

    seen = dict((low, high))

    def value(t: float) -> float:
        found, size, _ = seen[t] = seen[t] if t in seen else score(t)
        # below this the score is rounding, and a search would follow noise
        return 0.0 if abs(found) < 1e-14 * size else found

    root = float(brentq(value, low[0], high[0], xtol=1e-300, rtol=1e-15))
    found, size, deviance = seen[root]
    return deviance, root, abs(found) / size
