"""A finished figure: its SVG, its size and words, and the ways to keep it."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from balm.vocabulary.problems import InputError
from balm.vocabulary.quick_dataclass import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from balm.plots.svg import Drawing

ENDINGS = (".svg", ".png", ".pdf")
#: CSS pixels to points: SVG counts 96 to the inch, print 72.
_POINTS = 0.75
_MAX_PIXELS = 400_000_000
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


@dataclass(frozen=True, eq=False)
class Figure:
    """A picture: SVG, PNG and PDF of one drawing, each written when asked.

    ``drawn`` is the drawing, or SVG text of another hand. ``width`` and ``height`` are CSS pixels (96 to the inch);
    ``title`` and ``description`` are its text alternative.
    """

    drawn: Drawing | str
    width: float
    height: float
    title: str
    description: str

    @cached_property
    def svg(self) -> str:
        """The picture as SVG text, self-contained and byte-for-byte the same for the same input."""
        return self.drawn if isinstance(self.drawn, str) else self.drawn.svg()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the figure; the ending of ``path`` chooses among .svg, .png and .pdf.

        The file appears whole or not at all: it is written beside its place and moved there.
        """
        from pathlib import Path  # costs more to import than drawing does, and only who saves from Python needs it

        self.write(path)
        return Path(path)

    def write(self, path: str | os.PathLike[str]) -> None:
        """As :meth:`save`, with nothing returned."""
        name = os.fspath(path)
        ending = os.path.splitext(name)[1].lower()
        if ending == ".svg":
            data = self.svg.encode("utf-8")
        elif ending == ".png":
            data = self.png()
        elif ending == ".pdf":
            data = self.pdf()
        else:
            raise InputError(f"path must end in one of {list(ENDINGS)}; got {str(path)!r}")
        _write_whole(name, data)

    def png(self, scale: float = 2.0) -> bytes:
        """PNG bytes; ``scale`` is image pixels per CSS pixel, so 3.125 prints at 300 dots per inch.

        As with :meth:`pdf`, what :mod:`balm.plots.png` does not paint is typeset by typst.
        """
        if not 0 < scale <= 20:
            raise InputError(f"scale must be above 0 and at most 20; got {scale!r}")
        if self.width * self.height * scale * scale > _MAX_PIXELS:
            raise InputError(f"scale={scale!r} makes an image too large to hold; use a smaller scale, .svg or .pdf")
        from balm.plots.shapes import NotOurs

        try:
            from balm.plots.png import write_png  # brings NumPy

            return write_png(self, scale)
        except NotOurs:
            return self._typeset("png", ppi=72.0 * scale / _POINTS)

    def pdf(self) -> bytes:
        """PDF bytes: one page of the figure's size, text kept as text, with title and text alternative.

        A figure with characters or elements that :mod:`balm.plots.pdf` does not write is typeset by typst.
        """
        from balm.plots.pdf import write_pdf
        from balm.plots.shapes import NotOurs

        try:
            return write_pdf(self)
        except NotOurs:
            return self._typeset("pdf", timestamp=0)

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"Figure({self.title!r}, {self.width:g} x {self.height:g} px; .svg, .png(), .pdf(), .save(path))"

    def _typeset(self, form: str, **options: object) -> bytes:
        try:
            import typst
        except ImportError:
            raise InputError(
                f"writing .{form} needs the typst package: pip install 'balm[app]'; .svg needs nothing"
            ) from None
        width, height = self.width * _POINTS, self.height * _POINTS
        source = (
            f"#set document(title: {_typst_string(self.title)}, date: none)\n"
            f"#set page(width: {width:g}pt, height: {height:g}pt, margin: 0pt)\n"
            f'#image("figure.svg", width: {width:g}pt, height: {height:g}pt, alt: {_typst_string(self.description)})\n'
        )
        return typst.compile(
            {"main.typ": source.encode("utf-8"), "figure.svg": self.svg.encode("utf-8")},
            format=form,
            font_paths=_fonts(not self._bundled_font_is_enough()),
            **options,
        )

    def _bundled_font_is_enough(self) -> bool:
        """Whether every character is in the bundled font; otherwise fonts of the machine help out."""
        from balm.plots.text_width import COVERED

        return "Liberation Sans" in self.svg and all(c in COVERED or c == "\n" for c in set(self.svg))


@lru_cache(2)
def _fonts(of_the_machine: bool) -> Any:
    """The bundled fonts, with those of the machine or without: read once, which costs as much as a small figure."""
    import typst

    from balm.plots.liberation import FOLDER

    return typst.Fonts(include_system_fonts=of_the_machine, include_embedded_fonts=of_the_machine, font_paths=[FOLDER])


def _typst_string(text: str) -> str:
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    return '"' + "".join(c if c >= " " else " " for c in escaped).encode("utf-8", "replace").decode("utf-8") + '"'


def _write_whole(path: str, data: bytes) -> None:
    part = os.path.join(os.path.dirname(path), f".balm-{os.urandom(8).hex()}.part")
    try:
        file = os.open(part, _NEW_FILE, 0o666)  # a buffered file object would cost as much as the writing
        try:
            while data:
                data = data[os.write(file, data) :]
        finally:
            os.close(file)
        os.replace(part, path)
    except OSError as reason:
        _remove(part)
        raise InputError(f"cannot write {path!r}: {reason.strerror}") from None
    except BaseException:
        _remove(part)
        raise


def _remove(part: str) -> None:
    with suppress(OSError):
        os.unlink(part)
