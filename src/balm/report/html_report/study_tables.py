"""Tables of studies, arms, judgements and every number as reported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from balm.report.html_report.links import anchor, source_links
from balm.report.html_report.table import (
    NOT_REPORTED,
    NOT_VERIFIED,
    Cell,
    Column,
    Link,
    Row,
    Table,
    columns,
    group,
    value,
)
from balm.review.contrasts import timepoint_of
from balm.review.package import Package
from balm.review.risk_of_bias.targets import Target, in_words
from balm.vocabulary.evidence import Arm, BiasJudgement, Contrast, Reported, Result, Study
from balm.vocabulary.numbers import plain

#: Scopes of ``studies.csv`` that are part of the review, with the heading of their rows.
IN_REVIEW = {
    "included": "Controlled trials",
    "sensitivity": "Controlled trials used in sensitivity analyses only",
    "single-arm": "Single-arm series: no control group, shown apart",
}
OUTSIDE = {
    "excluded": "Considered and excluded",
    "ongoing": "Ongoing",
    "awaiting": "Awaiting: eligibility or data not verified",
}


def marked(verified: bool) -> str:
    """The words that stand beside a value nobody has checked."""
    return "" if verified else NOT_VERIFIED


def faded(verified: bool) -> str:
    """The class of its row."""
    return "" if verified else "unverified"


def sources(package: Package, source: str | None, report: str | None, numbers: dict[str, int]) -> Cell:
    """The cell of sources; its CSV text holds the whole addresses. A source that is no address stands in its words."""
    links = source_links(source, package.report(report), numbers)
    if not links:
        words = " ".join((source or "").split())
        return Cell(words) if words else Cell("no source recorded", absent=True)
    written = " ; ".join(link.href if not link.href.startswith("#") else link.text for link in links)
    shown = tuple(Link("DOI", link.href) if link.text.startswith("doi:") else link for link in links)
    return Cell(links=shown, in_csv=written)


def characteristics(package: Package, numbers: dict[str, int]) -> Table:
    """The studies of the review: design, people, drug, comparator, follow-up and findings as reported."""
    heads = columns("#Study", "Design", "Condition", "Participants", "Drug", "Comparator", "Follow-up",
                    "+Findings as reported", "@Source")  # fmt: skip
    rows: list[Row] = []
    for scope, heading in IN_REVIEW.items():
        found = [s for s in package.studies if s.scope == scope]
        if found:
            rows.append(group(f"{heading} ({len(found)})", heads))
        for s in found:
            rows.append(
                Row(
                    (
                        Cell(s.label, mark=marked(s.verified)),
                        value(_design(s)),
                        value(s.condition),
                        value("; ".join(part for part in (people(s), s.participants) if part)),
                        value(s.drug_form),
                        value(s.comparator),
                        value(s.follow_up),
                        value(s.findings),
                        sources(package, s.source, s.report, numbers),
                    ),
                    id=anchor("study", s.study),
                    classes=faded(s.verified),
                )
            )
    caption = "Characteristics of the studies in the review"
    shown, said, note = _reported(heads, rows)
    return Table("characteristics", caption, shown, said, note=note, cards=True, grouped="Kind of study")


def _design(study: Study) -> str:
    """The design with what belongs to a cross-over or cluster trial."""
    periods = f"{study.periods} periods" if study.periods else None
    washout = f"washout {study.washout}" if study.washout else None
    clusters = f"{study.clusters} clusters" + (f" ({study.cluster_unit})" if study.cluster_unit else "")
    parts = (study.design_text or study.design, periods, washout, clusters if study.clusters else None)
    return "; ".join(part for part in parts if part)


def _reported(heads: tuple[Column, ...], rows: Sequence[Row]) -> tuple[tuple[Column, ...], tuple[Row, ...], str]:
    """The table without the columns that no row reports, and a note that names them."""
    said = [row for row in rows if not row.group]
    blank = [i for i in range(1, len(heads)) if all(row.cells[i].text == NOT_REPORTED for row in said)]
    if not said or not blank:
        return heads, tuple(rows), ""
    keep = [i for i in range(len(heads)) if i not in blank]
    names = "; ".join(heads[i].title.lower() for i in blank)
    made = tuple(row.holding(tuple(row.cells[i] for i in keep)) for row in rows)
    return tuple(heads[i] for i in keep), made, f"Reported for none: {names}."


def settings(package: Package) -> Table:
    """Where the studies were done, who paid for them and what interests their authors had, as far as any says so."""
    heads = columns("#Study", "Country", "Setting", "+Funding", "+Interests")
    inside = [s for s in package.studies if s.scope in IN_REVIEW]
    if not any((s.country, s.setting, s.funding, s.interests) != (None, None, None, None) for s in inside):
        return Table("settings", "", heads, ())
    rows = [
        Row((Cell(s.label), value(s.country), value(s.setting), value(s.funding), value(s.interests))) for s in inside
    ]
    shown, said, note = _reported(heads, rows)
    return Table("settings", "Country, setting, funding and interests", shown, said, note=note, cards=True)


def people(study: Study) -> str | None:
    """Randomised and analysed; the words of the source stand in the place of the count that they explain."""
    randomised, analysed = study.n_randomised, study.n_analysed
    words = study.n_text or ""
    if randomised and randomised == analysed and not words:
        return f"{randomised} randomised and analysed"
    parts = []
    for n, word in ((randomised, "randomised"), (analysed, "analysed")):
        if words.startswith(f"{word}:"):
            parts.append(_explained(words.removeprefix(f"{word}:").strip(), word))
            words = ""
        elif n is not None:
            parts.append("not randomised" if n == 0 and word == "randomised" else f"{n} {word}")
    return "; ".join([*parts, words] if words else parts) or None


def _explained(words: str, what: str) -> str:
    """``26 (from Table 1)`` as ``26 randomised (from Table 1)``."""
    found = re.match(r"(\d+) (\(.*)", words)
    return f"{found[1]} {what} {found[2]}" if found else f"{what}: {words}"


def outside(package: Package, numbers: dict[str, int]) -> Table:
    """Studies that are not part of the review, each with its reason."""
    heads = columns("#Study", "Condition", "Route", "+Reason", "@Source")
    rows: list[Row] = []
    for scope, heading in OUTSIDE.items():
        found = [s for s in package.studies if s.scope == scope]
        if found:
            rows.append(group(f"{heading} ({len(found)})", heads))
        rows += [
            Row(
                (
                    Cell(s.label, mark=marked(s.verified)),
                    value(s.condition),
                    value(s.route),
                    value(s.scope_note, missing="no reason recorded"),
                    sources(package, s.source, s.report, numbers),
                ),
                id=anchor("study", s.study),
                classes=faded(s.verified),
            )
            for s in found
        ]
    caption = "Studies considered but not in the review"
    return Table("outside", caption, heads, tuple(rows), cards=True, grouped="Why it is outside")


def regimens(package: Package) -> Table:
    """Dose, rate, duration, number of infusions and total: separate fields, none inferred from another."""
    heads = columns("#Study and arm", "People", "Regimen as reported", "Bolus", "Dose", "Rate", "Duration",
                    "Infusions", "Total", "Co-medication")  # fmt: skip
    inside = [s for s in package.studies if s.scope in IN_REVIEW]
    rows = []
    for s in inside:
        for a in (a for a in package.arms if a.study == s.study):
            rows.append(
                Row(
                    (
                        Cell(f"{s.label}: {a.label}", mark=marked(a.verified)),
                        value(a.n),
                        value(a.regimen),
                        quantity(a.bolus, a.bolus_unit),
                        quantity(a.dose, a.dose_unit),
                        _rates(a),
                        quantity(a.duration, a.duration_unit),
                        quantity(a.infusions, None),
                        quantity(a.total, a.total_unit, a.total_basis),
                        value(a.co_medication),
                    ),
                    classes=faded(a.verified),
                )
            )
    shown, said, note = _reported(heads, rows)
    here = [a for a in package.arms if any(a.study == s.study for s in inside)]
    if any("ketamine" in (a.drug or "").casefold() for a in here):
        note = f"{note} Racemic and S(+)-ketamine are never converted into each other."
    if any(a.total_basis for a in here):
        note = f"{note} A derived total says how it was derived."
    return Table("regimens", "Arms and regimens", shown, said, note=note.strip(), cards=True)


def quantity(x: Reported | None, unit: str | None, basis: str | None = None) -> Cell:
    """A reported number with its unit, and what it was derived from."""
    if x is None:
        return Cell(NOT_REPORTED, absent=True)
    return Cell(f"{x.text}{' ' + unit if unit else ''}{f' ({basis})' if basis else ''}")


def _rates(arm: Arm) -> Cell:
    first = quantity(arm.rate, arm.rate_unit)
    if arm.rate_2 is None:
        return first
    return Cell(f"{first.text}; {quantity(arm.rate_2, arm.rate_2_unit, arm.rate_2_basis).text}")


def bias(package: Package, numbers: dict[str, int]) -> Table:
    """Every risk-of-bias judgement on record."""
    of_results = any(j.outcome for j in package.risk_of_bias)
    heads = columns(
        "#Study", *(["Result"] if of_results else []), "Tool", "Domain", "Judgement", "+Reason", "Assessor", "@Source"
    )
    labels = {s.study: s.label for s in package.studies}
    rows = tuple(
        Row(
            (
                Cell(labels.get(j.study, j.study), mark=marked(j.verified)),
                *([Cell(_result_of(package, j))] if of_results else []),
                Cell(j.tool),
                Cell(j.domain),
                Cell(_judgement(j)),
                value(j.reason, missing="not given"),
                value(j.assessor),
                sources(package, j.source, j.report, numbers),
            ),
            classes=faded(j.verified),
        )
        for j in package.risk_of_bias
    )
    return Table("risk-of-bias-table", "Risk-of-bias judgements on record", heads, rows, cards=True)


def _result_of(package: Package, j: BiasJudgement) -> str:
    """The result that a judgement is about, in words."""
    return in_words(package, Target("", j.study, j.outcome or "", j.window or "", j.comparison or ""))


def _judgement(j: BiasJudgement) -> str:
    """The judgement; where a person overruled the instrument, what it proposed and why it does not stand."""
    if j.proposed in (None, j.judgement):
        return j.judgement
    return f"{j.judgement} (proposed: {j.proposed}; {j.override_reason})"


def printed(r: Result) -> str:
    """The number as reported: counts, mean with spread, median with quartiles, or a p value."""
    parts: list[str] = []
    if r.events is not None:
        parts.append(f"{r.events}/{r.n}" if r.n is not None else f"{r.events} of an unknown number")
    if r.mean is not None:
        spread = next(
            (
                f" ({name} {plain(x)})"
                for name, x in (("SD", r.sd), ("SE", r.se), (f"± {r.spread_is or 'not labelled'}", r.spread))
                if x is not None
            ),
            f" ({r.spread_text})" if r.spread_text else "",
        )
        parts.append(f"mean {plain(r.mean)}{spread}" + (f", n = {r.n}" if r.n is not None else ""))
    if r.median is not None:
        ends = (r.q1, r.q3) if r.q1 is not None else (r.min, r.max)
        tail = f" ({plain(ends[0])} to {plain(ends[1])})" if ends[0] is not None and ends[1] is not None else ""
        parts.append(f"median {plain(r.median)}{tail}")
    if r.ci_low is not None and r.ci_high is not None:
        parts.append(f"CI {plain(r.ci_low)} to {plain(r.ci_high)}")
    if r.p is not None:
        versus = f" against {r.p_versus}" if r.p_versus else ""
        p = r.p.text if r.p.text[0] in "<>" else f"= {r.p.text}"
        parts.append(f"P {p}{versus}")
    return "; ".join(parts)


def results(package: Package, numbers: dict[str, int]) -> tuple[Table, list[Table]]:
    """Every row of ``results.csv``: the place to which each number of the report leads back.

    The first table is the whole, for its CSV; the others are its rows by outcome, in the order of the file.
    """
    heads = columns("#Row", "Study and arm", "Outcome", "Time point", "Value as reported", "How it was read",
                    "+Use and notes", "@Source")  # fmt: skip
    rows = []
    for r in package.results:
        study = package.study(r.study)
        arm = package.arm(r.study, r.arm)
        use = "" if r.usable else f"Not used: {r.why_not or 'no reason recorded'}."
        notes = " ".join(part for part in (use.replace("..", "."), r.notes, *_read(r)) if part)
        rows.append(
            Row(
                (
                    Cell(f"results.csv, {r.row}", mark=marked(r.verified)),
                    Cell(f"{study.label}: {arm.label if arm else r.arm}"),
                    Cell("; ".join(_unique([outcome_name(package, r.outcome), r.definition]))),
                    value(timepoint_of(r)),
                    value(printed(r)),
                    Cell(r.how_read),
                    Cell(notes),
                    sources(package, r.source, r.report, numbers),
                ),
                id=anchor("result", r.result),
                classes=faded(r.verified),
            )
        )
    whole = Table("data", "Every number as reported", heads, tuple(rows), cards=True, file="results")
    parts = []
    by_outcome: dict[str | None, list[Row]] = {}
    for row, r in zip(rows, package.results, strict=True):
        by_outcome.setdefault(r.outcome, []).append(row)
    for outcome, of_it in by_outcome.items():
        name = outcome_name(package, outcome) or "Outcome not stated"
        parts.append(Table(anchor("data", outcome), name, heads, tuple(of_it), cards=True, take=False))
    return whole, parts


def _read(row: Result | Contrast) -> list[str]:
    """Page and words of the report, and who read them, as far as they are on record."""
    place = ": ".join(part for part in (row.page, f"“{row.quote}”" if row.quote else None) if part)
    who = f"Extracted by {row.extracted_by}, {row.extracted or 'date not on record'}" if row.extracted_by else ""
    return [f"{said}." if not said.rstrip("”").endswith((".", "?", "!")) else said for said in (place, who) if said]


def printed_contrast(c: Contrast) -> str:
    """A difference or ratio as reported, or no more than its p value."""
    parts = []
    if c.estimate is not None:
        parts.append(f"{c.measure or 'estimate'} {plain(c.estimate)}")
    if c.ci_low is not None and c.ci_high is not None:
        parts.append(f"CI {plain(c.ci_low)} to {plain(c.ci_high)}")
    if c.p is not None:
        parts.append(f"P {c.p.text if c.p.text[0] in '<>' else '= ' + c.p.text}")
    return "; ".join(parts)


def contrasts(package: Package, numbers: dict[str, int]) -> Table:
    """Results reported only between arms: a difference, a ratio, or no more than a p value."""
    heads = columns("#Study", "Outcome", "Time point", "Reported", "+Use and notes", "@Source")
    rows = []
    for c in package.contrasts:
        use = "" if c.usable else f"Not used: {c.why_not or 'no reason recorded'}."
        rows.append(
            Row(
                (
                    Cell(package.study(c.study).label, mark=marked(c.verified)),
                    Cell(outcome_name(package, c.outcome)),
                    value(timepoint_of(c)),
                    value(printed_contrast(c)),
                    Cell(" ".join(part for part in (use.replace("..", "."), c.notes, *_read(c)) if part)),
                    sources(package, c.source, c.report, numbers),
                ),
                id=anchor("contrast", c.contrast),
                classes=faded(c.verified),
            )
        )
    return Table("contrasts", "Results reported only as a comparison", heads, tuple(rows), cards=True)


def outcome_name(package: Package, outcome: str | None) -> str:
    """The name of an outcome, or its id where ``review.toml`` does not know it."""
    return next((o.name for o in package.meta.outcomes if o.id == outcome), outcome or "")


def study_link(package: Package, study: str) -> Link:
    """A study's name, leading to its line in the tables of studies."""
    label = next((s.label for s in package.studies if s.study == study), study)
    return Link(label, "#" + anchor("study", study))


def _unique(parts: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(part for part in parts if part))
