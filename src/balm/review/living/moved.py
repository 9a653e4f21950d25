"""Which trial moved a result: each new one left out in turn, all else as it stands now."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from balm.review.living.standing import Standing, known
from balm.review.synthesis import AnalysisResult, fit_of
from balm.stats.pooling.pooled import Pooled


@dataclass(frozen=True, slots=True)
class Move:
    """One new trial: what is pooled without it, and by how much it moves the estimate (on the analysis scale).

    ``without`` is ``None`` where nothing is left to pool; then the move is not a number.
    """

    study: str
    label: str
    without: Pooled | None
    by: float

    @property
    def standing(self) -> Standing | None:
        """The result without it, as shown."""
        if self.without is None:
            return None
        shown = self.without.displayed
        low, high = known(shown.interval.low), known(shown.interval.high)
        return Standing(self.without.k, 0.0, known(shown.estimate), low, high, None)


def moves(result: AnalysisResult, new: Collection[str]) -> tuple[Move, ...]:
    """The ``new`` trials of an analysis, the one that moves the pooled estimate most first.

    By leaving out one at a time from today's analysis (with its model, and tau2 estimated again): trials that pull in
    opposite directions each show their own pull. Trials that carry no information move nothing.
    """
    fit, effects = result.whole, result.effects
    if fit is None or effects is None:
        return ()
    used = set(fit.effects.study)
    found = []
    for row in result.rows:
        if row.study not in new or row.label not in used:
            continue
        left = [i for i, label in enumerate(effects.study) if label != row.label]
        without = fit_of(effects[np.array(left, dtype=np.intp)], result.spec) if left else None
        by = math.nan if without is None else fit.estimate - without.estimate
        found.append(Move(row.study, row.label, without, by))
    return tuple(sorted(found, key=lambda m: -abs(m.by) if m.by == m.by else -math.inf))
