"""A diagnostic as a table: columns of numbers beside the studies, for people and for data frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from balm.vocabulary.numbers import fixed

#: A printed table shows this many rows at most; the frame holds them all.
MOST_ROWS = 60
_MOST_LETTERS = 32


def studies(count: int) -> str:
    """``count`` with its noun.

    >>> studies(1), studies(3)
    ('1 study', '3 studies')
    """
    return f"{count} study" if count == 1 else f"{count} studies"


def text_table(heading: str, table: Mapping[str, Any], notes: Sequence[str] = ()) -> str:
    """The columns as aligned text under a heading; numbers with three decimals, ``nan`` as "-".

    >>> print(text_table("Two studies", {"study": ["A", "B"], "hat": [0.25, 0.75], "influential": [False, True]}))
    Two studies
    study    hat  influential
    A      0.250
    B      0.750          yes
    """
    columns = {name: [_cell(v) for v in values[:MOST_ROWS]] for name, values in table.items()}
    total = max((len(values) for values in table.values()), default=0)
    lines = [heading]
    widths = {name: max([len(name), *map(len, cells)]) for name, cells in columns.items()}
    first = next(iter(columns), "")

    def row(cells: Mapping[str, str]) -> str:
        parts = [c.ljust(widths[n]) if n == first else c.rjust(widths[n]) for n, c in cells.items()]
        return "  ".join(parts).rstrip()

    lines.append(row({name: name for name in columns}))
    for i in range(min(total, MOST_ROWS)):
        lines.append(row({name: cells[i] for name, cells in columns.items()}))
    if total > MOST_ROWS:
        lines.append(f"... and {total - MOST_ROWS} more rows in .to_frame()")
    return "\n".join([*lines, *notes])


def _cell(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else ""
    if isinstance(value, (float, np.floating)):
        return fixed(float(value), 3, missing="-")
    text = str(value)
    return text if len(text) <= _MOST_LETTERS else text[: _MOST_LETTERS - 1] + "…"
