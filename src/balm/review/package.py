"""A review package once read: what ``review.toml`` says and every row of every table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from balm.vocabulary.evidence import (
    Arm,
    BatchPlace,
    BiasJudgement,
    CertaintyJudgement,
    Claim,
    CohortField,
    Contrast,
    DuplicateDecision,
    Gap,
    GuidanceStatement,
    NetworkCertaintyJudgement,
    OutcomeStandard,
    Published,
    Record,
    Report,
    Result,
    ReviewVersion,
    Search,
    Study,
    Vote,
)


@dataclass(frozen=True, slots=True)
class Question:
    """The question in the field's four parts, and the designs that can answer it."""

    population: str
    intervention: str
    comparators: str
    outcomes: str
    designs: str = ""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One eligibility criterion: what is included, and what is not."""

    name: str
    include: str
    exclude: str | None = None


@dataclass(frozen=True, slots=True)
class MeasurementScale:
    """A scale with its ends, so that a value can be moved linearly to another (0-100 to 0-10)."""

    id: str
    name: str
    low: float
    high: float
    unit: str
    reversed: bool = False  # True when its high end is what the outcome's own scale calls low


@dataclass(frozen=True, slots=True)
class Window:
    """A time window, in days after the infusion: after ``after`` (``from_start`` includes it) up to ``until``."""

    id: str
    name: str
    after: float
    until: float
    from_start: bool = False

    def holds(self, days: float) -> bool:
        """Whether a time point belongs here.

        >>> Window("week-1", "up to 1 week", 1, 7).holds(7)
        True
        """
        return self.after < days <= self.until or (self.from_start and days == self.after)


@dataclass(frozen=True, slots=True)
class ImportantDifference:
    """A minimal important difference, which is never shown without its source."""

    value: float
    unit: str
    between_groups: bool
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was measured, on which scale, and which way is better."""

    id: str
    name: str
    domain: str
    kind: str  # continuous, binary
    direction: str  # lower is better, higher is better
    scale: str | None = None
    unit: str | None = None
    definition: str | None = None
    important_difference: ImportantDifference | None = None
    favours: tuple[str, str] | None = None  # labels of plots left and right of no effect


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides, each given by the roles of arms; ``roles_2`` is empty for a single-arm question."""

    id: str
    name: str
    group_1: str
    group_2: str | None
    roles_1: tuple[str, ...]
    roles_2: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SensitivitySpec:
    """One thing changed, and the values it takes; ``tau2`` and ``inference`` only where they differ from the plan's."""

    label: str
    vary: str  # a row of balm.review.plan.VARY
    values: tuple[Any, ...]
    why: str | None = None
    tau2: str | None = None
    inference: str | None = None


@dataclass(frozen=True, slots=True)
class SubgroupSpec:
    """A subgroup given by its rows: results, or contrasts where the analysis pools these."""

    name: str
    results: tuple[str, ...] = ()
    contrasts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnalysisSpec:
    """An analysis as planned: which results, which measure, which model.

    ``contrasts`` names rows of ``contrasts.csv``: then effects reported between two arms are pooled, and no arms.
    ``profile`` sets the conventions of a program (zero cells, corrections, prediction interval) for what is not said.
    """

    id: str
    title: str
    outcome: str
    comparison: str
    measure: str
    windows: tuple[str, ...]
    designs: tuple[str, ...]
    scopes: tuple[str, ...]
    results: tuple[str, ...] = ()  # result ids: when given, only these
    contrasts: tuple[str, ...] = ()  # contrast ids: these are pooled, and no arms
    studies: tuple[str, ...] = ()  # study ids: when given, only these
    arms_1: tuple[str, ...] = ()  # arm ids to leave out of group 1 are simply not named; empty = by role
    several: str = "first"  # which time point of a study in the window: first, last
    method: str = "inverse-variance"
    model: str = "random"
    tau2: str = "REML"
    inference: str = "hartung-knapp-guarded"
    add: float = 0.5
    to: str = "only-zero"
    absolute: bool = False
    by: str | None = None  # subgroups: a column of studies.csv
    subgroups: tuple[SubgroupSpec, ...] = ()  # or subgroups by their rows
    overall: bool = True  # False: subgroups have totals, all studies together have none
    profile: str | None = None  # conventions of a program, a row of balm.stats.profiles.PROFILES
    level: float = 0.95
    note: str | None = None
    sensitivity: tuple[SensitivitySpec, ...] = ()

    @property
    def outside(self) -> bool:
        """Whether it checks a figure outside the question of the review: excluded studies, and none that is included.

        A review from a RevMan file takes every study that an analysis lists, whatever its group there.
        """
        return "excluded" in self.scopes and "included" not in self.scopes


@dataclass(frozen=True, slots=True)
class TreatmentSpec:
    """One treatment of a network, and what ``arms.csv`` calls it: several words where arms are lumped together."""

    name: str
    arms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A network meta-analysis as planned: which results, what is one treatment, which measure and model.

    ``treatment`` names the column of ``arms.csv`` that says what an arm got; ``treatments`` puts several of its words
    together under one name, and then only these are in the network. ``better`` says which effects are, for the
    ranking; ``important`` is the smallest effect that matters, as people read it (0.8 for a ratio).
    """

    id: str
    title: str
    outcome: str
    measure: str
    reference: str
    better: str  # lower, higher
    windows: tuple[str, ...]
    designs: tuple[str, ...]
    scopes: tuple[str, ...]
    studies: tuple[str, ...] = ()  # study ids: when given, only these
    treatment: str = "drug"  # a column of arms.csv
    treatments: tuple[TreatmentSpec, ...] = ()
    several: str = "first"  # which time point of a study in the window: first, last
    model: str = "random"
    tau2: str = "REML"
    add: float = 0.5
    level: float = 0.95
    important: float | None = None
    important_source: str | None = None
    baseline_risk: float | None = None  # with the reference
    baseline_source: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Who did what."""

    name: str
    role: str
    interests: str | None = None


