"""Tables on paper: an estimate and its interval in one column, formulas once, long texts below their row.

In long tables what every row says or leads to is said once. A page has 170 mm for a table and cannot be moved sideways,
as a screen can.
"""

from __future__ import annotations

from dataclasses import replace

from balm.report.html_report.table import LONG, Cell, Column, Line, Link, Row, Table, told_once

_RESULT, _REFERENCE, _STUDY = "#result-", "#ref-", "#study-"
#: Of this many columns none has room for texts of more letters than that, nor one of words for more behind a word.
MANY_COLUMNS, LONG_TEXT, LONG_AFTER_A_WORD = 8, 90, 45
_ESTIMATES, _INTERVAL = ("Effect", "Estimate"), ("Low", "High")


def on_paper(table: Table) -> Table:
    """A table as Word and PDF print it."""
    return texts_under(interval_in_one(few_links(told_once(formulas_once(table)))))


def formulas_once(table: Table) -> Table:
    """A table with each formula once, in its note: on a screen it opens below the line that used it.

    >>> from balm.report.html_report.table import Line, columns
    >>> line = Line("SE 0.2 → SD 0.9 (Handbook)", more="SD = SE·√n.")
    >>> row = Row((Cell("A"), Cell(lines=(line, line))))
    >>> whole = Table("t", "", columns("#Study", "+Steps"), (row,), note="As used.")
    >>> once = formulas_once(whole)
    >>> once.note, once.rows[0].cells[1].plain
    ('As used. Formula: SD = SE·√n.', 'SE 0.2 → SD 0.9 (Handbook) ; SE 0.2 → SD 0.9 (Handbook)')
    """
    found = list(dict.fromkeys(line.more for row in table.rows for c in row.cells for line in c.lines if line.more))
    if not found:
        return table

    def bare(cell: Cell) -> Cell:
        return replace(cell, lines=tuple(Line(line.text) for line in cell.lines)) if cell.lines else cell

    rows = tuple(row.holding(tuple(map(bare, row.cells))) for row in table.rows)
    said = f"Formula{'s' if len(found) > 1 else ''}: {' '.join(found)}"
    return replace(table, rows=rows, note=f"{table.note} {said}".strip())


def texts_under(table: Table) -> Table:
    """A table of many columns with its long texts below their rows, across the page, each after its title.

    >>> from balm.report.html_report.table import columns
    >>> heads = columns("#Study", *"ABCDEF", "+Notes")
    >>> row = Row((Cell("A 2020"), *(Cell("1") for _ in "ABCDEF"), Cell("x" * 100)))
    >>> under = texts_under(Table("t", "", heads, (row,)))
    >>> len(under.columns), under.rows[0].under[0][0], len(under.rows[0].cells)
    (7, 'Notes:', 7)
    """
    if len(table.columns) < MANY_COLUMNS:
        return table
    said = [row for row in table.rows if not row.group]
    texts = [
        i
        for i, column in enumerate(table.columns)
        if column.kind in ("text", "long") and not any(row.cells[i].links or row.cells[i].href for row in said)
    ]
    long = [
        i
        for i in texts
        if sum(len(row.cells[i].plain) for row in said if not row.cells[i].blank)
        > LONG_TEXT * sum(not row.cells[i].blank for row in said)
    ]
    keep = [i for i in range(len(table.columns)) if i not in long]

    def made(row: Row) -> Row:
        if row.group:
            return row.holding(tuple(row.cells[i] for i in keep))
        told = [i for i in texts if (i in long and not row.cells[i].blank) or (i not in long and _wordy(row.cells[i]))]
        cells = tuple(replace(row.cells[i], after="") if i in told else row.cells[i] for i in keep)
        under = tuple(
            (f"{title}{'' if title.endswith('?') else ':'}", _in_sentences(cell) if i in long else cell.after)
            for i, title, cell in ((i, table.columns[i].title, row.cells[i]) for i in told)
        )
        return replace(row, cells=cells, under=under)

    return replace(table, columns=tuple(table.columns[i] for i in keep), rows=tuple(map(made, table.rows)))


def _wordy(cell: Cell) -> bool:
    """Whether a word with its box is followed by more than a narrow column holds ("no" and why)."""
    return bool(cell.tag) and len(cell.after) > LONG_AFTER_A_WORD


