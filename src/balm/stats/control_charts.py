"""Control charts: is a series of results, or a row of sites, more uneven than chance alone makes it?

Shewhart's limits lie three standard deviations from the centre. p chart: Montgomery, Introduction to Statistical
Quality Control, section 7.2; individuals and moving range (XmR): section 6.4. Rules of the Western Electric handbook
(1956). Funnel limits of proportions: Spiegelhalter DJ. Stat Med 2005;24:1185-202, with exact binomial ends.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from balm.stats.distributions import binom_cdf, binom_pmf
from balm.vocabulary.problems import InputError
from balm.vocabulary.quick_dataclass import dataclass

#: Mean range of two normal values in standard deviations, and the factor of the upper limit of the range.
D2, D4 = 1.128, 3.267
#: Fewer points than this make limits that are guesses themselves.
MIN_POINTS = 12
RULES = (
    "one point beyond three standard deviations",
    "two of three points in a row beyond two standard deviations on the same side",
    "four of five points in a row beyond one standard deviation on the same side",
    "eight points in a row on the same side of the centre",
)


@dataclass(frozen=True, slots=True)
class ControlChart:
    """Points with centre and limits; ``signals[i]`` are the rules (numbers from 1) that point ``i`` completes."""

    kind: str
    values: tuple[float, ...]
    centre: float
    low: tuple[float, ...]
    high: tuple[float, ...]
    signals: tuple[tuple[int, ...], ...]
    sizes: tuple[int, ...] = ()  # p chart: people at each point
    ranges: tuple[float, ...] = ()  # XmR: moving ranges, one fewer than values
    mean_range: float = math.nan
    range_limit: float = math.nan

    @property
    def few(self) -> bool:
        """Whether there are too few points for the limits to be trusted."""
        return len(self.values) < MIN_POINTS


def p_chart(events: Sequence[int], n: Sequence[int]) -> ControlChart:
    """The p chart of ``events[i]`` in ``n[i]``: limits p +- 3 sqrt(p (1 - p) / n), cut at 0 and 1.

    >>> chart = p_chart([12, 15, 8, 10], [50, 50, 50, 50])
    >>> round(chart.centre, 3), round(chart.high[0], 3)
    (0.225, 0.402)
    """
    _checked(events, n)
    centre = sum(events) / sum(n)
    sigma = [math.sqrt(centre * (1 - centre) / size) for size in n]
    values = [x / size for x, size in zip(events, n, strict=True)]
    scores = [(v - centre) / s if s > 0 else 0.0 for v, s in zip(values, sigma, strict=True)]
    return ControlChart(
        "p chart",
        tuple(values),
        centre,
        tuple(max(0.0, centre - 3 * s) for s in sigma),
        tuple(min(1.0, centre + 3 * s) for s in sigma),
        _signals(scores),
        sizes=tuple(int(size) for size in n),
    )


def xmr_chart(values: Sequence[float]) -> ControlChart:
    """Individual values with their moving ranges: limits at the mean +- 3 (mean range / 1.128).

    >>> chart = xmr_chart([310, 288, 297, 298, 307])
    >>> chart.centre, round(chart.high[0], 1), chart.mean_range
    (300.0, 327.3, 10.25)
    """
    if len(values) < 2 or not all(math.isfinite(v) for v in values):
        raise InputError("values must be two or more finite numbers")
    ranges = [abs(b - a) for a, b in zip(values, list(values)[1:], strict=False)]
    mean, spread = math.fsum(values) / len(values), math.fsum(ranges) / len(ranges)
    sigma = spread / D2
    scores = [(v - mean) / sigma if sigma > 0 else 0.0 for v in values]
    return ControlChart(
        "XmR chart",
        tuple(float(v) for v in values),
        mean,
        (mean - 3 * sigma,) * len(values),
        (mean + 3 * sigma,) * len(values),
        _signals(scores),
        ranges=tuple(ranges),
        mean_range=spread,
        range_limit=D4 * spread,
    )


def funnel_limits(target: float, n: Sequence[int], *, level: float) -> list[tuple[float, float]]:
    """For each size the proportions between which a site at ``target`` falls with probability ``level``.

    Exact binomial quantiles, interpolated as in Spiegelhalter (2005), appendix A.1.1, so that the lines do not jump.
    """
    if not 0 < target < 1 or not 0 < level < 1:
        raise InputError(f"target and level must lie between 0 and 1; got {target!r} and {level!r}")
    tail = (1 - level) / 2
    return [(_interpolated(tail, size, target), _interpolated(1 - tail, size, target)) for size in n]


def _interpolated(p: float, n: int, target: float) -> float:
    """(r - alpha) / n, r the smallest number with cumulative probability of p or more."""
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if binom_cdf(middle, n, target) >= p else (middle + 1, high)
    alpha = (binom_cdf(low, n, target) - p) / binom_pmf(low, n, target)
    return min(max((low - alpha) / n, 0.0), 1.0)


def _signals(scores: Sequence[float]) -> tuple[tuple[int, ...], ...]:
    found: list[tuple[int, ...]] = []
    for i in range(len(scores)):
        here = []
        for rule, (window, least, beyond) in enumerate(((1, 1, 3.0), (3, 2, 2.0), (5, 4, 1.0), (8, 8, 0.0)), start=1):
            part = scores[max(0, i - window + 1) : i + 1]
            sides = (sum(s > beyond for s in part) >= least and scores[i] > beyond,
                     sum(s < -beyond for s in part) >= least and scores[i] < -beyond)  # fmt: skip
            if len(part) >= least and any(sides):
                here.append(rule)
        found.append(tuple(here))
    return tuple(found)


def _checked(events: Sequence[int], n: Sequence[int]) -> None:
    if len(events) != len(n) or not n:
        raise InputError(f"events and n must have one length of 1 or more; got {len(events)} and {len(n)}")
    for i, (x, size) in enumerate(zip(events, n, strict=True)):
        if not (size >= 1 and 0 <= x <= size):
            raise InputError(f"events must lie between 0 and n, n at least 1; got {x} of {size} at position {i}")
