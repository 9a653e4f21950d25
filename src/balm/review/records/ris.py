"""RIS in every dialect met in the field: lines to (tag, value), and where one record ends and the next begins.

Records are cut at ``ER`` and split at fixed positions (``"TI  - "``) in one step each; everything else, a few records
in a hundred, goes line by line: one-blank and tab separators, text between records, records without ``ER`` or ``TY``.
What the tags mean is in :mod:`balm.review.records.ris_fields`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from balm.review.records.decoding import lines_of
from balm.review.records.receipt import Tally
from balm.review.records.ris_fast import LOOSE, ordinary
from balm.review.records.ris_fields import TEXT_TAGS, build
from balm.vocabulary.record import Record

#: Tags that start a field: the RIS specification, and what databases and tools add. A line that looks like a tag but is
#: not here goes on with the field before it where that is running text (``IN  - vitro``).
_TAGS_TEXT = (
    "TY ER A1 A2 A3 A4 AB AD AI AN AU AV BT C1 C2 C3 C4 C5 C6 C7 C8 CA CC CI CL CN CP CR CT CY DA DB DE DI DL DO DP DS "
    "ED EM EP ET FX H1 H2 ID IS J1 J2 JA JF JI JO J9 K1 KW L1 L2 L3 L4 LA LB LK LL LP LS M1 M2 M3 MI MS N1 N2 NO NS "
    "NL NV OL OP PA PB PD PI PM PP PT PU PY Q1 RD RI RN RP RS SE SF SI SL SN SO SP SR ST T1 T2 T3 TA TI TT U1 U2 U3 "
    "U4 U5 U6 U7 U8 U9 UI UK UN UR US VL VO VN WE WP WT WV XT Y1 Y2 YR PMID"
)
TAGS = frozenset(_TAGS_TEXT.split())
#: Tags of the fast branch: neither the start nor the end of a record.
_PLAIN = TAGS - {"TY", "ER", "PMID"}

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


def read(texts: Iterable[str], tally: Tally) -> Iterator[Record]:
    """Every record in ``texts``, one at a time; memory holds little more than one piece of text.

    Ordinary records are taken whole; everything else goes line by line through :func:`read_lines`, in pieces that end
    with ``ER``. A file without ``ER`` goes through it as a whole.
    """
    tally.format = "RIS"
    iterator = iter(texts)
    number = 0  # lines before ``text[at + 1]``
    text = "\n"  # begins with the end of the line before it
    ending = "\nER  - \n"
    for more in iterator:
        text += more
        at = 0
        while True:
            while text.startswith("\n\n", at):
                at += 1
                number += 1
            end = text.find(ending, at)
            if end < 0:
                other = "\nER  -\n" if ending == "\nER  - \n" else "\nER  - \n"
                end = text.find(other, at)
                if end < 0:
                    break
                ending = other
            piece = text[at:end]
            size = piece.count("\n")
            record: Record | None = None
            if piece.startswith("\nTY  - ") and (parts := _parted(piece, size)) is not None:
                tags, values, wrapped = parts
                record = ordinary(tags, values, number + 1, number + size + 1, tally, wrapped)
                if record is not None:
                    yield record
                else:
                    fields = _fields(tags, values)
                    yield from build(fields, tally, number + 1, number + size + 1, ended=True, head=True)
            else:
                yield from read_lines([*piece.split("\n")[1:], "ER  - "], tally, number)
            number += size + 1
            at = end + len(ending) - 1
        text = text[at:]
        if len(text) > MAX_PENDING:
            break
    *whole, last = text[1:].split("\n")
    if last:  # the pieces end with whole lines, save the last one of all
        whole.append(last)
    yield from read_lines(chain(whole, chain.from_iterable(map(lines_of, iterator))), tally, number)


_FIELD = re.compile(r"\n([A-Z][A-Z0-9])  - ")


def _parted(piece: str, size: int) -> tuple[list[str], list[str], bool] | None:
    """Tags, values and whether one is of several lines; ``None`` where a line may be a tag in disguise."""
    parts = _FIELD.split(piece)
    tags, values = parts[1::2], parts[2::2]
    if not _PLAIN.issuperset(tags[1:]):
        return None
    if size == len(tags):
        return tags, list(map(str.strip, values)), False
    if "\n" in values[0]:
        return None
    wrapped = False
    made: list[str] = []
    for value in values:
        if "\n" not in value:
            made.append(value.strip())
            continue
        joined = _joined(value)
        if joined is None:
            return None
        wrapped |= "\n" in joined
        made.append(joined.strip())
    if any(tag in ("UR", "DO") and value.endswith("  -") for tag, value in zip(tags, made, strict=True)):
        return None
    return tags, made, wrapped


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
        if line[2:6] == "  - " and open_ is not None and line[:2] in _PLAIN:
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
