"""One analysis as the report shows it: what was found, from which rows, and how it moves when choices change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from balm.plots.figure import Figure
from balm.plots.forest import forest
from balm.plots.funnel import MIN_STUDIES, funnel
from balm.report.html_report.links import anchor
from balm.report.html_report.study_tables import sources, study_link
from balm.report.html_report.table import Cell, Link, Row, Table, columns, number
from balm.report.result_sentence import measure_name, sentence
from balm.report.rounding import digits_for
from balm.report.study_rows import study_rows
from balm.review.package import ImportantDifference, Outcome
from balm.review.synthesis import Absolute, AnalysisResult, EffectRow, Single, Step, Synthesis
from balm.stats.measures import MEASURES
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.interval import Interval
from balm.vocabulary.numbers import MINUS, fixed, level, p_value, percent, plain, short


@dataclass(frozen=True)
class AnalysisView:
    """What the template prints for one analysis; texts are ready, numbers are rounded."""

    id: str
    title: str
    scope: str
    finding: tuple[str, ...]
    status: str  # pooled, one trial, nothing
    rows_link: str
    figure: Figure | None
    funnel: Figure | None
    numbers: Table | None
    absolute: Table | None
    rows: Table | None
    sensitivity: Table | None
    subgroups: Table | None
    not_pooled: tuple[tuple[Link, str], ...]
    notes: tuple[str, ...]
    why: tuple[tuple[str, str], ...] = field(default_factory=tuple)  # sensitivity label, reason


def view(result: AnalysisResult, synthesis: Synthesis, numbers: dict[str, int]) -> AnalysisView:
    """Everything the report says about one analysis."""
    fit, single = result.fit, result.single
    status = "pooled" if fit is not None else "one trial" if single is not None else "nothing"
    return AnalysisView(
        id=anchor("analysis", result.id),
        title=result.title,
        scope=scope(result),
        finding=tuple(finding(result)),
        status=status,
        rows_link="#" + anchor("rows", result.id),
        figure=_forest(result) if fit is not None else None,
        funnel=funnel(fit, title=f"Funnel plot: {result.title}") if fit is not None and fit.k >= MIN_STUDIES else None,
        numbers=_numbers(result, fit) if fit is not None else None,
        absolute=_absolute(result, result.absolute) if result.absolute is not None else None,
        rows=_rows(result, synthesis, numbers) if result.rows else None,
        sensitivity=_sensitivity(result) if result.sensitivity else None,
        subgroups=_subgroups(result) if result.subgroups else None,
        not_pooled=tuple((study_link(synthesis.package, study), why) for study, why in result.not_pooled),
        notes=tuple(dict.fromkeys(n for n in (result.spec.note, *result.notes) if n)),
        why=tuple((s.label, s.why) for s in result.spec.sensitivity if s.why),
    )


def scope(result: AnalysisResult) -> str:
    """The comparison, the measure and the window in one line."""
    windows = ", ".join(w.name for w in result.windows) or "any time point"
    measure = MEASURES[result.measure].name if result.measure in MEASURES else result.measure
    unit = f", {result.outcome.unit}" if result.outcome.unit and result.measure in ("MD", "MN") else ""
    return f"{result.comparison.name}. {measure}{unit}. Time: {windows}."


def finding(result: AnalysisResult) -> list[str]:
    """The result in words: pooled, one trial, or why there is none."""
    if result.fit is not None:
        first, _, rest = sentence(result.fit, minus=MINUS).partition(". ")
        return [f"{first.rstrip('.')}.", rest] if rest else [first]
    if result.single is not None:
        return [
            single_sentence(result.single, result.measure),
            f"One trial only: not pooled. {result.single.why_not_pooled}",
        ]
    return [f"No pooled result. {result.why_not_pooled or 'No trial reports usable numbers.'}"]


def single_sentence(single: Single, measure: str) -> str:
    """The one trial's effect in words, never called a pooled one."""
    digits = digits_for([single.interval.high - single.interval.low])
    name = measure_name(measure)
    p = "" if single.p != single.p else f", {p_value(single.p)}"
    return (
        f"{single.row.label}: {name} {fixed(single.estimate, digits, minus=MINUS)} "
        f"({level(single.interval.level)} CI {_to(single.interval, digits)}{p})."
    )


def _to(interval: Interval, digits: int) -> str:
    return f"{fixed(interval.low, digits, minus=MINUS)} to {fixed(interval.high, digits, minus=MINUS)}"


