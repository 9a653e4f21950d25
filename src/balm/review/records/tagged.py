"""Two tagged formats that older exports use: Ovid's (``<1. >`` before each record) and refer/EndNote's (``%T Title``).

Ovid names a field in two letters on the line of its value, or in words on a line above it. All fields are handed on
under their RIS names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from balm.review.records.kinds import ris_code, type_in_words
from balm.review.records.receipt import Tally
from balm.review.records.ris_fields import Fields, build
from balm.vocabulary.record import Record

_OVID_HEAD = re.compile(r"<\s*+\d++\s*+(?:\.\s*+)?>\s*$")
#: The first line of a field that is named in words: its value stands below, indented.
_LABEL = re.compile(r"[A-Z][A-Za-z][A-Za-z0-9 /&().,'-]{0,60}$")
_OVID_LINE = re.compile(r"([A-Z][A-Z0-9])  ?- ?(.*)$")
_SOURCE = re.compile(
    r"^(?P<journal>[^.]+)\.\s.*?(?P<volume>\d+)\s*\((?P<issue>[^)]*)\)"
    r"(?:\s*\(pp\s*(?P<pages>[^)]*)\)|:(?P<range>[\w-]+))?"
)
#: Marks that lead from an author to an address or a footnote.
_FOOTNOTES = re.compile(r"(?:\s+(?:\d+(?:,\s*\d+)*|[*+#~|]+))+$")
_OVID = {
    "AU": "AU",
    "TI": "TI",
    "AB": "AB",
    "DO": "DO",
    "DI": "DO",
    "PM": "PMID",
    "UI": "AN",
    "IN": "AD",
    "LG": "LA",
} | {
    "YR": "PY",
    "IS": "SN",
    "JN": "JF",
    "JT": "JF",
    "JA": "JA",
    "VO": "VL",
    "IP": "IS",
    "PG": "SP",
    "KW": "KW",
    "HW": "KW",
    "MH": "KW",
    "SH": "KW",
    "DE": "KW",
    "PT": "M3",
    "ST": "M3",
    "PB": "PB",
    "CP": "CY",
    "DB": "DB",
    "XL": "UR",
    "OT": "TT",
    "AD": "AD",
    "DP": "DA",
    "CN": "Ovid CN",
    "SO": "SO",
}
#: Statuses that records of MEDLINE alone have.
_MEDLINE = frozenset({"MEDLINE", "PubMed-not-MEDLINE", "In-Data-Review", "In-Process", "Publisher"})
#: Ovid writes several types of publication as sentences.
_KINDS = re.compile(r"(?<=[a-z)])\. (?=[A-Z])")
#: Ovid's names of fields in words -> its names in two letters.
_WORDS = {
    "title": "TI",
    "chapter title": "Chapter",
    "author": "AU",
    "authors": "AU",
    "authors full name": "Full",
    "author full name": "Full",
    "author(s)": "AU",
    "source": "SO",
    "abstract": "AB",
    "accession number": "UI",
    "unique identifier": "UI",
    "institution": "IN",
    "doi number": "DO",
    "doi": "DO",
    "digital object identifier": "DO",
    "pmid": "PM",
    "year of publication": "YR",
    "publication year": "YR",
    "date of publication": "DP",
    "publication date": "DP",
    "journal name": "JN",
    "journal": "JN",
    "journal abbreviation": "JA",
    "volume": "VO",
    "issue": "IP",
    "issue/part": "IP",
    "page": "PG",
    "pages": "PG",
    "issn": "IS",
    "issn print": "IS",
    "issn electronic": "IS",
    "isbn": "IS",
    "language": "LG",
    "publisher": "PB",
    "country of publication": "CP",
    "database": "DB",
    "author keywords": "KW",
    "keywords": "KW",
    "keyword heading": "KW",
    "heading word": "HW",
    "mesh subject headings": "MH",
    "subject headings": "SH",
    "descriptors": "DE",
    "publication type": "PT",
    "document type": "PT",
    "original title": "OT",
    "link to the ovid full text or citation": "XL",
    "external link": "XL",
}
#: Fields named in words that hold a list: one entry a line, or several with semicolons between.
_LISTS = frozenset({"AU", "Full", "KW", "HW", "MH", "SH", "DE"})
_REFER = {"A": "AU", "T": "TI", "B": "T2", "J": "JF", "D": "PY", "8": "DA", "V": "VL", "N": "IS", "P": "SP"} | {
    "U": "UR",
    "X": "AB",
    "R": "DO",
    "K": "KW",
    "@": "SN",
    "I": "PB",
    "C": "CY",
    "E": "A2",
    "G": "LA",
    "M": "AN",
    "Z": "N1",
    "9": "M3",
    "!": "ST",
    "W": "DB",
    "F": "ID",
    "O": "J2",
    "Q": "TT",
    "+": "AD",
    "S": "T3",
    "7": "ET",
    "6": "NV",
}


def read_ovid(lines: Iterable[str], tally: Tally) -> Iterator[Record]:
    """Every record of an Ovid export, its fields named in two letters or in words."""
    tally.format = "Ovid"
    fields: Fields | None = None
    tag = first = ""
    words = False  # whether the fields of this record are named in words
    start = number = 0
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if _OVID_HEAD.match(text):
            if fields is not None:
                yield from _ovid(fields, tally, start, number - 1)
            fields, start, tag, words, first = {}, number, "", False, ""
            continue
        named = line[:1] not in ("", " ", "\t") and _LABEL.match(text) and not _OVID_LINE.match(line)
        if named and not words and not fields and (fields is not None or text.lower() in _WORDS):
            words, first = True, first or text
        if named and words:
            if fields is None or (text == first and _tag_of(text) in fields):
                if fields is not None:
                    yield from _ovid(fields, tally, start, number - 1)
                tally.repair(number, "the record has no number before it")
                fields, start = {}, number
            tag = _tag_of(text)
            fields.setdefault(tag, [])
        elif words and fields is not None and text:
            if tag in _LISTS:
                fields[tag] += [_FOOTNOTES.sub("", part) for each in text.split(";") if (part := each.strip())]
            elif tag == "IN" or not fields[tag]:
                fields[tag].append(text)
            else:
                fields[tag][-1] += " " + text
        elif not words and fields is not None and (found := _OVID_LINE.match(line)):
            tag = found[1]
            fields.setdefault(tag, []).append(found[2])
        elif text:
            if fields is None or not tag:
                tally.repair(number, "text between records left out", repr(text[:60]))
            elif tag in ("AU", "KW", "HW", "MH", "SH", "IN"):
                fields[tag].append(text)
            else:
                fields[tag][-1] = f"{fields[tag][-1]} {text}"
    if fields is not None:
        yield from _ovid(fields, tally, start, number)


def _tag_of(words: str) -> str:
    return _WORDS.get(words.lower(), words)


def _ovid(fields: Fields, tally: Tally, start: int, end: int) -> Iterator[Record]:
    ris: Fields = {}
    if chapter := fields.pop("Chapter", []):
        if book := fields.pop("TI", []):
            ris["T2"] = book
        fields["TI"] = chapter
    full = fields.pop("Full", [])
    if len(full) >= len(fields.get("AU", ())):
        fields["AU"] = full or fields.get("AU", [])
    elif full:
        fields["Ovid Full"] = full
    if (
        (number := fields.get("UI", [""])[0].strip()).isdigit()
        and "PM" not in fields
        and _MEDLINE & {word for status in fields.get("Status", ()) for word in status.split()}
    ):
        fields["PM"] = [number]  # Ovid MEDLINE counts by PubMed's numbers
    fields["PT"] = [kind for value in fields.get("PT", ()) for kind in _KINDS.split(value)]
    for tag in ("SO", "LG", "PT"):
        if tag in fields:
            fields[tag] = [value.removesuffix(".") for value in fields[tag]]
    kinds = [v for tag in ("PT", "ST") for v in fields.get(tag, ())]
    ris["TY"] = [ris_code(next((w for k in kinds if (w := type_in_words(k))), "article"))]
    source = " ".join(fields.get("SO", ()))
    if source and not {"JN", "JT", "VO"} & set(fields) and (found := _SOURCE.match(source)):
        ris["JF"] = [found["journal"]]
        ris["VL"] = [found["volume"]]
        ris["IS"] = [found["issue"]]
        ris["SP"] = [found["pages"] or found["range"] or ""]
        fields["Ovid SO"] = fields.pop("SO")
    told = f"{source} {' '.join(fields.get('Status', ()))}"
    if "YR" not in fields and (year := re.search(r"\b(?:19|20)\d\d\b", told)):
        ris["PY"] = [year[0]]
    for tag, values in fields.items():
        ris.setdefault(_OVID.get(tag, f"Ovid {tag.removeprefix('Ovid ')}"), []).extend(values)
    yield from build(ris, tally, start, end, ended=True, head=True)


def read_refer(lines: Iterable[str], tally: Tally) -> Iterator[Record]:
    """Every record of a refer (EndNote tagged, ``.enw``) file: records are separated by blank lines."""
    tally.format = "EndNote tagged (refer)"
    fields: Fields | None = None
    last: list[str] = []
    start = number = 0
    blank = True
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text:
            blank = True
            continue
        if text[0] == "%" and len(text) > 1 and text[2:3] in ("", " "):
            letter = text[1]
            if fields is not None and (blank or (letter == "0" and "TY" in fields)):
                yield from build(fields, tally, start, number - 1, ended=True, head=True)
                fields = None
            if fields is None:
                fields, start = {}, number
            value = text[3:]
            if letter == "0":
                fields["TY"] = last = [ris_code(type_in_words(value) or "other")]
            else:
                last = fields.setdefault(_REFER.get(letter, f"%{letter}"), [])
                last.append(value)
        elif fields is not None and last:
            last[-1] += "\n" + text
        else:
            tally.repair(number, "text between records left out", repr(text[:60]))
        blank = False
    if fields is not None:
        yield from build(fields, tally, start, number, ended=True, head=True)
