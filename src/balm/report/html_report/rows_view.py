"""The rows behind a result: the numbers used, each conversion on the way to them, and where they were read."""

from __future__ import annotations

import re
from collections.abc import Mapping

from balm.report.html_report.links import anchor, place
from balm.report.html_report.study_tables import sources, study_link
from balm.report.html_report.table import Cell, Column, Line, Link, Row, Table, columns, filled, number
from balm.report.result_sentence import shows_ratio
from balm.report.rounding import digits_for
from balm.report.study_rows import study_rows
from balm.review.networks.arms import NetworkStudy
from balm.review.package import Package
from balm.review.synthesis import AnalysisResult, EffectRow, Step, Synthesis
from balm.vocabulary.numbers import plain

#: Abbreviations of statistics, written as the field writes them.
_STATISTICS = re.compile(r"\b(sd|se|ci|iqr)\b")
#: Steps whose name does not say what they do, and inputs that are no statistic.
_NOT_SAID = ("factor", "offset", "flip", "from_scale", "to_scale")
_SPREADS = {"sd": "standard deviation", "se": "standard error"}


def rows_table(result: AnalysisResult, synthesis: Synthesis, numbers: dict[str, int]) -> Table:
    """One line a study; columns that would be empty (no weight for one trial, no second group) are left out."""
    package = synthesis.package
    by_label = {} if result.fit is None else {row.study: row for row in study_rows(result.fit)}
    widths = [row.high - row.low for row in by_label.values()]
    if result.single is not None:
        widths.append(result.single.interval.high - result.single.interval.low)
    digits = digits_for(widths) if widths else 2
    ratio = shows_ratio(result.measure)
    file, comparison = rows_file(result), result.comparison
    heads = (
        *columns("#Study", "Time point"),
        Column(comparison.group_1),
        Column(comparison.group_2 or ""),
        *columns(">Effect", ">Low", ">High", ">Weight, %", "+Conversions", "+Notes", f"Rows of {file}", "@Source"),
    )
    kind = file.removesuffix("s.csv")
    made = []
    for row in result.rows:
        drawn = by_label.get(row.label)
        effect: tuple[float | None, float | None, float | None, float | None] = (None, None, None, None)
        if drawn is not None:
            effect = (drawn.estimate, drawn.low, drawn.high, drawn.weight)
        elif result.single is not None and result.single.row.study == row.study:
            effect = (result.single.estimate, result.single.interval.low, result.single.interval.high, None)
        places = tuple(Link(f"row {n}", "#" + anchor(kind, r)) for n, r in zip(row.rows, row.results, strict=False))
        label = study_link(package, row.study)
        behind = "#" + place(result.id, study=row.study)
        made.append(
            Row(
                (
                    Cell(row.label, href=label.href),
                    Cell(row.timepoint or "not stated"),
                    Cell(group_values(row.values, 1)),
                    Cell(group_values(row.values, 2)),
                    *(number(x, digits, ratio=ratio, href=behind) for x in effect[:3]),
                    number(effect[3], 1, href=behind),
                    Cell(lines=tuple(step_line(step, package, row) for step in row.steps)),
                    Cell(lines=tuple(Line(note_text(note, package, row)) for note in dict.fromkeys(row.notes))),
                    Cell(links=places),
                    sources(package, " ; ".join(row.sources), report_of(package, row, kind), numbers),
                ),
                id=anchor(f"row-{result.id}", row.study),
            )
        )
    note = "Each row number leads to the value as reported."
    if by_label or result.single is not None:
        note = f"Effects{' and weights' if by_label else ''} as used in the analysis; {note[:1].lower()}{note[1:]}"
    caption = f"Rows behind the result: {result.title}"
    shown, rows = filled(heads, made)
    return Table(anchor("rows", result.id), caption, shown, rows, note=note, cards=True)


def rows_file(result: AnalysisResult) -> str:
    """The table whose rows an analysis uses."""
    return "contrasts.csv" if result.spec.contrasts else "results.csv"


def report_of(package: Package, row: EffectRow, kind: str) -> str | None:
    """The report in which the numbers of a row were read; ``kind`` of its table's rows: result, contrast."""
    if kind == "contrast":
        return next((c.report for c in package.contrasts if c.contrast in row.results), None)
    return next((r.report for r in package.results_of(row.study) if r.result in row.results), None)


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


def step_line(step: Step, package: Package, row: EffectRow | NetworkStudy) -> Line:
    """A conversion in one line: whose number, what was done, inputs and value; its formula opens below."""
    arm = next((_arm(package, row, r.arm) for r in package.results if r.result == step.result), "")
    scales = [_said(step.inputs[name]) for name in ("from_scale", "to_scale") if name in step.inputs]
    what = f"scale {scales[0]} moved to {scales[1]}" if len(scales) == 2 else step.what
    inputs = ", ".join(_named(name, x) for name, x in step.inputs.items() if name not in _NOT_SAID)
    outcome = step.value if isinstance(step.value, Mapping) else {"value": step.value}
    gives = ", ".join(_named(name, x) for name, x in outcome.items() if name not in _NOT_SAID)
    whose = f"{arm}, " if arm else ""
    words = f"{whose}{_words(what)}: {inputs} → {gives} ({_short(step.source)})"
    return Line(words[:1].upper() + words[1:], more=_words(step.formula) + f". Source: {step.source}.")


def note_text(note: str, package: Package, row: EffectRow | NetworkStudy) -> str:
    """A note as a sentence: arms by their names, statistics in words."""
    arm, colon, rest = note.partition(": ")
    name = _arm(package, row, arm) if colon else ""
    said = f"{name}: {rest}" if name else note
    said = re.sub(r"'(sd|se)'", lambda found: _SPREADS[found[1]], said).rstrip(".")
    return f"{said[:1].upper()}{said[1:]}."


def _arm(package: Package, row: EffectRow | NetworkStudy, arm: str | None) -> str:
    found = package.arm(row.study, arm) if arm else None
    return found.label if found is not None else ""


def _short(source: str) -> str:
    return source.partition(";")[0].replace("Cochrane Handbook version", "Handbook").replace(", section", ",")


def _words(text: str) -> str:
    return _STATISTICS.sub(lambda found: found[1].upper(), text).replace("_", " ")


def _named(name: str, x: object) -> str:
    return f"{_words(name)}{' = ' if name == 'n' else ' '}{_said(x)}"


def _said(x: object) -> str:
    if isinstance(x, (tuple, list)):
        return "–".join(_said(part) for part in x)
    return plain(float(x), 3) if isinstance(x, (int, float)) else str(x)
