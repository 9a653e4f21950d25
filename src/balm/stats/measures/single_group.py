"""One group alone: proportions, rates, means and spreads, on scales where they are closer to normal."""

from __future__ import annotations

import math

from balm.stats.arrays import np
from balm.stats.measures.measure import Floats, Measure
from balm.stats.measures.small_sample import HEDGES, hedges_factor
from balm.stats.measures.two_group_binary import average
from balm.vocabulary.scale import (
    ARCSINE,
    FREEMAN_TUKEY,
    FREEMAN_TUKEY_RATE,
    LOG_PROPORTION,
    LOG_SINGLE,
    LOGIT,
    PROBIT,
    PROPORTION,
    SINGLE,
    SQUARE_ROOT,
)


def _chosen(events: Floats, n: Floats, variance_type: str) -> Floats:
    """The proportion that the variance is computed at: the study's own, or that of all studies ("AV")."""
    return average(events, n) if variance_type == "AV" else events / n


def proportion(*, events: Floats, n: Floats, variance_type: str = "LS") -> tuple[Floats, Floats]:
    """``p = x/n`` with variance ``p(1-p)/n``; "UB" divides by ``n - 1``, "AV" takes p from all studies together."""
    p = _chosen(events, n, variance_type)
    return events / n, p * (1.0 - p) / (n - 1.0 if variance_type == "UB" else n)


def log_proportion(*, events: Floats, n: Floats, variance_type: str = "LS") -> tuple[Floats, Floats]:
    """``ln(x/n)`` with variance ``1/x - 1/n``."""
    if variance_type == "AV":
        p = average(events, n)
        return np.log(events / n), (1.0 - p) / (n * p)
    return np.log(events / n), 1.0 / events - 1.0 / n


def logit_proportion(*, events: Floats, n: Floats, variance_type: str = "LS") -> tuple[Floats, Floats]:
    """``ln(x/(n-x))`` with variance ``1/x + 1/(n-x)``."""
    if variance_type == "AV":
        p = average(events, n)
        return np.log(events / (n - events)), 1.0 / (n * p * (1.0 - p))
    return np.log(events / (n - events)), 1.0 / events + 1.0 / (n - events)


def probit_proportion(*, events: Floats, n: Floats) -> tuple[Floats, Floats]:
    """The normal quantile of ``p = x/n``, with variance ``2 pi p(1-p) exp(z^2)/n`` by the delta method."""
    from scipy.special import ndtri

    p = events / n
    z = np.asarray(ndtri(p), dtype=np.float64)
    return z, 2.0 * math.pi * p * (1.0 - p) * np.exp(z**2) / n


def arcsine_proportion(*, events: Floats, n: Floats) -> tuple[Floats, Floats]:
    """``asin(sqrt(x/n))`` with variance ``1/(4n)``; defined with zero events as it is."""
    return np.arcsin(np.sqrt(events / n)), 0.25 / n


