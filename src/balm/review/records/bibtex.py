"""BibTeX and BibLaTeX: braces, quotes, ``#``, ``@string``, LaTeX accents; entries that never close.

An entry runs from its ``@type{`` to the brace that closes it. When the next line begins an entry before that brace
comes, the open one ends there, is read as far as it goes, and is listed as repaired. Fields the model lacks are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from balm.review.records.bibtex_fields import NAME, WHOLE, as_ris, ordinary_entry, pair_of
from balm.review.records.bibtex_order import Order
from balm.review.records.bibtex_whole import entry
from balm.review.records.kinds import BIBTEX_TYPES
from balm.review.records.receipt import Tally
from balm.review.records.ris_fast import ordinary
from balm.review.records.ris_fields import Fields, build
from balm.vocabulary.record import Record

_HEAD = re.compile(r"\s*@\s*([A-Za-z]+)\s*([{(])")
#: A head with its key at the start of a line: sure to begin an entry, even inside one that was not closed.
_SURE_HEAD = re.compile(rf"\s{{0,3}}@\s*(?:{'|'.join(BIBTEX_TYPES)})\s*[{{(]\s*[^\s,={{}}()\"]+\s*,", re.I)
#: A key holds no blanks, save in files that nobody's program wrote (``@article{Smith and Doe 2020,``).
_KEY = re.compile(r"\s*([^\s,={}\"]*(?:[ \t]+[^\s,={}\"]+)*)\s*(,|$)")
#: A field's name; Scopus numbers some behind a blank (``funding_text 1``), Web of Science writes some in words.
_NAME = re.compile(rf"[\s,]*({NAME})\s*=\s*")
#: Where one entry ends and the next begins on the same line.
_END_AND_HEAD = re.compile(r"[})](?=\s*@\s*[A-Za-z]+\s*[{(])")
_BRACE = re.compile(r"[{}]")
_QUOTE = re.compile(r'["{}]')
_BARE = re.compile(r"[^\s,#{}\"]+")
#: Where a value whose brace or quotation mark is never closed ends at the latest: before a line that names a field.
_NEXT_FIELD = re.compile(r"[}\"]?[ \t]*,[ \t]*\n[ \t]*(?=[A-Za-z_][\w.:+/\-]*[ \t]*=[ \t]*[{\"\d])")
_JOIN = re.compile(r"\s*#\s*")
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: str(number) for number, name in enumerate(_MONTH_NAMES, 1)}
#: Where a line begins an entry in the usual way.
_ENTRY = re.compile(r"\n@([A-Za-z]+)\{\s*([^\s,={}\"]*)\s*,")


def read(texts: Iterable[str], tally: Tally) -> Iterator[Record]:
    """Every entry but ``@comment``, ``@preamble`` and ``@string``, one at a time.

    An entry that begins a line and closes before the next one begins is taken whole, in the order of fields that the
    file has shown so far or field by field; everything else goes line by line.
    """
    tally.format = "BibTeX"
    slow, order, whole = _ByLine(tally), Order(), entry()
    text = "\n"  # begins with the end of the line before it
    for more in texts:
        text += more
        at = 0
        while (end := text.find("\n@", at + 1)) >= 0:
            if whole is not None:
                if not slow.kind and (taken := whole(text, at, end, slow.strings, tally, slow.number)):
                    record, lines = taken
                    slow.number += lines
                    yield record
                else:
                    yield from _piece(text[at:end], slow)
            elif not slow.kind and (match := order.match(text, at, end)):
                yield from _matched(match, order, slow)
            else:
                yield from _piece(text[at:end], slow, order)
            at = end
        text = text[at:]
        if len(text) > MAX_PENDING and text[-1] == "\n":
            yield from _piece(text[:-1], slow, order)
            text = "\n"
    yield from _piece(text[:-1] if text[-1] == "\n" else text, slow, order)
    yield from slow.close()


#: An entry longer than this goes line by line.
MAX_PENDING = 1 << 22


def _matched(match: re.Match[str], order: Order, slow: _ByLine) -> Iterator[Record]:
    """The record of an entry in the order of its file."""
    at, end = match.span()
    lines = match.string.count("\n", at, end)
    blank = match[match.re.groups].count("\n")
    first, last = slow.number + 1, slow.number + lines - blank
    record = order.record(match, slow.strings, first, last, slow.tally)
    if record is None:
        yield from _piece(match[0], slow)
    else:
        slow.number += lines
        yield record


def _piece(piece: str, slow: _ByLine, order: Order | None = None) -> Iterator[Record]:
    """The entries of the lines of ``piece``, each after its ``\\n``."""
    if not slow.kind and (head := _ENTRY.match(piece)) and (kind := head[1].lower()) in BIBTEX_TYPES:
        whole = piece.rstrip()
        if whole[-1] == "}" and (pairs := _plain_fields(whole, head.end(), slow.strings)):
            if order is not None:
                order.learn(whole, head.end())
            first, last = slow.number + 1, slow.number + whole.count("\n")
            slow.number += piece.count("\n")
            record = ordinary_entry(kind, head[2], pairs, first, last, slow.tally)
            if record is not None:
                yield record
            else:
                yield from _built(as_ris(kind, head[2], pairs), slow.tally, first, last)
            return
        if whole[-1] == "}" and whole.count("{") == whole.count("}"):
            body = whole[:-1]
            pairs, left, sure = _fields(body, head.end(), slow.strings)
            if pairs and not left and sure:
                first = slow.number + 1
                slow.number += piece.count("\n")
                fields = as_ris(kind, head[2], pairs)
                yield from _built(fields, slow.tally, first, first - 1 + whole.count("\n"))
                return
    if piece:
        yield from slow.feed(piece[1:].split("\n"))


def _plain_fields(whole: str, at: int, strings: dict[str, str]) -> list[tuple[str, str]] | None:
    """``(name, raw value)`` of an entry whose braces close and whose values have no ``#``; else ``None``."""
    end = len(whole) - 1
    pairs: list[tuple[str, str]] = []
    while found := WHOLE.match(whole, at, end):
        pairs.append(pair_of(found, strings))
        at = found.end()
    return None if whole[at:end].strip(" \t\r\n,") else pairs


