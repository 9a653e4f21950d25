"""The target of a rating: what one is certain about, and the threshold that this needs (Core GRADE 2)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from balm.review.certainty.body import Body
from balm.vocabulary.numbers import counted

ANY, IMPORTANT, LITTLE = "any effect", "an important effect", "little or no effect"
TARGETS = (ANY, IMPORTANT, LITTLE)
SOURCE = "Core GRADE 2 (BMJ 2025;389:e081904)"


@dataclass(frozen=True, slots=True)
class Target:
    """What the certainty is about. ``thresholds`` are on the rated scale; an interval that holds one is imprecise."""

    kind: str
    thresholds: tuple[float, ...]
    words: str

    def crossed(self, low: float, high: float) -> tuple[float, ...]:
        """The thresholds that lie inside an interval, its ends excluded."""
        return tuple(t for t in self.thresholds if low < t < high)

    def side(self, value: float) -> int:
        """In which of the parts that the thresholds make a value lies, counted from below."""
        return sum(value > t for t in self.thresholds)


def target_of(body: Body, kind: str | None = None) -> Target | None:
    """The target: where the estimate lies sets it, unless a person chose ``kind``; ``None`` without an estimate.

    With a minimal important difference, an estimate at or beyond it is rated as an important effect, one within it as
    little or no effect. Without one the rating is about any effect, and the threshold is no effect.

    >>> target_of(Body("pain", (), -1.6, -2.1, -1.1, important=1)).words
    'an important effect: at least 1 below no effect'
    >>> target_of(Body("pain", (), 0.3, -0.1, 0.9, important=1, unit="points on 0-10")).words
    'little or no effect: within 1 point on 0-10 of no effect'
    """
    if math.isnan(body.estimate):
        return None
    mid = body.important
    if kind is None:
        kind = ANY if mid is None else IMPORTANT if abs(body.estimate) >= mid else LITTLE
    if kind == ANY or mid is None:
        alone = "the proportion itself: without a control group there is no effect to rate"
        return Target(ANY, (0.0,), "any effect: the threshold is no effect" if body.controlled else alone)
    below = body.estimate < 0
    if kind == IMPORTANT:
        where = f"at least {counted(mid, body.unit)} {'below' if below else 'above'} no effect"
        if body.logarithmic:
            where = f"{body.named} {body.said(-mid)} or less" if below else f"{body.named} {body.said(mid)} or more"
        return Target(IMPORTANT, (-mid if below else mid,), f"an important effect: {where}")
    where = f"within {counted(mid, body.unit)} of no effect"
    if body.logarithmic:
        where = f"{body.named} between {body.said(-mid)} and {body.said(mid)}"
    return Target(LITTLE, (-mid, mid), f"little or no effect: {where}")
