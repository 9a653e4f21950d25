"""A small direct writer of SVG: real text, described for readers who cannot see it, the same bytes every time.

Figures call the methods of :class:`Drawing` in reading order (back to front) and take :meth:`Drawing.figure`. Nothing
is measured and nothing is looked up: positions come from a layout computed before. The drawing keeps what was asked as
plain values; :meth:`Drawing.svg` prints them here, :mod:`balm.plots.pdf` and :mod:`balm.plots.png` print the same list.
There are no scripts, no style sheets and no external references, so a figure can be put into any page unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import chain, repeat
from typing import Any
from zlib import crc32

from balm.plots.figure import Figure

#: Helvetica, Arial and Liberation Sans share the widths in :mod:`balm.plots.text_width`.
FONT_FAMILY = "Helvetica, Arial, 'Liberation Sans', sans-serif"

# What XML cannot hold: control characters, lone surrogates. Compiled where a text has something that does not print.
_UNSAFE = "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"
_IN_SCHEMES = str.maketrans("+.-", "000")


def escape(text: str) -> str:
    """``text`` safe inside an element or a quoted attribute; characters that XML cannot hold become U+FFFD.

    >>> escape('A & B "<2020>"')
    'A &amp; B &quot;&lt;2020&gt;&quot;'
    """
    if not text.isprintable():
        text = re.sub(_UNSAFE, "\ufffd", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


@lru_cache(8192)  # the rows and columns of a figure share most of their coordinates
def number(x: float) -> str:
    """A coordinate: two decimals at most, as short as it goes, never ``-0``.

    >>> number(12.0), number(0.128), number(-0.001)
    ('12', '0.13', '0')
    """
    if 100 <= x < 999.994:  # here two decimals are five digits, and g drops zeros
        return f"{x:.5g}"
    text = f"{x:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def numbers(xs: Sequence[float]) -> list[str]:
    """:func:`number` of every coordinate of a column, all written at once where they are equally long.

    >>> numbers([120.0, 120.128]), numbers([9.999, -0.001])
    (['120', '120.13'], ['10', '0'])
    """
    if xs and min(xs) >= 100 and max(xs) < 1000:  # here two decimals are five digits, and %g drops zeros
        return ("%.5g " * len(xs) % tuple(xs)).split()
    texts = [t.rstrip("0").rstrip(".") for t in ("%.2f " * len(xs) % tuple(xs)).split()]
    return texts if "-0" not in texts else ["0" if t == "-0" else t for t in texts]


def points(pairs: list[tuple[float, float]]) -> str:
    """Corner points as the ``points`` attribute of a polygon or polyline."""
    return " ".join([f"{number(x)},{number(y)}" for x, y in pairs])


class Drawing:
    """One figure being drawn: a list of parts, back to front, that the writers of SVG, PDF and PNG each print.

    ``title`` is the short name read out first, ``description`` the long text alternative: both are required, because
    a figure without them is invisible to some readers. Colours are SVG colours; ``size`` is the font size in pixels.

    >>> drawing = Drawing(120, 40, title="One study", description="A single point.")
    >>> drawing.text(10, 20, "Smith & Co 2001", bold=True)
    >>> drawing.line(10, 30, 110, 30)
    >>> figure = drawing.figure()
    >>> "Smith &amp; Co 2001</text>" in figure.svg
    True
    """

    def __init__(
        self,
        width: float,
        height: float,
        *,
        title: str,
        description: str,
        font_family: str = FONT_FAMILY,
        font_size: float = 12.0,
        background: str | None = "#fff",
        ink: str = "#000",
    ) -> None:
        self.width, self.height = width, height
        self.title, self.description = title, description
        self.font_family, self.font_size = font_family, font_size
        self.background, self.ink = background, ink
        #: What was drawn: the name of the method that drew it, and its arguments in the order of ``_WRITERS``.
        self.parts: list[tuple[str, tuple[Any, ...]]] = []

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        anchor: str = "start",
        bold: bool = False,
        size: float | None = None,
        fill: str | None = None,
        full: str | None = None,
        rotate: float | None = None,
    ) -> None:
        """Write ``text`` with its baseline at ``y``; ``anchor`` is start, middle or end; ``full`` shows on hovering."""
        self.parts.append(("text", (x, y, text, anchor, bold, size, fill, full, rotate)))

    def table(self, ys: Sequence[float], columns: Sequence[tuple[float, str, Sequence[str]]]) -> None:
        """Texts in the usual size and ink that share baselines: (x, anchor, one text for each of ``ys``) a column."""
        self.parts.append(("table", (ys, columns)))

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        *,
        stroke: str = "#000",
        width: float = 1.0,
        dash: str | None = None,
    ) -> None:
        """A straight line; ``dash`` as in SVG ("4 3")."""
        self.parts.append(("line", (x1, y1, x2, y2, stroke, width, dash)))

    def levels(
        self, lows: Sequence[float], ys: Sequence[float], highs: Sequence[float], *, stroke: str, width: float
    ) -> None:
        """Many level lines drawn alike."""
        if ys:
            self.parts.append(("levels", (lows, ys, highs, stroke, width)))

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: str = "none",
        stroke: str | None = None,
        stroke_width: float = 1.0,
        radius: float = 0.0,
        full: str | None = None,
    ) -> None:
        """A rectangle from its upper left corner."""
        self.parts.append(("rect", (x, y, width, height, radius, fill, stroke, stroke_width, full)))

    def squares(self, xs: Sequence[float], ys: Sequence[float], sides: Sequence[float], *, fill: str) -> None:
        """Many squares drawn alike, from their upper left corners."""
        if ys:
            self.parts.append(("squares", (xs, ys, sides, fill)))

    def circle(
        self,
        x: float,
        y: float,
        radius: float,
        *,
        fill: str = "none",
        stroke: str | None = None,
        stroke_width: float = 1.0,
        full: str | None = None,
    ) -> None:
        """A circle around (x, y)."""
        self.parts.append(("circle", (x, y, radius, fill, stroke, stroke_width, full)))

    def polygon(
        self,
        corners: list[tuple[float, float]],
        *,
        fill: str = "none",
        stroke: str | None = None,
        stroke_width: float = 1.0,
        full: str | None = None,
    ) -> None:
        """A closed shape through ``corners``."""
        self.parts.append(("polygon", (corners, fill, stroke, stroke_width, full)))

    def polyline(
        self,
        corners: list[tuple[float, float]],
        *,
        stroke: str = "#000",
        width: float = 1.0,
        dash: str | None = None,
    ) -> None:
        """An open line through ``corners``."""
        self.parts.append(("polyline", (corners, stroke, width, dash)))

    def path(self, d: str, *, fill: str = "none", stroke: str | None = None, stroke_width: float = 1.0) -> None:
        """A path; ``d`` is written as given, so format its numbers with :func:`number`."""
        self.parts.append(("path", (d, fill, stroke, stroke_width)))

    def paths(self, ds: Sequence[str], *, fill: str = "none", stroke: str | None = None, width: float = 1.0) -> None:
        """Paths drawn alike."""
        if ds:
            self.parts.append(("paths", (ds, fill, stroke, width)))

    def open_link(self, address: str) -> None:
        """What follows, up to :meth:`close_link`, leads to ``address`` (http, https, mailto, # or relative)."""
        self.parts.append(("tag", (f'<a href="{escape(safe_link(address))}">',)))

    def close_link(self) -> None:
        """End the link opened last."""
        self.parts.append(("tag", ("</a>\n",)))

    def open_group(self, label: str | None = None) -> None:
        """Begin a group; ``label`` names it for assistive technology."""
        self.parts.append(("tag", ("<g>\n" if label is None else f'<g aria-label="{escape(label)}">\n',)))

    def close_group(self) -> None:
        """End the group opened last."""
        self.parts.append(("tag", ("</g>\n",)))

    def figure(self) -> Figure:
        """The finished figure."""
        return Figure(self, self.width, self.height, self.title, self.description)

    def svg(self) -> str:
        """What was drawn as SVG."""
        name = f"{crc32(f'{self.title}|{self.description}'.encode('utf-8', 'replace')):08x}"
        w, h = number(self.width), number(self.height)
        linked = any(kind == "tag" and how[0].startswith("<a ") for kind, how in self.parts)
        role = "group" if linked else "img"  # what is inside an image cannot be reached
        out = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="{role}" '
            f'aria-labelledby="title-{name} desc-{name}" font-family="{escape(self.font_family)}" '
            f'font-size="{number(self.font_size)}" fill="{self.ink}">\n'
            f'<title id="title-{name}">{escape(self.title)}</title>\n'
            f'<desc id="desc-{name}">{escape(self.description)}</desc>\n'
        ]
        if self.background is not None:
            out.append(f'<rect width="{w}" height="{h}" fill="{self.background}"/>\n')
        out += [_WRITERS[kind](*how) for kind, how in self.parts]
        out.append("</svg>\n")
        return "".join(out)


