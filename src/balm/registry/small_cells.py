"""Small numbers held back, so that nobody is recognised in a report, nor found by subtraction.

A count of people from 1 to ``limit - 1`` is not printed. Nor is any count that gives one away: the numbers of a report
hang together in sums (due = followed + not followed), and a held-back number that follows from the printed ones by
adding and subtracting is no secret. :func:`held_back` solves the sums for what is held back, and holds more back until
no small number follows. Zeros are printed: nobody is in them. So are the numbers of those of whom nothing is told (not
followed, not asked, not recorded): missing follow-up is a number, not a silence, and says nothing about anybody.
Complementary suppression as in Hundepool et al., Statistical Disclosure Control (2012), chapter 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

#: What is let go first to protect a small number: a complement that nobody prints, a part, then a line of the report.
UNPRINTED, PART, LINE, TOTAL = range(4)


def small(count: int, limit: int) -> bool:
    """Whether a count is from 1 to ``limit - 1``.

    >>> [small(n, 5) for n in (0, 1, 4, 5)]
    [False, True, True, False]
    """
    return 0 < count < limit


@dataclass
class Cells:
    """The counts of a report by name, how dear each is to the reader, and the sums that tie them together.

    >>> cells = Cells()
    >>> cells.add("due", 120, TOTAL); cells.add("followed", 117, LINE); cells.add("not followed", 3, LINE)
    >>> cells.sum("due", ["followed", "not followed"])
    >>> sorted(held_back(cells, 5))
    ['followed', 'not followed']
    """

    counts: dict[str, int] = field(default_factory=dict)
    dear: dict[str, float] = field(default_factory=dict)
    sums: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    #: Counts of people of whom nothing is told.
    untold: set[str] = field(default_factory=set)

    def add(self, name: str, count: int, dear: float, *, untold: bool = False) -> None:
        """A count, and how long it is kept: one of the four above, or between them."""
        self.counts[name], self.dear[name] = count, dear
        if untold:
            self.untold.add(name)

    def sum(self, whole: str, parts: Sequence[str]) -> None:
        """``whole`` is the sum of ``parts``; a wrong sum is a fault of the program."""
        if self.counts[whole] != sum(self.counts[p] for p in parts):
            raise ValueError(f"{whole} is not the sum of {parts}")
        self.sums.append((whole, tuple(parts)))

    def split(self, whole: str, parts: Sequence[str], rest: str, *, untold: bool = False) -> None:
        """``whole`` is ``parts`` and a rest that nobody prints, but everybody can work out."""
        self.add(rest, self.counts[whole] - sum(self.counts[p] for p in parts), UNPRINTED, untold=untold)
        self.sum(whole, [*parts, rest])


def held_back(cells: Cells, limit: int) -> frozenset[str]:
    """The names of the counts that may not be printed, and of those that nobody prints.

    Where a small number follows from the printed ones, the least dear and then the smallest of the printed numbers it
    follows from is held back, and all is solved again. What was held back on the way and turns out not to be needed is
    printed after all, the dearest first: no count that is not small can be printed more without a small one following.
    """
    counts = cells.counts
    never = {name for name, dear in cells.dear.items() if dear == UNPRINTED and name not in cells.untold}
    hidden = {name for name, n in counts.items() if small(n, limit) and name not in cells.untold}
    if not hidden:
        return frozenset()
    hidden |= never
    added: list[str] = []
    while True:
        givers = _givers(cells, hidden, limit)
        left = [n for n in givers if n not in hidden and counts[n] > 0]
        if not left:
            break
        added.append(min(left, key=lambda n: (cells.dear[n], counts[n], n)))
        hidden.add(added[-1])
    if not givers:
        for name in sorted(added, key=lambda n: (-cells.dear[n], -counts[n], n)):
            if not _givers(cells, hidden - {name}, limit):
                hidden.remove(name)
    return frozenset(hidden)


def _givers(cells: Cells, hidden: set[str], limit: int) -> set[str]:
    """The counts from which one small hidden count follows; empty where none follows."""
    counts = cells.counts
    for whole, parts in cells.sums:  # several parts that are few together are as good as printed
        secret = [p for p in parts if p in hidden]
        if secret and whole not in hidden | cells.untold and 0 < sum(counts[p] for p in secret) < limit:
            return {whole, *parts}
    names = sorted({n for whole, parts in cells.sums for n in (whole, *parts) if n in hidden})
    place = {name: i for i, name in enumerate(names)}
    rows: list[tuple[dict[int, Fraction], dict[int, Fraction]]] = []  # a row of the matrix, and the sums it is made of
    for number, (whole, parts) in enumerate(cells.sums):
        row: dict[int, Fraction] = {}
        for name, sign in ((whole, 1), *((p, -1) for p in parts)):
            if name in place:
                row[place[name]] = row.get(place[name], Fraction(0)) + sign
        row = {column: v for column, v in row.items() if v}
        if row:
            rows.append((row, {number: Fraction(1)}))
    done: list[tuple[int, dict[int, Fraction], dict[int, Fraction]]] = []
    while rows:
        row, made = rows.pop()
        pivot = min(row)
        row, made = _scaled(row, 1 / row[pivot]), _scaled(made, 1 / row[pivot])
        rows = [
            (r, m) for r, m in (_less(r, m, row, made, pivot) for r, m in rows) if r
        ]  # fmt: skip
        done = [(p, *_less(r, m, row, made, pivot)) for p, r, m in done]
        done.append((pivot, row, made))
    for pivot, row, made in done:
        if len(row) == 1 and small(counts[names[pivot]], limit) and names[pivot] not in cells.untold:
            return {n for number in made for n in (cells.sums[number][0], *cells.sums[number][1])}
    return set()


def _scaled(row: Mapping[int, Fraction], by: Fraction) -> dict[int, Fraction]:
    return {column: v * by for column, v in row.items()}


def _less(
    row: dict[int, Fraction], made: dict[int, Fraction], pivot_row: Mapping[int, Fraction],
    pivot_made: Mapping[int, Fraction], pivot: int,
) -> tuple[dict[int, Fraction], dict[int, Fraction]]:  # fmt: skip
    """A row of the matrix without the column ``pivot``."""
    by = row.get(pivot)
    if not by:
        return row, made
    return _minus(row, pivot_row, by), _minus(made, pivot_made, by)


def _minus(one: Mapping[int, Fraction], other: Mapping[int, Fraction], by: Fraction) -> dict[int, Fraction]:
    found = dict(one)
    for column, v in other.items():
        found[column] = found.get(column, Fraction(0)) - by * v
    return {column: v for column, v in found.items() if v}


def partition(parts: Mapping[str, int], limit: int) -> dict[str, int | None]:
    """The parts of a printed total, ``None`` where held back.

    >>> partition({"mild": 12, "moderate": 7, "severe": 2, "fatal": 0}, 5)
    {'mild': 12, 'moderate': None, 'severe': None, 'fatal': 0}
    """
    cells = Cells()
    cells.add("", sum(parts.values()), TOTAL)
    for name, n in parts.items():
        cells.add(f"{name}.", n, PART)
    cells.sum("", [f"{name}." for name in parts])
    hidden = held_back(cells, limit)
    return {name: None if f"{name}." in hidden else n for name, n in parts.items()}


def shares_hidden(shares: Sequence[tuple[int, int]], limit: int) -> bool:
    """Whether the numerator that several (x, n) share must be held back: it, or what is left of any n, is small."""
    return any(small(x, limit) or small(n - x, limit) or small(n, limit) for x, n in shares)
