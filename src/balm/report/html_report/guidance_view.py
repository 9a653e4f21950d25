"""What guidelines and outcome standards say, as they say it: statements of others, never a recommendation of ours."""

from __future__ import annotations

from balm.report.html_report.links import anchor
from balm.report.html_report.study_tables import faded, marked, sources
from balm.report.html_report.table import (
    NOT_REPORTED,
    NOT_VERIFIED,
    Cell,
    Line,
    Row,
    Table,
    columns,
    filled,
    group,
    value,
)
from balm.review.living.recommendations import remarks, stale_ratings
from balm.review.package import Package
from balm.vocabulary.evidence import GuidanceStatement, Reported

#: Settings in the order of the page: how each begins, its id, its heading, and what a reader must keep apart.
SETTINGS = (
    ("chronic", "chronic", "Chronic pain", ""),
    (
        "acute",
        "acute",
        "Acute pain",
        "Written for acute pain: doses, benefits and risks here do not carry over to chronic pain.",
    ),
    ("practice", "practice", "Practice surveys", "What clinics report that they do, which is not advice."),
    ("review", "review", "Reviews with a statement", "Conclusions of reviews, not of a guideline group."),
    ("", "other", "Setting not stated", "On file so that a gap is not read as silence."),
)
#: What circulates without a source of its own stands apart from what a body stands behind.
SECONDARY = (
    "secondary",
    "Circulating summaries",
    "Texts that cite numbers without a source of their own. They support nothing; their contradictions are computed.",
)


def statements(package: Package, numbers: dict[str, int]) -> list[Table]:
    """One table a setting, so that acute and chronic pain never share one; a group of rows a guideline."""
    found: dict[str, list[GuidanceStatement]] = {name: [] for _, name, _, _ in SETTINGS}
    circulating = [s for s in package.guidance if s.basis == "secondary summary"]
    for s in (s for s in package.guidance if s.basis != "secondary summary"):
        found[next(name for start, name, _, _ in SETTINGS if s.setting.startswith(start))].append(s)
    tables = [
        _table(package, numbers, f"{heading}: statements as published", name, note, found[name])
        for _, name, heading, note in SETTINGS
        if found[name]
    ]
    if circulating:
        name, heading, note = SECONDARY
        tables.append(_table(package, numbers, f"{heading}: statements as written", name, note, circulating))
    return tables


def _table(
    package: Package, numbers: dict[str, int], caption: str, name: str, note: str, said: list[GuidanceStatement]
) -> Table:
    heads = columns("#Topic", "+Statement", "Grade as published", "Certainty as published", "Bolus", "Rate",
                    "Duration", "Total", "Sessions", "@Source")  # fmt: skip
    rows: list[Row] = []
    stale = stale_ratings(package)
    for guideline in dict.fromkeys(_title(s) for s in said):
        of_it = [s for s in said if _title(s) == guideline]
        settings = ", ".join(dict.fromkeys(s.setting for s in of_it))
        rows.append(group(f"{guideline}. Setting: {settings}. {age(of_it[0].year, package.meta.date)}", heads))
        rows += [_statement(package, numbers, s, stale) for s in of_it]
    shown, made = filled(heads, rows)
    return Table(f"guidance-{name}", caption, shown, made, note=note, cards=True, grouped="Guideline, setting and age")


def _title(s: GuidanceStatement) -> str:
    return s.guideline if s.year is None or str(s.year) in s.guideline else f"{s.guideline}, {s.year}"


def age(year: int | None, date: str) -> str:
    """How old a statement is on the date of the review.

    >>> age(2018, "2026-11-22"), age(None, "2026-11-22")
    ('8 years old on the date of this review', 'Year not stated')
    """
    if year is None:
        return "Year not stated"
    years = int(date[:4]) - year if date[:4].isdigit() else None
    if years is None:
        return f"Of {year}"
    if years <= 0:
        return "Of the year of this review"
    return f"{years} year{'s' if years > 1 else ''} old on the date of this review"


def _statement(package: Package, numbers: dict[str, int], s: GuidanceStatement, stale: frozenset[str]) -> Row:
    notes = (s.notes or "").removeprefix(NOT_VERIFIED).lstrip(" ;") if not s.verified else s.notes or ""
    parts = [part.strip().casefold() for part in (s.condition or "").split(";")]
    condition = "" if all(part in s.topic.casefold() for part in parts) else f" ({s.condition})"
    told = tuple(Line(f"{said[:1].upper()}{said[1:]}.") for said in remarks(package, s, stale))
    return Row(
        (
            Cell(f"{s.topic[:1].upper()}{s.topic[1:]}{condition}", mark=marked(s.verified)),
            Cell(as_printed(s.statement + (f". Note: {notes}" if notes else "")), lines=told),
            value(s.grade, missing="–"),
            value(s.certainty, missing="–"),
            _dose(s.bolus, s.bolus_unit),
            _dose(s.rate, s.rate_unit),
            _dose(s.duration, s.duration_unit),
            _dose(s.total, s.total_unit),
            _dose(s.sessions, None),
            sources(package, s.source, s.report, numbers),
        ),
        id=anchor("guidance", s.id),
        classes=faded(s.verified),
    )


def as_printed(text: str) -> str:
    """Bounds with the signs of the field in place of those of the keyboard.

    >>> as_printed("<=0.35 mg/kg; >=30% relief")
    '≤0.35 mg/kg; ≥30% relief'
    """
    return text.replace("<=", "≤").replace(">=", "≥")


def _dose(x: Reported | None, unit: str | None) -> Cell:
    return Cell("–", absent=True) if x is None else Cell(as_printed(f"{x.text}{' ' + unit if unit else ''}"))


def standards(package: Package, numbers: dict[str, int]) -> Table:
    """Thresholds of importance, properties of instruments and rules of reporting, each with its source."""
    heads = columns("#Instrument or body", "+What", "+Value", "@Source")
    rows: list[Row] = []
    for domain in dict.fromkeys(s.domain for s in package.standards):
        rows.append(group(domain[:1].upper() + domain[1:], heads))
        for s in (s for s in package.standards if s.domain == domain):
            rows.append(
                Row(
                    (
                        Cell(s.instrument, mark=marked(s.verified)),
                        Cell(as_printed(s.fact)),
                        value(as_printed(s.value) if s.value else None, missing=NOT_REPORTED if not s.fact else "–"),
                        sources(package, s.source, None, numbers),
                    ),
                    classes=faded(s.verified),
                )
            )
    note = "A threshold for change within a person is not a threshold for a difference between groups."
    caption = "Outcome standards: thresholds of importance, instruments, registries"
    return Table("standards", caption, heads, tuple(rows), note=note, cards=True, grouped="Domain")
