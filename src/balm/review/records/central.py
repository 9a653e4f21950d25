"""Cochrane CENTRAL's plain text: ``Record #1 of 20``, then one field a line, named in two or three letters and a colon.

The fields are handed on under their RIS names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from balm.review.records.kinds import ris_code, type_in_words
from balm.review.records.receipt import Tally
from balm.review.records.ris_fields import Fields, build
from balm.vocabulary.record import Record

_HEAD = re.compile(r"Record #\d+ of (\d+)\s*$")
_FIELD = re.compile(r"([A-Z]{2,4}): ?(.*)$")
_RIS = {
    "ID": "AN", "AU": "AU", "TI": "TI", "SO": "JF", "YR": "PY", "VL": "VL", "NO": "IS", "PG": "SP", "PM": "PMID",
    "XR": "U2", "PT": "M3", "KY": "KW", "DOI": "DO", "AB": "AB", "US": "UR", "LA": "LA", "SN": "SN", "PB": "PB",
}  # fmt: skip
#: Fields that hold several values with semicolons between.
_LISTS = frozenset({"PT", "KY"})


def read(lines: Iterable[str], tally: Tally) -> Iterator[Record]:
    """Every record of a plain text export of Cochrane CENTRAL."""
    tally.format = "Cochrane CENTRAL (plain text)"
    fields: Fields | None = None
    last: list[str] = []
    start = number = 0
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if head := _HEAD.match(text):
            if fields is not None:
                yield from _record(fields, tally, start, number - 1)
            tally.stated = max(tally.stated or 0, int(head[1]))
            fields, last, start = {}, [], number
        elif fields is None:
            if text:
                tally.repair(number, "text between records left out", repr(text[:60]))
        elif (found := _FIELD.match(line)) and (found[1] in _RIS or "AB" not in fields):
            last = fields.setdefault(found[1], [])
            last.append(found[2].strip())
        elif text and last:
            last[-1] += "\n" + text
        elif text:
            tally.repair(number, "text between records left out", repr(text[:60]))
    if fields is not None:
        yield from _record(fields, tally, start, number)


def _record(fields: Fields, tally: Tally, start: int, end: int) -> Iterator[Record]:
    kinds = [part.strip() for value in fields.get("PT", ()) for part in value.split(";")]
    ris: Fields = {"TY": [ris_code(next((kind for each in kinds if (kind := type_in_words(each))), "article"))]}
    for name, values in fields.items():
        if name in _LISTS:
            values = [part.strip() for value in values for part in value.split(";")]
        elif name == "PM":
            values = [value.removeprefix("PUBMED").strip() for value in values]
        elif name == "SO" and values[0].startswith("http"):  # a register's entry has an address for its journal
            name = "US"
        ris.setdefault(_RIS.get(name, f"CENTRAL {name}"), []).extend(values)
    yield from build(ris, tally, start, end, ended=True, head=True)
