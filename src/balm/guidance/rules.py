"""Rules: each thing a source says about the therapy, with its doses as bounds and its source in full.

A rule says what it is (``basis``): a guideline, a trial's regimen, a secondary summary ... and whether it was compared
with its source. Bolus, rate, duration, number of sessions and total stay separate; none is computed from another here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from balm.guidance.bounds import Bounds, read_bounds
from balm.guidance.therapy import Therapy
from balm.vocabulary.evidence import Arm, GuidanceStatement, Report, Reported, Study
from balm.vocabulary.problems import InputError, Problem

#: Bases that can stand behind advice; what circulates, what clinics happen to do and a regimen on trial cannot.
ADVISING = ("guideline", "position statement")
NOT_VERIFIED = "not verified against a source"
TRIAL = "trial regimen"
SERIES = "regimen of a series without control"
#: Dose fields with the kinds of unit each may have.
FIELDS = {
    "bolus": ("mg/kg", "mg"),
    "rate": ("mg/kg/h", "mg/h"),
    "duration": ("h",),
    "total": ("mg/kg", "mg"),
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule was read: the document, its year and report, pages, and the place in it."""

    title: str
    year: int | None = None
    report: str | None = None
    doi: str | None = None
    pmid: str | None = None
    pages: tuple[str, ...] = ()
    locator: str | None = None

    @property
    def name(self) -> str:
        """The title with its year."""
        return self.title if self.year is None or str(self.year) in self.title else f"{self.title}, {self.year}"

    @property
    def links(self) -> tuple[str, ...]:
        """Addresses to follow, the DOI first."""
        found = [f"https://doi.org/{self.doi}"] if self.doi else []
        found += [f"https://pubmed.ncbi.nlm.nih.gov/{self.pmid}/"] if self.pmid and not self.doi else []
        return (*found, *(p for p in self.pages if p not in found))


@dataclass(frozen=True, slots=True)
class Rule:
    """One statement. ``setting`` is an id of the therapy; ``written_setting`` what the source says."""

    id: str
    kind: str
    basis: str
    topic: str
    statement: str
    setting: str | None
    written_setting: str
    source: Source
    verified: bool
    conditions: frozenset[str] = frozenset()
    condition: str | None = None
    population: str | None = None
    form: str | None = None
    written_form: str | None = None
    bolus: Bounds | None = None
    rate: Bounds | None = None
    rates: tuple[Bounds, ...] = ()  # further limits of the rate: 0.35 mg/kg/h and not over 25 mg/h
    duration: Bounds | None = None
    sessions: Bounds | None = None
    total: Bounds | None = None
    total_per: str | None = None
    grade: str | None = None
    certainty: str | None = None
    about: tuple[str, ...] = ()
    setting_of_source: str | None = None
    question: str | None = None
    position: str | None = None
    reassures: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    notes: str | None = None
    review_due: str | None = None
    checked_by: str | None = None
    reviewed: str | None = None
    next_review: str | None = None
    study: str | None = None
    remarks: tuple[str, ...] = ()  # strength and certainty beneath it, and whether what it rests on has changed

    @property
    def status(self) -> str:
        """Whether somebody compared it with its source."""
        return "verified" if self.verified else NOT_VERIFIED

    @property
    def advises(self) -> bool:
        """Whether it may support a recommendation: a guideline's word, compared with its source."""
        return self.verified and self.basis in ADVISING

    @property
    def doses(self) -> bool:
        """Whether it has a number to compare."""
        return any(b is not None for b in (self.bolus, self.rate, self.total))

    @property
    def is_regimen(self) -> bool:
        """Whether it reports what a study gave: it limits nothing, and advises nothing."""
        return self.basis in (TRIAL, SERIES)

    @property
    def elsewhere(self) -> bool:
        """Whether its words come from another setting than the one it stands under."""
        return self.setting_of_source is not None and self.setting_of_source != self.setting

    def all_rates(self) -> tuple[Bounds, ...]:
        """Every bound of the rate."""
        return ((self.rate,) if self.rate else ()) + self.rates

    def age(self, today: date) -> str:
        """How old it is, and whether its authors' own date of review has passed.

        >>> Rule("a", "dose", "guideline", "t", "s", "chronic", "chronic", Source("G", 2018), True,
        ...      review_due="2023").age(date(2026, 11, 22))
        '8 years old; was due for review in 2023, 3 years ago'
        """
        if self.source.year is None:
            said = "year not stated"
        else:
            years = today.year - self.source.year
            said = f"{years} year{'' if years == 1 else 's'} old" if years > 0 else "of this year"
        due = re.match(r"\d{4}", self.review_due or "")
        if due and int(due[0]) < today.year:
            late = today.year - int(due[0])
            said += f"; was due for review in {due[0]}, {late} year{'' if late == 1 else 's'} ago"
        elif due:
            said += f"; due for review in {self.review_due}"
        return said

    def overdue(self, today: date) -> bool:
        """Whether our own check, or the authors' own review, should have been made again by now."""
        due = re.match(r"\d{4}", self.review_due or "")
        late = bool(due and int(due[0]) < today.year)
        return late or (self.next_review is not None and self.next_review < today.isoformat())


