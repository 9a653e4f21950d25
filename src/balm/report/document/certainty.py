"""The section on certainty: summary of findings with its notes, plain-language statements, evidence profile."""

from __future__ import annotations

from balm.report.document.network_certainty import network_certainty_sections
from balm.report.document.parts import Block, Document, Listing, Run, Section, said
from balm.report.html_report.links import anchor, place
from balm.report.html_report.table import Cell, Line, Link, Row, Table, columns, value
from balm.report.summary_of_findings import Finding, SummaryOfFindings, summary_of_findings
from balm.report.summary_of_findings_files import other_considerations, risk_cells
from balm.review.certainty.rating import Certainty, certainties
from balm.review.certainty.words import DOWN, NOT_RATED
from balm.review.package import Package
from balm.review.synthesis import Synthesis

#: How certainty is printed where no symbol can be read: the word always stands beside the symbols.
SYMBOLS_ARE = "⊕⊕⊕⊕ high, ⊕⊕⊕◯ moderate, ⊕⊕◯◯ low, ⊕◯◯◯ very low certainty."


def certainty_words(review: Package) -> str:
    """Whether certainty was rated, how and by whom."""
    if not review.certainty and review.network_certainty:
        return (
            "The certainty of comparisons in a network was rated with GRADE: a rule proposed a rating of each domain "
            "from the data, and a person decided. No pairwise analysis was rated."
            if review.meta.analyses
            else "Certainty was rated with GRADE, comparison by comparison: a rule proposed a rating of each domain "
            "from the data, and a person decided."
        )
    if not review.certainty:
        return "The certainty of these results has not been rated; nothing here is a recommendation."
    people = "two people, each on their own, who then agreed" if review.meta.certainty.raters == 2 else "one person"
    names = list(dict.fromkeys(r.assessor for r in review.certainty if r.assessor))
    by = f" Decided by: {'; '.join(names)}." if names else ""
    return (
        "Certainty was rated with GRADE (Core GRADE 2025). For each outcome the target of the rating was stated, a "
        f"rule proposed a rating of each domain from the data, and a person decided; the plan asks for {people}. "
        f"Where the decision is not the proposal, both are shown with the reason.{by}"
    )


def certainty_section(synthesis: Synthesis) -> Section:
    """Everything about certainty that a report prints; where nothing was rated, the section says so."""
    words = said(certainty_words(synthesis.package))
    networks = network_certainty_sections(synthesis)
    if not synthesis.package.certainty:
        return Section("certainty-section", "Certainty of the evidence", (words,), networks)
    blocks: list[Block] = [words]
    sof = summary_of_findings(synthesis)
    if sof.findings:
        blocks += [summary_table(sof), *_notes(sof), *_statements(sof), profile_table(sof)]
    decided = decisions_table(synthesis)
    if decided.rows:
        blocks.append(decided)
    return Section("certainty-section", "Certainty of the evidence", tuple(blocks), networks)


def summary_document(sof: SummaryOfFindings) -> Document:
    """The summary of findings alone: its table, notes and statements, and the evidence profile."""
    blocks = (summary_table(sof, behind=False), *_notes(sof), *_statements(sof), profile_table(sof))
    section = Section("certainty-section", f"Summary of findings: {sof.title}", blocks)
    return Document(sof.title, "Summary of findings", "", (), (section,))


def summary_table(sof: SummaryOfFindings, *, behind: bool = True) -> Table:
    """A row an outcome, at each baseline risk; the marks lead to the notes, and the numbers to what stands ``behind``
    them where the report around the table has it."""
    heads = columns(
        "#Outcome", f"Risk with {sof.comparison}", f"Risk with {sof.intervention}", f"Relative effect ({sof.interval})",
        "Participants (studies)", "Certainty", "+Comments",
    )  # fmt: skip
    rows = tuple(Row(_cells(f, behind), id=f"sof-{f.analysis}") for f in sof.findings)
    note = f"Population: {sof.population}. NNTB, NNTH: number needed to treat for one more to benefit, to be harmed. "
    return Table("sof", f"Summary of findings: {sof.title}", heads, rows, note=note + SYMBOLS_ARE, cards=True)


