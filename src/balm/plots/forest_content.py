"""What a forest plot says, before anything has a place: columns, rows, lines of text, and where the intervals lie.

Built from a result once; the picture (:mod:`balm.plots.forest_layout`) and the table for readers who cannot see it
(:mod:`balm.plots.forest_table`) are two presentations of the same content, so they cannot disagree.
Everything numeric in a :class:`Row` is on the displayed scale (a risk ratio, not its logarithm).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import nan

#: Kinds of row drawn as a diamond.
POOLED_KINDS = ("subtotal", "total")


@dataclass(slots=True, eq=False, repr=False)
class Column:
    """A column left of the plot: ``group`` is 0 or 1 under an arm's heading, -1 on its own."""

    key: str
    heading: str
    group: int = -1


@dataclass(slots=True, eq=False, repr=False)
class Row:
    """One line of the figure.

    kind  : "study", "series" (a fit of leave-one-out or cumulative), "heading", "subtotal", "total", "prediction",
            "events" (total events) or "words".
    cells : one text a column of the content; empty for headings and words.
    share : weight in per cent, which the area of the square follows; ``nan`` when there is none.
    """

    kind: str
    label: str
    cells: list[str] = field(default_factory=list)
    estimate: float = nan
    low: float = nan
    high: float = nan
    share: float = nan
    link: str | None = None
    bias: tuple[str, ...] = ()


@dataclass(slots=True, eq=False, repr=False)
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
