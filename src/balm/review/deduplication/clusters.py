"""Pairs into clusters, the surest first; two clusters join only where no vetoed pair would come to lie inside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from balm.review.deduplication.prepared import Ints


def clusters_of(
    pairs: Iterable[tuple[int, int]], apart: Callable[[int, int], bool]
) -> tuple[list[list[int]], list[tuple[int, int]]]:
    """``(clusters, cut)``: clusters of two and more; ``cut`` are pairs that would have joined what must stay apart.

    ``pairs`` come surest first. ``apart(a, b)`` says whether two records must not lie in one cluster.

    >>> clusters_of([(0, 1), (1, 2)], lambda a, b: {a, b} == {0, 2})
    ([[0, 1]], [(1, 2)])
    """
    cluster: dict[int, int] = {}
    members: dict[int, list[int]] = {}
    cut: list[tuple[int, int]] = []
    for a, b in pairs:
        x, y = cluster.setdefault(a, a), cluster.setdefault(b, b)
        members.setdefault(x, [a] if x == a else [])
        members.setdefault(y, [b] if y == b else [])
        if x == y:
            continue
        if any(apart(u, v) for u in members[x] for v in members[y] if {u, v} != {a, b}):
            cut.append((a, b))
            continue
        small, large = (x, y) if len(members[x]) < len(members[y]) else (y, x)
        for record in members[small]:
            cluster[record] = large
        members[large].extend(members.pop(small))
    return [sorted(m) for m in members.values() if len(m) > 1], cut


def components(i: Ints, j: Ints) -> dict[int, list[int]]:
    """Records joined by any chain of pairs, by one of them."""
    parent: dict[int, int] = {}

    def root(a: int) -> int:
        while parent.setdefault(a, a) != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        return a

    for a, b in zip(i.tolist(), j.tolist(), strict=True):
        x, y = root(a), root(b)
        if x != y:
            parent[max(x, y)] = min(x, y)
    found: dict[int, list[int]] = defaultdict(list)
    for a in parent:
        found[root(a)].append(a)
    return found
