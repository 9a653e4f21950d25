"""How a report is set: the width of its figures and the size of its text, as journals ask for them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from balm.plots.figure import Figure
from balm.vocabulary.problems import InputError, check_option

#: A4 with margins of 2 cm; the height leaves room for a caption.
TEXT_WIDTH_MM, TEXT_HEIGHT_MM = 170.0, 225.0
_MM_PER_PIXEL = 25.4 / 96
#: Kind of letters -> the font of a Word file, and of a PDF (where it travels inside the file).
FONTS = {"sans": ("Arial", "Liberation Sans"), "serif": ("Times New Roman", "Libertinus Serif")}


@dataclass(frozen=True, slots=True)
class Look:
    """``figure_width`` in millimetres is that of the widest figure (one column is often 85, two 170); ``font_size`` in
    points is that of the text, from which headings, tables and captions follow; ``font`` is "sans" or "serif";
    ``figure_height`` in millimetres is that of the tallest figure.

    >>> Look(figure_width=400)
    Traceback (most recent call last):
    balm.vocabulary.problems.InputError: figure_width must be between 40 and 170 mm; got 400
    """

    figure_width: float = TEXT_WIDTH_MM
    font_size: float = 10.0
    font: str = "sans"
    figure_height: float = TEXT_HEIGHT_MM

    def __post_init__(self) -> None:
        if not 40 <= self.figure_width <= TEXT_WIDTH_MM:
            raise InputError(f"figure_width must be between 40 and {TEXT_WIDTH_MM:g} mm; got {self.figure_width:g}")
        if not 40 <= self.figure_height <= TEXT_HEIGHT_MM:
            raise InputError(f"figure_height must be between 40 and {TEXT_HEIGHT_MM:g} mm; got {self.figure_height:g}")
        if not 6 <= self.font_size <= 16:
            raise InputError(f"font_size must be between 6 and 16 points; got {self.font_size:g}")
        check_option("font", self.font, tuple(FONTS))

    def size(self, figure: Figure) -> tuple[float, float]:
        """Width and height of a figure in millimetres: its own, made smaller where it would not fit."""
        width, height = figure.width * _MM_PER_PIXEL, figure.height * _MM_PER_PIXEL
        scale = min(1.0, self.figure_width / width, self.figure_height / height)
        return width * scale, height * scale


#: Journal -> the look its figures are asked for in, and where that was read. A page holds 170 mm. These have no
#: row, for a name must promise nothing it lacks: BMJ (formatting pages of authors.bmj.com) and Cochrane ("Figures and
#: tables" of its editorial policy resource) name no width and no font; Elsevier's page on sizing names 7 point letters
#: and no width; of NEJM and Springer no page of their own with widths was read (2026-11-23).
JOURNALS: dict[str, tuple[Look, str]] = {
    "jama": (
        Look(figure_width=127.0),
        "AMA Manual of Style: figures at least 5 inches wide; nothing on fonts was read",
    ),
    "lancet": (
        Look(figure_width=154.0, font="serif"),
        "two columns of 75 and 154 mm, Times New Roman: read in a guide of others, not in the journal's own",
    ),
    "nature": (
        Look(figure_height=170.0),
        "Nature's figure guide (research-figure-guide.nature.com): one column 89 mm, two 183 mm, at most 170 mm high, "
        "Arial or Helvetica; the page of a report holds 170 mm",
    ),
    "plos": (
        Look(figure_height=222.3),
        "PLOS, Figures: 66.8 to 190.5 mm wide, at most 222.3 mm high, Arial, Times or Symbol of 8 to 12 points",
    ),
}


def look_of(
    journal: str | None = None,
    figure_width: float | None = None,
    font_size: float | None = None,
    font: str | None = None,
) -> Look:
    """The look of a journal, with what is given changed.

    >>> look_of("lancet", font_size=9)
    Look(figure_width=154.0, font_size=9, font='serif', figure_height=225.0)
    """
    if journal is not None:
        check_option("journal", journal, tuple(JOURNALS))
    start = JOURNALS[journal][0] if journal else Look()
    given = {"figure_width": figure_width, "font_size": font_size, "font": font}
    return replace(start, **{name: value for name, value in given.items() if value is not None})
