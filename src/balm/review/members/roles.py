"""What each role may do in a review: one table, read by the actions, the pages, the docs and the tests.

*Who* may act is asked here; *when* (the status of a record, a study, a result) and *what is visible* (blind until both
are in) are asked by the stage itself.
"""

from __future__ import annotations

LEAD, REVIEWER, ARBITER, STATISTICIAN, VIEWER = "lead", "reviewer", "arbiter", "statistician", "viewer"

#: Role -> what it is, as the pages say it.
ROLES = {
    LEAD: "sets the review up, invites people, and may screen, extract and assess like a reviewer",
    REVIEWER: "screens, extracts and assesses, blind to the other reviewer",
    ARBITER: "decides where two reviewers differ, once both have decided",
    STATISTICIAN: "plans and runs analyses; sees counts, not votes, before a stage is closed",
    VIEWER: "reads what is released to the team; changes nothing",
}

_ALL = frozenset(ROLES)

#: Act -> the roles that may do it. ``view`` is being let into the review at all.
MAY: dict[str, frozenset[str]] = {
    "view": _ALL,
    "set up": frozenset({LEAD}),
    "invite": frozenset({LEAD}),
    "change members": frozenset({LEAD}),
    "declare interests": _ALL,
    "import": frozenset({LEAD}),
    "deduplicate": frozenset({LEAD}),
    "screen": frozenset({LEAD, REVIEWER}),
    "adjudicate": frozenset({LEAD, ARBITER}),
    "discuss": frozenset({LEAD, REVIEWER, ARBITER}),
    "full texts": frozenset({LEAD, REVIEWER}),
    "extract": frozenset({LEAD, REVIEWER}),
    "agree": frozenset({LEAD, ARBITER}),
    "assess": frozenset({LEAD, REVIEWER}),
    "rate certainty": frozenset({LEAD, REVIEWER}),
    "analyse": frozenset({LEAD, STATISTICIAN}),
    "download": _ALL,
    "read audit trail": frozenset({LEAD}),
    "take home": frozenset({LEAD}),
    "publish": frozenset({LEAD}),
    "release": frozenset({LEAD}),
}


def may(role: str, act: str) -> bool:
    """Whether ``role`` may do ``act``; an act that is not in the table is an error, not a refusal.

    >>> may("viewer", "screen")
    False
    """
    return role in MAY[act]


def why_not(role: str, act: str) -> str:
    """The reason a role may not do an act, as a sentence; empty when it may.

    >>> why_not("viewer", "screen")
    'a viewer may not screen; a lead or reviewer may'
    """
    if may(role, act):
        return ""
    allowed = [r for r in ROLES if r in MAY[act]]
    return f"{_article(role)} {role} may not {act}; {_article(allowed[0])} {' or '.join(allowed)} may"


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"
