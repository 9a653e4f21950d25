"""Structures in the very parameters that are read, so that one variance or correlation can be held at a value.

The solver's own parameters of CS and UN keep every matrix valid, but no single one of them is what a person reads.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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


def unstructured_in_parts(levels: int, pairs: Sequence[tuple[int, int]] = ()) -> Structure:
    """Any covariance matrix through all standard deviations and correlations along a tree that holds ``pairs``.

    ``pairs`` of levels (from 0) close no circle. Their correlations are parameters as they are (through the arcsine);
    every other angle says where a level points given those before it, so that any angles make a valid matrix. So all
    variances can be held, and these correlations. Names: ``sd[i]``, ``rho[i,j]`` along the tree, ``turn[i,b]``.

    Level a is a unit vector ``u_a``: its first angle is that to its neighbour in the tree, the others run through what
    is orthogonal to that neighbour, whose own angles give this basis (a product of rotations). With the tree a star
    these are the partial correlations of a vine: Joe (2006) J Multivar Anal 97:2177. Slots: 1 + a * levels + b.
    """
    order, parent = _along_tree(levels, pairs)
    back = np.argsort(order)
    below = [(a, b) for a in range(1, levels) for b in range(a)]
    first = [levels + a * (a - 1) // 2 for a in range(levels)]  # of each level's angles
    n = len(below)
    quarter = np.zeros((2 * n + 1, levels + n))
    quarter[np.arange(n), levels + np.arange(n)] = 0.5 * math.pi
    quarter[n + np.arange(n), levels + np.arange(n)] = -0.5 * math.pi

    def rows(p: Values) -> Values:
        """(m, parameters) -> (m, levels, levels), the unit vectors in ``order``: factors of correlation matrices."""
        out = np.zeros((len(p), levels, levels), dtype=p.dtype)
        out[:, 0, 0] = 1.0
        turned = [np.ones((len(p), 1, 1), dtype=p.dtype)]
        for a in range(1, levels):
            turned.append(_rotation(p[:, first[a] : first[a] + a]) @ _widened(turned[parent[a]], a + 1))
            out[:, a, : a + 1] = turned[a][:, 0]
        return out

    def slots(g: Values) -> Values:
        read = g[..., back[:, None], back].reshape(*g.shape[:-2], -1)
        return np.concatenate([np.zeros((*read.shape[:-1], 1)), read], axis=-1)

    def values(p: Values) -> Values:
        f = p[order][:, None] * rows(p[None])[0]
        return slots(f @ f.T)

    def jacobian(p: Values) -> Values:
        sd, units = p[order], rows(p + quarter)
        f = sd[:, None] * units[-1]
        change = np.zeros((levels + n, levels, levels), dtype=f.dtype)
        change[np.arange(levels), back] = units[-1][back]
        # each angle enters by its sine or its cosine, once: a quarter turn to either side gives the slope
        change[levels:] = 0.5 * sd[:, None] * (units[:n] - units[n : 2 * n])
        half = change @ f.T
        return slots(half + np.swapaxes(half, 1, 2))

    def reported(p: Floats) -> tuple[Floats, Floats]:
        unit = rows(p[None])[0]
        r = (unit @ unit.T)[np.ix_(back, back)]
        known = np.outer(p[:levels], p[:levels]) > 0.0
        r = np.where(known, r, math.nan)
        return p[:levels] ** 2, np.array([r[i, j] for j in range(levels) for i in range(j + 1, levels)])

    def start(rho: float) -> Floats:
        root = np.linalg.cholesky(np.full((levels, levels), rho) + (1.0 - rho) * np.eye(levels))
        turned: list[Floats] = [np.ones((1, 1, 1))]
        found: list[float] = []
        for a in range(1, levels):
            basis = _widened(turned[parent[a]], a + 1)
            rest, angles = 1.0, []
            for along in (basis[0] @ root[a, : a + 1])[:-1].tolist():
                angles.append(math.asin(along / rest))
                rest *= math.cos(angles[-1])
            turned.append(_rotation(np.array([angles])) @ basis)
            found += angles
        return np.array([1.0] * levels + found)

    names = [f"sd[{i + 1}]" for i in range(levels)]
    for a, b in below:
        i, j = sorted((order[a], order[parent[a]]))
        names.append(f"turn[{order[a] + 1},{b}]" if b else f"rho[{i + 1},{j + 1}]")
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


def _along_tree(levels: int, pairs: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """The levels in an order in which each comes after its neighbour in the tree, and the neighbour's place in it."""
    beside: dict[int, list[int]] = {level: [] for level in range(levels)}
    for i, j in pairs:
        beside[i].append(j)
        beside[j].append(i)
    order: list[int] = []
    parent: list[int] = []
    for first in sorted(beside, key=lambda level: -len(beside[level])):
        if first in order:
            continue
        order.append(first)
        parent.append(0)
        for level in order:  # grows while it is read
            for other in sorted(beside[level]):
                if other not in order:
                    order.append(other)
                    parent.append(order.index(level))
    return order, parent


def _widened(turned: Values, size: int) -> Values:
    """Rotations (m, a, a), with the directions that they leave alone."""
    a = turned.shape[1]
    out = np.zeros((len(turned), size, size), dtype=turned.dtype)
    out[:, :a, :a] = turned
    out[:, range(a, size), range(a, size)] = 1.0
    return out


def _rotation(angles: Values) -> Values:
    """(m, n) -> (m, n + 1, n + 1) orthogonal, first rows ``sin a_0, cos a_0 sin a_1, ..., cos a_0 cos a_1 ...``."""
    n = angles.shape[1]
    out = np.zeros((len(angles), n + 1, n + 1), dtype=angles.dtype)
    sine, cosine = np.sin(angles), np.cos(angles)
    for j in range(n + 1):
        rest: Any = 1.0 if j == 0 else -sine[:, j - 1]
        if j:
            out[:, j, j - 1] = cosine[:, j - 1]
        for b in range(j, n):
            out[:, j, b], rest = rest * sine[:, b], rest * cosine[:, b]
        out[:, j, n] = rest
    return out