def _cells(f: Finding, linked: bool) -> tuple[Cell, ...]:
    about = tuple(Line(text) for text in (f.measured, f.follow_up) if text)
    control, with_it = [], []
    for base, risk, apart, nnt, source in risk_cells(f):
        control.append(Line(f"{base} ({source})" if source else base))
        with_it.append(Line("; ".join(part for part in (risk, apart if apart not in ("–", risk) else "", nnt) if part)))
    certainty = " ".join(part for part in (f.symbols, f.certainty) if part)
    notes = tuple(Link(mark, f"#sof-note-{mark}") for mark in f.marks)
    behind = f"#{place(f.analysis)}" if f.studies and linked else ""
    people = behind or (f"#{anchor('analysis', f.analysis)}" if linked else "")
    return (
        Cell(f.outcome, lines=about),
        Cell(lines=tuple(control)),
        Cell(lines=tuple(with_it), links=(Link("behind the numbers", behind),) if behind else ()),
        Cell(f.relative, href=f"{behind}:estimate" if behind and f.relative[-1:] == ")" else ""),
        Cell(f.people_and_studies, href=people),
        Cell(certainty, links=notes),
        Cell(f.comment),
    )


def _notes(sof: SummaryOfFindings) -> list[Block]:
    if not sof.footnotes:
        return []
    rows = tuple(
        Row((Cell(n.mark), Cell(n.domain), Cell(levels_in_words(n.levels)), Cell(n.text)), id=f"sof-note-{n.mark}")
        for n in sof.footnotes
    )
    heads = columns("#Note", "Domain", "Moves certainty", "+Why")
    return [Table("sof-notes", "Notes to the summary of findings", heads, rows)]


def levels_in_words(levels: int) -> str:
    """What a rating does.

    >>> levels_in_words(-2), levels_in_words(1)
    ('two levels down', 'one level up')
    """
    number = ("no", "one", "two", "three")[min(abs(levels), 3)]
    return f"{number} level{'' if abs(levels) == 1 else 's'} {'down' if levels < 0 else 'up'}"


def _statements(sof: SummaryOfFindings) -> list[Block]:
    items = tuple((Run(f"{f.outcome}, {f.follow_up}. ", bold=True), Run(f.comment)) for f in sof.findings)
    return [said("In plain language:"), Listing(items)]


#: A design where one study has it.
_ONE = {
    "randomised trials": "randomised trial",
    "non-randomised studies": "non-randomised study",
    "single-arm studies": "single-arm study",
}


def profile_table(sof: SummaryOfFindings) -> Table:
    """The evidence profile: each domain's rating beside the numbers."""
    heads = columns(
        "#Outcome", "Studies", *(d.capitalize() for d in DOWN[:4]), "Other", f"Effect ({sof.interval})", "Certainty"
    )
    rows = []
    for f in sof.findings:
        studies = (Line("1 person" if f.participants == 1 else f"{f.people} people"),) if f.studies else ()
        of = f"{f.studies} {_ONE.get(f.design, f.design) if f.studies == 1 else f.design}" if f.studies else "0"
        relative = (Line(f.relative),) if f.relative != "–" else ()
        certainty = " ".join(part for part in (f.symbols, f.certainty) if part)
        cells = (
            Cell(f"{f.outcome}, {f.follow_up}"),
            Cell(of, lines=studies, href=f"#{anchor('analysis', f.analysis)}"),
            *(Cell(f.ratings[d]) for d in DOWN[:4]),
            Cell(other_considerations(f)),
            Cell(lines=(*relative, Line(risk_cells(f)[0][2]))),
            Cell(certainty),
        )
        rows.append(Row(cells))
    return Table("evidence-profile", "Evidence profile (GRADE)", heads, tuple(rows), cards=True)


def decisions_table(synthesis: Synthesis) -> Table:
    """Each domain of each analysis: what was decided, what the rule proposed with its numbers, and why."""
    rows: list[Row] = []
    heads = columns("#Analysis", "Domain", "Decided", "Proposed", "+Rule and numbers", "+Reason", "Assessor")
    rated = certainties(synthesis)
    for result in synthesis.analyses:
        rows += _decided(result.title, rated[result.id])
    return Table("certainty", "How certainty was decided, domain by domain", heads, tuple(rows), cards=True)


def _decided(title: str, c: Certainty) -> list[Row]:
    decisions = [(d.domain, d.decision) for d in c.domains if d.decision is not None]
    if c.overall is not None:
        decisions.append(("overall", c.overall))
    rows = []
    for domain, d in decisions:
        rating = d.rating + (f" ({d.target})" if d.target else "")
        rows.append(
            Row(
                (
                    Cell(title),
                    Cell(domain),
                    Cell(rating),
                    value(d.proposed, missing="nothing"),
                    value(d.rule, missing="–"),
                    value(d.reason, missing="as proposed" if d.proposed == d.rating else "no reason given"),
                    value(d.assessor),
                )
            )
        )
    if c.stale and rows:
        rows.append(
            Row((Cell(title), Cell("overall"), Cell(NOT_RATED), Cell(), Cell(), Cell("Stale: " + c.notes[0]), Cell()))
        )
    return rows
