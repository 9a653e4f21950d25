"""One page: run its Python blocks, and write their output, figures and comparisons into it."""

from __future__ import annotations

import ast
import contextlib
import doctest
import io
import os
import shlex
import tempfile
import textwrap
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

from balm.cli.main import main
from docs.making.tables import TABLES

CHECKOUT = Path(__file__).resolve().parents[2]
OUTPUT = "```text output"
NOT_RUN = "<!-- not run:"
#: Before rows of figures; ``<!-- figures: R metafor 3.8`` compares with that instead of with published ones.
FIGURES = "<!-- figures"
#: Before a block that is a file for what follows.
FILE = "<!-- file:"
#: Names a page takes for granted.
PRELUDES = {"convert.md": "from balm.stats.convert import *"}
#: Digits after the point beyond which a shown number would depend on the machine.
MOST_DIGITS = 12
#: Longer lines of words are folded.
WIDEST = 110


class Stale(Exception):
    """A page says what no longer holds: the message names page, line and what to do."""


@dataclass
class Page:
    """``text`` as it should be; ``figures``: name -> SVG of what its code saved and it shows; ``blocks`` that ran."""

    path: Path
    text: str = ""
    figures: dict[str, str] = field(default_factory=dict)
    blocks: int = 0
    compared: int = 0


def rebuilt(path: Path) -> Page:
    """The page at ``path`` with its generated parts made again."""
    page = Page(path)
    names: dict[str, Any] = {"__name__": "__page__"}
    if prelude := PRELUDES.get(path.name):
        exec(prelude, names)
    width = mock.patch.dict(os.environ, COLUMNS=str(WIDEST))  # whatever terminal the pages are made in
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), width:
        Path("reviews").symlink_to(CHECKOUT / "reviews")
        page.text = "\n".join(_lines(page, path.read_text("utf-8").split("\n"), names))
        for figure in sorted(Path().glob("*.svg")):
            if f"](images/{figure.name})" in page.text:
                page.figures[figure.name] = figure.read_text("utf-8")
    return page


def _lines(page: Page, given: list[str], names: dict[str, Any]) -> list[str]:
    kept: list[str] = []
    i = 0
    while i < len(given):
        line = given[i]
        if line == "```python":
            end = _find(page, given, i, "```")
            code = given[i + 1 : end]
            skip = next((text for text in reversed(kept) if text.strip()), "").startswith(NOT_RUN)
            kept += given[i : end + 1]
            i = end + 1
            if skip:
                continue
            after = next((j for j in range(i, len(given)) if given[j].strip()), len(given))
            if after < len(given) and given[after] == OUTPUT:
                i = _find(page, given, after, "```") + 1
            said = _run(page, code, end - len(code), names)
            page.blocks += 1
            if said:
                kept += ["", OUTPUT, *said.split("\n"), "```"]
        elif line == FIGURES or line.startswith(f"{FIGURES}: "):
            end = _find(page, given, i, "-->")
            against = line.removeprefix(FIGURES).removeprefix(": ") or "published"
            rows = _figures(page, given[i + 1 : end], i + 2, names, against)
            kept += [*given[i : end + 1], *rows, "<!-- end figures -->"]
            i = _find(page, given, end, "<!-- end figures -->") + 1
        elif line.startswith("<!-- table: "):
            name = line.removeprefix("<!-- table: ").removesuffix(" -->")
            if name not in TABLES:
                raise Stale(f"{page.path}:{i + 1}: table must be one of {sorted(TABLES)}; got {name!r}")
            kept += [line, "", TABLES[name]().strip("\n"), "", "<!-- end table -->"]
            i = _find(page, given, i, "<!-- end table -->") + 1
        elif line == "```console":
            end = _find(page, given, i, "```")
            kept += [line, *_commands(page, given[i + 1 : end], i + 2), "```"]
            i = end + 1
        elif line.startswith("```"):
            end = _find(page, given, i, "```")
            before = next((text for text in reversed(kept) if text.strip()), "")
            if before.startswith(FILE):
                name = before.removeprefix(FILE).removesuffix("-->").strip()
                Path(name).write_text("\n".join(given[i + 1 : end]) + "\n", "utf-8")
            kept += given[i : end + 1]
            i = end + 1
        else:
            kept.append(line)
            i += 1
    return kept


