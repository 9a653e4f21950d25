"""The reference page of the registry's tables, made from them: ``python -m balm.registry.tables_page > FILE``."""

from __future__ import annotations

from balm.registry.definition import default_definition_text
from balm.registry.quantities import QUANTITIES
from balm.registry.tables import TABLES
from balm.vocabulary.table_columns import Column

_HEAD = """\
# The registry folder

<!-- Made by `python -m balm.registry.tables_page`; a test fails when it differs from the tables. -->

A registry is a folder of plain files: what is counted (`registry.toml`), how it is asked (`instruments/*.toml`), and
one table for each thing that happens. `balm registry new DIR` starts one, `balm registry check DIR` names everything
wrong with it, `balm registry import DIR FILE` brings rows in, `balm registry audit DIR` writes the report.

- No table names a person. A participant is a pseudonym; identities stand elsewhere, under their own key.
- An empty cell is *not recorded*: never zero, never "no". `events_asked` tells "no event" from "nobody asked".
- A change of rate ends one segment and begins the next; a correction is a new segment that `replaces` the old one.
- Moments are local time of the site, without a zone; days are `2026-03-01`.
- Dates out of order, scores outside their scale, weights and doses that cannot be, overlapping segments, entries after
  the signature and ids that lead nowhere are refused by file, row and column, and nothing is saved.
"""


def reference_page() -> str:
    """The page as Markdown."""
    parts = [_HEAD]
    for table in TABLES:
        parts += [f"## {table.file}", "", f"One row: {table.about}. A row is named by {_list(table.key)}.", ""]
        parts += ["| column | cell | unit | meaning |", "|---|---|---|---|"]
        parts += [_row(c) for c in table.columns]
        parts.append("")
    parts += [
        "## Quantities of observations.csv",
        "",
        "| quantity | meaning | unit | between | LOINC |",
        "|---|---|---|---|---|",
    ]
    parts += [
        f"| `{q.name}` | {q.label} | `{q.unit}` | {q.low:g} to {q.high:g} | {q.loinc} |" for q in QUANTITIES.values()
    ]
    parts += [
        "",
        "## registry.toml",
        "",
        "What a registry starts with:",
        "",
        "```toml",
        default_definition_text().rstrip(),
        "```",
        "",
    ]
    return "\n".join(parts)


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{n}`" for n in names)


def _row(c: Column) -> str:
    cell = {"choice": "one of " + _list(c.allowed)}.get(c.kind, c.kind)
    if c.low is not None or c.high is not None:
        cell += f", {c.low:g} to {c.high:g}" if c.low is not None and c.high is not None else f", {c.low:g} or more"
    name = f"`{c.name}`" + (" (required)" if c.required else "")
    leads = f" -> `{c.refers}`" if c.refers else ""
    return f"| {name} | {cell}{leads} | {c.unit} | {c.about} |"


if __name__ == "__main__":
    print(reference_page(), end="")
