"""How much information a conclusive meta-analysis needs, with the diversity between its trials."""

from __future__ import annotations

import math

from balm.stats.distributions import norm_isf
from balm.vocabulary.problems import InputError


def required_information(delta: float, *, alpha: float = 0.05, power: float = 0.9, diversity: float = 0.0) -> float:
    """The information (1 / variance) at which a two-sided test of level alpha finds ``delta`` with that power.

    ``((z_alpha/2 + z_beta) / delta)² / (1 - D²)``; diversity D² as a share, 0 to below 1. Wetterslev, Thorlund, Brok &
    Gluud (2009) BMC Med Res Methodol 9:86. For a mean difference with SD s in two equal arms
    of trials with information ``N / (4 s²)``, the same in participants is ``4 s² (z + z)² / (delta² (1 - D²))``.

    >>> round(required_information(math.log(0.8), power=0.9), 1)
    211.0
    """
    if not (math.isfinite(delta) and delta != 0.0):
        raise InputError(f"delta must be an effect other than 0, on the analysis scale; got {delta!r}")
    check_share("alpha", alpha)
    check_share("power", power)
    if power <= alpha:
        raise InputError(f"power must be above alpha; got power={power!r}, alpha={alpha!r}")
    if not 0.0 <= diversity < 1.0:
        raise InputError(f"diversity is a share from 0 to below 1; got {diversity!r}")
    return ((norm_isf(alpha / 2.0) + norm_isf(1.0 - power)) / delta) ** 2 / (1.0 - diversity)


def check_share(name: str, value: float) -> None:
    """An error unless ``value`` lies between 0 and 1."""
    if not 0.0 < value < 1.0:
        raise InputError(f"{name} must lie between 0 and 1; got {value!r}")
