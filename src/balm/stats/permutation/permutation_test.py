"""Permutation tests of a pooled mean and of a meta-regression."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.frame import frame
from balm.stats.groups import Floats, Integers, centred
from balm.stats.permutation.orders import alike, how_many, orderings, signs
from balm.stats.permutation.refit import Arrangements, statistics
from balm.stats.pooling.analysis import add_up, conclude
from balm.stats.pooling.choices import Choices, choose
from balm.stats.pooling.inference import INFERENCES
from balm.stats.pooling.pooled import Pooled
from balm.stats.regression.meta_regression import MetaRegression
from balm.stats.simulation.blocks import blocks, check_count, settled_seed
from balm.stats.simulation.fits import sums_of
from balm.stats.simulation.replicates import TABLE, Replicates
from balm.vocabulary.problems import InputError, check_option

ALTERNATIVES = ("two-sided", "greater", "less")

#: Rearrangements that are all gone through unless told otherwise: a few seconds' work. Ten studies have 3,628,800
#: orderings, twenty studies 1,048,576 sign flips.
MOST_EXACT = 4_000_000

#: Statistics this close, relative to their size, are ties: rounding separates what is equal in exact arithmetic.
TIE = 1e-8


@dataclass(frozen=True, slots=True)
class PermutationP:
    """One tested quantity: its statistic in the data as they are, and the share of rearrangements that reach it."""

    name: str
    statistic: float
    p: float
    count: int


@dataclass(frozen=True, eq=False)
class PermutationTest:
    """The outcome of :func:`permutation_test`.

    tests        : one a coefficient (the mean alone, for a pooled result).
    omnibus      : that no moderator matters; ``None`` for a pooled result.
    rearranged   : how many rearrangements were looked at; all of them when ``exact``.
    seed         : of the random rearrangements; ``None`` when exact.
    distribution : (p, rearranged) statistics, when kept: in the order gone through.
    """

    tests: tuple[PermutationP, ...]
    omnibus: PermutationP | None
    exact: bool
    rearranged: int
    scheme: str
    alternative: str
    seed: int | None
    null: float
    distribution: Floats | None = None
    omnibus_distribution: Floats | None = None

    @property
    def p(self) -> float:
        """The p value of the mean, or of the omnibus test of a regression."""
        return self.tests[0].p if self.omnibus is None else self.omnibus.p

    def __getitem__(self, name: str) -> PermutationP:
        for test in self.tests:
            if test.name == name:
                return test
        raise InputError(f"no test of {name!r}; there are {[t.name for t in self.tests]}")

    @property
    def monte_carlo_error(self) -> float:
        """Standard error of ``p`` from drawing at random; 0 when exact."""
        return 0.0 if self.exact else math.sqrt(self.p * (1.0 - self.p) / self.rearranged)

    def __repr__(self) -> str:
        how = "all" if self.exact else "a random"
        lines = [f"Permutation test: {how} {self.rearranged:,} {self.scheme}, {self.alternative}"]
        rows = [*self.tests, *(() if self.omnibus is None else (self.omnibus,))]
        width = max(len(t.name) for t in rows)
        lines.append(f"{'':<{width}}  {'statistic':>10}  {'p':>8}")
        lines += [f"{t.name:<{width}}  {t.statistic:>10.4f}  {t.p:>8.4g}" for t in rows]
        if not self.exact:
            lines.append(f"seed {self.seed}; Monte-Carlo error of p {self.monte_carlo_error:.2g}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the distributions, as plain values."""
        rows = [*self.tests, *(() if self.omnibus is None else (self.omnibus,))]
        return {
            "scheme": self.scheme,
            "exact": self.exact,
            "rearranged": self.rearranged,
            "alternative": self.alternative,
            "null": self.null,
            "seed": self.seed,
            "tests": [{"name": t.name, "statistic": t.statistic, "p": t.p} for t in rows],
        }

    def to_frame(self) -> Any:
        """One row a test, as a pandas DataFrame (a dict of columns without pandas)."""
        rows = self.to_dict()["tests"]
        table = {name: [row[name] for row in rows] for name in ("name", "statistic", "p")}
        return frame(table)


