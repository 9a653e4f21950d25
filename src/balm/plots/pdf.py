"""PDF of a figure, written directly: one page of the figure's size with one compressed content stream.

Text stays text: it is set in the bundled font, of which the characters in use are embedded with a map back to Unicode,
so it can be searched and copied, looks the same everywhere, and prints where fonts must be embedded. The page is tagged
as one figure with its text alternative. The same figure gives the same bytes. ISO 32000-1 (PDF 1.7).
"""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from math import cos, radians, sin
from typing import TYPE_CHECKING

from balm.plots.elements import Colour, Element, NotOurs, Paint, corners_of, elements, interval_of, path_of
from balm.plots.liberation import face
from balm.plots.svg import number
from balm.plots.text_width import BOLD, COVERED, REGULAR

if TYPE_CHECKING:
    from balm.plots.figure import Figure

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
_ESCAPES = ((b"\\", b"\\\\"), (b"(", b"\\("), (b")", b"\\)"))
_ENTITIES = ((b"&lt;", b"<"), (b"&gt;", b">"), (b"&quot;", b'"'), (b"&amp;", b"&"))
#: How far the control points of a quarter circle lie, as a share of its radius.
_KAPPA = 0.5522847498


class Encoding:
    """Characters as single bytes: ASCII as it is, ``extra`` on the free codes."""

    def __init__(self, extra: str) -> None:
        if len(extra) > len(_FREE):
            raise NotOurs("more characters than a font has codes")
        self.codes = {ord(c): c for c in _ASCII} | dict(zip(_FREE, extra, strict=False))
        self._map = codecs.charmap_build("\0" + "".join([self.codes.get(i, "\ufffe") for i in range(1, 256)]))
        #: By weight, the width of an escaped text in thousandths of the font size.
        self.widths = {bold: _Measured(self.codes, bold) for bold in (False, True)}

    def encode(self, text: str) -> bytes:
        """``text`` in this encoding; UnicodeEncodeError for a character it lacks."""
        return codecs.charmap_encode(text, "strict", self._map)[0]


class _Measured(dict[bytes, int]):
    """Escaped text -> width; numbers of one shape are asked for by that shape and measured once."""

    def __init__(self, codes: dict[int, str], bold: bool) -> None:
        super().__init__()
        widths = BOLD if bold else REGULAR
        self._advance = [widths[codes[i]] if i in codes else 0 for i in range(256)]

    def __missing__(self, escaped: bytes) -> int:
        if len(self) > 4096:
            self.clear()
        text = escaped.replace(b"\\\\", b"\0").replace(b"\\", b"").replace(b"\0", b"\\")
        width = self[escaped] = sum([self._advance[code] for code in _without_entities(text)])
        return width


def _without_entities(text: bytes) -> bytes:
    if b"&" in text:
        for entity, character in _ENTITIES:
            text = text.replace(entity, character)
    return text


@lru_cache(4)
def _encoding(extra: str) -> Encoding:
    return Encoding(extra)


def write_pdf(figure: Figure) -> bytes:
    """The figure as PDF; raises :class:`~balm.plots.elements.NotOurs` where it needs a typesetter."""
    encoding, svg = _encoded(figure.svg)
    for plain, escaped in _ESCAPES:
        svg = svg.replace(plain, escaped)
    svg = svg.replace(b'"rotate\\(', b'"rotate(').replace(b'\\)"', b')"')
    content, fonts = _content(elements(svg), encoding)
    width, height = number(figure.width * _POINTS), number(figure.height * _POINTS)
    page = f"/Figure<</MCID 0>>BDC\n.75 0 0 -.75 0 {height} cm 4 M\n".encode("ascii") + content + b"EMC\n"
    return _document(figure, page, width, height, encoding, fonts)


def _encoded(svg: str) -> tuple[Encoding, bytes]:
    """The drawing as bytes, and the encoding that made them: the usual one if it has every character."""
    body = svg.find("</desc>\n")
    if body < 0:
        raise NotOurs("no description")
    head = svg[: svg.find("\n")]
    drawing = (head + svg[body + len("</desc>\n") :]).replace("\n", " ")
    if "  " in drawing or "\t" in drawing:  # as SVG does: any white space is one space
        drawing = re.sub("[ \t]+", " ", drawing)
    usual = _encoding(_USUAL_EXTRA)
    try:
        return usual, usual.encode(drawing)
    except UnicodeEncodeError:
        extra = "".join(sorted(set(drawing) - set(_ASCII)))
        if not COVERED.issuperset(extra):
            raise NotOurs("characters outside the bundled font") from None
        own = _encoding(extra)
        return own, own.encode(drawing)


