"""The report of a review as one HTML file that needs nothing else: no script, no font, no picture from outside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import quote

from balm.plots.figure import Figure
from balm.plots.flow import flow_diagram
from balm.plots.funnel import MIN_STUDIES
from balm.plots.published import published_figure
from balm.plots.risk_of_bias import risk_of_bias_figure
from balm.report.html_report import analysis_view, guidance_view, published_view, study_tables
from balm.report.html_report.links import addresses, anchor, doi_link, host
from balm.report.html_report.table import NOT_REPORTED, NOT_VERIFIED, Cell, Link, Row, Table, columns, value
from balm.report.methods_text import methods, versions
from balm.report.methods_text import references as method_references
from balm.review.flow import Flow
from balm.review.package import Package
from balm.review.risk_of_bias.on_record import groups
from balm.review.risk_of_bias.targets import group_title
from balm.review.synthesis import Synthesis
from balm.vocabulary.evidence import Report
from balm.vocabulary.problems import InputError


@dataclass(frozen=True, slots=True)
class Reference:
    """One numbered reference with its links."""

    id: str
    text: str
    links: tuple[Link, ...]
    verified: bool


@dataclass(frozen=True, slots=True)
class TrapView:
    """A peculiarity of the data with links to its studies."""

    title: str
    text: str
    links: tuple[Link, ...]


def build_report(synthesis: Synthesis, flow: Flow, *, contradictions: str = "refuse") -> str:
    """The whole report as HTML text; the same synthesis and flow give the same bytes.

    contradictions : counts of the flow that do not add up are refused, or drawn with what is wrong said ("show").

    Text from the package is escaped; addresses become links only when they are http or https. Every pooled number
    leads to the rows of its analysis, every row to the value as reported, and that to its source.
    """
    review = synthesis.package
    numbers = {report.report: i for i, report in enumerate(review.reports, 1)}
    views = [analysis_view.view(result, synthesis, numbers) for result in synthesis.analyses]
    panels = published_view.panels(synthesis)
    fits = [a.fit for a in synthesis.analyses if a.fit is not None]
    labels = {s.study: s.label for s in review.studies}
    data, data_by_outcome = study_tables.results(review, numbers)
    page = _environment().get_template("page.html")
    return str(
        page.render(
            meta=review.meta,
            style=_style(),
            versions=versions(),
            facts=_facts(review, synthesis),
            contents=_contents(views),
            eligibility=_eligibility(review),
            glance=analysis_view.at_a_glance(synthesis),
            certainty=_certainty(review, synthesis),
            certainty_words=_certainty_words(review),
            flow_figure=flow_diagram(flow, contradictions=contradictions),
            outside=study_tables.outside(review, numbers),
            characteristics=study_tables.characteristics(review, numbers),
            regimens=study_tables.regimens(review),
            bias=study_tables.bias(review, numbers),
            bias_words=_bias_words(review),
            bias_figures=_bias_figures(review, labels),
            analyses=views,
            funnel_words=_funnel_words(fits),
            published=published_view.published_table(synthesis, numbers),
            published_figure=published_figure(panels) if panels else None,
            rescaled=_rescaled(synthesis),
            why=published_view.why_they_differ(synthesis),
            claims=published_view.claims_table(synthesis, numbers),
            claims_words=published_view.claims_count(synthesis),
            guidance=guidance_view.statements(review, numbers),
            standards=guidance_view.standards(review, numbers),
            standards_count=len(review.standards),
            gaps=_gaps(synthesis),
            traps=[
                TrapView(t.title, t.text, tuple(study_tables.study_link(review, s) for s in t.studies))
                for t in review.meta.traps
            ],
            cohorts=_cohorts(review, numbers),
            not_verified=_not_verified(synthesis),
            not_verified_words=NOT_VERIFIED,
            data=data,
            data_by_outcome=data_by_outcome,
            contrasts=study_tables.contrasts(review, numbers),
            methods=_methods(synthesis),
            references=[_reference(report) for report in review.reports],
            method_references=sorted({text for fit in fits for text in method_references(fit)}),
        )
    )


@cache
def _environment() -> Any:
    try:
        import jinja2
    except ImportError:
        raise InputError("the HTML report needs the jinja2 package: pip install 'balm[app]'") from None
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("balm.report", "html_report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg_address"] = svg_address
    environment.filters["breakable"] = _breakable
    return environment


@cache
def _style() -> str:
    return resources.files("balm.report.html_report").joinpath("style.css").read_text("utf-8")


def _breakable(text: str, mark: str = ".") -> Any:
    """``text`` escaped, with a place to break after each ``mark``: the dots of an address, the slashes of a list."""
    from markupsafe import Markup, escape

    return (escape(mark) + Markup("<wbr>")).join(escape(part) for part in text.split(mark))


def svg_address(figure: Figure) -> str:
    """The figure as a data address, for saving it as a file."""
    return "data:image/svg+xml;charset=utf-8," + quote(figure.svg, safe="")


def _facts(review: Package, synthesis: Synthesis) -> list[tuple[str, str]]:
    count = {scope: sum(s.scope == scope for s in review.studies) for scope in study_tables.IN_REVIEW}
    usable = {row.study for a in synthesis.analyses for row in a.rows}
    trials = {s.study for s in review.studies if s.scope == "included"}
    said = review.meta.flow  # a plan that counts its studies does so because a study has several rows
    facts = [
        ("Controlled trials", str(said.get("new_studies", count["included"]))),
        ("of them with usable numbers", str(said.get("total_studies_ma", len(usable & trials)))),
        ("Single-arm series", str(count["single-arm"])),
        ("Planned analyses", str(len(synthesis.analyses))),
        ("Version", review.meta.version),
        ("Date", review.meta.date),
    ]
    if review.meta.extraction.extractors == 1:
        facts.append(("Extraction", "one person a study, not repeated by a second"))
    return facts + ([("Registration", review.meta.registration)] if review.meta.registration else [])


def _contents(views: list[analysis_view.AnalysisView]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    return [
        ("question", "Question and eligibility", []),
        ("glance-section", "Results at a glance", []),
        ("flow", "Flow of records and studies", []),
        ("studies", "Characteristics of the studies", []),
        ("risk-of-bias", "Risk of bias", []),
        ("results", "Results", [(v.id, v.title) for v in views]),
        ("published", "Published pooled results", []),
        ("claims", "Claims checked", []),
        ("guidance", "Guideline statements", []),
        ("gaps", "Data gaps", []),
        ("methods", "Methods", []),
        ("references", "References", []),
        ("numbers", "Appendix: numbers as reported", []),
    ]


def _eligibility(review: Package) -> Table:
    heads = columns("#Criterion", "Included", "Excluded")
    rows = tuple(
        Row((Cell(c.name), Cell(c.include), value(c.exclude, missing="nothing further")))
        for c in review.meta.eligibility
    )
    return Table("eligibility", "Eligibility criteria", heads, rows, cards=True)


def _certainty(review: Package, synthesis: Synthesis) -> Table | None:
    if not review.certainty:
        return None
    titles = {a.id: a.title for a in synthesis.analyses}
    heads = columns("#Analysis", "Domain", "Rating", "Reason", "Assessor")
    rows = tuple(
        Row(
            (
                Cell(titles.get(c.analysis, c.analysis)),
                Cell(c.domain),
                Cell(c.rating),
                value(c.reason),
                value(c.assessor),
            )
        )
        for c in review.certainty
    )
    return Table("certainty", "Certainty of the evidence (GRADE)", heads, rows, cards=True)


def _certainty_words(review: Package) -> str:
    if review.certainty:
        return "Certainty was rated with GRADE as follows."
    return "The certainty of these results has not been rated; nothing here is a recommendation."


def _bias_figures(review: Package, labels: dict[str, str]) -> list[Figure]:
    """A traffic light for each instrument and kind of result; titled where there are several."""
    found = groups(review.risk_of_bias)
    titles = [group_title(review, group) if len(found) > 1 else None for group in found]
    return [risk_of_bias_figure(g.judgements, labels=labels, title=t) for g, t in zip(found, titles, strict=True)]


def _bias_words(review: Package) -> str:
    trials = [s for s in review.studies if s.scope in ("included", "sensitivity")]
    judged = {j.study for j in review.risk_of_bias}
    known = [s.label for s in trials if s.study in judged]
    if not known:
        return f"No risk-of-bias judgement is on record for any of the {len(trials)} controlled trials."
    listed = ", ".join(known)
    return (
        f"Judgements are on record for {len(known)} of {len(trials)} controlled trials ({listed}). "
        f"The other {len(trials) - len(known)} have not been assessed: that is not the same as low risk."
    )


def _funnel_words(fits: Iterable[Any]) -> str:
    largest = max((fit.k for fit in fits), default=0)
    if largest >= MIN_STUDIES:
        return f"Funnel plots are shown for analyses of at least {MIN_STUDIES} studies."
    return (
        f"No funnel plot is shown: below {MIN_STUDIES} studies asymmetry cannot be told from chance, and the largest "
        f"analysis has {largest}. Reporting bias could not be assessed and is not ruled out."
    )


def _rescaled(synthesis: Synthesis) -> str:
    moved = [c for c in synthesis.published if c.rescaled]
    if not moved:
        return ""
    said = "; ".join(dict.fromkeys(f"{c.published.label}: {c.rescaled.rstrip('.')}" for c in moved))
    return f"* moved to the scale of the panel ({said})."


def _gaps(synthesis: Synthesis) -> Table:
    heads = columns("#Missing", "Concerns", "Studies", ">Priority")
    rows = tuple(
        Row(
            (
                Cell(gap.missing),
                value(gap.concerns, missing="the whole review"),
                Cell(links=tuple(study_tables.study_link(synthesis.package, s) for s in gap.studies)),
                Cell(str(gap.priority)),
            ),
            id=anchor("gap", gap.gap),
        )
        for gap in sorted(synthesis.gaps, key=lambda g: g.priority)
    )
    return Table("gaps-table", "Missing, in order of value", heads, rows, cards=True)


def _cohorts(review: Package, numbers: dict[str, int]) -> list[Table]:
    tables = []
    heads = columns("#Field", "As reported", "+Notes", "@Source")
    for study in dict.fromkeys(c.study for c in review.cohorts):
        label = next((s.label for s in review.studies if s.study == study), study)
        rows = tuple(
            Row(
                (
                    Cell(c.field, mark=study_tables.marked(c.verified)),
                    value(
                        None if c.value is None else f"{c.value}{' ' + c.unit if c.unit else ''}", missing=NOT_REPORTED
                    ),
                    Cell(c.notes or ""),
                    study_tables.sources(review, c.source, c.report, numbers),
                ),
                classes=study_tables.faded(c.verified),
            )
            for c in review.cohorts
            if c.study == study
        )
        caption = f"{label}, a cohort without control group: what it reports and what it does not"
        tables.append(Table(anchor("cohort", study), caption, heads, rows, cards=True))
    return tables


def _not_verified(synthesis: Synthesis) -> Table:
    heads = columns("#File and row", "Id", "What")
    rows = tuple(
        Row((Cell(f"{n.file}, {n.row}", mark=NOT_VERIFIED), Cell(n.id), Cell(n.what)), classes="unverified")
        for n in synthesis.not_verified
    )
    return Table("not-verified", "Rows not verified against a source", heads, rows, cards=True)


def _methods(synthesis: Synthesis) -> list[tuple[str, list[str]]]:
    """One heading a distinct paragraph, naming the analyses it holds for."""
    said: dict[str, list[str]] = {}
    for result in synthesis.analyses:
        if result.fit is not None:
            text = methods(result.fit).rpartition(" Computed with ")[
                0
            ]  # the versions stand under a heading of their own
            said.setdefault(text, []).append(result.title)
    made = [
        (
            "Data",
            [
                "Results were taken as reported; each conversion is written out beside the row it concerns. Values not "
                "verified against a source were not pooled. Where fewer than two trials contribute, nothing is pooled "
                "and the trial's own result is shown."
            ],
        )
    ]
    return made + [("; ".join(titles), [text]) for text, titles in said.items()]


def _reference(report: Report) -> Reference:
    links: list[Link] = []
    if doi := doi_link(report.doi):
        links.append(doi)
    if report.pmid:
        links.append(Link(f"PMID {report.pmid}", f"https://pubmed.ncbi.nlm.nih.gov/{quote(report.pmid)}/"))
    links += [Link(host(address), address) for address in addresses(report.url)]
    text = report.citation.rstrip(".") + "."
    return Reference(anchor("ref", report.report), text, tuple(links), report.verified)
