"""``balm certainty``: GRADE of each analysis, proposed and decided; summary of findings and evidence profile."""

from __future__ import annotations

import argparse

from balm.cli.command import Command, print_json


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``balm certainty``."""
    parser.add_argument("folder", metavar="DIR", help="folder of the review package (the one that holds review.toml)")
    parser.add_argument("--analysis", metavar="ID", help="one analysis of review.toml (default: all)")
    parser.add_argument("--network", metavar="ID", help="only this network of review.toml (default: all)")
    parser.add_argument("--summary", metavar="FILE", help="write the summary of findings (.html .csv .docx)")
    parser.add_argument("--profile", metavar="FILE", help="write the evidence profile (.csv), replacing it")
    parser.add_argument(
        "--gradepro", metavar="FILE", help="write the analyses as a RevMan 5 file (.rm5), which GRADEpro imports"
    )
    parser.add_argument("--json", action="store_true", help="print the ratings as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the ratings; write what was asked for."""
    from pathlib import Path

    from balm.actions.certainty import as_plain, as_text, certainty_of_review, write_gradepro, write_summary
    from balm.actions.network_certainty import network_as_plain, network_as_text, networks_of
    from balm.actions.review import Review

    review = Review.load(arguments.folder)
    networks = networks_of(review, arguments.network) if arguments.analysis is None or arguments.network else {}
    only = arguments.network is not None and arguments.analysis is None
    found = {} if only else certainty_of_review(review, arguments.analysis)
    for name, profile in ((arguments.summary, False), (arguments.profile, True)):
        if name is not None:
            write_summary(review, Path(name), profile=profile)
    handed = write_gradepro(review, Path(arguments.gradepro)) if arguments.gradepro is not None else None
    if arguments.json:
        plain = [network_as_plain(c) for own in networks.values() for c in own]
        print_json([as_plain(c) for c in found.values()] + plain)
        return 0
    texts = [as_text(found, {a.id: a.title for a in review.synthesise().analyses})]
    texts += [network_as_text(own, review.synthesise().network(name).title) for name, own in networks.items()]
    print("\n\n".join(text for text in texts if text))
    for name in (arguments.summary, arguments.profile):
        if name is not None:
            print(f"wrote {name}")
    if handed is not None:
        print(f"wrote {arguments.gradepro}")
        print("\n".join(f"  not in it: {name}: {why}" for name, why in handed.left.items()))
        if handed.differs:
            print("  RevMan 5 knows fewer methods than the review; in GRADEpro put in the review's result of:")
            print("\n".join(f"  {name}: {why}" for name, why in handed.differs.items()))
    return 0


CERTAINTY = Command(
    about=(
        "The certainty of each analysis by GRADE: for each domain what the rule proposes, with its numbers, and what\n"
        "was decided in certainty.csv (network_certainty.csv for each comparison of a network), with the reason. A\n"
        "proposal alone is no rating: a person decides."
    ),
    example="balm certainty reviews/ketamine-chronic-pain --summary findings.html",
    configure=configure,
    run=run,
)
