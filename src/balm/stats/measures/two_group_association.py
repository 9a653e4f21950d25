"""Association in a 2x2 table: phi, Yule's coefficients, probit difference, and odds ratios turned into d.

Notation as in ``two_group_binary``: rows are the groups, ``a, b`` and ``c, d`` their events and non-events.
"""

from __future__ import annotations

import math

import numpy as np

from balm.stats.measures.measure import Floats, Measure
from balm.stats.measures.two_group_binary import COLUMNS, odds_ratio
from balm.vocabulary.scale import FISHER_Z, IDENTITY

#: Standard deviation of the standard logistic distribution, by which a log odds ratio becomes a d.
LOGISTIC_SD = math.pi / math.sqrt(3.0)

#: Cox & Snell's (1989) factor, for a normal latent variable.
COX_SNELL = 1.65


def phi_coefficient(
    *, events_1: Floats, n_1: Floats, events_2: Floats, n_2: Floats, variance_type: str = "ST"
) -> tuple[Floats, Floats]:
    """The phi coefficient, the correlation of two binary variables.

    variance_type : "ST" when the group sizes were fixed by design (stratified); "CS" or "LS" when one sample was
    cross-classified.  Not defined when nobody, or everybody, had the event.  Yule (1912) J R Stat Soc 75:579;
    Bishop, Fienberg & Holland (1975), section 11.3; for "ST" the delta method with the rows' sizes held fixed.
    """
    total = n_1 + n_2
    w1, w2 = n_1 / total, n_2 / total
    p1, p2 = events_1 / n_1, events_2 / n_2
    p = w1 * p1 + w2 * p2
    spread = p * (1.0 - p)
    difference = p1 - p2
    phi = difference * np.sqrt(w1 * w2 / spread)
    if variance_type == "ST":
        root = np.sqrt(w1 * w2 / spread)
        slope_1 = root * (1.0 - difference * (1.0 - 2.0 * p) * w1 / (2.0 * spread))
        slope_2 = root * (-1.0 - difference * (1.0 - 2.0 * p) * w2 / (2.0 * spread))
        return phi, slope_1**2 * p1 * (1.0 - p1) / n_1 + slope_2**2 * p2 * (1.0 - p2) / n_2
    rows, sides = w1 - w2, 2.0 * p - 1.0
    margins = w1 * w2 * spread
    variance = (
        1.0
        - phi**2
        + phi * (1.0 + phi**2 / 2.0) * rows * sides / np.sqrt(margins)
        - 0.75 * phi**2 * (rows**2 / (w1 * w2) + sides**2 / spread)
    ) / total
    return phi, variance


def fisher_z_of_phi(
    *, events_1: Floats, n_1: Floats, events_2: Floats, n_2: Floats, variance_type: str = "ST"
) -> tuple[Floats, Floats]:
    """Fisher's z of the phi coefficient, by the delta method."""
    phi, variance = phi_coefficient(events_1=events_1, n_1=n_1, events_2=events_2, n_2=n_2, variance_type=variance_type)
    return np.arctanh(phi), variance / (1.0 - phi**2) ** 2


def yules_q(*, events_1: Floats, n_1: Floats, events_2: Floats, n_2: Floats) -> tuple[Floats, Floats]:
    """``Q = (OR - 1)/(OR + 1)``; variance ``(1 - Q^2)^2/4 * (1/a + 1/b + 1/c + 1/d)``.  Yule (1900, 1912)."""
    log_or, variance = odds_ratio(events_1=events_1, n_1=n_1, events_2=events_2, n_2=n_2)
    q = np.tanh(log_or / 2.0)
    return q, (1.0 - q**2) ** 2 * variance / 4.0


