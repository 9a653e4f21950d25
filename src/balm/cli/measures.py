"""``balm measures``: the table of effect measures."""

from __future__ import annotations

import argparse
import textwrap

from balm.cli.command import Command, one_of, print_json


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    from balm.stats.measures import MEASURES

    parser.add_argument(
        "code",
        nargs="*",
        metavar="CODE",
        type=one_of("CODE", list(MEASURES)),
        help="only these measures, with what each of their columns means",
    )
    parser.add_argument("--json", action="store_true", help="print the table as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print every measure, or the ones that were asked for in full."""
    from balm.stats.measures import ARGUMENTS, MEASURES

    chosen = [MEASURES[code] for code in arguments.code] or list(MEASURES.values())
    if arguments.json:
        print_json(
            [
                {
                    "code": row.code,
                    "name": row.name,
                    "family": row.family,
                    "columns": list(row.columns),
                    "one_of": [list(group) for group in row.one_of],
                    "scale": row.scale.name,
                    "variance_types": list(row.variance_types),
                    "source": row.source,
                }
                for row in chosen
            ]
        )
        return 0
    if not arguments.code:
        width = max(len(row.code) for row in chosen)
        names = max(len(row.name) for row in chosen)
        family = None
        for row in chosen:
            if row.family != family:
                print(f"{'' if family is None else chr(10)}{row.family}")
                family = row.family
            print(f"  {row.code:<{width}}  {row.name:<{names}}  {row.takes}")
        print("\nGroup 1 is the intervention. `balm measures CODE` explains the columns of one measure.")
        return 0
    for row in chosen:
        print(f"{row.code}: {row.name} ({row.family}), analysed on the {row.scale.name} scale")
        for name in row.accepts:
            print(f"  {name:<12} {ARGUMENTS[name].meaning}")
        if row.one_of:
            print(f"  takes {row.takes}")
        if row.variance_types:
            print(f"  --variance-type {', '.join(row.variance_types)}")
        print(textwrap.fill(f"Source: {row.source}", 100, initial_indent="  ", subsequent_indent="  "))
    return 0


MEASURES = Command(
    about="List the effect measures: code, name, and the columns each one needs.",
    example="balm measures RR",
    configure=configure,
    run=run,
)
