"""Quantiles of many posteriors at once: mixtures of normals, and densities known by their values at nodes."""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

import numpy as np

from balm.stats import kernel
from balm.stats.bayes.side_by_side import Rule
from balm.stats.effect_sizes import Floats

#: A bracket this narrow beside the SD holds the quantile.
CLOSE = 1e-11

#: A step of sixth order this short beside the smallest SD of the mixture leaves about 1e-9 of it.
SHORT = 0.08

#: Share of the excess kurtosis in Cornish and Fisher's start: mixtures over tau are less long in the tail than it says.
TAILS = 0.55

#: A step this short beside the stretch of tau squares to nothing.
SETTLED = 1e-6


def mixture_quantiles(
    share: Floats, mean: Floats, sd: Floats, centre: Floats, spread: Floats, levels: tuple[float, ...], last: Floats
) -> tuple[Floats, Floats]:
    """(P, G) quantiles of mixtures of normals (G, M) with these means and SDs (G,).

    ``last`` (M, L) takes the last coefficients of a polynomial from its values; their greatest size in what was summed,
    (G,), comes second: the sum is wrong by about its square.

    Cornish and Fisher's expansion is the start; each look takes the distribution and five derivatives and solves its
    Taylor polynomial, inside a bracket. The compiled kernel does the same in a fraction of the time where it is built.
    """
    special = import_module("scipy.special")
    at_levels = np.array(levels)
    done = kernel.mixture_quantiles(share, mean, sd, centre, spread, at_levels, special.ndtri(at_levels), last)
    if done is not None:
        return done
    inverse = 1.0 / sd
    off = mean - centre[:, None]
    off2, sd2 = off * off, sd * sd
    skew = np.einsum("gm,gm->g", share, off * (off2 + 3.0 * sd2)) / spread**3
    kurtosis = np.einsum("gm,gm->g", share, off2 * (off2 + 6.0 * sd2) + 3.0 * sd2 * sd2) / spread**4 - 3.0
    skew, kurtosis = np.clip(skew, -1.0, 1.0), np.clip(TAILS * kurtosis, -0.5, 1.9)
    weighted = share * inverse / math.sqrt(2.0 * math.pi)
    least = sd.min(axis=1)
    found = np.empty((len(levels), len(share)))
    rough = np.zeros(len(share))
    for x, p in zip(found, levels, strict=True):
        z = float(special.ndtri(p))
        ends = mean + z * sd
        low, high = ends.min(axis=1), ends.max(axis=1)
        cornish = z + (z * z - 1.0) / 6.0 * skew + (z**3 - 3.0 * z) / 24.0 * kurtosis
        cornish -= (2.0 * z**3 - 5.0 * z) / 36.0 * skew * skew
        x[:] = np.clip(centre + spread * cornish, low, high)
        sign, tail = (-1.0, 1.0 - p) if p > 0.5 else (1.0, p)
        moving: Any = slice(None)
        for look in range(60):
            here = x[moving].copy()
            at = (here[:, None] - mean[moving]) * inverse[moving]
            part = special.ndtr(sign * at)
            part *= share[moving]
            above = sign * (part.sum(axis=1) - tail)
            if look == 0:
                rough = np.maximum(rough, np.abs(part @ last).max(axis=1))
            step = _solved(above, at, inverse[moving], weighted[moving])
            low[moving], high[moving] = (
                np.where(above > 0, low[moving], here),
                np.where(above > 0, here, high[moving]),
            )
            after = here + step
            inside = (after >= low[moving]) & (after <= high[moving])
            after = np.where(inside, after, 0.5 * (low[moving] + high[moving]))
            x[moving] = after
            still = (np.abs(after - here) > SHORT * least[moving]) | ~inside
            still &= high[moving] - low[moving] > CLOSE * spread[moving]
            if not still.any():
                break
            moving = np.arange(len(x))[moving][still]
    return found, rough


