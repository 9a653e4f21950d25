"""Who may rate certainty, see and settle it when: one person, or two who are blind to each other, as the plan asks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Raters:
    """Who has rated an analysis on the data as they stand, in that order, and how many the plan asks for."""

    asked: int
    rated: tuple[str, ...] = ()

    @property
    def revealed(self) -> bool:
        """Whether as many have rated as the plan asks for: from then on their ratings may be compared."""
        return len(self.rated) >= self.asked


def may_see(reader: str, rater: str, standing: Raters) -> bool:
    """Whether ``reader`` may see what ``rater`` said, or that they said anything.

    >>> may_see("ana", "ben", Raters(2, ("ben",)))
    False
    """
    return reader == rater or standing.revealed


def why_not_rate(standing: Raters) -> str:
    """Why nobody may rate on their own now; empty when they may. Where one person rates, a later rating stands.

    >>> why_not_rate(Raters(2, ("ana", "ben")))
    'both have rated and are compared: what is wrong is settled in the consensus'
    """
    if standing.asked > 1 and standing.revealed:
        return "both have rated and are compared: what is wrong is settled in the consensus"
    return ""


def why_not_agree(standing: Raters) -> str:
    """Why there is no consensus to reach now; empty when there is."""
    if standing.asked == 1:
        return "one person rates certainty in this review: there is nothing to agree on"
    return "" if standing.revealed else "the consensus begins when two people have rated on the data as they stand"


def why_not_settle(member: str, standing: Raters) -> str:
    """Why a member may not settle it as a third person; empty when they may."""
    if refused := why_not_agree(standing):
        return refused
    if member in standing.rated:
        return "you rated this: what you say is a proposal, and is agreed when the other rater says the same"
    return ""


def why_not_propose(member: str, standing: Raters) -> str:
    """Why a member may not propose a consensus in discussion; empty when they may."""
    if refused := why_not_agree(standing):
        return refused
    if member not in standing.rated:
        return f"only those who rated it agree in discussion: {' and '.join(standing.rated)}"
    return ""
