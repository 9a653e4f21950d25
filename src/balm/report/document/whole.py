"""The whole report as one document: the sections in the order of a manuscript, for Word and PDF."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from balm.plots.flow import flow_diagram
from balm.plots.published import published_figure
from balm.report.document import content
from balm.report.document.abstract import abstract
from balm.report.document.appendices import discussion, excluded, introduction, other_information, searches
from balm.report.document.certainty import certainty_section, certainty_words
from balm.report.document.checklist import checklists
from balm.report.document.citations import in_order_of_citation
from balm.report.document.long_tables import on_paper
from balm.report.document.methods import methods_section
from balm.report.document.networks import networks_section
from balm.report.document.parts import Block, Document, Listing, Picture, Run, Section, said
from balm.report.document.since_last import since_last_section
from balm.report.html_report import analysis_view, guidance_view, published_view, study_tables
from balm.report.html_report.table import Cell, Link, Table
from balm.report.walk_back import addresses
from balm.review.flow import Flow
from balm.review.living.changed import Changes
from balm.review.synthesis import Synthesis


def document(
    synthesis: Synthesis,
    flow: Flow,
    *,
    contradictions: str = "refuse",
    earlier: Sequence[Flow] | None = None,
    changes: Changes | None = None,
) -> Document:
    """Every section of the report; the same synthesis and flow give the same document.

    contradictions : counts of the flow that do not add up are refused, or drawn with what is wrong said ("show").
    earlier        : the flow of each version before the latest, where more is known of them than the package says.
    changes        : what changed since the last version, of a review that has one.
    """
    review = synthesis.package
    meta = review.meta
    numbers = {report.report: i for i, report in enumerate(review.reports, 1)}
    fits = [a.fit for a in synthesis.analyses if a.fit is not None]
    words = certainty_words(review)
    methods = methods_section(
        synthesis, content.eligibility(review), content.funnel_words(fits, bool(synthesis.networks)), words
    )
    results = _results(synthesis, flow, numbers, contradictions, earlier)
    if (since := since_last_section(changes, review)) is not None:
        results.insert(1, since)
    sections = [
        abstract(synthesis),
        introduction(review),
        methods,
        Section("findings", "Results", sections=tuple(results)),
        discussion(synthesis),
        other_information(review),
        _references(synthesis),
        searches(review),
        _numbers(synthesis, numbers),
    ]
    sections = in_order_of_citation(list(map(_on_paper, sections)), list(map(content.reference, review.reports)))
    sections += map(_on_paper, checklists(sections))
    kind = content.kind(synthesis)
    people = tuple((p.name, p.role) for p in meta.people)
    licence = (("Licence", meta.licence),) if meta.licence else ()
    facts = (*people, *content.facts(review, synthesis), *licence)
    return Document(meta.title, kind, meta.summary or "", facts, tuple(sections))


def _on_paper(section: Section) -> Section:
    """A section with its tables as paper holds them."""
    blocks = tuple(on_paper(block) if isinstance(block, Table) else block for block in section.blocks)
    return replace(section, blocks=blocks, sections=tuple(map(_on_paper, section.sections)))


def _results(
    synthesis: Synthesis, flow: Flow, numbers: dict[str, int], contradictions: str, earlier: Sequence[Flow] | None
) -> list[Section]:
    review = synthesis.package
    labels = {s.study: s.label for s in review.studies}
    fits = [a.fit for a in synthesis.analyses if a.fit is not None]
    picture = Picture(
        "flow-figure",
        flow_diagram(flow, contradictions=contradictions),
        "PRISMA 2020 flow diagram. “Not known” means that no count is on record; it does not mean zero.",
    )
    lights: list[Block] = [
        Picture(
            f"risk-of-bias-{i}", f, "Risk of bias where a judgement is on record. A study not listed was not assessed."
        )
        for i, f in enumerate(content.bias_figures(review, labels), 1)
    ]
    if lights:
        lights.append(study_tables.bias(review, numbers))
    of_studies = (
        study_tables.characteristics(review, numbers),
        study_tables.settings(review),
        study_tables.regimens(review),
    )
    studies = [t for t in of_studies if t.rows and len(t.columns) > 1]  # names alone say nothing
    views = [analysis_view.view(result, synthesis, numbers) for result in synthesis.analyses]
    glance: tuple[Block, ...] = (
        (analysis_view.at_a_glance(synthesis),)
        if views
        else (said(f"No {'pairwise ' if synthesis.networks else ''}analysis was planned."),)
    )
    across = content.flow_of_versions(synthesis, flow, earlier)
    pictures = (picture, Picture("living-flow-figure", across, content.FLOW_OF_VERSIONS)) if across else (picture,)
    made = [
        Section("flow", "Selection of studies", pictures),
        excluded(review, study_tables.outside(review, numbers)),
        Section("studies", "Characteristics of the studies", tuple(studies) or (said("No study was included."),)),
        Section("risk-of-bias", "Risk of bias", (said(content.bias_words(review)), *lights)),
        Section(
            "results",
            "Results of the syntheses",
            (said(content.funnel_words(fits, bool(synthesis.networks))), *glance),
            tuple(_analysis(view, addresses(result)) for view, result in zip(views, synthesis.analyses, strict=True)),
        ),
        certainty_section(synthesis),
    ]
    if (networks := networks_section(synthesis, numbers, paper=True)) is not None:
        made.insert(-1, networks)
    return [*made, *_beside(synthesis, numbers)]


def _analysis(view: analysis_view.AnalysisView, told: str) -> Section:
    blocks: list[Block] = [said(view.scope, kind="note"), *(said(text) for text in view.finding)]
    if view.figure is not None:
        blocks.append(Picture(f"{view.id}-forest", view.figure, f"Forest plot: {view.title}."))
    blocks += [said(text, kind="note") for text in view.notes]
    blocks += [view.absolute] if view.absolute is not None else []
    blocks += [_said_above(view.numbers, view.finding)] if view.numbers is not None else []
    blocks += [said(told, kind="note")] if told else []
    if view.funnel is not None:
        blocks.append(Picture(f"{view.id}-funnel", view.funnel, f"Funnel plot: {view.title}."))
    if view.subgroups is not None:
        blocks.append(view.subgroups)
    if view.why:
        blocks.append(said("Why other analyses were made:"))
        blocks.append(Listing(tuple((Run(f"{label}. ", bold=True), Run(why)) for label, why in view.why)))
    blocks += [view.sensitivity] if view.sensitivity is not None else []
    blocks += [_in_place(view.rows)] if view.rows is not None else []
    if view.not_pooled:
        blocks.append(said("Eligible, but without usable numbers for this analysis:"))
        blocks.append(Listing(tuple(_without_numbers(view.not_pooled))))
    return Section(view.id, view.title, tuple(blocks))


def _said_above(numbers: Table, finding: Sequence[str]) -> Table:
    """The numbers of a result without a note that the sentences over them hold."""
    return replace(numbers, note="") if numbers.note and numbers.note in " ".join(finding) else numbers


def _without_numbers(not_pooled: Sequence[tuple[Link, str]]) -> Iterator[tuple[Run, ...]]:
    """A line for each reason, with its studies."""
    by_reason: dict[str, list[Run]] = {}
    for link, why in not_pooled:
        by_reason.setdefault(why, []).append(Run(link.text, href=link.href))
    for why, studies in by_reason.items():
        apart = [part for run in studies for part in (Run("; "), run)][1:]
        yield (*apart, Run(f": {why}"))


def _in_place(rows: Table) -> Table:
    """The rows behind a result without links to themselves: on paper the numbers of a study lead to its own row."""

    def bare(cell: Cell) -> Cell:
        return cell.led("") if cell.href.startswith("#at:") else cell

    own = tuple(row.holding(tuple(map(bare, row.cells))) for row in rows.rows)
    return replace(rows, rows=own)


def _beside(synthesis: Synthesis, numbers: dict[str, int]) -> list[Section]:
    """What others published, claimed and advise; what is missing. Left out where nothing is on record."""
    review = synthesis.package
    made = []
    published = published_view.published_table(synthesis, numbers)
    if published.rows:
        panels = published_view.panels(synthesis)
        caption = f"Published pooled results beside this review. {content.rescaled(synthesis)}".strip()
        blocks: list[Block] = [Picture("published-figure", published_figure(panels), caption)] if panels else []
        blocks += [published, published_view.why_they_differ(synthesis)]
        made.append(Section("published", "Published pooled results", tuple(blocks)))
    claims = published_view.claims_table(synthesis, numbers)
    if claims.rows:
        words = said(published_view.claims_count(synthesis))
        made.append(Section("claims", "Claims checked", (words, claims)))
    statements = guidance_view.statements(review, numbers)
    if statements:
        words = said(
            "These are statements of others, in their words, with the grade and certainty they gave themselves. They "
            "are not recommendations of this review."
        )
        made.append(Section("guidance", "Guideline statements", (words, *statements)))
    tables = [
        content.gaps_table(synthesis),
        *content.cohort_tables(review, numbers),
        content.not_verified_table(synthesis),
    ]
    found = tuple(t for t in tables if t.rows)
    if found:
        words = said("What is missing stays missing: no value was filled in.")
        made.append(Section("gaps", "Data gaps", (words, *found)))
    return made


def _references(synthesis: Synthesis) -> Section:
    review = synthesis.package
    own = said("No report is on record.")  # in_order_of_citation puts the list in its place
    return Section("references", "References", () if review.reports else (own,))


def _numbers(synthesis: Synthesis, numbers: dict[str, int]) -> Section:
    review = synthesis.package
    _, by_outcome = study_tables.results(review, numbers)
    contrasts = study_tables.contrasts(review, numbers)
    named = [replace(t, caption=f"Numbers as reported: {t.caption}") for t in by_outcome]
    tables = [*named, contrasts] if contrasts.rows else named
    blocks: tuple[Block, ...] = tuple(tables) or (said("No number is on record."),)
    return Section("numbers", "Appendix: numbers as reported", blocks)
