"""One record a report: what the other stages screen, count and show, laid over every record of that report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from balm.review.deduplication.decided import reports_of
from balm.review.deduplication.merged import merge_records
from balm.vocabulary.evidence import DuplicateDecision
from balm.vocabulary.record import Record

#: The fields that a row of ``records.csv`` has, and so a canonical record.
FIELDS = ("title", "authors", "year", "journal", "doi", "pmid", "abstract")


@dataclass(frozen=True, slots=True)
class CanonicalRecord:
    """The records of one report as one: ``id`` is the record kept, ``ids`` are all of them, the kept one first.

    ``searches`` are those that found any of them. ``provenance`` names for each field the records its value came from;
    it is empty where there is only one record.
    """

    id: str
    ids: tuple[str, ...]
    searches: tuple[str, ...] = ()
    title: str | None = None
    authors: tuple[str, ...] = ()
    year: int | None = None
    journal: str | None = None
    doi: str | None = None
    pmid: str | None = None
    abstract: str | None = None
    provenance: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def record_of(cells: Mapping[str, str]) -> Record:
    """A row of ``records.csv`` (column -> text) as a record.

    >>> record_of({"record": "a", "title": "Ketamine", "authors": "Lynch ME; Clark AJ", "year": "2015"}).authors
    ('Lynch ME', 'Clark AJ')
    """
    year = cells.get("year", "")
    return Record(
        id=cells["record"],
        title=cells.get("title", "") or None,
        authors=tuple(a for a in cells.get("authors", "").split("; ") if a),
        year=int(year) if year.isdecimal() else None,
        journal=cells.get("journal", "") or None,
        doi=cells.get("doi", "") or None,
        pmid=cells.get("pmid", "") or None,
        abstract=cells.get("abstract", "") or None,
        source_file=cells.get("search", ""),
    )


def canonical(records: Iterable[Mapping[str, str]], decisions: Iterable[DuplicateDecision]) -> list[CanonicalRecord]:
    """One record a report, in the order of the rows of ``records.csv``; a report stands where its kept record does.

    >>> rows = [{"record": "a", "search": "s1", "title": "KETAMINE"}, {"record": "b", "search": "s2", "doi": "10.1/x"}]
    >>> same = [DuplicateDecision("a", "b", "duplicate", "same DOI", None, None)]
    >>> [(c.id, c.ids, c.searches, c.doi) for c in canonical(rows, same)]
    [('a', ('a', 'b'), ('s1', 's2'), '10.1/x')]
    """
    by_id = {cells["record"]: cells for cells in records}
    others: dict[str, tuple[str, ...]] = {}
    removed: set[str] = set()
    for report in reports_of(decisions):
        ids = tuple(record for record in report if record in by_id)
        if len(ids) > 1:
            others[ids[0]] = ids
            removed.update(ids[1:])
    return [overlay([by_id[i] for i in others.get(name, (name,))]) for name in by_id if name not in removed]


def overlay(rows: list[Mapping[str, str]]) -> CanonicalRecord:
    """The rows of one report as one record; the first is the one kept."""
    records = [record_of(cells) for cells in rows]
    searches = tuple(dict.fromkeys(r.source_file for r in records if r.source_file))
    ids = tuple(r.id for r in records)
    provenance: Mapping[str, tuple[str, ...]] = {}
    one = records[0]
    if len(records) > 1:
        one, told = merge_records(records)
        provenance = {name: told[name] for name in FIELDS if name in told}
    values = {name: getattr(one, name) for name in FIELDS}
    return CanonicalRecord(ids[0], ids, searches, **values, provenance=provenance)
