"""The Mantel-Haenszel estimators: sums over strata, one function a measure.

Each takes columns ``(k,)`` of cells that are pooled as they are given and returns ``(estimate, variance, weights)``:
the estimate on the analysis scale (log for ratios), its variance, and the unscaled weight of each study.  Notation:
``a`` of ``n_1`` people have the event in group 1, ``c`` of ``n_2`` in group 2; ``x`` events in ``t`` person-time for
rates.  A ratio without events (or non-events) on one side has no estimate: the result is ``nan``.

Sources: Mantel & Haenszel (1959) J Natl Cancer Inst 22:719; Greenland & Robins (1985) Biometrics 41:55 (RR, RD and
rates); Robins, Breslow & Greenland (1986) Biometrics 42:311 (OR); Sato (1989) Biometrics 45:1323 (RD); Rothman,
Greenland & Lash (2008) Modern Epidemiology, chapter 15; Deeks & Higgins (2010), section 4.
"""

from __future__ import annotations

from math import log, nan

from balm.stats.arrays import np
from balm.stats.effect_sizes import Floats

Sums = tuple[float, float, Floats]


def odds_ratio(a: Floats, n_1: Floats, c: Floats, n_2: Floats) -> Sums:
    """``ln(R/S)`` with ``R = sum(ad/N)``, ``S = sum(bc/N)``; variance of Robins, Breslow & Greenland (1986)."""
    b, d = n_1 - a, n_2 - c
    n = n_1 + n_2
    ad, bc = a * d / n, b * c / n
    r, s = float(ad.sum()), float(bc.sum())
    if not (r > 0.0 and s > 0.0):
        return nan, nan, bc
    concordant, discordant = (a + d) / n, (b + c) / n
    variance = 0.5 * (
        float(concordant @ ad) / r**2
        + float(concordant @ bc + discordant @ ad) / (r * s)
        + float(discordant @ bc) / s**2
    )
    return log(r / s), variance, bc


def risk_ratio(a: Floats, n_1: Floats, c: Floats, n_2: Floats) -> Sums:
    """``ln(R/S)`` with ``R = sum(a n2/N)``, ``S = sum(c n1/N)``; variance of Greenland & Robins (1985)."""
    n = n_1 + n_2
    weights = c * n_1 / n
    r, s = float((a * n_2 / n).sum()), float(weights.sum())
    if not (r > 0.0 and s > 0.0):
        return nan, nan, weights
    p = float(((n_1 * n_2 * (a + c) - a * c * n) / n**2).sum())
    return log(r / s), p / (r * s), weights


def risk_difference(a: Floats, n_1: Floats, c: Floats, n_2: Floats, *, variance: str = "sato") -> Sums:
    """``sum((a n2 - c n1)/N) / K`` with ``K = sum(n1 n2/N)``.

    variance : "sato" (1989), consistent for few large and for many sparse studies, or "greenland-robins" (1985), for
               few large studies.
    """
    n = n_1 + n_2
    weights = n_1 * n_2 / n
    k = float(weights.sum())
    estimate = float(((a * n_2 - c * n_1) / n).sum()) / k
    if variance == "sato":
        p = float(((n_1**2 * c - n_2**2 * a + n_1 * n_2 * (n_2 - n_1) / 2.0) / n**2).sum())
        q = float(((a * (n_2 - c) + c * (n_1 - a)) / (2.0 * n)).sum())
        return estimate, (estimate * p + q) / k**2, weights
    return estimate, greenland_robins_variance(a, n_1, c, n_2), weights


def greenland_robins_variance(a: Floats, n_1: Floats, c: Floats, n_2: Floats) -> float:
    """Variance of the Mantel-Haenszel risk difference: the weighted sum of the studies' own binomial variances."""
    n = n_1 + n_2
    j = (a * (n_1 - a) * n_2**3 + c * (n_2 - c) * n_1**3) / (n_1 * n_2 * n**2)
    return float(j.sum() / (n_1 * n_2 / n).sum() ** 2)


def rate_ratio(x_1: Floats, t_1: Floats, x_2: Floats, t_2: Floats) -> Sums:
    """``ln(R/S)`` with ``R = sum(x1 t2/T)``, ``S = sum(x2 t1/T)``; variance of Greenland & Robins (1985)."""
    t = t_1 + t_2
    weights = x_2 * t_1 / t
    r, s = float((x_1 * t_2 / t).sum()), float(weights.sum())
    if not (r > 0.0 and s > 0.0):
        return nan, nan, weights
    return log(r / s), float(((x_1 + x_2) * t_1 * t_2 / t**2).sum()) / (r * s), weights


def standardised_rate_ratio(effect: Floats, x_1: Floats, t_1: Floats, x_2: Floats, t_2: Floats) -> Sums:
    """The mean of the log rate ratios ``effect`` with Cochran's weights ``x2 t1/t2``.

    The weight is the number of events that group 1 would have had at the rate of group 2, as in indirect
    standardisation; the variance is that of two pooled Poisson counts, ``1/sum(x1) + 1/sum(x2)``.
    """
    weights = x_2 * t_1 / t_2
    total, events_1, events_2 = float(weights.sum()), float(x_1.sum()), float(x_2.sum())
    if not (events_1 > 0.0 and events_2 > 0.0):
        return nan, nan, weights
    counted = np.where(weights > 0.0, effect, 0.0)  # a study without events in group 2 has no weight
    return float(weights @ counted) / total, 1.0 / events_1 + 1.0 / events_2, weights


def rate_difference(x_1: Floats, t_1: Floats, x_2: Floats, t_2: Floats) -> Sums:
    """``sum((x1 t2 - x2 t1)/T) / K`` with ``K = sum(t1 t2/T)``; variance of Greenland & Robins (1985)."""
    t = t_1 + t_2
    weights = t_1 * t_2 / t
    k = float(weights.sum())
    estimate = float(((x_1 * t_2 - x_2 * t_1) / t).sum()) / k
    return estimate, float(((x_1 * t_2**2 + x_2 * t_1**2) / t**2).sum()) / k**2, weights


def expected_and_variance(a: Floats, n_1: Floats, c: Floats, n_2: Floats) -> tuple[Floats, Floats]:
    """Hypergeometric mean and variance of the events in group 1, given all margins of each table."""
    n = n_1 + n_2
    events = a + c
    with np.errstate(invalid="ignore", divide="ignore"):
        v = n_1 * n_2 * (events / n) * ((n - events) / n) / (n - 1.0)
    return n_1 * events / n, np.where(n > 1.0, v, 0.0)
