"""What a forest plot says, before anything has a place: columns, rows, lines of text, and where the intervals lie.

Built from a result once; the picture (:mod:`balm.plots.forest_layout`) and the table for readers who cannot see it
(:mod:`balm.plots.forest_table`) are two presentations of the same content, so they cannot disagree.
Everything numeric in a :class:`Row` is on the displayed scale (a risk ratio, not its logarithm).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

from balm.vocabulary.quick_dataclass import dataclass

#: Kinds of row drawn as a diamond.
POOLED_KINDS = ("subtotal", "total")


class Column:
    """A column left of the plot: ``group`` is 0 or 1 under an arm's heading, -1 on its own."""

    __slots__ = ("group", "heading", "key")

    def __init__(self, key: str, heading: str, group: int = -1) -> None:
        self.key, self.heading, self.group = key, heading, group


class Row:
    """One line of the figure.

    kind  : "study", "series" (a fit of leave-one-out or cumulative), "heading", "subtotal", "total", "prediction",
            "events" (total events) or "words".
    cells : one text a column of the content; empty for headings and words.
    share : weight in per cent, which the area of the square follows; ``nan`` when there is none.
    """

    __slots__ = ("bias", "cells", "estimate", "high", "kind", "label", "link", "low", "share")

    def __init__(
        self,
        kind: str,
        label: str,
        cells: Sequence[str] = (),
        estimate: float = nan,
        low: float = nan,
        high: float = nan,
        share: float = nan,
        link: str | None = None,
        bias: tuple[str, ...] = (),
    ) -> None:
        self.kind, self.label, self.cells = kind, label, cells
        self.estimate, self.low, self.high, self.share = estimate, low, high, share
        self.link, self.bias = link, bias


@dataclass(frozen=True)
class Content:
    """Everything a forest plot says, in reading order.

    ``method`` stands under the measure's name ("M-H, Fixed, 95% CI"); ``columns`` end with the effect text when it is
    shown; ``null`` is the value of no effect, if there is one; ``footers`` stand under the rows.
    """

    title: str
    description: str
    measure_name: str
    method: str
    columns: list[Column]
    groups: tuple[str, ...]
    rows: list[Row]
    footers: list[str]
    log: bool
    null: float | None
    study_heading: str = "Study"
    bias_domains: tuple[str, ...] = ()
