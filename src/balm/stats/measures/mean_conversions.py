"""Two group means seen as an odds ratio, a correlation with group membership, or a chance of superiority."""

from __future__ import annotations

import math

from balm.stats.arrays import np
from balm.stats.measures.measure import Floats, Measure
from balm.stats.measures.small_sample import HEDGES
from balm.stats.measures.two_group_association import COX_SNELL, LOGISTIC_SD
from balm.stats.measures.two_group_means import COLUMNS, pooled_variance, standardised_mean_difference
from balm.vocabulary.scale import FISHER_Z, IDENTITY, LOG, SUPERIORITY


def odds_ratio_from_d(
    *,
    mean_1: Floats,
    sd_1: Floats,
    n_1: Floats,
    mean_2: Floats,
    sd_2: Floats,
    n_2: Floats,
    variance_type: str = "LS",
    small_sample: str = "none",
) -> tuple[Floats, Floats]:
    """Log odds ratio ``d pi/sqrt(3)`` behind a standardised mean difference, for a logistic latent variable.

    Hasselblad & Hedges (1995); Chinn (2000) Stat Med 19:3127; Cochrane Handbook, section 10.6.
    """
    g, variance = standardised_mean_difference(
        mean_1=mean_1,
        sd_1=sd_1,
        n_1=n_1,
        mean_2=mean_2,
        sd_2=sd_2,
        n_2=n_2,
        variance_type=variance_type,
        small_sample=small_sample,
    )
    return g * LOGISTIC_SD, variance * LOGISTIC_SD**2


def odds_ratio_from_d_normal(
    *,
    mean_1: Floats,
    sd_1: Floats,
    n_1: Floats,
    mean_2: Floats,
    sd_2: Floats,
    n_2: Floats,
    variance_type: str = "LS",
    small_sample: str = "none",
) -> tuple[Floats, Floats]:
    """Log odds ratio ``1.65 d``, for a normal latent variable.  Cox & Snell (1989)."""
    effect, variance = odds_ratio_from_d(
        mean_1=mean_1,
        sd_1=sd_1,
        n_1=n_1,
        mean_2=mean_2,
        sd_2=sd_2,
        n_2=n_2,
        variance_type=variance_type,
        small_sample=small_sample,
    )
    return effect * (COX_SNELL / LOGISTIC_SD), variance * (COX_SNELL / LOGISTIC_SD) ** 2


def point_biserial(
    *, mean_1: Floats, sd_1: Floats, n_1: Floats, mean_2: Floats, sd_2: Floats, n_2: Floats, variance_type: str = "ST"
) -> tuple[Floats, Floats]:
    """Correlation of the outcome with group membership, ``d / sqrt(d^2 + h)``, ``h = (N-2)(1/n1 + 1/n2)``.

    variance_type : "ST" (also called "LS") when the group sizes were fixed by design, by the delta method on d;
    "CS" when one sample was cross-classified (Tate 1954).  Jacobs & Viechtbauer (2017) Res Synth Methods 8:161.
    """
    total = n_1 + n_2
    h = (total - 2.0) * (1.0 / n_1 + 1.0 / n_2)
    d = (mean_1 - mean_2) / np.sqrt(pooled_variance(sd_1, n_1, sd_2, n_2))
    r = d / np.sqrt(d**2 + h)
    if variance_type in ("ST", "LS"):
        return r, h**2 / (h + d**2) ** 3 * (1.0 / n_1 + 1.0 / n_2 + d**2 / (2.0 * total))
    pq = n_1 * n_2 / total**2
    return r, (1.0 - r**2) ** 2 * (1.0 - 1.5 * r**2 + r**2 / (4.0 * pq)) / total


def fisher_z_of_point_biserial(
    *, mean_1: Floats, sd_1: Floats, n_1: Floats, mean_2: Floats, sd_2: Floats, n_2: Floats, variance_type: str = "ST"
) -> tuple[Floats, Floats]:
    """Fisher's z of the point-biserial correlation, by the delta method."""
    r, variance = point_biserial(
        mean_1=mean_1, sd_1=sd_1, n_1=n_1, mean_2=mean_2, sd_2=sd_2, n_2=n_2, variance_type=variance_type
    )
    return np.arctanh(r), variance / (1.0 - r**2) ** 2


def _normal_density_at_cut(p: Floats) -> tuple[Floats, Floats]:
    """Where a standard normal variable is cut to give a share ``p``, and its density there."""
    from scipy.special import ndtri

    z = np.asarray(ndtri(p), dtype=np.float64)
    return z, np.exp(-(z**2) / 2.0) / math.sqrt(2.0 * math.pi)


def biserial(
    *, mean_1: Floats, sd_1: Floats, n_1: Floats, mean_2: Floats, sd_2: Floats, n_2: Floats, variance_type: str = "ST"
) -> tuple[Floats, Floats]:
    """Correlation of the outcome with a normal variable that was cut into the two groups.

    ``sqrt(pq)/f`` times the point-biserial, ``f`` the normal density at the cut; it can exceed 1.  Soper's (1914)
    variance, for every ``variance_type``, taken at 1 where the estimate exceeds it.  Jacobs & Viechtbauer (2017).
    """
    total = n_1 + n_2
    p, q = n_1 / total, n_2 / total
    z, f = _normal_density_at_cut(q)
    r_pb, _ = point_biserial(mean_1=mean_1, sd_1=sd_1, n_1=n_1, mean_2=mean_2, sd_2=sd_2, n_2=n_2)
    r = np.sqrt(p * q) / f * r_pb
    bracket = (1.0 - p * z / f) * (1.0 + q * z / f)
    square = np.minimum(r**2, 1.0)
    return r, (p * q / f**2 - (1.5 + bracket) * square + square**2) / (total - 1.0)


