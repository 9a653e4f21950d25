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
    rest     : what the contrasts of multi-arm studies miss in adding up, as a sum of squares (0 when they add up).
    """

    n: int
    study: Integers
    places: Integers
    vector: Floats
    value: Floats
    variance: Floats
    rest: float = 0.0

    def laplacian(self, weight: Floats) -> Floats:
        """``A' diag(weight) A``, (n, n)."""
        p = self.places.shape[1]
        if p == 2:  # only two-arm studies: the matrix from its off-diagonal
            flat = self.places[:, 0] * self.n + self.places[:, 1]
            upper = np.bincount(flat, weight * 0.5, self.n * self.n).reshape(self.n, self.n)
            both = upper + upper.T
            return np.asarray(np.diag(both.sum(axis=1)) - both)
        where = self.places[:, :, None] * self.n + self.places[:, None, :]
        what = (self.vector * weight[:, None])[:, :, None] * self.vector[:, None, :]
        return np.asarray(np.bincount(where.ravel(), what.ravel(), self.n * self.n).reshape(self.n, self.n), np.float64)

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
    for p in np.unique(contrasts.arms).tolist():
        if p > 2:
            part, missing = _multi_arm(contrasts, p, widest, tau2)
            parts.append(part)
            rest += missing
    study, places, vector, value, variance = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Rows(len(contrasts.treatments), study, places, vector, value, variance, rest)


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
    both = np.sort(np.concatenate([first, second], axis=1), axis=1)
    arms = both[:, :: p - 1]  # each treatment stands p - 1 times
    i = (first[:, :, None] > arms[:, None, :]).sum(axis=2)
    j = (second[:, :, None] > arms[:, None, :]).sum(axis=2)
    here = np.arange(s)[:, None]
    spread = np.zeros((s, p, p))
    spread[here, i, j] = spread[here, j, i] = v
    difference = np.zeros((s, p, p))
    difference[here, i, j], difference[here, j, i] = y, -y
    centre = np.eye(p) - 1.0 / p
    values, vectors = np.linalg.eigh(-0.5 * centre @ spread @ centre)
    # the eigenvector of ones, whose value is 0, may stand anywhere when others are negative
    ones = np.abs(vectors.sum(axis=1)).argmax(axis=1)
    others = np.array([[c for c in range(p) if c != drop] for drop in ones.tolist()])
    values = np.take_along_axis(values, others, axis=1)
    vectors = np.take_along_axis(vectors, others[:, None, :], axis=2)
    names = [contrasts.studies[q] for q in np.flatnonzero(of_p).tolist()]
    contradicting = (values <= FLAT * values.max(axis=1, keepdims=True)).any(axis=1)
    if contradicting.any():
        raise InputError([_contradiction(names[q]) for q in np.flatnonzero(contradicting).tolist()])
    level = difference.mean(axis=2)  # the arms, up to a constant; exact where the contrasts add up
    missing = difference - (level[:, :, None] - level[:, None, :])
    scale = np.sqrt(spread).max(axis=(1, 2))
    gap = np.abs(missing).max(axis=(1, 2))
    open_ = gap > CLOSURE * np.maximum(scale, np.abs(difference).max(axis=(1, 2)))
    if open_.any():
        raise InputError([_not_closed(names[q], float(gap[q])) for q in np.flatnonzero(open_).tolist()])
    rest = 0.0
    if (gap > 1e-12 * np.abs(difference).max(axis=(1, 2))).any():
        # rounded contrasts: the arms that fit them best under the weights of this tau2
        kernel = np.einsum("sae,se,sbe->sab", vectors, 1.0 / (values + 0.5 * tau2), vectors)
        weight = -kernel * (1.0 - np.eye(p))
        flow = (weight * missing).sum(axis=2)
        pseudo = np.einsum("sae,se,sbe->sab", vectors, values + 0.5 * tau2, vectors)
        step = np.einsum("sab,sb->sa", pseudo, flow)
        level = level + step
        rest = float(0.5 * (weight * missing**2).sum() - (flow * step).sum())
    value = np.einsum("sae,sa->se", vectors, level)
    width = widest - p
    places = np.repeat(arms, p - 1, axis=0)
    vector = vectors.transpose(0, 2, 1).reshape(s * (p - 1), p)
    study = np.repeat(np.flatnonzero(of_p), p - 1)
    padded = (np.pad(places, ((0, 0), (0, width))), np.pad(vector, ((0, 0), (0, width))))
    return (study, *padded, value.ravel(), values.ravel()), rest


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