def rules_of(
    statements: Iterable[GuidanceStatement], therapy: Therapy, reports: Mapping[str, Report]
) -> tuple[tuple[Rule, ...], tuple[Problem, ...]]:
    """Every statement as a rule, and what is wrong with those that cannot be read, by file, row and column."""
    rules: list[Rule] = []
    problems: list[Problem] = []
    known = {c.id for c in therapy.comorbidities}
    areas = {c.area for c in therapy.comorbidities}
    for s in statements:

        def wrong(column: str, reason: str, s: GuidanceStatement = s) -> None:
            problems.append(Problem(reason, file=s.file, row=s.row, column=column))

        doses: dict[str, Bounds | None] = {}
        for field in (*FIELDS, "sessions"):
            given: Reported | None = getattr(s, field)
            unit: str | None = None if field == "sessions" else getattr(s, f"{field}_unit")
            try:
                doses[field] = _dose(field, given, unit)
            except InputError as error:
                doses[field] = None
                wrong(field if given is not None else f"{field}_unit", str(error))
        if s.condition and not therapy.conditions_in(s.condition):
            wrong("condition", f"{s.condition!r} is none of the conditions of {therapy.id}")
        for word in s.about:
            if word not in known:
                wrong("about", f"{word!r} is none of the comorbidities of {therapy.id}")
        for area in s.reassures:
            if area not in areas:
                wrong("reassures", f"{area!r} is none of the areas of harm of {therapy.id}")
        if s.drug_form and therapy.form_of(s.drug_form) is None:
            wrong("drug_form", f"{s.drug_form!r} is none of the forms of {therapy.id}")
        for name in ("reviewed", "next_review"):
            if (day := getattr(s, name)) and not _is_day(day):
                wrong(name, f"must be a date such as 2026-11-22; got {day!r}")
        if bool(s.question) != bool(s.position):
            wrong("position", "question and position come together")
        has_dose = any(doses[name] is not None for name in ("bolus", "rate", "total"))
        rules.append(
            Rule(
                id=s.id,
                kind=s.kind or ("dose" if has_dose else "position"),
                basis=s.basis or "guideline",
                topic=s.topic,
                statement=s.statement,
                setting=therapy.setting_holding(s.setting),
                written_setting=s.setting,
                source=_source(s.guideline, s.year, s.report, s.source, s.locator, reports),
                verified=s.verified,
                conditions=therapy.conditions_in(s.condition),
                condition=s.condition,
                population=s.population,
                form=therapy.form_of(s.drug_form),
                written_form=s.drug_form,
                bolus=doses["bolus"],
                rate=doses["rate"],
                duration=doses["duration"],
                sessions=doses["sessions"],
                total=doses["total"],
                total_per=s.total_per,
                grade=s.grade,
                certainty=s.certainty,
                about=s.about,
                setting_of_source=therapy.setting_holding(s.setting_of_source) if s.setting_of_source else None,
                question=s.question,
                position=s.position,
                reassures=s.reassures,
                claims=s.claims,
                notes=s.notes,
                review_due=s.review_due,
                checked_by=s.checked_by,
                reviewed=s.reviewed,
                next_review=s.next_review,
            )
        )
    return tuple(rules), tuple(problems)


