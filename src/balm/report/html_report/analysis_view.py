"""One analysis as the report shows it: what was found, from which rows, and how it moves when choices change."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import nan
from typing import Any

from balm.plots.figure import Figure
from balm.plots.forest import forest
from balm.plots.funnel import MIN_STUDIES, funnel
from balm.report.html_report.links import anchor, place
from balm.report.html_report.rows_view import rows_table
from balm.report.html_report.sensitivity_view import figures, no_effect, p_cell, sensitivity_table
from balm.report.html_report.study_tables import study_link
from balm.report.html_report.table import Cell, Link, Row, Table, columns, filled, number
from balm.report.result_sentence import is_ratio, measure_name, sentence, shows_ratio
from balm.report.rounding import digits_for, to
from balm.report.rounding import number as rounded
from balm.report.walk_back import variant_keys
from balm.review.certainty.of_analysis import participants, used_rows
from balm.review.package import ImportantDifference, Outcome, Package
from balm.review.risk_of_bias.of_analysis import lights_of
from balm.review.synthesis import Absolute, AnalysisResult, Single, Synthesis
from balm.stats.effect_sizes import EffectSizes
from balm.stats.measures import MEASURES
from balm.stats.pooling.pooled import Pooled
from balm.stats.pooling.subgroups import Subgroups
from balm.vocabulary.interval import Interval
from balm.vocabulary.numbers import MINUS, fixed, level, p_value, percent, plain, short

#: Measures of one group that are shown as a proportion, whatever scale they are pooled on.
PROPORTIONS = ("PR", "PLO", "PFT", "PAS", "PLN")


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
        figure=_forest(result, synthesis.package) if fit is not None or _hidden(result) else None,
        funnel=funnel(fit, title=f"Funnel plot: {result.title}") if fit is not None and fit.k >= MIN_STUDIES else None,
        numbers=_numbers(result, fit) if fit is not None else None,
        absolute=_absolute(result, result.absolute) if result.absolute is not None else None,
        rows=rows_table(result, synthesis, numbers) if result.rows else None,
        sensitivity=sensitivity_table(result) if result.sensitivity else None,
        subgroups=_subgroups(result) if result.subgroups else None,
        not_pooled=tuple((study_link(synthesis.package, study), why) for study, why in result.not_pooled),
        notes=tuple(dict.fromkeys(n for n in (result.spec.note, *result.notes) if n)),
        why=tuple((s.label, s.why) for s in result.spec.sensitivity if s.why),
    )


def scope(result: AnalysisResult) -> str:
    """The comparison, the measure and the window in one line."""
    windows = ", ".join(w.name for w in result.windows) or "any time point"
    measure = shown_name(result.measure)
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
    name, ratio = measure_name(measure), shows_ratio(measure)
    ends = (single.interval.low, single.interval.high)
    p = "" if single.p != single.p else f", {p_value(single.p)}"
    return (
        f"{single.row.label}: {name} {rounded(single.estimate, digits, ratio=ratio, minus=MINUS)} "
        f"({level(single.interval.level)} CI {to(*ends, digits, ratio=ratio, minus=MINUS)}{p})."
    )


def signed(difference: ImportantDifference, outcome: Outcome) -> float:
    """The important difference on the side of benefit."""
    return -abs(difference.value) if outcome.direction.startswith("lower") else abs(difference.value)


def _hidden(result: AnalysisResult) -> bool:
    """Whether several studies could be pooled, and the plan asks for no total of them."""
    return result.whole is not None and result.whole.k > 1 and not result.spec.overall


def _drawn(result: AnalysisResult) -> Pooled | EffectSizes | Subgroups | None:
    """What the plot shows: the pooled studies, by subgroups where there are any; or their effects alone."""
    if result.whole is None or not (result.spec.subgroups or result.subgroups):
        return result.effects if _hidden(result) else result.fit
    test = result.subgroup_test
    groups = {s.level: s.fit for s in result.subgroups if s.fit is not None}
    q, df, p = test.get("q", nan), int(test.get("df", 0)), test.get("p", nan)
    return Subgroups(groups, result.whole, q, df, p, tau2_common=False)


def _forest(result: AnalysisResult, package: Package) -> Figure:
    outcome, comparison = result.outcome, result.comparison
    options: dict[str, Any] = {"title": result.title}
    options["study_link"] = {row.label: "#" + place(result.id, study=row.study) for row in result.rows}
    if result.fit is not None:
        options["total_link"] = "#" + place(result.id, "estimate")
    if comparison.group_2 is not None:
        options["arms"] = (comparison.group_1, comparison.group_2)
        options["better"] = "lower" if outcome.direction.startswith("lower") else "higher"
    if outcome.important_difference is not None and result.measure == "MD":
        options["reference"] = (signed(outcome.important_difference, outcome), "MID")
    if outcome.favours is not None:
        options["favours"] = outcome.favours
    if _hidden(result) and result.spec.subgroups:
        options |= {"overall": False, "columns": ("data", "effect")}
    return forest(_drawn(result), **options, **_lights(result, package))


def _lights(result: AnalysisResult, package: Package) -> dict[str, Any]:
    """A column of lights for each domain of risk of bias, where at least half of the studies pooled are judged.

    Beside fewer, the column would be a picture of what is missing; the section on risk of bias says that in words.
    """
    domains, judged = lights_of(package, result.spec)
    here = {row.study: row.label for row in result.rows}
    if 2 * len(judged.keys() & here.keys()) < len(here):
        return {}
    lights = {label: [judged.get(study, {}).get(d, "") for d in domains] for study, label in here.items()}
    return {"risk_of_bias": lights, "bias_domains": domains}


def _numbers(result: AnalysisResult, fit: Pooled) -> Table:
    shown, ratio = fit.displayed, is_ratio(fit)
    digits = digits_for([shown.interval.high - shown.interval.low])
    to_rows = "#" + anchor("rows", result.id)

    def behind(quantity: str) -> str:
        return "#" + place(result.id, quantity)

    people, coverage = participants(used_rows(result)), level(fit.interval.level)
    told: list[tuple[str, Cell]] = [
        ("Trials" if result.comparison.group_2 else "Series", Cell(str(fit.k), href=to_rows)),
        ("People", Cell(str(people), href=to_rows) if people is not None else Cell("not known", absent=True)),
        (shown_name(result.measure), number(shown.estimate, digits, ratio=ratio, href=behind("estimate"))),
        (f"{coverage} interval, low", number(shown.interval.low, digits, ratio=ratio, href=behind("low"))),
        (f"{coverage} interval, high", number(shown.interval.high, digits, ratio=ratio, href=behind("high"))),
    ]
    if no_effect(result.measure) is not None:
        told.append(("P value", replace(p_cell(fit.p), href=behind("p"))))
    prediction = shown.prediction_interval
    if prediction is not None and prediction.low == prediction.low:
        told += [
            (
                f"{level(prediction.level)} prediction interval, low",
                number(prediction.low, digits, ratio=ratio, href=behind("prediction-low")),
            ),
            (
                f"{level(prediction.level)} prediction interval, high",
                number(prediction.high, digits, ratio=ratio, href=behind("prediction-high")),
            ),
        ]
    else:
        why = fit.reasons.get("prediction_interval", "needs more studies")
        told.append(("Prediction interval", Cell(f"not estimable: {why}", absent=True)))
    if fit.conventions.get("model") != "common":
        told.append(
            (
                "τ²",
                Cell(short(fit.tau2), href=behind("tau2"))
                if fit.tau2 == fit.tau2
                else Cell("not estimable", absent=True),
            )
        )
    told += [
        ("I²", Cell(percent(fit.i2), href=behind("i2")) if fit.i2 == fit.i2 else Cell("not estimable", absent=True)),
        (
            "Q (degrees of freedom)",
            Cell(f"{fixed(fit.q)} ({fit.q_df})", href=behind("q")) if fit.q == fit.q else Cell("–"),
        ),
        ("P of Q", replace(p_cell(fit.q_p), href=behind("q-p") if fit.q_p == fit.q_p else "")),
    ]
    return Table(
        anchor("numbers", result.id),
        f"Estimate and heterogeneity: {result.title}",
        columns("#Quantity", ">Value"),
        tuple(Row((Cell(name), cell)) for name, cell in told),
        note=" ".join(fit.advice),
        narrow=True,
    )


def _absolute(result: AnalysisResult, absolute: Absolute) -> Table:
    per = f"{absolute.per:,}".replace(",", " ")
    baseline = f"{plain(round(absolute.baseline_risk * 100, 1))}%"
    one, two = result.comparison.group_1, result.comparison.group_2 or "Control"
    heads = columns("#Absolute effect", ">Estimate", ">Low", ">High")
    told: tuple[tuple[str, str, float, Interval | None], ...] = (
        ("control", f"{two}, in {per}", absolute.control, None),
        ("intervention", f"{one}, in {per}", absolute.intervention, absolute.intervention_interval),
        ("difference", f"Difference, in {per}", absolute.difference, absolute.difference_interval),
    )
    rows = tuple(
        Row(
            (
                Cell(name),
                number(x, 0, href=f"#{place(result.id, quantity)}"),
                number(None if ends is None else ends.low, 0, href=f"#{place(result.id, quantity)}-low"),
                number(None if ends is None else ends.high, 0, href=f"#{place(result.id, quantity)}-high"),
            )
        )
        for quantity, name, x, ends in told
    )
    source = absolute.baseline_source.rstrip(".")
    note = f"Baseline risk {baseline}: {source}." + (f" {absolute.note}" if absolute.note else "")
    return Table(anchor("absolute", result.id), f"Absolute effect: {result.title}", heads, rows, note=note, narrow=True)


def _subgroups(result: AnalysisResult) -> Table:
    heads = columns("#Subgroup", ">Studies", ">Estimate", ">Low", ">High", ">P", ">I², %", "Note")
    keys = variant_keys(result)[1]
    made = tuple(
        Row((Cell(s.level), *figures(s.fit, place(result.id, keys[i])), Cell(s.note)))
        for i, s in enumerate(result.subgroups)
    )
    test = result.subgroup_test
    note = ""
    if {"q", "df", "p"} <= set(test):
        note = f"Test for subgroup differences: Q = {fixed(test['q'])}, df = {plain(test['df'])}, {p_value(test['p'])}."
    shown, rows = filled(heads, made)
    return Table(anchor("subgroups", result.id), f"Subgroups: {result.title}", shown, rows, note=note, cards=True)


def at_a_glance(synthesis: Synthesis) -> Table:
    """One line an analysis; each number leads to the rows it rests on. A proportion is given in per cent."""
    heads = columns("#Analysis", ">Studies", ">People", ">Estimate", ">Low", ">High", ">P", ">I², %", "What it is")
    rows = []
    for result in synthesis.analyses:
        to_rows = "#" + anchor("rows", result.id)
        title = Cell(result.title, href="#" + anchor("analysis", result.id))
        people = participants(used_rows(result))
        crowd = Cell(str(people), href=to_rows) if people is not None else Cell("–")
        measure = shown_name(result.measure)
        alone = "" if result.comparison.group_2 else "; no control group"
        if result.fit is not None:
            fit, shown = result.fit, result.fit.displayed
            cells = (
                Cell(str(fit.k), href=to_rows),
                crowd,
                *_glance(result.id, result.measure, shown.estimate, shown.interval),
                _p_of(result, fit.p),
                Cell(fixed(fit.i2, 0), href="#" + place(result.id, "i2")) if fit.i2 == fit.i2 else Cell("–"),
                Cell(f"{measure}, pooled{alone}"),
            )
        elif result.single is not None:
            one = result.single
            cells = (
                Cell("1", href=to_rows),
                crowd,
                *_glance(result.id, result.measure, one.estimate, one.interval),
                _p_of(result, one.p),
                Cell("–"),
                Cell(f"{measure}, one study only: not pooled{alone}"),
            )
        else:
            gap = Cell("–")
            none = Cell("0", href="#" + anchor("analysis", result.id))
            cells = (none, gap, gap, gap, gap, gap, gap, Cell(result.why_not_pooled or "no usable numbers"))
        rows.append(Row((title, *cells)))
    note = "P tests against no effect"
    alone = any(no_effect(result.measure) is None for result in synthesis.analyses)
    note += "; a proportion of one group has no such value, so it has no P." if alone else "."
    return Table("glance", "Every planned analysis", heads, tuple(rows), note=note, cards=True)


def shown_name(measure: str) -> str:
    """What is shown, as a heading names it: a logit proportion is shown as a proportion.

    >>> shown_name("PLO"), shown_name("RR")
    ('Proportion', 'Risk ratio')
    """
    name = measure_name(measure) if measure in MEASURES else measure
    return name[:1].upper() + name[1:]


def _glance(analysis: str, measure: str, estimate: float, interval: Interval) -> tuple[Cell, Cell, Cell]:
    digits = digits_for([interval.high - interval.low])
    cells = []
    for quantity, x in (("estimate", estimate), ("low", interval.low), ("high", interval.high)):
        href = "#" + place(analysis, quantity)
        if measure in PROPORTIONS:
            cells.append(Cell(f"{fixed(100 * x, 0)}%", href=href))
        else:
            cells.append(number(x, digits, ratio=shows_ratio(measure), href=href))
    return cells[0], cells[1], cells[2]


def _p_of(result: AnalysisResult, p: float) -> Cell:
    if no_effect(result.measure) is None:
        return Cell("–", absent=True)
    return replace(p_cell(p), href="#" + place(result.id, "p"))
