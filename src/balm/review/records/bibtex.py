"""BibTeX and BibLaTeX: braces, quotes, ``#``, ``@string``, LaTeX accents; entries that never close.

An entry runs from its ``@type{`` to the brace that closes it. When the next line begins an entry before that brace
comes, the open one ends there, is read as far as it goes, and is listed as repaired. Fields the model lacks are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from balm.review.records.kinds import BIBTEX_TYPES, ris_code
from balm.review.records.latex import plain
from balm.review.records.receipt import Tally
from balm.review.records.ris_fast import follow, ordinary, plan_of
from balm.review.records.ris_fields import LINE_SEPARATOR, Fields, build
from balm.vocabulary.record import RECORD_TYPES, Record

_HEAD = re.compile(r"\s*@\s*([A-Za-z]+)\s*([{(])")
#: A head with its key at the start of a line: sure to begin an entry, even inside one that was not closed.
_SURE_HEAD = re.compile(rf"\s{{0,3}}@\s*(?:{'|'.join(BIBTEX_TYPES)})\s*[{{(]\s*[^\s,={{}}()\"]+\s*,", re.I)
_KEY = re.compile(r"\s*([^\s,={}\"]*)\s*(,|$)")
_NAME = re.compile(r"[\s,]*([A-Za-z_][\w.:+/\-]*)\s*=\s*")
#: A whole field whose value has no ``#`` and at most two levels of braces inside; quantifiers never give back.
_WHOLE = re.compile(
    r"[\s,]*+([A-Za-z_][\w.:+/\-]*+)\s*+=\s*+(?:"
    r"\{((?:[^{}]++|\{(?:[^{}]++|\{[^{}]*+\})*+\})*+)\}"
    r'|"([^"{}\\]*+)"'
    r"|([^\s,#{}\"]++)"
    r")\s*+(?=,|\Z)"
)
_BRACE = re.compile(r"[{}]")
_QUOTE = re.compile(r'["{}]')
_BARE = re.compile(r"[^\s,#{}\"]+")
#: What makes a list of keywords more than words and separators.
_MARKS = re.compile(r"[\\{}\n~$\t]|  |" + LINE_SEPARATOR)
_BLANKS = re.compile(r"[ \t\r\n]+")
_JOIN = re.compile(r"\s*#\s*")
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: str(number) for number, name in enumerate(_MONTH_NAMES, 1)}
_RIS = {
    "title": "TI",
    "booktitle": "T2",
    "journal": "JF",
    "journaltitle": "JF",
    "shortjournal": "J2",
    "journal_abbreviation": "J2",
    "volume": "VL",
    "number": "IS",
    "issue": "IS",
    "pages": "SP",
    "doi": "DO",
    "pmid": "PMID",
    "pmcid": "C2",
    "issn": "SN",
    "isbn": "SN",
    "abstract": "AB",
    "language": "LA",
    "langid": "LA",
    "publisher": "PB",
    "school": "PB",
    "institution": "PB",
    "address": "CY",
    "location": "CY",
    "affiliation": "AD",
    "note": "N1",
    "annote": "N1",
    "date": "DA",
    "year": "PY",
    "original_title": "TT",
    "titletranslation": "TT",
    "database": "DB",
    "accession_numbers": "AN",
    "unique-id": "AN",
    "publication_types": "M3",
    "shorttitle": "ST",
}
#: Fields our own writer fills with several values, one a line.
_SEVERAL = frozenset({"affiliation", "note", "accession_numbers", "publication_types", "issn", "isbn", "url", "urls"})


#: Where a line begins an entry in the usual way.
_ENTRY = re.compile(r"\n@([A-Za-z]+)\{\s*([^\s,={}\"]*)\s*,")
#: Fields that are more than one value under a tag of RIS.
_BY_ITSELF = _SEVERAL | {"keywords", "keyword", "pages", "month", "id", "balm_type", "decision", "votes"}


def read(texts: Iterable[str], tally: Tally) -> Iterator[Record]:
    """Every entry but ``@comment``, ``@preamble`` and ``@string``, one at a time.

    An entry that begins a line and closes before the next one begins is taken whole; everything else goes line by line.
    """
    tally.format = "BibTeX"
    slow = _ByLine(tally)
    text = "\n"  # begins with the end of the line before it
    for more in texts:
        text += more
        at = 0
        while (end := text.find("\n@", at + 1)) >= 0:
            yield from _piece(text[at:end], slow)
            at = end
        text = text[at:]
        if len(text) > MAX_PENDING and text[-1] == "\n":
            yield from _piece(text[:-1], slow)
            text = "\n"
    yield from _piece(text[:-1] if text[-1] == "\n" else text, slow)
    yield from slow.close()


#: An entry longer than this goes line by line.
MAX_PENDING = 1 << 22


def _piece(piece: str, slow: _ByLine) -> Iterator[Record]:
    """The entries of the lines of ``piece``, each after its ``\\n``."""
    if not slow.kind and (head := _ENTRY.match(piece)) and (kind := head[1].lower()) in BIBTEX_TYPES:
        whole = piece.rstrip()
        if whole[-1] == "}" and (pairs := _plain_fields(whole, head.end(), slow.strings)):
            first, last = slow.number + 1, slow.number + whole.count("\n")
            slow.number += piece.count("\n")
            record = _ordinary(kind, head[2], pairs, first, last, slow.tally)
            if record is not None:
                yield record
            else:
                yield from _built(_as_ris(kind, head[2], pairs), slow.tally, first, last)
            return
        if whole[-1] == "}" and whole.count("{") == whole.count("}"):
            body = whole[:-1]
            pairs, left, sure = _fields(body, head.end(), slow.strings)
            if pairs and not left and sure:
                first = slow.number + 1
                slow.number += piece.count("\n")
                fields = _as_ris(kind, head[2], pairs)
                yield from _built(fields, slow.tally, first, first - 1 + whole.count("\n"))
                return
    if piece:
        yield from slow.feed(piece[1:].split("\n"))


def _plain_fields(whole: str, at: int, strings: dict[str, str]) -> list[tuple[str, str]] | None:
    """``(name, raw value)`` of an entry whose braces close and whose values have no ``#``; else ``None``."""
    end = len(whole) - 1
    pairs: list[tuple[str, str]] = []
    while found := _WHOLE.match(whole, at, end):
        pairs.append(_pair(found, strings))
        at = found.end()
    return None if whole[at:end].strip(" \t\r\n,") else pairs