_USUAL_EXTRA = "".join(sorted(set(_USUAL)))


def _content(drawn: Iterable[Element], encoding: Encoding) -> tuple[bytes, list[bool]]:
    """The operators that paint every element, and the weights of the font they use."""
    out: list[bytes] = []
    add = out.append
    state = _State(add)
    looks: dict[int, _Look] = {}  # by identity, as equal ones are few and hashing all their fields is slow
    font = b""
    written: Paint | None = None
    in_text = False
    for kind, at, text, shape, paint in drawn:
        if kind == "text":
            if not in_text:
                add(b"BT\n")
                in_text, written = True, None
            if paint is not written:
                written = paint
                look = looks.get(id(paint))
                if look is None:
                    look = looks[id(paint)] = _Look(paint, encoding)
                if look.font != font:
                    font = look.font
                    add(font)
                if paint.fill != state.fill:
                    state.set_fill(look.fill)
                share, lefts = look.share, look.lefts
            if b"&" in text:
                text = _without_entities(text)
            x, y = at
            if paint.rotate:
                add(_rotated(x, y, text, paint, look.measured[shape]))
                continue
            if share:  # numbers of one shape in one column begin at one place
                left = lefts.get((x, shape))
                if left is None:
                    left = lefts[x, shape] = b"%.2f" % (float(x) - look.measured[shape] * share)
                x = left
            out += (b"1 0 0 -1 ", x, b" ", y, b" Tm(", text, b")Tj\n")
            continue
        if in_text:
            add(b"ET\n")
            in_text = False
        if paint is not state.applied:
            state.apply(paint)
        add(_SHAPES[kind](at, paint))
    if in_text:
        add(b"ET\n")
    return b"".join(out), sorted({look.paint.bold for look in looks.values()})


class _Look:
    """What texts drawn alike share: font, colour, anchor, and where those of one shape in one column begin."""

    __slots__ = ("fill", "font", "lefts", "measured", "paint", "share")

    def __init__(self, paint: Paint, encoding: Encoding) -> None:
        if paint.fill is None or paint.stroke is not None:
            raise NotOurs("a text that is outlined or not filled")
        self.paint = paint
        self.fill = paint.fill
        self.font = b"/F%d %s Tf\n" % (1 + paint.bold, number(paint.size).encode("ascii"))
        self.measured = encoding.widths[paint.bold]
        self.share = paint.anchor * paint.size * 0.001
        self.lefts: dict[tuple[bytes, bytes], bytes] = {}


def _rotated(x: bytes, y: bytes, text: bytes, paint: Paint, width: int) -> bytes:
    """A text turned clockwise by ``paint.rotate`` degrees around its position."""
    c, s = cos(radians(paint.rotate)), sin(radians(paint.rotate))
    before = width * paint.anchor * paint.size * 0.001
    at = float(x) - before * c, float(y) - before * s
    matrix = " ".join([f"{v:.4f}".rstrip("0").rstrip(".") for v in (c, s, s, -c)]).replace("-0 ", "0 ")
    return f"{matrix} {number(at[0])} {number(at[1])} Tm(".encode("ascii") + text + b")Tj\n"


class _State:
    """The colours, line width and dashes set last; only changes are written."""

    def __init__(self, add: Callable[[bytes], None]) -> None:
        self.add = add
        self.applied: Paint | None = None
        self.fill: Colour | None = (0, 0, 0)
        self.stroke: Colour | None = (0, 0, 0)
        self.width = 1.0
        self.dash: tuple[float, ...] = ()

    def set_fill(self, colour: Colour) -> None:
        self.fill, self.applied = colour, None
        self.add(_tone(colour) + b" rg\n")

    def apply(self, paint: Paint) -> None:
        """What a shape needs."""
        if paint.fill is not None and paint.fill != self.fill:
            self.set_fill(paint.fill)
        self.applied = paint
        if paint.stroke is None:
            return
        if paint.stroke != self.stroke:
            self.stroke = paint.stroke
            self.add(_tone(paint.stroke) + b" RG\n")
        if paint.width != self.width:
            self.width = paint.width
            self.add(number(paint.width).encode("ascii") + b" w\n")
        if paint.dash != self.dash:
            self.dash = paint.dash
            self.add(f"[{' '.join(map(number, paint.dash))}]0 d\n".encode("ascii"))


