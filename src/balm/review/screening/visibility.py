"""Whose vote may be seen by whom: one's own always, another's after the reveal of that record.

A record is revealed at a stage when everybody who was to vote on it has voted. Until then nothing that a person is
shown may depend on another's vote: no count, no order, no note, no list, no export.
"""

from __future__ import annotations

from collections.abc import Iterable


def may_see_vote(reader: str, voter: str, *, revealed: bool) -> bool:
    """Whether ``reader`` may see how, or whether, ``voter`` voted on a record.

    >>> may_see_vote("ana", "ana", revealed=False), may_see_vote("ana", "ben", revealed=False)
    (True, False)
    """
    return revealed or reader == voter


def may_settle(member: str, voters: Iterable[str]) -> str:
    """Why a member may not settle a conflict as arbiter; empty when they may: an arbiter did not vote on it.

    >>> may_settle("ana", ["ana", "ben"])
    'ana voted on this record; somebody who did not vote settles it, or both agree in discussion'
    >>> may_settle("cem", ["ana", "ben"])
    ''
    """
    if member in voters:
        return f"{member} voted on this record; somebody who did not vote settles it, or both agree in discussion"
    return ""


def may_take_home(member: str, open_stages: Iterable[tuple[str, Iterable[str]]]) -> str:
    """Why a member may not take the whole review home; empty when they may.

    The archive holds every vote, the hidden ones too. Whoever screens in a stage that is open does not get it, whether
    or not there is a hidden vote in it just then: the refusal itself must not tell.

    >>> may_take_home("ana", [("title-abstract", ["ana", "ben"])])
    'ana screens at title-abstract, which is open: the archive holds votes that are hidden until both are cast'
    """
    for stage, screeners in open_stages:
        if member in screeners:
            return (
                f"{member} screens at {stage}, which is open: the archive holds votes that are hidden until both are "
                "cast"
            )
    return ""