def _pair(found: re.Match[str], strings: dict[str, str]) -> tuple[str, str]:
    """Name and value of a whole field; a bare word may be a macro."""
    name, braced, quoted, word = found.groups()
    if word is not None:
        return name, strings.get(word.lower(), word)
    return name, quoted if braced is None else braced


def _ordinary(kind: str, key: str, pairs: list[tuple[str, str]], start: int, end: int, tally: Tally) -> Record | None:
    """The record of an entry that is an ordinary one; else ``None``, and it goes through :func:`_as_ris`."""
    tags, values = ["TY"], [ris_code(BIBTEX_TYPES[kind])]
    authors: list[str] = []
    keywords: list[str] = []
    month, own = "", key
    for name, raw in pairs:
        low = name.lower()
        if low == "author":
            if authors:
                return None
            authors = _names(raw)
            continue
        if low == "keywords":
            if keywords or (not raw.isalnum() and _MARKS.search(raw)):
                return None
            parts = raw.split(";") if ";" in raw else raw.split(",")
            keywords = list(map(str.strip, parts))
            continue
        value = (plain(raw) if "\\" in raw or "{" in raw or "\n" in raw or "  " in raw else raw).strip()
        if not value:
            continue
        if tag := _RIS.get(low):
            if tag == "AN" or (tag == "SP" and low != "pages"):
                return None
            values.append(value.replace("--", "-") if tag == "SP" else value)
        elif low == "month":
            month = value
            continue
        elif low == "url":
            tag = "UR"
            values.append(value)
        elif low in _BY_ITSELF or low == "editor" or len(name) < 5:
            return None
        else:
            tag = name
            values.append(value)
        tags.append(tag)
    if month and "DA" not in tags:
        if not month.isdigit() or "PY" not in tags:
            return None
        tags.append("DA")
        values.append(f"{values[tags.index('PY')]}-{int(month):02d}")
    if own:
        tags.append("ID")
        values.append(own)
    text = "".join(values)
    if "\n" in text or LINE_SEPARATOR in text:
        return None
    if authors:
        authors = list(map(str.strip, authors))
    plan = plan_of(tuple(tags), True)
    return None if plan is None else follow(plan, values, authors, keywords, start, end, tally)


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
                        continue
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
    pairs, left, _ = _fields(text, found.end() if found else 0, strings)
    if not pairs:
        tally.reject(start, f"the entry @{kind}{{{key} holds no field that can be read", f"@{kind}{{{text}")
        return
    if not closed:
        tally.repair(start, "the entry is not closed", f"@{kind}{{{key}")
    if left:
        tally.repair(start, "part of the entry cannot be read and is kept among the other fields", repr(left[:60]))
    fields = _as_ris(kind, key, pairs)
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


