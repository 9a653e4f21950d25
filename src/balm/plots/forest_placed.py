"""The pieces of an arranged forest plot, in pixels: what the drawing writes down and what the tests measure."""

from __future__ import annotations

from collections.abc import Sequence

from balm.plots.axis import Axis
from balm.plots.text_width import text_width


class Text:
    """A text with its baseline at (x, y); ``full`` shows on hovering, ``size`` is its own where it has one."""

    __slots__ = ("anchor", "bold", "full", "link", "size", "text", "x", "y")

    def __init__(
        self,
        x: float,
        y: float,
        text: str,
        anchor: str = "start",
        bold: bool = False,
        full: str | None = None,
        link: str | None = None,
        size: float = 0.0,
    ) -> None:
        self.x, self.y, self.text, self.anchor, self.bold = x, y, text, anchor, bold
        self.full, self.link, self.size = full, link, size

    def box(self, size: float) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the letters, for a font of ``size`` unless the text has its own."""
        own = self.size or size
        width = text_width(self.text, own, bold=self.bold)
        left = self.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * width
        return left, self.y - 0.74 * own, left + width, self.y + 0.22 * own


#: The texts of a row that share a baseline: y, the label (empty if it is a text of its own), one cell a column, bold.
#: Rows are many, so they and their squares are plain tuples; :attr:`Layout.texts` and :attr:`Layout.marks` name them.
Line = tuple[float, str, Sequence[str], bool]
#: The interval of a study: what follows ``kind`` in a :class:`Mark`.
Square = tuple[float, float, float, float, float, bool, bool]


class Mark:
    """An interval in the plot, in pixels. ``kind``: "square", "diamond", "bar"; a clipped end is an arrow.

    ``half`` is half the side of a square, or half the height of a diamond. The ends and the middle of a
    diamond may lie beyond the plot: the drawing cuts it at the edge.
    """

    __slots__ = ("clipped_high", "clipped_low", "half", "high", "kind", "low", "middle", "y")

    def __init__(
        self,
        kind: str,
        y: float,
        middle: float,
        low: float,
        high: float,
        half: float,
        clipped_low: bool = False,
        clipped_high: bool = False,
    ) -> None:
        self.kind, self.y, self.middle, self.low, self.high, self.half = kind, y, middle, low, high, half
        self.clipped_low, self.clipped_high = clipped_low, clipped_high


class Dot:
    """A risk-of-bias judgement, its centre at (x, y)."""

    __slots__ = ("judgement", "x", "y")

    def __init__(self, x: float, y: float, judgement: str) -> None:
        self.x, self.y, self.judgement = x, y, judgement


class Layout:
    """The finished arrangement; everything in pixels, y downwards.

    ``written`` holds texts and lines in the order of reading; ``margin`` is where the labels of lines begin, and
    ``places`` the position and anchor of their cells. ``shapes`` are the marks of pooled results. ``rules`` are the
    lines under an arm's name: x1, x2, y.
    """

    def __init__(self, width: float, axis: Axis, margin: float, places: list[tuple[float, str]]) -> None:
        self.width = width
        self.axis = axis
        self.margin = margin
        self.places = places
        self.height = self.axis_y = self.plot_top = self.rule_y = 0.0
        self.written: list[Text | Line] = []
        self.squares: list[Square] = []
        self.shapes: list[Mark] = []
        self.dots: list[Dot] = []
        self.rules: list[tuple[float, float, float]] = []
        self.null_x: float | None = None
        self.pooled_x: float | None = None
        self.reference_x: list[float] = []
        self.tick_x: list[float] = []

    @property
    def texts(self) -> list[Text]:
        """Every text on its own, those of the lines too: what a reader sees, in order."""
        return [text for one in self.written for text in self.texts_of(one)]

    @property
    def marks(self) -> list[Mark]:
        """Every interval of the plot: those of the studies, then those of pooled results."""
        return [Mark("square", *square) for square in self.squares] + self.shapes

    def texts_of(self, one: Text | Line) -> list[Text]:
        """The texts of a line one by one."""
        if isinstance(one, Text):
            return [one]
        y, label, cells, bold = one
        found = [Text(self.margin, y, label, "start", bold)] if label else []
        for (x, anchor), cell in zip(self.places, cells, strict=True):
            if cell:
                found.append(Text(x, y, cell, anchor, bold))
        return found
