"""RIS in every dialect met in the field: lines to (tag, value), and where one record ends and the next begins.

Records are cut into fields by a compiled function where there is one (:mod:`balm.review.records.ris_whole`); else
those in the file's own order of tags are taken in one step (:mod:`balm.review.records.ris_order`), others cut at ``ER``
and at ``"TI  - "``. What is left, a few records in a hundred, goes line by line: one-blank and tab separators, text
between records, records without ``ER`` or ``TY``.
What the tags mean is in :mod:`balm.review.records.ris_fields`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from balm.review.records.decoding import lines_of
from balm.review.records.receipt import Tally
from balm.review.records.ris_fast import AND, IN_ONE_LINE, LOOSE, ON_ONE_LINE, RUNS, SEVERAL, follow, ordinary
from balm.review.records.ris_fields import PLAIN_TAGS, TAGS, TEXT_TAGS, Fields, build
from balm.review.records.ris_order import Order, Orders
from balm.review.records.ris_whole import TABLE, take
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.record import Record

#: So much text without an ``ER`` is no single record.
MAX_PENDING = 1 << 23
#: Lines of one record; those of the longest article of PubMed, with 5,000 authors and their addresses, are some 20,000.
MAX_LINES = 200_000
#: A wrapped value goes on up to this length; what follows is a value of its own, or joining takes hours.
MAX_WRAPPED = 1 << 18

_ENDS = ("ER  - ", "ER  -")
_ER = re.compile(r"\nER  -[ \t]*+(?=\n)")
_KIND = re.compile(r"[A-Za-z]{2,12}\d?")
#: What databases print between two records.
_BETWEEN = re.compile(
    r"(?:\d+\s*\.?|<\s*\d+\s*\.?\s*>|Record\s+#?\d+\s+of\s+\d+|Provider:.*|Content:.*|Database:.*|Search Strategy:.*"
    r"|%.*|-{5,}.*|={5,}.*|_{5,}.*)\s*$",
    re.I,
)
_OF = re.compile(r"Record\s+#?\d+\s+of\s+(\d+)", re.I)


def read(texts: Iterable[str], tally: Tally) -> Iterator[Record]:
    """Every record in ``texts`` of whole lines, one at a time; memory holds little more than one of them.

    Records in the order of tags that the file has shown so far are taken whole; everything else goes in pieces that end
    with ``ER``, and a file without ``ER`` line by line through :func:`read_lines`.
    """
    tally.format = "RIS"
    iterator = iter(texts)
    orders = Orders()
    whole = take()
    number = 0  # lines before the one that begins behind the line end ``text[at]``
    text, at = "\n", 0
    for more in iterator:
        text = text[at:] + more
        at = searched = 0
        last = text.rfind("\nER  -")
        while True:
            if whole is not None and at < last:
                if taken := whole(text, at, TABLE, tally, number):
                    record, fields, at, start, number = taken
                    if record is not None:
                        yield record
                    else:
                        yield from build(fields, tally, start, number, ended=True, head=True)
                    continue
            elif found := orders.match(text, at):
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
                lines_before = text[at + 1 : begin].split("\n")
                if len(lines_before) > MAX_LINES or any(map(LOOSE.match, lines_before)):
                    yield from read_lines(lines_before, tally, number)
                else:
                    between = [(place, line.strip()) for place, line in enumerate(lines_before, number + 1)]
                    _skipped([line for line in between if line[1]], tally)
                number += len(lines_before)
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
            yield from _piece(piece, start, number, tally, None if whole is not None else orders)
        if len(text) - at > MAX_PENDING:
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
                parts = [_joined(part) for part in value.split(mark)]
            else:
                parts = [None if mark in value else _joined(value)]
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
            joined = part if "\n" not in part else _joined(part)
            if joined is None or (tag in ("UR", "DO") and joined.rstrip().endswith("  -")):
                return None
            values.append(joined.strip())
        fields[tag] = values
    return fields


def _piece(piece: str, start: int, end: int, tally: Tally, orders: Orders | None = None) -> Iterator[Record]:
    """The records of the lines of ``piece``, each after its ``\n``, before an ``ER`` on line ``end``."""
    if piece.startswith("\nTY  - ") and (parts := _parted(piece)) is not None:
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
            yield from build(_fields(tags, values), tally, start, end, ended=True, head=True)
    else:
        yield from read_lines([*piece[1:].split("\n"), "ER  - "], tally, start - 1)


_FIELD = re.compile(r"\n([A-Z][A-Z0-9])  - ")


def _parted(piece: str) -> tuple[list[str], list[str]] | None:
    """Tags and values; ``None`` where a line may be a tag in disguise."""
    parts = _FIELD.split(piece)
    tags, values = parts[1::2], parts[2::2]
    if "\n" in values[0]:
        return None
    if not PLAIN_TAGS.issuperset(tags[1:]):
        # A tag nobody documents is one all the same, save in running text.
        for at, tag in enumerate(tags[1:]):
            if tag not in PLAIN_TAGS and (tag in TAGS or tags[at] in TEXT_TAGS):
                return None
    for at, value in enumerate(values):
        if "\n" in value:
            joined = _joined(value)
            if joined is None:
                return None
            values[at] = joined
    values = list(map(str.strip, values))
    if any(tag in ("UR", "DO") and value.endswith("  -") for tag, value in zip(tags, values, strict=True)):
        return None
    return tags, values


def _joined(value: str) -> str | None:
    """The lines of one field put together as :func:`read_lines` does; ``None`` where one looks like something else."""
    first, *rest = value.split("\n")
    made, blank = first, False
    for line in rest:
        text = line.strip()
        if not text:
            blank = True
        elif line[2:5] == "  -" or LOOSE.match(line) or (blank and _BETWEEN.match(text)):
            return None
        elif blank:
            made += "\n\n" + text
            blank = False
        elif line[0] in " \t":
            made = f"{made.rstrip()} {text}"
        else:
            made += "\n" + text
    return made


def _fields(tags: list[str], values: list[str]) -> Fields:
    fields: Fields = {}
    for tag, value in zip(tags, values, strict=True):
        if tag in fields:
            fields[tag].append(value)
        else:
            fields[tag] = [value]
    return fields


def read_lines(lines: Iterable[str], tally: Tally, before: int = 0) -> Iterator[Record]:
    """Every record in ``lines``, whose first is line ``before + 1`` of the file."""
    fields: dict[str, list[str]] | None = None  # of the record now being read
    open_: dict[str, list[str]] | None = None  # the same, unless lines of unsettled meaning wait in ``between``
    head = True  # whether that record has its TY
    last: list[str] = []  # values of the field now being read
    tag = ""
    start = number = before
    blank = 0  # the last blank line
    loose_head = False
    between: list[tuple[int, str]] = []  # lines that look like text between records, until that is settled
    most = before + MAX_LINES  # the last line that the record now being read may have
    for number, line in enumerate(lines, before + 1):
        if number > most:
            if fields is not None or len(between) > MAX_LINES:
                raise _too_long(start if fields is not None else before + 1, tally)
            most = number + MAX_LINES
        if line[2:6] == "  - " and open_ is not None and line[:2] in PLAIN_TAGS:
            tag = line[:2]
            if tag in open_:
                last = open_[tag]
                last.append(line[6:])
            else:
                open_[tag] = last = [line[6:]]
            continue
        text = line.strip()
        if not text:
            blank = number
            continue
        found = LOOSE.match(line)
        new = found[1] if found else ""
        value = (found[3] or "") if found else ""
        usual = line[2:5] == "  -"
        if new == "TY" and (usual or _KIND.fullmatch(value.strip()) or not value.strip()):
            if fields is not None:
                _closed(last)
                yield from build(fields, tally, start, number - 1, ended=False, head=head)
            _skipped(between, tally)
            between = []
            fields, head, start = {"TY": [value]}, True, number
            most = number + MAX_LINES
            loose_head = found is not None and not usual
            last, tag = fields["TY"], "TY"
            if loose_head:
                tally.repair(number, "tag not followed by two blanks and a hyphen", f"read {text[:40]!r} as TY")
        elif new == "ER" and not value.strip() and (fields is not None or not between):
            if fields is not None:
                if between:
                    _rejoin(between, fields)
                    between = []
                yield from build(fields, tally, start, number, ended=True, head=head)
            fields, tag, last = None, "", []
        elif (
            new in TAGS
            and new not in ("TY", "ER")
            and (usual or fields is None or loose_head or tag not in TEXT_TAGS or new == "PMID")
        ):
            if fields is None:
                if not usual and not value:
                    between.append((number, text))
                    continue
                _skipped(between, tally)
                between = []
                fields, head, start, loose_head = {}, False, number, not usual
                most = number + MAX_LINES
            elif between:
                _rejoin(between, fields)
                between = []
            if not usual and not line.startswith("PMID  - "):  # as we write it
                tally.repair(number, "tag not followed by two blanks and a hyphen", f"read {text[:40]!r} as {new}")
            tag = new
            last = fields.setdefault(tag, [])
            last.append(value)
        elif fields is None:
            between.append((number, text))
            if line in _ENDS:
                _skipped(between, tally)
                between = []
        elif usual and found and tag not in TEXT_TAGS:
            tag = new  # a tag nobody documents: kept among the others
            last = fields.setdefault(new, [])
            last.append(value)
        elif between or (blank == number - 1 and _BETWEEN.match(text)):
            between.append((number, text))
        else:
            _go_on(last, line, text, blank == number - 1)
            if found and usual:
                tally.repair(number, "a line that looks like a tag is text of the field before it", text[:40])
        open_ = None if between else fields
    if fields is not None:
        _closed(last)
        yield from build(fields, tally, start, number, ended=False, head=head)
    _skipped(between, tally)


def _too_long(start: int, tally: Tally) -> InputError:
    reason = f"what begins on line {start:,} goes on for more than {MAX_LINES:,} lines: this is no record of an export"
    return InputError(Problem(reason, file=tally.file, line=start))


def _go_on(last: list[str], line: str, text: str, blank: bool) -> None:
    """A wrapped line: an indented one continues the sentence, another one starts a line of its own."""
    if len(last[-1]) > MAX_WRAPPED:
        last.append(text)
    elif blank:
        last[-1] += "\n\n" + text
    elif line.startswith((" ", "\t")):
        last[-1] = f"{last[-1].rstrip()} {text}"
    else:
        last[-1] += "\n" + text


def _rejoin(between: list[tuple[int, str]], fields: dict[str, list[str]]) -> None:
    """What looked like text between two records was text of a field after all."""
    last = next(reversed(fields.values()))
    last[-1] += "\n\n" + "\n".join(text for _, text in between)


def _closed(last: list[str]) -> None:
    """A record that ends without a whole ``ER`` line may have swallowed a bare ``ER`` as text."""
    if last and last[-1].endswith("\nER"):
        last[-1] = last[-1][:-3].rstrip()


def _skipped(between: list[tuple[int, str]], tally: Tally) -> None:
    for number, text in between:
        if found := _OF.match(text):
            tally.stated = max(tally.stated or 0, int(found[1]))
        tally.repair(number, "text between records left out", repr(text[:60]))
