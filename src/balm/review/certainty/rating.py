"""The certainty of each analysis: what the rules propose, what people decided, and whether that is still fresh."""

from __future__ import annotations

from dataclasses import dataclass, replace

from balm.review.certainty.body import Body, Proposal
from balm.review.certainty.decided import Decided
from balm.review.certainty.of_analysis import bases_of, body_of
from balm.review.certainty.on_record import standing
from balm.review.certainty.proposing import Proposed, propose
from balm.review.certainty.words import DOMAINS, NOT_RATED, OVERALL, level_after, levels_of
from balm.review.package import Package
from balm.review.synthesis import AnalysisResult, Synthesis
from balm.vocabulary.evidence import CertaintyJudgement


@dataclass(frozen=True, slots=True)
class DomainRating:
    """One domain: the proposal, and the decision where a person made one."""

    domain: str
    proposal: Proposal | None
    decision: CertaintyJudgement | None

    @property
    def rating(self) -> str:
        """The decision, or ``not rated``: a proposal alone is no rating."""
        return self.decision.rating if self.decision else NOT_RATED

    @property
    def levels(self) -> int:
        """Levels that the decision moves certainty."""
        return levels_of(self.rating)


@dataclass(frozen=True, slots=True)
class Certainty(Decided):
    """The certainty of one analysis. ``certainty`` is decided by a person; ``proposed.certainty`` follows the rules."""

    analysis: str
    body: Body
    proposed: Proposed
    domains: tuple[DomainRating, ...]
    overall: CertaintyJudgement | None
    basis: str
    notes: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()


def certainty_of(package: Package, result: AnalysisResult) -> Certainty:
    """Proposal and decision of one analysis."""
    decided = standing(package.certainty, result.id)
    overall = decided.get(OVERALL)
    body = body_of(package, result, overall.baseline_risk if overall else None)
    proposed = propose(body, overall.target if overall else None)
    domains = tuple(DomainRating(d, proposed.domain(d), decided.get(d)) for d in DOMAINS if d != OVERALL)
    basis, *earlier = bases_of(package, result)
    found = Certainty(result.id, body, proposed, domains, overall, basis, earlier=tuple(earlier))
    return replace(found, notes=tuple(_notes(found)))


def certainties(synthesis: Synthesis) -> dict[str, Certainty]:
    """Analysis id -> its certainty, for every analysis of a review."""
    return {a.id: certainty_of(synthesis.package, a) for a in synthesis.analyses}


def _notes(c: Certainty) -> list[str]:
    notes = []
    if c.stale:
        notes.append("stale: the data or the judgements have changed since this was decided; decide again")
    if c.overall is not None and c.overall.rating != NOT_RATED:
        follows = level_after(c.proposed.start, sum(d.levels for d in c.domains))
        if follows != c.overall.rating:
            notes.append(f"the domains as decided lead from {c.proposed.start} to {follows}, not to {c.overall.rating}")
        if not c.body.studies:
            notes.append(f"rated although {c.body.nothing}")
    return notes
