"""Arms of studies turned into contrasts: one row an arm in, all contrasts of each study out.

Each arm has a value and a variance on the analysis scale, so that the contrasts of a study share their arms exactly.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from balm.stats import columns as tables
from balm.stats.network.contrasts import Contrasts, Floats, assembled, names_of
from balm.vocabulary.problems import InputError, Problem, check_option, refuse

#: Measure -> the columns of an arm.
ARM_COLUMNS = {
    "OR": ("events", "n"),
    "RR": ("events", "n"),
    "RD": ("events", "n"),
    "MD": ("mean", "sd", "n"),
    "ROM": ("mean", "sd", "n"),
    "IRR": ("events", "time"),
}


COUNTS = ("whole", "fractional")


def read_arms(
    measure: str, *, data: Any, study: Any, treatment: Any, add: float, columns: dict[str, Any], counts: str = "whole"
) -> tuple[Contrasts, tuple[str, ...]]:
    """The contrasts, and the labels of studies left out because no arm (or every participant) had an event.

    ``add`` is added to events and non-events of every arm of a study in which some arm has none.
    ``counts`` is "whole", or "fractional" to accept effective sample sizes.
    """
    check_option("counts", counts, COUNTS)
    check_option("measure, for arms,", measure, list(ARM_COLUMNS))
    wanted = ARM_COLUMNS[measure]
    missing = [name for name in wanted if columns.get(name) is None]
    if missing:
        refuse(f"measure {measure} needs the columns {', '.join(wanted)} of each arm; missing: {', '.join(missing)}")
    extra = [name for name, value in columns.items() if value is not None and name not in wanted]
    if extra:
        refuse(f"measure {measure} takes {', '.join(wanted)} of each arm, not {', '.join(extra)}")
    names, drug = names_of("study", study, data), names_of("treatment", treatment, data)
    given = {name: tables.numeric_column(name, columns[name], data) for name in wanted}
    for name, column in given.items():
        if len(column.values) != len(names) or len(drug) != len(names):
            refuse(f"columns differ in length: study has {len(names)}, {name} has {len(column.values)}")
    _check(names, given, measure, counts)
    with np.errstate(over="ignore", under="ignore"):  # said when contrasts are checked
        values, variances, usable = _on_scale(measure, names, {n: c.values for n, c in given.items()}, add)
    of_study: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        of_study.setdefault(name, []).append(i)
    problems = []
    rows: list[tuple[int, int]] = []
    left_out = []
    for name, arms in of_study.items():
        if len(arms) < 2:
            problems.append(Problem(f"study {name!r} has one arm only; a network needs two or more", row=arms[0] + 1))
        elif len({drug[i] for i in arms}) < len(arms):
            problems.append(
                Problem(f"study {name!r} has two arms of the same treatment; combine them", row=arms[-1] + 1)
            )
        elif not usable[arms].all():
            left_out.append(name)
        else:
            rows += combinations(arms, 2)
    if problems:
        raise InputError(problems)
    if not rows:
        refuse("no study has an event in any arm: there is nothing to compare")
    one, two = np.array(rows).T
    with_error = np.isfinite(values[one] - values[two]) & (variances[one] + variances[two] > 0.0)
    if not with_error.all():
        way = "give add= above 0 (it is 0)" if add == 0.0 else "take OR or RD"
        raise InputError(
            [
                Problem(
                    f"study {names[i]!r}: {drug[i]} and {drug[j]} have no {measure} with a standard error, as in one "
                    f"of them nobody has an event, or everybody; {way}, or leave the study out",
                    row=int(i) + 1,
                )
                for i, j in zip(one[~with_error].tolist(), two[~with_error].tolist(), strict=True)
            ]
        )
    return assembled(
        [names[i] for i in one],
        [drug[i] for i in one],
        [drug[i] for i in two],
        values[one] - values[two],
        variances[one] + variances[two],
    ), tuple(left_out)


def _check(names: list[str], given: dict[str, tables.Column], measure: str, counts: str) -> None:
    problems = []
    for name, column in given.items():
        x = column.values
        above = name in ("n", "sd", "time") or (name == "mean" and measure == "ROM")
        need = "must be a number"
        bad = np.isinf(x)
        if above:
            bad, need = bad | ~(x > 0.0), "must be above 0" + (" for a ratio of means" if name == "mean" else "")
        elif name == "events":
            bad, need = bad | ~(x >= 0.0), "must be 0 or more"
        if name in ("events", "n") and counts == "whole":
            bad |= x != np.floor(x)
            need = f"must be a whole number, {int(above)} or more"
        if name == "events" and "n" in given:
            over = x > given["n"].values
            bad, need = bad | over, need.replace("or more", "or more and at most n")
        for i in np.flatnonzero(bad | np.isnan(x)).tolist():
            found = column.unreadable.get(i, "" if np.isnan(x[i]) else f"{x[i]:g}")
            why = f"{need}; got {found!r}" if found else "is missing; complete it, or leave the study out"
            if why.startswith("must be a whole number") and x[i] > 0.0 and x[i] != np.floor(x[i]):
                why += "; counts='fractional' accepts effective sample sizes"
            problems.append(Problem(f"study {names[i]!r}: {name} {why}", row=i + 1, column=column.label, value=found))
    if problems:
        raise InputError(problems)


def _on_scale(
    measure: str, names: list[str], x: dict[str, Floats], add: float
) -> tuple[Floats, Floats, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Value and variance of each arm, and whether its study can be used."""
    usable = np.ones(len(names), dtype=bool)
    if measure in ("MD", "ROM"):
        variance = x["sd"] ** 2 / x["n"]
        if measure == "MD":
            return x["mean"], variance, usable
        return np.log(x["mean"]), variance / x["mean"] ** 2, usable
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    study = np.array([number[name] for name in names])
    a = x["events"]
    b = x["n"] - a if "n" in x else np.ones(len(a))
    cell = (a == 0.0) | ((b == 0.0) & (measure != "RR"))
    corrected = (np.bincount(study, cell) > 0)[study]
    if measure != "RD":
        none = np.bincount(study, a) == 0.0
        full = np.bincount(study, b) == 0.0
        usable = ~(none | full)[study]
    a = np.where(corrected, a + add, a)
    b = np.where(corrected, b + add, b)
    if measure == "IRR":
        return _safe_log(a / x["time"]), 1.0 / np.where(a > 0, a, np.nan), usable
    n = a + b
    if measure == "OR":
        return _safe_log(a) - _safe_log(b), 1.0 / np.where(a > 0, a, np.nan) + 1.0 / np.where(b > 0, b, np.nan), usable
    if measure == "RR":
        return _safe_log(a / n), 1.0 / np.where(a > 0, a, np.nan) - 1.0 / n, usable
    return x["events"] / (x["events"] + x["n"] - x["events"]), a * b / n**3, usable


def _safe_log(x: Floats) -> Floats:
    return np.log(np.where(x > 0.0, x, np.nan))
