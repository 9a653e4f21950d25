"""Trends pooled over studies: common, maximum likelihood, restricted maximum likelihood, moments.

A study enters through ``P = X'V⁻¹X``, ``u = X'V⁻¹y`` and ``c = y'V⁻¹y`` alone. With random trends of covariance
``Psi = LL'`` and ``M = I + L'PL``,

    A = X'(V + X Psi X')⁻¹X = P - PL M⁻¹ L'P,    w = u - PL M⁻¹ L'u,    |V + X Psi X'| = |V| |M|,

so every study costs p x p algebra whatever its number of doses, studies with fewer doses than coefficients take part,
and one and two stages are the same likelihood but for a constant. Slopes and curvatures are exact.

Gasparrini, Armstrong & Kenward (2012) Stat Med 31:3821 (second stage); Crippa, Discacciati, Bottai, Spiegelman & Orsini
(2019) Stat Methods Med Res 28:1579 (one stage); Jackson, White & Riley (2013) Biom J 55:231 (moments).
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.multilevel.newton import Minimum, climb_together
from balm.vocabulary.problems import InputError
from balm.vocabulary.quick_dataclass import dataclass

METHODS = {
    "REML": "restricted maximum likelihood",
    "ML": "maximum likelihood",
    "MM": "the multivariate method of moments",
    "common": "a common trend",
}

#: Sizes of Psi, as a share of the sampling covariance, and directions of it that are looked at before climbing: the
#: likelihood of two and more coefficients can have several maxima, most often where Psi is flat.
SIZES = (1e-2, 1e-1, 1e0, 1e1, 1e2)
DIRECTIONS = 8
#: Sizes looked at along a line, with one coefficient; Newton climbs from each that is higher than its neighbours.
LINE = 41
#: How thin Psi is across a direction, and from how many of the best places Newton climbs.
THIN, CLIMBS = 0.05, 4
#: What a negative root becomes: the square root of the machine's precision, so that Psi stays positive definite, as in
#: the programs of the estimator's authors.
LEAST_ROOT = 2.0**-26
#: A fit whose remaining Newton step is longer than this (in standard errors) has not converged.
CONVERGED = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What the studies bring: p (k, q, q), u (k, q), c (k,), log_v (k,) of ``|V|``, m (k,) log ratios of each."""

    p: Floats
    u: Floats
    c: Floats
    log_v: Floats
    m: Floats

    def scaled(self, unit: Floats) -> Sums:
        """The same with each column of the design divided by ``unit``."""
        return Sums(self.p / np.outer(unit, unit), self.u / unit, self.c, self.log_v, self.m)


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """coefficients (q,), their covariance, psi between studies, log-likelihood and the Newton step that remains."""

    coefficients: Floats
    covariance: Floats
    psi: Floats
    log_likelihood: float
    residual: float


@cache
def _entries(q: int) -> tuple[Floats, Floats]:
    """The matrices (t, q, q) with a 1 in each place of a lower triangle, row by row, and the products of each pair."""
    rows, columns = np.tril_indices(q)
    unit = np.zeros((len(rows), q, q))
    unit[np.arange(len(rows)), rows, columns] = 1.0
    return unit, unit[:, None] @ unit.transpose(0, 2, 1)[None]


def lower(theta: Floats, q: int) -> Floats:
    """The lower triangle that ``theta`` fills row by row."""
    found: Floats = np.tensordot(theta, _entries(q)[0], 1)
    return found


def _at(sums: Sums, root: Floats) -> tuple[Floats, Floats, Floats, Floats, float, float]:
    """A (k, q, q), w (k, q), B = sum A, b, the quadratic form and the sum of ``log|M|``."""
    pl = sums.p @ root
    m = np.eye(len(root)) + root.T @ pl
    back = np.linalg.inv(m)
    lu = sums.u @ root
    a = sums.p - pl @ back @ pl.transpose(0, 2, 1)
    a = 0.5 * (a + a.transpose(0, 2, 1))
    pulled = back @ lu[:, :, None]
    w = sums.u - (pl @ pulled)[:, :, 0]
    total = a.sum(axis=0)
    right = w.sum(axis=0)
    b = np.linalg.solve(total, right)
    square = float(sums.c.sum() - lu.ravel() @ pulled.ravel() - b @ right)
    return a, w, total, b, square, float(np.linalg.slogdet(m)[1].sum())


