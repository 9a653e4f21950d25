"""From the text of a table to typed rows: strict, and every wrong cell is named at once.

Nothing is guessed and nothing is evaluated: a cell is a number, a word of a closed list, an id or plain text.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from balm.vocabulary.evidence import Reported
from balm.vocabulary.longest_cell import longest_cell
from balm.vocabulary.problems import Problem
from balm.vocabulary.spreadsheet_cell import safe_cell, unsafe_cell
from balm.vocabulary.table_columns import Column, Table

#: A cell longer than this is not a cell of a table; the csv module would stop with an error of its own at 131,072.
MAX_CELL = 100_000
#: More than a person reads in one sitting; the rest is counted.
MAX_PROBLEMS = 200

#: A day outside is a slip of the pen.
FIRST_YEAR, LAST_YEAR = 1900, 2199
_YEARS = f"must have a year from {FIRST_YEAR} to {LAST_YEAR}"

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?", re.ASCII)
_WHOLE = re.compile(r"\d{1,15}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]*", re.ASCII)
_NOT_NUMBERS = {"nan", "na", "n/a", "inf", "-inf", "infinity", "none", "null", "nr"}


def decode(data: bytes, *, file: str) -> tuple[str, list[Problem]]:
    """The text of a UTF-8 file (a byte order mark is tolerated), or a problem naming the line and the byte.

    >>> decode(b"caf\\xe9", file="studies.csv")[1][0].reason
    "not UTF-8: byte 0xE9 at position 4 of line 1. Save the file as 'CSV UTF-8'"
    """
    body = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        position = error.start - body.rfind(b"\n", 0, error.start)
        bad = f"byte 0x{body[error.start]:02X} at position {position} of line {line}"
        reason = f"not UTF-8: {bad}. Save the file as 'CSV UTF-8'"
        return "", [Problem(reason, file=file, line=line)]
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        return "", [Problem(f"holds a NUL character on line {line}: this is not a text table", file=file, line=line)]
    return text, []


def read_table(text: str, table: Table) -> tuple[tuple[Any, ...], list[Problem]]:
    """The rows of ``table`` in ``text``, as values of ``table.row``, and everything wrong with them.

    With a problem in the header no row is read. A row with a wrong cell is left out of the values, so that what refers
    to it is not blamed twice; whoever calls refuses the whole package as soon as there is one problem.

    >>> columns = (Column("gap", "id", "", required=True), Column("priority", "size", ""))
    >>> table = Table("gaps.csv", "gaps", dict, "", ("gap",), columns)
    >>> str(read_table("gap,priority\\ng1,x\\n", table)[1][0])
    "gaps.csv, row 1, column priority: must be a whole number of 1 or more; got 'x'"
    """
    if not text.strip():
        return (), [Problem("the file is empty; it needs at least its header", file=table.file)]
    problems: list[Problem] = []
    lines = _lines(text, table.file, problems)
    if not lines:
        return (), problems
    header = [cell.strip() for cell in lines[0][2]]
    columns = _header(header, table, problems)
    if problems:
        return (), problems
    rows: list[Any] = []
    seen: dict[tuple[str, ...], int] = {}
    whole: dict[tuple[str, ...], int] = {}
    for number, line, cells in lines[1:]:
        if len(cells) != len(columns):
            more = "fewer" if len(cells) < len(columns) else "more"
            reason = f"has {len(cells)} cells, {more} than the {len(columns)} columns of the header"
            problems.append(Problem(reason, file=table.file, row=number, line=line))
            continue
        texts = tuple(cell.strip() for cell in cells)
        if texts in whole:
            problems.append(Problem(f"is the same as row {whole[texts]}", file=table.file, row=number, line=line))
            continue
        whole[texts] = number
        values, wrong = read_cells(dict(zip(header, texts, strict=True)), table, row=number, line=line)
        key = tuple(dict(zip(header, texts, strict=True)).get(name, "") for name in table.key)
        if key in seen:
            named = ", ".join(f"{name} {value!r}" for name, value in zip(table.key, key, strict=True) if value)
            reason = f"{named} stands in row {seen[key]} already"
            problems.append(Problem(reason, file=table.file, row=number, column=table.key[0], line=line))
        else:
            seen[key] = number
        problems.extend(wrong)
        if not wrong:
            rows.append(table.row(**values, row=number))
    return tuple(rows), problems


def read_cells(
    texts: Mapping[str, str], table: Table, *, row: int, line: int | None = None, file: str | None = None
) -> tuple[dict[str, Any], list[Problem]]:
    """One row's cells by column name, typed; a missing or empty cell is ``None`` (or ``()`` for a list of ids)."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for column in table.columns:
        text = texts.get(column.name, "")
        where = {"file": file or table.file, "row": row, "column": column.name, "line": line}
        if not text:
            values[column.name] = () if column.kind == "ids" else None
            if column.required:
                problems.append(Problem("must not be empty", **where))  # type: ignore[arg-type]
            continue
        if table.escaped and column.kind == "text":
            text = unsafe_cell(text)
        value, reason = read_cell(text, column)
        if reason:
            problems.append(Problem(f"{reason}; got {text[:80]!r}", value=text[:80], **where))  # type: ignore[arg-type]
        values[column.name] = value
    return values, problems