@lru_cache(256)
def _tone(colour: Colour) -> bytes:
    return " ".join([f"{c / 255:.3f}".rstrip("0").rstrip(".") for c in colour]).encode("ascii")


@lru_cache(512)
def _painted(paint: Paint) -> bytes:
    """The operator that fills, strokes or does both to the path before it."""
    if paint.fill is None:
        return b" S\n" if paint.stroke is not None else b" n\n"
    return b" f\n" if paint.stroke is None else b" B\n"


def _rect(at: Sequence[bytes], paint: Paint) -> bytes:
    if not paint.radius:
        return b" ".join(at) + b" re" + _painted(paint)
    x, y, w, h = map(float, at)
    r = min(paint.radius, w / 2, h / 2)
    k = r * (1 - _KAPPA)
    return _numbers(
        f"{x + r} {y} m {x + w - r} {y} l {x + w - k} {y} {x + w} {y + k} {x + w} {y + r} c {x + w} {y + h - r} l "
        f"{x + w} {y + h - k} {x + w - k} {y + h} {x + w - r} {y + h} c {x + r} {y + h} l "
        f"{x + k} {y + h} {x} {y + h - k} {x} {y + h - r} c {x} {y + r} l {x} {y + k} {x + k} {y} {x + r} {y} c h"
    ) + _painted(paint)


def _numbers(operators: str) -> bytes:
    """Operators with their full-precision numbers shortened."""
    return " ".join([w if w.isalpha() else number(float(w)) for w in operators.split()]).encode("ascii")


def _circle(at: Sequence[bytes], paint: Paint) -> bytes:
    x, y, r = map(float, at)
    k = r * _KAPPA
    quarter = b"%.2f %.2f %.2f %.2f %.2f %.2f c "
    return (b"%.2f %.2f m " + 4 * quarter + b"h") % (
        *(x + r, y, x + r, y + k, x + k, y + r, x, y + r),
        *(x - k, y + r, x - r, y + k, x - r, y, x - r, y - k, x - k, y - r, x, y - r),
        *(x + k, y - r, x + r, y - k, x + r, y),
    ) + _painted(paint)


def _line(at: Sequence[bytes], paint: Paint) -> bytes:
    return b"%s %s m %s %s l" % tuple(at) + _painted(paint._replace(fill=None))


def _poly(at: Sequence[bytes], paint: Paint) -> bytes:
    return _through(corners_of(at[0])) + (b"h" if paint.fill is not None else b"") + _painted(paint)


def _polygon(at: Sequence[bytes], paint: Paint) -> bytes:
    return _through(corners_of(at[0])) + b"h" + _painted(paint)


def _through(corners: list[tuple[float, float]]) -> bytes:
    flat = [value for corner in corners for value in corner]
    return (b"%.2f %.2f m " + b"%.2f %.2f l " * (len(corners) - 1)) % tuple(flat)


def _path(at: Sequence[bytes], paint: Paint) -> bytes:
    level = interval_of(at[0])
    if level is not None:
        start, y, end = level
        return b"".join((start, b" ", y, b" m ", end, b" ", y, b" l", _painted(paint)))
    parts = [_through(corners) + (b"h " if closed else b"") for corners, closed in path_of(at[0])]
    return b"".join(parts) + _painted(paint) if parts else b""


_SHAPES = {
    "rect": _rect,
    "line": _line,
    "circle": _circle,
    "polygon": _polygon,
    "polyline": _poly,
    "path": _path,
}


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
        _stream(page),
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
        objects += _font_objects(encoding, bold, first + 4 * i)
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


def _stream(data: bytes, more: bytes = b"") -> bytes:
    packed = zlib.compress(data, _COMPRESSION)
    return b"<</Length %d/Filter/FlateDecode%s>>\nstream\n%s\nendstream" % (len(packed), more, packed)


@lru_cache(8)
def _font_objects(encoding: Encoding, bold: bool, first: int) -> list[bytes]:
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
        _stream(file, b"/Length1 %d" % len(file)),
        _stream(_to_unicode(encoding.codes)),
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
