"""Many meta-regressions of one size at once: the same k studies under B arrangements of the moderators.

Columns of the design are made orthogonal with respect to the weights, one after the other: ``u_j`` is column j less its
weighted regression on those before it, and ``n_j`` the weighted sum of its squares. Every quantity of the fit and of
its estimating equations is then a sum over studies of (k, B) tables; nothing is inverted, no k x k matrix is formed.
With ``P = W - W X (X'WX)^-1 X'W`` and ``e`` the residuals,

    tr P    = sum w - sum_j sum(w^2 u_j^2) / n_j
    tr PP   = sum w^2 - 2 sum_j sum(w^3 u_j^2) / n_j + sum_jl sum(w^2 u_j u_l)^2 / (n_j n_l)
    y'PPy   = sum (w e)^2,    y'PPPy = sum w^3 e^2 - sum_j sum(w^2 u_j e)^2 / n_j

The estimators are those of :mod:`balm.stats.regression.between_study_variance`, with the same choice among several
maxima of the likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from balm.stats.distributions import chi2_ppf
from balm.stats.groups import Floats
from balm.stats.heterogeneity.solving import root
from balm.stats.kernel import Lines, available, solve_lines

#: Below this share of the expected information the observed curvature is not trusted and Fisher's is used.
_LEAST_CURVATURE = 0.01


def _dot(a: Floats, b: Floats) -> Floats:
    out: Floats = np.einsum("ij,ij->j", a, b)
    return out


class Arrangements:
    """B regressions of the same studies.

    effect, variance : (k, B), or (k, 1) where all arrangements share them.
    columns          : the p columns of the design, each (k, B) or (k, 1); ``None`` is the intercept, which comes first.
    count            : B.
    """

    __slots__ = ("columns", "count", "effect", "variance")

    def __init__(self, effect: Floats, variance: Floats, columns: tuple[Floats | None, ...], count: int) -> None:
        self.effect, self.variance, self.columns, self.count = effect, variance, columns, count

    def __len__(self) -> int:
        return self.count

    @property
    def df(self) -> int:
        """Studies less coefficients."""
        return len(self.effect) - len(self.columns)

    def select(self, chosen: NDArray[np.bool_]) -> Arrangements:
        """The arrangements where ``chosen`` is True."""

        place = np.flatnonzero(chosen)

        def some(table: Floats) -> Floats:
            return table if table.shape[1] == 1 else table.take(place, axis=1)

        columns = tuple(None if c is None else some(c) for c in self.columns)
        return Arrangements(some(self.effect), some(self.variance), columns, len(place))


class Fit:
    """Weighted least squares of each arrangement with weights ``w``, (k, B) or (k, 1)."""

    __slots__ = ("b", "e", "n", "r", "u", "w", "wu")

    def __init__(self, a: Arrangements, w: Floats, *, back: bool = False) -> None:
        self.w = w
        self.u: list[Floats | None] = []
        self.wu: list[Floats] = []
        self.n: list[Floats] = []
        self.b: list[Floats] = []
        self.r: dict[tuple[int, int], Floats] = {}
        e = a.effect
        for j, x in enumerate(a.columns):
            if x is None:
                n = np.add.reduce(w, axis=0)
                b = _dot(w, e) / n
                e = e - b
                wx = w
            else:
                for i, (before, u) in enumerate(zip(self.wu, self.u, strict=True)):
                    share = _dot(before, x) / self.n[i]
                    if back:
                        self.r[i, j] = share
                    x = x - (share if u is None else share * u)
                wx = w * x
                n = _dot(wx, x)
                b = _dot(wx, e) / n
                e = e - b * x
            self.u.append(x)
            self.wu.append(wx)
            self.n.append(n)
            self.b.append(b)
        self.e: Floats = e

    @property
    def rss(self) -> Floats:
        """The weighted residual sum of squares."""
        return _dot(self.w * self.e, self.e)

    def trace(self, d: Any = 1.0) -> Floats:
        """``tr(P D)`` for a diagonal D, (k, 1) or (k, B)."""
        out: Floats = np.add.reduce(self.w * d, axis=0)
        for u, n in zip(self.wu, self.n, strict=True):
            out = out - _dot(u if isinstance(d, float) else u * d, u) / n
        return out

    def coefficients(self, origin: Floats | None = None) -> tuple[list[Floats], list[Floats]]:
        """Coefficients and their standard errors in the columns given; needs ``back=True``.

        origin : (p,) what had been taken off each column, to be put back into the intercept (column 0).
        """
        p = len(self.u)
        if origin is not None:
            for j in range(1, p):
                self.r[0, j] = self.r[0, j] + origin[j]
        # T = R^-1 for the unit upper triangle R with X = U R, row by row from the last.
        rows: list[dict[int, Any]] = [{} for _ in range(p)]
        for i in range(p - 1, -1, -1):
            rows[i][i] = 1.0
            for j in range(i + 1, p):
                rows[i][j] = -sum(self.r[i, m] * rows[m][j] for m in range(i + 1, j + 1))
        beta = [sum(t * self.b[j] for j, t in row.items()) for row in rows]
        errors = [np.sqrt(sum(t * t / self.n[j] for j, t in row.items())) for row in rows]
        return beta, errors


def _reml_equation(a: Arrangements, t: Floats, _: Any = 0.0) -> tuple[Floats, Floats]:
    w = 1.0 / (a.variance + t)
    f = Fit(a, w)
    we = w * f.e
    score = _dot(we, we)
    cube = _dot(w * we, we)
    trace = f.n[0] if a.columns[0] is None else np.add.reduce(w, axis=0)
    square = _dot(w, w)
    for j, (u, n) in enumerate(zip(f.wu, f.n, strict=True)):
        uu = u * u
        own = np.add.reduce(uu, axis=0) / n
        trace = trace - own
        square = square - 2.0 * _dot(w, uu) / n + own * own
        cube = cube - _dot(u, we) ** 2 / n
        for v, m in zip(f.wu[:j], f.n[:j], strict=True):
            square = square + 2.0 * _dot(u, v) ** 2 / (n * m)
    score = score - trace
    curvature = 2.0 * cube - square - 2.0 * score * square / trace
    return score, score / np.where(curvature > _LEAST_CURVATURE * square, curvature, square)


def _ml_equation(a: Arrangements, t: Floats, _: Any = 0.0) -> tuple[Floats, Floats]:
    w = 1.0 / (a.variance + t)
    f = Fit(a, w)
    we = w * f.e
    trace, square = np.add.reduce(w, axis=0), _dot(w, w)
    cube = _dot(w * we, we)
    for u, n in zip(f.wu, f.n, strict=True):
        cube = cube - _dot(u, we) ** 2 / n
    score = _dot(we, we) - trace
    curvature = 2.0 * cube - square - 2.0 * score * square / trace
    return score, score / np.where(curvature > _LEAST_CURVATURE * square, curvature, square)


def _q_equation(a: Arrangements, t: Floats, target: Any) -> tuple[Floats, Floats]:
    w = 1.0 / (a.variance + t)
    f = Fit(a, w)
    we = w * f.e
    rss = _dot(we, f.e)
    value = rss - target
    slope = _dot(we, we)
    return value, value / np.where(slope > 0.0, slope, 1.0) * (rss / target)


def _height(a: Arrangements, t: Any, restricted: bool) -> Floats:
    """The (restricted) log-likelihood, up to what does not depend on tau2."""
    spread = a.variance + t
    f = Fit(a, 1.0 / spread)
    out: Floats = np.add.reduce(np.log(spread), axis=0) + f.rss
    if restricted:
        for n in f.n:
            out = out + np.log(n)
    out *= -0.5
    return out


def _moments(a: Arrangements, w: Floats) -> Floats:
    """``(y'Ay - tr(AV)) / tr A`` for the projection with fixed weights (DerSimonian & Kacker 2007, eq. 6)."""
    f = Fit(a, w)
    return (f.rss - f.trace(a.variance)) / f.trace()


def _whole(a: Arrangements, values: Any) -> Floats:
    return np.array(np.broadcast_to(np.maximum(values, 0.0), (len(a),)))


def _above_every_root(mean_square: Floats, variance: Floats) -> Floats:
    """A tau2 that no maximum of a likelihood exceeds.

    At a maximum ``df (v_min + t)/(v_max + t) <= Q(t) <= m df/(v_min + t)`` with m the plain residual mean square, so
    ``u = v_min + t`` satisfies ``u**2 <= m (u + v_max - v_min)``.
    """
    smallest, largest = variance.min(axis=0), variance.max(axis=0)
    u = 0.5 * (mean_square + np.sqrt(mean_square * (mean_square + 4.0 * (largest - smallest))))
    bound: Floats = np.maximum(u * (1.0 + 1e-12) - smallest, 0.0)
    return bound


def _likelihood(a: Arrangements, scale: Floats, restricted: bool) -> Floats:
    equation = _reml_equation if restricted else _ml_equation
    plain = Fit(a, np.ones((len(a.effect), 1)))
    mean_square = plain.rss / a.df
    # Hedges' estimate: the trace of the unweighted projection is the degrees of freedom.
    start = _whole(a, mean_square - plain.trace(a.variance) / a.df)
    found: Floats = root(a, equation, start=start, scale=scale)
    # A root at 0 says that the score is not positive there; elsewhere it has to be looked at.
    doubtful = found == 0.0
    above = np.flatnonzero(~doubtful)
    if len(above):
        here, _ = equation(a.select(~doubtful), np.zeros(1))
        doubtful[above] = here <= 0.0
    if not doubtful.any():
        return found
    some = a.select(doubtful)
    size = scale[doubtful]
    m = np.broadcast_to(mean_square, (len(a),))[doubtful]
    far = root(some, equation, start=_above_every_root(m, some.variance), scale=size)
    near = found[doubtful]
    rivals = (far > 0.0) | (near > 0.0)
    best = np.zeros(len(some))
    if rivals.any():
        few = some.select(rivals)
        chosen = np.zeros(len(few))
        height = np.broadcast_to(_height(few, np.zeros(1), restricted), (len(few),))
        for t in (near[rivals], far[rivals]):
            here = _height(few, t, restricted)
            chosen, height = np.where(here > height, t, chosen), np.maximum(here, height)
        best[rivals] = chosen
    found[doubtful] = best
    return found


def between_study_variance(a: Arrangements, estimator: str | float | None) -> Floats:
    """(B,) tau2 of each arrangement by an estimator's name; a number is taken as known; ``None`` is 0."""
    found = _compiled(a, estimator)
    return _by_numpy(a, estimator) if found is None else found.tau2


def _compiled(a: Arrangements, estimator: str | float | None) -> Lines | None:
    """An intercept and one moderator by the compiled kernel, where it is there and knows the estimator."""
    if len(a.columns) != 2 or a.columns[0] is not None or a.columns[1] is None or not isinstance(estimator, str):
        return None
    if a.variance.shape[1] != 1 or a.df < 1 or not available():
        return None
    return solve_lines(a.effect, a.columns[1], a.variance, len(a), estimator)


def _by_numpy(a: Arrangements, estimator: str | float | None) -> Floats:
    if estimator is None or not isinstance(estimator, str):
        return np.full(len(a), 0.0 if estimator is None else float(estimator))
    v, df = a.variance, a.df
    precise, one = 1.0 / v, np.ones((len(a.effect), 1))
    if estimator in ("DL", "HE", "GENQ", "DL2", "HE2"):
        w = {"DL": precise, "DL2": precise, "GENQ": v**-0.5}.get(estimator, one)
        tau2 = _whole(a, _moments(a, w))
        return _whole(a, _moments(a, 1.0 / (v + tau2))) if estimator in ("DL2", "HE2") else tau2
    if estimator in ("HS", "HSk"):
        k = len(a.effect)
        factor = k / df if estimator == "HSk" else 1.0
        return _whole(a, (Fit(a, precise).rss * factor - k) / np.add.reduce(precise, axis=0))
    if estimator == "SJ":
        crude = np.var(a.effect, axis=0)
        return _whole(a, crude * Fit(a, 1.0 / (v + crude)).rss / df)
    # Steps are small or large beside the harmonic mean of the variances; it decides nothing else.
    scale = np.array(np.broadcast_to(len(a.effect) / np.add.reduce(precise, axis=0), (len(a),)))
    if estimator in ("ML", "REML"):
        return _likelihood(a, scale, estimator == "REML")
    target = chi2_ppf(0.5, df) if estimator == "PMM" else float(df)
    found: Floats = root(a, _q_equation, start=np.zeros(len(a)), scale=scale, target=target)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """(p, B) test statistics of the coefficients, (B,) of the omnibus test, and (B,) tau2."""

    coefficients: Floats
    omnibus: Floats
    tau2: Floats


def statistics(
    a: Arrangements, estimator: str | float | None, inference: str, tested: int, origin: Floats | None = None
) -> Statistics:
    """Refit every arrangement and take its tests.

    tested : columns before this one are not part of the omnibus test (1 leaves the intercept out).
    origin : (p,) what had been taken off each column, with an intercept in column 0.
    """
    found = _compiled(a, estimator)
    if found is not None and tested == 1:
        return _of_line(a, found, inference, 0.0 if origin is None else float(origin[1]))
    tau2 = _by_numpy(a, estimator)
    f = Fit(a, 1.0 / (a.variance + tau2), back=True)
    beta, errors = f.coefficients(origin)
    omnibus: Any = sum(b * b * n for b, n in zip(f.b[tested:], f.n[tested:], strict=True))
    if inference.startswith("hartung-knapp"):
        factor = f.rss / a.df
        if inference == "hartung-knapp-guarded":
            factor = np.maximum(factor, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            errors = [s * np.sqrt(factor) for s in errors]
            omnibus = omnibus / factor
    if inference != "wald":
        omnibus = omnibus / max(len(f.b) - tested, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.stack([np.broadcast_to(b / s, (len(a),)) for b, s in zip(beta, errors, strict=True)])
    return Statistics(z, np.broadcast_to(omnibus, (len(a),)), tau2)


def _of_line(a: Arrangements, found: Lines, inference: str, origin: float) -> Statistics:
    """The statistics of an intercept and one moderator, whose normal equations are diagonal about its weighted mean."""
    n = found.spread
    omnibus = found.slope * found.slope * n
    z = np.empty((2, len(a)))
    middle = found.moderator + origin
    with np.errstate(divide="ignore", invalid="ignore"):
        np.divide(found.slope, np.sqrt(1.0 / n), out=z[1])
        np.divide(
            found.effect - middle * found.slope, np.sqrt(1.0 / found.weight + middle * middle * (1.0 / n)), out=z[0]
        )
        if inference.startswith("hartung-knapp"):
            factor = found.rss / a.df
            if inference == "hartung-knapp-guarded":
                factor = np.maximum(factor, 1.0)
            z /= np.sqrt(factor)
            omnibus /= factor
    return Statistics(z, omnibus, found.tau2)
