"""RIS in every dialect met in the field: lines to (tag, value), and where one record ends and the next begins.

Records are cut at ``ER`` and split at fixed positions (``"TI  - "``) in one step each; everything else, a few records
in a hundred, goes line by line: one-blank and tab separators, text between records, records without ``ER`` or ``TY``.
What the tags mean is in :mod:`balm.review.records.ris_fields`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from balm.review.records.receipt import Tally
from balm.review.records.ris_fast import LOOSE, ordinary, taken_whole
from balm.review.records.ris_fields import PLAIN_TAGS, TAGS, TEXT_TAGS, build
from balm.vocabulary.record import Record

#: So much text without an ``ER`` is no single record.
MAX_PENDING = 1 << 23

_KIND = re.compile(r"[A-Za-z]{2,12}\d?")
#: What databases print between two records.
_BETWEEN = re.compile(
    r"(?:\d+\s*\.?|<\s*\d+\s*\.?\s*>|Record\s+#?\d+\s+of\s+\d+|Provider:.*|Content:.*|Database:.*|Search Strategy:.*"
    r"|%.*|-{5,}.*|={5,}.*|_{5,}.*)\s*$",
    re.I,
)
_OF = re.compile(r"Record\s+#?\d+\s+of\s+(\d+)", re.I)


def read(blocks: Iterable[list[str]], tally: Tally) -> Iterator[Record]:
    """Every record in ``blocks`` of lines, one at a time; memory holds little more than one block.

    Ordinary records are taken whole; everything else goes line by line through :func:`read_lines`, in pieces that end
    with ``ER``. A file without ``ER`` goes through it as a whole.
    """
    tally.format = "RIS"
    iterator = iter(blocks)
    number = 0  # lines before ``lines[at]``
    lines: list[str] = []
    searched = 0  # no line before this one is an ``ER``
    waiting = 0  # characters of the blocks since the last ``ER``
    ending, other = "ER  - ", "ER  -"
    for block in iterator:
        lines += block
        at = 0
        while True:
            try:
                end = lines.index(ending, searched)
            except ValueError:
                if other not in lines[searched:]:
                    break
                ending, other = other, ending
                end = lines.index(ending, searched)
            while not lines[at]:
                at += 1
                number += 1
            piece = lines[at:end]
            start, at = number + 1, end + 1
            number += len(piece) + 1
            searched = at
            record = taken_whole(piece, start, number, tally)
            if record is not None:
                yield record
            else:
                yield from _piece(piece, start, number, tally)
        waiting = 0 if at else waiting + sum(map(len, block))
        del lines[:at]
        searched = len(lines)
        if waiting > MAX_PENDING:
            break
    yield from read_lines(chain(lines, chain.from_iterable(iterator)), tally, number)


def _piece(lines: list[str], start: int, end: int, tally: Tally) -> Iterator[Record]:
    """The records of lines that end before an ``ER`` on line ``end``."""
    if lines and lines[0].startswith("TY  - ") and (parts := _parted("\n" + "\n".join(lines), len(lines))) is not None:
        tags, values, wrapped = parts
        record = ordinary(tags, values, start, end, tally) if wrapped else None
        if record is not None:
            yield record
        else:
            yield from build(_fields(tags, values), tally, start, end, ended=True, head=True)
    else:
        yield from read_lines([*lines, "ER  - "], tally, start - 1)


_FIELD = re.compile(r"\n([A-Z][A-Z0-9])  - ")


def _parted(piece: str, size: int) -> tuple[list[str], list[str], bool] | None:
    """Tags, values and whether any may be of several lines; ``None`` where a line may be a tag in disguise."""
    parts = _FIELD.split(piece)
    tags, values = parts[1::2], parts[2::2]
    if not PLAIN_TAGS.issuperset(tags[1:]):
        return None
    if size == len(tags):
        return tags, list(map(str.strip, values)), False
    if "\n" in values[0]:
        return None
    made: list[str] = []
    for value in values:
        if "\n" not in value:
            made.append(value.strip())
            continue
        joined = _joined(value)
        if joined is None:
            return None
        made.append(joined.strip())
    if any(tag in ("UR", "DO") and value.endswith("  -") for tag, value in zip(tags, made, strict=True)):
        return None
    return tags, made, True


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


def _fields(tags: list[str], values: list[str]) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
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
    for number, line in enumerate(lines, before + 1):
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
            elif between:
                _rejoin(between, fields)
                between = []
            if not usual:
                tally.repair(number, "tag not followed by two blanks and a hyphen", f"read {text[:40]!r} as {new}")
            tag = new
            last = fields.setdefault(tag, [])
            last.append(value)
        elif fields is None:
            between.append((number, text))
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


def _go_on(last: list[str], line: str, text: str, blank: bool) -> None:
    """A wrapped line: an indented one continues the sentence, another one starts a line of its own."""
    if blank:
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
