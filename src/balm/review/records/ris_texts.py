"""RIS without the compiled function: what :mod:`balm.review.records.ris` gives, in Python alone.

Records in the file's own order of tags are taken in one step (:mod:`balm.review.records.ris_order`), others are cut at
``ER`` and at ``"TI  - "``, and what is left goes line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from balm.review.records import ris
from balm.review.records.decoding import lines_of
from balm.review.records.receipt import Tally
from balm.review.records.ris import before, fields_in, joined, parted, read_lines
from balm.review.records.ris_fast import AND, IN_ONE_LINE, ON_ONE_LINE, RUNS, SEVERAL, follow, ordinary
from balm.review.records.ris_fields import Fields, build
from balm.review.records.ris_order import Order, Orders
from balm.vocabulary.record import Record

_ER = re.compile(r"\nER  -[ \t]*+(?=\n)")


def read_texts(texts: Iterable[str], tally: Tally) -> Iterator[Record]:
    """Every record in ``texts`` of whole lines: what :func:`read` gives, without the compiled function.

    Records in the order of tags that the file has shown so far are taken whole; everything else goes in pieces that end
    with ``ER``, and a file without ``ER`` line by line through :func:`read_lines`.
    """
    iterator = iter(texts)
    orders = Orders()
    number = 0  # lines before the one that begins behind the line end ``text[at]``
    text, at = "\n", 0
    for more in iterator:
        text = text[at:] + more
        at = searched = 0
        while True:
            if found := orders.match(text, at):
                match, order = found
                begin, end = match.start(1) - 7, match.end()
                start = number + begin - at + 1
                number = start - 1 + text.count("\n", begin, end)
                at = end
                record = None
                if order.luck >= 0:
                    record = _taken(match, order, start, number, tally)
                    order.was(record is not None)
                if record is not None:
                    yield record
                elif fields := _held(match, order):
                    yield from build(fields, tally, start, number, ended=True, head=True)
                else:
                    yield from _piece(text[begin : text.rindex("\n", begin, end)], start, number, tally)
                continue
            if (begin := text.find("\nTY  - ", at)) > at:  # what stands before a record is no part of it
                lines = text[at + 1 : begin].split("\n")
                yield from before(lines, number, tally)
                number += len(lines)
                at = begin
                continue
            end = _end(text, max(at, searched))
            if end < 0:
                searched = len(text) - 8
                break
            while text[at + 1] == "\n":
                at += 1
                number += 1
            piece = text[at:end]
            start, number = number + 1, number + piece.count("\n") + 1
            at = text.index("\n", end + 1)
            yield from _piece(piece, start, number, tally, orders)
        if len(text) - at > ris.MAX_PENDING:
            break
    yield from read_lines(chain(lines_of(text[at + 1 :]), chain.from_iterable(map(lines_of, iterator))), tally, number)


def _end(text: str, at: int) -> int:
    """Where the line end before the next ``ER`` line in ``text`` stands; -1 where there is none."""
    found = _ER.search(text, at)
    return found.start() if found else -1


def _taken(match: re.Match[str], order: Order, start: int, end: int, tally: Tally) -> Record | None:
    """The record of a match of ``order``; ``None`` where it is not ordinary."""
    given = match.groups("")
    values = list(map(str.strip, given))
    for at in order.odd:
        if values[at]:
            return None
    for at, tag, mark in order.loose:
        if "\n" in (value := given[at]):
            if tag in RUNS and (mark in value or tag != "KW"):
                parts = [None if "\n" in value.replace(mark, "") else value]
            elif tag in SEVERAL:
                parts = [joined(part) for part in value.split(mark)]
            else:
                parts = [None if mark in value else joined(value)]
            lines = [part.strip() for part in parts if part is not None]
            text = AND.join(lines)
            if len(lines) < len(parts) or ("\n" in text and tag in IN_ONE_LINE):
                return None
            values[at] = text.replace("\n", " ") if tag in ON_ONE_LINE else text
    for usual, other in order.twice:
        if values[other]:
            if values[usual]:
                return None
            values[usual], values[other] = values[other], ""
    authors: list[str] = []
    for at, mark in order.authors:
        if value := given[at]:
            if authors:
                return None
            authors = list(map(str.strip, value.split(mark)))
    keywords: list[str] = []
    if order.keywords >= 0 and (value := given[order.keywords]):
        mark = "\nKW  - "
        keywords = list(map(str.strip, value.split(mark))) if mark in value else [values[order.keywords]]
    return follow(order.plan, values, authors, keywords, start, end, tally)


def _held(match: re.Match[str], order: Order) -> Fields | None:
    """The fields of a match of ``order``; ``None`` where a line may be a tag in disguise."""
    fields: Fields = {}
    for tag, value in zip(order.tags, match.groups(), strict=True):
        if value is None:
            continue
        values: list[str] = []
        for part in value.split(f"\n{tag}  - "):
            text = part if "\n" not in part else joined(part)
            if text is None or (tag in ("UR", "DO") and text.rstrip().endswith("  -")):
                return None
            values.append(text.strip())
        fields[tag] = values
    return fields


def _piece(piece: str, start: int, end: int, tally: Tally, orders: Orders | None = None) -> Iterator[Record]:
    """The records of the lines of ``piece``, each after its ``\\n``, before an ``ER`` on line ``end``."""
    if piece.startswith("\nTY  - ") and (parts := parted(piece)) is not None:
        tags, values = parts
        record = None
        order = orders.learn(tags, values) if orders is not None else None
        if order is None or order.luck >= 0:
            record = ordinary(tags, values, start, end, tally)
            if order is not None:
                order.was(record is not None)
        if record is not None:
            yield record
        else:
            yield from build(fields_in(tags, values), tally, start, end, ended=True, head=True)
    else:
        yield from read_lines([*piece[1:].split("\n"), "ER  - "], tally, start - 1)