def yules_y(*, events_1: Floats, n_1: Floats, events_2: Floats, n_2: Floats) -> tuple[Floats, Floats]:
    """``Y = (sqrt(OR) - 1)/(sqrt(OR) + 1)``, the coefficient of colligation.  Yule (1912)."""
    log_or, variance = odds_ratio(events_1=events_1, n_1=n_1, events_2=events_2, n_2=n_2)
    y = np.tanh(log_or / 4.0)
    return y, (1.0 - y**2) ** 2 * variance / 16.0


def probit_difference(*, events_1: Floats, n_1: Floats, events_2: Floats, n_2: Floats) -> tuple[Floats, Floats]:
    """Difference of probits, an estimate of d when the outcome was cut from a normal variable.

    Glass, McGaw & Smith (1981); Sánchez-Meca, Marín-Martínez & Chacón-Moscoso (2003) Psychol Methods 8:448.
    """
    from scipy.special import ndtri

    p1, p2 = events_1 / n_1, events_2 / n_2
    z1, z2 = ndtri(p1), ndtri(p2)
    part_1 = p1 * (1.0 - p1) * np.exp(z1**2) / n_1
    part_2 = p2 * (1.0 - p2) * np.exp(z2**2) / n_2
    return z1 - z2, 2.0 * math.pi * (part_1 + part_2)


def d_from_odds_ratio(*, events_1: Floats, n_1: Floats, events_2: Floats, n_2: Floats) -> tuple[Floats, Floats]:
    """Log odds ratio over pi/sqrt(3): d for a logistic latent variable.  Hasselblad & Hedges (1995)."""
    log_or, variance = odds_ratio(events_1=events_1, n_1=n_1, events_2=events_2, n_2=n_2)
    return log_or / LOGISTIC_SD, variance / LOGISTIC_SD**2


def d_from_odds_ratio_normal(*, events_1: Floats, n_1: Floats, events_2: Floats, n_2: Floats) -> tuple[Floats, Floats]:
    """Log odds ratio over 1.65: d for a normal latent variable.  Cox & Snell (1989); Sánchez-Meca et al. (2003)."""
    log_or, variance = odds_ratio(events_1=events_1, n_1=n_1, events_2=events_2, n_2=n_2)
    return log_or / COX_SNELL, variance / COX_SNELL**2


_FAMILY = "two-group association"
_SAMPLING = ("ST", "LS", "CS")
_LATENT = "Sánchez-Meca et al. 2003"
MEASURES = (
    Measure("PHI", "Phi coefficient", _FAMILY, phi_coefficient, IDENTITY, COLUMNS, "Yule 1912", (), _SAMPLING),
    Measure("ZPHI", "Fisher's z of phi", _FAMILY, fisher_z_of_phi, FISHER_Z, COLUMNS, "Yule 1912", (), _SAMPLING),
    Measure("YUQ", "Yule's Q", _FAMILY, yules_q, IDENTITY, COLUMNS, "Yule 1900", zero_cells="corrected"),
    Measure("YUY", "Yule's Y", _FAMILY, yules_y, IDENTITY, COLUMNS, "Yule 1912", zero_cells="corrected"),
    Measure(
        "PBIT", "Probit difference", _FAMILY, probit_difference, IDENTITY, COLUMNS, _LATENT, zero_cells="corrected"
    ),
    Measure(
        "OR2D",
        "d from an odds ratio (logistic)",
        _FAMILY,
        d_from_odds_ratio,
        IDENTITY,
        COLUMNS,
        "Hasselblad & Hedges 1995",
        zero_cells="corrected",
    ),
    Measure(
        "OR2DN",
        "d from an odds ratio (normal)",
        _FAMILY,
        d_from_odds_ratio_normal,
        IDENTITY,
        COLUMNS,
        "Cox & Snell 1989",
        zero_cells="corrected",
    ),
    Measure(
        "OR2DL",
        "d from an odds ratio (logistic)",
        _FAMILY,
        d_from_odds_ratio,
        IDENTITY,
        COLUMNS,
        "Hasselblad & Hedges 1995",
        zero_cells="corrected",
    ),
)
