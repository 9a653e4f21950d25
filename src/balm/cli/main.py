"""``balm``: the table of commands, and what turns every error into one clear line and a status.

Only the command that was asked for is imported, so ``balm --help`` costs what Python and argparse cost.
Status: 0 done; 1 a problem in the input, named on the standard error; 2 the command line itself is wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import NoReturn

import balm
from balm.cli.command import Command, Shown, UsageError, printable
from balm.vocabulary.problems import InputError, unknown_option

#: Command -> (where it lives, what it does in one line). The help, the documentation and the tests walk this table.
COMMANDS = {
    "pool": ("balm.cli.pool:POOL", "pool the studies of one table: result, sentence, methods, forest plot"),
    "network": ("balm.cli.network:NETWORK", "compare all treatments of a network of trials, rank and split them"),
    "accuracy": (
        "balm.cli.accuracy:ACCURACY",
        "pool the accuracy of a diagnostic test, and draw its summary ROC curve",
    ),
    "glmm": ("balm.cli.glmm:GLMM", "pool counts by their own likelihood, without corrections of zero cells"),
    "dose-response": (
        "balm.cli.dose_response:DOSE_RESPONSE",
        "pool the trend of ratios over the dose, and draw its curve",
    ),
    "albatross": (
        "balm.cli.albatross:ALBATROSS",
        "studies by p value and size beside contours of an effect, where nothing can be pooled",
    ),
    "measures": ("balm.cli.measures:MEASURES", "list the effect measures and the columns each one needs"),
    "check": ("balm.cli.review:CHECK", "validate a review package: every wrong cell, all at once"),
    "report": ("balm.cli.review:REPORT", "write the report of a review package: HTML, Word or PDF"),
    "certainty": ("balm.cli.certainty:CERTAINTY", "GRADE of each analysis; summary of findings, evidence profile"),
    "versions": ("balm.cli.versions:VERSIONS", "history of a review, and what changed since a version"),
    "new": ("balm.cli.review:NEW", "start a review package in a new folder"),
    "revman": ("balm.cli.revman:REVMAN", "compute RevMan's numbers again, and make a review package from its file"),
    "claims": ("balm.cli.claims:CLAIMS", "check the numbers in a text, or in every abstract of a file"),
    "import": ("balm.cli.records:IMPORT", "add search exports to a review package, with a receipt of every record"),
    "dedupe": (
        "balm.cli.deduplication:DEDUPE",
        "find duplicates among search exports; doubtful pairs side by side",
    ),
    "screen": ("balm.cli.screening:SCREEN", "prioritise screening, simulate it, test when it may be enough, agreement"),
    "guide": ("balm.cli.guide:GUIDE", "doses, contraindications, monitoring and contradictions, with sources"),
    "registry": ("balm.cli.registry:REGISTRY", "a clinic's registry: import, check, audit report, exports"),
    "serve": ("balm.cli.serve:SERVE", "start the web application, or show one report, in the browser"),
}

STATUS_DONE, STATUS_INPUT, STATUS_USAGE = 0, 1, 2
#: What a shell reports for a program stopped by Ctrl-C.
STATUS_STOPPED = 130

EPILOG = """example:
  balm pool trials.csv --measure RR

exit status: 0 done; 1 a problem in the input, named on the standard error; 2 wrong usage.
`balm COMMAND --help` explains a command."""


class _Help(argparse.RawDescriptionHelpFormatter):
    """The usual help. argparse makes one for each argument, and asks ``shutil``, a slow import, for the width."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


def _columns() -> int:
    """The width of the terminal, as ``shutil.get_terminal_size`` finds it."""
    with contextlib.suppress(ValueError):
        if (asked := int(os.environ.get("COLUMNS", "0"))) > 0:
            return asked
    with contextlib.suppress(AttributeError, ValueError, OSError):
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]
    return 80


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line instead of repeating the whole usage."""

    def error(self, message: str) -> NoReturn:
        """One line, where to read on, and status 2."""
        _complain(message, f"see `{self.prog} --help`")
        raise SystemExit(STATUS_USAGE)


def load(name: str) -> Command:
    """The command called ``name``."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    command: Command = getattr(import_module(module), attribute)
    return command


