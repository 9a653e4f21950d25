"""An update: a new search run, of which only the new records are screened, and its flow beside what was there before.

PRISMA 2020 for updated reviews (Page et al., BMJ 2021;372:n71) shows the studies of the previous version, the new
search alone, and the total; PRISMA-LSR (BMJ 2024;387:e079183) the flow across the versions of a living review.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from balm.review.deduplication.decided import kept_records
from balm.review.flow import Flow
from balm.review.flow_counts import INCLUDED_SCOPES, flow_of, screening_outcomes
from balm.review.living.history import (
    VERSION,
    as_of,
    own_versions,
    record_versions,
    report_versions,
    search_versions,
    studies_as_of,
    study_versions,
)
from balm.review.package import Package
from balm.vocabulary.evidence import ReviewVersion
from balm.vocabulary.problems import InputError, Problem


@dataclass(frozen=True, slots=True)
class Update:
    """The records that the searches of one version found: ``found = known + copies + len(new)``.

    known     : they are of reports that an earlier version had found; what was decided on these stands.
    copies    : more records of the same new report.
    new       : one record a new report; these alone are screened.
    to_screen : those of ``new`` without a settled decision at title and abstract.
    """

    version: str
    found: int
    known: int
    copies: int
    new: tuple[str, ...]
    to_screen: tuple[str, ...]


def update_of(package: Package, at: ReviewVersion) -> Update:
    """What the searches of ``at`` brought, and what of it is to be screened."""
    searches, first = search_versions(package), record_versions(package)
    mine = [r.record for r in package.records if searches.get(r.search or "", at.version) == at.version]
    kept = kept_records((r.record for r in package.records), package.duplicates)
    known = [r for r in mine if first[r] != at.version]
    fresh = [r for r in mine if first[r] == at.version]
    new = tuple(dict.fromkeys(kept.get(r, r) for r in fresh))
    votes = (
        v if (one := kept.get(v.record, v.record)) == v.record else replace(v, record=one)
        for v in package.screening
        if v.stage == "title-abstract"
    )
    decided = {r for r, outcome in screening_outcomes(votes).items() if outcome != "conflict"}
    return Update(
        at.version, len(mine), len(known), len(fresh) - len(new), new, tuple(r for r in new if r not in decided)
    )


def flow_of_version(
    package: Package,
    at: ReviewVersion,
    pooled: Iterable[str] = (),
    not_retrieved: Collection[str] = (),
    *,
    by_record: bool = False,
) -> Flow:
    """The flow of one version: its own searches alone, the studies before it as previous ones, and the total.

    A new record of a report that was found before is a duplicate here: its earlier decision stands and is not counted
    again. A new report of a study that was included before is a new report, and the note says so. The first version has
    no previous studies and is an ordinary flow.
    """
    own = own_versions(package)
    places = {v.version: i for i, v in enumerate(own)}
    place = places[at.version]
    then = as_of(package, at)
    came = {name: places[version] for name, version in report_versions(package).items()}
    then = replace(then, reports=tuple(r for r in then.reports if came[r.report] <= place))
    if place == 0:
        return flow_of(then, pooled, not_retrieved, by_record=by_record)
    searches, first = search_versions(package), record_versions(package)
    mine = {s for s, version in searches.items() if version == at.version}
    found = [r for r in then.records if searches.get(r.search or "", at.version) == at.version]
    fresh = {r.record for r in found if first[r.record] == at.version}
    before = studies_as_of(package, own[place - 1])
    previous = {s.study for s in package.studies if s.study in before and s.scope in INCLUDED_SCOPES}
    counts: dict[str, int] = {"previous_studies": len(previous)}
    if package.reports:
        counts["previous_reports"] = sum(
            bool(previous & set(r.studies)) for r in then.reports if came[r.report] < place
        )
    alone = replace(
        then,
        meta=replace(then.meta, flow=MappingProxyType({**_notes(then.meta.flow), **counts})),
        searches=tuple(s for s in then.searches if s.search in mine),
        records=tuple(r for r in then.records if r.record in fresh),
        duplicates=tuple(d for d in then.duplicates if {d.record_1, d.record_2} <= fresh),
        screening=tuple(v for v in then.screening if v.record in fresh),
        batches=tuple(b for b in then.batches if b.record in fresh),
    )
    flow = flow_of(alone, pooled, not_retrieved, by_record=by_record)
    again = sum(came[r.report] == place and bool(previous & set(r.studies)) for r in then.reports)
    flow = replace(flow, note=" ".join(filter(None, (flow.note, _of_previous(again), _left_out(then, before, came)))))
    if package.searches and not mine:
        return _without_search(flow)
    begun = any(v.stage == "title-abstract" for v in then.screening)
    if fresh and begun and flow.records_screened is None and not flow.uses_other_methods:
        # The review screens already, and of the update nobody has read a record yet.
        waiting = len(set(kept_records(fresh, alone.duplicates).values()))
        flow = replace(flow, records_screened=0, records_excluded=0, records_waiting=waiting)
    known = len(found) - len(fresh)
    if not known:
        return flow
    if not fresh:  # every record was known: nothing is left to screen
        return replace(flow, duplicates=known, excluded_automatic=0, excluded_other=0, records_screened=0)
    return replace(flow, duplicates=(flow.duplicates or 0) + known)


def _without_search(flow: Flow) -> Flow:
    """A version that corrects or re-rates has no search of its own: nothing was found, and nothing is not known."""
    note = " ".join(filter(None, (flow.note, "No search of this version is on record.")))
    flow = replace(
        flow, database_results=0, register_results=0, duplicates=0, excluded_automatic=0, excluded_other=0,
        records_screened=0, records_excluded=0, uses_other_methods=False, note=note,
    )  # fmt: skip
    if flow.new_reports:
        return flow
    return replace(flow, dbr_sought_reports=0, dbr_notretrieved_reports=0, dbr_assessed=0, dbr_excluded=0)


def _of_previous(reports: int) -> str:
    if not reports:
        return ""
    if reports == 1:
        return "One of the new reports is of a study that was included before."
    return f"{reports} of the new reports are of studies that were included before."


def _left_out(package: Package, before: Collection[str], came: Mapping[str, int]) -> str:
    """Which studies of earlier versions were included and are not any more; they are not among the previous ones."""
    read = screening_outcomes(v for v in package.screening if v.stage == "full-text")
    ids = {r.record: r.report or r.record for r in package.records}
    included = {ids[record] for record, outcome in read.items() if outcome == "include" and record in ids}
    once = {s for r in package.reports if r.report in included for s in r.studies if s in before}
    gone = [s.label for s in package.studies if s.study in once and s.scope == "excluded"]
    return f"Included by an earlier version and excluded since: {', '.join(gone)}." if gone else ""


def _notes(said: object) -> dict[str, int]:
    """Counts given under ``[flow]`` are of the review as a whole, not of one version's search: only the note stays."""
    return {key: value for key, value in dict(said).items() if key == "note"}  # type: ignore[call-overload]


