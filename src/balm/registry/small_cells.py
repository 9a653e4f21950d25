"""Small numbers held back, so that nobody is recognised in a report.

A count of people from 1 to ``limit - 1`` is not printed; nor is a count that would give it away: in a partition of a
total that is printed, a second part is held back where one alone is hidden. Zeros are printed: nobody is in them.
Sizes of groups (denominators) are printed unless they are small themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def small(count: int, limit: int) -> bool:
    """Whether a count is from 1 to ``limit - 1``.

    >>> [small(n, 5) for n in (0, 1, 4, 5)]
    [False, True, True, False]
    """
    return 0 < count < limit


def partition(parts: Mapping[str, int], limit: int) -> dict[str, int | None]:
    """The parts of a printed total, ``None`` where held back.

    >>> partition({"mild": 12, "moderate": 7, "severe": 2, "fatal": 0}, 5)
    {'mild': 12, 'moderate': None, 'severe': None, 'fatal': 0}
    """
    hidden = {name for name, n in parts.items() if small(n, limit)}
    left = sorted((n, name) for name, n in parts.items() if name not in hidden and n > 0)
    while hidden and left and (len(hidden) < 2 or sum(parts[name] for name in hidden) < limit):
        hidden.add(left.pop(0)[1])
    return {name: None if name in hidden else n for name, n in parts.items()}


def shares_hidden(shares: Sequence[tuple[int, int]], limit: int) -> bool:
    """Whether the numerator that several (x, n) share must be held back: it, or what is left of any n, is small."""
    return any(small(x, limit) or small(n - x, limit) or small(n, limit) for x, n in shares)


def groups_hidden(groups: Sequence[tuple[int, int]], limit: int) -> list[bool]:
    """Which (x, n) of a partition by group must hold back their x; one hidden alone takes the next smallest with it.

    >>> groups_hidden([(22, 57), (8, 26), (2, 45)], 5)
    [False, True, True]
    """
    hidden = [shares_hidden([g], limit) for g in groups]
    if sum(hidden) == 1 and len(groups) > 1:
        rest = [(x, i) for i, (x, _) in enumerate(groups) if not hidden[i]]
        hidden[min(rest)[1]] = True
    return hidden
