"""Duplicates in a team's review: one record a report for every other stage, and what people say to the questions."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from balm.actions.records import read_records
from balm.actions.search_rows import without_no_text
from balm.actions.team.acting import Acting
from balm.actions.team.rows import append_rows
from balm.review.deduplication.canonical import CanonicalRecord
from balm.review.deduplication.decided import (
    DUPLICATE,
    NOT_DUPLICATE,
    SAME_STUDY,
    UNDECIDED,
    in_force,
    pair_of,
    reports_of,
)
from balm.review.deduplication.duplicates import find_duplicates
from balm.review.deduplication.standing_rows import Question, kept_by, open_questions, rows_in_place
from balm.store.events.chain import lock_chain, now
from balm.store.records.details import full_records, keep_details, without_details
from balm.store.records.models import Derived, UniqueRecord
from balm.store.records.unique import (
    DUPLICATES,
    RECORDS,
    SEARCHES,
    cells_of,
    decisions_of,
    refresh,
    refresh_reports,
    rows_to,
    unique_records,
    value_of,
)
from balm.store.reviews.models import Review, Row, StoredFile
from balm.vocabulary.evidence import DuplicateDecision
from balm.vocabulary.problems import InputError, check_option
from balm.vocabulary.record import Record

#: What a person can say of two reports, and the words of ``duplicates.csv`` for it: decision and reason.
ANSWERS = {
    "duplicate": (DUPLICATE, ""),
    "not duplicate": (NOT_DUPLICATE, ""),
    "same study": (NOT_DUPLICATE, SAME_STUDY),
}
#: Whoever looks for duplicates has stopped when there was no sign of life for so long.
STALE = timedelta(minutes=2)
#: The reason of a row that takes an answer or a merge back.
UNDONE = "undone"


# -- one record a report ---------------------------------------------------------------------------------------------


def canonical_records(review: Review) -> list[CanonicalRecord]:
    """Every record of the review, one a report, in the order they came: what is screened.

    Its ``id`` stays as it is when a later import brings another record of the same report. At 20,000 records this takes
    some tenths of a second; ask :func:`canonical_ids` or :func:`canonical_record` where a page needs less.
    """
    return [value_of(row) for row in unique_records(review).order_by("position").iterator(chunk_size=5000)]


def canonical_ids(review: Review) -> list[str]:
    """The ids of :func:`canonical_records`, in their order."""
    return list(unique_records(review).order_by("position").values_list("record", flat=True))


def canonical_record(review: Review, record: str) -> CanonicalRecord | None:
    """One of :func:`canonical_records` by its id, or ``None``."""
    row: UniqueRecord | None = unique_records(review).filter(record=record).first()
    return value_of(row) if row else None


# -- looking for duplicates ------------------------------------------------------------------------------------------


def looked_at_all(review: Review) -> bool:
    """Whether duplicates have been looked for among all the records there are."""
    state = Derived.objects.filter(review=review).first()
    last = rows_to(review)[0]
    return last < 0 or (state is not None and state.looked_to >= last)


def look_for_duplicates(acting: Acting) -> int | None:
    """Look among all records, and append to ``duplicates.csv`` what is new: certain merges by rule, and questions.

    Returns the number of rows appended, or ``None`` where somebody is at it already. The looking happens outside of any
    transaction; where records or decisions have come in meanwhile, it is done again.
    """
    acting.check("deduplicate")
    review = acting.review
    if not _begin_looking(review):
        return None
    try:
        while True:
            seen = rows_to(review)
            decisions = decisions_of(review)
            found = find_duplicates(records_in_full(review), decisions=decisions)
            with transaction.atomic():
                lock_chain(review.key)
                if rows_to(review) != seen:
                    continue
                place = {record: k for k, record in enumerate(_ids(review))}
                rows = rows_in_place(found, decisions, place, time=now())
                append_rows(acting, DUPLICATES, map(_cells, rows), reason="looked for duplicates")
                refresh(review)
                Derived.objects.filter(review=review).update(looked_to=seen[0])
                return len(rows)
    finally:
        Derived.objects.filter(review=review).update(looking=None)


@transaction.atomic
def _begin_looking(review: Review) -> bool:
    lock_chain(review.key)
    state, _ = Derived.objects.get_or_create(review=review)
    if state.looking and timezone.now() - state.looking < STALE:
        return False
    state.looking = timezone.now()
    state.save(update_fields=["looking"])
    return True


def records_in_full(review: Review) -> list[Record]:
    """The records of the review as the raw exports give them, with volume and pages, the rows laid over them."""
    for search in cells_of(review, SEARCHES):
        if search.get("file") and (ids := without_details(review, search["search"])):
            file = StoredFile.objects.filter(review=review, path=search["file"]).first()
            read = _read_again(Path(file.path).name, bytes(file.content)) if file else ()
            if len(read) == len(ids):
                keep_details(review, ids, read)
    return list(full_records(review).values())


def _read_again(name: str, content: bytes) -> Sequence[Record]:
    with tempfile.TemporaryDirectory(prefix="balm-raw-") as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            return without_no_text(read_records(path))
        except InputError:  # a raw file that came with a package need not be an export; its rows say enough
            return ()


# -- what people say -------------------------------------------------------------------------------------------------


def questions(review: Review) -> list[Question]:
    """The questions that wait for a person."""
    return open_questions(decisions_of(review))


@transaction.atomic
def answer_question(acting: Acting, record_1: str, record_2: str, answer: str) -> DuplicateDecision | None:
    """Say whether two reports are one: a key of :data:`ANSWERS`. Said again it changes nothing: ``None``."""
    acting.check("deduplicate")
    check_option("answer", answer, list(ANSWERS))
    review = acting.review
    lock_chain(review.key)
    decisions = decisions_of(review)
    reports = [_report_of(review, record, decisions) for record in (record_1, record_2)]
    place = _places(review, [report[0] for report in reports])
    one, two = sorted((report[0] for report in reports), key=place.__getitem__)
    decision, reason = ANSWERS[answer]
    if one == two:
        if decision == DUPLICATE:
            return None
        raise InputError(f"{record_1} and {record_2} stand in one group; take one of them out of it first")
    records = {*reports[0], *reports[1]}
    near = [d for d in decisions if d.record_1 in records and d.record_2 in records]
    standing = in_force(near).get(pair_of(one, two))
    if standing is not None and (standing.decision, standing.rule or "") == (decision, reason):
        return None
    row = DuplicateDecision(one, two, decision, reason or None, acting.member.code, now())
    joined = kept_by([*near, row])
    if decision == DUPLICATE and len({joined.get(record, record) for record in records}) > 1:
        raise InputError(
            f"{one} and {two} cannot become one: records of their groups were decided to be no duplicates of each "
            "other; take that decision back first"
        )
    _append(acting, [row], [*near, row], records)
    return row


@transaction.atomic
def undo_answer(acting: Acting, record_1: str, record_2: str, time: str) -> bool:
    """Take back the answer given on a pair at ``time``: the question is open again. Done once, however often asked."""
    acting.check("deduplicate")
    lock_chain(acting.review.key)
    decisions = decisions_of(acting.review)
    standing = in_force(decisions).get(pair_of(record_1, record_2))
    if standing is None or standing.time != time:
        return False
    row = DuplicateDecision(standing.record_1, standing.record_2, UNDECIDED, UNDONE, acting.member.code, now())
    after = [*decisions, row]
    touched = _with_reports((record_1, record_2), kept_by(decisions), kept_by(after))
    _append(acting, [row], after, touched)
    return True


@transaction.atomic
def take_out(acting: Acting, record: str) -> int:
    """Take a record out of its group, whoever put it there; the others stay together. Returns the rows appended."""
    acting.check("deduplicate")
    lock_chain(acting.review.key)
    decisions = decisions_of(acting.review)
    group = next((report for report in reports_of(decisions) if record in report), ())
    time, code = now(), acting.member.code
    rows: list[DuplicateDecision] = []
    persons = in_force(decisions)
    for other in group:
        standing = persons.get(pair_of(record, other))
        if standing is not None and standing.decision == DUPLICATE:
            rows.append(DuplicateDecision(standing.record_1, standing.record_2, UNDECIDED, UNDONE, code, time))
    together = {r for report in reports_of([*decisions, *rows]) if record in report for r in report}
    later = now()
    for other in group:
        if other != record and other in together:
            rows.append(DuplicateDecision(other, record, NOT_DUPLICATE, UNDONE, code, later))
    if rows:
        _append(acting, rows, [*decisions, *rows], group)
    return len(rows)


def last_answer(acting: Acting) -> DuplicateDecision | None:
    """The member's latest answer that still stands: what Z takes back."""
    mine = [d for d in in_force(decisions_of(acting.review)).values() if d.person == acting.member.code]
    answers = [d for d in mine if d.rule != UNDONE]
    return max(answers, key=lambda d: d.time or "", default=None)


