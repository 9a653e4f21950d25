"""What a review holds: reports, studies, arms, results, judgements and what others published, one value a row.

Field names are the column names of the review package (``docs/reference/review-package.md``). ``None`` means *not
reported or not known*: it is never zero and never an empty string. ``row`` is the data row of the file the value was
read from (1 = the first row under the header), so that any number can be walked back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

NotReported: TypeAlias = None
#: The value of an empty cell.
NOT_REPORTED: Final[NotReported] = None

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_BOUND = re.compile(rf"^(<=|>=|<|>)\s*({_NUMBER})$")
_RANGE = re.compile(rf"^({_NUMBER})\s*(?:-|to)\s*({_NUMBER})$")


@dataclass(frozen=True, slots=True)
class Reported:
    """A number as a paper prints it: exact, a bound (``<0.001``) or a range (``10-40``). The text is kept.

    ``relation`` is ``"="``, ``"<"``, ``"<="``, ``">"``, ``">="`` or ``"range"``; ``high`` is set for a range only.

    >>> Reported.parse("<=0.35")
    Reported(text='<=0.35', value=0.35, relation='<=', high=None)
    >>> Reported.parse("10-40").high
    40.0
    >>> Reported.parse("2.68").exact
    2.68
    """

    text: str
    value: float
    relation: str = "="
    high: float | None = None

    @classmethod
    def parse(cls, text: str) -> Reported:
        """Read ``text`` strictly; :class:`ValueError` when it is neither a number, a bound nor a range."""
        text = text.strip()
        if re.fullmatch(_NUMBER, text):
            return cls(text, float(text))
        if bound := _BOUND.match(text):
            return cls(text, float(bound[2]), bound[1])
        if (span := _RANGE.match(text)) and float(span[1]) <= float(span[2]):
            return cls(text, float(span[1]), "range", float(span[2]))
        raise ValueError(f"{text!r} is not a number, a bound such as '<0.001' or a range such as '10-40'")

    @property
    def exact(self) -> float | None:
        """The number when it is one, ``None`` for a bound or a range."""
        return self.value if self.relation == "=" else None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Report:
    """A document: a paper, an abstract page, a registry entry, a guideline, a review. ``studies`` it reports on."""

    report: str
    studies: tuple[str, ...]
    kind: str
    citation: str
    doi: str | None
    pmid: str | None
    url: str | None
    notes: str | None
    verified: bool
    row: int = 0


@dataclass(frozen=True, slots=True)
class Study:
    """An investigation with a defined group of participants."""

    study: str
    label: str
    year: int | None
    authors: str | None
    design: str  # parallel, cross-over, single-arm, non-randomised, protocol, not stated
    design_text: str | None
    condition: str | None
    pain_class: str | None
    n_randomised: int | None
    n_analysed: int | None
    n_text: str | None
    route: str | None
    drug_form: str | None
    comparator: str | None
    main_outcome: str | None
    follow_up: str | None
    scope: str  # included, sensitivity, single-arm, excluded, ongoing, awaiting
    scope_note: str | None
    findings: str | None
    notes: str | None
    report: str | None
    source: str | None
    verified: bool
    country: str | None = None
    setting: str | None = None
    participants: str | None = None
    periods: int | None = None
    washout: str | None = None
    clusters: int | None = None
    cluster_unit: str | None = None
    funding: str | None = None
    interests: str | None = None
    entry_of: str | None = None  # the study this is one more line of
    row: int = 0


@dataclass(frozen=True, slots=True)
class Arm:
    """A compared group. Dose, rate, duration, number of infusions and total are separate: none is inferred."""

    study: str
    arm: str
    label: str
    role: str  # intervention, placebo, active placebo, active comparator, other
    drug: str | None
    form: str | None
    route: str | None
    n: int | None
    regimen: str | None
    bolus: Reported | None
    bolus_unit: str | None
    dose: Reported | None
    dose_unit: str | None
    rate: Reported | None
    rate_unit: str | None
    rate_2: Reported | None
    rate_2_unit: str | None
    rate_2_basis: str | None
    duration: Reported | None
    duration_unit: str | None
    infusions: Reported | None
    total: Reported | None
    total_unit: str | None
    total_basis: str | None
    co_medication: str | None
    notes: str | None
    report: str | None
    source: str | None
    verified: bool
    compared_with: str | None = None
    row: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """One number as reported: a study, an outcome, a time point and an arm."""

    result: str
    study: str
    outcome: str
    reported_as: str | None
    definition: str | None
    scale: str | None
    timepoint: str | None
    time: float | None
    time_unit: str | None
    window: str | None
    arm: str
    n: int | None
    events: int | None
    mean: float | None
    sd: float | None
    se: float | None
    spread: float | None
    spread_is: str | None
    spread_text: str | None
    ci_low: float | None
    ci_high: float | None
    level: float | None
    median: float | None
    q1: float | None
    q3: float | None
    min: float | None
    max: float | None
    p: Reported | None
    p_versus: str | None
    how_read: str
    usable: bool
    why_not: str | None
    notes: str | None
    page: str | None
    quote: str | None
    report: str | None
    source: str | None
    verified: bool
    value_is: str | None = None  # final, change, reduction; None = final
    baseline_mean: float | None = None
    baseline_sd: float | None = None
    final_sd: float | None = None
    baseline_r: float | None = None
    period: str | None = None  # first, second; None = all periods
    sequence: str | None = None
    cluster_size: float | None = None
    icc: float | None = None
    cluster_adjusted: bool | None = None
    extracted_by: str | None = None
    extracted: str | None = None
    row: int = 0


@dataclass(frozen=True, slots=True)
class Contrast:
    """A result reported only between two arms: a difference, a ratio, or no more than its p value."""

    contrast: str
    study: str
    outcome: str
    reported_as: str | None
    timepoint: str | None
    time: float | None
    time_unit: str | None
    window: str | None
    arm_1: str
    arm_2: str
    measure: str | None
    estimate: float | None
    se: float | None
    ci_low: float | None
    ci_high: float | None
    level: float | None
    p: Reported | None
    usable: bool
    why_not: str | None
    notes: str | None
    page: str | None
    quote: str | None
    report: str | None
    source: str | None
    verified: bool
    value_is: str | None = None  # final, change, reduction; None = final
    scale: str | None = None
    n_1: int | None = None
    n_2: int | None = None
    pairs: int | None = None
    t: float | None = None
    f: float | None = None
    sd_difference: float | None = None
    r: float | None = None
    period: str | None = None
    cluster_size: float | None = None
    icc: float | None = None
    cluster_adjusted: bool | None = None
    adjusted_for: str | None = None
    how_read: str | None = None
    extracted_by: str | None = None
    extracted: str | None = None
    row: int = 0


@dataclass(frozen=True, slots=True)
class BiasJudgement:
    """A risk-of-bias judgement of one domain, with its answers, what the rules propose, its reasons and who made it.

    It is about a result (``outcome``, ``window`` and ``comparison``, or one row of ``results.csv``), else the study.
    """

    study: str
    result: str | None
    tool: str
    domain: str
    judgement: str
    reason: str | None
    assessor: str | None
    report: str | None
    source: str | None
    verified: bool
    outcome: str | None = None
    window: str | None = None
    comparison: str | None = None
    instrument: str | None = None
    version: str | None = None
    answers: str | None = None
    proposed: str | None = None
    override_reason: str | None = None
    direction: str | None = None
    time: str | None = None
    row: int = 0


@dataclass(frozen=True, slots=True)
class CertaintyJudgement:
    """A rating of the certainty of one analysis in one GRADE domain, with what the rule proposed and who decided."""

    analysis: str
    domain: str
    rating: str
    reason: str | None
    assessor: str | None
    proposed: str | None = None
    rule: str | None = None
    target: str | None = None
    baseline_risk: float | None = None
    baseline_source: str | None = None
    place: int | None = None  # row of the summary of findings, 1 to 7
    basis: str | None = None  # hash of what the decision rests on
    time: str | None = None
    row: int = 0


@dataclass(frozen=True, slots=True)
class NetworkCertaintyJudgement:
    """A rating of the certainty of one comparison of a network in one domain, beside the proposal, and who decided."""

    network: str
    treatment: str
    against: str
    domain: str
    rating: str
    reason: str | None
    assessor: str | None
    proposed: str | None = None
    rule: str | None = None
    basis: str | None = None  # hash of what the decision rests on
    time: str | None = None
    row: int = 0


@dataclass(frozen=True, slots=True)
class Published:
    """A result published elsewhere, kept for comparison and never pooled with trials."""

    published: str
    review: str
    label: str
    kind: str  # pooled, network, single trial, narrative
    year: int | None
    outcome: str | None
    reported_as: str | None
    timepoint: str | None
    window: str | None
    measure: str | None
    scale: str | None
    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    level: float | None
    p: Reported | None
    k_text: str | None
    n_text: str | None
    trials: str | None
    comparators: str | None
    routes: str | None
    model: str | None
    certainty: str | None
    reproducible: str | None
    notes: str | None
    report: str | None
    source: str | None
    verified: bool
    row: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement of a text somebody brought, with what its source says."""

    claim: str
    brief: str
    text: str
    measure: str | None
    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    level: float | None
    p: Reported | None
    events: int | None
    n: int | None
    percent: float | None
    arithmetic: str | None
    primary_source: str | None
    source_says: str | None
    verdict: str
    severity: str | None
    notes: str | None
    source: str | None
    verified: bool
    row: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """Something the review would need and does not have; ``priority`` 1 is worth most."""

    gap: str
    priority: int
    missing: str
    concerns: str | None
    studies: tuple[str, ...]
    row: int = 0


