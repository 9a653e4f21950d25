"""All domains of one body of evidence proposed, and the certainty that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from balm.review.certainty.body import Body, Proposal
from balm.review.certainty.imprecision import TWICE, imprecision
from balm.review.certainty.inconsistency import inconsistency
from balm.review.certainty.indirectness import indirectness
from balm.review.certainty.publication_bias import publication_bias
from balm.review.certainty.raising import by_a_person, large_effect
from balm.review.certainty.risk_of_bias import risk_of_bias
from balm.review.certainty.target import Target, target_of
from balm.review.certainty.words import NOT_RATED, level_after, levels_of


@dataclass(frozen=True, slots=True)
class Proposed:
    """The target, where certainty starts and why, a proposal for each domain, and the level they lead to."""

    target: Target | None
    start: str
    start_why: str
    domains: tuple[Proposal, ...]
    certainty: str  # a level, or "not rated" where there are no data

    def domain(self, domain: str) -> Proposal | None:
        """The proposal for a domain, or ``None`` where nothing is rated."""
        return next((p for p in self.domains if p.domain == domain), None)

    def leads_to(self, ratings: Mapping[str, str]) -> str:
        """Where domains rated so lead; one that is left out moves nothing."""
        return level_after(self.start, sum(levels_of(rating) for rating in ratings.values()))


def start_of(body: Body) -> tuple[str, str]:
    """Where certainty starts.

    >>> start_of(Body("a", (), randomised=False, robins=True))
    ('high', 'non-randomised studies judged with ROBINS-I begin at high and are rated down for bias')
    """
    if not body.controlled:
        return "low", "single-arm studies begin at low: there is no comparison within the study"
    if body.randomised:
        return "high", "randomised studies begin at high"
    if body.robins:
        return "high", "non-randomised studies judged with ROBINS-I begin at high and are rated down for bias"
    return "low", "non-randomised studies begin at low"


def propose(body: Body, target: str | None = None) -> Proposed:
    """Propose every domain. ``target`` is what a person chose to rate; without it the estimate sets it.

    Without any usable study nothing is rated: no evidence is not very low certainty evidence.
    """
    start, why = start_of(body)
    aim = target_of(body, target)
    if aim is None or not body.studies:
        return Proposed(None, start, why, (), NOT_RATED)
    varied, wide = inconsistency(body, aim), imprecision(body, aim)
    if levels_of(varied.rating) < 0 and levels_of(wide.rating) < 0 and body.tau2 > 0:
        wide = replace(wide, ask=f"{wide.ask} {TWICE}".strip())
    down = (risk_of_bias(body, aim), varied, indirectness(body), wide, publication_bias(body))
    lowered = sum(levels_of(p.rating) for p in down)
    up = (large_effect(body, lowered), by_a_person("dose-response"), by_a_person("opposing confounding"))
    moves = lowered + sum(levels_of(p.rating) for p in up)
    return Proposed(aim, start, why, (*down, *up), level_after(start, moves))
