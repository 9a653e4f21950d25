"""What of an audit may be shown: the values that JSON, tables, figures and sentences all read, small numbers left out.

A value held back is ``None`` and named in ``held_back``; nothing that writes has the audit itself.
"""

from __future__ import annotations

import math
from itertools import permutations
from typing import Any

from balm.registry.against_evidence import BesideEvidence
from balm.registry.audit import Audit, ResponderResult, Share, exact
from balm.registry.small_cells import shares_hidden, small
from balm.registry.tables import SEVERITIES
from balm.report.registry.held_back import HeldBack, held_back_of
from balm.stats.control_charts import RULES, ControlChart

#: Days at which the curve of relief is given as numbers.
CURVE_DAYS = (7, 14, 30, 61, 91, 183, 365)
MARK = "SIMULATED: no patient, no clinic. Made by a program to show the pages."


def shown(found: Audit, evidence: BesideEvidence | None = None) -> dict[str, Any]:
    """The audit as plain values for JSON: numbers in full precision, percentages as shares, ``None`` where hidden."""
    limit = found.definition.small_cells
    held = held_back_of(found, limit)
    f = found.flow
    site = found.definition.site(found.site)
    return {
        "title": found.definition.title,
        "therapy": found.definition.therapy,
        "simulated": found.definition.simulated,
        "mark": MARK if found.definition.simulated else "",
        "as_of": found.today.isoformat(),
        "site": site.name if site else "all sites",
        "begun_since": found.period[0].isoformat() if found.period[0] else None,
        "begun_until": found.period[1].isoformat() if found.period[1] else None,
        "small_cells": limit,
        "counts": len(held.printed),
        "counts_held_back": len(held.printed & held.hidden),
        "visit": {"id": found.visit.id, "label": found.visit.label, "day": found.visit.day},
        "flow": {
            **{
                name: held.count(name)
                for name in ("enrolled", "treated", "not_due", "due", "followed", "not_followed", "analysed",
                             "consent_not_recorded", "refused", "not_treated")
            },
            "reasons": held.parts("reasons", [name for name, _ in f.reasons]),
            "why_not_analysed": held.parts("why_not_analysed", [name for name, _ in f.why_not_analysed]),
        },
        "people": {
            "n": held.count("people"),
            "sex": held.parts("sex", [name for name, _ in found.sexes]),
            "age": None if found.ages[3] < max(limit, 1) else
            {"median": found.ages[0], "q1": found.ages[1], "q3": found.ages[2], "known": held.count("age_known")},
            "pain_type": held.parts("pain_type", [name for name, _ in found.pain_types]),
        },
        "responders": [_responder(found, r, held) for r in found.responders],
        "pain": _pain(found, held, limit),
        "relief": _relief(found, held, limit),
        "doses": _doses(found),
        "harms": _harms(found, held, limit),
        "stops": held.parts("stops", [name for name, _ in found.stops]),
        "sites": _sites(found, held),
        "over_time": _over_time(found, held, limit),
        "outside_window": found.outside_window,
        "evidence": None if evidence is None else _evidence(evidence, found, held, limit),
    }  # fmt: skip


def _number(value: float) -> float | None:
    return None if math.isnan(value) or math.isinf(value) else float(value)


def _share(share: Share, x: int | None, n: int | None) -> dict[str, Any]:
    """x of n with its interval; without one of them, per cent and interval would give it away."""
    if n is None or x is None:
        return {"x": x, "n": n, "share": None, "low": None, "high": None, "held_back": True}
    return {
        "x": share.x, "n": share.n, "share": _number(share.share), "low": _number(share.low),
        "high": _number(share.high), "held_back": False,
    }  # fmt: skip


def _responder(found: Audit, r: Any, held: HeldBack) -> dict[str, Any]:
    at = f"responder.{r.definition.id}"
    yes = held.count(f"{at}.yes")
    types = [
        (t, _share(s, held.count(f"{at}.type.{t}.yes"), held.count(f"{at}.type.{t}.n"))) for t, s in r.by_pain_type
    ]
    return {
        "id": r.definition.id,
        "label": r.definition.label,
        "source": r.definition.source,
        "primary": r.definition.id == found.primary.id,
        "over_treated": _share(r.over_treated, yes, held.count(f"{at}.due")),
        "over_assessed": _share(r.over_assessed, yes, held.count(f"{at}.assessed")),
        "not_due": held.count(f"{at}.not_due"),
        "not_assessed": held.parts(f"{at}.why", [name for name, _ in r.not_assessed]),
        "by_pain_type": [{"pain_type": t, **s} for t, s in types],
        "p_pain_type": None if yes is None else _number(r.p_pain_type),
        "tested": list(r.tested),
        "test": r.test,
    }


