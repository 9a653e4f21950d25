"""Association in a 2x2 table: phi, Yule's coefficients, probit difference, and odds ratios turned into d.

Notation as in ``two_group_binary``: rows are the groups, ``a, b`` and ``c, d`` their events and non-events.  The
coefficients also take one cross-classified sample: ``both, only_1, only_2, neither`` of two yes-or-no variables.
"""

from __future__ import annotations

import math

from balm.stats.arrays import np
from balm.stats.measures.measure import Floats, Formula, Measure
from balm.stats.measures.tetrachoric import fisher_z_of_tetrachoric, tetrachoric
from balm.stats.measures.two_group_binary import COLUMNS, odds_ratio
from balm.vocabulary.scale import FISHER_Z, IDENTITY, Scale

#: Standard deviation of the standard logistic distribution, by which a log odds ratio becomes a d.
LOGISTIC_SD = math.pi / math.sqrt(3.0)

#: Cox & Snell's (1989) factor, for a normal latent variable.
COX_SNELL = 1.65


CELLS = ("both", "only_1", "only_2", "neither")


def as_two_groups(columns: dict[str, Floats]) -> dict[str, Floats]:
    """A cross-classified sample as two groups: those with and those without the first variable."""
    if "both" not in columns:
        return columns
    return {
        "events_1": columns["both"],
        "n_1": columns["both"] + columns["only_1"],
        "events_2": columns["only_2"],
        "n_2": columns["only_2"] + columns["neither"],
    }


def phi_coefficient(
    *, events_1: Floats, n_1: Floats, events_2: Floats, n_2: Floats, variance_type: str = "LS"
) -> tuple[Floats, Floats]:
    """The phi coefficient, the correlation of two binary variables.

    variance_type : "LS" (also called "CS") when one sample was cross-classified; "ST" when the group sizes were
    fixed by design (stratified).  Not defined when nobody, or everybody, had the event.
    Yule (1912) J R Stat Soc 75:579; Bishop, Fienberg & Holland (1975), section 11.3; for "ST" the delta method.
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
    *, events_1: Floats, n_1: Floats, events_2: Floats, n_2: Floats, variance_type: str = "LS"
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


def _row(code: str, name: str, function: Formula, scale: Scale, source: str, zero_cells: str = "corrected") -> Measure:
    types = ("LS", "ST", "CS") if function in (phi_coefficient, fisher_z_of_phi) else ()
    return Measure(
        code,
        name,
        "association",
        function,
        scale,
        (),
        source,
        one_of=(COLUMNS, CELLS),
        variance_types=types,
        zero_cells=zero_cells,
    )


def _conversion(code: str, name: str, function: Formula, source: str) -> Measure:
    return Measure(code, name, "two-group binary to d", function, IDENTITY, COLUMNS, source, zero_cells="corrected")


_HASSELBLAD, _PEARSON = "Hasselblad & Hedges 1995", "Pearson 1900; Kirk 1973"
MEASURES = (
    _row("PHI", "Phi coefficient", phi_coefficient, IDENTITY, "Yule 1912", "on-request"),
    _row("ZPHI", "Fisher's z of phi", fisher_z_of_phi, FISHER_Z, "Yule 1912", "on-request"),
    _row("YUQ", "Yule's Q", yules_q, IDENTITY, "Yule 1900"),
    _row("YUY", "Yule's Y", yules_y, IDENTITY, "Yule 1912"),
    _row("RTET", "Tetrachoric correlation", tetrachoric, IDENTITY, _PEARSON, "on-request"),
    _row("ZTET", "Fisher's z of the tetrachoric", fisher_z_of_tetrachoric, FISHER_Z, _PEARSON, "on-request"),
    _conversion("PBIT", "Probit difference", probit_difference, "Sánchez-Meca et al. 2003"),
    _conversion("OR2D", "d from an odds ratio (logistic)", d_from_odds_ratio, _HASSELBLAD),
    _conversion("OR2DN", "d from an odds ratio (normal)", d_from_odds_ratio_normal, "Cox & Snell 1989"),
    _conversion("OR2DL", "d from an odds ratio (logistic)", d_from_odds_ratio, _HASSELBLAD),
)
