"""What a report is made of: sections of paragraphs, lists, tables, figures and references, as plain values.

Nothing here knows a file format. The writers (:mod:`~balm.report.document.word`, :mod:`~balm.report.document.typeset`
and the HTML page) turn the same values into headings, captions and cross-references of their own.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from balm.plots.figure import Figure
from balm.report.html_report.links import anchor
from balm.report.html_report.table import Link, Table


@dataclass(frozen=True, slots=True)
class Run:
    """Text inside a paragraph; ``href`` is an address or ``#id``, ``ref`` a cross-reference to the part of that id."""

    text: str = ""
    bold: bool = False
    href: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph; ``kind`` is "" (text), "note" (small) or "prompt" (what the authors have to write)."""

    runs: tuple[Run, ...]
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of paragraphs; ``kind`` is "bullet" or "prompt"."""

    items: tuple[tuple[Run, ...], ...]
    kind: str = "bullet"


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text that keeps its lines: a search strategy."""

    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A captioned figure."""

    id: str
    figure: Figure
    caption: str


@dataclass(frozen=True, slots=True)
class Reference:
    """One numbered reference with its links."""

    id: str
    text: str
    links: tuple[Link, ...]
    verified: bool


@dataclass(frozen=True, slots=True)
class References:
    """The list of references; each has its number by its place."""

    items: tuple[Reference, ...]
    numbered: bool = True


Block = Paragraph | Listing | Verbatim | Picture | Table | References


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands under it. ``open`` says that the authors still have to write it.

    ``absent`` says that it only tells that nothing is on record.
    """

    id: str
    title: str
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()
    open: bool = False
    absent: bool = False

    def walk(self) -> Iterator[Section]:
        """This section and those below it, in reading order."""
        yield self
        for inner in self.sections:
            yield from inner.walk()


@dataclass(frozen=True, slots=True)
class Document:
    """A report: what its title page says, and its sections."""

    title: str
    kind: str
    lead: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    language: str = "en"

    def walk(self) -> Iterator[Section]:
        """Every section in reading order."""
        for section in self.sections:
            yield from section.walk()


def introduces(block: Paragraph, after: Block | None) -> bool:
    """Whether a paragraph leads to the list or search under it, and must not end a page.

    >>> introduces(said("In plain language:"), Listing(((Run("One."),),))), introduces(said("One."), said("Two."))
    (True, False)
    """
    return isinstance(after, (Listing, Verbatim))


def said(*texts: str, kind: str = "") -> Paragraph:
    """A paragraph of plain sentences.

    >>> said("One.", "", "Two.").runs[0].text
    'One. Two.'
    """
    return Paragraph((Run(" ".join(text for text in texts if text)),), kind)


def names(document: Document) -> dict[str, str]:
    """What a cross-reference to each id prints: ``Table 2``, ``Figure 1``, or the title of a section.

    Tables and figures are numbered through in reading order.
    """
    found: dict[str, str] = {}
    tables = figures = 0
    for section in document.walk():
        found[section.id] = section.title
        for block in section.blocks:
            if isinstance(block, Picture):
                figures += 1
                found[block.id] = f"Figure {figures}"
            elif isinstance(block, Table):
                tables += 1
                found[block.id] = f"Table {tables}"
    return found


def target_of(href: str, known: Container[str]) -> str:
    """The id in the document that an inner link leads to. Word and PDF have no page behind each number: its address
    leads to the studies of its analysis, whose rows lead on to the values as reported.

    >>> target_of("#at:pain-week-1:estimate", {"rows-pain-week-1"}), target_of("#x", ["x"])
    ('rows-pain-week-1', 'x')
    """
    id = href[1:]
    if id in known or not id.startswith("at:"):
        return id
    analysis = id.split(":")[1]
    return next((a for a in (anchor("rows", analysis), anchor("analysis", analysis)) if a in known), id)


def targets(document: Document) -> set[str]:
    """Every id to which a link may lead: all sections, tables, figures and references, and the rows that a link of the
    document does lead to. A mark in each row of a long table would cost more than the row."""
    found, rows = set(names(document)), set()
    for section in document.walk():
        for block in section.blocks:
            if isinstance(block, Table):
                rows.update(row.id for row in block.rows if row.id)
            elif isinstance(block, References):
                found.update(item.id for item in block.items)
    known = found | rows
    return found | (rows & {target_of(href, known) for href in _inner_links(document)})


def _inner_links(document: Document) -> set[str]:
    """Every address inside the document that one of its parts leads to."""
    found: set[str] = set()
    for section in document.walk():
        for block in section.blocks:
            if isinstance(block, Table):
                for row in block.rows:
                    for cell in row.cells:
                        if cell.href:
                            found.add(cell.href)
                        if cell.links:
                            found.update(link.href for link in cell.links)
            elif isinstance(block, Paragraph):
                found.update(run.href or f"#{run.ref}" for run in block.runs)
            elif isinstance(block, Listing):
                found.update(run.href or f"#{run.ref}" for item in block.items for run in item)
            elif isinstance(block, References):
                found.update(link.href for item in block.items for link in item.links)
    return {href for href in found if href.startswith("#")}
