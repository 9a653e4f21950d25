"""``balm pool``: one table in; result, sentence, methods and forest plot out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from balm.cli.command import Command, UsageError, number, one_of, print_json

#: Options handed on to the synthesis under their own names, when they are given.
PASSED_ON = (
    "model",
    "tau2",
    "inference",
    "prediction",
    "level",
    "profile",
    "add",
    "to",
    "variance_type",
    "missing",
    "counts",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments; their choices are the rows of the tables in :mod:`balm.stats`."""
    from balm.actions.pool_table import METHODS
    from balm.stats.heterogeneity.estimators import TAU2_ESTIMATORS
    from balm.stats.measures import MEASURES
    from balm.stats.measures.conventions import TO
    from balm.stats.pooling.choices import MODELS
    from balm.stats.pooling.inference import INFERENCES
    from balm.stats.pooling.prediction import PREDICTIONS
    from balm.stats.profiles import PROFILES

    def choice(flag: str, allowed: Any, about: str, *, default: str = "") -> None:
        words = list(allowed)
        default = f" (default: {default})" if default else ""
        group.add_argument(flag, type=one_of(flag, words), metavar="WORD", help=f"{about}: {', '.join(words)}{default}")

    parser.add_argument("file", metavar="FILE", help="CSV or TSV file, one study a row; - reads the standard input")
    parser.add_argument(
        "--measure",
        required=True,
        metavar="CODE",
        type=one_of("--measure", list(MEASURES)),
        help="effect measure: RR, OR, RD, MD, SMD ...; `balm measures` lists all with the columns they need",
    )
    group = parser.add_argument_group("table")
    group.add_argument("--study", metavar="COL", help="column of study labels (default: study)")
    group.add_argument("--by", metavar="COL", help="column that splits the studies into subgroups")
    choice("--missing", ("raise", "drop"), "rows with an empty cell in a column that is used", default="raise")
    choice("--counts", ("whole", "fractional"), "accept effective sample sizes that are no whole numbers")

    group = parser.add_argument_group("effect sizes")
    group.add_argument(
        "--add", type=number("--add", at_least=0.0), metavar="X", help="number added to zero cells (default: 0.5)"
    )
    choice("--to", TO, "studies it is added to", default="only-zero")
    group.add_argument("--variance-type", metavar="WORD", help="variance of the effect, where the measure has several")

    group = parser.add_argument_group("pooling")
    choice("--profile", PROFILES, "all conventions of a program at once", default="balm")
    choice("--method", METHODS, "how studies are combined", default="inverse-variance")
    choice("--model", MODELS, "model", default="random")
    group.add_argument(
        "--tau2",
        type=_estimator_or_number(list(TAU2_ESTIMATORS)),
        metavar="WORD|X",
        help=f"between-study variance: {', '.join(TAU2_ESTIMATORS)}, or a number (default: REML)",
    )
    choice("--inference", INFERENCES, "interval for the mean", default="hartung-knapp-guarded")
    choice("--prediction", PREDICTIONS, "prediction interval", default="t-k-1")
    group.add_argument(
        "--level",
        type=number("--level", above=0.0, below=1.0),
        metavar="X",
        help="coverage of all intervals, between 0 and 1 (default: 0.95)",
    )

    group = parser.add_argument_group("output")
    group.add_argument(
        "--forest",
        metavar="F",
        help="write the forest plot to F (.svg, .png or .pdf), replacing it; by default it goes to "
        "FILE's name with -forest.svg in the working directory, and no existing file is replaced",
    )
    group.add_argument("--no-forest", action="store_true", help="draw no forest plot")
    group.add_argument("--funnel", metavar="F", help="write the funnel plot to F (.svg, .png or .pdf), replacing it")
    group.add_argument(
        "--json", action="store_true", help="print the result in full precision as JSON; no default plot"
    )


