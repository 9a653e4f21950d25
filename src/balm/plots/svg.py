"""A small direct writer of SVG: real text, described for readers who cannot see it, the same bytes every time.

Figures call the methods of :class:`Drawing` in reading order (back to front) and take :meth:`Drawing.figure`. Nothing
is measured and nothing is looked up: positions come from a layout computed before. There are no scripts, no style
sheets and no external references, so a figure can be put into any page, or through any converter, unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
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
    """One figure being written.

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
        self.width = width
        self.height = height
        self.title = title
        self.description = description
        name = f"{crc32(f'{title}|{description}'.encode('utf-8', 'replace')):08x}"
        w, h = number(width), number(height)
        #: The elements written so far; a figure with many rows may append its own finished strings.
        self.parts: list[str] = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" '
            f'aria-labelledby="title-{name} desc-{name}" font-family="{escape(font_family)}" '
            f'font-size="{number(font_size)}" fill="{ink}">\n'
            f'<title id="title-{name}">{escape(title)}</title>\n<desc id="desc-{name}">{escape(description)}</desc>\n'
        ]
        if background is not None:
            self.parts.append(f'<rect width="{w}" height="{h}" fill="{background}"/>\n')

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
        extra = "" if anchor == "start" else f' text-anchor="{anchor}"'
        if bold:
            extra += ' font-weight="bold"'
        if size is not None:
            extra += f' font-size="{number(size)}"'
        if fill is not None:
            extra += f' fill="{fill}"'
        px, py = number(x), number(y)
        if rotate:
            extra += f' transform="rotate({number(rotate)} {px} {py})"'
        tip = "" if full is None else f"<title>{escape(full)}</title>"
        self.parts.append(f'<text x="{px}" y="{py}"{extra}>{tip}{escape(text)}</text>\n')

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
        extra = "" if dash is None else f' stroke-dasharray="{dash}"'
        self.parts.append(
            f'<line x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}" '
            f'stroke="{stroke}" stroke-width="{number(width)}"{extra}/>\n'
        )

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
        self._shape(
            f'rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
            + (f' rx="{number(radius)}"' if radius else ""),
            fill,
            stroke,
            stroke_width,
            full,
        )

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
        self._shape(f'circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}"', fill, stroke, stroke_width, full)

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
        self._shape(f'polygon points="{points(corners)}"', fill, stroke, stroke_width, full)

    def polyline(
        self,
        corners: list[tuple[float, float]],
        *,
        stroke: str = "#000",
        width: float = 1.0,
        dash: str | None = None,
    ) -> None:
        """An open line through ``corners``."""
        extra = "" if dash is None else f' stroke-dasharray="{dash}"'
        self.parts.append(
            f'<polyline points="{points(corners)}" fill="none" '
            f'stroke="{stroke}" stroke-width="{number(width)}"{extra}/>\n'
        )

    def path(self, d: str, *, fill: str = "none", stroke: str | None = None, stroke_width: float = 1.0) -> None:
        """A path; ``d`` is written as given, so format its numbers with :func:`number`."""
        self._shape(f'path d="{d}"', fill, stroke, stroke_width, None)

    def open_link(self, address: str) -> None:
        """What follows, up to :meth:`close_link`, leads to ``address`` (http, https, mailto, # or relative)."""
        self.parts.append(f'<a href="{escape(safe_link(address))}">')

    def close_link(self) -> None:
        """End the link opened last."""
        self.parts.append("</a>\n")

    def open_group(self, label: str | None = None) -> None:
        """Begin a group; ``label`` names it for assistive technology."""
        self.parts.append("<g>\n" if label is None else f'<g aria-label="{escape(label)}">\n')

    def close_group(self) -> None:
        """End the group opened last."""
        self.parts.append("</g>\n")

    def figure(self) -> Figure:
        """The finished figure."""
        return Figure("".join([*self.parts, "</svg>\n"]), self.width, self.height, self.title, self.description)

    def _shape(self, start: str, fill: str, stroke: str | None, stroke_width: float, full: str | None) -> None:
        extra = "" if stroke is None else f' stroke="{stroke}" stroke-width="{number(stroke_width)}"'
        if full is None:
            self.parts.append(f'<{start} fill="{fill}"{extra}/>\n')
        else:
            name = start.partition(" ")[0]
            self.parts.append(f'<{start} fill="{fill}"{extra}><title>{escape(full)}</title></{name}>\n')


def safe_link(address: str) -> str:
    """``address``, or ``#`` when its scheme could run something (``javascript:``, ``data:`` ...).

    >>> safe_link("https://example.org/a"), safe_link("java\\nscript:alert(1)"), safe_link("#row-3")
    ('https://example.org/a', '#', '#row-3')
    """
    cleaned = "".join(c for c in address if c > " " and c != "\x7f")
    scheme, colon, _ = cleaned.partition(":")
    is_scheme = colon and scheme[:1].isalpha() and scheme.isascii() and scheme.translate(_IN_SCHEMES).isalnum()
    return "#" if is_scheme and scheme.lower() not in ("http", "https", "mailto") else cleaned
