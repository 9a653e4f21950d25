"""Limit meta-analysis: the mean of studies like these, had each been so large that no small-study effect was left."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.distributions import chi2_sf
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.frame import frame
from balm.stats.pooling.pool import pool
from balm.stats.pooling.pooled import Pooled
from balm.stats.regression.projection import Projection
from balm.stats.small_study.studies import ENOUGH, LEAST, check_varies, p_in_words, studies_of
from balm.stats.tails import OneTail, t_critical
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError, check_level

SOURCE = "Rücker G, Schwarzer G, Carpenter JR, Binder H, Schumacher M. Biostatistics 2011;12:122-42"


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class LimitMetaAnalysis:
    """The adjusted mean and the line it rests on, on the analysis scale.

    estimate, se, interval, p : the mean effect expected of an infinitely precise study, ``beta + tau x alpha``.
    alpha, beta     : bias (intercept) and slope of the radial line ``y / s = alpha + beta / s``, ``s² = v + tau²``.
    tau2            : between-study variance, that of ``original``.
    limits          : (k,) each effect with its precision taken to infinity, its place in the distribution kept.
    q, q_small, q_residual : Cochran's Q, what a small-study effect explains of it (one degree of freedom), and the rest
                      (k - 2), with p values.
    g2              : the variation of the limits that a radial line leaves unexplained, from 0 to 1; beside it,
                      heterogeneity has nothing to do with the precision of the studies.
    original        : the random-effects result that is adjusted.
    """

    estimate: float
    se: float
    interval: Interval
    p: float
    alpha: float
    beta: float
    tau2: float
    limits: Floats
    q: float
    q_small: float
    q_small_p: float
    q_residual: float
    q_residual_p: float
    g2: float
    original: Pooled
    effects: EffectSizes
    advice: tuple[str, ...]

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.effects)

    @property
    def summary(self) -> str:
        """The result in one sentence."""
        before, ends = self.original, self.interval
        first = before.interval
        return (
            f"Limit meta-analysis of {self.k} studies: {self.estimate:.3f} ({100 * ends.level:g}% CI {ends.low:.3f} "
            f"to {ends.high:.3f}) where {before.estimate:.3f} ({first.low:.3f} to {first.high:.3f}) is estimated "
            f"without adjustment; test of small-study effects Q = {self.q_small:.2f}, df = 1, "
            f"{p_in_words(self.q_small_p)}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values at full precision."""
        return {
            "k": self.k,
            "estimate": self.estimate,
            "se": self.se,
            "low": self.interval.low,
            "high": self.interval.high,
            "level": self.interval.level,
            "p": self.p,
            "alpha": self.alpha,
            "beta": self.beta,
            "tau2": self.tau2,
            "q": self.q,
            "q_small": self.q_small,
            "q_small_p": self.q_small_p,
            "q_residual": self.q_residual,
            "q_residual_p": self.q_residual_p,
            "g2": self.g2,
            "limits": self.limits.tolist(),
            "source": SOURCE,
            "advice": list(self.advice),
        }

    def to_frame(self) -> Any:
        """One row a study: effect and limit, as a pandas DataFrame (a dict of columns without pandas)."""
        return frame(
            {"study": list(self.effects.study), "effect": self.effects.effect.copy(), "limit": self.limits.copy()}
        )

    def __repr__(self) -> str:
        return "\n".join([self.summary, *(f"- {said}" for said in self.advice), SOURCE])


