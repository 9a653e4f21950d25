"""Sensitivity analyses, by what was changed; those that change the answer to "is there an effect?" say so in words."""

from __future__ import annotations

from dataclasses import replace

from balm.report.choices import METHODS, inference_choice, tau2_choice
from balm.report.html_report.links import anchor, place
from balm.report.html_report.rows_view import rows_file
from balm.report.html_report.table import Cell, Link, Row, Table, columns, filled, group, number
from balm.report.result_sentence import is_ratio, measure_name, shows_ratio
from balm.report.rounding import digits_for
from balm.report.walk_back import variant_keys
from balm.review.package import SensitivitySpec
from balm.review.synthesis import AnalysisResult, EffectRow, Sensitivity
from balm.stats.heterogeneity.estimators import TAU2_ESTIMATORS
from balm.stats.measures import MEASURES
from balm.stats.pooling.inference import INFERENCES
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.interval import Interval
from balm.vocabulary.numbers import fixed, p_value

#: What an analysis of one kind changes, as the heading over its rows.
KINDS = {
    "tau2": "Estimator of the between-study variance",
    "inference": "Interval for the mean",
    "method": "Pooling method",
    "measure": "Effect measure",
    "correlation": "Within-person correlation of cross-over trials",
    "spread": "Reading of an unlabelled spread",
    "without": "Studies left out",
    "with": "Studies added",
    "assume": "Assumed counts added",
}
DIFFERS = "differs"


def p_cell(p: float | None) -> Cell:
    """A p value without its name, or why there is none."""
    if p is None or p != p:
        return Cell("not estimable", absent=True)
    return Cell(p_value(p, name="").strip().removeprefix("= "))


def sensitivity_table(result: AnalysisResult) -> Table:
    """The planned result first, then each change under the name of what it changes."""
    heads = columns("#What is changed", ">Studies", ">Estimate", ">Low", ">High", ">P", ">I², %", "Note")
    null = no_effect(result.measure)
    planned = _planned_interval(result)
    rows: list[Row] = []
    if result.fit is not None:
        shown = (*figures(result.fit, place(result.id)), Cell())
        rows.append(Row((Cell("Nothing: as planned"), *shown), classes="own"))
    elif result.single is not None:
        one, ratio = result.single, shows_ratio(result.measure)
        digits = digits_for([one.interval.high - one.interval.low])
        low = number(one.interval.low, digits, ratio=ratio, href="#" + place(result.id, "low"))
        high = number(one.interval.high, digits, ratio=ratio, href="#" + place(result.id, "high"))
        estimate = number(one.estimate, digits, ratio=ratio, href="#" + place(result.id, "estimate"))
        p = Cell() if null is None else replace(p_cell(one.p), href="#" + place(result.id, "p"))
        shown = (
            Cell("1", href="#" + place(result.id, "studies")),
            estimate,
            low,
            high,
            p,
            Cell(),
            Cell("one study: its own effect"),
        )
        rows.append(Row((Cell("Nothing: as planned"), *shown), classes="own"))
    keys = {id(s): key for s, key in zip(result.sensitivity, variant_keys(result)[0].values(), strict=True)}
    moved, told = 0, 0
    for heading, members in _grouped(result).items():
        rows.append(group(heading, heads))
        for s, plan in members:
            change = "" if planned is None else crossing(s.fit, planned, null)
            told += s.fit is not None
            moved += bool(change)
            words, more = _changed(s, plan, result, heading)
            note = "; ".join(x for x in (change, more, s.note) if x)
            cell = Cell(note, links=_further(result, s.rows))
            if change:
                cell = Cell(DIFFERS, tag="high", after=note, links=cell.links)
            row = Row((Cell(words), *figures(s.fit, place(result.id, keys[id(s)])), cell))
            before = rows[-1]
            if words.startswith("r = ") and _same(before, row):  # every further r gives the same
                start = before.cells[0].text.partition(" to ")[0]
                rows[-1] = replace(row, cells=(Cell(f"{start} to {words.removeprefix('r = ')}"), *before.cells[1:]))
            else:
                rows.append(row)
    shown_heads, made = filled(heads, rows)
    return Table(
        anchor("sensitivity", result.id),
        f"Sensitivity analyses: {result.title}",
        shown_heads,
        made,
        note="" if null is None or planned is None else _summary(moved, told),
        cards=True,
        grouped="Kind of change",
    )


def _same(one: Row, other: Row) -> bool:
    """Whether two rows print the same numbers."""
    return [replace(c, href="") for c in one.cells[1:]] == [replace(c, href="") for c in other.cells[1:]]


def _summary(moved: int, told: int) -> str:
    if not told:
        return ""
    if not moved:
        return "No change moves the interval across no effect."
    each = "move the interval across no effect: they are" if moved > 1 else "moves the interval across no effect: it is"
    return f"{moved} of {told} changes {each} marked “{DIFFERS}”."


def _planned_interval(result: AnalysisResult) -> tuple[Interval, float | None] | None:
    null = no_effect(result.measure)
    if result.fit is not None:
        return result.fit.displayed.interval, null
    return (result.single.interval, null) if result.single is not None else None


