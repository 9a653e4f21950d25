"""From what reports print to what a meta-analysis needs: means, SDs, SEs, variances, 2×2 tables.

Each conversion is a function of keyword arguments that returns a :class:`Converted`: the numbers by name, and with them
formula, source, inputs and assumptions, so that any of them can be walked back. Conversions nest. Arrays are converted
entry by entry, unless a docstring says otherwise, and a missing entry gives a missing result. ``CONVERSIONS`` is the
table of all of them.

>>> from balm.stats import convert
>>> float(convert.sd_from_se(se=0.5, n=64))
4.0
>>> convert.sd_from_se(se=[0.5, 0.25], n=[64, 16]).sd.tolist()
[4.0, 1.0]
"""

from __future__ import annotations

from balm.stats.convert.absolute_risk import (
    absolute_risk_from_hazard_ratio,
    absolute_risk_from_odds_ratio,
    absolute_risk_from_risk_difference,
    absolute_risk_from_risk_ratio,
    odds_ratio_from_risk_ratio,
    risk_ratio_from_odds_ratio,
)
from balm.stats.convert.arms import (
    combine_events,
    combine_means,
    covariance_of_shared_control,
    split_control_events,
    split_control_means,
)
from balm.stats.convert.between_effects import (
    biserial_from_d,
    biserial_from_point_biserial,
    d_from_log_odds_ratio,
    d_from_odds_ratio,
    d_from_point_biserial,
    d_from_r,
    fisher_z_from_r,
    log_odds_ratio_from_d,
    odds_ratio_from_d,
    point_biserial_from_d,
    point_biserial_from_r,
    r_from_fisher_z,
    tetrachoric_from_log_odds_ratio,
)
from balm.stats.convert.change_scores import (
    change_sd,
    change_sd_over_correlations,
)
from balm.stats.convert.clusters import (
    design_effect,
    effective_sample_size,
    se_inflated_for_clustering,
)
from balm.stats.convert.converted import CONVERSIONS, Conversion, Converted
from balm.stats.convert.hazard_ratio import (
    log_hazard_ratio_from_curves,
    log_hazard_ratio_from_expected,
    log_hazard_ratio_from_log_rank,
    log_hazard_ratio_from_o_minus_e,
    o_minus_e_from_hazard_ratio,
)
from balm.stats.convert.overlap import (
    binomial_effect_size,
    cohen_u,
    probability_of_superiority,
)
from balm.stats.convert.paired import (
    correlation_from_sds,
    crossover_carry_over,
    crossover_from_periods,
    crossover_odds_ratio_from_periods,
    crossover_smd,
    paired_over_correlations,
    sd_of_paired_difference,
    se_of_paired_difference,
    se_of_paired_difference_from_ci,
    se_of_paired_difference_from_p,
    se_of_paired_difference_from_sd,
    se_of_paired_difference_from_t,
)
from balm.stats.convert.percentages import (
    events_from_percentage,
    mean_is_possible,
)
from balm.stats.convert.quantiles import mean_sd_from_quantiles
from balm.stats.convert.scales import (
    difference_from_smd,
    mean_score_from_auc,
    rescale,
)
from balm.stats.convert.single_group import (
    log_mean_sd_from_raw,
    pooled_sd,
    raw_mean_sd_from_log,
    sd_from_ci,
    sd_from_iqr,
    sd_from_se,
    se_from_ci,
    se_from_sd,
)
from balm.stats.convert.skewness import skewness_test
from balm.stats.convert.two_by_two import (
    table_from_chi_square,
    table_from_odds_ratio,
    table_from_phi,
    table_from_risk_difference,
    table_from_risk_ratio,
)
from balm.stats.convert.two_groups import (
    sd_from_ci_of_difference,
    sd_from_f,
    sd_from_p,
    sd_from_se_of_difference,
    sd_from_t,
    se_of_difference_from_ci,
    se_of_difference_from_f,
    se_of_difference_from_p,
    se_of_difference_from_t,
)
from balm.stats.convert.wald import (
    effect_from_wald,
    log_se_from_ratio_ci,
)

__all__ = [
    "CONVERSIONS",
    "Conversion",
    "Converted",
    "absolute_risk_from_hazard_ratio",
    "absolute_risk_from_odds_ratio",
    "absolute_risk_from_risk_difference",
    "absolute_risk_from_risk_ratio",
    "binomial_effect_size",
    "biserial_from_d",
    "biserial_from_point_biserial",
    "change_sd",
    "change_sd_over_correlations",
    "cohen_u",
    "combine_events",
    "combine_means",
    "correlation_from_sds",
    "covariance_of_shared_control",
    "crossover_carry_over",
    "crossover_from_periods",
    "crossover_odds_ratio_from_periods",
    "crossover_smd",
    "d_from_log_odds_ratio",
    "d_from_odds_ratio",
    "d_from_point_biserial",
    "d_from_r",
    "design_effect",
    "difference_from_smd",
    "effect_from_wald",
    "effective_sample_size",
    "events_from_percentage",
    "fisher_z_from_r",
    "log_hazard_ratio_from_curves",
    "log_hazard_ratio_from_expected",
    "log_hazard_ratio_from_log_rank",
    "log_hazard_ratio_from_o_minus_e",
    "log_mean_sd_from_raw",
    "log_odds_ratio_from_d",
    "log_se_from_ratio_ci",
    "mean_is_possible",
    "mean_score_from_auc",
    "mean_sd_from_quantiles",
    "o_minus_e_from_hazard_ratio",
    "odds_ratio_from_d",
    "odds_ratio_from_risk_ratio",
    "paired_over_correlations",
    "point_biserial_from_d",
    "point_biserial_from_r",
    "pooled_sd",
    "probability_of_superiority",
    "r_from_fisher_z",
    "raw_mean_sd_from_log",
    "rescale",
    "risk_ratio_from_odds_ratio",
    "sd_from_ci",
    "sd_from_ci_of_difference",
    "sd_from_f",
    "sd_from_iqr",
    "sd_from_p",
    "sd_from_se",
    "sd_from_se_of_difference",
    "sd_from_t",
    "sd_of_paired_difference",
    "se_from_ci",
    "se_from_sd",
    "se_inflated_for_clustering",
    "se_of_difference_from_ci",
    "se_of_difference_from_f",
    "se_of_difference_from_p",
    "se_of_difference_from_t",
    "se_of_paired_difference",
    "se_of_paired_difference_from_ci",
    "se_of_paired_difference_from_p",
    "se_of_paired_difference_from_sd",
    "se_of_paired_difference_from_t",
    "skewness_test",
    "split_control_events",
    "split_control_means",
    "table_from_chi_square",
    "table_from_odds_ratio",
    "table_from_phi",
    "table_from_risk_difference",
    "table_from_risk_ratio",
    "tetrachoric_from_log_odds_ratio",
]
