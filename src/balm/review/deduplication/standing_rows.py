"""What was found, as rows to append to ``duplicates.csv``; and from its rows, the reports and the open questions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from balm.review.deduplication.decided import (
    DUPLICATE,
    NOT_DUPLICATE,
    UNDECIDED,
    in_force,
    pair_of,
    reports_of,
    standing,
)
from balm.vocabulary.evidence import DuplicateDecision

if TYPE_CHECKING:
    from balm.review.deduplication.duplicates import Duplicates

#: The rule of a row that takes back a merge by rule which no longer holds.
NO_LONGER: Final = "no longer one report"


@dataclass(frozen=True, slots=True)
class Question:
    """Two reports that may be one, each named by the record kept, and what a rule has to say about them."""

    record_1: str
    record_2: str
    why: str


def rows_in_place(
    found: Duplicates, decisions: Sequence[DuplicateDecision], place: Mapping[str, int], *, time: str
) -> list[DuplicateDecision]:
    """The rows that make what stands say what was found; the record kept stays the one it was.

    ``place`` orders the records as they came. Where records of several reports, or new ones, turn out to be one report,
    the earliest of those kept before is kept: what was decided about it stays in place, however complete a later record
    is. Doing it again adds nothing.
    """
    home = {record: g.kept for g in found.groups for record in g.ids}
    stands, persons = standing(decisions), in_force(decisions)
    rows = [
        DuplicateDecision(d.record_1, d.record_2, UNDECIDED, NO_LONGER, None, time)
        for (one, two), d in stands.items()
        if d.person is None and d.decision == DUPLICATE and (one not in home or home[one] != home.get(two))
    ]
    kept = kept_by([*decisions, *rows])
    why: dict[str, str] = {}
    for pair in found.pairs:
        if pair.decision == "merge":
            why.setdefault(pair.record_1, pair.rule)
            why.setdefault(pair.record_2, pair.rule)
    for group in found.groups:
        first, *others = sorted({kept.get(r, r) for r in group.ids}, key=lambda r: place.get(r, len(place)))
        for other in others:
            told = stands.get(pair_of(first, other))
            if told is None or told.person is None:
                rows.append(DuplicateDecision(first, other, DUPLICATE, why.get(other), None, time))
    written = {pair_of(r.record_1, r.record_2) for r in rows}
    for question in found.review:
        pair_ids = pair_of(question.record_1, question.record_2)
        asked = stands.get(pair_ids)
        if pair_ids in persons or pair_ids in written or (asked is not None and asked.decision == UNDECIDED):
            continue
        rows.append(DuplicateDecision(question.record_1, question.record_2, UNDECIDED, question.rule, None, time))
    return rows


def kept_by(decisions: Iterable[DuplicateDecision]) -> dict[str, str]:
    """The record kept, for every record that stands in a report with others."""
    return {record: report[0] for report in reports_of(decisions) for record in report}


def open_questions(decisions: Sequence[DuplicateDecision]) -> list[Question]:
    """The questions nobody has answered yet, the likeliest of each search first; each once for two reports.

    >>> asked = [DuplicateDecision("a", "b", "undecided", "same title", None, "1")]
    >>> open_questions(asked)
    [Question(record_1='a', record_2='b', why='same title')]
    >>> open_questions([*asked, DuplicateDecision("b", "a", "not duplicate", None, "Ada", "2")])
    []
    """
    kept = kept_by(decisions)
    stands = standing(decisions)
    apart = {
        pair_of(kept.get(one, one), kept.get(two, two))
        for (one, two), d in stands.items()
        if d.decision == NOT_DUPLICATE
    }
    out: dict[tuple[str, str], Question] = {}
    for (one, two), d in stands.items():
        if d.decision != UNDECIDED or d.rule == NO_LONGER:
            continue
        pair = pair_of(kept.get(one, one), kept.get(two, two))
        if pair[0] != pair[1] and pair not in apart:
            out.setdefault(pair, Question(*pair, d.rule or ""))
    return list(out.values())
