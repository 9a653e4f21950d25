"""The studies of a network as contrasts between treatments, checked once and sorted by study.

A study of p arms brings all p(p - 1)/2 contrasts of its arms, or its arms themselves (:mod:`.arms`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from itertools import chain, compress, count
from operator import ne
from typing import Any

import numpy as np
from numpy.typing import NDArray

from balm.stats import columns as tables
from balm.stats.network import compiled
from balm.stats.pooling.size import check_sizes
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


def _given(argument: str, given: Any, data: Any) -> list[Any]:
    """The values of a column of labels, as they are."""
    if given is None:
        refuse(f"{argument} is needed: an array of names, or the name of a column of data")
    if isinstance(given, str):
        if data is None:
            refuse(f"{argument}={given!r} names a column, but there is no table: give data=, or an array")
        known = tables.column_names(data)
        if given not in known:
            refuse(f"{argument}: the column must be among {known}; got {given!r}")
        given = data[given]
    return list(given.tolist() if hasattr(given, "tolist") else given)


def _stripped(argument: str, given: Any, values: list[Any]) -> list[str]:
    """Labels as text without spaces around them; an empty one is an error with its row."""
    try:
        found = list(map(str.strip, values))
    except TypeError:  # numbers among them
        found = [v.strip() if isinstance(v, str) else tables._label(v) for v in values]
    if all(found):
        return found
    label = given if isinstance(given, str) else argument
    empty = [i for i, name in enumerate(found) if not name]
    raise InputError([Problem("a name is missing", row=i + 1, column=label, value="") for i in empty])


def names_of(argument: str, given: Any, data: Any) -> list[str]:
    """Labels of studies or treatments, stripped; an empty one is an error with its row."""
    return _stripped(argument, given, _given(argument, given, data))


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
    labels = _read_labels({"study": study, "treatment_1": treatment_1, "treatment_2": treatment_2}, data)
    y = tables.numeric_column("effect", effect, data)
    spread = tables.numeric_column("variance" if se is None else "se", variance if se is None else se, data)
    _same_length(len(labels.study), {y.label: y.values, spread.label: spread.values})
    problems = _problems_of(labels, y, spread)
    if problems:
        raise InputError(problems)
    with np.errstate(over="ignore", under="ignore"):  # said with the effects
        return _sorted(labels, y.values, spread.values if se is None else spread.values**2)


@dataclass(frozen=True, slots=True, eq=False)
class _Labels:
    """Names as numbers: ``study`` (m,) among ``studies`` in the order given, ``first`` and ``second`` of treatments."""

    treatments: tuple[str, ...]
    studies: tuple[str, ...]
    study: Integers
    first: Integers
    second: Integers


def _read_labels(given: dict[str, Any], data: Any) -> _Labels:
    """The three columns of labels as numbers.

    Text that needs no stripping is looked at once a name, not once a row.
    """
    columns = [_given(argument, one, data) for argument, one in given.items()]
    at_once = _numbered_at_once(*columns)
    if at_once is not None:
        return at_once
    try:
        found = _numbered(*columns)
        clean = _clean(found.studies) and _clean(found.treatments)
    except TypeError:  # numbers among them
        clean = False
    if not clean:
        columns = [_stripped(argument, one, c) for (argument, one), c in zip(given.items(), columns, strict=True)]
        found = _numbered(*columns)
    _same_length(len(columns[0]), dict(zip(given, columns, strict=True)))
    return found


def _clean(names: tuple[str, ...]) -> bool:
    return all(names) and tuple(map(str.strip, names)) == names


def _same_length(m: int, columns: Mapping[str, Sized]) -> None:
    for what, column in columns.items():
        if len(column) != m:
            refuse(f"columns differ in length: study has {m}, {what} has {len(column)}")


def _numbered_at_once(names: list[Any], one: list[Any], two: list[Any]) -> _Labels | None:
    """:func:`_numbered` through the kernel; ``None`` where it cannot, or where a name must be looked at."""
    if not len(names) == len(one) == len(two):
        return None
    both = one + two
    rows, ends = compiled.numbered(names), compiled.numbered(both)
    if rows is None or ends is None:
        return None
    studies = tuple(map(names.__getitem__, rows[1].tolist()))
    found = list(map(both.__getitem__, ends[1].tolist()))
    treatments = tuple(sorted(sorted(found), key=str.casefold))
    number = dict(zip(treatments, count(), strict=False))
    place = np.fromiter(map(number.__getitem__, found), np.int64, len(found))[ends[0]]
    return _Labels(treatments, studies, rows[0], place[: len(one)], place[len(one) :])


def _numbered(names: Sequence[str], one: Sequence[str], two: Sequence[str]) -> _Labels:
    # the rows of a study mostly stand together: one begins where the name is another than in the row before
    begins = [True, *map(ne, names[1:], names)][: len(names)]
    studies = tuple(compress(names, begins))
    if len(set(studies)) == len(studies):
        study = np.fromiter(begins, np.int64, len(names)).cumsum() - 1
    else:
        place = dict(zip(dict.fromkeys(studies), count(), strict=False))
        studies, study = tuple(place), np.fromiter(map(place.__getitem__, names), np.int64, len(names))
    treatments = tuple(sorted(sorted({*one, *two}), key=str.casefold))
    number = dict(zip(treatments, count(), strict=False))
    ends = np.fromiter(map(number.__getitem__, chain(one, two)), np.int64, len(one) + len(two))
    return _Labels(treatments, studies, study, ends[: len(one)], ends[len(one) :])


def _problems_of(labels: _Labels, y: tables.Column, spread: tables.Column) -> list[Problem]:
    problems = []

    def study(i: int) -> str:
        return f"study {labels.studies[labels.study[i]]!r}"

    same = labels.first == labels.second
    for i in np.flatnonzero(same).tolist() if same.any() else ():
        name = labels.treatments[labels.first[i]]
        problems.append(Problem(f"{study(i)} compares {name!r} with itself", row=i + 1, column="treatment_2"))
    for column, good in ((y, np.isfinite(y.values)), (spread, (spread.values > 0.0) & (spread.values < np.inf))):
        for i in () if good.all() else np.flatnonzero(~good).tolist():
            found = column.unreadable.get(i, f"{column.values[i]:g}")
            want = "a finite number" if column is y else "a number above 0"
            reason = f"{study(i)}: {column.argument} must be {want}; got {found!r}"
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
    check_sizes(effect, variance)
    if (study[1:] < study[:-1]).any():
        order = np.argsort(study, kind="stable")
        study, first, second = study[order], first[order], second[order]
        effect, variance = effect[order], variance[order]
    k, n = len(labels.studies), len(labels.treatments)
    in_order = compiled.arms_of(n, k, study, first, second)
    if in_order is not None:
        return Contrasts(labels.treatments, labels.studies, study, first, second, effect, variance, in_order)
    # the arms of a study, counted as its distinct treatments
    held_rows = np.bincount(study, minlength=k)
    arms = np.full(k, 2, dtype=np.int64)
    many = held_rows > 1
    if many.any():
        rows = np.flatnonzero(many[study])
        of, a, b = study[rows], first[rows], second[rows]
        held = _distinct(np.concatenate([of * n + a, of * n + b]))
        arms[many] = np.bincount(held // n, minlength=k)[many]
        pair = (of * n + np.minimum(a, b)) * n + np.maximum(a, b)
        once = np.bincount(_distinct(pair) // (n * n), minlength=k)
        wrong = many & ((held_rows != once) | (held_rows != arms * (arms - 1) // 2))
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
