"""The report as a PDF set by typst: tagged, to PDF/UA-1, with numbered captions, links and a table of contents.

Every text goes in as a string of the language, so nothing in a title or a note can be read as markup.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from math import inf
from typing import Any

from balm.plots.figure import Figure
from balm.plots.liberation import FOLDER, FONT
from balm.plots.pdf_figures import Figures, NotFound
from balm.plots.shapes import NotOurs
from balm.plots.text_width import text_width
from balm.report.document.look import FONTS, TEXT_WIDTH_MM, Look
from balm.report.document.parts import (
    Document,
    Listing,
    Paragraph,
    Picture,
    References,
    Run,
    Section,
    Verbatim,
    introduces,
    names,
    target_of,
    targets,
)
from balm.report.document.widths import LETTER, TABLE_TEXT, shares
from balm.report.document.wording import together, with_minus
from balm.report.html_report.table import LONG, Cell, Row, Table
from balm.vocabulary.problems import InputError

_POINTS_PER_MM = 72 / 25.4
#: Left, right, above and below the text of a cell, in points.
_INSET = 3
#: How high a capital of Liberation Sans is, in ems: the height of a line (table OS/2 of the font: 1409 of 2048).
_CAPITALS = 1409 / 2048
#: Letters beyond ASCII that are surely in that font: no other font makes the line higher.
_ALIKE = frozenset(map(chr, [*range(32, 127), *range(160, 256)])) | frozenset("–—−≤≥…•τχ‘’“”")
#: Parts that begin a page: pages before and after a break are typeset at the same time, on two processors, and a
#: checklist is handed in apart.
_ON_A_NEW_PAGE = ("numbers", "checklist")
#: The font of the symbols of certainty.
_ROUND = 'font: "DejaVu Sans Mono", '
#: A place holder is one pixel.
_PIXEL = '(encoding: "rgb8", width: 1, height: 1)'
#: Content that is nothing but a link.
_ONE_LINK = re.compile(r'#link\((<\w+>|"(?:[^"\\]|\\.)*")\)\[#text\(("(?:[^"\\]|\\.)*")\)\]')
#: How typst says that no font has a letter.
_LACKING = re.compile(r'the text `"((?:[^"\\]|\\.)+)"` could not be displayed')
#: An entry that says what is so without it (ISO 32000-1, table 321). Poppler calls it an error; blanks keep all places.
_NOTHING_SUSPECT = b"/MarkInfo<</Marked true/Suspects false>>"
#: What ends the title page.
_AFTER_TITLE = "#pagebreak()\n"
_HEAD = """#set document(title: {title}, description: {lead}, date: none)
#set text(lang: "en", size: {size}pt, font: ("{font}", "Liberation Sans", "Libertinus Serif"), fill: rgb("#1b232d"))
#set page(paper: "a4", margin: 20mm, numbering: "1")
#set par(justify: false, leading: 0.6em)
#set heading(numbering: none)
#show heading: set block(above: 1.4em, below: 0.7em)
#show link: set text(fill: rgb("#1f4e79"))
#set figure(gap: 0.6em)
#show figure: set block(above: 1.2em, below: 1.2em)
#show figure.where(kind: table): set block(breakable: true)
#show figure.where(kind: table): set figure.caption(position: top)
#show figure.caption: set text(size: 0.9em)
#show figure.caption: set align(left)
#show figure.caption.where(kind: table): it => block(sticky: true, it)
#set table(stroke: (x: none, y: 0.4pt + rgb("#c5ccd3")), inset: (x: 3pt, y: 3pt), align: left)
#show table: set text(size: 0.75em)
#show table: set par(leading: 0.45em)
#let noted(body, note, with: true) = {{
  show figure: set block(below: 0.5em, sticky: with)
  body
  block(below: 1.2em, text(size: 0.8em, note))
}}
#let whole(body) = {{
  show figure: set block(breakable: false)
  body
}}
"""
#: A row is kept on one page unless a cell has more lines than this, about half a page.
_MOST_LINES = 40
#: More letters than this below a row may fill a page.
_MOST_UNDER = 4000
#: The line between the rows of a table.
_RULE = '0.4pt + rgb("#c5ccd3")'
#: Room around what stands below a row.
_BELOW = "inset: (x: 3pt, top: 1pt, bottom: 4pt)"


def pdf(document: Document, look: Look | None = None) -> bytes:
    """The document as the bytes of a tagged PDF; :class:`InputError` without typst."""
    for drawn in (True, False):
        writer = _Writer(document, look or Look(), drawn=drawn)
        made = compiled({"main.typ": writer.source().encode("utf-8"), **writer.files})
        try:
            return writer.figures.into(made)
        except NotFound:  # the file is made in another way than expected: the typesetter draws the figures
            continue
    raise AssertionError("a file without place holders needs none")


def compiled(files: dict[str, bytes]) -> bytes:
    """The PDF of a source, ``main.typ``, and the figures that it shows.

    A letter that no font of ours has comes from the fonts of the machine; where these lack it too it is printed as its
    number in Unicode, ``[U+75DB]``, and the title page says so: nothing is left out, and no letter stops a report.
    """
    try:
        return _set(files, system_fonts=False)
    except _NoFont:
        pass
    try:
        return _set(files, system_fonts=True)
    except _NoFont as lacking:
        return _set({**files, "main.typ": _spelt(files["main.typ"], lacking.letters)}, system_fonts=True)


class _NoFont(Exception):
    """No font has these letters."""

    def __init__(self, letters: set[str]) -> None:
        self.letters = letters


def _set(files: dict[str, bytes], *, system_fonts: bool) -> bytes:
    try:
        import typst
    except ImportError:
        raise InputError("writing .pdf needs the typst package: pip install 'balm[app]'") from None
    fonts = typst.Fonts(include_system_fonts=system_fonts, include_embedded_fonts=True, font_paths=[FOLDER])
    source: Any = files  # the stubs of typst name no dictionary of files
    try:
        made = typst.compile(source, format="pdf", font_paths=fonts, pdf_standards=["ua-1"], timestamp=0)
    except typst.TypstError as error:
        lacking = set(_LACKING.findall(str(getattr(error, "diagnostic", "") or error)))
        if not lacking:
            raise
        raise _NoFont({letter for text in lacking for letter in _unescaped(text)}) from None
    return bytes(made).replace(_NOTHING_SUSPECT, _NOTHING_SUSPECT.replace(b"/Suspects false", b" " * 15), 1)


def _unescaped(text: str) -> str:
    """Text as typst quotes it in an error: ``\\u{200b}`` for what has no shape."""
    return re.sub(r"\\u\{([0-9a-f]+)\}", lambda found: chr(int(found[1], 16)), text)


def _spelt(source: bytes, letters: set[str]) -> bytes:
    """The source with the numbers of ``letters``; marks without a shape of their own are left out."""
    shown = {c: "" if unicodedata.category(c) in ("Cc", "Cf") else f"[U+{ord(c):04X}]" for c in letters}
    told = source.decode("utf-8").translate(str.maketrans(shown))
    if not any(shown.values()):
        return told.encode("utf-8")
    note = "Letters that no font at hand has stand as their number in Unicode, in brackets: [U+…]."
    return told.replace(_AFTER_TITLE, f"#par[{_said(note)}]\n{_AFTER_TITLE}", 1).encode("utf-8")


def _string(text: str) -> str:
    """``text`` as a string of typst.

    >>> print(_string('a "b" # c'))
    "a \\"b\\" # c"
    """
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    return '"' + "".join(c if c >= " " else " " for c in escaped).encode("utf-8", "replace").decode("utf-8") + '"'


def _said(text: str, more: str = "") -> str:
    if "⊕" in text or "◯" in text:  # the font of the text has neither: both come from one that has both
        parts = re.split("([⊕◯]+)", text)
        return "".join(_said_in(part, _ROUND if i % 2 else more) for i, part in enumerate(parts) if part)
    return _said_in(text, more) if text else ""


def _said_in(text: str, more: str) -> str:
    return f"#text({more}{_string(together(text))})"


def _breakable(address: str) -> str:
    """An address with places to break: a column is narrower than most of them."""
    return re.sub(r"(?<=[./_-])(?=[^./_-]{2})", "\u200b", address)


def _under(row: Row, columns: int) -> str:
    """What stands below a row, across all columns and without a line between them."""
    said = " ".join(f"{_bold(title)} {_said(text)}" for title, text in row.under)
    return f"table.cell(colspan: {columns}, {_BELOW})[{said}]"


def _is_plain(cell: Cell) -> bool:
    """A cell of nothing but text in the font of the table."""
    only_text = not (cell.href or cell.after or cell.lines or cell.links or cell.mark)
    return only_text and "⊕" not in cell.text and "◯" not in cell.text


def _wide(cell: Cell) -> float:
    """How wide a cell is on one line, in ems; infinite where its letters or lines make it unsure."""
    shown = cell.text
    if cell.after or cell.mark or cell.links:
        more = [f" {part} ()" for part in (cell.after, cell.mark) if part] + [f"; {link.text}" for link in cell.links]
        shown = "".join([shown, *more])
    if cell.lines or not (shown.isascii() or _ALIKE.issuperset(shown)) or "\n" in shown:
        return inf
    return text_width(shown, 1.0)


def _bold(text: str) -> str:
    return _said(text, 'weight: "bold", ')


class _Writer:
    """Writes each part of the document once, keeping the figures as files beside the source."""

    def __init__(self, document: Document, look: Look, *, drawn: bool = True) -> None:
        self.document, self.look, self.drawn = document, look, drawn
        self.names = names(document)
        self.marks = {id: f"part{i}" for i, id in enumerate(sorted(targets(document)), 1)}
        self.files: dict[str, bytes] = {}
        self.figures = Figures()
        self._numbered = {"Table": 0, "Figure": 0}
        self._set: set[str] = set()

    def source(self) -> str:
        d = self.document
        made = [_HEAD.format(title=_string(d.title), lead=_string(d.lead), size=f"{self.look.font_size:g}",
                             font=FONTS[self.look.font][1])]  # fmt: skip
        made.append(f"#block(above: 3cm)[{_said(d.kind, 'size: 1.1em, ')}]\n#title()\n")
        if d.lead:
            made.append(f"#par[{_said(d.lead, 'size: 1.1em, ')}]\n")
        made.append("#v(1em)\n")
        made += [f"#par[{_bold(f'{name}: ')}{_said(told)}]\n" for name, told in d.facts]
        made.append(f'{_AFTER_TITLE}#outline(title: "Contents", depth: 2)\n#pagebreak()\n')
        for section in d.sections:
            made += self._section(section, 1)
        return "".join(made)

    def _mark(self, id: str) -> str:
        """The label of a part, once: a second part of the same id keeps none."""
        if id not in self.marks or id in self._set:
            return ""
        self._set.add(id)
        return f" <{self.marks[id]}>"

    def _section(self, section: Section, depth: int) -> Iterable[str]:
        if section.id in _ON_A_NEW_PAGE:
            yield "#pagebreak(weak: true)\n"
        listed = (
            ", outlined: false" if depth > 1 and section.id.startswith("abstract-") else ""
        )  # its points are no parts
        yield f"#heading(level: {depth}{listed}, {_string(section.title)}){self._mark(section.id)}\n"
        for block, after in pairwise((*section.blocks, None)):
            if isinstance(block, Paragraph):
                first = _bold("To be written: ") if block.kind == "prompt" else ""
                words = f"#par[{first}{self._runs(block.runs)}]"
                yield f"#block(sticky: true)[{words}]\n" if introduces(block, after) else f"{words}\n"
            elif isinstance(block, Listing):
                if block.kind == "prompt":
                    yield f"#block(sticky: true)[#par[{_bold('To be written:')}]]\n"
                yield f"#list({', '.join(f'[{self._runs(item)}]' for item in block.items)})\n"
            elif isinstance(block, Verbatim):
                lines = ", linebreak(), ".join(f"text({_string(line)})" for line in block.text.splitlines())
                yield f'#block[#set text(font: "DejaVu Sans Mono", size: 0.85em)\n#({lines},).join()]\n'
            elif isinstance(block, Picture):
                yield self._picture(block)
            elif isinstance(block, Table):
                yield self._table(block)
            else:
                yield from self._references(block)
        for inner in section.sections:
            yield from self._section(inner, depth + 1)

    def _runs(self, runs: Iterable[Run]) -> str:
        made = []
        for run in runs:
            if run.ref in self.marks:
                made.append(self._linked(self.names.get(run.ref, run.text), f"#{run.ref}"))
            elif run.href:
                made.append(self._linked(run.text, run.href))
            else:
                made.append(_bold(run.text) if run.bold else _said(run.text))
        return "".join(made)

    def _linked(self, text: str, href: str) -> str:
        if href.startswith("#"):
            mark = self.marks.get(target_of(href, self.marks))
            return f"#link(<{mark}>)[{_said(text)}]" if mark else _said(text)
        return f"#link({_string(href)})[{_said(text)}]"

    def _picture(self, block: Picture) -> str:
        width, height = self.look.size(block.figure)
        alt = _string(block.figure.description or block.caption)
        image = f"image({self._image(block.figure)}, width: {width:.2f}mm, height: {height:.2f}mm, alt: {alt})"
        caption = self._caption("Figure", block.caption)
        return f"#figure({image}, kind: image, {caption}){self._mark(block.id)}\n"

    def _image(self, figure: Figure) -> str:
        """A place holder for a figure that we draw ourselves; the name of a file for another."""
        if self.drawn:
            try:
                red, green, blue = self.figures.add(figure)
            except NotOurs:
                pass
            else:
                return f'bytes(({red}, {green}, {blue})), format: {_PIXEL}, fit: "stretch"'
        name = f"figure{len(self.files) + 1}.svg"
        self.files[name] = figure.svg.encode("utf-8")
        return f'"{name}"'

    def _caption(self, kind: str, words: str) -> str:
        """Numbered here, as cross-references are: a typesetter that counts sets every figure twice."""
        self._numbered[kind] += 1
        numbered = f"{kind}\u00a0{self._numbered[kind]}: {words}"
        return f"numbering: none, caption: [{_said(numbered)}]"

    def _table(self, table: Table) -> str:
        widths = shares(table, TEXT_WIDTH_MM, self.look.font_size)
        parts = ", ".join(f"{100 * x:.2f}%" for x in widths)
        room = [x * TEXT_WIDTH_MM * _POINTS_PER_MM - 2 * _INSET for x in widths]
        heights, below = ["auto"], list[int]()
        heads = ", ".join(f"[{_bold(c.title)}]" for c in table.columns)
        aligned = ", ".join("right" if c.kind == "number" else "left" for c in table.columns)
        rows = []
        line, tall = self._line(), False
        numbers = [c.kind == "number" for c in table.columns]
        for row in table.rows:
            if row.group:
                rows.append(f"table.cell(colspan: {len(table.columns)})[{_bold(row.group)}]")
                heights.append("auto")
                continue
            if any("-" in cell.text for cell in row.cells):
                row = row.holding(
                    tuple(
                        c.led(c.href, text=with_minus(c.text)) if n else c
                        for c, n in zip(row.cells, numbers, strict=True)
                    )
                )
            heights.append(line if line and self._on_one_line(row, room) else "auto")
            tall = tall or (heights[-1] == "auto" and self._is_tall(row, room))
            for i, cell in enumerate(row.cells):
                mark = self._mark(row.id) if i == 0 and row.id else ""
                if not mark and _is_plain(cell):
                    rows.append(_string(together(cell.text)))  # the same as content, and typeset in less time
                    continue
                rows.append(self._cell(cell, mark))
            if row.under:
                below.append(len(heights))
                rows.append(_under(row, len(table.columns)))
                heights.append("auto")
                tall = tall or sum(len(text) for _, text in row.under) > _MOST_UNDER
        high = " + ".join(f"({height},) * {len(list(run))}" for height, run in groupby(heights))
        given = f"columns: ({parts},), rows: {high}, align: ({aligned},)"
        if below:  # no line between a row and what stands below it
            at = f"({', '.join(map(str, below))},)"
            given += f", stroke: (_, y) => (top: if y in {at} {{none}} else {{{_RULE}}}, bottom: if y + 1 in {at} "
            given += f"{{none}} else {{{_RULE}}})"
        body = f"table({given}, table.header({heads}), {', '.join(rows)})"
        may_break = "auto" in heights[1:] and not tall  # a row of one line cannot break anyway
        kept = "#set table.cell(breakable: false)\n" if may_break else ""
        caption = self._caption("Table", table.caption)
        made = f"{kept}#figure({body}, kind: table, {caption}){self._mark(table.id)}"
        if table.narrow:
            made = f"#whole[{made}]"
        if not table.note:
            return f"#[{made}]\n"
        # A table whose end has to stay with its note is set twice: a long one would cost as much as all others.
        alone = "(with: false)" if len(table.rows) >= LONG else ""
        return f"#noted{alone}[{made}][{_said(table.note)}]\n"

    def _is_tall(self, row: Row, room: Sequence[float]) -> bool:
        """Whether a cell may have so many lines that its row has to break."""
        size = self.look.font_size * TABLE_TEXT
        cells = zip(row.cells, room, strict=True)
        return any(len(cell.plain) * LETTER * size > _MOST_LINES * max(x - 5 * size, size) for cell, x in cells)

    def _line(self) -> str:
        """The height of a row of one line, where it can be known: a row of known height is typeset in half the time."""
        if FONTS[self.look.font][1] != FONT:
            return ""
        return f"{self.look.font_size * TABLE_TEXT * _CAPITALS + 2 * _INSET:.4f}pt"

    def _on_one_line(self, row: Row, room: Sequence[float]) -> bool:
        """Whether every cell of a row surely stands on one line."""
        size = self.look.font_size * TABLE_TEXT
        return all(_wide(cell) * size <= x for cell, x in zip(row.cells, room, strict=True))

    def _cell(self, cell: Cell, mark: str) -> str:
        """A cell of a table as a value, in as few parts as it needs: there may be a hundred thousand."""
        made = self._content(cell)
        if mark:
            return f"[{made}#metadata(none){mark}]"
        alone = _ONE_LINK.fullmatch(made)
        return f"link({alone[1]}, {alone[2]})" if alone else f"[{made}]"

    def _content(self, cell: Cell) -> str:
        words = cell.text + (f": {cell.after}" if cell.after else "")
        made = [self._linked(words, cell.href) if cell.href else _said(words)]
        made += [_said(line.plain) for line in cell.lines]
        made += [self._linked(_breakable(link.text), link.href) for link in cell.links]
        return _said("; ").join(part for part in made if part) + (_said(f" ({cell.mark})") if cell.mark else "")

    def _references(self, block: References) -> Iterable[str]:
        for i, item in enumerate(block.items, 1):
            links = "".join(_said(" ") + self._linked(link.text, link.href) for link in item.links)
            mark = "" if item.verified or "not verified" in item.text else _said(" (not verified against a source)")
            yield f"#par[{_said(f'{i}. {item.text}')}{links}{mark}#metadata(none){self._mark(item.id)}]\n"
