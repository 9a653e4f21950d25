"""Records as columns: short texts, and numbers for everything else, so that millions of pairs compare in NumPy."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from balm.review.deduplication.journals import read_journal
from balm.review.deduplication.names import read_authors
from balm.review.deduplication.places import read_pages, read_volume
from balm.review.deduplication.titles import folded, numbers, read_title, words
from balm.vocabulary.record import Record

Ints = NDArray[np.int64]

#: So many characters of an abstract are compared; what follows differs by structure words and copyright lines.
ABSTRACT = 250
#: A shorter abstract is a remark ("No abstract available").
SHORTEST_ABSTRACT = 60
_NOT_AN_ABSTRACT = re.compile(r"^\W*(?:\[?abstract\]?|background|objectives?|aims?|purpose|introduction|summary)\W+")

#: What kind of document a record is, beyond the flags of its title (1, 2, 4 in ``titles``).
CONFERENCE, PREPRINT, REGISTRATION, SUPPLEMENT, BOOK, THESIS, CUT = 8, 16, 32, 64, 128, 256, 512
_TYPES = {
    "conference": CONFERENCE,
    "preprint": PREPRINT,
    "registration": REGISTRATION,
    "thesis": THESIS,
    "book": BOOK,
    "chapter": BOOK,
}
_PREPRINT_SERVERS = re.compile(
    r"\b(?:biorxiv|medrxiv|arxiv|chemrxiv|psyarxiv|socarxiv|osf preprints?|research square|ssrn|preprints?(?: org)?|"
    r"authorea|f1000research preprint|jmir preprints)\b"
)
_PREPRINT_DOI = re.compile(
    r"^10\.(?:1101/(?:\d{4}\.\d\d\.\d\d|\d{6})|48550/|21203/|2139/ssrn|20944/preprints|31234/|31235/|26434/|22541/|36227/)"
)
_MEETING = re.compile(
    r"\b(?:conference|proceedings|proc|symposium|congress|annual meeting|meeting abstracts?|abstracts|workshop|"
    r"scientific sessions?)\b"
)
#: Journals whose names speak of a meeting and that are journals all the same.
_STILL_A_JOURNAL = re.compile(
    r"proc\w* (?:national academ|natl acad|nutrition soc|nutr soc|royal soc|r soc|biological|biol sci|mayo|mayo clin|"
    r"american thoracic|am thorac|institution|inst mech|ieee\b|baylor|bayl|western pharm|society experimental|soc exp)|"
    r"transplantation proc|transplant proc|mayo clin\w* proc|proc\w* (?:natl|pnas)"
)
_REGISTRY = re.compile(
    r"\b(?:nct\d{8}|isrctn\d{8}|chictr[a-z0-9\-]{6,}|actrn\d{14}|eudract[ :]*\d{4}-\d{6}-\d\d|euctr\d{4}-\d{6}-\d\d|"
    r"umin\d{9}|drks\d{8}|irct\d+n\d+|ctri/\d{4}/\d\d+/\d+|jprn-\w+|ntr\d{3,5}|kct\d{7})",
    re.I,
)
#: Issue numbers of one file that hardly repeat are row numbers of the program that wrote it.
ROW_NUMBERS_FROM, ROW_NUMBERS_SHARE = 40, 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Columns of ``n`` records. A hash of 0 and an empty text mean that the record does not say.

    ``order`` ranks the records by what they hold, never by where they stood, so that nothing depends on their order.
    """

    n: int
    title: list[str]
    original: list[str]
    first: list[str]
    authors: list[str]
    abstract: list[str]
    doi_text: list[str]
    journals: list[str]  # distinct names; ``journal`` points into it
    title_hash: Ints
    original_hash: Ints
    start_hash: Ints
    end_hash: Ints
    first_hash: Ints
    authors_hash: Ints
    author_count: Ints
    abstract_hash: Ints
    journal: Ints
    doi: Ints
    pmid: Ints
    issn: Ints
    issn_2: Ints
    registry: Ints
    volume: Ints
    issue: Ints
    first_page: Ints
    last_page: Ints
    year: Ints
    numbers: Ints
    flags: Ints
    length: Ints  # letters and digits in the title
    source: Ints
    order: Ints


