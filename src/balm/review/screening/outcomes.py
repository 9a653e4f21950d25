"""What independent votes add up to: waiting, include, exclude or conflict, and the moves from one to the next.

Cochrane Handbook, section 4.6.4: at least two people decide independently on every record, and disagreements are
resolved by discussion or by a third person. A vote is *include*, *exclude* or *maybe*; *maybe* goes forward, as what is
unsure at one stage is read in full at the next. PRISMA 2020, item 16b: each report excluded at full text has a reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from balm.vocabulary.problems import InputError, Problem, check_option

STAGES: Final = ("title-abstract", "full-text")
DECISIONS: Final = ("include", "exclude", "maybe")
#: Takes a vote back; the record stands in its reviewer's queue again.
WITHDRAWN: Final = "withdrawn"

WAITING, INCLUDE, EXCLUDE, CONFLICT = "waiting", "include", "exclude", "conflict"
SETTLED_IN, SETTLED_OUT = "settled in", "settled out"

#: Outcome of a record at a stage -> what it may become. Agreed and settled records move no further at this stage,
#: except that whoever settled a conflict may settle it anew, with a reason.
MOVES: Final[Mapping[str, frozenset[str]]] = {
    WAITING: frozenset({WAITING, INCLUDE, EXCLUDE, CONFLICT}),
    CONFLICT: frozenset({SETTLED_IN, SETTLED_OUT}),
    INCLUDE: frozenset(),
    EXCLUDE: frozenset(),
    SETTLED_IN: frozenset({SETTLED_OUT, SETTLED_IN}),
    SETTLED_OUT: frozenset({SETTLED_IN, SETTLED_OUT}),
}

#: Reasons at full text where ``review.toml`` lists none, in the order in which they are asked.
USUAL_REASONS: Final = (
    "wrong population",
    "wrong intervention",
    "wrong comparator",
    "wrong outcomes",
    "wrong study design",
    "wrong publication type",
    "no full text",
)


@dataclass(frozen=True, slots=True)
class Ballot:
    """One person's vote in force: the decision, and the reason where it is an exclusion at full text."""

    decision: str
    reason: str = ""


def outcome(votes: Sequence[Ballot], *, reviewers: int = 2) -> str:
    """The outcome of the votes in force of different people.

    >>> outcome([Ballot("include"), Ballot("maybe")]), outcome([Ballot("include"), Ballot("exclude")])
    ('include', 'conflict')
    >>> outcome([Ballot("include")])
    'waiting'
    """
    if len(votes) < reviewers:
        return WAITING
    out = [vote.decision == "exclude" for vote in votes]
    return EXCLUDE if all(out) else CONFLICT if any(out) else INCLUDE


def agreed_reason(votes: Sequence[Ballot], reasons: Sequence[str]) -> str:
    """The reason of an agreed exclusion: of those given, the one that stands first in the ordered list.

    Two exclusions with different reasons are no disagreement about the record; both reasons are kept in their votes.

    >>> given = [Ballot("exclude", "wrong outcomes"), Ballot("exclude", "wrong population")]
    >>> agreed_reason(given, ["wrong population", "wrong outcomes"])
    'wrong population'
    """
    given = [vote.reason for vote in votes if vote.decision == "exclude" and vote.reason]
    rank = {reason: at for at, reason in enumerate(reasons)}
    return min(given, key=lambda reason: rank.get(reason, len(rank)), default="")


def check_vote(stage: str, decision: str, reason: str, reasons: Sequence[str]) -> None:
    """What a vote must hold: exactly one reason of the list for an exclusion at full text, none anywhere else.

    >>> check_vote("full-text", "exclude", "", ["wrong population"])
    Traceback (most recent call last):
        ...
    balm.vocabulary.problems.InputError: column reason: an exclusion at full text needs one reason of the list
    """
    check_option("stage", stage, STAGES)
    check_option("decision", decision, (*DECISIONS, WITHDRAWN))
    if stage == "full-text" and decision == "exclude":
        if not reason:
            raise InputError(Problem("an exclusion at full text needs one reason of the list", column="reason"))
        check_option("reason", reason, tuple(reasons))
    elif reason:
        raise InputError(
            Problem("a reason belongs to an exclusion at full text; a note holds anything else", column="reason")
        )


def settled(decision: str) -> str:
    """The outcome that an adjudication gives.

    >>> settled("maybe")
    'settled in'
    """
    return SETTLED_OUT if decision == "exclude" else SETTLED_IN


def check_move(now: str, then: str) -> None:
    """Refuse a move that the table :data:`MOVES` does not have."""
    if then not in MOVES[now]:
        ways = sorted(MOVES[now])
        reason = f"a record that is {now!r} cannot become {then!r}"
        raise InputError(Problem(f"{reason}; it can become {ways}" if ways else f"{reason}: it is decided"))


def goes_forward(now: str) -> bool:
    """Whether a record with this outcome is read at the next stage.

    >>> [o for o in MOVES if goes_forward(o)]
    ['include', 'settled in']
    """
    return now in (INCLUDE, SETTLED_IN)