def signed(difference: ImportantDifference, outcome: Outcome) -> float:
    """The important difference on the side of benefit."""
    return -abs(difference.value) if outcome.direction.startswith("lower") else abs(difference.value)


def _forest(result: AnalysisResult) -> Figure:
    outcome, comparison = result.outcome, result.comparison
    options: dict[str, object] = {"title": result.title}
    if comparison.group_2 is not None:
        options["arms"] = (comparison.group_1, comparison.group_2)
        options["better"] = "lower" if outcome.direction.startswith("lower") else "higher"
    if outcome.important_difference is not None and result.measure == "MD":
        options["reference"] = (signed(outcome.important_difference, outcome), "MID")
    return forest(result.fit, **options)


def _numbers(result: AnalysisResult, fit: Pooled) -> Table:
    shown = fit.displayed
    digits = digits_for([shown.interval.high - shown.interval.low])
    to_rows = "#" + anchor("rows", result.id)
    people = participants(result.rows)
    told: list[tuple[str, Cell]] = [
        ("Trials" if result.comparison.group_2 else "Series", Cell(str(fit.k), href=to_rows)),
        ("People", Cell(str(people), href=to_rows) if people is not None else Cell("not known", absent=True)),
        (MEASURES[result.measure].name, number(shown.estimate, digits, href=to_rows)),
        (f"{level(fit.interval.level)} interval, low", number(shown.interval.low, digits, href=to_rows)),
        (f"{level(fit.interval.level)} interval, high", number(shown.interval.high, digits, href=to_rows)),
        ("P value", _p(fit.p)),
    ]
    prediction = shown.prediction_interval
    if prediction is not None and prediction.low == prediction.low:
        told += [
            (f"{level(prediction.level)} prediction interval, low", number(prediction.low, digits)),
            (f"{level(prediction.level)} prediction interval, high", number(prediction.high, digits)),
        ]
    else:
        why = fit.reasons.get("prediction_interval", "needs more studies")
        told.append(("Prediction interval", Cell(f"not estimable: {why}", absent=True)))
    if fit.conventions.get("model") != "common":
        told.append(("τ²", Cell(short(fit.tau2)) if fit.tau2 == fit.tau2 else Cell("not estimable", absent=True)))
    told += [
        ("I²", Cell(percent(fit.i2)) if fit.i2 == fit.i2 else Cell("not estimable", absent=True)),
        ("Q (degrees of freedom)", Cell(f"{fixed(fit.q)} ({fit.q_df})") if fit.q == fit.q else Cell("–")),
        ("P of Q", _p(fit.q_p)),
    ]
    return Table(
        anchor("numbers", result.id),
        f"Estimate and heterogeneity: {result.title}",
        columns("#Quantity", ">Value"),
        tuple(Row((Cell(name), cell)) for name, cell in told),
        note=" ".join(fit.advice),
        narrow=True,
    )


def _p(p: float | None) -> Cell:
    if p is None or p != p:
        return Cell("not estimable", absent=True)
    return Cell(p_value(p, name="").strip().removeprefix("= "))


def participants(rows: tuple[EffectRow, ...]) -> int | None:
    """People over both groups of every row; a person of a cross-over trial stands in both groups and counts once."""
    total = 0.0
    for row in rows:
        sizes = [row.values.get(k) for k in ("n_1", "n_2", "n")]
        known = [n for n in sizes if n is not None and n == n]
        if not known:
            return None
        total += max(known) if row.design == "cross-over" else sum(known)
    return round(total) if rows else None


