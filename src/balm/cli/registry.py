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
}

#: Option -> the tasks it belongs to; anywhere else it is an error, not ignored.
BELONGS = {
    "mapping": ("import",),
    "table": ("import",),
    "dry_run": ("import",),
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
    does: dict[str, Any] = {"new": _new, "check": _check, "import": _import}
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
