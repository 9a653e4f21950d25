"""The PRISMA checklists of a report, filled: each item leads to the section that answers it, or says that none does."""

from __future__ import annotations

from collections.abc import Sequence

from balm.report.document.checklist_items import ABSTRACT, MAIN, NETWORK, Item
from balm.report.document.parts import Section, said
from balm.report.html_report.table import Cell, Link, Row, Table, columns

#: The title has no section of its own.
TITLE = "Title page"
NETWORK_TITLE = "PRISMA for network meta-analyses checklist"


def checklists(sections: Sequence[Section]) -> tuple[Section, ...]:
    """PRISMA 2020 and PRISMA 2020 for abstracts, from what the report holds; of networks their own items too."""
    known = {inner.id: inner for section in sections for inner in section.walk()}
    main = _table("checklist-table", "PRISMA 2020 checklist", MAIN, known)
    short = _table("abstract-checklist-table", "PRISMA 2020 for abstracts checklist", ABSTRACT, known)
    words = (
        "Items after Page et al., BMJ 2021;372:n71, in other words. “To be written” marks what only authors can say, "
        "“nothing on record” what the report can only say is missing."
    )
    made = (
        Section("checklist", "PRISMA 2020 checklist", (said(words, kind="note"), main)),
        Section("abstract-checklist", "PRISMA 2020 for abstracts checklist", (said(words, kind="note"), short)),
    )
    if "networks" not in known:
        return made
    more = "Items that network meta-analyses add, after Hutton et al., Ann Intern Med 2015;162:777-784, in other words."
    table = _table("network-checklist-table", NETWORK_TITLE, NETWORK, known)
    return (*made, Section("network-checklist", NETWORK_TITLE, (said(more, kind="note"), table)))


def _table(id: str, caption: str, items: Sequence[Item], known: dict[str, Section]) -> Table:
    heads = columns("#Item", "Topic", "What it asks for", "Where it is", "State")
    rows = []
    for item in items:
        found = [known[name] for name in item.where if name in known]
        if "title" in item.where:
            where, state = Cell(TITLE), "reported"
        elif not found:
            where, state = Cell("–"), "not reported"
        else:
            where = Cell(links=tuple(Link(section.title, f"#{section.id}") for section in found))
            state = "to be written" if all(section.open for section in found) else "reported"
            state = "nothing on record" if all(section.absent for section in found) else state
        rows.append(Row((Cell(item.number), Cell(item.topic), Cell(item.asks), where, Cell(state))))
    return Table(id, caption, heads, tuple(rows), cards=True)
