"""Two tagged formats that older exports use: Ovid's (``<1. >`` before each record) and refer/EndNote's (``%T Title``).

Their fields are handed on under their RIS names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from balm.review.records.kinds import ris_code, type_in_words
from balm.review.records.receipt import Tally
from balm.review.records.ris_fields import Fields, build
from balm.vocabulary.record import Record

_OVID_HEAD = re.compile(r"<\s*\d+\s*\.?\s*>\s*$")
_OVID_LINE = re.compile(r"([A-Z][A-Z0-9])  ?- ?(.*)$")
_SOURCE = re.compile(
    r"^(?P<journal>[^.]+)\.\s.*?(?P<volume>\d+)\s*\((?P<issue>[^)]*)\)(?:\s*\(pp\s*(?P<pages>[^)]*)\))?"
)
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
    """Every record of an Ovid tagged export."""
    tally.format = "Ovid"
    fields: Fields | None = None
    tag = ""
    start = number = 0
    for number, line in enumerate(lines, 1):
        if _OVID_HEAD.match(line.strip()):
            if fields is not None:
                yield from _ovid(fields, tally, start, number - 1)
            fields, start, tag = {}, number, ""
            continue
        found = _OVID_LINE.match(line)
        if found and fields is not None:
            tag = found[1]
            fields.setdefault(tag, []).append(found[2])
        elif text := line.strip():
            if fields is None or not tag:
                tally.repair(number, "text between records left out", repr(text[:60]))
            elif tag in ("AU", "KW", "HW", "MH", "SH", "IN"):
                fields[tag].append(text)
            else:
                fields[tag][-1] = f"{fields[tag][-1]} {text}"
    if fields is not None:
        yield from _ovid(fields, tally, start, number)


def _ovid(fields: Fields, tally: Tally, start: int, end: int) -> Iterator[Record]:
    ris: Fields = {}
    kinds = [v for tag in ("PT", "ST") for v in fields.get(tag, ())]
    ris["TY"] = [ris_code(next((w for k in kinds if (w := type_in_words(k))), "article"))]
    source = " ".join(fields.get("SO", ()))
    if source and not {"JN", "JT", "VO"} & set(fields) and (found := _SOURCE.match(source)):
        ris["JF"] = [found["journal"]]
        ris["VL"] = [found["volume"]]
        ris["IS"] = [found["issue"]]
        ris["SP"] = [found["pages"] or ""]
        fields["Ovid SO"] = fields.pop("SO")
    if "YR" not in fields and (year := re.search(r"\b(?:19|20)\d\d\b", source)):
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
