"""PNG of a figure, painted directly: smooth shapes and the letters of the bundled font, in a palette of at most 256.

A pixel is the number of its colour. To cover a pixel in part is to look up, by its colour and the share covered in
fifteenths, the colour that the two make; each such mixture is made once. Figures are mostly white, and runs of one
number compress fast and well. The same figure gives the same bytes. PNG specification, third edition.
"""

from __future__ import annotations

import struct
import zlib
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from math import cos, radians, sin
from typing import TYPE_CHECKING, Any

import numpy as np

from balm.plots.coverage import Runs, around, box, boxes, counted, coverage, dashed, outlined
from balm.plots.lettering import lettering, turned
from balm.plots.liberation import FONT
from balm.plots.shapes import ANCHORS, Corners, NotOurs, colour, on_one_line, path_of
from balm.plots.text_width import text_width

if TYPE_CHECKING:
    from balm.plots.figure import Figure
    from balm.plots.svg import Drawing

_Colour = tuple[int, ...]
#: Shares of a pixel are told apart in so many steps.
_STEPS = 15
#: Mixtures take no more places in the palette than leave room for colours that are asked for; then the nearest serves.
_MIXTURES = 200
#: Longer runs of whole pixels are painted run by run, others pixel by pixel.
_LONG = 24
#: Larger images are left to the typesetter, which needs less memory.
_MOST_PIXELS = 40_000_000


def write_png(figure: Figure, scale: float) -> bytes:
    """The figure as PNG; raises :class:`~balm.plots.shapes.NotOurs` where it needs a typesetter."""
    drawing = figure.drawn
    if isinstance(drawing, str) or FONT not in drawing.font_family:
        raise NotOurs("not a drawing in the bundled font")
    width, height = max(round(figure.width * scale), 1), max(round(figure.height * scale), 1)
    if width * height > _MOST_PIXELS:
        raise NotOurs("a very large image")
    return _Canvas(drawing, width, height, scale).png()


class _Texts:
    """Texts in one look: where they begin, what they say, the share of the width that lies before that place."""

    __slots__ = ("before", "words", "xs", "ys")

    def __init__(self) -> None:
        self.xs: list[float] = []
        self.ys: list[float] = []
        self.words: list[str] = []
        self.before: list[float] = []

    def add(self, xs: Sequence[float], ys: Sequence[float], words: Sequence[str], before: Sequence[float]) -> None:
        """More of them."""
        self.xs += xs
        self.ys += ys
        self.words += words
        self.before += before


