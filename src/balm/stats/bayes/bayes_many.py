"""``balm.bayes_many``: the posteriors of many meta-analyses at array speed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any

import numpy as np

from balm.stats.bayes.panels import legendre
from balm.stats.bayes.tau_prior import TauPrior, tau_prior
from balm.stats.effect_sizes import Floats
from balm.stats.frame import frame
from balm.stats.groups import Integers, by_label
from balm.stats.pooling.pool_many import given, usable_groups
from balm.vocabulary.problems import InputError, check_level
from balm.vocabulary.quick_dataclass import dataclass, field

#: Gauss-Legendre nodes an analysis, on the stretch of log(1 + tau/s) where its posterior counts.
NODES = 64

#: Points of each look for that stretch, and how far down it goes.
LOOKED_AT = 25
DEPTH = 24.0

#: How far out tau is looked for: log(1 + tau/s).
FARTHEST = 16.0

#: Analyses worked on together: their nodes stay in the cache.
CHUNK = 256

#: A quantile is there when the next step is this small beside the SD.
CLOSE = 1e-10

#: Posteriors that fall more slowly than this power of tau are done one by one: their tail is too long for these nodes.
STEEP = 7.0

COLUMNS = ("mean", "sd", "median", "low", "high", "pi_median", "pi_low", "pi_high", "tau_mean", "tau_sd",
           "tau_median", "tau_low", "tau_high", "log_marginal", "p_below_0")  # fmt: skip


@dataclass(frozen=True, eq=False)
class BayesMany:
    """One posterior a group as columns, (G,) each; intervals are central, of probability ``level``.

    mean, sd, median, low, high, p_below_0 : of the mean effect.      pi_median, pi_low, pi_high : in a new setting.
    tau_mean, tau_sd, tau_median, tau_low, tau_high : of the between-study SD.     log_marginal : nan if ``mu`` is flat.
    """

    group: Any
    k: Integers
    mean: Floats
    sd: Floats
    median: Floats
    low: Floats
    high: Floats
    pi_median: Floats
    pi_low: Floats
    pi_high: Floats
    tau_mean: Floats
    tau_sd: Floats
    tau_median: Floats
    tau_low: Floats
    tau_high: Floats
    log_marginal: Floats
    p_below_0: Floats
    prior: TauPrior
    level: float
    reasons: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))

    def __len__(self) -> int:
        return len(self.k)

    def to_frame(self) -> Any:
        """One row a group."""
        return frame({"group": self.group, "k": self.k} | {name: getattr(self, name) for name in COLUMNS})

    def __repr__(self) -> str:
        return f"BayesMany: {len(self)} groups, {int(self.k.sum())} studies, prior {self.prior.words}"


def bayes_many(
    effect: Any,
    variance: Any,
    group: Any,
    *,
    tau: str | TauPrior = "half-normal",
    mu: Sequence[float] | None = None,
    level: float = 0.95,
    invalid: str = "raise",
    **parameters: Any,
) -> BayesMany:
    """The posterior of each group of rows under one prior; the numbers are those of :func:`balm.bayes`.

    effect, variance : (n,) on the analysis scale.      group : (n,) labels.
    tau              : a proper prior of tau with its parameters; those whose scale comes from the data are refused.
    mu               : None (flat) or (mean, sd).
    invalid          : "raise", or "mark" to leave a group with an unusable row empty, with its reason.

    Quantiles agree with :func:`balm.bayes` to 1e-8 of the SD. Groups whose posterior of tau has a long tail (two or
    three studies under a half-Cauchy prior, say) are worked out one by one, at a hundredth of the speed.

    >>> many = bayes_many([0.1, 0.3, 0.2, 0.5], [0.02, 0.03, 0.02, 0.04], ["a", "a", "b", "b"], scale=0.5)
    >>> many.median.round(4).tolist()
    [0.1822, 0.3059]
    """
    prior = tau if isinstance(tau, TauPrior) else tau_prior(tau, **parameters)
    if isinstance(tau, TauPrior) and parameters:
        raise InputError(f"{sorted(parameters)[0]} is settled by the prior given as tau=")
    if not prior.proper or not prior.parameters:
        raise InputError(f"bayes_many takes a proper prior with its own scale; {prior.words!r} is none: use balm.bayes")
    check_level(level)
    if mu is not None and not (len(mu) == 2 and math.isfinite(mu[0]) and 0 < mu[1] < math.inf):
        raise InputError(f"mu must be (mean, sd) with a positive sd; got {mu!r}")
    y, v, labels = given(effect, variance, group, invalid)
    names, order, offsets = by_label(labels)
    if order is not None:
        y, v = y[order], v[order]
    reasons: dict[int, str] = {}
    usable = usable_groups(y, v, offsets, order, names, invalid, reasons)
    sizes = np.diff(offsets)
    steep = prior.tail + sizes - (1 if mu is None else 0)
    table = {name: np.full(len(sizes), math.nan) for name in COLUMNS}
    long = usable & ((steep < STEEP) | (sizes == 1))
    for i in np.flatnonzero(long).tolist():
        one_by_one(table, i, y[offsets[i] : offsets[i + 1]], v[offsets[i] : offsets[i + 1]], prior, mu, level)
    places = np.flatnonzero(usable & ~long)
    for first in range(0, len(places), CHUNK):
        part = places[first : first + CHUNK]
        rows = np.concatenate([np.arange(offsets[i], offsets[i + 1]) for i in part])
        together(table, part, y[rows], v[rows], sizes[part], prior, mu, level)
    return BayesMany(names, sizes, **table, prior=prior, level=level, reasons=MappingProxyType(reasons))


def one_by_one(table: dict[str, Floats], i: int, y: Floats, v: Floats, prior: TauPrior, mu: Any, level: float) -> None:
    """A group through :func:`balm.bayes`."""
    bayes = import_module("balm.stats.bayes.bayes").bayes
    sizes = import_module("balm.stats.effect_sizes").EffectSizes(effect=y, variance=v)
    try:
        fit = bayes(sizes, tau=prior, mu=None if mu is None else tuple(mu), interval="central", level=level)
    except InputError:
        return  # one study under a heavy prior has no posterior
    m, t, n = fit.mu, fit.tau, fit.prediction
    row = (
        *(m.mean, m.sd, m.median, m.interval.low, m.interval.high),
        *(n.median, n.interval.low, n.interval.high),
        *(t.mean, t.sd, t.median, t.interval.low, t.interval.high),
        *(fit.log_marginal, fit.mu_posterior.cdf(0.0)),
    )
    for name, value in zip(COLUMNS, row, strict=True):
        table[name][i] = value


class _Chunk:
    """Groups side by side: the mean effect given tau, and the log posterior of x = log(1 + tau/s)."""

    def __init__(self, y: Floats, v: Floats, sizes: Integers, prior: TauPrior, mu: Any) -> None:
        self.starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        self.sizes, self.prior = sizes, prior
        w = 1.0 / v
        total = np.add.reduceat(w, self.starts)
        self.centre = np.add.reduceat(w * y, self.starts) / total
        self.y = y - np.repeat(self.centre, sizes)
        self.v = v
        self.s = np.sqrt(sizes / total)
        self.mean, self.precision = (0.0, 0.0) if mu is None else (float(mu[0]), float(mu[1]) ** -2)

    def at(self, x: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """For x (G, M): tau, mean and variance of the mean effect given tau, log density of x up to a constant."""
        tau = self.s[:, None] * np.expm1(x)
        spread = self.v[:, None] + np.repeat(tau * tau, self.sizes, axis=0)
        w = 1.0 / spread
        total = np.add.reduceat(w, self.starts, axis=0) + self.precision
        away = self.mean - self.centre[:, None]
        wy = w * self.y[:, None]
        shift = (np.add.reduceat(wy, self.starts, axis=0) + self.precision * away) / total
        square = np.add.reduceat(wy * self.y[:, None], self.starts, axis=0) + self.precision * away**2
        np.log(spread, out=spread)
        log = -0.5 * (np.add.reduceat(spread, self.starts, axis=0) + np.log(total) + square - total * shift**2)
        with np.errstate(all="ignore"):
            log += self.prior.log_density(tau.ravel(), self.v[:1]).reshape(tau.shape) + x
        return tau, shift, 1.0 / total, log + np.log(self.s)[:, None]

    def stretch(self) -> tuple[Floats, Floats]:
        """Where the posterior counts: the ends of x, (G,) each, by two looks."""
        low, high = np.zeros(len(self.s)), np.full(len(self.s), FARTHEST)
        steps = np.linspace(0.0, 1.0, LOOKED_AT)
        rows = np.arange(len(self.s))
        for _ in range(3):
            x = low[:, None] + (high - low)[:, None] * steps
            log = self.at(np.maximum(x, 1e-12))[3]
            above = log > log.max(axis=1)[:, None] - DEPTH
            first = np.maximum(above.argmax(axis=1) - 1, 0)
            last = np.minimum(LOOKED_AT - above[:, ::-1].argmax(axis=1), LOOKED_AT - 1)
            shrunk = (last - first).min() > LOOKED_AT // 2
            low, high = x[rows, first], x[rows, last]
            if shrunk:
                break
        return low, high


def together(table: dict[str, Floats], places: Any, y: Floats, v: Floats, sizes: Integers, prior: TauPrior, mu: Any,
             level: float) -> None:  # fmt: skip
    """A chunk of groups, each on its own nodes."""
    chunk = _Chunk(y, v, sizes, prior, mu)
    low, high = chunk.stretch()
    nodes, weights = legendre(NODES)
    width = high - low
    tau, shift, variance, log = chunk.at(low[:, None] + width[:, None] * nodes)
    top = log.max(axis=1)
    density = np.exp(log - top[:, None])
    share = density * weights
    total = share.sum(axis=1)
    share /= total[:, None]
    mean = (share * shift).sum(axis=1)
    sd = np.sqrt((share * (variance + (shift - mean[:, None]) ** 2)).sum(axis=1))
    tau_mean = (share * tau).sum(axis=1)
    tails = (0.5, (1.0 - level) / 2.0, (1.0 + level) / 2.0)
    found: dict[str, Floats] = {
        "mean": chunk.centre + mean,
        "sd": sd,
        "tau_mean": tau_mean,
        "tau_sd": np.sqrt((share * (tau - tau_mean[:, None]) ** 2).sum(axis=1)),
    }
    ndtr = import_module("scipy.special").ndtr
    one = np.sqrt(variance)
    found["p_below_0"] = (share * ndtr((-chunk.centre[:, None] - shift) / one)).sum(axis=1)
    for names, spread in (
        (("median", "low", "high"), one),
        (("pi_median", "pi_low", "pi_high"), np.sqrt(variance + tau**2)),
    ):
        sds = np.sqrt((share * (spread**2 + (shift - mean[:, None]) ** 2)).sum(axis=1))
        for name, p in zip(names, tails, strict=True):
            found[name] = chunk.centre + quantiles(share, shift, spread, mean, sds, p)

    def exactly(x: Floats) -> Floats:
        found: Floats = np.exp(chunk.at(low[:, None] + width[:, None] * x)[3] - top[:, None]) / total[:, None]
        return found

    at_tails = inverse(share, np.array(tails), exactly)
    for column, name in enumerate(("tau_median", "tau_low", "tau_high")):
        found[name] = chunk.s * np.expm1(low + width * at_tails[:, column])
    if mu is not None:
        k = sizes
        found["log_marginal"] = (
            top + np.log(total * width) - 0.5 * (k * math.log(2.0 * math.pi) - math.log(chunk.precision))
        )
    for name, values in found.items():
        table[name][places] = values


def quantiles(share: Floats, mean: Floats, sd: Floats, centre: Floats, spread: Floats, p: float) -> Floats:
    """(G,) quantiles of mixtures of normals (G, M), by steps of fourth order inside a bracket."""
    special = import_module("scipy.special")
    z = float(special.ndtri(p))
    ends = mean + z * sd
    low, high = ends.min(axis=1), ends.max(axis=1)
    x = np.clip(centre + z * spread, low, high)
    sign, tail = (-1.0, 1.0 - p) if p > 0.5 else (1.0, p)
    inverse = 1.0 / sd
    weighted = share * inverse / math.sqrt(2.0 * math.pi)
    moving: Any = slice(None)
    for _ in range(60):
        at = (x[moving, None] - mean[moving]) * inverse[moving]
        off = sign * (np.einsum("gm,gm->g", share[moving], special.ndtr(sign * at)) - tail)
        bell = np.exp(-0.5 * at * at) * weighted[moving]
        f = bell.sum(axis=1)
        at *= inverse[moving]
        f1 = -np.einsum("gm,gm->g", bell, at)
        f2 = np.einsum("gm,gm->g", bell, at * at - inverse[moving] ** 2)
        with np.errstate(all="ignore"):  # the inverse series of F to third order, sign by sign
            step = -off / f
            a, b = f1 / f, f2 / f
            step = step * (1.0 - 0.5 * a * step + (0.5 * a * a - b / 6.0) * step * step)
            here = x[moving].copy()
            low[moving], high[moving] = np.where(off > 0, low[moving], here), np.where(off > 0, here, high[moving])
            after = here + step
            inside = (after > low[moving]) & (after < high[moving])
            after = np.where(inside, after, 0.5 * (low[moving] + high[moving]))
        x[moving] = after
        still = (np.abs(after - here) > 1e-3 * spread[moving]) | ~inside
        still &= high[moving] - low[moving] > CLOSE * spread[moving]
        if not still.any():
            break
        moving = np.arange(len(x))[moving][still]
    return x


#: Neighbouring nodes through which the distribution of tau is interpolated.
NEIGHBOURS = 8


@cache
def _tables() -> tuple[Floats, Floats, Floats]:
    """Nodes with both ends (M + 2,), shares to integrals at the nodes (M, M), and weights of barycentric interpolation
    for each run of :data:`NEIGHBOURS` nodes."""
    nodes, _ = legendre(NODES)
    degree = np.arange(NODES)
    to_series = np.polynomial.legendre.legvander(2.0 * nodes - 1.0, NODES - 1) * (2.0 * degree + 1.0)
    # The integral of P_n from the left end is (P_{n+1} - P_{n-1}) / (2 (2n + 1)), P_{-1} being -1.
    values = np.polynomial.legendre.legvander(2.0 * nodes - 1.0, NODES)
    below = np.column_stack((np.full(NODES, -1.0), values[:, : NODES - 1]))
    to_integral = to_series @ ((values[:, 1:] - below) / (2.0 * (2.0 * degree + 1.0))).T
    ends = np.concatenate(([0.0], nodes, [1.0]))
    runs = np.array([ends[i : i + NEIGHBOURS] for i in range(len(ends) - NEIGHBOURS + 1)])
    apart = runs[:, :, None] - runs[:, None, :] + np.eye(NEIGHBOURS)
    return ends, to_integral, 1.0 / apart.prod(axis=2) * (runs[:, -1:] - runs[:, :1]) ** (NEIGHBOURS - 1)


def inverse(share: Floats, p: Floats, density: Callable[[Floats], Floats]) -> Floats:
    """(G, P) where the integral of each density on (0, 1), known by its shares at the nodes (G, M), reaches ``p``.

    The integral is exact at the nodes and interpolated between them (Berrut & Trefethen 2004, SIAM Review 46:501); a
    last step takes the density itself between the node below and what was found.
    """
    ends, to_integral, barycentric = _tables()
    known = np.concatenate((np.zeros((len(share), 1)), share @ to_integral, np.ones((len(share), 1))), axis=1)
    panel = np.clip((known[:, :, None] < p).sum(axis=1) - 1, 0, NODES)
    low, high = ends[panel], ends[panel + 1]
    below, above = np.take_along_axis(known, panel, 1), np.take_along_axis(known, panel + 1, 1)
    with np.errstate(all="ignore"):
        x = low + (high - low) * np.clip((p - below) / (above - below), 1e-3, 0.999)
    x = np.where(np.isfinite(x), x, 0.5 * (low + high))
    run = np.clip(panel - NEIGHBOURS // 2 + 1, 0, len(barycentric) - 1)
    around = run[:, :, None] + np.arange(NEIGHBOURS)
    at, weight = ends[around], barycentric[run]
    values = np.take_along_axis(known[:, None, :], around, 2)
    for _ in range(60):
        off_node = x[:, :, None] - at
        pull = weight / np.where(off_node == 0.0, 1e-300, off_node)
        total = pull.sum(axis=2)
        found = (pull * values).sum(axis=2) / total
        with np.errstate(all="ignore"):
            slope = (pull * (found[:, :, None] - values) / off_node).sum(axis=2) / total
            low, high = np.where(found > p, low, x), np.where(found > p, x, high)
            moved = x - (found - p) / slope
        step = np.abs(moved - x)
        moved = np.where(((moved > low) & (moved < high)) | (step < 1e-10), moved, 0.5 * (low + high))
        far = np.abs(moved - x).max()
        x = moved
        if far < 1e-4:  # the last step squares what is left
            break
    panel = np.clip((ends[:, None, None] < x).sum(axis=0) - 1, 0, NODES)
    begin = ends[panel]
    nodes, weights = legendre(6)
    at_x = np.append(nodes, 1.0)
    inside = density((begin[:, :, None] + (x - begin)[:, :, None] * at_x).reshape(len(x), -1)).reshape(*x.shape, -1)
    off = np.take_along_axis(known, panel, 1) + inside[:, :, :-1] @ weights * (x - begin) - p
    with np.errstate(all="ignore"):
        last = x - off / inside[:, :, -1]
    settled: Floats = np.where(np.abs(last - x) < 0.01, last, x)
    return settled
