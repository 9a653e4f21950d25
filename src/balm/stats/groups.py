"""One layout for one analysis and for a million: flat effects, flat variances, and where each group starts.

A formula of this package is written once, against a few operations: ``sum`` and ``dot`` within a group, ``spread`` of a
group's value over its studies, ``lead`` (the value of the group's most precise study) and ``where``.
:class:`OneGroup` gives them for a single analysis with plain floats, :class:`ManyGroups` for compressed rows (CSR) with
``np.add.reduceat``. Nothing is padded.

Why a leading study: with variances a million million times apart, ``sum(w)**2 - sum(w**2)`` loses every digit. Taken
relative to the most precise study, the same quantity is a sum of positive terms. ``rest`` is 0 there and 1 elsewhere.

>>> import numpy as np
>>> g = ManyGroups(np.array([1.0, 2.0, 5.0]), np.ones(3), np.array([0, 2, 3]))
>>> g.sum(g.effect).tolist(), g.spread(g.sum(g.effect)).tolist()
([3.0, 5.0], [3.0, 3.0, 5.0])
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from balm.stats.arrays import Floats as Floats
from balm.stats.arrays import Integers as Integers
from balm.stats.arrays import NDArray, np

#: Studies handled at once: about half a megabyte a working array, so that a formula's temporaries stay in cache.
CHUNK = 1 << 15


class OneGroup:
    """The studies of one analysis; sums are Python floats."""

    __slots__ = ("_first", "_rest", "effect", "k", "variance")

    def __init__(self, effect: Floats, variance: Floats, first: int | None = None, rest: Floats | None = None) -> None:
        self.effect = effect
        self.variance = variance
        self.k: Any = len(effect)
        self._first, self._rest = first, rest

    @property
    def first(self) -> int:
        """Where the most precise study stands."""
        if self._first is None:
            self._first = int(self.variance.argmin())
        return self._first

    @property
    def rest(self) -> Floats:
        """0 at the most precise study, 1 elsewhere."""
        if self._rest is None:
            self._rest = np.ones(len(self.variance))
            self._rest[self.first] = 0.0
        return self._rest

    def lead(self, values: Any) -> Any:
        """The value of the most precise study."""
        return float(values[self.first])

    @staticmethod
    def sum(values: Any) -> Any:
        """The sum over the group's studies."""
        return float(np.add.reduce(values))

    @staticmethod
    def dot(a: Any, b: Any) -> Any:
        """The sum of products over the group's studies."""
        return float(a.dot(b))

    @staticmethod
    def spread(value: Any) -> Any:
        """A group's value beside each of its studies (here: itself)."""
        return value

    @staticmethod
    def where(condition: Any, yes: Any, no: Any) -> Any:
        """``yes`` where the group's condition holds, else ``no``."""
        return yes if condition else no

    def extremes(self) -> tuple[float, float]:
        """The smallest and the largest variance."""
        return float(self.variance.min()), float(self.variance.max())

    def with_effect(self, effect: Floats) -> OneGroup:
        """The same variances with other effects."""
        return OneGroup(effect, self.variance, self._first, self._rest)