@dataclass(frozen=True, slots=True)
class Search:
    """One search of one source (PRISMA-S)."""

    search: str
    kind: str  # database, register, website, organisation, citation
    source: str
    interface: str | None
    date: str | None
    strategy: str | None
    limits: str | None
    retrieved: int | None
    person: str | None
    file: str | None
    row: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """A line of a database or website that indexes a report."""

    record: str
    search: str | None
    title: str | None
    authors: str | None
    year: int | None
    journal: str | None
    doi: str | None
    pmid: str | None
    abstract: str | None
    report: str | None
    row: int = 0


@dataclass(frozen=True, slots=True)
class DuplicateDecision:
    """A decision that two records are, or are not, of the same report."""

    record_1: str
    record_2: str
    decision: str  # duplicate, not duplicate, undecided
    rule: str | None
    person: str | None
    time: str | None
    row: int = 0


@dataclass(frozen=True, slots=True)
class Vote:
    """One screening vote. A change of mind is a new row."""

    record: str
    stage: str  # title-abstract, full-text
    reviewer: str
    decision: str  # include, exclude, maybe
    kind: str  # vote, adjudication
    reason: str | None
    time: str | None
    row: int = 0


@dataclass(frozen=True, slots=True)
class BatchPlace:
    """The place of a record in a batch that was frozen for all reviewers of a stage."""

    batch: int  # from 1
    place: int  # from 1
    record: str
    stage: str  # title-abstract, full-text
    basis: str  # decisions, likeness, chance
    learned: int | None = None  # decisions the order was learned from
    time: str | None = None
    row: int = 0