class _ByLine:
    """Entries line by line: whatever braces, heads and text between entries come in whatever order."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.strings: dict[str, str] = dict(_MONTHS)
        self.number = 0  # lines taken
        self.kind = ""  # of the entry that is open
        self.round = False
        self.parts: list[str] = []
        self.depth = self.start = 0

    def feed(self, lines: Iterable[str]) -> Iterator[Record]:
        """The entries that close in ``lines``."""
        for line in lines:
            self.number += 1
            if self.kind and "@" in line:
                for mark in _END_AND_HEAD.finditer(line):
                    if self.depth + self._deeper(line[: mark.end()]) == 0:
                        yield from self._line(line[: mark.end()])
                        line = line[mark.end() :]
                        break
            yield from self._line(line)

    def _line(self, line: str) -> Iterator[Record]:
        """The entries that close in ``line``, or in a part of one."""
        if self.kind:
            if self.depth > 0 and line.lstrip()[:1] == "@" and _SURE_HEAD.match(line):
                yield from self._finish(self.parts, self.number - 1, closed=False)
            else:
                self.parts.append(line)
                self.depth += self._deeper(line)
        if not self.kind:
            found = _HEAD.match(line)
            if found is None:
                if "@" in line and line.strip()[:1] not in ("%", "") and _HEAD.search(line):
                    found = _HEAD.search(line)
                else:
                    return
            assert found is not None
            self._open(found, line)
        while self.kind and self.depth <= 0:
            text = "\n".join(self.parts)
            if self.depth == 0 and self.parts[-1].strip() == "}" and not self.round:
                yield from self._finish([text.rstrip()[:-1]], self.number, closed=True)
                continue
            end = _end(text, self.round)
            yield from self._finish([text[:end]], self.number, closed=True)
            found = _HEAD.search(text, end + 1)
            if found is not None:
                self._open(found, text)

    def close(self) -> Iterator[Record]:
        """The entry still open at the end of the file."""
        if self.kind:
            yield from self._finish(self.parts, self.number, closed=False)

    def _deeper(self, text: str) -> int:
        return text.count("(") - text.count(")") if self.round else text.count("{") - text.count("}")

    def _open(self, head: re.Match[str], text: str) -> None:
        self.kind, self.round, self.start = head[1].lower(), head[2] == "(", self.number
        rest = text[head.end() :]
        self.parts = [rest]
        self.depth = 1 + self._deeper(rest)

    def _finish(self, parts: list[str], end: int, *, closed: bool) -> Iterator[Record]:
        kind, self.kind = self.kind, ""
        yield from _finish(kind, parts, self.start, end, self.strings, self.tally, closed=closed)


def _end(text: str, round_: bool) -> int:
    depth = 1
    for found in re.finditer(r"[()]" if round_ else r"[{}]", text):
        depth += 1 if found[0] in "({" else -1
        if depth == 0:
            return found.start()
    return len(text)


def _finish(
    kind: str, parts: list[str], start: int, end: int, strings: dict[str, str], tally: Tally, *, closed: bool
) -> Iterator[Record]:
    text = "\n".join(parts)
    if kind in ("comment", "preamble"):
        return
    if kind == "string":
        for name, value in _fields(text, 0, strings)[0]:
            strings[name.lower()] = value
        return
    found = _KEY.match(text)
    key = found[1] if found else ""
    pairs, left, sure = _fields(text, found.end() if found else 0, strings, closed=closed)
    if not pairs:
        tally.reject(start, f"the entry @{kind}{{{key} holds no field that can be read", f"@{kind}{{{text}")
        return
    if not closed:
        tally.repair(start, "the entry is not closed", f"@{kind}{{{key}")
        left = left.rstrip("}) \t\r\n")  # what would have closed it
    elif not sure:
        tally.repair(start, "braces inside the entry do not match", f"@{kind}{{{key}")
    if left:
        tally.repair(start, "part of the entry cannot be read and is kept among the other fields", repr(left[:60]))
    fields = as_ris(kind, key, pairs)
    if left:
        fields.setdefault("unread", []).append(left)
    yield from _built(fields, tally, start, end)


def _built(fields: Fields, tally: Tally, start: int, end: int) -> Iterator[Record]:
    tags: list[str] = []
    values: list[str] = []
    for tag, held in fields.items():
        if len(held) == 1:
            tags.append(tag)
            values.append(held[0].strip())
        else:
            if tag == "KW" and held[-1] == "" and len(held) > 2:
                held = held[:-1]
            tags += [tag] * len(held)
            values += map(str.strip, held)
    record = ordinary(tags, values, start, end, tally, foreign=True)
    if record is not None:
        yield record
    else:
        yield from build(fields, tally, start, end, ended=True, head=True)


def _open(text: str, at: int, value: str) -> tuple[str, int]:
    """A value that begins at ``at`` and is never closed, with what stood before it, and where it ends."""
    if found := _NEXT_FIELD.search(text, at + 1):
        return value + text[at + 1 : found.start()], found.end()
    return value + text[at + 1 :], len(text)


def _fields(
    text: str, at: int, strings: dict[str, str], *, closed: bool = True
) -> tuple[list[tuple[str, str]], str, bool]:
    """``(name, raw value)`` in order, what could not be read, and whether its braces are balanced.

    In an entry that is not ``closed``, a value that seems to go on over a line which names a field ends before it.
    """
    pairs: list[tuple[str, str]] = []
    sure = True
    size = len(text)
    while True:
        if closed and (whole := WHOLE.match(text, at)):
            at = whole.end()
            pairs.append(pair_of(whole, strings))
            continue
        found = _NAME.match(text, at)
        if found is None:
            break
        at = found.end()
        value = ""
        while at < size:
            first = text[at]
            if first == "{":
                depth, end = 1, -1
                for brace in _BRACE.finditer(text, at + 1):
                    depth += 1 if brace[0] == "{" else -1
                    if depth == 0:
                        end = brace.start()
                        break
                if end < 0 or (not closed and _NEXT_FIELD.search(text, at + 1, end)):
                    value, at, sure = *_open(text, at, value), False
                else:
                    value += text[at + 1 : end]
                    at = end + 1
            elif first == '"':
                depth, end = 0, -1
                for mark in _QUOTE.finditer(text, at + 1):
                    if mark[0] == '"':
                        if depth <= 0 and text[mark.start() - 1] != "\\":
                            end = mark.start()
                            break
                    else:
                        depth += 1 if mark[0] == "{" else -1
                        sure &= depth >= 0
                if end < 0 or (not closed and _NEXT_FIELD.search(text, at + 1, end)):
                    value, at, sure = *_open(text, at, value), False
                else:
                    value += text[at + 1 : end]
                    at = end + 1
            elif bare := _BARE.match(text, at):
                word = bare[0]
                value += strings.get(word.lower(), word)
                at = bare.end()
            else:
                break
            if joined := _JOIN.match(text, at):
                at = joined.end()
            else:
                break
        pairs.append((found[1], value))
    return pairs, text[at:].strip(" \t\r\n,"), sure
