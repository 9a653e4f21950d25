"""What people rate the certainty of: a planned analysis, or one comparison of a network, asked in the same way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from balm.review.certainty.body import Proposal
from balm.review.certainty.deciding import (
    Decision,
    decide,
    in_summary,
    proposed_for,
    rows_of,
)
from balm.review.certainty.deciding_network import decide_comparison
from balm.review.certainty.network_on_record import FILE as NETWORK_FILE
from balm.review.certainty.of_analysis import WITH_BASELINE
from balm.review.certainty.on_record import FILE
from balm.review.certainty.planned_network import NetworkCertainty, key_of, network_certainties
from balm.review.certainty.rating import Certainty, certainty_of
from balm.review.certainty.target import Target
from balm.review.networks.analysed import NetworkPart, NetworkResult
from balm.review.package import Package
from balm.review.synthesis import AnalysisResult
from balm.vocabulary.evidence import CertaintyJudgement


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form asks: a proposal for each domain, and where ratings of them lead.

    start         : where certainty begins; empty where that depends on the parts of a network.
    target        : what the rating is about; ``None`` for a comparison, and where nothing is rated.
    with_baseline : whether there is a risk without the intervention.
    in_summary    : whether it takes one of the rows of the summary of findings.
    """

    domains: tuple[Proposal, ...]
    leads_to: Callable[[Mapping[str, str]], str]
    start: str = ""
    target: Target | None = None
    with_baseline: bool = False
    in_summary: bool = False


class ToRate(Protocol):
    """One thing to rate. ``key`` names it in addresses and in the tables of ratings; ``file`` keeps what is agreed."""

    @property
    def key(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def file(self) -> str: ...

    @property
    def proposed(self) -> str: ...

    @property
    def certainty(self) -> Certainty | NetworkCertainty: ...

    @property
    def rows_on_record(self) -> int: ...

    @property
    def on_record(self) -> CertaintyJudgement | None: ...

    def asked(self, target: str = "", baseline: str = "") -> Asked: ...

    def decide(self, *, ratings: Mapping[str, str], reasons: Mapping[str, str], **fields: str) -> Decision: ...

    def rows(self, decision: Decision, *, assessor: str, time: str) -> list[dict[str, str]]: ...


@dataclass(frozen=True, slots=True)
class AnalysisToRate:
    """A planned analysis. ``on_record`` is the decision whose place and baseline risk a new one begins with."""

    package: Package
    result: AnalysisResult
    certainty: Certainty
    key: str
    title: str
    proposed: str
    rows_on_record: int
    on_record: CertaintyJudgement | None
    file: str = FILE

    def asked(self, target: str = "", baseline: str = "") -> Asked:
        """What the rules propose at a target and a baseline risk per 1000, as far as these are usable."""
        p = proposed_for(self.package, self.result, target, baseline)
        return Asked(p.domains, p.leads_to, p.start, p.target, self.result.measure in WITH_BASELINE, in_summary=True)

    def decide(self, *, ratings: Mapping[str, str], reasons: Mapping[str, str], **fields: str) -> Decision:
        """The decision that a form holds."""
        return decide(self.package, self.result, ratings=ratings, reasons=reasons, **fields)

    def rows(self, decision: Decision, *, assessor: str, time: str) -> list[dict[str, str]]:
        """The decision as rows of its file."""
        about = {"analysis": self.key}
        made = rows_of(decision, about, assessor=assessor, basis=self.certainty.basis, time=time)
        made[-1] |= in_summary(decision)
        return made


@dataclass(frozen=True, slots=True)
class ComparisonToRate:
    """One comparison of a network, in the part of it that has the two treatments."""

    result: NetworkResult
    part: NetworkPart
    certainty: NetworkCertainty
    key: str
    title: str
    proposed: str
    rows_on_record: int
    on_record: None = None
    file: str = NETWORK_FILE

    def asked(self, target: str = "", baseline: str = "") -> Asked:
        """What the rules propose; a comparison has neither a target nor a baseline risk of its own."""
        return Asked(tuple(d.proposal for d in self.certainty.domains), self.certainty.leads_to)

    def decide(self, *, ratings: Mapping[str, str], reasons: Mapping[str, str], **fields: str) -> Decision:
        """The decision that a form holds."""
        return decide_comparison(self.certainty, ratings=ratings, reasons=reasons, **fields)

    def rows(self, decision: Decision, *, assessor: str, time: str) -> list[dict[str, str]]:
        """The decision as rows of its file."""
        c = self.certainty.comparison
        about = {"network": self.result.id, "treatment": c.treatment, "against": c.against}
        return rows_of(decision, about, assessor=assessor, basis=self.certainty.basis, time=time)


def analysis_to_rate(package: Package, result: AnalysisResult) -> AnalysisToRate:
    """A planned analysis with its certainty as it stands."""
    c = certainty_of(package, result)
    rows = sum(row.analysis == result.id for row in package.certainty)
    return AnalysisToRate(package, result, c, result.id, result.title, c.proposed.certainty, rows, c.overall)


def comparisons_to_rate(package: Package, result: NetworkResult) -> dict[str, ComparisonToRate]:
    """Every comparison of a network that has an estimate, by its key; those with the reference first."""
    rows = Counter(key_of(r.network, r.treatment, r.against) for r in package.network_certainty)
    found = {}
    for c in network_certainties(package, result):
        part = result.part_of(c.comparison.treatment)
        assert part is not None
        title = f"{result.title}: {c.name}"
        found[c.key] = ComparisonToRate(result, part, c, c.key, title, c.proposed, rows[c.key])
    return found
