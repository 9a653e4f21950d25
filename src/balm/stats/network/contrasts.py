"""The studies of a network as contrasts between treatments, checked once and sorted by study.

A study of p arms brings all p(p - 1)/2 contrasts of its arms, or its arms themselves (:mod:`.arms`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
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
    try:
        found = list(map(str.strip, values))
    except TypeError:  # numbers among them
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
    labels = _numbered(names, one, two)
    problems = _problems_of(names, labels, y, spread)
    if problems:
        raise InputError(problems)
    return _sorted(labels, y.values, spread.values if se is None else spread.values**2)


@dataclass(frozen=True, slots=True, eq=False)
class _Labels:
    """Names as numbers: ``study`` (m,) among ``studies`` in the order given, ``first`` and ``second`` of treatments."""

    treatments: tuple[str, ...]
    studies: tuple[str, ...]
    study: Integers
    first: Integers
    second: Integers


def _numbered(names: Sequence[str], one: Sequence[str], two: Sequence[str]) -> _Labels:
    order_of = dict(zip(dict.fromkeys(names), count(), strict=False))
    treatments = tuple(sorted(sorted({*one, *two}), key=str.casefold))
    number = dict(zip(treatments, count(), strict=False))
    m = len(names)
    study = np.fromiter(map(order_of.__getitem__, names), np.int64, m)
    first, second = (np.fromiter(map(number.__getitem__, ends), np.int64, m) for ends in (one, two))
    return _Labels(treatments, tuple(order_of), study, first, second)


def _problems_of(names: list[str], labels: _Labels, y: tables.Column, spread: tables.Column) -> list[Problem]:
    problems = []
    for i in np.flatnonzero(labels.first == labels.second).tolist():
        name = labels.treatments[labels.first[i]]
        problems.append(Problem(f"study {names[i]!r} compares {name!r} with itself", row=i + 1, column="treatment_2"))
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
    return _sorted(
        _numbered(names, one, two), np.asarray(effect, dtype=np.float64), np.asarray(variance, dtype=np.float64)
    )


def _sorted(labels: _Labels, effect: Floats, variance: Floats) -> Contrasts:
    study, first, second = labels.study, labels.first, labels.second
    if not len(study):
        refuse("no rows: a network needs at least one contrast")
    if (study[1:] < study[:-1]).any():
        order = np.argsort(study, kind="stable")
        study, first, second = study[order], first[order], second[order]
        effect, variance = effect[order], variance[order]
    k, n = len(labels.studies), len(labels.treatments)
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
                [_incomplete(labels.studies[s], int(arms[s]), int(held_rows[s])) for s in np.flatnonzero(wrong)]
            )
    return Contrasts(labels.treatments, labels.studies, study, first, second, effect, variance, arms)


def _distinct(codes: Integers) -> Integers:
    """Sorted, each once."""
    codes = np.sort(codes)
    return np.asarray(codes[np.concatenate([[True], codes[1:] != codes[:-1]])], np.int64)


def _incomplete(study: str, arms: int, rows: int) -> Problem:
    return Problem(
        f"study {study!r} compares {arms} treatments and must bring each of their {arms * (arms - 1) // 2} contrasts "
        f"once; it has {rows} rows. Give all of them (or the arms), and one row a pair"
    )