class ManyGroups:
    """Many analyses in compressed rows; sums are arrays with one entry a group.

    effect, variance : (n,) float64, the studies of a group side by side.
    offsets          : (G + 1,) int64; group ``i`` holds rows ``offsets[i]:offsets[i + 1]``. No group is empty:
                       ``np.add.reduceat`` would return a neighbour's value for it.
    """

    __slots__ = ("_first", "_rest", "effect", "k", "offsets", "sizes", "starts", "variance")

    def __init__(self, effect: Floats, variance: Floats, offsets: Integers, rest: Floats | None = None) -> None:
        self.effect = effect
        self.variance = variance
        self.offsets = offsets
        self.starts = offsets[:-1]
        self.sizes = np.diff(offsets)
        self.k: Any = self.sizes.astype(np.float64)
        self._rest = rest
        self._first: Integers | None = None

    @property
    def rest(self) -> Floats:
        """0 at each group's most precise study, 1 elsewhere; found when first asked for."""
        if self._rest is None:
            smallest = np.flatnonzero(
                self.variance == np.repeat(np.minimum.reduceat(self.variance, self.starts), self.sizes)
            )
            owner = np.searchsorted(self.starts, smallest, side="right")
            rest = np.ones(len(self.variance))
            rest[smallest[np.flatnonzero(np.diff(owner, prepend=-1))]] = 0.0
            self._rest = rest
        return self._rest

    @property
    def first(self) -> Integers:
        """Where each group's most precise study stands."""
        if self._first is None:
            self._first = np.flatnonzero(self.rest == 0.0)
        return self._first

    def __len__(self) -> int:
        return len(self.starts)

    def lead(self, values: Any) -> Any:
        """The value of each group's most precise study."""
        return values[self.first]

    def sum(self, values: Any) -> Any:
        """The sum over each group's studies."""
        return np.add.reduceat(values, self.starts)

    def dot(self, a: Any, b: Any) -> Any:
        """The sum of products over each group's studies."""
        return np.add.reduceat(a * b, self.starts)

    def spread(self, value: Any) -> Any:
        """Each group's value beside each of its studies."""
        return np.repeat(value, self.sizes)

    @staticmethod
    def where(condition: Any, yes: Any, no: Any) -> Any:
        """``yes`` in the groups where the condition holds, else ``no``."""
        return np.where(condition, yes, no)

    def extremes(self) -> tuple[Any, Any]:
        """The smallest and the largest variance of each group."""
        return np.minimum.reduceat(self.variance, self.starts), np.maximum.reduceat(self.variance, self.starts)

    def rows(self) -> Iterator[slice]:
        """Where the studies of each group stand."""
        yield from map(slice, self.offsets[:-1].tolist(), self.offsets[1:].tolist())

    def with_effect(self, effect: Floats) -> ManyGroups:
        """The same variances with other effects."""
        return ManyGroups(effect, self.variance, self.offsets, self._rest)

    def select(self, chosen: NDArray[np.bool_]) -> ManyGroups:
        """The groups where ``chosen`` is True, closed up."""
        rows = np.repeat(chosen, self.sizes)
        sizes = self.sizes[chosen]
        offsets = np.zeros(len(sizes) + 1, dtype=np.int64)
        np.cumsum(sizes, out=offsets[1:])
        rest = None if self._rest is None else self._rest[rows]
        return ManyGroups(self.effect[rows], self.variance[rows], offsets, rest)

    def chunks(self, rows: int = CHUNK) -> Iterator[tuple[slice, ManyGroups]]:
        """Runs of whole groups of about ``rows`` studies: which groups, and the groups themselves (views)."""
        first = 0
        count = len(self)
        while first < count:
            last = int(np.searchsorted(self.offsets, self.offsets[first] + rows, side="right")) - 1
            last = min(max(last, first + 1), count)
            low, high = self.offsets[first], self.offsets[last]
            yield (
                slice(first, last),
                ManyGroups(
                    self.effect[low:high],
                    self.variance[low:high],
                    self.offsets[first : last + 1] - low,
                    None if self._rest is None else self._rest[low:high],
                ),
            )
            first = last


Group = OneGroup | ManyGroups


def centred(g: Any) -> tuple[Any, Any]:
    """The group with its effects counted from its most precise study's, and that effect."""
    origin = g.lead(g.effect)
    return g.with_effect(g.effect - g.spread(origin)), origin


def by_label(labels: Any) -> tuple[NDArray[Any], NDArray[np.int64] | None, Integers]:
    """Group rows by label, groups in first-seen order.

    Returns the label of each group, the order that brings rows of a group together (``None`` when they already are),
    and the offsets.

    >>> names, order, offsets = by_label(["b", "a", "b"])
    >>> names.tolist(), order.tolist(), offsets.tolist()
    (['b', 'a'], [0, 2, 1], [0, 2, 3])
    """
    labels = np.asarray(labels)
    n = len(labels)
    if n == 0:
        return labels, None, np.zeros(1, dtype=np.int64)
    change = np.flatnonzero(labels[1:] != labels[:-1]) + 1
    starts = np.concatenate(([0], change)).astype(np.int64)
    names = labels[starts]
    steps_up = names.dtype.kind in "iuf" and bool(np.all(names[1:] > names[:-1]))
    if steps_up or len(np.unique(names)) == len(names):
        return names, None, np.concatenate((starts, [n])).astype(np.int64)
    unique, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    seen = np.argsort(first, kind="stable")
    rank = np.empty_like(seen)
    rank[seen] = np.arange(len(seen))
    position = rank[inverse]
    order = np.argsort(position, kind="stable")
    sizes = np.bincount(position, minlength=len(unique))
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    return unique[seen], order, offsets
