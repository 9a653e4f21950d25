"""Random numbers in numbered blocks, so that a result depends on the seed alone.

Replicates are drawn in blocks of :data:`BLOCK`; block ``i`` has the ``i``-th child of the seed's sequence
(:meth:`numpy.random.SeedSequence.spawn`), whatever is worked on at once, in whichever order, by however many workers.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from balm.vocabulary.problems import InputError

#: Replicates that share one stream of random numbers.
BLOCK = 2048

#: Most that one call draws: beyond it a slip of the finger is likelier than a wish.
MOST_REPLICATES = 1_000_000_000


def settled_seed(seed: int | None) -> int:
    """The seed given, checked; a fresh one (which results carry, so that they can be repeated) when there is none."""
    if seed is None:
        return int(np.random.SeedSequence().entropy)  # type: ignore[arg-type]
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed must be a whole number, 0 or more, or None for a fresh one; got {seed!r}")
    return int(seed)


def check_count(name: str, count: int, least: int = 1) -> int:
    """``count`` when it is a whole number of at least ``least``."""
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or not least <= count <= MOST_REPLICATES:
        raise InputError(f"{name} must be a whole number from {least} to {MOST_REPLICATES:,}; got {count!r}")
    return int(count)


def blocks(total: int, seed: int) -> Iterator[tuple[int, np.random.Generator]]:
    """``(size, generator)`` of each block of ``total`` replicates.

    >>> [size for size, _ in blocks(5000, seed=1)]
    [2048, 2048, 904]
    """
    count = -(-total // BLOCK)
    for i in range(count):
        child = np.random.SeedSequence(seed, spawn_key=(i,))
        yield min(BLOCK, total - i * BLOCK), np.random.Generator(np.random.SFC64(child))
