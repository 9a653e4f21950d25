"""Two measurements of the same people: before and after, or both periods of a crossover trial.

The change is ``mean_1 - mean_2``, so ``mean_1`` is usually the later measurement (or the one on treatment); ``r`` is
the correlation of the two.  Standardised measures divide by the spread that their docstring names.  Where that is
``sd_1`` alone (SMCR, SMCRH), give there the standard deviation that standardises, usually the one before treatment,
as metafor does with ``sd1i``.
"""

from __future__ import annotations

import math

from balm.stats.arrays import np
from balm.stats.measures.measure import Floats, Measure
from balm.stats.measures.small_sample import HEDGES, hedges_factor
from balm.stats.measures.two_group_means import mean_log_bias
from balm.vocabulary.scale import IDENTITY, LOG, SUPERIORITY

COLUMNS = ("mean_1", "sd_1", "mean_2", "sd_2", "r", "n")


def change_variance(sd_1: Floats, sd_2: Floats, r: Floats) -> Floats:
    """Variance of the change, ``s1^2 + s2^2 - 2 r s1 s2``.  Cochrane Handbook, section 6.5.2.8."""
    return sd_1**2 + sd_2**2 - 2.0 * r * sd_1 * sd_2


def mean_change(
    *, mean_1: Floats, sd_1: Floats, mean_2: Floats, sd_2: Floats, r: Floats, n: Floats
) -> tuple[Floats, Floats]:
    """Mean change ``m1 - m2``, with variance ``(s1^2 + s2^2 - 2 r s1 s2)/n``.

    Cochrane Handbook, section 23.2.7.2.
    """
    return mean_1 - mean_2, change_variance(sd_1, sd_2, r) / n


def change_in_change_sds(
    *,
    mean_1: Floats,
    sd_1: Floats,
    mean_2: Floats,
    sd_2: Floats,
    r: Floats,
    n: Floats,
    variance_type: str = "LS",
    small_sample: str = "exact",
) -> tuple[Floats, Floats]:
    """``J(n-1) (m1 - m2)/s_change``, in standard deviations of the change.

    variance_type : "LS" ``1/n + y^2/(2n)``; "LS2" ``J^2 (1/n + d^2/(2n))`` with ``d = y/J``.
    Gibbons, Hedeker & Davis (1993) J Educ Stat 18:271; Borenstein (2009).
    """
    j = hedges_factor(n - 1.0, small_sample)
    d = (mean_1 - mean_2) / np.sqrt(change_variance(sd_1, sd_2, r))
    return j * d, _of_change(1.0 / n, d, j, n, variance_type)


def change_in_raw_sds(
    *,
    mean_1: Floats,
    sd_1: Floats,
    mean_2: Floats,
    r: Floats,
    n: Floats,
    variance_type: str = "LS",
    small_sample: str = "exact",
) -> tuple[Floats, Floats]:
    """``J(n-1) (m1 - m2)/s1``, in raw standard deviations of measurement 1.

    variance_type : "LS" ``2(1-r)/n + y^2/(2n)``; "LS2" ``J^2 (2(1-r)/n + d^2/(2n))`` with ``d = y/J``.
    Becker (1988) Br J Math Stat Psychol 41:257; Morris (2008) Organ Res Methods 11:364; Borenstein (2009).
    """
    j = hedges_factor(n - 1.0, small_sample)
    d = (mean_1 - mean_2) / sd_1
    return j * d, _of_change(2.0 * (1.0 - r) / n, d, j, n, variance_type)


def _of_change(base: Floats, d: Floats, j: Floats, n: Floats, variance_type: str) -> Floats:
    """The variance of ``j d``: at the corrected value ("LS"), or at ``d`` and then corrected ("LS2")."""
    if variance_type == "LS2":
        return j**2 * (base + d**2 / (2.0 * n))
    return base + (j * d) ** 2 / (2.0 * n)


