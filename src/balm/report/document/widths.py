"""How wide the columns of a table are set: by what they hold, and never so narrow that a word breaks."""

from __future__ import annotations

import re
from math import ceil, floor

import numpy as np

from balm.report.document.wording import together
from balm.report.html_report.table import Column, Table

#: How much room a column asks for, by its kind.
PARTS = {"number": 1.4, "head": 3.0, "text": 2.4, "long": 5.0, "source": 2.2}
#: Words longer than this may break: an address, a chemical name.
LONGEST_WORD = 15
#: So many letters of a number with its interval stand on one line.
LONGEST_NUMBER = 26
#: Mean width of a letter of Liberation Sans in ems, upright and bold, and what stands left and right of a cell, in mm.
LETTER, BOLD_LETTER, PADDING = 0.53, 0.59, 2.6
#: Text in a table is set in this share of the text's size.
TABLE_TEXT = 0.75
_MM_PER_POINT = 25.4 / 72
#: Where a line may break: at a space, after a hyphen or slash behind a letter, and within an address.
_BREAKS = re.compile(r"[ \t\n]+|(?<=[a-zA-Z][-–/])|(?<=[a-z]\.)(?=[a-z])")
#: Rows looked at: the first ones of a long table tell.
_LOOKED_AT = 200
#: Rows whose heights are weighed one by one where texts are long.
_LINES_OF = 40
#: A column of texts longer than this on average decides how high the rows of its table are.
LONG_TEXT = 30


def shares(table: Table, width_mm: float, font_size: float) -> list[float]:
    """The share of each column, 1 in all, to the nearest millimetre: tables that hold alike then look alike, and a
    typesetter sets a cell that it has set before for nothing.

    >>> from balm.report.html_report.table import columns
    >>> narrow = Table("t", "", columns("#A", "Inconsistency"), ())
    >>> [round(x, 2) for x in shares(narrow, 40, 10)]
    [0.42, 0.57]
    """
    rows = [row for row in table.rows[:_LOOKED_AT] if not row.group]
    em = font_size * TABLE_TEXT * _MM_PER_POINT
    held = [[together(row.cells[i].plain) for row in rows] for i in range(len(table.columns))]
    wanted = [_wanted(column, texts) for column, texts in zip(table.columns, held, strict=True)]
    exact = [_least(column, texts, em) for column, texts in zip(table.columns, held, strict=True)]
    least = [ceil(x) for x in exact]
    if sum(least) >= width_mm:
        return [x / sum(exact) for x in exact]
    if any(sum(map(len, texts)) > LONG_TEXT * len(texts) for texts in held):
        return [x / width_mm for x in _whole(_lowest(held, exact, width_mm, em))]
    fixed: set[int] = set()
    while True:
        room = width_mm - sum(least[i] for i in fixed)
        asked = sum(w for i, w in enumerate(wanted) if i not in fixed)
        found = [least[i] if i in fixed else room * w / asked for i, w in enumerate(wanted)]
        short = {i for i, x in enumerate(found) if i not in fixed and x < least[i]}
        if not short:
            return [x / width_mm for x in _whole(found)]
        fixed |= short


def _whole(found: list[float]) -> list[float]:
    """Millimetres without a fraction, of the same sum; what the sum has of one goes to the widest.

    >>> _whole([10.6, 20.7, 8.2])
    [10, 21.5, 8]
    """
    made: list[float] = [floor(x + 1e-9) for x in found]
    left = sum(found) - sum(made)
    for i in sorted(range(len(found)), key=lambda i: made[i] - found[i])[: int(left + 1e-9)]:
        made[i] += 1
    rest = round(sum(found) - sum(made), 6)
    if rest:
        widest = made.index(max(made))
        made[widest] += rest
    return made


def _lowest(held: list[list[str]], least: list[float], width_mm: float, em: float) -> list[float]:
    """Widths of a table with long texts: each millimetre goes to the column that makes the rows lower by most.

    A row is as high as its longest cell; the fourth power stands for that, so that the cells next to it count too.
    """
    letters = np.array([[len(text) for text in texts[:_LINES_OF]] for texts in held], dtype=float) * LETTER * em
    found = np.array(least)
    while (rest := width_mm - found.sum()) > 0:
        step = min(1.0, rest)
        lines = np.maximum(letters / (found[:, None] - PADDING), 1.0) ** 4
        wider = np.maximum(letters / (found[:, None] + step - PADDING), 1.0) ** 4
        rows = lines.sum(axis=0)
        gained = (rows**0.25 - (rows - lines + wider) ** 0.25).sum(axis=1)
        found[int(np.argmax(gained))] += step
    return [float(x) for x in found]


def _wanted(column: Column, texts: list[str]) -> float:
    """From the kind of a column and from how much its cells hold."""
    mean = sum(map(len, texts)) / len(texts) if texts else 0.0
    return float(max(PARTS[column.kind], min(mean, 80) ** 0.6))


def _least(column: Column, texts: list[str], em: float) -> float:
    """Millimetres that the longest word needs, or the longest part of one that may stand on a line of its own.

    >>> _BREAKS.split("drug-challenge sessions at 0-10; clinicalpainadvisor.com")
    ['drug-', 'challenge', 'sessions', 'at', '0-10;', 'clinicalpainadvisor.', 'com']
    """
    head = max((len(word) for word in column.title.split()), default=1)
    most, kept = (LONGEST_NUMBER, True) if column.kind == "number" else (LONGEST_WORD, False)
    longest = max((len(word) for text in texts for word in ([text] if kept else _BREAKS.split(text))), default=1)
    letters = max(min(head, LONGEST_WORD) * BOLD_LETTER, min(longest, most) * LETTER)
    return letters * em + PADDING
