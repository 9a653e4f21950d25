"""Confidence intervals of a proportion: events in n people, one group."""

from __future__ import annotations

import math
from collections.abc import Callable

from balm.stats.arrays import ArrayLike, Floats, np
from balm.stats.distributions import norm_ppf
from balm.vocabulary.problems import InputError, check_level, check_option
from balm.vocabulary.quick_dataclass import dataclass

Ends = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class ProportionInterval:
    """Proportions with their intervals, arrays of one shape; ``method`` is a row of :data:`METHODS`."""

    events: Floats
    n: Floats
    proportion: Floats
    low: Floats
    high: Floats
    method: str
    level: float


def proportion_interval(
    events: ArrayLike, n: ArrayLike, *, method: str = "wilson", level: float = 0.95
) -> ProportionInterval:
    """The interval of each proportion ``events / n``.

    events, n : (k,) whole numbers, 0 <= events <= n, n at least 1; a single number is an array of one.

    =====================  ======================================================================================
    ``wilson``             score interval: close to its level at any size, the usual choice (Newcombe 1998, method 3)
    ``wilson-corrected``   the same with a continuity correction (Newcombe 1998, method 4)
    ``clopper-pearson``    exact: covers at least at its level, and is wide for it (Clopper & Pearson 1934)
    ``agresti-coull``      Wald's form around Wilson's centre (Agresti & Coull 1998)
    ``wald``               p +- z sqrt(p q / n), cut at 0 and 1: too narrow near them, of no width at them
    ``wald-corrected``     the same, 1/(2n) wider on each side
    =====================  ======================================================================================

    Newcombe RG (1998) Stat Med 17:857-72.

    >>> found = proportion_interval(23, 45)
    >>> f"{found.low[0]:.3f} to {found.high[0]:.3f}"
    '0.370 to 0.650'
    """
    check_option("method", method, list(METHODS))
    check_level(level)
    x, size = np.atleast_1d(np.asarray(events, dtype=np.float64)), np.atleast_1d(np.asarray(n, dtype=np.float64))
    if x.shape != size.shape:
        raise InputError(f"events and n must have one length; got {x.shape[0]} and {size.shape[0]}")
    for at, (count, people) in enumerate(zip(x.tolist(), size.tolist(), strict=True)):
        if not (people >= 1 and people == math.floor(people)):
            raise InputError(f"n must be a whole number of 1 or more; got {people:g} at position {at}")
        if not (0 <= count <= people and count == math.floor(count)):
            raise InputError(f"events must be a whole number from 0 to n ({people:g}); got {count:g} at position {at}")
    z = norm_ppf(0.5 + 0.5 * level)
    low, high = METHODS[method](x, size, z, level)
    return ProportionInterval(x, size, x / size, np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0), method, level)


def _wilson(x: Floats, n: Floats, z: float, level: float) -> Ends:
    centre = (x + 0.5 * z * z) / (n + z * z)
    half = z * np.sqrt(x * (n - x) / n + 0.25 * z * z) / (n + z * z)
    return np.where(x == 0, 0.0, centre - half), np.where(x == n, 1.0, centre + half)


def _wilson_corrected(x: Floats, n: Floats, z: float, level: float) -> Ends:
    p, zz, twice = x / n, z * z, 2.0 * (n + z * z)
    below = np.sqrt(np.maximum(zz - 2.0 - 1.0 / n + 4.0 * p * (n - x + 1.0), 0.0))
    above = np.sqrt(np.maximum(zz + 2.0 - 1.0 / n + 4.0 * p * (n - x - 1.0), 0.0))
    low, high = (2.0 * x + zz - 1.0 - z * below) / twice, (2.0 * x + zz + 1.0 + z * above) / twice
    return np.where(x == 0, 0.0, low), np.where(x == n, 1.0, high)


def _clopper_pearson(x: Floats, n: Floats, z: float, level: float) -> Ends:
    from scipy.special import betaincinv

    tail = 0.5 - 0.5 * level
    low = np.where(x == 0, 0.0, betaincinv(np.maximum(x, 1.0), n - x + 1.0, tail))
    return low, np.where(x == n, 1.0, betaincinv(x + 1.0, np.maximum(n - x, 1.0), 1.0 - tail))


def _agresti_coull(x: Floats, n: Floats, z: float, level: float) -> Ends:
    size = n + z * z
    centre = (x + 0.5 * z * z) / size
    half = z * np.sqrt(centre * (1.0 - centre) / size)
    return centre - half, centre + half


def _wald(x: Floats, n: Floats, z: float, level: float) -> Ends:
    half = z * np.sqrt(x * (n - x) / n) / n
    return x / n - half, x / n + half


def _wald_corrected(x: Floats, n: Floats, z: float, level: float) -> Ends:
    low, high = _wald(x, n, z, level)
    return low - 0.5 / n, high + 0.5 / n


#: Name of a method -> its ends, from events, n, the normal quantile and the level.
METHODS: dict[str, Callable[[Floats, Floats, float, float], Ends]] = {
    "wilson": _wilson,
    "wilson-corrected": _wilson_corrected,
    "clopper-pearson": _clopper_pearson,
    "agresti-coull": _agresti_coull,
    "wald": _wald,
    "wald-corrected": _wald_corrected,
}
