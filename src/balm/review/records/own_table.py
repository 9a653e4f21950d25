"""The CSV layout of our own: every field of the model a column, read back exactly as it was written.

Several values in one cell are separated by ``; `` and a semicolon inside a value is written ``\\;``. A cell that a
spreadsheet would take for a formula is written with an apostrophe before it, which reading takes away again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields

from balm.review.records.receipt import Tally
from balm.vocabulary.record import DECISIONS, RECORD_TYPES, Record, Vote
from balm.vocabulary.spreadsheet_cell import safe_cell, unsafe_cell

#: Fields written as JSON, because their values are pairs.
_JSON = ("votes", "other")
_WHERE = ("source_file", "ordinal", "lines")
COLUMNS = tuple(f.name for f in fields(Record) if f.name not in _WHERE) + _WHERE
_TUPLES = frozenset(f.name for f in fields(Record) if str(f.type).startswith("tuple[str"))
_SPLIT = re.compile(r"(?<!\\); ")


def is_own_header(header: Sequence[str]) -> bool:
    """Whether a table was written by :func:`own_row`."""
    return set(COLUMNS) <= set(header)


def own_row(record: Record) -> list[str]:
    """The cells of a record in the order of :data:`COLUMNS`."""
    cells = []
    for name in COLUMNS:
        value = getattr(record, name)
        if name == "votes":
            text = json.dumps([[v.person, v.decision, v.reason] for v in value], ensure_ascii=False) if value else ""
        elif name == "other":
            text = json.dumps([list(pair) for pair in value], ensure_ascii=False) if value else ""
        elif name == "lines":
            text = f"{value[0]} to {value[1]}" if value else ""
        elif isinstance(value, tuple):
            text = "; ".join(str(v).replace("\\", "\\\\").replace(";", "\\;") for v in value)
        else:
            text = "" if value is None else str(value)
        cells.append(safe_cell(text))
    return cells


def read_own_row(header: Sequence[str], cells: Sequence[str], tally: Tally, start: int, end: int) -> Iterator[Record]:
    """The record of one row, or a line in the receipt saying which cell is wrong."""
    if len(cells) != len(header):
        tally.reject(start, f"the row has {len(cells)} cells where the header has {len(header)}", ",".join(cells))
        return
    values: dict[str, object] = {}
    further: list[tuple[str, str]] = []
    for name, cell in zip(header, cells, strict=True):
        text = unsafe_cell(cell)
        if name not in COLUMNS:
            if text:
                further.append((name, text))
            continue
        try:
            values[name] = _value(name, text)
        except (ValueError, TypeError, KeyError) as error:
            tally.reject(start, f"column {name}: {error}; got {text[:60]!r}", ",".join(cells))
            return
    values["id"] = tally.name(str(values.get("id") or "") or None, start)
    other = values.get("other", ())
    assert isinstance(other, tuple)
    values |= {"other": (*other, *further), "source_file": tally.file, "ordinal": tally.ordinal, "lines": (start, end)}
    tally.read += 1
    yield Record(**values)  # type: ignore[arg-type]


def _value(name: str, text: str) -> object:
    if name in _TUPLES:
        return split_values(text)
    if name == "votes":
        votes = tuple(Vote(p, d, r) for p, d, r in json.loads(text)) if text else ()
        if any(v.decision not in DECISIONS for v in votes):
            raise ValueError(f"a decision must be one of {list(DECISIONS)}")
        return votes
    if name == "other":
        return tuple((str(tag), str(value)) for tag, value in json.loads(text)) if text else ()
    if name == "type":
        if text and text not in RECORD_TYPES:
            raise ValueError(f"must be one of {list(RECORD_TYPES)}")
        return text or "article"
    if name == "decision" and text and text not in DECISIONS:
        raise ValueError(f"must be one of {list(DECISIONS)}")
    if name in ("year", "ordinal"):
        return int(text) if text else (None if name == "year" else 0)
    if name in ("lines", "id", "source_file"):
        return text
    return text or None


def split_values(text: str) -> tuple[str, ...]:
    """The values of one cell.

    >>> split_values("a; b\\\\; c")
    ('a', 'b; c')
    """
    if not text:
        return ()
    if "\\" not in text:
        return tuple(text.split("; "))
    values: list[str] = []
    now: list[str] = []
    at = 0
    while at < len(text):
        one = text[at]
        if one == "\\" and at + 1 < len(text):
            now.append(text[at + 1])
            at += 2
        elif text.startswith("; ", at):
            values.append("".join(now))
            now = []
            at += 2
        else:
            now.append(one)
            at += 1
    return (*values, "".join(now))
