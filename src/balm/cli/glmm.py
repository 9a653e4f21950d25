"""``balm glmm``: a table of counts in; the mean by a generalised linear mixed model out."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from balm.cli.command import Command, add_level, known, one_of, placed, print_json
from balm.vocabulary.problems import InputError


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``balm glmm``."""
    from balm.stats.glmm.glmm import INFERENCES, MODELS
    from balm.stats.glmm.models import MEASURES, STUDIES

    parser.add_argument("file", metavar="FILE", help="CSV or TSV file, one study a row; - reads the input")
    parser.add_argument(
        "--measure",
        required=True,
        metavar="CODE",
        type=one_of("--measure", list(MEASURES)),
        help=f"effect measure: {', '.join(MEASURES)}; `balm measures` lists the columns each one needs",
    )
    for flag, words, about, default in (
        ("--studies", STUDIES, "levels of the studies, for two groups", "fixed"),
        ("--model", MODELS, "model", "random"),
        ("--inference", INFERENCES, "interval for the mean", "wald"),
    ):
        said = f"{about}: {', '.join(words)} (default: {default})"
        parser.add_argument(flag, metavar="WORD", type=one_of(flag, list(words)), help=said)
    add_level(parser)
    parser.add_argument("--forest", metavar="F", help="write the forest plot to F: .svg, .png or .pdf")
    parser.add_argument("--json", action="store_true", help="print the result in full precision as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Fit the model and print it."""
    from balm.actions.tables_in import read_table
    from balm.stats.glmm.glmm import glmm
    from balm.stats.measures import MEASURES

    table = read_table(arguments.file)
    columns = MEASURES[arguments.measure].columns
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise InputError(
            f"{table.file}: {arguments.measure} needs the columns {', '.join(columns)}; not found: "
            f"{', '.join(missing)}; it has {', '.join(table.columns)}"
        )
    data: dict[str, Any] = {name: table.numbers(name) for name in columns}
    if "study" in table.columns:
        data["study"] = table.text("study")
    chosen = {name: getattr(arguments, name) for name in ("studies", "model", "inference")}
    try:
        fit: Any = glmm(
            arguments.measure,
            level=arguments.level,
            **{name: value for name, value in chosen.items() if value is not None},
            **data,
        )
    except InputError as error:
        raise InputError([placed(problem, table, arguments) for problem in error.problems]) from None
    if arguments.forest:
        fit.forest(arguments.forest)
    if arguments.json:
        print_json(known(fit.to_dict()))
        for name, reason in fit.reasons.items():
            print(f"balm: {name}: {reason}", file=sys.stderr)
        return 0
    print(fit)
    print()
    print(fit.sentence())
    return 0


GLMM = Command(
    about=(
        "Pool counts by their own likelihood (generalised linear mixed models), without corrections of\n"
        "zero cells. One study a row, with events_1, n_1, events_2, n_2 (OR), events_1, time_1, events_2,\n"
        "time_2 (IRR), events, n (PLO) or events, time (IRLN), and, if there is one, study."
    ),
    example="balm glmm trials.csv --measure OR --studies conditional",
    configure=configure,
    run=run,
)
