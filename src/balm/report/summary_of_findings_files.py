"""A summary of findings as CSV and HTML, and an evidence profile as CSV in GRADEpro's order of columns."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from html import escape

from balm.report.summary_of_findings import NO_DATA, Finding, SummaryOfFindings
from balm.review.certainty.words import DOWN, UP
from balm.vocabulary.spreadsheet_cell import harmless

SOF_COLUMNS = (
    "Outcome", "Measured", "Follow-up", "Risk with control", "Risk with intervention", "Difference", "NNT",
    "Baseline risk from", "Relative effect", "Participants", "Studies", "Certainty", "Symbols", "Notes",
    "Comments", "Address",
)  # fmt: skip
#: The columns of GRADEpro's evidence profile, in its order.
PROFILE_COLUMNS = (
    "Outcome", "№ of studies", "Study design", "Risk of bias", "Inconsistency", "Indirectness", "Imprecision",
    "Other considerations", "№ of participants", "Relative", "Absolute", "Certainty",
)  # fmt: skip


def summary_csv(table: SummaryOfFindings) -> str:
    """One line an outcome and baseline risk."""
    lines = []
    for f in table.findings:
        for control, with_it, apart, nnt, source in risk_cells(f):
            lines.append(
                (f.outcome, f.measured, f.follow_up, control, with_it, apart, nnt, source, f.relative,
                 f.people, f.studies, f.certainty, f.symbols, " ".join(f.marks), f.comment,
                 f.analysis)
            )  # fmt: skip
    heads = tuple(f"{h} ({table.interval})" if h == "Relative effect" else h for h in SOF_COLUMNS)
    return _csv(heads, lines)


def profile_csv(table: SummaryOfFindings) -> str:
    """The evidence profile, in GRADEpro's words and order of columns."""
    lines = [
        (f"{f.outcome}, {f.follow_up}", f.studies, f.design, *(f.ratings[d] for d in DOWN[:4]), other_considerations(f),
         f.people, f.relative, risk_cells(f)[0][2], " ".join(filter(None, (f.symbols, f.certainty))))
        for f in table.findings
    ]  # fmt: skip
    heads = tuple(f"{h} ({table.interval})" if h in ("Relative", "Absolute") else h for h in PROFILE_COLUMNS)
    return _csv(heads, lines)


def summary_plain(table: SummaryOfFindings) -> str:
    """The whole table as JSON: every text as it is printed."""
    return json.dumps(asdict(table), ensure_ascii=False, indent=1) + "\n"


def summary_html(table: SummaryOfFindings) -> str:
    """A table whose notes are links, in plain HTML without script or style."""
    heads = (
        "Outcome", "Risk with " + table.comparison, "Risk with " + table.intervention,
        f"Relative effect ({table.interval})", "Participants (studies)", "Certainty", "Comments",
    )  # fmt: skip
    rows = "\n".join(_row(f) for f in table.findings)
    notes = "\n".join(
        f'<li id="sof-note-{n.mark}" value="{i}"><b>{n.mark}</b> {escape(n.domain[:1].upper() + n.domain[1:])}, '
        f"{n.levels:+d}: {escape(n.text)}</li>"
        for i, n in enumerate(table.footnotes, 1)
    )
    head = "".join(f'<th scope="col">{escape(h)}</th>' for h in heads)
    return (
        f'<section class="summary-of-findings">\n<p>Population: {escape(table.population)}. Intervention: '
        f"{escape(table.intervention)}. Comparison: {escape(table.comparison)}.</p>\n"
        f"<table><caption>Summary of findings: {escape(table.title)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody></table>\n<ol>\n{notes}\n</ol>\n</section>\n"
    )


def _row(f: Finding) -> str:
    marks = "<sup>,</sup>".join(f'<sup><a href="#sof-note-{m}">{m}</a></sup>' for m in f.marks)
    about = "; ".join(filter(None, (f.measured, f.follow_up)))
    risks = risk_cells(f)
    control = "<br>".join(escape(f"{r[0]} ({r[4]})" if r[4] else r[0]) for r in risks)
    with_it = "<br>".join(
        escape("; ".join(filter(None, (r[1], r[2] if r[2] not in ("–", r[1]) else "", r[3])))) for r in risks
    )
    certainty = f'<span aria-hidden="true">{f.symbols}</span> {escape(f.certainty)}{marks}'
    return (
        f'<tr><th scope="row">{escape(f.outcome)}<br><small>{escape(about)}</small></th><td>{control}</td>'
        f"<td>{with_it}</td><td>{escape(f.relative)}</td><td>{f.people_and_studies}</td>"
        f"<td>{certainty}</td><td>{escape(f.comment)}</td></tr>"
    )


def risk_cells(f: Finding) -> list[tuple[str, str, str, str, str]]:
    """Risk with control, risk with intervention, difference, number needed to treat and source, at each baseline."""
    if not f.risks:
        word = NO_DATA if not f.studies else "not estimable"
        return [(word, word, word, "", "")]
    return [(r.control, r.intervention, r.difference, r.nnt, r.source) for r in f.risks]


def other_considerations(f: Finding) -> str:
    """Publication bias and what raises certainty, as GRADEpro's column has them."""
    said = []
    if f.ratings[DOWN[4]] not in ("not serious", "not rated"):
        said.append("publication bias strongly suspected")
    said += [domain for domain in UP if f.ratings[domain] not in ("none", "not rated")]
    return "; ".join(said) or "none"


def _csv(head: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([harmless(x) if isinstance(x, str) else x for x in line] for line in lines)
    return out.getvalue()
