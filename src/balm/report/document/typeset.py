"""The report as a PDF set by typst: tagged, to PDF/UA-1, with numbered captions, links and a table of contents.

Every text goes in as a string of the language, so nothing in a title or a note can be read as markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

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
    names,
    targets,
)
from balm.report.document.widths import shares
from balm.report.html_report.table import Cell, Table
from balm.vocabulary.problems import InputError

#: The font of the symbols of certainty.
_ROUND = 'font: "DejaVu Sans Mono", '
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
#set table(stroke: (x: none, y: 0.4pt + rgb("#c5ccd3")), inset: (x: 3pt, y: 3pt), align: left)
#show table: set text(size: 0.75em)
#show table: set par(leading: 0.45em)
"""


def pdf(document: Document, look: Look | None = None) -> bytes:
    """The document as the bytes of a tagged PDF; :class:`InputError` without typst."""
    try:
        import typst
    except ImportError:
        raise InputError("writing .pdf needs the typst package: pip install 'balm[app]'") from None
    from balm.plots.liberation import FOLDER

    writer = _Writer(document, look or Look())
    files = {"main.typ": writer.source().encode("utf-8"), **writer.files}
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[FOLDER])
    made = typst.compile(files, format="pdf", font_paths=fonts, pdf_standards=["ua-1"], timestamp=0)
    return bytes(made)


def _string(text: str) -> str:
    """``text`` as a string of typst.

    >>> print(_string('a "b" # c'))
    "a \\"b\\" # c"
    """
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    return '"' + "".join(c if c >= " " else " " for c in escaped).encode("utf-8", "replace").decode("utf-8") + '"'


def _said(text: str, more: str = "") -> str:
    if "⊕" in text or "◯" in text:  # the font of the text has neither: both come from one that has both
        parts = re.split("([⊕◯]+)", text)
        return "".join(_said_in(part, _ROUND if i % 2 else more) for i, part in enumerate(parts) if part)
    return _said_in(text, more) if text else ""


def _said_in(text: str, more: str) -> str:
    return f"#text({more}{_string(text)})"


def _breakable(address: str) -> str:
    """An address with places to break: a column is narrower than most of them."""
    return re.sub(r"(?<=[./_-])(?=[^./_-]{2})", "\u200b", address)


def _is_plain(cell: Cell) -> bool:
    """A cell of nothing but text in the font of the table."""
    only_text = not (cell.href or cell.after or cell.lines or cell.links or cell.mark)
    return only_text and "⊕" not in cell.text and "◯" not in cell.text


def _bold(text: str) -> str:
    return _said(text, 'weight: "bold", ')


class _Writer:
    """Writes each part of the document once, keeping the figures as files beside the source."""

    def __init__(self, document: Document, look: Look) -> None:
        self.document, self.look = document, look
        self.names = names(document)
        self.marks = {id: f"part{i}" for i, id in enumerate(sorted(targets(document)), 1)}
        self.files: dict[str, bytes] = {}
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
        made.append('#pagebreak()\n#outline(title: "Contents", depth: 2)\n#pagebreak()\n')
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
        yield f"#heading(level: {depth}, {_string(section.title)}){self._mark(section.id)}\n"
        for block in section.blocks:
            if isinstance(block, Paragraph):
                first = _bold("To be written: ") if block.kind == "prompt" else ""
                yield f"#par[{first}{self._runs(block.runs)}]\n"
            elif isinstance(block, Listing):
                if block.kind == "prompt":
                    yield f"#par[{_bold('To be written:')}]\n"
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
            mark = self.marks.get(href[1:])
            return f"#link(<{mark}>)[{_said(text)}]" if mark else _said(text)
        return f"#link({_string(href)})[{_said(text)}]"

    def _picture(self, block: Picture) -> str:
        name = f"figure{len(self.files) + 1}.svg"
        self.files[name] = block.figure.svg.encode("utf-8")
        width, height = self.look.size(block.figure)
        alt = _string(block.figure.description or block.caption)
        image = f'image("{name}", width: {width:.2f}mm, height: {height:.2f}mm, alt: {alt})'
        return f"#figure({image}, kind: image, caption: [{_said(block.caption)}]){self._mark(block.id)}\n"

    def _table(self, table: Table) -> str:
        parts = ", ".join(f"{100 * x:.2f}%" for x in shares(table, TEXT_WIDTH_MM, self.look.font_size))
        heads = ", ".join(f"[{_bold(c.title)}]" for c in table.columns)
        aligned = ", ".join("right" if c.kind == "number" else "left" for c in table.columns)
        rows = []
        for row in table.rows:
            if row.group:
                rows.append(f"table.cell(colspan: {len(table.columns)})[{_bold(row.group)}]")
                continue
            for i, cell in enumerate(row.cells):
                mark = self._mark(row.id) if i == 0 and row.id else ""
                if not mark and _is_plain(cell):
                    rows.append(_string(cell.text))  # the same as content, and typeset in less time
                    continue
                rows.append(f"[{self._content(cell)}{f'#metadata(none){mark}' if mark else ''}]")
        body = f"table(columns: ({parts},), align: ({aligned},), table.header({heads}), {', '.join(rows)})"
        note = f"#par[{_said(table.note)}]\n" if table.note else ""
        return f"#figure({body}, kind: table, caption: [{_said(table.caption)}]){self._mark(table.id)}\n{note}"

    def _content(self, cell: Cell) -> str:
        words = cell.text + (f" {cell.after}" if cell.after else "")
        made = [self._linked(words, cell.href) if cell.href else _said(words)]
        made += [_said(line.plain) for line in cell.lines]
        made += [self._linked(_breakable(link.text), link.href) for link in cell.links]
        return _said("; ").join(part for part in made if part) + (_said(f" ({cell.mark})") if cell.mark else "")

    def _references(self, block: References) -> Iterable[str]:
        for i, item in enumerate(block.items, 1):
            links = "".join(_said(" ") + self._linked(link.text, link.href) for link in item.links)
            mark = "" if item.verified or "not verified" in item.text else _said(" (not verified against a source)")
            yield f"#par[{_said(f'{i}. {item.text}')}{links}{mark}#metadata(none){self._mark(item.id)}]\n"
