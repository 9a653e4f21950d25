"""Two groups, an event that happened or not: ratios, differences and odds.

Notation: ``a`` events and ``b`` non-events of ``n1`` people in group 1 (the intervention), ``c`` and ``d`` of ``n2`` in
group 2.  Every formula is elementwise over studies; cells are corrected before they arrive (see ``zero_cells``).
"""

from __future__ import annotations

from balm.stats.arrays import np
from balm.stats.measures.measure import Floats, Formula, Measure
from balm.vocabulary.scale import IDENTITY, LOG, Scale

COLUMNS = ("events_1", "n_1", "events_2", "n_2")


def average(events: Floats, n: Floats) -> Floats:
    """The proportion over all studies, for variances of type "AV" (every study gets the same proportion)."""
    known = np.isfinite(events) & np.isfinite(n)
    return np.full_like(n, events[known].sum() / n[known].sum())


def risk_ratio(
    *, events_1: Floats, n_1: Floats, events_2: Floats, n_2: Floats, variance_type: str = "LS"
) -> tuple[Floats, Floats]:
    """Log risk ratio ``ln((a/n1)/(c/n2))`` and its variance ``1/a - 1/n1 + 1/c - 1/n2``.

    ``variance_type="AV"`` takes each group's proportion from all studies together.
    Deeks & Higgins (2010), section 3; Cochrane Handbook, section 6.4.1.

    >>> import numpy as np
    >>> y, v = risk_ratio(**{k: np.array([x]) for k, x in dict(events_1=4., n_1=123., events_2=11., n_2=139.).items()})
    >>> round(float(y[0]), 4), round(float(v[0]), 4)
    (-0.8893, 0.3256)
    """
    effect = np.log(events_1 / n_1) - np.log(events_2 / n_2)
    if variance_type == "AV":
        p1, p2 = average(events_1, n_1), average(events_2, n_2)
        variance = (1.0 - p1) / (n_1 * p1) + (1.0 - p2) / (n_2 * p2)
        return effect, np.where(np.isnan(effect), np.nan, variance)
    return effect, 1.0 / events_1 - 1.0 / n_1 + 1.0 / events_2 - 1.0 / n_2


def odds_ratio(
    *, events_1: Floats, n_1: Floats, events_2: Floats, n_2: Floats, variance_type: str = "LS"
) -> tuple[Floats, Floats]:
    """Log odds ratio ``ln(ad/bc)`` and Woolf's variance ``1/a + 1/b + 1/c + 1/d``.

    Woolf (1955); Cochrane Handbook, section 6.4.1.  ``variance_type`` as for :func:`risk_ratio`.
    """
    b, d = n_1 - events_1, n_2 - events_2
    effect = np.log(events_1 / b) - np.log(events_2 / d)
    if variance_type == "AV":
        p1, p2 = average(events_1, n_1), average(events_2, n_2)
        variance = 1.0 / (n_1 * p1 * (1.0 - p1)) + 1.0 / (n_2 * p2 * (1.0 - p2))
        return effect, np.where(np.isnan(effect), np.nan, variance)
    return effect, 1.0 / events_1 + 1.0 / b + 1.0 / events_2 + 1.0 / d


def risk_difference(
    *, events_1: Floats, n_1: Floats, events_2: Floats, n_2: Floats, variance_type: str = "LS"
) -> tuple[Floats, Floats]:
    """Risk difference ``a/n1 - c/n2`` and its variance ``ab/n1^3 + cd/n2^3``.

    Deeks & Higgins (2010), section 3.  ``variance_type``: "UB" divides by ``n - 1``; "AV" as for :func:`risk_ratio`.
    """
    p1, p2 = events_1 / n_1, events_2 / n_2
    effect = p1 - p2
    if variance_type == "UB":
        return effect, p1 * (1.0 - p1) / (n_1 - 1.0) + p2 * (1.0 - p2) / (n_2 - 1.0)
    if variance_type == "AV":
        p1, p2 = average(events_1, n_1), average(events_2, n_2)
    variance = p1 * (1.0 - p1) / n_1 + p2 * (1.0 - p2) / n_2
    return effect, np.where(np.isnan(effect), np.nan, variance)


def peto_odds_ratio(*, events_1: Floats, n_1: Floats, events_2: Floats, n_2: Floats) -> tuple[Floats, Floats]:
    """Log odds ratio by Peto's one-step method, ``(O - E)/V`` with variance ``1/V``.

    ``E = n1 (a+c)/N`` and ``V = n1 n2 (a+c)(b+d) / (N^2 (N-1))``, the hypergeometric moments given the margins.
    Yusuf et al. (1985) Prog Cardiovasc Dis 27:335.  Without an event in either arm ``V`` is 0: not estimable.
    """
    total = n_1 + n_2
    events = events_1 + events_2
    expected = n_1 * events / total
    v = n_1 * n_2 * (events / total) * ((total - events) / total) / (total - 1.0)
    return (events_1 - expected) / v, 1.0 / v


def arcsine_difference(*, events_1: Floats, n_1: Floats, events_2: Floats, n_2: Floats) -> tuple[Floats, Floats]:
    """Difference of arcsine square roots of the risks; its variance ``1/(4 n1) + 1/(4 n2)`` is free of the risks.

    Defined with zero cells as it is.  Rücker, Schwarzer, Carpenter & Olkin (2009) Stat Med 28:721.
    """
    effect = np.arcsin(np.sqrt(events_1 / n_1)) - np.arcsin(np.sqrt(events_2 / n_2))
    return effect, 0.25 / n_1 + 0.25 / n_2


def _row(
    code: str, name: str, function: Formula, scale: Scale, source: str, types: tuple[str, ...], double_zero: str
) -> Measure:
    family = "two-group binary"
    return Measure(
        code,
        name,
        family,
        function,
        scale,
        COLUMNS,
        source,
        variance_types=types,
        zero_cells="corrected",
        double_zero=double_zero,
    )


_HANDBOOK = "Cochrane Handbook, section 6.4.1"
MEASURES = (
    _row("RR", "Risk ratio", risk_ratio, LOG, _HANDBOOK, ("LS", "AV"), "excluded"),
    _row("OR", "Odds ratio", odds_ratio, LOG, f"Woolf 1955; {_HANDBOOK}", ("LS", "AV"), "excluded"),
    _row("RD", "Risk difference", risk_difference, IDENTITY, _HANDBOOK, ("LS", "UB", "AV"), "kept"),
    _row("PETO", "Peto odds ratio", peto_odds_ratio, LOG, "Yusuf et al. 1985", (), "excluded"),
    Measure(
        "AS",
        "Arcsine difference",
        "two-group binary",
        arcsine_difference,
        IDENTITY,
        COLUMNS,
        "Rücker et al. 2009",
        zero_cells="on-request",
    ),
)
