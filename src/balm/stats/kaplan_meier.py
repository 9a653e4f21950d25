"""Kaplan-Meier: the share still without the event over time, where some are only followed for a while.

Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457-81. Variance: Greenwood (1926). Interval on the log-log scale:
Kalbfleisch & Prentice, The Statistical Analysis of Failure Time Data, section 1.4; median and its interval: Brookmeyer
& Crowley, Biometrics 1982;38:29-41.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from balm.stats.distributions import norm_ppf
from balm.vocabulary.problems import InputError, check_level, check_option
from balm.vocabulary.quick_dataclass import dataclass

SCALES = ("log-log", "log", "plain")


@dataclass(frozen=True, slots=True)
class Survival:
    """A survival curve: one entry for each distinct time at which somebody had the event or left.

    ``survival[i]`` holds from ``times[i]`` up to the next; before the first time it is 1. ``low`` and ``high`` are
    ``nan`` where the interval is not defined (survival 0, or 1 on the log-log scale at no event yet: then 1 to 1).
    """

    times: tuple[float, ...]
    at_risk: tuple[int, ...]
    events: tuple[int, ...]
    censored: tuple[int, ...]
    survival: tuple[float, ...]
    se: tuple[float, ...]  # Greenwood, of the survival
    low: tuple[float, ...]
    high: tuple[float, ...]
    n: int
    scale: str
    level: float

    @property
    def median(self) -> float:
        """The first time at which survival is one half or less; ``nan`` where it never is.

        Where survival is exactly one half over a stretch of time, its middle, as in R's survfit.
        """
        return _quantile(self.times, self.survival)

    @property
    def median_interval(self) -> tuple[float, float]:
        """The times at which the ends of the band cross one half; ``nan`` where an end never does."""
        return _quantile(self.times, self.low), _quantile(self.times, self.high)

    def at(self, time: float) -> tuple[float, float, float]:
        """Survival and its interval at ``time``; ``nan`` beyond the last time."""
        if not self.times or time > self.times[-1]:
            return (math.nan,) * 3 if self.times and self.survival[-1] > 0 else (0.0, math.nan, math.nan)
        found = (1.0, 1.0, 1.0)
        for t, s, low, high in zip(self.times, self.survival, self.low, self.high, strict=True):
            if t <= time:
                found = (s, low, high)
        return found

    def at_risk_at(self, time: float) -> int:
        """How many are still followed without the event just before ``time``."""
        gone = sum(e + c for t, e, c in zip(self.times, self.events, self.censored, strict=True) if t < time)
        return self.n - gone


def kaplan_meier(
    time: Sequence[float], event: Sequence[bool], *, scale: str = "log-log", level: float = 0.95
) -> Survival:
    """The Kaplan-Meier estimate.

    time  : (n,) 0 or more, in any unit: time to the event, or to the end of following.
    event : (n,) True for the event, False for an end of following without it (censored).
    scale : ``log-log`` (between 0 and 1 always), ``log`` (R's default) or ``plain`` (cut at 0 and 1).

    Somebody censored at the time of an event counts as at risk at that time.

    >>> curve = kaplan_meier([6, 6, 6, 7, 10], [True, True, False, True, False])
    >>> [round(s, 3) for s in curve.survival], curve.at_risk
    ([0.6, 0.3, 0.3], (5, 2, 1))
    """
    check_option("scale", scale, SCALES)
    check_level(level)
    if len(time) != len(event) or len(time) == 0:
        raise InputError(f"time and event must have one length of 1 or more; got {len(time)} and {len(event)}")
    for i, t in enumerate(time):
        if not (math.isfinite(t) and t >= 0):
            raise InputError(f"time must be a finite number of 0 or more; got {t!r} at position {i}")
    z = norm_ppf(0.5 + level / 2)
    counts: dict[float, list[int]] = {}
    for t, happened in zip(time, event, strict=True):
        counts.setdefault(float(t), [0, 0])[0 if happened else 1] += 1
    left, survival, greenwood = len(time), 1.0, 0.0
    rows: list[tuple[float, int, int, int, float, float, float, float]] = []
    for t in sorted(counts):
        d, c = counts[t]
        if d:
            survival *= (left - d) / left
            greenwood += d / (left * (left - d)) if left > d else math.inf
        low, high = _interval(survival, greenwood, z, scale)
        se = survival * math.sqrt(greenwood) if survival > 0 else 0.0
        rows.append((t, left, d, c, survival, se, low, high))
        left -= d + c
    columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True))
    times, at_risk, events, censored, survivals, ses, lows, highs = columns
    return Survival(times, at_risk, events, censored, survivals, ses, lows, highs, len(time), scale, level)


def _interval(s: float, greenwood: float, z: float, scale: str) -> tuple[float, float]:
    if s <= 0:
        return math.nan, math.nan
    if greenwood == 0:
        return 1.0, 1.0
    half = z * math.sqrt(greenwood)
    if scale == "plain":
        return max(s - s * half, 0.0), min(s + s * half, 1.0)
    if scale == "log":
        return s * math.exp(-half), min(s * math.exp(half), 1.0)
    spread = half / math.log(s)  # negative
    return s ** math.exp(-spread), s ** math.exp(spread)


def _quantile(times: Sequence[float], survival: Sequence[float]) -> float:
    #: Products of fractions miss one half by rounding; R's survfit allows the square root of the machine's step.
    close = 1.5e-8
    for i, (t, s) in enumerate(zip(times, survival, strict=True)):
        if abs(s - 0.5) < close:
            after = next((u for u, v in zip(times[i:], survival[i:], strict=True) if v < 0.5 - close), None)
            return t if after is None else (t + after) / 2
        if s < 0.5:
            return t
    return math.nan
