"""PRISMA 2020 flow: how many records, reports and studies passed each stage, with what is not known kept as not known.

A count is an ``int`` or ``None``; ``None`` means "not known" and is never read as zero. Counts are not filled in
from their neighbours either: a diagram whose gaps were closed by subtraction would look complete without being so.
What can be checked is checked: every identity between the boxes, also where only an inequality is left of it
(records screened cannot exceed records identified, however many duplicates were removed).

Page MJ, McKenzie JE, Bossuyt PM, et al. The PRISMA 2020 statement. BMJ 2021;372:n71, figure 1 and item 16a.
The names of the fields are the machine keys in which PRISMA 2020 flow data are commonly exchanged as CSV.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from balm.vocabulary.problems import InputError, Problem

Count = int | None
#: ``(name, n)``: a source with its number of records, or a reason with its number of reports.
Named = tuple[tuple[str, Count], ...]

#: Kinds of source that fill the left column (records are screened) and the right one (reports are sought at once).
SEARCH_KINDS = ("database", "register", "website", "organisation", "citation")


@dataclass(frozen=True, slots=True)
class Flow:
    """The boxes of the diagram. Every field defaults to "not known".

    ``dbr_*`` are databases and registers, ``other_*`` other methods (websites, organisations, citation searching).
    ``record_links`` is the number of record-to-report links among the records kept after screening. Without it each
    kept record is taken to lead to one report, and "screened - excluded = sought" is checked; with it that sum is not
    asked for, because several records may belong to one report.

    ``*_waiting`` count what is not decided yet while a review is under way (screened in part, or in conflict), so that
    the identities hold at any moment; ``None`` where nothing waits. So are ``reports_ungrouped`` (included at full text
    and of no included study yet) and ``reports_elsewhere`` (reports of included studies that no search here found).

    >>> flow = Flow(database_results=120, register_results=0, duplicates=20, records_screened=101)
    >>> [str(p) for p in flow.problems()]
    ['flow: records identified (120) less records removed (20) must leave at least records screened (101)']
    >>> flow.records_excluded is None
    True
    """

    previous_studies: Count = None
    previous_reports: Count = None
    database_results: Count = None
    database_specific_results: Named = ()
    register_results: Count = None
    register_specific_results: Named = ()
    website_results: Count = None
    organisation_results: Count = None
    citations_results: Count = None
    duplicates: Count = None
    excluded_automatic: Count = None
    excluded_other: Count = None
    records_screened: Count = None
    records_excluded: Count = None
    records_excluded_by_person: Count = None
    records_excluded_by_automation: Count = None
    record_links: Count = None
    records_waiting: Count = None
    dbr_sought_reports: Count = None
    dbr_notretrieved_reports: Count = None
    dbr_waiting: Count = None
    dbr_assessed: Count = None
    dbr_excluded: Count = None
    dbr_excluded_reasons: Named = ()
    other_sought_reports: Count = None
    other_notretrieved_reports: Count = None
    other_waiting: Count = None
    other_assessed: Count = None
    other_excluded: Count = None
    other_excluded_reasons: Named = ()
    reports_ungrouped: Count = None
    reports_elsewhere: Count = None
    new_studies: Count = None
    new_reports: Count = None
    total_studies: Count = None
    total_reports: Count = None
    total_studies_ma: Count = None
    total_reports_ma: Count = None
    is_update: bool = False  # previous studies are part of the diagram
    uses_other_methods: bool = True
    note: str = ""  # why counts are missing, printed under the diagram

    def __post_init__(self) -> None:
        bad = [
            Problem(
                f"{name} must be a whole number of 0 or more, or None where it is not known; got {n!r}", file="flow"
            )
            for name, n in self._every_count()
            if n is not None and (isinstance(n, bool) or not isinstance(n, int) or n < 0)
        ]
        if bad:
            raise InputError(bad)

    def _every_count(self) -> Iterable[tuple[str, Any]]:
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, tuple):
                yield from ((f"{f.name}, {name}", n) for name, n in value)
            elif f.name not in ("is_update", "uses_other_methods", "note"):
                yield f.name, value

    def unknown(self) -> tuple[str, ...]:
        """Names of the counts that belong to this diagram and are not known."""
        skip = {"record_links", "records_excluded_by_person", "records_excluded_by_automation"}
        skip |= {"records_waiting", "dbr_waiting", "other_waiting", "reports_ungrouped", "reports_elsewhere"}
        if not self.is_update:
            skip |= {"previous_studies", "previous_reports", "total_studies", "total_reports"}
        return tuple(
            name
            for name, n in self._every_count()
            if n is None
            and name not in skip
            and (self.uses_other_methods or not name.startswith(("other_", "website_", "organisation_", "citations_")))
        )

    def problems(self) -> tuple[Problem, ...]:
        """Every identity of the diagram that its known counts break; empty when nothing contradicts."""
        found: list[str] = []

        def less(start: _Term, removed: tuple[_Term, ...], left: _Term) -> None:
            found.extend(_subtraction(start, removed, left))

        def same_sum(parts: tuple[_Term, ...], total: _Term) -> None:
            found.extend(_addition(parts, total))

        identified = _plus("records identified", self.database_results, self.register_results)
        removed = tuple(
            (name, n)
            for name, n in (
                ("duplicates", self.duplicates),
                ("removed by automation", self.excluded_automatic),
                ("removed for other reasons", self.excluded_other),
            )
        )
        removed += _waiting("records", self.records_waiting)
        less(identified, removed, ("records screened", self.records_screened))
        if self.record_links is None:
            less(
                ("records screened", self.records_screened),
                (("records excluded", self.records_excluded),),
                ("reports sought from databases and registers", self.dbr_sought_reports),
            )
        elif self.records_excluded is not None:
            less(
                ("records screened", self.records_screened),
                (("records excluded", self.records_excluded),),
                ("records linked to reports, at least", None),
            )
        same_sum(
            (
                ("excluded by a person", self.records_excluded_by_person),
                ("excluded by automation", self.records_excluded_by_automation),
            ),
            ("records excluded", self.records_excluded),
        )
        for column, side in (("databases and registers", "dbr"), ("other methods", "other")):
            sought, lost = getattr(self, f"{side}_sought_reports"), getattr(self, f"{side}_notretrieved_reports")
            assessed = getattr(self, f"{side}_assessed")
            less(
                (f"reports sought from {column}", sought),
                (("not retrieved", lost), *_waiting("reports", getattr(self, f"{side}_waiting"))),
                (f"reports assessed from {column}", assessed),
            )
            excluded = getattr(self, f"{side}_excluded")
            less(
                (f"reports assessed from {column}", assessed),
                (("excluded", excluded),),
                (f"reports kept from {column}", None),
            )
            same_sum(getattr(self, f"{side}_excluded_reasons"), (f"reports excluded from {column}", excluded))
        if self.uses_other_methods:
            parts = (
                ("websites", self.website_results),
                ("organisations", self.organisation_results),
                ("citation searching", self.citations_results),
            )
            same_sum(parts, ("reports sought from other methods", self.other_sought_reports))
        same_sum(self.database_specific_results, ("records from databases", self.database_results))
        same_sum(self.register_specific_results, ("records from registers", self.register_results))

        assessed_all = self._over_columns("assessed")
        excluded_all = self._over_columns("excluded")
        ungrouped, elsewhere, found_here = self.reports_ungrouped, self.reports_elsewhere, self.new_reports
        if elsewhere and found_here is not None:
            if elsewhere > found_here:
                found.append(f"reports that no search found ({elsewhere}) exceed reports of studies ({found_here})")
            found_here = max(found_here - elsewhere, 0)
        less(
            ("reports assessed", assessed_all),
            (
                ("reports excluded", excluded_all),
                *((("not grouped into studies yet", ungrouped),) if ungrouped else ()),
            ),
            ("reports of new studies" + (" that a search found" if elsewhere else ""), found_here),
        )
        if self.is_update:
            for what in ("studies", "reports"):
                same_sum(
                    (
                        (f"previous {what}", getattr(self, f"previous_{what}")),
                        (f"new {what}", getattr(self, f"new_{what}")),
                    ),
                    (f"total {what}", getattr(self, f"total_{what}")),
                )
        for what in ("studies", "reports"):
            total = getattr(self, f"total_{what}") if self.is_update else getattr(self, f"new_{what}")
            pooled = getattr(self, f"total_{what}_ma")
            if total is not None and pooled is not None and pooled > total:
                found.append(f"{what} in meta-analyses ({pooled}) exceed {what} included ({total})")
        if self.new_studies is not None and self.new_reports is not None and self.new_studies > self.new_reports:
            found.append(f"new studies ({self.new_studies}) exceed their reports ({self.new_reports})")
        return tuple(Problem(text, file="flow") for text in found)

    def _over_columns(self, what: str) -> Count:
        one, two = getattr(self, f"dbr_{what}"), getattr(self, f"other_{what}")
        if not self.uses_other_methods:
            return one  # type: ignore[no-any-return]
        return None if one is None or two is None else one + two

    def checked(self) -> Flow:
        """The flow itself, or :class:`InputError` naming every box that does not add up."""
        if bad := self.problems():
            raise InputError(bad)
        return self


_Term = tuple[str, Count]


def _plus(name: str, one: Count, two: Count) -> _Term:
    return name, None if one is None or two is None else one + two


def _waiting(what: str, n: Count) -> tuple[_Term, ...]:
    """A term only where something waits: ``None`` here is "nothing", not "not known"."""
    return () if n is None else ((f"{what} waiting for a decision", n),)


def _known(terms: Iterable[_Term]) -> tuple[int, bool]:
    """Sum of the known terms, and whether all are known. Unknown terms are 0 or more."""
    terms = tuple(terms)
    return sum(n for _, n in terms if n is not None), all(n is not None for _, n in terms)


def _subtraction(start: _Term, removed: tuple[_Term, ...], left: _Term) -> list[str]:
    """``start - removed = left`` as far as the known counts can say."""
    (start_name, n), (left_name, m) = start, left
    if n is None:
        return []
    out, complete = _known(removed)
    names = " and ".join(f"{name} ({k})" for name, k in removed if k is not None)
    if m is None:
        return [f"{names} exceed {start_name} ({n})"] if out > n else []
    if complete and n - out != m:
        return [f"{start_name} ({n}) less {names} must be {left_name}: {n - out}, not {m}"]
    if not complete and n - out < m:
        less = f" less records removed ({out})" if out else ""
        return [f"{start_name} ({n}){less} must leave at least {left_name} ({m})"]
    return []


def _addition(parts: Iterable[_Term], total: _Term) -> list[str]:
    """``sum(parts) = total`` as far as the known counts can say."""
    parts = tuple(parts)
    total_name, n = total
    if not parts or n is None:
        return []
    out, complete = _known(parts)
    names = " + ".join(f"{name} ({k})" for name, k in parts if k is not None)
    if complete and out != n:
        return [f"{names} = {out}, but {total_name} is {n}"]
    if not complete and out > n:
        return [f"{names} = {out} already exceed {total_name} ({n})"]
    return []


def named(rows: Iterable[tuple[str, Count]]) -> tuple[Named, Count]:
    """Rows ``(name, n)`` added up by name, in first-seen order, and their total: not known as soon as one is.

    >>> named([("Medline", 10), ("Embase", None)])
    ((('Medline', 10), ('Embase', None)), None)
    >>> named([])
    ((), None)
    """
    sums: dict[str, Count] = {}
    for name, n in rows:
        before = sums.get(name, 0)
        sums[name] = None if n is None or before is None else before + n
    counts = list(sums.values())
    total = None if not counts or any(n is None for n in counts) else sum(n for n in counts if n is not None)
    return tuple(sums.items()), total


def from_keys(row: Mapping[str, object]) -> Flow:
    """A flow from a mapping of the exchange keys; an empty cell or a missing key is "not known".

    >>> from_keys({"database_results": "12", "register_results": ""}).database_results
    12
    """
    known = {f.name for f in fields(Flow)}
    if unknown := [key for key in row if key not in known]:
        raise InputError([Problem(f"{key!r} is not a count of the PRISMA 2020 flow", file="flow") for key in unknown])
    values: dict[str, Any] = {}
    for key, value in row.items():
        text = "" if value is None else str(value).strip()
        if isinstance(value, (tuple, bool)) or key == "note":
            values[key] = value
        elif text:
            try:
                values[key] = int(text)
            except ValueError:
                reason = "must be a whole number, or empty where it is not known"
                raise InputError(Problem(f"{reason}; got {text!r}", file="flow", column=key, value=text)) from None
    return Flow(**values)
