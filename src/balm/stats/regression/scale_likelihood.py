"""The likelihood of a location-scale model in its scale coefficients, and every maximum that a search finds.

Effects are normal about ``X beta`` with variances ``v + t``, where ``log t = Z alpha`` or ``t = Z alpha``. For given t
the location coefficients are weighted least squares, so only alpha is searched for. With ``P`` the projection of
:mod:`balm.stats.regression.projection` and ``u = Py = w r``, the (restricted) log-likelihood has in t the derivatives

    slope      -(d_i - u_i²) / 2,        d_i = P_ii under REML, w_i under ML
    curvature  (P_ij² - 2 u_i P_ij u_j) / 2,   with w_i² on the diagonal instead of P_ij² under ML

(Harville 1977, J Am Stat Assoc 72:320). Both are sums over studies; no k x k matrix is formed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from balm.stats.effect_sizes import Floats
from balm.stats.multilevel.newton import Minimum, minimise
from balm.stats.regression.projection import Projection, log_likelihood

#: Points looked at before climbing, and how many climbs start from the best of them.
LOOKS, CLIMBS = 400, 10
#: Two maxima are one when the variances they give differ by less than this (root mean square of their shares).
SAME = 1e-4
#: Curvature along a direction (of columns of mean square 1) above which the likelihood falls on both sides.
STEEP = 1e-5
#: Remaining steps up to this many standard errors count as arrived.
SETTLED = 1e-5
#: Curvatures this small are none: the slope there is rounding.
FLAT = 1e-8
#: A variance below this share of the sampling variance has left the likelihood.
GONE = 1e-6
#: A climb without end is still on its way after all its steps, by less than this.
ON_THE_WAY = 1e-2
#: How far (in units of the link) a flat direction is followed to see whether the likelihood ever falls again.
FAR = (4.0, 15.0, 40.0)
#: A likelihood that has not fallen by this much has not fallen.
FALL = 1e-6
#: Variances below this share of the typical one are at their bound of 0 (identity link).
AT_ZERO = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Peak:
    """A maximum, or a limit: scale coefficients with their covariance, log-likelihood, what remains of a Newton step.

    held    : (k,) which variances are 0: at the bound of the identity link, or in the limit of the log link.
    endless : (q,) which coefficients run off without end; ``alpha`` then holds how far they were followed.
    """

    alpha: Floats
    covariance: Floats
    log_likelihood: float
    residual: float
    held: NDArray[np.bool_]
    endless: NDArray[np.bool_]


class ScaleLikelihood:
    """``restricted`` or full likelihood of ``y`` (k,), ``v`` (k,), ``x`` (k, p), ``z`` (k, q) under a link."""

    def __init__(self, y: Floats, v: Floats, x: Floats, z: Floats, *, link: str, restricted: bool) -> None:
        self.y, self.v, self.x, self.z, self.link, self.restricted = y, v, x, z, link, restricted
        k = len(y)
        q, r = np.linalg.qr(z)
        self.basis = q * math.sqrt(k)  # columns of mean square 1
        self.turn = r / math.sqrt(k)  # basis @ turn = z
        self.unit = float(np.exp(np.mean(np.log(v))))

    def variances(self, g: Floats) -> Floats:
        """(k,) between-study variances at working coefficients ``g``, those of the columns of ``basis``."""
        link = self.basis @ g
        return np.exp(link) if self.link == "log" else link * self.unit

    def evaluate(self, g: Floats) -> tuple[float, Floats, Floats]:
        """Minus the log-likelihood with its slope and curvature in the working coefficients."""
        t = self.variances(g) if self.link == "identity" else np.exp(np.clip(self.basis @ g, -700.0, 700.0))
        if self.link == "identity":
            t = np.maximum(t, 0.0)
        at = Projection(self.y, self.x, 1.0 / (self.v + t))
        w, d = at.weights, np.full(len(t), self.unit) if self.link == "identity" else t
        height = -log_likelihood(at, self.v + t, self.x, 0.0, restricted=self.restricted)
        u = w * at.residual
        spread = w * (1.0 - at.hat) if self.restricted else w
        slope_t = 0.5 * (spread - u * u)
        a = self.basis * d[:, None]
        root = w[:, None] * at.row(self.x)  # rows c_i with P_ij = w_i [i = j] - c_i.c_j
        ua = u[:, None] * a
        inner = root.T @ ua
        curvature = ua.T @ (w[:, None] * ua) - inner.T @ inner
        if self.restricted:
            own = w * w * (1.0 - 2.0 * at.hat)
            pairs = np.einsum("ia,ib,ij->abj", root, root, a)
            square = a.T @ (own[:, None] * a) + np.einsum("abj,abl->jl", pairs, pairs)
        else:
            square = a.T @ ((w * w)[:, None] * a)
        curvature = curvature - 0.5 * square
        if self.link == "log":
            curvature = curvature + a.T @ (slope_t[:, None] * self.basis)
        return height, a.T @ slope_t, curvature

    def heights(self, links: Floats) -> Floats:
        """Minus the log-likelihood, up to a constant, of many (n, k) values of the link at once."""
        t = np.exp(np.clip(links, -700.0, 700.0)) if self.link == "log" else np.maximum(links, 0.0) * self.unit
        w = 1.0 / (self.v + t)
        wx = w[:, :, None] * self.x
        inside = np.swapaxes(wx, 1, 2) @ self.x
        right = np.einsum("nkp,k->np", wx, self.y)
        beta = np.linalg.solve(inside, right[:, :, None])[:, :, 0]
        r = self.y - beta @ self.x.T
        out: Floats = 0.5 * (np.sum(w * r * r, axis=1) - np.sum(np.log(w), axis=1))
        if self.restricted:
            out = out + 0.5 * np.linalg.slogdet(inside)[1]
        return out

    @property
    def _flat(self) -> Floats:
        """(33,) links of equal variances of every size, from far below to far above the sampling variances."""
        wide = np.linspace(-8.0, 8.0, 33)
        return np.log(self.unit) + wide if self.link == "log" else np.exp(wide)

    def starts(self) -> list[Floats]:
        """Working coefficients to climb from: the best of many, no two alike.

        Looked at are equal variances of every size, the regression of what the squared residuals leave, and a
        low-discrepancy cloud of slopes about them.
        """
        from scipy.stats import qmc

        k, q = self.basis.shape
        left = np.maximum(Projection(self.y, self.x, 1.0 / (self.v + self.unit)).residual ** 2, 1e-12 * self.unit)
        flat = self._flat
        cloud = qmc.Halton(q, scramble=False).random(LOOKS)[1:]
        if self.link == "log":
            levels = np.repeat(flat[:, None], k, axis=1) @ self.basis / k
            guess = (np.log(left)[None, :] @ self.basis) / k
            middle = np.log(self.unit + float(np.var(self.y))) * np.mean(self.basis, axis=0)
            drawn = middle + np.where(np.arange(len(cloud)) % 4 == 0, 36.0, 12.0)[:, None] * (cloud - 0.5)
        else:
            levels = np.repeat(flat[:, None], k, axis=1) @ self.basis / k
            guess = (left[None, :] / self.unit) @ self.basis / k
            size = max(float(np.max(left)) / self.unit, 1.0)
            drawn = np.mean(self.basis, axis=0) * size * cloud[:, :1] + size * (cloud - 0.5)
        found = np.vstack([levels, guess, drawn])
        links = found @ self.basis.T
        if self.link == "identity":
            inside = np.all(links >= 0.0, axis=1)
            found, links = found[inside], links[inside]
        height = self.heights(links)
        kept: list[int] = []
        apart = 0.5 if self.link == "log" else 0.05 * (1.0 + float(np.median(np.abs(links)))) if len(links) else 0.0
        for i in np.argsort(height, kind="stable").tolist():
            if all(math.sqrt(float(np.mean((links[i] - links[j]) ** 2))) > apart for j in kept):
                kept.append(i)
            if len(kept) == CLIMBS:
                break
        return [found[i] for i in kept]

    def peaks(self) -> list[Peak]:
        """Maxima found, the highest first, then limits that the likelihood climbs to without end.

        A limit comes first only where no maximum is as high as one variance for all studies: limits that let a few
        studies have all the heterogeneity can be higher than any maximum, and say little.
        """
        found: list[tuple[Minimum, bool]] = []
        for one in sorted((self._climb(start) for start in self.starts()), key=lambda m: m.height):
            if not one.residual <= ON_THE_WAY or not self._regular(one):
                continue
            limit = self._limit(one) if self.link == "log" else None
            if limit is None and not one.residual <= SETTLED:
                continue
            one = limit or one
            if not any(self._same(one.at, other.at) for other, _ in found):
                found.append((one, limit is not None))
        peaks = [self._limit_peak(one) if runs_off else self._peak(one) for one, runs_off in found]
        links = np.repeat(self._flat[:, None], len(self.y), axis=1)
        spanned = np.allclose(links @ self.basis @ self.basis.T / len(self.y), links, rtol=1e-8, atol=1e-8)
        same = [-self.evaluate(row @ self.basis / len(self.y))[0] for row in links] if spanned else [-math.inf]
        floor = max(same) - FALL

        def rank(peak: Peak) -> tuple[bool, float]:
            return bool(peak.endless.any()) or peak.log_likelihood < floor, -peak.log_likelihood

        return sorted(peaks, key=rank)

    def _climb(self, start: Floats) -> Minimum:
        q = len(start)
        wide = np.full(q, math.inf)
        if self.link == "log":
            return minimise(self.evaluate, start, -wide, wide)
        return self._climb_above_zero(start)

    def _climb_above_zero(self, start: Floats) -> Minimum:
        """Within ``Z alpha >= 0``: sequential quadratic programming finds which variances end at 0, Newton the rest."""
        from scipy.optimize import minimize, nnls

        rows = np.unique(self.basis, axis=0)
        ended = minimize(
            lambda g: self.evaluate(g)[:2],
            start,
            jac=True,
            method="SLSQP",
            constraints={"type": "ineq", "fun": lambda g: rows @ g, "jac": lambda _: rows},
            options={"ftol": 1e-14, "maxiter": 300},
        )
        g = np.asarray(ended.x)
        size = max(float(np.max(np.abs(rows @ g))), 1e-12)
        held = rows @ g <= 1e-6 * max(size, 1.0)
        free = _null_space(rows[held], len(g))
        if free.shape[1] == 0:
            at = np.zeros_like(g)
            height, slope, curvature = self.evaluate(at)
            scale = float(np.sqrt(np.max(np.abs(np.diag(curvature)))))
            _, push = nnls(rows[held].T, slope)
            return Minimum(at, height, curvature, np.zeros(0, dtype=bool), float(push) / scale, 0)

        def along(s: Floats) -> tuple[float, Floats, Floats]:
            height, slope, curvature = self.evaluate(free @ s)
            if np.any(rows @ (free @ s) < -1e-9 * max(size, 1.0)):
                height = math.inf
            return height, free.T @ slope, free.T @ curvature @ free

        wide = np.full(free.shape[1], math.inf)
        polished = minimise(along, free.T @ g, -wide, wide)
        at = free @ polished.at
        height, slope, curvature = self.evaluate(at)
        residual = polished.residual
        if held.any():  # the slope must push outwards at every bound that holds
            scale = float(np.sqrt(np.max(np.abs(np.diag(curvature)))))
            _, push = nnls(rows[held].T, slope)
            residual = max(residual, float(push) / scale)
        return Minimum(at, height, curvature, np.ones(len(g), dtype=bool), residual, polished.steps)

    def _regular(self, one: Minimum) -> bool:
        """A maximum, not a saddle: curved downwards along every direction that no bound holds."""
        free = _null_space(self.basis[self._held(one.at)], len(one.at))
        if free.shape[1] == 0:
            return True
        roots = np.linalg.eigvalsh(free.T @ one.curvature @ free)
        return bool(roots[0] > -max(1e-9 * float(roots[-1]), FLAT))

    def _held(self, g: Floats) -> NDArray[np.bool_]:
        if self.link == "log":
            return np.zeros(len(self.y), dtype=bool)
        link = self.basis @ g
        return np.asarray(link <= AT_ZERO * max(float(np.max(np.abs(link))), 1.0))

    def _same(self, a: Floats, b: Floats) -> bool:
        """Whether two points give the same variances, as shares of the whole."""
        ta, tb = (np.maximum(self.variances(g), 0.0) for g in (a, b))
        apart = ta / (ta + self.unit) - tb / (tb + self.unit)
        return math.sqrt(float(np.mean(apart * apart))) < SAME

    def _limit(self, one: Minimum) -> Minimum | None:
        """A point where what falls has fallen, if there is a direction in which the likelihood never falls.

        Looked for among those that let the variances already near 0 fall and hold the others, else along the flat
        directions of the curvature, each from where the last one ended.
        """
        from scipy.optimize import linprog

        roots, basis = np.linalg.eigh(one.curvature)
        if roots[0] > STEEP:
            return None
        at, moved = one.at, False
        gone = self.variances(at) < GONE * self.v
        if gone.any():  # a direction in which these variances fall and the others stay
            rows, q = self.basis, len(at)
            found = linprog(
                np.append(np.zeros(q), -1.0),
                A_ub=np.column_stack([rows[gone], np.ones(int(gone.sum()))]),
                b_ub=np.zeros(int(gone.sum())),
                A_eq=np.column_stack([rows[~gone], np.zeros(int((~gone).sum()))]) if not gone.all() else None,
                b_eq=np.zeros(int((~gone).sum())) if not gone.all() else None,
                bounds=[(-1.0, 1.0)] * q + [(0.0, 1.0)],
            )
            if found.success and found.x[-1] > 1e-6:
                there = at + found.x[:q] * (FAR[-1] / found.x[-1])
                if self.evaluate(there)[0] <= one.height + FALL:
                    at, moved = there, True
        for i in () if moved else np.flatnonzero(roots <= STEEP).tolist():
            for sign in (1.0, -1.0):
                points = [at + sign * far * basis[:, i] for far in FAR]
                if max(self.evaluate(there)[0] for there in points) <= one.height + FALL:
                    at, moved = points[-1], True
                    break
        if not moved:
            return None
        height, _, curvature = self.evaluate(at)
        return Minimum(at, height, curvature, one.free, one.residual, one.steps)

    def _peak(self, one: Minimum) -> Peak:
        scale = np.eye(len(one.at)) if self.link == "log" else np.eye(len(one.at)) * self.unit
        alpha: Floats = np.asarray(np.linalg.solve(self.turn, scale @ one.at), dtype=np.float64)
        to_alpha = np.linalg.solve(scale, self.turn)
        information = to_alpha.T @ one.curvature @ to_alpha
        held, q = self._held(one.at), len(alpha)
        size = np.sqrt(np.abs(np.diag(information)))
        covariance = np.full((q, q), math.nan)
        if not held.any() and (size > 0.0).all():
            scaled = information / np.outer(size, size)
            roots = np.linalg.eigvalsh(scaled)
            if roots[0] > 1e-12 * roots[-1]:
                covariance = np.linalg.inv(scaled) / np.outer(size, size)
        return Peak(alpha, covariance, -one.height, one.residual, held, np.zeros(q, dtype=bool))

    def _limit_peak(self, one: Minimum) -> Peak:
        """Coefficients that have no end are marked; those that do not move along flat directions keep their errors."""
        roots, basis = np.linalg.eigh(one.curvature)
        flat = roots <= STEEP
        along = np.linalg.solve(self.turn, basis[:, flat]) * np.sqrt(np.mean(self.z**2, axis=0))[:, None]
        moved = np.linalg.norm(along, axis=1)
        endless = moved > 1e-6 * float(np.max(moved))
        back = np.linalg.solve(self.turn, basis[:, ~flat])
        covariance = (back / roots[~flat]) @ back.T
        covariance[endless] = covariance[:, endless] = math.nan
        alpha: Floats = np.asarray(np.linalg.solve(self.turn, one.at), dtype=np.float64)
        held = np.asarray(self.variances(one.at) < 1e-12 * self.unit)
        return Peak(alpha, covariance, -one.height, one.residual, held, endless)


def _null_space(rows: Floats, columns: int) -> Floats:
    """Orthonormal columns on which every row is 0."""
    if not len(rows):
        return np.eye(columns)
    _, s, vt = np.linalg.svd(rows)
    rank = int(np.sum(s > 1e-10 * s[0])) if len(s) and s[0] > 0.0 else 0
    return np.asarray(vt[rank:].T)
