"""Two extractions of one study, cell by cell: what agrees, what differs, and what somebody has settled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from balm.review.extraction.fields import FORM, IDENTITY, KEPT, NOT_COMPARED, REMOVED, ROW, SECTIONS, is_extracted
from balm.review.extraction.sheets import Given, Sheet
from balm.review.schema import TABLE_BY_FILE
from balm.review.tables import read_cell

AGREED, DIFFERS, SETTLED, ONE_PERSON = "agreed", "differs", "settled", "one person"
_NUMERIC = {"count", "size", "number", "positive", "level", "year"}


@dataclass(frozen=True, slots=True)
class Settlement:
    """A decision about one cell: its value, by whom and why; empty value = not reported."""

    value: str
    by: str
    reason: str
    method: str = "decision"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell beside the other person's: ``given`` by extractor, and the value that stands."""

    table: str
    key: str
    column: str
    given: Mapping[str, Given | None]
    state: str
    value: str
    settlement: Settlement | None = None

    @property
    def open(self) -> bool:
        """Whether somebody has to settle it."""
        return self.state == DIFFERS


def same_value(table: str, column: str, one: str, two: str) -> bool:
    """Whether two texts say the same: numbers as numbers, words without case, blanks and a full stop.

    >>> same_value("results.csv", "mean", "3.10", "3.1"), same_value("arms.csv", "label", "Saline.", " saline")
    (True, True)
    """
    if one == two:
        return True
    if column in (ROW, FORM):
        return False
    schema = TABLE_BY_FILE[table].column(column)
    if schema.kind in _NUMERIC:
        a, b = (read_cell(t, schema)[0] if t else None for t in (one, two))
        return a is not None and a == b
    return _words(one) == _words(two)


def _words(text: str) -> str:
    text = re.sub(r"\s+", " ", text.casefold().replace("–", "-").replace("≤", "<=").replace("≥", ">=")).strip()
    return re.sub(r"(?<=[<>=]) ", "", text).rstrip(".")


def compare(
    sheets: Mapping[str, Sheet], settled: Mapping[tuple[str, str, str], Settlement] | None = None
) -> list[Cell]:
    """Every compared cell, in the order of the form; rows in the order of the first extractor, then the others'.

    A row that only one person has is one difference, *is it there?*; where it is kept, its cells are that person's.
    With one extractor nothing can differ, and each cell says that one person read it.
    """
    settled = settled or {}
    people = list(sheets)
    cells: list[Cell] = []
    for place in _places(sheets.values()):
        have = [who for who in people if place in sheets[who]]
        if len(have) < len(people):
            row = _row_cell(place, sheets, have, settled)
            cells.append(row)
            if row.open or row.value == REMOVED:
                continue
        for column in _columns(place[0], [sheets[who][place] for who in have]):
            given = {who: sheets[who][place].get(column) for who in have}
            cells.append(_cell(place, column, given, settled))
    return cells


def _places(sheets: Iterable[Sheet]) -> list[tuple[str, str]]:
    order = {file: i for i, file in enumerate(SECTIONS)}
    found = dict.fromkeys(place for s in sheets for place in s)
    return sorted(found, key=lambda place: order.get(place[0], len(order)))


def _columns(table: str, rows: Sequence[Mapping[str, Given]]) -> list[str]:
    used = {name for cells in rows for name in cells} - set(IDENTITY[table])  # the same, or it is another row
    return [
        c.name for c in TABLE_BY_FILE[table].columns if c.name in used - NOT_COMPARED and is_extracted(table, c.name)
    ]


def _row_cell(
    place: tuple[str, str],
    sheets: Mapping[str, Sheet],
    have: Sequence[str],
    settled: Mapping[tuple[str, str, str], Settlement],
) -> Cell:
    given = {who: Given(KEPT) if who in have else None for who in sheets}
    decision = settled.get((*place, ROW))
    if decision is None:
        return Cell(*place, ROW, given, DIFFERS, "")
    return Cell(*place, ROW, given, SETTLED, decision.value, decision)


def _cell(
    place: tuple[str, str],
    column: str,
    given: Mapping[str, Given | None],
    settled: Mapping[tuple[str, str, str], Settlement],
) -> Cell:
    decision = settled.get((*place, column))
    if decision is not None:
        return Cell(*place, column, given, SETTLED, decision.value, decision)
    values = [g.value if g else "" for g in given.values()]
    if len(values) == 1:
        return Cell(*place, column, given, ONE_PERSON, values[0])
    if all(same_value(place[0], column, values[0], v) for v in values[1:]):
        return Cell(*place, column, given, AGREED, values[0])
    return Cell(*place, column, given, DIFFERS, "")


def counts(cells: Iterable[Cell]) -> dict[str, int]:
    """How many cells stand in each state."""
    found = {AGREED: 0, DIFFERS: 0, SETTLED: 0, ONE_PERSON: 0}
    for cell in cells:
        found[cell.state] += 1
    return found
