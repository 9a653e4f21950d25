"""Exact test of one proportion in several groups: Fisher's, as Freeman and Halton extended it to r x 2 tables.

Fisher RA (1934); Freeman GH, Halton JH. Biometrika 1951;38:141-9. The p value is the probability, given the margins,
of all tables no more probable than the one observed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce

from balm.stats.arrays import Floats, np
from balm.stats.distributions import chi2_sf
from balm.vocabulary.problems import InputError

#: Tables within this of the observed one's probability count as equally probable (R's fisher.test: 1e-7).
TIES = 1e-7
#: Partial tables held at once; beyond it an exact answer needs more memory than it is worth.
MAX_TABLES = 4_000_000


def exact_test(events: Sequence[int], n: Sequence[int]) -> float:
    """The two-sided p value of the Fisher-Freeman-Halton test of ``events[i]`` in ``n[i]``, groups i.

    Groups with ``n`` of 0 say nothing and are left out; with fewer than two left the p value is 1. All groups without,
    or with only, events give 1.

    >>> round(exact_test([3, 1], [4, 4]), 4)
    0.4857
    """
    if len(events) != len(n):
        raise InputError(f"events and n must have one length; got {len(events)} and {len(n)}")
    groups = []
    for i, (x, size) in enumerate(zip(events, n, strict=True)):
        if int(x) != x or int(size) != size or not 0 <= x <= size:
            raise InputError(f"events must be whole numbers from 0 to n; got {x} of {size} at position {i}")
        if size > 0:
            groups.append((int(x), int(size)))
    total, people = sum(x for x, _ in groups), sum(size for _, size in groups)
    if len(groups) < 2 or total in (0, people):
        return 1.0
    whole = _log_choose(people)[total]
    observed = sum(_log_choose(size)[x] for x, size in groups) - whole
    groups.sort(key=lambda g: g[1])
    parts = [groups[0::2], groups[1::2]]
    one, two = (reduce(_added, (_log_choose(size) for _, size in part), [np.zeros(1)]) for part in parts)
    # For every split of the events between the halves, sum the products of weights that are small enough.
    found = 0.0
    for events_one, first in enumerate(one):
        rest = total - events_one
        if not 0 <= rest < len(two):
            continue
        second = np.sort(two[rest])
        top = second[-1]
        below = np.concatenate([[0.0], np.cumsum(np.exp(second - top))])
        limit = observed + whole + np.log1p(TIES) - first
        at = np.searchsorted(second, limit, side="right")
        found += float(np.sum(np.exp(first + top - whole) * below[at]))
    return min(found, 1.0)


def chi_squared_test(events: Sequence[int], n: Sequence[int]) -> float:
    """Pearson's chi-squared p value of the same question, without continuity correction: for groups too large to list.

    >>> round(chi_squared_test([30, 10], [40, 40]), 6)
    8e-06
    """
    groups = [(x, size) for x, size in zip(events, n, strict=True) if size > 0]
    total, people = sum(x for x, _ in groups), sum(size for _, size in groups)
    if len(groups) < 2 or total in (0, people):
        return 1.0
    p = total / people
    return chi2_sf(sum((x - size * p) ** 2 / (size * p * (1 - p)) for x, size in groups), len(groups) - 1)


def too_many(n: Sequence[int]) -> bool:
    """Whether :func:`exact_test` would have to hold more partial tables than :data:`MAX_TABLES`."""
    sizes = sorted(size + 1 for size in n if size > 0)
    return any(math.prod(half) > MAX_TABLES for half in (sizes[0::2], sizes[1::2]))


def _log_choose(n: int) -> Floats:
    """The logarithm of "n over k" for k from 0 to n."""
    steps = np.log(np.arange(n, 0, -1.0)) - np.log(np.arange(1.0, n + 1))
    return np.concatenate([[0.0], np.cumsum(steps)])


def _added(so_far: list[Floats], group: Floats) -> list[Floats]:
    """The weights of every way to place events, by their number, with one group more."""
    longest = len(so_far) + len(group) - 1
    found: list[list[Floats]] = [[] for _ in range(longest)]
    if sum(len(w) for w in so_far) * len(group) > MAX_TABLES:
        raise InputError("the exact test of so many people in so many groups needs too much memory; combine groups")
    for placed, weights in enumerate(so_far):
        for more, weight in enumerate(group.tolist()):
            found[placed + more].append(weights + weight)
    return [np.concatenate(w) for w in found]
