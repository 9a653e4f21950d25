"""A table as a value: the same rows become clean HTML (which pastes into a spreadsheet) and a CSV to download."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from urllib.parse import quote

from balm.report.rounding import number as rounded
from balm.vocabulary.spreadsheet_cell import harmless

#: In place of a value that a report does not give. Never 0, never blank.
NOT_REPORTED = "not reported"
NOT_VERIFIED = "not verified against a source"

#: Rows from which a table is long: it goes on for about a page, and a column costs more than a sentence under it.
LONG = 20


@dataclass(frozen=True, slots=True)
class Link:
    """Text that leads somewhere: an anchor of the page or an address."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Line:
    """One short line of a cell; ``more`` opens below it, under the word ``opens``."""

    text: str
    more: str = ""
    opens: str = "Formula"

    @property
    def plain(self) -> str:
        """What the CSV holds."""
        return f"{self.text} [{self.more}]" if self.more else self.text


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, then short lines, then links.

    ``absent`` greys a value that is missing; ``tag`` draws a labelled box.
    """

    text: str = ""
    links: tuple[Link, ...] = ()
    lines: tuple[Line, ...] = ()
    href: str = ""
    absent: bool = False
    tag: str = ""
    mark: str = ""  # words added in italics: "not verified against a source"
    after: str = ""  # follows a tag as plain text
    in_csv: str | None = None

    def led(self, href: str, links: tuple[Link, ...] | None = None, text: str | None = None) -> Cell:
        """The cell with another target, links or text: long tables change every cell, and this takes the least time."""
        return Cell(
            self.text if text is None else text,
            self.links if links is None else links,
            self.lines,
            href,
            self.absent,
            self.tag,
            self.mark,
            self.after,
            self.in_csv,
        )

    @property
    def blank(self) -> bool:
        """Nothing to say here: a list of cards leaves it out."""
        return self.text in ("", "–") and not self.links and not self.lines

    @property
    def plain(self) -> str:
        """What the CSV holds."""
        if self.in_csv is not None:
            return self.in_csv
        if not (self.after or self.lines or self.links or self.mark):
            return self.text
        words = [self.text + (f": {self.after}" if self.after else "")]
        words += [*(line.plain for line in self.lines), *(link.text for link in self.links)]
        said = " ; ".join(word for word in words if word)
        return f"{said} ({self.mark})" if self.mark else said


@dataclass(frozen=True, slots=True)
class Row:
    """One row; ``id`` makes it a place to link to, ``group`` a heading over the rows that follow.

    ``under`` is what stands below it across all columns on paper: titles and their texts.
    """

    cells: tuple[Cell, ...]
    id: str = ""
    classes: str = ""
    group: str = ""
    under: tuple[tuple[str, str], ...] = ()

    def holding(self, cells: tuple[Cell, ...]) -> Row:
        """The row with other cells."""
        return Row(cells, self.id, self.classes, self.group, self.under)

    @property
    def address(self) -> str:
        """The address of the numbers of this row, or what their addresses begin with; empty where they have none.

        >>> Row((Cell("0.5", href="#at:pain:estimate"), Cell("0.1", href="#at:pain:low"))).address
        'pain'
        """
        links = [cell.href for cell in self.cells] + [link.href for cell in self.cells for link in cell.links]
        found = {href.removeprefix("#at:") for href in links if href.startswith("#at:")}
        parts = zip(*(address.split(":") for address in found), strict=False)
        return ":".join(part[0] for part in takewhile(lambda part: len(set(part)) == 1, parts))


@dataclass(frozen=True, slots=True)
class Column:
    """A column and how it is set: "head" (names the row), "text", "long", "number" or "source"."""

    title: str
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """A captioned table. ``cards`` lets it read as a list on a small screen, ``narrow`` keeps it small.

    ``grouped`` names the column in which the CSV repeats the group headings; without it they stay on the page only.
    ``take`` offers the CSV below the table.
    """

    id: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""
    cards: bool = False
    narrow: bool = False
    file: str = ""
    grouped: str = ""
    take: bool = True

    @property
    def classes(self) -> str:
        """How the style sheet sets it."""
        wide = " wide" if len(self.columns) > 7 else ""
        return f"table{' cards' if self.cards else ''}{' narrow' if self.narrow else ''}{wide}"

    @property
    def csv(self) -> str:
        """The table as CSV: a header and one line a row; a group heading is no line of its own."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        first = (self.grouped,) if self.grouped else ()
        behind = [row.address for row in self.rows]
        last = ("Address",) if any(behind) else ()
        writer.writerow([*first, *(harmless(column.title) for column in self.columns), *last])
        heading = ""
        for row, place in zip(self.rows, behind, strict=True):
            if row.group:
                heading = row.group
            else:
                told = [heading] * len(first) + [c.plain for c in row.cells] + [place] * len(last)
                writer.writerow([harmless(text) for text in told])
        return out.getvalue()

    @property
    def download(self) -> str:
        """The CSV as a data address; the byte order mark tells Excel that it is UTF-8."""
        return "data:text/csv;charset=utf-8," + quote("\ufeff" + self.csv, safe="")

    @property
    def file_name(self) -> str:
        """The name under which the CSV is saved."""
        return f"{self.file or self.id}.csv"


