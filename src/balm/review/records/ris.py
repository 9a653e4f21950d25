"""RIS in every dialect met in the field: lines to (tag, value), and where one record ends and the next begins.

Records are made by a compiled function where there is one (:mod:`balm.review.records.ris_whole`), else by its twin
(:mod:`balm.review.records.ris_texts`). What is not taken so is cut at ``ER`` and at ``"TI  - "``; what is left then, a
few records in a hundred, goes line by line: one-blank and tab separators, records without ``ER`` or ``TY``.
What the tags mean is in :mod:`balm.review.records.ris_fields`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from balm.review.records.decoding import lines_of
from balm.review.records.receipt import Tally
from balm.review.records.ris_between import BETWEEN, left_out
from balm.review.records.ris_fields import LOOSE, PLAIN_TAGS, TAGS, TEXT_TAGS, Fields, build
from balm.review.records.ris_whole import TABLE, Take, take
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.record import Record

#: So much text without an ``ER`` is no single record.
MAX_PENDING = 1 << 23
#: Lines of one record; those of the longest article of PubMed, with 5,000 authors and their addresses, are some 20,000.
MAX_LINES = 200_000
#: A wrapped value goes on up to this length; what follows is a value of its own, or joining takes hours.
MAX_WRAPPED = 1 << 18

_ENDS = ("ER  - ", "ER  -")
_ER = re.compile(rb"\nER  -[ \t]*+(?=\n)")
_KIND = re.compile(r"[A-Za-z]{2,12}\d?")


def read(blocks: Iterable[bytes], tally: Tally) -> Iterator[Record]:
    """Every record in ``blocks`` of whole lines in UTF-8, one at a time; memory holds little more than one of them."""
    tally.format = "RIS"
    whole = take()
    if whole is None:  # what is not needed otherwise is not imported: a search is often read by a process of its own
        from balm.review.records.ris_texts import read_texts

        return read_texts(map(bytes.decode, blocks), tally)
    return _read_whole(whole, blocks, tally)


def _read_whole(whole: Take, blocks: Iterable[bytes], tally: Tally) -> Iterator[Record]:
    """Records that need no judgement are made by the compiled function; everything else goes in pieces."""
    iterator = iter(blocks)
    number = 0  # lines before the one that begins behind the line end ``data[at]``
    data, at = b"\n", 0
    for more in iterator:
        data = data[at:] + more
        at = 0
        last = data.rfind(b"\nER  -")
        while at <= last:
            if taken := whole(data, at, TABLE, tally, number):
                record, fields, at, start, number = taken
                if record is not None:
                    yield record
                else:
                    yield from build(fields, tally, start, number, ended=True, head=True)
            elif (begin := data.find(b"\nTY  - ", at)) > at:
                lines = data[at + 1 : begin].decode().split("\n")
                yield from before(lines, number, tally)
                number += len(lines)
                at = begin
            elif found := _ER.search(data, at):
                while data[at + 1 : at + 2] == b"\n":
                    at += 1
                    number += 1
                piece = data[at : found.start()].decode()
                start, number = number + 1, number + piece.count("\n") + 1
                at = found.end()
                yield from _piece(piece, start, number, tally)
            else:
                break
        if (begin := data.find(b"\nTY  - ", at)) > at:
            lines = data[at + 1 : begin].decode().split("\n")
            yield from before(lines, number, tally)
            number += len(lines)
            at = begin
        if len(data) - at > MAX_PENDING:
            break
    rest = chain.from_iterable(map(lines_of, map(bytes.decode, iterator)))
    yield from read_lines(chain(lines_of(data[at + 1 :].decode()), rest), tally, number)


def before(lines: list[str], number: int, tally: Tally) -> Iterator[Record]:
    """The records, if there are any, in the lines before a TY, the first of which comes after line ``number``."""
    if len(lines) > MAX_LINES or any(map(LOOSE.match, lines)):
        yield from read_lines(lines, tally, number)
    else:
        between = [(place, line.strip()) for place, line in enumerate(lines, number + 1)]
        left_out([line for line in between if line[1]], tally)


def _piece(piece: str, start: int, end: int, tally: Tally) -> Iterator[Record]:
    """The records of the lines of ``piece``, each after its ``\\n``, before an ``ER`` on line ``end``."""
    if piece.startswith("\nTY  - ") and (parts := parted(piece)) is not None:
        yield from build(fields_in(*parts), tally, start, end, ended=True, head=True)
    else:
        yield from read_lines([*piece[1:].split("\n"), "ER  - "], tally, start - 1)


_FIELD = re.compile(r"\n([A-Z][A-Z0-9])  - ")


def parted(piece: str) -> tuple[list[str], list[str]] | None:
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
            text = joined(value)
            if text is None:
                return None
            values[at] = text
    values = list(map(str.strip, values))
    if any(tag in ("UR", "DO") and value.endswith("  -") for tag, value in zip(tags, values, strict=True)):
        return None
    return tags, values


def joined(value: str) -> str | None:
    """The lines of one field put together as :func:`read_lines` does; ``None`` where one looks like something else."""
    first, *rest = value.split("\n")
    made, blank = first, False
    for line in rest:
        text = line.strip()
        if not text:
            blank = True
        elif line[2:5] == "  -" or LOOSE.match(line) or (blank and BETWEEN.match(text)):
            return None
        elif blank:
            made += "\n\n" + text
            blank = False
        elif line[0] in " \t":
            made = f"{made.rstrip()} {text}"
        else:
            made += "\n" + text
    return made


def fields_in(tags: list[str], values: list[str]) -> Fields:
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
            left_out(between, tally)
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
                left_out(between, tally)
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
                left_out(between, tally)
                between = []
        elif usual and found and tag not in TEXT_TAGS:
            tag = new  # a tag nobody documents: kept among the others
            last = fields.setdefault(new, [])
            last.append(value)
        elif between or (blank == number - 1 and BETWEEN.match(text)):
            between.append((number, text))
        else:
            _go_on(last, line, text, blank == number - 1)
            if found and usual:
                tally.repair(number, "a line that looks like a tag is text of the field before it", text[:40])
        open_ = None if between else fields
    if fields is not None:
        _closed(last)
        yield from build(fields, tally, start, number, ended=False, head=head)
    left_out(between, tally)


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
