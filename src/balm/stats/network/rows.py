"""A network as independent rows: each study of p arms becomes p - 1 uncorrelated contrasts.

The contrasts of a study of p arms have a covariance of rank p - 1. Its double-centred matrix ``S = -J V J / 2`` of the
pairwise variances V has orthonormal eigenvectors u and eigenvalues l, and the combination ``u'y`` of the arms has
variance ``l``, uncorrelated with the others. Heterogeneity tau2 of every contrast adds ``tau2 / 2`` to each
eigenvalue. So the Laplacian of the network is ``L = sum u u' / (l + tau2 / 2)``, for two arms
``(e_i - e_j)(e_i - e_j)' / (v + tau2)``, and every quantity of the model is a sum over rows:
nothing of size pairs by pairs is ever built.

Ruecker G (2012) Res Synth Methods 3:312 (Laplacian, multi-arm weights); Ruecker & Schwarzer (2014) Stat Med 33:4353.
"""

from __future__ import annotations

import math
from functools import cached_property, lru_cache

import numpy as np

from balm.stats.network import compiled
from balm.stats.network.contrasts import CLOSURE, Contrasts, Floats, Integers
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.quick_dataclass import dataclass

#: The least share of a study's spread that an eigenvalue may be before its variances contradict each other.
FLAT = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """``value = vector' theta + error`` with independent errors of ``variance + tau2 / 2``.

    n        : the number of treatments.            study : (E,) of each row.
    places   : (E, p) treatments a row touches.     vector : (E, p) their coefficients, of unit length; 0 fills up.
    value    : (E,).                                variance : (E,) half the variance of a contrast, for two arms.
    narrow   : so many rows touch two treatments; they come first.
    rest     : what the contrasts of multi-arm studies miss in adding up, as a sum of squares (0 when they add up).
    """

    n: int
    study: Integers
    places: Integers
    vector: Floats
    value: Floats
    variance: Floats
    narrow: int
    rest: float = 0.0

    @cached_property
    def pairs(self) -> tuple[Integers, Integers, Integers, Integers, Floats]:
        """Every pair of treatments inside a row: its row, both ends, place above the diagonal, product of coefficients.

        The coefficients of a row add up to 0, so that these products make up its whole matrix.
        """
        narrow, p = self.narrow, self.places.shape[1]
        places, vector = self.places, self.vector
        i, j = _pairs(p)
        row = np.concatenate([np.arange(narrow), np.repeat(np.arange(narrow, len(places)), len(i))])
        a = np.concatenate([places[:narrow, 0], places[narrow:, i].ravel()])
        b = np.concatenate([places[:narrow, 1], places[narrow:, j].ravel()])
        product = np.concatenate(
            [vector[:narrow, 0] * vector[:narrow, 1], (vector[narrow:, i] * vector[narrow:, j]).ravel()]
        )
        return row, a, b, np.minimum(a, b) * self.n + np.maximum(a, b), product

    def laplacian(self, weight: Floats) -> Floats:
        """``A' diag(weight) A``, (n, n)."""
        above = self.laplacian_above(weight)
        return np.asarray(above + np.triu(above, 1).T)

    def laplacian_above(self, weight: Floats) -> Floats:
        """The same with zeros below its diagonal."""
        row, _, _, place, product = self.pairs
        above = np.bincount(place, product * weight[row], self.n * self.n).reshape(self.n, self.n)
        above.flat[:: self.n + 1] = -(above.sum(axis=0) + above.sum(axis=1))
        return np.asarray(above)

    def variances(self, upper: Floats) -> Floats:
        """(E,) of each row's combination of treatments, under a generalised inverse, read above its diagonal."""
        at_once = compiled.variances(self, upper)
        if at_once is not None:
            return at_once
        row, a, b, place, product = self.pairs
        d = np.diag(upper).copy()
        found = product * (2.0 * upper.take(place) - d[a] - d[b])
        return np.asarray(np.bincount(row, found, len(self.value)), np.float64)

    def current(self, weight: Floats) -> Floats:
        """``A' diag(weight) value``, (n,)."""
        return np.asarray(
            np.bincount(self.places.ravel(), (self.vector * (weight * self.value)[:, None]).ravel(), self.n), np.float64
        )

    def at(self, theta: Floats) -> Floats:
        """``A theta``, (E,)."""
        return np.asarray(np.einsum("ep,ep->e", self.vector, theta[self.places]))


