"""Subsets of studies as packed bits: study ``j`` is bit ``j % 8`` of byte ``j // 8``, one row a subset."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


def every_subset(k: int) -> Bytes:
    """All subsets of ``k`` studies but the empty one; row ``i`` is the binary number ``i + 1``.

    >>> every_subset(2).ravel().tolist()
    [1, 2, 3]
    """
    width = (k + 7) // 8
    held = 1 << (width - 1).bit_length()  # bytes of the integer that holds a number
    numbers = np.arange(1, 1 << k, dtype=f"<u{held}")
    return np.ascontiguousarray(numbers.view(np.uint8).reshape(-1, held)[:, :width])


def random_subsets(k: int, count: int, seed: int) -> Bytes:
    """``count`` independent subsets, each non-empty subset equally likely."""
    random = np.random.default_rng(seed)
    width = (k + 7) // 8
    last = np.uint8((1 << (k - 8 * (width - 1))) - 1)

    def draw(rows: int) -> Bytes:
        found = random.integers(0, 256, size=(rows, width), dtype=np.uint8)
        found[:, -1] &= last
        return found

    bits = draw(count)
    empty = ~bits.any(axis=1)
    while empty.any():
        bits[empty] = draw(int(np.count_nonzero(empty)))
        empty = ~bits.any(axis=1)
    return bits


def members(bits: Bytes, k: int) -> NDArray[np.bool_]:
    """(rows, k) True where the study belongs to the subset."""
    return np.unpackbits(bits, axis=1, count=k, bitorder="little").view(np.bool_)


def includes(bits: Bytes, study: int) -> NDArray[np.bool_]:
    """(rows,) True where the subset holds study number ``study``."""
    return np.asarray((bits[:, study // 8] >> np.uint8(study % 8)) & np.uint8(1), dtype=np.bool_)
