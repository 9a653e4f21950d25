"""The PRISMA flow of a package: counted from its rows where they are kept, taken from ``[flow]`` where it says more.

A record counts once for its report: copies set aside are duplicates, votes on a copy are votes on the report. What is
not decided yet (nobody read it, or readers differ) waits and is counted as waiting.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from balm.review.deduplication.decided import kept_records, set_aside
from balm.review.flow import Flow, from_keys, named
from balm.review.flow_grouping import grouping
from balm.review.package import Package
from balm.vocabulary.evidence import Vote

#: Scopes of the studies a review includes; those of sensitivity analyses only are not among them.
INCLUDED_SCOPES = ("included", "single-arm")
#: Why a report is excluded that was included at full text: the scope of its study, as PRISMA's box has it in words.
LEFT_OUT_LATER = {
    "excluded": "Study excluded later",
    "ongoing": "Study ongoing",
    "awaiting": "Study awaits classification",
    "sensitivity": "In sensitivity analyses only",
}
#: The reason at full text that is none against the report: PRISMA counts such a report as not retrieved.
NO_FULL_TEXT = "no full text"

#: Counts that the plan may give; where it does, the grouping of reports into studies is not counted beside them.
_GROUPED_FROM = {f"{side}_{what}" for side in ("dbr", "other") for what in ("assessed", "excluded")} | {"new_reports"}

_COLUMNS = {"website": "website_results", "organisation": "organisation_results", "citation": "citations_results"}


def flow_of(
    package: Package, pooled: Iterable[str] = (), not_retrieved: Collection[str] = (), *, by_record: bool = False
) -> Flow:
    """The flow of ``package``; a count that neither its rows nor its plan give stays not known.

    pooled        : the studies that stand in at least one analysis.
    not_retrieved : records whose report was sought and could not be had.
    by_record     : a report that a search found carries the id of its record, as on the server; else this is told from
                    the ids themselves (:func:`balm.review.flow_grouping.grouping`).

    Counts under ``[flow]`` of ``review.toml`` win over counted rows, so that a search kept elsewhere can be reported;
    ``previous_studies`` there makes the diagram that of an update. Its ``note``, why counts of the search are missing,
    is left out where the records of a search are counted.
    """
    said = dict(package.meta.flow)
    screened, kept = _screened(package, set(not_retrieved))
    counts = _identified(package) | screened | _included(package, pooled)
    if not set(said) & _GROUPED_FROM:
        counts |= grouping(package, kept, INCLUDED_SCOPES, said.get("previous_reports"), by_record=by_record)
    if any(key.startswith(("other_", *_COLUMNS.values())) for key in said):
        counts["uses_other_methods"] = True
    if "previous_studies" in said or "previous_reports" in said:
        counts |= _update(counts, said)
    for told, waiting in (("records_screened", "records_waiting"), ("dbr_assessed", "dbr_waiting"),
                          ("other_assessed", "other_waiting")):  # fmt: skip
        if told in said:
            counts.pop(waiting, None)
    if package.searches and package.records:
        said.pop("note", None)
    return from_keys(counts | said)


def _identified(package: Package) -> dict[str, Any]:
    counts: dict[str, Any] = {}
    if not package.searches:
        return counts
    for kind, total, specific in (
        ("database", "database_results", "database_specific_results"),
        ("register", "register_results", "register_specific_results"),
    ):
        counts[specific], counts[total] = named((s.source, s.retrieved) for s in package.searches if s.kind == kind)
        if not counts[specific]:
            counts[total] = 0
    for kind, key in _COLUMNS.items():
        rows, total_found = named((s.source, s.retrieved) for s in package.searches if s.kind == kind)
        counts[key] = total_found if rows else 0
    counts["uses_other_methods"] = any(s.kind in _COLUMNS for s in package.searches)
    return counts


def _kinds(package: Package) -> dict[str, str]:
    return {s.search: s.kind for s in package.searches}


@dataclass(frozen=True, slots=True)
class _Side:
    """Reports of one column by the record kept: all of them, and how many records they have in this column."""

    kept: frozenset[str]
    records: int


def _sides(package: Package) -> tuple[Mapping[str, str], _Side, _Side]:
    """Record -> the record kept of its report; the reports of databases and registers; those found only otherwise."""
    kinds = _kinds(package)
    other = {r.record for r in package.records if kinds.get(r.search or "") in _COLUMNS}
    ids = {r.record for r in package.records}
    kept = kept_records(ids, package.duplicates)
    from_bases = frozenset(kept[record] for record in ids - other)
    return kept, _Side(from_bases, len(ids - other)), _Side(frozenset(kept.values()) - from_bases, len(other))


def _screened(package: Package, not_retrieved: set[str]) -> tuple[dict[str, Any], set[str] | None]:
    """Both stages: what each column screened, sought, assessed and excluded, and what waits.

    Beside the counts, the records whose reports are included at full text; ``None`` where that is not known.
    """
    first = [v for v in package.screening if v.stage == "title-abstract"]
    second = [v for v in package.screening if v.stage == "full-text"]
    if not package.records:
        return _votes_alone(package, first), None
    kept, bases, others = _sides(package)
    outcomes = screening_outcomes(_on_reports(first, kept))
    counts: dict[str, Any] = {"duplicates": bases.records - len(bases.kept), "excluded_automatic": 0,
                              "excluded_other": 0}  # fmt: skip
    if others.records:  # what databases found too is no report of another method
        kinds = _kinds(package)
        found = [kinds[r.search or ""] for r in package.records if r.record in others.kept]
        counts |= {key: found.count(kind) for kind, key in _COLUMNS.items()}
    if not first:
        return counts, None
    decided = {r: o for r, o in outcomes.items() if o != "conflict"}
    screened = [r for r in bases.kept if r in decided]
    counts["records_screened"] = len(screened)
    counts["records_excluded"] = sum(decided[r] == "exclude" for r in screened)
    if waiting := len(bases.kept) - len(screened):
        counts["records_waiting"] = waiting
    lost = {kept.get(r, r) for r in not_retrieved}
    final = _on_reports(second, kept)
    final += _left_out_later(package, kept, final)
    listed = package.meta.screening.exclusion_reasons
    forward = {r for r in screened if decided[r] == "include"}
    counts |= _full_text("dbr", forward, final, lost, listed, begun=bool(second))
    if others.kept and any(decided.get(r) == "exclude" for r in others.kept):
        return (
            counts,
            None,
        )  # PRISMA has no box for records of other methods that were excluded before their report was read
    sought = {r for r in others.kept if decided.get(r) == "include" or r not in outcomes}
    if len(sought) == len(others.kept):
        counts |= _full_text("other", sought, final, lost, listed, begun=bool(second))
    read = screening_outcomes(final)
    return counts, {r for r in (forward | sought) - lost if read.get(r) == "include"} if second else None


def _left_out_later(package: Package, kept: Mapping[str, str], votes: Iterable[Vote]) -> list[Vote]:
    """A decision for each report that was included at full text and whose studies are all left out now.

    A study may turn out to be ineligible, retracted or unfinished only when it is extracted, or versions later: its
    report is then excluded for that reason, and the sum from reports to studies holds.
    """
    scopes = {s.study: s.scope for s in package.studies}
    reports = {r.report: r for r in package.reports}
    included = {record for record, outcome in screening_outcomes(votes).items() if outcome == "include"}
    out: dict[str, str] = {}
    for r in package.records:
        report = reports.get(r.report or "") or reports.get(r.record)
        standing = [scopes[s] for s in report.studies if s in scopes] if report else []
        if kept[r.record] in included and standing and not set(standing) & set(INCLUDED_SCOPES):
            out[kept[r.record]] = LEFT_OUT_LATER[standing[0]]
    return [Vote(record, "full-text", "", "exclude", "adjudication", why, None) for record, why in out.items()]


def _full_text(
    side: str, sought: set[str], votes: list[Vote], lost: set[str], listed: Sequence[str], *, begun: bool
) -> dict[str, Any]:
    """The reports of one column from being sought to being kept; reasons in the order in which the plan lists them."""
    counts: dict[str, Any] = {f"{side}_sought_reports": len(sought)}
    if not begun and not (lost & sought):
        return counts
    outcomes = {r: o for r, o in screening_outcomes(votes).items() if r in sought and o != "conflict"}
    reasons = _reasons(votes, listed)
    lost = (lost & sought) | {r for r, o in outcomes.items() if o == "exclude" and reasons.get(r) == NO_FULL_TEXT}
    assessed = {r: o for r, o in outcomes.items() if r not in lost}
    out = [r for r, o in assessed.items() if o == "exclude"]
    counts[f"{side}_notretrieved_reports"] = len(lost)
    counts[f"{side}_assessed"] = len(assessed)
    counts[f"{side}_excluded"] = len(out)
    given = [reasons.get(r) or "no reason given" for r in out]
    order = [*(r for r in listed if r != NO_FULL_TEXT), *sorted(set(given) - set(listed))]
    counts[f"{side}_excluded_reasons"] = tuple((reason, given.count(reason)) for reason in order)
    if waiting := len(sought) - len(lost) - len(assessed):
        counts[f"{side}_waiting"] = waiting
    return counts


def _reasons(votes: Iterable[Vote], listed: Sequence[str]) -> dict[str, str]:
    """The reason each report is excluded for: an adjudication's, else of those given the one that is listed first."""
    given: dict[str, list[str]] = {}
    settled: dict[str, str] = {}
    for vote in votes:
        if vote.decision == "exclude" and vote.reason:
            if vote.kind == "adjudication":
                settled[vote.record] = vote.reason
            else:
                given.setdefault(vote.record, []).append(vote.reason)
    rank = {reason: at for at, reason in enumerate(listed)}
    first = {record: min(said, key=lambda r: rank.get(r, len(rank))) for record, said in given.items()}
    return first | settled


