"""The highest point of the bivariate model of counts: binomial likelihoods, normal logits that vary together.

The likelihood of a few small studies can have several maxima, with and without variation between studies, so the climb
begins from several covariances; the quadrature and Newton's steps are those of :func:`balm.glmm`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.glmm.fitting import LADDER, NOTHING, RUN_AWAY, SETTLED, MixedFit
from balm.stats.glmm.fitting import fit as fit_counts
from balm.stats.glmm.likelihoods import Binomial
from balm.stats.glmm.models import structure
from balm.stats.glmm.optimum import Optimum, climb
from balm.stats.glmm.quadrature import heights
from balm.stats.glmm.structure import Structure

#: Variances and correlations that the climb begins from, beside the variances of each proportion by itself.
SMALLEST, LARGE, CORRELATIONS = 0.04, 1.0, (0.0, 0.85, -0.85)
#: Climbs from afar: nodes, standard errors of a last step, and most steps.
COARSE, SHORT, MOST = 9, 1e-3, 30
#: So many studies tell which maxima there are; with more, the rest only moves them.
ENOUGH = 1000
#: Directions of less curvature than this, relative to the largest, are turns of the random effects among themselves.
FLAT = 1e-9
#: Log-likelihoods that differ by less are one: the error of the quadrature.
LEVEL = 1e-6


class Found(NamedTuple):
    """As :class:`balm.stats.accuracy.bivariate.Bivariate`; ``failed`` says why there is no estimate, else is ""."""

    mean: Floats
    covariance: Floats
    between: Floats
    log_likelihood: float
    residual: float
    points: int
    integration_error: float
    failed: str


def one_proportion(x: Floats, n: Floats, points: int | None) -> MixedFit:
    """The logit of one proportion with a variance between studies."""
    return fit_counts(
        ((Binomial(x, n), np.zeros(len(x)), 1.0),), None, np.ones((len(x), 1)), heterogeneity=True, points=points
    )


def each_alone(tp: Floats, n1: Floats, fp: Floats, n0: Floats, points: int | None) -> Found:
    """The two proportions without correlation: a model each."""
    two = [one_proportion(x, n, points) for x, n in ((tp, n1), (fp, n0))]
    return Found(
        np.array([float(m.beta[0]) for m in two]),
        np.diag([float(m.covariance[0, 0]) for m in two]),
        np.diag([m.tau2 for m in two]),
        sum(m.log_likelihood for m in two),
        max(m.residual for m in two),
        max(m.points for m in two),
        max(m.integration_error for m in two),
        next((m.failed for m in two if m.failed), ""),
    )


def both_proportions(tp: Floats, n1: Floats, fp: Floats, n0: Floats, points: int | None) -> Found:
    """The means of logit sensitivity and logit false positive rate, and their covariance between studies.

    points : nodes for each random effect; None refines until the log-likelihood is settled.
    """
    zero, ones = np.zeros(len(tp)), np.ones((len(tp), 1))
    # The level is that of people without the condition; its difference to the others has two random parts.
    arms = ((Binomial(tp, n1), zero, 1.0), (Binomial(fp, n0), zero, 0.0))
    s = structure(arms, "random", ones, heterogeneity=True, correlated=True)
    apart = each_alone(tp, n1, fp, n0, points)
    if apart.failed:
        return apart
    variances = np.diag(apart.between)
    tops: list[Optimum] = []
    few = s if s.k <= ENOUGH else s.part(np.linspace(0, s.k - 1, ENOUGH).astype(np.int64))
    for begun in (np.maximum(variances, SMALLEST), np.full(2, LARGE)):
        for r in CORRELATIONS:
            try:
                tops.append(climb(few, _start(s, apart.mean, begun, r), None, COARSE, short=SHORT, most=MOST))
            except np.linalg.LinAlgError:  # an integrand too steep for its nodes: the others go on
                continue
    tops.sort(key=lambda top: -top.height)
    # The approximation asked for can rank two near maxima the other way round.
    others = [top for top in tops[1:] if top.height < tops[0].height - SHORT]
    finer = []
    for top in tops[:1] + others[:1]:
        try:
            if few is not s:
                top = climb(s, top.common, None, COARSE, short=SHORT, most=MOST)
            finer.append(_settled(s, top, points))
        except np.linalg.LinAlgError:
            continue
    if not finer:
        return apart._replace(failed="the integrals cannot be computed: studies differ too much for their size")
    best, nodes, change = max(finer, key=lambda f: f[0].height)
    found = _read(s, best, nodes, change)
    # A proportion that does not vary correlates with nothing: the likelihood is flat there, and two models are exact.
    if variances.min() < NOTHING**2 and apart.log_likelihood > found.log_likelihood - LEVEL:
        return apart
    return found


def _start(s: Structure, means: Floats, variances: Floats, r: float) -> Floats:
    """The parameters of the structure at these means, variances and correlation."""
    a, c = math.sqrt(variances[0]), math.sqrt(variances[1])
    start = np.zeros(5)
    for name, value in (
        ("effect", means[0] - means[1]),
        ("level", means[1]),
        ("sigma", c),
        ("tau", a * math.sqrt(1.0 - r * r)),
        ("shared", a * r - c),
    ):
        start[s.position(name)] = value
    return start


def _settled(s: Structure, top: Optimum, points: int | None) -> tuple[Optimum, int, float]:
    """The top with the nodes asked for, or as many as it takes; and what the last refinement changed."""
    if points is not None:
        return climb(s, top.common, None, points, modes=top.modes, exact=False), points, math.nan
    n, level, change = COARSE, top.height, math.inf
    for n in LADDER[2][1:]:
        finer = float(heights(s, top.values, n, top.modes)[0].sum())
        change, level = abs(finer - level), finer
        if change < SETTLED:
            break
    return climb(s, top.common, None, n, modes=top.modes), n, change


def _read(s: Structure, top: Optimum, nodes: int, change: float) -> Found:
    at = {name: s.position(name) for name in ("effect", "level", "sigma", "tau", "shared")}
    effect, level, sigma, tau, shared = (float(top.common[i]) for i in at.values())
    root = np.array([[sigma + shared, tau], [sigma, 0.0]])
    mean, between = np.array([level + effect, level]), root @ root.T
    values, vectors = np.linalg.eigh(-top.hessian)
    most = float(values.max())
    failed = ""
    if not top.residual < (1e-6 if math.isfinite(change) else 1e-3):
        failed = f"the search did not converge (it stopped {top.residual:.2g} standard errors from an optimum)"
    elif np.abs(mean).max() > RUN_AWAY or between.max() > RUN_AWAY**2:
        failed = "the likelihood rises without end (sensitivity or specificity is complete)"
    elif values.min() < -1e-6 * most:
        failed = "the likelihood has no maximum with a finite curvature"
    kept = values > FLAT * most
    inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    turn = np.zeros((2, len(top.common)))
    turn[0, at["effect"]] = turn[0, at["level"]] = turn[1, at["level"]] = 1.0
    constant = sum(likelihood.constant() for likelihood, _, _ in s.arms)
    return Found(mean, turn @ inverse @ turn.T, between, top.height + constant, top.residual, nodes, change, failed)