def no_effect(measure: str) -> float | None:
    """The value of no effect on the displayed scale; ``None`` for measures of one group.

    >>> no_effect("RR"), no_effect("MD"), no_effect("PLO")
    (1.0, 0.0, None)
    """
    scale = MEASURES[measure].scale
    if scale.null is None:
        return None
    return 1.0 if scale.ratio else float(scale.null)


def crossing(fit: Pooled | None, planned: tuple[Interval, float | None], null: float | None) -> str:
    """In words, how the interval's place beside no effect differs from the planned one; empty where it does not."""
    before, its_null = planned
    if fit is None or null is None or its_null is None:
        return ""
    now = fit.displayed.interval
    was, is_now = _side(before, its_null), _side(now, no_effect(fit.effects.measure))
    if None in (was, is_now) or was == is_now:
        return ""
    if is_now == 0:
        return "the interval includes no effect, the planned one does not"
    if was == 0:
        return "the interval does not include no effect, the planned one does"
    return "the interval lies on the other side of no effect"


def _side(interval: Interval, null: float | None) -> int | None:
    if null is None or interval.low != interval.low or interval.high != interval.high:
        return None
    return 1 if interval.low > null else -1 if interval.high < null else 0


def _grouped(result: AnalysisResult) -> dict[str, list[tuple[Sensitivity, SensitivitySpec | None]]]:
    plans = {plan.label: plan for plan in result.spec.sensitivity}
    made: dict[str, list[tuple[Sensitivity, SensitivitySpec | None]]] = {}
    for s in result.sensitivity:
        plan = plans.get(s.label)
        alone = sum(other.label == s.label for other in result.sensitivity) == 1
        heading = KINDS.get(plan.vary, s.label) if plan is not None and alone else s.label
        made.setdefault(heading, []).append((s, plan))
    return made


def _changed(s: Sensitivity, plan: SensitivitySpec | None, result: AnalysisResult, heading: str) -> tuple[str, str]:
    """The head of the row, and what its label leaves unsaid."""
    words = ", ".join(_plain(part, plan, result) for part in s.changed.split(", "))
    if heading == s.label:
        return words if words.startswith("r = ") else words[:1].upper() + words[1:], ""
    # A label that names studies and options already says what is changed.
    known = all(_known(part, s.label) for part in s.changed.split(", "))
    return s.label, "" if known or words.casefold() in s.label.casefold() else words


def _known(part: str, label: str) -> bool:
    names = part.removeprefix("without ").removeprefix("with ").casefold()
    titles = {"dl": "dersimonian-laird", "assumed counts added": "assumed"}
    return names in label.casefold() or titles.get(names, names) in label.casefold()


def _plain(part: str, plan: SensitivitySpec | None, result: AnalysisResult) -> str:
    """An option in the field's words; anything else as it is."""
    if part in INFERENCES:
        guard = ", without the guard" if part == "hartung-knapp" and "guarded" in result.spec.inference else ""
        return f"{inference_choice(part).short}{guard}"
    if plan is not None and plan.vary == "measure" and part in MEASURES:
        return {"PR": "proportion, untransformed", "PAS": "proportion, arcsine scale", "PFT": "proportion, "
                "Freeman-Tukey scale", "PLO": "proportion, logit scale"}.get(part, measure_name(part))  # fmt: skip
    if part in METHODS:
        return METHODS[part].short
    if part in TAU2_ESTIMATORS:
        return {"ML": "maximum likelihood", "REML": "restricted maximum likelihood"}.get(part, tau2_choice(part).short)
    return part


def figures(fit: Pooled | None, at: str = "") -> tuple[Cell, ...]:
    """Studies, estimate, interval, P and I² of a fit; nothing about P where there is no value of no effect.

    at : the place of the fit's numbers among those behind each number, to which each leads.
    """
    if fit is None:
        gap = Cell("not pooled", absent=True)
        return (Cell("–"), gap, gap, gap, Cell("–"), Cell("–"))
    shown, ratio = fit.displayed, is_ratio(fit)
    digits = digits_for([shown.interval.high - shown.interval.low])

    def to(quantity: str) -> str:
        return f"#{at}:{quantity}" if at else ""

    return (
        Cell(str(fit.k), href=to("studies")),
        number(shown.estimate, digits, ratio=ratio, href=to("estimate")),
        number(shown.interval.low, digits, ratio=ratio, href=to("low")),
        number(shown.interval.high, digits, ratio=ratio, href=to("high")),
        Cell("–") if no_effect(fit.effects.measure) is None else replace(p_cell(fit.p), href=to("p")),
        Cell(fixed(fit.i2, 0), href=to("i2")) if fit.i2 == fit.i2 else Cell("–"),
    )


def _further(result: AnalysisResult, rows: tuple[EffectRow, ...]) -> tuple[Link, ...]:
    """Links to the values as reported of studies that only a sensitivity analysis uses."""
    planned = {row.study for row in result.rows}
    file = rows_file(result)
    return tuple(
        Link(f"{row.label}, row {n} of {file}", "#" + anchor(file.removesuffix("s.csv"), name))
        for row in rows
        if row.study not in planned
        for n, name in zip(row.rows, row.results, strict=False)
    )
