"""The table of an analysis to take away: one line a study, then what was found; numbers stay numbers, in full.

As CSV for anything, and as XLSX for a spreadsheet. No text of the review becomes a formula in either.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

from balm.report.analysis_json import analysis_as_json
from balm.report.study_rows import study_rows
from balm.review.synthesis import AnalysisResult
from balm.vocabulary.problems import InputError
from balm.vocabulary.spreadsheet_cell import harmless

#: Numbers of an arm, in the order in which a forest plot shows them.
_ORDER = ("events_1", "n_1", "mean_1", "sd_1", "events_2", "n_2", "mean_2", "sd_2", "events", "n", "mean", "sd")
Value = str | float | None


def study_table(result: AnalysisResult) -> tuple[tuple[str, ...], list[tuple[Value, ...]]]:
    """Columns and one row a study: the values used, effect and variance on the analysis scale, and as displayed.

    A study that was not pooled keeps its row; ``pooled`` says why in words.
    """
    names = sorted(
        {name for row in result.rows for name in row.values},
        key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name),
    )
    heads = ("study", "time point", "design", *names, "effect", "variance", "standard error",
             "displayed", "displayed low", "displayed high", "weight per cent", "pooled", "results")  # fmt: skip
    drawn = {} if result.fit is None else {row.study: row for row in study_rows(result.fit)}
    excluded = {} if result.fit is None else dict(result.fit.excluded)
    table: list[tuple[Value, ...]] = []
    for i, row in enumerate(result.rows):
        effects = result.effects
        effect = float(effects.effect[i]) if effects is not None else None
        variance = float(effects.variance[i]) if effects is not None else None
        se = None if variance is None or math.isnan(variance) else math.sqrt(variance)
        shown = drawn.get(row.label)
        if shown is not None:
            state, last = "yes", (shown.estimate, shown.low, shown.high, shown.weight)
        elif result.single is not None and result.single.row.study == row.study:
            one = result.single
            state, last = "no: one study", (one.estimate, one.interval.low, one.interval.high, None)
        else:
            state, last = f"no: {excluded.get(row.label, 'not pooled')}", (None, None, None, None)
        own = tuple(float(row.values[n]) if n in row.values else None for n in names)
        table.append((row.label, row.timepoint, row.design, *own, effect, variance, se, *last, state,
                      " ".join(row.results)))  # fmt: skip
    return heads, table


def summary_table(result: AnalysisResult) -> list[tuple[str, Value]]:
    """Every number of the result with its name, in the words of its JSON (``fit.displayed.ci_low``)."""
    told: list[tuple[str, Value]] = [("title", result.title), ("measure", result.measure)]
    whole = analysis_as_json(result)
    _flatten("", {k: whole[k] for k in ("fit", "single", "why_not_pooled", "absolute", "subgroup_test")}, told)
    return told


def _flatten(name: str, value: Any, told: list[tuple[str, Value]]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key != "studies":  # they stand in the table of studies
                _flatten(f"{name}.{key}" if name else key, inner, told)
    elif isinstance(value, list):
        told.append((name, "; ".join(str(v) for v in value)))
    elif isinstance(value, bool | int | float) and not isinstance(value, bool):
        told.append((name, float(value)))
    else:
        told.append((name, None if value is None else str(value)))


def as_csv(result: AnalysisResult) -> bytes:
    """The table of studies as CSV: UTF-8 with a byte order mark, so that spreadsheets read it as such."""
    heads, rows = study_table(result)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(heads)
    writer.writerows([[_cell(value) for value in row] for row in rows])
    return out.getvalue().encode("utf-8-sig")


def _cell(value: Value) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return harmless(value)


def as_xlsx(result: AnalysisResult) -> bytes:
    """Three sheets: the studies, the result, how it was made. Texts are written as texts, whatever they begin with."""
    try:
        import xlsxwriter
    except ImportError:
        raise InputError(
            "writing .xlsx needs the xlsxwriter package: pip install 'balm[server]'; CSV needs nothing"
        ) from None
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    book.set_properties({"title": result.title, "created": _EPOCH})
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    heads, rows = study_table(result)
    _sheet(book, "Studies", heads, rows, bold)
    summary = summary_table(result)
    is_choice = [name.startswith("fit.conventions") or name in ("title", "measure") for name, _ in summary]
    found = [row for row, choice in zip(summary, is_choice, strict=True) if not choice]
    chosen = [row for row, choice in zip(summary, is_choice, strict=True) if choice]
    _sheet(book, "Result", ("quantity", "value"), found, bold)
    _sheet(book, "Choices", ("choice", "value"), chosen, bold)
    book.close()
    return out.getvalue()


def _sheet(book: Any, name: str, heads: Sequence[str], rows: Sequence[Sequence[Value]], bold: Any) -> None:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 1)
    for column, head in enumerate(heads):
        sheet.write_string(0, column, head, bold)
        longest = max([len(head), *(len(str(row[column] or "")) for row in rows)], default=8)
        sheet.set_column(column, column, min(40, max(9, longest)))
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if isinstance(value, float) and math.isfinite(value):
                sheet.write_number(number, column, value)
            elif isinstance(value, str):
                sheet.write_string(number, column, value)


def _epoch() -> Any:
    from datetime import UTC, datetime

    return datetime(1980, 1, 1, tzinfo=UTC).replace(tzinfo=None)


#: The same analysis gives the same bytes: a date of its own would make two downloads differ.
_EPOCH = _epoch()
