"""``balm.bayes_many``: the posteriors of many meta-analyses at array speed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Any

import numpy as np

from balm.stats.bayes.many_quantiles import mixture_quantiles, node_quantiles
from balm.stats.bayes.side_by_side import Rule, SideBySide, rule
from balm.stats.bayes.tau_prior import TauPrior, tau_prior
from balm.stats.effect_sizes import Floats
from balm.stats.frame import frame
from balm.stats.groups import Integers, by_label
from balm.stats.pooling.pool_many import given, usable_groups
from balm.vocabulary.problems import InputError, check_level
from balm.vocabulary.quick_dataclass import dataclass, field

#: Nodes an analysis, those of the mean effect and those of tau: the next rule serves those the one before is not exact
#: for, and what no rule serves is done one by one.
RULES = ((44, 72), (64, 104), (96, 160))

#: Both kinds of nodes must give one mean of 1 and of tau2, to this part of it.
SAME = 1e-10

#: The last coefficients of what is summed over the nodes are at most this beside the first, the sum then being off by
#: its square; and those of the density of tau, whose polynomial is integrated itself.
SMOOTH = 2e-5
FINELY = 3e-8

#: Analyses worked on together: their nodes stay in the cache.
CHUNK = 256

#: Studies of a chunk with their padding, at most: one large group does not make room for itself in all the others.
PADDED = 1 << 15

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
    [0.1885, 0.3224]
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
    for nodes, fine in RULES:
        places = places[np.argsort(sizes[places], kind="stable")]
        inexact = [np.zeros(0, dtype=np.int64)]
        for part in _chunks(places, sizes[places]):
            ends = np.cumsum(sizes[part])
            rows = np.arange(int(ends[-1])) + np.repeat(offsets[part] - ends + sizes[part], sizes[part])
            exact = together(table, part, y[rows], v[rows], sizes[part], prior, mu, level, rule(nodes, fine))
            inexact.append(part[~exact])
        places = np.concatenate(inexact)
    for i in places.tolist():
        one_by_one(table, i, y[offsets[i] : offsets[i + 1]], v[offsets[i] : offsets[i + 1]], prior, mu, level)
    return BayesMany(names, sizes, **table, prior=prior, level=level, reasons=MappingProxyType(reasons))


def _chunks(places: Integers, sizes: Integers) -> Iterator[Integers]:
    """The places in chunks, ordered by their sizes so that those of a chunk are padded by little."""
    first = 0
    while first < len(places):
        last = min(first + CHUNK, len(places))
        while last > first + 1 and (last - first) * sizes[last - 1] > PADDED:
            last = first + max((last - first) // 2, 1)
        yield places[first:last]
        first = last


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


def together(table: dict[str, Floats], places: Any, y: Floats, v: Floats, sizes: Integers, prior: TauPrior, mu: Any,
             level: float, by: Rule) -> Any:  # fmt: skip
    """A chunk of groups, each on its own nodes; (G,) whether the nodes were enough for each."""
    groups = SideBySide(y, v, sizes, prior, mu)
    low, high = groups.stretch()
    width = high - low
    x = low[:, None] + width[:, None] * by.nodes
    tau, shift, precision, likelihood = groups.likelihood(x)
    log = likelihood + groups.prior_of(x, tau)
    top = log.max(axis=1)[:, None]
    share = np.exp(log - top) * by.weights
    total = share.sum(axis=1)
    share /= total[:, None]
    variance = 1.0 / precision
    mean = (share * shift).sum(axis=1)
    square = (shift - mean[:, None]) ** 2
    sd = np.sqrt((share * (variance + square)).sum(axis=1))
    new_variance = variance + tau * tau
    new_sd = np.sqrt((share * (new_variance + square)).sum(axis=1))
    tails = (0.5, (1.0 - level) / 2.0, (1.0 + level) / 2.0)
    one = np.sqrt(variance)
    tau_mean = (share * tau).sum(axis=1)
    ndtr = import_module("scipy.special").ndtr
    found: dict[str, Floats] = {
        "mean": groups.centre + mean,
        "sd": sd,
        "tau_mean": tau_mean,
        "tau_sd": np.sqrt((share * (tau - tau_mean[:, None]) ** 2).sum(axis=1)),
        "p_below_0": (share * ndtr((-groups.centre[:, None] - shift) / one)).sum(axis=1),
    }
    of_mean, rough = mixture_quantiles(share, shift, one, mean, sd, tails, by.last)
    found["median"], found["low"], found["high"] = groups.centre + of_mean
    of_new, rougher = mixture_quantiles(share, shift, np.sqrt(new_variance), mean, new_sd, tails, by.last)
    found["pi_median"], found["pi_low"], found["pi_high"] = groups.centre + of_new
    fine = low[:, None] + width[:, None] * by.fine
    fine_log = likelihood @ by.to_fine
    fine_tau = groups.s[:, None] * np.expm1(fine)
    fine_log += groups.prior_of(fine, fine_tau)
    fine_log -= top
    density = np.exp(fine_log)
    fine_total = density @ by.fine_weights
    at_tails, roughest = node_quantiles(density, fine_total, np.array(tails), by)
    for column, name in enumerate(("tau_median", "tau_low", "tau_high")):
        found[name] = groups.s * np.expm1(low + width * at_tails[:, column])
    if mu is not None:
        variances = np.add.reduceat(np.log(v), np.concatenate(([0], np.cumsum(sizes)[:-1])))
        constant = sizes * math.log(2.0 * math.pi) - math.log(groups.precision) + variances
        found["log_marginal"] = top[:, 0] + np.log(total * width) - 0.5 * constant
    for name, values in found.items():
        table[name][places] = values
    square = (share * tau * tau).sum(axis=1)
    fine_square = (density * fine_tau * fine_tau) @ by.fine_weights / total
    return (
        (np.abs(fine_total - total) <= SAME * total)
        & (np.abs(fine_square - square) <= SAME * square)
        & (np.maximum(rough, rougher) <= SMOOTH)
        & (roughest <= FINELY)
    )
