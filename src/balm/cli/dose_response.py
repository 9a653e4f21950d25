"""``balm dose-response``: a table of ratios by dose in; the pooled trend, its curve and ratios at chosen doses out."""

from __future__ import annotations

import argparse
import math
from typing import Any

from balm.cli.command import (
    Command,
    UsageError,
    add_level,
    add_words,
    known,
    number,
    numbers,
    one_of,
    placed,
    print_json,
)
from balm.vocabulary.problems import InputError

#: Columns of the table, in the order of the call.
COUNTS = ("cases", "n")
#: The interval that a report prints beside a ratio.
Z_95 = 1.959963984540054


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``balm dose-response``."""
    from balm.stats.dose_response.covariance import COVARIANCES, DESIGNS
    from balm.stats.dose_response.dose_response import RATIOS
    from balm.stats.dose_response.second_stage import METHODS
    from balm.stats.dose_response.trends import TRENDS

    parser.add_argument("file", metavar="FILE", help="CSV or TSV file, one dose of a study a row; - reads the input")
    add_words(
        parser,
        ("--trend", TRENDS, "form of the trend", "linear"),
        ("--covariance", COVARIANCES, "covariance of ratios that share a reference", "greenland-longnecker"),
        ("--method", METHODS, "variation of trends between studies", "REML"),
        ("--measure", RATIOS, "what the ratios are", "RR"),
    )
    parser.add_argument(
        "--design",
        metavar="WORD",
        type=one_of("--design", list(DESIGNS)),
        help=f"design of all studies, where there is no column design: {', '.join(DESIGNS)}",
    )
    parser.add_argument(
        "--stages",
        default="2",
        metavar="1|2",
        type=one_of("--stages", ("1", "2")),
        help="2: each study's trend, then pooled; 1: all ratios at once, for studies with few doses (default: 2)",
    )
    parser.add_argument("--knots", type=numbers("--knots"), metavar="X,X,X", help="knots of the spline, as doses")
    parser.add_argument("--at", type=numbers("--at"), metavar="X,X", help="print the ratio at these doses")
    parser.add_argument(
        "--reference", type=number("--reference"), metavar="X", help="the dose they are compared with (default: lowest)"
    )
    add_level(parser)
    parser.add_argument("--plot", metavar="FILE", help="write the curve: .svg, .png or .pdf")
    parser.add_argument("--json", action="store_true", help="print the result in full precision as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Fit the trend and print it."""
    if arguments.reference is not None and arguments.at is None and not arguments.plot:
        raise UsageError("--reference is the dose that --at and --plot compare with; give one of them, or leave it out")
    from balm.actions.tables_in import read_table
    from balm.stats.dose_response.dose_response import dose_response

    table = read_table(arguments.file)
    data = _columns(table, arguments)
    try:
        fit = dose_response(
            arguments.trend,
            covariance=arguments.covariance,
            method=arguments.method,
            stages=int(arguments.stages),
            knots=arguments.knots,
            measure=arguments.measure,
            level=arguments.level,
            **data,
        )
    except InputError as error:
        raise InputError([placed(problem, table, arguments) for problem in error.problems]) from None
    if arguments.plot:
        given = {} if arguments.reference is None else {"reference": arguments.reference}
        fit.curve(arguments.plot, **given)
    against, rows = math.nan, []
    if arguments.at is not None:
        curve = fit.predict(arguments.at, reference=arguments.reference)
        against, rows = curve.reference, [
            {"dose": float(d), "ratio": math.exp(e), "low": math.exp(low), "high": math.exp(high)}
            for d, e, low, high in zip(curve.dose, curve.estimate, curve.low, curve.high, strict=True)
        ]  # fmt: skip
    if arguments.json:
        found = fit.to_dict()
        if rows:
            found |= {"reference": against, "at": rows}
        print_json(known(found))
        return 0
    print(fit)
    for row in rows:
        print(
            f"{arguments.measure} at {row['dose']:g} against {against:g}: {row['ratio']:.3f} "
            f"({row['low']:.3f} to {row['high']:.3f})"
        )
    print()
    print(fit.sentence())
    return 0


def _columns(table: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    """The arguments of the fit that come from the table."""
    named = {column.strip().lower(): column for column in table.columns}
    logs = "log_ratio" in named or "ratio" not in named
    needed = ["study", "dose", *(("log_ratio", "se") if logs else ("ratio", "low", "high"))]
    counted = arguments.covariance != "independent"
    if counted:
        needed += COUNTS
    missing = [name for name in needed if name not in named]
    if missing:
        way = "; without cases and n say --covariance independent" if set(missing) & set(COUNTS) else ""
        ratio = " (or ratio, low and high)" if "log_ratio" in missing else ""
        raise InputError(f"{table.file}: no column {', '.join(missing)}{ratio}; it has {', '.join(table.columns)}{way}")
    data: dict[str, Any] = {"study": table.text(named["study"]), "dose": table.numbers(named["dose"])}
    if counted:
        data |= {name: table.numbers(named[name]) for name in COUNTS}
        if arguments.design is None and "design" not in named:
            raise InputError(f"{table.file}: no column design; say --design, or --covariance independent")
        if arguments.design is not None and "design" in named:
            raise InputError(f"{table.file}: has a column design; leave --design out, or the column")
        data["design"] = arguments.design or table.text(named["design"])
    if logs:
        data |= {"log_ratio": table.numbers(named["log_ratio"]), "se": table.numbers(named["se"])}
    else:
        data |= _from_ratios(table, named)
    return data


def _from_ratios(table: Any, named: dict[str, str]) -> dict[str, Any]:
    """Log ratios with standard errors from ratios and their 95 % intervals; a reference has no interval."""
    ratio, low, high = (table.numbers(named[name]) for name in ("ratio", "low", "high"))
    logs, errors, problems = [], [], []
    for i, (r, a, b) in enumerate(zip(ratio, low, high, strict=True)):
        reference = (a != a and b != b) or a == b == 1.0
        if reference:
            if r == r and r != 1.0:
                problems.append(table.problem(i, named["low"], "is empty, but the ratio is not that of a reference, 1"))
            logs.append(0.0)
            errors.append(0.0)
        elif not (r > 0.0 and 0.0 < a < b):
            reason = f"ratio {r:g} with interval {a:g} to {b:g}: ratios and ends must be above 0, low below high"
            problems.append(table.problem(i, named["ratio"], reason))
        elif not a <= r <= b:
            reason = f"ratio {r:g} lies outside its own interval, {a:g} to {b:g}: check the three"
            problems.append(table.problem(i, named["ratio"], reason))
        else:
            logs.append(math.log(r))
            errors.append((math.log(b) - math.log(a)) / (2.0 * Z_95))
    if problems:
        raise InputError(problems)
    return {"log_ratio": logs, "se": errors}


DOSE_RESPONSE = Command(
    about=(
        "Dose-response meta-analysis. One dose of a study a row, with the columns study, dose, log_ratio\n"
        "and se (0 or empty at the reference dose), or ratio, low and high (its 95% interval; empty at\n"
        "the reference), and cases, n and design, from which the covariance of ratios that share a\n"
        "reference is worked out; without these say --covariance independent."
    ),
    example="balm dose-response doses.csv --trend spline --at 12,24 --plot curve.svg",
    configure=configure,
    run=run,
)
