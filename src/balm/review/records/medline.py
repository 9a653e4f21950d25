"""PubMed's own format (NBIB, MEDLINE): four-letter tags, wrapped lines indented by six blanks.

``FAU`` and ``AU`` name the same people: the full names are taken. A DOI stands in ``LID`` or ``AID`` with ``[doi]``;
``[pii]`` is another identifier. A record begins at ``PMID-`` (or, in ERIC's dialect, at its first line after a blank).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from balm.review.records.identifiers import find_doi, find_pmcid, find_year, serial_numbers
from balm.review.records.kinds import refined, type_in_notes, type_in_words
from balm.review.records.labels import decisions_in_notes
from balm.review.records.receipt import Tally
from balm.review.records.ris_fields import LINE_SEPARATOR, paragraphs
from balm.vocabulary.record import Record

_LOOSE = re.compile(r"\s{0,2}(PMID|[A-Z]{2,4})\s{0,3}-\s*(.*)$")
_TAG = re.compile(r"[A-Z][A-Z0-9]{1,3} {0,2}")
#: Tags accepted also where the hyphen stands elsewhere.
_LOOSE_TAGS = frozenset({"PMID", "ISSN", "ISBN", "TI", "AU", "AB", "DP", "JT"})
_FIELDS_OF_REGISTERS = ("SI", "OID")

Fields = dict[str, list[str]]


def read(lines: Iterable[str], tally: Tally) -> Iterator[Record]:
    """Every record in ``lines``, one at a time."""
    tally.format = "MEDLINE (NBIB)"
    fields: Fields | None = None
    last: list[str] = []
    start = number = 0
    blank = True
    for number, line in enumerate(lines, 1):
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
        if tag == "PMID" or (blank and fields is not None and "PMID" not in fields):
            if fields is not None:
                yield from _build(fields, tally, start, number - 1)
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
        yield from _build(fields, tally, start, number)


#: Tags met so far, as they stand in the line; a handful of letters can make no more than some thousands.
_SEEN: set[str] = set()


def _is_tag(text: str) -> bool:
    if _TAG.fullmatch(text):
        if len(_SEEN) < 1000:
            _SEEN.add(text)
        return True
    return False


def _build(fields: Fields, tally: Tally, start: int, end: int) -> Iterator[Record]:
    pop = fields.pop
    other: list[tuple[str, str]] = []
    doi: str | None = None
    for tag in ("LID", "AID", "DO"):
        left: list[str] = []
        for value in fields.get(tag, ()):
            if value.rstrip().endswith("[doi]") or "doi.org/" in value or tag == "DO":
                found = find_doi(value.replace("[doi]", ""))
                if found and doi is None:
                    doi = found
                    continue
                if found == doi:
                    continue
            left.append(value)
        if left:
            fields[tag] = left
        else:
            pop(tag, None)
    pmid = _one(fields, "PMID", other)
    pmid = pmid if pmid and pmid.isdigit() else None
    own = _one(fields, "ID", other)
    title = _one(fields, "TI", other) or _one(fields, "BTI", other) or _one(fields, "CTI", other)
    original = _one(fields, "TT", other)
    full = _texts(pop("FAU", ()))
    short = _texts(pop("AU", ()))
    authors = full if len(full) >= len(short) else short
    if not authors:
        authors = _texts(pop("CN", ()))
    editors = _texts(pop("FED", ())) or _texts(pop("ED", ()))
    published = _one(fields, "DP", other)
    year = find_year(published) if published else None
    date = _one(fields, "PDAT", other) or (published if published and published != str(year) else None)
    journal = _one(fields, "JT", other)
    abbreviation = _one(fields, "TA", other)
    if journal is None:
        journal, abbreviation = abbreviation, None
    elif abbreviation == journal:
        abbreviation = None
    pmc = _one(fields, "PMC", other)
    pmcid = find_pmcid(pmc) if pmc else None
    issn, isbn, neither = serial_numbers(pop("IS", []) + pop("ISSN", []) + pop("ISBN", []))
    other += [("IS", value) for value in neither]
    # An empty line between two paragraphs is an empty AB of its own.
    abstract = paragraphs("\n".join(pop("AB", ()))) or None
    keywords = tuple(dict.fromkeys(_texts(pop("MH", ())) + _texts(pop("OT", ()))))
    types = tuple(dict.fromkeys(_texts(pop("PT", ()))))
    notes = _texts(pop("GN", ()))
    decision, votes, notes = decisions_in_notes(notes)
    told, notes = type_in_notes(notes)
    accession = tuple(dict.fromkeys(v for tag in _FIELDS_OF_REGISTERS for v in _texts(pop(tag, ()))))
    told = told or _kind(types)
    record = Record(
        id="",
        type=told,
        title=title,
        original_title=original,
        authors=authors,
        editors=editors,
        year=year,
        date=date,
        journal=journal,
        journal_abbreviation=abbreviation,
        volume=_one(fields, "VI", other),
        issue=_one(fields, "IP", other),
        pages=_one(fields, "PG", other),
        doi=doi,
        pmid=pmid,
        pmcid=pmcid,
        accession_numbers=accession,
        issn=issn,
        isbn=isbn,
        abstract=abstract,
        keywords=keywords,
        language=_one(fields, "LA", other),
        urls=_texts(pop("URL", ())),
        publication_types=types,
        publisher=_one(fields, "PB", other),
        place=_one(fields, "PL", other),
        affiliations=tuple(dict.fromkeys(_texts(pop("AD", ())))),
        notes=notes,
        database=_one(fields, "DB", other),
        decision=decision,
        votes=votes,
        source_file=tally.file,
        ordinal=tally.ordinal,
        lines=(start, end),
        other=(*other, *[(tag, text) for tag, values in fields.items() for text in _texts(values)]),
    )
    if not (pmid or title or authors or abstract or doi or journal or own or record.other):
        tally.reject(start, "the record holds no field")
        return
    name = tally.name(own or pmid or (accession[0] if accession else None), start)
    object.__setattr__(record, "id", name)
    tally.read += 1
    yield record


@lru_cache(maxsize=4096)
def _kind(types: tuple[str, ...]) -> str:
    return refined(next((w for t in types if (w := type_in_words(t))), "article"), types)


def _one(fields: Fields, tag: str, other: list[tuple[str, str]]) -> str | None:
    if tag not in fields:
        return None
    values = fields.pop(tag)
    if len(values) == 1 and LINE_SEPARATOR not in values[0]:
        return values[0].strip() or None
    texts = _texts(values)
    if not texts:
        return None
    if len(texts) > 1:
        other += [(tag, text) for text in dict.fromkeys(texts) if text != texts[0]]
    return texts[0]


def _texts(values: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        return ()
    texts = [text for value in values if (text := value.strip())]
    if LINE_SEPARATOR in "".join(texts):
        texts = [text.replace(LINE_SEPARATOR, "\n") for text in texts]
    return tuple(texts)
