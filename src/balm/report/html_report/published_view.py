"""What others published and claimed: the figure beside our own results, the tables with recomputed figures."""

from __future__ import annotations

from balm.plots.published import Panel, PublishedRow
from balm.report.html_report.analysis_view import signed
from balm.report.html_report.guidance_view import as_printed
from balm.report.html_report.links import anchor
from balm.report.html_report.study_tables import faded, marked, outcome_name, sources
from balm.report.html_report.table import Cell, Row, Table, columns, group, number, value
from balm.report.result_sentence import shows_ratio
from balm.review.certainty.of_analysis import participants, used_rows
from balm.review.package import Outcome
from balm.review.synthesis import AnalysisResult, CheckedClaim, CheckedPublished, Synthesis
from balm.vocabulary.numbers import plain

NOT_STATED = "not stated"
#: Measures of one group: they have no control and stand in a panel of their own.
SINGLE_ARM = ("proportion", "PR", "PLO", "PFT", "PAS", "PLN")
SEVERITIES = ("critical", "high", "medium", "low")


def panels(synthesis: Synthesis) -> list[Panel]:
    """Published results grouped by what can share an axis; ours first among the same outcome."""
    made: list[Panel] = []
    package = synthesis.package
    usable = [
        c for c in synthesis.published if c.published.verified and c.published.outcome and _on_axis(c) is not None
    ]
    for measure in ("MD", "RR"):
        for domain in dict.fromkeys(o.domain for o in package.meta.outcomes):
            outcomes = [o for o in package.meta.outcomes if o.domain == domain]
            if measure == "MD":  # one axis holds one outcome on one scale
                made += [p for o in outcomes if o.scale and (p := _panel(synthesis, usable, measure, [o])) is not None]
            elif (panel := _panel(synthesis, usable, measure, outcomes)) is not None:
                made.append(panel)
    alone = [c for c in usable if c.published.measure in SINGLE_ARM]
    rows = [r for c in alone if (r := _published_row(c, outcome_name(package, c.published.outcome), percent=True))]
    for result in synthesis.analyses:
        if result.measure in SINGLE_ARM and (row := _own_row(result, result.outcome.name, percent=True)):
            rows.insert(0, row)
    if rows:
        made.append(
            Panel(
                "Single-arm series: people with a response, no control group",
                "Per cent of people",
                tuple(rows),
                null=None,
                limits=(0.0, 100.0),
                digits=0,
                note="Proportions without a control group do not show what the treatment adds, and "
                "definitions of response differ: they must not be read against the differences and ratios above.",
            )
        )
    return made


def _panel(synthesis: Synthesis, usable: list[CheckedPublished], measure: str, outcomes: list[Outcome]) -> Panel | None:
    of = {o.id: [c for c in usable if c.published.measure == measure and c.published.outcome == o.id] for o in outcomes}
    outcomes = [o for o in outcomes if of[o.id]]
    if not outcomes:
        return None
    first, several = outcomes[0], len(outcomes) > 1
    rows: list[PublishedRow] = []
    for outcome in outcomes:
        name = outcome.name if several else ""
        ours = [
            row
            for result in synthesis.analyses
            if result.measure == measure and result.outcome.id == outcome.id and result.comparison.group_2
            if not result.spec.outside and (row := _own_row(result, name))
        ]
        rows += ours + [row for c in of[outcome.id] if (row := _published_row(c, name))]
    difference = first.important_difference if measure == "MD" else None
    return Panel(
        f"{first.domain.capitalize()}: {len(outcomes)} outcomes" if several else first.name,
        "Risk ratio (log scale)" if measure == "RR" else f"Mean difference, {first.unit or 'unit not stated'}",
        tuple(rows),
        ratio=measure == "RR",
        null=1.0 if measure == "RR" else 0.0,
        important=None if difference is None else signed(difference, first),
        important_source="" if difference is None else difference.source,
        favours=_favours(synthesis, first),
    )


def _favours(synthesis: Synthesis, outcome: Outcome) -> tuple[str, str]:
    """What lies left and right of no effect; of harms it says less and more, because neither side is favoured."""
    comparison = next((r.comparison for r in synthesis.analyses if r.comparison.group_2), None)
    one = comparison.group_1.lower() if comparison else "intervention"
    two = (comparison.group_2 or "").lower() if comparison else "control"
    if outcome.domain == "harm":
        return f"Less with {one}", f"More with {one}"
    lower = outcome.direction.startswith("lower")
    return (f"Favours {one}", f"Favours {two}") if lower else (f"Favours {two}", f"Favours {one}")


