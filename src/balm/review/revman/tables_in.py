"""CSV tables as RevMan writes them: any byte-order mark, comma or semicolon or tab, headings in their variants."""

from __future__ import annotations

import csv
import io
import re

from balm.review.revman.stored_number import finite
from balm.review.revman.xml_text import FORBIDDEN, decode
from balm.vocabulary.longest_cell import longest_cell
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.table_text import MAX_CELL

#: RevMan's widest table has about 70 columns; a header with more than this is another kind of file.
MOST_COLUMNS = 2_000
#: The largest published package has about 10,000 rows.
MOST_ROWS = 200_000
#: A number with a decimal comma, as some spreadsheets write it between semicolons.
_COMMA = re.compile(r"-?\d+,\d+(?:[eE]-?\d+)?")

Line = dict[str, str]


def heading(text: str) -> str:
    """A column's name without case, punctuation and superscripts: ``CI.start`` and ``CI start`` are the same.

    >>> heading("Heterogeneity Tau²"), heading("I²(Q)"), heading("O.E")
    ('heterogeneity tau2', 'i2 q', 'o e')
    """
    return " ".join(re.sub(r"[^0-9a-z]+", " ", text.replace("²", "2").replace("\ufeff", "").lower()).split())


def read_table(data: bytes, source: str) -> tuple[list[Line], list[Problem]]:
    """The rows of a CSV by heading; rows of another length than the header are filled or cut, and listed."""
    if b"\x00" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(Problem("is no text: it holds zero bytes", file=source))
    text, problems = decode(data)
    problems = [Problem(p.reason, file=source) for p in problems]
    if found := FORBIDDEN.search(text):
        # left out, a number that lost a digit would be another number
        reason = "characters that no text has were marked as \ufffd, from here on"
        problems.append(Problem(reason, file=source, line=text.count("\n", 0, found.start()) + 1))
        text = FORBIDDEN.sub("\ufffd", text)
    first = text.lstrip("\r\n").split("\n", 1)[0]
    if len(first) > MOST_COLUMNS * 100:
        raise InputError(Problem(f"has a first line of {len(first):,} characters: no table of RevMan", file=source))
    delimiter = max(",;\t", key=first.count)
    try:
        with longest_cell(MAX_CELL):  # what the tables of a package hold; support for a judgement is far shorter
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            header = [heading(name) for name in next(reader, [])]
            if len(header) > MOST_COLUMNS:
                raise InputError(Problem(f"has {len(header):,} columns: no table of RevMan", file=source))
            rows: list[Line] = []
            for cells in reader:
                if not any(cells):
                    continue
                if len(rows) == MOST_ROWS:
                    raise InputError(Problem(f"has more than {MOST_ROWS:,} rows: no table of RevMan", file=source))
                if delimiter == ";":
                    cells = [c.replace(",", ".") if _COMMA.fullmatch(c.strip()) else c for c in cells]
                if len(cells) != len(header):
                    extra = [c for c in cells[len(header) :] if c.strip()]
                    if extra or len(cells) < len(header):
                        reason = f"has {len(cells)} cells under {len(header)} headings"
                        problems.append(Problem(reason, file=source, row=len(rows) + 1, line=reader.line_num))
                rows.append(dict(zip(header, cells + [""] * (len(header) - len(cells)), strict=False)))
    except csv.Error as error:
        said = f"a cell has more than {MAX_CELL:,} characters" if "field limit" in str(error) else str(error)
        reason = f"cannot be read as CSV: on line {reader.line_num:,} {said}"
        raise InputError(Problem(reason, file=source)) from None
    return rows, problems


def decimals(texts: list[str]) -> int | None:
    """To how many decimals these numbers are printed: what 98 in 100 of them keep to; ``None`` above 12.

    >>> decimals(["0.25", "1.123456", "100.0"]), decimals(["0.8968655609130709"])
    (6, None)
    """
    tails = (re.fullmatch(r"-?\d*\.(\d+)", text.strip()) for text in texts)
    lengths = sorted(len(tail.group(1)) for tail in tails if tail)
    if not lengths:
        return None
    most = lengths[-1 - len(lengths) // 50]
    return most if most <= 12 else None


def clean(text: str | None) -> str:
    """A cell without spreadsheet's words for nothing."""
    value = (text or "").strip()
    return "" if value in ("#N/A", "NA", "NaN", "\ufffd", "null") else value


def value(line: Line, name: str) -> float | None:
    """The number in a cell, or ``None``."""
    return finite(clean(line.get(name)))