def _rows(result: AnalysisResult, synthesis: Synthesis, numbers: dict[str, int]) -> Table:
    package = synthesis.package
    by_label = {} if result.fit is None else {row.study: row for row in study_rows(result.fit)}
    digits = digits_for([row.high - row.low for row in by_label.values()]) if by_label else 2
    heads = columns("#Study", "Time point", "Group 1", "Group 2", ">Effect", ">Low", ">High", ">Weight, %",
                    "+Conversions and notes", "Rows of results.csv", "@Source")  # fmt: skip
    made = []
    for row in result.rows:
        drawn = by_label.get(row.label)
        if drawn is None and result.single is not None and result.single.row.study == row.study:
            effect = (result.single.estimate, result.single.interval.low, result.single.interval.high, None)
        elif drawn is not None:
            effect = (drawn.estimate, drawn.low, drawn.high, drawn.weight)
        else:
            effect = (None, None, None, None)
        reports = [r.report for r in package.results if r.result in row.results]
        places = tuple(Link(f"row {n}", "#" + anchor("result", r)) for n, r in zip(row.rows, row.results, strict=False))
        label = study_link(package, row.study)
        made.append(
            Row(
                (
                    Cell(row.label, href=label.href),
                    Cell(row.timepoint or "not stated"),
                    Cell(group_values(row.values, 1)),
                    Cell(group_values(row.values, 2) or "no control group"),
                    number(effect[0], digits),
                    number(effect[1], digits),
                    number(effect[2], digits),
                    number(effect[3], 1),
                    Cell(" ".join([*map(step_text, row.steps), *(f"{n.rstrip('.')}." for n in row.notes)])),
                    Cell(links=places),
                    sources(package, " ; ".join(row.sources), reports[0] if reports else None, numbers),
                ),
                id=anchor(f"row-{result.id}", row.study),
            )
        )
    note = "Effects and weights as used in the analysis; each row number leads to the value as reported."
    return Table(
        anchor("rows", result.id), f"Rows behind the result: {result.title}", heads, tuple(made), note=note, cards=True
    )


def group_values(values: Mapping[str, float], arm: int) -> str:
    """The numbers used of one group.

    >>> group_values({"events_1": 8, "n_1": 12}, 1), group_values({"mean_2": 5.45, "sd_2": 2.63, "n_2": 30}, 2)
    ('8/12', 'mean 5.45 (SD 2.63), n = 30')
    """

    def get(name: str) -> float | None:
        found = values.get(f"{name}_{arm}")
        return found if found is not None or arm == 2 else values.get(name)

    events, mean, sd, n = get("events"), get("mean"), get("sd"), get("n")
    if events is not None and n is not None:
        return f"{plain(float(events))}/{plain(float(n))}"
    if mean is not None:
        spread = "" if sd is None else f" (SD {plain(round(float(sd), 2))})"
        return f"mean {plain(round(float(mean), 2))}{spread}" + ("" if n is None else f", n = {plain(float(n))}")
    return ""


#: Abbreviations of statistics, written as the field writes them.
_STATISTICS = re.compile(r"\b(sd|se|ci|iqr)\b")


def step_text(step: Step) -> str:
    """A conversion in words: what, by which formula, from which inputs, to which value."""
    what = _STATISTICS.sub(lambda found: found[1].upper(), step.what)
    inputs = ", ".join(f"{name} {_said(x)}" for name, x in step.inputs.items() if not isinstance(x, bool))
    outcome = step.value if isinstance(step.value, Mapping) else {"value": step.value}
    gives = ", ".join(f"{name} {_said(x)}" for name, x in outcome.items() if name not in ("factor", "offset"))
    words = f"{what[:1].upper()}{what[1:]}: {step.formula}. From {inputs}: {gives} ({step.source})."
    return words.replace("_", " ")


def _said(x: object) -> str:
    if isinstance(x, (tuple, list)):
        return " to ".join(_said(part) for part in x)
    return plain(float(x), 3) if isinstance(x, (int, float)) else str(x)


def _absolute(result: AnalysisResult, absolute: Absolute) -> Table:
    per = f"{absolute.per:,}".replace(",", " ")
    baseline = f"{plain(round(absolute.baseline_risk * 100, 1))} %"
    one, two = result.comparison.group_1, result.comparison.group_2 or "Control"
    to_rows = "#" + anchor("rows", result.id)
    heads = columns("#Absolute effect", ">Estimate", ">Low", ">High")
    told = (
        (f"{two}, in {per}", absolute.control, None),
        (f"{one}, in {per}", absolute.intervention, absolute.intervention_interval),
        (f"Difference, in {per}", absolute.difference, absolute.difference_interval),
    )
    rows = tuple(
        Row((Cell(name), number(x, 0, href=to_rows), number(ends and ends.low, 0), number(ends and ends.high, 0)))
        for name, x, ends in told
    )
    source = absolute.baseline_source.rstrip(".")
    note = f"Baseline risk {baseline}: {source}." + (f" {absolute.note}" if absolute.note else "")
    return Table(anchor("absolute", result.id), f"Absolute effect: {result.title}", heads, rows, note=note, narrow=True)


