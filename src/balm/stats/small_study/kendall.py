"""Kendall's rank correlation: the score, its variance with ties, and its exact distribution without."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from balm.stats.distributions import norm_sf
from balm.stats.effect_sizes import Floats


@dataclass(frozen=True, slots=True)
class Kendall:
    """``tau`` (tau-b where there are ties), the score S, its standard error, z, p, and how p was found.

    ``exact`` is True when p comes from the distribution of S over all orderings.
    """

    tau: float
    score: int
    score_se: float
    z: float
    p: float
    exact: bool
    ties: bool


def kendall(x: Floats, y: Floats, *, exact: bool) -> Kendall:
    """Kendall's correlation of ``x`` and ``y``, each (k,); two-sided p.

    Without ``exact`` (or with ties, for which there is no table) p is normal, with the variance for ties and without
    continuity correction. Kendall & Gibbons (1990), Rank Correlation Methods, chapters 4 and 5. Memory grows with k,
    time with k squared.
    """
    k = len(x)
    score = sum(int(np.sum(np.sign(x[i + 1 :] - x[i]) * np.sign(y[i + 1 :] - y[i]))) for i in range(k - 1))
    t, u = _ties(x), _ties(y)
    pairs = k * (k - 1) / 2
    tied = [sum(n * (n - 1) / 2 for n in group) for group in (t, u)]
    base = math.sqrt((pairs - tied[0]) * (pairs - tied[1]))
    variance = _variance(k, t, u)
    ties = bool(t or u)
    tau = score / base if base > 0.0 else math.nan
    se = math.sqrt(max(variance, 0.0))
    z = score / se if se > 0.0 else math.nan
    if exact and not ties:
        p = exact_p(score, k)
    else:
        exact = False
        p = math.nan if math.isnan(z) else 2.0 * norm_sf(abs(z))
    return Kendall(tau, score, se, z, p, exact, ties)


def _ties(values: Floats) -> list[int]:
    counts = np.unique(values, return_counts=True)[1]
    return [int(n) for n in counts if n > 1]


def _variance(k: int, t: list[int], u: list[int]) -> float:
    def sizes(groups: list[int], power: str) -> float:
        if power == "variance":
            return float(sum(n * (n - 1) * (2 * n + 5) for n in groups))
        if power == "pairs":
            return float(sum(n * (n - 1) for n in groups))
        return float(sum(n * (n - 1) * (n - 2) for n in groups))

    found = (k * (k - 1) * (2 * k + 5) - sizes(t, "variance") - sizes(u, "variance")) / 18.0
    if t and u:
        found += sizes(t, "pairs") * sizes(u, "pairs") / (2.0 * k * (k - 1))
        if k > 2:
            found += sizes(t, "triples") * sizes(u, "triples") / (9.0 * k * (k - 1) * (k - 2))
    return found


@lru_cache(maxsize=64)
def orderings(k: int) -> tuple[int, ...]:
    """How many of the k! orderings have 0, 1, 2 ... inversions (Kendall & Gibbons 1990); whole numbers.

    >>> orderings(3)
    (1, 2, 2, 1)
    """
    counts = [1]
    for n in range(2, k + 1):
        size = len(counts) + n - 1
        running, found = 0, []
        for i in range(size):
            running += counts[i] if i < len(counts) else 0
            running -= counts[i - n] if 0 <= i - n < len(counts) else 0
            found.append(running)
        counts = found
    return tuple(counts)


def exact_p(score: int, k: int) -> float:
    """Twice the smaller tail of the score over all orderings, at most 1.

    >>> round(exact_p(6, 4), 6)
    0.083333
    """
    counts = orderings(k)
    concordant = (abs(score) + k * (k - 1) // 2) // 2
    tail = sum(counts[concordant:])
    return min(1.0, 2 * tail / math.factorial(k))
