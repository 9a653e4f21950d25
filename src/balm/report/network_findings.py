"""A summary of findings of a network: every treatment against the reference, best first, with its certainty.

The columns follow the tables for networks of Yepes-Nunez et al. (2019) J Clin Epidemiol 115:1: relative effect,
anticipated absolute effect, certainty, ranking, and how each came about.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from balm.report.absolute_effects import absolute_effects
from balm.report.summary_of_findings_words import points
from balm.review.certainty.of_network import NetworkRating
from balm.review.certainty.words import SYMBOLS
from balm.stats.measures import MEASURES
from balm.stats.network.network import Network
from balm.vocabulary.problems import InputError
from balm.vocabulary.spreadsheet_cell import harmless

COLUMNS = (
    "Treatment", "Evidence", "Direct studies", "Relative effect", "Risk with reference", "Risk with treatment",
    "Difference", "Certainty", "Symbols", "P-score", "Contributed at low risk of bias", "How", "To judge",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NetworkFinding:
    """One treatment against the reference; all texts are ready to print."""

    treatment: str
    evidence: str
    studies: int
    relative: str
    control: str
    risk: str
    difference: str
    certainty: str
    p_score: float
    low_bias: float
    steps: tuple[str, ...]
    ask: str


@dataclass(frozen=True, slots=True)
class NetworkFindings:
    """The table: ``reference`` is what every row is compared with; ``interval`` names the coverage."""

    title: str
    reference: str
    interval: str
    rows: tuple[NetworkFinding, ...]


def network_findings(
    fit: Network, ratings: Sequence[NetworkRating], *, title: str, baseline_risk: float | None = None
) -> NetworkFindings:
    """The rows, by P-score. ``baseline_risk`` (0 to 1, with the reference) gives absolute effects of RR, OR and RD."""
    if baseline_risk is not None and not 0.0 < baseline_risk < 1.0:
        raise InputError(f"baseline_risk must lie between 0 and 1; got {baseline_risk!r}")
    if baseline_risk is not None and fit.measure not in ("RR", "OR", "RD"):
        raise InputError(f"a baseline risk gives absolute effects of RR, OR and RD; the network is of {fit.measure}")
    rated = {frozenset((r.comparison.treatment, r.comparison.against)): r for r in ratings}
    studies = {frozenset((s.treatment_1, s.treatment_2)): s.k for s in fit.split()}
    score = dict(zip(fit.treatments, fit.p_scores.tolist(), strict=True))
    rows = []
    for name in sorted((t for t in fit.treatments if t != fit.reference), key=lambda t: -score[t]):
        key = frozenset((name, fit.reference))
        rating = rated[key]
        relative, absolute = effects_in_words(fit, name, baseline_risk)
        rows.append(
            NetworkFinding(
                name,
                rating.kind,
                studies[key],
                relative,
                *absolute,
                rating.certainty,
                score[name],
                rating.bias_shares[0],
                rating.steps,
                rating.ask,
            )
        )
    return NetworkFindings(title, fit.reference, f"{100 * fit.level:g}% interval", tuple(rows))


def effects_in_words(fit: Network, name: str, baseline: float | None) -> tuple[str, tuple[str, str, str]]:
    """The relative effect, and risk with the reference, with the treatment, and their difference."""
    one = fit.compare(name)
    scale = MEASURES[fit.measure].scale
    ratio = bool(scale and scale.ratio)
    value, low, high = (math.exp(x) if ratio else x for x in (one.estimate, *one.interval))
    shown = f"{fit.measure} {value:.2f} ({low:.2f} to {high:.2f})".removeprefix("GEN ")
    if baseline is None:
        apart = f"{points(value)} ({points(low)} to {points(high)})" if fit.measure == "MD" else "–"
        return shown, ("–", "–", apart)
    told = absolute_effects(fit.measure, value, low, high, baseline)
    return shown, (told.control, told.risk, told.difference)


def findings_csv(table: NetworkFindings) -> str:
    """One line a treatment."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([f"{c} ({table.interval})" if c == "Relative effect" else c for c in COLUMNS])
    for f in table.rows:
        texts = (f.treatment, f.evidence, f.studies, f.relative, f.control, f.risk, f.difference, f.certainty)
        more = (SYMBOLS[f.certainty], f"{f.p_score:.3f}", f"{100 * f.low_bias:.0f}%", ". ".join(f.steps), f.ask)
        writer.writerow([harmless(x) if isinstance(x, str) else x for x in (*texts, *more)])
    return out.getvalue()


def findings_html(table: NetworkFindings) -> str:
    """A table and how each certainty came about, in plain HTML without script."""
    heads = (
        "Treatment", f"Relative effect ({table.interval})", f"Risk with {table.reference}", "Risk with treatment",
        "Certainty", "P-score", "Evidence",
    )  # fmt: skip
    head = "".join(f'<th scope="col">{escape(h)}</th>' for h in heads)
    rows = "\n".join(_row(f) for f in table.rows)
    notes = "\n".join(_how(f) for f in table.rows)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(table.title)}</title>\n<style>{STYLE}</style></head><body>\n<h1>{escape(table.title)}</h1>\n"
        f"<p>Every treatment against {escape(table.reference)}, best first. The certainties are proposals from the "
        "numbers; a person decides.</p>\n"
        '<div class="wide" tabindex="0" role="region" aria-label="Findings">\n'
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>\n"
        f"<h2>How the certainty came about</h2>\n<dl>\n{notes}\n</dl>\n</body></html>\n"
    )


STYLE = (
    "body{font:16px/1.45 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b232d;"
    "background:#fff}.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{text-align:left;"
    "vertical-align:top;padding:.45rem .7rem;border-bottom:1px solid #c8d0d6}dt{font-weight:600;margin-top:.7rem}"
    "dd{margin:0}ul{margin:.2rem 0}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}"
)


def _how(f: NetworkFinding) -> str:
    steps = "".join(f"<li>{escape(step[:1].upper() + step[1:])}</li>" for step in f.steps)
    ask = f"<li><b>To judge:</b> {escape(f.ask)}</li>" if f.ask else ""
    return f"<dt>{escape(f.treatment)}</dt><dd><ul>{steps}{ask}</ul></dd>"


def _row(f: NetworkFinding) -> str:
    studies = f"{f.studies} direct {'study' if f.studies == 1 else 'studies'}" if f.studies else "no direct study"
    risk = "; ".join(x for x in (f.risk, f.difference) if x != "–") or "–"
    bias = f"{100 * f.low_bias:.0f}% of the contributions at low risk of bias"
    return (
        f'<tr><th scope="row">{escape(f.treatment)}</th><td>{escape(f.relative)}</td><td>{escape(f.control)}</td>'
        f'<td>{escape(risk)}</td><td><span aria-hidden="true">{SYMBOLS[f.certainty]}</span> {escape(f.certainty)}</td>'
        f"<td>{f.p_score:.3f}</td><td>{escape(f.evidence)}, {studies}; {bias}</td></tr>"
    )