def change_in_raw_sds_heteroscedastic(
    *, mean_1: Floats, sd_1: Floats, mean_2: Floats, sd_2: Floats, r: Floats, n: Floats, small_sample: str = "exact"
) -> tuple[Floats, Floats]:
    """As ``SMCR``, letting the spread change: variance ``s_change^2/(s1^2 (n-1)) + y^2/(2(n-1))``.  Bonett (2008)."""
    y = hedges_factor(n - 1.0, small_sample) * (mean_1 - mean_2) / sd_1
    return y, change_variance(sd_1, sd_2, r) / (sd_1**2 * (n - 1.0)) + y**2 / (2.0 * (n - 1.0))


def change_in_pooled_sds(
    *, mean_1: Floats, sd_1: Floats, mean_2: Floats, sd_2: Floats, r: Floats, n: Floats, small_sample: str = "exact"
) -> tuple[Floats, Floats]:
    """``J (m1 - m2)/sqrt((s1^2 + s2^2)/2)`` with ``2(n-1)/(1+r^2)`` degrees of freedom.

    Variance ``2(1-r)/n + y^2 (1+r^2)/(4n)``.  Cousineau (2020) Quant Methods Psychol 16:418.
    """
    df = 2.0 * (n - 1.0) / (1.0 + r**2)
    y = hedges_factor(df, small_sample) * (mean_1 - mean_2) / np.sqrt((sd_1**2 + sd_2**2) / 2.0)
    return y, 2.0 * (1.0 - r) / n + y**2 * (1.0 + r**2) / (4.0 * n)


def change_in_pooled_sds_heteroscedastic(
    *, mean_1: Floats, sd_1: Floats, mean_2: Floats, sd_2: Floats, r: Floats, n: Floats, small_sample: str = "exact"
) -> tuple[Floats, Floats]:
    """As ``SMCRP``, letting the spread change.  Bonett (2008), equation 10."""
    square = (sd_1**2 + sd_2**2) / 2.0
    df = 2.0 * (n - 1.0) / (1.0 + r**2)
    y = hedges_factor(df, small_sample) * (mean_1 - mean_2) / np.sqrt(square)
    fourth = sd_1**4 + sd_2**4 + 2.0 * r**2 * sd_1**2 * sd_2**2
    return y, y**2 * fourth / (8.0 * square**2 * (n - 1.0)) + change_variance(sd_1, sd_2, r) / (square * (n - 1.0))


def ratio_of_paired_means(
    *, mean_1: Floats, sd_1: Floats, mean_2: Floats, sd_2: Floats, r: Floats, n: Floats, small_sample: str = "exact"
) -> tuple[Floats, Floats]:
    """Log ratio of paired means, ``ln(m1/m2)``, with the covariance taken off the variance.

    Lajeunesse (2011) Ecology 92:2049; ``small_sample`` as for the ratio of independent means.
    """
    effect = np.log(mean_1 / mean_2)
    if small_sample == "exact":
        effect = effect + mean_log_bias(mean_1, sd_1, n) - mean_log_bias(mean_2, sd_2, n)
    variance = sd_1**2 / mean_1**2 + sd_2**2 / mean_2**2 - 2.0 * r * sd_1 * sd_2 / (mean_1 * mean_2)
    return effect, variance / n


