"""Reliability (Cronbach's alpha) and genotype frequencies (relative excess heterozygosity)."""

from __future__ import annotations

from balm.stats.arrays import np
from balm.stats.measures.measure import Floats, Measure
from balm.vocabulary.scale import ALPHA_CUBE_ROOT, ALPHA_LOG, LOG, SINGLE


def raw_alpha(*, alpha: Floats, items: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Cronbach's alpha with variance ``2 m (1-alpha)^2 / ((m-1)(n-2))``.  van Zyl, Neudecker & Nel (2000)."""
    return alpha, 2.0 * items * (1.0 - alpha) ** 2 / ((items - 1.0) * (n - 2.0))


def alpha_cube_root(*, alpha: Floats, items: Floats, n: Floats) -> tuple[Floats, Floats]:
    """``1 - (1-alpha)^(1/3)``, closer to normal.  Hakstian & Whalen (1976) Psychometrika 41:219."""
    rest = 1.0 - alpha
    variance = 18.0 * items * (n - 1.0) * np.cbrt(rest) ** 2 / ((items - 1.0) * (9.0 * n - 11.0) ** 2)
    return 1.0 - np.cbrt(rest), variance


def alpha_log(*, alpha: Floats, items: Floats, n: Floats) -> tuple[Floats, Floats]:
    """``-ln(1-alpha)`` with variance ``2 m / ((m-1)(n-2))``.  Bonett (2002) J Educ Behav Stat 27:335."""
    return -np.log(1.0 - alpha), 2.0 * items / ((items - 1.0) * (n - 2.0))


def excess_heterozygosity(*, homozygous_1: Floats, heterozygous: Floats, homozygous_2: Floats) -> tuple[Floats, Floats]:
    """``ln(b / (2 sqrt(a c)))``, 0 under Hardy-Weinberg equilibrium; variance ``1/(4a) + 1/b + 1/(4c)``.

    Ziegler, Steen & Wellek (2011) Stat Methods Med Res 20:271.
    """
    effect = np.log(heterozygous) - np.log(2.0 * np.sqrt(homozygous_1 * homozygous_2))
    return effect, 0.25 / homozygous_1 + 1.0 / heterozygous + 0.25 / homozygous_2


_COLUMNS = ("alpha", "items", "n")
MEASURES = (
    Measure("ARAW", "Cronbach's alpha", "reliability", raw_alpha, SINGLE, _COLUMNS, "van Zyl et al. 2000"),
    Measure(
        "AHW",
        "Cronbach's alpha, cube root",
        "reliability",
        alpha_cube_root,
        ALPHA_CUBE_ROOT,
        _COLUMNS,
        "Hakstian & Whalen 1976",
    ),
    Measure("ABT", "Cronbach's alpha, log", "reliability", alpha_log, ALPHA_LOG, _COLUMNS, "Bonett 2002"),
    Measure(
        "REH",
        "Relative excess heterozygosity",
        "genotype frequencies",
        excess_heterozygosity,
        LOG,
        ("homozygous_1", "heterozygous", "homozygous_2"),
        "Ziegler, Steen & Wellek 2011",
        zero_cells="on-request",
    ),
)