def limit_meta_analysis(fit: Pooled | EffectSizes, *, level: float | None = None) -> LimitMetaAnalysis:
    """Extrapolate a random-effects mean to studies without sampling error.

    fit   : a random-effects result of :func:`balm.pool` by inverse variance, whose tau2 is used, or effect sizes
            (pooled with the defaults).
    level : coverage of the interval, by default that of ``fit``.

    Effects are thought to be ``y = beta + s (e + alpha)`` with ``s² = v + tau²`` and a bias ``alpha`` that all studies
    share: a line through the radial plot, by least squares. A study whose ``v`` falls to 0 keeps ``s = tau``, so that
    its mean is ``beta + tau x alpha``; the standard error takes unit variance around the line. With tau2 = 0 it is
    Egger's line at a standard error of 0, as PET. Asymmetry is not publication bias, and with fewer than ten studies
    the line is hardly known.

    >>> es = EffectSizes(effect=[0.1, 0.3, 0.35, 0.6, 0.8], variance=[0.01, 0.02, 0.03, 0.05, 0.09])
    >>> found = limit_meta_analysis(pool(es, tau2="DL"))
    >>> round(found.estimate, 4), round(found.se, 4)
    (0.0063, 0.2032)
    """
    es = studies_of(fit, "limit_meta_analysis")
    k = len(es)
    if k < LEAST:
        raise InputError(f"limit_meta_analysis needs at least {LEAST} studies; there {'is' if k == 1 else 'are'} {k}")
    original = fit if isinstance(fit, Pooled) else pool(es)
    if original.method != "inverse-variance" or original.own_weights is not None:
        raise InputError(
            "limit_meta_analysis takes a random-effects result by inverse variance; pool with balm.pool(es)"
        )
    if original.conventions["model"] != "random":
        raise InputError(
            f"limit_meta_analysis adjusts a random-effects mean; this fit is model={original.conventions['model']!r}"
        )
    coverage = original.level if level is None else level
    check_level(coverage)
    check_varies(es.se, "the standard error", "limit_meta_analysis")
    tau2 = original.tau2
    tau = math.sqrt(tau2)
    y, v = es.effect, es.variance
    line = _radial(y, v + tau2)
    alpha, beta = line.beta.tolist()
    estimate = beta + tau * alpha
    square = float(np.array([tau, 1.0]) @ line.covariance @ np.array([tau, 1.0]))
    if not square >= 0.0:
        raise InputError(
            f"tau2 ({tau2:.3g}) is so large beside the variances (at most {float(v.max()):.3g}) that the line is level "
            "and its end is not known: look for an effect in another unit"
        )
    se = math.sqrt(square)
    limits = beta + tau / np.sqrt(v + tau2) * (y - beta)
    plain = _radial(y, v)
    weights = 1.0 / v
    q = float(weights @ (y - (weights @ y) / weights.sum()) ** 2)
    small = max(0.0, q - plain.rss)
    c = t_critical(coverage, math.inf)
    said = []
    if k < ENOUGH:
        said.append(f"Only {k} studies: the line of so few is hardly known.")
    if tau2 == 0.0:
        said.append("tau2 is 0: the mean is that of Egger's line at a standard error of 0.")
    return LimitMetaAnalysis(
        estimate=estimate,
        se=se,
        interval=Interval(estimate - c * se, estimate + c * se, coverage),
        p=OneTail.two_sided(estimate / se, math.inf),
        alpha=alpha,
        beta=beta,
        tau2=tau2,
        limits=limits,
        q=q,
        q_small=small,
        q_small_p=chi2_sf(small, 1),
        q_residual=plain.rss,
        q_residual_p=chi2_sf(plain.rss, k - 2),
        g2=_unexplained(limits, v) if tau2 > 0.0 else 0.0,
        original=original,
        effects=es,
        advice=tuple(said),
    )


def _radial(y: Floats, variance: Floats) -> Projection:
    """Least squares of ``y / s = alpha + beta / s``: the weighted regression of y on s and a constant."""
    s = np.sqrt(variance)
    return Projection(y, np.column_stack([s, np.ones(len(y))]), 1.0 / variance)


def _unexplained(limits: Floats, v: Floats) -> float:
    """One minus R² of the radial line through the limits, around their own mean."""
    line = _radial(limits, v)
    across = limits / np.sqrt(v)
    return line.rss / float(np.sum((across - across.mean()) ** 2))
