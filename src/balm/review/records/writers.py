"""Writing records: RIS, NBIB, BibTeX and CSV, so that reading the file again gives the same fields.

Where a format has no field of that meaning, a note or a field of our own carries it; other programs pass over it.
``other`` is written whole to CSV, and to RIS where its tags are RIS tags; the other formats cannot hold foreign tags.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator

from balm.review.records.kinds import (
    BIBTEX_TYPES,
    RIS_TYPES,
    bibtex_code,
    refined,
    ris_code,
    type_in_words,
    type_note,
)
from balm.review.records.labels import notes_for
from balm.review.records.latex import escaped
from balm.review.records.own_table import COLUMNS, own_row
from balm.review.records.ris_fields import LINE_SEPARATOR, TAGS
from balm.vocabulary.record import Record

#: RIS tags that no field of the model is read from: those of ``Record.other`` that are safe to write again.
_FREE_TAGS_TEXT = (
    "A3 A4 AI AV C1 C4 C6 C8 CA CC CN DP DS EM ET H1 H2 LB LP LS NV OL OP RD RI RP SE SL ST T3 TA U1 U3 U4 U5 U6 U7 "
    "U8 U9 WE WP WT WV"
)
_FREE_TAGS = frozenset(_FREE_TAGS_TEXT.split())
_LOOKS_LIKE_TAG = re.compile(r"\s{0,6}(?:[A-Z][A-Z0-9]|PMID)\s{0,4}[-\u2013\u2014](?:\s|$)|ER$|\s")


def write_ris(records: Iterable[Record]) -> Iterator[str]:
    """RIS, one record a chunk."""
    for r in records:
        lines: list[str] = []

        def put(tag: str, *values: str | None, lines: list[str] = lines) -> None:
            for value in values:
                if value is not None:
                    lines.append(f"{tag}  - {_one_line(value)}")

        code = ris_code(r.type)
        lines.append(f"TY  - {code}")
        put("ID", r.id)
        put("TI", r.title)
        put("TT", r.original_title)
        put("AU", *r.authors)
        put("ED", *r.editors)
        put("PY", None if r.year is None else str(r.year))
        put("DA", r.date)
        put("T2", r.journal)
        put("J2", r.journal_abbreviation)
        put("VL", r.volume)
        put("IS", r.issue)
        put("SP", r.pages)
        put("DO", r.doi)
        put("PMID", r.pmid)
        put("C2", r.pmcid)
        for number in r.accession_numbers:
            put("AN" if number == r.accession_numbers[0] else "U2", number)
        put("SN", *r.issn, *r.isbn)
        if r.abstract is not None:
            lines.append("AB  - " + _many_lines(r.abstract))
        put("KW", *r.keywords)
        if len(r.keywords) == 1 and ";" in r.keywords[0]:
            put("KW", "")
        put("LA", r.language)
        put("UR", *r.urls)
        put("M3", *r.publication_types)
        put("PB", r.publisher)
        put("CY", r.place)
        put("AD", *r.affiliations)
        put("DB", r.database)
        told = type_note(r.type, RIS_TYPES[code], r.publication_types)
        for note in (*((told,) if told else ()), *notes_for(r.decision, r.votes), *r.notes):
            lines.append("N1  - " + _many_lines(note))
        for tag, value in r.other:
            if tag in _FREE_TAGS and tag in TAGS:
                put(tag, value)
        lines.append("ER  - ")
        yield "\n".join(lines) + "\n\n"


def _one_line(text: str) -> str:
    return " ".join(text.split("\n")) if "\n" in text else text


def _many_lines(text: str) -> str:
    """Lines of a text field; one that would read as a tag follows a separator instead of a line end."""
    if "\n" not in text:
        return text
    lines = text.split("\n")
    made = lines[0]
    blank = False
    for line in lines[1:]:
        if not line:
            blank = True
            continue
        if _LOOKS_LIKE_TAG.match(line):
            made += LINE_SEPARATOR * (2 if blank else 1) + line
        else:
            made += ("\n\n" if blank else "\n") + line
        blank = False
    return made


def write_nbib(records: Iterable[Record]) -> Iterator[str]:
    """NBIB (MEDLINE), one record a chunk."""
    for r in records:
        lines = [f"PMID- {r.pmid or ''}"]

        def put(tag: str, *values: str | None, lines: list[str] = lines) -> None:
            for value in values:
                if value is not None:
                    lines.append(f"{tag:<4}- {value.replace(chr(10), LINE_SEPARATOR)}")

        if r.id != r.pmid:
            put("ID", r.id)
        put("TI", r.title)
        put("TT", r.original_title)
        put("FAU", *r.authors)
        put("FED", *r.editors)
        published = r.date if r.date and r.year is not None and r.date.startswith(str(r.year)) else None
        put("DP", published or (None if r.year is None else str(r.year)))
        put("PDAT", r.date if r.date != published else None)
        put("JT", r.journal)
        put("TA", r.journal_abbreviation)
        put("VI", r.volume)
        put("IP", r.issue)
        put("PG", r.pages)
        put("LID", f"{r.doi} [doi]" if r.doi else None)
        put("PMC", r.pmcid)
        put("SI", *r.accession_numbers)
        put("IS", *r.issn)
        put("ISBN", *r.isbn)
        if r.abstract is not None:
            put("AB", *r.abstract.split("\n"))
        put("OT", *r.keywords)
        put("LA", r.language)
        put("URL", *r.urls)
        put("PT", *r.publication_types)
        put("PB", r.publisher)
        put("PL", r.place)
        put("AD", *r.affiliations)
        put("DB", r.database)
        word = next((w for t in r.publication_types if (w := type_in_words(t))), "article")
        told = refined(word, r.publication_types)
        put("GN", None if told == r.type else f"balm_type: {r.type}", *notes_for(r.decision, r.votes), *r.notes)
        yield "\n".join(lines) + "\n\n"


_HYPHENS = re.compile("-{2,}")
_KEY = re.compile(r"[^\s,{}\"#%'()=~\\@]+")


def write_bibtex(records: Iterable[Record]) -> Iterator[str]:
    """BibTeX, one record a chunk."""
    for r in records:
        code = bibtex_code(r.type) if r.type not in _NOT_BIBTEX else "misc"
        lines: list[str] = []

        def put(name: str, value: str | None, lines: list[str] = lines) -> None:
            if value is not None and value != "":
                lines.append(f"  {name} = {{{escaped(value)}}}")

        def several(name: str, values: Iterable[str], put: Callable[[str, str | None], None] = put) -> None:
            put(name, "\n".join(v.replace("\n", LINE_SEPARATOR) for v in values))

        key = r.id if _KEY.fullmatch(r.id) else re.sub(r"[^A-Za-z0-9._:+/-]+", "-", r.id).strip("-") or "record"
        put("id", None if key == r.id else r.id)
        put("title", r.title)
        put("original_title", r.original_title)
        if r.authors:
            lines.append(f"  author = {{{' and '.join(_name(n) for n in r.authors)}}}")
        if r.editors:
            lines.append(f"  editor = {{{' and '.join(_name(n) for n in r.editors)}}}")
        put("year", None if r.year is None else str(r.year))
        put("date", r.date)
        put("booktitle" if code in ("inproceedings", "incollection") else "journal", r.journal)
        put("shortjournal", r.journal_abbreviation)
        put("volume", r.volume)
        put("number", r.issue)
        # Two hyphens of BibTeX are one; pages that hold two (out of somebody's BibTeX) need four.
        put("pages", r.pages and _HYPHENS.sub(lambda found: 2 * found[0], r.pages))
        put("doi", r.doi)
        put("pmid", r.pmid)
        put("pmcid", r.pmcid)
        several("accession_numbers", r.accession_numbers)
        several("issn", r.issn)
        several("isbn", r.isbn)
        put("abstract", r.abstract)
        if r.keywords:
            lines.append(f"  keywords = {{{_keywords(r.keywords)}}}")
        put("language", r.language)
        several("url", r.urls)
        several("publication_types", r.publication_types)
        put("publisher", r.publisher)
        put("address", r.place)
        several("affiliation", r.affiliations)
        several("note", r.notes)
        put("database", r.database)
        put("decision", r.decision)
        for note in notes_for(None, r.votes):
            put("votes", note)
        told = type_note(r.type, RIS_TYPES[ris_code(BIBTEX_TYPES[code])], r.publication_types)
        put("balm_type", told.removeprefix("balm_type: ") if told else None)
        if not lines:
            put("id", r.id)
        yield f"@{code}{{{key},\n" + ",\n".join(lines) + "\n}\n\n"


#: Kinds whose entry type other programs would not know.
_NOT_BIBTEX = frozenset({"preprint", "registration", "magazine article", "newspaper article"})


def _name(name: str) -> str:
    text = escaped(name)
    return f"{{{text}}}" if " and " in text or text == "others" else text


def _keywords(words: tuple[str, ...]) -> str:
    return "; ".join(escaped(w).replace(";", "{;}") for w in words) + (
        ";" if len(words) == 1 and "," in words[0] else ""
    )


def write_csv(records: Iterable[Record]) -> Iterator[str]:
    """CSV (UTF-8, commas, one row a record), every field of the model a column; formulas made harmless."""
    out = io.StringIO()
    row = csv.writer(out, lineterminator="\n")
    row.writerow(COLUMNS)
    for record in records:
        row.writerow(own_row(record))
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


#: Ending -> writer. ``balm.write_records`` and the documentation read this table.
WRITERS: dict[str, Callable[[Iterable[Record]], Iterator[str]]] = {
    ".ris": write_ris,
    ".nbib": write_nbib,
    ".bib": write_bibtex,
    ".csv": write_csv,
}
