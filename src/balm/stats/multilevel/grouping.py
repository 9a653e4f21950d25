"""Which effects share a level: the columns that ``random=`` and ``cluster=`` name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from balm.stats.columns import MISSING, column_names
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.vocabulary.problems import InputError, Problem

Integers = NDArray[np.int64]

#: The grouping in which every effect is its own level, unless the table has a column of that name.
EACH_EFFECT = "effect"
#: The grouping by the labels of the effect sizes, unless the table has a column of that name.
BY_STUDY = "study"


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """``codes`` (k,) from 0, and the ``labels`` they stand for.

    Levels are in first-seen order; those of a column of numbers are in increasing order, and ``numeric`` says so.
    """

    name: str
    codes: Integers
    count: int
    found: Callable[[], tuple[Any, ...]]
    numeric: bool = False

    @property
    def labels(self) -> tuple[Any, ...]:
        """One label a level; a tuple where levels are combinations. Made when asked for: there may be a million."""
        return self.found()


def grouping(name: str, values: Any) -> Grouping:
    """The levels of one column; a missing label is an error with its row.

    >>> grouping("study", ["b", "a", "b"]).codes.tolist()
    [0, 1, 0]
    """
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
        raise InputError(f"{name} must hold one label an effect; got {values!r}")
    array = np.asarray(values)
    if array.ndim != 1:
        raise InputError(f"{name} must have one dimension, a label an effect; got shape {array.shape}")
    if array.dtype.kind in "iub":
        found, codes = np.unique(array, return_inverse=True)
        return _numbered(name, found, codes)
    if array.dtype.kind == "f":
        _refuse_missing(name, np.flatnonzero(~np.isfinite(array)))
        found, codes = np.unique(array, return_inverse=True)
        return _numbered(name, found, codes)
    listed = values.to_list() if hasattr(values, "to_list") else array.tolist()
    index: dict[Any, int] = {}
    codes = np.array([index.setdefault(v, len(index)) for v in listed], dtype=np.int64)
    missing = [code for label, code in index.items() if _is_missing(label)]
    if missing:
        _refuse_missing(name, np.flatnonzero(np.isin(codes, missing)))
    return Grouping(name, codes, len(index), lambda: tuple(index))


def _numbered(name: str, found: NDArray[Any], codes: NDArray[Any]) -> Grouping:
    return Grouping(name, codes.astype(np.int64), len(found), lambda: tuple(found.tolist()), True)


def _is_missing(label: Any) -> bool:
    return label is None or label != label or (isinstance(label, str) and label.strip().lower() in MISSING)


def _refuse_missing(name: str, rows: NDArray[Any]) -> None:
    if len(rows):
        raise InputError([Problem("the label is missing: every effect needs one", "", int(i) + 1, name) for i in rows])


def column(name: str, es: EffectSizes, data: Any) -> Any:
    """The values of a column of ``data``; ``study`` and ``effect`` exist without one."""
    names = [] if data is None else column_names(data)
    if name in names:
        values = data[name]
        if len(values) != len(es):
            raise InputError(f"column {name} has {len(values)} rows; there are {len(es)} effects")
        return values
    if name == EACH_EFFECT:
        return np.arange(len(es))
    if name == BY_STUDY:
        return list(es.study)
    known = [*names, *(n for n in (BY_STUDY, EACH_EFFECT) if n not in names)]
    raise InputError(f"no column {name!r} to group the effects by; there are {known}: give the table as data=")


def crossed(parts: Sequence[Grouping]) -> Grouping:
    """The combinations of levels that occur: schools within districts, when each district numbers its own."""
    pair = parts[0].codes
    for part in parts[1:]:
        pair = pair * part.count + part.codes
        _, at, pair = np.unique(pair, return_index=True, return_inverse=True)
    rows = at if len(parts) > 1 else np.unique(pair, return_index=True)[1]

    def labels() -> tuple[Any, ...]:
        columns = [[names[i] for i in part.codes[rows].tolist()] for part in parts for names in (part.labels,)]
        return tuple(zip(*columns, strict=True))

    return Grouping("/".join(part.name for part in parts), pair.astype(np.int64), len(rows), labels)


def cluster_of(es: EffectSizes, cluster: Any, data: Any) -> Grouping:
    """``cluster=`` as a column name or as labels; at least two clusters."""
    given = column(cluster, es, data) if isinstance(cluster, str) else cluster
    found = grouping(cluster if isinstance(cluster, str) else "cluster", given)
    if len(found.codes) != len(es):
        raise InputError(f"cluster has {len(found.codes)} labels; there are {len(es)} effects")
    if found.count < 2:
        raise InputError(f"{found.name} has one cluster only: robust inference compares clusters and needs two or more")
    return found


def between_levels(said: str, given: Any, g: Grouping, otherwise: str = "") -> Floats:
    """A matrix between levels in the order of ``g``: from a labelled table, or ``(labels, matrix)``.

    said : what errors call it.  otherwise : what else it may be, for the error.
    """
    if hasattr(given, "index") and hasattr(given, "to_numpy"):
        labels, matrix = list(given.index), np.asarray(given.to_numpy(), dtype=np.float64)
    elif isinstance(given, tuple) and len(given) == 2:
        labels, matrix = list(given[0]), np.asarray(given[1], dtype=np.float64)
    else:
        raise InputError(f"{said} must be {otherwise}a labelled table or a pair (labels, matrix)")
    if matrix.shape != (len(labels), len(labels)):
        raise InputError(f"{said} has {len(labels)} labels for a matrix of shape {matrix.shape}")
    where = {label: i for i, label in enumerate(labels)}
    lacking = [x for x in g.labels if x not in where]
    if lacking:
        raise InputError(f"{said} lacks the level {lacking[0]!r}; it has {labels[:10]}")
    rows = np.array([where[x] for x in g.labels])
    chosen: Floats = matrix[np.ix_(rows, rows)]
    return chosen
