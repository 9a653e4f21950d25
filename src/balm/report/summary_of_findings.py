"""Summary of findings and evidence profile as plain values, for every writer of a report (Core GRADE 6).

At most seven outcomes, harms among them, and a row also where no study gives a number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from balm.report.absolute_effects import absolute_effects
from balm.report.result_sentence import short_name
from balm.report.rounding import digits_for, number
from balm.report.summary_of_findings_words import (
    counted_alike,
    needed_to_treat,
    plain_language,
    points_between,
    ratio_in_words,
    risk,
)
from balm.review.certainty.body import Body, StudyResult
from balm.review.certainty.of_analysis import (
    NO_TOTAL,
    RANDOMISED,
    RATIOS,
    WITH_BASELINE,
    own_baseline,
    participants,
    participants_of,
)
from balm.review.certainty.rating import Certainty, DomainRating, certainties
from balm.review.certainty.target import ANY
from balm.review.certainty.words import DOWN, NOT_RATED, UP
from balm.review.synthesis import AnalysisResult, Synthesis
from balm.vocabulary.problems import InputError, unknown_option

MOST_ROWS = 7
NO_DATA = "no data"


@dataclass(frozen=True, slots=True)
class Baseline:
    """A risk without the intervention, 0 to 1, and where it comes from."""

    risk: float
    source: str


@dataclass(frozen=True, slots=True)
class Risks:
    """Anticipated absolute effects at one baseline risk, printed; ``nnt`` is the number needed to treat."""

    control: str
    intervention: str
    difference: str
    nnt: str
    source: str


@dataclass(frozen=True, slots=True)
class Footnote:
    """A note under the table: its mark, the domain, the levels it moved certainty, and why."""

    mark: str
    domain: str
    levels: int
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One outcome. All texts are ready to print; ``ratings`` holds each GRADE domain's rating for the profile."""

    analysis: str
    outcome: str
    measured: str  # instrument or definition
    follow_up: str
    harm: bool
    risks: tuple[Risks, ...]
    relative: str
    participants: float | None  # None = not known
    studies: int
    design: str
    certainty: str
    symbols: str
    marks: tuple[str, ...]
    comment: str
    stale: bool
    ratings: Mapping[str, str]

    @property
    def people(self) -> str:
        """How many participants; a contrast may not say."""
        return "not known" if self.participants is None else f"{self.participants:.0f}"

    @property
    def people_and_studies(self) -> str:
        """Participants with the number of studies, as a summary of findings prints them."""
        return f"{self.people} ({self.studies} {'study' if self.studies == 1 else 'studies'})"


@dataclass(frozen=True, slots=True)
class SummaryOfFindings:
    """The whole table: question, rows, footnotes, and the analyses that are not in it."""

    title: str
    population: str
    intervention: str
    comparison: str
    findings: tuple[Finding, ...]
    footnotes: tuple[Footnote, ...]
    left_out: tuple[str, ...]
    interval: str = "95% CI"  # "CI" where the analyses differ; the comment of a row then says which


def summary_of_findings(
    synthesis: Synthesis,
    *,
    analyses: Sequence[str] | None = None,
    baselines: Mapping[str, Sequence[Baseline]] | None = None,
) -> SummaryOfFindings:
    """The summary of findings of a review.

    analyses  : ids, in the order of the rows, seven at most. Without them the ``place`` of ``certainty.csv`` decides;
                without places the first controlled analysis of each outcome and time, harms kept among the seven.
    baselines : analysis id -> risks to show absolute effects at; else that of ``certainty.csv``, else the trials' own.
    """
    rated = certainties(synthesis)
    chosen = _chosen(synthesis, rated, analyses)
    for name in baselines or {}:
        if name not in rated:
            raise unknown_option("baselines", name, list(rated))
    footnotes: dict[tuple[str, int, str], Footnote] = {}
    findings = tuple(_finding(synthesis.analysis(a), rated[a], (baselines or {}).get(a, ()), footnotes) for a in chosen)
    question = synthesis.package.meta.question
    first = synthesis.analysis(chosen[0]).comparison if chosen else None
    return SummaryOfFindings(
        title=synthesis.package.meta.title,
        population=question.population,
        intervention=first.group_1 if first else question.intervention,
        comparison=(first.group_2 or "no control group") if first else question.comparators,
        findings=findings,
        footnotes=tuple(footnotes.values()),
        left_out=tuple(a.title for a in synthesis.analyses if a.id not in chosen),
        interval="95% CI" if all(synthesis.analysis(a).spec.level == 0.95 for a in chosen) else "CI",
    )


