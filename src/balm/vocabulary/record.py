"""A record: what a database, register or website says about one report, in fields that mean the same in every format.

Nothing here judges: two records may be of one report, and a report may belong to a study with several. ``None`` and
``()`` mean that the file does not say; they are never an empty string. What no field holds stays in ``other`` with the
tag or column name of its file, so that reading loses nothing.
"""

from __future__ import annotations

from typing import Final

from balm.vocabulary.slotted import dataclass

#: What a record can index, in the order a menu shows them. ``"conference"`` is an abstract or a paper of a meeting;
#: ``"registration"`` is an entry of a trial register.
RECORD_TYPES: Final = (
    "article",
    "conference",
    "preprint",
    "registration",
    "chapter",
    "book",
    "thesis",
    "report",
    "web page",
    "data set",
    "patent",
    "magazine article",
    "newspaper article",
    "unpublished",
    "other",
)

#: What a person or a tool decided about a record, in the words of the field.
DECISIONS: Final = ("include", "exclude", "maybe")


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's decision as an export of a screening tool gives it; ``person`` is empty where it names nobody."""

    person: str
    decision: str  # one of DECISIONS
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a database, register or website.

    ``id`` names the record among those read together: the ``id`` of its own file or its accession number where the
    file has one, else ``file-name:ordinal``. Names of ``authors`` stand as in the file, family name first where the
    format has it so (``"Lynch, Mary E."``, ``"Lynch ME"``). ``year`` is the year of publication, ``date`` the date as
    the file gives it. ``doi`` is bare and in lower case (``10.1000/xyz``); ``pmid`` are digits, ``pmcid`` begins with
    ``PMC``. ``pages`` are as in the file (``"221-8"``). ``title`` is the title the database shows and
    ``original_title`` the one in the language of the report, where both are given.

    ``accession_numbers`` are identifiers that databases and registers gave (``EMBASE:2011``, ``NCT01234567``).
    ``decision`` is the label of a file that carries one verdict a record (ASReview), ``votes`` those of persons
    (Rayyan). ``source_file``, ``ordinal`` (from 1) and ``lines`` (first and last line of the file; ``None`` where
    lines mean nothing, as in a workbook) say where it was read. ``other`` holds every (tag, value) without a field.

    >>> record = Record(id="a.ris:1", title="Ketamine for pain", authors=("Lynch ME",), year=2015)
    >>> record.doi is None, record.keywords
    (True, ())
    """

    id: str
    type: str = "article"
    title: str | None = None
    original_title: str | None = None
    authors: tuple[str, ...] = ()
    editors: tuple[str, ...] = ()
    year: int | None = None
    date: str | None = None
    journal: str | None = None
    journal_abbreviation: str | None = None
    volume: str | None = None
    issue: str | None = None
    pages: str | None = None
    doi: str | None = None
    pmid: str | None = None
    pmcid: str | None = None
    accession_numbers: tuple[str, ...] = ()
    issn: tuple[str, ...] = ()
    isbn: tuple[str, ...] = ()
    abstract: str | None = None
    keywords: tuple[str, ...] = ()
    language: str | None = None
    urls: tuple[str, ...] = ()
    publication_types: tuple[str, ...] = ()
    publisher: str | None = None
    place: str | None = None
    affiliations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    database: str | None = None
    decision: str | None = None
    votes: tuple[Vote, ...] = ()
    source_file: str = ""
    ordinal: int = 0
    lines: tuple[int, int] | None = None
    other: tuple[tuple[str, str], ...] = ()
