"""How direct comparisons feed network estimates: the hat matrix, mean path length, parallelism.

Koenig, Krahn & Binder (2013) Stat Med 32:5414; Davies, Papakonstantinou, Nikolakopoulou et al. (2022) Stat Med 41:2091.
"""

from __future__ import annotations

import numpy as np

from balm.stats.network.contrasts import Contrasts, Floats, Integers
from balm.stats.network.rows import Rows
from balm.stats.network.solved import Solved
from balm.vocabulary.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """The direct comparisons: ends ``first < second``, and ``weight`` (m,) adjusted for multi-arm studies."""

    first: Integers
    second: Integers
    weight: Floats


def edges_of(rows: Rows, solved: Solved) -> Edges:
    """The comparisons that a study makes directly; a weight may be negative through multi-arm studies."""
    matrix = rows.laplacian(solved.weight)
    touched = rows.laplacian(np.ones(len(rows.value)))
    # a pair inside a study touches; in a multi-arm study the unit Laplacian has 1/p there, never 0
    first, second = np.nonzero(np.triu(np.abs(touched) > 1e-12, 1))
    return Edges(first, second, -matrix[first, second])


def hat_matrix(solved: Solved, edges: Edges, pairs: tuple[Integers, Integers] | None = None) -> Floats:
    """How much each direct comparison (columns) carries of each estimate (rows; direct comparisons by default).

    ``H = X L+ B' W``: rows of unit current from one treatment to another.
    """
    a, b = (edges.first, edges.second) if pairs is None else pairs
    inverse = solved.inverse
    left = inverse[a] - inverse[b]
    return np.asarray((left[:, edges.first] - left[:, edges.second]) * edges.weight)


def all_pairs(n: int) -> tuple[Integers, Integers]:
    """Every pair i < j of n treatments."""
    first, second = np.triu_indices(n, 1)
    return first.astype(np.int64), second.astype(np.int64)


def study_hat(contrasts: Contrasts, rows: Rows, solved: Solved, pairs: tuple[Integers, Integers]) -> Floats:
    """As :func:`hat_matrix`, a column a contrast of a study."""
    weights = np.zeros(len(contrasts.study))
    order = np.argsort(rows.study, kind="stable")
    bounds = np.searchsorted(rows.study[order], np.arange(contrasts.k + 1))
    starts = np.searchsorted(contrasts.study, np.arange(contrasts.k + 1))
    for s in range(contrasts.k):
        own = order[bounds[s] : bounds[s + 1]]
        dense = np.zeros((len(own), rows.n))
        for line, r in enumerate(own.tolist()):
            np.add.at(dense[line], rows.places[r], rows.vector[r])
        part = slice(starts[s], starts[s + 1])
        i, j = contrasts.first[part], contrasts.second[part]
        weights[part] = -(dense[:, i] * solved.weight[own][:, None] * dense[:, j]).sum(axis=0)
    left = solved.inverse[pairs[0]] - solved.inverse[pairs[1]]
    return np.asarray((left[:, contrasts.first] - left[:, contrasts.second]) * weights)
