"""Who may assess, see and decide when: two people, each blind to the other until both have finished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from balm.review.risk_of_bias.instrument import Instrument
from balm.review.risk_of_bias.settled import bias_domains, steps
from balm.review.risk_of_bias.words import OVERALL

#: People who assess each result on their own.
ASSESSORS = 2


@dataclass(frozen=True, slots=True)
class Standing:
    """How an assessment stands: who has begun it, in that order, and which of them have finished."""

    assessors: tuple[str, ...] = ()
    finished: frozenset[str] = frozenset()

    @property
    def revealed(self) -> bool:
        """Whether both have finished: from then on their judgements may be compared."""
        return len(self.assessors) >= ASSESSORS and set(self.assessors) <= self.finished


def may_see(reader: str, assessor: str, standing: Standing) -> bool:
    """Whether ``reader`` may see what ``assessor`` judged, or that they have begun or finished.

    >>> may_see("ana", "ben", Standing(("ana", "ben"), frozenset({"ben"})))
    False
    """
    return reader == assessor or standing.revealed


def why_not_assess(member: str, standing: Standing) -> str:
    """Why a member may not judge a domain now; empty when they may.

    >>> why_not_assess("cem", Standing(("ana", "ben")))
    'two people assess this already; it is revealed when both have finished'
    """
    if standing.revealed:
        return "both assessments are finished and have been compared; what is wrong is settled in the consensus"
    if member in standing.finished:
        return "you have finished this assessment; it is compared when the second assessor has finished"
    if member not in standing.assessors and len(standing.assessors) >= ASSESSORS:
        return "two people assess this already; it is revealed when both have finished"
    return ""


def why_not_finish(member: str, standing: Standing, instrument: Instrument, own: Mapping[str, Judged]) -> str:
    """Why a member may not finish; empty when every domain is judged and the overall judgement rests on them."""
    if refused := why_not_assess(member, standing):
        return refused
    missing = [step for step in steps(instrument) if step not in own]
    if missing:
        return f"not judged yet: {', '.join(missing)}"
    if is_stale(instrument, own):
        return "a domain was changed after the overall judgement; look at the overall judgement again"
    return ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What stands for one domain: the answers and the judgement (of one person, or agreed)."""

    judgement: str
    answers: Mapping[str, str]
    direction: str = ""


def is_stale(instrument: Instrument, judged: Mapping[str, Judged]) -> bool:
    """Whether the overall judgement rests on other judgements of the domains than those that stand now."""
    if OVERALL not in judged:
        return False
    now = {d.id: judged[d.id].judgement for d in bias_domains(instrument) if d.id in judged}
    return dict(judged[OVERALL].answers) != now


def same(one: Judged, other: Judged) -> bool:
    """Whether two assessors say the same: judgement, answers and direction. How they word it is their own."""
    return one == other


def why_not_decide(standing: Standing) -> str:
    """Why the consensus cannot be reached now; empty when it can."""
    return "" if standing.revealed else "the consensus begins when two people have finished their assessments"


def why_not_settle(member: str, standing: Standing) -> str:
    """Why a member may not settle a domain as a third person; empty when they may.

    >>> why_not_settle("cem", Standing(("ana", "ben"), frozenset({"ana", "ben"})))
    ''
    """
    if refused := why_not_decide(standing):
        return refused
    if member in standing.assessors:
        return "you assessed this: what you say is a proposal, and is agreed when the other assessor says the same"
    return ""


def why_not_propose(member: str, standing: Standing) -> str:
    """Why a member may not propose a consensus in discussion; empty when they may.

    >>> why_not_propose("cem", Standing(("ana", "ben"), frozenset({"ana", "ben"})))
    'only those who assessed it agree in discussion: ana and ben'
    """
    if refused := why_not_decide(standing):
        return refused
    if member not in standing.assessors:
        return f"only those who assessed it agree in discussion: {' and '.join(standing.assessors)}"
    return ""
