"""The boxes of a PRISMA 2020 flow diagram: which there are, where they stand, and what is written in them.

The words are those of the templates of Page MJ et al., BMJ 2021;372:n71. What is not known says so in its box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from balm.plots.text_width import text_width, wrap
from balm.review.flow import Count, Flow, Named

SIZE, LEADING, PAD, BOX = 11.5, 15.0, 9.0, 206.0
#: Levels that can be left out, with the boxes each of them is.
LEVELS = {
    "previous studies": ("previous heading", "previous", "total"),
    "other methods": ("other heading", "other identified", "other sought", "other not retrieved", "other assessed",
                      "other reports excluded"),
    "removed before screening": ("removed",),
    "retrieval": ("sought", "not retrieved", "other sought", "other not retrieved"),
    "meta-analysis": ("synthesised",),
}  # fmt: skip
#: Box -> the count whose address it leads to, in the keys in which flow data are exchanged.
KEYS = {
    "previous": "previous_studies",
    "identified": "database_results",
    "removed": "duplicates",
    "screened": "records_screened",
    "excluded": "records_excluded",
    "sought": "dbr_sought_reports",
    "not retrieved": "dbr_notretrieved_reports",
    "assessed": "dbr_assessed",
    "reports excluded": "dbr_excluded",
    "other identified": "website_results",
    "other sought": "other_sought_reports",
    "other not retrieved": "other_notretrieved_reports",
    "other assessed": "other_assessed",
    "other reports excluded": "other_excluded",
    "included": "new_studies",
    "total": "total_studies",
    "synthesised": "total_studies_ma",
}
#: Printed where a count is missing. Never 0.
NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a box: a heading or a count with its name."""

    text: str
    bold: bool = False
    quiet: bool = False
    indent: float = 0.0


@dataclass(frozen=True, slots=True)
class Box:
    """A box at a grid place: ``column`` from the left, ``row`` from the top."""

    column: int
    row: int
    lines: tuple[Line, ...]

    @property
    def height(self) -> float:
        return PAD * 2 + LEADING * len(self.lines) - 3


def counted(name: str, n: Count) -> str:
    """``name`` with its count as printed.

    >>> counted("Records screened", 250), counted("Records screened", None)
    ('Records screened (n = 250)', 'Records screened (n not known)')
    """
    said = NOT_KNOWN if n is None else "= " + f"{n:,}".replace(",", "\u202f")
    return f"{name} (n {said})"


