"""How a report is set: the width of its figures and the size of its text, as journals ask for them."""

from __future__ import annotations

from dataclasses import dataclass

from balm.plots.figure import Figure
from balm.vocabulary.problems import InputError

#: A4 with margins of 2 cm; the height leaves room for a caption.
TEXT_WIDTH_MM, TEXT_HEIGHT_MM = 170.0, 225.0
_MM_PER_PIXEL = 25.4 / 96


@dataclass(frozen=True, slots=True)
class Look:
    """``figure_width`` in millimetres is that of the widest figure (one column is often 85, two 170); ``font_size`` in
    points is that of the text, from which headings, tables and captions follow.

    >>> Look(figure_width=400)
    Traceback (most recent call last):
    balm.vocabulary.problems.InputError: figure_width must be between 40 and 170 mm; got 400
    """

    figure_width: float = TEXT_WIDTH_MM
    font_size: float = 10.0

    def __post_init__(self) -> None:
        if not 40 <= self.figure_width <= TEXT_WIDTH_MM:
            raise InputError(f"figure_width must be between 40 and {TEXT_WIDTH_MM:g} mm; got {self.figure_width:g}")
        if not 6 <= self.font_size <= 16:
            raise InputError(f"font_size must be between 6 and 16 points; got {self.font_size:g}")

    def size(self, figure: Figure) -> tuple[float, float]:
        """Width and height of a figure in millimetres: its own, made smaller where it would not fit."""
        width, height = figure.width * _MM_PER_PIXEL, figure.height * _MM_PER_PIXEL
        scale = min(1.0, self.figure_width / width, TEXT_HEIGHT_MM / height)
        return width * scale, height * scale