def read_cell(text: str, column: Column) -> tuple[Any, str]:
    """A filled cell as a value, or the reason why it is not one (then the value is ``None``).

    >>> read_cell("-1", Column("sd", "positive", ""))
    (None, 'must be above 0')
    """
    value, reason = _READERS[column.kind](text, column)
    if not reason and (column.low is not None or column.high is not None):
        reason = _outside(value, column)
    return (None, reason) if reason else (value, "")


def as_cell(value: Any) -> str:
    """The text of a value in a table: the inverse of :func:`read_cell`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "; ".join(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds" if value.second else "minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def written_cell(value: Any, column: Column, table: Table) -> str:
    """The cell as it stands in the file: where the table says so, no text is one that a spreadsheet runs as a formula.

    >>> table = Table("studies.csv", "studies", dict, "", ("study",), (), escaped=True)
    >>> [written_cell(v, Column("notes", "text", ""), table) for v in ("- see table 2", "-1.5", "plain")]
    ["'- see table 2", '-1.5', 'plain']
    """
    text = as_cell(value)
    return safe_cell(text) if table.escaped and column.kind == "text" and not _NUMBER.fullmatch(text) else text


def write_table(rows: Iterable[Any], table: Table) -> str:
    """The text of a table: UTF-8, commas, LF, one header row."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([c.name for c in table.columns])
    for row in rows:
        writer.writerow([written_cell(getattr(row, c.name), c, table) for c in table.columns])
    return out.getvalue()


