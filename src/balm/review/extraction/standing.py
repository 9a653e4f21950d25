"""Who may do what when: a study is taken by as many people as the plan says, who are blind until all have finished."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """How the extraction of a study stands: how many extract it, who does, and which of them have finished."""

    needed: int = 2
    extractors: tuple[str, ...] = ()
    finished: frozenset[str] = frozenset()

    @property
    def revealed(self) -> bool:
        """Whether everybody who was to extract it has finished: from then on the extractions may be compared."""
        return len(self.extractors) >= self.needed and set(self.extractors) <= self.finished


def may_see(reader: str, extractor: str, standing: Standing) -> bool:
    """Whether ``reader`` may see what ``extractor`` entered, or that they finished.

    >>> may_see("ana", "ben", Standing(2, ("ana", "ben"), frozenset({"ben"})))
    False
    """
    return reader == extractor or standing.revealed


def why_not_take(member: str, standing: Standing) -> str:
    """Why a member may not begin the study; empty when they may.

    >>> why_not_take("cem", Standing(2, ("ana", "ben")))
    'the study is extracted by ana and ben already; the plan asks for 2'
    """
    if member in standing.extractors or len(standing.extractors) < standing.needed:
        return ""
    return f"the study is extracted by {' and '.join(standing.extractors)} already; the plan asks for {standing.needed}"


def why_not_enter(member: str, standing: Standing) -> str:
    """Why a member may not enter or change a value; empty when they may."""
    if member not in standing.extractors:
        return f"{member} does not extract this study; take it first"
    if standing.revealed:
        return "the extractions have been compared; a value is changed by settling its cell, with a reason"
    if member in standing.finished:
        return "you have said that this study is finished; open it again to change something"
    return ""


def why_not_reopen(member: str, standing: Standing) -> str:
    """Why a member may not open their finished extraction again; empty when they may."""
    if member not in standing.finished:
        return "the study is not finished"
    if standing.revealed:
        return (
            "the extractions have been compared and stay as they were; settle the cells that are wrong, with a reason"
        )
    return ""


def why_not_settle(member: str, standing: Standing, *, arbiter: bool) -> str:
    """Why a member may not settle differences; empty when they may: an arbiter or lead who did not extract, or the two.

    ``arbiter``: whether the role lets them decide alone. One of the extractors proposes; the other's same proposal
    settles it.

    >>> why_not_settle("rita", Standing(1, ("ana",), frozenset({"ana"})), arbiter=False)
    'an arbiter, a lead, or the people who extracted the study settle its differences'
    """
    if not standing.revealed:
        return "the extractions are compared once everybody who extracts the study has finished"
    if arbiter or member in standing.extractors:
        return ""
    return "an arbiter, a lead, or the people who extracted the study settle its differences"


def why_not_take_home(member: str, standings: dict[str, Standing]) -> str:
    """Why a member may not take the whole review home: it holds what others entered into studies they still extract.

    >>> why_not_take_home("ana", {"s1": Standing(2, ("ana",))})
    'ana extracts s1, which is not compared yet: the archive holds entries that are hidden until both have finished'
    """
    for study, standing in standings.items():
        if member in standing.extractors and not standing.revealed:
            return (
                f"{member} extracts {study}, which is not compared yet: the archive holds entries that are hidden "
                "until both have finished"
            )
    return ""
