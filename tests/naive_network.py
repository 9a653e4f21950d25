"""The dense twin of the network engine: one row and column a pair of arms, matrices of pairs by pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def weights(study: Any, first: Any, second: Any, variance: Floats) -> Floats:
    """Each pair's weight: of a multi-arm study from the pseudo-inverse of its double-centred variances."""
    found = np.zeros(len(variance))
    for s in np.unique(study):
        rows = np.flatnonzero(study == s)
        arms = sorted({*first[rows].tolist(), *second[rows].tolist()})
        i = [arms.index(t) for t in first[rows].tolist()]
        j = [arms.index(t) for t in second[rows].tolist()]
        spread = np.zeros((len(arms), len(arms)))
        spread[i, j] = spread[j, i] = variance[rows]
        centre = np.eye(len(arms)) - 1.0 / len(arms)
        found[rows] = -np.linalg.pinv(-0.5 * centre @ spread @ centre)[i, j]
    return found


def fit(study: Any, first: Any, second: Any, effect: Floats, variance: Floats, n: int) -> dict[str, Any]:
    """Both models and tau2 by moments, through the pairs-by-pairs hat matrix."""
    edge = np.zeros((len(effect), n))
    edge[np.arange(len(effect)), first] = 1.0
    edge[np.arange(len(effect)), second] = -1.0
    every = np.array([np.eye(n)[i] - np.eye(n)[j] for i in range(n) for j in range(n)])

    def solved(tau2: float) -> tuple[Floats, Floats, float, Floats, Floats]:
        w = np.diag(weights(study, first, second, variance + tau2))
        inverse = np.linalg.pinv(edge.T @ w @ edge)
        hat = edge @ inverse @ edge.T @ w
        residual = effect - hat @ effect
        theta = inverse @ edge.T @ w @ effect
        return (every @ theta).reshape(n, n), theta, float(residual @ w @ residual), hat, w

    common, _, q, hat, w = solved(0.0)
    df = int(sum(len({*first[study == s], *second[study == s]}) - 1 for s in np.unique(study))) - (n - 1)
    # heterogeneity of the pairs: 1 on the diagonal, 1/2 (signed) between pairs of a study that share an arm
    shared = (0.5 * edge @ edge.T) * (study[:, None] == study[None, :])
    c = float(np.trace((w - w @ hat) @ shared))
    tau2 = max(0.0, (q - df) / c) if df > 0 else 0.0
    random, *_ = solved(tau2)
    return {"common": common, "random": random, "q": q, "df": df, "tau2": tau2}
