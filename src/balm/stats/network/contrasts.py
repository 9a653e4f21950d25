"""The studies of a network as contrasts between treatments, checked once and sorted by study.

A study of p arms brings all p(p - 1)/2 contrasts of its arms, or its arms themselves (:mod:`.arms`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from operator import eq
from typing import Any

import numpy as np
from numpy.typing import NDArray

from balm.stats import columns as tables
from balm.vocabulary.problems import InputError, Problem, refuse
from balm.vocabulary.quick_dataclass import dataclass

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: How far the contrasts of one study may miss adding up, as a share of their standard errors' scale: rounding to two
#: decimals in a paper is below it, a wrong sign far above.
CLOSURE = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Contrasts:
    """One row a contrast, the rows of a study together.

    treatments     : (n,) names, sorted whatever their case.       studies : (k,) names, in the order given.
    study          : (m,) position in ``studies``, rising.
    first, second  : (m,) positions in ``treatments``; the effect is first minus second.
    effect         : (m,) on the analysis scale (log for ratios).     variance : (m,), above 0.
    arms           : (k,) number of arms of each study.
    """

    treatments: tuple[str, ...]
    studies: tuple[str, ...]
    study: Integers
    first: Integers
    second: Integers
    effect: Floats
    variance: Floats
    arms: Integers

    @property
    def k(self) -> int:
        """The number of studies."""
        return len(self.studies)

    def only(self, keep: Bools) -> Contrasts:
        """The studies for which ``keep`` (k,) is true, with the treatments they hold."""
        rows = keep[self.study]
        used = np.zeros(len(self.treatments), dtype=bool)
        used[self.first[rows]] = True
        used[self.second[rows]] = True
        place, number = np.cumsum(used) - 1, np.cumsum(keep) - 1
        return Contrasts(
            tuple(t for t, u in zip(self.treatments, used.tolist(), strict=True) if u),
            tuple(s for s, u in zip(self.studies, keep.tolist(), strict=True) if u),
            number[self.study[rows]],
            place[self.first[rows]],
            place[self.second[rows]],
            self.effect[rows],
            self.variance[rows],
            self.arms[keep],
        )


def names_of(argument: str, given: Any, data: Any) -> list[str]:
    """Labels of studies or treatments, stripped; an empty one is an error with its row."""
    if given is None:
        refuse(f"{argument} is needed: an array of names, or the name of a column of data")
    if isinstance(given, str):
        if data is None:
            refuse(f"{argument}={given!r} names a column, but there is no table: give data=, or an array")
        known = tables.column_names(data)
        if given not in known:
            refuse(f"{argument}: the column must be among {known}; got {given!r}")
        values = data[given]
    else:
        values = given
    values = values.tolist() if hasattr(values, "tolist") else list(values)
    if set(map(type, values)) == {str}:
        found = list(map(str.strip, values))
    else:
        found = [v.strip() if isinstance(v, str) else tables._label(v) for v in values]
    if all(found):
        return found
    label = given if isinstance(given, str) else argument
    empty = [i for i, name in enumerate(found) if not name]
    raise InputError([Problem("a name is missing", row=i + 1, column=label, value="") for i in empty])


def read_contrasts(
    *,
    data: Any = None,
    study: Any = None,
    treatment_1: Any = None,
    treatment_2: Any = None,
    effect: Any = None,
    se: Any = None,
    variance: Any = None,
) -> Contrasts:
    """Contrasts from columns or arrays; every problem of the input is raised at once, with its row.

    >>> found = read_contrasts(study=["1", "2"], treatment_1=["A", "B"], treatment_2=["B", "C"],
    ...                        effect=[0.1, 0.2], se=[0.1, 0.1])
    >>> found.treatments
    ('A', 'B', 'C')
    """
    if (se is None) == (variance is None):
        refuse("give se or variance, one of them: the standard error of each contrast, or its square")
    names = names_of("study", study, data)
    one, two = names_of("treatment_1", treatment_1, data), names_of("treatment_2", treatment_2, data)
    y = tables.numeric_column("effect", effect, data)
    spread = tables.numeric_column("variance" if se is None else "se", variance if se is None else se, data)
    for what, column in (
        ("treatment_1", one),
        ("treatment_2", two),
        (y.label, y.values),
        (spread.label, spread.values),
    ):
        if len(column) != len(names):
            refuse(f"columns differ in length: study has {len(names)}, {what} has {len(column)}")
    problems = _problems_of(names, one, two, y, spread)
    if problems:
        raise InputError(problems)
    return assembled(names, one, two, y.values, spread.values if se is None else spread.values**2)


def _problems_of(
    names: list[str], one: list[str], two: list[str], y: tables.Column, spread: tables.Column
) -> list[Problem]:
    problems = []
    same = any(map(eq, one, two))
    for i, (study, a, b) in enumerate(zip(names, one, two, strict=True) if same else ()):
        if a == b:
            problems.append(Problem(f"study {study!r} compares {a!r} with itself", row=i + 1, column="treatment_2"))
    for column, bad in (
        (y, ~np.isfinite(y.values)),
        (spread, ~(np.isfinite(spread.values) & (spread.values > 0.0))),
    ):
        for i in np.flatnonzero(bad).tolist():
            found = column.unreadable.get(i, f"{column.values[i]:g}")
            want = "a finite number" if column is y else "a number above 0"
            reason = f"study {names[i]!r}: {column.argument} must be {want}; got {found!r}"
            problems.append(Problem(reason, row=i + 1, column=column.label, value=found))
    return problems


def assembled(names: Sequence[str], one: Sequence[str], two: Sequence[str], effect: Any, variance: Any) -> Contrasts:
    """The rows sorted by study, with numbers for names, and each study checked for its arms.

    >>> assembled(["1"], ["A"], ["B"], [0.1], [0.2]).arms.tolist()
    [2]
    """
    if not names:
        refuse("no rows: a network needs at least one contrast")
    order_of = dict(zip(dict.fromkeys(names), count(), strict=False))
    treatments = tuple(sorted(sorted({*one, *two}), key=str.casefold))
    number = dict(zip(treatments, count(), strict=False))
    study = np.fromiter(map(order_of.__getitem__, names), np.int64, len(names))
    first = np.fromiter(map(number.__getitem__, one), np.int64, len(names))
    second = np.fromiter(map(number.__getitem__, two), np.int64, len(names))
    effect, variance = np.asarray(effect, dtype=np.float64), np.asarray(variance, dtype=np.float64)
    if (study[1:] < study[:-1]).any():
        order = np.argsort(study, kind="stable")
        study, first, second = study[order], first[order], second[order]
        effect, variance = effect[order], variance[order]
    k, n = len(order_of), len(treatments)
    # the arms of a study, counted as its distinct treatments
    held_rows = np.bincount(study, minlength=k)
    arms = np.full(k, 2, dtype=np.int64)
    many = held_rows > 1
    if many.any():
        rows = many[study]
        held = _distinct(np.concatenate([study[rows] * n + first[rows], study[rows] * n + second[rows]]))
        arms[many] = np.bincount(held // n, minlength=k)[many]
        low, high = np.minimum(first, second), np.maximum(first, second)
        pair = (study * n + low) * n + high
        once = np.bincount(_distinct(pair) // (n * n), minlength=k)
        wrong = (held_rows != once) | (held_rows != arms * (arms - 1) // 2)
        if wrong.any():
            raise InputError(
                [_incomplete(list(order_of)[s], int(arms[s]), int(held_rows[s])) for s in np.flatnonzero(wrong)]
            )
    return Contrasts(treatments, tuple(order_of), study, first, second, effect, variance, arms)


def _distinct(codes: Integers) -> Integers:
    """Sorted, each once."""
    codes = np.sort(codes)
    return np.asarray(codes[np.concatenate([[True], codes[1:] != codes[:-1]])], np.int64)


def _incomplete(study: str, arms: int, rows: int) -> Problem:
    return Problem(
        f"study {study!r} compares {arms} treatments and must bring each of their {arms * (arms - 1) // 2} contrasts "
        f"once; it has {rows} rows. Give all of them (or the arms), and one row a pair"
    )