def _evaluate(sums: Sums, thetas: list[Floats], reml: bool) -> list[tuple[float, Floats, Floats]]:
    """Minus the log-likelihood without constants, its slope and exact curvature in the entries of L, at several L.

    Axes: the place c, the entry of L (and of its partner) t, the study k.
    """
    q = sums.p.shape[1]
    unit, pairs = _entries(q)
    root = np.tensordot(np.array(thetas), unit, 1)
    over = root[:, None]
    pl = sums.p @ over
    m = np.eye(q) + over.mT @ pl
    lu = sums.u[:, None, :] @ over
    inverse = np.linalg.inv(m)
    pulled = inverse @ lu.mT
    a = sums.p - pl @ inverse @ pl.mT
    a = 0.5 * (a + a.mT)
    w = sums.u[:, :, None] - pl @ pulled  # (c, k, q, 1)
    total, right = a.sum(axis=1), w.sum(axis=1)
    back = np.linalg.inv(total)
    b = back @ right
    square = sums.c.sum() - (lu @ pulled).sum(axis=(1, 2, 3)) - (right * b).sum(axis=(1, 2))
    size = np.linalg.slogdet(m)[1].sum(axis=1)
    height = 0.5 * (size + square + (np.linalg.slogdet(total)[1] if reml else 0.0))
    left = (w - a @ b[:, None])[..., 0]  # (c, k, q)
    g = left.mT @ left - total
    if reml:
        g += (a @ back[:, None] @ a).sum(axis=1)
    g *= 0.5
    turn = unit @ root.mT[:, None]
    turn = turn + turn.mT  # (c, t, q, q): dPsi of each entry
    ad = a[:, None] @ turn[:, :, None]  # (c, t, k, q, q)
    al = (ad @ left[:, None, :, :, None])[..., 0]
    moved = al.sum(axis=2) @ back  # minus the change of b
    dleft = (a[:, None] @ moved[:, :, None, :, None])[..., 0] - al
    ada = ad @ a[:, None]
    cross = dleft.mT @ left[:, None]
    whole = ada.sum(axis=2)
    dg = cross + cross.mT + whole
    if reml:
        aba = (ada @ (back[:, None] @ a)[:, None]).sum(axis=2)
        change = back[:, None] @ whole @ back[:, None]
        dg += (a[:, None] @ change[:, :, None] @ a[:, None]).sum(axis=2) - aba - aba.mT
    flat = turn.reshape(*turn.shape[:2], -1)
    slope = (flat @ g.reshape(len(g), -1, 1))[..., 0]
    curvature = 0.5 * dg.reshape(flat.shape) @ flat.mT + 2.0 * np.tensordot(g, pairs, ((1, 2), (2, 3)))
    return list(zip(height.tolist(), -slope, -0.5 * (curvature + curvature.mT), strict=True))


def moments(sums: Sums) -> Floats:
    """Psi by moments: ``E sum P r r' = (k - 1) I + (B - sum P B⁻¹ P) Psi``; negative roots become :data:`LEAST_ROOT`.

    The cut depends on the unit of the columns (so does the published estimator); likelihoods do not.
    """
    total = sums.p.sum(axis=0)
    b = np.linalg.solve(total, sums.u.sum(axis=0))
    own = np.linalg.solve(sums.p, sums.u[:, :, None])[:, :, 0] - b
    q = np.einsum("kab,kb,kc->ac", sums.p, own, own)
    left = total - np.einsum("kab,bc,kcd->ad", sums.p, np.linalg.inv(total), sums.p)
    psi = np.linalg.solve(left, q - (len(sums.p) - 1) * np.eye(len(b)))
    roots, basis = np.linalg.eigh(0.5 * (psi + psi.T))
    return np.asarray((basis * np.where(roots < 0.0, LEAST_ROOT, roots)) @ basis.T, dtype=np.float64)