def _on_axis(c: CheckedPublished) -> tuple[float, float, float] | None:
    p = c.published
    if p.measure == "MD" and p.scale is None:
        return None  # a difference on an unknown scale has no place on any axis
    if c.on_scale is not None:
        found = c.on_scale
    elif p.scale is None and p.estimate is not None and p.ci_low is not None and p.ci_high is not None:
        found = (p.estimate, p.ci_low, p.ci_high)
    else:
        return None
    return found if found[1] <= found[0] <= found[2] else None


def _published_row(c: CheckedPublished, outcome: str, *, percent: bool = False) -> PublishedRow | None:
    found = _on_axis(c)
    if found is None:
        return None
    p = c.published
    if percent and max(found) <= 1:
        found = (found[0] * 100, found[1] * 100, found[2] * 100)
    time = as_printed(p.timepoint or NOT_STATED)
    label = f"{p.label}{' *' if c.rescaled else ''}"
    return PublishedRow(label, time, p.k_text or NOT_STATED, p.n_text or NOT_STATED, *found, outcome=outcome)


def _own_row(result: AnalysisResult, outcome: str, *, percent: bool = False) -> PublishedRow | None:
    if result.fit is not None:
        shown = result.fit.displayed
        found = (shown.estimate, shown.interval.low, shown.interval.high)
        trials = str(result.fit.k)
    elif result.single is not None:
        found = (result.single.estimate, result.single.interval.low, result.single.interval.high)
        trials = "1"
    else:
        return None
    if any(x != x for x in found):
        return None
    if percent:
        found = (found[0] * 100, found[1] * 100, found[2] * 100)
    time = ", ".join(w.name.partition(" (")[0] for w in result.windows)
    people = participants(used_rows(result))
    name = "This review" if result.fit is not None else "This review, one trial"
    return PublishedRow(
        name,
        time or "any time",
        trials,
        NOT_STATED if people is None else str(people),
        *found,
        own=True,
        single=result.fit is None,
        outcome=outcome,
    )


def published_table(synthesis: Synthesis, numbers: dict[str, int]) -> Table:
    """Every published result with its p value recomputed from its interval."""
    heads = columns("#Source", "Outcome and time point", "Measure", "Trials and people", ">Estimate", ">Low", ">High",
                    ">P printed", ">P recomputed", "+Do they agree?", "Certainty as published",
                    "@Read on")  # fmt: skip
    rows = []
    package = synthesis.package
    for c in synthesis.published:
        p = c.published
        agree = "not comparable" if c.agrees is None else "yes" if c.agrees else "no"
        rows.append(
            Row(
                (
                    Cell(p.label, mark=marked(p.verified)),
                    value("; ".join(x for x in (p.reported_as, p.timepoint) if x)),
                    value(p.measure, missing="no pooled result"),
                    value("; ".join(x for x in (p.k_text, p.n_text) if x), missing=NOT_STATED),
                    number(p.estimate, ratio=shows_ratio(p.measure), missing="–"),
                    number(p.ci_low, ratio=shows_ratio(p.measure), missing="–"),
                    number(p.ci_high, ratio=shows_ratio(p.measure), missing="–"),
                    value(p.p.text if p.p else None, missing="–"),
                    recomputed(c.p_recomputed),
                    Cell(agree, tag="high", after=c.why)
                    if c.agrees is False
                    else Cell(agree if c.agrees else c.why or agree),
                    value(p.certainty, missing=NOT_STATED),
                    sources(package, p.source, p.report, numbers),
                ),
                id=anchor("published", p.published),
                classes=faded(p.verified),
            )
        )
    note = "P is recomputed from the printed estimate and interval (normal distribution; ratios on the log scale)."
    return Table("published-table", "Published pooled results, recomputed", heads, tuple(rows), note=note, cards=True)


def recomputed(p: float | None) -> Cell:
    """A recomputed p value to two figures, or a dash where nothing can be recomputed."""
    if p is None or p != p:
        return Cell("–", absent=True)
    if p < 1e-6:
        return Cell("<0.000001")
    return Cell(f"{p:#.2g}" if p >= 1e-4 else plain(p, 6))


