"""Figures drawn into a PDF of another hand: each takes the place of an image of one pixel, whose colour is its number.

A typesetter that reads a figure as SVG shapes every text of it anew: in a report of a hundred figures a quarter of all
the time. PDF/UA forbids it to take the figure as PDF. So it sets a place holder, with size, caption, text alternative
and tag, and the drawing is added to the finished file as an update (ISO 32000-1, 7.5.6): the object of the image is
written once more, as a form (8.10), which the page paints in the same place.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

from balm.plots.pdf import Encoding, font_objects, painted, stream
from balm.plots.svg import number

if TYPE_CHECKING:
    from balm.plots.figure import Figure

_IMAGE = re.compile(rb"[\r\n](\d+) 0 obj\s*<<([^<>]*/Subtype\s*/Image\b[^<>]*)>>\s*stream\r?\n")
_LENGTH = re.compile(rb"/Length (\d+)")
_END = re.compile(rb"trailer\s*<<(?P<trailer>.*)>>\s*startxref\s*(?P<table>\d+)\s*%%EOF\s*$", re.S)
_SIZE = re.compile(rb"/Size (\d+)")
#: The end of a file is looked for in so many bytes.
_TAIL = 4096


class NotFound(Exception):
    """The file does not hold the place holders as expected."""


class Figures:
    """The figures of one file.

    >>> from balm.plots.figure import Figure
    >>> from balm.plots.svg import Drawing
    >>> Figures().add(Figure(Drawing(40.0, 30.0, title="Empty", description=""), 40.0, 30.0, "Empty", ""))
    (0, 0, 1)
    """

    def __init__(self) -> None:
        self._painted: list[tuple[Figure, str, Encoding, list[bool]]] = []

    def add(self, figure: Figure) -> tuple[int, int, int]:
        """Red, green and blue of its place holder; :class:`~balm.plots.shapes.NotOurs` where it must stay SVG."""
        self._painted.append((figure, *painted(figure)))
        count = len(self._painted)
        return count >> 16, count >> 8 & 255, count & 255

    def into(self, file: bytes) -> bytes:
        """``file`` with the figures; :class:`NotFound` unless there is one place holder for each."""
        if not self._painted:
            return file
        objects = self._places(file)
        end = _END.search(file, max(len(file) - _TAIL, 0))
        size = _SIZE.search(end["trailer"]) if end else None
        if end is None or size is None:
            raise NotFound("no trailer as expected")
        fonts: dict[tuple[Encoding, bool], int] = {}
        made: dict[int, bytes] = {}
        after = int(size[1])
        for at, (figure, operators, encoding, bolds) in zip(objects, self._painted, strict=True):
            for bold in bolds:
                if (encoding, bold) not in fonts:
                    fonts[encoding, bold] = after
                    made.update(enumerate(font_objects(encoding, bold, after), after))
                    after = max(made) + 1
            names = " ".join([f"/F{1 + bold} {fonts[encoding, bold]} 0 R" for bold in bolds])
            made[at] = _form(figure, operators, names)
        trailer = _SIZE.sub(b"/Size %d" % after, end["trailer"]) + b"/Prev " + end["table"]
        return _updated(file, made, trailer)

    def _places(self, file: bytes) -> list[int]:
        """The number of the object that holds the place of each figure."""
        found: dict[int, int] = {}
        for image in _IMAGE.finditer(file):
            if b"/Width 1/Height 1/" not in image[2] + b"/":
                continue
            length = _LENGTH.search(image[2])
            data = file[image.end() : image.end() + int(length[1])] if length else b""
            colour = zlib.decompress(data) if b"/FlateDecode" in image[2] else data
            found[int.from_bytes(colour, "big")] = int(image[1])
        if sorted(found) != list(range(1, len(self._painted) + 1)):
            raise NotFound(f"{len(found)} place holders for {len(self._painted)} figures")
        return [found[i] for i in sorted(found)]


def _form(figure: Figure, operators: str, fonts: str) -> bytes:
    """The object that paints a figure on the square from 0 to 1, upside up."""
    width, height = figure.width, figure.height
    about = (
        f"/Type/XObject/Subtype/Form/BBox[0 0 {number(width)} {number(height)}]"
        f"/Matrix[{1 / width:.9f} 0 0 {-1 / height:.9f} 0 1]/Resources<</Font<<{fonts}>>>>"
    )
    return stream(f"4 M\n{operators}".encode("latin-1"), about.encode("ascii"))


def _updated(file: bytes, objects: dict[int, bytes], trailer: bytes) -> bytes:
    """``file`` with objects added or written once more, and where they are."""
    out = [file, b"" if file.endswith(b"\n") else b"\n"]
    at, places = len(file) + len(out[1]), []
    for name, body in sorted(objects.items()):
        piece = b"%d 0 obj\n%s\nendobj\n" % (name, body)
        places.append(b"%d 1\n%010d 00000 n \n" % (name, at))
        out.append(piece)
        at += len(piece)
    out.append(b"xref\n" + b"".join(places))
    out.append(b"trailer\n<<" + trailer + b">>\nstartxref\n%d\n%%%%EOF\n" % at)
    return b"".join(out)
