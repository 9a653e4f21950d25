"""The methods section: what the plan says and what was really done, each choice named."""

from __future__ import annotations

from balm.report.document.abstract import bias_assessed, registration, sources
from balm.report.document.content import controlled
from balm.report.document.parts import Block, Listing, Paragraph, Run, Section, said
from balm.report.document.wording import ended, listed, many, was
from balm.report.html_report.analysis_view import shown_name
from balm.report.html_report.table import Cell, Row, Table, columns, value
from balm.report.methods_text import method_parts, versions
from balm.report.network_words import methods as network_methods
from balm.review.package import Package
from balm.review.synthesis import Synthesis


def methods_section(synthesis: Synthesis, eligibility: Block, reporting_bias: str, certainty: str) -> Section:
    """Subsections in the order of PRISMA 2020, items 5 to 15, then deviations and software."""
    review = synthesis.package
    parts: list[tuple[str, str, tuple[Block, ...]]] = [
        ("registration", "Protocol and registration", (said(registration(review), _protocol(review)),)),
        ("methods-eligibility", "Eligibility criteria", (eligibility,)),
        ("methods-sources", "Information sources and search", (said(sources(review), _found(review)),)),
        ("methods-selection", "Selection of studies", (said(*_selection(review)),)),
        ("methods-data", "Collection and preparation of data", (said(*_data(review)),)),
        ("methods-outcomes", "Outcomes", _outcomes(review)),
        ("methods-bias", "Risk of bias of the studies", (said(bias_assessed(review)),)),
        ("methods-grouping", "Which studies belong to each analysis", _grouping(synthesis)),
        ("methods-synthesis", "Effect measures and synthesis", _synthesis(synthesis)),
        ("methods-networks", "Network meta-analyses", _networks(synthesis)),
        ("methods-display", "Display of results", (said(_display(synthesis)),)),
        ("methods-exploring", "Heterogeneity and sensitivity analyses", _exploring(synthesis)),
        ("methods-missing", "Bias by missing results", (said(reporting_bias),)),
        ("methods-certainty", "Certainty of the evidence", (said(certainty),)),
        ("deviations", "Deviations from the plan", _deviations(synthesis)),
        ("methods-software", "Software", (said(_software()),)),
    ]
    silent = {"methods-sources"} if not review.searches else set()
    made = tuple(Section(id, title, blocks, absent=id in silent) for id, title, blocks in parts if blocks)
    return Section("methods", "Methods", sections=made)


def _protocol(review: Package) -> str:
    meta = review.meta
    planned = len(meta.analyses)
    drawn = len(meta.networks)
    networks = [many(drawn, "network meta-analysis", "network meta-analyses")] if drawn else []
    return (
        f"This is version {meta.version} of the review, dated {meta.date}. The plan names {_numbers(meta.eligibility)} "
        f"eligibility {'criterion' if len(meta.eligibility) == 1 else 'criteria'}, "
        f"{listed([many(len(meta.outcomes), 'outcome'), many(planned, 'analysis', 'analyses'), *networks])}."
    )


def _numbers(rows: tuple[object, ...]) -> str:
    return many(len(rows), "x").partition(" ")[0]


def _found(review: Package) -> str:
    if not review.searches:
        return ""
    known = [s.retrieved for s in review.searches if s.retrieved is not None]
    n = len(review.searches)
    total = f" They retrieved {many(sum(known), 'record')}." if known and len(known) == n > 1 else ""
    if known and len(known) == n == 1:
        total = f" It retrieved {many(known[0], 'record')}."
    return f"{many(n, 'search', 'searches').capitalize()} {was(n)} run; each is given in full in the appendix.{total}"


def _selection(review: Package) -> list[str]:
    plan = review.meta.screening
    people = many(plan.reviewers, "person", "people")
    independently = " independently of each other" if plan.reviewers > 1 else ""
    texts = [f"The plan asks for {people} to judge each record and each full text{independently}."]
    if not review.screening:
        return [*texts, "No screening vote is on record in this package."]
    stages = {"title-abstract": "titles and abstracts", "full-text": "full texts"}
    for stage, name in stages.items():
        votes = [v for v in review.screening if v.stage == stage]
        if not votes:
            continue
        reviewers = len({v.reviewer for v in votes if v.kind != "adjudication"})
        records = len({v.record for v in votes})
        settled = len({v.record for v in votes if v.kind == "adjudication"})
        more = f"; {many(settled, 'conflict')} {was(settled)} settled by adjudication" if settled else ""
        texts.append(
            f"At the stage of {name}, {many(reviewers, 'person', 'people')} judged {many(records, 'record')}{more}."
        )
    if plan.exclusion_reasons:
        texts.append(f"Full texts were excluded for the first of these reasons that applies: "
                     f"{'; '.join(plan.exclusion_reasons)}.")  # fmt: skip
    return texts


