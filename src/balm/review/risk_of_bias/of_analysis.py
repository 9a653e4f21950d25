"""Which judgements belong to an analysis: those of its results, and those of its studies as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from balm.review.package import AnalysisSpec, Package
from balm.review.risk_of_bias.on_record import BiasGroup, by_study, domain_order, groups
from balm.review.risk_of_bias.words import OVERALL


def belongs(group: BiasGroup, spec: AnalysisSpec) -> bool:
    """Whether judgements are about the results that an analysis pools; judgements of whole studies always are."""
    return (
        group.outcome in (None, spec.outcome)
        and group.comparison in (None, spec.comparison)
        and (group.window is None or not spec.windows or group.window in spec.windows)
    )


def analyses_of(package: Package, group: BiasGroup) -> tuple[AnalysisSpec, ...]:
    """The planned analyses that pool the results a group of judgements is about, its own outcome's first."""
    found = [spec for spec in package.meta.analyses if belongs(group, spec)]
    return tuple(sorted(found, key=lambda spec: spec.outcome != group.outcome))


def judgements_of(package: Package, spec: AnalysisSpec) -> tuple[tuple[str, ...], Mapping[str, Mapping[str, str]]]:
    """The domains, and study -> domain -> judgement, for a column of lights beside the analysis' forest plot.

    One instrument has one set of domains: of several, the one that judges the results themselves comes before one that
    judges whole studies, and then the one with most studies.
    """
    ranked = sorted(_of(package, spec), key=lambda g: (g.outcome is None, -len(by_study(g))))
    if not ranked:
        return (), {}
    tool = ranked[0].tool
    own = [group for group in ranked if group.tool == tool]
    found: dict[str, dict[str, str]] = {}
    for group in own:
        for study, judged in by_study(group).items():
            found.setdefault(study, dict(judged))
    return tuple(domain_order(j for group in own for j in group.judgements)), found


def overall_of(package: Package, spec: AnalysisSpec) -> dict[str, str]:
    """Study -> overall judgement for this analysis, where there is one: of the result first, else of the study."""
    found: dict[str, str] = {}
    for group in sorted(_of(package, spec), key=lambda g: g.outcome is None):
        for study, judged in by_study(group).items():
            if OVERALL in judged:
                found.setdefault(study, judged[OVERALL])
    return found


def at_risk(package: Package, spec: AnalysisSpec, judgements: Sequence[str]) -> tuple[str, ...]:
    """The studies whose overall judgement for this analysis is one of ``judgements``."""
    return tuple(study for study, judgement in overall_of(package, spec).items() if judgement in judgements)


def _of(package: Package, spec: AnalysisSpec) -> list[BiasGroup]:
    return [group for group in groups(package.risk_of_bias) if belongs(group, spec)]