def _in_sentences(cell: Cell) -> str:
    """What a cell holds, its lines one after the other."""
    lines = [line.plain for line in cell.lines]
    text = f"{cell.text}: {cell.after}" if cell.text and cell.after else cell.text
    said = " ".join([*([text] if text else []), *(line if line.endswith(".") else f"{line}." for line in lines)])
    return f"{said} ({cell.mark})" if cell.mark else said


def few_links(table: Table) -> Table:
    """A long table with the links a reader walks on by, and no more; a short table stays as it is.

    A row that leads to the values as reported has that one link: study and source stand beside those values. A
    reference is a link where the row above names another, and its DOI stands in the list of references.

    >>> from balm.report.html_report.table import columns
    >>> rows = Cell(links=(Link("row 1", "#result-1"), Link("row 2", "#result-2")))
    >>> made = Row((Cell("A 2020", href="#study-a"), rows))
    >>> whole = Table("rows", "", columns("#Study", "Rows"), (made,) * 30)
    >>> [cell.href or cell.links for cell in few_links(whole).rows[0].cells]
    [(), (Link(text='row 1; row 2', href='#result-1'),)]
    """
    if not is_long(table):
        return table
    made: list[Row] = []
    above = ""
    for row in table.rows:
        refs = [link.href for cell in row.cells for link in cell.links if link.href.startswith(_REFERENCE)]
        leads = any(link.href.startswith(_RESULT) for cell in row.cells for link in cell.links)
        cells = tuple(_cell(cell, leads, above) for cell in row.cells)
        made.append(row.holding(cells))
        above = refs[0] if refs else ""
    return replace(table, rows=tuple(made))


def is_long(table: Table) -> bool:
    """Whether a table goes on for about a page or more."""
    return len(table.rows) >= LONG and sum(not row.group for row in table.rows) >= LONG


def _cell(cell: Cell, leads: bool, above: str) -> Cell:
    """One cell; ``leads``: its row leads to values as reported; ``above``: the reference of the row above."""
    if leads and cell.href.startswith(_STUDY):
        return cell.led("")
    if not cell.links:
        return cell
    first = cell.links[0]
    if first.href.startswith(_RESULT):
        if len(cell.links) == 1 or not all(link.href.startswith(_RESULT) for link in cell.links):
            return cell
        return cell.led(cell.href, (Link("; ".join([link.text for link in cell.links]), first.href),))
    if not first.href.startswith(_REFERENCE) or cell.text:
        return cell
    if leads:
        return Cell(first.text, mark=cell.mark)
    pages = tuple(link for link in cell.links[1:] if link.text != "DOI" and not link.text.startswith("PMID "))
    if first.href != above:
        return replace(cell, links=(first, *pages), in_csv=None)
    return replace(cell, text=first.text, links=pages, in_csv=None)


def interval_in_one(table: Table) -> Table:
    """A table with estimate and interval in one column, as forest plots print them.

    >>> from balm.report.html_report.table import columns
    >>> row = Row((Cell("A 2020"), Cell("0.65"), Cell("0.43"), Cell("0.99")))
    >>> short = interval_in_one(Table("rows", "", columns("#Study", ">Effect", ">Low", ">High"), (row,)))
    >>> [column.title for column in short.columns], short.rows[0].cells[1].text
    (['Study', 'Effect (interval)'], '0.65 (0.43 to 0.99)')
    """
    titles = [column.title for column in table.columns]
    i = next((titles.index(name) for name in _ESTIMATES if name in titles), -1)
    if i < 0 or tuple(titles[i + 1 : i + 3]) != _INTERVAL:
        return table
    heads = (*table.columns[:i], Column(f"{titles[i]} (interval)", "number"), *table.columns[i + 3 :])
    return replace(table, columns=heads, rows=tuple(_joined(row, i) for row in table.rows))


def _joined(row: Row, i: int) -> Row:
    if row.group:
        return row.holding(row.cells[:-2])
    effect, low, high = row.cells[i : i + 3]
    if effect.blank or low.blank or high.blank:
        one = effect
    else:
        one = effect.led(effect.href, text=f"{effect.text} ({low.text} to {high.text})")
    return row.holding((*row.cells[:i], one, *row.cells[i + 3 :]))
