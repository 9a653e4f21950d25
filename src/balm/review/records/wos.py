"""Web of Science's tagged format (``.ciw`` and plain text): two-letter tags, wrapped lines after three blanks.

In ``AU``, ``AF``, ``C1`` and their like every wrapped line is a further value; elsewhere it continues the sentence. The
fields are handed on under their RIS names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from balm.review.records.kinds import ris_code, type_in_words
from balm.review.records.receipt import Tally
from balm.review.records.ris_fields import Fields, build
from balm.vocabulary.record import Record

_LINE = re.compile(r"([A-Z][A-Z0-9])(?: (.*))?$")
#: Tags with one value a line.
_LISTS = frozenset({"AU", "AF", "BA", "BF", "BE", "CA", "GP", "C1", "CR", "ED"})
_MAIL = re.compile(r"\s*\([^()\s]*@[^()\s]*\)")
_TYPES = {"J": "article", "B": "book", "S": "book", "P": "patent", "C": "conference", "AV": "other"}
_RIS = {
    "TI": "TI",
    "SO": "T2",
    "J9": "J9",
    "JI": "J2",
    "LA": "LA",
    "AB": "AB",
    "PU": "PB",
    "PI": "CY",
    "PY": "PY",
    "VL": "VL",
    "IS": "IS",
    "BP": "SP",
    "PS": "SP",
    "EP": "EP",
    "DI": "DO",
    "PM": "PMID",
    "SN": "SN",
    "EI": "SN",
    "BN": "SN",
    "DT": "M3",
    "BE": "A2",
    "ED": "A2",
    "C1": "AD",
    "AN": "AN",
    "UT": "AN",
    "UR": "UR",
}


def read(lines: Iterable[str], tally: Tally) -> Iterator[Record]:
    """Every record in ``lines``, one at a time: from ``PT`` to ``ER``."""
    tally.format = "Web of Science"
    fields: Fields | None = None
    tag = ""
    start = number = 0
    for number, line in enumerate(lines, 1):
        if line[:3] == "   " and fields is not None and tag:
            text = line.strip()
            if text:
                if tag in _LISTS:
                    fields[tag].append(text)
                else:
                    fields[tag][-1] = f"{fields[tag][-1]} {text}"
            continue
        found = _LINE.match(line.rstrip())
        if found is None:
            text = line.strip()
            if text and fields is not None and tag:
                fields[tag][-1] = f"{fields[tag][-1]} {text}"
                tally.repair(number, "a wrapped line is not indented", repr(text[:40]))
            elif text:
                tally.repair(number, "text between records left out", repr(text[:60]))
            continue
        new, value = found[1], found[2] or ""
        if new == "PT" and (fields is None or "PT" in fields):
            if fields is not None:
                yield from build(_as_ris(fields), tally, start, number - 1, ended=False, head=True)
            fields, start, tag = {"PT": [value]}, number, "PT"
        elif new == "ER":
            if fields is not None:
                yield from build(_as_ris(fields), tally, start, number, ended=True, head=True)
            fields, tag = None, ""
        elif new in ("FN", "VR", "EF") and fields is None:
            continue
        elif fields is None:
            fields, start, tag = {new: [value]}, number, new
            tally.repair(number, "the record has no PT line")
        else:
            tag = new
            fields.setdefault(tag, []).append(value)
    if fields is not None:
        yield from build(_as_ris(fields), tally, start, number, ended=False, head=True)


#: Columns that a table of Web of Science has and no other.
_COLUMNS = frozenset({"PT", "AU", "TI", "SO", "UT"})
#: Between two values of a list in one cell; a list of names in brackets stands before their address.
_NEXT_VALUE = re.compile(r";(?![^\[\]]*\])\s*")


def is_wos_header(header: list[str]) -> bool:
    """Whether the columns of a table bear the tags of Web of Science."""
    return {name.lstrip("\ufeff") for name in header} >= _COLUMNS


def row_as_ris(header: list[str], cells: list[str]) -> Fields:
    """One row of a table of Web of Science (its tab-delimited file) under the RIS names of its fields."""
    fields: Fields = {}
    for name, cell in zip(header, cells, strict=False):
        if text := cell.strip():
            tag = name.lstrip("\ufeff")
            values = _NEXT_VALUE.split(text) if tag in _LISTS and tag != "CR" else [text]
            fields[tag if len(tag) > 1 else f"column {tag}"] = [value for value in values if value]
    return _as_ris(fields) if fields else fields


def _as_ris(fields: Fields) -> Fields:
    ris: Fields = {}
    kind = _TYPES.get("".join(fields.pop("PT", [""])).strip())
    documents = [part.strip() for value in fields.pop("DT", []) for part in value.split(";")]
    told = next((w for d in documents if (w := type_in_words(d))), None)
    if told is None and kind == "book" and "TI" in fields:  # the volume it stands in
        if "CT" in fields:
            kind = "conference"
        elif "BP" in fields and "SO" in fields and fields["SO"][0].casefold() != fields["TI"][0].casefold():
            kind = "chapter"
    ris["TY"] = [ris_code(told or kind or "article")]
    ris["M3"] = documents
    names, full = fields.pop("AU", []), fields.pop("AF", [])
    ris["AU"] = [_MAIL.sub("", name) for name in (full if len(full) >= len(names) else names)]
    if not any(ris["AU"]):
        ris["AU"] = fields.pop("BA", [])
    groups = [name for name in fields.pop("CA", []) if name.strip()]
    ris["AU"] += groups or ([] if any(ris["AU"]) else fields.pop("GP", []))
    words = [part.strip() for tag in ("DE", "ID", "MH") for value in fields.pop(tag, []) for part in value.split(";")]
    ris["KW"] = [*words, ""]
    if "AR" in fields and "BP" not in fields:
        ris["SP"] = fields.pop("AR")
    day, year = fields.get("PD", [""])[0], fields.get("PY", [""])[0]
    if day and year:
        ris["DA"] = [day if year in day else f"{year} {day}"]
        fields.pop("PD")
    if "PY" not in fields and "DA" not in ris and "EA" in fields:  # not yet in an issue
        ris["DA"] = fields.pop("EA")
    for tag, values in fields.items():
        to = _RIS.get(tag, tag if tag not in _MEANS_ELSE else f"WoS {tag}")
        ris.setdefault(to, []).extend(values)
    return ris


#: Tags that mean another thing in RIS.
_MEANS_ELSE = frozenset(
    {"A1", "A2", "T1", "CT", "CY", "DB", "ID", "JA", "KW", "LK", "L2", "L3", "N1", "N2", "RN", "ST", "TT", "U2", "UI"}
    | {"BT", "CP", "DA", "DE", "DO", "J1", "J2", "JF", "JO", "K1", "NO", "PB", "PP", "SP", "T2", "VO", "Y1", "YR"}
    | {"M3", "PMID", "C7", "C5", "C3", "C2", "M1", "M2"}
)
