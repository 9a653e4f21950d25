"""What a review package gives to a registry's audit, as plain values: results of trials, published cohorts, limits."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from balm.actions.guidance import Guidance, guidance_of
from balm.guidance.limits import stated_limits
from balm.guidance.therapy import FILE
from balm.registry.against_evidence import PublishedCohort, TrialResult
from balm.registry.doses import Limit

#: Outcome of the review -> what it is beside a registry, and the threshold of a response in per cent.
OUTCOMES = {"pain-intensity": ("change", None), "responder": ("response", 50.0), "pain-relief-30": ("response", 30.0)}
#: Measures that are shown: one for each kind of outcome.
MEASURES = {"change": "MD", "response": "RR"}
#: The setting whose limits a registry of chronic pain is held against.
SETTING = "chronic"
#: Units in which an audit counts a kind of limit.
UNITS = {"bolus": ("mg/kg",), "rate": ("mg/kg/h", "mg/h"), "total": ("mg/kg", "mg")}
#: Forms of the drug in the guidance -> as a registry writes them.
FORMS = {"racemic": "racemic", "S": "S(+)"}


def evidence_of(
    folder: str | Path,
) -> tuple[tuple[TrialResult, ...], tuple[PublishedCohort, ...], tuple[Limit, ...], str]:
    """Results of trials, published cohorts and limits of dose from the review package in ``folder``, and its title."""
    from balm.actions.review import Review, package_bytes

    review, files = Review.load(folder), package_bytes(folder)
    guidance = guidance_of(review.package, files) if FILE in files else None
    return evidence_from(review.synthesise(), guidance)


def evidence_from(
    synthesis: Any, guidance: Guidance | None
) -> tuple[tuple[TrialResult, ...], tuple[PublishedCohort, ...], tuple[Limit, ...], str]:
    """The same from a review's synthesis and its guidance, where it has one."""
    package = synthesis.package
    return _trials(synthesis), _cohorts(package), limits_of_guidance(guidance), package.meta.title


def _trials(synthesis: Any) -> tuple[TrialResult, ...]:
    windows = {w.id: w for w in synthesis.package.meta.windows}
    classes = {s.study: s.pain_class for s in synthesis.package.studies}
    found = []
    for a in synthesis.analyses:
        quantity, threshold = OUTCOMES.get(a.outcome.id, ("", None))
        if not quantity or a.measure != MEASURES[quantity] or len(a.spec.windows) != 1:
            continue
        window = windows[a.spec.windows[0]]
        until = math.inf if window.until is None else float(window.until)
        common = {
            "id": a.id, "title": a.title, "quantity": quantity, "measure": a.measure, "window": window.name,
            "after": float(window.after or 0.0), "until": until, "threshold": threshold, "note": a.why_not_pooled or "",
        }  # fmt: skip
        rows = a.rows or (() if a.single is None else (a.single.row,))
        arms = None
        if quantity == "response" and rows:
            arms = (int(sum(r.values["events_1"] for r in rows)), int(sum(r.values["n_1"] for r in rows)))
        kinds = tuple(sorted({classes.get(r.study) or "not stated" for r in rows}))
        if a.fit is not None:
            d = a.fit.displayed
            prediction = (
                None if d.prediction_interval is None else (d.prediction_interval.low, d.prediction_interval.high)
            )
            found.append(TrialResult(**common, k=a.fit.k, estimate=d.estimate, low=d.interval.low, high=d.interval.high,
                                     prediction=prediction, arms=arms, pain_classes=kinds))  # fmt: skip
        elif a.single is not None:
            i = a.single.interval
            found.append(TrialResult(**common, k=1, estimate=a.single.estimate, low=i.low, high=i.high, arms=arms,
                                     pain_classes=kinds))  # fmt: skip
        else:
            found.append(TrialResult(**common, k=0))
    return tuple(found)


def _cohorts(package: Any) -> tuple[PublishedCohort, ...]:
    """Cohorts that report a favourable share with both denominators; a missing field stays missing."""
    fields: dict[str, dict[str, Any]] = {}
    for row in package.cohorts:
        fields.setdefault(row.study, {})[row.field] = row
    labels = {s.study: s.label for s in package.studies}
    found = []
    for study, own in fields.items():
        try:
            numbers = [int(own[name].value) for name in ("favourable_n", "included", "treated")]
        except (KeyError, TypeError, ValueError):
            continue
        definition = (own["favourable_definition"].value or "") if "favourable_definition" in own else ""
        missing = tuple(name.replace("_", " ") for name, row in own.items() if row.value is None)
        found.append(
            PublishedCohort(
                label=labels.get(study, study), responders=numbers[0], analysed=numbers[1], treated=numbers[2],
                threshold=50.0 if "50%" in definition.replace(" ", "") else math.nan,
                not_stopped_for="lack of effect" if "lack of effect" in definition else "",
                day=None, source=own["favourable_n"].source or "", missing=missing,
            )
        )  # fmt: skip
    return tuple(found)


def limits_of_guidance(guidance: Guidance | None) -> tuple[Limit, ...]:
    """The limits of chronic pain as the guidance room reads them: sources that contradict each other both stand."""
    if guidance is None:
        return ()
    found = []
    for stated in stated_limits(guidance.rules, SETTING):
        rule, bounds = stated.rule, stated.limit
        unit = next((u for u in UNITS[stated.what] if bounds.measures(u)), None)
        if unit is None:
            continue
        there = bounds.to(unit)
        again = sum(f.id.startswith(f"{rule.id}-{stated.what}") for f in found)
        found.append(
            Limit(
                id=f"{rule.id}-{stated.what}{f'-{again + 1}' if again else ''}",
                label=f"{rule.source.title}{f' ({rule.source.year})' if rule.source.year else ''}: {rule.topic}",
                of=f"{stated.what} {unit}", low=there.low, high=there.high,
                source=" ; ".join(rule.source.pages), form=FORMS.get(rule.form or "", ""),
            )
        )  # fmt: skip
    return tuple(found)
