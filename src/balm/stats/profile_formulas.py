"""What each convention of a profile means, as a formula in words: one entry a convention and value.

:func:`balm.compare_profiles` prints these beside the two numbers that a convention sets apart. Sources: Deeks & Higgins
(2010), Statistical algorithms in Review Manager 5; the papers named in the tables of estimators, intervals, measures.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from balm.stats.heterogeneity.estimators import TAU2_ESTIMATORS
from balm.stats.pooling.inference import INFERENCES
from balm.stats.pooling.prediction import PREDICTIONS

_TAU2 = {
    "DL": "tau2 = max(0, (Q - (k - 1)) / (sum w - sum w^2 / sum w)) with w = 1/v (DerSimonian-Laird)",
    "REML": "tau2 maximises the restricted likelihood: sum w^2 (y - mu)^2 = sum w - sum w^2 / sum w, w = 1/(v + tau2)",
    "ML": "tau2 maximises the likelihood: sum w^2 (y - mu)^2 = sum w, w = 1/(v + tau2)",
    "PM": "tau2 solves sum w (y - mu)^2 = k - 1, w = 1/(v + tau2) (Paule-Mandel)",
}

_INFERENCE = {
    "wald": "SE = 1/sqrt(sum w), interval mu +/- z SE",
    "t": "SE = 1/sqrt(sum w), interval mu +/- t(k - 1) SE",
    "hartung-knapp": "SE = sqrt(q / sum w) with q = sum w (y - mu)^2 / (k - 1), interval mu +/- t(k - 1) SE",
    "hartung-knapp-guarded": (
        "SE = sqrt(max(1, q) / sum w) with q = sum w (y - mu)^2 / (k - 1), interval mu +/- t(k - 1) SE"
    ),
}

_PREDICTION = {
    "none": "no prediction interval",
    "t-k-1": "mu +/- t(k - 1) sqrt(tau2 + SE^2), SE that of the interval in force",
    "as-inference": "mu +/- c sqrt(tau2 + SE^2), quantile c and SE those of the interval in force",
    "wald-t-k-1": "mu +/- t(k - 1) sqrt(tau2 + 1/sum w)",
    "wald-t-k-2": "mu +/- t(k - 2) sqrt(tau2 + 1/sum w)",
    "wald-normal": "mu +/- z sqrt(tau2 + 1/sum w)",
}

#: (convention, value) -> formula.
FORMULAS: Mapping[tuple[str, Any], str] = MappingProxyType(
    {
        **{("tau2", name): text for name, text in _TAU2.items()},
        **{("inference", name): text for name, text in _INFERENCE.items()},
        **{("prediction", name): text for name, text in _PREDICTION.items()},
        ("i2", "from-tau2"): "I2 = tau2 / (tau2 + s2), s2 = (k - 1) sum w / ((sum w)^2 - sum w^2), w = 1/v",
        ("i2", "from-q"): "I2 = max(0, (Q - (k - 1)) / Q)",
        (
            "tau2_interval",
            "q-profile",
        ): "the tau2 at which sum w (y - mu)^2 equals the chi-square quantiles (Q-profile)",
        ("tau2_interval", "none"): "no interval of tau2",
        ("double_zero", "exclude"): "studies without an event (or non-event) in both arms are left out of OR and RR",
        ("double_zero", "keep"): "studies without an event (or non-event) in both arms are pooled, corrected",
        ("mh_zero_cells", "none"): "Mantel-Haenszel sums of the cells as they are",
        ("mh_zero_cells", "add"): "Mantel-Haenszel sums with 0.5 added to each cell of studies with a zero cell",
        ("mh_rd_zero_cells", "none"): "Mantel-Haenszel differences, weights and variance of the cells as they are",
        ("mh_rd_zero_cells", "add-to-weights"): (
            "differences as observed; weights n1 n2/N and the variance with 0.5 in the cells of studies with a zero"
        ),
        ("mh_rd_zero_cells", "add-to-variance"): (
            "differences and weights n1 n2/N as observed; 0.5 added to the cells of studies with a zero in the sum of "
            "the variance, not in its K"
        ),
        ("mh_rd_variance", "sato"): (
            "SE^2 = [RD sum(n1^2 c - n2^2 a + n1 n2 (n2 - n1)/2)/N^2 + sum(a(n2 - c) + c(n1 - a))/(2N)] / K^2, "
            "K = sum n1 n2/N (Sato 1989)"
        ),
        ("mh_rd_variance", "greenland-robins"): (
            "SE^2 = sum[(ab n2^3 + cd n1^3)/(n1 n2 N^2)] / K^2, K = sum n1 n2/N (Greenland & Robins 1985)"
        ),
        ("mh_random_q", "mantel-haenszel"): "'M-H, Random': DerSimonian-Laird with Q = sum w (y - mu_MH)^2, w = 1/v",
        ("mh_random_q", "none"): "Mantel-Haenszel is offered for a common effect only",
        ("mh_drop_double_zero", True): "studies without events in both arms are left out of Q although they are pooled",
        ("mh_drop_double_zero", False): "every study that is pooled enters Q",
        ("add", 0.5): "0.5 is what is added to cells",
        ("to", "only-zero"): "cells are corrected in studies with a zero cell",
        ("peto_to", "only-zero"): "a study's Peto odds ratio is corrected where it has a zero cell",
        ("peto_to", "none"): "a study's Peto odds ratio takes the cells as they are",
        ("smd_correction", "exact"): "J = Gamma(m/2) / (sqrt(m/2) Gamma((m - 1)/2)), m = n1 + n2 - 2",
        ("smd_correction", "approximate"): "J = 1 - 3/(4 N - 9), N = n1 + n2",
        ("smd_variance", "LS"): "v = 1/n1 + 1/n2 + g^2/(2 N)",
        ("smd_variance", "UB"): "v = 1/n1 + 1/n2 + (1 - (m - 2)/(m J^2)) g^2, m = n1 + n2 - 2 (unbiased)",
        ("smd_variance", "N-3.94"): "v = N/(n1 n2) + g^2/(2 (N - 3.94))",
        ("rr_single_zero", "n+1"): "a risk ratio with a zero cell takes (events + 0.5)/(n + 1)",
        ("rr_single_zero", "n+0.5"): "a risk ratio with a zero cell takes (events + 0.5)/(n + 0.5)",
        ("rd_single_zero", "cells"): "a zero cell's correction changes the risk difference and its variance",
        ("rd_single_zero", "variance"): "a zero cell's correction changes the variance of the risk difference only",
        ("rom_correction", "exact"): "log ratio of means + (sd1^2/(n1 m1^2) - sd2^2/(n2 m2^2))/2",
        ("rom_correction", "none"): "log ratio of means, not corrected",
    }
)


def formula(convention: str, value: Any) -> str:
    """The formula in words; for values of the tables without an entry of their own, the row's title.

    >>> formula("i2", "from-q")
    'I2 = max(0, (Q - (k - 1)) / Q)'
    """
    text = FORMULAS.get((convention, value))
    if text is not None:
        return text
    if convention == "tau2" and value in TAU2_ESTIMATORS:
        return f"{TAU2_ESTIMATORS[value].title}: {TAU2_ESTIMATORS[value].source}"
    if convention == "inference" and value in INFERENCES:
        return INFERENCES[value].title
    if convention == "prediction" and value in PREDICTIONS:
        return PREDICTIONS[value].title
    return f"{convention} = {value}"
