"""The versions of a review in order, and with which of them each search, record and study came.

PRISMA-LSR (Akl et al., BMJ 2024;387:e079183) asks a living review to show each version's search and what it added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from balm.review.deduplication.decided import reports_of
from balm.review.package import Package
from balm.vocabulary.evidence import ReviewVersion
from balm.vocabulary.problems import InputError, Problem, unknown_option

FILE = "versions.csv"
VERSION, MILESTONE = "version", "milestone"
#: Scopes of ``studies.csv`` that can stand in an analysis.
IN_REVIEW = ("included", "single-arm", "sensitivity")


def version_problems(rows: Sequence[ReviewVersion]) -> list[Problem]:
    """What contradicts itself in ``versions.csv``: no date, versions out of order, a search or study that came twice.

    >>> came = [ReviewVersion(v, "version", v, None, None, studies=("silva2020",)) for v in "12"]
    >>> [str(p) for p in version_problems(came)]
    ["versions.csv, row 0, column studies: 'silva2020' came with version 1 already"]
    """
    problems: list[Problem] = []

    def wrong(row: ReviewVersion, column: str, reason: str) -> None:
        problems.append(Problem(reason, file=FILE, row=row.row, column=column))

    came: dict[tuple[str, str], str] = {}
    before: ReviewVersion | None = None
    for row in rows:
        if row.kind == MILESTONE:
            if row.date is None and row.searched is None:
                wrong(row, "date", "a milestone needs the date of its search or of its publication")
            for column in ("searches", "studies"):
                if getattr(row, column):
                    wrong(row, column, "belongs to a version of this review; a milestone takes studies by their year")
            continue
        for column in ("searches", "studies"):
            for one in getattr(row, column):
                first = came.setdefault((column, one), row.version)
                if first != row.version:
                    wrong(row, column, f"{one!r} came with version {first} already")
        if before is not None and _later(before.searched, row.searched):
            wrong(row, "searched", f"lies before that of version {before.version}; versions stand oldest first")
        before = row
    return problems


def _later(one: str | None, other: str | None) -> bool:
    """Whether ``one`` is surely later than ``other``: compared as far as both are known."""
    if one is None or other is None:
        return False
    known = min(len(one), len(other))
    return one[:known] > other[:known]


def own_versions(package: Package) -> tuple[ReviewVersion, ...]:
    """The versions of this review, oldest first."""
    return tuple(v for v in package.versions if v.kind == VERSION)


def last_before(package: Package) -> ReviewVersion | None:
    """The version before the latest; ``None`` where there is one version or none."""
    own = own_versions(package)
    return own[-2] if len(own) > 1 else None


def timeline(package: Package) -> tuple[ReviewVersion, ...]:
    """Versions and milestones by the date of their search, else their own; rows of one date keep their order.

    Where a row does not say when its version was last searched, the latest of its searches says it.
    """
    every = [with_last_search(package, v) for v in package.versions]
    dated = [v for v in every if v.searched or v.date]
    undated = [v for v in every if not (v.searched or v.date)]
    return (*sorted(dated, key=lambda v: v.searched or v.date or ""), *undated)


def with_last_search(package: Package, at: ReviewVersion) -> ReviewVersion:
    """The version with the date of its last search: as its row says, else the latest that ``searches.csv`` gives."""
    if at.searched or at.kind == MILESTONE:
        return at
    searches = search_versions(package)
    dates = (s.date for s in package.searches if s.date and searches[s.search] == at.version)
    return replace(at, searched=max(dates, default=None))


def version_called(package: Package, version: str) -> ReviewVersion:
    """The row of ``versions.csv`` with this id; :class:`InputError` with the nearest one where there is none."""
    found = next((v for v in package.versions if v.version == version), None)
    if found is not None:
        return found
    if not package.versions:
        raise InputError(Problem("the review has no versions yet: give it a row a version", file=FILE))
    raise unknown_option("the version", version, [v.version for v in package.versions])


def search_versions(package: Package) -> dict[str, str]:
    """Search -> the version it was run for. A search that no version names belongs to the latest."""
    own = own_versions(package)
    if not own:
        return {}
    named = {search: v.version for v in own for search in v.searches}
    return {s.search: named.get(s.search, own[-1].version) for s in package.searches}


def record_versions(package: Package) -> dict[str, str]:
    """Record -> the version whose search found it, or an earlier one that found another record of the same report."""
    searches = search_versions(package)
    own = {v.version: place for place, v in enumerate(own_versions(package))}
    if not own:
        return {}
    latest = list(own)[-1]
    found = {r.record: searches.get(r.search or "", latest) for r in package.records}
    for copies in reports_of(package.duplicates):
        here = [r for r in copies if r in found]
        if here:
            found |= dict.fromkeys(here, min((found[r] for r in here), key=own.__getitem__))
    return found


def study_versions(package: Package) -> dict[str, str]:
    """Study -> the version it came with; empty where the review has no versions.

    The version that names it; else the earliest whose search found one of its reports (a report that carries the id
    of a record was found by it); else the latest: what no version holds yet is new.
    """
    own = own_versions(package)
    if not own:
        return {}
    place = {v.version: i for i, v in enumerate(own)}
    named = {study: v.version for v in own for study in v.studies}
    records = record_versions(package)
    found: dict[str, str] = {}
    studies_of: Mapping[str, tuple[str, ...]] = {r.report: r.studies for r in package.reports}
    for r in package.records:
        for study in dict.fromkeys((*studies_of.get(r.report or "", ()), *studies_of.get(r.record, ()))):
            new = records[r.record]
            if study not in found or place[new] < place[found[study]]:
                found[study] = new
    return {s.study: named.get(s.study) or found.get(s.study) or own[-1].version for s in package.studies}


def report_versions(package: Package) -> dict[str, str]:
    """Report -> the version whose search found it; one that no search here found came with the first of its studies.

    A study that came before every search that found its reports (from a list, say) brought these reports with it.
    """
    own = own_versions(package)
    if not own:
        return {}
    place = {v.version: i for i, v in enumerate(own)}
    records, came = record_versions(package), study_versions(package)
    known = {r.report for r in package.reports}
    found: dict[str, str] = {}
    for r in package.records:
        for report in {r.report or r.record, r.record} & known:
            found[report] = min((found.get(report, records[r.record]), records[r.record]), key=place.__getitem__)
    first = {
        r.report: min((came[s] for s in r.studies if s in came), key=place.__getitem__, default=own[0].version)
        for r in package.reports
    }
    dated = {name: found.get(name, version) for name, version in first.items()}
    at_hand = {s for r in package.reports for s in r.studies if s in came and place[dated[r.report]] <= place[came[s]]}
    return {r.report: dated[r.report] if at_hand & set(r.studies) else first[r.report] for r in package.reports}


def studies_as_of(package: Package, at: ReviewVersion) -> frozenset[str]:
    """The studies that ``at`` had: those that came with it or before; of a milestone, those published by its year.

    A study without a year is in no milestone.
    """
    if at.kind == MILESTONE:
        until = int((at.searched or at.date or "0")[:4])
        return frozenset(s.study for s in package.studies if s.year is not None and s.year <= until)
    return _came_by(package, at, study_versions(package))


def as_of(package: Package, at: ReviewVersion) -> Package:
    """The package with what ``at`` had, in the state the rows have today: later corrections are in it.

    A release (:mod:`balm.review.living.release`) holds what a version really said; this holds which studies it had.
    Of a milestone there are no searches and no records: they are not of this review.
    """
    studies = studies_as_of(package, at)
    searches: frozenset[str] = frozenset()
    records: frozenset[str] = frozenset()
    if at.kind == VERSION:
        searches = _came_by(package, at, search_versions(package))
        records = frozenset(r.record for r in package.records if (r.search or "") in searches or not r.search)
    places = {v.version: i for i, v in enumerate(own_versions(package))}
    last = places.get(at.version, len(places))
    return replace(
        package,
        versions=tuple(v for v in package.versions if places.get(v.version, -1) <= last),
        studies=tuple(s for s in package.studies if s.study in studies),
        arms=tuple(a for a in package.arms if a.study in studies),
        results=tuple(r for r in package.results if r.study in studies),
        contrasts=tuple(c for c in package.contrasts if c.study in studies),
        risk_of_bias=tuple(j for j in package.risk_of_bias if j.study in studies),
        reports=tuple(r for r in package.reports if not r.studies or studies & set(r.studies)),
        searches=tuple(s for s in package.searches if s.search in searches),
        records=tuple(r for r in package.records if r.record in records),
        duplicates=tuple(d for d in package.duplicates if {d.record_1, d.record_2} <= records),
        screening=tuple(v for v in package.screening if v.record in records),
        batches=tuple(b for b in package.batches if b.record in records),
        cohorts=tuple(c for c in package.cohorts if c.study in studies),
    )


def _came_by(package: Package, at: ReviewVersion, versions: Mapping[str, str]) -> frozenset[str]:
    places = {v.version: i for i, v in enumerate(own_versions(package))}
    return frozenset(one for one, version in versions.items() if places[version] <= places[at.version])


def labels_of(package: Package, studies: Iterable[str]) -> tuple[str, ...]:
    """The labels of ``studies``, in the order of ``studies.csv``."""
    wanted = set(studies)
    return tuple(s.label for s in package.studies if s.study in wanted)