@dataclass(frozen=True, slots=True)
class ReviewVersion:
    """A version of the review, or a milestone: the search of a review that others published."""

    version: str
    kind: str  # version, milestone
    label: str
    date: str | None  # of the version or the publication: YYYY, YYYY-MM or YYYY-MM-DD
    searched: str | None  # last search, likewise
    trigger: str | None = None
    changes: str | None = None
    searches: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()
    report: str | None = None
    source: str | None = None
    notes: str | None = None
    row: int = 0


@dataclass(frozen=True, slots=True)
class GuidanceStatement:
    """A statement of a guideline. Bolus, rate, duration and total are separate fields, each with its unit."""

    id: str
    guideline: str
    year: int | None
    setting: str  # chronic, acute, practice, review, not stated: a mandatory key
    topic: str
    statement: str
    condition: str | None
    bolus: Reported | None
    bolus_unit: str | None
    rate: Reported | None
    rate_unit: str | None
    duration: Reported | None
    duration_unit: str | None
    total: Reported | None
    total_unit: str | None
    sessions: Reported | None
    grade: str | None
    certainty: str | None
    notes: str | None
    report: str | None
    source: str | None
    verified: bool
    kind: str | None = None  # dose, recommendation, contraindication, caution, interaction, monitoring, rescue ...
    basis: str | None = None  # guideline, position statement, review of evidence, practice survey, secondary summary
    population: str | None = None
    about: tuple[str, ...] = ()  # comorbidities of guidance/therapy.toml that a contraindication or caution names
    drug_form: str | None = None
    route: str | None = None
    setting_of_source: str | None = None  # where the words come from, when that is another setting
    total_per: str | None = None  # session, course
    question: str | None = None  # what it takes a position on, so that two positions can be set side by side
    position: str | None = None
    reassures: tuple[str, ...] = ()  # areas of harm it calls small
    claims: tuple[str, ...] = ()  # claims of claims.csv that stand behind it
    analyses: tuple[str, ...] = ()  # of this review, that it rests on
    version: str | None = None  # of this review, that it was made from
    strength: str | None = None  # strong, conditional
    exception: str | None = None  # the named situation in which a strong one may rest on low certainty
    locator: str | None = None
    review_due: str | None = None  # when its authors said that they would review it
    checked_by: str | None = None
    reviewed: str | None = None
    next_review: str | None = None
    file: str = ""
    row: int = 0


@dataclass(frozen=True, slots=True)
class CohortField:
    """One field of an observational cohort; an empty value is shown as missing and never filled in."""

    study: str
    field: str
    value: str | None
    unit: str | None
    notes: str | None
    report: str | None
    source: str | None
    verified: bool
    row: int = 0


@dataclass(frozen=True, slots=True)
class OutcomeStandard:
    """A threshold, an instrument's property or a reporting rule, with its source."""

    domain: str
    instrument: str
    fact: str
    value: str | None
    source: str | None
    verified: bool
    row: int = 0