def value(content: object, *, missing: str = NOT_REPORTED) -> Cell:
    """A cell for anything that may be missing.

    >>> value(None).text, value(None).absent, value(12).text
    ('not reported', True, '12')
    """
    text = "" if content is None else str(content).strip()
    return Cell(text) if text else Cell(missing, absent=True)


def number(x: float | None, digits: int = 2, *, ratio: bool = False, missing: str = "", href: str = "") -> Cell:
    """A number with a hyphen for minus, so that a spreadsheet reads it as a number; a ``ratio`` is never 0.00.

    >>> number(0.00027).text, number(0.00027, ratio=True).text
    ('0.00', '0.00027')
    """
    if x is None or x != x:
        return Cell(missing, absent=True)
    return Cell(rounded(x, digits, ratio=ratio), href=href)


def columns(*titles: str) -> tuple[Column, ...]:
    """Columns from short notes: ``"#Name"`` heads the row, ``">k"`` is a number, ``"+Notes"`` is
    long text, ``"@Source"`` holds links to sources."""
    kinds = {"#": "head", ">": "number", "+": "long", "@": "source"}
    return tuple(Column(t[1:], kinds[t[0]]) if t[0] in kinds else Column(t) for t in titles)


def group(title: str, columns: Sequence[Column]) -> Row:
    """A heading row across all ``columns``."""
    return Row((Cell(title),) + (Cell(),) * (len(columns) - 1), group=title)


def filled(columns: Sequence[Column], rows: Sequence[Row]) -> tuple[tuple[Column, ...], tuple[Row, ...]]:
    """The table without the columns in which no row says anything; the first column stays.

    >>> heads, rows = filled(columns("#Name", "Notes", "Dose"), [Row((Cell("a"), Cell(), Cell("1 mg")))])
    >>> [head.title for head in heads], [cell.text for cell in rows[0].cells]
    (['Name', 'Dose'], ['a', '1 mg'])
    """
    said = [row for row in rows if not row.group]
    keep = [i for i in range(len(columns)) if i == 0 or any(not row.cells[i].blank for row in said)]
    return tuple(columns[i] for i in keep), tuple(row.holding(tuple([row.cells[i] for i in keep])) for row in rows)


def told_once(table: Table) -> Table:
    """A long table on paper: a column that says the same in every row is said in the note, and an empty one left out.

    The first column, numbers, links and short tables (:data:`LONG`) stay as they are.

    >>> rows = tuple(Row((Cell(f"row {i}"), Cell("reported"), Cell())) for i in range(30))
    >>> short = told_once(Table("t", "Numbers", columns("#Row", "How it was read", "+Notes"), rows))
    >>> [column.title for column in short.columns], short.note
    (['Row'], 'The same in every row: how it was read: reported.')
    """
    said = [row for row in table.rows if not row.group]
    if len(said) < LONG:
        return table
    alike = {i for i, column in enumerate(table.columns) if i and column.kind != "number" and _one_text(said, i)}
    told = [
        f"{_lower(table.columns[i].title)}: {said[0].cells[i].text}"
        for i in sorted(alike)
        if not said[0].cells[i].blank
    ]
    keep = [i for i in range(len(table.columns)) if i not in alike]
    rows = table.rows
    if alike:
        rows = tuple(row.holding(tuple([row.cells[i] for i in keep])) for row in rows)
    note = " ".join(part for part in (table.note, f"The same in every row: {'; '.join(told)}." if told else "") if part)
    return replace(table, columns=tuple(table.columns[i] for i in keep), rows=rows, note=note)


def _one_text(rows: Sequence[Row], i: int) -> bool:
    """Whether a column holds one text in every row, and nothing else."""
    first = rows[0].cells[i]
    bare = not (first.href or first.links or first.lines or first.mark or first.after or first.tag)
    return bare and all(row.cells[i] == first for row in rows)


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]
