"""The elements of our own SVG as plain values, so that a PDF is written from the same drawing.

Reads what :class:`balm.plots.svg.Drawing` and the forest plot write, and nothing else: an element, attribute or colour
beyond that raises :class:`NotOurs`, and the figure goes to a typesetter that knows all of SVG. Texts stay encoded bytes
(one byte a character) as given: a drawing has thousands, and most are copied as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

Colour = tuple[int, int, int]


class NotOurs(Exception):
    """The SVG holds something that only a full reader of SVG can draw."""


class Paint(NamedTuple):
    """How an element is drawn. ``anchor`` is the share of a text's width that lies before its position."""

    fill: Colour | None = (0, 0, 0)
    stroke: Colour | None = None
    width: float = 1.0
    dash: tuple[float, ...] = ()
    radius: float = 0.0
    anchor: float = 0.0
    bold: bool = False
    size: float = 12.0
    rotate: float = 0.0


#: Kind ("text", "rect", "line", "circle", "polygon", "polyline", "path"), its coordinates, its text and the shape of
#: that (every digit as 0, for digits are equally wide), how it is drawn.
Element = tuple[str, Sequence[bytes], bytes, bytes, Paint]

_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_START = b'<svg xmlns="http://www.w3.org/2000/svg" width="'
_TAG = re.compile(rb'<(/?\w+)(?: x="([^"]*)" y="([^"]*)")?([^>]*)>([^<]*)(?:</text> ?)?')
_SHAPES = {
    b"line": (b" x1=", b" y1=", b" x2=", b" y2="),
    b"circle": (b" cx=", b" cy=", b" r="),
    b"polygon": (b" points=",),
    b"polyline": (b" points=",),
}
_PASSED_OVER = frozenset((b"title", b"a", *[b"/" + n for n in b"svg title a text rect circle polygon path".split()]))
_ANCHORS = {"start": 0.0, "middle": 0.5, "end": 1.0}
#: Families that have the widths of the bundled font; the names also end the usual list.
_FAMILY = "Liberation Sans"


def elements(svg: bytes) -> Iterator[Element]:
    """Every element in the order of drawing."""
    if not svg.startswith(_START):
        raise NotOurs("the beginning")
    outer = _Paints(Paint())
    groups: list[_Paints] = []
    waiting: tuple[tuple[bytes, bytes], Paint] | None = None  # a text whose tooltip comes before its letters
    tags = _TAG.findall(svg)
    shapes = b"\n".join([tag[4] for tag in tags]).translate(_DIGITS).split(b"\n")
    for (tag, x, y, rest, text), shape in zip(tags, shapes, strict=True):
        if tag == b"text":
            if not x:
                raise NotOurs(rest)
            if text:
                yield "text", (x, y), text, shape, outer[rest]
            else:
                waiting = (x, y), outer[rest]
        elif tag == b"path":
            name, d, rest = rest.split(b'"', 2)
            if name != b" d=":
                raise NotOurs(rest)
            yield "path", (d,), b"", b"", outer[rest]
        elif tag == b"rect":
            pieces = rest.split(b'"', 4)
            if pieces[0] != b" width=":
                raise NotOurs(rest)
            yield "rect", (x or b"0", y or b"0", pieces[1], pieces[3]), b"", b"", outer[pieces[4]]
        elif tag in _SHAPES:
            names = _SHAPES[tag]
            pieces = rest.split(b'"', 2 * len(names))
            if tuple(pieces[:-1:2]) != names:
                raise NotOurs(rest)
            yield tag.decode("ascii"), pieces[1::2], b"", b"", outer[pieces[-1]]
        elif tag == b"g" or tag == b"svg":
            groups.append(outer)
            outer = _Paints(outer[rest])
        elif tag == b"/g":
            outer = groups.pop()
        elif tag == b"/title" and waiting is not None:
            yield "text", waiting[0], text, shape, waiting[1]
            waiting = None
        elif tag not in _PASSED_OVER:
            raise NotOurs(tag)


