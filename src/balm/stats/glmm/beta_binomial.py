"""Pool event counts by a beta-binomial model: risks vary between the studies by a beta distribution."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from balm.stats.distributions import chi2_sf
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.glmm.heterogeneity_tests import ChiSquare
from balm.stats.glmm.pooled_counts import PooledCounts
from balm.stats.pooling.around_estimate import taken
from balm.stats.tails import OneTail, t_critical
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError, check_level, check_option

MEASURES = ("OR", "RR", "RD", "PLO", "PR")
CORRELATIONS = ("common", "per-group")
#: The search ends at a step of this many standard errors; it then gains a digit or two more.
SHORT = 1e-8


class BetaBinomial(NamedTuple):
    """One fit: logit risks of the groups, ``log(rho / (1 - rho))`` of the intraclass correlation, their covariance."""

    logits: Floats
    log_odds_of_rho: float
    covariance: Floats
    log_likelihood: float
    binomial_log_likelihood: float
    residual: float

    @property
    def rho(self) -> float:
        """The intraclass correlation: 0 where the counts vary no more than binomially."""
        return 1.0 / (1.0 + math.exp(-self.log_odds_of_rho)) if self.log_odds_of_rho > -math.inf else 0.0

    @property
    def rho_se(self) -> float:
        """Its standard error by the delta method; ``nan`` at 0."""
        if self.log_odds_of_rho == -math.inf:
            return math.nan
        return self.rho * (1.0 - self.rho) * math.sqrt(float(self.covariance[-1, -1]))


class _Group:
    """Sums over ``j`` that hold the counts of a group: how many studies have more than ``j`` events, and so on."""

    def __init__(self, x: Floats, n: Floats) -> None:
        self.x, self.n = x, n
        self.more = [_more(values) for values in (x, n - x, n)]
        self.j = [np.arange(len(m), dtype=np.float64) for m in self.more]

    def terms(self, mu: float, theta: float) -> tuple[float, Floats, Floats]:
        """Log-likelihood, gradient (2,) and Hessian (2, 2) by ``mu`` and ``theta = rho / (1 - rho)``."""
        height, gradient, hessian = 0.0, np.zeros(2), np.zeros((2, 2))
        bases = (mu, 1.0 - mu, 1.0)
        signs = ((1.0, 1.0), (1.0, -1.0), (-1.0, 0.0))
        for more, j, base, (weight, slope) in zip(self.more, self.j, bases, signs, strict=True):
            value = base + j * theta
            height += weight * float(more @ np.log(value))
            first, second = more / value, more / value**2
            gradient += weight * np.array([slope * first.sum(), first @ j])
            cross = slope * float(second @ j)
            hessian -= weight * np.array([[slope * slope * second.sum(), cross], [cross, second @ (j * j)]])
        return height, gradient, hessian


def _more(values: Floats) -> Floats:
    """(largest value,) how many of ``values`` exceed 0, 1, 2 ..."""
    counts = np.bincount(values.astype(np.int64))
    return np.cumsum(counts[::-1])[::-1][1:].astype(np.float64)


def fit(groups: list[tuple[Floats, Floats]]) -> BetaBinomial:
    """Maximum likelihood with a risk for each group and one intraclass correlation, which is not below 0."""
    from scipy.special import gammaln

    parts = [_Group(x, n) for x, n in groups]
    constant = sum(float(np.sum(gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1))) for x, n in groups)
    means = [float(x.sum() / n.sum()) for x, n in groups]
    d = len(groups)

    def look(point: Floats) -> tuple[float, Floats, Floats]:
        theta = math.exp(min(float(point[-1]), 12.0))
        height, g, h = 0.0, np.zeros(d + 1), np.zeros((d + 1, d + 1))
        for i, part in enumerate(parts):
            mu = 1.0 / (1.0 + math.exp(-float(point[i])))
            level, own, curve = part.terms(mu, theta)
            slope = mu * (1.0 - mu)
            height += level
            g[i] += own[0] * slope
            g[d] += own[1] * theta
            h[i, i] += curve[0, 0] * slope**2 + own[0] * slope * (1.0 - 2.0 * mu)
            h[i, d] = h[d, i] = curve[0, 1] * slope * theta
            h[d, d] += curve[1, 1] * theta**2 + own[1] * theta
        return height, g, h

    binomial = 0.0
    bare = np.zeros(d)
    for i, (part, mu) in enumerate(zip(parts, means, strict=True)):
        level, _, curve = part.terms(mu, 0.0)
        binomial += level
        bare[i] = -1.0 / (curve[0, 0] * (mu * (1.0 - mu)) ** 2)
    logits = np.array([math.log(mu / (1.0 - mu)) for mu in means])
    best: BetaBinomial | None = None
    for start in (-4.0, -2.0, 0.0):
        point = np.append(logits, start)
        height, g, h = look(point)
        residual = math.inf
        for _ in range(200):
            values, vectors = np.linalg.eigh(h)
            step = vectors @ ((vectors.T @ g) / np.maximum(np.abs(values), 1e-9))
            residual = math.sqrt(max(float(step @ g), 0.0))
            if residual < SHORT or point[-1] < -25.0:
                break
            step *= min(1.0, 2.0 / float(np.abs(step).max()))
            for _ in range(40):
                new = look(point + step)
                if new[0] >= height - 1e-12 * (1.0 + abs(height)):
                    break
                step *= 0.5
            point = point + step
            height, g, h = new
        if point[-1] > -25.0 and height > binomial + 1e-9 and (best is None or height + constant > best.log_likelihood):
            covariance = np.asarray(np.linalg.inv(-h), dtype=np.float64)
            best = BetaBinomial(
                point[:d], float(point[-1]), covariance, height + constant, binomial + constant, residual
            )
    if best is not None:
        return best
    return BetaBinomial(logits, -math.inf, np.diag(bare), binomial + constant, binomial + constant, 0.0)


def beta_binomial(
    measure: str | EffectSizes,
    *,
    data: Any = None,
    study: Any = None,
    correlation: str = "common",
    level: float = 0.95,
    missing: str = "raise",
    **columns: Any,
) -> PooledCounts:
    """Pool counts of events by a beta-binomial model, which takes studies without any events as they are.

    measure     : "OR", "RR", "RD" (``events_1, n_1, events_2, n_2``), "PLO", "PR" (``events, n``), or
                  :class:`balm.EffectSizes` made from such columns.
    correlation : "common" (one intraclass correlation for both groups, Kuss's model) or "per-group".

    The risk of a group varies between studies by a beta distribution with mean ``mu`` and intraclass correlation
    ``rho``; the effect compares the two means.  The groups of a study are taken as independent: the model says what
    the average risks are, not what happens within studies.  ``tests["rho"]`` holds the likelihood-ratio test that rho
    is 0 (half the chi-square tail: 0 is a boundary); ``fit.rho_estimates`` the correlations.  tau2 and I2 do not
    belong to this model and are ``nan``.  Without events in a group (or without non-events) ratios are not estimable.

    Source: Kuss 2015 (Stat Med 34:1097).

    >>> found = beta_binomial("OR", events_1=[4, 0, 3], n_1=[123, 30, 231], events_2=[11, 0, 11], n_2=[139, 30, 220])
    >>> round(found.estimate, 4), round(found.rho_estimates[0][0], 4)
    (-1.172, 0.0)
    """
    es = taken(measure, MEASURES, "beta_binomial", None, {"data": data, "study": study, "missing": missing}, columns)
    code = es.measure
    check_option("correlation", correlation, CORRELATIONS)
    check_level(level)
    pairs = code in ("OR", "RR", "RD")
    if correlation == "per-group" and not pairs:
        raise InputError(f"correlation='per-group' has no effect on {code}: there is one group")
    names = (("events_1", "n_1"), ("events_2", "n_2")) if pairs else (("events", "n"),)
    if any(name not in es.raw for pair in names for name in pair):
        raise InputError(f"beta_binomial needs the counts behind the effects ({', '.join(sum(names, ()))})")
    groups = [(np.asarray(es.raw[x], dtype=np.float64), np.asarray(es.raw[n], dtype=np.float64)) for x, n in names]
    conventions = MappingProxyType(
        {"method": "beta-binomial", "model": "random", "inference": "wald", "level": level, "correlation": correlation}
    )
    nan, k = math.nan, len(es)
    not_here = "not part of the beta-binomial model"
    reasons = dict.fromkeys(("tau2", "tau2_se", "i2", "h2", "q", "q_p", "prediction_interval"), not_here)
    nothing = Interval(nan, nan, level)
    for number, (x, n) in enumerate(groups, start=1):
        if not x.any() or (x == n).all():
            what = "no events" if not x.any() else "events in everyone"
            where = f" in group {number}" if pairs else ""
            why = f"not estimable: {what}{where} of any study" if not x.any() else f"not estimable: {what}{where}"
            reasons |= dict.fromkeys(("estimate", "se", "interval", "statistic", "p", "log_likelihood"), why)
            return PooledCounts(
                nan, nan, nothing, nan, math.inf, nan, nan, nan, nan, nan, nan, k - 1, nan, k, np.full(k, nan),
                nothing, es, (), "beta-binomial", conventions, MappingProxyType(reasons), (f"{why.capitalize()}.",),
                nan,
            )  # fmt: skip
    fits = [fit(groups)] if correlation == "common" else [fit([g]) for g in groups]
    logits = np.concatenate([f.logits for f in fits])
    variance = np.zeros((len(logits), len(logits)))
    at = 0
    for f in fits:
        size = len(f.logits)
        variance[at : at + size, at : at + size] = f.covariance[:size, :size]
        at += size
    mu = 1.0 / (1.0 + np.exp(-logits))
    slope = mu * (1.0 - mu)
    if code in ("OR", "PLO"):
        estimate, by = float(logits @ _sign(pairs)), np.ones(len(mu))
    elif code == "RR":
        estimate, by = float(np.log(mu) @ _sign(pairs)), 1.0 - mu
    else:
        estimate, by = float(mu @ _sign(pairs)), slope
    by = by * _sign(pairs)
    se = math.sqrt(float(by @ variance @ by))
    half = t_critical(level, math.inf) * se
    rise = 2.0 * sum(f.log_likelihood - f.binomial_log_likelihood for f in fits)
    rhos = [f.rho for f in fits] * (len(groups) if correlation == "common" else 1)
    own = sum(
        s * s * (1.0 + (n - 1.0) * r) / (n * m)
        for (_, n), m, s, r in zip(groups, slope.tolist(), by.tolist(), rhos, strict=True)
    )
    test = ChiSquare(max(rise, 0.0), len(fits), 0.5 * chi2_sf(rise, 1.0) if rise > 0.0 else 1.0)
    return PooledCounts(
        estimate=estimate,
        se=se,
        interval=Interval(estimate - half, estimate + half, level),
        statistic=estimate / se,
        df=math.inf,
        p=OneTail.two_sided(estimate / se, math.inf),
        tau2=nan,
        tau2_se=nan,
        i2=nan,
        h2=nan,
        q=nan,
        q_df=k - 1,
        q_p=nan,
        k=k,
        weights=100.0 * (1.0 / own) / float(np.sum(1.0 / own)),
        prediction_interval=nothing,
        effects=es,
        excluded=(),
        method="beta-binomial",
        conventions=conventions,
        reasons=MappingProxyType(reasons),
        residual=max(f.residual for f in fits),
        log_likelihood=sum(f.log_likelihood for f in fits),
        tests=MappingProxyType({"rho": test} if len(fits) == 1 else {}),
        rho_estimates=tuple((f.rho, f.rho_se) for f in fits),
    )


def _sign(pairs: bool) -> Floats:
    return np.array([1.0, -1.0]) if pairs else np.array([1.0])
