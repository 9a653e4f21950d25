"""``balm check``, ``balm report`` and ``balm new``: a review package validated, reported, started."""

from __future__ import annotations

import argparse
from typing import Any

from balm.cli.command import Command, UsageError, print_json
from balm.vocabulary.problems import InputError


def _folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="folder of the review package (the one that holds review.toml)")


def configure_check(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``balm check``."""
    _folder(parser)
    parser.add_argument("--json", action="store_true", help="print the problems as JSON")


def check(arguments: argparse.Namespace) -> int:
    """Every problem of the package; 1 when there is any."""
    from balm.actions.review import Review

    try:
        review = Review.load(arguments.folder)
        problems = list(review.problems())
        if not problems:
            from balm.actions.guidance import guidance_problems
            from balm.review.living.recommendations import recommendation_problems

            problems = [
                *review.flow_problems(),
                *guidance_problems(arguments.folder, review.package),
                *recommendation_problems(review.package),
            ]
    except InputError as error:
        problems = list(error.problems)
    if arguments.json:
        print_json({"folder": arguments.folder, "problems": [_as_dict(problem) for problem in problems]})
        return 1 if problems else 0
    if problems:
        raise InputError(problems)
    print(f"{arguments.folder}: no problems found.")
    return 0


def _as_dict(problem: Any) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in ("file", "row", "column", "value", "line", "reason")}


def configure_report(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``balm report``."""
    _folder(parser)
    parser.add_argument(
        "-o",
        "--output",
        default="report.html",
        metavar="FILE",
        help="where to write the report, replacing it: .html, .docx or .pdf (default: report.html)",
    )
    parser.add_argument(
        "--figure-width", type=float, metavar="MM", help=".docx, .pdf: width of the widest figure (default: 170)"
    )
    parser.add_argument("--journal", metavar="NAME", help=".docx, .pdf: figures for jama, lancet, nature or plos")
    parser.add_argument("--font", metavar="KIND", help=".docx, .pdf: sans or serif (default: sans)")
    parser.add_argument("--font-size", type=float, metavar="PT", help=".docx, .pdf: size of the text (default: 10)")


def report(arguments: argparse.Namespace) -> int:
    """Write the report; nothing is written when the package has a problem."""
    from pathlib import Path

    from balm.actions.report_out import ENDINGS, HTML

    target = Path(arguments.output)
    ending = target.suffix.lower()
    if ending not in ENDINGS:
        raise UsageError(f"-o must end in .html, .docx or .pdf; got {arguments.output!r}")
    if not target.parent.is_dir():
        raise InputError(f"-o {arguments.output!r}: there is no folder {str(target.parent)!r}; make it first")
    names = ("journal", "figure_width", "font_size", "font")
    chosen = {name: getattr(arguments, name) for name in names}
    given = {name: value for name, value in chosen.items() if value is not None}
    if given and ending in HTML:
        flag = "--" + next(iter(given)).replace("_", "-")
        raise UsageError(f"{flag} belongs to .docx and .pdf; a page in a browser is as wide as its window")
    from balm.actions.review import Review
    from balm.report.document.look import look_of

    look_of(**given)  # refused before anything is computed
    Review.load(arguments.folder).report(target, **given)
    print(f"Report: {arguments.output}")
    return 0


def configure_new(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``balm new``."""
    parser.add_argument("folder", metavar="DIR", help="folder to make; it must not exist, or be empty")


def new(arguments: argparse.Namespace) -> int:
    """Start a package."""
    from balm.actions.new_review import new_review

    for path in new_review(arguments.folder):
        print(f"wrote {path}")
    print(f"Next: fill in {arguments.folder}/review.toml and the tables, then `balm check {arguments.folder}`.")
    return 0


CHECK = Command(
    about=(
        "Validate a review package as a whole: every wrong cell is named by file, row and column, with the reason.\n"
        "Nothing is written."
    ),
    example="balm check reviews/ketamine-chronic-pain",
    configure=configure_check,
    run=check,
)
REPORT = Command(
    about=(
        "Carry out the analyses of a review package and write the report: one self-contained HTML file, a Word file\n"
        "with editable tables or a tagged PDF, by the ending of its name.\n"
        "A package with problems is not reported; `balm check` lists them."
    ),
    example="balm report reviews/ketamine-chronic-pain -o report.html",
    configure=configure_report,
    run=report,
)
NEW = Command(
    about="Start a review package: a folder with review.toml to fill in and every table with its header.",
    example="balm new my-review",
    configure=configure_new,
    run=new,
)
