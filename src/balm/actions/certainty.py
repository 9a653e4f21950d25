"""The certainty of a review package in words and as plain values; its summary of findings and evidence profile."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from balm.actions.review import Review
from balm.actions.whole_file import whole_file
from balm.report.summary_of_findings import Baseline, SummaryOfFindings, summary_of_findings
from balm.report.summary_of_findings_files import profile_csv, summary_csv, summary_html
from balm.review.certainty.planned_network import NetworkDomain
from balm.review.certainty.rating import Certainty, DomainRating, certainties
from balm.review.revman.rm5_out import Written, rm5
from balm.review.synthesis import Synthesis
from balm.vocabulary.problems import InputError, unknown_option


def certainty_of_review(review: Review, analysis: str | None = None) -> dict[str, Certainty]:
    """Analysis id -> its certainty; only ``analysis`` when it is given."""
    found = certainties(review.synthesise())
    if analysis is None:
        return found
    if analysis not in found:
        raise unknown_option("analysis", analysis, list(found))
    return {analysis: found[analysis]}


Chosen = Mapping[str, Sequence[Baseline]]
Write = Callable[[Synthesis, Chosen], bytes]


def _text(write: Callable[[SummaryOfFindings], str]) -> Write:
    return lambda synthesis, chosen: write(summary_of_findings(synthesis, baselines=chosen)).encode("utf-8")


def _word(synthesis: Synthesis, chosen: Chosen) -> bytes:
    from balm.report.document.certainty import summary_document
    from balm.report.document.word import word

    return word(summary_document(summary_of_findings(synthesis, baselines=chosen)), front=False)


#: (what, ending) -> how it is written, and its media type.
WRITERS: dict[tuple[str, str], tuple[Write, str]] = {
    ("summary", "csv"): (_text(summary_csv), "text/csv; charset=utf-8"),
    ("summary", "html"): (_text(summary_html), "text/html; charset=utf-8"),
    ("summary", "docx"): (_word, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("evidence-profile", "csv"): (_text(profile_csv), "text/csv; charset=utf-8"),
    ("gradepro", "rm5"): (lambda synthesis, chosen: rm5(synthesis).data, "application/xml"),
}


def write_summary(review: Review, path: Path, *, profile: bool = False) -> SummaryOfFindings:
    """Write the summary of findings (``.csv``, ``.html``, ``.docx``) or the evidence profile (``.csv``), whole or not
    at all."""
    kind = "evidence-profile" if profile else "summary"
    writers = {f".{end}": write for (what, end), (write, _) in WRITERS.items() if what == kind}
    ending = path.suffix.lower()
    if ending not in writers:
        raise InputError(f"the file must end in {' or '.join(writers)}; got {str(path)!r}")
    if not path.parent.is_dir():
        raise InputError(f"{str(path)!r}: there is no folder {str(path.parent)!r}; make it first")
    synthesis = review.synthesise()
    data = writers[ending](synthesis, {})
    with whole_file(path, "wb") as out:
        out.write(data)
    return summary_of_findings(synthesis)


def write_gradepro(review: Review, path: Path) -> Written:
    """Write the review's analyses as a RevMan 5 file, which GRADEpro imports (``.rm5``), whole or not at all."""
    if path.suffix.lower() != ".rm5":
        raise InputError(f"GRADEpro imports a RevMan 5 file: the name must end in .rm5; got {str(path)!r}")
    if not path.parent.is_dir():
        raise InputError(f"{str(path)!r}: there is no folder {str(path.parent)!r}; make it first")
    made = rm5(review.synthesise())
    with whole_file(path, "wb") as out:
        out.write(made.data)
    return made


def as_text(found: dict[str, Certainty], titles: dict[str, str]) -> str:
    """Each analysis with its target and domains: what the rule proposes, what was decided and why."""
    parts = []
    for analysis, c in found.items():
        lines = [f"{titles[analysis]} [{analysis}]"]
        decided = f"{c.symbols} {c.certainty}".strip()
        lines.append(f"  certainty: {decided}; proposed: {c.proposed.certainty}")
        if c.proposed.target is None:
            lines.append(f"  {c.body.nothing}: nothing is proposed")
        else:
            lines.append(f"  target: {c.proposed.target.words}")
            if c.body.important_source:
                lines.append(f"  important difference: {c.body.important_source}")
            lines.append(f"  start: {c.proposed.start_why}")
        for d in c.domains:
            lines += domain_as_text(d)
        lines += [f"  note: {n}" for n in c.notes]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def domain_as_text(d: DomainRating | NetworkDomain) -> list[str]:
    """One domain in lines: what the rule proposes, what was decided and why; none where nothing is proposed."""
    if d.proposal is None:
        return []
    lines = [f"  {d.domain}: {d.rating}; proposed: {d.proposal.rating}", f"    rule: {d.proposal.rule}"]
    lines += [f"    - {n}" for n in d.proposal.numbers]
    if d.decision is not None and d.decision.reason:
        lines.append(f"    why: {d.decision.reason}")
    elif d.proposal.ask:
        lines.append(f"    to judge: {d.proposal.ask}")
    return lines


def domain_as_plain(d: DomainRating | NetworkDomain) -> dict[str, Any]:
    """One domain as values for JSON."""
    return {
        "domain": d.domain,
        "rating": d.rating,
        "reason": d.decision.reason if d.decision else None,
        "assessor": d.decision.assessor if d.decision else None,
        "proposed": d.proposal.rating if d.proposal else None,
        "rule": d.proposal.rule if d.proposal else None,
        "numbers": list(d.proposal.numbers) if d.proposal else [],
        "source": d.proposal.source if d.proposal else None,
    }


def finite(x: float | None) -> float | None:
    """A number for JSON; one that is not there is ``None``."""
    return x if x is not None and math.isfinite(x) else None


def as_plain(c: Certainty) -> dict[str, Any]:
    """One analysis as values for JSON; a number that is not there is ``None``."""
    target = c.proposed.target
    return {
        "analysis": c.analysis,
        "certainty": c.certainty,
        "proposed": c.proposed.certainty,
        "start": c.proposed.start,
        "stale": c.stale,
        "basis": c.basis,
        "target": None if target is None else {"kind": target.kind, "thresholds": list(target.thresholds)},
        "rated_on": c.body.rated_on,
        "estimate": finite(c.body.estimate),
        "low": finite(c.body.low),
        "high": finite(c.body.high),
        "studies": c.body.k,
        "participants": finite(c.body.participants),
        "domains": [domain_as_plain(d) for d in c.domains],
        "notes": list(c.notes),
    }