def living_flow(
    package: Package, pooled: Iterable[str] = (), not_retrieved: Collection[str] = (), *, by_record: bool = False
) -> Flow:
    """The flow of the review as it stands: of an update, with previous and new, where it has several versions.

    Where ``[flow]`` of ``review.toml`` names previous studies or reports itself, these stand.
    """
    own = own_versions(package)
    if len(own) < 2 or {"previous_studies", "previous_reports"} & set(package.meta.flow):
        return flow_of(package, pooled, not_retrieved, by_record=by_record)
    return flow_of_version(package, own[-1], pooled, not_retrieved, by_record=by_record)


def earlier_flows(
    package: Package, pooled: Iterable[str] = (), not_retrieved: Collection[str] = (), *, by_record: bool = False
) -> tuple[Flow, ...]:
    """The flow of each version before the latest, the first first; none where there are fewer than two."""
    pooled = tuple(pooled)
    return tuple(
        flow_of_version(package, at, pooled, not_retrieved, by_record=by_record) for at in own_versions(package)[:-1]
    )


def first_version(package: Package) -> ReviewVersion | None:
    """The version that a review without one is in: under the name and date of ``review.toml``, with all there is.

    ``None`` where ``versions.csv`` has a version. The first release or the first update writes it down.
    """
    if own_versions(package):
        return None
    return ReviewVersion(package.meta.version, VERSION, "First version", package.meta.date, None)


def begin_update(package: Package, new: ReviewVersion) -> tuple[ReviewVersion, ...]:
    """The rows of ``versions.csv`` with an update begun: what no version held so far is written to the last one.

    From then on every search and study that no version names is the update's. A review without a version gets one
    first, under the version that ``review.toml`` names.
    """
    if any(v.version == new.version for v in package.versions):
        raise InputError(Problem(f"has a version {new.version!r} already", file="versions.csv", column="version"))
    if new.searches or new.studies:
        raise InputError(Problem("an update begins empty: its searches and studies come to it", file="versions.csv"))
    rows = package.versions
    if (first := first_version(package)) is not None:
        rows = (*rows, first)
        if first.version == new.version:
            raise InputError(
                Problem(f"{new.version!r} is the version of review.toml; give the update another", file="versions.csv")
            )
    whole = replace(package, versions=rows)
    searches, studies = search_versions(whole), study_versions(whole)
    held = tuple(
        replace(
            v,
            searches=tuple(s for s, version in searches.items() if version == v.version),
            studies=tuple(s for s, version in studies.items() if version == v.version),
        )
        if v.kind == VERSION
        else v
        for v in rows
    )
    return (*held, new)
