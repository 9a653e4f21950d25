"""The forest plot as an HTML table, for readers who cannot see it: the same rows, numbers and lines of text."""

from __future__ import annotations

from html import escape
from typing import Any

from balm.plots.forest_content import Content, Row
from balm.plots.forest_options import read_options
from balm.plots.forest_reading import read_result
from balm.plots.svg import safe_link

_POOLED = ("subtotal", "total", "prediction", "events")


def forest_table(result: Any, **options: Any) -> str:
    """An HTML table with what :func:`balm.plots.forest.forest` draws of ``result``; the same options.

    Plain semantic HTML: a caption, column and row headings with their scope, one body a subgroup, the lines about
    heterogeneity and tests in the foot. No styles, so it takes those of the page, and it copies into a spreadsheet.
    """
    content = read_result(result, read_options(options))
    parts = [f"<table>\n<caption>{escape(content.title)}</caption>\n", _head(content)]
    columns = 1 + len(content.columns) + len(content.bias_domains)
    bodies: list[list[str]] = [[]]
    totals = 0
    for row in content.rows:
        if row.kind == "heading":
            bodies.append([f'<tr><th scope="rowgroup" colspan="{columns}">{escape(row.label)}</th></tr>\n'])
        elif row.kind == "words":
            bodies[-1].append(f'<tr><td colspan="{columns}">{escape(row.label)}</td></tr>\n')
        else:
            if row.kind == "total" and len(bodies) > 1 and totals == 0:
                bodies.append([])
            totals += row.kind == "total"
            bodies[-1].append(_row(row, content))
    parts += ["<tbody>\n" + "".join(body) + "</tbody>\n" for body in bodies if body]
    if content.footers:
        lines = [f'<tr><td colspan="{columns}">{escape(line)}</td></tr>\n' for line in content.footers]
        parts.append("<tfoot>\n" + "".join(lines) + "</tfoot>\n")
    parts.append("</table>\n")
    return "".join(parts)


def _head(content: Content) -> str:
    """One row of headings, or two when the arms have names."""
    deep = ' rowspan="2"' if content.groups else ""
    plain = [f'<th scope="col"{deep}>{escape(content.study_heading)}</th>']
    under: list[str] = []
    previous = -1
    for column in content.columns:
        heading = column.heading.replace("\n", ", ")
        if column.key == "effect":
            heading = f"{content.measure_name} ({content.method})"
        if column.group < 0:
            plain.append(f'<th scope="col"{deep}>{escape(heading)}</th>')
        else:
            if column.group != previous:
                span = sum([1 for c in content.columns if c.group == column.group])
                plain.append(f'<th scope="colgroup" colspan="{span}">{escape(content.groups[column.group])}</th>')
            under.append(f'<th scope="col">{escape(heading)}</th>')
        previous = column.group
    plain += [f'<th scope="col"{deep}>{escape(name or letter)}</th>' for letter, name in _domains(content)]
    second = f"<tr>{''.join(under)}</tr>\n" if under else ""
    return f"<thead>\n<tr>{''.join(plain)}</tr>\n{second}</thead>\n"


def _row(row: Row, content: Content) -> str:
    label = escape(row.label)
    if row.link:
        label = f'<a href="{escape(safe_link(row.link))}">{label}</a>'
    if row.kind in _POOLED:
        label = f"<strong>{label}</strong>" if row.kind in ("subtotal", "total") else label
    cells = "".join([f"<td>{escape(text)}</td>" for text in row.cells])
    judged = (*row.bias, *[""] * (len(content.bias_domains) - len(row.bias)))
    cells += "".join([f"<td>{escape(judgement)}</td>" for judgement in judged])
    return f'<tr><th scope="row">{label}</th>{cells}</tr>\n'


def _domains(content: Content) -> list[tuple[str, str]]:
    return [(chr(ord("A") + i) if i < 26 else str(i + 1), name) for i, name in enumerate(content.bias_domains)]