def _sensitivity(result: AnalysisResult) -> Table:
    heads = columns("#Analysis", "What is changed", ">Trials", ">Estimate", ">Low", ">High", ">P", ">I², %", "Note")
    rows: list[Row] = []
    to_rows = "#" + anchor("rows", result.id)
    if result.fit is not None:
        rows.append(_sensitivity_row("As planned", "nothing", result.fit, "", own=True, to_rows=to_rows))
    for s in result.sensitivity:
        rows.append(
            _sensitivity_row(s.label, s.changed, s.fit, s.note, to_rows=to_rows, links=_further(result, s.rows))
        )
    return Table(
        anchor("sensitivity", result.id), f"Sensitivity analyses: {result.title}", heads, tuple(rows), cards=True
    )


def _further(result: AnalysisResult, rows: tuple[EffectRow, ...]) -> tuple[Link, ...]:
    """Links to the values as reported of studies that only a sensitivity analysis uses."""
    planned = {row.study for row in result.rows}
    return tuple(
        Link(f"{row.label}, row {n} of results.csv", "#" + anchor("result", name))
        for row in rows
        if row.study not in planned
        for n, name in zip(row.rows, row.results, strict=False)
    )


def _sensitivity_row(
    label: str,
    changed: str,
    fit: Pooled | None,
    note: str,
    *,
    own: bool = False,
    to_rows: str = "",
    links: tuple[Link, ...] = (),
) -> Row:
    if fit is None:
        gap = Cell("not pooled", absent=True)
        cells = (Cell("–"), gap, gap, gap, Cell("–"), Cell("–"))
    else:
        shown = fit.displayed
        digits = digits_for([shown.interval.high - shown.interval.low])
        cells = (
            Cell(str(fit.k), href=to_rows),
            number(shown.estimate, digits, href=to_rows),
            number(shown.interval.low, digits),
            number(shown.interval.high, digits),
            _p(fit.p),
            Cell(fixed(fit.i2, 0)) if fit.i2 == fit.i2 else Cell("–"),
        )
    return Row((Cell(label), Cell(changed), *cells, Cell(note, links=links)), classes="own" if own else "")


def _subgroups(result: AnalysisResult) -> Table:
    heads = columns("#Subgroup", ">Trials", ">Estimate", ">Low", ">High", ">I², %", "Note")
    rows = []
    for s in result.subgroups:
        planned = _sensitivity_row(s.level, "", s.fit, s.note).cells
        rows.append(Row((planned[0], planned[2], planned[3], planned[4], planned[5], planned[7], planned[8])))
    test = result.subgroup_test
    note = ""
    if {"q", "df", "p"} <= set(test):
        note = f"Test for subgroup differences: Q = {fixed(test['q'])}, df = {plain(test['df'])}, {p_value(test['p'])}."
    return Table(
        anchor("subgroups", result.id), f"Subgroups: {result.title}", heads, tuple(rows), note=note, cards=True
    )


def at_a_glance(synthesis: Synthesis) -> Table:
    """One line an analysis; each number leads to the rows it rests on."""
    heads = columns("#Analysis", ">Trials", ">People", ">Estimate", ">Low", ">High", ">P", ">I², %", "What it is")
    rows = []
    for result in synthesis.analyses:
        to_rows = "#" + anchor("rows", result.id)
        title = Cell(result.title, href="#" + anchor("analysis", result.id))
        people = participants(result.rows)
        crowd = Cell(str(people), href=to_rows) if people is not None else Cell("–")
        measure = MEASURES[result.measure].name if result.measure in MEASURES else result.measure
        if result.fit is not None:
            fit, shown = result.fit, result.fit.displayed
            digits = digits_for([shown.interval.high - shown.interval.low])
            cells = (
                Cell(str(fit.k), href=to_rows),
                crowd,
                number(shown.estimate, digits, href=to_rows),
                number(shown.interval.low, digits),
                number(shown.interval.high, digits),
                _p(fit.p),
                Cell(fixed(fit.i2, 0)) if fit.i2 == fit.i2 else Cell("–"),
                Cell(f"{measure}, pooled" + ("" if result.comparison.group_2 else "; no control group")),
            )
        elif result.single is not None:
            one = result.single
            digits = digits_for([one.interval.high - one.interval.low])
            cells = (
                Cell("1", href=to_rows),
                crowd,
                number(one.estimate, digits, href=to_rows),
                number(one.interval.low, digits),
                number(one.interval.high, digits),
                _p(one.p),
                Cell("–"),
                Cell(f"{measure}, one trial only: not pooled"),
            )
        else:
            gap = Cell("–")
            cells = (Cell("0"), gap, gap, gap, gap, gap, gap, Cell(result.why_not_pooled or "no usable numbers"))
        rows.append(Row((title, *cells)))
    return Table("glance", "Every planned analysis", heads, tuple(rows), cards=True)
