"""A delimited text file read safely: every cell is text until a column is asked for as numbers.

The reader accepts what spreadsheets write: UTF-8 with or without a byte order mark; commas, semicolons or tabs; any
line ending; quoted cells. What it cannot read without guessing it refuses, with the file, row and column, all at once.
"""

from __future__ import annotations

import csv
import io
import math
import os
import re
import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from balm.vocabulary.longest_cell import longest_cell
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.quick_dataclass import dataclass

if TYPE_CHECKING:
    from pathlib import Path

#: A table of studies is small (the largest Cochrane reviews stay under 1 MB); 64 MB is about a million rows. Beyond
#: it the file is most likely the wrong one, and it is refused before it is read.
MAX_BYTES = 64 * 1024 * 1024

#: The longest cell of a table, in characters: beyond, a quotation mark is not closed.
MAX_CELL = 131_072

#: Columns of a table; a message names them.
MAX_COLUMNS = 2_000

#: What a spreadsheet may write between two cells, in the order that settles a tie.
DELIMITERS = (",", ";", "\t")

#: Cells that stand for "not reported"; they are missing values, never zero.
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "nr", "."})

#: No more problems than a person reads at once; the rest are counted.
MAX_PROBLEMS = 50

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# Patterns that most tables never need, compiled when they are.
_COMMA_NUMBER = r"(?a:[+-]?\d*,\d+([eE][+-]?\d+)?)"
_THOUSANDS = r"(?a:[+-]?[1-9]\d{0,2}(,\d{3})+)"
_SPACES = r"[\s\u00a0\u202f]+"


@dataclass(frozen=True, slots=True)
class TextTable:
    """A header and its rows, as text.

    ``rows[i]`` is data row ``row_numbers[i]`` (1 = the first row under the header; blank rows are skipped but counted,
    so the number is the spreadsheet's minus one) and starts at line ``lines[i]`` of the file.
    """

    file: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    row_numbers: tuple[int, ...]
    lines: tuple[int, ...]
    delimiter: str = ","
    decimal_comma: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def text(self, column: str) -> list[str]:
        """The cells of ``column``, stripped."""
        at = self._position(column)
        return [row[at].strip() for row in self.rows]

    def numbers(self, column: str) -> list[float]:
        """The cells of ``column`` as numbers; a missing cell is ``nan``; all cells that are no number are named."""
        values, problems = self.read_numbers(column)
        if problems:
            raise InputError(problems)
        return values

    def read_numbers(self, column: str) -> tuple[list[float], list[Problem]]:
        """As :meth:`numbers`, with the problems handed back so that several columns can report together."""
        values: list[float] = []
        problems: list[Problem] = []
        for i, cell in enumerate(self.text(column)):
            value, reason = read_number(cell, decimal_comma=self.decimal_comma)
            values.append(value)
            if reason:
                problems.append(self.problem(i, column, reason, cell))
        return values, problems

    def problem(self, i: int, column: str, reason: str, value: str | None = None) -> Problem:
        """A problem in row ``i`` (from 0, of the rows read) of ``column``."""
        return Problem(reason, file=self.file, row=self.row_numbers[i], column=column, value=value, line=self.lines[i])

    def only(self, keep: Sequence[bool]) -> TextTable:
        """The table with the rows where ``keep`` is true, which keep their numbers."""
        chosen = [i for i, yes in enumerate(keep) if yes]
        return TextTable(
            file=self.file,
            columns=self.columns,
            rows=tuple(self.rows[i] for i in chosen),
            row_numbers=tuple(self.row_numbers[i] for i in chosen),
            lines=tuple(self.lines[i] for i in chosen),
            delimiter=self.delimiter,
            decimal_comma=self.decimal_comma,
        )

    def _position(self, column: str) -> int:
        if column not in self.columns:
            raise InputError(Problem(f"has no column {column!r}; it has {', '.join(self.columns)}", file=self.file))
        return self.columns.index(column)


def read_number(cell: str, *, decimal_comma: bool = False) -> tuple[float, str]:
    """``(number, "")``, or ``(nan, why it is none)``. A cell for "not reported" gives ``(nan, "")``.

    >>> read_number("12.5"), read_number("3,5", decimal_comma=True)
    ((12.5, ''), (3.5, ''))
    >>> read_number("twelve")[1]
    "'twelve' is not a number"
    """
    plain = cell.strip().replace("\u2212", "-")
    if plain.lower() in MISSING:
        return math.nan, ""
    if decimal_comma and re.fullmatch(_COMMA_NUMBER, plain):
        plain = plain.replace(",", ".")
    if _NUMBER.fullmatch(plain):
        value = float(plain)
        return (value, "") if math.isfinite(value) else (math.nan, f"{cell!r} is too large for a number")
    return math.nan, _why_not(cell, plain)


