"""The optimal information size: participants that one trial with enough power would need."""

from __future__ import annotations

import math

#: Quantiles of the normal distribution for a two-sided test at 5 % and a power of 80 %.
Z_ALPHA, Z_POWER = 1.959963984540054, 0.8416212335729143
#: A relative reduction that would be plausible (Guyatt et al. 2011, GRADE guidelines 6).
PLAUSIBLE_REDUCTION = 0.25


def size_for_risks(baseline: float, reduction: float = PLAUSIBLE_REDUCTION) -> float:
    """Participants in both groups together that show a relative risk reduction from ``baseline``.

    n per group = (z_a + z_b)^2 (p1 (1 - p1) + p2 (1 - p2)) / (p1 - p2)^2.  Infinite at a baseline risk of 0.

    >>> round(size_for_risks(0.2))
    1805
    """
    other = baseline * (1 - reduction)
    if baseline == other:
        return math.inf
    spread = baseline * (1 - baseline) + other * (1 - other)
    return 2 * (Z_ALPHA + Z_POWER) ** 2 * spread / (baseline - other) ** 2


def size_for_difference(sd: float, difference: float) -> float:
    """Participants in both groups together that show a difference of means.

    >>> round(size_for_difference(sd=1, difference=0.2))
    785
    """
    return 4 * (Z_ALPHA + Z_POWER) ** 2 * (sd / difference) ** 2


def events_for_hazards(ratio: float = 1 - PLAUSIBLE_REDUCTION) -> float:
    """Events in two equal groups together that show a hazard ratio (Schoenfeld 1981, Biometrika 68:316).

    >>> round(events_for_hazards(0.75))
    379
    """
    return 4 * ((Z_ALPHA + Z_POWER) / math.log(ratio)) ** 2