def ratio_of_paired_spreads(*, sd_1: Floats, sd_2: Floats, r: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Log ratio of paired standard deviations, with variance ``(1 - r^2)/(n - 1)``.  Senior et al. (2020)."""
    return np.log(sd_1 / sd_2), (1.0 - r**2) / (n - 1.0)


def ratio_of_paired_coefficients_of_variation(
    *, mean_1: Floats, sd_1: Floats, mean_2: Floats, sd_2: Floats, r: Floats, n: Floats, small_sample: str = "exact"
) -> tuple[Floats, Floats]:
    """Log ratio of paired coefficients of variation: ratio of standard deviations over the ratio of means.

    ``small_sample`` says whether the ratio of means is corrected, as for ``ROMC``.

    Senior, Viechtbauer & Nakagawa (2020) Res Synth Methods 11:553.
    """
    given = {"mean_1": mean_1, "sd_1": sd_1, "mean_2": mean_2, "sd_2": sd_2, "r": r, "n": n}
    means, of_means = ratio_of_paired_means(**given, small_sample=small_sample)
    return np.log(sd_1 / sd_2) - means, (1.0 - r**2) / (n - 1.0) + of_means


def paired_superiority_normal(
    *, mean_1: Floats, sd_1: Floats, mean_2: Floats, sd_2: Floats, r: Floats, n: Floats
) -> tuple[Floats, Floats]:
    """``Phi((m1 - m2)/sqrt(s1^2 + s2^2))``, as for two groups, with a variance that knows the pairing."""
    from scipy.special import ndtr

    square = sd_1**2 + sd_2**2
    d = (mean_1 - mean_2) / np.sqrt(square)
    density = np.exp(-(d**2) / 2.0) / math.sqrt(2.0 * math.pi)
    fourth = sd_1**4 + sd_2**4 + 2.0 * r**2 * sd_1**2 * sd_2**2
    at_d = change_variance(sd_1, sd_2, r) / ((n - 1.0) * square) + d**2 * fourth / (2.0 * square**2 * (n - 1.0))
    return np.asarray(ndtr(d), dtype=np.float64), density**2 * at_d


_FAMILY = "paired means"
_SENIOR, _CHANCE = "Senior, Viechtbauer & Nakagawa 2020", "McGraw & Wong 1992"
_H = ", spread may change"
MEASURES = (
    Measure("MC", "Mean change", _FAMILY, mean_change, IDENTITY, COLUMNS, "Cochrane Handbook, section 23.2.7.2"),
    Measure(
        "SMCC",
        "Standardised mean change (change SD)",
        _FAMILY,
        change_in_change_sds,
        IDENTITY,
        COLUMNS,
        "Gibbons, Hedeker & Davis 1993",
        variance_types=("LS", "LS2"),
        small_sample=HEDGES,
    ),
    Measure(
        "SMCR",
        "Standardised mean change (raw SD)",
        _FAMILY,
        change_in_raw_sds,
        IDENTITY,
        ("mean_1", "sd_1", "mean_2", "r", "n"),
        "Becker 1988",
        variance_types=("LS", "LS2"),
        small_sample=HEDGES,
    ),
    Measure(
        "SMCRH",
        f"Standardised mean change (raw SD{_H})",
        _FAMILY,
        change_in_raw_sds_heteroscedastic,
        IDENTITY,
        COLUMNS,
        "Bonett 2008",
        small_sample=HEDGES,
    ),
    Measure(
        "SMCRP",
        "Standardised mean change (pooled SD)",
        _FAMILY,
        change_in_pooled_sds,
        IDENTITY,
        COLUMNS,
        "Cousineau 2020",
        small_sample=HEDGES,
    ),
    Measure(
        "SMCRPH",
        f"Standardised mean change (pooled SD{_H})",
        _FAMILY,
        change_in_pooled_sds_heteroscedastic,
        IDENTITY,
        COLUMNS,
        "Bonett 2008",
        small_sample=HEDGES,
    ),
    Measure(
        "ROMC",
        "Ratio of paired means",
        _FAMILY,
        ratio_of_paired_means,
        LOG,
        COLUMNS,
        "Lajeunesse 2011",
        small_sample=("exact", "none"),
    ),
    Measure(
        "VRC",
        "Ratio of paired standard deviations",
        _FAMILY,
        ratio_of_paired_spreads,
        LOG,
        ("sd_1", "sd_2", "r", "n"),
        _SENIOR,
    ),
    Measure(
        "CVRC",
        "Ratio of paired coefficients of variation",
        _FAMILY,
        ratio_of_paired_coefficients_of_variation,
        LOG,
        COLUMNS,
        _SENIOR,
        small_sample=("exact", "none"),
    ),
    Measure(
        "CLESCN", "Paired probability of superiority", _FAMILY, paired_superiority_normal, SUPERIORITY, COLUMNS, _CHANCE
    ),
    Measure("AUCCN", "Paired area under the curve", _FAMILY, paired_superiority_normal, SUPERIORITY, COLUMNS, _CHANCE),
)