def _why_not(cell: str, plain: str) -> str:
    reason = f"{cell[:40]!r} is not a number"
    if plain.endswith("%"):
        return f"{reason}; write it without the per cent sign, in the unit the measure asks for"
    if plain[:1] in "<>≤≥=~":
        return f"{reason}; a bound is not a value: leave the cell empty or give the exact value"
    if re.fullmatch(_THOUSANDS, plain):
        whole, decimal = plain.replace(",", ""), plain.replace(",", ".", 1)
        return f"{reason}; the comma may separate thousands or decimals: write {whole} or {decimal}"
    if re.fullmatch(_COMMA_NUMBER, plain):
        return f"{reason}; write the decimal point: {plain.replace(',', '.')}"
    if _NUMBER.fullmatch(closed := re.sub(_SPACES, "", plain)):
        return f"{reason}; write it without spaces: {closed}"
    if re.fullmatch(r".*\d\s*(\(|±|\+/-).*", plain):
        return f"{reason}; give one number a cell"
    return reason


def read_table(path: str | Path) -> TextTable:
    """Read a delimited text file; ``"-"`` is the standard input.

    Raises :class:`~balm.vocabulary.problems.InputError` for a file that is missing, empty, too large, not text, not
    UTF-8 or not a table, each in one line that says what to do.
    """
    name = "standard input" if str(path) == "-" else str(path)
    return parse_table(_text_of(path, name), file=name)


def parse_table(text: str, *, file: str = "table") -> TextTable:
    """The table in ``text``; ``file`` is the name used in messages.

    >>> table = parse_table("study,events_1\\nAronson 1948,4\\n")
    >>> table.columns, table.numbers("events_1")
    (('study', 'events_1'), [4.0])
    """
    if not text.strip(" \t\r\n,;\ufeff"):
        raise InputError(Problem("is empty; a table needs a header row and at least one study", file=file))
    delimiter = _delimiter(text)
    parsed = _cells(text, delimiter, file)
    header_line, header = parsed[0]
    columns = _header(header, file, delimiter, [cells for _, cells in parsed[1:]])
    rows: list[tuple[str, ...]] = []
    numbers: list[int] = []
    lines: list[int] = []
    problems: list[Problem] = []
    for number, (line, cells) in enumerate(parsed[1:], start=1):
        if not any(cell.strip() for cell in cells):
            continue
        extra = [cell for cell in cells[len(columns) :] if cell.strip()]
        if len(cells) < len(columns) or extra:
            problems.append(_ragged(file, number, line, len(cells), len(columns), delimiter))
            continue
        rows.append(tuple(cells[: len(columns)]))
        numbers.append(number)
        lines.append(line)
    if problems:
        raise InputError(shortened(problems))
    if not rows:
        raise InputError(Problem(f"has a header (line {header_line}) but no rows under it", file=file))
    return TextTable(
        file=file,
        columns=columns,
        rows=tuple(rows),
        row_numbers=tuple(numbers),
        lines=tuple(lines),
        delimiter=delimiter,
        decimal_comma=_has_decimal_comma(rows),
    )


def shortened(problems: Sequence[Problem]) -> list[Problem]:
    """At most :data:`MAX_PROBLEMS` of them, and a last one that counts the rest."""
    if len(problems) <= MAX_PROBLEMS:
        return list(problems)
    rest = len(problems) - MAX_PROBLEMS
    return [*problems[:MAX_PROBLEMS], Problem(f"and {rest} more of this kind", file=problems[0].file)]