def _report_of(review: Review, record: str, decisions: Sequence[DuplicateDecision]) -> tuple[str, ...]:
    """The records of the report that ``record`` stands in, the kept one first."""
    row = unique_records(review).filter(record=record).first()
    if row is not None:
        return tuple(row.ids)
    return next((report for report in reports_of(decisions) if record in report), (record,))


def _append(
    acting: Acting, rows: list[DuplicateDecision], after: Sequence[DuplicateDecision], touched: Iterable[str]
) -> None:
    append_rows(acting, DUPLICATES, map(_cells, rows), reason="; ".join({r.rule for r in rows if r.rule}))
    refresh_reports(acting.review, touched, after)


def _with_reports(records: Iterable[str], *kept: Mapping[str, str]) -> set[str]:
    """The records and every other of their reports, before and after."""
    out = set(records)
    for one in kept:
        homes = {one.get(record, record) for record in out}
        out |= {record for record, home in one.items() if home in homes}
    return out


def _places(review: Review, records: Iterable[str]) -> dict[str, int]:
    wanted = list(records)
    place = dict(
        Row.objects.filter(review=review, table=RECORDS, key__in=wanted).order_by().values_list("key", "position")
    )
    for record in wanted:
        if record not in place:
            raise InputError(f"there is no record {record!r} in this review")
    return place


def _cells(row: DuplicateDecision) -> dict[str, str]:
    names = ("record_1", "record_2", "decision", "rule", "person", "time")
    return {name: getattr(row, name) or "" for name in names}


def _ids(review: Review) -> list[str]:
    rows = Row.objects.filter(review=review, table=RECORDS).order_by("position")
    return list(rows.values_list("key", flat=True))
