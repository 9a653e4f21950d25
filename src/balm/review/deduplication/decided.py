"""What persons decided about pairs: appended, never changed; the latest decision on a pair is the one in force."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from balm.review.deduplication.clusters import clusters_of
from balm.vocabulary.evidence import DuplicateDecision
from balm.vocabulary.problems import InputError, check_option

DUPLICATE: Final = "duplicate"
NOT_DUPLICATE: Final = "not duplicate"
#: Of a person: withdraws what was decided before; the rules speak again. Of a rule: asked, and not answered yet.
UNDECIDED: Final = "undecided"
DECISIONS: Final = (DUPLICATE, NOT_DUPLICATE, UNDECIDED)
#: The reason of a "not duplicate" that links two reports of one study.
SAME_STUDY: Final = "same study, different report"


def in_force(decisions: Iterable[DuplicateDecision]) -> dict[tuple[str, str], DuplicateDecision]:
    """The decision in force on each pair of ids (in alphabetical order); withdrawn ones are left out.

    Rows without a person were written by a rule and bind nobody: the rules are asked again.
    """
    latest: dict[tuple[str, str], DuplicateDecision] = {}
    for d in decisions:
        if d.person is not None:
            latest[pair_of(d.record_1, d.record_2)] = d
    return {pair: d for pair, d in latest.items() if d.decision != UNDECIDED}


def standing(decisions: Iterable[DuplicateDecision]) -> dict[tuple[str, str], DuplicateDecision]:
    """What stands on each pair of ids (in alphabetical order) in ``duplicates.csv``, whichever way round it is written.

    A person's decision stands above every rule, before or after it; of rules, the latest row.
    """
    rows = list(decisions)
    by_rule = {pair_of(d.record_1, d.record_2): d for d in rows if d.person is None}
    return by_rule | in_force(rows)


def reports_of(decisions: Iterable[DuplicateDecision]) -> list[tuple[str, ...]]:
    """The ids of each report with several records, the kept one first.

    Persons' decisions join first; no chain joins two that are decided to be no duplicates.

    >>> row = lambda a, b, person=None, what=DUPLICATE: DuplicateDecision(a, b, what, None, person, None)
    >>> reports_of([row("a", "b"), row("c", "a")])
    [('c', 'a', 'b')]
    >>> reports_of([row("a", "b"), row("a", "c"), row("c", "b", "Ada", NOT_DUPLICATE)])
    [('a', 'b')]
    """
    stands = standing(decisions)
    joining = sorted((d for d in stands.values() if d.decision == DUPLICATE), key=lambda d: d.person is None)
    number: dict[str, int] = {}
    for d in joining:
        for record in (d.record_1, d.record_2):
            number.setdefault(record, len(number))
    name = list(number)

    def apart(a: int, b: int) -> bool:
        row = stands.get(pair_of(name[a], name[b]))
        return row is not None and row.decision == NOT_DUPLICATE

    clusters, _ = clusters_of([(number[d.record_1], number[d.record_2]) for d in joining], apart)
    removed = {d.record_2 for d in joining}
    return [tuple(sorted((name[k] for k in c), key=lambda r: (r in removed, number[r]))) for c in clusters]


def set_aside(decisions: Iterable[DuplicateDecision]) -> set[str]:
    """Ids of the records that are not screened, as another one of the same report is."""
    return {record for report in reports_of(decisions) for record in report[1:]}


def pair_of(record_1: str, record_2: str) -> tuple[str, str]:
    """Two ids in alphabetical order."""
    return (record_1, record_2) if record_1 <= record_2 else (record_2, record_1)


def decision_on(
    record_1: str, record_2: str, decision: str, *, person: str, reason: str | None, time: str | None
) -> DuplicateDecision:
    """A decision, checked.

    >>> decision_on("a", "b", "not duplicate", person="Ada", reason=SAME_STUDY, time=None).rule
    'same study, different report'
    """
    check_option("decision", decision, DECISIONS)
    if not person.strip():
        raise InputError("person must name who decides; got an empty name")
    if record_1 == record_2:
        raise InputError(f"a decision needs two records; got {record_1!r} twice")
    return DuplicateDecision(record_1, record_2, decision, reason, person, time)


def kept_records(records: Iterable[str], decisions: Iterable[DuplicateDecision]) -> dict[str, str]:
    """Each record with the one of ``records`` that stands for its report: itself, where it has no copy.

    >>> kept_records("abc", [DuplicateDecision("a", "c", DUPLICATE, None, None, None)])
    {'a': 'a', 'b': 'b', 'c': 'a'}
    """
    kept = {record: record for record in records}
    for copies in reports_of(decisions):
        here = [record for record in copies if record in kept]
        kept |= dict.fromkeys(here, here[0] if here else "")
    return kept
