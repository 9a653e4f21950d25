"""The multivariate method of moments: DerSimonian & Laird for several outcomes.

With weights W_i = S_i⁻¹ of study i and residuals r_i of the common-effect fit, ``Q = sum W_i r_i r_i'`` has an
expectation that is linear in the between-study covariance; equating the two gives it without iteration. Outcomes that a
study lacks have zero weight. Jackson, White & Riley (2013), Biometrical Journal 55:231.
"""

from __future__ import annotations

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.multilevel.likelihood import Problem
from balm.vocabulary.problems import InputError


def moments(problem: Problem) -> Floats:
    """The covariance between outcomes as parameters of an unstructured term; negative eigenvalues become 0."""
    if len(problem.terms) != 1 or problem.terms[0].kind != "UN":
        raise InputError("method='MM' needs one random term 'outcome | study' with structure='UN'")
    term = problem.terms[0]
    inner = term.inner
    if inner is None or int(term.level.max()) + 1 < len(problem.effect):
        raise InputError(f"method='MM' needs one effect for each level of {term.name!r} at most; use REML")
    if int(problem.blocks.max()) + 1 != term.groups.count:
        raise InputError(f"method='MM' needs V to be zero between the levels of {term.groups.name}")
    n, m, p = term.groups.count, inner.count, problem.design.shape[1]
    o, a = term.groups.codes, inner.codes
    y, x, seen = np.zeros((n, m)), np.zeros((n, m, p)), np.zeros((n, m))
    y[o, a], x[o, a], seen[o, a] = problem.effect, problem.design, 1.0
    s, w = np.zeros((n, m, m)), np.zeros((n, m, m))
    v = np.diag(problem.variance) if problem.sampling is None else problem.sampling
    for i in range(n):
        rows = np.flatnonzero(o == i)
        at = np.ix_(a[rows], a[rows])
        block = v[np.ix_(rows, rows)]
        s[i][at], w[i][at] = block, np.linalg.inv(block)
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
    roots, vectors = np.linalg.eigh(0.5 * (found + found.T))
    upper = np.linalg.qr(np.sqrt(np.maximum(roots, 0.0))[:, None] * vectors.T)[1]
    lower = upper.T * np.where(np.diag(upper) < 0.0, -1.0, 1.0)
    return np.asarray(lower[np.tril_indices(m)], dtype=np.float64)
