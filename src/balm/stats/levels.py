"""Many small analyses side by side: first the leading study of each, then the second of each that has one, and so on.

The layout of sparse matrices by jagged diagonals (Saad 1989, SIAM J Sci Stat Comput 10:1200): groups stand in order of
size, largest first, so level j holds study j of the first ``widths[j]`` groups. A sum within groups is then one
addition of whole arrays a level, where ``np.add.reduceat`` turns to each group in its turn: several times as fast for
groups of a few studies. The most precise study of a group is its first, and each sum runs down the levels, so a group's
numbers do not depend on the groups beside it.

>>> import numpy as np
>>> effect, variance, offsets = np.array([5.0, 1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0, 4.0]), np.array([0, 1, 4])
>>> order = by_size(np.diff(offsets))
>>> g = Levels.gathered(effect, variance, offsets, order)
>>> order.tolist(), g.sum(g.effect).tolist(), g.lead(g.effect).tolist()
([1, 0], [6.0, 5.0], [2.0, 5.0])
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from balm.stats.arrays import Floats, Integers, NDArray, np


class Levels:
    """Groups in order of size, largest first; the interface of :class:`balm.stats.groups.ManyGroups`.

    effect, variance : (n,) float64, level after level.
    sizes            : (G,) int64, studies of each group, never rising.
    widths           : groups that reach each level; the first is G.
    """

    __slots__ = ("_rest", "effect", "k", "places", "sizes", "variance", "widths")

    def __init__(self, effect: Floats, variance: Floats, sizes: Integers, widths: list[int]) -> None:
        self.effect = effect
        self.variance = variance
        self.sizes = sizes
        self.widths = widths
        self.k: Any = sizes.astype(np.float64)
        ends = np.cumsum(widths).tolist()
        #: Where each level beyond the first begins and ends, and its width.
        self.places = list(zip(ends, ends[1:], widths[1:], strict=False))
        self._rest: Floats | None = None

    @classmethod
    def gathered(cls, effect: Floats, variance: Floats, offsets: Integers, order: Integers) -> Levels:
        """The groups ``order`` (largest first) of compressed rows, each with its most precise study at the front."""
        starts = offsets[order]
        sizes = offsets[order + 1] - starts
        widths = np.searchsorted(-sizes, -np.arange(int(sizes[0])), side="left").tolist()
        rows = np.concatenate([starts[:width] + j for j, width in enumerate(widths)])
        made = cls(effect[rows], variance[rows], sizes, widths)
        least, at = made.lead(made.variance).copy(), np.arange(len(sizes))
        for first, last, width in made.places:
            here = made.variance[first:last]
            better = here < least[:width]
            np.copyto(least[:width], here, where=better)
            np.copyto(at[:width], np.arange(first, last), where=better)
        for values in (made.effect, made.variance):
            front = values[: len(sizes)].copy()
            values[: len(sizes)] = values[at]
            values[at] = np.where(at < len(sizes), values[at], front)
        return made

    @property
    def rest(self) -> Floats:
        """0 at each group's most precise study, 1 elsewhere."""
        if self._rest is None:
            self._rest = np.ones(len(self.variance))
            self._rest[: len(self)] = 0.0
        return self._rest

    def __len__(self) -> int:
        return len(self.sizes)

    def lead(self, values: Any) -> Any:
        """The value of each group's most precise study."""
        return values[: len(self)]

    def sum(self, values: Any) -> Any:
        """The sum over each group's studies."""
        total = values[: len(self)].copy()
        for first, last, width in self.places:
            total[:width] += values[first:last]
        return total

    def dot(self, a: Any, b: Any) -> Any:
        """The sum of products over each group's studies."""
        return self.sum(a * b)

    def spread(self, value: Any) -> Any:
        """Each group's value beside each of its studies."""
        beside = np.empty(len(self.effect), dtype=value.dtype)
        beside[: len(self)] = value
        for first, last, width in self.places:
            beside[first:last] = value[:width]
        return beside

    @staticmethod
    def where(condition: Any, yes: Any, no: Any) -> Any:
        """``yes`` in the groups where the condition holds, else ``no``."""
        return np.where(condition, yes, no)

    def extremes(self) -> tuple[Any, Any]:
        """The smallest and the largest variance of each group."""
        most = self.lead(self.variance).copy()
        for first, last, width in self.places:
            np.maximum(most[:width], self.variance[first:last], out=most[:width])
        return self.lead(self.variance), most

    def rows(self) -> Iterator[Integers]:
        """Where the studies of each group stand."""
        starts = np.concatenate(([0], np.cumsum(self.widths)[:-1])).astype(np.int64)
        for i, size in enumerate(self.sizes.tolist()):
            yield starts[:size] + i

    def with_effect(self, effect: Floats) -> Levels:
        """The same variances with other effects."""
        return Levels(effect, self.variance, self.sizes, self.widths)

    def select(self, chosen: NDArray[np.bool_]) -> Levels:
        """The groups where ``chosen`` is True, closed up."""
        rows = self.spread(chosen)
        left = np.cumsum(chosen)
        widths = [int(left[width - 1]) for width in self.widths]
        return Levels(self.effect[rows], self.variance[rows], self.sizes[chosen], [w for w in widths if w])


def by_size(sizes: Integers) -> Integers:
    """The order of groups that brings the largest to the front and keeps those of one size in their order."""
    return np.argsort(-sizes.astype(np.int16), kind="stable")
