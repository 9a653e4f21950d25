"""What a row of data must satisfy before a formula sees it; everything wrong is said at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from balm.stats.arrays import Bools, np
from balm.stats.columns import Column
from balm.stats.measures.arguments import ARGUMENTS, REQUIREMENT
from balm.stats.measures.measure import Floats, Measure
from balm.vocabulary.problems import InputError, Problem, unknown_option

#: A table that is wrong throughout (columns swapped, say) is described by its first rows and a count.
MOST_PROBLEMS_A_COLUMN = 100

#: Pairs of columns where the first counts some of the people counted by the second, and what they are called.
PARTS = (("events_1", "n_1"), ("events_2", "n_2"), ("events", "n"))


def check_arguments(measure: Measure, given: Sequence[str], measures: Mapping[str, Measure]) -> None:
    """All arguments the measure needs are there, none that it does not take, and one of its alternatives."""
    problems = []
    for name in given:
        if name not in ARGUMENTS:
            problems.append(Problem(str(unknown_option("an argument of effect_sizes", name, list(ARGUMENTS)))))
        elif name not in measure.accepts:
            users = [m.code for m in measures.values() if name in m.accepts]
            problems.append(
                Problem(
                    f"{name} is not used by {measure.code}, which takes {measure.takes}; it belongs to {_few(users)}"
                )
            )
    absent = [name for name in measure.columns if name not in given]
    if absent:
        problems.append(Problem(f"{measure.code} needs {', '.join(absent)} as well (it takes {measure.takes})"))
    if measure.one_of:
        complete = [group for group in measure.one_of if all(name in given for name in group)]
        alternatives = " | ".join(", ".join(group) for group in measure.one_of)
        started = [n for n in given if n in measure.accepts and n not in measure.columns]
        if not complete:
            problems.append(Problem(f"{measure.code} needs one of {alternatives}; got {', '.join(started) or 'none'}"))
        elif len(started) > len(complete[0]):
            problems.append(Problem(f"{measure.code} needs only one of {alternatives}; got {', '.join(started)}"))
    if problems:
        raise InputError(problems)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (" ..." if len(names) > 6 else "")


def check_rows(
    columns: Mapping[str, Column],
    values: Mapping[str, Floats],
    study: Sequence[str],
    *,
    refuse_missing: bool,
    zero_sd: str,
    counts: str,
) -> None:
    """Every number is there, is a number and is possible; otherwise one error that lists all that is wrong."""
    problems: list[tuple[int, Problem]] = []

    def report(name: str, wrong: Bools, reason: str, beside: str = "") -> None:
        """Add a problem for each row in ``wrong``; ``reason`` may speak of ``{got}`` and of ``{beside}``."""
        column = columns[name]
        rows = np.flatnonzero(wrong).tolist()
        for i in rows[:MOST_PROBLEMS_A_COLUMN]:
            text = column.unreadable.get(0 if column.constant else i)
            shown = repr(text) if text is not None else _shown(values[name], i)
            said = reason.format(got=shown, beside=_shown(values[beside], i) if beside else "")
            found = Problem(f"{study[i]}: {name} {said}", row=i + 1, column=column.label, value=text or shown)
            problems.append((i, found))
        if len(rows) > MOST_PROBLEMS_A_COLUMN:
            more = len(rows) - MOST_PROBLEMS_A_COLUMN
            problems.append((len(study), Problem(f"and {more} more rows with such a value", column=column.label)))

    for name, column in columns.items():
        kind, x = ARGUMENTS[name].kind, values[name]
        unreadable = np.zeros(len(x), dtype=bool)
        if column.unreadable:
            unreadable[slice(None) if column.constant else list(column.unreadable)] = True
            report(name, unreadable, "must be a number; got {got}")
        missing = np.isnan(x) & ~unreadable
        if refuse_missing:
            report(name, missing, "is missing; complete it, or leave such studies out with missing='drop'")
        wrong = _impossible(kind, x, zero_sd, counts) & ~np.isnan(x)
        if wrong.any():
            required = REQUIREMENT[kind]
            if counts == "fractional":
                required = required.replace("a whole number, 1 or more", "above 0").replace("a whole number, 0", "0")
            report(name, wrong & (x != 0.0), f"{required}; got {{got}}")
            report(name, wrong & (x == 0.0), f"{required}; got {{got}}{_ABOUT_ZERO.get(kind, '')}")
    for part, whole in PARTS:
        if part in columns and whole in columns:
            exceeds = values[part] > values[whole]
            report(part, exceeds, f"({{got}}) exceed the people in the group, {whole} ({{beside}})", whole)
    if "ci_low" in columns and "ci_high" in columns:
        crossed = values["ci_high"] <= values["ci_low"]
        report("ci_high", crossed, "({got}) must be above ci_low ({beside})", "ci_low")
    if "alpha" in columns:
        report("alpha", values["alpha"] >= 1.0, "must be below 1; got {got}")
    if problems:
        problems.sort(key=lambda item: item[0])
        raise InputError(p for _, p in problems)


_ABOUT_ZERO = {
    "spread": " (a spread of 0 is usually a rounded or missing one; zero_sd='keep' takes it as it is)",
    "positive": " (0 is usually a rounded standard error, or a study with zero cells that was not corrected)",
}


def _impossible(kind: str, x: Floats, zero_sd: str, counts: str) -> Bools:
    """The rows of ``x`` outside what its kind allows; infinities never are allowed."""
    wrong = np.isinf(x)
    if kind in ("count", "size"):
        wrong |= x < 0.0
        if counts == "whole":
            wrong |= x != np.floor(x)
        if kind == "size":
            wrong |= (x < 1.0) if counts == "whole" else (x <= 0.0)
    elif kind == "spread":
        wrong |= (x < 0.0) if zero_sd == "keep" else (x <= 0.0)
    elif kind in ("time", "positive"):
        wrong |= x <= 0.0
    elif kind == "correlation":
        wrong |= np.abs(x) > 1.0
    elif kind == "fraction":
        wrong |= (x < 0.0) | (x > 1.0)
    elif kind == "probability":
        wrong |= (x <= 0.0) | (x > 1.0)
    return wrong


def _shown(values: Floats, i: int) -> str:
    value = float(values[i])
    return f"{int(value)}" if np.isfinite(value) and value == np.floor(value) else f"{value:.12g}"
