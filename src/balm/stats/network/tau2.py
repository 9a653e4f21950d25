"""Between-study variance of a network: one tau2 for every contrast, half of it shared between contrasts of a study.

Jackson, White & Riley (2012) Stat Med 31:3805 (moments); Jackson et al. (2014) Stat Med 33:3639 (network, likelihood).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from balm.stats.network.contrasts import Contrasts
from balm.stats.network.rows import Rows, rows_of
from balm.stats.network.solved import Solved, solve
from balm.vocabulary.quick_dataclass import dataclass

#: The words of ``tau2=``.
ESTIMATORS = {"DL": "method of moments", "REML": "restricted maximum likelihood", "ML": "maximum likelihood"}
#: Whether the sampling covariance of the contrasts of a multi-arm study enters the likelihood. Some programs leave it
#: out while they estimate tau2 (not afterwards); "ignored" gives their number again.
COVARIANCES = ("exact", "ignored")
#: Of ``t = tau2 / 2``: what raises tau2 and what lowers it (their difference is twice the derivative of the
#: log-likelihood), and minus twice the log-likelihood.
Score = Callable[[float], tuple[float, float, float]]
#: Where the score is looked at before its roots are refined, in units of the median variance of a row.
GRID = (0.0, 1e-4, 1e-3, 1e-2, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)

#: Stands for 0 below a fraction.
TINY = 1e-280


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


def moments(rows: Rows, q: float, upper: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """``max(0, (Q - df) / c)``; 0 without degrees of freedom.

    The trace is taken over the Laplacians of the studies: ``c = (sum w - tr(L+ A'W2A)) / 2``.
    """
    df = degrees_of_freedom(rows)
    if df <= 0:
        return 0.0
    weight = 1.0 / rows.variance
    c = 0.5 * float(weight.sum() - (weight**2 * rows.variances(upper)).sum())
    return max(0.0, (q - df) / c) if c > 1e-10 * float(weight.sum()) else 0.0


class Solutions:
    """A network solved at one tau2 after another; at 0 and where it was asked last it is not solved again."""

    def __init__(self, contrasts: Contrasts) -> None:
        self.contrasts = contrasts
        self.rows = rows_of(contrasts)
        self.common = solve(self.rows)
        self._last = 0.0, self.rows, self.common

    def rows_at(self, tau2: float) -> Rows:
        """The same at every tau2, but for rounded contrasts of multi-arm studies."""
        return rows_of(self.contrasts, tau2) if self.rows.rest and tau2 > 0.0 else self.rows

    def at(self, tau2: float) -> tuple[Rows, Solved]:
        """The rows and the solution."""
        if tau2 == 0.0:
            return self.rows, self.common
        if tau2 != self._last[0]:
            rows = self.rows_at(tau2)
            self._last = tau2, rows, solve(rows, tau2)
        return self._last[1:]


def estimate(solutions: Solutions, estimator: str, covariance: str = "exact", reference: int = 0) -> Tau2:
    """The estimate by one of :data:`ESTIMATORS`, under one of :data:`COVARIANCES`."""
    contrasts, rows, common = solutions.contrasts, solutions.rows, solutions.common
    if degrees_of_freedom(rows) <= 0:
        return Tau2(0.0, estimator, 0.0)
    if estimator == "DL":
        return Tau2(moments(rows, common.q, common.upper), estimator, 0.0)
    unit = float(np.median(rows.variance))
    if covariance == "ignored" and bool((contrasts.arms > 2).any()):
        score, spread = _working_score(contrasts, estimator == "REML", reference)
    else:
        score, spread = _score(solutions, estimator == "REML"), float((common.residual**2).sum())
    return _maximised(score, unit, estimator, None if rows.rest else spread)


def _score(solutions: Solutions, restricted: bool) -> Score:
    def score(t: float) -> tuple[float, float, float]:
        rows, found = solutions.at(2.0 * t)
        w = found.weight
        trace = float((w**2 * rows.variances(found.upper)).sum()) if restricted else 0.0
        deviance = found.q - float(np.log(w).sum())
        if restricted:
            deviance += found.log_determinant
        return float((w**2 * found.residual**2).sum()), float(w.sum()) - trace, deviance

    return score


def _working_score(contrasts: Contrasts, restricted: bool, reference: int) -> tuple[Score, float]:
    """The likelihood in which the contrasts of a multi-arm study share heterogeneity but no sampling error.

    With it a sum of squares of the effects in units of what they share.
    """
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
        return gain, loss, deviance

    return score, float(y @ np.linalg.solve(shared, y))


def _maximised(score: Score, unit: float, estimator: str, spread: float | None) -> Tau2:
    """The highest maximum over ``t = tau2 / 2``, between all places of :data:`GRID` where the score changes its sign.

    The parts of the score are ``sum z**2 / (l + t)**2`` and ``sum 1 / (l + t)`` over the eigenvalues l of a matrix that
    does not depend on t. So g, one over the root of the first, and h, one over the second, are power means of l + t:
    they rise, bend down only, and hardly bend. Lines through their values then bound them, and most of the grid need
    not be looked at: it cannot change the sign of ``h - g**2``, the score's.

    spread : at least ``sum z**2``, which gives the least slope of g. ``None`` where the matrix does depend on t
             (rounded contrasts of multi-arm studies): all of the grid is looked at.
    """
    points = [unit * g for g in GRID]
    last = len(points) - 1
    looked: dict[int, tuple[float, float, float]] = {}

    def look(i: int) -> tuple[float, float]:
        while i >= len(points):
            points.append(points[-1] * 10.0)
        if i not in looked:
            looked[i] = score(points[i])
        return max(looked[i][0], TINY) ** -0.5, 1.0 / max(looked[i][1], TINY)

    def ended(i: int) -> bool:
        (g, h), (_, h_before) = look(i), look(i - 1)
        if h > g * g:
            return bool(points[i] >= 1e12 * unit)
        if i >= last or spread is None:
            return i >= last
        slope, steepest = spread**-0.5, (h - h_before) / (points[i] - points[i - 1])
        return bool(2.0 * g * slope >= steepest)

    def search(low: int, high: int) -> None:
        if high - low > 1 and (spread is None or not settled(low, high)):
            middle = (low + high) // 2
            look(middle)
            search(middle, high)
            search(low, middle)

    def settled(low: int, high: int) -> bool:
        """Whether lines through this interval and the next place looked at keep the sign as it is at both ends."""
        (g_0, h_0), (g_1, h_1), (g_2, h_2) = look(low), look(high), look(min(i for i in looked if i > high))
        share = (points[high] - points[low]) / (points[min(i for i in looked if i > high)] - points[high])
        if h_1 > g_1 * g_1:
            return h_0 > max(g_1 - share * (g_2 - g_1), g_0) ** 2
        if h_0 > g_0 * g_0:
            return False
        return _stays_above(g_0, g_1, max(h_1 - share * (h_2 - h_1), h_0), h_1)

    g, h = look(0)
    # with equal variances v the ratio of the parts is (v + root) / (v + t)
    guess = min(max(bisect_left(points, unit * (h / (g * g) - 1.0)), 1), last)
    top = guess
    while not ended(top):
        top += 1
    for i in range(guess - 1, top):
        look(i)
    search(0, guess - 1)
    found = [] if h > g * g else [(looked[0][2], 0.0, 0.0)]
    for low, high in pairwise(sorted(looked)):
        if looked[low][0] > looked[low][1] and looked[high][0] <= looked[high][1]:
            ends = {points[i]: looked[i] for i in (low, high)}
            found.append(_root(score, ends))
    best = min(found)
    return Tau2(2.0 * best[1], estimator, best[2], len(found))


def _stays_above(g_0: float, g_1: float, h_0: float, h_1: float) -> bool:
    """Whether ``g**2 > h`` between two places where g and h are straight lines."""
    rise, fall = g_1 - g_0, h_1 - h_0
    least = min(max((0.5 * fall / rise - g_0) / rise, 0.0), 1.0) if rise > 0.0 else 0.0
    return all((g_0 + u * rise) ** 2 > h_0 + u * fall for u in (0.0, least, 1.0))


def _root(score: Score, seen: dict[float, tuple[float, float, float]]) -> tuple[float, float, float]:
    """Deviance, root and relative residual between two places seen (Brent's method, to the last bits)."""
    from scipy.optimize import brentq

    def value(t: float) -> float:
        """1 - loss / gain, which is a straight line when variances are equal."""
        gain, loss, _ = seen[t] = seen[t] if t in seen else score(t)
        # below this the score is rounding, and a search would follow noise
        return 0.0 if abs(gain - loss) < 1e-14 * (gain + loss) else 1.0 - loss / gain

    root = float(brentq(value, *seen, xtol=1e-300, rtol=1e-15))
    gain, loss, deviance = seen[root]
    return deviance, root, abs(gain - loss) / (gain + loss)