def rows_of(contrasts: Contrasts, tau2: float = 0.0) -> Rows:
    """The rows of a network. ``tau2`` matters only where rounded contrasts of a multi-arm study do not add up.

    >>> from balm.stats.network.contrasts import assembled
    >>> rows_of(assembled(["1"], ["A"], ["B"], [1.0], [0.5])).variance.tolist()
    [0.25]
    """
    at_once = compiled.rows_of(contrasts, tau2, (FLAT, CLOSURE))
    if at_once is not None:
        study, places, vector, value, variance, rest = at_once
        narrow = int((contrasts.arms == 2).sum())
        return Rows(len(contrasts.treatments), study, places, vector, value, variance, narrow, rest)
    two = contrasts.arms[contrasts.study] == 2
    widest = int(contrasts.arms.max())
    root = np.sqrt(0.5)
    count = int(two.sum())
    places = np.zeros((count, widest), dtype=np.int64)
    vector = np.zeros((count, widest))
    places[:, 0], places[:, 1] = contrasts.first[two], contrasts.second[two]
    vector[:, 0], vector[:, 1] = root, -root
    parts = [(contrasts.study[two], places, vector, contrasts.effect[two] * root, contrasts.variance[two] * 0.5)]
    rest = 0.0
    for p in range(3, widest + 1):
        if (contrasts.arms == p).any():
            part, missing = _multi_arm(contrasts, p, widest, tau2)
            parts.append(part)
            rest += missing
    study, places, vector, value, variance = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Rows(len(contrasts.treatments), study, places, vector, value, variance, count, rest)


def _multi_arm(
    contrasts: Contrasts, p: int, widest: int, tau2: float
) -> tuple[tuple[Integers, Integers, Floats, Floats, Floats], float]:
    """The rows of all studies of ``p`` arms at once."""
    of_p = contrasts.arms == p
    rows = np.flatnonzero(of_p[contrasts.study])
    first, second = contrasts.first[rows], contrasts.second[rows]
    # the contrasts of each study down a column, in the order (0, 1), (0, 2) ... of its arms, lower minus higher
    low, high = np.minimum(first, second), np.maximum(first, second)
    n, pairs = len(contrasts.treatments), p * (p - 1) // 2
    order = np.argsort((contrasts.study[rows] * n + low) * n + high).reshape(-1, pairs).T
    low, high = low[order], high[order]
    y = np.where(first < second, contrasts.effect[rows], -contrasts.effect[rows])[order]
    v = contrasts.variance[rows[order]]
    s = order.shape[1]
    arms = np.concatenate([low[:1], high[: p - 1]]).T
    values, vectors = _axes(v, p)
    contradicting = values[:, 0] <= FLAT * values[:, -1]
    if contradicting.any():
        raise InputError([_contradiction(contrasts.studies[q]) for q in np.flatnonzero(of_p)[contradicting].tolist()])
    differences = _differences(p)
    level = (differences.T / p) @ y  # the arms, up to a constant; exact where the contrasts add up
    missing = y - differences @ level
    size = np.abs(y).max(axis=0)
    gap = np.abs(missing).max(axis=0)
    open_ = gap > CLOSURE * np.maximum(np.sqrt(v.max(axis=0)), size)
    if open_.any():
        which = np.flatnonzero(open_).tolist()
        names = [contrasts.studies[q] for q in np.flatnonzero(of_p)[open_].tolist()]
        raise InputError([_not_closed(name, float(gap[q])) for name, q in zip(names, which, strict=True)])
    rest = 0.0
    if (gap > 1e-12 * size).any():
        # rounded contrasts: the arms that fit them best under the weights of this tau2
        i, j = _pairs(p)
        kernel = np.einsum("sae,se,sbe->sab", vectors, 1.0 / (values + 0.5 * tau2), vectors)
        weight = -kernel[:, i, j].T
        flow = differences.T @ (weight * missing)
        pseudo = np.einsum("sae,se,sbe->sab", vectors, values + 0.5 * tau2, vectors)
        step = np.einsum("sab,bs->as", pseudo, flow)
        level = level + step
        rest = float((weight * missing**2).sum() - (flow * step).sum())
    value = (level.T[:, None, :] @ vectors)[:, 0, :]
    width = widest - p
    places = np.repeat(arms, p - 1, axis=0)
    vector = vectors.transpose(0, 2, 1).reshape(s * (p - 1), p)
    study = np.repeat(np.flatnonzero(of_p), p - 1)
    if width:
        places, vector = np.pad(places, ((0, 0), (0, width))), np.pad(vector, ((0, 0), (0, width)))
    return (study, places, vector, value.ravel(), values.ravel()), rest


