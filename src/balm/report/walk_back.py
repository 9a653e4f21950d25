"""From a printed number back to the page of a trial's report: every number's address, and the chain behind it.

An address names a number of the review for good: ``<analysis>:<quantity>`` a result (``pain-week-1:estimate``),
``<analysis>:<study>:<quantity>`` what one study gives to it, ``<analysis>:sensitivity-<name>:<quantity>`` and
``<analysis>:subgroup-<name>:<quantity>`` a repetition with something changed. It stands for the same number in every
table and figure of every form of the report, and :func:`walk` is what stands behind it: pooled result -> study effects
-> conversions -> value as reported -> quote and page -> who extracted it and when.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from balm.report.html_report.links import address, anchor, source_links
from balm.report.html_report.rows_view import group_values, note_text, rows_file, step_line
from balm.report.html_report.study_tables import marked, printed, printed_contrast
from balm.report.html_report.table import Line, Link
from balm.report.methods_text import methods
from balm.report.result_sentence import is_ratio, shows_ratio
from balm.report.rounding import digits_for
from balm.report.rounding import number as rounded
from balm.report.study_rows import study_rows
from balm.review.certainty.of_analysis import participants
from balm.review.contrasts import timepoint_of
from balm.review.package import Package
from balm.review.synthesis import AnalysisResult, EffectRow, Sensitivity, Subgroup, Synthesis
from balm.stats.measures import MEASURES
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.evidence import Contrast, Result
from balm.vocabulary.numbers import fixed, p_value, percent, plain, short

#: What is said where nobody is on record; the people of ``review.toml`` are named with it.
NOT_RECORDED = "who read this value is not on record"
#: Result or contrast -> who extracted it and when, where a server knows it better than the table.
Extracted = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of a result: its address, what it is, as it is printed, and in full."""

    address: str
    name: str
    printed: str
    exact: float

    @property
    def id(self) -> str:
        """Its place in a page."""
        return f"at:{self.address}"


@dataclass(frozen=True, slots=True)
class ReportedValue:
    """A row of ``results.csv`` or ``contrasts.csv`` as the report printed it, where it was read, by whom and when."""

    id: str
    kind: str  # result, contrast
    row: int
    whose: str  # the arm, or the two arms
    timepoint: str
    printed: str
    how_read: str
    page: str
    quote: str
    links: tuple[Link, ...]
    source: str  # its words where it is no address
    extracted: str
    mark: str  # that it is not verified


@dataclass(frozen=True, slots=True)
class StudyStep:
    """What one study gives to a result."""

    study: str
    label: str
    effect: str  # with its interval; empty where it carries no information
    weight: str
    used: tuple[str, ...]  # the numbers of each group
    conversions: tuple[Line, ...]
    notes: tuple[str, ...]
    reported: tuple[ReportedValue, ...]
    sources: tuple[Link, ...]  # of numbers that no row of the tables holds


@dataclass(frozen=True, slots=True)
class VariantStudy:
    """What a study gives to a sensitivity analysis or a subgroup. ``links`` lead to where its numbers come from, if it
    is not in the whole analysis (``step`` is false), where its step says so."""

    study: str
    label: str
    effect: str
    weight: str
    step: bool
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """A sensitivity analysis or a subgroup: its numbers, how it was computed, and what each study gives to it; the
    step of a study in the whole analysis says where its numbers come from."""

    key: str  # between analysis and quantity in the address
    title: str
    quantities: tuple[Quantity, ...]
    model: str
    studies: tuple[VariantStudy, ...]


@dataclass(frozen=True, slots=True)
class Walk:
    """All that stands behind the numbers of one analysis."""

    analysis: str
    title: str
    quantities: tuple[Quantity, ...]
    model: str
    studies: tuple[StudyStep, ...]
    variants: tuple[Variant, ...] = ()

    def step(self, study: str) -> StudyStep:
        """The part of one study."""
        return next(s for s in self.studies if s.study == study)


def walk(
    result: AnalysisResult,
    synthesis: Synthesis,
    numbers: Mapping[str, int] | None = None,
    extracted: Extracted | None = None,
) -> Walk:
    """The chain behind one analysis.

    numbers   : report -> its number among the references, where the page has them.
    extracted : who extracted a row and when, where that is kept beside the tables; else their own columns say it.
    """
    package, fit = synthesis.package, result.whole
    drawn = {} if fit is None else {row.study: row for row in study_rows(fit)}
    digits = digits_for([row.high - row.low for row in drawn.values()])
    known = {r.result: r for r in package.results} if not result.spec.contrasts else {}
    between = {c.contrast: c for c in package.contrasts} if result.spec.contrasts else {}
    reader = Reader(package, dict(numbers or {}), extracted or {})
    ratio = shows_ratio(result.measure)
    steps = []
    for row in result.rows:
        own = drawn.get(row.label)
        rows: list[Result | Contrast] = [known[r] for r in row.results if r in known]
        rows += [between[c] for c in row.results if c in between]
        steps.append(
            StudyStep(
                study=row.study,
                label=row.label,
                effect="" if own is None else _effect(own.estimate, own.low, own.high, digits, ratio),
                weight="" if own is None or result.whole is None else f"{fixed(own.weight, 1)}%",
                used=tuple(text for arm in (1, 2) if (text := group_values(row.values, arm))),
                conversions=tuple(step_line(step, package, row) for step in row.steps),
                notes=tuple(note_text(note, package, row) for note in dict.fromkeys(row.notes)),
                reported=tuple(reader.value(r) for r in rows),
                sources=() if rows else reader.links(row),
            )
        )
    return Walk(result.id, result.title, quantities(result), _model(result), tuple(steps), variants(result))


