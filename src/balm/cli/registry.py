"""``balm registry``: what a clinic records, brought in, checked, reported and taken out."""

from __future__ import annotations

import argparse
from typing import Any

from balm.cli.command import Command, UsageError, print_json
from balm.vocabulary.problems import InputError

TASKS = {
    "new": "start a registry in a new folder DIR",
    "check": "name everything wrong in DIR",
    "import": "add the rows of FILE (.csv, .tsv, .xlsx); on any error nothing is saved",
    "audit": "write the audit report of DIR as one HTML file",
    "export": "write DIR in another format into a folder: --to fhir, omop or redcap",
    "demonstration": "make a SIMULATED registry in a new folder DIR, marked so on every output",
}

#: Option -> the tasks it belongs to; anywhere else it is an error, not ignored.
BELONGS = {
    "mapping": ("import",),
    "table": ("import",),
    "dry_run": ("import",),
    "redcap": ("import",),
    "to": ("export",),
    "output": ("audit", "export"),
    "review": ("audit",),
    "site": ("audit",),
    "since": ("audit",),
    "until": ("audit",),
    "as_of": ("audit",),
    "figures": ("audit",),
    "seed": ("demonstration",),
    "people": ("demonstration",),
}
#: Tasks that need FILE, and those that take one.
NEEDS_FILE = ("import",)


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``balm registry``."""
    parser.add_argument(
        "task",
        choices=tuple(TASKS),
        metavar="TASK",
        help="; ".join(f"`{name}`: {what}" for name, what in TASKS.items()),
    )
    parser.add_argument("folder", metavar="DIR", help="folder of the registry")
    parser.add_argument("file", metavar="FILE", nargs="?", help="import: the table to bring in")
    parser.add_argument("--mapping", metavar="M.toml", help="import: which column of FILE fills what")
    parser.add_argument("--table", metavar="NAME", help="import: FILE is this table of the registry")
    parser.add_argument(
        "--dry-run", action="store_true", default=None, help="import: say what would be added, and save nothing"
    )
    parser.add_argument(
        "--redcap",
        metavar="DICTIONARY",
        help="import: FILE holds records of the REDCap project with this data dictionary",
    )
    parser.add_argument(
        "--to", metavar="FORMAT", help="export: fhir (R4B), omop (CDM 5.4), redcap, or excel to look at (required)"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="audit: the report, replacing it (default: audit.html); export: the folder (required)",
    )
    parser.add_argument(
        "--review", metavar="REVIEW", help="audit: a review package whose trials, cohorts and dose limits stand beside"
    )
    parser.add_argument("--site", metavar="ID", help="audit: one site alone")
    parser.add_argument("--since", metavar="DATE", type=_day, help="audit: courses begun on this day or later")
    parser.add_argument("--until", metavar="DATE", type=_day, help="audit: courses begun up to this day")
    parser.add_argument("--as-of", metavar="DATE", type=_day, help="audit: what was due on this day (default: today)")
    parser.add_argument("--figures", metavar="FOLDER", help="audit: write the figures as SVG into FOLDER as well")
    parser.add_argument("--seed", metavar="N", type=int, help="demonstration: another simulation (default: 20260301)")
    parser.add_argument("--people", metavar="N", type=int, help="demonstration: how many people (default: 150)")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Do the task that is asked for."""
    for option, tasks in BELONGS.items():
        if getattr(arguments, option) is not None and arguments.task not in tasks:
            raise UsageError(f"--{option.replace('_', '-')} belongs to {' and '.join(tasks)}, not to {arguments.task}")
    if arguments.task in NEEDS_FILE and arguments.file is None:
        raise UsageError(f"`balm registry {arguments.task}` needs FILE after DIR")
    if arguments.task not in NEEDS_FILE and arguments.file is not None:
        raise UsageError(f"`balm registry {arguments.task}` takes no FILE; got {arguments.file!r}")
    does: dict[str, Any] = {
        "new": _new,
        "check": _check,
        "import": _import,
        "audit": _audit,
        "export": _export,
        "demonstration": _demonstration,
    }
    status: int = does[arguments.task](arguments)
    return status


