"""What a command is made of, and the errors the command line adds to those of the rooms below."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable
from typing import Any

from balm.vocabulary.problems import BalmError, InputError, Problem, unknown_option
from balm.vocabulary.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """``about`` opens the help, ``example`` closes it; ``configure`` adds the arguments; ``run`` returns the status."""

    about: str
    example: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


class UsageError(BalmError):
    """The command line itself is wrong (status 2), whatever the files hold."""


def one_of(name: str, allowed: Iterable[str]) -> Callable[[str], str]:
    """An argparse type: a word of a closed list, with the nearest match when it is none.

    >>> one_of("--measure", ["OR", "RR"])("RR")
    'RR'
    """
    words = list(allowed)

    def check(value: str) -> str:
        if value not in words:
            raise argparse.ArgumentTypeError(_reason(unknown_option(name, value, words), name))
        return value

    return check


def number(
    name: str, *, above: float | None = None, below: float | None = None, at_least: float | None = None
) -> Callable[[str], float]:
    """An argparse type: a finite number, between the given ends where there are any."""

    def check(value: str) -> float:
        try:
            parsed = float(value)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be a number; got {value!r}") from None
        if parsed != parsed or abs(parsed) == float("inf"):
            raise argparse.ArgumentTypeError(f"must be a finite number; got {value!r}")
        if above is not None and parsed <= above:
            raise argparse.ArgumentTypeError(f"must be above {above:g}; got {value}")
        if at_least is not None and parsed < at_least:
            raise argparse.ArgumentTypeError(f"must be {at_least:g} or more; got {value}")
        if below is not None and parsed >= below:
            raise argparse.ArgumentTypeError(f"must be below {below:g}; got {value}")
        return parsed

    return check


def numbers(name: str) -> Callable[[str], list[float]]:
    """An argparse type: numbers between commas."""
    one = number(name)

    def check(value: str) -> list[float]:
        return [one(part.strip()) for part in value.split(",")]

    return check


def add_words(parser: argparse.ArgumentParser, *rows: tuple[str, Iterable[str], str, str]) -> None:
    """Options that take a word of a list: flag, words, what it says, and the word in force without it."""
    for flag, words, about, default in rows:
        allowed = list(words)
        said = f"{about}: {', '.join(allowed)} (default: {default})"
        parser.add_argument(flag, metavar="WORD", default=default, type=one_of(flag, allowed), help=said)


def add_level(parser: argparse.ArgumentParser) -> None:
    """``--level``, of all intervals."""
    parser.add_argument(
        "--level",
        default=0.95,
        type=number("--level", above=0.0, below=1.0),
        metavar="X",
        help="coverage of all intervals, between 0 and 1 (default: 0.95)",
    )


def print_json(values: Any) -> None:
    """``values`` on the standard output: full precision, ASCII whatever the terminal, never ``NaN``."""
    import json

    print(json.dumps(values, indent=2, allow_nan=False))


def placed(problem: Problem, table: Any, arguments: argparse.Namespace | None = None) -> Problem:
    """The problem with its file, the row as the file counts it, and the options of this command as they are typed."""
    row = None if problem.row is None else table.row_numbers[problem.row - 1]
    line = None if problem.row is None else table.lines[problem.row - 1]
    reason = problem.reason if arguments is None else as_typed(problem.reason, vars(arguments))
    return Problem(reason, file=table.file, row=row, column=problem.column, value=problem.value, line=line)


def as_typed(reason: str, options: Iterable[str]) -> str:
    """A message that names options as Python takes them, with those of a command as they are typed.

    >>> as_typed("stages=1 or method='common'; add=0.5", ["stages", "method"])
    '--stages 1 or --method common; add=0.5'
    """
    import re

    names = "|".join(re.escape(name) for name in options)
    found = re.compile(rf"(?<![\w-])({names})=(['\"]?)([\w.+-]*\w)\2")
    return found.sub(lambda m: f"--{m[1].replace('_', '-')} {m[3]}", reason)


def known(value: Any) -> Any:
    """JSON has no nan: what is not known is null."""
    if isinstance(value, dict):
        return {name: known(one) for name, one in value.items()}
    if isinstance(value, list):
        return [known(one) for one in value]
    return None if isinstance(value, float) and value != value else value


def _reason(error: InputError, name: str) -> str:
    """The message without the name, which argparse prints before it."""
    return str(error).removeprefix(f"{name} ")


#: What steers a terminal, but for tabs and the ends of lines.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Shown:
    """The standard output of a command: what would steer a terminal is written as an escape, in JSON too.

    >>> import io
    >>> out = io.StringIO()
    >>> _ = Shown(out).write("\\x1b[31mDoe 2019\\n")
    >>> out.getvalue()
    '\\\\u001b[31mDoe 2019\\n'
    """

    def __init__(self, out: Any) -> None:
        self._out = out

    def write(self, text: str) -> int:
        """Write ``text`` without what steers a terminal."""
        if not text.isprintable():
            text = _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
        written: int = self._out.write(text)
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._out, name)


def printable(text: str) -> str:
    """The text without characters that steer a terminal: a name out of somebody's file is shown, never carried out.

    >>> printable("a\\x1b[31m b")
    'a\\\\x1b[31m b'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
