"""Integrals over tau > 0 of a posterior known up to a constant: panels of z = log(tau), halved until exact."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.vocabulary.quick_dataclass import dataclass

#: Gauss-Legendre nodes a panel.
NODES = 16

#: The integrand is followed down to exp(-DEPTH) of its height: less changes no digit of a double.
DEPTH = 44.0

#: The widest panel: what is integrated besides the posterior varies on the scale of one unit of z.
WIDEST = 2.0

#: A panel is halved until that changes its share by less than this part of the whole.
EXACT = 1e-15

#: How often a panel can be halved.
HALVINGS = 40


@cache
def legendre(count: int) -> tuple[Floats, Floats]:
    """Nodes and weights of Gauss and Legendre on (0, 1)."""
    x, w = np.polynomial.legendre.leggauss(count)
    return 0.5 * (x + 1.0), 0.5 * w


@dataclass(frozen=True, eq=False)
class Panels:
    """Nodes ``z`` of the integral with weights ``share`` that add up to one; ``cumulative`` at the ``edges`` of panels.

    log_total : logarithm of the integral itself.   residual : by how much the last halving changed it, relative.
    """

    z: Floats
    share: Floats
    edges: Floats
    cumulative: Floats
    log_total: float
    residual: float


def integrate(log_integrand: Callable[[Floats], Floats], centre: float) -> Panels:
    """Panels on which ``exp(log_integrand(z))`` is integrated to rounding; ``centre`` is a likely z."""
    low, high, top = _support(log_integrand, centre)
    x, w = legendre(NODES)
    count = max(4, math.ceil((high - low) / WIDEST))
    open_edges = np.linspace(low, high, count + 1)
    begins, widths = open_edges[:-1], np.diff(open_edges)
    done: list[tuple[Floats, Floats, Floats]] = []  # begin, width, values at the nodes
    values = np.exp(log_integrand((begins[:, None] + widths[:, None] * x).ravel()) - top).reshape(-1, NODES)
    error = total = 0.0
    for halving in range(HALVINGS):
        halves = np.concatenate((begins, begins + 0.5 * widths))
        half_widths = np.concatenate((0.5 * widths, 0.5 * widths))
        at = (halves[:, None] + half_widths[:, None] * x).ravel()
        finer = np.exp(log_integrand(at) - top).reshape(-1, NODES)
        before, after = widths * (values @ w), half_widths * (finer @ w)
        both = after[: len(begins)] + after[len(begins) :]
        whole = total + float(both.sum())
        good = np.abs(both - before) <= EXACT * whole
        if halving == HALVINGS - 1:
            good[:] = True
        keep = np.concatenate((good, good))
        done.append((halves[keep], half_widths[keep], finer[keep]))
        total += float(both[good].sum())
        error += float(np.abs(both - before)[good].sum())
        if good.all():
            break
        begins, widths, values = halves[~keep], half_widths[~keep], finer[~keep]
    begins, widths, values = (np.concatenate([part[i] for part in done]) for i in range(3))
    order = np.argsort(begins)
    begins, widths, values = begins[order], widths[order], values[order]
    z = (begins[:, None] + widths[:, None] * x).ravel()
    share = (widths[:, None] * values * w).ravel()
    total = float(share.sum())
    cumulative = np.concatenate(([0.0], np.cumsum(share.reshape(-1, NODES).sum(axis=1)) / total))
    edges = np.append(begins, begins[-1] + widths[-1])
    return Panels(z, share / total, edges, cumulative, top + math.log(total), error / total)


def _support(log_integrand: Callable[[Floats], Floats], centre: float) -> tuple[float, float, float]:
    """Where the integrand counts, and its highest logarithm seen."""
    z = centre + np.linspace(-100.0, 100.0, 801)
    for _ in range(6):
        seen = log_integrand(z)
        top = float(seen[np.isfinite(seen)].max())
        inside = np.flatnonzero(seen > top - DEPTH)
        first, last = max(int(inside[0]) - 1, 0), min(int(inside[-1]) + 1, len(z) - 1)
        if last - first > 60:
            break
        z = np.linspace(z[first], z[last], 801)
    return float(z[first]), float(z[last]), top
