"""Between-study variance left over after the moderators: every estimator of :func:`balm.pool`, with a design matrix.

The equations are those of :mod:`balm.stats.heterogeneity` with ``k - 1`` replaced by ``k - p`` and the projection that
takes out the whole design (Viechtbauer 2005; DerSimonian & Kacker 2007; Knapp & Hartung 2003; Jackson et al. 2014).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from balm.stats.distributions import chi2_ppf
from balm.stats.effect_sizes import Floats
from balm.stats.groups import OneGroup
from balm.stats.heterogeneity.hills import (
    FAR_APART,
    FIRST_LOOK,
    HALVINGS,
    MANY_STEPS,
    STEP,
    highest_of_one,
    where_rising,
)
from balm.stats.heterogeneity.solving import Equation, one_root
from balm.stats.regression.looks import Look, Looks
from balm.stats.regression.projection import Projection, log_likelihood, projection
from balm.vocabulary.problems import InputError, check_option

#: The names of :data:`balm.stats.heterogeneity.estimators.TAU2_ESTIMATORS` that have a form with moderators.
ESTIMATORS = ("DL", "HE", "HS", "HSk", "SJ", "ML", "REML", "EB", "PM", "PMM", "GENQ", "DL2", "HE2")


@dataclass(frozen=True, slots=True)
class Left:
    """What is left over: ``tau2``, its standard error, and the relative residual of the estimating equation."""

    tau2: float
    se: float
    residual: float


class Problem:
    """Effects, variances and design of one regression, with effects counted from their weighted fit."""

    def __init__(self, effect: Floats, variance: Floats, design: Floats) -> None:
        self.effect, self.variance, self.design = effect, variance, design
        self.k, self.p = design.shape
        self.df = self.k - self.p
        self.common = projection(effect, variance, design, 0.0)
        self.typical = self.df / self.common.trace()
        self._last = 0.0, self.common
        self._plain: Projection | None = None
        self._looks: Looks | None = None

    @property
    def plain(self) -> Projection:
        """The fit with equal weights."""
        if self._plain is None:
            self._plain = self.weighted(np.ones(self.k))
        return self._plain

    def at(self, tau2: float) -> Projection:
        """The fit at ``tau2``; asking for the same one again costs nothing."""
        if self._last[0] != tau2:
            self._last = tau2, self.common if tau2 == 0.0 else projection(self.effect, self.variance, self.design, tau2)
        return self._last[1]

    def look(self, tau2: float) -> Look:
        """The sums of :meth:`at` to fewer digits in a fraction of the time."""
        if self._looks is None:
            self._looks = Looks(self.plain, self.variance, self.design)
        return self._looks.at(tau2)

    def root(self, equation: Equation, start: float, target: float = 0.0) -> float:
        """The root of ``equation(fit, tau2, target)`` near ``start``: found by looks, ended by fits."""
        near = one_root(self, lambda at, t, goal: equation(at.look(t), t, goal), start, self.typical, target)
        return one_root(self, lambda at, t, goal: equation(at.at(t), t, goal), near, self.typical, target)

    def weighted(self, weights: Floats) -> Projection:
        return Projection(self.effect, self.design, weights)

    def moments(self, weights: Floats) -> float:
        """``(y'Ay - tr(AV)) / tr A`` for the projection A with fixed weights (DerSimonian & Kacker 2007, eq. 6)."""
        a = self.weighted(weights)
        return (a.rss - a.trace(self.variance)) / a.trace()

    def moments_se(self, weights: Floats, tau2: float) -> float:
        a = self.weighted(weights)
        square = a.trace_of_square(self.variance + tau2)
        if not square >= 0.0:
            raise self.lost()
        return math.sqrt(2.0 * square) / a.trace()

    def lost(self) -> InputError:
        """That weights are so unequal that their sums have no digits left."""
        return InputError(
            f"the variances differ too much in size ({self.variance.min():.3g} to {self.variance.max():.3g}) for "
            "between-study variance to be estimated: look for a standard error in another unit, or a rounded one"
        )


def _score(p: Projection | Look, restricted: bool) -> tuple[float, float]:
    """Estimating function and Newton's step, or Fisher's where the curvature is not usable."""
    if restricted:
        trace, square = p.trace(), p.trace_of_square()
    else:
        trace, square = float(np.sum(p.weights)), float(p.weights @ p.weights)
    if not (square > 0.0 and trace > 0.0):
        return math.nan, math.nan
    value = p.y_pp_y() - trace
    curvature = 2.0 * p.y_ppp_y() - square - 2.0 * value * square / trace
    if curvature <= 0.01 * square:
        curvature = square
    return value, value / curvature


def _generalised_q(p: Projection | Look, target: float) -> tuple[float, float]:
    """``Q(tau2) - target`` and Newton's step on 1/Q, which climbs monotonically to the root."""
    value = p.rss - target
    slope = p.y_pp_y()
    return value, value / slope * (p.rss / target) if slope > 0.0 else 0.0  # nothing left over: the root is zero


def q_root(problem: Problem, target: float) -> float:
    """The tau² at which the generalised Q equals ``target``; 0 where it is below it already at 0."""
    if target <= 0.0:
        return math.inf
    if problem.common.rss == 0.0:  # the moderators explain the effects exactly, whatever the weights
        return 0.0
    return problem.root(lambda p, _, goal: _generalised_q(p, goal), 0.0, target)


def _likelihood(problem: Problem, restricted: bool) -> float:
    """The highest maximum, zero among them, looked for wherever another can be (see ``heterogeneity.hills``)."""

    def score(t: float) -> float:
        return _score(problem.look(t), restricted)[0]

    def equation(p: Projection | Look, t: float, _: float) -> tuple[float, float]:
        return _score(p, restricted)

    def height(t: float) -> float:
        return log_likelihood(problem.at(t), problem.variance, problem.design, t, restricted=restricted)

    def top(t: float) -> float:
        factor = STEP
        for _ in range(HALVINGS):
            factor = factor**0.5
            t = t * factor if score(t * factor) > 0.0 else t
        return problem.root(equation, t * factor**0.5)

    variance = problem.variance
    zero, plain = problem.common, problem.plain
    slope, q = zero.y_pp_y(), zero.rss
    if restricted:
        trace, squares, df = zero.trace(), zero.trace_of_square(), problem.df
        mean = plain.trace(variance) / df
    else:
        trace, squares, df = float(np.sum(zero.weights)), float(zero.weights @ zero.weights), problem.k
        mean = float(np.mean(variance))
    least, most = float(variance.min()), float(variance.max())
    if not squares * trace != 0.0:  # rounding left nothing; of the wrong sign, the search below looks everywhere
        raise problem.lost()
    step = (slope - trace) / squares
    found, low, high = 0.0, 0.0, 0.0
    if step > 0.0:
        hedges = (plain.rss - plain.trace(variance)) / plain.trace()
        found = low = high = problem.root(equation, max(hedges, 0.0))
    if step <= 0.0 or most > FAR_APART * least:
        sums = {"slope": slope, "trace": trace, "squares": squares, "q": q}
        low, high = where_rising(OneGroup.where, least=least, mean=mean, squared=plain.rss, df=float(df), **sums)
    elif found > MANY_STEPS * step:
        low = step
    low = max(low, FIRST_LOOK * least)
    if not low < high:
        return found
    return highest_of_one(found, above=step > 0.0, low=low, high=high, score=score, top=top, height=height)


def estimate(effect: Floats, variance: Floats, design: Floats, name: str, weights: Floats | None = None) -> Left:
    """tau² by the estimator ``name``, truncated at zero, with its standard error and residual.

    effect, variance : (k,).  design : (k, p), full rank, k > p.  weights : for ``"GENQ"`` only, default ``1/sqrt(v)``.
    """
    return estimate_in(Problem(effect, variance, design), name, weights)


def estimate_in(problem: Problem, name: str, weights: Floats | None = None) -> Left:
    """:func:`estimate` for a problem that is there."""
    check_option("tau2", name, ESTIMATORS)
    effect, variance = problem.effect, problem.variance
    k, df = problem.k, problem.df
    one = np.ones(k)
    precise = 1.0 / variance
    residual = 0.0
    if name in ("DL", "HE", "GENQ", "DL2", "HE2"):
        chosen = {"DL": precise, "HE": one, "DL2": precise, "HE2": one}.get(
            name, variance**-0.5 if weights is None else weights
        )
        tau2 = problem.moments(chosen)
        if name in ("DL2", "HE2"):
            chosen = 1.0 / (variance + max(tau2, 0.0))
            tau2 = problem.moments(chosen)
        tau2 = max(tau2, 0.0)
        return Left(tau2, problem.moments_se(chosen, tau2), residual)
    if name in ("HS", "HSk"):
        total = float(np.sum(precise))
        factor = k / df if name == "HSk" else 1.0
        fit = problem.weighted(precise)
        tau2 = max((fit.rss * factor - k) / total, 0.0)
        se = math.sqrt(2.0 * fit.trace_of_square(variance + tau2)) / total
        return Left(tau2, se * factor, residual)
    if name == "SJ":
        crude = float(np.var(effect))
        fit = problem.at(crude)
        tau2 = crude * fit.rss / df
        return Left(tau2, crude / df * math.sqrt(2.0 * fit.trace_of_square(variance + tau2)), residual)
    if name in ("PM", "EB", "PMM"):
        target = chi2_ppf(0.5, df) if name == "PMM" else float(df)
        tau2 = q_root(problem, target)
        value, step = _generalised_q(problem.at(tau2), target)
        se = math.sqrt(2.0 * k * k / df) / float(np.sum(1.0 / (variance + tau2)))
    else:
        restricted = name == "REML"
        tau2 = _likelihood(problem, restricted)
        at = problem.at(tau2)
        value, step = _score(at, restricted)
        square = at.trace_of_square() if restricted else float(at.weights @ at.weights)
        se = math.sqrt(2.0 / square) if square > 0.0 else math.nan  # weights 24 orders of magnitude apart
    if tau2 > 0.0 or value > 0.0:
        residual = abs(step) / (tau2 + problem.typical)
    return Left(tau2, se, residual)
