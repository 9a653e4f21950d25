"""Structures in the very parameters that are read, so that one variance or correlation can be held at a value.

The solver's own parameters of CS and UN keep every matrix valid, but no single one of them is what a person reads.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.multilevel.structures import Structure, Values


def compound_symmetry_as_read(levels: int, largest: int) -> Structure:
    """One variance, one correlation, as they are. Slots: 1 same level, 2 another level."""

    def values(p: Values) -> Values:
        return np.array([0.0 * p[0], p[0], p[0] * p[1]])

    def jacobian(p: Values) -> Values:
        return np.array([[0.0, 1.0, p[1]], [0.0, 0.0, p[0]]])

    return Structure(
        ("tau2", "rho"),
        np.array([0.0, -1.0 / (max(largest, 2) - 1)]),
        np.array([math.inf, 1.0]),
        np.array([2.0, 0.0]),
        (np.array([1.0, 0.3]), np.array([1.0, 0.9])),
        values,
        jacobian,
        lambda p: (p[:1].copy(), p[1:].copy()),
    )


def unstructured_as_read(levels: int, i: int, j: int) -> Structure:
    """Any covariance matrix through ``sd[i], sd[j]`` and the arcsine of their correlation, then the Cholesky factor.

    The factor is that of the matrix with i and j before the others; the arcsine keeps slopes finite at correlations of
    -1 and 1. Slots: 1 + a * levels + b.
    """
    order = [i, j, *(a for a in range(levels) if a not in (i, j))]
    back = np.argsort(order)
    below = [(a, b) for a in range(2, levels) for b in range(a + 1)]

    def factor(p: Values) -> Values:
        out = np.zeros((levels, levels), dtype=p.dtype)
        out[0, 0], out[1, 0], out[1, 1] = p[0], p[1] * np.sin(p[2]), p[1] * np.cos(p[2])
        for value, at in zip(p[3:], below, strict=True):
            out[at] = value
        return out

    def slots(g: Values) -> Values:
        return np.concatenate([[0.0], g[np.ix_(back, back)].ravel()])

    def values(p: Values) -> Values:
        f = factor(p)
        return slots(f @ f.T)

    def jacobian(p: Values) -> Values:
        f = factor(p)
        changes = np.zeros((len(p), levels, levels), dtype=p.dtype)
        changes[0, 0, 0] = 1.0
        changes[1, 1, 0], changes[1, 1, 1] = np.sin(p[2]), np.cos(p[2])
        changes[2, 1, 0], changes[2, 1, 1] = p[1] * np.cos(p[2]), -p[1] * np.sin(p[2])
        for number, (a, b) in enumerate(below):
            changes[3 + number, a, b] = 1.0
        return np.stack([slots(c @ f.T + f @ c.T) for c in changes])

    def start(rho: float) -> Floats:
        root = np.linalg.cholesky(np.full((levels, levels), rho) + (1.0 - rho) * np.eye(levels))
        return np.array([1.0, 1.0, math.asin(rho), *(root[at] for at in below)])

    names = ("sd", "sd", "angle", *(f"root[{a + 1},{b + 1}]" for a, b in below))
    free = np.full(len(below), math.inf)
    return Structure(
        names,
        np.concatenate([[0.0, 0.0, -0.5 * math.pi], -free]),
        np.concatenate([[math.inf, math.inf, 0.5 * math.pi], free]),
        np.array([1.0, 1.0, 0.0, *np.ones(len(below))]),
        (start(0.3), start(0.8)),
        values,
        jacobian,
        lambda p: (p[:2] ** 2, np.sin(p[2:3])),
    )


def read_from(factor: Floats, i: int, j: int) -> Floats:
    """The parameters of :func:`unstructured_as_read` for the matrix ``factor @ factor.T``, singular or not."""
    levels = len(factor)
    order = [i, j, *(a for a in range(levels) if a not in (i, j))]
    lower = np.linalg.qr(factor[order].T)[1].T
    lower = lower * np.where(np.diag(lower) < 0.0, -1.0, 1.0)[None, :]
    angle = math.atan2(lower[1, 0], lower[1, 1])
    below = [lower[a, b] for a in range(2, levels) for b in range(a + 1)]
    return np.array([lower[0, 0], math.hypot(lower[1, 0], lower[1, 1]), angle, *below])


def unstructured_names(levels: int) -> tuple[str, ...]:
    """What is read of an unstructured covariance matrix, in the order in which results list it.

    >>> unstructured_names(2)
    ('tau[1]', 'tau[2]', 'rho[1,2]')
    """
    n = range(1, levels + 1)
    return (*(f"tau[{i}]" for i in n), *(f"rho[{i},{j}]" for i in n for j in n if i < j))


def name_in_parts(name: str) -> str:
    """The name among those of :func:`unstructured_in_parts` of what is read as ``name``."""
    return name.replace("tau[", "sd[")


def unstructured_in_parts(levels: int, root: int) -> Structure:
    """Any covariance matrix through all standard deviations and the partial correlations of a vine with one root.

    The correlations with level ``root`` are parameters as they are (through the arcsine); every other is one given
    the levels before it, ``root`` first, so that any values between -1 and 1 make a valid matrix. So all variances, and
    the correlations of one level, can be held. Names: ``sd[i]``, ``rho[i,j]`` with the root, ``partial[i,j]``.
    Joe (2006) J Multivar Anal 97:2177. Slots: 1 + a * levels + b.
    """
    order = [root, *(a for a in range(levels) if a != root)]
    back = np.argsort(order)
    below = [(a, b) for a in range(1, levels) for b in range(a)]
    place = {at: levels + number for number, at in enumerate(below)}

    def rows(p: Values) -> Values:
        """The factor of the correlation matrix in ``order``: row a has squares that add up to 1."""
        out = np.zeros((levels, levels), dtype=p.dtype)
        for a in range(levels):
            rest: Any = 1.0
            for b in range(a):
                angle = p[place[a, b]]
                out[a, b], rest = rest * np.sin(angle), rest * np.cos(angle)
            out[a, a] = rest
        return out

    def slots(g: Values) -> Values:
        return np.concatenate([[0.0], g[np.ix_(back, back)].ravel()])

    def values(p: Values) -> Values:
        f = p[order][:, None] * rows(p)
        return slots(f @ f.T)

    def jacobian(p: Values) -> Values:
        sd, unit = p[order], rows(p)
        f = sd[:, None] * unit
        out = []
        for level in range(levels):
            change = np.zeros_like(f)
            change[back[level]] = unit[back[level]]
            out.append(slots(change @ f.T + f @ change.T))
        for a, b in below:
            moved = p.copy()
            moved[place[a, b]] = moved[place[a, b]] + 0.5 * math.pi  # sine to cosine, cosine to minus sine
            change = np.zeros_like(f)
            change[a, b:] = sd[a] * rows(moved)[a, b:]
            out.append(slots(change @ f.T + f @ change.T))
        return np.stack(out)

    def reported(p: Floats) -> tuple[Floats, Floats]:
        unit = rows(p)
        r = (unit @ unit.T)[np.ix_(back, back)]
        known = np.outer(p[:levels], p[:levels]) > 0.0
        r = np.where(known, r, math.nan)
        return p[:levels] ** 2, np.array([r[i, j] for j in range(levels) for i in range(j + 1, levels)])

    def start(rho: float) -> Floats:
        given = [math.asin(rho / (1.0 + b * rho)) for _, b in below]
        return np.array([1.0] * levels + given)

    names = [f"sd[{i + 1}]" for i in range(levels)]
    for a, b in below:
        i, j = sorted((order[a], order[b]))
        names.append(f"{'partial' if b else 'rho'}[{i + 1},{j + 1}]")
    n = len(below)
    return Structure(
        tuple(names),
        np.array([0.0] * levels + [-0.5 * math.pi] * n),
        np.array([math.inf] * levels + [0.5 * math.pi] * n),
        np.array([1.0] * levels + [0.0] * n),
        (start(0.3), start(0.8)),
        values,
        jacobian,
        reported,
    )
