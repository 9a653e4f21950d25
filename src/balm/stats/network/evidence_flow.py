"""How an estimate of a network hangs together: how direct it is, how long its paths are, how many run side by side.

An estimate puts coefficients on the arms of every study that add up to 0 within the study; what it takes from a study
is the sum of the positive ones, whatever the number of arms. Over the designs (sets of treatments compared in a study)
these amounts are the evidence flow of Koenig, Krahn & Binder (2013) Stat Med 32:5414, section 3: their sum is the mean
number of comparisons that lie on a path, and 1 over the largest the least number of parallel paths.
"""

from __future__ import annotations

import numpy as np

from balm.stats.network.contrasts import Contrasts, Floats, Integers
from balm.stats.network.designs import design_of
from balm.stats.network.rows import Rows
from balm.stats.network.solved import Solved
from balm.vocabulary.quick_dataclass import dataclass

#: Estimates worked on at once, to bound memory.
BLOCK = 512


@dataclass(frozen=True, slots=True)
class EvidenceFlow:
    """One estimate of a network.

    proportion           : share of direct evidence, 0 to 1.
    mean_path            : direct comparisons on the average path, 1 or more; above 2 the estimate deserves caution.
    parallelism          : least number of independent paths over designs, 1 or more.
    parallelism_by_study : the same over studies: 1 over the largest share that one study has.
    """

    treatment_1: str
    treatment_2: str
    proportion: float
    mean_path: float
    parallelism: float
    parallelism_by_study: float


def evidence_flow(
    contrasts: Contrasts, rows: Rows, solved: Solved, pairs: tuple[Integers, Integers], tau2: float
) -> tuple[EvidenceFlow, ...]:
    """The measures of each of ``pairs``.

    >>> from balm.stats.network.contrasts import assembled
    >>> from balm.stats.network.rows import rows_of
    >>> from balm.stats.network.solved import solve
    >>> chain = assembled(["1", "2"], ["A", "B"], ["B", "C"], [1.0, 1.0], [1.0, 1.0])
    >>> rows = rows_of(chain)
    >>> one = evidence_flow(chain, rows, solve(rows), (np.array([0]), np.array([2])), 0.0)[0]
    >>> one.proportion, round(one.mean_path, 9)
    (0.0, 2.0)
    """
    direct = _direct_weight(contrasts, tau2)
    inverse, names = solved.inverse, contrasts.treatments
    design = design_of(contrasts)[1]
    found: list[EvidenceFlow] = []
    for start in range(0, len(pairs[0]), BLOCK):
        i, j = (ends[start : start + BLOCK] for ends in pairs)
        left = inverse[i] - inverse[j]
        flow = (left[:, rows.places] * rows.vector).sum(axis=2) * solved.weight
        over_designs, over_studies = (taken(flow, rows, unit) for unit in (design[rows.study], rows.study))
        variance = inverse[i, i] + inverse[j, j] - 2.0 * inverse[i, j]
        columns = (
            np.minimum(variance * direct[i, j], 1.0),
            over_designs.sum(axis=1),
            1.0 / over_designs.max(axis=1),
            1.0 / over_studies.max(axis=1),
        )
        for a, b, *values in zip(i.tolist(), j.tolist(), *(c.tolist() for c in columns), strict=True):
            found.append(EvidenceFlow(names[a], names[b], *values))
    return tuple(found)


def taken(flow: Floats, rows: Rows, unit: Integers) -> Floats:
    """(pairs, units): the positive coefficients of the arms, added up within each unit. ``unit`` is one a row."""
    from scipy.sparse import csr_array

    code = unit[:, None] * rows.n + rows.places
    used = rows.vector != 0.0
    arms, at = np.unique(code[used], return_inverse=True)
    row = np.broadcast_to(np.arange(len(unit))[:, None], code.shape)[used]
    spread = csr_array((rows.vector[used], (row, at)), shape=(len(unit), len(arms)))
    gather = csr_array((np.ones(len(arms)), (np.arange(len(arms)), arms // rows.n)))
    return np.asarray(np.maximum(flow @ spread, 0.0) @ gather)


def _direct_weight(contrasts: Contrasts, tau2: float) -> Floats:
    """(n, n): the weight of the pooled direct evidence of each pair; 0 where there is none."""
    n = len(contrasts.treatments)
    low, high = np.minimum(contrasts.first, contrasts.second), np.maximum(contrasts.first, contrasts.second)
    upper = np.bincount(low * n + high, 1.0 / (contrasts.variance + tau2), n * n).reshape(n, n)
    return np.asarray(upper + upper.T)
