"""Which judgements belong to an analysis: those of its results, and those of its studies as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from balm.review.package import AnalysisSpec, NetworkSpec, Package
from balm.review.risk_of_bias.on_record import BiasGroup, by_study, domain_order, groups
from balm.review.risk_of_bias.words import AT_HIGH_RISK, OVERALL
from balm.vocabulary.evidence import BiasJudgement


def belongs(judged: BiasGroup | BiasJudgement, spec: AnalysisSpec | NetworkSpec) -> bool:
    """Whether a judgement is about the results that an analysis pools; one of a whole study always is.

    A network compares whatever its studies compare, so a judgement about one comparison belongs to it.
    """
    return (
        judged.outcome in (None, spec.outcome)
        and (isinstance(spec, NetworkSpec) or judged.comparison in (None, spec.comparison))
        and (judged.window is None or not spec.windows or judged.window in spec.windows)
    )


def analyses_of(package: Package, group: BiasGroup) -> tuple[AnalysisSpec, ...]:
    """The planned analyses that pool the results a group of judgements is about."""
    return tuple(spec for spec in package.meta.analyses if group.outcome is not None and belongs(group, spec))


def judgements_for(package: Package, spec: AnalysisSpec | NetworkSpec) -> dict[str, list[BiasJudgement]]:
    """Study -> its judgements for this analysis: those of its results where there are any, else those of the study."""
    if not package.risk_of_bias:
        return {}
    own = {r.result for r in package.results if r.outcome == spec.outcome}
    of_results: dict[str, list[BiasJudgement]] = {}
    of_studies: dict[str, list[BiasJudgement]] = {}
    for j in package.risk_of_bias:
        if belongs(j, spec) and (j.result is None or j.result in own):
            about = of_studies if j.outcome is None and j.result is None else of_results
            about.setdefault(j.study, []).append(j)
    found = of_studies | of_results
    return {study.study: found[study.study] for study in package.studies if study.study in found}


def at_risk(package: Package, spec: AnalysisSpec, judgements: Sequence[str] = AT_HIGH_RISK) -> tuple[str, ...]:
    """The studies judged so for this analysis, in the order of ``studies.csv``; a study without a judgement is not one.

    The overall judgement decides where there is one; without one, any domain does, as in the overall rule of RoB 2.
    Ratings of applicability say nothing about bias.
    """
    found = []
    for study, rows in judgements_for(package, spec).items():
        bias = [j for j in rows if not j.domain.endswith(": applicability")]
        overall = [j for j in bias if j.domain.casefold().startswith(OVERALL.casefold())]
        if any(j.judgement in judgements for j in overall or bias):
            found.append(study)
    return tuple(found)


def lights_of(package: Package, spec: AnalysisSpec) -> tuple[tuple[str, ...], Mapping[str, Mapping[str, str]]]:
    """The domains, and study -> domain -> judgement, for a column of lights beside the analysis' forest plot.

    Two instruments have no domains in common: the one with most studies is shown.
    """
    found = groups(j for rows in judgements_for(package, spec).values() for j in rows)
    if not found:
        return (), {}
    studies: dict[str, dict[str, dict[str, str]]] = {}
    for group in found:
        for study, judged in by_study(group).items():
            studies.setdefault(group.tool, {}).setdefault(study, {}).update(judged)
    tool = max(studies, key=lambda name: len(studies[name]))
    domains = domain_order(j for group in found if group.tool == tool for j in group.judgements)
    return tuple(domains), studies[tool]