def _on_reports(votes: Iterable[Vote], kept: Mapping[str, str]) -> list[Vote]:
    """The votes with the record kept of each report in place of its copies."""
    return [
        Vote(kept.get(v.record, v.record), v.stage, v.reviewer, v.decision, v.kind, v.reason, v.time, v.row)
        for v in votes
    ]


def _votes_alone(package: Package, votes: list[Vote]) -> dict[str, Any]:
    """What votes and duplicates say where the records themselves are kept elsewhere."""
    counts: dict[str, Any] = {}
    if package.duplicates:
        counts["duplicates"] = len(set_aside(package.duplicates))
    if votes:
        outcomes = screening_outcomes(votes)
        counts["records_screened"] = len(outcomes)
        if "conflict" not in outcomes.values():
            counts["records_excluded"] = sum(o == "exclude" for o in outcomes.values())
    return counts


def _included(package: Package, pooled: Iterable[str]) -> dict[str, Any]:
    """Studies and their reports; where a study has no report on record, how many there are is not known."""
    included = {s.study for s in package.studies if s.scope in INCLUDED_SCOPES}
    counts: dict[str, Any] = {"new_studies": len(included)}
    if package.reports and included <= {study for report in package.reports for study in report.studies}:
        counts["new_reports"] = sum(bool(included & set(r.studies)) for r in package.reports)
    pooled = included & set(pooled)
    if pooled:
        counts["total_studies_ma"] = len(pooled)
    return counts