def _pain(found: Audit, held: HeldBack, limit: int) -> dict[str, Any]:
    p = found.pain
    kept = [i for i, label in enumerate(p.labels) if label not in p.left_out] if p.means else []
    visits = []
    for i, visit in enumerate(p.visits):
        at = kept.index(i) if i in kept else None
        counts = held.parts(f"pain.{visit}", ["observed", "missing", "treated_again", "not_due"])
        fit = at is not None and not small(p.observed[i], limit)
        mean = p.means[at] if at is not None and fit else None
        change = p.changes[at - 1] if at is not None and fit and at > 0 else None
        visits.append(
            {
                "id": visit, "label": p.labels[i], "day": p.days[i],
                **counts,
                "mean": _contrast(mean), "change": _contrast(change),
            }
        )  # fmt: skip
    return {
        "visits": visits, "structure": p.structure, "people": held.count("pain.people"), "note": p.note,
        "left_out": list(p.left_out), "estimation": "REML",
        "inference": "Kenward-Roger standard errors and degrees of freedom",
    }  # fmt: skip


def _contrast(c: Any) -> dict[str, float | None] | None:
    if c is None:
        return None
    return {name: _number(getattr(c, name)) for name in ("estimate", "se", "df", "low", "high", "p")}


def _relief(found: Audit, held: HeldBack, limit: int) -> dict[str, Any] | None:
    curve = found.relief
    if curve is None or small(curve.n, limit):
        return None
    days = []
    for day in CURVE_DAYS:
        at_risk = curve.at_risk_at(day)
        s, low, high = curve.at(day)
        hide = small(at_risk, limit)
        days.append(
            {"day": day, "at_risk": None if hide else at_risk, "share": None if hide else _number(s),
             "low": None if hide else _number(low), "high": None if hide else _number(high)}
        )  # fmt: skip
    low, high = curve.median_interval
    return {
        "n": held.count("relief.n"), "ended": held.count("relief.ended"), "median": _number(curve.median),
        "median_low": _number(low), "median_high": _number(high), "days": days,
        "how": held.parts("relief.how", [name for name, _ in found.relief_how]),
        "relief_percent": found.definition.relief_percent,
    }  # fmt: skip


def _doses(found: Audit) -> dict[str, Any]:
    known = [d for d in found.doses if d.mg is not None]
    return {
        "sessions": found.sessions, "signed": found.signed, "worked_out": len(known),
        "mg": _spread([float(d.mg) for d in known if d.mg is not None]),
        "mg_per_kg": _spread([float(q) for d in known if (q := d.quantity("total mg/kg")) is not None]),
        "rate_mg_kg_h": _spread([float(q) for d in known if (q := d.quantity("rate mg/kg/h")) is not None]),
        "limits": [
            {
                "id": a.limit.id, "label": a.limit.label, "of": a.limit.of, "source": a.limit.source,
                "form": a.limit.form or "not stated",
                "low": None if a.limit.low is None else float(a.limit.low),
                "high": None if a.limit.high is None else float(a.limit.high),
                "within": a.within, "below": a.below, "above": a.above, "not_comparable": a.not_comparable,
                "largest": None if a.largest is None else float(a.largest),
            }
            for a in found.limits
        ],
    }  # fmt: skip


def _spread(values: list[float]) -> dict[str, float] | None:
    if len(values) < 5:
        return None
    import numpy as np

    q1, middle, q3 = (float(q) for q in np.quantile(values, [0.25, 0.5, 0.75]))
    return {"median": middle, "q1": q1, "q3": q3, "min": min(values), "max": max(values)}


def _harms(found: Audit, held: HeldBack, limit: int) -> dict[str, Any]:
    h = found.harms
    asked = held.count("harms.asked")

    def share(name: str, x: int) -> dict[str, Any]:
        return _share(exact(x, h.asked), held.count(f"harms.{name}"), asked)

    return {
        "people": held.count("harms.people"),
        "asked": asked,
        "asked_every_session": held.count("harms.asked_every_session"),
        "never_asked": held.count("harms.never_asked"),
        "not_recorded": held.count("harms.not_recorded"),
        "any": share("any", h.with_event),
        "worst": [{"severity": s, **share(f"worst.{s}", h.worst[s])} for s in SEVERITIES],
        "serious": share("serious", h.serious),
        "terms": [{"term": term, "people": n} for term, n in h.terms if not small(n, limit)],
        "rare_terms": sum(small(n, limit) for _, n in h.terms),
    }


def _sites(found: Audit, held: HeldBack) -> list[dict[str, Any]]:
    return [
        {"id": s.id, "name": s.name,
         **_share(exact(s.x, s.n), held.count(f"site.{s.id}.yes"), held.count(f"site.{s.id}.n"))}
        for s in found.sites
    ]  # fmt: skip


