"""How a result grew from version to version: one analysis with the studies that each version had."""

from __future__ import annotations

from dataclasses import dataclass, replace

from balm.review.living.changed import standing_of
from balm.review.living.history import as_of, timeline
from balm.review.living.standing import Standing
from balm.review.networks.analysed import analyse_network
from balm.review.package import AnalysisSpec, Package
from balm.review.synthesis import AnalysisResult, Synthesis, analyse
from balm.vocabulary.evidence import ReviewVersion
from balm.vocabulary.problems import unknown_option


@dataclass(frozen=True, slots=True)
class Grown:
    """An analysis at one version; ``new`` are the ids of its studies that the entry before it did not have."""

    at: ReviewVersion
    result: AnalysisResult
    new: tuple[str, ...]

    @property
    def standing(self) -> Standing:
        """Studies, participants and the estimate as shown."""
        return standing_of(self.result)


def grown(package: Package, analysis: str) -> tuple[Grown, ...]:
    """The analysis at every entry of ``versions.csv``, in the order of time, from the rows as they are today.

    Milestones hold the studies published by the year of their search: what this review's data would have shown then,
    and not what that publication pooled. Repeated looks are not corrected for.
    """
    spec = spec_called(package, analysis)
    found: list[Grown] = []
    before: set[str] = set()
    for at in timeline(package):
        result = analyse(as_of(package, at), alone(spec))
        here = [row.study for row in result.rows]
        found.append(Grown(at, result, tuple(s for s in here if s not in before)))
        before = set(here)
    return tuple(found)


def spec_called(package: Package, analysis: str) -> AnalysisSpec:
    """The planned analysis with this id."""
    for spec in package.meta.analyses:
        if spec.id == analysis:
            return spec
    raise unknown_option("the analysis", analysis, [s.id for s in package.meta.analyses])


def alone(spec: AnalysisSpec) -> AnalysisSpec:
    """The analysis without what is computed beside it: sensitivity analyses, subgroups, absolute effects."""
    return replace(spec, sensitivity=(), by=None, subgroups=(), absolute=False)


def analyses_alone(package: Package) -> Synthesis:
    """Every planned analysis and network of ``package``, without what is computed beside them."""
    networks = tuple(analyse_network(package, spec) for spec in package.meta.networks)
    analyses = tuple(analyse(package, alone(spec)) for spec in package.meta.analyses)
    return Synthesis(package, analyses, (), (), (), (), networks=networks)
