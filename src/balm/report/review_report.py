"""The report of a review as one HTML file that needs nothing else: no script, no font, no picture from outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import quote

from balm.plots.figure import Figure
from balm.plots.flow import flow_diagram
from balm.plots.published import published_figure
from balm.report.document import content
from balm.report.document.abstract import abstract
from balm.report.document.appendices import discussion, excluded, introduction, other_information, searches
from balm.report.document.certainty import certainty_section, certainty_words
from balm.report.document.checklist import NETWORK_TITLE, checklists
from balm.report.document.methods import methods_section
from balm.report.document.networks import networks_section
from balm.report.document.parts import Paragraph, Run, Section
from balm.report.document.since_last import since_last_section
from balm.report.html_report import analysis_view, guidance_view, published_view, study_tables
from balm.report.html_report.table import NOT_VERIFIED, Link, Table
from balm.report.html_report.table_html import body
from balm.report.html_report.versions_view import version_history
from balm.report.html_report.walk_view import walks_html
from balm.report.methods_text import versions
from balm.report.network_walk import network_walk
from balm.report.walk_back import Extracted, walk
from balm.review.flow import Flow
from balm.review.living.changed import Changes
from balm.review.synthesis import Synthesis
from balm.vocabulary.problems import InputError

#: Sections that the page writes in its own way; a checklist leads to them.
PAGE_SECTIONS = (
    ("flow", "Flow of records and studies"),
    ("studies", "Characteristics of the studies"),
    ("risk-of-bias", "Risk of bias"),
    ("results", "Results"),
    ("certainty-section", "Certainty of the evidence"),
    ("numbers", "Appendix: numbers as reported"),
    ("walk-back", "Appendix: behind each number"),
)


@dataclass(frozen=True, slots=True)
class TrapView:
    """A peculiarity of the data with links to its studies."""

    title: str
    text: str
    links: tuple[Link, ...]


def build_report(
    synthesis: Synthesis,
    flow: Flow,
    *,
    contradictions: str = "refuse",
    extracted: Extracted | None = None,
    earlier: Sequence[Flow] | None = None,
    changes: Changes | None = None,
) -> str:
    """The whole report as HTML text; the same synthesis and flow give the same bytes.

    contradictions : counts of the flow that do not add up are refused, or drawn with what is wrong said ("show").
    extracted      : who extracted a row and when, where that is kept beside the tables.
    earlier        : the flow of each version before the latest, where more is known of them than the package says.
    changes        : what changed since the last version, of a review that has one.

    Text from the package is escaped; addresses become links only when they are http or https. Every pooled number
    leads to the rows of its analysis, every row to the value as reported, and that to its source.
    """
    review = synthesis.package
    numbers = {report.report: i for i, report in enumerate(review.reports, 1)}
    views = [analysis_view.view(result, synthesis, numbers) for result in synthesis.analyses]
    panels = published_view.panels(synthesis)
    fits = [a.fit for a in synthesis.analyses if a.fit is not None]
    labels = {s.study: s.label for s in review.studies}
    networks = networks_section(synthesis, numbers)
    since = since_last_section(changes, review)
    data, data_by_outcome = study_tables.results(review, numbers)
    page = _environment().get_template("page.html")
    return str(
        page.render(
            meta=review.meta,
            style=_style(),
            versions=versions(),
            facts=content.facts(review, synthesis),
            contents=_contents(views, networks, since),
            kind=content.kind(synthesis),
            networks=networks,
            eligibility=content.eligibility_table(review),
            glance=analysis_view.at_a_glance(synthesis),
            certainty=certainty_section(synthesis),
            flow_figure=flow_diagram(flow, contradictions=contradictions),
            living_flow=content.flow_of_versions(synthesis, flow, earlier),
            living_flow_words=content.FLOW_OF_VERSIONS,
            history=version_history(review, numbers),
            since=since,
            parts=_parts(synthesis, numbers, networks),
            characteristics=study_tables.characteristics(review, numbers),
            settings=study_tables.settings(review),
            regimens=study_tables.regimens(review),
            bias=study_tables.bias(review, numbers),
            bias_words=content.bias_words(review),
            bias_figures=content.bias_figures(review, labels),
            analyses=views,
            funnel_words=content.funnel_words(fits, bool(synthesis.networks)),
            published=published_view.published_table(synthesis, numbers),
            published_figure=published_figure(panels) if panels else None,
            rescaled=content.rescaled(synthesis),
            why=published_view.why_they_differ(synthesis),
            claims=published_view.claims_table(synthesis, numbers),
            claims_words=published_view.claims_count(synthesis),
            guidance=guidance_view.statements(review, numbers),
            standards=guidance_view.standards(review, numbers),
            standards_count=len(review.standards),
            gaps=content.gaps_table(synthesis),
            traps=[
                TrapView(t.title, t.text, tuple(study_tables.study_link(review, s) for s in t.studies))
                for t in review.meta.traps
            ],
            cohorts=content.cohort_tables(review, numbers),
            not_verified=content.not_verified_table(synthesis),
            not_verified_words=NOT_VERIFIED,
            data=data,
            walks=_walks(synthesis, numbers, extracted),
            data_by_outcome=data_by_outcome,
            contrasts=study_tables.contrasts(review, numbers),
            references=[content.reference(report) for report in review.reports],
            method_references=sorted(content.works_cited(synthesis)),
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
    environment.filters["rows"] = _rows
    environment.filters["kind"] = lambda block: type(block).__name__
    return environment


def _rows(table: Table) -> Any:
    from markupsafe import Markup

    return Markup(body(table))


def _walks(synthesis: Synthesis, numbers: dict[str, int], extracted: Extracted | None) -> Any:
    from markupsafe import Markup

    walks = [walk(result, synthesis, numbers, extracted) for result in synthesis.analyses]
    walks += [network_walk(result, synthesis, numbers, extracted) for result in synthesis.networks]
    return Markup(walks_html(walks))


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


def _contents(
    views: list[analysis_view.AnalysisView], networks: Section | None, since: Section | None
) -> list[tuple[str, str, list[tuple[str, str]]]]:
    drawn = [] if networks is None else [(networks.id, networks.title, [(s.id, s.title) for s in networks.sections])]
    listed = [] if networks is None else [("network-checklist", NETWORK_TITLE, [])]
    return [
        ("abstract", "Abstract", []),
        ("question", "Question and eligibility", []),
        ("glance-section", "Results at a glance", []),
        ("certainty-section", "Certainty of the evidence", []),
        ("flow", "Flow of records and studies", []),
        *([] if since is None else [(since.id, since.title, [])]),
        ("studies", "Characteristics of the studies", []),
        ("risk-of-bias", "Risk of bias", []),
        ("results", "Results", [(v.id, v.title) for v in views]),
        *drawn,
        ("published", "Published pooled results", []),
        ("claims", "Claims checked", []),
        ("guidance", "Guideline statements", []),
        ("gaps", "Data gaps", []),
        ("methods", "Methods", []),
        ("discussion", "Discussion", []),
        ("other", "Other information", []),
        ("references", "References", []),
        ("searches", "Appendix: search strategies", []),
        ("numbers", "Appendix: numbers as reported", []),
        ("walk-back", "Appendix: behind each number", []),
        ("checklist", "PRISMA 2020 checklist", []),
        ("abstract-checklist", "PRISMA 2020 for abstracts checklist", []),
        *listed,
    ]


def _parts(synthesis: Synthesis, numbers: dict[str, int], networks: Section | None) -> dict[str, Section]:
    """The sections that the page shares with the other forms, by their ids."""
    review = synthesis.package
    fits = [a.fit for a in synthesis.analyses if a.fit is not None]
    there = Paragraph((Run("Eligibility criteria", href="#eligibility"), Run(" stand with the question.")))
    made = [
        abstract(synthesis),
        introduction(review),
        methods_section(
            synthesis, there, content.funnel_words(fits, bool(synthesis.networks)), certainty_words(review)
        ),
        excluded(review, study_tables.outside(review, numbers)),
        discussion(synthesis),
        other_information(review),
        searches(review),
    ]
    elsewhere = [Section(id, title) for id, title in PAGE_SECTIONS]
    elsewhere += [networks] if networks is not None else []
    made += checklists([*made, *elsewhere])
    return {section.id: section for section in made}