def build_parser(chosen: Iterable[str] = ()) -> argparse.ArgumentParser:
    """The parser of the ``chosen`` commands with their arguments; of all commands by name where none is chosen."""
    parser = _Parser(
        prog="balm",
        description="From trial data to pooled results, figures and reports, with every number traceable.",
        epilog=EPILOG,
        formatter_class=_Help,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"balm {balm.__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    chosen = set(chosen)
    for name, (_, summary) in COMMANDS.items():
        if chosen and name not in chosen:
            continue  # its usage is not going to be shown
        if name not in chosen:
            commands.add_parser(name, help=summary, formatter_class=_Help)
            continue
        command = load(name)
        own = commands.add_parser(
            name,
            help=summary,
            description=command.about,
            epilog=f"example:\n  {command.example}",
            formatter_class=_Help,
            allow_abbrev=False,
        )
        command.configure(own)
        own.add_argument("--debug", action="store_true", help="show the traceback of an unexpected fault")
        own.set_defaults(run=command.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its status; never raises for anything a user can do."""
    words = list(sys.argv[1:] if argv is None else argv)
    _write_what_can_be_written()
    try:
        return _guarded(lambda: _run(words), words)
    except BrokenPipeError:
        # The reader (head, a closed pager) went away: nothing more to say, and nothing to flush at exit.
        _silence_output()
        return STATUS_INPUT
    except KeyboardInterrupt:
        _complain("stopped")
        return STATUS_STOPPED


def _run(words: list[str]) -> int:
    if words and not words[0].startswith("-") and words[0] not in COMMANDS:
        raise UsageError(str(unknown_option("the command", words[0], list(COMMANDS))))
    # What is imported stays: looking for garbage among it, now or later, would find none.
    gc.disable()
    parser = build_parser([words[0]] if words and words[0] in COMMANDS else [])
    gc.freeze()
    gc.enable()
    arguments = parser.parse_args(words)
    with contextlib.redirect_stdout(Shown(sys.stdout)):
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    return status


def _guarded(run: Callable[[], int], words: list[str]) -> int:
    try:
        return run()
    except SystemExit as leave:  # argparse: 0 after --help and --version, 2 after wrong usage
        return leave.code if isinstance(leave.code, int) else STATUS_USAGE
    except UsageError as error:
        _complain(f"{error}", f"see `balm {words[0]} --help`" if words[0] in COMMANDS else "see `balm --help`")
        return STATUS_USAGE
    except InputError as error:
        _complain(*(str(problem) for problem in error.problems))
        return STATUS_INPUT
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except MemoryError:
        _complain("the input does not fit into memory")
        return STATUS_INPUT
    except Exception as fault:
        if "--debug" in words:
            raise
        what = " ".join(f"{type(fault).__name__}: {fault}".split())
        _complain(
            f"an unexpected fault stopped `balm {words[0]}` ({what}); this is a defect of balm {balm.__version__}, "
            "not of your data",
            "to report it, run the same command with --debug and send what it prints with the input that shows it",
        )
        return STATUS_INPUT


def _complain(*lines: str) -> None:
    for line in lines:
        print(f"balm: {printable(line)}", file=sys.stderr)


def _write_what_can_be_written() -> None:
    """A terminal that cannot show a character gets an escape in its place, not an error: a letter that its encoding
    lacks, and what no encoding has (a name of a file that is no text)."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and stream.errors != "backslashreplace":
            reconfigure(errors="backslashreplace")


def _silence_output() -> None:
    # Where the output is no file (a test, an embedding program) there is nothing to flush.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
