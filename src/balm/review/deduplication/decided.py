"""What persons decided about pairs: appended, never changed; the latest decision on a pair is the one in force."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from balm.vocabulary.evidence import DuplicateDecision
from balm.vocabulary.problems import InputError, check_option

DUPLICATE: Final = "duplicate"
NOT_DUPLICATE: Final = "not duplicate"
#: Withdraws what was decided before; the rules speak again.
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