class _Paints(dict[bytes, Paint]):
    """Attributes -> how an element of this group with them is drawn; each kind is read once."""

    def __init__(self, outer: Paint) -> None:
        super().__init__()
        self._outer = outer

    def __missing__(self, attributes: bytes) -> Paint:
        paint = self[attributes] = _changed(self._outer, attributes)
        return paint


@lru_cache(512)
def _changed(paint: Paint, attributes: bytes) -> Paint:
    """``paint`` with what ``attributes`` change."""
    pieces = attributes.decode("latin-1").rstrip(" /").split('"')
    for name, value in zip(pieces[::2], pieces[1::2], strict=False):
        name = name.strip(" =")
        if name == "fill":
            paint = paint._replace(fill=_colour(value))
        elif name == "stroke":
            paint = paint._replace(stroke=_colour(value))
        elif name == "stroke-width":
            paint = paint._replace(width=float(value))
        elif name == "stroke-dasharray":
            paint = paint._replace(dash=tuple(map(float, value.split())))
        elif name == "rx":
            paint = paint._replace(radius=float(value))
        elif name == "text-anchor" and value in _ANCHORS:
            paint = paint._replace(anchor=_ANCHORS[value])
        elif name == "font-weight" and value == "bold":
            paint = paint._replace(bold=True)
        elif name == "font-size":
            paint = paint._replace(size=float(value))
        elif name == "transform" and value.startswith("rotate("):
            paint = paint._replace(rotate=float(value[7:].split()[0]))
        elif name == "font-family":
            if _FAMILY not in value:
                raise NotOurs(value)
        elif name not in ("xmlns", "width", "height", "viewBox", "role", "aria-labelledby", "aria-label"):
            raise NotOurs(name)
    return paint


def _colour(value: str) -> Colour | None:
    if value == "none":
        return None
    digits = value[1:] if len(value) == 7 else "".join([2 * digit for digit in value[1:]])
    if len(digits) != 6 or not value.startswith("#"):
        raise NotOurs(value)
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


_INTERVAL = re.compile(rb"M([\d.]+) ([\d.]+)H([\d.]+)")
_STEP = re.compile(rb"([MLHVZhvz])([^MLHVZhvz]*)")
_OTHER = re.compile(rb"[^MLHVZhvz0-9 ,.\-]")


def interval_of(d: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Start, height and end of a path that is one level line, as most are."""
    found = _INTERVAL.fullmatch(d)
    return (found[1], found[2], found[3]) if found else None


def path_of(d: bytes) -> list[tuple[list[tuple[float, float]], bool]]:
    """The corners of each part of a path of straight lines, and whether it is closed.

    >>> path_of(b"M1 2H5V4Z")
    [([(1.0, 2.0), (5.0, 2.0), (5.0, 4.0)], True)]
    """
    if _OTHER.search(d):
        raise NotOurs(d)
    found: list[tuple[list[tuple[float, float]], bool]] = []
    corners: list[tuple[float, float]] = []
    x = y = 0.0
    for command, values in _STEP.findall(d):
        if command in b"Zz":
            found.append((corners, True))
            corners = []
            continue
        numbers = [float(value) for value in values.replace(b",", b" ").split()]
        if command == b"M" and corners:
            found.append((corners, False))
            corners = []
        if command in b"ML":
            x, y = numbers
        elif command in b"Hh":
            x = numbers[0] + (x if command == b"h" else 0.0)
        else:
            y = numbers[0] + (y if command == b"v" else 0.0)
        corners.append((x, y))
    return [*found, (corners, False)] if corners else found


def corners_of(points: bytes) -> list[tuple[float, float]]:
    """The corners of a polygon or polyline."""
    values = [float(value) for value in points.replace(b",", b" ").split()]
    return list(zip(values[::2], values[1::2], strict=True))
