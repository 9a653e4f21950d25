"""What each role may do in a clinic: one table, read by the actions, the pages and the tests.

A clinic's acts begin with ``clinic``, so that no act of a review is ever mistaken for one of a clinic.
"""

from __future__ import annotations

LEAD, PHYSICIAN, NURSE, DATA_MANAGER, AUDITOR = "clinic lead", "physician", "nurse", "data manager", "auditor"

#: Role -> what it is, as the pages say it.
ROLES = {
    LEAD: "sets the clinic up, says who takes part, and may do what a physician may",
    PHYSICIAN: "treats: records, signs, and amends what was signed",
    NURSE: "records infusions and follow-up, and signs sessions",
    DATA_MANAGER: "imports, exports and completes data; sees no names",
    AUDITOR: "reads reports and the audit trail; changes nothing and sees no names",
}

_ALL = frozenset(ROLES)
_TREATING = frozenset({LEAD, PHYSICIAN, NURSE})

#: Act -> the roles that may do it. ``clinic view`` is being let into the clinic at all.
MAY: dict[str, frozenset[str]] = {
    "clinic view": _ALL,
    "clinic set up": frozenset({LEAD}),
    "clinic members": frozenset({LEAD}),
    "clinic enrol": _TREATING,
    "clinic identity": _TREATING,
    "clinic erase": frozenset({LEAD}),
    "clinic record": _TREATING,
    "clinic follow up": _TREATING | {DATA_MANAGER},
    "clinic sign": _TREATING,
    "clinic amend": frozenset({LEAD, PHYSICIAN}),
    "clinic import": frozenset({LEAD, DATA_MANAGER}),
    "clinic export": frozenset({LEAD, DATA_MANAGER}),
    "clinic take home": frozenset({LEAD}),
    "clinic report": _ALL,
    "clinic trail": frozenset({LEAD, AUDITOR}),
}


def may(role: str, act: str) -> bool:
    """Whether ``role`` may do ``act``; an act that is not in the table is an error, not a refusal.

    >>> may("auditor", "clinic record")
    False
    """
    return role in MAY[act]


def why_not(role: str, act: str) -> str:
    """The reason a role may not do an act, as a sentence; empty when it may.

    >>> why_not("nurse", "clinic amend")
    'the role nurse does not allow it (amend); clinic lead, physician may'
    """
    if may(role, act):
        return ""
    allowed = ", ".join(r for r in ROLES if r in MAY[act])
    return f"the role {role} does not allow it ({act.removeprefix('clinic ')}); {allowed} may"
