"""The same number of studies many times over: the layout behind permutation, bootstrap and simulation.

Where every replicate has k studies, effects stand as a (k, B) table, one column a replicate, and a sum over studies is
a sum of rows. :class:`Replicates` offers the operations of :class:`balm.stats.groups.ManyGroups` on that table, so each
formula of the package runs on it unchanged. Variances that all replicates share are kept once, as (k, 1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from balm.stats.groups import Floats

#: Entries of a working table: a quarter of a megabyte, so that a formula's temporaries stay in the second-level cache.
TABLE = 1 << 15


class Replicates:
    """B analyses of k studies each.

    effect   : (k, B).
    variance : (k, B), or (k, 1) where all replicates share them.

    >>> g = Replicates(np.array([[1.0, 3.0], [2.0, 5.0]]), np.ones((2, 1)))
    >>> g.sum(g.effect).tolist(), len(g)
    ([3.0, 8.0], 2)
    """

    __slots__ = ("effect", "first", "k", "rest", "studies", "variance")

    def __init__(self, effect: Floats, variance: Floats, first: Any = None, rest: Floats | None = None) -> None:
        self.effect = effect
        self.variance = variance
        self.studies = effect.shape[0]
        self.k: Any = np.full(effect.shape[1], float(effect.shape[0]))
        if rest is None:
            first = variance.argmin(axis=0)
            rest = np.ones(variance.shape)
            rest[first, np.arange(variance.shape[1])] = 0.0
            if variance.shape[1] == 1:
                first = int(first[0])
        self.first = first
        self.rest: Floats = rest

    def __len__(self) -> int:
        return int(self.effect.shape[1])

    def lead(self, values: Any) -> Any:
        """The value of each replicate's most precise study."""
        if isinstance(self.first, int):
            return values[self.first]
        return values[self.first, np.arange(len(self.first))]

    @staticmethod
    def sum(values: Any) -> Any:
        """The sum over the studies of each replicate."""
        return np.add.reduce(values, axis=0)

    @staticmethod
    def dot(a: Any, b: Any) -> Any:
        """The sum of products over the studies of each replicate."""
        return np.add.reduce(a * b, axis=0)

    @staticmethod
    def spread(value: Any) -> Any:
        """A replicate's value beside each of its studies (here: itself, which broadcasts)."""
        return value

    @staticmethod
    def where(condition: Any, yes: Any, no: Any) -> Any:
        """``yes`` in the replicates where the condition holds, else ``no``."""
        return np.where(condition, yes, no)

    def extremes(self) -> tuple[Any, Any]:
        """The smallest and the largest variance of each replicate."""
        shape = (len(self),)
        return np.broadcast_to(self.variance.min(axis=0), shape), np.broadcast_to(self.variance.max(axis=0), shape)

    def with_effect(self, effect: Floats) -> Replicates:
        """The same variances with other effects."""
        return Replicates(effect, self.variance, self.first, self.rest)

    def select(self, chosen: NDArray[np.bool_]) -> Replicates:
        """The replicates where ``chosen`` is True."""
        effect = self.effect[:, chosen]
        if self.variance.shape[1] == 1:
            return Replicates(effect, self.variance, self.first, self.rest)
        return Replicates(effect, self.variance[:, chosen], self.first[chosen], self.rest[:, chosen])
