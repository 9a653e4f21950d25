"""The report as a Word file: real headings, captions with SEQ fields, cross-references, native tables, vector figures.

A figure is stored as Word 2016 and later keep it: a PNG that every program shows, and beside it the SVG that newer ones
draw (``asvg:svgBlip`` of the 2016 SVG extension). python-docx opens and packs the file; the body is written here as
WordprocessingML, because a report has tens of thousands of cells. ECMA-376, part 1, sections 17 and 20.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from balm.plots.figure import Figure
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
from balm.report.document.widths import shares
from balm.report.document.wording import together, with_minus
from balm.report.html_report.table import Cell, Table
from balm.vocabulary.problems import InputError

_SPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture" '
    'xmlns:asvg="http://schemas.microsoft.com/office/drawing/2016/SVG/main"'
)
_HYPERLINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"
_IMAGE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"
_EMU_PER_MM = 36000
#: Characters that XML 1.0 cannot hold.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
#: The part whose sections stand in the contents, too.
RESULTS = "findings"
#: The part that begins a page: a checklist is handed in apart.
ON_A_NEW_PAGE = "checklist"
#: Image pixels per CSS pixel of the picture that programs without SVG show.
FALLBACK_SCALE = 1.5


def word(document: Document, look: Look | None = None, *, front: bool = True) -> bytes:
    """The document as the bytes of a ``.docx`` file, with title page and contents (``front``) or without them;
    :class:`InputError` without python-docx."""
    try:
        import docx
        from docx.opc.oxml import serialize_part_xml
        from docx.oxml import parse_xml
    except ImportError:
        raise InputError("writing .docx needs the python-docx package: pip install 'balm[app]'") from None
    file = docx.Document()
    writer = _Writer(document, look or Look(), file)
    _page(file, document, writer.look)
    page = serialize_part_xml(file.element.body[-1]).decode("utf-8").partition("?>")[2]
    # Read as one tree: moving elements into another tree looks up the name space of every one of them.
    file.part._element = parse_xml(
        f"<w:document {_SPACES}><w:body>{writer.body(front)}{page}</w:body></w:document>".encode()
    )
    out = io.BytesIO()
    file.save(out)
    return out.getvalue()


def _text(text: str) -> str:
    return escape(_FORBIDDEN.sub("", text))


def _run(text: str, properties: str = "", *, exact: bool = False) -> str:
    text = text if exact else together(text)
    props = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    return f'<w:r>{props}<w:t xml:space="preserve">{_text(text)}</w:t></w:r>' if text else ""


def _paragraph(inner: str, style: str = "", more: str = "") -> str:
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    props = f"<w:pPr>{named}{more}</w:pPr>" if named or more else ""
    return f"<w:p>{props}{inner}</w:p>"


def _field(instruction: str, shown: str) -> str:
    return f'<w:fldSimple w:instr=" {_text(instruction)} ">{_run(shown)}</w:fldSimple>'


class _Writer:
    """Writes each part of the document once, keeping the relations of the file as it meets links and pictures."""

    def __init__(self, document: Document, look: Look, file: Any) -> None:
        self.document, self.look, self.file = document, look, file
        self.names = names(document)
        self.marks = {id: f"part{i}" for i, id in enumerate(sorted(targets(document)), 1)}
        self.links: dict[str, str] = {}
        self.pictures = 0
        self._bookmarks = 0

    def body(self, front: bool) -> str:
        made = [*self._title_page(), *self._contents()] if front else []
        for section in self.document.sections:
            made += self._section(section, 1)
        return "".join(made)

    def _title_page(self) -> Iterable[str]:
        yield _paragraph(_run(self.document.kind), "Subtitle")
        yield _paragraph(_run(self.document.title), "Title")
        if self.document.lead:
            yield _paragraph(_run(self.document.lead))
        for name, told in self.document.facts:
            yield _paragraph(_run(f"{name}: ", "<w:b/>") + _run(told))

    def _contents(self) -> Iterable[str]:
        """A table of contents, filled: Word can bring it up to date, and other programs show it as it stands."""
        entries = [(1, s) for s in self.document.sections]
        entries = [e for _, s in entries for e in [(1, s), *((2, inner) for inner in s.sections if s.id == RESULTS)]]
        start = '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        start += '<w:r><w:instrText xml:space="preserve"> TOC \\o "1-2" \\n \\h </w:instrText></w:r>'
        start += '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
        yield _paragraph('<w:r><w:br w:type="page"/></w:r>' + _run("Contents", "<w:b/>"))
        for i, (depth, section) in enumerate(entries):
            link = self._linked(section.title, f"#{section.id}")
            end = '<w:r><w:fldChar w:fldCharType="end"/></w:r>' if i == len(entries) - 1 else ""
            indent = '<w:ind w:left="360"/>' if depth == 2 else ""
            yield _paragraph((start if i == 0 else "") + link + end, "", indent)
        yield _paragraph('<w:r><w:br w:type="page"/></w:r>')

    def _section(self, section: Section, depth: int) -> Iterable[str]:
        first = "<w:pageBreakBefore/>" if section.id == ON_A_NEW_PAGE else ""
        yield _paragraph(self._marked(section.id, _run(section.title)), f"Heading{min(depth, 4)}", first)
        for block, after in pairwise((*section.blocks, None)):
            if isinstance(block, Paragraph):
                yield self._text_block(block, "<w:keepNext/>" if introduces(block, after) else "")
            elif isinstance(block, Listing):
                if block.kind == "prompt":
                    yield _paragraph(_run("To be written:", "<w:b/>"), "", "<w:keepNext/>")
                for item in block.items:
                    yield _paragraph(self._runs(item), "ListBullet")
            elif isinstance(block, Verbatim):
                lines = [_run(line, '<w:rFonts w:ascii="Courier New" w:hAnsi="Courier New"/>', exact=True)
                         for line in block.text.splitlines()]  # fmt: skip
                yield _paragraph("<w:r><w:br/></w:r>".join(lines))
            elif isinstance(block, Picture):
                yield from self._picture(block)
            elif isinstance(block, Table):
                yield from self._table(block)
            else:
                yield from self._references(block)
        for inner in section.sections:
            yield from self._section(inner, depth + 1)

    def _text_block(self, block: Paragraph, more: str) -> str:
        first = _run("To be written: ", "<w:b/>") if block.kind == "prompt" else ""
        return _paragraph(first + self._runs(block.runs), "", more)

    def _runs(self, runs: Iterable[Run]) -> str:
        made = []
        for run in runs:
            if run.ref in self.marks:
                made.append(_field(f"REF {self.marks[run.ref]} \\h", self.names.get(run.ref, run.text)))
            elif run.href:
                made.append(self._linked(run.text, run.href))
            else:
                made.append(_run(run.text, "<w:b/>" if run.bold else ""))
        return "".join(made)

    def _linked(self, text: str, href: str) -> str:
        if href.startswith("#"):
            mark = self.marks.get(target_of(href, self.marks))
            return f'<w:hyperlink w:anchor="{mark}" w:history="1">{_run(text)}</w:hyperlink>' if mark else _run(text)
        if href not in self.links:
            self.links[href] = self.file.part.relate_to(_FORBIDDEN.sub("", href), _HYPERLINK, is_external=True)
        blue = '<w:color w:val="1F4E79"/><w:u w:val="single"/>'
        return f'<w:hyperlink r:id="{self.links[href]}" w:history="1">{_run(text, blue)}</w:hyperlink>'

    def _marked(self, id: str, inner: str) -> str:
        if id not in self.marks:
            return inner
        self._bookmarks += 1
        n = self._bookmarks
        return f'<w:bookmarkStart w:id="{n}" w:name="{self.marks[id]}"/>{inner}<w:bookmarkEnd w:id="{n}"/>'

    def _caption(self, id: str, words: str, *, keep: bool) -> str:
        kind, _, number = self.names[id].partition(" ")
        label = self._marked(id, _run(f"{kind} ") + _field(f"SEQ {kind} \\* ARABIC", number))
        return _paragraph(label + _run(f". {words}"), "Caption", "<w:keepNext/>" if keep else "")

    def _picture(self, block: Picture) -> Iterable[str]:
        self.pictures += 1
        width, height = (round(mm * _EMU_PER_MM) for mm in self.look.size(block.figure))
        png, svg = self._stored(block.figure)
        name, said = quoteattr(f"Figure {self.pictures}"), quoteattr(_FORBIDDEN.sub("", block.figure.description))
        extension = (
            '<a:extLst><a:ext uri="{96DAC541-7B7A-43D3-8B79-37D633B846F1}">'
            f'<asvg:svgBlip r:embed="{svg}"/></a:ext></a:extLst>'
        )
        drawing = (
            '<w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0">'
            f'<wp:extent cx="{width}" cy="{height}"/>'
            f'<wp:docPr id="{self.pictures}" name={name} descr={said}/><a:graphic>'
            '<a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic><pic:nvPicPr>'
            f'<pic:cNvPr id="{self.pictures}" name={name}/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill>'
            f'<a:blip r:embed="{png}">{extension}</a:blip><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr>'
            f'<a:xfrm><a:off x="0" y="0"/><a:ext cx="{width}" cy="{height}"/></a:xfrm>'
            '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic>'
            "</wp:inline></w:drawing></w:r>"
        )
        yield _paragraph(drawing, "", "<w:keepNext/>")
        yield self._caption(block.id, block.caption, keep=False)

    def _stored(self, figure: Figure) -> tuple[str, str]:
        """The relation ids of the picture as PNG and as SVG."""
        from docx.opc.packuri import PackURI
        from docx.opc.part import Part

        png, _ = self.file.part.get_or_add_image(io.BytesIO(figure.png(FALLBACK_SCALE)))
        where = PackURI(f"/word/media/figure{self.pictures}.svg")
        part = Part(where, "image/svg+xml", figure.svg.encode("utf-8"), self.file.part.package)
        return png, self.file.part.relate_to(part, _IMAGE)

    def _table(self, table: Table) -> Iterable[str]:
        yield self._caption(table.id, table.caption, keep=True)
        n = len(table.columns)
        widths = [round(_TABLE_WIDTH * x) for x in shares(table, TEXT_WIDTH_MM, self.look.font_size)]
        grid = "".join(f'<w:gridCol w:w="{w}"/>' for w in widths)
        heads = [
            self._cell(_run(c.title, "<w:b/>"), w, c.kind, keep=True)
            for c, w in zip(table.columns, widths, strict=True)
        ]
        rows = [_row(heads, head=True)]
        for row in table.rows:
            if row.group:
                rows.append(_across(_run(row.group, "<w:b/>"), sum(widths), n))
                continue
            cells = []
            keep = bool(table.note) if row is table.rows[-1] else table.narrow
            for i, (cell, column, w) in enumerate(zip(row.cells, table.columns, widths, strict=True)):
                number = column.kind == "number" and "-" in cell.text
                inner = self._content(cell.led(cell.href, text=with_minus(cell.text)) if number else cell)
                inner = self._marked(row.id, inner) if i == 0 and row.id else inner
                cells.append(self._cell(inner, w, column.kind, keep=keep))
            rows.append(_row(cells))
            if row.under:
                parts = [_run(f"{title} ", "<w:b/>") + _run(f"{text} ") for title, text in row.under]
                rows.append(_across("".join(parts), sum(widths), n))
        yield (
            '<w:tbl><w:tblPr><w:tblStyle w:val="TableGrid"/>'
            f'<w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblLayout w:type="fixed"/>'
            '<w:tblCellMar><w:left w:w="60" w:type="dxa"/><w:right w:w="60" w:type="dxa"/></w:tblCellMar>'
            '<w:tblLook w:val="0020" w:firstRow="1" w:lastRow="0" w:firstColumn="0" w:lastColumn="0" w:noHBand="1" '
            f'w:noVBand="1"/><w:tblCaption w:val={quoteattr(_FORBIDDEN.sub("", table.caption))}/></w:tblPr>'
            f"<w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"
        )
        yield _paragraph(_run(table.note), "TableNote")

    def _cell(self, inner: str, width: int, kind: str, *, keep: bool = False) -> str:
        right = ("<w:keepNext/>" if keep else "") + ('<w:jc w:val="right"/>' if kind == "number" else "")
        return (
            f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>{_paragraph(inner, "TableText", right)}</w:tc>'
        )

    def _content(self, cell: Cell) -> str:
        words = cell.text + (f": {cell.after}" if cell.after else "")
        made = [self._linked(words, cell.href) if cell.href else _run(words)]
        made += [_run(line.plain) for line in cell.lines]
        made += [self._linked(link.text, link.href) for link in cell.links]
        said = _run("; ").join(part for part in made if part)
        return said + (_run(f" ({cell.mark})", "<w:i/>") if cell.mark else "")

    def _references(self, block: References) -> Iterable[str]:
        for i, item in enumerate(block.items, 1):
            links = "".join(_run(" ") + self._linked(link.text, link.href) for link in item.links)
            mark = (
                ""
                if item.verified or "not verified" in item.text
                else _run(" (not verified against a source)", "<w:i/>")
            )
            yield _paragraph(self._marked(item.id, _run(f"{i}. {item.text}")) + links + mark)


def _across(runs: str, width: int, columns: int) -> str:
    """A row of one cell across all columns."""
    cell = f'<w:tcPr><w:tcW w:w="{width}" w:type="dxa"/><w:gridSpan w:val="{columns}"/></w:tcPr>'
    return f"<w:tr><w:trPr><w:cantSplit/></w:trPr><w:tc>{cell}{_paragraph(runs, 'TableText')}</w:tc></w:tr>"


def _row(cells: list[str], *, head: bool = False) -> str:
    props = "<w:trPr><w:cantSplit/>" + ("<w:tblHeader/>" if head else "") + "</w:trPr>"
    return f"<w:tr>{props}{''.join(cells)}</w:tr>"


#: 170 mm in twentieths of a point.
_TABLE_WIDTH = 9638


def _page(file: Any, document: Document, look: Look) -> None:
    """Page, styles and properties of the file."""
    import datetime

    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import Mm, Pt, RGBColor

    for section in file.sections:
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Mm(20)
    styles = file.styles
    small = styles.add_style("TableText", WD_STYLE_TYPE.PARAGRAPH)
    small.base_style = styles["Normal"]
    note = styles.add_style("TableNote", WD_STYLE_TYPE.PARAGRAPH)
    note.base_style = styles["Normal"]
    size = look.font_size
    sizes = {"Normal": 1.0, "TableText": 0.75, "TableNote": 0.8, "Caption": 0.9, "Title": 2.2, "Subtitle": 1.1}
    sizes |= {"Heading 1": 1.6, "Heading 2": 1.3, "Heading 3": 1.1, "Heading 4": 1.0}
    for name, times in sizes.items():
        style = styles[name]
        style.font.size = Pt(round(2 * times * size) / 2)
        style.font.name = FONTS[look.font][0]
        style.font.color.rgb = RGBColor(0x1B, 0x23, 0x2D)
        fonts = style.element.rPr.rFonts
        for key in [k for k in fonts.attrib if k.endswith("Theme")]:
            del fonts.attrib[key]
        fonts.set("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}cs", FONTS[look.font][0])
    styles["Normal"].paragraph_format.space_after = Pt(0.6 * size)
    small.paragraph_format.space_after = Pt(0)
    note.paragraph_format.space_before, note.paragraph_format.space_after = Pt(0.4 * size), Pt(size)
    for section in file.sections:
        _page_number(section.footer.paragraphs[0])
    facts = file.core_properties
    facts.title, facts.subject, facts.author, facts.comments = document.title[:255], document.kind, "", ""
    facts.language = document.language
    facts.created = facts.modified = datetime.datetime(2000, 1, 1)  # the same review gives the same file


def _page_number(paragraph: Any) -> None:
    """The number of the page in the middle of the footer."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import parse_xml

    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    field = _field("PAGE", "1").replace("<w:fldSimple ", f"<w:fldSimple {_SPACES} ", 1)
    paragraph._p.append(parse_xml(field))