#: What follows the position of a text, by anchor and weight.
_STYLES = {
    (anchor, bold): ("" if anchor == "start" else f' text-anchor="{anchor}"') + (' font-weight="bold"' if bold else "")
    for anchor in ("start", "middle", "end")
    for bold in (False, True)
}


def _text(
    x: float,
    y: float,
    text: str,
    anchor: str,
    bold: bool,
    size: float | None,
    fill: str | None,
    full: str | None,
    rotate: float | None,
) -> str:
    extra = _STYLES[anchor, bold]
    if size is not None:
        extra += f' font-size="{number(size)}"'
    if fill is not None:
        extra += f' fill="{fill}"'
    px, py = number(x), number(y)
    if rotate:
        extra += f' transform="rotate({number(rotate)} {px} {py})"'
    tip = "" if full is None else f"<title>{escape(full)}</title>"
    return f'<text x="{px}" y="{py}"{extra}>{tip}{escape(text)}</text>\n'


def _table(ys: Sequence[float], columns: Sequence[tuple[float, str, Sequence[str]]]) -> str:
    """Row by row, as one reads; written column by column."""
    y = list(map(number, ys))
    pieces: list[Iterable[str]] = []
    for x, anchor, column in columns:
        whole = "".join(column)
        texts = column if escape(whole) is whole else map(escape, column)
        start, middle = f'<text x="{number(x)}" y="', f'"{_STYLES[anchor, False]}>'
        pieces += [repeat(start), y, repeat(middle), texts, repeat("</text>\n")]
    return "".join(chain.from_iterable(zip(*pieces, strict=False)))


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str, width: float, dash: str | None) -> str:
    extra = "" if dash is None else f' stroke-dasharray="{dash}"'
    return (
        f'<line x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}" '
        f'stroke="{stroke}" stroke-width="{number(width)}"{extra}/>\n'
    )


