"""``balm revman``: RevMan's numbers computed again, a review package from a RevMan file, and the way back."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from balm.cli.command import Command, UsageError, one_of, print_json

#: Differences printed one by one; all of them are in ``--json``.
MOST_SHOWN = 20


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``balm revman``."""
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        help="a .rm5 file, a data package or the study data of RevMan Web (.zip or folder), or a CSV",
    )
    parser.add_argument(
        "--profile",
        type=one_of("--profile", ["revman5", "revman-web"]),
        help="conventions of random-effects results instead of those the file names",
    )
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    parser.add_argument("-o", "--output", metavar="DIR", help="write a review package (or, with --export, its files)")
    parser.add_argument(
        "--export", metavar="PACKAGE", help="write what RevMan Web imports from this review package into -o DIR"
    )


def run(arguments: argparse.Namespace) -> int:
    """Compare, and write a package where asked; or export one."""
    if arguments.export is not None:
        if arguments.file is not None or arguments.json or arguments.profile:
            raise UsageError("--export takes a review package and -o DIR alone")
        if arguments.output is None:
            raise UsageError("--export needs -o DIR, a new folder for the files")
        return _export(arguments.export, arguments.output)
    if arguments.file is None:
        raise UsageError("give a RevMan file, or --export PACKAGE")
    from balm.actions.revman import read_revman, write_package

    review = read_revman(arguments.file)
    agreement = review.recompute(arguments.profile)
    written = write_package(review, arguments.output) if arguments.output is not None else ()
    if arguments.json:
        print_json(agreement.to_dict())
        return 0
    _show(review, agreement)
    if written:
        print(f"\nwrote the review package {arguments.output} ({len(written)} files)")
        print(f"Next: balm check {arguments.output}; balm report {arguments.output}")
    return 0


def _show(review: Any, agreement: Any) -> None:
    print(review)
    for problem in review.repairs[:MOST_SHOWN]:
        at = f", line {problem.line}" if problem.line else ""
        print(f"repaired{at}: {problem.reason}")
    print(agreement.sentence())
    guessed = sum(1 for o in agreement.outcomes if o.guessed)
    if guessed:
        print(f"{guessed} analyses come without settings; they were found by the numbers stored beside the rows.")
    if agreement.disagree:
        print("\ndisagree:")
        for difference in agreement.disagree[:MOST_SHOWN]:
            print(f"  {difference}")
        if len(agreement.disagree) > MOST_SHOWN:
            print(f"  and {len(agreement.disagree) - MOST_SHOWN} more; see --json")
    reasons: dict[str, list[Any]] = {}
    for difference in agreement.inconsistent:
        reasons.setdefault(difference.why, []).append(difference)
    if reasons:
        print("\ncontradicted by the file itself, by reason (all of them: --json):")
    for why, found in reasons.items():
        first = replace(found[0], why="")
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        print(f"  {why}:\n    {first}{more}")

    for why, count in agreement.not_compared.items():
        print(f"not compared: {count:,} numbers: {why}")


def _export(package: str, out: str) -> int:
    from balm.actions.revman import export_package

    for path in export_package(Path(package), Path(out)):
        print(f"wrote {path}")
    print("In RevMan Web import the .ris first, then the four CSV files; otherwise studies are doubled.")
    return 0


REVMAN = Command(
    about=(
        "Compute every number again that RevMan stored in a file, and say which agree.\n"
        "With -o DIR, write the review as a review package; with --export, write a package for RevMan Web."
    ),
    example="balm revman review.rm5 -o my-review",
    configure=configure,
    run=run,
)
