"""The audit of a registry folder: worked out, set beside a review, written as one HTML file with its figures."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from balm.actions.registry_evidence import evidence_of
from balm.actions.registry_folder import load_registry
from balm.actions.whole_file import whole_file
from balm.registry.against_evidence import BesideEvidence, beside_evidence
from balm.registry.audit import Audit, audit
from balm.report.registry.audit_page import audit_page, figures
from balm.report.registry.shown import shown
from balm.vocabulary.problems import InputError, Problem


def audit_registry(
    folder: str | Path,
    *,
    review: str | Path | None = None,
    site: str | None = None,
    since: date | None = None,
    until: date | None = None,
    as_of: date | None = None,
) -> tuple[Audit, BesideEvidence | None]:
    """The audit of the registry in ``folder`` as of a day (today), beside a review package where one is given."""
    registry = load_registry(folder)
    day = as_of or date.today()
    if day > date.today():
        raise InputError(f"as_of must not lie in the future; got {day}")
    if since is not None and until is not None and until < since:
        raise InputError(f"until ({until}) lies before since ({since})")
    if review is None:
        return audit(registry, day, site=site, since=since, until=until), None
    trials, cohorts, limits, title = evidence_of(review)
    found = audit(registry, day, site=site, since=since, until=until, limits=limits)
    return found, beside_evidence(found, trials, cohorts, review=title)


def write_audit(found: Audit, evidence: BesideEvidence | None, path: str | Path) -> Path:
    """Write the report to ``path`` (.html), whole or not at all."""
    target = Path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        raise InputError(Problem("the report is written as .html; print it from the browser for PDF", file=str(target)))
    text = audit_page(found, evidence)
    with whole_file(target, "w", encoding="utf-8", newline="\n") as out:
        out.write(text)
    return target


def write_figures(found: Audit, folder: str | Path) -> list[Path]:
    """Write every figure as SVG into an existing folder."""
    mark = "simulated-" if found.definition.simulated else ""
    return [figure.save(Path(folder) / f"{mark}{name}.svg") for name, figure in figures(found).items()]


def audit_values(found: Audit, evidence: BesideEvidence | None) -> dict[str, Any]:
    """What may be shown of the audit, for JSON."""
    return shown(found, evidence)