def permutation_test(
    fit: Pooled | MetaRegression,
    *,
    exact: bool | None = None,
    iterations: int = 10_000,
    seed: int | None = None,
    alternative: str = "two-sided",
    null: float = 0.0,
    keep: bool = False,
) -> PermutationTest:
    """How often would chance alone give a test statistic as extreme as this fit's?

    A pooled mean is tested by flipping the signs of the effects: under the null hypothesis each study's deviation is as
    likely above as below. A meta-regression is tested by giving the studies' moderators to one another, whole rows at a
    time: under the null they do not matter. Each rearrangement is fitted again as ``fit`` was, with tau² estimated
    anew, and its statistics (``estimate / SE``; Q_M or F for all moderators together) are compared with those of the
    data. The p value is the share that reaches them, ties included; it needs no reference distribution, and with k
    studies it cannot fall below ``2 / 2**k`` for a mean.

    exact       : True goes through all rearrangements (2**k sign flips, or every distinct ordering of the moderators),
                  False draws ``iterations`` at random; by default all where there are at most 4,000,000.
    seed        : of the random draws; a fresh one, kept in the result, when there is none. Results depend on it alone.
    alternative : "two-sided" (either sign), "greater" or "less"; the omnibus test has one side anyway.
    null        : the mean under the null hypothesis, on the analysis scale (pooled results only).
    keep        : keep the statistics of all rearrangements in ``distribution``.

    Random draws give ``(1 + reached) / (1 + iterations)``: the data as they are count as one of them, so that p is
    never 0 (Phipson & Smyth 2010, Stat Appl Genet Mol Biol 9:39). Nothing is stored but the counts, unless kept.

    Follmann & Proschan (1999), Biometrics 55:732; Higgins & Thompson (2004), Stat Med 23:1663.

    >>> from balm.stats.effect_sizes import EffectSizes
    >>> from balm.stats.pooling.pool import pool
    >>> es = EffectSizes(effect=[0.2, 0.5, 0.1, 0.4, 0.3], variance=[0.02, 0.03, 0.02, 0.04, 0.03])
    >>> permutation_test(pool(es, tau2="DL")).p
    0.0625
    """
    check_option("alternative", alternative, ALTERNATIVES)
    if exact not in (None, True, False):
        raise InputError(f"exact must be True, False or None (exact where feasible); got {exact!r}")
    if isinstance(fit, MetaRegression):
        if null != 0.0:
            raise InputError(
                f"null={null!r} has no effect on a meta-regression, whose null is that moderators do not matter"
            )
        if not (fit.design.intercept and fit.design.matrix.shape[1] == 1):
            return _regression(fit, exact, iterations, seed, alternative, keep)
        raise InputError(
            "a meta-regression without moderators has nothing to rearrange: use balm.pool and test its result"
        )
    if not isinstance(fit, Pooled):
        raise InputError(
            f"permutation_test takes a result of balm.pool or balm.meta_regression; got {type(fit).__name__}"
        )
    return _mean(fit, exact, iterations, seed, alternative, null, keep)


def _decide(exact: bool | None, possible: int, what: str) -> bool:
    if exact is None:
        return possible <= MOST_EXACT
    if exact and possible > MOST_EXACT:
        raise InputError(
            f"exact=True would go through {possible:,} {what} (at most {MOST_EXACT:,}): leave it out to draw at random"
        )
    return exact