def _data(review: Package) -> list[str]:
    n = review.meta.extraction.extractors
    return [
        f"The plan asks for the data of each study to be extracted by {many(n, 'person', 'people')}"
        f"{' independently of each other' if n > 1 else ', and not repeated by a second'}.",
        "Results were taken as reported; each conversion is written out beside the row it concerns. Values not "
        "verified against a source were not pooled. Where fewer than two trials contribute, nothing is pooled and the "
        "trial's own result is shown. Nothing was filled in where a report is silent.",
    ]


def _outcomes(review: Package) -> tuple[Block, ...]:
    if not review.meta.outcomes:
        return (said("No outcome is named in the plan."),)
    heads = columns("#Outcome", "Domain", "Kind", "Better", "Unit", "Definition")
    rows = tuple(
        Row(
            (
                Cell(o.name),
                value(o.domain),
                Cell(o.kind),
                Cell(o.direction.partition(" ")[0]),
                value(o.unit, missing="–"),
                value(o.definition, missing="–"),
            )
        )
        for o in review.meta.outcomes
    )
    table = Table("outcomes-table", "Outcomes of the plan", heads, rows, cards=True)
    text = (
        "Where a study reports an outcome at several times in one window, the plan of each analysis says which is used."
    )
    return (said(text), table)


def _grouping(synthesis: Synthesis) -> tuple[Block, ...]:
    if not synthesis.analyses:
        return (said("No pairwise analysis was planned." if synthesis.networks else "No analysis was planned."),)
    heads = columns("#Analysis", "Comparison", "Time", "Designs", "Measure", "Time used")
    rows = tuple(
        Row(
            (
                Cell(a.title, href=f"#analysis-{a.id}"),
                Cell(a.comparison.name),
                Cell(", ".join(w.name for w in a.windows) or "any"),
                Cell(", ".join(a.spec.designs) or "any"),
                Cell(shown_name(a.measure)),
                Cell(f"{a.spec.several} in the window"),
            )
        )
        for a in synthesis.analyses
    )
    return (Table("plan-table", "Analyses as planned", heads, rows, cards=True),)


def _synthesis(synthesis: Synthesis) -> tuple[Block, ...]:
    """Each distinct paragraph once, naming the analyses it holds for; then what holds for all of them."""
    told = [(result.title, method_parts(result.fit)) for result in synthesis.analyses if result.fit is not None]
    if not told:
        return (said("No pairwise analysis was pooled." if synthesis.networks else "No analysis was pooled."),)
    distinct = {parts for _, parts in told}
    shared = [] if len(distinct) == 1 else [x for x in told[0][1] if all(x in parts for parts in distinct)]
    said_of: dict[str, list[str]] = {}
    for title, parts in told:
        said_of.setdefault(" ".join(x for x in parts if x not in shared), []).append(title)
    made = [(f"{'; '.join(titles)}.", text) for text, titles in said_of.items() if text]
    made += [("All analyses.", " ".join(shared))] if shared else []
    return tuple(Paragraph((Run(head, bold=True), Run(f" {text}"))) for head, text in made)


def _networks(synthesis: Synthesis) -> tuple[Block, ...]:
    """How each network is made and analysed; nothing where none was planned."""
    if not synthesis.networks:
        return ()
    geometry = (
        "The geometry of a network is shown as a graph with the number of studies of each direct comparison. A network "
        "that no study joins is analysed part by part. Transitivity, that the studies of different comparisons "
        "resemble each other in what changes effects, is for a person to judge."
    )
    made = [Paragraph((Run(f"{n.title}.", bold=True), Run(f" {network_methods(n)}"))) for n in synthesis.networks]
    return (said(geometry), *made)