def _chosen(synthesis: Synthesis, rated: Mapping[str, Certainty], analyses: Sequence[str] | None) -> list[str]:
    if analyses is not None:
        for a in analyses:
            if a not in rated:
                raise unknown_option("analyses", a, list(rated))
        if len(set(analyses)) != len(analyses):
            raise InputError("analyses names one analysis twice; each is one row of the table")
        if len(analyses) > MOST_ROWS:
            raise InputError(f"a summary of findings has at most {MOST_ROWS} outcomes; got {len(analyses)}")
        return list(analyses)
    placed = {c.overall.place: a for a, c in rated.items() if c.overall and c.overall.place is not None}
    if placed:
        return [placed[place] for place in sorted(placed)]
    first: dict[tuple[str, tuple[str, ...]], AnalysisResult] = {}
    for result in synthesis.analyses:
        if result.comparison.group_2 is not None and not result.spec.outside:
            first.setdefault((result.outcome.id, result.spec.windows), result)
    harms = [a for a in first.values() if a.outcome.domain == "harm"][: MOST_ROWS // 2]
    others = [a for a in first.values() if a.outcome.domain != "harm"][: MOST_ROWS - len(harms)]
    return [a.id for a in (*others, *harms)]


def _finding(
    result: AnalysisResult,
    certainty: Certainty,
    baselines: Sequence[Baseline],
    footnotes: dict[tuple[str, int, str], Footnote],
) -> Finding:
    body, outcome = certainty.body, result.outcome
    marks = []
    for d in certainty.domains:
        if d.levels:
            text = _why(d)
            key = (d.domain, d.levels, text)
            footnotes.setdefault(key, Footnote(_mark(len(footnotes)), *key))
            marks.append(footnotes[key].mark)
    none_estimable = bool(result.rows) and not body.studies
    aim = certainty.proposed.target
    comment = plain_language(
        outcome, _plain(result.comparison.group_1), certainty.certainty,
        _people_only(body, result) if none_estimable else body,
        counted=_counted(result, body) if none_estimable else "", any_effect=aim is not None and aim.kind == ANY,
    )  # fmt: skip
    if body.studies and not body.controlled:
        comment = counted_alike(result.rows) + comment
    if certainty.stale:
        comment += " The data or the judgements have changed since the certainty was rated."
    if result.spec.level != 0.95:
        comment += f" Its intervals cover {100 * result.spec.level:g}%."
    ratings = {d.domain: d.rating for d in certainty.domains}
    return Finding(
        analysis=result.id,
        outcome=outcome.name,
        measured=outcome.definition or outcome.unit or "",
        follow_up="; ".join(w.name for w in result.windows) or "any time",
        harm=outcome.domain == "harm",
        risks=_risks(result, certainty, baselines),
        relative=_relative(result, body),
        participants=participants(result.rows) if none_estimable else _known(body.participants),
        studies=len(result.rows) if none_estimable else body.k,
        design=_design(result, body),
        certainty=certainty.certainty,
        symbols=certainty.symbols,
        marks=tuple(marks),
        comment=comment,
        stale=certainty.stale,
        ratings={d: ratings[d] for d in (*DOWN, *UP)},
    )


def _why(d: DomainRating) -> str:
    """The reason given; where the rule's proposal was taken over without words, the rule."""
    decision = d.decision
    if decision is None or decision.reason:
        return (decision and decision.reason) or "no reason given"
    return decision.rule or "no reason given"


def _known(people: float) -> float | None:
    return None if math.isnan(people) else people


def _counted(result: AnalysisResult, body: Body) -> str:
    """Why rows give no effect: ``hidden`` where the plan asks for no total, ``nobody`` or ``everybody`` where that many
    had an event in every group, else ``not estimable``."""
    if body.nothing == NO_TOTAL:
        return "hidden"
    groups = [
        (r.values[f"events{g}"], r.values[f"n{g}"])
        for r in result.rows
        for g in ("", "_1", "_2")
        if f"events{g}" in r.values
    ]
    if groups and all(events == 0 for events, _ in groups):
        return "nobody"
    return "everybody" if groups and all(events == n for events, n in groups) else "not estimable"


def _plain(group: str) -> str:
    """The intervention as it stands within a sentence."""
    head = group.split(" ", 1)[0]
    return group if head.isupper() or any(c.isupper() for c in head[1:]) else group[:1].lower() + group[1:]


def _people_only(body: Body, result: AnalysisResult) -> Body:
    nan = math.nan
    return replace(
        body, studies=tuple(StudyResult(r.label, nan, nan, nan, nan, participants_of(r)) for r in result.rows)
    )


def _mark(place: int) -> str:
    """a, b, ... z, aa, ab ..."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return letters[place] if place < 26 else letters[place // 26 - 1] + letters[place % 26]


def _design(result: AnalysisResult, body: Body) -> str:
    if not result.rows:
        return NO_DATA
    if not body.controlled:
        return "single-arm studies"
    randomised = body.randomised if body.studies else all(row.design in RANDOMISED for row in result.rows)
    return "randomised trials" if randomised else "non-randomised studies"


def _relative(result: AnalysisResult, body: Body) -> str:
    if body.ratio is None or result.whole is None:
        return "not estimable" if result.measure in RATIOS else "–"
    return ratio_in_words(short_name(body.ratio_kind), *body.ratio)


def _risks(result: AnalysisResult, certainty: Certainty, given: Sequence[Baseline]) -> tuple[Risks, ...]:
    """Absolute effects at each baseline risk; for means the values of the control groups and the difference."""
    body, fit = certainty.body, result.whole
    if fit is None or not body.studies:
        return _counts(result, body)
    if not body.controlled:
        return (Risks("–", risk(body.low, body.estimate, body.high), "–", "", "no control group"),)
    if result.measure not in WITH_BASELINE:
        return (_means(result, body),)
    chosen = list(given)
    if not chosen and certainty.overall is not None and certainty.overall.baseline_risk is not None:
        chosen = [Baseline(certainty.overall.baseline_risk, certainty.overall.baseline_source or "")]
    if not chosen:
        own = own_baseline(result)
        if own is None:
            return (Risks("no risk on record", "not estimable without a baseline risk", "–", "", ""),)
        chosen = [Baseline(own, "control groups of the trials used")]
    return tuple(_at(result, one) for one in chosen)


def _counts(result: AnalysisResult, body: Body) -> tuple[Risks, ...]:
    """What was counted where no effect can be estimated from it: nobody, or everybody."""
    if not result.rows or result.comparison.group_2 is None or _counted(result, body) not in ("nobody", "everybody"):
        return ()
    told = [f"{_sum(result, f'events_{g}')} of {_sum(result, f'n_{g}')}" for g in (2, 1)]
    return (Risks(told[0], told[1], "not estimable", "", ""),)


def _sum(result: AnalysisResult, name: str) -> str:
    return f"{sum(row.values[name] for row in result.rows):.0f}"


def _at(result: AnalysisResult, baseline: Baseline) -> Risks:
    fit = result.whole
    assert fit is not None
    if baseline.risk == 0 and fit.measure != "RD":
        return Risks("0 per 1000", "not estimable from a ratio", "–", "", f"{baseline.source}: no events")
    shown = fit.displayed
    told = absolute_effects(fit.measure, shown.estimate, shown.interval.low, shown.interval.high, baseline.risk)
    better = result.outcome.direction == "higher is better"
    nnt = needed_to_treat(*told.rd, more_is_better=better) if told.rd else ""
    return Risks(told.control, told.risk, told.difference, nnt, baseline.source)


def _means(result: AnalysisResult, body: Body) -> Risks:
    means = [r.values["mean_2"] for r in result.rows if "mean_2" in r.values]
    control = "–"
    digits = digits_for([body.high - body.low])
    if result.measure == "MD" and means:
        low, high = (number(x, digits) for x in (min(means), max(means)))
        control = f"mean {low}" if low == high else f"means {low} to {high}"
    if not body.rated_on.endswith("difference"):
        return Risks(control, "–", "–", "", "")
    effect = f"{result.measure} {points_between(body)}"
    return Risks(control, effect, effect, "", "control groups of the trials used" if means else "")


__all__ = [
    "NOT_RATED",
    "Baseline",
    "Finding",
    "Footnote",
    "Risks",
    "SummaryOfFindings",
    "summary_of_findings",
]
