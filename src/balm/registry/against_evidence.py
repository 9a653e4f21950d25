# ruff: noqa: E501  (sentences of the report stand whole)
"""A clinic's results beside the trials and the published cohorts: what can be set side by side, and what cannot.

A trial's pooled effect is a difference from a control group; a clinic's change has no control group. They are never
subtracted or pooled; each row says whether window, definition and quantity are the same, and why not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from balm.registry.audit import FEWEST_ANSWERS, Audit, Share, wilson
from balm.registry.definition import Responder, Visit

REASONS = (
    "No control group: the change in the clinic holds placebo response, natural course and regression to the mean; "
    "the trials' effect is what is left after a control group is taken off.",
    "Who is treated was chosen: for severe pain, which falls by itself on average; for hope of benefit; for coming back.",
    "Who did not answer may have fared differently; the two denominators show how far that could reach.",
    "Nothing was blinded here: the person who answers knows what was given.",
    "Other treatments went on and changed; they are recorded, not controlled.",
    "Drug form, dose, duration and number of infusions differ between clinic, trials and cohorts.",
)


@dataclass(frozen=True, slots=True)
class TrialResult:
    """A result of the review as plain values, displayed scale. ``k`` 1: one trial, nothing pooled; 0: none."""

    id: str
    title: str
    quantity: str  # "change" (difference of pain) or "response"
    measure: str
    window: str
    after: float  # days; the window is after < day <= until, from 0 on where after is 0
    until: float
    k: int
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    prediction: tuple[float, float] | None = None
    arms: tuple[int, int] | None = None  # responders and people in the treated arms, added up
    pain_classes: tuple[str, ...] = ()
    threshold: float | None = None  # per cent, for responses
    note: str = ""

    def holds(self, day: float) -> bool:
        """Whether a day after treatment lies in the window."""
        return self.after < day <= self.until


@dataclass(frozen=True, slots=True)
class PublishedCohort:
    """A cohort as published: never turned into people."""

    label: str
    responders: int
    analysed: int
    treated: int
    threshold: float
    not_stopped_for: str
    day: float | None  # None: not reported
    source: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BesideTrial:
    """The clinic at one visit beside one result of the review."""

    trial: TrialResult
    visit: Visit | None
    change: tuple[float, float, float] | None  # of pain, from the mixed model
    response: Share | None
    response_neuropathic: Share | None
    same_window: bool
    same_definition: bool | None
    why_not: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BesideCohort:
    """The clinic beside a published cohort, over both denominators."""

    cohort: PublishedCohort
    definition: Responder | None
    clinic_assessed: Share | None
    clinic_treated: Share | None
    cohort_assessed: Share
    cohort_treated: Share
    why_not: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BesideEvidence:
    """Everything that is set beside the clinic's results, and the reasons not to over-read it."""

    trials: tuple[BesideTrial, ...]
    cohorts: tuple[BesideCohort, ...]
    reasons: tuple[str, ...]
    review: str


def beside_evidence(
    found: Audit, trials: tuple[TrialResult, ...], cohorts: tuple[PublishedCohort, ...], *, review: str
) -> BesideEvidence:
    """Set the audit beside results of a review and published cohorts: same window and definition, or why not."""
    lost = found.flow.not_followed
    share = f" ({100 * lost / found.flow.due:.0f}% of those due here)" if found.flow.due else ""
    given = sorted(float(q) for d in found.doses if (q := d.quantity("total mg/kg")) is not None)
    dose = (
        f" (here a median of {given[len(given) // 2]:.2f} mg/kg in a session)" if len(given) >= FEWEST_ANSWERS else ""
    )
    reasons = tuple(
        r.replace("fared differently", f"fared differently{share}").replace("dose,", f"dose{dose},") for r in REASONS
    )
    return BesideEvidence(
        tuple(_beside_trial(found, t) for t in trials),
        tuple(_beside_cohort(found, c) for c in cohorts),
        reasons,
        review,
    )


def _beside_trial(found: Audit, trial: TrialResult) -> BesideTrial:
    d = found.definition
    fitting = [v for v in d.follow_ups if trial.holds(v.day)]
    # The visit of the window that is closest to the primary one: chosen by the schedule, not by a result.
    visit = min(fitting, key=lambda v: abs(v.day - found.visit.day), default=None)
    why = []
    if trial.k == 0:
        why.append("no trial reports this outcome in this window")
    elif trial.k == 1:
        why.append("one trial only: its own effect, nothing is pooled, no prediction interval")
    if visit is None:
        why.append("the registry has no visit in this window")
        return BesideTrial(trial, None, None, None, None, False, None, tuple(why))
    if trial.quantity == "change":
        changes = dict(zip([v for v in found.pain.visits if v != d.baseline.id and _kept(found, v)], found.pain.changes,
                           strict=False))  # fmt: skip
        c = changes.get(visit.id)
        if c is None:
            why.append("the registry has no estimate at this visit")
        why.append("change since baseline without control, beside a difference between groups: other quantities")
        return BesideTrial(trial, visit, (c.estimate, c.low, c.high) if c else None, None, None, True, None, tuple(why))
    there = dict(found.at_visits)[visit.id]
    matching = next((r for r in there if r.definition.threshold == trial.threshold), None)
    if matching is None:
        why.append(f"the registry has no definition of response with {trial.threshold:g}%")
        return BesideTrial(trial, visit, None, None, None, True, False, tuple(why))
    why.append(
        "a share without control, beside a ratio of two groups: compare it with the treated arms, if with anything"
    )
    neuropathic = dict(matching.by_pain_type).get("neuropathic")
    return BesideTrial(trial, visit, None, matching.over_assessed, neuropathic, True, True, tuple(why))


def _kept(found: Audit, visit: str) -> bool:
    return found.pain.observed[found.pain.visits.index(visit)] >= FEWEST_ANSWERS


def _beside_cohort(found: Audit, cohort: PublishedCohort) -> BesideCohort:
    why = []
    matching = next(
        (r for r in found.responders if r.definition.kind == "percent" and r.definition.threshold == cohort.threshold
         and r.definition.not_stopped_for == cohort.not_stopped_for), None,
    )  # fmt: skip
    if matching is None:
        why.append("the registry has no responder definition like the cohort's")
    if cohort.day is None:
        why.append("the cohort does not report when response was judged: the windows cannot be matched")
    elif not found.visit.day - found.visit.before <= cohort.day <= found.visit.day + found.visit.after:
        why.append(f"the cohort judged response on day {cohort.day:g}, the registry at {found.visit.label}")
    if "n by pain type" in cohort.missing:
        why.append(
            "the cohort does not report numbers by pain type: no adjustment for the mix of conditions is possible"
        )
    return BesideCohort(
        cohort,
        matching.definition if matching else None,
        matching.over_assessed if matching else None,
        matching.over_treated if matching else None,
        wilson(cohort.responders, cohort.analysed),
        wilson(cohort.responders, cohort.treated),
        tuple(why),
    )
