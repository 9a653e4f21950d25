"""The forest plot of one result by version: a diamond for the studies that each version, or milestone, had."""

from __future__ import annotations

from collections.abc import Sequence

from balm.plots.figure import Figure
from balm.plots.forest import forest
from balm.review.living.grown import Grown
from balm.stats.pooling.series import Series


def forest_by_version(steps: Sequence[Grown]) -> Figure | None:
    """The figure, oldest first; ``None`` where no version had a study with usable numbers.

    Versions without one are left out. The repeated looks are not corrected for.
    """
    drawn = [(s, s.result.whole) for s in steps if s.result.whole is not None]
    if not drawn:
        return None
    last, fit = drawn[-1]
    labels = tuple(f"{s.at.label} ({s.at.searched or s.at.date or 'undated'})" for s, _ in drawn)
    series = Series(labels, tuple(f for _, f in drawn if f is not None), fit)
    return forest(series, title=f"{last.result.title}: by version", study_heading="Version", overall=False)
