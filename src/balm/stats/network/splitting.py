"""Direct against indirect evidence for every comparison (SIDE: separating indirect from direct evidence).

The direct estimate pools the studies that compare both treatments; the rest of the network estimate is indirect, by
back-calculation: ``network = p direct + (1 - p) indirect`` with ``p = var(network) / var(direct)``. For networks of
two-arm studies this is the split of Dias et al. (2010) Stat Med 29:932; see Koenig, Krahn & Binder (2013) Stat Med
32:5414 for p, and Ruecker, Nikolakopoulou et al. (2020) BMC Med Res Methodol 20:224 for multi-arm studies.
"""

from __future__ import annotations

import math

import numpy as np

from balm.stats.distributions import norm_sf
from balm.stats.network.contrasts import Contrasts
from balm.stats.network.solved import Solved
from balm.vocabulary.quick_dataclass import dataclass

#: A share of direct evidence nearer to 1 than this leaves no indirect evidence.
ALL_DIRECT = 1e-10


@dataclass(frozen=True, slots=True)
class Split:
    """One comparison; what cannot be estimated is nan."""

    treatment_1: str
    treatment_2: str
    k: int
    proportion: float
    effect: float
    se: float
    direct: float
    direct_se: float
    indirect: float
    indirect_se: float
    difference: float
    difference_se: float
    z: float
    p: float


def split(contrasts: Contrasts, solved: Solved, tau2: float) -> tuple[Split, ...]:
    """Every comparison, the first treatment before the second in sorted order."""
    n = len(contrasts.treatments)
    low, high = np.minimum(contrasts.first, contrasts.second), np.maximum(contrasts.first, contrasts.second)
    pair = low * n + high
    w = 1.0 / (contrasts.variance + tau2)
    signed = np.where(contrasts.first == low, contrasts.effect, -contrasts.effect)
    count = np.bincount(pair, minlength=n * n)
    weight = np.bincount(pair, w, n * n)
    total = np.bincount(pair, w * signed, n * n)
    effect, variance = solved.effect, solved.variance
    found = []
    for i in range(n):
        for j in range(i + 1, n):
            at = i * n + j
            found.append(
                _one(
                    contrasts.treatments[i],
                    contrasts.treatments[j],
                    int(count[at]),
                    float(effect[i, j]),
                    float(variance[i, j]),
                    float(weight[at]),
                    float(total[at]),
                )
            )
    return tuple(found)


def _one(a: str, b: str, k: int, effect: float, variance: float, weight: float, total: float) -> Split:
    nan = math.nan
    if k == 0:
        return Split(a, b, 0, 0.0, effect, variance**0.5, nan, nan, effect, variance**0.5, nan, nan, nan, nan)
    direct = total / weight
    p = min(variance * weight, 1.0)
    if p > 1.0 - ALL_DIRECT:
        return Split(a, b, k, 1.0, effect, variance**0.5, direct, weight**-0.5, nan, nan, nan, nan, nan, nan)
    indirect, indirect_variance = (effect - p * direct) / (1.0 - p), variance / (1.0 - p)
    difference, se = direct - indirect, (1.0 / weight + indirect_variance) ** 0.5
    z = difference / se
    return Split(
        a,
        b,
        k,
        p,
        effect,
        variance**0.5,
        direct,
        weight**-0.5,
        indirect,
        indirect_variance**0.5,
        difference,
        se,
        z,
        2.0 * norm_sf(abs(z)),
    )