def freeman_tukey_proportion(*, events: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Mean of ``asin(sqrt(x/(n+1)))`` and ``asin(sqrt((x+1)/(n+1)))``, with variance ``1/(4n + 2)``.

    Freeman & Tukey (1950) Ann Math Stat 21:607; halved, so that it is on the scale of the plain arcsine.
    The way back needs a sample size: Miller (1978) Am Stat 32:138.
    """
    effect = 0.5 * (np.arcsin(np.sqrt(events / (n + 1.0))) + np.arcsin(np.sqrt((events + 1.0) / (n + 1.0))))
    return effect, 1.0 / (4.0 * n + 2.0)


def rate(*, events: Floats, time: Floats) -> tuple[Floats, Floats]:
    """``x/t`` with variance ``x/t^2``."""
    return events / time, events / time**2


def log_rate(*, events: Floats, time: Floats) -> tuple[Floats, Floats]:
    """``ln(x/t)`` with variance ``1/x``."""
    return np.log(events / time), 1.0 / events


def root_rate(*, events: Floats, time: Floats) -> tuple[Floats, Floats]:
    """``sqrt(x/t)`` with variance ``1/(4t)``."""
    return np.sqrt(events / time), 0.25 / time


def freeman_tukey_rate(*, events: Floats, time: Floats) -> tuple[Floats, Floats]:
    """Mean of ``sqrt(x/t)`` and ``sqrt((x+1)/t)``, with variance ``1/(4t)``.  Freeman & Tukey (1950)."""
    return 0.5 * (np.sqrt(events / time) + np.sqrt((events + 1.0) / time)), 0.25 / time


def mean_value(*, mean: Floats, sd: Floats, n: Floats) -> tuple[Floats, Floats]:
    """The mean, with variance ``s^2/n``."""
    return mean, sd**2 / n


def standardised_mean(*, mean: Floats, sd: Floats, n: Floats, small_sample: str = "exact") -> tuple[Floats, Floats]:
    """``J m/s``, the mean in standard deviations, with variance ``1/n + y^2/(2n)``."""
    effect = hedges_factor(n - 1.0, small_sample) * mean / sd
    return effect, 1.0 / n + effect**2 / (2.0 * n)


def log_mean(*, mean: Floats, sd: Floats, n: Floats) -> tuple[Floats, Floats]:
    """``ln m`` of a positive mean, with variance ``s^2/(n m^2)``."""
    return np.log(mean), sd**2 / (n * mean**2)


def log_sd(*, sd: Floats, n: Floats, small_sample: str = "exact") -> tuple[Floats, Floats]:
    """``ln s + 1/(2(n-1))`` with variance ``1/(2(n-1))``.

    ``small_sample="none"`` leaves the second term out.  Raudenbush & Bryk (1987) J Educ Stat 12:241;
    Nakagawa et al. (2015) Methods Ecol Evol 6:143.
    """
    variance = 1.0 / (2.0 * (n - 1.0))
    return np.log(sd) + (0.0 if small_sample == "none" else variance), variance


def log_coefficient_of_variation(
    *, mean: Floats, sd: Floats, n: Floats, small_sample: str = "exact"
) -> tuple[Floats, Floats]:
    """``ln(s/m) + 1/(2(n-1))`` with variance ``1/(2(n-1)) + s^2/(n m^2)``.  Nakagawa et al. (2015)."""
    correction = 1.0 / (2.0 * (n - 1.0))
    effect = np.log(sd / mean) + (0.0 if small_sample == "none" else correction)
    return effect, correction + sd**2 / (n * mean**2)


_PROPORTION, _RATE, _MEAN = "single-group proportion", "single-group rate", "single-group mean"
_EVENTS_N, _EVENTS_TIME, _MEAN_SD_N = ("events", "n"), ("events", "time"), ("mean", "sd", "n")
_SPREAD = ("exact", "none")
_FT, _NAKAGAWA, _MODELS = "Freeman & Tukey 1950", "Nakagawa et al. 2015", "Stijnen, Hamza & Ozdemir 2010"
_TYPES = ("LS", "AV")

MEASURES = (
    Measure(
        "PR",
        "Proportion",
        _PROPORTION,
        proportion,
        PROPORTION,
        _EVENTS_N,
        "Cochrane Handbook, section 6.4.1",
        variance_types=("LS", "UB", "AV"),
        zero_cells="corrected",
    ),
    Measure(
        "PLN",
        "Log proportion",
        _PROPORTION,
        log_proportion,
        LOG_PROPORTION,
        _EVENTS_N,
        _MODELS,
        variance_types=_TYPES,
        zero_cells="corrected",
    ),
    Measure(
        "PLO",
        "Logit proportion",
        _PROPORTION,
        logit_proportion,
        LOGIT,
        _EVENTS_N,
        _MODELS,
        variance_types=_TYPES,
        zero_cells="corrected",
    ),
    Measure(
        "PRZ",
        "Probit proportion",
        _PROPORTION,
        probit_proportion,
        PROBIT,
        _EVENTS_N,
        "Sánchez-Meca et al. 2003",
        zero_cells="corrected",
    ),
    Measure(
        "PAS",
        "Arcsine proportion",
        _PROPORTION,
        arcsine_proportion,
        ARCSINE,
        _EVENTS_N,
        "Rücker et al. 2009",
        zero_cells="on-request",
    ),
    Measure(
        "PFT",
        "Freeman-Tukey proportion",
        _PROPORTION,
        freeman_tukey_proportion,
        FREEMAN_TUKEY,
        _EVENTS_N,
        f"{_FT}; Miller 1978",
        zero_cells="on-request",
    ),
    Measure("IR", "Incidence rate", _RATE, rate, SINGLE, _EVENTS_TIME, _MODELS, zero_cells="corrected"),
    Measure("IRLN", "Log incidence rate", _RATE, log_rate, LOG_SINGLE, _EVENTS_TIME, _MODELS, zero_cells="corrected"),
    Measure("IRS", "Square root of a rate", _RATE, root_rate, SQUARE_ROOT, _EVENTS_TIME, _FT, zero_cells="on-request"),
    Measure(
        "IRFT",
        "Freeman-Tukey rate",
        _RATE,
        freeman_tukey_rate,
        FREEMAN_TUKEY_RATE,
        _EVENTS_TIME,
        _FT,
        zero_cells="on-request",
    ),
    Measure("MN", "Mean", _MEAN, mean_value, SINGLE, _MEAN_SD_N, "Cochrane Handbook, section 6.5.1"),
    Measure(
        "SMN", "Standardised mean", _MEAN, standardised_mean, SINGLE, _MEAN_SD_N, "Hedges 1981", small_sample=HEDGES
    ),
    Measure("MNLN", "Log mean", _MEAN, log_mean, LOG_SINGLE, _MEAN_SD_N, "Hedges, Gurevitch & Curtis 1999"),
    Measure("SDLN", "Log standard deviation", _MEAN, log_sd, LOG_SINGLE, ("sd", "n"), _NAKAGAWA, small_sample=_SPREAD),
    Measure(
        "CVLN",
        "Log coefficient of variation",
        _MEAN,
        log_coefficient_of_variation,
        LOG_SINGLE,
        _MEAN_SD_N,
        _NAKAGAWA,
        small_sample=_SPREAD,
    ),
)
