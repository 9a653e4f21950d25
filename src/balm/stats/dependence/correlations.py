"""A correlation matrix from one sample: how its entries covary, and the regression it implies."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from balm.stats.distributions import t_sf
from balm.vocabulary.problems import check_option, refuse

Floats = NDArray[np.float64]


def _matrix(correlations: ArrayLike) -> Floats:
    r = np.asarray(correlations, dtype=np.float64)
    if r.ndim != 2 or r.shape[0] != r.shape[1] or r.shape[0] < 2:
        refuse(f"correlations must be a square matrix of at least 2 variables; got shape {r.shape}")
    if not np.all(np.isfinite(r)):
        refuse("correlations must be finite numbers; estimate or leave out the variables that miss some")
    if not np.allclose(r, r.T, rtol=0, atol=1e-12) or not np.all(np.diag(r) == 1):
        refuse("correlations must be symmetric with ones on the diagonal")
    if np.any(np.abs(r) > 1):
        refuse(f"correlations must lie between -1 and 1; got {r[np.abs(r) > 1][0]}")
    return r


def covariance_of_correlations(
    correlations: ArrayLike, n: float, *, pairs: list[tuple[int, int]] | None = None
) -> Floats:
    """Covariance matrix of the correlations of one sample of n people with normal data.

    correlations : (p, p). ``pairs``: the (i, j) to cover, from 0; default: below the diagonal, column by column.
    Returns (len(pairs), len(pairs)). Olkin & Siotani (1976); Steiger (1980), Psychol Bull 87:245, over n − 1.

    >>> covariance_of_correlations([[1, 0.5], [0.5, 1]], 76).round(6).tolist()
    [[0.0075]]
    """
    r = _matrix(correlations)
    if not n >= 2:
        refuse(f"n must be at least 2; got {n!r}")
    p = r.shape[0]
    chosen = pairs if pairs is not None else [(i, j) for j in range(p) for i in range(j + 1, p)]
    for pair in chosen:
        if len(pair) != 2 or not all(0 <= a < p for a in pair) or pair[0] == pair[1]:
            refuse(f"pairs must name two different variables from 0 to {p - 1}; got {pair!r}")
    i, j = (np.array([pair[side] for pair in chosen])[:, None] for side in (0, 1))
    k, m = i.T, j.T
    both = r[i, j] * r[k, m]
    around = r[i, k] ** 2 + r[i, m] ** 2 + r[j, k] ** 2 + r[j, m] ** 2
    across = r[i, k] * r[j, m] + r[i, m] * r[j, k]
    first = r[i, j] * (r[i, k] * r[i, m] + r[j, k] * r[j, m])
    second = r[k, m] * (r[i, k] * r[j, k] + r[i, m] * r[j, m])
    covariance: Floats = (both * around / 2 + across - first - second) / (n - 1)
    return covariance


@dataclass(frozen=True, slots=True, eq=False)
class CorrelationRegression:
    """Standardised coefficients with ``se``, ``t`` and two-sided ``p`` on ``df`` degrees of freedom, and ``r2``."""

    coefficient: Floats
    se: Floats
    t: Floats
    p: Floats
    df: float
    r2: float


def regress_correlations(
    correlations: ArrayLike, n: float, *, outcome: int = 0, means: str = "estimated"
) -> CorrelationRegression:
    """Regress one variable on all others from their correlation matrix alone.

    correlations : (p, p). ``outcome``: position of the outcome. Coefficients are standardised.
    ``means``: "estimated" (as in any sample; df = n − p) or "known" (df = n − p + 1, as some software has it).
    Becker (2009), in The Handbook of Research Synthesis, chapter 20.

    >>> regress_correlations([[1, 0.5], [0.5, 1]], 77).se.round(4).tolist()
    [0.1]
    """
    r = _matrix(correlations)
    p = r.shape[0]
    if not 0 <= outcome < p:
        refuse(f"outcome must lie between 0 and {p - 1}; got {outcome!r}")
    df = n - p + (check_option("means", means, ["estimated", "known"]) == "known")
    if not df > 0:
        refuse(f"n must exceed the number of variables ({p}); got {n!r}")
    others = [a for a in range(p) if a != outcome]
    among, with_outcome = r[np.ix_(others, others)], r[others, outcome]
    if np.linalg.cond(among) > 1e12:
        refuse("the predictors are linearly dependent; leave one of them out")
    inverse = np.linalg.inv(among)
    coefficient = inverse @ with_outcome
    r2 = float(coefficient @ with_outcome)
    if not 0 <= r2 < 1:
        refuse(f"correlations must be positive definite; the outcome's R² would be {r2:.4g}")
    se = np.sqrt((1 - r2) / df * np.diag(inverse))
    t = coefficient / se
    p_value = np.array([min(1.0, 2 * t_sf(math.fabs(x), df)) for x in t])
    return CorrelationRegression(coefficient, se, t, p_value, df, r2)
