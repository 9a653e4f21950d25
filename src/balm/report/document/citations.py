"""References in one list, numbered in the order in which the report cites them (Vancouver).

Studies are cited in tables ("ref. 7"), works on methods in paragraphs ("(Viechtbauer 2005)", which becomes "[4]"). What
is cited nowhere stands at the end of the list, in the order of the package.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from balm.report.document.parts import Block, Listing, Paragraph, Reference, References, Run, Section
from balm.report.html_report.links import anchor
from balm.report.html_report.table import Cell, Link, Row, Table
from balm.report.references import REFERENCES

#: A group in brackets that may hold citations, with the space before it.
_GROUP = re.compile(r" ?[(\[]([^()\[\]]+)[)\]]")
#: How the table of measures names a work that the list of references names otherwise.
_SAME = {"Stijnen, Hamza & Ozdemir 2010": "Stijnen et al. 2010"}
_TABLE_CITATION = re.compile(r"ref\. (\d+)")


def in_order_of_citation(sections: Sequence[Section], reports: Sequence[Reference]) -> list[Section]:
    """The sections with citations numbered as they come; the section ``references`` holds the one list.

    reports : the reports of the package; tables cite them by their place in it, from 1.
    """
    works = {_id(key): full for key, full in REFERENCES.items()}
    by_id = {item.id: item for item in reports}
    cited = dict.fromkeys([*(id for section in sections for id in _cited(section, reports)), *by_id])
    numbers = {id: i for i, id in enumerate(cited, 1)}
    in_tables = {f"ref. {i}": f"ref. {numbers[item.id]}" for i, item in enumerate(reports, 1)}
    every = tuple(by_id[id] if id in by_id else Reference(id, works[id], (), True) for id in cited)
    made = [_numbered(section, numbers, in_tables) for section in sections]
    if not every:
        return made
    return [replace(s, blocks=(References(every),)) if s.id == "references" else s for s in made]


def _id(key: str) -> str:
    return anchor("ref-work", re.sub(r"\W+", "-", key.lower()).strip("-"))


def _works(group: str) -> list[tuple[str, str]] | None:
    """Id of the work (empty where it is in no list) and the words beside its number; ``None``: no citations.

    >>> _works("Hartung & Knapp 2001; Nobody 1900"), _works("95% CI")
    ([('ref-work-hartung-knapp-2001', ''), ('', 'Nobody 1900')], None)
    >>> _works("Cochrane Handbook, section 6.4.1")
    [('ref-work-cochrane-handbook', 'section 6.4.1')]
    """
    found = []
    for part in group.split("; "):
        name, _, place = part.partition(", section ")
        name = _SAME.get(name, name)
        found.append((_id(name), f"section {place}" if place else "") if name in REFERENCES else ("", part))
    return found if any(id for id, _ in found) else None


def _cited(section: Section, reports: Sequence[Reference]) -> Iterator[str]:
    """The ids cited in a section and those below it, in reading order."""
    for part in section.walk():
        for block in part.blocks:
            if isinstance(block, Paragraph):
                yield from _in_runs(block.runs)
            elif isinstance(block, Listing):
                for item in block.items:
                    yield from _in_runs(item)
            elif isinstance(block, Table):
                for row in block.rows:
                    for cell in row.cells:
                        yield from _in_cell(cell, reports)


def _in_runs(runs: Iterable[Run]) -> Iterator[str]:
    for run in runs:
        for group in _GROUP.finditer(run.text):
            yield from (id for id, _ in _works(group[1]) or () if id)


def _in_cell(cell: Cell, reports: Sequence[Reference]) -> Iterator[str]:
    for text in (cell.text, *(link.text for link in cell.links)):
        if (found := _TABLE_CITATION.fullmatch(text)) and int(found[1]) <= len(reports):
            yield reports[int(found[1]) - 1].id


def _numbered(section: Section, numbers: Mapping[str, int], in_tables: Mapping[str, str]) -> Section:
    blocks = tuple(_block(block, numbers, in_tables) for block in section.blocks)
    return replace(section, blocks=blocks, sections=tuple(_numbered(s, numbers, in_tables) for s in section.sections))


def _block(block: Block, numbers: Mapping[str, int], in_tables: Mapping[str, str]) -> Block:
    if isinstance(block, Paragraph):
        return replace(block, runs=_with_numbers(block.runs, numbers))
    if isinstance(block, Listing):
        return replace(block, items=tuple(_with_numbers(item, numbers) for item in block.items))
    if isinstance(block, Table):
        return replace(block, rows=tuple(_row(row, in_tables) for row in block.rows))
    return block


def _row(row: Row, new: Mapping[str, str]) -> Row:
    if not any(c.text.startswith("ref. ") or (c.links and c.links[0].text.startswith("ref. ")) for c in row.cells):
        return row
    return row.holding(tuple(_cell(cell, new) for cell in row.cells))


def _cell(cell: Cell, new: Mapping[str, str]) -> Cell:
    links = tuple(Link(new.get(link.text, link.text), link.href) for link in cell.links)
    return cell.led(cell.href, links, new.get(cell.text, cell.text))


def _with_numbers(runs: Sequence[Run], numbers: Mapping[str, int]) -> tuple[Run, ...]:
    """Runs with each group of citations as linked numbers: "... method [3, 4], ..."."""
    made: list[Run] = []
    for run in runs:
        end = 0
        for group in _GROUP.finditer(run.text):
            works = _works(group[1])
            if works is None:
                continue
            made.append(replace(run, text=f"{run.text[end : group.start()]} ["))
            for i, (id, words) in enumerate(works):
                made += [replace(run, text=", ")] if i else []
                made += [replace(run, text=str(numbers[id]), href=f"#{id}")] if id else []
                made += [replace(run, text=f", {words}" if id else words)] if words else []
            made.append(replace(run, text="]"))
            end = group.end()
        if end < len(run.text) or not run.text:
            made.append(replace(run, text=run.text[end:]))
    return tuple(made)
