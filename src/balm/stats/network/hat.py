"""How direct comparisons feed network estimates: the hat matrix.

Koenig, Krahn & Binder (2013) Stat Med 32:5414; Davies, Papakonstantinou, Nikolakopoulou et al. (2022) Stat Med 41:2091.
"""

from __future__ import annotations

import numpy as np

from balm.stats.network.contrasts import Floats, Integers
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


def shares_of_studies(rows: Rows, solved: Solved, edges: Edges, k: int) -> Floats:
    """(m, k): how the weight of each direct comparison is spread over the studies that make it; each row adds up to 1.

    A weight that a multi-arm study takes away (a negative one) counts by its size.
    """
    a, b = np.triu_indices(rows.places.shape[1], 1)
    weight = -rows.vector[:, a] * rows.vector[:, b] * solved.weight[:, None]
    low = np.minimum(rows.places[:, a], rows.places[:, b])
    high = np.maximum(rows.places[:, a], rows.places[:, b])
    known = edges.first * rows.n + edges.second  # rising, as nonzero() went through the matrix
    code = (low * rows.n + high)[weight != 0.0]
    study = np.broadcast_to(rows.study[:, None], weight.shape)[weight != 0.0]
    at = np.searchsorted(known, code)
    table = np.bincount(at * k + study, weight[weight != 0.0], len(known) * k).reshape(len(known), k)
    table = np.abs(table)
    return np.asarray(table / table.sum(axis=1, keepdims=True))