def _axes(variance: Floats, p: int) -> tuple[Floats, Floats]:
    """Eigenvalues (s, p - 1) and vectors (s, p, p - 1) of ``-J V J / 2`` across p arms, the constant left out.

    variance : (p(p - 1)/2, s) of the contrasts, in the order of :func:`_pairs`.
    """
    basis = _basis(p)
    if p == 3:  # two by two, in the basis (1, -1, 0) and (1, 1, -2): the angle of the larger axis
        v, w, x = variance
        a, b, c = 0.5 * v, (w - x) * (0.5 / math.sqrt(3.0)), (2.0 * (w + x) - v) / 6.0
        half = 0.5 * (a - c)
        large = 0.5 * (a + c) + np.hypot(half, b)
        small = np.divide(a * c - b * b, large, out=np.zeros(len(a)), where=large > 0.0)
        angle = np.arctan2(b, half) * 0.5
        cos, sin = np.cos(angle), np.sin(angle)
        vectors = np.empty((len(a), 3, 2))
        for arm, (one, two) in enumerate(basis.tolist()):
            vectors[:, arm, 0], vectors[:, arm, 1] = cos * two - sin * one, cos * one + sin * two
        return np.stack([small, large], axis=1), vectors
    i, j = _pairs(p)
    spread = np.zeros((variance.shape[1], p, p))
    spread[:, i, j] = spread[:, j, i] = variance.T
    values, vectors = np.linalg.eigh(-0.5 * (basis.T @ spread @ basis))
    return values, np.asarray(basis @ vectors)


@lru_cache(maxsize=32)
def _pairs(p: int) -> tuple[Integers, Integers]:
    """Every pair i < j of p arms."""
    i, j = np.triu_indices(p, 1)
    return i.astype(np.int64), j.astype(np.int64)


@lru_cache(maxsize=32)
def _differences(p: int) -> Floats:
    """(p(p - 1)/2, p): what makes the contrasts of :func:`_pairs` out of p arms."""
    i, j = _pairs(p)
    return np.asarray(np.eye(p)[i] - np.eye(p)[j])


@lru_cache(maxsize=32)
def _basis(p: int) -> Floats:
    """(p, p - 1) orthonormal columns that add up to 0 (Helmert)."""
    found = np.zeros((p, p - 1))
    for e in range(1, p):
        found[:e, e - 1], found[e, e - 1] = 1.0, -float(e)
        found[:, e - 1] /= np.sqrt(e * (e + 1.0))
    return found


def _contradiction(study: str) -> Problem:
    return Problem(
        f"study {study!r}: the variances of its contrasts contradict each other (no arms could have them); "
        "check its standard errors, or give its arms"
    )


def _not_closed(study: str, gap: float) -> Problem:
    return Problem(
        f"study {study!r}: its contrasts do not add up (A-B plus B-C misses A-C by up to {gap:.3g}); "
        "check signs and the order of treatments"
    )