def addresses(result: AnalysisResult) -> str:
    """The addresses of an analysis in a sentence, for forms that have no page behind each number."""
    names = [q.address.removeprefix(result.id) for q in quantities(result)]
    if not names:
        return ""
    return (
        f"Addresses of these numbers, by which the report in HTML opens what stands behind each: {result.id}{names[0]}"
        + "".join(f", {name}" for name in names[1:])
        + "."
    )


def variant_keys(result: AnalysisResult) -> tuple[dict[int, str], dict[int, str]]:
    """Place -> key of each sensitivity analysis and of each subgroup: by its name, so that it stays the same when
    others are added; names that are the same count on.

    The keys stand between analysis and quantity in an address: ``pain-week-1:sensitivity-tau2-DL:estimate``.
    """
    found: list[dict[int, str]] = []
    taken: dict[str, int] = {}
    named = [("sensitivity", [f"{s.label} {s.changed}" if s.changed not in s.label else s.label
                              for s in result.sensitivity])]  # fmt: skip
    named.append(("subgroup", [s.level for s in result.subgroups]))
    for kind, names in named:
        keys = {}
        for i, name in enumerate(names):
            key = anchor(kind, name)
            taken[key] = taken.get(key, 0) + 1
            keys[i] = key if taken[key] == 1 else f"{key}-{taken[key]}"
        found.append(keys)
    return found[0], found[1]


def variants(result: AnalysisResult) -> tuple[Variant, ...]:
    """The sensitivity analyses and subgroups that have a pooled result."""
    changed, levels = variant_keys(result)
    both: list[tuple[str, str, Sensitivity | Subgroup]] = [
        (changed[i], f"Sensitivity: {s.label}" + (f", {s.changed}" if s.changed not in s.label else ""), s)
        for i, s in enumerate(result.sensitivity)
    ]
    both += [(levels[i], f"Subgroup: {s.level}", s) for i, s in enumerate(result.subgroups)]
    found = []
    planned, file = {row.study for row in result.rows}, rows_file(result)
    for key, title, s in both:
        if s.fit is None:
            continue
        drawn = {row.study: row for row in study_rows(s.fit)}
        digits = digits_for([row.high - row.low for row in drawn.values()])
        studies = []
        for row in s.rows:
            if (own := drawn.get(row.label)) is not None:
                effect = _effect(own.estimate, own.low, own.high, digits, shows_ratio(result.measure))
                step = row.study in planned
                links = () if step else _own_rows(row, file)
                studies.append(VariantStudy(row.study, row.label, effect, f"{fixed(own.weight, 1)}%", step, links))
        model = methods(s.fit).rpartition(" Computed with ")[0]
        found.append(Variant(key, title, _numbers_of(result.id, key, s.fit), model, tuple(studies)))
    return tuple(found)


def _own_rows(row: EffectRow, file: str) -> tuple[Link, ...]:
    """The rows of a study that the planned analysis does not hold; its sources where its numbers were assumed."""
    found = tuple(
        Link(f"{file}, row {n}", "#" + anchor(file.removesuffix("s.csv"), r))
        for n, r in zip(row.rows, row.results, strict=False)
    )
    return found or source_links(" ; ".join(row.sources), None, {})


def _numbers_of(analysis: str, key: str, fit: Pooled) -> tuple[Quantity, ...]:
    """What a table prints of a sensitivity analysis or a subgroup."""
    shown, ratio = fit.displayed, is_ratio(fit)
    digits = digits_for([shown.interval.high - shown.interval.low])
    told = [("studies", "Studies", str(fit.k), float(fit.k)),
            ("estimate", "Estimate", rounded(shown.estimate, digits, ratio=ratio), shown.estimate),
            ("low", "Interval, low", rounded(shown.interval.low, digits, ratio=ratio), shown.interval.low),
            ("high", "Interval, high", rounded(shown.interval.high, digits, ratio=ratio), shown.interval.high),
            ("p", "P", p_value(fit.p) if fit.p == fit.p else "–", fit.p)]  # fmt: skip
    if math.isfinite(fit.i2):
        told.append(("i2", "I²", percent(fit.i2), fit.i2))
    return tuple(Quantity(address(analysis, q, key), name, text, float(x)) for q, name, text, x in told)