def stable_hash(text: str) -> int:
    """The same 64-bit number on every machine, never 0 for a text that says something."""
    if not text:
        return 0
    return (
        int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big", signed=True) or 1
    )


def mixed(*columns: Ints) -> Ints:
    """One hash of several columns; 0 wherever any of them is 0, as a missing part makes no key."""
    out = np.zeros(len(columns[0]), dtype=np.uint64)
    missing = np.zeros(len(columns[0]), dtype=bool)
    with np.errstate(over="ignore"):
        for column in columns:
            missing |= column == 0
            out = (out ^ column.view(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
            out ^= out >> np.uint64(29)
            out *= np.uint64(0xBF58476D1CE4E5B9)
            out ^= out >> np.uint64(32)
    result = out.view(np.int64)
    result[result == 0] = 1
    result[missing] = 0
    return result


_FIELDS = (
    "title_hash",
    "original_hash",
    "start_hash",
    "end_hash",
    "first_hash",
    "authors_hash",
    "author_count",
    "abstract_hash",
    "journal",
    "doi",
    "pmid",
    "issn",
    "issn_2",
    "registry",
    "volume",
    "issue",
    "first_page",
    "last_page",
    "year",
    "numbers",
    "flags",
    "length",
    "source",
)
_CHUNK = 20_000


def prepare(records: Iterable[Record]) -> Prepared:
    """The columns of ``records``, read once, in their order."""
    texts: tuple[list[str], ...] = ([], [], [], [], [], [])
    tables: dict[str, dict[str, int]] = {"journal": {"": 0}, "source": {}}
    known: dict[str, dict[str, Any]] = {"journal": {}, "hash": {}}
    blocks: list[Ints] = []
    walker = iter(records)
    while chunk := list(islice(walker, _CHUNK)):
        rows = [_row(record, texts, tables, known) for record in chunk]
        blocks.append(np.array(rows, dtype=np.int64).reshape(len(rows), len(_FIELDS) + 1))
        known["hash"].clear()
    table = np.concatenate(blocks) if blocks else np.zeros((0, len(_FIELDS) + 1), dtype=np.int64)
    columns = {name: np.ascontiguousarray(table[:, i]) for i, name in enumerate(_FIELDS)}
    own = np.ascontiguousarray(table[:, -1])
    del table, blocks
    columns["issue"] = _without_row_numbers(columns["issue"], columns["source"])
    keys = (own, columns["doi"], columns["first_page"], columns["volume"], columns["year"], columns["authors_hash"])
    sort = np.lexsort((*keys, columns["abstract_hash"], columns["title_hash"]))
    order = np.empty(len(own), dtype=np.int64)
    order[sort] = np.arange(len(own))
    title, original, first, authors, abstract, doi_text = texts
    return Prepared(
        n=len(own),
        title=title,
        original=original,
        first=first,
        authors=authors,
        abstract=abstract,
        doi_text=doi_text,
        journals=list(tables["journal"]),
        order=order,
        **columns,
    )


def _row(
    record: Record,
    texts: tuple[list[str], ...],
    tables: dict[str, dict[str, int]],
    known: dict[str, dict[str, Any]],
) -> tuple[int, ...]:
    title, flags, cut = read_title(record.title) if record.title else ("", 0, False)
    if cut:
        flags |= CUT
    original = read_title(record.original_title)[0] if record.original_title else ""
    if original == title:
        original = ""
    first, authors, count = read_authors(record.authors) if record.authors else ("", "", 0)
    abstract = _read_abstract(record.abstract) if record.abstract else ""
    name = record.journal or record.journal_abbreviation or _other(record, "booktitle")
    journal, journal_flags = _read_journal(name, tables["journal"], known["journal"]) if name else (0, 0)
    flags |= journal_flags | _TYPES.get(record.type, 0) | _type_flags(record)
    doi = (record.doi or "").lower().rstrip(".")
    if doi and _PREPRINT_DOI.match(doi):
        flags |= PREPRINT
    volume, issue, supplement = read_volume(record.volume, record.issue)
    first_page, last_page, supplement_page = read_pages(record.pages)
    if supplement or supplement_page:
        flags |= SUPPLEMENT
    packed = title.replace(" ", "")
    length = len(packed)
    found = numbers(title)
    for store, value in zip(texts, (title, original, first, authors, abstract, doi), strict=True):
        store.append(value)
    source = tables["source"].setdefault(record.source_file, len(tables["source"]) + 1)
    issn = sorted(_hashed(s, known["hash"]) for s in record.issn[:4])
    year = record.year or 0
    return (
        stable_hash(packed),
        stable_hash(original.replace(" ", "")),
        stable_hash(packed[:26]) if length >= 20 else 0,
        stable_hash(packed[-26:]) if length >= 32 else 0,
        _hashed(first, known["hash"]),
        stable_hash(authors),
        count,
        stable_hash(abstract[:100]) if abstract else 0,
        journal,
        stable_hash(doi),
        int(record.pmid)
        if record.pmid and record.pmid.isascii() and record.pmid.isdigit() and len(record.pmid) < 12
        else 0,
        issn[0] if issn else 0,
        issn[1] if len(issn) > 1 else 0,
        _registry(record),
        volume,
        issue,
        first_page,
        last_page,
        year,
        stable_hash("|".join(found)),
        flags,
        length,
        source,
        stable_hash(record.id),
    )


def _hashed(text: str, known: dict[str, Any]) -> int:
    value: int | None = known.get(text)
    if value is None:
        value = known[text] = stable_hash(text)
    return value


def _other(record: Record, tag: str) -> str:
    return next((value for name, value in record.other if name.lower() == tag), "")


def _read_abstract(text: str) -> str:
    text = folded(text[: ABSTRACT + 150])
    text = words(_NOT_AN_ABSTRACT.sub("", text))[:ABSTRACT]
    return text if len(text) >= SHORTEST_ABSTRACT else ""


def _read_journal(name: str, table: dict[str, int], known: dict[str, Any]) -> tuple[int, int]:
    found: tuple[int, int] | None = known.get(name)
    if found is None:
        text = read_journal(name)
        flags = 0
        if _PREPRINT_SERVERS.search(text):
            flags |= PREPRINT
        if _MEETING.search(text) and not _STILL_A_JOURNAL.search(text):
            flags |= CONFERENCE
        found = known[name] = (table.setdefault(text, len(table)), flags)
    return found


def _type_flags(record: Record) -> int:
    flags = 0
    for text in record.publication_types:
        lower = text.lower()
        if "abstract" in lower or "conference" in lower or "meeting" in lower or "proceeding" in lower:
            flags |= CONFERENCE
        elif "preprint" in lower:
            flags |= PREPRINT
        elif (
            ("erratum" in lower and "published" in lower)
            or "correction" in lower
            or lower == "retraction of publication"
        ):
            flags |= 1
    if record.other:
        entry = _other(record, "entrytype").lower()
        if entry in ("inproceedings", "conference", "proceedings"):
            flags |= CONFERENCE
        elif entry in ("book", "incollection", "inbook"):
            flags |= BOOK
        elif entry in ("phdthesis", "mastersthesis", "thesis"):
            flags |= THESIS
    return flags


def _registry(record: Record) -> int:
    """The trial a record registers or names among its own numbers; 0 for none or several."""
    found = {m[0].lower() for text in record.accession_numbers for m in _REGISTRY.finditer(text)}
    if not found and record.type == "registration":
        text = " ".join((record.id, record.title or "", *record.urls[:2]))
        found = {m[0].lower() for m in _REGISTRY.finditer(text)}
    return stable_hash(found.pop()) if len(found) == 1 else 0


def _without_row_numbers(issue: Ints, source: Ints) -> Ints:
    """Issue numbers, but none of a file in which they hardly ever repeat: those count its rows."""
    for file in np.unique(source):
        rows = np.flatnonzero((source == file) & (issue > 0))
        if len(rows) >= ROW_NUMBERS_FROM and len(np.unique(issue[rows])) >= ROW_NUMBERS_SHARE * len(rows):
            issue[rows] = 0
    return issue
