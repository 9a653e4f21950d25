"""A pooled result as a table: plain text for a terminal, HTML for a notebook, from the same cells."""

from __future__ import annotations

import math
from collections.abc import Sequence

from balm.report.choices import TAU2_INTERVAL
from balm.report.result_sentence import has_null, how, is_ratio, result_digits, sentence, spelled
from balm.report.rounding import digits_for, i2_percent, number, to
from balm.report.study_rows import study_rows
from balm.stats.measures import MEASURES
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.numbers import level, p_value, percent, short
from balm.vocabulary.quick_dataclass import dataclass, field

#: A longer table shows its first and last rows when a value shows itself; the command line prints all of them.
MOST_ROWS = 40


@dataclass(frozen=True, slots=True)
class Table:
    """Cells ready to print: ``rows`` of text under ``header``; ``strong`` rows stand below a rule; ``lines`` follow."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    strong: tuple[tuple[str, ...], ...] = ()
    lines: tuple[str, ...] = ()
    left: frozenset[int] = field(default=frozenset({0}))  # columns of words; the others are numbers, set right


def result_table(fit: Pooled, *, most_rows: int | None = MOST_ROWS, advice: bool = True) -> Table:
    """Studies, the pooled row, the prediction interval; below them the tests, what was left out and the advice."""
    rows = study_rows(fit) if fit.k > 0 else []
    shown = fit.displayed
    widths = [abs(row.high - row.low) for row in rows] + [abs(shown.interval.high - shown.interval.low)]
    digits = max(result_digits(fit), digits_for(sorted(w for w in widths if math.isfinite(w) and w > 0)[-1:]))
    noted = any(row.note for row in rows)
    ratio = is_ratio(fit)

    def shown_as(estimate: float, low: float, high: float) -> tuple[str, str]:
        return number(estimate, digits, ratio=ratio), to(low, high, digits, ratio=ratio)

    body = [
        (row.study, *shown_as(row.estimate, row.low, row.high), percent(row.weight, 1), row.note) for row in rows
    ] or [(study, "not estimable", "", "", "") for study, _ in fit.excluded]
    strong = []
    if fit.k > 0:
        name = "Pooled" if fit.k > 1 else "Result (one study)"
        strong.append((name, *shown_as(shown.estimate, *shown.interval), "100.0%", ""))
    prediction = shown.prediction_interval
    if not math.isnan(prediction.low):
        strong.append(("Prediction interval", "", shown_as(math.nan, *prediction)[1], "", ""))
    end = None if noted else 4
    return Table(
        title=f"{MEASURES[fit.effects.measure].name}: {how(fit)}; {_studies(fit.k)}",
        header=("Study", "Effect", f"{level(fit.interval.level)} CI", "Weight", "Note")[:end],
        rows=tuple(row[:end] for row in _fold(body, most_rows)),
        strong=tuple(row[:end] for row in strong),
        lines=tuple(_lines(fit, advice)),
        left=frozenset({0, 4}),
    )


def text_of(table: Table) -> str:
    """The table in fixed-width text."""
    cells = [table.header, *table.rows, *table.strong]
    widths = [max(len(row[i]) for row in cells) for i in range(len(table.header))]

    def line(row: Sequence[str]) -> str:
        parts = [
            cell.ljust(width) if i in table.left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(parts).rstrip()

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    out = [table.title, "", line(table.header), rule, *(line(row) for row in table.rows)]
    if table.strong:
        out += [rule, *(line(row) for row in table.strong)]
    if table.lines:
        out += ["", *table.lines]
    return "\n".join(out)


def html_of(table: Table, note: str = "") -> str:
    """The table as one HTML element that brings no style sheet and no script."""

    from html import escape  # its table of entities is only for pages

    def row(cells: Sequence[str], tag: str = "td") -> str:
        made = []
        for i, cell in enumerate(cells):
            side = "left" if i in table.left else "right"
            scope = ' scope="row"' if tag == "td" and i == 0 else ' scope="col"' if tag == "th" else ""
            kind = "th" if scope else "td"
            made.append(f'<{kind}{scope} style="text-align:{side};white-space:nowrap">{escape(cell)}</{kind}>')
        return f"<tr>{''.join(made)}</tr>"

    body = "".join(row(cells) for cells in table.rows)
    foot = "".join(row(cells) for cells in table.strong)
    foot = f'<tfoot style="font-weight:bold;border-top:1px solid">{foot}</tfoot>' if foot else ""
    lines = "".join(f"<p>{escape(line)}</p>" for line in (*table.lines, note) if line)
    return (
        f"<div><table><caption>{escape(table.title)}</caption><thead>{row(table.header, 'th')}</thead>"
        f"<tbody>{body}</tbody>{foot}</table>{lines}</div>"
    )


def text(fit: Pooled, *, most_rows: int | None = MOST_ROWS, advice: bool = True) -> str:
    """The result as a terminal shows it."""
    return text_of(result_table(fit, most_rows=most_rows, advice=advice))


def html(fit: Pooled) -> str:
    """The result as a notebook shows it: the table and the sentence."""
    return html_of(result_table(fit, advice=False), sentence(fit))


def heterogeneity_line(fit: Pooled) -> str:
    """tau2, I2, H2 and Q in one line, with the interval of tau2 and I2 where the conventions name one."""
    if fit.k < 2:
        return f"Heterogeneity: not estimable ({_studies(fit.k)})"
    parts = []
    if not math.isnan(fit.tau2) and fit.conventions.get("model") != "common":
        parts.append(f"τ² = {short(fit.tau2)}")
    if not math.isnan(fit.i2):
        parts.append(f"I² = {i2_percent(fit.i2)}")
    if not math.isnan(fit.q):
        parts.append(f"Q = {number(fit.q, 2)}, df = {fit.q_df}, {p_value(fit.q_p)}")
    return f"Heterogeneity: {'; '.join(parts)}" if parts else ""


def _lines(fit: Pooled, advice: bool) -> list[str]:
    lines = []
    if fit.k > 0:
        name = "z" if math.isinf(fit.df) or math.isnan(fit.df) else f"t({_degrees(fit.df)})"
        if has_null(fit) and not math.isnan(fit.statistic):
            lines.append(f"Overall effect: {name} = {number(fit.statistic, 2)}, {p_value(fit.p)}")
        lines += [line for line in (heterogeneity_line(fit), _tau2_interval(fit)) if line]
    if advice:
        lines += [f"Not pooled: {study}: {why}" for study, why in fit.excluded]
        lines += [f"Note: {spelled(said)}" for said in fit.advice]
    return lines


def _tau2_interval(fit: Pooled) -> str:
    way = fit.conventions.get("tau2_interval")
    if fit.k < 2 or way not in TAU2_INTERVAL or fit.conventions.get("model") == "common":
        return ""
    if math.isnan(fit.tau2):
        return ""
    interval = fit.heterogeneity_interval(method=way, level=fit.interval.level)
    if math.isnan(interval.tau2.low) or math.isnan(interval.i2.low):
        return ""
    return (
        f"{level(fit.interval.level)} CI ({TAU2_INTERVAL[way].short}): "
        f"τ² {short(interval.tau2.low)} to {short(interval.tau2.high)}, "
        f"I² {i2_percent(interval.i2.low)} to {i2_percent(interval.i2.high)}"
    )


def _degrees(df: float) -> str:
    return str(int(df)) if df == int(df) else number(df, 1)


def _studies(k: int) -> str:
    return "no studies" if k == 0 else "1 study" if k == 1 else f"{k} studies"


def _fold(rows: list[tuple[str, ...]], most: int | None) -> list[tuple[str, ...]]:
    if most is None or len(rows) <= most:
        return rows
    half = most // 2
    left_out = f"... {len(rows) - 2 * half} more studies ..."
    return [*rows[:half], (left_out, *[""] * (len(rows[0]) - 1)), *rows[-half:]]
