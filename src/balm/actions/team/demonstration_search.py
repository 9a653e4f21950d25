"""A search export for the demonstration: the reports that a review names, as records to screen.

Nobody searched anything: the source says so, its kind is ``citation``, and each record says that its text was made
from the review's own tables. It is brought to the server's copy of the review; the folder stays as it is.
"""

from __future__ import annotations

import re

from balm.actions.team.acting import Acting
from balm.actions.team.deduplication import look_for_duplicates
from balm.actions.team.records import bring_in, next_upload, receive
from balm.actions.team.screening import open_stage
from balm.review.package import Package
from balm.review.records.identifiers import find_doi, find_pmid
from balm.vocabulary.evidence import Report, Study

NAME = "reports-named-in-this-review.ris"
ABOUT = {
    "kind": "citation",
    "source": "Reports that this review names (demonstration)",
    "strategy": "No database was searched. The records are the reports, reviews and guidelines listed in reports.csv.",
}
MADE = "Title and abstract were made from the tables of this review; they are not those of the paper."


def demonstration_export(package: Package) -> bytes:
    """The reports of the package as RIS."""
    studies = {study.study: study for study in package.studies}
    records = []
    for report in package.reports:
        own = [studies[name] for name in report.studies if name in studies]
        records.append("\n".join((*_lines(report, own), "ER  - ", "")))
    return "\n".join(records).encode()


def _lines(report: Report, studies: list[Study]) -> list[str]:
    study = studies[0] if studies else None
    year = re.search(r"\b(19|20)\d\d\b", report.citation)
    lines = ["TY  - JOUR", f"TI  - {_title(report, study)}"]
    if study is not None and study.authors:
        lines += [
            f"AU  - {name.strip()}" for name in re.split(r" et al\.?|,|;| & | and ", study.authors) if name.strip()
        ]
    published = study.year if study is not None and study.year else year and year.group()
    about = [part for one in studies for part in _abstract(one)]
    url = (report.url or "").split(" ; ")[0]
    doi = report.doi or find_doi(report.citation)
    pmid = report.pmid or find_pmid(url)
    for tag, text in (
        ("PY", published), ("AB", " ".join([*about, MADE])), ("DO", doi), ("PMID", pmid),
        ("UR", url), ("N1", report.citation),
    ):  # fmt: skip
        if text:
            lines.append(f"{tag}  - {' '.join(str(text).split())}")
    return lines


def _title(report: Report, study: Study | None) -> str:
    if study is None:
        return f"{report.citation} ({report.kind})"
    what = ", ".join(part for part in (study.condition, study.comparator and f"against {study.comparator}") if part)
    return f"{study.label} ({report.kind})" + (f": {what}" if what else "")


def _abstract(study: Study) -> list[str]:
    named = {
        "Design": study.design_text or study.design,
        "Condition": study.condition,
        "Participants": study.n_text or (study.n_randomised and f"{study.n_randomised} randomised"),
        "Drug": " ".join(part for part in (study.route, study.drug_form) if part),
        "Comparator": study.comparator,
        "Main outcome": study.main_outcome,
        "Follow-up": study.follow_up,
        "Findings": study.findings,
    }
    return [f"{name}: {str(text).rstrip('.')}." for name, text in named.items() if text]


def queue_to_screen(acting: Acting, package: Package, screeners: list[str]) -> None:
    """Bring the export in as anybody would, look for duplicates, and open the first stage for ``screeners``."""
    receive(acting, [(NAME, demonstration_export(package))], ABOUT, submission="demonstration-search")
    while (upload := next_upload(acting.review)) is not None:
        bring_in(upload)
    look_for_duplicates(acting)
    open_stage(acting, "title-abstract", screeners)
