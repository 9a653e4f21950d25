"""``balm claims``: the numbers of a text, or of every abstract of a file, computed again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from balm.cli.command import Command, UsageError, number, print_json

#: How a verdict is marked in the list.
MARKS = {"consistent": "ok", "inconsistent": "NO", "not checkable": "--", "unsupported": "??"}


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``balm claims``."""
    parser.add_argument(
        "file", metavar="FILE", help="a text (- for the standard input), or with --column or -o a file of records"
    )
    parser.add_argument("--column", metavar="NAME", help="the column of a CSV that holds the texts")
    parser.add_argument("-o", "--output", metavar="FILE", help="check every abstract of FILE; one CSV row a claim")
    parser.add_argument(
        "--beside", metavar="DIR", help="a review package: its pooled results and those it lists, beside each estimate"
    )
    parser.add_argument(
        "--year", metavar="YEAR", type=number("--year", at_least=1800), help="of the text: later results are newer"
    )
    parser.add_argument("--json", action="store_true", help="print the claims as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Check one text, or a file of them. Slips found are the result, not a problem of the input: the status is 0."""
    if arguments.year is not None and arguments.beside is None:
        raise UsageError("--year needs --beside DIR, the results it is compared with")
    from balm.actions import claims

    many = arguments.column is not None or arguments.output is not None
    if many or Path(arguments.file).suffix.lower() in claims.RECORD_FILES:
        if arguments.beside is not None:
            raise UsageError("--beside takes one text, no file of records")
        if arguments.file == "-":
            raise UsageError("--column and -o take a file, not the standard input")
        done = claims.check_file(arguments.file, arguments.output, column=arguments.column)
        if arguments.json:
            print_json(done.to_dict())
        else:
            _show_many(done)
        return 0
    text = claims.read_text(arguments.file)
    if arguments.beside is None:
        checked, beside = claims.check_claims(text), None
    else:
        year = None if arguments.year is None else int(arguments.year)
        checked, beside = claims.check_beside(text, arguments.beside, year)
    if arguments.json:
        values = checked.to_dict()
        if beside is not None:
            values["evidence"] = [row.to_dict() for row in beside]
        print_json(values)
        return 0
    _show(text, checked, beside or [])
    return 0


def _show(text: str, checked: Any, beside: list[Any]) -> None:
    print(checked.sentence())
    line, counted = 1, 0
    for claim in checked:
        line += text.count("\n", counted, claim.start)
        counted = claim.start
        print(f"\n{MARKS[claim.verdict]}  line {line}, {claim.kind}: {' '.join(claim.text.split())}")
        print(f"    {claim.verdict}: {claim.why}")
        for row in beside:
            if (row.start, row.end) == (claim.start, claim.end):
                print(f"    beside it, {row.sentence()}")
    if checked.cautions:
        print("\nWording to be careful with; no verdict on what is said:")
        for caution in checked.cautions:
            print(f"  {caution.text}: {caution.why}")


def _show_many(done: Any) -> None:
    print(f"{done.texts:,} texts read, {done.without_text:,} without an abstract")
    for (kind, verdict), n in sorted(done.counts.items()):
        print(f"  {kind:10} {verdict:13} {n:7,}")
    if done.path is not None:
        print(f"wrote {done.path}")


CLAIMS = Command(
    about=(
        "Find every claim of a text that can be checked, compute it again, and say whether its figures fit.\n"
        "Estimates with intervals and p values, percentages with counts, doses, statements of effect."
    ),
    example="balm claims abstract.txt",
    configure=configure,
    run=run,
)