def fisher_z_of_biserial(
    *, mean_1: Floats, sd_1: Floats, n_1: Floats, mean_2: Floats, sd_2: Floats, n_2: Floats, variance_type: str = "ST"
) -> tuple[Floats, Floats]:
    """Fisher's z of the biserial correlation; not defined where that exceeds 1."""
    r, variance = biserial(mean_1=mean_1, sd_1=sd_1, n_1=n_1, mean_2=mean_2, sd_2=sd_2, n_2=n_2)
    return np.arctanh(r), variance / (1.0 - r**2) ** 2


def superiority_normal(
    *, mean_1: Floats, sd_1: Floats, n_1: Floats, mean_2: Floats, sd_2: Floats, n_2: Floats
) -> tuple[Floats, Floats]:
    """Chance that a person of group 1 has the higher value, ``Phi((m1 - m2)/sqrt(s1^2 + s2^2))``, if normal.

    McGraw & Wong (1992) Psychol Bull 111:361; variance by the delta method.
    """
    from scipy.special import ndtr

    square = sd_1**2 + sd_2**2
    d = (mean_1 - mean_2) / np.sqrt(square)
    density = np.exp(-(d**2) / 2.0) / math.sqrt(2.0 * math.pi)
    spread = (sd_1**4 / (n_1 - 1.0) + sd_2**4 / (n_2 - 1.0)) / (2.0 * square**2)
    at_d = (sd_1**2 / (n_1 - 1.0) + sd_2**2 / (n_2 - 1.0)) / square + d**2 * spread
    return np.asarray(ndtr(d), dtype=np.float64), density**2 * at_d


def superiority(*, superiority: Floats, n_1: Floats, n_2: Floats, variance_type: str = "LS") -> tuple[Floats, Floats]:
    """Probability of superiority (the area under the curve) as reported.

    variance_type : "LS" Newcombe's (2006) method 4; "LS2" Hanley & McNeil's (1982) formula.
    Newcombe (2006) Stat Med 25:559; Hanley & McNeil (1982) Radiology 143:29.
    """
    y = superiority
    q1, q2 = y / (2.0 - y), 2.0 * y**2 / (1.0 + y)
    if variance_type == "LS2":
        between = (n_1 - 1.0) * (q1 - y**2) + (n_2 - 1.0) * (q2 - y**2)
    else:
        half = (n_1 + n_2) / 2.0 - 1.0
        between = half * (q1 - y**2) + half * (q2 - y**2)
    return y, (y * (1.0 - y) + between) / (n_1 * n_2)


#: d is taken as it is unless a correction is asked for.
_PLAIN = ("none", *HEDGES[:-1])

_FAMILY, _SUPERIORITY = "conversion of group means", "probability of superiority"
_D, _SAMPLING = ("LS", "LS2", "UB", "AV"), ("ST", "CS", "LS")
_LOGISTIC, _JACOBS = "Hasselblad & Hedges 1995; Chinn 2000", "Jacobs & Viechtbauer 2017"
_ZPB, _ZBIS = "Fisher's z of a point-biserial correlation", "Fisher's z of a biserial correlation"
_NEWCOMBE, _GIVEN = "Newcombe 2006; Hanley & McNeil 1982", ("superiority", "n_1", "n_2")
_CHANCE = "Probability of superiority"
MEASURES = (
    Measure("D2OR", "Odds ratio from d", _FAMILY, odds_ratio_from_d, LOG, COLUMNS, _LOGISTIC, (), _D, _PLAIN),
    Measure(
        "D2ORN",
        "Odds ratio from d (normal)",
        _FAMILY,
        odds_ratio_from_d_normal,
        LOG,
        COLUMNS,
        "Cox & Snell 1989",
        (),
        _D,
        _PLAIN,
    ),
    Measure(
        "D2ORL", "Odds ratio from d (logistic)", _FAMILY, odds_ratio_from_d, LOG, COLUMNS, _LOGISTIC, (), _D, _PLAIN
    ),
    Measure("RPB", "Point-biserial correlation", _FAMILY, point_biserial, IDENTITY, COLUMNS, _JACOBS, (), _SAMPLING),
    Measure("ZPB", _ZPB, _FAMILY, fisher_z_of_point_biserial, FISHER_Z, COLUMNS, _JACOBS, (), _SAMPLING),
    Measure("RBIS", "Biserial correlation", _FAMILY, biserial, IDENTITY, COLUMNS, _JACOBS, (), _SAMPLING),
    Measure("ZBIS", _ZBIS, _FAMILY, fisher_z_of_biserial, FISHER_Z, COLUMNS, _JACOBS, (), _SAMPLING),
    Measure("CLES", _CHANCE, _SUPERIORITY, superiority, SUPERIORITY, _GIVEN, _NEWCOMBE, (), ("LS", "LS2")),
    Measure(
        "AUC", "Area under the curve", _SUPERIORITY, superiority, SUPERIORITY, _GIVEN, _NEWCOMBE, (), ("LS", "LS2")
    ),
    Measure(
        "CLESN", f"{_CHANCE} (normal)", _SUPERIORITY, superiority_normal, SUPERIORITY, COLUMNS, "McGraw & Wong 1992"
    ),
    Measure(
        "AUCN",
        "Area under the curve (normal)",
        _SUPERIORITY,
        superiority_normal,
        SUPERIORITY,
        COLUMNS,
        "McGraw & Wong 1992",
    ),
)