class _Canvas:
    """The image being painted. Its methods are the parts of a drawing, with the arguments that it keeps of them."""

    def __init__(self, drawing: Drawing, width: int, height: int, scale: float) -> None:
        self._drawing, self._scale = drawing, scale
        self._width, self._height = width, height
        #: A row begins with the byte that says how it is filtered: not at all.
        self._rows = np.zeros((height, width + 1), dtype=np.uint8)
        self._flat, self._stride = self._rows.reshape(-1), width + 1
        paper = colour(drawing.background or "#fff")
        self._colours: list[_Colour] = [paper]
        self._pure: dict[_Colour, int] = {paper: 0}
        self._mixed_before: dict[_Colour, int] = {}
        self._mixtures: dict[str, Any] = {}
        self._waiting: defaultdict[tuple[bool, float, str], _Texts] = defaultdict(_Texts)
        for kind, how in drawing.parts:
            if self._waiting and kind not in ("text", "table", "tag"):
                self._letters()
            getattr(self, kind)(*how)
        self._letters()

    def png(self) -> bytes:
        """The image as a file."""
        dots = round(self._scale * 96 / 0.0254)
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            [
                _chunk(b"IHDR", struct.pack(">IIBBBBB", self._width, self._height, 8, 3, 0, 0, 0)),
                _chunk(b"PLTE", bytes([channel for one in self._colours for channel in one])),
                _chunk(b"pHYs", struct.pack(">IIB", dots, dots, 1)),
                _chunk(b"IDAT", zlib.compress(self._rows.data, 1)),
                _chunk(b"IEND", b""),
            ]
        )

    # -- the parts of a drawing ----------------------------------------------------------------------------------

    def text(
        self,
        x: float,
        y: float,
        text: str,
        anchor: str,
        bold: bool,
        size: float | None,
        fill: str | None,
        full: str | None,
        rotate: float | None,
    ) -> None:
        size, fill = size or self._drawing.font_size, fill or self._drawing.ink
        text = on_one_line(text)
        if rotate:
            c, s = cos(radians(rotate)), sin(radians(rotate))
            before = ANCHORS[anchor] * text_width(text, size, bold=bold)
            self._fill(turned(text, bold, size, x - before * c, y - before * s, c, s), fill)
        elif text:
            self._waiting[bold, size, fill].add([x], [y], [text], [ANCHORS[anchor]])

    def table(self, ys: Sequence[float], columns: Sequence[tuple[float, str, Sequence[str]]]) -> None:
        waiting = self._waiting[False, self._drawing.font_size, self._drawing.ink]
        for x, anchor, texts in columns:
            waiting.add([x] * len(ys), ys, [on_one_line(text) for text in texts], [ANCHORS[anchor]] * len(ys))

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str, width: float, dash: str | None) -> None:
        self.polyline([(x1, y1), (x2, y2)], stroke, width, dash)

    def levels(
        self, lows: Sequence[float], ys: Sequence[float], highs: Sequence[float], stroke: str, width: float
    ) -> None:
        middle = np.asarray(ys)
        self._boxes(np.asarray(lows), middle - width / 2, np.asarray(highs), middle + width / 2, stroke)

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        radius: float,
        fill: str,
        stroke: str | None,
        stroke_width: float,
        full: str | None,
    ) -> None:
        if not radius and stroke is None and fill != "none":
            self._box(x, y, x + width, y + height, fill)
            return
        self._shape(_rounded(x, y, width, height, radius), fill, stroke, stroke_width)

    def squares(self, xs: Sequence[float], ys: Sequence[float], sides: Sequence[float], fill: str) -> None:
        left, top, side = np.asarray(xs), np.asarray(ys), np.asarray(sides)
        self._boxes(left, top, left + side, top + side, fill)

    def circle(
        self, x: float, y: float, radius: float, fill: str, stroke: str | None, stroke_width: float, full: str | None
    ) -> None:
        if fill != "none":
            self._disc(x, y, radius, 0.0, fill)
        if stroke is not None and stroke != "none":
            self._disc(x, y, radius, stroke_width, stroke)

    def polygon(self, corners: Corners, fill: str, stroke: str | None, stroke_width: float, full: str | None) -> None:
        self._shape(corners, fill, stroke, stroke_width)

    def polyline(self, corners: Corners, stroke: str, width: float, dash: str | None) -> None:
        parts = dashed(corners, [float(d) for d in dash.split()]) if dash else [corners]
        (x1, y1), (x2, y2) = corners[0], corners[-1]
        if len(corners) > 2 or (x1 != x2 and y1 != y2):
            self._fill([c for part in parts for c in outlined(part, width, False)], stroke)
            return
        across, down = (width / 2, 0.0) if x1 == x2 else (0.0, width / 2)
        if dash:
            ends, half = np.array(parts), np.array([across, down])
            low, high = (ends.min(axis=1) - half).T, (ends.max(axis=1) + half).T
            self._boxes(low[0], low[1], high[0], high[1], stroke)
        else:
            self._box(min(x1, x2) - across, min(y1, y2) - down, max(x1, x2) + across, max(y1, y2) + down, stroke)

    def path(self, d: str, fill: str, stroke: str | None, stroke_width: float) -> None:
        self.paths([d], fill, stroke, stroke_width)

    def paths(self, ds: Sequence[str], fill: str, stroke: str | None, width: float) -> None:
        for d in ds:
            parts = path_of(d)
            if fill != "none":
                self._fill([corners for corners, _ in parts], fill)
            if stroke is not None and stroke != "none":
                self._fill([c for corners, closed in parts for c in outlined(corners, width, closed)], stroke)

    def tag(self, text: str) -> None:
        """Links and groups are the page's, not the image's."""

    # -- painting ------------------------------------------------------------------------------------------------

    def _shape(self, corners: Corners, fill: str, stroke: str | None, width: float) -> None:
        """A closed shape, filled and then outlined."""
        if fill != "none":
            self._fill([corners], fill)
        if stroke is not None and stroke != "none":
            self._fill(outlined(corners, width, True), stroke)

    def _fill(self, contours: Sequence[Any], fill: str) -> None:
        """What lies inside ``contours``."""
        contours = [contour for contour in contours if len(contour) > 1]
        if contours:
            scale = self._scale
            self._paint(coverage([[(x * scale, y * scale) for x, y in contour] for contour in contours]), fill)

    def _disc(self, x: float, y: float, radius: float, width: float, fill: str) -> None:
        """A disc, or a ring of a ``width``; to an eighth of a pixel, for figures have many that are alike."""
        scale = self._scale
        (left, right), (top, down) = (divmod(round(v * scale * 8), 8) for v in (x, y))
        disc = _disc(right, down, radius * scale, width * scale)
        rows, columns, steps, (up, high, before, wide) = disc
        if top + up >= 0 and top + high < self._height and left + before >= 0 and left + wide < self._width:
            at = (rows + top) * self._stride + (columns + left + 1)
            self._flat[at] = self._mixed(self._flat[at], steps, fill)
        else:  # partly outside the image
            seen = (rows >= -top) & (rows < self._height - top) & (columns >= -left) & (columns < self._width - left)
            at = (rows[seen] + top) * self._stride + (columns[seen] + left + 1)
            self._flat[at] = self._mixed(self._flat[at], steps[seen], fill)

    def _box(self, x0: float, y0: float, x1: float, y1: float, fill: str) -> None:
        """A level rectangle."""
        scale = self._scale
        self._paint(box(x0 * scale, y0 * scale, x1 * scale, y1 * scale), fill)

    def _boxes(self, x0: Any, y0: Any, x1: Any, y1: Any, fill: str) -> None:
        """Level rectangles of about one height that do not touch each other."""
        scale = self._scale
        self._paint(boxes(x0 * scale, y0 * scale, x1 * scale, y1 * scale), fill)

    def _letters(self) -> None:
        """The texts that wait; they are set together, for no text stands on another."""
        scale = self._scale
        for (bold, size, fill), texts in self._waiting.items():
            xs, ys, before = (np.array(column) for column in (texts.xs, texts.ys, texts.before))
            letters = lettering(bold, size * scale)
            for at, shares in letters.pixels(
                xs * scale + 1, ys * scale, texts.words, before, self._height, self._stride
            ):
                self._flat[at] = self._mixed(self._flat[at], _in_steps(shares), fill)
        self._waiting.clear()

    def _paint(self, runs: Runs, fill: str) -> None:
        """``fill`` on the pixels of ``runs`` that are in the image."""
        rows, columns, lengths, shares = runs
        ends = np.minimum(columns + lengths, self._width)
        columns = np.maximum(columns, 0)
        lengths = np.where((rows >= 0) & (rows < self._height), np.maximum(ends - columns, 0), 0)
        begin, steps = rows * self._stride + columns + 1, _in_steps(shares)
        whole = (steps == _STEPS) & (lengths > _LONG)
        if whole.any():
            number = self._mixture(0, colour(fill), _STEPS)
            for start, end in zip(begin[whole].tolist(), (begin + lengths)[whole].tolist(), strict=True):
                self._flat[start:end] = number
            lengths[whole] = 0
        at = np.repeat(begin, lengths) + counted(lengths)
        self._flat[at] = self._mixed(self._flat[at], np.repeat(steps, lengths), fill)

    def _mixed(self, under: Any, steps: Any, fill: str) -> Any:
        """The numbers of the colours that ``fill`` makes on so many fifteenths of the colours ``under``."""
        table = self._mixtures.get(fill)
        if table is None:
            table = self._mixtures[fill] = np.full(256 * (_STEPS + 1), -1, dtype=np.int16)
        keys = under.astype(np.int16) * (_STEPS + 1) + steps
        found = table[keys]
        if found.min(initial=0) < 0:
            over, met = colour(fill), np.zeros(len(table), dtype=bool)
            met[keys] = True
            for key in np.flatnonzero(met & (table < 0)).tolist():
                table[key] = self._mixture(key // (_STEPS + 1), over, key % (_STEPS + 1))
            found = table[keys]
        return found

    def _mixture(self, under: int, over: _Colour, steps: int) -> int:
        """The number of the colour made by ``over`` on so many fifteenths of a pixel of the colour ``under``."""
        if steps == 0:
            return under
        if steps == _STEPS:
            number = self._pure.get(over)
            if number is None:
                number = self._pure[over] = self._new(over)
            return number
        below = self._colours[under]
        made = tuple([a + (b - a) * steps // _STEPS for a, b in zip(below, over, strict=True)])
        if self._pure.get(below) != under:  # a mixture in a mixture: where letters touch, a shade more or less
            made = tuple([(channel + 8) // 17 * 17 for channel in made])
        number = self._mixed_before.get(made)
        if number is None:
            count = len(self._colours)
            if count < _MIXTURES:
                number = self._new(made)
            else:
                number = int(np.abs(np.array(self._colours) - made).max(axis=1).argmin())
            self._mixed_before[made] = number
        return number

    def _new(self, made: _Colour) -> int:
        if len(self._colours) == 256:
            raise NotOurs("more colours than a palette holds")
        self._colours.append(made)
        return len(self._colours) - 1


@lru_cache(maxsize=512)
def _disc(right: int, down: int, radius: float, width: float) -> tuple[Any, Any, Any, tuple[int, int, int, int]]:
    """The pixels of a disc or ring, from ``right`` and ``down`` in eighths of one: rows, columns, steps, extent."""
    corners = around(right / 8, down / 8, radius)
    rows, columns, shares = coverage(outlined(corners, width, True) if width else [corners]).each()
    extent = (int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())) if len(rows) else (0, 0, 0, 0)
    return rows, columns, _in_steps(shares), extent


def _in_steps(shares: Any) -> Any:
    return (shares * _STEPS + 0.5).astype(np.int16)


def _rounded(x: float, y: float, width: float, height: float, radius: float) -> Corners:
    """The corners of a rectangle; round ones are broken into short sides."""
    x2, y2, r = x + width, y + height, min(radius, width / 2, height / 2)
    if not r:
        return [(x, y), (x2, y), (x2, y2), (x, y2)]
    found = []
    for quarter, (cx, cy) in enumerate(((x2 - r, y + r), (x2 - r, y2 - r), (x + r, y2 - r), (x + r, y + r))):
        for step in range(9):
            angle = radians(90 * (quarter - 1) + 11.25 * step)
            found.append((cx + r * cos(angle), cy + r * sin(angle)))
    return found


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
