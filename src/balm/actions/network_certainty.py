"""The certainty of a review's networks in words and as plain values; their summary of findings; the way to CINeMA."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from balm.actions.certainty import domain_as_plain, domain_as_text, finite
from balm.actions.network_out import cinema_files, write_folder
from balm.actions.review import Review
from balm.actions.whole_file import whole_file
from balm.report.network_summary_files import WRITERS
from balm.review.certainty.planned_network import (
    NetworkCertainty,
    bias_of_studies,
    important_of,
    network_certainties,
)
from balm.review.certainty.words import NOT_RATED
from balm.review.networks.analysed import NetworkResult, arms_of
from balm.review.package import Package
from balm.review.risk_of_bias.of_analysis import judgements_for
from balm.vocabulary.problems import InputError, unknown_option


def networks_of(review: Review, network: str | None = None) -> dict[str, tuple[NetworkCertainty, ...]]:
    """Network id -> the certainty of each of its comparisons; only ``network`` when it is given."""
    found = {n.id: n for n in review.synthesise().networks}
    if network is not None:
        if network not in found:
            raise unknown_option("network", network, list(found))
        found = {network: found[network]}
    return {id: network_certainties(review.package, result) for id, result in found.items()}


def network_as_text(found: Sequence[NetworkCertainty], title: str) -> str:
    """Each comparison with its domains: what the rule proposes, what was decided and why."""
    parts = []
    for c in found:
        name = f"{c.comparison.treatment} against {c.comparison.against}"
        decided = f"{c.symbols} {c.certainty}".strip()
        lines = [f"{title}: {name} [{c.network}]", f"  certainty: {decided}; proposed: {c.proposed}"]
        for d in c.domains:
            lines += domain_as_text(d)
        lines += [f"  step: {step}" for step in c.rated.steps]
        lines += [f"  note: {n}" for n in c.notes]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def network_as_plain(c: NetworkCertainty) -> dict[str, Any]:
    """One comparison as values for JSON; a number that is not there is ``None``."""
    return {
        "network": c.network,
        "treatment": c.comparison.treatment,
        "against": c.comparison.against,
        "certainty": c.certainty,
        "proposed": c.proposed,
        "follows": c.follows,
        "evidence": c.rated.kind,
        "direct": c.rated.direct,
        "indirect": c.rated.indirect,
        "direct_share": c.rated.direct_share,
        "via": list(c.rated.via),
        "stale": c.stale,
        "basis": c.basis,
        "estimate": finite(c.comparison.estimate),
        "low": finite(c.comparison.interval.low),
        "high": finite(c.comparison.interval.high),
        "domains": [domain_as_plain(d) for d in c.domains],
        "steps": list(c.rated.steps),
        "notes": list(c.notes),
    }


def write_planned_summary(package: Package, result: NetworkResult, path: str | Path) -> Path:
    """The summary of findings of a planned network (``.html``, ``.csv``, ``.docx``), whole or not at all."""
    target = Path(path)
    ending = target.suffix.lower()
    if ending not in WRITERS:
        raise InputError(f"the file must end in {' or '.join(WRITERS)}; got {str(target)!r}")
    if not target.parent.is_dir():
        raise InputError(f"{str(target)!r}: there is no folder {str(target.parent)!r}; make it first")
    data = planned_summary(package, result, ending)
    with whole_file(target, "wb") as out:
        out.write(data)
    return target


def planned_summary(package: Package, result: NetworkResult, ending: str) -> bytes:
    """The bytes of :func:`write_planned_summary`."""
    found = network_certainties(package, result)
    if not found:
        raise InputError(f"network {result.id}: there is no estimate, so there are no findings to write")
    return WRITERS[ending](result, found)


def write_planned_cinema(
    package: Package, result: NetworkResult, folder: str | Path, *, rule: str = "majority"
) -> list[Path]:
    """The folder for CINeMA with :func:`planned_cinema`; files of the same names are replaced."""
    return write_folder(planned_cinema(package, result, rule=rule), folder)


def planned_cinema(package: Package, result: NetworkResult, *, rule: str = "majority") -> dict[str, bytes]:
    """The files for CINeMA of the part that holds the reference, with the risk of bias on record in the review.

    The review keeps no judgement of indirectness by study: the data say low, and the page of what a person must judge
    says so. Studies that nobody assessed for risk of bias stand as unclear, and are named there.
    """
    if result.fit is None:
        raise InputError(f"network {result.id}: there is no estimate to hand over")
    part = result.parts[0]
    important, _ = important_of(result)
    if important is None:
        raise InputError(
            f"network {result.id}: CINeMA asks for the smallest effect that matters; add important and "
            "important_source to [[networks]] in review.toml"
        )
    bias = bias_of_studies(package, result, part)
    judged = judgements_for(package, result.spec)
    notes = ["Indirectness: the review keeps no judgement by study, so the column says 1 (low) everywhere; set it "
             "before the upload."]  # fmt: skip
    if open_ := [s.label for s in part.studies if s.study not in judged]:
        notes.append(f"Risk of bias: not assessed, and put down as 2 (unclear): {', '.join(open_)}.")
    if len(result.parts) > 1:
        notes.append(f"The network falls into {len(result.parts)} parts; this is the one with {part.reference}.")
    decided = [c for c in network_certainties(package, result) if c.certainty != NOT_RATED]
    if decided:
        named = "; ".join(f"{c.comparison.treatment} against {c.comparison.against} {c.certainty}" for c in decided)
        notes.append(f"Decided in the review: {named}.")
    return cinema_files(
        result.fit,
        risk_of_bias=bias,
        indirectness=dict.fromkeys(bias, "low"),
        important=important,
        rule=rule,
        arms=arms_of(part),
        notes=notes,
    )