def _fields(text: str, at: int, strings: dict[str, str]) -> tuple[list[tuple[str, str]], str, bool]:
    """``(name, raw value)`` in order, what could not be read, and whether quoted braces are balanced."""
    pairs: list[tuple[str, str]] = []
    sure = True
    size = len(text)
    while True:
        if whole := _WHOLE.match(text, at):
            at = whole.end()
            pairs.append(_pair(whole, strings))
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
                if end < 0:
                    value += text[at + 1 :]
                    at = size
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
                if end < 0:
                    value += text[at + 1 :]
                    at = size
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


def _as_ris(kind: str, key: str, pairs: list[tuple[str, str]]) -> Fields:
    word = BIBTEX_TYPES.get(kind, "other")
    ris: Fields = {"TY": [ris_code(word)]}
    if kind not in BIBTEX_TYPES:
        ris["entry type"] = [kind]
    month = ""
    own = key
    for name, raw in pairs:
        low = name.lower()
        if low in ("author", "editor"):
            ris.setdefault("AU" if low == "author" else "ED", []).extend(_names(raw))
            continue
        value = plain(raw) if "\\" in raw or "{" in raw or "\n" in raw or "  " in raw else raw.strip()
        if not value:
            continue
        if low not in _BY_ITSELF:
            tag = _RIS.get(low, name)
            if tag in ris:
                ris[tag].append(value)
            else:
                ris[tag] = [value]
        elif low in _SEVERAL:
            values = [v.replace(LINE_SEPARATOR, "\n") for v in value.split("\n")]
            tag = "UR" if low in ("url", "urls") else _RIS[low]
            if tag == "AN":
                ris["AN"], ris["U2"] = values[:1], values[1:]
            else:
                ris.setdefault(tag, []).extend(values)
        elif low == "keywords" or low == "keyword":
            bare = raw.replace("{;}", LINE_SEPARATOR)
            parts = bare.split(";") if ";" in bare else bare.split(",") if "," in bare else [bare]
            if LINE_SEPARATOR in bare or "\\" in bare or "{" in bare or "\n" in bare or "~" in bare or "$" in bare:
                parts = [plain(part).replace(LINE_SEPARATOR, ";") for part in parts]
            elif "  " in bare or "\t" in bare or "}" in bare:
                parts = list(map(plain, parts))
            ris.setdefault("KW", []).extend([*map(str.strip, parts), ""])
        elif low == "pages":
            ris.setdefault("SP", []).append(value.replace("--", "-"))
        elif low == "month":
            month = value
        elif low == "id":
            own = value
        elif low == "balm_type" and value in RECORD_TYPES:
            ris.setdefault("N1", []).append(f"balm_type: {value}")
        elif low == "decision":
            note = {"include": "ASReview_relevant", "exclude": "ASReview_irrelevant", "maybe": "balm_maybe"}.get(value)
            ris.setdefault("N1" if note else low, []).append(note or value)
        elif low == "votes":
            ris.setdefault("N1", []).append(value)
        else:
            ris.setdefault(name, []).append(value)
    if month and "DA" not in ris:
        if (year := ris.get("PY", [""])[0]) and month.isdigit():
            ris["DA"] = [f"{year}-{int(month):02d}"]
        else:
            ris["month"] = [month]
    if own:
        ris["ID"] = [own]
    return ris


def _names(raw: str) -> list[str]:
    """Names separated by ``and`` outside braces."""
    text = (_BLANKS.sub(" ", raw) if "\n" in raw or "  " in raw or "\t" in raw else raw).strip()
    if "{" not in text and "\\" not in text:
        return text.split(" and ") if " and " in text else [text]
    names: list[str] = []
    depth = begin = 0
    if " and " not in text:
        return [_plain_name(text)]
    if not any("{" in part and part.count("{") != part.count("}") for part in text.split(" and ")):
        return [_plain_name(name) for name in text.split(" and ")]
    for found in re.finditer(r"[{}]| and ", text):
        if found[0] == "{":
            depth += 1
        elif found[0] == "}":
            depth -= 1
        elif depth <= 0:
            names.append(text[begin : found.start()])
            begin = found.end()
    names.append(text[begin:])
    return [_plain_name(name) for name in names]


#: The same people write many papers: their names are turned into characters once.
_plain_name = lru_cache(maxsize=20_000)(plain)
