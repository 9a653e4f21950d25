"""``balm albatross``: a table of p values and sizes in; counts beyond contours of an effect and the plot out."""

from __future__ import annotations

import argparse
from typing import Any

from balm.cli.command import Command, UsageError, add_words, number, numbers, placed, print_json
from balm.vocabulary.problems import InputError
from balm.vocabulary.quick_dataclass import replace

#: What a column of directions may say instead of a signed number.
SIGNS = {"+": 1.0, "positive": 1.0, "-": -1.0, "\u2212": -1.0, "negative": -1.0}


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``balm albatross``."""
    from balm.stats.albatross import MEASURES

    parser.add_argument("file", metavar="FILE", help="CSV or TSV file, one study a row; - reads the standard input")
    add_words(parser, ("--measure", MEASURES, "what the contours are of", "SMD"))
    parser.add_argument(
        "--contours", metavar="X,X", type=numbers("--contours"), help="up to four sizes of effect; ratios above 1"
    )
    parser.add_argument(
        "--ratio",
        metavar="X",
        default=1.0,
        type=number("--ratio", above=0.0),
        help="participants of group 1 for each of group 2, as the contours assume (default: 1)",
    )
    parser.add_argument(
        "--baseline-risk",
        metavar="X",
        type=number("--baseline-risk", above=0.0, below=1.0),
        help="risk in group 2, which the contours of OR and RR need",
    )
    parser.add_argument("--plot", metavar="FILE", help="write the plot: .svg, .png or .pdf")
    parser.add_argument("--json", action="store_true", help="print the result in full precision as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Place the studies, then print and draw."""
    from balm.actions.figures_out import check_target, write_figure
    from balm.actions.tables_in import read_table
    from balm.stats.albatross import RATIOS, albatross

    if (arguments.measure in RATIOS) != (arguments.baseline_risk is not None):
        raise UsageError("--baseline-risk goes with --measure OR and RR, and with no other: they need it")
    if arguments.plot:
        check_target(arguments.plot, "--plot")
    table = read_table(arguments.file)
    named = {column.strip().lower(): column for column in table.columns}
    if missing := [name for name in ("p", "n") if name not in named]:
        raise InputError(f"{table.file}: no column {', '.join(missing)}; it has {', '.join(table.columns)}")
    try:
        found = albatross(
            p=table.numbers(named["p"]),
            n=table.numbers(named["n"]),
            direction=_directions(table, named["direction"]) if "direction" in named else None,
            study=table.text(named["study"]) if "study" in named else None,
            measure=arguments.measure,
            contours=arguments.contours,
            ratio=arguments.ratio,
            baseline_risk=arguments.baseline_risk,
        )
    except InputError as error:
        raise InputError([placed(one, table) if one.row else one for one in error.problems]) from None
    if arguments.plot:
        write_figure(found.plot(), arguments.plot)
    if arguments.json:
        print_json(found.to_dict())
    else:
        print(found)
    return 0


def _directions(table: Any, column: str) -> list[float]:
    """Signs, words or signed effects as numbers; what is none of them is named by row."""
    cells = [cell.lower() for cell in table.text(column)]
    values, problems = table.read_numbers(column)
    words = {row for row, cell in zip(table.row_numbers, cells, strict=True) if cell in SIGNS}
    if wrong := [problem for problem in problems if problem.row not in words]:
        way = "a direction is + or -, positive or negative, or an effect whose sign says it"
        raise InputError([replace(problem, reason=f"{problem.reason}; {way}") for problem in wrong])
    return [SIGNS.get(cell, value) for cell, value in zip(cells, values, strict=True)]


ALBATROSS = Command(
    about=(
        "Albatross plot (Harrison et al. 2017), for studies that cannot be pooled because they report too\n"
        "little. One study a row, with the columns study, p (two-sided), n (participants in all) and\n"
        "direction (+ or -, positive or negative, or an effect whose sign says it; without the column p\n"
        "is one-sided, small where the effect is positive). Prints how many studies lie beyond the\n"
        "contours of an effect, and draws them."
    ),
    example="balm albatross trials.csv --measure OR --baseline-risk 0.2 --plot albatross.svg",
    configure=configure,
    run=run,
)
