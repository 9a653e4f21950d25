"""Matched pairs with a binary outcome: crossover trials, one-to-one matching, two tests on the same people.

Of ``n`` pairs, ``both`` had the event under conditions 1 and 2, ``only_1`` and ``only_2`` under one of them,
``neither`` under none.
"""

from __future__ import annotations

from balm.stats.arrays import np
from balm.stats.measures.measure import Floats, Formula, Measure
from balm.stats.measures.two_group_binary import odds_ratio
from balm.vocabulary.scale import IDENTITY, LOG, Scale

COLUMNS = ("both", "only_1", "only_2", "neither")


def marginal_risk_ratio(*, both: Floats, only_1: Floats, only_2: Floats, neither: Floats) -> tuple[Floats, Floats]:
    """Log ratio of the two risks, ``ln((both + only_1)/(both + only_2))``.

    Variance ``(only_1 + only_2)/((both + only_1)(both + only_2))``.  Zou (2007) Ann Epidemiol 17:577.
    """
    events_1, events_2 = both + only_1, both + only_2
    return np.log(events_1 / events_2), (only_1 + only_2) / (events_1 * events_2)


def marginal_odds_ratio(*, both: Floats, only_1: Floats, only_2: Floats, neither: Floats) -> tuple[Floats, Floats]:
    """Log ratio of the odds of the two conditions; the pairs' covariance is taken off the variance.

    Zou (2007); Elbourne et al. (2002) Int J Epidemiol 31:140.
    """
    n = both + only_1 + only_2 + neither
    events_1, events_2 = both + only_1, both + only_2
    rest_1, rest_2 = n - events_1, n - events_2
    covariance = 2.0 * (both * neither - only_1 * only_2) * n / (events_1 * rest_1 * events_2 * rest_2)
    variance = n / (events_1 * rest_1) + n / (events_2 * rest_2) - covariance
    return np.log(events_1 / rest_1) - np.log(events_2 / rest_2), variance


def marginal_risk_difference(*, both: Floats, only_1: Floats, only_2: Floats, neither: Floats) -> tuple[Floats, Floats]:
    """Difference of the two risks, ``(only_1 - only_2)/n``.  Newcombe (1998) Stat Med 17:2635."""
    n = both + only_1 + only_2 + neither
    difference = (only_1 - only_2) / n
    return difference, ((only_1 + only_2) / n - difference**2) / n


def conditional_odds_ratio(*, both: Floats, only_1: Floats, only_2: Floats, neither: Floats) -> tuple[Floats, Floats]:
    """Log odds ratio given the pair, ``ln(only_1/only_2)``; variance ``1/only_1 + 1/only_2``.  Breslow & Day (1980)."""
    return np.log(only_1 / only_2), 1.0 / only_1 + 1.0 / only_2


def conditional_peto_odds_ratio(
    *, both: Floats, only_1: Floats, only_2: Floats, neither: Floats
) -> tuple[Floats, Floats]:
    """Peto's one-step log odds ratio given the pair, ``2(b - c)/(b + c)`` with variance ``4/(b + c)``."""
    discordant = only_1 + only_2
    return 2.0 * (only_1 - only_2) / discordant, 4.0 / discordant


def marginal_odds_ratio_from_margins(
    *, events_1: Floats, n_1: Floats, events_2: Floats, n_2: Floats, r: Floats
) -> tuple[Floats, Floats]:
    """Log odds ratio of paired conditions reported as two margins, with the phi correlation ``r`` of the pairs.

    The pair's covariance is recovered from ``r``: Elbourne et al. (2002); ``n_1`` and ``n_2`` are the same people.
    """
    effect, independent = odds_ratio(events_1=events_1, n_1=n_1, events_2=events_2, n_2=n_2)
    spread = np.sqrt(events_1 * (n_1 - events_1) / n_1 * events_2 * (n_2 - events_2) / n_2)
    return effect, independent - 2.0 * r / spread


def _row(code: str, name: str, function: Formula, scale: Scale, source: str) -> Measure:
    return Measure(code, name, "matched pairs", function, scale, COLUMNS, source, zero_cells="corrected")


MEASURES = (
    _row("MPRR", "Matched-pairs risk ratio", marginal_risk_ratio, LOG, "Zou 2007"),
    _row("MPOR", "Matched-pairs marginal odds ratio", marginal_odds_ratio, LOG, "Zou 2007; Elbourne et al. 2002"),
    _row("MPRD", "Matched-pairs risk difference", marginal_risk_difference, IDENTITY, "Newcombe 1998"),
    _row("MPORC", "Matched-pairs conditional odds ratio", conditional_odds_ratio, LOG, "Breslow & Day 1980"),
    _row("MPPETO", "Matched-pairs Peto odds ratio", conditional_peto_odds_ratio, LOG, "Yusuf et al. 1985"),
    Measure(
        "MPORM",
        "Matched-pairs odds ratio from margins",
        "matched pairs",
        marginal_odds_ratio_from_margins,
        LOG,
        ("events_1", "n_1", "events_2", "n_2", "r"),
        "Elbourne et al. 2002",
        zero_cells="corrected",
    ),
)