def run(arguments: argparse.Namespace) -> int:
    """Pool the table, then print and draw."""
    if arguments.forest and arguments.no_forest:
        raise UsageError("--forest and --no-forest contradict each other; leave one out")
    from balm.actions.figures_out import check_target

    for flag, target in (("--forest", arguments.forest), ("--funnel", arguments.funnel)):
        if target:
            check_target(target, flag)
    from balm.actions.tables_in import read_table
    from balm.stats.arrays import on_plain_floats

    # The standard input can be read once, and the work may be done twice.
    table = None if arguments.file != "-" else read_table(arguments.file)
    notes, printed, figures = on_plain_floats(lambda: _computed(arguments, table))
    said = _write(arguments, figures)
    if arguments.json:
        print_json(printed)
        for line in (*notes, *said):
            print(f"balm: {line}", file=sys.stderr)
        return 0
    print(printed)
    for note in notes:
        print(f"\nNote: {note}")
    if said:
        print()
    for line in said:
        print(line)
    return 0


def _computed(arguments: argparse.Namespace, table: Any = None) -> tuple[tuple[str, ...], Any, dict[str, Any]]:
    """Notes on the reading, what is to be printed, and the figures by name; nothing is written yet."""
    from balm.actions.pool_table import pool_table

    options = {name: getattr(arguments, name) for name in PASSED_ON if getattr(arguments, name) is not None}
    if arguments.method is not None:
        options["method"] = arguments.method
    source = arguments.file if table is None else table
    result = pool_table(source, measure=arguments.measure, study=arguments.study, by=arguments.by, **options)
    figures = {}
    if result.fit.k:
        if arguments.forest or not (arguments.no_forest or arguments.json):
            figures["forest"] = (result.fit if result.groups is None else result.groups).forest()
        if arguments.funnel:
            figures["funnel"] = result.fit.funnel()
    elif not arguments.no_forest:
        figures["forest"] = None
    return result.notes, _values(result) if arguments.json else _text(result), figures


def _values(result: Any) -> dict[str, Any]:
    from balm.report.result_json import as_json, subgroups_json

    values = as_json(result.fit)
    if result.groups is not None:
        values["subgroups"] = subgroups_json(result.groups)
    return values


def _text(result: Any) -> str:
    """The table, the sentence and the methods."""
    from balm.report import words

    fits = [result.fit] if result.groups is None else [result.fit, result.groups]
    tables = [words.text(result.fit, most_rows=None, advice=False), *(words.text(fit) for fit in fits[1:])]
    sentences = "\n".join(words.sentence(fit) for fit in fits)
    return "\n\n".join([*tables, sentences, f"Methods. {words.methods(fits[-1])}"])


def _write(arguments: argparse.Namespace, figures: dict[str, Any]) -> list[str]:
    """Write the figures that were asked for, or the default one; what was written where, in words."""
    from balm.actions.figures_out import default_name, write_beside, write_figure

    said = []
    if "forest" in figures:
        forest = figures["forest"]
        if forest is None:
            said.append("No forest plot: no study could be pooled")
        elif arguments.forest:
            write_figure(forest, arguments.forest)
            said.append(f"Forest plot: {arguments.forest}")
        else:
            path, note = write_beside(forest, default_name(arguments.file, "forest"))
            said.append(f"Forest plot: {path}{note} (--forest F.png or F.pdf for another format, --no-forest for none)")
    if "funnel" in figures:
        write_figure(figures["funnel"], arguments.funnel)
        said.append(f"Funnel plot: {arguments.funnel}")
    return said


def _estimator_or_number(estimators: list[str]) -> Callable[[str], str | float]:
    word = one_of("--tau2", [*estimators, "a number"])
    value = number("--tau2", at_least=0.0)

    def check(text: str) -> str | float:
        return value(text) if text[:1] in "+-.0123456789" and text else word(text)

    return check


POOL = Command(
    about=(
        "Pool the studies of one table. The columns are called as the measure's arguments:\n"
        "study, and for RR, OR and RD events_1, n_1, events_2, n_2; for MD and SMD mean_1, sd_1,\n"
        "n_1, mean_2, sd_2, n_2. Group 1 is the intervention. Prints the studies, the pooled result,\n"
        "a sentence and the methods, and writes a forest plot."
    ),
    example="balm pool trials.csv --measure RR --by drug --forest figure-2.pdf",
    configure=configure,
    run=run,
)
