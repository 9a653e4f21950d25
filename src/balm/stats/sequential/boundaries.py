"""Group-sequential boundaries from spending functions, by recursive numerical integration.

With information fraction t the statistic is a Brownian motion ``B(t) = Z sqrt(t)`` with drift ``theta`` (0 without an
effect). The density of B on the paths that have not stopped is carried from look to look; each boundary is where the
probability of stopping equals what the spending function allows. Armitage, McPherson & Rowe (1969) JRSS A 132:235;
Lan & DeMets (1983) Biometrika 70:659; Jennison & Turnbull (2000), Group Sequential Methods, chapter 19.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from balm.stats.distributions import norm_isf, norm_sf
from balm.stats.effect_sizes import Floats
from balm.vocabulary.quick_dataclass import dataclass

SPENDING = {
    "obrien-fleming": "O'Brien-Fleming type",
    "pocock": "Pocock type",
}

#: Beyond this many standard errors nothing is left to integrate (probability below 1e-18).
REACH = 9.0
#: Less than this to spend: the boundary is out of reach and infinite.
NOTHING = 1e-14
#: Points of Gauss-Legendre on a piece of the density no wider than the next step's standard deviation.
POINTS = 12


def spent(kind: str, t: float, total: float) -> float:
    """How much of ``total`` (one side) may be spent by information fraction t; all of it from t = 1.

    Lan & DeMets (1983): ``2 - 2 Phi(z / sqrt(t))`` with z the upper ``total / 2`` point, and
    ``total log(1 + (e - 1) t)``.
    """
    t = min(t, 1.0)
    if t <= 0.0:
        return 0.0
    if kind == "pocock":
        return total * math.log1p((math.e - 1.0) * t)
    return 2.0 * norm_sf(norm_isf(total / 2.0) / math.sqrt(t))


@dataclass(frozen=True, slots=True, eq=False)
class _Density:
    """Nodes of B with their weights times the density of the paths still going; one point at the start."""

    at: Floats
    mass: Floats

    def beyond(self, edge: float, step: float, drift: float) -> float:
        """The probability that B lies above ``edge`` after ``step`` more information."""
        return float(self.mass @ _sf((edge - self.at - drift * step) / math.sqrt(step)))

    def moved(self, pieces: Sequence[tuple[float, float]], step: float, ahead: float, drift: float) -> _Density:
        """The density after ``step``, kept on ``pieces``; ``ahead`` is the step that follows."""
        width = math.sqrt(min(step, ahead))
        nodes, weights = _nodes(pieces, width)
        gap = (nodes[:, None] - self.at - drift * step) / math.sqrt(step)
        density = (np.exp(-0.5 * gap * gap) @ self.mass) / math.sqrt(2.0 * math.pi * step)
        return _Density(nodes, weights * density)


def efficacy_bounds(fractions: Sequence[float], kind: str, alpha: float) -> list[float]:
    """The two-sided boundaries of Z at each look; both sides share ``alpha``. Infinite where nothing may be spent yet.

    After the first look at fraction 1 or more everything is spent; later boundaries are nan.

    >>> [round(c, 3) for c in efficacy_bounds([0.2, 0.4, 0.6, 0.8, 1.0], "obrien-fleming", 0.05)]
    [4.877, 3.357, 2.68, 2.29, 2.031]
    >>> [round(c, 3) for c in efficacy_bounds([0.2, 0.4, 0.6, 0.8, 1.0], "pocock", 0.05)]
    [2.438, 2.427, 2.41, 2.397, 2.386]
    """
    going = _Density(np.zeros(1), np.ones(1))
    before = used = 0.0
    found: list[float] = []
    for i, t in enumerate(fractions):
        if used >= alpha / 2.0:
            found.append(math.nan)
            continue
        step, allowed = t - before, spent(kind, t, alpha / 2.0)
        edge = _upper_edge(going, step, allowed - used, t)
        found.append(edge / math.sqrt(t))
        end = min(edge, REACH * math.sqrt(t))
        going = going.moved([(-end, end)], step, _ahead(fractions, i), 0.0)
        before, used = t, allowed if math.isfinite(edge) else used
    return found


def futility_bounds(
    fractions: Sequence[float], efficacy: Sequence[float], kind: str, beta: float, drift: float
) -> list[float]:
    """The inner boundaries of |Z|: below them an effect of ``drift`` (at fraction 1) would be missed too rarely.

    They spend ``beta`` by the same functions under the drift, and do not change the outer boundaries (a look that goes
    on in spite of futility keeps its error). 0 where nothing can be spent yet; never above the outer boundary.
    """
    going = _Density(np.zeros(1), np.ones(1))
    before = used = 0.0
    found: list[float] = []
    for i, t in enumerate(fractions):
        outer = efficacy[i]
        if math.isnan(outer):
            found.append(math.nan)
            continue
        root, step = math.sqrt(t), t - before
        top = min(outer, REACH + abs(drift) * root) * root
        room = spent(kind, t, beta) - used

        def inside(edge: float, going: _Density = going, step: float = step) -> float:
            return going.beyond(-edge, step, drift) - going.beyond(edge, step, drift)

        edge = 0.0
        if t >= 1.0 or inside(top) <= room:
            edge = top
        elif room > NOTHING:
            edge = _root(lambda x, room=room, inside=inside: inside(x) - room, 0.0, top)
        used += inside(edge)
        found.append(edge / root)
        end = min(top, (REACH + abs(drift) * root) * root)
        pieces = [(-end, end)] if edge == 0.0 else [(-end, -edge), (edge, end)]
        if t < 1.0 and end > edge:
            going = going.moved(pieces, step, _ahead(fractions, i), drift)
        before = t
    return found


def crossing(fractions: Sequence[float], efficacy: Sequence[float], drift: float) -> float:
    """The probability of crossing the upper boundary at some look: the power for ``drift``, alpha / 2 without one."""
    going = _Density(np.zeros(1), np.ones(1))
    before = total = 0.0
    for i, (t, c) in enumerate(zip(fractions, efficacy, strict=True)):
        if math.isnan(c):
            break
        step, root = t - before, math.sqrt(t)
        edge = min(c * root, REACH * root + abs(drift) * t)
        total += going.beyond(c * root, step, drift) if math.isfinite(c) else 0.0
        low = max(-c * root, -REACH * root - abs(drift) * t)
        going = going.moved([(low, edge)], step, _ahead(fractions, i), drift)
        before = t
    return total


def _upper_edge(going: _Density, step: float, room: float, t: float) -> float:
    if room <= NOTHING:
        return math.inf
    return _root(lambda edge: room - going.beyond(edge, step, 0.0), 0.0, REACH * math.sqrt(t))


def _root(rising: Any, low: float, high: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(rising, low, high, xtol=1e-13, rtol=1e-13))


def _ahead(fractions: Sequence[float], i: int) -> float:
    return fractions[i + 1] - fractions[i] if i + 1 < len(fractions) else 1.0


def _sf(x: Floats) -> Floats:
    from scipy.special import ndtr

    return np.asarray(ndtr(-x), dtype=np.float64)


def _nodes(pieces: Sequence[tuple[float, float]], width: float) -> tuple[Floats, Floats]:
    """Gauss-Legendre on each piece, cut into equal parts no wider than ``width``."""
    x, w = np.polynomial.legendre.leggauss(POINTS)
    nodes, weights = [], []
    for low, high in pieces:
        parts = max(1, math.ceil((high - low) / width))
        edges = np.linspace(low, high, parts + 1)
        half = np.diff(edges)[:, None] / 2.0
        nodes.append((edges[:-1, None] + half * (1.0 + x)).ravel())
        weights.append((half * w).ravel())
    return np.concatenate(nodes), np.concatenate(weights)
