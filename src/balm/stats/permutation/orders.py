"""Every rearrangement of a data set, counted without being stored: sign flips and distinct orderings.

A rearrangement has a number, and :func:`signs` and :func:`orderings` turn a run of numbers into a (k, B) table. Rows of
moderators that are alike make orderings that are alike: those are met once, since leaving the copies out changes no
share.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from balm.stats.groups import Floats, Integers


def signs(numbers: Integers, k: int) -> Floats:
    """(k, B) of +1 and -1: bit ``i`` of the number flips study ``i``; 0 leaves the data as they are.

    >>> signs(np.arange(4), 2).T.tolist()
    [[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]]
    """
    bits = (numbers[None, :] >> np.arange(k)[:, None]) & 1
    return 1.0 - 2.0 * bits.astype(np.float64)


def alike(rows: Floats) -> Integers:
    """(k,) the kind of each row: 0, 1, ... in order of first appearance.

    >>> alike(np.array([[3.0], [1.0], [3.0]])).tolist()
    [0, 1, 0]
    """
    seen: dict[bytes, int] = {}
    return np.array([seen.setdefault((row + 0.0).tobytes(), len(seen)) for row in np.ascontiguousarray(rows)])


def how_many(kinds: Integers) -> int:
    """The number of distinct orderings, ``k! / (m1! m2! ...)``.

    >>> how_many(np.array([0, 1, 0]))
    3
    """
    total = math.factorial(len(kinds))
    for many in np.bincount(kinds).tolist():
        total //= math.factorial(many)
    return total


def orderings(numbers: Integers, kinds: Integers) -> Integers:
    """(k, B) kinds in the orderings of these numbers, from 0 to ``how_many(kinds) - 1``.

    >>> orderings(np.arange(3), np.array([0, 1, 0])).T.tolist()
    [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    """
    k, total = len(kinds), how_many(kinds)
    if total == math.factorial(k):
        return _all_different(numbers, k)
    kind: Any = np.int32 if total * k < 2**31 else np.int64
    left: Any = np.repeat(np.bincount(kinds)[:, None].astype(kind), len(numbers), axis=1)
    rank: Any = numbers.astype(kind)
    size: Any = np.full(len(numbers), total, dtype=kind)
    out = np.empty((k, len(numbers)), dtype=np.int64)
    columns = np.arange(len(numbers))
    for place in range(k):
        # Of the orderings still possible, the share that begins with a kind is the share of rows of that kind left.
        each = size * left // (k - place)
        ends = np.cumsum(each, axis=0, dtype=kind)
        chosen = (rank >= ends).sum(axis=0)
        size = each[chosen, columns]
        rank -= ends[chosen, columns] - size
        left[chosen, columns] -= 1
        out[place] = chosen
    return out


#: The last places of an ordering are read from a table of all their arrangements.
_TAIL = 6


@lru_cache(maxsize=_TAIL)
def _permutations(m: int) -> Integers:
    """(m, m!) all orderings of 0 ... m - 1, the smallest first."""
    if m == 1:
        return np.zeros((1, 1), dtype=np.int64)
    rest = _permutations(m - 1)
    return np.hstack([np.vstack([np.full((1, rest.shape[1]), f), rest + (rest >= f)]) for f in range(m)])


def _all_different(numbers: Integers, k: int) -> Integers:
    """The orderings of k rows no two of which are alike."""
    m = min(k, _TAIL)
    tail = _permutations(m)
    each = tail.shape[1]
    first, last = int(numbers.min()), int(numbers.max())
    heads: Any = range(first // each, last // each + 1)
    in_a_row = len(numbers) == last - first + 1 and bool((numbers[1:] > numbers[:-1]).all())
    if not in_a_row:
        heads = np.unique(numbers // each).tolist()
    found = np.empty((k, len(heads) * each), dtype=np.int64)
    for i, number in enumerate(heads):
        left, rank, size = list(range(k)), number, math.factorial(k) // math.factorial(m)
        block = found[:, i * each : (i + 1) * each]
        for place in range(k - m):
            size //= k - place
            block[place] = left.pop(rank // size)
            rank %= size
        np.take(np.array(left), tail, out=block[k - m :], mode="clip")
    if in_a_row:
        start = first - heads[0] * each
        return found[:, start : start + len(numbers)]
    column: Integers = np.searchsorted(heads, numbers // each) * each + numbers % each
    return np.take(found, column, axis=1)