def _text_of(path: str | Path, name: str) -> str:
    """The whole file as text, after its size and its first bytes were looked at."""
    try:
        if str(path) == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            size = os.stat(path).st_size
            if size > MAX_BYTES:
                raise InputError(_too_large(name, size))
            with open(path, "rb") as stream:
                data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(Problem("no such file", file=name)) from None
    except IsADirectoryError:
        raise InputError(Problem("is a folder; give the table inside it", file=name)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if isinstance(error, InputError):
            raise
        raise InputError(Problem(f"cannot be read: {reason}", file=name)) from None
    if len(data) > MAX_BYTES:
        raise InputError(_too_large(name, len(data)))
    _refuse_other_formats(data, name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Positions are counted in the bytes handed to the codec, which start after a byte order mark.
        start = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        before = data[:start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        line = before.count(b"\n") + 1
        byte = len(before) - (before.rfind(b"\n") + 1) + 1
        reason = (
            f"line {line}, byte {byte} (0x{data[start]:02X}) is not UTF-8; save the file again as CSV UTF-8 "
            "(in Excel: Save as, CSV UTF-8)"
        )
        raise InputError(Problem(reason, file=name, line=line)) from None


def _too_large(name: str, size: int) -> Problem:
    return Problem(
        f"is {size / 1024**2:.0f} MB; a table of studies may have at most {MAX_BYTES // 1024**2} MB "
        "(keep the columns the measure needs, or split the table)",
        file=name,
    )


def _refuse_other_formats(data: bytes, name: str) -> None:
    """A spreadsheet or another encoding is told from its first bytes, so that the advice fits."""
    if data[:4] == b"PK\x03\x04" or data[:4] == b"\xd0\xcf\x11\xe0":
        raise InputError(Problem("is a spreadsheet workbook, not text; save the sheet as CSV UTF-8", file=name))
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(Problem("is UTF-16 text; save the file again as CSV UTF-8", file=name))
    at = data.find(b"\x00")
    if at >= 0:
        line = data.count(b"\n", 0, at) + 1
        raise InputError(Problem(f"line {line} holds a NUL byte: this is not a text file", file=name, line=line))


def _delimiter(text: str) -> str:
    """The candidate that splits the first lines into the most columns and the most evenly.

    The header decides: column names hold no commas, while cells may (names of studies, decimal commas).
    """
    header = next(line for line in io.StringIO(text.lstrip("\ufeff"), newline=None) if line.strip(" \t\r\n,;"))
    unquoted = re.sub(r'"[^"]*"', "", header)
    counts = {d: unquoted.count(d) for d in DELIMITERS}
    return max(DELIMITERS, key=lambda d: counts[d])


def _cells(text: str, delimiter: str, file: str) -> list[tuple[int, list[str]]]:
    """Every row from the header on, with the line it starts on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, list[str]]] = []
    start = 1
    try:
        with longest_cell(MAX_CELL):
            for cells in reader:
                if rows or any(cell.strip() for cell in cells):
                    rows.append((start, cells))
                start = reader.line_num + 1
    except csv.Error as error:
        why = str(error)
        if "expected after" in why:
            why = "a quoted cell goes on after its closing quote; write a quote inside a quoted cell twice"
        elif "field larger" in why and '"' not in text.splitlines()[start - 1]:
            why = f"a cell holds more than {MAX_CELL:,} characters"
        elif "field larger" in why or "unexpected end" in why:
            why = "a quote opens here and is not closed"
        raise InputError(Problem(f"line {start}: {why}", file=file, line=start)) from None
    return rows


def _header(header: list[str], file: str, delimiter: str, rows: list[list[str]]) -> tuple[str, ...]:
    if len(header) > MAX_COLUMNS:
        raise InputError(Problem(f"has {len(header):,} columns: this is no table of studies", file=file))
    names = [name.strip() for name in header]
    while names and not names[-1]:
        at = len(names) - 1
        if any(len(cells) > at and cells[at].strip() for cells in rows):
            break
        names.pop()
    problems = [
        Problem(f"column {at} has no name in the header", file=file) for at, name in enumerate(names, 1) if not name
    ]
    for name, times in Counter(name for name in names if name).items():
        if times > 1:
            where = ", ".join(str(at) for at, other in enumerate(names, 1) if other == name)
            reason = f"{times} columns are called {name!r} (columns {where}); every column needs a name of its own"
            problems.append(Problem(reason, file=file, column=name))
    if problems:
        raise InputError(shortened(problems))
    return tuple(names)


def _ragged(file: str, number: int, line: int, got: int, want: int, delimiter: str) -> Problem:
    word = {",": "comma", ";": "semicolon", "\t": "tab"}[delimiter]
    cells = "1 cell" if got == 1 else f"{got} cells"
    reason = f"{cells} where the header has {want} (line {line}, cells are separated by a {word})"
    if got > want and delimiter == ",":
        reason += "; a comma inside a cell needs quotes around the cell, and decimals a point"
    return Problem(reason, file=file, row=number, line=line)


def _has_decimal_comma(rows: Sequence[Sequence[str]]) -> bool:
    """True when some cell can only be a decimal comma (``3,5``) and no cell has a decimal point (``3.5``).

    ``1,234`` alone proves nothing: it may be one thousand. Where both marks occur, nothing is guessed.
    """
    comma = False
    for row in rows:
        for cell in row:
            plain = cell.strip().replace("\u2212", "-")
            if "." in plain and "," not in plain and _NUMBER.fullmatch(plain):
                return False
            if "," in plain and re.fullmatch(_COMMA_NUMBER, plain) and not re.fullmatch(_THOUSANDS, plain):
                comma = True
    return comma
