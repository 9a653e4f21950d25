"""Estimators of the covariance between outcomes that maximise no likelihood.

Moments ("MM"): with weights W_i = S_i⁻¹ of study i and residuals r_i of the common-effect fit, the expectation of
``Q = sum W_i r_i r_i'`` is linear in the between-study covariance; equating the two gives it without iteration.
Outcomes that a study lacks have zero weight. Jackson, White & Riley (2013), Biometrical Journal 55:231.

Variance components ("VC"): the mean outer product of residuals, corrected for leverage, less the mean sampling
covariance, iterated because weights and leverages depend on it (Sera et al. 2019, Stat Med 38:5429, lists both).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.multilevel.likelihood import Problem
from balm.vocabulary.problems import InputError

#: The iteration of "VC" ends when no entry moves by more than this share of the typical sampling variance.
STILL = 1e-12
#: It converges linearly; what has not ended by then is refused.
MOST_ROUNDS = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Wide:
    """One row a study: y (n, m), x (n, m, p), s (n, m, m), seen (n, m); zeros where an outcome was not measured."""

    y: Floats
    x: Floats
    s: Floats
    seen: Floats


def _wide(problem: Problem, method: str) -> Wide:
    if len(problem.terms) != 1 or problem.terms[0].kind != "UN":
        raise InputError(f"method={method!r} needs one random term 'outcome | study' with structure='UN'")
    term = problem.terms[0]
    inner = term.inner
    if inner is None or int(term.level.max()) + 1 < len(problem.effect):
        raise InputError(f"method={method!r} needs one effect for each level of {term.name!r} at most; use REML")
    if int(problem.blocks.max()) + 1 != term.groups.count:
        raise InputError(f"method={method!r} needs V to be zero between the levels of {term.groups.name}")
    n, m, p = term.groups.count, inner.count, problem.design.shape[1]
    o, a = term.groups.codes, inner.codes
    y, x, seen, s = np.zeros((n, m)), np.zeros((n, m, p)), np.zeros((n, m)), np.zeros((n, m, m))
    y[o, a], x[o, a], seen[o, a] = problem.effect, problem.design, 1.0
    if problem.sampling is None:
        s[o, a, a] = problem.variance
    else:
        i, j = np.nonzero(problem.sampling)
        s[o[i], a[i], a[j]] = problem.sampling[i, j]
    return Wide(y, x, s, seen)


def _inverse(m: Floats, seen: Floats) -> Floats:
    """Inverse of the measured part, zero elsewhere."""
    gap = np.eye(m.shape[1]) * (1.0 - seen)[:, :, None]
    return np.asarray(np.linalg.inv(m + gap) - gap, dtype=np.float64)


def _root(covariance: Floats) -> Floats:
    """Parameters of the unstructured term for the nearest valid matrix: negative eigenvalues become 0."""
    roots, vectors = np.linalg.eigh(0.5 * (covariance + covariance.T))
    upper = np.linalg.qr(np.sqrt(np.maximum(roots, 0.0))[:, None] * vectors.T)[1]
    lower = upper.T * np.where(np.diag(upper) < 0.0, -1.0, 1.0)
    return np.asarray(lower[np.tril_indices(len(covariance))], dtype=np.float64)


def variance_components(problem: Problem) -> Floats:
    """The covariance between outcomes by iterated variance components, as parameters of the unstructured term."""
    d = _wide(problem, "VC")
    both = d.seen[:, :, None] * d.seen[:, None, :]
    count = both.sum(axis=0)
    mean = d.s.sum(axis=0) / count
    eye = np.eye(d.y.shape[1])
    psi = np.zeros_like(mean)  # few studies can give several fixed points: take the one from the common-effect fit
    scale = float(np.diag(mean).mean())
    for _ in range(MOST_ROUNDS):
        m = d.s + both * psi
        w = _inverse(m, d.seen)
        wx = w @ d.x
        bread = np.linalg.inv(np.einsum("nmi,nmj->ij", d.x, wx))
        r = d.y - d.x @ (bread @ np.einsum("nmi,nm->i", wx, d.y))
        half = np.linalg.cholesky(m + eye * (1.0 - d.seen)[:, :, None])
        back = np.linalg.inv(half)
        inside = eye - back @ (d.x @ bread @ np.swapaxes(d.x, 1, 2)) @ np.swapaxes(back, 1, 2)
        roots, vectors = np.linalg.eigh(inside)
        adjust = half @ (vectors * roots[:, None, :] ** -0.5) @ np.swapaxes(vectors, 1, 2) @ back
        u = np.einsum("nab,nb->na", adjust, r)
        values, basis = np.linalg.eigh(np.einsum("na,nb->ab", u, u) / count - mean)
        following = (basis * np.maximum(values, 0.0)) @ basis.T
        moved = float(np.abs(following - psi).max())
        psi = following
        if moved <= STILL * scale:
            return _root(psi)
    raise InputError("method='VC' did not converge; use 'MM' or 'REML'")


def moments(problem: Problem) -> Floats:
    """The covariance between outcomes by moments, as parameters of the unstructured term."""
    d = _wide(problem, "MM")
    y, x, s, seen, w = d.y, d.x, d.s, d.seen, _inverse(d.s, d.seen)
    m = y.shape[1]
    wx = w @ x
    bread = np.linalg.inv(np.einsum("nmi,nmj->ij", x, wx))
    beta = bread @ np.einsum("nmi,nm->i", wx, y)
    r = y - x @ beta
    hat = x @ bread @ np.swapaxes(wx, 1, 2)

    def expected(t: Floats) -> Floats:
        """``E Q`` when study i's errors have covariance t_i."""
        middle = bread @ np.einsum("nai,nab,nbj->ij", wx, t, wx, optimize=True) @ bread
        spread = t - hat @ t - t @ np.swapaxes(hat, 1, 2) + x @ middle @ np.swapaxes(x, 1, 2)
        return np.asarray(np.sum(w @ spread, axis=0))

    both = seen[:, :, None] * seen[:, None, :]
    basis = np.eye(m * m).reshape(m * m, m, m)
    system = np.stack([expected(both * e).ravel() for e in basis], axis=1)
    q = np.einsum("nab,nb,nc->ac", w, r, r)
    found = np.linalg.solve(system, (q - expected(s)).ravel()).reshape(m, m)
    return _root(found)
