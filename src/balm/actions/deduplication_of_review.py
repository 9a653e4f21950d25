"""Duplicates of a review package: found in its searches, decided by rules and persons, appended to duplicates.csv.

>>> done = dedupe_review("my-review")  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from balm.actions.deduplication import check_targets, replace_file, write_pairs
from balm.actions.import_records import appended
from balm.actions.records import read_records, write_records
from balm.actions.review import LARGER, MAX_BYTES, Review
from balm.review.deduplication.decided import (
    DUPLICATE,
    NOT_DUPLICATE,
    SAME_STUDY,
    UNDECIDED,
    in_force,
    pair_of,
    reports_of,
    standing,
)
from balm.review.deduplication.duplicates import Duplicates, find_duplicates
from balm.review.deduplication.standing_rows import NO_LONGER
from balm.review.package import Package
from balm.vocabulary.evidence import DuplicateDecision
from balm.vocabulary.evidence import Record as Row
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.record import Record

FILE = "duplicates.csv"
#: What a person can say of two records, and the words of ``duplicates.csv`` for it: decision and reason.
ANSWERS = {
    "duplicate": (DUPLICATE, None),
    "not duplicate": (NOT_DUPLICATE, None),
    "same study": (NOT_DUPLICATE, SAME_STUDY),
    "undo": (None, "undone"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says of two records: a key of :data:`ANSWERS`."""

    record_1: str
    record_2: str
    answer: str


@dataclass(frozen=True, slots=True)
class Deduplicated:
    """What was found, and the rows appended to ``duplicates.csv``."""

    found: Duplicates
    rows: tuple[DuplicateDecision, ...]


def dedupe_review(
    folder: str | Path,
    *,
    answers: Sequence[Answer] = (),
    person: str | None = None,
    output: str | Path | None = None,
    pairs: str | Path | None = None,
) -> Deduplicated:
    """Find the duplicates among the records of the package in ``folder`` and append what is new to ``duplicates.csv``.

    Appended are the ``answers`` of ``person``; a row ``duplicate`` for each record laid under another; a row
    ``undecided`` for each question; and, where a merge by rule no longer holds, a row that takes it back. Rows are only
    ever added, and doing it again adds nothing. Records are read in full from the raw exports under ``searches/``, as
    ``records.csv`` holds no volume and no pages; a cell of ``records.csv`` that was corrected by hand counts.
    """
    check_targets(output, pairs)
    review = Review.load(folder)
    if problems := review.problems():
        raise InputError(problems)
    package = review.package
    if not package.records:
        raise InputError(Problem("holds no records; `balm import` brings search exports in", file=str(folder)))
    if answers and not (person or "").strip():
        raise InputError("a decision needs the name of the person who takes it: --person NAME")
    found = find_duplicates(records_of(package), decisions=package.duplicates)
    before = found.decisions
    for at, said in enumerate(answers):
        time = _now(at)
        decision, reason = ANSWERS[said.answer]
        one, two = said.record_1, said.record_2
        if decision is None:
            found = found.undo(one, two, person=str(person), time=time)
        else:
            found = found.decide(one, two, decision, person=str(person), reason=reason, time=time)
    by_hand = found.decisions[len(before) :]
    kept = {g.kept for g in found.groups}
    by_hand = tuple(
        replace(d, record_1=d.record_2, record_2=d.record_1) if d.decision == DUPLICATE and d.record_2 in kept else d
        for d in by_hand
    )
    rows = (*by_hand, *_by_rule(found, (*package.duplicates, *by_hand), _now(len(answers))))
    if rows:
        data = appended(
            Path(folder) / FILE,
            [
                {
                    "record_1": r.record_1,
                    "record_2": r.record_2,
                    "decision": r.decision,
                    "rule": r.rule,
                    "person": r.person,
                    "time": r.time,
                }
                for r in rows
            ],
        )
        if len(data) > (most := LARGER.get(FILE, MAX_BYTES)):
            size, limit = len(data) / 1024**2, most // 1024**2
            raise InputError(Problem(f"would grow to {size:,.0f} MB; at most {limit} MB are read", file=FILE))
        replace_file(Path(folder) / FILE, data)
    if pairs is not None:
        write_pairs(found, pairs)
    if output is not None:
        write_records(found.unique, output)
    return Deduplicated(found, rows)


def _now(later: int) -> str:
    """The time, in a form no two rows of one pair share."""
    now = datetime.now(UTC)
    return now.replace(microsecond=min(now.microsecond // 1000 * 1000 + later, 999_999)).isoformat()


def _by_rule(found: Duplicates, decisions: Sequence[DuplicateDecision], time: str) -> list[DuplicateDecision]:
    """The rows that make what stands in the file say what was found."""
    home = {record: g.kept for g in found.groups for record in g.ids}
    stands = standing(decisions)
    persons = in_force(decisions)
    rows = [
        DuplicateDecision(d.record_1, d.record_2, UNDECIDED, NO_LONGER, None, time)
        for pair, d in stands.items()
        if d.person is None and d.decision == DUPLICATE and (pair[0] not in home or home[pair[0]] != home.get(pair[1]))
    ]
    taken_back = {pair_of(r.record_1, r.record_2) for r in rows}
    standing_rows = [*decisions, *rows]
    joined = {record: report[0] for report in reports_of(standing_rows) for record in report}
    for row in found.rows(time=time):
        one, two = row.record_1, row.record_2
        if row.person is None and joined.get(one, one) != joined.get(two, two):
            rows.append(row)
            old = joined.get(two, two)
            joined |= {r: joined.get(one, one) for r in (*(k for k, v in joined.items() if v == old), two)}
    written = taken_back | {pair_of(r.record_1, r.record_2) for r in rows}
    for question in found.review:
        pair = pair_of(question.record_1, question.record_2)
        told = stands.get(pair)
        if pair in persons or pair in written or (told is not None and told.decision == UNDECIDED):
            continue
        rows.append(DuplicateDecision(question.record_1, question.record_2, UNDECIDED, question.rule, None, time))
    return rows


def records_of(package: Package) -> list[Record]:
    """The records of a package in full: its rows, laid over what the raw exports say."""
    full: dict[str, Record] = {}
    for search in package.searches:
        rows = [r for r in package.records if r.search == search.search]
        path = (package.folder / search.file).resolve() if search.file else None
        if path is None or not rows or not path.is_relative_to(package.folder.resolve()) or not path.is_file():
            continue
        read = read_records(path)
        if len(read) == len(rows):
            full |= {row.record: record for row, record in zip(rows, read, strict=True)}
    return [_in_full(row, full.get(row.record)) for row in package.records]


def _in_full(row: Row, read: Record | None) -> Record:
    said: dict[str, Any] = {
        "title": row.title,
        "authors": tuple(row.authors.split("; ")) if row.authors else (),
        "year": row.year,
        "journal": row.journal,
        "doi": row.doi and row.doi.lower(),
        "pmid": row.pmid,
        "abstract": row.abstract,
    }
    if read is None:
        return Record(id=row.record, source_file=row.search or "", **said)
    return replace(read, id=row.record, **{name: value for name, value in said.items() if value})
