"""Integrals over the random effects of each study by adaptive Gauss-Hermite quadrature, all studies at once.

The nodes are centred at the mode of each study's integrand and scaled by its curvature there (Liu & Pierce 1994;
Pinheiro & Bates 1995).  One node is Laplace's approximation.  Derivatives come in two ways that agree where there are
nodes enough: those of the integral, as moments over the nodes (Fisher's and Louis' identities); and those of the
approximation itself, by differences, which is what a program that maximises it with few nodes ends at.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.glmm.structure import TOGETHER, Structure, repeated

#: Newton steps towards a mode, in standard deviations of the random effect: the integrands are log-concave.
LONGEST_STEP = 3.0
#: Relative width of the differences; their error goes with its square, that of rounding with its inverse square.
WIDTH = 2e-4


#: The centre of many nodes need not be the mode to the last digit; that of an approximation with few must be.
NEAR, CLOSE = 1e-2, 1e-7


class Integrals(NamedTuple):
    """Log of each study's integral (k,), its gradient (k, a) and its Hessian (k, a, a) by the study's parameters."""

    height: Floats
    gradient: Floats
    hessian: Floats
    modes: Floats


@lru_cache(maxsize=32)
def nodes(points: int, dimensions: int) -> tuple[Floats, Floats]:
    """(q, d) nodes of the product rule, and the log of their weights over the normal density's constant."""
    if dimensions == 0:
        return np.zeros((1, 0)), np.zeros(1)
    z, w = np.polynomial.hermite_e.hermegauss(points)
    grid = np.stack(np.meshgrid(*[z] * dimensions, indexing="ij"), axis=-1).reshape(-1, dimensions)
    one = np.log(w) + 0.5 * z * z - 0.5 * np.log(2.0 * np.pi)
    weights = np.sum(np.stack(np.meshgrid(*[one] * dimensions, indexing="ij"), axis=-1), axis=-1).ravel()
    return grid, weights


def modes_of(s: Structure, values: Floats, start: Floats, near: float) -> tuple[Floats, Floats]:
    """(k, d) modes of the integrands, and the negative Hessians (k, d, d) there.

    near : a step this short (in standard deviations of the random effect) is the last one.
    """
    k, d = start.shape
    origin = np.zeros((k, 1, d))
    arms = [
        (likelihood, s.eta(j, values, origin)[:, 0], s.loadings(c, values))
        for j, (likelihood, _, c) in enumerate(s.arms)
    ]

    def look(v: Floats) -> tuple[Floats, Floats, Floats]:
        if d == 1:
            u = v[:, 0]
            height, slope, bend = -0.5 * u * u, -u, np.ones(k)
            for likelihood, base, load in arms:
                z = load[:, 0]
                level, first, second = likelihood.terms((base + z * u)[:, None])
                height += level[:, 0]
                slope += first[:, 0] * z
                bend -= second[:, 0] * (z * z)
            return height, slope[:, None], bend[:, None, None]
        height = -0.5 * np.sum(v * v, axis=1)
        slope, bend = -v, np.broadcast_to(np.eye(d), (k, d, d)).copy()
        for likelihood, base, load in arms:
            level, first, second = likelihood.terms((base + np.sum(load * v, axis=1))[:, None])
            height += level[:, 0]
            slope = slope + first * load
            bend -= second[:, :, None] * (load[:, :, None] * load[:, None, :])
        return height, slope, bend

    v = start
    height, slope, bend = look(v)
    for _ in range(100):
        step = slope / bend[:, 0] if d == 1 else np.linalg.solve(bend, slope[:, :, None])[:, :, 0]
        size = np.abs(step)
        far = float(size.max())
        if far > LONGEST_STEP:
            step *= np.minimum(1.0, LONGEST_STEP / np.maximum(size.max(axis=1, keepdims=True), 1e-300))
        for _ in range(40):
            new = look(v + step)
            worse = new[0] < height - 1e-9 * (1.0 + np.abs(height))
            if not worse.any():
                break
            step = np.where(worse[:, None], 0.5 * step, step)
        v, (height, slope, bend) = v + step, new
        if far < near:
            break
    return v, bend


class Nodes(NamedTuple):
    """Nodes (k, q, d), log of the weighted integrand (k, q), the modes, and each arm's derivatives at the nodes."""

    v: Floats
    total: Floats
    modes: Floats
    slopes: list[tuple[Floats, Floats]]

    def shares(self) -> tuple[Floats, Floats]:
        """(k,) log integrals, and what each node adds to them (k, q)."""
        top = self.total.max(axis=1)
        share = np.exp(self.total - top[:, None])
        whole = share.sum(axis=1)
        share /= whole[:, None]
        return top + np.log(whole), share


