"""Leave-one-out of many analyses in one call: the numbers of :func:`balm.leave_one_out`, on arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from balm.stats.effect_sizes import Floats
from balm.stats.frame import frame
from balm.stats.groups import Integers, ManyGroups, by_label
from balm.stats.kernel import LARGEST_RATIO, LARGEST_RESIDUAL, solve_left_out
from balm.stats.pooling import compiled
from balm.stats.pooling.analysis import Analysis, analyse, conclude
from balm.stats.pooling.choices import Choices, choose
from balm.stats.pooling.pool import ONE_STUDY
from balm.stats.pooling.pool_many import given, single_studies, usable_groups
from balm.stats.simulation.replicates import TABLE, Replicates

#: The columns, in the order of ``to_frame``; each names a field of :class:`balm.stats.pooling.analysis.Analysis`.
COLUMNS = {
    "estimate": "estimate",
    "se": "se",
    "ci_low": "low",
    "ci_high": "high",
    "statistic": "statistic",
    "df": "df",
    "p": "p",
    "tau2": "tau2",
    "i2": "i2",
    "h2": "h2",
    "q": "q",
    "q_p": "q_p",
}

#: Left-out studies handed to the compiled kernel at once: two megabytes of its table.
LANES = 1 << 14

NOTHING_LEFT = "no study is left when the only one is left out"


@dataclass(frozen=True, eq=False)
class LeftOutMany:
    """One result a left-out study, as columns: (n,) arrays in the order of the rows given.

    group    : (n,) the label of the analysis.
    row      : (n,) which row was left out, from 0.
    k        : (n,) studies left.
    reasons  : row number -> why its values are ``nan`` (one study left: no heterogeneity; none left: nothing at all).
    The other columns are those of :func:`balm.pool_many`.
    """

    group: NDArray[Any]
    row: Integers
    k: Integers
    estimate: Floats
    se: Floats
    ci_low: Floats
    ci_high: Floats
    statistic: Floats
    df: Floats
    p: Floats
    tau2: Floats
    i2: Floats
    h2: Floats
    q: Floats
    q_p: Floats
    level: float
    conventions: Mapping[str, Any]
    reasons: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))

    def __len__(self) -> int:
        return len(self.estimate)

    def __repr__(self) -> str:
        return f"LeftOutMany: {len(self)} left-out studies, {dict(self.conventions)}"

    def to_frame(self) -> Any:
        """One row a left-out study, as a pandas DataFrame (a dict of columns without pandas)."""
        table: dict[str, Any] = {"group": self.group, "row": self.row, "k": self.k}
        table |= {name: getattr(self, name) for name in COLUMNS}
        return frame(table)


def leave_one_out_many(
    effect: Any,
    variance: Any,
    group: Any,
    *,
    model: str | None = None,
    tau2: str | float | None = None,
    inference: str | None = None,
    level: float = 0.95,
    profile: str | None = None,
    i2: str | None = None,
    invalid: str = "raise",
) -> LeftOutMany:
    """Pool every group once without each of its studies; options and numbers are those of :func:`balm.leave_one_out`.

    effect, variance : (n,) on the analysis scale.
    group            : (n,) labels; rows of a group need not be neighbours.
    invalid          : "raise" names every row with a missing effect or a variance that is not positive; "mark" leaves
                       the groups that hold one as ``nan`` and says so in ``reasons``.

    Without one of two studies there is the other, with its own interval and no heterogeneity; without the only study
    there is nothing.  The left-out analyses are never written out, so memory grows with the rows given alone.

    >>> left = leave_one_out_many([0.1, 0.3, 0.8], [0.04, 0.04, 0.04], ["a", "a", "a"], model="common")
    >>> left.row.tolist(), left.estimate.round(3).tolist()
    ([0, 1, 2], [0.55, 0.45, 0.2])
    """
    choices = choose(
        profile=profile,
        model=model,
        tau2=tau2,
        inference=inference,
        prediction="none",
        level=level,
        i2=i2,
        tau2_interval=None,
        weighted=False,
    )
    y, v, labels = given(effect, variance, group, invalid)
    names, order, offsets = by_label(labels)
    if order is not None:
        y, v = y[order], v[order]
    in_groups: dict[int, str] = {}
    sizes = np.diff(offsets)
    usable = usable_groups(y, v, offsets, order, names, invalid, in_groups)
    count = len(y)
    place = np.arange(count, dtype=np.int64) if order is None else order
    table = {name: np.full(count, math.nan) for name in COLUMNS}
    reasons: dict[int, str] = {}
    for owner, why in in_groups.items():
        reasons.update(dict.fromkeys(place[offsets[owner] : offsets[owner + 1]].tolist(), why))
    reasons.update(dict.fromkeys(place[offsets[:-1][usable & (sizes == 1)]].tolist(), NOTHING_LEFT))

    pairs = offsets[:-1][usable & (sizes == 2)]
    if len(pairs):
        left_out = np.concatenate((pairs, pairs + 1))
        others = np.concatenate((pairs + 1, pairs))
        for name, column in single_studies(y[others], v[others], choices).items():
            table[name][left_out] = column
        reasons.update(dict.fromkeys(place[left_out].tolist(), ONE_STUDY))

    many = usable & (sizes > 2)
    if many.any():
        whole = ManyGroups(y, v, offsets)
        rows: Any = slice(None)
        if not many.all():
            rows = np.flatnonzero(np.repeat(many, sizes))
            whole = whole.select(many)
        found = table if isinstance(rows, slice) else {name: np.empty(len(rows)) for name in COLUMNS}
        if compiled.can(choices, ends=False):
            _fill_compiled(found, whole, choices)
        else:
            _fill_numpy(found, whole, choices, np.arange(len(whole)))
        if found is not table:
            for name, column in found.items():
                table[name][rows] = column
    if order is not None:
        for column in table.values():
            column[order] = column.copy()
    return LeftOutMany(
        group=labels,
        row=np.arange(count, dtype=np.int64),
        k=_placed(np.repeat(sizes - 1, sizes), order),
        level=choices.level,
        conventions=choices.conventions,
        reasons=MappingProxyType(reasons),
        **table,
    )


def _placed(values: Integers, order: Integers | None) -> Integers:
    if order is None:
        return values
    placed = np.empty_like(values)
    placed[order] = values
    return placed


def _fill(table: dict[str, Floats], rows: Any, a: Analysis) -> None:
    for name, from_field in COLUMNS.items():
        table[name][rows] = getattr(a, from_field)


def _fill_compiled(table: dict[str, Floats], whole: ManyGroups, choices: Choices) -> None:
    """Through the compiled kernel; groups that it does not give to the last digits are done again in NumPy."""
    for part, g in whole.chunks(LANES):
        solved = solve_left_out(g.effect, g.variance, g.offsets, str(choices.tau2))
        if solved is None:
            raise RuntimeError("the compiled kernel went away")
        counted = compiled.Counted(np.repeat(g.k - 1.0, g.sizes))
        rows = slice(int(whole.offsets[part.start]), int(whole.offsets[part.stop]))
        with np.errstate(all="ignore"):
            sums = compiled.sums(str(choices.tau2), counted.k, solved, error=False)
            _fill(table, rows, conclude(counted, choices, sums))
        doubtful = (solved.span > LARGEST_RATIO) | (solved.residual > LARGEST_RESIDUAL)
        again = np.flatnonzero(np.logical_or.reduceat(doubtful, g.starts))
        if len(again):
            _fill_numpy(table, whole, choices, again + part.start)


def _fill_numpy(table: dict[str, Floats], whole: ManyGroups, choices: Choices, which: Integers) -> None:
    """In NumPy: groups of one size together, their left-out analyses side by side in a (k - 1, B) table."""
    sizes = whole.sizes[which]
    for k in np.unique(sizes).tolist():
        starts = whole.starts[which[sizes == k]]
        kept = np.arange(k - 1)[:, None]
        kept = kept + (kept >= np.arange(k))  # (k - 1, k): the studies left without each of them
        at_once = max(1, TABLE // (k * (k - 1)))
        for i in range(0, len(starts), at_once):
            some = starts[i : i + at_once]
            rows = (kept[:, None, :] + some[:, None]).reshape(k - 1, -1)
            left_out = (some[:, None] + np.arange(k)).ravel()
            _fill(table, left_out, analyse(Replicates(whole.effect[rows], whole.variance[rows]), choices))
