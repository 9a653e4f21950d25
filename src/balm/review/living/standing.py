"""A result and a certainty as they stood at two moments, and what the difference means."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from balm.stats.measures import MEASURES


class Estimated(Protocol):
    """An estimate with its interval on the scale that is shown; ``None`` where it is not estimable."""

    @property
    def estimate(self) -> float | None: ...

    @property
    def low(self) -> float | None: ...

    @property
    def high(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """A result as it stood: studies, participants, and the estimate with its interval on the scale that is shown."""

    k: int
    participants: float | None  # None = not known
    estimate: float | None
    low: float | None
    high: float | None
    p: float | None

    @property
    def status(self) -> str:
        """``pooled``, ``one study`` or ``no study``."""
        return "pooled" if self.k > 1 else "one study" if self.k == 1 else "no study"


@dataclass(frozen=True, slots=True)
class CertaintyChange:
    """The certainty of one analysis then and now, as decided and as proposed; what was then may not be known."""

    analysis: str
    before: str | None
    after: str
    proposed_before: str | None
    proposed_after: str

    @property
    def same(self) -> bool:
        """Whether neither the decision nor the proposal differs."""
        return (self.before in (None, self.after)) and self.proposed_before in (None, self.proposed_after)


def known(x: float) -> float | None:
    """A number that is one, else ``None``."""
    return float(x) if math.isfinite(x) else None


def crossing(measure: str, before: Estimated | None, after: Estimated | None) -> str:
    """How the interval's relation to no effect changed; empty where it did not or there is nothing to cross."""
    null = MEASURES[measure].scale.null if measure in MEASURES else None
    was, now = (_excludes(s, null) for s in (before, after))
    if was is None or now is None or was == now:
        return ""
    return "the interval now excludes no effect" if now else "the interval now includes no effect"


def _excludes(standing: Estimated | None, null: float | None) -> bool | None:
    if standing is None or null is None or standing.low is None or standing.high is None:
        return None
    return not standing.low <= null <= standing.high
