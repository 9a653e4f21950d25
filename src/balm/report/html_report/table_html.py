"""The rows of a table as HTML, written directly: a report has tens of thousands of cells, too many for a template."""

from __future__ import annotations

from balm.report.html_report.table import Cell, Table


def escaped(text: str) -> str:
    """``text`` as it stands between tags or in an attribute.

    >>> escaped('<a href="x">')
    '&lt;a href=&#34;x&#34;&gt;'
    """
    if text.isalnum():
        return text
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&#34;").replace("'", "&#39;")


def _breakable(text: str, mark: str) -> str:
    return escaped(text).replace(mark, f"{mark}<wbr>")


def body(table: Table) -> str:
    """What stands in ``tbody``; every text is escaped."""
    roles = table.cards
    role, row_head = (' role="row"', ' role="rowheader"') if roles else ("", "")
    made = []
    heads = [escaped(column.title) for column in table.columns]
    for row in table.rows:
        if row.group:
            head = ' role="columnheader"' if roles else ""
            wide = f'scope="colgroup" colspan="{len(heads)}"{head}'
            made.append(f'<tr class="group"{role}><th {wide}>{escaped(row.group)}</th></tr>')
            continue
        name = f' id="{escaped(row.id)}"' if row.id else ""
        classes = f' class="{escaped(row.classes)}"' if row.classes else ""
        made.append(f"<tr{name}{classes}{role}>")
        for cell, column, title in zip(row.cells, table.columns, heads, strict=False):
            if column.kind == "head":
                made.append(f'<th scope="row"{row_head}>{_cell(cell)}</th>')
            else:
                blank = " blank" if cell.blank else ""
                labelled = f' role="cell" data-label="{title}"' if roles else ""
                made.append(f'<td class="{column.kind}{blank}"{labelled}>{_cell(cell)}</td>')
        made.append("</tr>")
    return "".join(made)


def _cell(cell: Cell) -> str:
    if cell.tag:
        said = f'<span class="tag {escaped(cell.tag)}">{escaped(cell.text)}</span>'
        said += f" {escaped(cell.after)}" if cell.after else ""
    elif cell.href:
        said = f'<a href="{escaped(cell.href)}">{escaped(cell.text)}</a>'
    elif cell.absent:
        said = f'<span class="absent">{escaped(cell.text)}</span>'
    else:
        said = _breakable(cell.text, "/")
    if cell.lines:
        said += '<ul class="lines">'
        for line in cell.lines:
            more = ""
            if line.more:
                more = f"<details><summary>{escaped(line.opens)}</summary>{escaped(line.more)}</details>"
            said += f"<li>{escaped(line.text)}{more}</li>"
        said += "</ul>"
    for i, link in enumerate(cell.links):
        between = ", " if i or cell.text else ""
        said += f'{between}<a href="{escaped(link.href)}">{_breakable(link.text, ".")}</a>'
    if cell.mark:
        said += f' <span class="unverified-mark">({escaped(cell.mark)})</span>'
    return said