def why_they_differ(synthesis: Synthesis) -> Table:
    """Trials, comparators, time point, scale and model of each published result: the reasons why reviews differ."""
    heads = columns(
        "#Source", "Outcome and time point", "+Trials", "Comparators", "Routes", "Scale", "+Model", "+Notes"
    )
    rows = []
    seen: set[tuple[object, ...]] = set()
    scales = {s.id: s.name for s in synthesis.package.meta.scales}
    ours = [r for r in synthesis.analyses if r.fit is not None and r.comparison.group_2 and not r.spec.outside]
    for result in ours:
        labels = ", ".join(row.label for row in result.rows)
        spec = result.spec
        scale = scales.get(result.outcome.scale or "", "counts") if result.outcome.kind == "continuous" else "counts"
        rows.append(
            Row(
                (
                    Cell("This review", href="#" + anchor("analysis", result.id)),
                    Cell(result.title),
                    Cell(labels),
                    Cell(result.comparison.group_2 or ""),
                    Cell("intravenous"),
                    Cell(scale),
                    Cell(f"{spec.model} effects, {spec.tau2}, {spec.inference}"),
                    Cell(spec.note or ""),
                ),
                classes="own",
            )
        )
    for c in synthesis.published:
        p = c.published
        if p.estimate is None:
            continue
        key = (p.review, p.reported_as, p.trials, p.comparators, p.routes, p.scale, p.model, p.notes)
        if key in seen:
            continue
        seen.add(key)
        notes = " ".join(x for x in (p.notes, c.rescaled) if x)
        time = f", {p.timepoint}" if p.timepoint else ""
        rows.append(
            Row(
                (
                    Cell(p.label, href="#" + anchor("published", p.published), mark=marked(p.verified)),
                    Cell(f"{p.reported_as or NOT_STATED}{time}"),
                    value(p.trials, missing=NOT_STATED),
                    value(p.comparators, missing=NOT_STATED),
                    value(p.routes, missing=NOT_STATED),
                    value(scales.get(p.scale or "", p.scale), missing=NOT_STATED),
                    value(p.model, missing=NOT_STATED),
                    Cell(notes),
                ),
                classes=faded(p.verified),
            )
        )
    return Table("why", "Why the reviews differ", heads, tuple(rows), cards=True)


def claims_table(synthesis: Synthesis, numbers: dict[str, int]) -> Table:
    """The claims of the texts under review, each with what can be recomputed and what its source says."""
    heads = columns("#Claim", "Severity", "+What the text says", ">P printed", ">P recomputed",
                    "+Check of the figures", "+What the source says", "+Verdict", "@Source")  # fmt: skip
    rows: list[Row] = []
    briefs = list(dict.fromkeys(c.claim.brief for c in synthesis.claims))
    for brief in briefs:
        rows.append(group(f"Text {brief}", heads))
        for c in (c for c in synthesis.claims if c.claim.brief == brief):
            rows.append(_claim(synthesis, c, numbers))
    note = (
        "A claim without a flag agrees with its source as far as it could be checked. "
        "That a difference is not statistically significant is not evidence of safety."
    )
    return Table("claims-table", "Claims of the texts, checked", heads, tuple(rows), note=note, cards=True)


def _claim(synthesis: Synthesis, c: CheckedClaim, numbers: dict[str, int]) -> Row:
    claim = c.claim
    percent = "" if c.percent_recomputed is None else f"{c.percent_recomputed:.1f}%"
    agree = "" if c.agrees is None else "figures agree" if c.agrees else "figures do not agree"
    says = "; ".join(x for x in (claim.primary_source, claim.source_says) if x)
    severity = (claim.severity or "").lower()
    tag = severity if severity in SEVERITIES else "consistent"
    return Row(
        (
            Cell(claim.claim, mark=marked(claim.verified)),
            Cell(severity or "no flag", tag=tag),
            Cell(claim.text),
            value(claim.p.text if claim.p else None, missing="–"),
            recomputed(c.p_recomputed),
            value(c.why or percent or agree, missing="no figure that can be recomputed"),
            value(says, missing="no source"),
            Cell("; ".join(x for x in (claim.verdict, claim.notes) if x)),
            sources(synthesis.package, claim.source, None, numbers),
        ),
        id=anchor("claim", claim.claim),
        classes=faded(claim.verified),
    )


def claims_count(synthesis: Synthesis) -> str:
    """How many claims carry each severity, in words."""
    counts = {s: sum((c.claim.severity or "").lower() == s for c in synthesis.claims) for s in SEVERITIES}
    said = ", ".join(f"{n} {s}" for s, n in counts.items() if n)
    rest = len(synthesis.claims) - sum(counts.values())
    return f"{len(synthesis.claims)} claims: {said or 'none flagged'}; {rest} without a flag."
