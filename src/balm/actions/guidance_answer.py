"""An answer with its evidence and curves in one set of plain values, and as the page to read and print."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from balm.actions.guidance import Guided
from balm.actions.guidance_evidence import NOT_ASSESSED
from balm.guidance.curves import Curves, curves_of
from balm.plots.concentration import concentration_figure
from balm.plots.figure import Figure
from balm.report.guidance.as_json import answer_as_json
from balm.report.result_sentence import shows_ratio
from balm.report.rounding import USUAL, number
from balm.vocabulary.numbers import MINUS

#: The lists of an answer that hold rules.
RULES = (
    "rules", "recommendations", "contraindications", "cautions", "interactions", "monitoring", "rescue", "follow_up",
    "positions",
)  # fmt: skip


def curves_for(guided: Guided) -> Curves | None:
    """The curves of the plan; ``None`` without a plan or without a model that can be computed."""
    answer, kinetics = guided.answer, guided.guidance.kinetics
    if answer.scheme is None or kinetics is None or answer.patient.weight is None:
        return None
    weight = float(answer.patient.weight.value)
    return curves_of(kinetics, answer.therapy, answer.scheme, weight, answer.patient.form)


def figure_for(guided: Guided, curves: Curves | None) -> Figure | None:
    """The band plot of the plan."""
    answer, kinetics = guided.answer, guided.guidance.kinetics
    if curves is None or kinetics is None or answer.scheme is None or answer.patient.weight is None:
        return None
    return concentration_figure(curves, kinetics, answer.scheme, weight=float(answer.patient.weight.value))


def plain_answer(guided: Guided, curves: Curves | None = None) -> dict[str, Any]:
    """The answer as JSON prints it."""
    meta = guided.guidance.package.meta
    evidence = []
    for e in guided.evidence:
        row = asdict(e)
        row["ci_low"], row["ci_high"] = row.pop("low"), row.pop("high")
        row["text"] = f"{e.title} ({e.condition}): {_result(e.measure, e.estimate, e.low, e.high, e.ratio)}{_behind(e)}"
        evidence.append(row)
    newer = [
        {
            "newer_than": list(n.than), "newer_than_text": "; ".join(n.than), "published": p.published,
            "label": p.label, "year": p.year, "outcome": p.outcome, "measure": p.measure,
            "scale": p.scale, "timepoint": p.timepoint, "estimate": p.estimate, "ci_low": p.ci_low,
            "ci_high": p.ci_high, "certainty": p.certainty, "source": p.source,
            "text": f"{p.label}, {p.reported_as or p.outcome}, {p.timepoint or 'time not stated'}: "
            f"{_result(p.measure or '', p.estimate, p.ci_low, p.ci_high, shows_ratio(p.measure))}"
            + (f"; certainty {p.certainty}" if p.certainty else ""),
        }
        for n in guided.newer
        for p in (n.published,)
    ]  # fmt: skip
    found = answer_as_json(
        guided.answer,
        package={"id": meta.id, "title": meta.title, "version": meta.version, "date": meta.date},
        evidence=evidence,
        newer=newer,
        curves=curves,
        kinetics=guided.guidance.kinetics,
    )
    for name in RULES:
        for rule in found[name]:
            # results on pain make advice to treat old, not a contraindication or what to watch
            year = rule["source"]["year"] if name in ("rules", "recommendations", "positions") else None
            rule["newer_evidence"] = [n["published"] for n in newer if year is not None and n["year"] > year]
    return found


def _result(measure: str, estimate: float | None, low: float | None, high: float | None, ratio: bool) -> str:
    if estimate is None:
        return "nothing to pool"

    def shown(x: float) -> str:
        return number(x, USUAL, ratio=ratio, minus=MINUS)

    ends = "" if low is None or high is None else f" ({shown(low)} to {shown(high)})"
    return f"{measure} {shown(estimate)}{ends}"


def _behind(e: Any) -> str:
    if e.what == "nothing to pool":
        return f": {e.why}" if e.why else ""
    alone = "" if e.controlled else "; no control group: no effect, never to be set beside a controlled one"
    rated = e.certainty if e.certainty == NOT_ASSESSED else f"certainty {e.certainty}"
    rated += f", {e.certainty_note}" if e.certainty_note else ""
    count = "one study, not pooled" if e.what == "one study" else f"{e.k} studies pooled"
    return f"; {count}: {', '.join(e.studies)}; {rated}{alone}"