def _find(page: Page, lines: list[str], start: int, wanted: str) -> int:
    for i in range(start + 1, len(lines)):
        if lines[i] == wanted:
            return i
    raise Stale(f"{page.path}:{start + 1}: nothing closes {lines[start]!r}; add a line {wanted!r}")


def _commands(page: Page, shown: list[str], line: int) -> list[str]:
    """The lines ``$ balm ...`` of a block, each with what the command prints now."""
    made: list[str] = []
    for at, text in enumerate(shown):
        if not text.startswith("$ "):
            continue
        program, *words = shlex.split(text.removeprefix("$ "))
        if program != "balm":
            raise Stale(f"{page.path}:{line + at}: only balm is run in a page; got {program!r}")
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            main(words)
        page.blocks += 1
        made += [text, *said.getvalue().rstrip("\n").split("\n")] if said.getvalue().strip() else [text]
    return made


def _run(page: Page, code: list[str], line: int, names: dict[str, Any]) -> str:
    """What the block prints, and the value of its last line, as a notebook would show it."""
    if code and code[0].startswith(">>>"):
        return _doctest(page, "\n".join(code) + "\n", line, names)
    tree = ast.parse("\n" * line + "\n".join(code), str(page.path))
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            exec(compile(tree, str(page.path), "exec"), names)
            if isinstance(last, ast.Expr):
                value = eval(compile(ast.Expression(last.value), str(page.path), "eval"), names)
                if value is not None and not _is_figure(value):
                    print(repr(value))
    except Exception as error:
        raise Stale(f"{page.path}:{line}: the Python block fails: {type(error).__name__}: {error}") from error
    return "\n".join(_folded(text.rstrip()) for text in said.getvalue().rstrip().split("\n"))


def _folded(line: str) -> str:
    """A line of words no wider than a page; the rows of a table stay as they are."""
    return line if "  " in line.strip() or line.startswith(" ") else textwrap.fill(line, WIDEST) or line


def _is_figure(value: Any) -> bool:
    return hasattr(value, "_repr_svg_") and hasattr(value, "svg")


def _doctest(page: Page, text: str, line: int, names: dict[str, Any]) -> str:
    test = doctest.DocTestParser().get_doctest(text, names, page.path.name, str(page.path), line)
    said = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=said.write, clear_globs=False)
    names.update(test.globs)
    if runner.failures:
        raise Stale(said.getvalue())
    return ""


def _figures(page: Page, rows: list[str], line: int, names: dict[str, Any], against: str) -> list[str]:
    """Rows ``what | expression | published | where [| differs: why]`` as a table with our number beside.

    The digits of the published number are the tolerance: ours, rounded like it, must be the same number. A row that
    differs says why, and must go on differing.
    """
    table = ["", f"| | balm | {against} | where | |", "|---|---|---|---|---|"]
    for number, row in enumerate(rows):
        cells = [cell.strip() for cell in row.split(" | ")]
        if len(cells) not in (4, 5):
            raise Stale(f"{page.path}:{line + number}: a row is 'what | expression | published | where'; got {row!r}")
        what, expression, published, where = cells[:4]
        why = cells[4].removeprefix("differs: ") if len(cells) == 5 else ""
        wanted = Decimal(published)
        digits = max(0, -int(wanted.as_tuple().exponent))
        ours = float(eval(expression, names))
        agrees = abs(Decimal(repr(ours)) - wanted) <= Decimal("0.5000001") * Decimal(1).scaleb(-digits)
        if agrees == bool(why):
            problem = "agrees now: remove 'differs'" if agrees else f"is {ours!r}, {against} {published}"
            raise Stale(f"{page.path}:{line + number}: {what} {problem}")
        shown = f"{ours:.{min(digits + 2, max(digits, MOST_DIGITS))}f}"
        table.append(f"| {what} | {shown} | {published} | {where} | {why or 'agrees'} |")
        page.compared += 1
    return [*table, ""]