def unknown_name(what: str, value: str, known: Sequence[str]) -> str:
    """The reason for an id that is not there, with the nearest one that is."""
    near = difflib.get_close_matches(value, known, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"{value!r} is not {what}{hint}"


def _lines(text: str, file: str, problems: list[Problem]) -> list[tuple[int, int, list[str]]]:
    """Each filled row with its data row (blank ones are skipped but counted) and its line as an editor counts it."""
    found: list[tuple[int, int, list[str]]] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    start = 1
    try:
        with longest_cell(MAX_CELL):
            for number, cells in enumerate(reader):
                if any(cell.strip() for cell in cells):
                    found.append((number, start, cells))
                start = reader.line_num + 1
    except csv.Error as error:
        why = (
            f"holds a cell longer than {MAX_CELL:,} characters"
            if "limit" in str(error)
            else f"cannot be read ({error})"
        )
        problems.append(
            Problem(f"line {start}: {why}; look for a quotation mark that is not closed", file=file, line=start)
        )
        return []
    return found


def _header(header: list[str], table: Table, problems: list[Problem]) -> list[str]:
    known = [c.name for c in table.columns]
    if len(header) == 1 and any(sep in header[0] for sep in ";\t"):
        used = "semicolons" if ";" in header[0] else "tabs"
        problems.append(Problem(f"the cells are separated by {used}; this table needs commas", file=table.file, line=1))
        return header
    for name in header:
        if name not in known:
            problems.append(
                Problem(unknown_name("a column of this table", name, known), file=table.file, column=name, line=1)
            )
    for name in sorted({n for n in header if header.count(n) > 1}):
        problems.append(Problem("the column stands in the header more than once", file=table.file, column=name, line=1))
    for name in (c.name for c in table.columns if not c.optional):
        if name not in header:
            problems.append(
                Problem("the column is missing; leave it empty rather than out", file=table.file, column=name, line=1)
            )
    return header


def _number(text: str) -> tuple[float | None, str]:
    if text.lower() in _NOT_NUMBERS:
        return None, "must be a number; leave the cell empty where it is not reported"
    if not _NUMBER.fullmatch(text):
        if re.fullmatch(r"[-+]?\d+,\d+", text):
            return None, "must be a number with a decimal point, not a comma"
        return None, "must be a number"
    value = float(text)
    if value in (float("inf"), float("-inf")):
        return None, "must be a finite number"
    return value, ""


def _outside(value: Any, column: Column) -> str:
    """Why a number cannot be true, or nothing."""
    unit = f" {column.unit}" if column.unit else ""
    low, high = column.low, column.high
    if (low is None or value >= low) and (high is None or value <= high):
        return ""
    if low is None or high is None:
        return f"must be {low:g}{unit} or more" if low is not None else f"must be {high:g}{unit} or less"
    return f"must lie between {low:g} and {high:g}{unit}"


def _as_text(text: str, column: Column) -> tuple[Any, str]:
    return text, ""


def _as_id(text: str, column: Column) -> tuple[Any, str]:
    if _ID.fullmatch(text):
        return text, ""
    return None, "must be an id (letters, digits, '.', '_', '-'; starting with a letter or digit)"


def ids_in(text: str) -> tuple[str, ...]:
    """What a cell lists.

    >>> ids_in("miller2031; smith2033 ;")
    ('miller2031', 'smith2033')
    """
    return tuple(part.strip() for part in text.split(";") if part.strip())


def _as_ids(text: str, column: Column) -> tuple[Any, str]:
    ids = ids_in(text)
    if all(_ID.fullmatch(i) for i in ids):
        return ids, ""
    return None, "must be ids separated by ';'"


def _as_choice(text: str, column: Column) -> tuple[Any, str]:
    if text in column.allowed:
        return text, ""
    near = difflib.get_close_matches(text.lower(), column.allowed, n=1)
    return None, f"must be one of {list(column.allowed)}" + (f" (did you mean {near[0]!r}?)" if near else "")


def _as_yes_no(text: str, column: Column) -> tuple[Any, str]:
    return (text == "yes", "") if text in ("yes", "no") else (None, "must be 'yes' or 'no'")


def _as_whole(text: str, least: int) -> tuple[Any, str]:
    reason = f"must be a whole number of {least} or more"
    if not _WHOLE.fullmatch(text):
        return None, reason
    value = int(text)
    return (value, "") if value >= least else (None, reason)


def _as_count(text: str, column: Column) -> tuple[Any, str]:
    return _as_whole(text, 0)


def _as_size(text: str, column: Column) -> tuple[Any, str]:
    return _as_whole(text, 1)


def _as_year(text: str, column: Column) -> tuple[Any, str]:
    return (int(text), "") if re.fullmatch(r"(18|19|20|21)\d\d", text) else (None, "must be a year such as 2009")


def _as_number(text: str, column: Column) -> tuple[Any, str]:
    return _number(text)


def _as_positive(text: str, column: Column) -> tuple[Any, str]:
    value, reason = _number(text)
    if value is not None and value <= 0:
        return None, "must be above 0"
    return value, reason


def _as_level(text: str, column: Column) -> tuple[Any, str]:
    value, reason = _number(text)
    if value is not None and not 0 < value < 1:
        return None, "must be between 0 and 1, such as 0.95"
    return value, reason


def _as_reported(text: str, column: Column) -> tuple[Any, str]:
    if text.lower() in _NOT_NUMBERS:
        return None, "must be a number, a bound or a range; leave the cell empty where it is not reported"
    try:
        return Reported.parse(text), ""
    except ValueError:
        return None, "must be a number, a bound such as '<0.001' or a range such as '10-40'"


def _as_p(text: str, column: Column) -> tuple[Any, str]:
    value, reason = _as_reported(text, column)
    if value is not None and not 0 <= value.value <= 1:
        return None, "must be between 0 and 1"
    return value, reason


def _as_decimal(text: str, column: Column) -> tuple[Any, str]:
    value, reason = _number(text)
    if reason or value is None:
        return None, reason
    if not re.fullmatch(r"[-+]?(?:\d+\.?\d*|\.\d+)", text, re.ASCII):
        return None, "must be written out, without an exponent"
    return Decimal(text), ""


def _as_date(text: str, column: Column) -> tuple[Any, str]:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        try:
            day = date.fromisoformat(text)
            return (day, "") if FIRST_YEAR <= day.year <= LAST_YEAR else (None, _YEARS)
        except ValueError:
            return None, "is no day of the calendar"
    return None, "must be a date such as 2026-03-01 (year-month-day)"


def _as_moment(text: str, column: Column) -> tuple[Any, str]:
    if re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?", text, re.ASCII):
        try:
            moment = datetime.fromisoformat(text)
            return (moment, "") if FIRST_YEAR <= moment.year <= LAST_YEAR else (None, _YEARS)
        except ValueError:
            return None, "is no moment of the calendar and clock"
    return None, "must be a date and time such as 2026-03-01T09:30, in local time without a zone"


def _as_when(text: str, column: Column) -> tuple[Any, str]:
    """A date as far as it is known; it stays text, which sorts as the dates do."""
    if _WHEN.fullmatch(text):
        return text, ""
    return None, "must be a date as YYYY, YYYY-MM or YYYY-MM-DD"


#: A day, a month or a year.
_WHEN = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")

_READERS: dict[str, Callable[[str, Column], tuple[Any, str]]] = {
    "text": _as_text,
    "id": _as_id,
    "ids": _as_ids,
    "choice": _as_choice,
    "yes-no": _as_yes_no,
    "year": _as_year,
    "count": _as_count,
    "size": _as_size,
    "number": _as_number,
    "positive": _as_positive,
    "level": _as_level,
    "reported": _as_reported,
    "p": _as_p,
    "decimal": _as_decimal,
    "date": _as_date,
    "when": _as_when,
    "moment": _as_moment,
}
