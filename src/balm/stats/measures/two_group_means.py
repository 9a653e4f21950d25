"""Two independent groups, a mean and a standard deviation in each: differences, standardised or not, and ratios."""

from __future__ import annotations

import numpy as np

from balm.stats.measures.measure import Floats, Measure
from balm.stats.measures.small_sample import HEDGES, hedges_factor
from balm.vocabulary.scale import IDENTITY

COLUMNS = ("mean_1", "sd_1", "n_1", "mean_2", "sd_2", "n_2")

#: Variance types of the SMD.  The last is RevMan's; "UB" is that of R meta.
SMD_VARIANCES = ("LS", "LS2", "UB", "AV", "N-3.94")


def pooled_variance(sd_1: Floats, n_1: Floats, sd_2: Floats, n_2: Floats) -> Floats:
    """The common variance of two groups, each weighted by its degrees of freedom."""
    return ((n_1 - 1.0) * sd_1**2 + (n_2 - 1.0) * sd_2**2) / (n_1 + n_2 - 2.0)


def weighted_mean(value: Floats, weight: Floats) -> float:
    """The mean of ``value`` over all studies where it is known, weighted by size."""
    known = np.isfinite(value) & np.isfinite(weight)
    return float((value[known] * weight[known]).sum() / weight[known].sum())


def mean_difference(
    *, mean_1: Floats, sd_1: Floats, n_1: Floats, mean_2: Floats, sd_2: Floats, n_2: Floats, variance_type: str = "LS"
) -> tuple[Floats, Floats]:
    """``m1 - m2`` in the outcome's unit, with variance ``s1^2/n1 + s2^2/n2``.

    ``variance_type="HO"`` takes one common variance for both groups.  Cochrane Handbook, section 6.5.1.1.
    """
    if variance_type == "HO":
        return mean_1 - mean_2, pooled_variance(sd_1, n_1, sd_2, n_2) * (1.0 / n_1 + 1.0 / n_2)
    return mean_1 - mean_2, sd_1**2 / n_1 + sd_2**2 / n_2


def standardised_mean_difference(
    *,
    mean_1: Floats,
    sd_1: Floats,
    n_1: Floats,
    mean_2: Floats,
    sd_2: Floats,
    n_2: Floats,
    variance_type: str = "LS",
    small_sample: str = "exact",
) -> tuple[Floats, Floats]:
    """Hedges' ``g = J (m1 - m2)/s_pooled``, in pooled standard deviations.

    variance_type : "LS" ``1/n1 + 1/n2 + g^2/(2N)``; "LS2" ``J^2 (1/n1 + 1/n2 + d^2/(2N))`` (Borenstein 2009, 4.24);
    "UB" unbiased; "AV" as LS with the mean g of all studies; "N-3.94" RevMan's ``N/(n1 n2) + g^2/(2(N - 3.94))``.
     Hedges (1981); Hedges & Olkin (1985); White & Thomas (2005) Clin Trials 2:141.
    """
    total = n_1 + n_2
    df = total - 2.0
    j = hedges_factor(df, small_sample)
    d = (mean_1 - mean_2) / np.sqrt(pooled_variance(sd_1, n_1, sd_2, n_2))
    g = j * d
    base = 1.0 / n_1 + 1.0 / n_2
    if variance_type == "LS2":
        return g, j**2 * (base + d**2 / (2.0 * total))
    if variance_type == "UB":
        return g, base + (1.0 - (df - 2.0) / (df * hedges_factor(df) ** 2)) * g**2
    if variance_type == "AV":
        return g, np.where(np.isnan(g), np.nan, base + weighted_mean(g, total) ** 2 / (2.0 * total))
    if variance_type == "N-3.94":
        return g, base + g**2 / (2.0 * (total - 3.94))
    return g, base + g**2 / (2.0 * total)


MEASURES = (
    Measure(
        "MD",
        "Mean difference",
        "two-group means",
        mean_difference,
        IDENTITY,
        COLUMNS,
        "Cochrane Handbook, section 6.5.1.1",
        variance_types=("LS", "HO"),
    ),
    Measure(
        "SMD",
        "Standardised mean difference",
        "two-group means",
        standardised_mean_difference,
        IDENTITY,
        COLUMNS,
        "Hedges 1981; Cochrane Handbook, section 6.5.1.2",
        variance_types=SMD_VARIANCES,
        small_sample=HEDGES,
    ),
)