def _update(counts: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """An update: what the package includes is the total; what is not from the version before is new."""
    made: dict[str, Any] = {"is_update": True}
    for what in ("studies", "reports"):
        total, before = counts.get(f"new_{what}"), said.get(f"previous_{what}")
        made[f"total_{what}"] = total
        made[f"new_{what}"] = total - int(before) if total is not None and before is not None else None
        if made[f"new_{what}"] is not None and made[f"new_{what}"] < 0:
            made[f"new_{what}"] = None  # fewer than the version before had: the sum cannot say how many are new
    return made


def screening_outcomes(votes: Iterable[Vote]) -> dict[str, str]:
    """Each record's outcome at one stage: ``include``, ``exclude`` or ``conflict``.

    An adjudication decides; a person's later vote replaces the earlier. All votes exclude: out. None does: forward.
    """
    last: dict[str, dict[str, str]] = {}
    settled: dict[str, str] = {}
    for vote in votes:
        last.setdefault(vote.record, {})
        if vote.kind == "adjudication":
            settled[vote.record] = "exclude" if vote.decision == "exclude" else "include"
        else:
            last[vote.record][vote.reviewer] = vote.decision
    outcomes = {}
    for record, by in last.items():
        out = [d == "exclude" for d in by.values()]
        outcomes[record] = settled.get(record) or ("exclude" if all(out) else "conflict" if any(out) else "include")
    return outcomes
