"""The table of readers: one row a format. The documentation, the command line and the tests walk it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, BinaryIO

from balm.review.records.decoding import text_blocks, text_lines, utf8_blocks
from balm.review.records.receipt import Tally
from balm.vocabulary.quick_dataclass import dataclass
from balm.vocabulary.record import Record


@dataclass(frozen=True, slots=True)
class Reader:
    """One format: its name, what people call it, usual endings, and where its reader lives.

    ``takes`` is ``"lines"`` (decoded text, line by line), ``"texts"`` (pieces of whole lines), ``"utf-8"`` (such pieces
    in UTF-8) or ``"bytes"`` (a stream whose parser decodes it itself).
    """

    name: str
    title: str
    endings: tuple[str, ...]
    takes: str
    address: str

    def read(self, source: BinaryIO, tally: Tally) -> Iterator[Record]:
        """The records in ``source``, one at a time; what was repaired or rejected goes to ``tally``."""
        module, _, function = self.address.partition(":")
        read: Callable[[Any, Tally], Iterator[Record]] = getattr(import_module(module), function)
        yield from read(_TAKEN[self.takes](source, tally), tally)


def _as_it_is(source: BinaryIO, tally: Tally) -> BinaryIO:
    return source


_TAKEN: dict[str, Callable[[BinaryIO, Tally], Any]] = {
    "lines": text_lines,
    "texts": text_blocks,
    "utf-8": utf8_blocks,
    "bytes": _as_it_is,
}
_HERE = "balm.review.records"
READERS: dict[str, Reader] = {
    r.name: r
    for r in (
        Reader("ris", "RIS, every dialect", (".ris", ".txt"), "utf-8", f"{_HERE}.ris:read"),
        Reader("medline", "PubMed/MEDLINE (NBIB)", (".nbib", ".txt"), "utf-8", f"{_HERE}.medline:read"),
        Reader("pubmed-xml", "PubMed XML", (".xml",), "bytes", f"{_HERE}.xml_formats:read_pubmed"),
        Reader("endnote-xml", "EndNote XML", (".xml",), "bytes", f"{_HERE}.xml_formats:read_endnote"),
        Reader("ictrp-xml", "ICTRP XML (WHO's trial registers)", (".xml",), "bytes", f"{_HERE}.xml_formats:read_ictrp"),
        Reader("central", "Cochrane CENTRAL, plain text", (".txt",), "lines", f"{_HERE}.central:read"),
        Reader("wos", "Web of Science, tagged", (".ciw", ".txt"), "lines", f"{_HERE}.wos:read"),
        Reader("ovid", "Ovid, tagged", (".cgi", ".txt"), "lines", f"{_HERE}.tagged:read_ovid"),
        Reader("refer", "EndNote tagged (refer)", (".enw", ".enl"), "lines", f"{_HERE}.tagged:read_refer"),
        Reader("bibtex", "BibTeX and BibLaTeX", (".bib",), "texts", f"{_HERE}.bibtex:read"),
        Reader("table", "CSV, TSV or semicolons, by header", (".csv", ".tsv"), "lines", f"{_HERE}.table:read"),
        Reader("xlsx", "Excel workbook, by header", (".xlsx",), "bytes", f"{_HERE}.workbook:read"),
        Reader("clinicaltrials-json", "ClinicalTrials.gov JSON", (".json",), "bytes", f"{_HERE}.trials:read"),
    )
}
