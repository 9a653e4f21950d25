"""What printed figures imply for each other, with every printed number taken as the values that round to it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from balm.review.claims_in_text.tokens import Printed
from balm.stats.distributions import norm_ppf, norm_sf, t_ppf, t_sf

#: A mean difference of a small trial has its interval and p value from a t distribution. Fewer degrees of freedom than
#: this are not assumed: the range of p values that would fit grows too wide to find a slip in.
FEWEST_DF = 10.0
#: How far apart, as normal deviates, a p value and its interval may lie when another test of the same data (log-rank,
#: exact, likelihood ratio) explains it: the difference between Wald and log-rank of real trials stays within it.
OTHER_TEST = 0.12

_IDENTITY: Callable[[float], float] = float


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


def _atanh(x: float) -> float:
    return math.atanh(x) if -1 < x < 1 else math.copysign(math.inf, x)


_INTO: dict[str, Callable[[float], float]] = {"linear": _IDENTITY, "log": _log, "atanh": _atanh}
_BACK: dict[str, Callable[[float], float]] = {"linear": _IDENTITY, "log": math.exp, "atanh": math.tanh}


@dataclass(frozen=True, slots=True)
class PrintedP:
    """A p value as printed: ``relation`` is ``=``, ``<``, ``≤``, ``>`` or ``≥``."""

    relation: str
    figure: Printed

    def range(self) -> tuple[float, float]:
        """The p values that are printed so."""
        if self.relation in "<≤":
            return 0.0, self.figure.value
        if self.relation in ">≥":
            return self.figure.value, 1.0
        return max(0.0, self.figure.low), min(1.0, self.figure.high)

    def __str__(self) -> str:
        decimals = max(0, round(-math.log10(2 * self.figure.half))) if self.figure.half else 2
        shown = f"{self.figure.value:.{decimals}f}" if decimals <= 6 else f"{self.figure.value:.2g}"
        return f"p {self.relation} {shown}"


@dataclass(frozen=True, slots=True)
class Implied:
    """A p value with the range that the rounding of the printed figures leaves open."""

    p: float
    lowest: float
    highest: float

    def fits(self, printed: PrintedP) -> bool:
        """Whether a value of the range is printed so."""
        low, high = printed.range()
        return self.lowest <= high * (1 + 1e-9) and self.highest >= low * (1 - 1e-9)


@dataclass(frozen=True, slots=True)
class Figures:
    """An estimate and its interval, on the scale where the interval lies evenly about the estimate."""

    scale: str
    null: float
    estimate: Printed
    low: Printed
    high: Printed
    level: float = 0.95

    def on(self, scale: str) -> Figures:
        """The same figures read on another scale."""
        null = 1.0 if scale == "log" else 0.0
        return Figures(scale, null, self.estimate, self.low, self.high, self.level)

    def possible(self) -> bool:
        """Whether the scale has a place for the figures."""
        if self.scale == "log":
            return self.low.high > 0 and self.estimate.high > 0 and self.low.value >= 0
        if self.scale == "atanh":
            return self.low.value >= -1 and self.high.value <= 1
        return True

    def contains(self) -> bool:
        """Whether the interval holds the estimate, as far as rounding can tell."""
        slack = 1e-9 * (1 + abs(self.estimate.value))
        return self.estimate.high >= self.low.low - slack and self.estimate.low <= self.high.high + slack

    def holds_none(self) -> bool | None:
        """Whether the interval holds no effect; ``None`` where rounding leaves it open."""
        if self.low.high < self.null < self.high.low:
            return True
        if self.low.low > self.null or self.high.high < self.null:
            return False
        return None

    def shift(self) -> float:
        """How far the estimate lies from the middle, in half widths: 0 in the middle, 1 at a limit, at the least."""
        f = _INTO[self.scale]
        y0, y1 = f(self.estimate.low), f(self.estimate.high)
        m0 = (f(self.low.low) + f(self.high.low)) / 2
        m1 = (f(self.low.high) + f(self.high.high)) / 2
        half = (f(self.high.high) - f(self.low.low)) / 2
        if not math.isfinite(half) or half <= 0 or math.isnan(m0) or math.isnan(m1):
            return 0.0
        apart = max(0.0, y0 - m1, m0 - y1)
        return apart / half if math.isfinite(apart) else 0.0

    def middle(self) -> float:
        """The estimate that would lie in the middle."""
        f = _INTO[self.scale]
        middle = (f(self.low.value) + f(self.high.value)) / 2
        return _BACK[self.scale](middle) if math.isfinite(middle) else math.nan

    def z(self) -> tuple[float, float, float] | None:
        """The estimate over its standard error, with the least and the most that rounding allows, without sign."""
        f, none = _INTO[self.scale], _INTO[self.scale](self.null)
        y = f(self.estimate.value) - none
        ends = (f(self.estimate.low) - none, f(self.estimate.high) - none)
        width = f(self.high.value) - f(self.low.value)
        widest = f(self.high.high) - f(self.low.low)
        narrowest = f(self.high.low) - f(self.low.high)
        if not (math.isfinite(width) and math.isfinite(y)) or width <= 0:
            return None
        twice = 2 * norm_ppf(0.5 + self.level / 2)
        least = 0.0 if ends[0] <= 0 <= ends[1] else min(map(abs, ends)) * twice / widest
        most = max(map(abs, ends)) * twice / narrowest if narrowest > 0 else math.inf
        return abs(y) * twice / width, least, most

    def p(self) -> Implied | None:
        """The two-sided normal p value of no effect (Altman & Bland 2011, BMJ 343:d2304).

        >>> half = 0.005
        >>> nausea = Figures("log", 1.0, Printed(1.42, half), Printed(0.84, half), Printed(2.39, half))
        >>> round(nausea.p().p, 4)
        0.1887
        """
        z = self.z()
        return None if z is None else from_z(*z)

    def p_of_t(self, df: float = FEWEST_DF) -> Implied | None:
        """The p value when interval and test are those of a t distribution with ``df`` degrees of freedom."""
        z = self.z()
        if z is None:
            return None
        times = t_ppf(0.5 + self.level / 2, df) / norm_ppf(0.5 + self.level / 2)
        return Implied(*(2 * t_sf(value * times, df) for value in (z[0], z[2], z[1])))

    def interval_of(self, p: PrintedP) -> tuple[float, float] | None:
        """The interval that a p value printed with ``=`` implies about the estimate."""
        return interval_from_p(self.scale, self.null, self.estimate.value, p, self.level)


def from_z(z: float, least: float, most: float) -> Implied:
    """Two-sided p value of a normal deviate and of the ends of its range."""
    return Implied(2 * norm_sf(z), 2 * norm_sf(most) if math.isfinite(most) else 0.0, 2 * norm_sf(least))


def interval_from_p(
    scale: str, null: float, estimate: float, p: PrintedP, level: float = 0.95
) -> tuple[float, float] | None:
    """The interval about an estimate that its two-sided p value implies (Altman & Bland 2011, BMJ 343:d2090).

    >>> low, high = interval_from_p("log", 1.0, 0.81, PrintedP("=", Printed(0.03, 0.005)))
    >>> round(low, 2), round(high, 2)
    (0.67, 0.98)
    """
    if p.relation != "=" or not 0 < p.figure.value < 1:
        return None
    f, back = _INTO[scale], _BACK[scale]
    y = f(estimate) - f(null)
    if not math.isfinite(y) or y == 0:
        return None
    half = abs(y) / norm_ppf(1 - p.figure.value / 2) * norm_ppf(0.5 + level / 2)
    center = f(estimate)
    low, high = center - half, center + half
    return (back(low), back(high)) if max(abs(low), abs(high)) < 300 else None


def apart(z: tuple[float, float, float], p: PrintedP) -> float:
    """How far the deviate of a printed p value lies outside the range of deviates, 0 when inside."""
    low, high = p.range()
    from_high = norm_ppf(1 - min(high, 1.0) / 2) if high > 0 else math.inf
    from_low = norm_ppf(1 - low / 2) if low > 0 else math.inf
    return max(0.0, from_high - z[2], z[1] - from_low)
