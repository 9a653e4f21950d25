"""Two independent groups, a mean and a standard deviation in each: differences, standardised or not, and ratios."""

from __future__ import annotations

from balm.stats.arrays import np
from balm.stats.measures.measure import Floats, Measure
from balm.stats.measures.small_sample import HEDGES, hedges_factor
from balm.vocabulary.scale import IDENTITY, LOG

COLUMNS = ("mean_1", "sd_1", "n_1", "mean_2", "sd_2", "n_2")

#: Variance types of the SMD.  The last is RevMan's; "UB" is that of R meta.
SMD_VARIANCES = ("LS", "LS2", "UB", "AV", "H0", "N-3.94")


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
    "UB" unbiased; "AV" as LS with the mean g of all studies; "H0" ``1/n1 + 1/n2``, as if there were no difference;
    "N-3.94" RevMan's ``N/(n1 n2) + g^2/(2(N - 3.94))``.
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
    if variance_type == "H0":
        return g, np.where(np.isnan(g), np.nan, base)
    if variance_type == "N-3.94":
        return g, base + g**2 / (2.0 * (total - 3.94))
    return g, base + g**2 / (2.0 * total)


def heteroscedastic_smd(
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
    """``J (m1 - m2)/sqrt((s1^2 + s2^2)/2)``, for groups whose spreads differ.

    Bonett (2008) Psychol Methods 13:99; (2009) 14:225.  "LS" divides by n - 1, "LS2" by n.
    """
    square = (sd_1**2 + sd_2**2) / 2.0
    j = hedges_factor(n_1 + n_2 - 2.0, small_sample)
    y = j * (mean_1 - mean_2) / np.sqrt(square)
    m_1, m_2 = (n_1, n_2) if variance_type == "LS2" else (n_1 - 1.0, n_2 - 1.0)
    spread = (sd_1**4 / m_1 + sd_2**4 / m_2) / (8.0 * square**2)
    return y, y**2 * spread + (sd_1**2 / m_1 + sd_2**2 / m_2) / square


def glass_delta(
    *,
    mean_1: Floats,
    mean_2: Floats,
    sd_2: Floats,
    n_1: Floats,
    n_2: Floats,
    variance_type: str = "LS",
    small_sample: str = "exact",
) -> tuple[Floats, Floats]:
    """Glass's delta, ``J (m1 - m2)/s2``: standardised by the comparator's standard deviation alone.

    Glass (1976); variance ``1/n1 + 1/n2 + y^2/(2 n2)`` ("LS"), times J^2 at d ("LS2"), unbiased ("UB"), as LS with the
    mean delta of all studies ("AV"), or ``1/n1 + 1/n2`` ("H0").
    """
    df = n_2 - 1.0
    j = hedges_factor(df, small_sample)
    d = (mean_1 - mean_2) / sd_2
    base = 1.0 / n_1 + 1.0 / n_2
    if variance_type == "LS2":
        return j * d, j**2 * (base + d**2 / (2.0 * n_2))
    if variance_type == "UB":
        return j * d, base + (1.0 - (df - 2.0) / (df * hedges_factor(df) ** 2)) * (j * d) ** 2
    if variance_type == "AV":
        return j * d, np.where(np.isnan(j * d), np.nan, base + weighted_mean(j * d, n_1 + n_2) ** 2 / (2.0 * n_2))
    if variance_type == "H0":
        return j * d, np.where(np.isnan(j * d), np.nan, base)
    return j * d, base + (j * d) ** 2 / (2.0 * n_2)


def heteroscedastic_glass_delta(
    *,
    mean_1: Floats,
    sd_1: Floats,
    n_1: Floats,
    mean_2: Floats,
    sd_2: Floats,
    n_2: Floats,
    small_sample: str = "exact",
) -> tuple[Floats, Floats]:
    """Glass's delta with a variance that lets the groups' spreads differ.  Bonett (2008, 2009)."""
    y = hedges_factor(n_2 - 1.0, small_sample) * (mean_1 - mean_2) / sd_2
    return y, sd_1**2 / (sd_2**2 * (n_1 - 1.0)) + 1.0 / (n_2 - 1.0) + y**2 / (2.0 * (n_2 - 1.0))


def mean_log_bias(mean: Floats, sd: Floats, n: Floats) -> Floats:
    """What the log of a sample mean falls short of the log of the mean, ``s^2/(2 n m^2)``.  Lajeunesse (2015)."""
    return sd**2 / (2.0 * n * mean**2)


def ratio_of_means(
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
    """Log ratio of means ``ln(m1/m2)``, for outcomes with a true zero; the means must have one sign.

    variance_type : "LS" ``s1^2/(n1 m1^2) + s2^2/(n2 m2^2)``; "LS2" with the next terms of the expansion,
    ``s^4/(2 n^2 m^4)`` of each group (Lajeunesse 2015, equation 9); "HO" with one pooled variance; "AV" with the mean
    coefficient of variation of each group over all studies; "AVHO" with one for both groups.
    small_sample  : "exact" takes out the bias of the logs, ``s1^2/(2 n1 m1^2) - s2^2/(2 n2 m2^2)``; "none" does not.
    Hedges, Gurevitch & Curtis (1999) Ecology 80:1150; Lajeunesse (2015) Ecology 96:2056.
    """
    effect = np.log(mean_1 / mean_2)
    if small_sample == "exact":
        effect = effect + mean_log_bias(mean_1, sd_1, n_1) - mean_log_bias(mean_2, sd_2, n_2)
    if variance_type == "HO":
        common = pooled_variance(sd_1, n_1, sd_2, n_2)
        variance = common * (1.0 / (n_1 * mean_1**2) + 1.0 / (n_2 * mean_2**2))
    elif variance_type in ("AV", "AVHO"):
        cv_1, cv_2 = weighted_mean(sd_1 / mean_1, n_1), weighted_mean(sd_2 / mean_2, n_2)
        if variance_type == "AVHO":
            sizes = np.concatenate([n_1, n_2])
            cv_1 = cv_2 = weighted_mean(np.concatenate([sd_1 / mean_1, sd_2 / mean_2]), sizes)
        variance = cv_1**2 / n_1 + cv_2**2 / n_2
    else:
        first, second = sd_1**2 / (n_1 * mean_1**2), sd_2**2 / (n_2 * mean_2**2)
        variance = first + second
        if variance_type == "LS2":
            variance = variance + (first**2 + second**2) / 2.0
    return effect, variance


def variability_ratio(
    *,
    sd_1: Floats,
    n_1: Floats,
    sd_2: Floats,
    n_2: Floats,
    variance_type: str = "LS",
    small_sample: str = "exact",
) -> tuple[Floats, Floats]:
    """Log ratio of standard deviations, ``ln(s1/s2) + 1/(2(n1-1)) - 1/(2(n2-1))``.  Nakagawa et al. (2015).

    variance_type : "LS" ``1/(2(n-1))`` of each group; "LS2" with the next term of the expansion, ``n/(2(n-1)^2)``.
    """
    v1, v2 = 0.5 / (n_1 - 1.0), 0.5 / (n_2 - 1.0)
    effect = np.log(sd_1 / sd_2) + (0.0 if small_sample == "none" else v1 - v2)
    return effect, v1 + v2 if variance_type == "LS" else 2.0 * (n_1 * v1**2 + n_2 * v2**2)


def coefficient_of_variation_ratio(
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
    """Log ratio of coefficients of variation: ratio of standard deviations over ratio of means, each corrected.

    variance_type : "LS" ``1/(2(n-1)) + s^2/(n m^2)`` of each group; "LS2" with the next terms of the expansion,
    ``n/(2(n-1)^2) + s^2/(n m^2) + s^4/(2 n^2 m^4)``.
    Nakagawa et al. (2015) Methods Ecol Evol 6:143; Senior, Viechtbauer & Nakagawa (2020) Res Synth Methods 11:553.
    """
    m1, m2 = mean_log_bias(mean_1, sd_1, n_1), mean_log_bias(mean_2, sd_2, n_2)
    c1, c2 = 0.5 / (n_1 - 1.0), 0.5 / (n_2 - 1.0)
    effect = np.log(sd_1 / mean_1) - np.log(sd_2 / mean_2)
    if small_sample == "exact":
        effect = effect + (c1 - m1) - (c2 - m2)
    variance = c1 + c2 + 2.0 * (m1 + m2)
    if variance_type == "LS2":
        variance = 2.0 * (m1 + m1**2 + n_1 * c1**2 + m2 + m2**2 + n_2 * c2**2)
    return effect, variance


_FAMILY = "two-group means"
MEASURES = (
    Measure(
        "MD",
        "Mean difference",
        _FAMILY,
        mean_difference,
        IDENTITY,
        COLUMNS,
        "Cochrane Handbook, section 6.5.1.1",
        variance_types=("LS", "HO"),
    ),
    Measure(
        "SMD",
        "Standardised mean difference",
        _FAMILY,
        standardised_mean_difference,
        IDENTITY,
        COLUMNS,
        "Hedges 1981; Cochrane Handbook, section 6.5.1.2",
        variance_types=SMD_VARIANCES,
        small_sample=HEDGES,
    ),
    Measure(
        "SMDH",
        "Standardised mean difference, unequal variances",
        _FAMILY,
        heteroscedastic_smd,
        IDENTITY,
        COLUMNS,
        "Bonett 2008, 2009",
        variance_types=("LS", "LS2"),
        small_sample=HEDGES,
    ),
    Measure(
        "SMD1",
        "Glass's delta",
        _FAMILY,
        glass_delta,
        IDENTITY,
        ("mean_1", "n_1", "mean_2", "sd_2", "n_2"),
        "Glass 1976",
        variance_types=("LS", "LS2", "UB", "AV", "H0"),
        small_sample=HEDGES,
    ),
    Measure(
        "SMD1H",
        "Glass's delta, unequal variances",
        _FAMILY,
        heteroscedastic_glass_delta,
        IDENTITY,
        COLUMNS,
        "Bonett 2008, 2009",
        small_sample=HEDGES,
    ),
    Measure(
        "ROM",
        "Ratio of means",
        _FAMILY,
        ratio_of_means,
        LOG,
        COLUMNS,
        "Hedges, Gurevitch & Curtis 1999",
        variance_types=("LS", "LS2", "HO", "AV", "AVHO"),
        small_sample=("exact", "none"),
    ),
    Measure(
        "VR",
        "Ratio of standard deviations",
        _FAMILY,
        variability_ratio,
        LOG,
        ("sd_1", "n_1", "sd_2", "n_2"),
        "Nakagawa et al. 2015; Senior et al. 2020",
        variance_types=("LS", "LS2"),
        small_sample=("exact", "none"),
    ),
    Measure(
        "CVR",
        "Ratio of coefficients of variation",
        _FAMILY,
        coefficient_of_variation_ratio,
        LOG,
        COLUMNS,
        "Nakagawa et al. 2015; Senior et al. 2020",
        variance_types=("LS", "LS2"),
        small_sample=("exact", "none"),
    ),
)