def _levels(lows: Sequence[float], ys: Sequence[float], highs: Sequence[float], stroke: str, width: float) -> str:
    columns = zip(numbers(lows), map(number, ys), numbers(highs), strict=True)
    return _alike([f'<path d="M{low} {y}H{high}"/>' for low, y, high in columns], "none", stroke, width)


def _rect(
    x: float,
    y: float,
    width: float,
    height: float,
    radius: float,
    fill: str,
    stroke: str | None,
    stroke_width: float,
    full: str | None,
) -> str:
    start = f'rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
    return _shape(start + (f' rx="{number(radius)}"' if radius else ""), fill, stroke, stroke_width, full)


def _squares(xs: Sequence[float], ys: Sequence[float], sides: Sequence[float], fill: str) -> str:
    columns = zip(numbers(xs), numbers(ys), map(number, sides), strict=True)
    shapes = [f'<rect x="{x}" y="{y}" width="{side}" height="{side}"/>' for x, y, side in columns]
    return _alike(shapes, fill, None, 1.0)


def _circle(
    x: float, y: float, radius: float, fill: str, stroke: str | None, stroke_width: float, full: str | None
) -> str:
    return _shape(f'circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}"', fill, stroke, stroke_width, full)


def _polygon(
    corners: list[tuple[float, float]], fill: str, stroke: str | None, stroke_width: float, full: str | None
) -> str:
    return _shape(f'polygon points="{points(corners)}"', fill, stroke, stroke_width, full)


def _polyline(corners: list[tuple[float, float]], stroke: str, width: float, dash: str | None) -> str:
    extra = "" if dash is None else f' stroke-dasharray="{dash}"'
    return (
        f'<polyline points="{points(corners)}" fill="none" stroke="{stroke}" stroke-width="{number(width)}"{extra}/>\n'
    )


def _path(d: str, fill: str, stroke: str | None, stroke_width: float) -> str:
    return _shape(f'path d="{d}"', fill, stroke, stroke_width, None)


def _paths(ds: Sequence[str], fill: str, stroke: str | None, width: float) -> str:
    return _alike([f'<path d="{d}"/>' for d in ds], fill, stroke, width)


def _alike(shapes: list[str], fill: str, stroke: str | None, width: float) -> str:
    """Shapes in a group that says once how they are drawn."""
    how = f'fill="{fill}"' if stroke is None else f'stroke="{stroke}" stroke-width="{number(width)}" fill="{fill}"'
    return f"<g {how}>\n" + "\n".join(shapes) + "\n</g>\n"


def _shape(start: str, fill: str, stroke: str | None, stroke_width: float, full: str | None) -> str:
    extra = "" if stroke is None else f' stroke="{stroke}" stroke-width="{number(stroke_width)}"'
    if full is None:
        return f'<{start} fill="{fill}"{extra}/>\n'
    name = start.partition(" ")[0]
    return f'<{start} fill="{fill}"{extra}><title>{escape(full)}</title></{name}>\n'


_WRITERS: dict[str, Callable[..., str]] = {
    "text": _text,
    "table": _table,
    "line": _line,
    "levels": _levels,
    "rect": _rect,
    "squares": _squares,
    "circle": _circle,
    "polygon": _polygon,
    "polyline": _polyline,
    "path": _path,
    "paths": _paths,
    "tag": str,
}


def safe_link(address: str) -> str:
    """``address``, or ``#`` when its scheme could run something (``javascript:``, ``data:`` ...).

    >>> safe_link("https://example.org/a"), safe_link("java\\nscript:alert(1)"), safe_link("#row-3")
    ('https://example.org/a', '#', '#row-3')
    """
    cleaned = "".join(c for c in address if c > " " and c != "\x7f")
    scheme, colon, _ = cleaned.partition(":")
    is_scheme = colon and scheme[:1].isalpha() and scheme.isascii() and scheme.translate(_IN_SCHEMES).isalnum()
    return "#" if is_scheme and scheme.lower() not in ("http", "https", "mailto") else cleaned
