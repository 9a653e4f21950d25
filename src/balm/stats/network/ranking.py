"""Ranking of treatments: P-scores, SUCRA and the chances of each rank.

The P-score is the mean certainty with which a treatment beats another; under the normal distribution of the estimates
it equals the expectation of SUCRA. Ruecker & Schwarzer (2015) BMC Med Res Methodol 15:58; Salanti et al. (2011)
J Clin Epidemiol 64:163.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from balm.stats.network.contrasts import Floats, Integers
from balm.stats.network.solved import Solved


def p_scores(effect: Floats, variance: Floats, lower_is_better: bool) -> Floats:
    """(n,) between 0 (surely worst) and 1 (surely best).

    >>> p_scores(np.array([[0.0, -2.0], [2.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 0.0]]), True).round(4).tolist()
    [0.9772, 0.0228]
    """
    from scipy.special import ndtr

    n = len(effect)
    place, above = np.arange(n), _above(n)
    table = np.zeros((n, n))  # the chance that the column's treatment is the lower, above the diagonal
    z = np.sqrt(variance.take(above))
    table.flat[above] = ndtr(np.divide(effect.take(above), z, out=z), out=z)
    higher = table.sum(axis=1) + place - table.sum(axis=0)
    return np.asarray((n - 1 - higher if lower_is_better else higher) / (n - 1))


@lru_cache(maxsize=4)
def _above(n: int) -> Integers:
    """Where the cells above the diagonal stand in an (n, n) table read row by row."""
    place = np.arange(n)
    return np.asarray(np.flatnonzero(place[:, None] < place), np.int64)


def rank_chances(solved: Solved, lower_is_better: bool, draws: int, seed: int) -> Floats:
    """(n, n): the probability of each treatment (rows) to hold each rank (columns, best first), by simulation."""
    generator = np.random.default_rng(seed)
    n = len(solved.theta)
    centre = np.eye(n) - 1.0 / n
    values, vectors = np.linalg.eigh(centre @ solved.inverse @ centre)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    counts = np.zeros((n, n))
    drawn = solved.theta + generator.standard_normal((draws, n)) @ root.T
    order = np.argsort(drawn if lower_is_better else -drawn, axis=1)
    for rank in range(n):
        counts[:, rank] = np.bincount(order[:, rank], minlength=n)
    return counts / draws
