"""The list of published analyses that stand as tests: read from the heads of the test files.

Each file of ``tests/worked_examples`` ends its docstring with the fields of ``FIELDS``, one a line (a line that begins
with blanks goes on); the table of ``docs/reference/worked-examples.md`` is made from them.
"""

from __future__ import annotations

import ast
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]
TESTS = DOCS.parent / "tests" / "worked_examples"

#: Field -> what it says.
FIELDS = {
    "Analysis": "the paper, book or program, with its place of publication",
    "Where": "table, exhibit or page of the data and of the figures",
    "Compared": "the numbers that the test compares",
    "Figures": "where the printed figures were seen; or that they were not, and what stands in their place",
    "Page": "the page of the documentation, from docs/, or 'none'",
}


class Unnamed(Exception):
    """The head of a test file lacks a field, or names a page that is not there: the message says which."""


def head(path: Path) -> dict[str, str]:
    """The fields of one test file."""
    found: dict[str, str] = {}
    at = ""
    for line in (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split("\n"):
        name, colon, text = line.partition(": ")
        if colon and name in FIELDS:
            at, found[name] = name, text.strip()
        elif at and line.startswith(" "):
            found[at] += " " + line.strip()
        else:
            at = ""
    missing = [name for name in FIELDS if not found.get(name)]
    if missing:
        raise Unnamed(f"{path.name}: the docstring lacks {', '.join(f'{n}: ({FIELDS[n]})' for n in missing)}")
    if found["Page"] != "none" and not (DOCS / found["Page"]).exists():
        raise Unnamed(f"{path.name}: Page: {found['Page']} is not in docs")
    return found


def table() -> str:
    """A row a test file."""
    lines = ["| analysis | where | compared | printed figures | test | page |", "|---|---|---|---|---|---|"]
    for path in sorted(TESTS.glob("test_*.py")):
        row = head(path)
        page = row["Page"]
        link = "–" if page == "none" else f"[{Path(page).stem}](../{page})"
        cells = [row["Analysis"], row["Where"], row["Compared"], row["Figures"], f"`{path.name}`", link]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)
