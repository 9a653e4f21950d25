"""``balm guide``: dosing, contraindications, monitoring and contradictions of a therapy, with sources."""

from __future__ import annotations

import argparse

from balm.cli.command import Command, UsageError, print_json
from balm.vocabulary.problems import InputError


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``balm guide``."""
    parser.add_argument(
        "therapy", metavar="THERAPY", help="a therapy with guidance (`ketamine`), or the folder of a review package"
    )
    parser.add_argument("--weight", metavar="KG", help="body weight in kg; without it no dose per kilogram is computed")
    parser.add_argument("--setting", metavar="WORD", help="chronic, acute, anaesthesia (default: the therapy's own)")
    parser.add_argument("--condition", metavar="WORD", help="such as crps, fibromyalgia, neuropathic (default: all)")
    parser.add_argument(
        "--form",
        metavar="WORD",
        help="form of the drug, such as racemic or S; forms are never converted (default: any)",
    )
    parser.add_argument(
        "--comorbidity", metavar="WORD", action="append",
        help="a comorbidity; may be repeated; `none` says that there is none (default: not asked)",
    )  # fmt: skip
    parser.add_argument("--concentration", metavar="X", help='strength of the syringe with its unit, such as "2 mg/mL"')
    parser.add_argument(
        "--plan", metavar="PARTS",
        help='an infusion held against every limit: "0.35 mg/kg over 5 min; 0.5 mg/kg/h for 4 h; pause 1 h"',
    )  # fmt: skip
    parser.add_argument("--sessions", metavar="N", help="how often the plan is given (default: 1)")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the answer as one page to read and print (.html)")
    parser.add_argument("--plot", metavar="FILE", help="write the plasma concentration of the plan (.svg .png .pdf)")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Answer; nothing is written when anything that was asked cannot be."""
    from pathlib import Path

    output = None if arguments.output is None else Path(arguments.output)
    if output is not None and output.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"-o must end in .html; got {arguments.output!r}")
    if arguments.plot is not None and arguments.plan is None:
        raise UsageError("--plot draws a plan; give --plan too")
    if output is not None and not output.parent.is_dir():
        raise InputError(f"-o {arguments.output!r}: there is no folder {str(output.parent)!r}; make it first")
    from balm.actions.guidance import ask, load
    from balm.actions.guidance_answer import curves_for, figure_for, plain_answer

    guided = ask(
        *load(arguments.therapy),
        weight=arguments.weight,
        setting=arguments.setting,
        condition=arguments.condition,
        form=arguments.form,
        comorbidities=arguments.comorbidity,
        concentration=arguments.concentration,
        plan=arguments.plan,
        sessions=arguments.sessions,
    )
    curves = curves_for(guided)
    answer = plain_answer(guided, curves)
    figure = figure_for(guided, curves)
    if arguments.plot is not None and figure is None:
        raise InputError("--plot: this therapy has no verified model of the plasma concentration")
    page = ""
    if output is not None:
        from balm.report.guidance.page import guidance_page

        page = guidance_page(answer, figure)
    if figure is not None and arguments.plot is not None:
        figure.write(arguments.plot)
    if output is not None:
        from balm.actions.review import write_whole

        try:
            write_whole(output, page)
        except OSError as error:
            raise InputError(f"{arguments.output}: cannot be written: {error.strerror or error}") from None
    if arguments.json:
        print_json(answer)
    elif output is not None:
        print(f"Guidance: {arguments.output}")
    else:
        from balm.report.guidance.as_text import answer_as_text

        print(answer_as_text(answer), end="")
    return 0


GUIDE = Command(
    about=(
        "What sources say about a therapy, for one patient: the rules that apply with computed mg, mg/h and mL/h,\n"
        "contraindications and cautions met, monitoring, what contradicts what with the arithmetic, and the evidence\n"
        "of the review. Reference values for clinicians who judge the basis of each line; no orders."
    ),
    example="balm guide ketamine --weight 70 --condition crps --concentration 2mg/mL",
    configure=configure,
    run=run,
)
