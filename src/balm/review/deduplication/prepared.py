"""Records as columns: short texts, and numbers for everything else, so that millions of pairs compare in NumPy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from balm.review.deduplication.journals import read_journal
from balm.review.deduplication.names import read_authors
from balm.review.deduplication.places import read_month, read_pages, read_volume
from balm.review.deduplication.titles import ERRATUM, folded, numbers, read_title, words
from balm.vocabulary.record import Record

Ints = NDArray[np.int64]

#: So many characters of an abstract are compared; what follows differs by structure words and copyright lines.
ABSTRACT = 250
#: A shorter abstract is a remark ("No abstract available").
SHORTEST_ABSTRACT = 60
_NOT_AN_ABSTRACT = re.compile(r"^\W*(?:\[?abstract\]?|background|objectives?|aims?|purpose|introduction|summary)\W+")

#: What kind of document a record is, beyond the flags of its title (1, 2, 4 in ``titles``).
CONFERENCE, PREPRINT, REGISTRATION, SUPPLEMENT, BOOK, THESIS, CUT = 8, 16, 32, 64, 128, 256, 512
#: A protocol or a version of a Cochrane review: all of one review share title and page (the number of the review).
COCHRANE = 2048
_TYPES = {
    "conference": CONFERENCE,
    "preprint": PREPRINT,
    "registration": REGISTRATION,
    "thesis": THESIS,
    "book": BOOK,
    "chapter": BOOK,
}
_PREPRINT_SERVERS = re.compile(r"\b(?:\w*rxiv|preprints?|research square|ssrn|authorea)\b")
#: Prefixes of servers; those on OSF, and those that say so, whatever their prefix.
_PREPRINT_DOI = re.compile(
    r"^10\.(?:1101/(?:\d{4}\.\d\d\.\d\d|\d{6})|64898/|48550/|21203/|2139/ssrn|26434/|22541/|36227/|32942/|"
    r"\d{4,9}/(?:osf\.io/|[a-z0-9./\-]*preprint))"
)
#: Cochrane CENTRAL and meta-registers give the address of a registration where a journal stands.
_REGISTER = re.compile(
    r"clinicaltrials\.gov|clinicaltrialsregister|trialsearch|who\.int/(?:ictrp|trial)|isrctn|anzctr|chictr|ctri\.nic\.in|"
    r"drks\.de|irct\.ir|umin\.ac\.jp|jrct|cris\.nih|trialregister\.nl|ensaiosclinicos"
)
_COCHRANE = re.compile(r"^cochrane (?:database|db|library)\b")
_NOTICE_TYPE = re.compile(
    r"\W*(?:journal\W+|published )?(?:erratum|errata|corrigend\w+|addendum|retraction(?: notice| of publication)?|"
    r"expression of concern)\W*"
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


def chosen(p: Prepared, records: Ints) -> Prepared:
    """The columns of some of the records, in the order of ``records``; names of journals are shared."""
    at = records.tolist()
    columns: dict[str, Any] = {}
    for field in fields(Prepared):
        value = getattr(p, field.name)
        if isinstance(value, np.ndarray):
            columns[field.name] = value[records]
        elif field.name in _TEXTS:
            columns[field.name] = list(map(value.__getitem__, at))
    return replace(p, n=len(at), **columns)


def stable_hashes(texts: Sequence[str]) -> Ints:
    """One 64-bit number a text, the same on every machine; 0 for an empty text and for no other.

    A sum of code points, each times a fixed odd number for its position: unlike texts share a sum once in some 2**57
    pairs. All texts are hashed at once in NumPy.
    """
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    told = np.flatnonzero(lengths)
    out = np.zeros(len(texts), dtype=np.int64)
    if not len(told):
        return out
    letters = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    lengths = lengths[told]
    begins = np.cumsum(lengths) - lengths
    place = np.arange(len(letters)) - np.repeat(begins, lengths)
    with np.errstate(over="ignore"):
        letters += np.uint64(1)
        letters *= _factors(int(lengths.max()))[place]
        total = np.add.reduceat(letters, begins)
        total ^= total >> np.uint64(32)
        total *= np.uint64(0x9E3779B97F4A7C15)
        total ^= total >> np.uint64(29)
    total[total == 0] = 1
    out[told] = total.view(np.int64)
    return out


def _factors(n: int) -> NDArray[np.uint64]:
    """Odd numbers without pattern: the output of splitmix64 for 1, 2, 3 ..."""
    with np.errstate(over="ignore"):
        x = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return (x ^ (x >> np.uint64(31))) | np.uint64(1)


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


#: Columns of whole numbers that a record gives, then those that are hashes of texts.
_NUMBERS = (
    "author_count",
    "journal",
    "pmid",
    "volume",
    "issue",
    "first_page",
    "last_page",
    "year",
    "flags",
    "length",
    "source",
)
_HASHED = (
    "title_hash",
    "original_hash",
    "start_hash",
    "end_hash",
    "first_hash",
    "authors_hash",
    "abstract_hash",
    "doi",
    "issn",
    "issn_2",
    "registry",
    "numbers",
    "id",
)
#: Texts that are compared letter by letter.
_TEXTS = ("title", "original", "first", "authors", "abstract", "doi_text")
_CHUNK = 20_000


def prepare(records: Iterable[Record]) -> Prepared:
    """The columns of ``records``, read once, in their order."""
    texts: dict[str, list[str]] = {name: [] for name in _TEXTS}
    tables: dict[str, dict[str, int]] = {"journal": {"": 0}, "source": {}}
    known: dict[str, tuple[int, int]] = {}
    told: list[Ints] = []
    hashes: list[Ints] = []
    walker = iter(records)
    while chunk := list(islice(walker, _CHUNK)):
        read = tuple(zip(*[_row(record, tables, known) for record in chunk], strict=True))
        told.append(np.array(read[: len(_NUMBERS)], dtype=np.int64))
        hashes.append(np.stack([stable_hashes(column) for column in read[len(_NUMBERS) : -len(_TEXTS)]]))
        for name, column in zip(_TEXTS, read[-len(_TEXTS) :], strict=True):
            texts[name].extend(column)
    plain = np.concatenate(told, axis=1) if told else np.zeros((len(_NUMBERS), 0), dtype=np.int64)
    hashed = np.concatenate(hashes, axis=1) if hashes else np.zeros((len(_HASHED), 0), dtype=np.int64)
    columns = dict(zip(_NUMBERS, plain, strict=True)) | dict(zip(_HASHED, hashed, strict=True))
    own = columns.pop("id")
    del told, hashes
    columns["issue"] = _without_row_numbers(columns["issue"], columns["source"])
    ranked = (own, columns["doi"], columns["first_page"], columns["volume"], columns["year"], columns["authors_hash"])
    sort = np.lexsort((*ranked, columns["abstract_hash"], columns["title_hash"]))
    order = np.empty(len(own), dtype=np.int64)
    order[sort] = np.arange(len(own))
    return Prepared(
        n=len(own),
        title=texts["title"],
        original=texts["original"],
        first=texts["first"],
        authors=texts["authors"],
        abstract=texts["abstract"],
        doi_text=texts["doi_text"],
        journals=list(tables["journal"]),
        order=order,
        **columns,
    )


def _row(record: Record, tables: dict[str, dict[str, int]], known: dict[str, tuple[int, int]]) -> tuple[Any, ...]:
    """What a record says, in the order of :data:`_NUMBERS`, :data:`_HASHED` and :data:`_TEXTS`."""
    title, flags, cut = read_title(record.title) if record.title else ("", 0, False)
    if cut:
        flags |= CUT
    original = read_title(record.original_title)[0] if record.original_title else ""
    if original == title:
        original = ""
    first, authors, count = read_authors(record.authors) if record.authors else ("", "", 0)
    abstract = _read_abstract(record.abstract) if record.abstract else ""
    name = record.journal or record.journal_abbreviation or _other(record, "booktitle")
    journal, journal_flags = _read_journal(name, tables["journal"], known) if name else (0, 0)
    flags |= journal_flags | _TYPES.get(record.type, 0)
    if record.publication_types or record.other:
        flags |= _type_flags(record)
    doi = (record.doi or "").lower().rstrip(".")
    if doi and _PREPRINT_DOI.match(doi):
        flags |= PREPRINT
    volume, issue, supplement = read_volume(record.volume, record.issue)
    if record.issue and "bstract" in record.issue:  # "2 Meeting Abstracts"
        flags |= CONFERENCE
    if flags & COCHRANE:
        volume, issue = 0, read_month(volume, issue)
    first_page, last_page, supplement_page = read_pages(record.pages)
    if supplement or supplement_page:
        flags |= SUPPLEMENT
    packed = title.replace(" ", "")
    length = len(packed)
    issn = sorted(record.issn[:4]) if record.issn else ()
    pmid = record.pmid
    return (
        count,
        journal,
        int(pmid) if pmid and len(pmid) < 12 and pmid.isascii() and pmid.isdigit() else 0,
        volume,
        issue,
        first_page,
        last_page,
        record.year or 0,
        flags,
        length,
        tables["source"].setdefault(record.source_file, len(tables["source"]) + 1),
        packed,
        original.replace(" ", "") if original else "",
        packed[:26] if length >= 20 else "",
        packed.rstrip("0123456789")[-26:] if length >= 32 else "",
        first,
        authors,
        abstract[:100],
        doi,
        issn[0] if issn else "",
        issn[1] if len(issn) > 1 else "",
        _registry(record, flags) if record.accession_numbers or flags & REGISTRATION else "",
        "|".join(numbers(title)),
        record.id,
        title,
        original,
        first,
        authors,
        abstract,
        doi,
    )


def _other(record: Record, tag: str) -> str:
    return next((value for name, value in record.other if name.lower() == tag), "")


def _read_abstract(text: str) -> str:
    text = folded(text[: ABSTRACT + 150])
    if heading := _NOT_AN_ABSTRACT.match(text):
        text = text[heading.end() :]
    text = words(text)[:ABSTRACT]
    return text if len(text) >= SHORTEST_ABSTRACT else ""


def _read_journal(name: str, table: dict[str, int], known: dict[str, tuple[int, int]]) -> tuple[int, int]:
    found = known.get(name)
    if found is None:
        text = read_journal(name)
        flags = 0
        if _PREPRINT_SERVERS.search(text):
            flags |= PREPRINT
        if _MEETING.search(text) and not _STILL_A_JOURNAL.search(text):
            flags |= CONFERENCE
        if _REGISTER.search(name.lower()):
            flags |= REGISTRATION
        if _COCHRANE.match(text):
            flags |= COCHRANE
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
        elif "correction" in lower or _NOTICE_TYPE.fullmatch(lower):
            flags |= ERRATUM
    if record.other:
        entry = _other(record, "entrytype").lower()
        if entry in ("inproceedings", "conference", "proceedings"):
            flags |= CONFERENCE
        elif entry in ("book", "incollection", "inbook"):
            flags |= BOOK
        elif entry in ("phdthesis", "mastersthesis", "thesis"):
            flags |= THESIS
    return flags


def _registry(record: Record, flags: int) -> str:
    """The trial a record registers or names among its own numbers; empty for none or several."""
    found = {m[0].lower() for text in record.accession_numbers for m in _REGISTRY.finditer(text)}
    if not found and flags & REGISTRATION:
        text = " ".join((record.id, record.title or "", record.journal or "", *record.authors[:2], *record.urls[:2]))
        found = {m[0].lower() for m in _REGISTRY.finditer(text)}
    return found.pop() if len(found) == 1 else ""


def _without_row_numbers(issue: Ints, source: Ints) -> Ints:
    """Issue numbers, but none of a file in which they hardly ever repeat: those count its rows."""
    for file in np.unique(source):
        rows = np.flatnonzero((source == file) & (issue > 0))
        if len(rows) >= ROW_NUMBERS_FROM and len(np.unique(issue[rows])) >= ROW_NUMBERS_SHARE * len(rows):
            issue[rows] = 0
    return issue
