"""``balm network``: a table of contrasts or arms in; every treatment against every other out."""

from __future__ import annotations

import argparse
import os
from typing import Any

from balm.cli.command import Command, UsageError, add_level, add_words, known, number, one_of, placed, print_json
from balm.vocabulary.problems import InputError

CONTRAST = ("treatment_1", "treatment_2", "effect", "se", "variance")
ARM = ("treatment", "events", "n", "mean", "sd", "time")


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``balm network``."""
    from balm.review.certainty.cinema import RULES
    from balm.stats.measures import MEASURES
    from balm.stats.network.arms import COUNTS
    from balm.stats.network.contributions import METHODS
    from balm.stats.network.network import BETTER, MODELS
    from balm.stats.network.tau2 import ESTIMATORS

    parser.add_argument(
        "file",
        metavar="FILE",
        help="CSV or TSV file, one contrast or one arm a row; - reads the input; or the folder of a review package",
    )
    parser.add_argument("--plan", metavar="ID", help="of a review package: one of its networks (default: all)")
    parser.add_argument(
        "--measure",
        default="GEN",
        metavar="CODE",
        type=one_of("--measure", list(MEASURES)),
        help="effect measure: OR, RR, RD, MD, ROM, IRR for arms; any for contrasts (default: GEN)",
    )
    add_words(
        parser,
        ("--model", MODELS, "model", "random"),
        ("--tau2", tuple(ESTIMATORS), "between-study variance", "REML"),
        ("--better", BETTER, "which effects are better, for the ranking", "lower"),
    )
    parser.add_argument(
        "--counts",
        default="whole",
        metavar="WORD",
        type=one_of("--counts", COUNTS),
        help="of arms: whole, or fractional for effective sample sizes (default: whole)",
    )
    parser.add_argument("--reference", metavar="NAME", help="treatment the others are shown against")
    add_level(parser)
    parser.add_argument("--league", action="store_true", help="print the league table, best treatment first")
    parser.add_argument(
        "--flow", action="store_true", help="print how direct each estimate is and how long its paths are"
    )
    parser.add_argument(
        "--contributions",
        metavar="FILE",
        help="write what each direct comparison contributes to each estimate, in per cent (.csv)",
    )
    parser.add_argument(
        "--paths",
        metavar="WORD",
        default="shortest-path",
        type=one_of("--paths", list(METHODS)),
        help=f"how contributions are told apart: {', '.join(METHODS)} (default: shortest-path)",
    )
    parser.add_argument(
        "--covariate",
        action="append",
        default=[],
        metavar="COL",
        help="print this characteristic of the studies by direct comparison (transitivity); may be repeated",
    )
    parser.add_argument(
        "--transitivity", metavar="FILE", help="draw the first --covariate in numbers by comparison: .svg, .png or .pdf"
    )
    parser.add_argument(
        "--cinema",
        metavar="FOLDER",
        help="write a folder for CINeMA: data, contributions, proposals; a table needs rob and indirectness",
    )
    parser.add_argument(
        "--important",
        type=number("--important"),
        metavar="X",
        help="smallest effect that matters, for --cinema and --summary: 0.8 for a ratio, 0.5 for a difference",
    )
    parser.add_argument(
        "--summary",
        metavar="FILE",
        help="write the summary of findings with certainties (.html .csv; of a review .docx too); a table needs rob",
    )
    parser.add_argument(
        "--baseline",
        type=number("--baseline", above=0.0, below=1.0),
        metavar="RISK",
        help="risk with the reference, 0 to 1, for absolute effects in --summary",
    )
    parser.add_argument(
        "--rule",
        metavar="WORD",
        default="majority",
        type=one_of("--rule", list(RULES)),
        help=f"how --cinema sums up the studies by contribution: {', '.join(RULES)} (default: majority)",
    )
    for flag, what in (("--graph", "the graph of the network"), ("--heat", "the net heat plot")):
        parser.add_argument(flag, metavar="FILE", help=f"write {what}: .svg, .png or .pdf")
    parser.add_argument("--json", action="store_true", help="print the result in full precision as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Fit the network and print it; the networks of the plan where a folder is given."""
    if os.path.isdir(arguments.file):
        from balm.cli.network_plan import run_plan

        return run_plan(arguments)
    if arguments.plan is not None:
        raise UsageError("--plan names a network of a review package; give its folder, not a table")
    from balm.actions.tables_in import read_table
    from balm.stats.network.network import network

    table = read_table(arguments.file)
    found = set(table.columns)
    kind = ARM if "treatment" in found else CONTRAST
    columns: dict[str, Any] = {name: name for name in kind if name in found}
    if "se" in columns:
        columns.pop("variance", None)
    if "treatment" in columns and arguments.measure in ("OR", "RR", "RD", "MD", "ROM", "IRR"):
        from balm.stats.network.arms import ARM_COLUMNS

        columns = {k: v for k, v in columns.items() if k in ("treatment", *ARM_COLUMNS[arguments.measure])}
    words = {"study", "treatment", "treatment_1", "treatment_2"}
    missing = [name for name in ("study", *(("treatment",) if kind is ARM else kind[:3])) if name not in found]
    if missing:
        raise InputError(f"{table.file}: no column {', '.join(missing)}; it has {', '.join(table.columns)}")
    data = {c: table.text(c) if c in words else table.numbers(c) for c in ("study", *columns)}
    try:
        fit = network(
            arguments.measure,
            data=data,
            model=arguments.model,
            tau2=arguments.tau2,
            better=arguments.better,
            reference=arguments.reference,
            level=arguments.level,
            counts=arguments.counts,
            **columns,
        )
    except InputError as error:
        raise InputError([placed(problem, table, arguments) for problem in error.problems]) from None
    shown = _characteristics(fit, arguments, table)
    if arguments.cinema:
        _cinema(fit, arguments, table, data)
    if arguments.summary:
        _summary(fit, arguments, table)
    if arguments.graph:
        from balm.plots.network_graph import network_graph

        network_graph(fit, arguments.graph)
    if arguments.heat:
        from balm.plots.net_heat import net_heat

        net_heat(fit, arguments.heat)
    if arguments.contributions:
        from balm.actions.network_out import write_contributions

        write_contributions(fit.contributions(arguments.paths), arguments.contributions)
    if arguments.json:
        print_json(values_of(fit))
        return 0
    print(fit)
    design = fit.by_design()
    for name, test in (("within designs", design.within_designs), ("between designs", design.between)):
        p = f", P = {test.p:.3g}" if test.df else ""
        print(f"Q {name} = {test.q:.2f}, df = {test.df}{p}")
    if arguments.league:
        print()
        print(aligned(fit.league_table()))
    if shown is not None:
        print()
        print(aligned(shown.table()))
    if arguments.flow:
        print()
        print(aligned(flow_table(fit)))
    return 0


