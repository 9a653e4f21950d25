"""The reference page of the command line, made from the parser: ``python -m balm.cli.reference > FILE``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from balm.cli.main import COMMANDS, build_parser, load

HEAD = """# Command line

<!-- Made by `python -m balm.cli.reference`; a test fails when it differs from the parser. -->

Every command explains itself with `--help`.

Exit status: 0 done; 1 a problem in the input, named on the standard error, one line a problem; 2 wrong usage;
130 stopped by Ctrl-C. An unexpected fault prints how to report it; `--debug` shows its traceback.
"""


def markdown() -> str:
    """The whole page."""
    parser = build_parser(COMMANDS)
    choices = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction)).choices
    parts = [HEAD, "| command | does |", "|---|---|"]
    parts += [f"| [`balm {name}`](#balm-{name}) | {summary} |" for name, (_, summary) in COMMANDS.items()]
    for name in COMMANDS:
        command = load(name)
        parts += ["", f"## balm {name}", "", command.about, "", "```", command.example, "```", ""]
        parts += _rows(choices[name])
    return "\n".join(parts) + "\n"


def _rows(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield "| argument | meaning |"
    yield "|---|---|"
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
        if action.option_strings:
            takes = "" if action.nargs == 0 else f" {value}"
            name = ", ".join(f"`{flag}{takes}`" for flag in action.option_strings)
        else:
            name = f"`{value}`"
        if action.required and action.option_strings:
            name += " (required)"
        meaning = (action.help or "").replace("%%", "%").replace("|", "\\|")
        yield f"| {name.replace('|', chr(92) + '|')} | {meaning} |"


if __name__ == "__main__":
    print(markdown(), end="")