def regimens_of(
    arms: Iterable[Arm], studies: Iterable[Study], therapy: Therapy, reports: Mapping[str, Report], reviewed: str
) -> tuple[tuple[Rule, ...], tuple[Problem, ...]]:
    """The regimens that studies gave, as rules: what was tried, never what is advised.

    ``dose`` of an arm is what one session gives; an arm's own ``total`` is of the course.
    """
    by_id = {s.study: s for s in studies}
    rules: list[Rule] = []
    problems: list[Problem] = []
    for arm in arms:
        study = by_id.get(arm.study)
        if study is None or arm.role != "intervention" or (arm.drug or "").casefold() not in therapy.drugs:
            continue
        if therapy.routes and arm.route not in therapy.routes:
            continue
        if study.scope not in ("included", "sensitivity", "single-arm"):
            continue
        doses: dict[str, Bounds | None] = {}
        for name, given, unit in (
            ("bolus", arm.bolus, arm.bolus_unit), ("rate", arm.rate, arm.rate_unit),
            ("rate_2", arm.rate_2, arm.rate_2_unit), ("duration", arm.duration, arm.duration_unit),
            ("total", arm.dose, arm.dose_unit), ("course", arm.total, arm.total_unit),
            ("sessions", arm.infusions, None),
        ):  # fmt: skip
            try:
                doses[name] = _dose({"rate_2": "rate", "course": "total"}.get(name, name), given, unit)
            except InputError as error:
                doses[name] = None
                problems.append(Problem(str(error), file="arms.csv", row=arm.row, column=name))
        doses["duration"] = _as_minutes(doses["duration"], arm.regimen)
        derived = (arm.rate_2_basis or "").startswith("derived")
        controlled = study.scope != "single-arm"
        rule = Rule(
            id=f"{arm.study}-{arm.arm}",
            kind="dose",
            basis=TRIAL if controlled else SERIES,
            topic=f"regimen: {study.label}",
            statement=arm.regimen or arm.label,
            setting=therapy.setting_of.get(arm.study, therapy.setting),
            written_setting=therapy.setting_of.get(arm.study, therapy.setting),
            source=_source(study.label, study.year, arm.report, arm.source, f"arm {arm.arm}", reports),
            verified=arm.verified,
            conditions=therapy.conditions_in(study.condition),
            condition=study.condition,
            form=therapy.form_of(arm.form),
            written_form=arm.form,
            bolus=doses["bolus"],
            rate=doses["rate"],
            # A rate that was derived from dose and duration says nothing they do not say.
            rates=() if doses["rate_2"] is None or derived else (doses["rate_2"],),
            duration=doses["duration"],
            sessions=doses["sessions"],
            total=doses["total"] if doses["total"] is not None else doses["course"],
            total_per="session" if doses["total"] is not None else "course",
            notes="; ".join(
                t
                for t in (
                    arm.co_medication and f"with {arm.co_medication}",
                    arm.notes,
                    arm.total and arm.total_basis and f"total: {arm.total_basis}",
                )
                if t
            )
            or None,
            reviewed=reviewed,
            study=arm.study,
        )
        if rule.doses:
            rules.append(rule)
    return tuple(rules), tuple(problems)


_MINUTES = re.compile(r"(?:over|in|for|/)\s*(\d+(?:\.\d+)?)\s*min", re.IGNORECASE)


def _as_minutes(duration: Bounds | None, regimen: str | None) -> Bounds | None:
    """The minutes that a regimen names, where the column has them as rounded hours ("over 10 min", 0.167 h).

    A rate computed from the rounded figure would be off by as much: 0.4 % for 5 min as 0.083 h.
    """
    found = _MINUTES.findall(regimen or "")
    if duration is None or not duration.is_value or len(found) != 1 or str(duration.unit) != "h":
        return duration
    hours = Decimal(found[0]) / 60
    printed = duration.low
    if printed is None or hours == printed or round(hours, -int(printed.as_tuple().exponent)) != printed:
        return duration
    return read_bounds(found[0], "min")


def _dose(field: str, given: Reported | None, unit: str | None) -> Bounds | None:
    if given is None:
        if unit:
            raise InputError(f"{unit!r} stands without a number")
        return None
    if field == "sessions":
        return read_bounds(given.text, "1")
    if not unit:
        raise InputError(f"{given.text!r} needs its unit; no unit is guessed")
    found = read_bounds(given.text, unit)
    if not any(found.measures(kind) for kind in FIELDS[field]):
        raise InputError(
            f"{field} must be given in {' or '.join(FIELDS[field])} or units of the same kind; got {unit!r}"
        )
    return found


def _source(
    title: str, year: int | None, report: str | None, pages: str | None, locator: str | None,
    reports: Mapping[str, Report],
) -> Source:  # fmt: skip
    known = reports.get(report or "")
    found = tuple(p.strip() for p in (pages or "").split(" ; ") if p.strip())
    return Source(
        title, year, report, known.doi if known else None, known.pmid if known else None, found, locator
    )  # fmt: skip


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
