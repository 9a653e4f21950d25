"""PubMed's own format (NBIB, MEDLINE): four-letter tags, wrapped lines indented by six blanks.

``FAU`` and ``AU`` name the same people: the full names are taken. A DOI stands in ``LID`` or ``AID`` with ``[doi]``;
``[pii]`` is another identifier. A record begins at ``PMID-`` (PubMed Central writes ``PMC -`` above it), or, in ERIC's
dialect, at its first line after a blank.

Records whose lines are tags at their place and indented lines are made by a compiled function where there is one
(``medline.c``), and the same way here where there is none; the others go line by line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import Any

from balm.review.records.decoding import lines_of
from balm.review.records.identifiers import find_doi, find_pmcid, find_year, serial_numbers
from balm.review.records.kinds import refined, type_in_notes, type_in_words
from balm.review.records.labels import decisions_in_notes
from balm.review.records.receipt import Tally
from balm.review.records.ris_fields import LINE_SEPARATOR, paragraphs
from balm.review.records.ris_whole import compiled
from balm.review.records.slots import filled
from balm.vocabulary.record import Record, Vote

_LOOSE = re.compile(r"\s{0,2}(PMID|[A-Z]{2,4})\s{0,3}-\s*(.*)$")
_TAG = re.compile(r"[A-Z][A-Z0-9]{1,3} {0,2}")
#: Tags accepted also where the hyphen stands elsewhere.
_LOOSE_TAGS = frozenset({"PMID", "ISSN", "ISBN", "TI", "AU", "AB", "DP", "JT"})
_FIELDS_OF_REGISTERS = ("SI", "OID")

Fields = dict[str, list[str]]

#: So much text without the head of a record is read line by line.
MAX_PENDING = 1 << 23
_HEAD = b"\nPMID- "
#: As PubMed Central writes it, after an empty line.
_CENTRAL = b"\nPMC - "
_HEADS = re.compile(r"\n(?:PMC - .*\n)?PMID- ").match
#: Where a line begins with a tag at its place.
_FIELD = re.compile(r"\n([A-Z][A-Z0-9](?:[A-Z0-9]{2}|[A-Z0-9] |  ))- ")
#: A blank at the end of a line or before the text of an indented one that is another sign than a space.
_OTHER_BLANK = re.compile(r"[^\S\n ]\n|\n {6}[^\S\n ]|[^\S\n ]\Z").search
_BLANKS_OF_ASCII = "\t\x0b\x0c\x1c\x1d\x1e\x1f"


@lru_cache(maxsize=1)
def take() -> Callable[[bytes, int, Tally, int], Any] | None:
    """The compiled function, or ``None``.

    ``take()(data, at, tally, number)`` is ``(record, end, last line)`` of the record behind the line end ``data[at]``,
    which ends line ``number``, up to the line end ``data[end]`` before the next record; ``None`` where there is no
    record to take without judgement.
    """
    found = compiled()
    try:
        found.medline_parts(_kind)
        taken: Callable[[bytes, int, Tally, int], Any] = found.medline
    except AttributeError:  # not built, or by an older source
        return None
    return taken


def read(blocks: Iterable[bytes], tally: Tally) -> Iterator[Record]:
    """Every record in ``blocks`` of whole lines in UTF-8, one at a time; memory holds little more than one block.

    A record each line of which is a tag at its place or an indented line is taken whole; any other goes line by line
    through :func:`read_lines`, up to the next ``PMID-``.
    """
    tally.format = "MEDLINE (NBIB)"
    whole = take()
    iterator = iter(blocks)
    number = 0  # lines before ``data``
    data, at = b"\n", 0  # begins with the end of the line before it
    for more in iterator:
        data = data[at:] + more
        at = 0
        while True:
            if whole is not None and (taken := whole(data, at, tally, number)):
                record, at, number = taken
                yield record
            elif (end := _next_head(data, at)) >= 0:
                piece = data[at:end].decode()
                yield from _piece(piece, tally, number)
                number += piece.count("\n")
                at = end
            else:
                break
        if len(data) - at > MAX_PENDING:
            break
    else:
        piece = data[at:].decode()
        yield from _piece(piece.removesuffix("\n"), tally, number)
        return
    rest = chain.from_iterable(map(lines_of, map(bytes.decode, iterator)))
    *complete, last = data[at + 1 :].decode().split("\n")
    if last:  # the pieces end with whole lines, save the last one of all
        complete.append(last)
    yield from read_lines(chain(complete, rest), tally, number)


def _next_head(data: bytes, at: int) -> int:
    """Where the record after the one that begins at ``at`` begins; -1 where ``data`` does not hold it."""
    own = data.find(b"\n", at + 1) if data.startswith(_CENTRAL, at) else at
    end = data.find(_HEAD, own + 1) if own >= 0 else -1
    if end > 0:
        above = data.rfind(b"\n", at, end)
        if above > at and data.startswith(_CENTRAL, above) and data[above - 1 : above] == b"\n":
            return above
    return end


def _piece(piece: str, tally: Tally, number: int) -> Iterator[Record]:
    """The records of the lines of ``piece``, each after its ``\\n``; line ``number + 1`` of the file is the first."""
    if _HEADS(piece) and LINE_SEPARATOR not in piece:
        body = piece.rstrip("\n")
        indented = 0
        if "\n       " in body or " \n" in body or body.endswith(" ") or _has_other_blank(body):
            indented = body.count("\n      ")
        else:
            body = body.replace("\n      ", " ")
        parts = _FIELD.split(body)
        tags = parts[1::2]
        if body.count("\n") == len(tags) + indented:
            values = parts[2::2]
            if indented:
                values = [_unwrapped(value) if "\n" in value else value for value in values]
            fields: Fields = {}
            for tag, value in zip(tags, map(str.strip, values), strict=True):
                if tag in fields:
                    fields[tag].append(value)
                else:
                    fields[tag] = [value]
            record = _build(fields, tally, number + 1, number + piece.count("\n"))
            if record is not None:
                yield record
            return
    if piece:
        yield from read_lines(piece[1:].split("\n"), tally, number)


def _has_other_blank(body: str) -> bool:
    if body.isascii() and not any(sign in body for sign in _BLANKS_OF_ASCII):
        return False
    return _OTHER_BLANK(body) is not None


def _unwrapped(value: str) -> str:
    first, *rest = value.split("\n      ")
    return " ".join([first, *map(str.strip, rest)])


def read_lines(lines: Iterable[str], tally: Tally, before: int = 0) -> Iterator[Record]:
    """Every record in ``lines``, whose first is line ``before + 1`` of the file."""
    fields: Fields | None = None
    last: list[str] = []
    start = number = before
    blank = True

    def built(end: int) -> Iterator[Record]:
        assert fields is not None
        tidy = {
            (tag if len(tag) == 4 else f"{tag:<4}"): [value.strip().replace(LINE_SEPARATOR, "\n") for value in values]
            for tag, values in fields.items()
        }
        record = _build(tidy, tally, start, end)
        if record is not None:
            yield record

    for number, line in enumerate(lines, before + 1):
        if line[:6] == "      " and last:
            last[-1] += " " + line[6:].strip()
            continue
        if line[4:6] == "- " and (line[:4] in _SEEN or _is_tag(line[:4])):
            tag, value = line[:4].rstrip(), line[6:]
        else:
            text = line.strip()
            if not text:
                blank = True
                continue
            found = _LOOSE.match(line)
            if found is None or (line[4:5] != "-" and found[1] not in _LOOSE_TAGS):
                if last:
                    last[-1] = f"{last[-1]} {text}"
                    tally.repair(number, "a wrapped line is not indented", repr(text[:40]))
                else:
                    tally.repair(number, "text between records left out", repr(text[:60]))
                continue
            tag, value = found[1], found[2]
            if line[4:5] != "-":
                tally.repair(number, "tag not followed by a hyphen at its place", f"read {text[:40]!r} as {tag}")
        if tag == "PMID" and fields is not None and [*fields] == ["PMC"]:
            pass  # of PubMed Central's record, begun on the line above
        elif tag == "PMID" or (blank and fields is not None and ("PMID" not in fields or tag == "PMC")):
            if fields is not None:
                yield from built(number - 1)
            fields, start = {}, number
        elif fields is None:
            fields, start = {}, number
        if tag in fields:
            last = fields[tag]
            last.append(value)
        else:
            fields[tag] = last = [value]
        blank = False
    if fields is not None:
        yield from built(number)


#: Tags met so far, as they stand in the line; a handful of letters can make no more than some thousands.
_SEEN: set[str] = set()


def _is_tag(text: str) -> bool:
    if _TAG.fullmatch(text):
        if len(_SEEN) < 1000:
            _SEEN.add(text)
        return True
    return False


def _build(fields: Fields, tally: Tally, start: int, end: int) -> Record | None:
    """The record of ``fields`` (tags of four letters or blanks, values without blanks at their ends)."""
    other: list[tuple[str, str]] = []
    pop = fields.pop
    doi: str | None = None
    for tag in ("LID ", "AID ", "DO  "):
        if tag not in fields:
            continue
        left: list[str] = []
        for value in fields[tag]:
            if value.endswith("[doi]") or tag == "DO  " or "doi.org/" in value:
                found = find_doi(value.replace("[doi]", ""))
                if found and doi is None:
                    doi = found
                    continue
                if found and found == doi:
                    continue
            left.append(value)
        if left:
            fields[tag] = left
        else:
            del fields[tag]

    def one(tag: str) -> str | None:
        values = pop(tag)
        if len(values) == 1:
            return values[0] or None
        texts = _texts(values)
        if not texts:
            return None
        if len(texts) > 1:
            other.extend([(tag.rstrip(), text) for text in dict.fromkeys(texts) if text != texts[0]])
        return texts[0]

    pmid = one("PMID") if "PMID" in fields else None
    if pmid and not pmid.isdigit():
        other.append(("PMID", pmid))
        pmid = None
    own = one("ID  ") if "ID  " in fields else None
    title = one("TI  ") if "TI  " in fields else None
    book = one("BTI ") if "BTI " in fields else None
    chapter = bool(title and book)
    if not title:
        title, book = book or (one("CTI ") if "CTI " in fields else None), None
    original = one("TT  ") if "TT  " in fields else None
    full = _texts(pop("FAU ", _NONE))
    short = _texts(pop("AU  ", _NONE))
    authors = full if len(full) >= len(short) else short
    if "CN  " in fields:  # groups
        authors = tuple(dict.fromkeys((*authors, *_texts(pop("CN  ")))))
    editors: tuple[str, ...] = ()
    if "FED " in fields or "ED  " in fields:
        editors = _texts(pop("FED ", _NONE)) or _texts(pop("ED  ", _NONE))
    published = one("DP  ") if "DP  " in fields else None
    year = find_year(published) if published else None
    date = one("PDAT") if "PDAT" in fields else None
    if date is None and published and published != str(year):
        date = published
    journal = one("JT  ") if "JT  " in fields else None
    abbreviation = one("TA  ") if "TA  " in fields else None
    if journal is None:
        journal, abbreviation = abbreviation or book, None
    elif abbreviation == journal:
        abbreviation = None
    pmc = one("PMC ") if "PMC " in fields else None
    issn: tuple[str, ...] = ()
    isbn: tuple[str, ...] = ()
    if "IS  " in fields or "ISSN" in fields or "ISBN" in fields:
        issn, isbn, neither = _serials((*pop("IS  ", _NONE), *pop("ISSN", _NONE), *pop("ISBN", _NONE)))
        other += [("IS", value) for value in neither]
    abstract: str | None = None
    if "AB  " in fields:
        # An empty line between two paragraphs is an empty AB of its own.
        abstract = paragraphs("\n".join(pop("AB  "))) or None
    keywords: tuple[str, ...] = ()
    if "MH  " in fields or "OT  " in fields:
        keywords = tuple(dict.fromkeys([*_texts(pop("MH  ", _NONE)), *_texts(pop("OT  ", _NONE))]))
    types = tuple(dict.fromkeys(_texts(pop("PT  ")))) if "PT  " in fields else ()
    notes: tuple[str, ...] = ()
    decision: str | None = None
    votes: tuple[Vote, ...] = ()
    told: str | None = None
    if "GN  " in fields:
        decision, votes, notes = decisions_in_notes(_texts(pop("GN  ")))
        told, notes = type_in_notes(notes)
    accession: tuple[str, ...] = ()
    if "SI  " in fields or "OID " in fields:
        accession = tuple(dict.fromkeys([*_texts(pop("SI  ", _NONE)), *_texts(pop("OID ", _NONE))]))
    volume = one("VI  ") if "VI  " in fields else None
    issue = one("IP  ") if "IP  " in fields else None
    pages = one("PG  ") if "PG  " in fields else None
    language = one("LA  ") if "LA  " in fields else None
    urls = _texts(pop("URL ")) if "URL " in fields else ()
    publisher = one("PB  ") if "PB  " in fields else None
    place = one("PL  ") if "PL  " in fields else None
    affiliations = tuple(dict.fromkeys(_texts(pop("AD  ")))) if "AD  " in fields else ()
    database = one("DB  ") if "DB  " in fields else None
    if fields:
        other += [(name, text) for tag, values in fields.items() for name in (tag.rstrip(),) for text in values if text]
    if not (pmid or title or authors or abstract or doi or journal or own or other):
        tally.reject(start, "the record holds no field")
        return None
    record = filled(
        tally.name(own or pmid or (accession[0] if accession else None), start),
        told or ("chapter" if chapter else _kind(types)),
        title,
        original,
        authors,
        editors,
        year,
        date,
        journal,
        abbreviation,
        volume,
        issue,
        pages,
        doi,
        pmid,
        find_pmcid(pmc) if pmc else None,
        accession,
        issn,
        isbn,
        abstract,
        keywords,
        language,
        urls,
        types,
        publisher,
        place,
        affiliations,
        notes,
        database,
        decision,
        votes,
        tally.file,
        tally.ordinal,
        (start, end),
        tuple(other),
    )
    tally.read += 1
    return record


_NONE: list[str] = []


@lru_cache(maxsize=4096)
def _kind(types: tuple[str, ...]) -> str:
    return refined(next((w for t in types if (w := type_in_words(t))), "article"), types)


@lru_cache(maxsize=20_000)
def _serials(values: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    """:func:`serial_numbers`; a journal's stand in all of its records."""
    return serial_numbers(values)


def _texts(values: list[str]) -> tuple[str, ...]:
    return tuple([text for text in values if text]) if "" in values else tuple(values)
