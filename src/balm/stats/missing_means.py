"""Missing outcomes that are measured: differences and ratios of means under assumptions about those missing.

In each arm a share ``a`` of the participants has no outcome. Their mean is assumed to lie ``imdom`` above that of those
observed (informative missingness difference of means), or to be ``imrom`` times it (ratio of means), exactly or under a
normal prior of the difference or of the log ratio. The mean of all is ``(1 - a) x + a x'``; its variance adds the error
of x, the error of a, and the prior (Mavridis, White, Higgins, Cipriani & Salanti 2015, Stat Med 34:721).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from balm.stats.effect_sizes import EffectSizes, Floats, effect_sizes
from balm.stats.measures.small_sample import hedges_factor
from balm.stats.measures.two_group_means import pooled_variance
from balm.stats.missing_outcomes import check_prior, missing_counts, missing_notes
from balm.vocabulary.problems import InputError, check_option

MEASURES = ("MD", "SMD", "ROM")


def missing_means(
    measure: str = "MD",
    *,
    mean_1: Any,
    sd_1: Any,
    n_1: Any,
    missing_1: Any,
    mean_2: Any,
    sd_2: Any,
    n_2: Any,
    missing_2: Any,
    data: Any = None,
    study: Any = None,
    imdom_1: Any = None,
    imdom_2: Any = None,
    imdom_sd_1: float | None = None,
    imdom_sd_2: float | None = None,
    imrom_1: Any = None,
    imrom_2: Any = None,
    log_imrom_sd_1: float | None = None,
    log_imrom_sd_2: float | None = None,
    correlation: float | None = None,
) -> EffectSizes:
    """Each study's mean difference ("MD", "SMD" standardised) or log ratio of means ("ROM"), the missing as assumed.

    mean, sd, n      : of the participants *with* an outcome; missing_1, missing_2: how many have none.
    imdom_1, imdom_2 : by how much the mean of the missing lies above that of the observed, in units of the outcome;
                       numbers or one a study, 0 by default. imdom_sd_1, imdom_sd_2: of a normal prior about it.
    imrom_1, imrom_2 : instead, the ratio of the two means, 1 by default; log_imrom_sd_1, log_imrom_sd_2 of its
                       logarithm. Only for outcomes above 0.
    correlation      : of the two arms' priors (0).

    Means and variances over the prior are exact for the mean of each arm; the log ratio takes them to first order, and
    without the correction of its bias (``small_sample="none"``). A standardised difference is Hedges' g: the difference
    of the means of all participants, over the pooled standard deviation of those *observed*; its variance adds
    ``g^2 / (2 (n_1 + n_2))`` for that one's error, as without missing outcomes.
    The result is pooled as any other. Where nothing is missing, or the missing are like the observed for certain, it is
    that of the observed.

    >>> seen = dict(mean_1=[12.0, 10.0], sd_1=[5.0, 4.0], n_1=[40, 30])
    >>> seen |= dict(mean_2=[15.0, 14.0], sd_2=[5.0, 5.0], n_2=[42, 28])
    >>> found = missing_means(imdom_1=2.0, imdom_2=0.0, missing_1=[10, 6], missing_2=[8, 7], **seen)
    >>> found.effect.round(4).tolist()
    [-2.6, -3.6667]
    """
    check_option("measure", measure, MEASURES)
    difference = {"imdom_1": imdom_1, "imdom_2": imdom_2, "imdom_sd_1": imdom_sd_1, "imdom_sd_2": imdom_sd_2}
    ratio = {"imrom_1": imrom_1, "imrom_2": imrom_2, "log_imrom_sd_1": log_imrom_sd_1, "log_imrom_sd_2": log_imrom_sd_2}
    by_ratio = any(v is not None for v in ratio.values())
    if by_ratio and any(v is not None for v in difference.values()):
        raise InputError("the missing differ by imdom_ (a difference) or by imrom_ (a ratio): give one kind")
    seen = effect_sizes(
        measure, data=data, study=study, small_sample="none" if measure == "ROM" else None,
        mean_1=mean_1, sd_1=sd_1, n_1=n_1, mean_2=mean_2, sd_2=sd_2, n_2=n_2,
    )  # fmt: skip
    absent = missing_counts(missing_1, missing_2, data, seen)
    x, sd, observed = (np.array([seen.raw[f"{name}_{i}"] for i in (1, 2)]) for name in ("mean", "sd", "n"))
    if by_ratio and np.any(x <= 0.0):
        arm, row = (int(i) for i in np.argwhere(x <= 0.0)[0])
        raise InputError(f"{seen.study[row]}: a ratio of means needs means above 0; mean_{arm + 1} is {x[arm, row]:g}")
    k, kind = len(seen), "log_imrom" if by_ratio else "imdom"
    given = ratio if by_ratio else difference
    centre = np.array([_centre(name, given[name], k, positive=by_ratio) for name in list(given)[:2]])
    spread, rho = check_prior(f"{kind}_sd_1", given[f"{kind}_sd_1"], f"{kind}_sd_2", given[f"{kind}_sd_2"], correlation)
    n = observed + absent
    a = absent / n
    wide = np.array(spread)[:, None]
    if by_ratio:  # moments of the lognormal ratio
        first = np.exp(np.log(centre) + 0.5 * wide**2)
        second = np.exp(2.0 * np.log(centre) + 2.0 * wide**2)
        shift, shift_square = x * (first - 1.0), x * x * (second - 2.0 * first + 1.0)
        scale_square = (1.0 - a) ** 2 + 2.0 * a * (1.0 - a) * first + a * a * second
        own = x * x * (second - first * first)
        both = x[0] * x[1] * first[0] * first[1] * math.expm1(rho * spread[0] * spread[1])
    else:
        shift, shift_square = centre, centre**2 + wide**2
        scale_square, own = np.ones_like(a), np.broadcast_to(wide**2, a.shape)
        both = np.full(k, rho * spread[0] * spread[1])
    total = x + a * shift
    spread_square = sd**2
    if measure == "SMD":
        spread_square = pooled_variance(sd[0], observed[0], sd[1], observed[1])
    variance = scale_square * spread_square / observed + shift_square * a * (1.0 - a) / n + a * a * own
    shared = a[0] * a[1] * both
    if measure == "MD":
        effect, found = total[0] - total[1], variance[0] + variance[1] - 2.0 * shared
    elif measure == "SMD":
        in_all = observed.sum(axis=0)
        effect = hedges_factor(in_all - 2.0) * (total[0] - total[1]) / np.sqrt(spread_square)
        found = (variance[0] + variance[1] - 2.0 * shared) / spread_square + effect**2 / (2.0 * in_all)
    else:
        if np.any(total <= 0.0):
            row = int(np.argwhere(total <= 0.0)[0][1])
            raise InputError(
                f"{seen.study[row]}: the assumed mean of all participants is not above 0; no ratio of means"
            )
        effect = np.log(total[0]) - np.log(total[1])
        found = np.sum(variance / total**2, axis=0) - 2.0 * shared / (total[0] * total[1])
    return EffectSizes(
        effect=effect, variance=found, study=seen.study, measure=measure, note=missing_notes(seen, absent)
    )


def _centre(name: str, given: Any, k: int, *, positive: bool) -> Floats:
    values = np.asarray((1.0 if positive else 0.0) if given is None else given, dtype=np.float64)
    if values.ndim > 1 or (values.ndim == 1 and len(values) != k):
        raise InputError(f"{name} must be one number or one a study ({k}); got shape {values.shape}")
    values = np.broadcast_to(values, (k,))
    if not np.all(np.isfinite(values)) or (positive and np.any(values <= 0.0)):
        raise InputError(f"{name} must be {'above 0 and ' if positive else ''}finite; got {given!r}")
    return values
