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

from functools import cached_property

import numpy as np

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
    def pairs(self) -> tuple[Integers, Integers, Integers, Floats]:
        """Every pair of treatments inside a row: its row, both ends (lower first) and the product of coefficients.

        The coefficients of a row add up to 0, so that these products make up its whole matrix.
        """
        narrow, p = self.narrow, self.places.shape[1]
        places, vector = self.places, self.vector
        i, j = np.triu_indices(p, 1)
        row = np.concatenate([np.arange(narrow), np.repeat(np.arange(narrow, len(places)), len(i))])
        a = np.concatenate([places[:narrow, 0], places[narrow:, i].ravel()])
        b = np.concatenate([places[:narrow, 1], places[narrow:, j].ravel()])
        product = np.concatenate(
            [vector[:narrow, 0] * vector[:narrow, 1], (vector[narrow:, i] * vector[narrow:, j]).ravel()]
        )
        return row, np.minimum(a, b), np.maximum(a, b), product

    def laplacian(self, weight: Floats) -> Floats:
        """``A' diag(weight) A``, (n, n), from its part above the diagonal."""
        row, low, high, product = self.pairs
        upper = np.bincount(low * self.n + high, product * weight[row], self.n * self.n).reshape(self.n, self.n)
        both = upper + upper.T
        both[np.diag_indices(self.n)] = -both.sum(axis=1)
        return np.asarray(both, np.float64)

    def variances(self, upper: Floats) -> Floats:
        """(E,) of each row's combination of treatments, under a generalised inverse, read above its diagonal."""
        row, low, high, product = self.pairs
        d = np.diag(upper)
        found = product * (2.0 * upper[low, high] - d[low] - d[high])
        return np.asarray(np.bincount(row, found, len(self.value)), np.float64)

    def current(self, weight: Floats) -> Floats:
        """``A' diag(weight) value``, (n,)."""
        return np.asarray(
            np.bincount(self.places.ravel(), (self.vector * (weight * self.value)[:, None]).ravel(), self.n), np.float64
        )

    def at(self, theta: Floats) -> Floats:
        """``A theta``, (E,)."""
        return np.asarray((self.vector * theta[self.places]).sum(axis=1))


def rows_of(contrasts: Contrasts, tau2: float = 0.0) -> Rows:
    """The rows of a network. ``tau2`` matters only where rounded contrasts of a multi-arm study do not add up.

    >>> from balm.stats.network.contrasts import assembled
    >>> rows_of(assembled(["1"], ["A"], ["B"], [1.0], [0.5])).variance.tolist()
    [0.25]
    """
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
    rows = of_p[contrasts.study]
    s = int(of_p.sum())
    shape = (s, p * (p - 1) // 2)
    first, second = contrasts.first[rows].reshape(shape), contrasts.second[rows].reshape(shape)
    y, v = contrasts.effect[rows].reshape(shape), contrasts.variance[rows].reshape(shape)
    arms = np.sort(np.concatenate([first, second], axis=1), axis=1)[:, :: p - 1]  # each stands p - 1 times
    i = (first[:, :, None] > arms[:, None, :]).sum(axis=2)
    j = (second[:, :, None] > arms[:, None, :]).sum(axis=2)
    here = np.arange(s)[:, None]
    spread, difference = np.zeros((2, s, p, p))
    spread[here, i, j] = spread[here, j, i] = v
    difference[here, i, j], difference[here, j, i] = y, -y
    values, vectors = _axes(spread)
    contradicting = values.min(axis=1) <= FLAT * values.max(axis=1)
    if contradicting.any():
        raise InputError([_contradiction(contrasts.studies[q]) for q in np.flatnonzero(of_p)[contradicting].tolist()])
    level = difference.sum(axis=2) / p  # the arms, up to a constant; exact where the contrasts add up
    missing = difference - (level[:, :, None] - level[:, None, :])
    size = np.abs(y).max(axis=1)
    gap = np.abs(missing).reshape(s, p * p).max(axis=1)
    open_ = gap > CLOSURE * np.maximum(np.sqrt(v.max(axis=1)), size)
    if open_.any():
        which = np.flatnonzero(open_).tolist()
        names = [contrasts.studies[q] for q in np.flatnonzero(of_p)[open_].tolist()]
        raise InputError([_not_closed(name, float(gap[q])) for name, q in zip(names, which, strict=True)])
    rest = 0.0
    if (gap > 1e-12 * size).any():
        # rounded contrasts: the arms that fit them best under the weights of this tau2
        kernel = np.einsum("sae,se,sbe->sab", vectors, 1.0 / (values + 0.5 * tau2), vectors)
        weight = -kernel * (1.0 - np.eye(p))
        flow = (weight * missing).sum(axis=2)
        pseudo = np.einsum("sae,se,sbe->sab", vectors, values + 0.5 * tau2, vectors)
        step = np.einsum("sab,sb->sa", pseudo, flow)
        level = level + step
        rest = float(0.5 * (weight * missing**2).sum() - (flow * step).sum())
    value = (level[:, None, :] @ vectors)[:, 0, :]
    width = widest - p
    places = np.repeat(arms, p - 1, axis=0)
    vector = vectors.transpose(0, 2, 1).reshape(s * (p - 1), p)
    study = np.repeat(np.flatnonzero(of_p), p - 1)
    if width:
        places, vector = np.pad(places, ((0, 0), (0, width))), np.pad(vector, ((0, 0), (0, width)))
    return (study, places, vector, value.ravel(), values.ravel()), rest


def _axes(spread: Floats) -> tuple[Floats, Floats]:
    """Eigenvalues (s, p - 1) and vectors (s, p, p - 1) of ``-J V J / 2`` across the arms, the constant left out."""
    p = spread.shape[1]
    basis = _basis(p)
    if p == 3:  # two by two, in the basis (1, -1, 0) and (1, 1, -2): the angle of the larger axis
        v, w, x = spread[:, 0, 1], spread[:, 0, 2], spread[:, 1, 2]
        a, b, c = 0.5 * v, (w - x) * (0.5 / np.sqrt(3.0)), (2.0 * (w + x) - v) / 6.0
        large = 0.5 * (a + c) + np.hypot(0.5 * (a - c), b)
        small = np.divide(a * c - b * b, large, out=np.zeros(len(a)), where=large > 0.0)
        angle = 0.5 * np.arctan2(2.0 * b, a - c)
        cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
        one, two = basis.T
        vectors = np.stack([cos * two - sin * one, cos * one + sin * two], axis=2)
        return np.stack([small, large], axis=1), vectors
    inner = -0.5 * (basis.T @ spread @ basis)
    values, vectors = np.linalg.eigh(inner)
    return values, np.asarray(basis @ vectors)


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
