"""What is wrong with an input, said once: the name, the place, the value and the way out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NoReturn

from balm.vocabulary.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one place.

    ``file``, ``row`` (1 = the first data row, under the header) and ``column`` are empty where they do not apply.
    ``line`` is the line of the file as an editor counts it.
    """

    reason: str
    file: str = ""
    row: int | None = None
    column: str = ""
    value: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = [self.file] if self.file else []
        if self.row is not None:
            place.append(f"row {self.row}")
        if self.column:
            place.append(f"column {self.column}")
        return f"{', '.join(place)}: {self.reason}" if place else self.reason


class BalmError(Exception):
    """The root of every error that balm raises on purpose; its text is meant for the person at the keyboard."""


class InputError(BalmError, ValueError):
    """The input cannot be used. ``problems`` lists everything found, not only the first."""

    def __init__(self, problem: str | Problem | Iterable[Problem]) -> None:
        if isinstance(problem, str):
            self.problems: tuple[Problem, ...] = (Problem(problem),)
        elif isinstance(problem, Problem):
            self.problems = (problem,)
        else:
            self.problems = tuple(problem)
        super().__init__("\n".join(str(p) for p in self.problems))


#: What other packages, or haste, call our options; the error points to our word and never guesses silently.
OTHER_SPELLINGS = {
    "hksj": "hartung-knapp",
    "knha": "hartung-knapp",
    "hk": "hartung-knapp",
    "adhoc": "hartung-knapp-guarded",
    "z": "wald",
    "normal": "wald",
    "classic": "wald",
    "kr": "kenward-roger",
    "fe": "common",
    "ee": "common",
    "fixed": "common",
    "re": "random",
    "only0": "only-zero",
    "if0all": "if-any-zero",
    "smd1": "SMD1",
}


def unknown_option(name: str, value: object, allowed: Sequence[str]) -> InputError:
    """The error for a value outside a closed list: name, value, the list, and the nearest match.

    >>> str(unknown_option("measure", "rr", ["OR", "RR"]))
    "measure must be one of ['OR', 'RR']; got 'rr' (did you mean 'RR'?)"
    """
    text = str(value)
    nearest = None
    by_case = {a.lower(): a for a in allowed}
    if text.lower() in by_case:
        nearest = by_case[text.lower()]
    elif OTHER_SPELLINGS.get(text.lower()) in allowed:
        nearest = OTHER_SPELLINGS[text.lower()]
    else:
        import difflib  # only a mistake needs it

        close = difflib.get_close_matches(text.lower(), list(by_case), n=1)
        nearest = by_case[close[0]] if close else None
    hint = f" (did you mean {nearest!r}?)" if nearest is not None else ""
    return InputError(f"{name} must be one of {list(allowed)}; got {value!r}{hint}")


def check_option(name: str, value: object, allowed: Sequence[str]) -> str:
    """``value`` when it is one of ``allowed``; otherwise the error of :func:`unknown_option`."""
    if not isinstance(value, str) or value not in allowed:
        raise unknown_option(name, value, allowed)
    return value


def check_level(level: float) -> float:
    """``level`` when it can be the coverage of an interval."""
    if not 0.0 < level < 1.0:
        raise InputError(f"level must lie between 0 and 1 (0.95 means 95%); got {level!r}")
    return level


def refuse(reason: str) -> NoReturn:
    """Raise :class:`InputError` with one reason."""
    raise InputError(reason)