def at_nodes(s: Structure, values: Floats, points: int, start: Floats, near: float = CLOSE) -> Nodes:
    """The integrand at the nodes, with the modes searched from ``start``."""
    d = s.dimensions
    grid, log_weight = nodes(points, d)
    if d == 0:
        v, scale, modes = np.zeros((s.k, 1, 0)), np.zeros(s.k), start
    else:
        modes, bend = modes_of(s, values, start, near)
        if d == 1:
            root = 1.0 / np.sqrt(bend[:, 0, 0])
            v = modes[:, None, :] + (root[:, None] * grid[None, :, 0])[:, :, None]
            scale = np.log(root)
        else:
            factor = np.linalg.cholesky(np.linalg.inv(bend))
            planes = np.empty((d, s.k, len(grid)))  # a random variable's numbers side by side
            for i in range(d):
                planes[i] = modes[:, i, None]
                for j in range(i + 1):
                    planes[i] += factor[:, i, j, None] * grid[:, j]
            v = np.moveaxis(planes, 0, 2)
            scale = np.sum(np.log(np.diagonal(factor, axis1=1, axis2=2)), axis=1)
    total = scale[:, None] + log_weight[None, :]
    for i in range(d):
        total -= 0.5 * v[:, :, i] ** 2
    slopes = []
    for j, (likelihood, _, _) in enumerate(s.arms):
        height, first, second = likelihood.terms(s.eta(j, values, v))
        total += height
        slopes.append((first, second))
    return Nodes(v, total, modes, slopes)


def heights(s: Structure, values: Floats, points: int, start: Floats) -> tuple[Floats, Floats]:
    """(k,) log integrals, and the modes."""
    if s.k > TOGETHER:
        parts = [heights(part, values[rows], points, start[rows]) for rows, part in s.parts]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
    found = at_nodes(s, values, points, start)
    return found.shares()[0], found.modes


def integrals(s: Structure, values: Floats, points: int, start: Floats) -> Integrals:
    """Log integrals with their derivatives as moments over the nodes."""
    if s.k > TOGETHER:
        parts = [integrals(part, values[rows], points, start[rows]) for rows, part in s.parts]
        return Integrals(*(np.concatenate(each) for each in zip(*parts, strict=True)))
    a = len(s.parameters)
    found = at_nodes(s, values, points, start, NEAR)
    level, share = found.shares()
    # With one arm, or arms that a parameter enters alike, a few (k, q) products give every moment.
    score = np.zeros((a, *share.shape))
    curve = np.zeros((s.k, a, a))
    for (_, _, c), (first, second) in zip(s.arms, found.slopes, strict=True):
        by = s.coefficients(c, found.v)
        bent = share * second
        for i in range(a):
            score[i] += first * by[i]
            part = bent * by[i]
            for j in range(i + 1):
                curve[:, i, j] += np.sum(part * by[j], axis=1)
    gradient = np.stack([np.sum(score[i] * share, axis=1) for i in range(a)], axis=1)
    for i in range(a):
        part = share * (score[i] - gradient[:, i, None]) if s.dimensions else None
        for j in range(i + 1):
            if part is not None:
                curve[:, i, j] += np.sum(part * score[j], axis=1)
            curve[:, j, i] = curve[:, i, j]
    return Integrals(level, gradient, curve, found.modes)


def differences(s: Structure, values: Floats, points: int, start: Floats) -> Integrals:
    """Log integrals with the derivatives of the approximation, by central differences, all in one go."""
    if s.dimensions == 0:
        return integrals(s, values, points, start)
    a = len(s.parameters)
    _, modes = heights(s, values, points, start)
    h = WIDTH * np.maximum(1.0, np.abs(values))
    pairs = [(i, j) for i in range(a) for j in range(i)]
    moves = [np.zeros(a)]
    for i in range(a):
        moves += [np.eye(a)[i], -np.eye(a)[i]]
    for i, j in pairs:
        one, two = np.eye(a)[i], np.eye(a)[j]
        moves += [one + two, one - two, two - one, -one - two]
    stacked = np.concatenate([values + move * h for move in moves])
    times = len(moves)
    found = heights(repeated(s, times), stacked, points, np.tile(modes, (times, 1)))[0].reshape(times, s.k)
    gradient, hessian = np.empty((s.k, a)), np.empty((s.k, a, a))
    middle = found[0]
    for i in range(a):
        up, down = found[1 + 2 * i], found[2 + 2 * i]
        gradient[:, i] = (up - down) / (2.0 * h[:, i])
        hessian[:, i, i] = (up - 2.0 * middle + down) / h[:, i] ** 2
    for n, (i, j) in enumerate(pairs):
        pp, pm, mp, mm = found[1 + 2 * a + 4 * n : 5 + 2 * a + 4 * n]
        hessian[:, i, j] = hessian[:, j, i] = (pp - pm - mp + mm) / (4.0 * h[:, i] * h[:, j])
    return Integrals(middle, gradient, hessian, modes)