def _display(synthesis: Synthesis) -> str:
    if not any(a.rows for a in synthesis.analyses):
        if synthesis.networks:
            return "Networks are shown as graphs, tables and forest plots of all treatments against the reference."
        return "No study contributes to an analysis, so there is no plot of results."
    return (
        "Each analysis has a table of its studies with the values as reported and a forest plot where studies were "
        "pooled. Effects are shown with their intervals and weights."
    )


def _exploring(synthesis: Synthesis) -> tuple[Block, ...]:
    items = []
    for a in synthesis.analyses:
        told = []
        if a.spec.by:
            told.append(f"subgroups by {a.spec.by.replace('_', ' ')}")
        if a.spec.subgroups:
            told.append(f"subgroups {listed([s.name for s in a.spec.subgroups])}")
        told += [s.label for s in a.spec.sensitivity]
        if told:
            items.append((Run(f"{a.title}: ", bold=True), Run(ended("; ".join(told)))))
    if not items:
        return (said("No subgroup or sensitivity analysis was planned."),)
    return (said("Planned for these analyses:"), Listing(tuple(items)))


def _deviations(synthesis: Synthesis) -> tuple[Block, ...]:
    """What the plan asks for and what was not done, derived from both."""
    found = deviations(synthesis)
    stated = synthesis.package.meta.deviations
    if stated:
        items = tuple(
            (Run(ended(d.what), bold=True), Run(f" {ended(d.why)}{f' Decided on {d.date}.' if d.date else ''}"))
            for d in stated
        )
        authors = (said("The authors state these deviations, with their reasons."), Listing(items))
        if not found:
            return authors
        first = "Beside them, the package itself shows these differences between the plan and what was done."
        return (*authors, said(first), Listing(tuple((Run(text),) for text in found)))
    if not found:
        return (said("Every analysis was carried out as planned; no deviation can be told from the package."),)
    first = "The package shows these differences between the plan and what was done. Reasons are the authors' to add."
    return (said(first), Listing(tuple((Run(text),) for text in found)))


def deviations(synthesis: Synthesis) -> list[str]:
    """One sentence for each difference between plan and conduct."""
    review = synthesis.package
    texts = []
    if not review.searches:
        texts.append("No search is on record: how studies were found cannot be repeated.")
    for stage, name in (("title-abstract", "titles and abstracts"), ("full-text", "full texts")):
        by: dict[str, set[str]] = {}
        for vote in review.screening:
            if vote.stage == stage and vote.kind != "adjudication":
                by.setdefault(vote.record, set()).add(vote.reviewer)
        fewer = sum(len(people) < review.meta.screening.reviewers for people in by.values())
        if fewer:
            texts.append(
                f"{many(fewer, 'record').capitalize()} {was(fewer)} judged by fewer people than the "
                f"{many(review.meta.screening.reviewers, 'person', 'people')} planned for {name}."
            )
    trials = controlled(review)
    judged = {j.study for j in review.risk_of_bias}
    open_ = [s.label for s in trials if s.study not in judged]
    if open_:
        texts.append(f"Risk of bias was not assessed for {many(len(open_), 'controlled trial')}: {listed(open_)}.")
    if not (review.certainty or review.network_certainty) and (synthesis.analyses or synthesis.networks):
        texts.append("The certainty of the evidence was not rated.")
    for a in synthesis.analyses:
        if a.fit is None:
            texts.append(f"{a.title}: not pooled. {ended(a.why_not_pooled or 'No study reports usable numbers')}")
        lost = [s.label for s in a.sensitivity if s.fit is None]
        if lost:
            texts.append(f"{a.title}: no result for {many(len(lost), 'sensitivity analysis', 'sensitivity analyses')} "
                         f"({'; '.join(dict.fromkeys(lost))}).")  # fmt: skip
    for n in synthesis.networks:
        if not n.parts:
            texts.append(f"{n.title}: {n.why_none}")
        elif len(n.parts) > 1:
            texts.append(f"{n.title}: not one network. It falls into {many(len(n.parts), 'part')}, each on its own.")
        texts += [f"{n.title}: no estimate. {ended(part.why)}" for part in n.parts if part.fit is None]
    return texts


def _software() -> str:
    return f"Computed with {listed([f'{name} {version}' for name, version in versions().items()])}."