def _solved(above: Floats, at: Floats, inverse: Floats, weighted: Floats) -> Floats:
    """(G,) the step at which the Taylor polynomial of the distribution, ``above`` its target now, reaches it."""
    square = at * at
    bell = np.exp(-0.5 * square)
    bell *= weighted
    f = bell.sum(axis=1)
    # Derivatives of a normal density are Hermite polynomials times it.
    bell *= inverse
    f1 = -np.einsum("gm,gm->g", bell, at)
    bell *= inverse
    f2 = np.einsum("gm,gm->g", bell, square - 1.0)
    bell *= inverse
    f3 = -np.einsum("gm,gm->g", bell, at * (square - 3.0))
    bell *= inverse
    f4 = np.einsum("gm,gm->g", bell, square * (square - 6.0) + 3.0)
    with np.errstate(all="ignore"):
        c = -above / f
        a1, a2, a3, a4 = f1 / f / 2.0, f2 / f / 6.0, f3 / f / 24.0, f4 / f / 120.0
        step = c / (1.0 + a1 * c)
        for _ in range(3):
            value = step * (1.0 + step * (a1 + step * (a2 + step * (a3 + step * a4)))) - c
            slope = 1.0 + step * (2.0 * a1 + step * (3.0 * a2 + step * (4.0 * a3 + step * 5.0 * a4)))
            step = step - value / slope
        found: Floats = np.where(np.isfinite(step), step, c)
        return found


def node_quantiles(density: Floats, total: Floats, levels: Floats, by: Rule) -> tuple[Floats, Floats]:
    """(G, P) where the integral from 0 of each density, known at the fine nodes (G, M), reaches ``levels`` of it.

    The greatest of the density's last coefficients (G,) comes second. The density is the polynomial through its values,
    in Chebyshev's form; the inverse cubic between two nodes is the start, Newton's steps the end.
    """
    share = density * by.fine_weights / total[:, None]
    at_nodes = share @ by.to_integral
    series, integral = share @ by.to_series, share @ by.to_integral_series
    rough = np.abs(series[:, -4:]).max(axis=1)
    done = kernel.node_quantiles(by.fine, density / total[:, None], at_nodes, series, integral, levels)
    if done is not None:
        return done, rough
    zero = np.zeros((len(share), 1))
    known = np.concatenate((zero, at_nodes, zero + 1.0), axis=1)
    height = density[:, [0, *range(density.shape[1]), -1]] / total[:, None]
    ends = np.concatenate(([0.0], by.fine, [1.0]))
    panel = np.stack([np.count_nonzero(known < p, axis=1) for p in levels], axis=1)
    panel = np.clip(panel - 1, 0, len(ends) - 2)
    low, high = ends[panel], ends[panel + 1]
    below, above = np.take_along_axis(known, panel, 1), np.take_along_axis(known, panel + 1, 1)
    with np.errstate(all="ignore"):
        rise = (above - below) / (high - low)
        s = (levels - below) / (above - below)
        slopes = (rise / np.take_along_axis(height, panel + i, 1) for i in (0, 1))  # of the inverse, at both ends
        first, second = (np.clip(one, 0.0, 3.0) for one in slopes)
        s = s * (first + s * (3.0 - 2.0 * first - second + s * (first + second - 2.0)))
        x = low + (high - low) * np.clip(s, 0.0, 1.0)
    x = np.where(np.isfinite(x), x, 0.5 * (low + high))
    degree = np.arange(integral.shape[1])
    rows: Any = np.arange(len(x))
    for _ in range(20):
        here = x[rows]
        polynomials = np.cos(np.arccos(2.0 * here - 1.0)[:, :, None] * degree)
        off = (polynomials @ integral[rows, :, None])[:, :, 0] - levels
        slope = (polynomials[:, :, :-1] @ series[rows, :, None])[:, :, 0]
        low[rows], high[rows] = np.where(off > 0, low[rows], here), np.where(off > 0, here, high[rows])
        with np.errstate(all="ignore"):
            after = here - off / slope
        step = np.abs(after - here)
        inside = ((after >= low[rows]) & (after <= high[rows])) | (step < 1e-10)
        x[rows] = np.where(inside, after, 0.5 * (low[rows] + high[rows]))
        rows = rows[((step > SETTLED) | ~inside).any(axis=1)]
        if not len(rows):
            break
    return x, rough