def _over_time(found: Audit, held: HeldBack, limit: int) -> dict[str, Any]:
    o = found.over_time
    hidden = [bool({f"period.{p}.{part}" for part in ("yes", "n")} & held.hidden) for p in o.periods]
    # The centre is the share of all assessed, and gives away what of it is held back.
    at = f"responder.{found.primary.id}"
    told = hidden.count(False) > 1 and not {f"{at}.yes", f"{at}.assessed"} & held.hidden
    changes = o.changes if o.changes is not None and limit <= 5 else None
    return {
        "rules": list(RULES),
        "responders_by": o.by,
        "responders": _chart(o.responders, o.periods, hidden) if o.responders and told else None,
        "changes": _chart(changes, o.change_periods, [False] * len(o.change_periods)) if changes else None,
    }


def _chart(chart: ControlChart, periods: tuple[str, ...], hidden: list[bool]) -> dict[str, Any]:
    return {
        "kind": chart.kind, "centre": chart.centre, "few": chart.few,
        "points": [
            {
                "period": period, "value": None if h else value, "low": None if h else low, "high": None if h else high,
                "n": None if not chart.sizes or h else chart.sizes[i], "signals": [] if h else list(chart.signals[i]),
            }
            for i, (period, value, low, high, h) in enumerate(
                zip(periods, chart.values, chart.low, chart.high, hidden, strict=True))
        ],
    }  # fmt: skip


def _subtracted(results: tuple[ResponderResult, ...], limit: int) -> list[tuple[int, int]]:
    """Shares of one visit that a share of the same visit would give away by subtraction: of fewer people among more."""
    gone = []
    for one, other in permutations(results, 2):
        if one.people("responder") <= other.people("responder"):
            types = dict(other.by_pain_type)
            pairs = [
                (one.over_assessed, other.over_assessed),
                *((s, types[t]) for t, s in one.by_pain_type if t in types),
            ]
            gone += [(few.x, few.n) for few, many in pairs if small(many.x - few.x, limit)]
    for r in results:
        gone += [
            (s.x, s.n) for _, s in r.by_pain_type
            if small(r.over_assessed.x - s.x, limit) or small(r.over_assessed.n - s.n, limit)
        ]  # fmt: skip
    return gone


def _evidence(e: BesideEvidence, found: Audit, held: HeldBack, limit: int) -> dict[str, Any]:
    gone = [
        (share.x, share.n)
        for r in found.responders
        for share, n in ((r.over_assessed, "assessed"), (r.over_treated, "due"))
        if {f"responder.{r.definition.id}.{name}" for name in ("yes", n)} & held.hidden
    ] + [
        (s.x, s.n)
        for r in found.responders
        for t, s in r.by_pain_type
        if {f"responder.{r.definition.id}.type.{t}.{name}" for name in ("yes", "n")} & held.hidden
    ]

    for _, results in found.at_visits:
        gone += _subtracted(results, limit)

    def hide(share: Share | None) -> dict[str, Any] | None:
        if share is None:
            return None
        hidden = (share.x, share.n) in gone or shares_hidden([(share.x, share.n)], limit)
        n = None if hidden else share.n
        return _share(share, None if hidden else share.x, n)

    return {
        "review": e.review,
        "reasons": list(e.reasons),
        "trials": [
            {
                "id": b.trial.id, "title": b.trial.title, "quantity": b.trial.quantity, "measure": b.trial.measure,
                "window": b.trial.window, "trials": b.trial.k, "estimate": _number(b.trial.estimate),
                "low": _number(b.trial.low), "high": _number(b.trial.high),
                "prediction": None if b.trial.prediction is None else [_number(v) for v in b.trial.prediction],
                "arms": None if b.trial.arms is None else {"x": b.trial.arms[0], "n": b.trial.arms[1]},
                "pain_in_trials": list(b.trial.pain_classes),
                "visit": b.visit.label if b.visit else None,
                "clinic_change": None if b.change is None else
                {"estimate": b.change[0], "low": b.change[1], "high": b.change[2]},
                "clinic_response": hide(b.response), "clinic_response_neuropathic": hide(b.response_neuropathic),
                "same_window": b.same_window, "same_definition": b.same_definition, "why_not": list(b.why_not),
            }
            for b in e.trials
        ],
        "cohorts": [
            {
                "label": b.cohort.label, "source": b.cohort.source,
                "definition": b.definition.label if b.definition else None,
                "clinic_assessed": hide(b.clinic_assessed), "clinic_treated": hide(b.clinic_treated),
                # Published counts are public; nothing of them is held back.
                "cohort_assessed": _share(b.cohort_assessed, b.cohort_assessed.x, b.cohort_assessed.n),
                "cohort_treated": _share(b.cohort_treated, b.cohort_treated.x, b.cohort_treated.n),
                "why_not": list(b.why_not), "missing": list(b.cohort.missing),
            }
            for b in e.cohorts
        ],
    }  # fmt: skip