def quantities(result: AnalysisResult) -> tuple[Quantity, ...]:
    """Every number that the analysis gives, with its address: the result, its heterogeneity, its absolute effects."""
    fit = result.fit or (result.whole if result.single is not None else None)
    found: list[Quantity] = []

    def add(quantity: str, name: str, text: str, exact: float) -> None:
        found.append(Quantity(address(result.id, quantity), name, text, float(exact)))

    if fit is None:
        return ()
    shown, ratio = fit.displayed, is_ratio(fit)
    used = [row for row in result.rows if row.label in fit.effects.study]
    digits = digits_for([shown.interval.high - shown.interval.low])
    coverage = percent(100 * fit.interval.level)
    people = participants(used)
    add("studies", "Studies", str(fit.k), fit.k)
    if people is not None:
        add("people", "People", plain(people), people)
    scale = MEASURES[fit.measure].name if fit.measure in MEASURES else fit.measure
    add("estimate", scale[:1].upper() + scale[1:], rounded(shown.estimate, digits, ratio=ratio), shown.estimate)
    add("low", f"{coverage} interval, low", rounded(shown.interval.low, digits, ratio=ratio), shown.interval.low)
    add("high", f"{coverage} interval, high", rounded(shown.interval.high, digits, ratio=ratio), shown.interval.high)
    add("p", "P", p_value(fit.p) if fit.p == fit.p else "–", fit.p)
    if result.fit is not None:
        ends = shown.prediction_interval
        if ends is not None and math.isfinite(ends.low) and math.isfinite(ends.high):
            add("prediction-low", "Prediction interval, low", rounded(ends.low, digits, ratio=ratio), ends.low)
            add("prediction-high", "Prediction interval, high", rounded(ends.high, digits, ratio=ratio), ends.high)
        for quantity, name, x in (("tau2", "τ²", fit.tau2), ("i2", "I²", fit.i2), ("q", "Q", fit.q)):
            if math.isfinite(x):
                add(quantity, name, percent(x) if quantity == "i2" else short(x), x)
        if math.isfinite(fit.q_p):
            add("q-p", "P of Q", p_value(fit.q_p), fit.q_p)
    if (a := result.absolute) is not None:
        per = f"in {a.per:,}".replace(",", " ")
        add("control", f"{result.comparison.group_2}, {per}", fixed(a.control, 0), a.control)
        add("intervention", f"{result.comparison.group_1}, {per}", fixed(a.intervention, 0), a.intervention)
        add("difference", f"Difference, {per}", fixed(a.difference, 0), a.difference)
        for quantity, what, ends in (("intervention", result.comparison.group_1, a.intervention_interval),
                                     ("difference", "Difference", a.difference_interval)):  # fmt: skip
            add(f"{quantity}-low", f"{what}, {per}, low", fixed(ends.low, 0), ends.low)
            add(f"{quantity}-high", f"{what}, {per}, high", fixed(ends.high, 0), ends.high)
    return tuple(found)


def _model(result: AnalysisResult) -> str:
    if result.fit is not None:
        return methods(result.fit).rpartition(" Computed with ")[0]
    return result.why_not_pooled or ""


def _effect(estimate: float, low: float, high: float, digits: int, ratio: bool) -> str:
    ends = ", ".join(rounded(x, digits, ratio=ratio) for x in (low, high))
    return f"{rounded(estimate, digits, ratio=ratio)} [{ends}]"


@dataclass(frozen=True, slots=True)
class Reader:
    """Rows of the tables as reported values."""

    package: Package
    numbers: dict[str, int]
    extracted: Extracted

    def value(self, row: Result | Contrast) -> ReportedValue:
        """One row."""
        package = self.package
        arms = [row.arm] if isinstance(row, Result) else [row.arm_1, row.arm_2]
        names = [arm.label if (arm := package.arm(row.study, a)) else a for a in arms]
        own = row.result if isinstance(row, Result) else row.contrast
        return ReportedValue(
            id=own,
            kind="result" if isinstance(row, Result) else "contrast",
            row=row.row,
            whose=" against ".join(names),
            timepoint=timepoint_of(row) or "time point not stated",
            printed=printed(row) if isinstance(row, Result) else printed_contrast(row),
            how_read=row.how_read or "how it was read is not on record",
            page=row.page or "",
            quote=row.quote or "",
            links=source_links(row.source, package.report(row.report), self.numbers),
            source=" ".join((row.source or "").split()),
            extracted=self.extracted.get(own) or self.who(row),
            mark=marked(row.verified),
        )

    def who(self, row: Result | Contrast) -> str:
        """Who read it and when, by the row's own columns; else that it is not known, beside whom the review names."""
        if row.extracted_by:
            return f"{row.extracted_by}, {row.extracted or 'date not on record'}"
        people = "; ".join(f"{p.name} ({p.role})" for p in self.package.meta.people)
        return NOT_RECORDED + (f". People of the review: {people}" if people else "")

    def links(self, row: EffectRow) -> tuple[Link, ...]:
        """The sources of numbers that were assumed and stand in no row."""
        return source_links(" ; ".join(row.sources), None, self.numbers)
