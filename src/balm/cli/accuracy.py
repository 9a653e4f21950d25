"""``balm accuracy``: a table of 2x2 counts in; sensitivity, specificity and the summary ROC curve out."""

from __future__ import annotations

import argparse
from typing import Any

from balm.cli.command import Command, add_level, add_words, known, number, one_of, placed, print_json
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.quick_dataclass import replace

CELLS = ("tp", "fn", "fp", "tn")


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``balm accuracy``."""
    from balm.stats.accuracy.accuracy import METHODS, MODELS
    from balm.stats.measures.conventions import TO

    parser.add_argument("file", metavar="FILE", help="CSV or TSV file, one study a row; - reads the input")
    add_words(
        parser,
        ("--model", MODELS, "likelihood of the counts, or of their logits", "binomial"),
        ("--to", TO, "studies whose cells are corrected, where logits or ratios need it", "only-zero"),
    )
    parser.add_argument(
        "--method",
        metavar="WORD",
        type=one_of("--method", list(METHODS)),
        help="of the normal model: REML, ML (default: REML); the binomial model is fitted by ML",
    )
    add_level(parser)
    parser.add_argument(
        "--prevalence",
        type=number("--prevalence", above=0.0, below=1.0),
        metavar="X",
        help="print the predictive values at this share of people with the condition",
    )
    parser.add_argument("--plot", metavar="FILE", help="write the summary ROC plot: .svg, .png or .pdf")
    parser.add_argument("--json", action="store_true", help="print the result in full precision as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Fit the model and print it."""
    from balm.actions.tables_in import read_table
    from balm.stats.accuracy.accuracy import accuracy

    table = read_table(arguments.file)
    named = {column.strip().lower(): column for column in table.columns}
    missing = [name for name in CELLS if name not in named]
    if missing:
        raise InputError(f"{table.file}: no column {', '.join(missing)}; it has {', '.join(table.columns)}")
    data: dict[str, Any] = {name: table.numbers(named[name]) for name in CELLS}
    if "study" in named:
        data["study"] = table.text(named["study"])
    try:
        fit = accuracy(**data, model=arguments.model, method=arguments.method, to=arguments.to, level=arguments.level)
    except InputError as error:
        raise InputError([_placed(problem, table, named, arguments) for problem in error.problems]) from None
    if arguments.plot:
        fit.plot(arguments.plot)
    values = None if arguments.prevalence is None else fit.predictive_values(arguments.prevalence)
    if arguments.json:
        found = fit.to_dict()
        if values is not None:
            names = ("positive_predictive_value", "negative_predictive_value")
            found["prevalence"] = arguments.prevalence
            found |= {
                name: {"estimate": v.estimate, "low": v.interval.low, "high": v.interval.high}
                for name, v in zip(names, values, strict=True)
            }
        print_json(known(found))
        return 0
    print(fit)
    if values is not None:
        for name, v in zip(("Positive", "Negative"), values, strict=True):
            print(
                f"{name} predictive value at a prevalence of {arguments.prevalence:g}: {v.estimate:.3f} "
                f"({v.interval.low:.3f} to {v.interval.high:.3f})"
            )
    print()
    print(fit.sentence())
    return 0


def _placed(problem: Problem, table: Any, named: dict[str, str], arguments: argparse.Namespace) -> Problem:
    return placed(replace(problem, column=named.get(problem.column, problem.column)), table, arguments)


ACCURACY = Command(
    about=(
        "Meta-analysis of diagnostic test accuracy. One study a row, with the columns TP, FN, FP and TN\n"
        "(people by test and reference standard, in capitals or not) and, if there is one, study."
    ),
    example="balm accuracy studies.csv --prevalence 0.1 --plot sroc.svg",
    configure=configure,
    run=run,
)
