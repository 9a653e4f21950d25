"""What of an audit may be shown: the values that JSON, tables, figures and sentences all read, small numbers left out.

A value held back is ``None`` and named in ``held_back``; nothing that writes has the audit itself.
"""

from __future__ import annotations

import math
from typing import Any

from balm.registry.against_evidence import BesideEvidence
from balm.registry.audit import Audit, Share, exact
from balm.registry.small_cells import groups_hidden, partition, shares_hidden, small
from balm.registry.tables import SEVERITIES
from balm.stats.control_charts import RULES, ControlChart

#: Days at which the curve of relief is given as numbers.
CURVE_DAYS = (7, 14, 30, 61, 91, 183, 365)
MARK = "SIMULATED: no patient, no clinic. Made by a program to show the pages."


def shown(found: Audit, evidence: BesideEvidence | None = None) -> dict[str, Any]:
    """The audit as plain values for JSON: numbers in full precision, percentages as shares, ``None`` where hidden."""
    limit = found.definition.small_cells
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
        "visit": {"id": found.visit.id, "label": found.visit.label, "day": found.visit.day},
        "flow": {
            **{
                name: _count(getattr(f, name), limit)
                for name in ("enrolled", "treated", "not_due", "due", "followed", "not_followed", "analysed",
                             "consent_not_recorded")
            },
            **partition({"refused": f.refused, "not_treated": f.not_treated}, limit),
            "reasons": _parts(dict(f.reasons), limit),
            "why_not_analysed": _parts(dict(f.why_not_analysed), limit),
        },
        "people": {
            "n": _count(found.people, limit),
            "sex": _parts(dict(found.sexes), limit),
            "age": None if found.ages[3] < max(limit, 1) else
            {"median": found.ages[0], "q1": found.ages[1], "q3": found.ages[2], "known": found.ages[3]},
            "pain_type": _parts(dict(found.pain_types), limit),
        },
        "responders": [_responder(found, r, limit) for r in found.responders],
        "pain": _pain(found, limit),
        "relief": _relief(found, limit),
        "doses": _doses(found, limit),
        "harms": _harms(found, limit),
        "stops": _parts(dict(found.stops), limit),
        "sites": _sites(found, limit),
        "over_time": _over_time(found, limit),
        "outside_window": found.outside_window,
        "evidence": None if evidence is None else _evidence(evidence, limit),
    }  # fmt: skip


def _count(n: int, limit: int) -> int | None:
    return None if small(n, limit) else n


def _parts(parts: dict[str, int], limit: int) -> dict[str, int | None]:
    return partition(parts, limit)


def _number(value: float) -> float | None:
    return None if math.isnan(value) or math.isinf(value) else float(value)


def _share(share: Share, hidden: bool, limit: int) -> dict[str, Any]:
    if small(share.n, limit):
        return {"x": None, "n": None, "share": None, "low": None, "high": None, "held_back": True}
    if hidden:
        return {"x": None, "n": share.n, "share": None, "low": None, "high": None, "held_back": True}
    return {
        "x": share.x, "n": share.n, "share": _number(share.share), "low": _number(share.low),
        "high": _number(share.high), "held_back": False,
    }  # fmt: skip


def _responder(found: Audit, r: Any, limit: int) -> dict[str, Any]:
    both = [(r.over_treated.x, r.over_treated.n), (r.over_assessed.x, r.over_assessed.n)]
    hidden = shares_hidden(both, limit)
    groups = groups_hidden([(s.x, s.n) for _, s in r.by_pain_type], limit)
    return {
        "id": r.definition.id,
        "label": r.definition.label,
        "source": r.definition.source,
        "primary": r.definition.id == found.primary.id,
        "over_treated": _share(r.over_treated, hidden, limit),
        "over_assessed": _share(r.over_assessed, hidden, limit),
        "not_due": _count(r.not_due, limit),
        "not_assessed": _parts(dict(r.not_assessed), limit),
        "by_pain_type": [
            {"pain_type": t, **_share(s, hidden or h, limit)} for (t, s), h in zip(r.by_pain_type, groups, strict=True)
        ],
        "p_pain_type": None if hidden else _number(r.p_pain_type),
        "tested": list(r.tested),
        "test": r.test,
    }