@dataclass(frozen=True, slots=True)
class Trap:
    """A peculiarity of the data that changes a number if it is missed."""

    title: str
    text: str
    studies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WordList:
    """Words of one idea, marked in one colour wherever they stand in a title or an abstract."""

    name: str
    colour: str  # one of balm.review.plan.COLOURS
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Highlights:
    """Words that are marked while screening: for including, for excluding, and up to three lists with a name."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    lists: tuple[WordList, ...] = ()


@dataclass(frozen=True, slots=True)
class ScreeningPlan:
    """How screening is done and when it may be enough: settled in the protocol, before the first record is read."""

    reviewers: int = 2
    target_recall: float = 0.95
    alpha: float = 0.05
    bias: float = 1.0  # how many times likelier an included record is to come next than another; 1 is conservative
    #: Reasons for excluding a full text, in their order: the first that applies is the one that counts.
    exclusion_reasons: tuple[str, ...] = ()
    highlights: Highlights = Highlights()


@dataclass(frozen=True, slots=True)
class ExtractionPlan:
    """How data are extracted: by how many people, independently of each other, for each study."""

    extractors: int = 2


@dataclass(frozen=True, slots=True)
class CertaintyPlan:
    """How certainty is rated: by how many people, independently of each other, for each analysis."""

    raters: int = 1


@dataclass(frozen=True, slots=True)
class Deviation:
    """Something done otherwise than planned: what, why, and when it was decided where that is known."""

    what: str
    why: str
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Meta:
    """What ``review.toml`` says."""

    id: str
    title: str
    version: str
    date: str
    status: str
    question: Question
    eligibility: tuple[Criterion, ...]
    scales: tuple[MeasurementScale, ...]
    windows: tuple[Window, ...]
    outcomes: tuple[Outcome, ...]
    comparisons: tuple[Comparison, ...]
    analyses: tuple[AnalysisSpec, ...]
    networks: tuple[NetworkSpec, ...] = ()
    people: tuple[Person, ...] = ()
    registration: str | None = None
    licence: str | None = None
    summary: str | None = None
    traps: tuple[Trap, ...] = ()
    screening: ScreeningPlan = ScreeningPlan()
    extraction: ExtractionPlan = ExtractionPlan()
    certainty: CertaintyPlan = CertaintyPlan()
    deviations: tuple[Deviation, ...] = ()
    #: PRISMA 2020 counts known but not backed by rows, under the keys of the PRISMA2020 package.
    flow: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def outcome(self, outcome: str) -> Outcome:
        """The outcome called ``outcome``."""
        return next(o for o in self.outcomes if o.id == outcome)

    def scale(self, scale: str) -> MeasurementScale:
        """The scale called ``scale``."""
        return next(s for s in self.scales if s.id == scale)

    def comparison(self, comparison: str) -> Comparison:
        """The comparison called ``comparison``."""
        return next(c for c in self.comparisons if c.id == comparison)

    def window(self, window: str) -> Window:
        """The time window called ``window``."""
        return next(w for w in self.windows if w.id == window)


@dataclass(frozen=True)
class Package:
    """A whole review package. Every tuple keeps the order of its file; an absent file is an empty tuple.

    ``present`` names the files that were there, so that "no rows" and "not kept" stay apart.
    """

    folder: Path
    meta: Meta
    present: frozenset[str]
    reports: tuple[Report, ...] = ()
    studies: tuple[Study, ...] = ()
    arms: tuple[Arm, ...] = ()
    results: tuple[Result, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    risk_of_bias: tuple[BiasJudgement, ...] = ()
    certainty: tuple[CertaintyJudgement, ...] = ()
    network_certainty: tuple[NetworkCertaintyJudgement, ...] = ()
    published: tuple[Published, ...] = ()
    claims: tuple[Claim, ...] = ()
    gaps: tuple[Gap, ...] = ()
    searches: tuple[Search, ...] = ()
    records: tuple[Record, ...] = ()
    duplicates: tuple[DuplicateDecision, ...] = ()
    screening: tuple[Vote, ...] = ()
    batches: tuple[BatchPlace, ...] = ()
    versions: tuple[ReviewVersion, ...] = ()
    guidance: tuple[GuidanceStatement, ...] = ()
    cohorts: tuple[CohortField, ...] = ()
    standards: tuple[OutcomeStandard, ...] = ()

    def study(self, study: str) -> Study:
        """The study with this id."""
        return next(s for s in self.studies if s.study == study)

    def arm(self, study: str, arm: str) -> Arm | None:
        """The arm of a study, or ``None`` where the paper's number belongs to no single arm."""
        return self._arms_by_id.get((study, arm))

    def report(self, report: str | None) -> Report | None:
        """The report with this id, or ``None``."""
        return self._reports_by_id.get(report)

    def results_of(self, study: str) -> tuple[Result, ...]:
        """Every result of one study, in the order of ``results.csv``."""
        return self._results_by_study.get(study, ())

    @cached_property
    def _arms_by_id(self) -> Mapping[tuple[str, str], Arm]:
        return {(a.study, a.arm): a for a in reversed(self.arms)}  # the first of two with one id, as a reader finds it

    @cached_property
    def _reports_by_id(self) -> Mapping[str | None, Report]:
        return {r.report: r for r in reversed(self.reports)}

    @cached_property
    def _results_by_study(self) -> Mapping[str, tuple[Result, ...]]:
        found: dict[str, list[Result]] = {}
        for r in self.results:
            found.setdefault(r.study, []).append(r)
        return {study: tuple(rows) for study, rows in found.items()}