def boxes_of(flow: Flow, *, synthesis_box: bool, zero_reasons: bool) -> dict[str, Box]:
    shift = 1 if flow.is_update else 0
    word = "new " if flow.is_update else ""
    a, b, c, d = shift, shift + 1, shift + 2, shift + 3
    found: dict[str, Box] = {}

    def add(name: str, column: int, row: int, *lines: Line | list[Line]) -> None:
        flat = [line for item in lines for line in (item if isinstance(item, list) else [item])]
        found[name] = Box(column, row, tuple(part for line in flat for part in _wrapped(line)))

    if flow.is_update:
        add("previous heading", 0, 0, Line("Previous studies", bold=True))
        add(
            "previous",
            0,
            1,
            _count("Studies included in previous version of review", flow.previous_studies),
            _count("Reports of studies included in previous version of review", flow.previous_reports),
        )
    add("heading", a, 0, Line(f"Identification of {word}studies via databases and registers", bold=True))
    add(
        "identified",
        a,
        1,
        Line("Records identified from:", bold=True),
        _count("Databases", flow.database_results),
        _named(flow.database_specific_results, zero=True),
        _count("Registers", flow.register_results),
        _named(flow.register_specific_results, zero=True),
    )
    add(
        "removed",
        b,
        1,
        Line("Records removed before screening:", bold=True),
        _count("Duplicate records removed", flow.duplicates),
        _count("Records marked as ineligible by automation tools", flow.excluded_automatic),
        _count("Records removed for other reasons", flow.excluded_other),
    )
    add("screened", a, 2, _count("Records screened", flow.records_screened), _waiting(flow.records_waiting))
    by = [
        _count(name, n, indent=10)
        for name, n in (
            ("by a person", flow.records_excluded_by_person),
            ("by automation", flow.records_excluded_by_automation),
        )
        if n is not None
    ]
    add("excluded", b, 2, _count("Records excluded", flow.records_excluded), by)
    links = [] if flow.record_links is None else [_count("Record-to-report links", flow.record_links)]
    for side, first, second in (("dbr", a, b), ("other", c, d)):
        if side == "other" and not flow.uses_other_methods:
            continue
        prefix = "" if side == "dbr" else "other "
        if side == "other":
            add("other heading", c, 0, Line(f"Identification of {word}studies via other methods", bold=True))
            add(
                "other identified",
                c,
                1,
                Line("Records identified from:", bold=True),
                _count("Websites", flow.website_results),
                _count("Organisations", flow.organisation_results),
                _count("Citation searching", flow.citations_results),
            )
        add(
            f"{prefix}sought",
            first,
            3,
            _count("Reports sought for retrieval", getattr(flow, f"{side}_sought_reports")),
            links if side == "dbr" else [],
        )
        lost = getattr(flow, f"{side}_notretrieved_reports")
        add(f"{prefix}not retrieved", second, 3, _count("Reports not retrieved", lost))
        assessed = getattr(flow, f"{side}_assessed")
        waiting = _waiting(getattr(flow, f"{side}_waiting"))
        add(f"{prefix}assessed", first, 4, _count("Reports assessed for eligibility", assessed), waiting)
        reasons = _named(getattr(flow, f"{side}_excluded_reasons"), zero=zero_reasons)
        add(
            f"{prefix}reports excluded",
            second,
            4,
            _count("Reports excluded", getattr(flow, f"{side}_excluded")),
            reasons,
        )
    add(
        "included",
        a,
        5,
        _count(f"{word}studies included in review".capitalize(), flow.new_studies, bold=True),
        _count(f"Reports of {word}included studies", flow.new_reports),
        *_grouping(flow),
    )
    last = 6
    if flow.is_update:
        add(
            "total",
            a,
            last,
            _count("Total studies included in review", flow.total_studies, bold=True),
            _count("Reports of total included studies", flow.total_reports),
        )
        last += 1
    if synthesis_box:
        add("synthesised", a, last, _count("Studies in a meta-analysis", flow.total_studies_ma, bold=True))
    return found


def _count(name: str, n: Count, *, bold: bool = False, indent: float = 0.0) -> Line:
    return Line(counted(name, n), bold=bold, quiet=n is None, indent=indent)


def _waiting(n: Count) -> list[Line]:
    return [] if n is None else [_count("waiting for a decision", n, indent=10)]


def _grouping(flow: Flow) -> list[Line]:
    """What stands between reports assessed and reports of studies while a review is under way."""
    lines = []
    if flow.reports_elsewhere:
        lines.append(_count("found by no search here", flow.reports_elsewhere, indent=10))
    if flow.reports_ungrouped:
        lines.append(_count("Reports not grouped into studies yet", flow.reports_ungrouped))
    return lines


def _named(rows: Named, *, zero: bool) -> list[Line]:
    return [_count(name, n, indent=10) for name, n in rows if zero or n != 0]


def _wrapped(line: Line) -> Sequence[Line]:
    """The line broken to the width of a box, its count kept in one piece."""
    room = BOX - 2 * PAD - line.indent
    name, opened, rest = line.text.rpartition(" (n ")
    if not opened or text_width(line.text, SIZE, bold=line.bold) <= room:
        parts = wrap(line.text, room, SIZE, bold=line.bold, lines=3)
    else:
        parts = wrap(name, room, SIZE, bold=line.bold, lines=3)
        if text_width(joined := f"{parts[-1]} (n {rest}", SIZE, bold=line.bold) <= room:
            parts[-1] = joined
        else:
            parts.append(f"(n {rest}")
    return [Line(part, line.bold, line.quiet, line.indent) for part in parts]