def _starts(sums: Sums, reml: bool) -> list[Floats]:
    """Roots L to climb from: of every direction the best size, the best directions first."""
    q = sums.p.shape[1]
    base = np.linalg.cholesky(np.linalg.inv(sums.p.mean(axis=0)))
    if q == 1:
        tried = base * np.sqrt(np.geomspace(SIZES[0], SIZES[-1], LINE))[:, None, None]
        height = np.concatenate(([math.inf], _heights(sums, tried, reml), [math.inf]))
        return list(tried[(height[1:-1] <= height[:-2]) & (height[1:-1] <= height[2:])])
    angles = np.arange(DIRECTIONS) * math.pi / DIRECTIONS
    shapes = [np.eye(q)]
    for i, j in zip(*np.triu_indices(q, 1), strict=True):
        for angle in angles:
            along = np.zeros(q)
            along[i], along[j] = math.cos(angle), math.sin(angle)
            shapes.append(np.outer(along, along) * (1.0 - THIN) + THIN * np.eye(q))
    roots = np.stack([np.linalg.cholesky(shape) for shape in shapes])
    tried = (base @ roots)[:, None] * np.sqrt(SIZES)[None, :, None, None]
    heights = _heights(sums, tried.reshape(-1, q, q), reml).reshape(tried.shape[:2])
    size = heights.argmin(axis=1)
    return [tried[i, size[i]] for i in np.argsort(heights.min(axis=1), kind="stable")[:CLIMBS]]


def _heights(sums: Sums, roots: Floats, reml: bool) -> Floats:
    """Minus the log-likelihood without constants at many roots at once, (t, q, q) -> (t,)."""
    pl = sums.p[None] @ roots[:, None]
    m = np.eye(roots.shape[-1]) + roots.transpose(0, 2, 1)[:, None] @ pl
    back = np.linalg.inv(m)
    lu = np.einsum("ka,tab->tkb", sums.u, roots)
    total = (sums.p[None] - pl @ back @ pl.transpose(0, 1, 3, 2)).sum(axis=1)
    pulled = np.einsum("tkab,tkb->tka", back, lu)
    right = sums.u.sum(axis=0) - np.einsum("tkab,tkb->ta", pl, pulled)
    square = -(lu * pulled).sum(axis=(1, 2)) - (right * np.linalg.solve(total, right[:, :, None])[:, :, 0]).sum(axis=1)
    found = np.linalg.slogdet(m)[1].sum(axis=1) + square + (np.linalg.slogdet(total)[1] if reml else 0.0)
    return np.asarray(0.5 * found)


def _best(sums: Sums, reml: bool) -> Minimum:
    """The highest of the maxima reached from the best places looked at."""
    q = sums.p.shape[1]
    ends = np.full(q * (q + 1) // 2, math.inf)

    def evaluate(thetas: list[Floats]) -> list[tuple[float, Floats, Floats]]:
        return _evaluate(sums, thetas, reml)

    found = climb_together(evaluate, [start[np.tril_indices(q)] for start in _starts(sums, reml)], -ends, ends)
    return min(found, key=lambda end: (round(end.height, 10), end.residual))


def pool(sums: Sums, method: str, *, stages: int) -> Pool:
    """The pooled trend; ``stages`` decides of which data the log-likelihood is: log ratios (1) or trends (2)."""
    k, q = sums.u.shape
    unit = np.sqrt(np.maximum(np.einsum("kii->ki", sums.p).mean(axis=0), 1e-300))
    well = sums.scaled(unit)
    psi, residual = np.zeros((q, q)), 0.0
    if method == "MM":
        psi = moments(sums) / np.outer(1.0 / unit, 1.0 / unit)  # in the unit of the design, not in ours
    elif method != "common":
        end = _best(well, method == "REML")
        if not end.residual < CONVERGED:
            raise InputError(
                f"{method} did not converge: a step of {end.residual:.2g} standard errors remains; "
                "use method='MM' or a simpler trend"
            )
        root = lower(end.at, q)
        psi, residual = root @ root.T, end.residual
    roots, basis = np.linalg.eigh(psi)
    _, _, total, b, square, logs = _at(well, basis * np.sqrt(np.maximum(roots, 0.0)))
    covariance = np.linalg.inv(total) / np.outer(unit, unit)
    n = float(sums.m.sum())
    if stages == 1:
        constant = float(sums.log_v.sum())
    else:
        n, constant = float(k * q), -float(np.linalg.slogdet(sums.p)[1].sum())
        square -= float(
            sums.c.sum() - np.einsum("ka,ka->", sums.u, np.linalg.solve(sums.p, sums.u[:, :, None])[:, :, 0])
        )
    height = -0.5 * (n * math.log(2.0 * math.pi) + constant + logs + square)
    if method == "REML":
        height += 0.5 * (q * math.log(2.0 * math.pi) + float(np.linalg.slogdet(covariance)[1]))
        height += 0.5 * q * math.log(k) if stages == 2 else 0.0  # log|X'X| of k trends
    return Pool(b / unit, covariance, psi / np.outer(unit, unit), math.nan if method == "MM" else height, residual)
