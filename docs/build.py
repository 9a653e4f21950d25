"""Make the generated parts of the documentation again: ``make docs``, or ``python -m docs.build`` in the checkout.

Four things in a page are generated, and nothing else is touched:

* after a Python block, its output (a ``text output`` block) and the figures it saves;
* in a ``console`` block, what each ``$ balm ...`` prints (a block under ``<!-- file: NAME -->`` is a file for it);
* under a comment ``<!-- figures ... -->``, our numbers beside the published ones (``<!-- figures: R metafor 3.8``:
  beside those of a program);
* between ``<!-- table: NAME -->`` and ``<!-- end table -->``, a table read from the package.

``--validation`` runs the reference tests as well and records what they measured (``reference/validation.json``).
A test makes every page again and fails where the committed one differs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from docs.making import validation
from docs.making.pages import Page, rebuilt

DOCS = Path(__file__).resolve().parent

#: Made by the package itself, each with a test of its own.
MADE_ELSEWHERE = (
    "reference/command-line.md",
    "reference/convert.md",
    "reference/registry.md",
    "reference/review-package.md",
)


def pages() -> list[Path]:
    """Every page with generated parts, those that others are listed from first."""
    found = [p for p in sorted(DOCS.rglob("*.md")) if str(p.relative_to(DOCS)) not in MADE_ELSEWHERE]
    return sorted(found, key=lambda p: p.name == "README.md")


def made() -> Iterator[Page]:
    """Every page as it should be now."""
    for path in pages():
        yield rebuilt(path)


def main(arguments: list[str]) -> int:
    if unknown := set(arguments) - {"--validation"}:
        print(f"unknown argument {sorted(unknown)[0]!r}; use --validation or none", file=sys.stderr)
        return 2
    if "--validation" in arguments:
        validation.measure()
    changed = 0
    for page in made():
        for name, svg in page.figures.items():
            target = page.path.parent / "images" / name
            target.parent.mkdir(exist_ok=True)
            if not target.exists() or target.read_text("utf-8") != svg:
                target.write_text(svg, "utf-8")
                changed += 1
        if page.text != page.path.read_text("utf-8"):
            page.path.write_text(page.text, "utf-8")
            changed += 1
            print(f"written: {page.path.relative_to(DOCS.parent)}")
    print(f"{changed} files changed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
