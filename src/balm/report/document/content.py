"""The tables and sentences that every form of the report holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from balm.plots.figure import Figure
from balm.plots.funnel import MIN_STUDIES
from balm.plots.living_flow import living_flow_diagram
from balm.plots.risk_of_bias import risk_of_bias_figure
from balm.report.document.parts import Block, Reference, said
from balm.report.document.wording import many
from balm.report.html_report import study_tables
from balm.report.html_report.links import addresses, anchor, doi_link, host
from balm.report.html_report.table import NOT_REPORTED, NOT_VERIFIED, Cell, Link, Row, Table, columns, value
from balm.report.methods_text import references as method_references
from balm.report.network_words import method_references as network_references
from balm.report.references import REFERENCES
from balm.review.flow import Flow
from balm.review.living.history import own_versions, with_last_search
from balm.review.living.update import earlier_flows
from balm.review.package import Package
from balm.review.risk_of_bias.on_record import groups
from balm.review.risk_of_bias.targets import group_title
from balm.review.synthesis import Synthesis
from balm.vocabulary.evidence import Report, Study


def facts(review: Package, synthesis: Synthesis) -> list[tuple[str, str]]:
    """What the head of the report says at a glance."""
    count = {scope: sum(s.scope == scope for s in review.studies) for scope in study_tables.IN_REVIEW}
    usable = {row.study for a in synthesis.analyses for row in a.rows}
    usable |= {study.study for n in synthesis.networks for study in n.studies}
    trials = {s.study for s in review.studies if s.scope == "included"}
    said = review.meta.flow  # a plan that counts its studies does so because a study has several rows
    facts = [
        ("Controlled trials", str(said.get("new_studies", count["included"]))),
        ("of them with usable numbers", str(said.get("total_studies_ma", len(usable & trials)))),
        ("Single-arm series", str(count["single-arm"])),
        ("Planned analyses", str(len(synthesis.analyses))),
        *([("Planned network meta-analyses", str(len(synthesis.networks)))] if synthesis.networks else []),
        ("Version", review.meta.version),
        ("Date", review.meta.date),
    ]
    if review.meta.extraction.extractors == 1:
        facts.append(("Extraction", "one person a study, not repeated by a second"))
    return facts + ([("Registration", review.meta.registration)] if review.meta.registration else [])


def kind(synthesis: Synthesis) -> str:
    """What the report calls itself."""
    pooled = any(a.fit is not None for a in synthesis.analyses)
    networks = any(n.fit is not None for n in synthesis.networks)
    if pooled and networks:
        return "Systematic review with pairwise and network meta-analysis"
    what = "network meta-analysis" if networks else "meta-analysis" if pooled else ""
    return f"Systematic review and {what}" if what else "Systematic review"


def works_cited(synthesis: Synthesis) -> set[str]:
    """The works on methods that the report cites, in full."""
    found = {text for a in synthesis.analyses if a.fit is not None for text in method_references(a.fit)}
    if synthesis.package.certainty or synthesis.package.network_certainty:
        found.add(REFERENCES["Core GRADE 2025"])
    return found | (set(network_references()) if synthesis.networks else set())


def eligibility_table(review: Package) -> Table:
    """The eligibility criteria."""
    heads = columns("#Criterion", "Included", "Excluded")
    rows = tuple(
        Row((Cell(c.name), Cell(c.include), value(c.exclude, missing="nothing further")))
        for c in review.meta.eligibility
    )
    return Table("eligibility", "Eligibility criteria", heads, rows, cards=True)


def eligibility(review: Package) -> Block:
    """The table of criteria, or that there is none."""
    if not review.meta.eligibility:
        return said("No eligibility criterion is named in the plan.")
    return eligibility_table(review)


#: What stands under the diagram of all versions.
FLOW_OF_VERSIONS = (
    "Flow across the versions of the review (PRISMA-LSR): each with its own search; what earlier versions had found is "
    "removed before screening."
)


def flow_of_versions(synthesis: Synthesis, flow: Flow, earlier: Sequence[Flow] | None = None) -> Figure | None:
    """The diagram of a review with several versions; ``flow`` is that of the latest."""
    package = synthesis.package
    own = tuple(with_last_search(package, v) for v in own_versions(package))
    if len(own) < 2:
        return None
    if earlier is None:
        earlier = earlier_flows(package, synthesis.pooled_studies)
    rows = zip(own, (*earlier, flow), strict=True)
    return living_flow_diagram((v.label, f"searched {v.searched}" if v.searched else v.date or "", f) for v, f in rows)


def bias_figures(review: Package, labels: dict[str, str]) -> list[Figure]:
    """A traffic light for each instrument and kind of result; titled where there are several."""
    found = groups(review.risk_of_bias)
    titles = [group_title(review, group) if len(found) > 1 else None for group in found]
    return [risk_of_bias_figure(g.judgements, labels=labels, title=t) for g, t in zip(found, titles, strict=True)]


def controlled(review: Package) -> list[Study]:
    """Every controlled trial whose risk of bias is asked for: of the review, and of sensitivity analyses."""
    return [s for s in review.studies if s.scope in ("included", "sensitivity")]


def counted(trials: Sequence[Study]) -> str:
    """How many controlled trials; those of sensitivity analyses are named, for elsewhere the review counts its own."""
    extra = sum(s.scope == "sensitivity" for s in trials)
    said = many(len(trials), "controlled trial")
    if not extra:
        return said
    whose = "" if extra == len(trials) else f"{many(extra, 'x').partition(' ')[0]} of them "
    return f"{said} ({whose}used in sensitivity analyses only)"


def bias_words(review: Package) -> str:
    """Which trials were judged, and which were not."""
    trials = controlled(review)
    judged = {j.study for j in review.risk_of_bias}
    known = [s.label for s in trials if s.study in judged]
    if not trials:
        return "The review has no controlled trial whose risk of bias could be assessed."
    if not known:
        return (
            f"No risk-of-bias judgement is on record for {'' if len(trials) == 1 else 'any of '}the {counted(trials)}."
        )
    if len(known) == len(trials):
        every = "the one controlled trial" if len(trials) == 1 else f"all {counted(trials)}"
        return f"Judgements are on record for {every}."
    open_ = len(trials) - len(known)
    others = "The other one has" if open_ == 1 else f"The other {open_} have"
    return (
        f"Judgements are on record for {len(known)} of {counted(trials)}: {', '.join(known)}. "
        f"{others} not been assessed: that is not the same as low risk."
    )


def funnel_words(fits: Iterable[Any], networks: bool = False) -> str:
    """Whether funnel plots can say anything; ``networks`` says that there are estimates of networks beside them."""
    largest = max((fit.k for fit in fits), default=0)
    if largest >= MIN_STUDIES:
        return f"Funnel plots are shown for analyses of at least {MIN_STUDIES} studies."
    if largest == 0 and networks:
        return (
            "No pairwise analysis was pooled, and small-study effects are not tested within a network. Reporting bias "
            "could not be assessed and is not ruled out."
        )
    if largest == 0:
        return "No studies were pooled, so reporting bias could not be assessed and is not ruled out."
    return (
        f"No funnel plot is shown: below {MIN_STUDIES} studies asymmetry cannot be told from chance, and the largest "
        f"analysis has {largest}. Reporting bias could not be assessed and is not ruled out."
    )


def rescaled(synthesis: Synthesis) -> str:
    """Which published results were moved to the scale of their panel."""
    moved = [c for c in synthesis.published if c.rescaled]
    if not moved:
        return ""
    said = "; ".join(dict.fromkeys(f"{c.published.label}: {c.rescaled.rstrip('.')}" for c in moved))
    return f"* moved to the scale of the panel ({said})."


def gaps_table(synthesis: Synthesis) -> Table:
    """What is missing, the most valuable first."""
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


def cohort_tables(review: Package, numbers: dict[str, int]) -> list[Table]:
    """A table for each cohort: what it reports and what it does not."""
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


def not_verified_table(synthesis: Synthesis) -> Table:
    """Rows that nobody has checked against a source."""
    heads = columns("#File and row", "Id", "What")
    rows = tuple(
        Row((Cell(f"{n.file}, {n.row}", mark=NOT_VERIFIED), Cell(n.id), Cell(n.what)), classes="unverified")
        for n in synthesis.not_verified
    )
    return Table("not-verified", "Rows not verified against a source", heads, rows, cards=True)


def reference(report: Report) -> Reference:
    """A report as a reference with its links."""
    links: list[Link] = []
    if doi := doi_link(report.doi):
        links.append(doi)
    if report.pmid:
        links.append(Link(f"PMID {report.pmid}", f"https://pubmed.ncbi.nlm.nih.gov/{quote(report.pmid)}/"))
    links += [Link(host(address), address) for address in addresses(report.url)]
    text = report.citation.rstrip(".") + "."
    return Reference(anchor("ref", report.report), text, tuple(links), report.verified)
