"""PDF of a figure, written directly: one page of the figure's size with one compressed content stream.

Text stays text: it is set in the bundled font, of which the characters in use are embedded with a map back to Unicode,
so it can be searched and copied, looks the same everywhere, and prints where fonts must be embedded. The page is tagged
as one figure with its text alternative. The same figure gives the same bytes. ISO 32000-1 (PDF 1.7).
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, repeat
from math import cos, radians, sin
from typing import TYPE_CHECKING

from balm.plots.liberation import FONT, face
from balm.plots.shapes import ANCHORS, KAPPA, Corners, NotOurs, colour, on_one_line, path_of, texts_of
from balm.plots.svg import number, numbers
from balm.plots.text_width import BOLD, COVERED, REGULAR, text_width

if TYPE_CHECKING:
    from balm.plots.figure import Figure
    from balm.plots.svg import Drawing

#: CSS pixels to points: SVG counts 96 to the inch, PDF 72.
_POINTS = 0.75
#: Repeated digits and coordinates compress well at the lowest level; higher ones cost more time than all the rest.
_COMPRESSION = 1
_ASCII = "".join(map(chr, range(32, 127)))
#: Codes free for characters beyond ASCII: not those that mean something inside a PDF string or a file.
_FREE = [*range(1, 8), *range(14, 32), *range(128, 256)]
#: Beyond ASCII, what names and numbers of most figures need; a figure with other characters has a table of its own.
_USUAL = "−–—±×·…°²³½≤≥≠≈∞τχσμβαρθωφ√•†‡‘’“”€→←²ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ"
_USUAL += "ŁłŚśŠšŹźŻżŽžĄąĆćČčĐđĎďĘęĚěĞğİıŃńŇňŐőŘřŞşŢţŤťŮůŰűŒœ\u00a0"
_DIGITS = bytes.maketrans(b"123456789", b"000000000")


class Encoding:
    """Characters as single bytes: ASCII as it is, ``extra`` on the free codes; NUL stands between texts."""

    def __init__(self, extra: str) -> None:
        if len(extra) > len(_FREE):
            raise NotOurs("more characters than a font has codes")
        self.codes = {ord(c): c for c in _ASCII} | dict(zip(_FREE, extra, strict=False))
        self._map = codecs.charmap_build("\0" + "".join([self.codes.get(i, "\ufffe") for i in range(1, 256)]))
        self._advance = [REGULAR[self.codes[i]] if i in self.codes else 0 for i in range(256)]
        self._widths: dict[bytes, int] = {}

    def encode(self, text: str) -> bytes:
        """``text`` in this encoding; UnicodeEncodeError for a character it lacks."""
        return codecs.charmap_encode(text, "strict", self._map)[0]

    def width(self, shape: bytes) -> int:
        """Width of an encoded text of the regular weight, in thousandths of the font size."""
        found = self._widths.get(shape)
        if found is None:
            if len(self._widths) > 4096:
                self._widths.clear()
            found = self._widths[shape] = sum(map(self._advance.__getitem__, shape))
        return found


@lru_cache(4)
def _encoding(extra: str) -> Encoding:
    return Encoding(extra)


def write_pdf(figure: Figure) -> bytes:
    """The figure as PDF; raises :class:`~balm.plots.shapes.NotOurs` where it needs a typesetter."""
    operators, encoding, fonts = painted(figure)
    width, height = number(figure.width * _POINTS), number(figure.height * _POINTS)
    content = f"/Figure<</MCID 0>>BDC\n.75 0 0 -.75 0 {height} cm 4 M\n{operators}EMC\n".encode("latin-1")
    return _document(figure, content, width, height, encoding, fonts)


def painted(figure: Figure) -> tuple[str, Encoding, list[bool]]:
    """The operators that paint a figure, the encoding of its texts, and the weights of its font that it uses."""
    drawing = figure.drawn
    if isinstance(drawing, str) or FONT not in drawing.font_family:
        raise NotOurs("not a drawing in the bundled font")
    encoding = _encoding(_USUAL_EXTRA)
    try:
        page = _Page(drawing, encoding)
    except UnicodeEncodeError:
        extra = "".join(sorted(set("".join(texts_of(drawing))) - set(_ASCII)))
        if not COVERED.issuperset(extra):
            raise NotOurs("characters outside the bundled font") from None
        encoding = _encoding(extra)
        page = _Page(drawing, encoding)
    return page.operators(), encoding, sorted(page.fonts)


_USUAL_EXTRA = "".join(sorted(set(_USUAL)))


class _Page:
    """The operators that paint every part of a drawing. Only changes of font, colour and line are written.

    Operators are text of which every character is one byte: encoded texts stand in it as they are.
    """

    def __init__(self, drawing: Drawing, encoding: Encoding) -> None:
        self._drawing, self._encoding = drawing, encoding
        self._out: list[str] = []
        self._write = self._out.append
        self.fonts: set[bool] = set()
        self._in_text = False
        self._font: tuple[bool, float] | None = None
        self._fill = self._stroke = "#000"
        self._width = 1.0
        self._dash: str | None = None
        if drawing.background is not None:
            self.rect(0.0, 0.0, drawing.width, drawing.height, 0.0, drawing.background, None, 1.0, None)
        for kind, how in drawing.parts:
            getattr(self, kind)(*how)

    def operators(self) -> str:
        """What stands on the page, as text of which every character is one byte."""
        return "".join(self._out) + ("ET\n" if self._in_text else "")

    # -- the parts of a drawing, with the arguments that it keeps of them ----------------------------------------

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
        size = size or self._drawing.font_size
        self._letters(bold, size, fill or self._drawing.ink)
        text = on_one_line(text)
        if "\0" in text:
            raise NotOurs("a character that is no text")
        before = ANCHORS[anchor] * text_width(text, size, bold=bold) if anchor != "start" else 0.0
        matrix = "1 0 0 -1"
        if rotate:
            c, s = cos(radians(rotate)), sin(radians(rotate))
            matrix = " ".join([f"{v:.4f}".rstrip("0").rstrip(".") for v in (c, s, s, -c)]).replace("-0 ", "0 ")
            x, y, before = x - before * c, y - before * s, 0.0
        said = _escaped(self._encoding.encode(text))
        self._write(f"{matrix} {number(x - before)} {number(y)} Tm({said})Tj\n")

    def table(self, ys: Sequence[float], columns: Sequence[tuple[float, str, Sequence[str]]]) -> None:
        size = self._drawing.font_size
        self._letters(False, size, self._drawing.ink)
        after = [f" {number(y)} Tm(" for y in ys]
        pieces: list[Iterable[str]] = []
        for x, anchor, texts in columns:
            joined = "\0".join(texts)
            if "  " in joined or "\n" in joined or "\t" in joined or "\r" in joined:
                joined = "\0".join(map(on_one_line, texts))
            encoded = self._encoding.encode(joined)
            said = _escaped(encoded).split("\0")
            if len(said) != len(ys):
                raise NotOurs("a character that is no text")
            lefts: Iterable[str]
            if anchor == "start":
                lefts = repeat(f"1 0 0 -1 {number(x)}")
            else:  # digits are equally wide: texts of one shape begin at one place
                share = ANCHORS[anchor] * size * 0.001
                shapes = encoded.translate(_DIGITS).split(b"\0")
                left = {s: f"1 0 0 -1 {number(x - share * self._encoding.width(s))}" for s in set(shapes)}
                lefts = map(left.__getitem__, shapes)
            pieces += [lefts, after, said, repeat(")Tj\n")]
        self._out += chain.from_iterable(zip(*pieces, strict=False))

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str, width: float, dash: str | None) -> None:
        self._paint(None, stroke, width, dash)
        self._write(f"{number(x1)} {number(y1)} m {number(x2)} {number(y2)} l S\n")

    def levels(
        self, lows: Sequence[float], ys: Sequence[float], highs: Sequence[float], stroke: str, width: float
    ) -> None:
        self._paint(None, stroke, width)
        columns = zip(numbers(lows), map(number, ys), numbers(highs), strict=True)
        self._write("".join([f"{low} {y} m {high} {y} l S\n" for low, y, high in columns]))

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        radius: float,
        fill: str | None,
        stroke: str | None,
        stroke_width: float,
        full: str | None,
    ) -> None:
        done = self._paint(fill, stroke, stroke_width)
        if not radius:
            self._write(f"{number(x)} {number(y)} {number(width)} {number(height)} re {done}")
            return
        r = min(radius, width / 2, height / 2)
        k, x2, y2 = r * (1 - KAPPA), x + width, y + height
        corners = (
            (x2 - r, y, x2 - k, y, x2, y + k, x2, y + r),
            (x2, y2 - r, x2, y2 - k, x2 - k, y2, x2 - r, y2),
            (x + r, y2, x + k, y2, x, y2 - k, x, y2 - r),
            (x, y + r, x, y + k, x + k, y, x + r, y),
        )
        sides = ["{} {} l {} {} {} {} {} {} c".format(*map(number, corner)) for corner in corners]
        self._write(f"{number(x + r)} {number(y)} m {' '.join(sides)} h {done}")

    def squares(self, xs: Sequence[float], ys: Sequence[float], sides: Sequence[float], fill: str) -> None:
        self._paint(fill, None, 1.0)
        columns = zip(numbers(xs), numbers(ys), map(number, sides), strict=True)
        self._write("".join([f"{x} {y} {side} {side} re f\n" for x, y, side in columns]))  # one by one: sharper

    def circle(
        self, x: float, y: float, radius: float, fill: str, stroke: str | None, stroke_width: float, full: str | None
    ) -> None:
        done = self._paint(fill, stroke, stroke_width)
        r, k = radius, radius * KAPPA
        places = (
            *(x + r, y, x + r, y + k, x + k, y + r, x, y + r),
            *(x - k, y + r, x - r, y + k, x - r, y, x - r, y - k, x - k, y - r, x, y - r),
            *(x + k, y - r, x + r, y - k, x + r, y),
        )
        self._write(_CIRCLE % places + done)

    def polygon(self, corners: Corners, fill: str, stroke: str | None, stroke_width: float, full: str | None) -> None:
        done = self._paint(fill, stroke, stroke_width)
        self._write(f"{_through(corners)} h {done}")

    def polyline(self, corners: Corners, stroke: str, width: float, dash: str | None) -> None:
        self._write(f"{_through(corners)} {self._paint(None, stroke, width, dash)}")

    def path(self, d: str, fill: str, stroke: str | None, stroke_width: float) -> None:
        self.paths([d], fill, stroke, stroke_width)

    def paths(self, ds: Sequence[str], fill: str, stroke: str | None, width: float) -> None:
        done = self._paint(fill, stroke, width)
        for d in ds:
            drawn = [_through(corners) + (" h" if closed else "") for corners, closed in path_of(d)]
            if drawn:
                self._write("\n".join([*drawn, done]))

    def tag(self, text: str) -> None:
        """Links and groups are the page's, not the paper's."""

    # -- state ---------------------------------------------------------------------------------------------------

    def _letters(self, bold: bool, size: float, fill: str) -> None:
        """What letters need."""
        if not self._in_text:
            self._write("BT\n")
            self._in_text = True
        if (bold, size) != self._font:
            self._font = bold, size
            self.fonts.add(bold)
            self._write(f"/F{1 + bold} {number(size)} Tf\n")
        if fill != self._fill:
            self._fill = fill
            self._write(_tone(fill) + " rg\n")

    def _paint(self, fill: str | None, stroke: str | None, width: float, dash: str | None = None) -> str:
        """What a shape needs; returns the operator that then fills it, strokes it or does both."""
        if self._in_text:
            self._write("ET\n")
            self._in_text = False
        filled = fill is not None and fill != "none"
        if filled and fill != self._fill:
            self._fill = str(fill)
            self._write(_tone(self._fill) + " rg\n")
        if stroke is None or stroke == "none":
            return "f\n" if filled else "n\n"
        if stroke != self._stroke:
            self._stroke = stroke
            self._write(_tone(stroke) + " RG\n")
        if width != self._width:
            self._width = width
            self._write(f"{number(width)} w\n")
        if dash != self._dash:
            self._dash = dash
            self._write(f"[{dash or ''}]0 d\n")
        return "B\n" if filled else "S\n"


_CIRCLE = "%.2f %.2f m " + 4 * "%.2f %.2f %.2f %.2f %.2f %.2f c " + "h "


def _escaped(encoded: bytes) -> str:
    """An encoded text as it stands in a string of the page."""
    text = encoded.decode("latin-1")
    for mark in "\\()":
        if mark in text:
            text = text.replace(mark, "\\" + mark)
    return text


def _through(corners: Corners) -> str:
    return " l ".join([f"{number(x)} {number(y)}" for x, y in corners]).replace(" l", " m", 1) + (
        " l" if len(corners) > 1 else " m"
    )


@lru_cache(256)
def _tone(value: str) -> str:
    return " ".join([f"{c / 255:.3f}".rstrip("0").rstrip(".") for c in colour(value)])


def _document(figure: Figure, page: bytes, width: str, height: str, encoding: Encoding, fonts: list[bool]) -> bytes:
    """The file: catalogue, page, content, tags, information, and the fonts in use."""
    first = 9
    names = " ".join([f"/F{1 + bold} {first + 4 * i} 0 R" for i, bold in enumerate(fonts)])
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/MarkInfo<</Marked true>>/StructTreeRoot 5 0 R/Lang(en)"
        b"/ViewerPreferences<</DisplayDocTitle true>>>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Contents 4 0 R/StructParents 0"
        f"/Resources<</Font<<{names}>>>>>>".encode("ascii"),
        stream(page),
        b"<</Type/StructTreeRoot/K 6 0 R/ParentTree 7 0 R>>",
        f"<</Type/StructElem/S/Figure/P 5 0 R/Pg 3 0 R/K 0/A<</O/Layout/BBox[0 0 {width} {height}]>>/Alt ".encode(
            "ascii"
        )
        + _words(figure.description)
        + b">>",
        b"<</Nums[0[6 0 R]]>>",
        b"<</Title " + _words(figure.title) + b"/Creator(balm)>>",
    ]
    for i, bold in enumerate(fonts):
        objects += font_objects(encoding, bold, first + 4 * i)
    out = [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"]
    at, places = len(out[0]), []
    for i, body in enumerate(objects, 1):
        places.append(b"%010d 00000 n \n" % at)
        piece = b"%d 0 obj\n%s\nendobj\n" % (i, body)
        out.append(piece)
        at += len(piece)
    count = len(objects) + 1
    out.append(b"xref\n0 %d\n0000000000 65535 f \n" % count + b"".join(places))
    out.append(b"trailer\n<</Size %d/Root 1 0 R/Info 8 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, at))
    return b"".join(out)


def _words(text: str) -> bytes:
    return b"<feff" + text.encode("utf-16-be", "replace").hex().encode("ascii") + b">"


def stream(data: bytes, more: bytes = b"") -> bytes:
    """``data``, compressed, as an object; ``more`` stands in its dictionary."""
    packed = zlib.compress(data, _COMPRESSION)
    return b"<</Length %d/Filter/FlateDecode%s>>\nstream\n%s\nendstream" % (len(packed), more, packed)


@lru_cache(8)
def font_objects(encoding: Encoding, bold: bool, first: int) -> list[bytes]:
    """The font, its description, the embedded file and the way back to Unicode: objects ``first`` and after."""
    font = face(bold)
    file = font.subset(encoding.codes)
    widths = BOLD if bold else REGULAR
    listed = " ".join([str(widths[encoding.codes[c]]) if c in encoding.codes else "0" for c in range(256)])
    name = f"{'BALMAB' if bold else 'BALMAA'}+LiberationSans{'-Bold' if bold else ''}"
    box = " ".join([str(round(v * 1000 / font.units)) for v in font.box])
    return [
        f"<</Type/Font/Subtype/TrueType/BaseFont/{name}/FirstChar 0/LastChar 255/Widths[{listed}]"
        f"/FontDescriptor {first + 1} 0 R/ToUnicode {first + 3} 0 R>>".encode("ascii"),
        f"<</Type/FontDescriptor/FontName/{name}/Flags 4/FontBBox[{box}]/ItalicAngle 0/Ascent 905/Descent -212"
        f"/CapHeight 729/StemV {138 if bold else 80}/FontFile2 {first + 2} 0 R>>".encode("ascii"),
        stream(file, b"/Length1 %d" % len(file)),
        stream(_to_unicode(encoding.codes)),
    ]


def _to_unicode(codes: dict[int, str]) -> bytes:
    pairs = [f"<{code:02x}><{ord(c):04x}>" for code, c in sorted(codes.items())]
    blocks = [pairs[i : i + 100] for i in range(0, len(pairs), 100)]
    return (
        "/CIDInit/ProcSet findresource begin 12 dict begin begincmap/CMapType 2 def/CMapName/Characters def\n"
        "1 begincodespacerange<00><ff>endcodespacerange\n"
        + "".join([f"{len(b)} beginbfchar\n" + "\n".join(b) + "\nendbfchar\n" for b in blocks])
        + "endcmap CMapName currentdict/CMap defineresource pop end end\n"
    ).encode("ascii")