def _numbers(total: int, width: int) -> Iterator[Integers]:
    """Runs of about ``width`` numbers, as even as they come."""
    width = -(-total // max(1, round(total / width)))
    for start in range(0, total, width):
        yield np.arange(start, min(start + width, total), dtype=np.int64)


class _Tally:
    """Counts of statistics that reach the observed ones; the statistics themselves when kept."""

    def __init__(self, observed: Floats, one_sided: bool, alternative: str, keep: bool) -> None:
        self.either = alternative == "two-sided" and not one_sided
        self.flip = 1.0 if one_sided or alternative != "less" else -1.0
        reached = self._size(observed[:, None])
        finite = np.where(np.isinf(reached), 0.0, reached)  # infinite where Hartung-Knapp's error is 0: equal effects
        self.least = reached - TIE * np.maximum(np.abs(finite), 1.0)
        self.count = np.zeros(len(observed), dtype=np.int64)
        self.total = 0
        self.kept: list[Floats] | None = [] if keep else None

    def _size(self, values: Floats) -> Floats:
        return np.abs(values) if self.either else self.flip * values

    def add(self, values: Floats) -> None:
        with np.errstate(invalid="ignore"):
            self.count += np.count_nonzero(self._size(values) >= self.least, axis=1)
        self.total += values.shape[1]
        if self.kept is not None:
            self.kept.append(values)

    def results(self, names: list[str], observed: Floats, exact: bool) -> list[PermutationP]:
        extra = 0 if exact else 1
        return [
            PermutationP(n, float(s), float((c + extra) / (self.total + extra)), int(c))
            for n, s, c in zip(names, observed, self.count.tolist(), strict=True)
        ]


def _mean(
    fit: Pooled, exact: bool | None, iterations: int, seed: int | None, alternative: str, null: float, keep: bool
) -> PermutationTest:
    if fit.method != "inverse-variance":
        raise InputError(f"sign flips need a fit by inverse variance, got {fit.method}: pool with balm.pool")
    if fit.k < 2:
        raise InputError("a permutation test needs two studies or more; there is one")
    if isinstance(null, bool) or not isinstance(null, (int, float)) or not math.isfinite(null):
        raise InputError(f"null must be a number on the analysis scale; got {null!r}")
    choices = choices_of(fit)
    k = fit.k
    effect, variance = fit.effects.effect - null, fit.effects.variance[:, None]
    own = None if fit.own_weights is None else fit.own_weights[:, None]

    def statistic(flips: Floats) -> Floats:
        return mean_statistics(effect[:, None] * flips, variance, choices, own)[None, :]

    observed = statistic(np.ones((k, 1)))[:, 0]
    if math.isnan(observed[0]):
        raise InputError("all effects equal the null value with a standard error of 0: there is nothing to test")
    full = k < 63 and _decide(exact, 1 << k, "sign flips")
    if exact and not full:
        _decide(True, 1 << k, "sign flips")
    tally = _Tally(observed, False, alternative, keep)
    if full:
        used = None
        # The flips with the last sign turned are the others' mirror images, with minus their statistics.
        for numbers in _numbers(1 << (k - 1), max(TABLE // k, 64)):
            half = statistic(signs(numbers, k))
            tally.add(half)
            tally.add(-half)
    else:
        used = settled_seed(seed)
        for size, rng in blocks(check_count("iterations", iterations), used):
            coins = rng.integers(0, 2, size=(k, size), dtype=np.int8)
            tally.add(statistic(1.0 - 2.0 * coins.astype(np.float64)))
    return PermutationTest(
        tests=tuple(tally.results(["mean"], observed, full)),
        omnibus=None,
        exact=full,
        rearranged=tally.total,
        scheme="sign flips",
        alternative=alternative,
        seed=used,
        null=float(null),
        distribution=None if tally.kept is None else np.concatenate(tally.kept, axis=1),
    )


def choices_of(fit: Pooled) -> Choices:
    """The options of a fit, to analyse other effects as it was."""
    said = fit.conventions
    inference = str(said["inference"])
    if INFERENCES[inference].ends is not None:
        raise InputError(
            f"inference={inference!r} has no statistic of the form estimate / SE to rearrange; "
            "pool with 'wald', 't', 'hartung-knapp', 'hartung-knapp-guarded' or 'kenward-roger'"
        )
    random = said["model"] != "common"
    return choose(
        profile=None,
        model=str(said["model"]),
        tau2=said["tau2"] if random else None,
        inference=inference,
        prediction="none",
        level=fit.level,
        i2=None,
        tau2_interval=None,
        weighted=fit.own_weights is not None,
    )


def mean_statistics(effect: Floats, variance: Floats, choices: Choices, weights: Floats | None = None) -> Floats:
    """(B,) ``estimate / SE`` of each replicate under the choices; effect (k, B), variance and weights (k, 1)."""
    error = INFERENCES[choices.inference].error
    if error not in ("wald", "hartung-knapp", "guarded"):
        g, origin = centred(Replicates(effect, variance))
        found: Floats = conclude(g, choices, add_up(g, choices, origin, weights)).statistic
        return found
    g, sums = sums_of(effect, variance, choices, weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        se = sums.wald
        if error != "wald":
            factor = sums.factor if error == "hartung-knapp" else np.maximum(sums.factor, 1.0)
            se = se * np.sqrt(factor)
        out: Floats = np.broadcast_to((sums.origin + sums.mean) / se, (len(g),))
        return out


def _regression(
    fit: MetaRegression, exact: bool | None, iterations: int, seed: int | None, alternative: str, keep: bool
) -> PermutationTest:
    matrix = fit.design.matrix
    k, p = matrix.shape
    tested = 1 if fit.design.intercept else 0
    effect, variance = fit.effects.effect[:, None], fit.effects.variance[:, None]
    # Counted from their plain means, so that a far-off origin (calendar years) costs no digits.
    origin = matrix.mean(axis=0) if tested else np.zeros(p)
    origin[:tested] = 0.0
    body = matrix - origin
    estimator: str | float | None = fit.tau2_estimator
    if estimator is None and fit.model == "random":
        estimator = fit.tau2

    def statistic(order: Integers) -> tuple[Floats, Floats]:
        columns = tuple(None if tested and j == 0 else body[:, j].take(order) for j in range(p))
        shift = origin if tested else None
        found = statistics(
            Arrangements(effect, variance, columns, order.shape[1]), estimator, fit.inference, tested, shift
        )
        return found.coefficients, found.omnibus[None, :]

    whole = np.arange(k)[:, None]
    z, q = statistic(whole)
    observed, joint = z[:, 0], q[:, 0]
    if not (np.isfinite(observed).all() and np.isfinite(joint).all()):
        raise InputError(
            "the moderators explain the effects exactly: the standard errors are 0 and nothing can be tested"
        )
    kinds = alike(matrix)
    possible = how_many(kinds)
    full = _decide(exact, possible, "orderings of the moderators")
    tally = _Tally(observed, False, alternative, keep)
    omnibus = _Tally(joint, True, alternative, keep)
    representative = np.array([int(np.flatnonzero(kinds == i)[0]) for i in range(int(kinds.max()) + 1)])
    used = None

    def go(order: Integers) -> None:
        z, q = statistic(order)
        tally.add(z)
        omnibus.add(q)

    if full:
        plain = len(representative) == k
        for numbers in _numbers(possible, max(TABLE // k, 64)):
            order = orderings(numbers, kinds)
            go(order if plain else representative[order])
    else:
        used = settled_seed(seed)
        for size, rng in blocks(check_count("iterations", iterations), used):
            go(rng.random((k, size)).argsort(axis=0))
    names = list(fit.design.names)
    return PermutationTest(
        tests=tuple(tally.results(names, observed, full)),
        omnibus=omnibus.results(["all moderators" if tested else "all coefficients"], joint, full)[0],
        exact=full,
        rearranged=tally.total,
        scheme="orderings of the moderators",
        alternative=alternative,
        seed=used,
        null=0.0,
        distribution=None if tally.kept is None else np.concatenate(tally.kept, axis=1),
        omnibus_distribution=None if omnibus.kept is None else np.concatenate(omnibus.kept, axis=1)[0],
    )
