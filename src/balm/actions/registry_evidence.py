"""What a review package gives to a registry's audit, as plain values: results of trials, published cohorts, limits."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from typing import Any

from balm.registry.against_evidence import PublishedCohort, TrialResult
from balm.registry.doses import Limit
from balm.vocabulary.numbers import plain

#: Outcome of the review -> what it is beside a registry, and the threshold of a response in per cent.
OUTCOMES = {"pain-intensity": ("change", None), "responder": ("response", 50.0), "pain-relief-30": ("response", 30.0)}
#: Measures that are shown: one for each kind of outcome.
MEASURES = {"change": "MD", "response": "RR"}
#: Relations of a statement that make it a limit; a single rate ("22 mg/h") is a regimen, not a limit.
BOUNDS = ("<=", "<", ">=", ">", "range")
#: Kinds of sources that set no limit: what others wrote about guidance, and what people do.
NOT_LIMITS = ("secondary summary", "practice survey", "review of evidence")
UNITS = {
    ("bolus", "mg/kg"): ("bolus mg/kg", "1"),
    ("rate", "mg/kg/h"): ("rate mg/kg/h", "1"),
    ("rate", "mg/h"): ("rate mg/h", "1"),
    ("rate", "µg/kg/min"): ("rate mg/kg/h", "0.06"),
    ("rate", "ug/kg/min"): ("rate mg/kg/h", "0.06"),
    ("total", "mg/kg"): ("total mg/kg", "1"),
    ("total", "mg"): ("total mg", "1"),
}


def evidence_of(
    folder: str | Path,
) -> tuple[tuple[TrialResult, ...], tuple[PublishedCohort, ...], tuple[Limit, ...], str]:
    """Results of trials, published cohorts and limits of dose from the review package in ``folder``, and its title."""
    from balm.actions.review import Review

    return evidence_from(Review.load(folder).synthesise())


def evidence_from(
    synthesis: Any,
) -> tuple[tuple[TrialResult, ...], tuple[PublishedCohort, ...], tuple[Limit, ...], str]:
    """The same from a review's synthesis."""
    package = synthesis.package
    return _trials(synthesis), _cohorts(package), _limits(package), package.meta.title


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


def _limits(package: Any) -> tuple[Limit, ...]:
    """Bounds and ranges of chronic-pain statements, each on its own: sources that contradict each other both stand."""
    found = []
    for s in package.guidance:
        if not s.setting.startswith("chronic") or not s.verified or s.basis in NOT_LIMITS:
            continue
        if s.setting_of_source is not None and not s.setting_of_source.startswith("chronic"):
            continue
        for name in ("bolus", "rate", "total"):
            reported, unit = getattr(s, name), getattr(s, f"{name}_unit")
            known = UNITS.get((name, unit or ""))
            if reported is None or known is None or reported.relation not in BOUNDS:
                continue
            of, factor = known
            value = Decimal(plain(reported.value, 10)) * Decimal(factor)
            high = None if reported.high is None else Decimal(plain(reported.high, 10)) * Decimal(factor)
            low = value if reported.relation in (">=", ">", "range") else None
            found.append(
                Limit(
                    id=f"{s.id}-{name}",
                    label=f"{s.guideline}{f' ({s.year})' if s.year else ''}: {s.topic}",
                    of=of, low=low, high=high if reported.relation == "range" else None if low is not None else value,
                    source=s.source or "", form=s.drug_form if s.drug_form in ("racemic", "S(+)") else "",
                )
            )  # fmt: skip
    return tuple(found)