def _pain(found: Audit, limit: int) -> dict[str, Any]:
    p = found.pain
    kept = [i for i, label in enumerate(p.labels) if label not in p.left_out] if p.means else []
    visits = []
    for i, visit in enumerate(p.visits):
        at = kept.index(i) if i in kept else None
        gone = partition({"missing": p.missing[i], "treated_again": p.again[i], "not_due": p.not_due[i]}, limit)
        fit = at is not None and not small(p.observed[i], limit)
        mean = p.means[at] if at is not None and fit else None
        change = p.changes[at - 1] if at is not None and fit and at > 0 else None
        visits.append(
            {
                "id": visit, "label": p.labels[i], "day": p.days[i],
                "observed": _count(p.observed[i], limit), **gone,
                "mean": _contrast(mean), "change": _contrast(change),
            }
        )  # fmt: skip
    return {
        "visits": visits, "structure": p.structure, "people": _count(p.people, limit), "note": p.note,
        "left_out": list(p.left_out), "estimation": "REML",
        "inference": "Kenward-Roger standard errors and degrees of freedom",
    }  # fmt: skip


def _contrast(c: Any) -> dict[str, float | None] | None:
    if c is None:
        return None
    return {name: _number(getattr(c, name)) for name in ("estimate", "se", "df", "low", "high", "p")}


def _relief(found: Audit, limit: int) -> dict[str, Any] | None:
    curve = found.relief
    if curve is None or small(curve.n, limit):
        return None
    events = sum(curve.events)
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
        "n": curve.n, "ended": _count(events, limit), "median": _number(curve.median), "median_low": _number(low),
        "median_high": _number(high), "how": _parts(dict(found.relief_how), limit), "days": days,
        "relief_percent": found.definition.relief_percent,
    }  # fmt: skip


def _doses(found: Audit, limit: int) -> dict[str, Any]:
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


def _harms(found: Audit, limit: int) -> dict[str, Any]:
    h = found.harms
    worst = partition({s: h.worst[s] for s in SEVERITIES}, limit)
    any_event = exact(h.with_event, h.asked)
    return {
        "people": _count(h.people, limit),
        "asked": _count(h.asked, limit),
        "asked_every_session": _count(h.asked_every_session, limit),
        "never_asked": _count(h.never_asked, limit),
        "not_recorded": _count(h.not_recorded, limit),
        "any": _share(any_event, shares_hidden([(h.with_event, h.asked)], limit), limit),
        "worst": [{"severity": s, **_share(exact(h.worst[s], h.asked), worst[s] is None, limit)} for s in SEVERITIES],
        "serious": _share(exact(h.serious, h.asked), shares_hidden([(h.serious, h.asked)], limit), limit),
        "terms": [{"term": term, "people": _count(n, limit)} for term, n in h.terms if not small(n, limit)],
        "rare_terms": sum(small(n, limit) for _, n in h.terms),
    }


def _sites(found: Audit, limit: int) -> list[dict[str, Any]]:
    hidden = groups_hidden([(s.x, s.n) for s in found.sites], limit)
    return [
        {"id": s.id, "name": s.name, **_share(exact(s.x, s.n), h, limit)}
        for s, h in zip(found.sites, hidden, strict=True)
    ]


def _over_time(found: Audit, limit: int) -> dict[str, Any]:
    o = found.over_time
    hidden = []
    if o.responders is not None:
        counts = [(round(v * n), n) for v, n in zip(o.responders.values, o.responders.sizes, strict=True)]
        hidden = groups_hidden(counts, limit)
    changes = o.changes if o.changes is not None and limit <= 5 else None
    return {
        "rules": list(RULES),
        "responders": _chart(o.responders, o.periods, hidden) if o.responders else None,
        "changes": _chart(changes, o.change_periods, [False] * len(o.change_periods)) if changes else None,
    }


def _chart(chart: ControlChart, periods: tuple[str, ...], hidden: list[bool]) -> dict[str, Any]:
    return {
        "kind": chart.kind, "centre": chart.centre, "few": chart.few,
        "points": [
            {
                "period": period, "value": None if h else value, "low": low, "high": high,
                "n": None if not chart.sizes or h else chart.sizes[i], "signals": [] if h else list(chart.signals[i]),
            }
            for i, (period, value, low, high, h) in enumerate(
                zip(periods, chart.values, chart.low, chart.high, hidden, strict=True))
        ],
    }  # fmt: skip


def _evidence(e: BesideEvidence, limit: int) -> dict[str, Any]:
    def hide(share: Share | None) -> dict[str, Any] | None:
        return None if share is None else _share(share, shares_hidden([(share.x, share.n)], limit), limit)

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
                "cohort_assessed": _share(b.cohort_assessed, False, 0),
                "cohort_treated": _share(b.cohort_treated, False, 0),
                "why_not": list(b.why_not), "missing": list(b.cohort.missing),
            }
            for b in e.cohorts
        ],
    }  # fmt: skip