def _characteristics(fit: Any, arguments: argparse.Namespace, table: Any) -> Any:
    """The characteristics asked for by direct comparison; none when none is."""
    if not arguments.covariate:
        if arguments.transitivity:
            raise UsageError("--transitivity needs a characteristic of the studies: add --covariate COL")
        return None
    _check_columns(table, arguments.covariate)
    found = fit.transitivity({c: table.text(c) for c in arguments.covariate}, study=table.text("study"))
    if arguments.transitivity:
        from balm.plots.transitivity import transitivity_plot

        transitivity_plot(found, arguments.transitivity)
    return found


def _cinema(fit: Any, arguments: argparse.Namespace, table: Any, data: dict[str, Any]) -> None:
    from balm.actions.network_out import write_cinema

    if arguments.important is None:
        raise UsageError("--cinema needs --important X, the smallest effect that matters (0.8 for a ratio)")
    _check_columns(table, ["rob", "indirectness"])
    studies = table.text("study")
    arms = data if "treatment" in data and "time" not in data else None
    write_cinema(
        fit,
        arguments.cinema,
        risk_of_bias=dict(zip(studies, table.text("rob"), strict=True)),
        indirectness=dict(zip(studies, table.text("indirectness"), strict=True)),
        important=arguments.important,
        rule=arguments.rule,
        arms=arms,
    )


def _summary(fit: Any, arguments: argparse.Namespace, table: Any) -> None:
    from balm.actions.network_out import write_network_findings

    if arguments.important is None:
        raise UsageError("--summary needs --important X, the smallest effect that matters (0.8 for a ratio)")
    _check_columns(table, ["rob"])
    bias = dict(zip(table.text("study"), table.text("rob"), strict=True))
    write_network_findings(
        fit, arguments.summary, risk_of_bias=bias, important=arguments.important, baseline_risk=arguments.baseline
    )


def _check_columns(table: Any, wanted: list[str]) -> None:
    missing = [name for name in wanted if name not in table.columns]
    if missing:
        raise InputError(f"{table.file}: no column {', '.join(missing)}; it has {', '.join(table.columns)}")


def values_of(fit: Any) -> dict[str, Any]:
    """A fitted network with its tests as values for JSON."""
    design = fit.by_design()
    values: dict[str, Any] = fit.to_dict()
    values["q_within_designs"] = _test(design.within_designs)
    values["q_between_designs"] = _test(design.between)
    values["design_by_treatment"] = {**_test(design.interaction), "tau2_within": design.tau2_within}
    values["split"] = [{name: known(getattr(one, name)) for name in one.__match_args__} for one in fit.split()]
    values["evidence_flow"] = [
        {name: known(getattr(one, name)) for name in one.__match_args__} for one in fit.evidence_flow()
    ]
    return values


def flow_table(fit: Any) -> list[list[str]]:
    """How direct each estimate is, as rows of text."""
    rows = [["comparison", "direct", "mean path", "parallel paths", "parallel studies"]]
    for one in fit.evidence_flow():
        numbers = (one.mean_path, one.parallelism, one.parallelism_by_study)
        name = f"{one.treatment_1}:{one.treatment_2}"
        rows.append([name, f"{100 * one.proportion:.0f}%", *(f"{x:.2f}" for x in numbers)])
    return rows


def _test(test: Any) -> dict[str, Any]:
    return {"value": test.q, "df": test.df, "p": known(test.p)}


def aligned(rows: list[list[str]]) -> str:
    """Rows of text in columns."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)


NETWORK = Command(
    about=(
        "Network meta-analysis of one table. Either contrasts, with the columns study, treatment_1,\n"
        "treatment_2, effect and se (or variance): treatment_1 minus treatment_2 on the analysis\n"
        "scale, all contrasts of a study of several arms. Or arms, with study, treatment and events,\n"
        "n (OR, RR, RD), mean, sd, n (MD, ROM) or events, time (IRR).\n"
        "Or the folder of a review package: the networks that its plan names ([[networks]]), from\n"
        "its own arms."
    ),
    example="balm network arms.csv --measure OR --reference Placebo --league",
    configure=configure,
    run=run,
)