def _new(arguments: argparse.Namespace) -> int:
    from balm.actions.registry_folder import new_registry

    written = new_registry(arguments.folder)
    if arguments.json:
        print_json({"written": written})
    else:
        print(f"a registry begins in {arguments.folder}: {', '.join(written)}")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from balm.actions.registry_folder import checked_registry
    from balm.registry.tables import TABLES

    registry, problems = checked_registry(arguments.folder)
    if arguments.json:
        print_json({"problems": [_problem(p) for p in problems]})
        return 1 if problems else 0
    if registry is None:
        raise InputError(problems)
    rows = {t.attribute: len(getattr(registry, t.attribute)) for t in TABLES}
    print("nothing wrong: " + ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in rows.items() if n))
    return 0


def _import(arguments: argparse.Namespace) -> int:
    from balm.actions.registry_import import import_into_registry

    try:
        done = import_into_registry(
            arguments.folder,
            arguments.file,
            mapping=arguments.mapping,
            table=arguments.table,
            redcap=arguments.redcap,
            dry_run=bool(arguments.dry_run),
        )
    except InputError as error:
        if not arguments.json:
            raise
        print_json({"saved": False, "problems": [_problem(p) for p in error.problems]})
        return 1
    added = {name: n for name, n in done.plan.added.items() if n}
    if arguments.json:
        print_json(
            {
                "saved": not done.dry_run,
                "read": done.plan.read,
                "added": added,
                "there_already": done.plan.there,
                "columns_not_used": list(done.plan.unused),
                "written": list(done.written),
                "problems": [],
            }
        )
        return 0
    print(f"{done.plan.read} row{'' if done.plan.read == 1 else 's'} read")
    would = "would be added" if done.dry_run else "added"
    for name, n in added.items():
        print(f"{n} {name.replace('_', ' ')} {would}")
    for name, n in done.plan.there.items():
        print(f"{n} {name.replace('_', ' ')} there already")
    if done.plan.unused:
        print(f"columns not used: {', '.join(done.plan.unused)}")
    if not added:
        print("nothing to add")
    if done.started and not done.dry_run:
        print(f"the registry in {arguments.folder} was started with the default registry.toml; read it through")
    return 0


def _audit(arguments: argparse.Namespace) -> int:
    from balm.actions.registry_audit import audit_registry, audit_values, write_audit, write_figures

    found, evidence = audit_registry(
        arguments.folder,
        review=arguments.review,
        site=arguments.site,
        since=arguments.since,
        until=arguments.until,
        as_of=arguments.as_of,
    )
    values = audit_values(found, evidence)
    written = []
    if arguments.output is not None or not arguments.json:
        written.append(str(write_audit(found, evidence, arguments.output or "audit.html")))
    if arguments.figures is not None:
        written += [str(path) for path in write_figures(found, arguments.figures)]
    if arguments.json:
        print_json(values)
        return 0
    from balm.report.registry.audit_words import count, share

    if values["mark"]:
        print(values["mark"])
    flow = values["flow"]
    print(
        f"{count(flow['treated'])} treated, {count(flow['due'])} due at {values['visit']['label']}, "
        f"{count(flow['analysed'])} analysed"
    )
    for r in values["responders"]:
        print(f"{r['label']}: {share(r['over_assessed'])} of those assessed, {share(r['over_treated'])} of all treated")
    for name in written:
        print(f"wrote {name}")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from balm.actions.registry_export import EXACT, export_registry

    if arguments.to is None or arguments.output is None:
        raise UsageError("`balm registry export` needs --to FORMAT and -o FOLDER")
    written = export_registry(arguments.folder, arguments.to, arguments.output)
    if arguments.json:
        print_json({"written": written})
    else:
        print("\n".join(f"wrote {name}" for name in written))
        if arguments.to in ("omop", "redcap"):
            print(EXACT)
    return 0


def _demonstration(arguments: argparse.Namespace) -> int:
    from balm.actions.registry_folder import new_demonstration

    options = {name: n for name in ("seed", "people") if (n := getattr(arguments, name)) is not None}
    written = new_demonstration(arguments.folder, **options)
    if arguments.json:
        print_json({"written": written, "simulated": True})
    else:
        print(f"SIMULATED registry in {arguments.folder}: no patient, no clinic")
    return 0


def _day(text: str) -> Any:
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a date such as 2026-03-01; got {text!r}") from None


def _problem(p: Any) -> dict[str, Any]:
    return {"file": p.file, "row": p.row, "column": p.column, "reason": p.reason}


REGISTRY = Command(
    about=(
        "A clinic's registry is a folder of plain files: participants under pseudonyms, courses, sessions, rate\n"
        "segments, answers, adverse events. Everything that cannot be true is refused by file, row and column."
    ),
    example="balm registry import clinic cohort.csv --dry-run",
    configure=configure,
    run=run,
)
