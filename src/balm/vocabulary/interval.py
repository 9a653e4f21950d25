"""An interval with its level: confidence, prediction or credible, always with named ends."""

from __future__ import annotations

from balm.vocabulary.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """``low`` to ``high`` at ``level`` coverage (0.95 means 95 %).

    An end that cannot be estimated is ``nan``, and whoever built the interval says why beside it.

    >>> Interval(0.33, 0.73, 0.95).high
    0.73
    """

    low: float
    high: float
    level: float = 0.95

    def __iter__(self):  # type: ignore[no-untyped-def]
        """Unpack as ``low, high = interval``."""
        yield self.low
        yield self.high

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high
